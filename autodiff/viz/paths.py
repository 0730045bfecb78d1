"""The paths from one node to a result, and what each contributes to the gradient: ``ad.paths(y, x)``."""

from __future__ import annotations

import heapq
import math
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from operator import itemgetter
from typing import Any, overload

import numpy as np

from ..core.checks import require_whole
from ..core.edges import contributions
from ..core.errors import KindError, PositionError
from ..core.node import Node, data_of
from ..core.summary import align_points, data_text, number_text, repr_text, shorten, text_width
from ..core.tape import pull_back
from .chain import Chain, Use, is_single, number_of, slopes, times
from .formula import name_part
from .mathml import to_text

WIDTH = 100
BEAM = 64
"""How many of the strongest contributions of arrays are followed through each node."""
HEAD = ("contribution", "share", "path")
MAX_NAMES = 7
"""Longer paths are printed without their middle."""


@dataclass(frozen=True)
class Path:
    """One path through the tape.

    Attributes
    ----------
    uses : tuple of (Node, int)
        Each node after the first, and at which place among its arguments the one before it stands: that tells parallel
        edges apart.
    locals : tuple of number, or None
        The partial derivative of each step, where all nodes are single real numbers.
    product : ndarray or number
        What the path contributes to the gradient: the product of its local derivatives.
    """

    x: Node
    uses: tuple[Use, ...]
    locals: tuple[Any, ...] | None
    product: Any

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes from ``x`` to ``y``."""
        return (self.x, *(user for user, _ in self.uses))


class Paths:
    """The strongest paths between two nodes, strongest first.

    ``print`` shows them as a table.  Iterating gives each :class:`Path`, ``paths[0]`` the strongest.

    Attributes
    ----------
    count : int
        How many paths there are in all; where one op uses a node twice, both count.
    total : ndarray or number
        The gradient, which all paths add up to.
    remainder : ndarray or number
        What the paths that are not listed add up to: ``total`` minus those that are.
    exact : bool
        Whether these are certainly the strongest.  Among single real numbers they always are.
    """

    def __init__(self, chain: Chain, top: int) -> None:
        self._chain = chain
        self.count = count_paths(chain)
        self.total = gradient_of(chain)
        locals_of = {node.index: slopes(node) for node in chain.nodes[1:]}
        slopes_known = all(locals_of[user.index][k] is not None for uses in chain.uses.values() for user, k in uses)
        if slopes_known and is_single(chain.y):
            self._paths = [multiplied(chain, uses, locals_of) for uses in strongest(chain, locals_of, top)]
            self.exact = True
        else:
            self._paths, self.exact = followed(chain, top)
        with np.errstate(all="ignore"):
            rest = self.total
            for path in self._paths:
                rest = rest - path.product
        self.remainder = rest
        self._inputs = doubled_inputs(chain)

    def __iter__(self) -> Iterator[Path]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    @overload
    def __getitem__(self, i: int) -> Path: ...
    @overload
    def __getitem__(self, i: slice) -> list[Path]: ...
    def __getitem__(self, i: int | slice) -> Path | list[Path]:
        try:
            return self._paths[i]
        except IndexError:
            more = f" of {counted(self.count)}; paths(..., top=) lists more" if self.count > len(self) else ""
            raise PositionError(
                f"paths[{i}]: there is no such path; {len(self)} are listed, from 0 to {len(self) - 1}{more}."
            ) from None
        except (TypeError, ValueError):
            raise KindError(
                f"paths[{repr_text(i)}]: a position was expected, paths[0], or a slice, paths[:3]."
            ) from None

    def _rows(self) -> list[tuple[str, str, str]]:
        """The table: contribution, share and path."""
        more = self.count - len(self)
        first = {(user.index, k) for user, k in self[0].uses}
        rows = [(path.product, self._described(path, first)) for path in self]
        if more:
            rows.append((self.remainder, f"… {counted(more)} more path{'s' if more != 1 else ''}"))
        rows.append((self.total, f"in all: {counted(self.count)} path{'s' if self.count != 1 else ''}"))
        texts = align_points([data_text(value, 2) for value, _ in rows])
        return [(text, share(value, self.total), path) for text, (value, path) in zip(texts, rows, strict=True)]

    def _described(self, path: Path, first: set[tuple[int, int]]) -> str:
        """The names of the nodes of a path; where an op uses a node twice, also as which input.

        Of a long path the names are shown where it is not the first path of the table.
        """
        names = [to_text(name_part(self._chain.names[id(node)])) for node in path.nodes]
        kept = {0, len(names) - 1}
        telling = [n for n, (user, k) in enumerate(path.uses) if (user.index, k) not in first]
        for at in (*(end for n in telling for end in (n, n + 1)), *range(len(names))):
            if len(kept) < MAX_NAMES or len(names) <= MAX_NAMES + 1:
                kept.add(at)
        text, last = names[0], 0
        for n in sorted(kept - {0}):
            user, position = path.uses[n - 1]
            name = self._inputs.get((user.index, position))
            text += f" → … {n - last - 1} more" if n > last + 1 else ""
            text += f" –{name}→ {names[n]}" if name else f" → {names[n]}"
            last = n
        return text

    def __str__(self) -> str:
        rows = [HEAD, *self._rows()]
        widths = [max(text_width(row[k]) for row in rows) for k in (0, 1)]
        lines = []
        for value, part, path in rows:
            left = " " * (widths[0] - text_width(value)) + value + "  " + part.rjust(widths[1]) + "  "
            lines.append(left + shorten(path, WIDTH - text_width(left)))
        return "\n".join([*lines, *([] if self.exact else [INEXACT])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The table for a notebook."""

        def line(tag: str, row: tuple[str, str, str]) -> str:
            sides = zip(row, ("right", "right", "left"), strict=True)
            style = "padding: 0.2em 0.6em; text-align"
            cells = [f'<{tag} style="{style}: {side}">{escape(text)}</{tag}>' for text, side in sides]
            return f"<tr>{''.join(cells)}</tr>"

        rows = "".join([line("th", HEAD), *(line("td", row) for row in self._rows())])
        note = "" if self.exact else f"<p>{INEXACT}</p>"
        return f"<table>{rows}</table>{note}"


