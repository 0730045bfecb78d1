"""Which entry of which array a view shows: slices, transposes and axes of length 1 are arithmetic of indices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ..program import Instruction, Var


class Along(NamedTuple):
    """The index along one axis of an array: ``start + step * i`` with ``i`` that of an axis of the view, if any."""

    axis: int | None
    start: int = 0
    step: int = 1


class Shown(NamedTuple):
    """The part of an array that a view shows: one index for each axis of the array."""

    of: Var
    at: tuple[Along, ...]


def whole(v: Var) -> Shown:
    """A variable that is no view."""
    return Shown(v, tuple([Along(axis) for axis in range(len(v.shape))]))


def shown_by(i: Instruction) -> Shown | None:
    """What the result of an instruction shows of its argument, if that is indices and no more.

    Examples
    --------
    >>> import operator
    >>> from autodiff.compiler.program import Function, var_like
    >>> import numpy as np
    >>> x = np.ones((3, 4))
    >>> call = Function("item", "item", operator.getitem)
    >>> shown_by(Instruction(call, (var_like(x, "x"), (slice(1, None), 2)), {}, var_like(x[1:, 2], "y"))).at
    (Along(axis=0, start=1, step=1), Along(axis=None, start=2, step=1))
    """
    x, name, out = i.args[0] if i.args else None, i.function.name, i.out
    if not isinstance(x, Var) or not x.is_array or not out.is_array or len(set(i.reads)) > 1:
        return None
    ndim = len(x.shape)
    if i.function.kind == "item":
        return _part(x, i.args[1])
    if name in ("T", "mT"):
        axes = list(range(ndim))
        axes = axes[::-1] if name == "T" else [*axes[:-2], ndim - 1, ndim - 2]
        return _permuted(x, axes)
    if name == "swapaxes" and len(i.args) == 3:
        axes = list(range(ndim))
        axes[i.args[1]], axes[i.args[2]] = axes[i.args[2]], axes[i.args[1]]
        return _permuted(x, axes)
    if name == "transpose":
        (axes,) = [*i.args[1:], *i.options.values()] or [None]
        return _permuted(x, range(ndim)[::-1] if axes is None else (axes,) if isinstance(axes, int) else axes)
    if name in ("reshape", "ravel", "squeeze", "expand_dims", "broadcast_to"):
        return _spread(x, out) if name == "broadcast_to" else _regrouped(x, out)
    return None


def _permuted(x: Var, axes: Any) -> Shown:
    order = [axis % len(x.shape) for axis in axes]
    return Shown(x, tuple([Along(order.index(axis)) for axis in range(len(x.shape))]))


def _spread(x: Var, out: Var) -> Shown:
    shift = len(out.shape) - len(x.shape)
    return Shown(x, tuple([Along(None) if n == 1 else Along(axis + shift) for axis, n in enumerate(x.shape)]))


def _regrouped(x: Var, out: Var) -> Shown | None:
    """A reshape that only adds axes of length 1 or takes them away."""
    if [n for n in x.shape if n != 1] != [n for n in out.shape if n != 1]:
        return None
    long = iter([axis for axis, n in enumerate(out.shape) if n != 1])
    return Shown(x, tuple([Along(None) if n == 1 else Along(next(long)) for n in x.shape]))


def _part(x: Var, key: Any) -> Shown | None:
    keys = list(key) if type(key) is tuple else [key]
    if not all(k is None or k is Ellipsis or type(k) is int or _is_plain(k) for k in keys):
        return None
    given = sum(k is not None and k is not Ellipsis for k in keys)
    rest = [slice(None)] * (len(x.shape) - given)
    if Ellipsis in keys:
        at = keys.index(Ellipsis)
        keys[at : at + 1] = rest
    else:
        keys += rest
    found, view_axis, axis = [], 0, 0
    for k in keys:
        if k is None:
            view_axis += 1
        elif type(k) is int:
            found.append(Along(None, k % x.shape[axis]))
            axis += 1
        else:
            start, _, step = k.indices(x.shape[axis])
            found.append(Along(view_axis, start, step))
            axis, view_axis = axis + 1, view_axis + 1
    return Shown(x, tuple(found))


def _is_plain(k: Any) -> bool:
    return isinstance(k, slice) and all(x is None or type(x) is int for x in (k.start, k.stop, k.step))


def composed(inner: Shown, outer: Shown) -> Shown:
    """What a view of a view shows: ``outer`` shows ``inner``'s view."""
    found = []
    for along in inner.at:
        if along.axis is None:
            found.append(along)
        else:
            o = outer.at[along.axis]
            found.append(Along(o.axis, along.start + along.step * o.start, along.step * o.step))
    return Shown(inner.of, tuple(found))


def views_in(instructions: Iterable[Instruction]) -> dict[Var, Shown]:
    """What each view among the results shows, of an array that is no such view itself."""
    found: dict[Var, Shown] = {}
    for i in instructions:
        shown = shown_by(i)
        if shown is not None:
            found[i.out] = composed(found[shown.of], shown) if shown.of in found else shown
    return found


def index_texts(at: Sequence[Along], texts: Sequence[str]) -> list[str]:
    """An index as it is printed, axis by axis, given that of the view.

    Examples
    --------
    >>> index_texts([Along(0, 1), Along(None, 2), Along(1, 5, -1), Along(1, 0, 2)], ["i", "j"])
    ['i + 1', '2', '5 - j', '2 * j']
    """
    return [_one(a, "0" if a.axis is None else texts[a.axis]) for a in at]


def _one(a: Along, i: str) -> str:
    if a.axis is None or i == "0":
        return str(a.start)
    if a.step == -1:
        return f"{a.start} - {i}"
    text = i if a.step == 1 else f"{a.step} * {i}"
    return text if a.start == 0 else f"{text} + {a.start}"
