"""The classic mistakes of training, each as a warning with its line."""

from __future__ import annotations

import contextlib
import warnings
import weakref
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core import tree
from ..core.errors import StaleDataError
from ..core.modes import Watcher, watching
from ..core.names import find_names, name_of
from ..core.node import Node, data_of, describe, shape_of
from ..core.source import user_frame


class LintWarning(UserWarning):
    """A likely mistake; its text starts with the name of the mistake in brackets."""


@contextlib.contextmanager
def lint() -> Iterator[None]:
    """Warn of the classic mistakes while your program runs, each by its name and with the line.

    ``gradients-not-zeroed``
        ``backward`` adds to gradients that an update has used already.
    ``softmax-before-cross-entropy``
        ``cross_entropy`` takes logits: it applies the softmax itself.
    ``unreached-parameters``, ``unreached-loss``
        An optimizer steps, or a transform asks, for parameters that the loss does not depend on; for none that it does.
    ``double-precision``
        A result is float64 though a tracked argument is float32.
    ``tape-kept-alive``
        A loss is added up as a node, and so every step's tape is kept: add ``loss.item()``.
    ``broadcast-loss``
        Shapes ``(n,)`` and ``(n, 1)`` are subtracted, which gives ``(n, n)``.

    Also, an array that was written to after an op used it raises, though nothing noticed the write.

    Warns
    -----
    LintWarning

    Raises
    ------
    StaleDataError
        When sweeping, for an array that was changed after recording.

    Examples
    --------
    >>> import warnings
    >>> import autodiff as ad
    >>> w = ad.Tensor([1.0, 2.0])
    >>> with warnings.catch_warnings(record=True) as caught, ad.lint():
    ...     warnings.simplefilter("always")
    ...     for step in range(2):
    ...         (w * w).sum().backward()
    ...         w.data = w.data - 0.1 * w.grad
    >>> print(str(caught[0].message).split(":")[0])
    [gradients-not-zeroed] The gradient of w was added to
    """
    with watching(Lint()):
        yield


