"""Where a nan comes from: stop at the first op that makes one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import AnomalyError
from ..core.modes import Watcher, watching
from ..core.names import find_names, name_of
from ..core.node import Node, data_of, describe
from ..core.source import Line, user_frame, user_line


@contextlib.contextmanager
def anomaly() -> Iterator[None]:
    """Stop at the first op that makes a nan or an infinite number, in the forward computation or in a sweep.

    An op that only hands on a nan it was given is not to blame, nor is one that is given inf and returns inf.  Inside,
    computing is slower: every result is looked at.

    Raises
    ------
    AnomalyError
        It names the op, the line of your program that called it, and the statistics of its arguments.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> x = ad.Tensor([0.0, 4.0])
    >>> with ad.anomaly():
    ...     ad.sqrt(x).sum().backward()
    Traceback (most recent call last):
    ...
    autodiff.core.errors.AnomalyError: The vjp of sqrt with respect to x made 1 inf in 2 entries...
    """
    with np.errstate(all="ignore"), watching(_Anomaly()):
        yield


class _Anomaly(Watcher):
    def __init__(self) -> None:
        self.lines: dict[int, Line] = {}

    def recorded(self, node: Node, args: tuple[Any, ...]) -> None:
        self.lines[node.index] = user_line()
        made = _made(node._data, [data_of(a) for a in args])
        if made:
            rule: Any = node.rule
            raise AnomalyError(f"{rule.name} made {made}{self._about(node, args)}")

    def pulled(self, node: Node, g: Any, found: dict[int, Any]) -> None:
        rule: Any = node.rule
        known = [data_of(x) for x in (g, node, *node.args)]
        for position, x in enumerate(node.args):
            c = found.get(x.index) if isinstance(x, Node) else None
            made = c is not None and _made(data_of(c), known)
            if made:
                wrt = f"{rule.inputs[0]}[{position}]" if rule.variadic else rule.inputs[position]
                raise AnomalyError(
                    f"The vjp of {rule.name} with respect to {wrt} made {made}{self._about(node, node.args)}"
                    f"\n  cotangent of the result: {statistics(data_of(g))}"
                )

    def _about(self, node: Node, args: tuple[Any, ...]) -> str:
        """The line that made a node, and its arguments."""
        line = self.lines.get(node.index)
        names = find_names(user_frame())
        rule: Any = node.rule
        rows = []
        for i, x in enumerate(args):
            role = f"{rule.inputs[0]}[{i}]" if rule.variadic else rule.inputs[i]
            called = name_of(x, names) or (describe(x) if isinstance(x, Node) else type(x).__name__)
            rows.append(f"\n  {role} = {called}: {statistics(data_of(x))}")
        options = f"\n  options: {node.params}" if node.params else ""
        return (f", recorded at {line}" if line else "") + "".join(rows) + options


def _made(y: Any, given: list[Any]) -> str:
    """How many nan and inf entries ``y`` has of which nothing that was given had any; empty if none."""
    nan, inf = count(y)
    if not nan and not inf:
        return ""
    had = [count(x) for x in given]
    nan_was_given, inf_was_given = any(n for n, _ in had), any(i for _, i in had)
    parts = [f"{nan} nan"] if nan and not nan_was_given else []
    parts += [f"{inf} inf"] if inf and not inf_was_given and not nan_was_given else []
    return f"{' and '.join(parts)} in {np.size(y)} entries" if parts else ""


def count(x: Any) -> tuple[int, int]:
    """The number of nan and of infinite entries."""
    x = np.asarray(x)
    if x.dtype.kind not in "fc":
        return 0, 0
    return int(np.count_nonzero(np.isnan(x))), int(np.count_nonzero(np.isinf(x)))


def statistics(x: Any) -> str:
    """Shape, range and mean of the finite entries, and how many are not."""
    x = np.asarray(x)
    nan, inf = count(x)
    finite = x[np.isfinite(x)] if x.dtype.kind in "fc" else x
    spread = ""
    if finite.dtype.kind in "fiu" and finite.size:
        spread = f"from {finite.min():.6g} to {finite.max():.6g}, mean {finite.mean():.6g}, "
    return f"{x.dtype} of shape {x.shape}, {spread}{nan} nan, {inf} inf"
