"""How rules compute on many examples at once: the batched forms of :mod:`autodiff.transforms.vmap`.

A form gets the rule, the stacked examples of each input (None where all examples share it), the inputs themselves, and
the options.  It returns the stacked results, or None if it has no form for these options.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..core.node import shape_of
from ..core.rule import Rule
from ..ops.broadcast import broadcast_to
from ..ops.index import getitem
from ..ops.products import matmul
from ..ops.shape import expand_dims, reshape

Form = Callable[[Rule, Sequence[Any], Sequence[Any], dict[str, Any]], Any]


def aligned(array: Any, ndim: int) -> Any:
    """Stacked examples with axes of length 1 after the first, so that each example has ``ndim`` axes."""
    shape = shape_of(array)
    missing = ndim + 1 - len(shape)
    return reshape(array, (shape[0], *(1,) * missing, *shape[1:])) if missing > 0 else array


def entry_by_entry(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """Examples broadcast against each other and against what they share."""
    ndim = max(len(shape_of(x)) for x in inputs)
    return rule.op(*(x if s is None else aligned(s, ndim) for s, x in zip(stacked, inputs, strict=True)), **params)


def along_axes(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """A row with ``axis``, which counts from the second axis on now; None is all of the example's."""
    (array,), ndim, axis = stacked, len(shape_of(stacked[0])) - 1, params["axis"]
    if params.get("where", True) is not True or (ndim == 0 and axis is not None):
        return None
    if axis is None:
        axis = tuple(range(1, ndim + 1))
    elif isinstance(axis, tuple | list):
        axis = tuple(a + 1 for a in normalize_axis_tuple(axis, ndim))
    else:
        axis = normalize_axis_index(axis, ndim) + 1
    return rule.op(array, **{**params, "axis": axis})


