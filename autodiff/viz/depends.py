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
"""Arrays of more entries are not followed."""

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
}
COPYING |= {"roll", "rot90", "diagonal", "with_diagonal", "tril", "triu", "sliding_window_view", "pad_zeros"}
COPYING |= {"concatenate", "stack", "chosen"}
ALIGNED = {"broadcast_to", "sum_to", "cast"}


def dependence(node: Node, argument: int) -> Form | None:
    """How the entries of a result depend on those of one of its arguments.

    Parameters
    ----------
    node : Node
        On a tape, and not a leaf.
    argument : int
        Which argument, from 0.

    Returns
    -------
    dict or None
        One of the forms above; None if the op works entry by entry, or if nothing is known.

    Examples
    --------
    >>> import autodiff as ad
    >>> a, b = ad.Tensor(np.ones((2, 3))), ad.Tensor(np.ones((3, 4)))
    >>> dependence(a @ b, 1)
    {'y': [1, 0], 'x': [2, 0]}
    >>> dependence(a[:, 1:], 0)
    {'from': [1, [3, 1]]}
    """
    rule: Any = node.rule
    x, y = shape_of(node.args[argument]), shape_of(node)
    if rule.entrywise or not math.prod(x) or not math.prod(y):
        return None
    name, options = rule.name, rule.options | (node.params or {})
    if name in ALIGNED:
        return labelled(aligned(y), aligned(x))
    if name in COPYING:
        return copied(node, argument) if max(math.prod(x), math.prod(y)) <= LARGEST else None
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
    if axis is None and name not in REDUCING and name not in ("softmax", "log_softmax"):
        ndim, axis, more = 1, 0, {"view": [math.prod(shape_of(x))]}
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


def copied(node: Node, argument: int) -> Form | None:
    """Rows that copy entries: what comes out where the entries of one argument are its places, counted from 1."""
    rule: Any = node.rule
    inputs = [np.zeros(shape_of(a), int) for a in node.args]
    x = inputs[argument]
    x[...] = np.arange(1, x.size + 1).reshape(x.shape)
    options = {key: value for key, value in (node.params or {}).items() if key not in ("dtype", "casting", "out")}
    places = np.asarray(rule.forward(*inputs, **options)) - 1
    if places.min() >= 0:
        start, strides, straight = strides_of(places)
        if straight:
            return {"from": [start, strides]}
    back = np.full(x.size, -1)
    copies = places[places >= 0]
    back[copies] = np.flatnonzero(places.ravel() >= 0)
    if len(copies) == x.size and back.min() >= 0:
        start, strides, straight = strides_of(back.reshape(x.shape))
        if straight:
            return {"to": [start, strides]}
    return {"map": places.ravel().tolist()} if places.size <= LONGEST else None


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
