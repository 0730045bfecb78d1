"""``with ad.record(model) as film:`` the statistics of every step of a training, to look at afterwards."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..core.checks import is_finite, require_whole
from ..core.errors import ArgumentError, KindError, TapeError
from ..core.modes import Watcher, watching
from ..core.names import named_in
from ..core.node import Node, data_of
from ..core.summary import repr_text
from ..diagnosis.health import Health, health
from ..diagnosis.verdicts import Verdict
from ..viz.page import Page
from ..viz.plots.given import entries_of
from ..viz.statistics import number_form
from . import film_page, film_plot
from .film_diff import FilmDiff

STATISTICS = ("mean", "std", "saturated", "dead", "gradient", "gradient_to_data", "update_to_data")
"""What can be kept of every layer: attributes of :class:`~autodiff.diagnosis.health.Row`."""
SIGNS = (
    "nan",
    "not reached",
    "large input",
    "symmetric",
    "dead units",
    "squashed twice",
    "saturated",
    "exploding",
    "sure and wrong",
    "vanishing",
    "zero gradient",
    "constant output",
    "not optimized",
    "long step",
    "short step",
)
"""The verdicts of ``ad.health`` that a film remembers the first of."""
DIGITS = 4
"""Significant digits on the page."""
BINS = 24
"""Bars of the histogram that is kept of each parameter."""


@dataclass(frozen=True)
class Histogram:
    """How many finite entries of a parameter lie in each of equally wide bins from ``low`` to ``high``."""

    low: float
    high: float
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Frame:
    """What was kept of one step.

    Attributes
    ----------
    step : int
        From 0.
    loss : float
    layers : dict of str to dict of str to number
        Statistics by layer; what cannot be known is absent.
    verdicts : list of Verdict
    histograms : dict of str to Histogram
        By parameter.
    """

    step: int
    loss: float
    layers: dict[str, dict[str, float]]
    verdicts: list[Verdict]
    histograms: dict[str, Histogram]


class Sighting:
    """The first step at which something was found, and what was said of it; as an int, the step."""

    def __init__(self, step: int, verdict: Verdict) -> None:
        self.step = step
        self.verdict = verdict

    def __int__(self) -> int:
        return self.step

    __index__ = __int__

    def __repr__(self) -> str:
        return f"step {self.step}: {self.verdict}"


class Film:
    """What :func:`record` kept, step by step.

    Attributes
    ----------
    frames : list of Frame
        One for each step, or for every so many if there were more than could be kept.
    steps : int
        How many steps there were.
    """

    def __init__(self, every: int, most: int, keep: Collection[str]) -> None:
        self.every = every
        self.most = most
        self.keep = tuple(keep)
        self.frames: list[Frame] = []
        self.steps = 0
        self._first: dict[str, Sighting] = {}

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[Frame]:
        return iter(self.frames)

    def __getitem__(self, step: int) -> Frame:
        """The frame of a step, or the last before it that was kept; negative steps count from the end."""
        try:
            step = operator.index(step)
        except TypeError:
            raise KindError(
                f"film[{repr_text(step)}]: a step is a whole number, such as film[0] or film[-1]."
            ) from None
        wanted = step + self.steps if step < 0 else step
        if not self.frames or not 0 <= wanted < self.steps:
            raise ArgumentError(f"film[{step}]: {self._extent()}")
        return [f for f in self.frames if f.step <= wanted][-1]

    def _extent(self) -> str:
        if not self.frames:
            return (
                "the film is empty. Call loss.backward(), and the optimizer's step(), inside `with ad.record(model):`."
            )
        return f"the film has steps 0 to {self.steps - 1}."

    def first(self, sign: str) -> Sighting | None:
        """The first step at which a verdict of this kind was found.

        Parameters
        ----------
        sign : str
            ``"dead unit"``, ``"nan"``, ``"exploding"``, ``"saturated"``, ``"vanishing"``, ...: the name of a verdict of
            ``ad.health``, or how it begins.

        Returns
        -------
        Sighting or None
            Its ``step`` and ``verdict``.  It is remembered also where the frame of that step was not kept.  None if it
            was never found.

        Raises
        ------
        ArgumentError
            If there is no such verdict.
        """
        try:
            start = sign.strip().lower()
        except AttributeError:  # no text
            start = ""
        if not start or not any(name.startswith(start) for name in SIGNS):
            raise ArgumentError(
                f"film.first({repr_text(sign)}): there is no such verdict. Those of ad.health are {', '.join(SIGNS)}."
            )
        found = [s for name, s in self._first.items() if name.startswith(start)]
        return min(found, key=int) if found else None

    def diff(self, a: int, b: int) -> FilmDiff:
        """What changed from step ``a`` to step ``b``: loss, and the statistics of every layer.

        Raises
        ------
        ArgumentError, KindError
            If there is no such step.
        """
        return FilmDiff(self[a], self[b])

    def plot(self, ax: Any = None) -> Any:
        """Plot the loss, and each layer's gradient and update beside the line at 1e-3; mark what was found first.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Divided into three panels.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ArgumentError, KindError
            If the film is empty, or ``ax`` is no axes.
        MissingExtraError
            If Matplotlib is not installed.
        """
        if not self.frames:
            raise ArgumentError(f"film.plot(): {self._extent()}")
        return film_plot.plot(self.frames, list(self._first.values()), ax)

    def page(self, budget: int = 1_000_000) -> Page:
        """A page with a scrubber over the steps, in one file.

        Parameters
        ----------
        budget : int
            About how many bytes it may have; frames are left out evenly until it fits.

        Raises
        ------
        ArgumentError
            If the film is empty, or the budget is no number above 0.
        """
        if not is_finite(budget) or budget <= 0:
            raise ArgumentError(f"film.page() got budget={repr_text(budget)}; it is a number of bytes above 0.")
        if not self.frames:
            raise ArgumentError(f"film.page(): {self._extent()}")
        return film_page.page(self.as_json(), budget)

    def save(self, path: Any, budget: int = 1_000_000) -> Any:
        """Write the page to a file, such as ``film.html``; see :meth:`page` and :meth:`Page.save`."""
        return self.page(budget).save(path)

    def as_json(self) -> dict[str, Any]:
        """All frames in a form that JSON can hold."""
        frames = [
            {
                "step": f.step,
                "loss": number_form(f.loss, DIGITS),
                "layers": {
                    name: {k: number_form(float(x), DIGITS) for k, x in row.items()} for name, row in f.layers.items()
                },
                "verdicts": [asdict(v) for v in f.verdicts],
                "histograms": {
                    k: {
                        "low": number_form(h.low, DIGITS),
                        "high": number_form(h.high, DIGITS),
                        "counts": list(h.counts),
                    }
                    for k, h in f.histograms.items()
                },
            }
            for f in self.frames
        ]
        first = [{"step": s.step, **asdict(s.verdict)} for s in self._first.values()]
        return {"version": 1, "steps": self.steps, "frames": frames, "first": first}

    def __repr__(self) -> str:
        kept = "" if len(self) == self.steps else f" ({len(self)} kept)"
        found = "; ".join(map(repr, self._first.values()))
        return f"<Film of {self.steps} steps{kept}{': ' + found if found else ''}>"

    def _repr_html_(self) -> str | None:
        """The page for a notebook."""
        return self.page()._repr_html_() if self.frames else None

    def add(self, report: Health, histograms: dict[str, Histogram]) -> None:
        """Keep what was found at the next step, and drop every second frame if there are too many."""
        step = self.steps
        self.steps += 1
        for verdict in report.verdicts:
            self._first.setdefault(verdict.sign, Sighting(step, verdict))
        if step % self.every:
            return
        layers: dict[str, dict[str, float]] = {}
        for row in report.rows:
            known = {k: getattr(row, k) for k in self.keep if getattr(row, k) is not None}
            layers.setdefault(row.layer, {}).update({k: x for k, x in known.items() if k not in layers[row.layer]})
        loss = float("nan") if report.loss is None else report.loss
        self.frames.append(Frame(step, loss, layers, report.verdicts, histograms))
        if len(self.frames) > self.most:
            self.every *= 2
            self.frames = [f for f in self.frames if f.step % self.every == 0]

    def forget(self) -> None:
        """Begin anew."""
        self.frames, self.steps = [], 0
        self._first.clear()


class _Camera(Watcher):
    """Takes a frame whenever an optimizer steps; where none does, after every ``backward``."""

    def __init__(self, film: Film, model: Any) -> None:
        self.film = film
        self.model = model
        self.loss: Node | None = None
        self.optimized = False

    def graded(self, output: Any) -> None:
        """Remember the loss until the step is taken."""
        self.loss = output
        if not self.optimized:
            self._take(None)

    def stepped(self, optimizer: Any) -> None:
        """Look at the model before it changes."""
        parameters = named_in("record()", self.model).values()
        if not {id(p) for p in optimizer.params} & {id(p) for p in parameters}:
            return
        if not self.optimized:
            self.optimized = True
            self.film.forget()  # what was taken after backward() alone
        self._take(optimizer)
        self.loss = None  # lets go of the tape

    def _take(self, optimizer: Any) -> None:
        try:
            report = health(self.model, self.loss, optimizer=optimizer)
        except TapeError:  # backward(free=True) has let go of the tape
            report = health(self.model, optimizer=optimizer)
            report.loss = None if self.loss is None else float(np.asarray(data_of(self.loss)).real)
        kept = self.film.steps % self.film.every == 0
        histograms = {name: _histogram(p) for name, p in named_in("record()", self.model).items()} if kept else {}
        self.film.add(report, histograms)


def _histogram(p: Node) -> Histogram:
    entries = entries_of(p)
    entries = entries[np.isfinite(entries)]
    if not entries.size:
        return Histogram(0.0, 0.0, ())
    counts, edges = np.histogram(entries, BINS)
    return Histogram(float(edges[0]), float(edges[-1]), tuple(counts.tolist()))


@contextlib.contextmanager
def record(model: Any, *, every: int = 1, most: int = 500, keep: Collection[str] = STATISTICS) -> Iterator[Film]:
    """Film a training: keep statistics of every layer at each step, in bounded memory.

    A frame is taken whenever an optimizer that has parameters of the model steps, or, in a loop without an optimizer,
    after every ``backward``.  Each holds what :func:`autodiff.health` finds, and a histogram of every parameter.

    Parameters
    ----------
    model : Module, or list or dict of Tensors and Values
    every : int
        Keep every so many-th step.
    most : int
        How many frames are kept.  When there are more, every second one is dropped, and so on.
    keep : collection of str
        Which statistics of a layer: ``mean, std, saturated, dead, gradient, gradient_to_data, update_to_data``.

    Yields
    ------
    Film

    Raises
    ------
    ArgumentError, KindError
        If there are no parameters, ``every`` or ``most`` is no such number, or there is no such statistic.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import data, nn, optim
    >>> X, y = data.moons(100, rng=0)
    >>> model = nn.MLP([2, 8, 2], rng=0)
    >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
    >>> with ad.record(model) as film:
    ...     for _ in range(20):
    ...         loss = nn.functional.cross_entropy(model(X), y)
    ...         optimizer.zero_grad()
    ...         loss.backward()
    ...         optimizer.step()
    >>> film
    <Film of 20 steps>
    >>> film.frames[-1].loss < film.frames[0].loss
    True
    >>> film.first("dead unit") is None
    True
    """
    named_in("record()", model)
    require_whole("record()", every=every)
    require_whole("record()", least=2, most=most)
    if isinstance(keep, str) or not isinstance(keep, Collection):
        raise KindError(f"record() got keep={repr_text(keep)}; it takes a list, such as keep=['gradient'].")
    unknown = [name for name in keep if name not in STATISTICS]
    if unknown:
        raise ArgumentError(
            f"record() cannot keep {repr_text(unknown[0])}; what can be kept is {', '.join(STATISTICS)}."
        )
    film = Film(every, most, keep)
    with watching(_Camera(film, model)):
        yield film