def along_one_axis(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """The same for rows that flatten if ``axis`` is None."""
    return None if params["axis"] is None else along_axes(rule, stacked, inputs, params)


def as_it_is(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """A row that takes leading axes as they come."""
    return None if any(s is None for s in stacked) else rule.op(*stacked, **params)


def of_matrices(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """A row that works on the last two axes."""
    return as_it_is(rule, stacked, inputs, params) if all(len(shape_of(x)) >= 2 for x in inputs) else None


def reshaped(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """``reshape`` of every example."""
    (array,), shape = stacked, params["shape"]
    if params.get("order", "C") != "C" or 0 in shape_of(array):
        return None
    shape = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    return rule.op(array, **{**params, "shape": (shape_of(array)[0], *shape)})


def transposed(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """``transpose`` of every example."""
    (array,), axes = stacked, params["axes"]
    ndim = len(shape_of(array)) - 1
    axes = range(ndim)[::-1] if axes is None else normalize_axis_tuple(axes, ndim)
    return rule.op(array, (0, *(a + 1 for a in axes)))


def axes_moved(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """Rows whose options are all axes of the example."""
    ndim = len(shape_of(stacked[0])) - 1
    counted = {
        name: tuple(a + 1 for a in normalize_axis_tuple(axis, ndim, allow_duplicate=True))
        if isinstance(axis, tuple | list)
        else normalize_axis_index(axis, ndim) + 1
        for name, axis in params.items()
    }
    return rule.op(stacked[0], **counted)


def expanded(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """``expand_dims`` of every example: axes of the result."""
    axes = params["axis"] if isinstance(params["axis"], tuple | list) else (params["axis"],)
    ndim = len(shape_of(stacked[0])) - 1 + len(axes)
    return rule.op(stacked[0], tuple(a + 1 for a in normalize_axis_tuple(axes, ndim)))


def squeezed(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """``squeeze`` of every example."""
    if params["axis"] is not None:
        return along_axes(rule, stacked, inputs, params)
    shape = shape_of(stacked[0])
    return rule.op(stacked[0], tuple(i for i, n in enumerate(shape) if i and n == 1))


def spread(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """``broadcast_to`` of every example."""
    shape = params["shape"] if isinstance(params["shape"], tuple | list) else (params["shape"],)
    array = aligned(stacked[0], len(shape))
    return broadcast_to(array, (shape_of(array)[0], *shape))


def summed(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """``sum_to`` of every example."""
    (array,), shape = stacked, tuple(params["shape"])
    count, *lengths = shape_of(array)
    return reshape(rule.op(array, (count, *(1,) * (len(lengths) - len(shape)), *shape)), (count, *shape))


def is_basic(key: Any) -> bool:
    """Whether an index has no arrays in it."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(k is None or k is Ellipsis or isinstance(k, slice | int | np.integer) for k in parts) and not any(
        isinstance(k, bool) for k in parts
    )


def indexed(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """``getitem`` and ``scatter_add`` by the same slices in every example."""
    key, array = params["key"], stacked[0]
    if not is_basic(key):
        return None
    options = {**params, "key": (slice(None), *(key if isinstance(key, tuple) else (key,)))}
    if "shape" in params:
        options["shape"] = (shape_of(array)[0], *params["shape"])
    return rule.op(array, **options)


def multiplied(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """``matmul``: vectors become matrices of one row or one column."""
    if max(shape_of(s)[0] for s in stacked if s is not None) > 1:  # what all share is one matrix
        pairs = list(zip(stacked, inputs, strict=True))
        inputs = [x if s is None or shape_of(s)[0] > 1 else getitem(s, 0) for s, x in pairs]
        stacked = [None if s is None or shape_of(s)[0] == 1 else s for s in stacked]
    a, b = (x if s is None else s for s, x in zip(stacked, inputs, strict=True))
    rows, columns = (len(shape_of(x)) for x in inputs)
    if not rows or not columns:
        return None
    if rows == 1 and columns <= 2 and stacked[1] is None:
        return matmul(a, b)
    if rows == 2 and columns == 1 and stacked[0] is None:
        return matmul(b, a.mT)
    a = expand_dims(a, -2) if rows == 1 else a
    b = expand_dims(b, -1) if columns == 1 else b
    ndim = max(rows, columns, 2)
    y = matmul(*(x if s is None else aligned(x, ndim) for s, x in zip(stacked, (a, b), strict=True)))
    *lead, m, n = shape_of(y)
    return reshape(y, (*lead, *([m] if rows > 1 else []), *([n] if columns > 1 else [])))


def mapped_linear(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """``linear`` of many inputs with one weight."""
    x, *shared = stacked
    return None if x is None or any(s is not None for s in shared) else rule.op(x, *inputs[1:], **params)


def over_leading(*cores: int) -> Form:
    """A row that broadcasts all axes but so many last ones of each input."""

    def form(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        leads = [len(shape_of(x)) - core for x, core in zip(inputs, cores, strict=True)]
        if min(leads) < 0:
            return None
        parts = zip(stacked, inputs, cores, strict=True)
        return rule.op(*(x if s is None else aligned(s, max(leads) + core) for s, x, core in parts), **params)

    return form


def labelled(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """``contract`` with one label more, for the examples."""
    terms, _, output = params["subscripts"].partition("->")
    if "->" not in params["subscripts"]:
        return None
    label = next((c for c in "abcdefghijklmnopqrstuvwxyz" if c not in params["subscripts"]), None)
    if label is None:
        return None
    pairs = zip(stacked, inputs, terms.split(","), strict=True)
    labels, arrays = zip(*((t, x) if s is None else (label + t, s) for s, x, t in pairs), strict=True)
    return rule.op(arrays, **{**params, "subscripts": f"{','.join(labels)}->{label}{output}"})


def joined(rule: Rule, stacked: Sequence[Any], inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """``concatenate`` and ``stack`` of every example."""
    axis = params["axis"]
    if axis is None:
        return None
    count = max(len(s) for s in stacked if s is not None)
    arrays = [broadcast_to(x if s is None else s, (count, *shape_of(x))) for s, x in zip(stacked, inputs, strict=True)]
    ndim = len(shape_of(inputs[0])) + (rule.name == "stack")
    return rule.op(arrays, **{**params, "axis": normalize_axis_index(axis, ndim) + 1})


def _forms(form: Form, names: str) -> dict[str, Form]:
    return dict.fromkeys(names.split(), form)


BATCHED_FORMS: dict[str, Form] = {
    **_forms(along_axes, "sum mean prod max min var std any all count_nonzero vector_norm logsumexp flip"),
    **_forms(along_one_axis, "softmax log_softmax cumsum cumprod argmax argmin sort argsort"),
    **_forms(as_it_is, "cast copy masked_softmax"),
    "about_share": entry_by_entry,  # its axes count from the end
    **_forms(of_matrices, "tril triu det inv inv_or_nan cholesky expm pinv singular_part"),
    **_forms(
        as_it_is, "eigh_parts eigvalsh eig_parts eigvals svd_parts svd_hermitian_parts svdvals qr_parts slogdet_parts"
    ),
    **_forms(axes_moved, "swapaxes moveaxis"),
    **_forms(indexed, "getitem scatter_add"),
    **_forms(joined, "concatenate stack"),
    "reshape": reshaped,
    "transpose": transposed,
    "expand_dims": expanded,
    "squeeze": squeezed,
    "broadcast_to": spread,
    "sum_to": summed,
    "matmul": multiplied,
    "linear": mapped_linear,
    "contract": labelled,
    "matvec": over_leading(2, 1),
    "vecmat": over_leading(1, 2),
}
"""The rows that have a batched form beyond those that work entry by entry."""