INEXACT = (
    f"More paths than were followed: through each node the {BEAM} strongest contributions.\n"
    "Those listed are strong, but others may be stronger."
)


def paths(y: Any, x: Any, top: int = 10, gradient: Any = None) -> Paths:
    """List the paths on the tape from ``x`` to ``y`` that contribute most to the gradient.

    The gradient is a sum over all paths, and each contributes the product of the local derivatives along it.  Paths
    multiply at every place where they part and meet, so there may be too many to visit; they are counted, and the
    strongest are found without visiting the others.

    Parameters
    ----------
    y : Value or Tensor
        A single number, unless ``gradient`` is given.
    x : Value or Tensor
        What ``y`` was computed from.
    top : int
        How many paths to list.
    gradient : array_like, optional
        Cotangent of ``y``, of its shape, as in ``backward``.

    Returns
    -------
    Paths
        Prints as a table: contribution, share of the gradient, names.  ``.count``, ``.total``, ``.remainder``.

    Raises
    ------
    TapeError
        If ``y`` was not recorded, does not depend on ``x``, or its tape was freed.
    ShapeError
        If ``y`` is not a single number and no gradient was given, or one of another shape.
    KindError
        If the gradient is not made of numbers, or is complex and ``y`` is real.
    StaleDataError
        If data was changed since it was used.
    ArgumentError
        If ``top`` is not a positive whole number.

    Notes
    -----
    Among single real numbers the listed paths are the strongest: the best completion of every beginning is known from
    one walk over the tape, so the next best path always deviates from a listed one at one node [1]_.  Paths of equal
    strength come in the order of the arguments.  A contribution of arrays has the shape of ``x``, and its strength is
    its norm.  How an array shrinks on the way is not known before, so all are followed, but of those that pass through
    one node only the strongest; ``.exact`` is False if any was left behind.

    References
    ----------
    .. [1] D. Eppstein, "Finding the k shortest paths", SIAM J. Comput. 28 (1998) 652-673.

    Examples
    --------
    >>> import autodiff as ad
    >>> x = ad.Value(3.0)
    >>> y = x * ad.exp(-x) + x**2
    >>> print(ad.paths(y, x))
    contribution   share  path
         6.0      101.7%  x → v₄ → y
        -0.1494    -2.5%  x → v₁ → v₂ → v₃ → y
         0.04979    0.8%  x → v₃ → y
         5.9      100.0%  in all: 3 paths
    """
    require_whole("paths()", top=top)
    return Paths(Chain(y, x, gradient, sys._getframe(1), "paths"), top)


# Counting and adding up.


def edges_down(chain: Chain, node: Node) -> list[tuple[int, Node]]:
    """The arguments of a node through which ``x`` is reached, with their positions."""
    return [(k, a) for k, a in enumerate(node.args) if isinstance(a, Node) and a.tracked and a.index in chain.uses]


def count_paths(chain: Chain) -> int:
    """How many paths there are: those to a node are those to its arguments, taken together."""
    count = {chain.x.index: 1}
    for node in chain.nodes[1:]:
        count[node.index] = sum(count[a.index] for _, a in edges_down(chain, node))
    return count[chain.y.index]


def gradient_of(chain: Chain) -> Any:
    """The gradient, by the engine's own sweep."""
    for node, g in pull_back([chain.y], [chain.start], [chain.x]):
        if node.index == chain.x.index:
            return number_of(g) if is_single(g) else np.array(g)
    return data_of(chain.x) * 0


def counted(n: int) -> str:
    """A number of paths in words."""
    return f"{n:,}" if n < 10**12 else f"about 10^{int(math.log10(n))}"


