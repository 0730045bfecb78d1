"""Checkpoints: forget what a function computed inside, and compute it again when it is differentiated."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..core import tree
from ..core.errors import TapeError
from ..core.modes import is_recording, sealing
from ..core.node import Node, next_index
from ..core.tape import pull_back, push_forward
from ..ops.joining import concatenate
from ..ops.shape import reshape
from .composite import Composite, older
from .lift import require_function


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function ``f``, recorded as a single node: the values inside are forgotten, and computed again when needed.

    A tape of ``n`` steps, cut into about ``sqrt(n)`` checkpointed pieces, needs the memory of ``2 sqrt(n)`` steps, for
    the price of one more evaluation [1]_.

    Parameters
    ----------
    f : callable
        Of tensors, arrays and anything else; it may also use tensors from outside, such as parameters.  Returns a
        tensor, or a nested structure of tensors of one dtype.  It must compute the same again when called again.

    Raises
    ------
    TapeError
        If ``f`` assigns into a tensor from outside.
        When differentiating, if ``f`` computes something else than before: if it draws random numbers, seed them.

    References
    ----------
    .. [1] A. Griewank and A. Walther, ACM Trans. Math. Softw. 26 (2000) 19-45.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> step = ad.checkpoint(lambda x: ad.sin(ad.exp(x)))
    >>> x = ad.Tensor([0.0, 1.0])
    >>> y = step(step(x)).sum()
    >>> len(ad.Tape(y))
    4
    """
    require_function(f, "checkpoint")

    @functools.wraps(f)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if not is_recording():
            return f(*args, **kwargs)
        start = next_index()
        with sealing(start):
            result = f(*args, **kwargs)
        outputs = tree.flatten(result)
        packed = _pack(outputs)
        if not isinstance(packed, Node) or not packed.tracked:
            return result

        def again() -> Any:
            return _pack(tree.flatten(f(*args, **kwargs)))

        node = Checkpoint(f, again, packed.index).result(packed._data, older([packed], start))
        if len(outputs) == 1 and isinstance(outputs[0], Node):
            return tree.unflatten(result, iter([node]))
        return tree.unflatten(result, iter(_unpack(node, outputs)))

    return checkpointed


def _pack(outputs: list[Any]) -> Any:
    """All that is tracked, end to end."""
    tracked = [y for y in outputs if isinstance(y, Node) and y.tracked]
    if len(outputs) == 1 or not tracked:
        return outputs[0] if outputs else None
    if len({np.asarray(y._data).dtype for y in tracked}) > 1:
        raise TapeError("checkpoint: the outputs have different dtypes. Convert them to one, with astype.")
    return concatenate([reshape(y, -1) for y in tracked])


def _unpack(node: Any, outputs: list[Any]) -> list[Any]:
    parts, start = [], 0
    for y in outputs:
        if isinstance(y, Node) and y.tracked:
            size = int(np.size(y._data))
            parts.append(reshape(node[start : start + size], np.shape(y._data)))
            start += size
        else:
            parts.append(y)
    return parts


class Checkpoint(Composite):
    """The rule of one checkpointed call: its derivatives record the call again, and sweep that.

    Attributes
    ----------
    packed : int
        The creation number of the node whose value it took: who compiles has recorded that.
    """

    def __init__(self, f: Callable[..., Any], again: Callable[[], Any], packed: int) -> None:
        super().__init__(f"checkpoint_{getattr(f, '__name__', 'call').strip('<>')}", r"y = f(w)")
        self.again = again
        self.packed = packed

    def record_again(self, node: Node) -> Node:
        """The result as it is recorded when the function is called again."""
        y: Node = self.again()
        if np.any((y._data != node._data) & (y._data == y._data)):  # a nan is not equal to itself
            raise TapeError(
                f"{self.name}: the function gave another result when it was computed again for its derivative. It may "
                "draw random numbers (seed them inside), or use something that was changed since."
            )
        return y

    def cotangents(self, g: Any, node: Node, create_graph: bool) -> Iterable[tuple[Node, Any]]:
        """Those that a sweep of the call finds."""
        return pull_back((self.record_again(node),), (g,), node.args, create_graph)

    def tangent(self, tangents: dict[int, Any], node: Node, create_graph: bool) -> Any:
        """What a sweep of the call finds."""
        given = [x for x in node.args if x.index in tangents]
        return push_forward((self.record_again(node),), given, [tangents[x.index] for x in given], create_graph)[0]