class Lint(Watcher):
    """What :func:`lint` looks for."""

    def __init__(self) -> None:
        self.used: dict[int, tuple[Any, list[tuple[Any, Any, int]]]] = {}
        self.stamped: dict[int, tuple[Any, int]] = {}
        self.swept_outputs: set[int] = set()

    def recorded(self, node: Node, args: tuple[Any, ...]) -> None:
        """Look at one op as it is recorded."""
        rule: Any = node.rule
        if node.tracked:
            self._remember(node, args)
            self._precision(node, args)
        if rule.name == "softmax_cross_entropy":
            self._softmax(args[0])
        elif rule.name == "subtract":
            self._broadcast(args)
        elif rule.name == "add":
            self._kept_alive(node, args)

    def _remember(self, node: Node, args: tuple[Any, ...]) -> None:
        """Keep checksums of the arrays that an op used, for as long as its node lives."""
        used_too = tree.flatten(list(node.params.values())) if node.params else []
        arrays = [(x, data_of(x)) for x in (*args, *used_too)]
        prints = [(x, a, checksum(a)) for x, a in arrays if isinstance(a, np.ndarray)]
        if prints:
            index, used = node.index, self.used
            used[index] = (weakref.ref(node, lambda _: used.pop(index, None)), prints)

    def pulled(self, node: Node, g: Any, found: dict[int, Any]) -> None:
        """Compare the arrays that a node used with what they were."""
        for x, array, before in self.used.get(node.index, (None, ()))[1]:
            if checksum(array) != before:
                called = name_of(x, find_names(user_frame())) or name_of(array, find_names(user_frame()))
                raise StaleDataError(
                    f"The array {called or 'of shape ' + str(array.shape)} was written to after "
                    f"{node.rule.name if node.rule else 'an op'} used it, so the tape no longer matches what was "
                    "computed. Write to a copy of it, or compute the loss again."
                )

    def _precision(self, node: Node, args: tuple[Any, ...]) -> None:
        if getattr(node._data, "dtype", None) != np.float64:
            return
        double = [x for x in args if getattr(data_of(x), "dtype", None) == np.float64]
        single = [x for x in args if getattr(data_of(x), "dtype", None) == np.float32 and isinstance(x, Node)]
        if double and single and single[0].tracked:
            warn(
                "double-precision",
                f"{name_here(single[0])} is float32, {name_here(double[0])} is float64, and so is the result. "
                "Convert the latter once: array.astype(np.float32).",
            )

    def _softmax(self, logits: Any) -> None:
        made = logits.rule.name if isinstance(logits, Node) and logits.rule is not None else ""
        if made in ("softmax", "sigmoid"):
            warn(
                "softmax-before-cross-entropy",
                f"cross_entropy got the result of {made}; it takes logits, and applies the softmax itself. "
                f"Leave the {made} away.",
            )

    def _broadcast(self, args: tuple[Any, ...]) -> None:
        row, column = sorted((shape_of(x) for x in args), key=len)
        tall = next((x for x in args if len(shape_of(x)) == 2), None)
        on_purpose = isinstance(tall, Node) and tall.rule is not None and tall.rule.name in ("expand_dims", "getitem")
        if len(row) == 1 and row[0] > 1 and column == (row[0], 1) and not on_purpose:
            warn(
                "broadcast-loss",
                f"Shapes {shape_of(args[0])} and {shape_of(args[1])} were subtracted, which pairs every entry with "
                f"every other: shape {(row[0], row[0])}. Bring both to one shape, with .reshape(-1).",
            )

    def _kept_alive(self, node: Node, args: tuple[Any, ...]) -> None:
        if np.size(node._data) != 1 or not node.tracked:
            return
        terms = [x for x in args if isinstance(x, Node)]
        terms += [y for x in terms if x.rule is node.rule for y in x.args if isinstance(y, Node)]
        if any(x.index in self.swept_outputs for x in terms):
            warn(
                "tape-kept-alive",
                "A loss was added up after its backward(), so the sum keeps the tape of every step alive. "
                "Add numbers: total += loss.item().",
            )

    def swept(self, outputs: Any, leaves: Any) -> None:
        """Look for gradients left over from before an update."""
        self.swept_outputs.update(y.index for y in outputs)
        stamped, left = self.stamped, []
        for leaf in leaves.values():
            key = id(leaf)
            before = stamped.get(key)
            if before is not None and before[1] != leaf.index and leaf.grad is not None and np.any(data_of(leaf.grad)):
                left.append(leaf)
            stamped[key] = (weakref.ref(leaf, lambda _, key=key: stamped.pop(key, None)), leaf.index)  # type: ignore[misc]
        if left:
            warn(
                "gradients-not-zeroed",
                f"The gradient of {some_of(left)} was added to: it still held that of a step that was taken. "
                "Call zero_grad() before each backward().",
            )

    def unreached(self, inputs: list[Any]) -> None:
        """Name the arguments of a transform that get no gradient."""
        self._unreached(inputs, False)

    def stepped(self, optimizer: Any) -> None:
        """Name the parameters that an optimizer finds without a gradient."""
        wanted = [p for p in optimizer.params if p.tracked]
        absent = [p for p in wanted if p.grad is None]
        if absent:
            self._unreached(absent, len(absent) == len(wanted))

    def _unreached(self, absent: list[Any], none: bool) -> None:
        named = some_of(absent)
        if none:
            warn("unreached-loss", f"The loss reaches no parameter ({named}). Was backward() called on it?")
        else:
            warn("unreached-parameters", f"The loss does not depend on {named}: no gradient arrives there.")


def checksum(a: Any) -> int:
    """A number that changes with the data."""
    return zlib.crc32(np.ascontiguousarray(a).view(np.uint8).data) if a.dtype.kind != "O" and a.size else 0


def name_here(x: Any) -> str:
    """What the running program calls a node or an array."""
    described = describe(x) if isinstance(x, Node) else f"an array of shape {shape_of(x)}"
    return name_of(x, find_names(user_frame())) or described


def some_of(nodes: list[Any]) -> str:
    """The names of a few nodes, and how many more there are."""
    return ", ".join(map(name_here, nodes[:3])) + f" and {len(nodes) - 3} more" * (len(nodes) > 3)


def warn(mistake: str, text: str) -> None:
    """Warn of a mistake at the user's line."""
    frame = user_frame()
    warnings.warn_explicit(f"[{mistake}] {text}", LintWarning, frame.f_code.co_filename, frame.f_lineno)
