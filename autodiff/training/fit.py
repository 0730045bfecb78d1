"""``ad.fit``: the training loop, with what one adds to it sooner or later."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compiler.compiled import compile as compiled
from ..core.checks import require_whole
from ..core.errors import ArgumentError, KindError
from ..core.modes import no_grad
from ..core.node import data_of
from ..core.progress import Progress
from ..core.summary import kind_text, repr_text
from ..core.tree import tree_map
from ..io import load
from ..nn.module import Module
from ..optim import EMA, Optimizer, clip_grad_norm_, clip_grad_value_
from ..optim.lr_scheduler import ReduceLROnPlateau
from .arguments import (
    Metric,
    as_list,
    as_metrics,
    as_validation,
    monitored,
    require_averages,
    require_data,
    require_functions,
    require_positive,
    schedule_steps,
)
from .batch import Means, as_batch, require_loss, rows_in
from .checkpoints import Checkpoints, generators_in
from .history import History, Row, figure


def fit(
    model: Any,
    data: Any,
    loss: Callable[[Any, Any], Any],
    optimizer: Optimizer,
    *,
    epochs: int = 10,
    validation: Any = None,
    metrics: Mapping[str, Metric | str] | Sequence[Metric | str] = (),
    schedule: Any = None,
    schedule_by: str | None = None,
    callbacks: Iterable[Callable[[Row], Any]] = (),
    patience: int | None = None,
    monitor: str | None = None,
    mode: str | None = None,
    restore_best: bool = False,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    accumulate: int = 1,
    ema: EMA | None = None,
    compile: bool = False,
    checkpoints: Any = None,
    progress: bool = True,
) -> History:
    """Train a model: for each batch compute the loss, differentiate it, and let the optimizer step.

    Parameters
    ----------
    model : Module or callable
        ``model(x)`` gives predictions.  Switched to training, for validation to evaluation, and back at the end.
    data : Batches, or iterable of (x, y)
        Gone through once an epoch, such as ``data.batches(X, y, batch_size=32)``.  From ``(x1, x2, y)`` comes
        ``model(x1, x2)``; a single array is input and target.
    loss : callable
        ``loss(predictions, y)``, a mean over the batch.
    optimizer : Optimizer
        Of the model's parameters.
    epochs : int
        How often to go through the data, counted from the very first epoch also when a training goes on.
    validation : Batches, iterable of (x, y), or tuple of arrays, optional
        Measured after each epoch, in evaluation mode; arrays a thousand rows at a time.
    metrics : list of functions and names, or dict of them
        ``metric(predictions, y)`` with plain arrays, measured on ``validation``, or on the training batches if there is
        none; the mean over all rows is recorded by name.  ``"accuracy"`` is that of scores of shape ``(N, classes)``.
    schedule : schedule, optional
        One of ``optim.lr_scheduler``; :class:`~autodiff.optim.lr_scheduler.ReduceLROnPlateau` gets what is monitored.
    schedule_by : "epoch" or "step", optional
        When it is stepped; after each epoch if not given, and
        :class:`~autodiff.optim.lr_scheduler.OneCycleLR` after each step of the optimizer.
    callbacks : iterable of callable
        Each is called with the row of figures after each epoch; one that returns True ends the training.  Those with
        ``state_dict`` and ``load_state_dict`` are kept in checkpoints.
    patience : int, optional
        End after so many epochs in a row in which what is monitored did not get better.
    monitor : str, optional
        Which figure; ``"validation loss"``, or ``"loss"`` without validation, if not given.
    mode : "min" or "max", optional
        Which way is better; needed for a figure that is no loss.
    restore_best : bool
        At the end go back to the weights of the best epoch.
    clip_norm : float, optional
        The most that the norm of all gradients may be.
    clip_value : float, optional
        The most that an entry of a gradient may be, either way.
    accumulate : int
        How many batches make one step of the optimizer: with the gradient of the mean over all their rows.
    ema : EMA, optional
        Running averages of the parameters, brought up to date after each step; validation and the best weights are
        those of the averages.
    compile : bool
        Compile model and loss: see :func:`autodiff.compile`.
    checkpoints : path, optional
        A folder.  After each epoch ``last.npz`` is written there, and ``best.npz``, the weights, when what is monitored
        got better; a training that finds ``last.npz`` goes on from it, to the bits that it would have had without the
        break.  For that the random numbers must come from generators in attributes of the model and of the data.
    progress : bool
        Whether to show a bar, in a terminal or a notebook, and a line for each epoch.

    Returns
    -------
    History
        Figures by epoch: prints as a table, ``plot()`` draws it, ``save(path)`` writes CSV.

    Raises
    ------
    ArgumentError, KindError
        If an argument cannot be used, or a checkpoint is of another training.
    AnomalyError
        If the loss is nan or infinite.  The optimizer makes no step with it.

    Notes
    -----
    Ctrl-C ends the training after the batch that is being computed, and returns: the model can be used.  Pressed twice
    it interrupts at once.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import data, nn, optim
    >>> X, y = data.moons(200, noise=0.1, rng=0)
    >>> model = nn.MLP([2, 16, 2], nn.Tanh, rng=0)
    >>> history = ad.fit(
    ...     model,
    ...     data.batches(X, y, batch_size=20, rng=0),
    ...     nn.functional.cross_entropy,
    ...     optim.Adam(model.parameters(), lr=0.05),
    ...     epochs=20,
    ...     metrics=["accuracy"],
    ...     progress=False,
    ... )
    >>> len(history), history["loss"][-1] < 0.1, history["accuracy"][-1] > 0.95
    (20, True, True)
    """
    return Fit(**locals()).run()


@dataclass(eq=False, kw_only=True)
class Fit:
    """One training, of the arguments of :func:`fit`: the loop is :meth:`run`, and an epoch of it :meth:`epoch`."""

    model: Any
    data: Any
    loss: Callable[[Any, Any], Any]
    optimizer: Optimizer
    epochs: int
    validation: Any
    metrics: Any
    schedule: Any
    schedule_by: str | None
    callbacks: Any
    patience: int | None
    monitor: str | None
    mode: str | None
    restore_best: bool
    clip_norm: float | None
    clip_value: float | None
    accumulate: int
    ema: EMA | None
    compile: bool
    checkpoints: Any
    progress: bool

    def __post_init__(self) -> None:
        self.callbacks = as_list("callbacks", self.callbacks)
        require_functions(self.model, self.loss, self.optimizer, self.callbacks)
        require_data(self.data)
        require_whole("fit", epochs=self.epochs, accumulate=self.accumulate)
        if self.patience is not None:
            require_whole("fit", patience=self.patience)
        if not isinstance(self.compile, bool):
            raise KindError(
                f"fit got compile={self.compile!r}; it is True or False. For other options pass the model as "
                "ad.compile(model, ...)."
            )
        require_averages(self.ema, self.optimizer)
        require_positive(clip_norm=self.clip_norm, clip_value=self.clip_value)
        self.validation = as_validation(self.validation)
        self.metrics = as_metrics(self.metrics)
        prefix = "" if self.validation is None else "validation "
        names = ["loss", *([] if self.validation is None else ["validation loss"]), *(prefix + m for m in self.metrics)]
        self.monitor, self.mode = monitored(self.monitor, self.mode, names, self.validation)
        self.by_step = schedule_steps(self.schedule, self.schedule_by, self.optimizer, self.mode)
        if not isinstance(self.model, Module) and (self.checkpoints is not None or self.restore_best):
            what = "restores the best weights" if self.checkpoints is None else "keeps checkpoints"
            raise KindError(f"fit {what} of modules; the model is {kind_text(self.model)}.")
        self.predict = compiled(self._predict) if self.compile else self._predict
        self.history = History()
        self.best, self.since = math.inf if self.mode == "min" else -math.inf, 0
        self.best_weights: dict[str, Any] | None = None
        self.interrupted = False
        self.learns = False
        self.kept: Checkpoints | None = None
        if self.checkpoints is not None:
            parts = {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule, "ema": self.ema}
            parts |= {f"callback {k}": c for k, c in enumerate(self.callbacks) if hasattr(c, "load_state_dict")}
            drawing = generators_in(self.model, self.loss, self.data, self.validation, self.callbacks)
            self.kept = Checkpoints(self.checkpoints, parts, drawing)

    def _predict(self, *batch: Any) -> tuple[Any, Any]:
        *inputs, target = batch if len(batch) > 1 else batch * 2
        predictions = self.model(*inputs)
        return self.loss(predictions, target), predictions

    def run(self) -> History:
        """Go on from a checkpoint if there is one, and train until there is a reason to stop."""
        modules = [m for _, m in self.model.named_modules()] if isinstance(self.model, Module) else []
        modes = [module.training for module in modules]
        with self.kept or nullcontext(), self._deferring_interrupts():
            try:
                if self.kept is not None and self.kept.last.exists():
                    self._go_on(self.kept)
                with Progress(self._steps(), "training", self.progress) as progress:
                    self._train(progress)
                if self.restore_best:
                    self._restore_best()
            finally:
                for module, mode in zip(modules, modes):
                    module.training = mode
        return self.history

    def _go_on(self, kept: Checkpoints) -> None:
        self.history, notes = kept.read()
        self.best, self.since = notes["best"], notes["since"]
        n = len(self.history)
        if n >= self.epochs:
            self.history.stopped = (
                f"Nothing was left to do: {str(kept.last)!r} has {n} epochs. For more pass epochs={n + 1} or more; to "
                "begin anew use another folder."
            )
        self._say(self.history.stopped or f"going on after epoch {n}, from {str(kept.last)!r}")

    def _train(self, progress: Progress) -> None:
        history = self.history
        while len(history) < self.epochs and not self._is_over():
            row = self.epoch(progress)
            if row is None:
                history.stopped = f"Interrupted in epoch {len(history) + 1}."
                return
            history.rows.append(row)
            stop = self._call_back(row)
            self._note(row)
            self._say("  ".join(f"{name} {figure(x)}" for name, x in row.items()), progress)
            if stop:
                history.stopped = f"Stopped by a callback after epoch {len(history)}."
                return
            if self.interrupted:
                history.stopped = f"Interrupted after epoch {len(history)}."
                return
        if self._is_over():
            history.stopped = f"Stopped after epoch {len(history)}: {self.monitor} did not get better in {self.since}."

    def epoch(self, progress: Progress) -> Row | None:
        """Go through the data once; return the figures, or None if it was interrupted."""
        started = time.perf_counter()
        self._set_training(True)
        means, number = Means(), len(self.history) + 1
        waiting = rows = 0
        self.optimizer.zero_grad()
        for k, batch in enumerate(self.data, 1):
            batch = as_batch(batch)
            loss, predictions = self.predict(*batch)
            value = require_loss(loss, batch, self.optimizer.params, f"batch {k} of epoch {number}")
            n = rows_in(batch)
            (loss if self.accumulate == 1 else loss * n).backward()
            waiting, rows = waiting + 1, rows + n
            if waiting == self.accumulate:
                self._step(rows)
                waiting = rows = 0
            means.add("loss", value, n)
            if self.validation is None:
                self._measure(means, "", predictions, batch)
            progress.advance(f"epoch {number}/{self.epochs}, loss {figure(value)}" if progress.live else "")
            if self.interrupted:
                self.optimizer.zero_grad()
                return None
        if waiting:
            self._step(rows)
        if not means.sums:
            raise ArgumentError(
                f"fit found no batch in the data in epoch {number}. "
                + ("It is empty." if number == 1 else "It can be gone through once only; give fit batches or a list.")
            )
        row: Row = {"epoch": number, "loss": means["loss"], "lr": float(self.optimizer.param_groups[0].lr)}
        row |= {name: x for name, x in means.all().items() if name != "loss"}
        if self.validation is not None:
            figures = self._validate()
            if figures is None:
                return None
            row |= figures
        if self.schedule is not None and not self.by_step:
            self.schedule.step(*([row[str(self.monitor)]] if isinstance(self.schedule, ReduceLROnPlateau) else []))
        row["seconds"] = round(time.perf_counter() - started, 3)
        return row

    def _step(self, rows: int) -> None:
        params = self.optimizer.params
        if not self.learns and all(p.grad is None for p in params):
            raise ArgumentError(
                "fit found no gradient in any parameter of the optimizer: it has those of another model, or the model "
                "left the tape. Make it with model.parameters(); ad.why(parameter, loss) says more."
            )
        self.learns = True
        if self.accumulate > 1:
            for p in params:
                if p.grad is not None:
                    p.grad /= rows
        if self.clip_value is not None:
            clip_grad_value_(params, self.clip_value)
        if self.clip_norm is not None:
            clip_grad_norm_(params, self.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.ema is not None:
            self.ema.update()
        if self.by_step:
            self.schedule.step()

    def _validate(self) -> Row | None:
        self._set_training(False)
        means = Means()
        with no_grad(), self._averaged():
            for batch in self.validation:
                batch = as_batch(batch)
                loss, predictions = self.predict(*batch)
                means.add("validation loss", float(data_of(loss)), rows_in(batch))
                self._measure(means, "validation ", predictions, batch)
                if self.interrupted:
                    return None
        if not means.sums:
            raise ArgumentError(
                "fit found no batch in the validation data. It is empty, or can be gone through once only."
            )
        return means.all()

    def _measure(self, means: Means, prefix: str, predictions: Any, batch: Sequence[Any]) -> None:
        for name, metric in self.metrics.items():
            found = metric(tree_map(data_of, predictions), np.asarray(data_of(batch[-1])))
            try:
                means.add(prefix + name, float(data_of(found)), rows_in(batch))
            except (TypeError, ValueError):
                raise KindError(f"The metric {name!r} returned {repr_text(found)}; it returns a number.") from None

    def _call_back(self, row: Row) -> bool:
        stop = False
        for callback in self.callbacks:
            try:
                stop |= callback(row) is True
            except Exception as error:
                error.add_note(
                    f"Raised by callback {repr_text(callback)} after epoch {row['epoch']}; the model is whole."
                )
                raise
        return stop

    def _note(self, row: Row) -> None:
        """See whether it got better, and keep a checkpoint."""
        now = row[str(self.monitor)]
        better = now < self.best if self.mode == "min" else now > self.best
        self.best, self.since = (now, 0) if better else (self.best, self.since + 1)
        best = None
        if better and (self.restore_best or self.kept is not None):
            with self._averaged():
                best = self.best_weights = self.model.state_dict()
        if self.kept is not None:
            self.kept.write(self.history, {"best": self.best, "since": self.since}, best)

    def _restore_best(self) -> None:
        if self.best_weights is None and self.kept is not None and self.kept.best.exists():
            self.best_weights = load(self.kept.best)
        if self.best_weights is not None:
            self.model.load_state_dict(self.best_weights)

    def _is_over(self) -> bool:
        return self.patience is not None and self.since >= self.patience

    def _set_training(self, mode: bool) -> None:
        if isinstance(self.model, Module):
            self.model.train(mode)

    def _averaged(self) -> Any:
        return nullcontext() if self.ema is None else self.ema.applied()

    def _steps(self) -> int | None:
        return len(self.data) * max(0, self.epochs - len(self.history)) if hasattr(self.data, "__len__") else None

    def _say(self, text: str, progress: Progress | None = None) -> None:
        if self.progress:
            (progress.line if progress else print)(text)

    @contextmanager
    def _deferring_interrupts(self) -> Iterator[None]:
        """Let Ctrl-C end the training between two batches, where the model is whole."""
        before = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is not threading.main_thread() or before in (signal.SIG_IGN, None):
            yield
            return

        def interrupt(number: int, frame: Any) -> None:
            if self.interrupted:
                raise KeyboardInterrupt
            self.interrupted = True

        signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
