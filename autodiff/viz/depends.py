"""Which entries of an argument each entry of a result depends on, as a few numbers for each edge.

An edge whose op works entry by entry needs none: there entries belong together as broadcasting says.  Other rows have
one of four forms:

``{"y": labels, "x": labels}``
    A label for each axis of the result and of the argument: entries belong together where they agree on the labels
    that both have, and the argument's on those that it has twice; an axis of length 1 agrees with everything.  With
    ``upto``, on that label an entry depends on those at most as far.  With ``view`` the argument has that shape first.
``{"from": [start, strides]}``, ``{"to": [start, strides]}``
    Each entry of the result is copied from one of the argument, or each of the argument to one of the result: that
    whose place in the flattened array is ``start`` and, for each axis, the index times the stride.
``{"map": places}``
    For each entry of the result its place in the flattened argument, -1 for none.
``{"windows": ...}``
    Each entry of the result sees a window of the argument, or a part of the weights.

Where nothing is known every entry may depend on every other, and there is no form.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.node import Node, shape_of
from ..ops.einsum import explicit
from ..ops.reduce import reduced_axes
from ..ops.windows import Windows

Form = dict[str, Any]
Shape = tuple[int, ...]

LONGEST = 4096
"""Of a longer map nothing is said."""
LARGEST = 2**22
"""Copies of more entries, those of all arguments together, are not followed."""

REDUCING = {"sum", "mean", "prod", "max", "min", "logsumexp", "var", "std"}
MIXING = {"softmax", "log_softmax", "sort"}
CUMULATIVE = {"cumsum", "cumprod"}
COPYING = {
    "getitem",
    "setitem",
    "reshape",
    "transpose",
    "swapaxes",
    "moveaxis",
    "squeeze",
    "expand_dims",
    "flip",
    "copy",
    "roll",
    "rot90",
    "diagonal",
    "with_diagonal",
    "tril",
    "triu",
    "sliding_window_view",
    "pad_zeros",
    "concatenate",
    "stack",
    "chosen",
}
ALIGNED = {"broadcast_to", "sum_to", "cast"}


def dependences(node: Node) -> list[Form | None]:
    """How the entries of a result depend on those of each of its arguments.

    Parameters
    ----------
    node : Node
        On a tape, and not a leaf.

    Returns
    -------
    list of dict or None
        For each argument one of the forms above; None if the op works entry by entry, or if nothing is known.

    Examples
    --------
    >>> import autodiff as ad
    >>> a, b = ad.Tensor(np.ones((2, 3))), ad.Tensor(np.ones((3, 4)))
    >>> dependences(a @ b)
    [{'y': [1, 0], 'x': [1, 2]}, {'y': [1, 0], 'x': [2, 0]}]
    >>> dependences(a[:, 1:])
    [{'from': [1, [3, 1]]}]
    """
    rule: Any = node.rule
    if rule.entrywise or not math.prod(shape_of(node)):
        return [None] * len(node.args)
    found = copied(node) if rule.name in COPYING else [dependence(node, k) for k in range(len(node.args))]
    return [form if math.prod(shape_of(x)) else None for form, x in zip(found, node.args, strict=True)]


def dependence(node: Node, argument: int) -> Form | None:
    """The form for one argument of a row that does more than copy."""
    rule: Any = node.rule
    name, options = rule.name, rule.options | (node.params or {})
    if name in ALIGNED:
        return labelled(aligned(shape_of(node)), aligned(shape_of(node.args[argument])))
    if name in REDUCING | MIXING | CUMULATIVE:
        return along_axes(node, name, options)
    if "windows" in options:
        return through_windows(node, argument, options)
    labels = BY_LABELS.get(name)
    return labels(node, argument) if labels else None


def aligned(shape: Shape) -> list[int]:
    """Labels that agree as broadcasting does: counted from the last axis."""
    return [len(shape) - 1 - axis for axis in range(len(shape))]


def labelled(y: list[int], x: list[int], **more: Any) -> Form:
    """The form for labels."""
    return {"y": y, "x": x} | more


def along_axes(node: Node, name: str, options: dict[str, Any]) -> Form:
    """Rows that work along axes: those that reduce them, mix their entries, or add them up one after the other."""
    x, axis, more = node.args[0], options["axis"], {}
    ndim = len(shape_of(x))
    if axis is None and name not in REDUCING and name not in ("softmax", "log_softmax"):  # these flatten first
        ndim, more = 1, {"view": [math.prod(shape_of(x))]}
        axes: Shape = (0,)
    else:
        axes = reduced_axes(x, axis)
    labels = list(range(ndim))
    if name in CUMULATIVE:
        return labelled(labels, labels, upto=axes[0], **more) if ndim else labelled([0], [])
    if name in MIXING:
        return labelled([ndim + a if a in axes else a for a in labels], labels, **more)
    kept = [ndim + a if a in axes else a for a in labels if options["keepdims"] or a not in axes]
    return labelled(kept, labels)


def copied(node: Node) -> list[Form | None]:
    """Rows that copy entries: what comes out where those of all arguments are numbered in turn, from 1 on."""
    rule: Any = node.rule
    shapes = [shape_of(a) for a in node.args]
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    if max(ends[-1], math.prod(shape_of(node))) > LARGEST:
        return [None] * len(shapes)
    numbers = np.split(np.arange(1, ends[-1] + 1), ends[:-1])
    inputs = [part.reshape(shape) for part, shape in zip(numbers, shapes, strict=True)]
    options = {key: value for key, value in (node.params or {}).items() if key not in ("dtype", "casting", "out")}
    copies = np.asarray(rule.forward(*inputs, **options))
    # Sorted, the copies of the entries of one argument stand side by side: an op may have thousands of arguments.
    order = np.argsort(copies, axis=None, kind="stable")
    parts = np.split(order, np.searchsorted(copies.ravel()[order], [1, *ends + 1]))[1:-1]
    return [copied_from(copies, to, end, shape) for to, end, shape in zip(parts, ends, shapes, strict=True)]


def copied_from(copies: np.ndarray[Any, Any], to: np.ndarray[Any, Any], end: int, shape: Shape) -> Form | None:
    """The form for the argument whose last entry has the number ``end``, which is copied to the places ``to``."""
    size = math.prod(shape)
    first = end - size + 1
    places = copies.ravel()[to] - first
    if len(to) == copies.size:
        start, strides, straight = strides_of(copies - first)
        if straight:
            return {"from": [start, strides]}
    if size and np.array_equal(places, np.arange(size)):
        start, strides, straight = strides_of(to.reshape(shape))
        if straight:
            return {"to": [start, strides]}
    if copies.size > LONGEST:
        return None
    every = np.full(copies.size, -1)
    every[to] = places
    return {"map": every.tolist()}


def strides_of(places: np.ndarray[Any, Any]) -> tuple[int, list[int], bool]:
    """The first of some places, by how much they grow along each axis, and whether that gives all of them."""
    first = (0,) * places.ndim
    start = int(places[first])
    strides = [
        int(places[(*first[:k], 1, *first[k + 1 :])]) - start if n > 1 else 0 for k, n in enumerate(places.shape)
    ]
    expected = np.full(places.shape, start)
    for k, (stride, n) in enumerate(zip(strides, places.shape, strict=True)):
        expected += (stride * np.arange(n)).reshape(n, *(1,) * (places.ndim - 1 - k))
    return start, strides, bool(np.array_equal(places, expected))


def through_windows(node: Node, argument: int, options: dict[str, Any]) -> Form | None:
    """Convolution and pooling: result ``(N, O, ...)``, image ``(N, C, ...)``, weight ``(O, C / groups, ...)``."""
    rule: Any = node.rule
    windows: Windows = options["windows"]
    if rule.name not in ("conv", "conv_layer", "max_pool", "window_sum"):
        return None
    if argument == 2:
        return labelled([1, 0, *range(2, len(shape_of(node)))], [0])
    channels, *image = shape_of(node.args[0])[1:]
    about = {
        "of": "weight" if argument == 1 else "image",
        "size": list(windows.size),
        "stride": list(windows.stride),
        "dilation": list(windows.dilation),
        "before": [before for before, _ in windows.padding],
        "image": image,
        "groups": options.get("groups", channels),
    }
    return {"windows": about}


# Rows that are sums of products: labels as in Einstein's notation.


def of_matmul(node: Node, argument: int) -> Form:
    """``Y[..., i, k] = sum of A[..., i, j] B[..., j, k]``; a vector has no ``i`` or no ``k``."""
    a, b = map(shape_of, node.args)
    rows, columns, inner = 1, 0, 2
    stack = list(range(max(len(a), len(b), 2), 2, -1))
    y = stack + ([rows] if len(a) > 1 else []) + ([columns] if len(b) > 1 else [])
    first = [*stack[len(stack) - max(len(a) - 2, 0) :], rows, inner] if len(a) > 1 else [inner]
    second = [*stack[len(stack) - max(len(b) - 2, 0) :], inner, columns] if len(b) > 1 else [inner]
    return labelled(y, (first, second)[argument])


def of_matvec(node: Node, argument: int) -> Form:
    """``y[..., i] = sum of A[..., i, j] x[..., j]``."""
    y = aligned(shape_of(node))
    inner = len(y)
    x = shape_of(node.args[argument])
    return labelled(y, [*y[len(y) - len(x) + 1 :], inner] if argument == 0 else [*y[len(y) - len(x) : -1], inner])


def of_vecmat(node: Node, argument: int) -> Form:
    """``y[..., j] = sum of x[..., i] B[..., i, j]``."""
    y = aligned(shape_of(node))
    inner, x = len(y), shape_of(node.args[argument])
    if argument == 0:
        return labelled(y, [*y[len(y) - len(x) : -1], inner])
    return labelled(y, [*y[len(y) - len(x) + 1 : -1], inner, 0])


def of_vecdot(node: Node, argument: int) -> Form | None:
    """``y[...] = sum of a[..., i] b[..., i]``."""
    options = node.rule.options | (node.params or {})  # type: ignore[union-attr]
    if options["axis"] != -1:
        return None
    y = [label + 1 for label in aligned(shape_of(node))]
    if options["keepdims"]:
        y = [label - 1 for label in y]
    n = len(shape_of(node.args[argument])) - 1
    return labelled([*y[:-1], -1] if options["keepdims"] else y, [*range(n, 0, -1), 0])


def of_linear(node: Node, argument: int) -> Form:
    """``y[..., k] = sum of x[..., j] W[k, j] + b[k]``."""
    y = aligned(shape_of(node))
    inner = len(y)
    return labelled(y, ([*y[:-1], inner], [0, inner], [0])[argument])


def of_contract(node: Node, argument: int) -> Form:
    """The subscripts themselves."""
    inputs, output = explicit((node.params or {})["subscripts"], tuple(map(shape_of, node.args)))
    return labelled([ord(c) for c in output], [ord(c) for c in inputs[argument]])


def of_everything(node: Node, argument: int) -> Form:
    """A loss: every entry matters."""
    return labelled([], list(range(len(shape_of(node.args[argument])))))


BY_LABELS = {
    "matmul": of_matmul,
    "matvec": of_matvec,
    "vecmat": of_vecmat,
    "vecdot": of_vecdot,
    "linear": of_linear,
    "contract": of_contract,
    "mean_squared_error": of_everything,
    "softmax_cross_entropy": of_everything,
}
