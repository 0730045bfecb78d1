"""Convolution of images and sequences with the weights of a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError
from ..core.node import Array, ArrayLike, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import add
from .families import conjugated, contracted, is_finite
from .into import into
from .reduce import sum
from .shape import reshape
from .strips import cut, in_groups, inside, room, strips
from .windows import Ints, Pairs, Windows, area, image_shape, images_last, of_stack, per_axis

__all__ = ["conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d"]

# One sum of products, x[n, c, s p + d i] * weight[o, c, i] * response[n, o, p], over the indices of two of
# the three arrays: each of the next three rows gives the third, and its derivatives are the other two rows.


@primitive(
    formula=(
        r"y_{nop} = \sum_{ci} x_{n,c,sp+di}\,w_{oci}, \quad \bar x = \textstyle\sum \bar y\,w^*, \; "
        r"\bar w = \textstyle\sum x^*\,\bar y"
    )
)
def conv(x: ArrayLike, weight: ArrayLike, /, windows: Windows, groups: int) -> Array:
    """Response ``(N, O, ...)`` of each window of ``x``, ``(N, C, ...)``, to ``weight``, ``(O, C / groups, ...)``."""
    y = room((len(x), len(weight)), windows.number(x.shape[2:]), np.result_type(x, weight))
    return conv_into(x, weight, windows, groups, y)


@into(conv)
def conv_into(x: Array, weight: Array, windows: Windows, groups: int, out: Array) -> Array:
    """Write it into ``out``."""
    w, y = in_groups(weight, groups), in_groups(inside(out), groups)
    for place, columns in strips(images_last(x), windows, out.shape[2:], groups):
        np.matmul(w, columns, out=y[..., place])
    return out


@primitive(
    formula=(
        r"y_{nop} = b_o + \sum_{ci} x_{n,c,sp+di}\,w_{oci}, \quad \bar x = \textstyle\sum \bar y\,w^*, \; "
        r"\bar w = \textstyle\sum x^*\,\bar y, \; \bar b_o = \textstyle\sum \bar y"
    )
)
def conv_layer(x: ArrayLike, weight: ArrayLike, bias: ArrayLike, /, windows: Windows, groups: int) -> Array:
    """``conv(x, weight)`` with a number added for each output: ``bias``, of shape ``(O,)``."""
    y = room((len(x), len(weight)), windows.number(x.shape[2:]), np.result_type(x, weight, bias))
    return conv_layer_into(x, weight, bias, windows, groups, y)


@into(conv_layer)
def conv_layer_into(x: Array, weight: Array, bias: Array, windows: Windows, groups: int, out: Array) -> Array:
    """Write it into ``out``."""
    y = conv_into(x, weight, windows, groups, out)
    return np.add(y, bias.reshape(-1, *(1,) * len(windows.size)), out=out)


@primitive(
    formula=(
        r"y_{ncq} = \sum_{op:\,sp+di=q} r_{nop}\,w_{oci}, \quad \bar r = \textstyle\sum \bar y\,w^*, \; "
        r"\bar w = \textstyle\sum \bar y\,r^*"
    )
)
def conv_input(response: ArrayLike, weight: ArrayLike, /, windows: Windows, groups: int, shape: Ints) -> Array:
    """Each response times ``weight``, added up where its window stands in an image of ``shape``."""
    channels = weight.shape[1] * groups
    y = room((len(response), channels), shape, np.result_type(response, weight))
    return conv_input_into(response, weight, windows, groups, shape, y)


@into(conv_input)
def conv_input_into(response: Array, weight: Array, windows: Windows, groups: int, shape: Ints, out: Array) -> Array:
    """Write it into ``out``."""
    r, w, y = in_groups(images_last(response), groups), in_groups(weight, groups).mT, inside(out)
    y.fill(0)
    parts = cut(windows, response.shape[2:], y)
    rows = len(y) * area(windows.size)
    memory = np.empty(rows * parts[0].columns, y.dtype)
    for part in parts:
        columns = memory[: rows * part.columns].reshape(groups, rows // groups, part.columns)
        np.matmul(w, r[..., part.place], out=columns)
        strip = columns.reshape(len(y), *windows.size, *part.number, len(out))
        for _, within, seen in part.places:
            y[seen] += strip[within]
    return out


@primitive(
    formula=(
        r"y_{oci} = \sum_{np} x_{n,c,sp+di}\,r_{nop}, \quad \bar x = \textstyle\sum r^*\,\bar y, \; "
        r"\bar r = \textstyle\sum x^*\,\bar y"
    )
)
def conv_weight(x: ArrayLike, response: ArrayLike, /, windows: Windows, groups: int) -> Array:
    """Each response times what its window sees of ``x``, added up over images and windows."""
    shape = (response.shape[1], x.shape[1] // groups, *windows.size)
    return conv_weight_into(x, response, windows, groups, np.empty(shape, np.result_type(x, response)))


@into(conv_weight)
def conv_weight_into(x: Array, response: Array, windows: Windows, groups: int, out: Array) -> Array:
    """Write it into ``out``."""
    r = in_groups(images_last(response), groups)
    y = np.zeros((groups, area(out.shape[1:]), r.shape[1]), out.dtype)
    for place, columns in strips(images_last(x), windows, response.shape[2:], groups):
        y += columns @ r[..., place].mT
    out[...] = y.mT.reshape(out.shape)
    return out


def through(product: Callable[[Array, Array], Array], g: Array, m: Array) -> Array:
    """``contracted``, where ``m`` is so small beside the product that its entries are looked at first."""
    return product(g, m) if is_finite(m) else contracted(product, g, m)


@conv.def_vjp(wrt="x")
def conv_vjp_x(g: Array, x: Array, weight: Array, windows: Windows, groups: int) -> Array:
    return through(lambda g, w: conv_input(g, w, windows, groups, shape_of(x)[2:]), g, conjugated(weight))


@conv.def_vjp(wrt="weight")
def conv_vjp_weight(g: Array, x: Array, windows: Windows, groups: int) -> Array:
    return contracted(lambda g, x: conv_weight(x, g, windows, groups), g, conjugated(x))


@conv.def_jvp(wrt="x")
def conv_jvp_x(x_dot: Array, weight: Array, windows: Windows, groups: int) -> Array:
    return through(lambda x_dot, w: conv(x_dot, w, windows, groups), x_dot, weight)


@conv.def_jvp(wrt="weight")
def conv_jvp_weight(weight_dot: Array, x: Array, windows: Windows, groups: int) -> Array:
    return contracted(lambda weight_dot, x: conv(x, weight_dot, windows, groups), weight_dot, x)


conv_layer.def_vjp(conv_vjp_x, wrt="x")
conv_layer.def_vjp(conv_vjp_weight, wrt="weight")
conv_layer.def_jvp(conv_jvp_x, wrt="x")
conv_layer.def_jvp(conv_jvp_weight, wrt="weight")


@conv_layer.def_vjp(wrt="bias")
def conv_layer_vjp_bias(g: Array, windows: Windows) -> Array:
    return sum(g, (0, *range(2, 2 + len(windows.size))))


@conv_layer.def_jvp(wrt="bias")
def conv_layer_jvp_bias(bias_dot: Array, windows: Windows) -> Array:
    return reshape(bias_dot, (-1, *(1,) * len(windows.size)))


@conv_input.def_vjp(wrt="response")
def conv_input_vjp_response(g: Array, weight: Array, windows: Windows, groups: int) -> Array:
    return conv_jvp_x(g, conjugated(weight), windows, groups)


@conv_input.def_vjp(wrt="weight")
def conv_input_vjp_weight(g: Array, response: Array, windows: Windows, groups: int) -> Array:
    return contracted(lambda g, r: conv_weight(g, r, windows, groups), g, conjugated(response))


@conv_input.def_jvp(wrt="response")
def conv_input_jvp_response(response_dot: Array, weight: Array, windows: Windows, groups: int, shape: Ints) -> Array:
    return through(lambda r_dot, w: conv_input(r_dot, w, windows, groups, shape), response_dot, weight)


@conv_input.def_jvp(wrt="weight")
def conv_input_jvp_weight(weight_dot: Array, response: Array, windows: Windows, groups: int, shape: Ints) -> Array:
    return contracted(lambda w_dot, r: conv_input(r, w_dot, windows, groups, shape), weight_dot, response)


@conv_weight.def_vjp(wrt="x")
def conv_weight_vjp_x(g: Array, x: Array, response: Array, windows: Windows, groups: int) -> Array:
    shape = shape_of(x)[2:]
    return contracted(lambda g, r: conv_input(r, g, windows, groups, shape), g, conjugated(response))


@conv_weight.def_vjp(wrt="response")
def conv_weight_vjp_response(g: Array, x: Array, windows: Windows, groups: int) -> Array:
    return conv_jvp_weight(g, conjugated(x), windows, groups)


@conv_weight.def_jvp(wrt="x")
def conv_weight_jvp_x(x_dot: Array, response: Array, windows: Windows, groups: int) -> Array:
    return contracted(lambda x_dot, r: conv_weight(x_dot, r, windows, groups), x_dot, response)


@conv_weight.def_jvp(wrt="response")
def conv_weight_jvp_response(response_dot: Array, x: Array, windows: Windows, groups: int) -> Array:
    return contracted(lambda r_dot, x: conv_weight(x, r_dot, windows, groups), response_dot, x)


def layers(rng: np.random.Generator) -> Iterator[tuple[Array, Array, Windows, int]]:
    """Images, weights, windows and groups of every kind."""
    plain = Windows((2, 3), (1, 1), ((0, 0), (0, 0)), (1, 1))
    x, weight = rng.normal(size=(2, 2, 2, 4, 5)), rng.normal(size=(2, 3, 2, 2, 3))
    yield x[0], weight[0], plain, 1
    yield x[0, :0], weight[0], plain, 1
    yield x[0] + 1j * x[1], weight[0] + 1j * weight[1], plain, 1
    uneven = Windows((3, 2), (2, 3), ((1, 2), (0, 1)), (1, 2))
    yield rng.normal(size=(2, 2, 6, 5)), rng.normal(size=(4, 1, 3, 2)), uneven, 2
    x, weight = rng.normal(size=(4, 8, 2)).T[:, ::-2], rng.normal(size=(2, 2, 4))[..., ::2]
    yield x, weight, Windows((2,), (3,), ((3, -1),), (2,)), 2  # part of the image is cut off


@conv.def_samples
def conv_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for x, weight, windows, groups in layers(rng):
        yield sample(x, weight, windows=windows, groups=groups)


@conv_layer.def_samples
def conv_layer_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for x, weight, windows, groups in layers(rng):
        bias = rng.normal(size=len(weight)).astype(x.dtype)
        yield sample(x, weight, bias, windows=windows, groups=groups)
    yield sample(x, weight, bias.astype(complex), windows=windows, groups=groups)


@conv_input.def_samples
def conv_input_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for x, weight, windows, groups in layers(rng):
        response = conv(x, weight, windows, groups)
        yield sample(response, weight, windows=windows, groups=groups, shape=x.shape[2:])


@conv_weight.def_samples
def conv_weight_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for x, weight, windows, groups in layers(rng):
        yield sample(x, conv(x, weight, windows, groups), windows=windows, groups=groups)


def conv1d(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Convolution of sequences with the weights of a layer: ``conv2d`` with one axis, of length L, in place of two."""
    return layer("conv1d", 1, x, weight, bias, stride, padding, dilation, groups)