def doubled_inputs(chain: Chain) -> dict[tuple[int, int], str]:
    """Where an op uses a node more than once, what it calls these inputs: by index of its node, and position."""
    names: dict[tuple[int, int], str] = {}
    for user in chain.nodes[1:]:
        rule: Any = user.rule
        edges = edges_down(chain, user)
        times_used = Counter(a.index for _, a in edges)
        for k, a in edges:
            if times_used[a.index] > 1:
                names[user.index, k] = str(k + 1) if rule.variadic else rule.inputs[k]
    return names


def share(part: Any, total: Any) -> str:
    """The part that a contribution is of the gradient, along the gradient, in percent."""
    try:
        a, b = (np.ravel(x if isinstance(x, np.ndarray | complex) else float(x)) for x in (part, total))
    except (TypeError, ValueError, OverflowError):
        return "-"  # an expression
    with np.errstate(all="ignore"):
        b = b / (scale := np.max(np.abs(b), initial=0))
        fraction = float(np.real(np.vdot(b, a / scale)) / np.linalg.norm(b) ** 2)
    if not math.isfinite(fraction):
        return "-"
    return f"{100 * fraction:.1f}%" if abs(fraction) < 100 else f"{number_text(100 * fraction, 2)}%"


# Paths among numbers.


def strongest(chain: Chain, locals_of: dict[int, list[Any]], top: int) -> Iterator[list[Use]]:
    """The uses along each of the strongest paths, from ``y`` down to ``x``."""
    reach = {chain.x.index: 0.0}
    choices: dict[int, list[tuple[float, int, Node]]] = {}
    for node in chain.nodes[1:]:
        edges = [(added(size(locals_of[node.index][k]), reach[a.index]), k, a) for k, a in edges_down(chain, node)]
        choices[node.index] = sorted(edges, key=lambda edge: (-edge[0], edge[1]))
        reach[node.index] = choices[node.index][0][0]
    serial = 0
    # Each candidate deviates at one node from the best way on: how strong the whole path is, the uses so far as a
    # linked list, their strength, the node, and the rank of the choice that is taken there.
    heap: list[tuple[float, int, Any, float, Node, int]] = [(-reach[chain.y.index], 0, None, 0.0, chain.y, 0)]
    while heap and top:
        _, _, link, so_far, node, rank = heapq.heappop(heap)
        while node.index != chain.x.index:
            options = choices[node.index]
            if rank + 1 < len(options):
                serial += 1
                strength = added(so_far, options[rank + 1][0])
                heapq.heappush(heap, (-strength, serial, link, so_far, node, rank + 1))
            _, k, a = options[rank]
            link, so_far = (link, (node, k)), added(so_far, size(locals_of[node.index][k]))
            node, rank = a, 0
        top -= 1
        yield unlinked(link)


def size(x: Any) -> float:
    """The logarithm of the magnitude of a number; of nan as of infinity, so that it is seen."""
    try:
        magnitude = abs(float(x))
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return 0.0  # an expression
    return math.inf if magnitude != magnitude else math.log(magnitude) if magnitude else -math.inf


def added(a: float, b: float) -> float:
    """The logarithm of a product in which zero is a hard zero."""
    return -math.inf if -math.inf in (a, b) else a + b


def unlinked(link: Any) -> list[Use]:
    """A linked list, first entry first."""
    found = []
    while link is not None:
        link, use = link
        found.append(use)
    return found[::-1]


def multiplied(chain: Chain, uses: list[Use], locals_of: dict[int, list[Any]]) -> Path:
    """A path among numbers, with the product of its local derivatives."""
    factors = [locals_of[user.index][k] for user, k in uses]
    product = number_of(chain.start)
    for factor in factors:
        product = times(product, factor)
    return Path(chain.x, tuple(reversed(uses)), tuple(reversed(factors)), product)


# Paths among arrays.


def followed(chain: Chain, top: int) -> tuple[list[Path], bool]:
    """The strongest paths among arrays, and whether none was left behind."""
    width, exact = max(BEAM, top), True
    arrived: dict[int, list[tuple[float, Any, Any]]] = {chain.y.index: [(0.0, chain.start, None)]}
    for node in reversed(chain.nodes[1:]):
        here = arrived.pop(node.index)
        if len(here) > width:
            here = sorted(here, key=itemgetter(0), reverse=True)[:width]
            exact = False
        edges = edges_down(chain, node)
        for _, g, link in here:
            parts = contributions(node, g)
            for k, a in edges:
                c = parts[k].fitted  # type: ignore[union-attr]
                arrived.setdefault(a.index, []).append((norm(c), c, (link, (node, k))))
    best = sorted(arrived[chain.x.index], key=itemgetter(0), reverse=True)[:top]
    return [
        Path(chain.x, tuple(reversed(unlinked(link))), None, number_of(c) if is_single(c) else c) for _, c, link in best
    ], exact


def norm(c: Any) -> float:
    """How strong a contribution is; nan as infinity, so that it is seen."""
    with np.errstate(all="ignore"):
        length = float(np.linalg.norm(np.ravel(np.asarray(c))))
    return math.inf if length != length else length
