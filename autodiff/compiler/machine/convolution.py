"""Convolution as loops: every entry of a window is a term of one sum, and nothing is laid out beforehand.

The loops run over arrays ``(channels, rows, columns * images)``, in which what two windows beside each other see stands
one image further, so that the innermost loop is one long run.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ...core.node import Array
from ...ops import convolution as rows
from ...ops.into import INTO
from ...ops.strips import inside, room
from ...ops.windows import Ints, Windows, images_last
from ..passes.calls import shape_of
from ..program import Function, Instruction, Var

MOST = 12
"""A window of more entries would not find room in the registers."""


class Loop(NamedTuple):
    """A printed function of loops, which stands for itself among the arguments of a call."""

    name: str
    source: str
    dtype: np.dtype[Any]
    ranks: Ints


def conv(x: Array, weight: Array, windows: Windows, loop: Any) -> Array:
    """What the row of that name gives."""
    y = room((len(x), len(weight)), windows.number(x.shape[2:]), x.dtype)
    return conv_into(x, weight, windows, loop, y)


def conv_into(x: Array, weight: Array, windows: Windows, loop: Any, out: Array) -> Array:
    """Write it into ``out``."""
    return conv_layer_into(x, weight, np.zeros(len(weight), x.dtype), windows, loop, out)


def conv_layer(x: Array, weight: Array, bias: Array, windows: Windows, loop: Any) -> Array:
    """What the row of that name gives."""
    y = room((len(x), len(weight)), windows.number(x.shape[2:]), x.dtype)
    return conv_layer_into(x, weight, bias, windows, loop, y)


def conv_layer_into(x: Array, weight: Array, bias: Array, windows: Windows, loop: Any, out: Array) -> Array:
    """Write it into ``out``."""
    weight = np.ascontiguousarray(weight.reshape(*weight.shape[:2], -1))
    loop(in_rows(bordered(x, windows)), weight, np.ascontiguousarray(bias), len(x), in_rows(inside(out)))
    return out


def conv_input(response: Array, weight: Array, windows: Windows, shape: Ints, loop: Any) -> Array:
    """What the row of that name gives."""
    y = room((len(response), weight.shape[1]), shape, weight.dtype)
    return conv_input_into(response, weight, windows, shape, loop, y)


def conv_input_into(response: Array, weight: Array, windows: Windows, shape: Ints, loop: Any, out: Array) -> Array:
    """Write it into ``out``: a convolution with the weights turned around."""
    turned = np.flip(weight, tuple(range(2, weight.ndim))).swapaxes(0, 1)
    return conv_into(response, turned, turned_windows(windows), loop, out)


def conv_weight(x: Array, response: Array, windows: Windows, loop: Any) -> Array:
    """What the row of that name gives."""
    y = np.empty((response.shape[1], x.shape[1], *windows.size), x.dtype)
    return conv_weight_into(x, response, windows, loop, y)


def conv_weight_into(x: Array, response: Array, windows: Windows, loop: Any, out: Array) -> Array:
    """Write it into ``out``."""
    found = np.empty((*out.shape[:2], math.prod(out.shape[2:])), out.dtype)
    loop(in_rows(bordered(x, windows)), in_rows(images_last(response)), len(x), found)
    out[...] = found.reshape(out.shape)
    return out


INTO.update({conv: conv_into, conv_layer: conv_layer_into, conv_input: conv_input_into, conv_weight: conv_weight_into})
FORWARDS = {getattr(rows, f.__name__).rule.forward: f for f in (conv, conv_layer, conv_input, conv_weight)}


def turned_windows(windows: Windows) -> Windows:
    """The windows of responses that reach an entry of the image."""
    reach = [span - 1 for span in windows.span()]
    return windows._replace(padding=tuple([(r - a, r - b) for r, (a, b) in zip(reach, windows.padding, strict=True)]))


def bordered(x: Array, windows: Windows) -> Array:
    """Images ``(C, ..., N)`` with their border."""
    x = images_last(x)
    if not any(map(any, windows.padding)):
        return x
    y = np.zeros((len(x), *windows.bordered_shape(x.shape[1:-1]), x.shape[-1]), x.dtype)
    middle = [slice(before, before + n) for (before, _), n in zip(windows.padding, x.shape[1:-1], strict=True)]
    y[(slice(None), *middle)] = x
    return y


def in_rows(x: Array) -> Array:
    """An array ``(C, ..., N)`` with one axis of rows, and one of all that stands in a row."""
    return x.reshape(len(x), -1 if x.ndim > 3 else 1, x.shape[-1] * x.shape[-2])


def looped(i: Instruction) -> Instruction:
    """A convolution by loops, where there are any for its windows; any other instruction as it is."""
    make = FORWARDS.get(i.function.call)
    if make is None or i.function.kind != "named":
        return i
    windows, groups = i.options["windows"], i.options["groups"]
    dtypes = {a.dtype if isinstance(a, Var) else np.asarray(a).dtype for a in (*i.args, i.out)}
    small = math.prod(windows.size) <= MOST and len(windows.size) in (1, 2)
    given = windows if make is not conv_input else turned_windows(windows)
    paddings = [p for around in given.padding for p in around]
    (dtype,) = dtypes if len(dtypes) == 1 else (None,)
    plain = groups == 1 and set(windows.stride) == {1} and min(paddings) >= 0 and small
    if not plain or dtype is None or dtype.name not in ("float32", "float64") or any(0 in shape_of(a) for a in i.args):
        return i
    loop = weighing(given, dtype) if make is conv_weight else seeing(given, dtype)
    options = {key: value for key, value in i.options.items() if key != "groups"}
    return replace(i, function=Function("named", make.__name__, make), options={**options, "loop": loop})


DECORATOR = '@njit(error_model="numpy", nogil=True, fastmath={"contract"}, cache=True)'


def taps(windows: Windows) -> list[tuple[str, str]]:
    """The row and the column, from those of the window, of each of its entries."""
    size, dilation = (((1,) * (2 - len(t)) + tuple(t)) for t in (windows.size, windows.dilation))
    found = []
    for i, j in itertools.product(*map(range, size)):
        down, right = i * dilation[0], j * dilation[1]
        found.append((f"p + {down}" if down else "p", f"{right} * images:" if right > 1 else "images:" * right or ":"))
    return found


def title(windows: Windows) -> str:
    """Which windows, as a part of a name."""
    apart = "" if set(windows.dilation) == {1} else "_by_" + "_".join(map(str, windows.dilation))
    return "x".join(map(str, windows.size)) + apart


def seeing(windows: Windows, dtype: np.dtype[Any]) -> Loop:
    """The loops of a convolution."""
    name, entries = f"see_{title(windows)}", taps(windows)
    lines = [DECORATOR, f"def {name}(x, weight, bias, images, y):", '    """What each window sees, times weights."""']
    lines += ["    for o in range(y.shape[0]):", "        for p in range(y.shape[1]):", "            out = y[o, p]"]
    lines += ["            out[:] = bias[o]", "            for c in range(x.shape[0]):"]
    for k, (row, column) in enumerate(entries):
        lines.append(f"                w{k}, x{k} = weight[o, c, {k}], x[c, {row}][{column}]")
    lines.append("                for n in range(y.shape[2]):")
    lines += terms("                    out[n] += ", [f"w{k} * x{k}[n]" for k in range(len(entries))])
    return Loop(name, "\n".join(lines), dtype, (3, 3, 1, 0, 3))


def weighing(windows: Windows, dtype: np.dtype[Any]) -> Loop:
    """The loops of the gradient of the weights."""
    name, entries = f"weigh_{title(windows)}", taps(windows)
    zero = "f32(0.0)" if dtype.name == "float32" else "0.0"
    lines = [DECORATOR, f"def {name}(x, response, images, y):", '    """Responses times what their windows see."""']
    lines += ["    for o in range(y.shape[0]):", "        for c in range(y.shape[1]):"]
    lines += [f"            {' = '.join(f't{k}' for k in range(len(entries)))} = {zero}"]
    lines += ["            for p in range(response.shape[1]):", "                r = response[o, p]"]
    lines += [f"                x{k} = x[c, {row}][{column}]" for k, (row, column) in enumerate(entries)]
    lines += ["                for n in range(response.shape[2]):"]
    lines += [f"                    t{k} = plus(t{k}, r[n] * x{k}[n])" for k in range(len(entries))]
    lines += [f"            y[o, c, {k}] = t{k}" for k in range(len(entries))]
    return Loop(name, "\n".join(lines), dtype, (3, 3, 0, 3))


def terms(start: str, found: Sequence[str]) -> list[str]:
    """A sum of terms, three to a line."""
    if len(found) <= 3:
        return [start + " + ".join(found)]
    parts = [" + ".join(found[k : k + 3]) for k in range(0, len(found), 3)]
    indent = " " * (len(start) - len(start.lstrip()))
    inner = [f"{indent}    {'+ ' * (k > 0)}{part}" for k, part in enumerate(parts)]
    return [f"{start}(", *inner, f"{indent})"]