def conv2d(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Convolution of images with the weights of a layer, as PyTorch's: strictly, a correlation.

    Parameters
    ----------
    x : array_like, shape (N, C, H, W) or (C, H, W)
        Images, or one.
    weight : array_like, shape (O, C / groups, height, width)
    bias : array_like, shape (O,), optional
    stride : int or pair of int
        Steps from one window to the next.  What is left over at the end is not seen.
    padding : int, pair of int, "same" or "valid"
        Zeros added before and after; "same" adds what keeps height and width (with ``stride=1``), "valid" nothing.
    dilation : int or pair of int
        Steps from one entry to the next within a window.
    groups : int
        Channels are cut into so many groups, and outputs too; each group of outputs sees its own group of channels.

    Returns
    -------
    array_like, shape (N, O, H', W') or (O, H', W')
        In memory the images come last; operations entry by entry keep that order, which is the fast one.

    Raises
    ------
    ShapeError
        If the shapes do not fit, or no window does.
    ArgumentError, KindError
        If an option cannot be used.

    Examples
    --------
    >>> import autodiff as ad
    >>> edges = ad.conv2d([[[0.0, 0.0, 1.0, 1.0]]], [[[[-1.0, 1.0]]]])
    >>> edges
    array([[[0., 1., 0.]]])
    """
    return layer("conv2d", 2, x, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Array:
    """The transpose of ``conv1d``: ``conv_transpose2d`` with one axis, of length L, in place of two."""
    return transposed_layer("conv_transpose1d", 1, x, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Array:
    """The transpose of ``conv2d``, as PyTorch's: each entry times the weights, added up where its window stands.

    Parameters
    ----------
    x : array_like, shape (N, C, H, W) or (C, H, W)
        Images, or one.
    weight : array_like, shape (C, O / groups, height, width)
        As the ``conv2d`` has it whose transpose this is.
    bias : array_like, shape (O,), optional
    stride, padding, dilation : int or pair of int
        Those of the ``conv2d``: padding takes entries away here.
    output_padding : int or pair of int
        Entries more at the end, below ``stride`` or ``dilation``: with a stride, images of several sizes have the same
        ``conv2d``.
    groups : int
        As in ``conv2d``.

    Returns
    -------
    array_like, shape (N, O, H', W') or (O, H', W')
        With ``H' = (H - 1) * stride - 2 * padding + dilation * (height - 1) + output_padding + 1``.

    Raises
    ------
    ShapeError
        If the shapes do not fit, or nothing is left.
    ArgumentError, KindError
        If an option cannot be used.
    """
    return transposed_layer("conv_transpose2d", 2, x, weight, bias, stride, padding, output_padding, groups, dilation)


def layer(
    name: str,
    ndim: int,
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
) -> Array:
    """A convolution over the last ``ndim`` axes."""
    shape, size = image_shape(name, x, ndim), weight_size(name, weight, ndim)
    strides, dilations = per_axis(stride, ndim, "stride", 1), per_axis(dilation, ndim, "dilation", 1)
    (n_groups,) = per_axis(groups, 1, "groups", 1)
    outputs, channels = shape_of(weight)[:2]
    if outputs % n_groups:
        raise ShapeError(f"{name} got weight of shape {shape_of(weight)}: {outputs} outputs are no {n_groups} groups.")
    check_channels(name, shape, ndim, weight, channels * n_groups, bias, outputs)
    windows = Windows(size, strides, borders(name, padding, size, strides, dilations), dilations)
    if min(windows.number(shape[-ndim:])) < 1:
        raise ShapeError(
            f"{name} got x of shape {shape} and weight of shape {shape_of(weight)}: a window spans {windows.span()}, "
            f"the image with its border {windows.bordered_shape(shape[-ndim:])}. Add padding=, or use smaller windows."
        )

    def respond(x: Array) -> Array:
        if bias is None:
            return conv(x, weight, windows, n_groups)
        return conv_layer(x, weight, bias, windows, n_groups)

    return of_stack(respond, x, ndim)


def transposed_layer(
    name: str,
    ndim: int,
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
) -> Array:
    """The transpose of a convolution over the last ``ndim`` axes."""
    shape, size = image_shape(name, x, ndim), weight_size(name, weight, ndim)
    strides, dilations = per_axis(stride, ndim, "stride", 1), per_axis(dilation, ndim, "dilation", 1)
    paddings, more = per_axis(padding, ndim, "padding", 0), per_axis(output_padding, ndim, "output_padding", 0)
    (n_groups,) = per_axis(groups, 1, "groups", 1)
    channels, outputs = shape_of(weight)[0], shape_of(weight)[1] * n_groups
    if channels % n_groups:
        raise ShapeError(
            f"{name} got weight of shape {shape_of(weight)}: {channels} channels are no {n_groups} groups."
        )
    check_channels(name, shape, ndim, weight, channels, bias, outputs)
    if any(m >= max(s, d) for m, s, d in zip(more, strides, dilations)):
        raise ArgumentError(
            f"{name} got output_padding={output_padding!r}; it must be below stride={stride!r} or "
            f"dilation={dilation!r}: no window reaches further."
        )
    windows = Windows(size, strides, tuple((p, p - m) for p, m in zip(paddings, more)), dilations)
    result = tuple(
        (n - 1) * s + span - before - after
        for n, s, span, (before, after) in zip(shape[-ndim:], strides, windows.span(), windows.padding)
    )
    if min(result) < 1:
        raise ShapeError(f"{name} got x of shape {shape} and padding={padding!r}: {result} entries would be left.")
    y = of_stack(lambda x: conv_input(x, weight, windows, n_groups, result), x, ndim)
    return y if bias is None else add(y, reshape(bias, (-1, *(1,) * ndim)))


def weight_size(name: str, weight: ArrayLike, ndim: int) -> Ints:
    """How far the windows of a weight reach along each axis."""
    shape = shape_of(weight)
    if len(shape) != ndim + 2 or 0 in shape:
        first = "channels, outputs / groups" if "transpose" in name else "outputs, channels / groups"
        raise ShapeError(f"{name} got weight of shape {shape}; it takes ({first}{', size' * ndim}), none of them 0.")
    return shape[2:]


def borders(name: str, padding: Any, size: Ints, stride: Ints, dilation: Ints) -> Pairs:
    """The border of a convolution along each axis, before and after."""
    if padding == "valid":
        padding = 0
    if padding != "same":
        return tuple((p, p) for p in per_axis(padding, len(size), "padding", 0))
    if max(stride) > 1:
        raise ArgumentError(
            f"{name} got padding='same' with stride={stride}: only steps of 1 keep the size. Give numbers."
        )
    reach = [d * (k - 1) for d, k in zip(dilation, size)]
    return tuple((r // 2, r - r // 2) for r in reach)


def check_channels(
    name: str, shape: Ints, ndim: int, weight: ArrayLike, channels: int, bias: ArrayLike, outputs: int
) -> None:
    """Refuse images and a bias that do not fit the weight."""
    found, weight_shape = shape[-ndim - 1], shape_of(weight)
    if found != channels:
        repair = ""
        if shape[-1] == channels:
            repair = f" Did you mean x with its channels first, ad.moveaxis(x, -1, {len(shape) - ndim - 1})?"
        elif len(shape) == ndim + 1 and channels == 1:
            repair = " Did you mean x[:, None], images of one channel?"
        elif found in weight_shape[:2]:
            repair = " Did you mean ad.swapaxes(weight, 0, 1), or other groups=?"
        raise ShapeError(
            f"{name} got x of shape {shape} and weight of shape {weight_shape}: x has {found} channels, the weight "
            f"takes {channels}.{repair}"
        )
    if bias is not None and shape_of(bias) != (outputs,):
        raise ShapeError(
            f"{name} got weight of shape {weight_shape} and bias of shape {shape_of(bias)}; it takes one number for "
            f"each output, ({outputs},)."
        )
