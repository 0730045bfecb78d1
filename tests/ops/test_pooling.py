"""Pooling as the maximum or mean of every window, and sliding windows as NumPy's; gradients, ties and errors."""

import itertools

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients


def by_windows(reduce, x, size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """The definition: one window after the other, of what it sees of the image itself."""
    ndim = len(size)
    stride = np.broadcast_to(size if stride is None else stride, ndim)
    padding, dilation = np.broadcast_to(padding, ndim), np.broadcast_to(dilation, ndim)
    lengths = np.array(x.shape[-ndim:])
    places = (lengths + 2 * padding - dilation * (np.array(size) - 1) - 1) / stride
    count = (np.ceil(places) if ceil_mode else np.floor(places)).astype(int) + 1
    count -= ceil_mode & ((count - 1) * stride >= lengths + padding)
    y = np.zeros((*x.shape[:-ndim], *count))
    for place in np.ndindex(*count):
        seen = [
            [p * s - b + i * d for i in range(k) if 0 <= p * s - b + i * d < n]
            for p, s, b, k, d, n in zip(place, stride, padding, size, dilation, lengths)
        ]
        entries = [x[..., *index] for index in itertools.product(*seen)]
        y[..., *place] = reduce(entries, axis=0)
    return y


POOLS = [
    ((2, 3, 8), (2,), {}),
    ((3, 9), (3,), {"stride": 2, "padding": 1}),
    ((2, 1, 7), (3,), {"stride": 3, "padding": 1, "ceil_mode": True}),
    ((2, 2, 6, 5), (2, 2), {}),
    ((2, 6, 5), (3, 2), {"stride": 1, "padding": (1, 0)}),
    ((2, 1, 5, 8), (2, 3), {"stride": (3, 2), "ceil_mode": True, "padding": 1}),
    ((0, 2, 4, 4), (2, 2), {}),
    ((1, 1, 3, 5), (1, 3), {"stride": 2, "ceil_mode": True}),
]


def pool(kind, size):
    return getattr(ad, f"{kind}_pool{len(size)}d")


@pytest.mark.parametrize(("shape", "size", "options"), POOLS, ids=str)
@pytest.mark.parametrize("dilation", [1, 2])
def test_the_maximum_of_every_window(shape, size, options, dilation, rng):
    options = options | {"dilation": dilation}
    x = rng.normal(size=shape)
    expected = by_windows(np.max, x, size, **options)
    for kernel in {size, size[0] if len(set(size)) == 1 else size}:
        np.testing.assert_array_equal(pool("max", size)(x, kernel, **options), expected)
    np.testing.assert_array_equal(pool("max", size)(ad.Tensor(x), size, **options).data, expected)
    whole = np.round(3 * x).astype(int)
    np.testing.assert_array_equal(pool("max", size)(whole, size, **options), by_windows(np.max, whole, size, **options))
    assert pool("max", size)(x.astype("f4"), size, **options).dtype == np.float32
    check_gradients(lambda x: pool("max", size)(x, size, **options), x)


@pytest.mark.parametrize(("shape", "size", "options"), POOLS, ids=str)
def test_the_mean_of_every_window(shape, size, options, rng):
    x = rng.normal(size=shape)
    for data in (x, np.round(3 * x).astype(int), x * (1 + 2j)):
        expected = by_windows(np.mean, data.real, size, **options)
        found = pool("avg", size)(data, size, count_include_pad=False, **options)
        np.testing.assert_allclose(found.real, expected, atol=1e-15)
    assert pool("avg", size)(x.astype("f4"), size, **options).dtype == np.float32
    for more in ({}, {"count_include_pad": False}):
        check_gradients(lambda x, more=more: pool("avg", size)(x, size, **options, **more), x)
    check_gradients(lambda x: pool("avg", size)(x, size, **options), x * (1 - 1j), order=1)


def test_the_border_counts_as_far_as_it_was_asked_for():
    """PyTorch's numbers: what ``ceil_mode`` adds beyond the padding does not count."""
    x = np.arange(1.0, 6.0).reshape(1, 1, 5)
    found = ad.avg_pool1d(x, 3, 2, padding=1, ceil_mode=True)
    np.testing.assert_allclose(found, [[[1, 3, 3]]])
    found = ad.avg_pool1d(x, 4, 3, ceil_mode=True)
    np.testing.assert_allclose(found, [[[2.5, 4.5]]])
    assert ad.avg_pool2d(np.ones((1, 2, 2)), 2, divisor_override=8).tolist() == [[[0.5]]]


@pytest.mark.parametrize("n", range(1, 8))
@pytest.mark.parametrize("size", range(1, 9))
def test_means_of_equal_parts(n, size, rng):
    x = rng.normal(size=(2, 3, n))
    starts, ends = np.arange(size) * n // size, -(-np.arange(1, size + 1) * n // size)
    expected = np.stack([x[..., a:b].mean(-1) for a, b in zip(starts, ends)], -1)
    np.testing.assert_allclose(ad.adaptive_avg_pool1d(x, size), expected, rtol=1e-14)
    image = rng.normal(size=(2, n, 5))
    rows = np.stack([image[:, a:b].mean(1, keepdims=True) for a, b in zip(starts, ends)], 1)[:, :, 0]
    np.testing.assert_allclose(ad.adaptive_avg_pool2d(image, (size, None)), rows, rtol=1e-13, atol=1e-15)
    whole = ad.adaptive_avg_pool2d(ad.Tensor(image.astype("f4")), (size, 2))
    assert whole.dtype == np.float32
    check_gradients(lambda x: ad.adaptive_avg_pool2d(x, (size, 2)), image, order=1)


def test_an_infinite_entry_stays_in_its_part():
    found = ad.adaptive_avg_pool1d(np.array([[1.0, 2.0, 3.0, 4.0, np.inf]]), 2)
    np.testing.assert_array_equal(found, [[2, np.inf]])


def test_ties_share_evenly():
    x = np.array([[[2.0, 2.0, 1.0, 3.0, 3.0, 3.0]]])
    for size, expected in [(2, [0.5, 0.5, 0, 1, 0.5, 0.5]), (3, [0.5, 0.5, 0, 1 / 3, 1 / 3, 1 / 3])]:
        c = ad.grad(lambda x, k=size: ad.max_pool1d(x, k).sum())(x)
        np.testing.assert_allclose(c, [[expected]])
        np.testing.assert_allclose(
            ad.jvp(lambda x, k=size: ad.max_pool1d(x, k).sum(), (x,), (x * x,))[1], np.sum(c * x * x)
        )
    overlapping = ad.grad(lambda x: ad.max_pool1d(x, 2, 1).sum())(x)
    np.testing.assert_array_equal(overlapping, [[[0.5, 1.5, 0, 1.5, 1, 0.5]]])
    np.testing.assert_array_equal(
        ad.grad(lambda x: ad.max_pool2d(x, 16).sum())(np.ones((1, 16, 16))) * 256, np.ones((1, 16, 16))
    )


def test_the_border_never_wins_nor_shares():
    x = np.full((1, 1, 2), -np.inf)
    np.testing.assert_array_equal(ad.grad(lambda x: ad.max_pool1d(x, 2, 1, padding=1).sum())(x), [[[1.5, 1.5]]])
    alone = ad.max_pool1d(x, 2, padding=1, dilation=3)  # a window that sees the border only
    np.testing.assert_array_equal(alone, [[[-np.inf]]])
    np.testing.assert_array_equal(ad.grad(lambda x: ad.max_pool1d(x, 2, padding=1, dilation=3).sum())(x), [[[0, 0]]])
    assert ad.jvp(lambda x: ad.max_pool1d(x, 2, padding=1, dilation=3).sum(), (x,), (np.ones((1, 1, 2)),))[1] == 0


def test_nan_stays_in_its_window():
    x = np.array([[[np.nan, 1.0, 2.0, 3.0]]])
    f = lambda x: ad.max_pool1d(x, 2)  # noqa: E731
    np.testing.assert_array_equal(f(x), [[[np.nan, 3]]])
    np.testing.assert_array_equal(ad.grad(lambda x: f(x).sum())(x), [[[np.nan, np.nan, 0, 1]]])
    np.testing.assert_array_equal(ad.grad(lambda x: f(x)[0, 0, 1])(x), [[[0, 0, 0, 1]]])  # not used: a hard zero
    np.testing.assert_array_equal(ad.jvp(f, (x,), (np.ones((1, 1, 4)),))[1], [[[np.nan, 1]]])
    (c,) = ad.vjp(f, x[..., ::-1])[1](np.array([[[np.inf, 0]]]))
    np.testing.assert_array_equal(c, [[[np.inf, 0, 0, 0]]])


def test_what_wins_follows_the_values():
    """The second derivative of a square of a maximum; and a third, in mixed modes."""
    x = np.array([[[1.0, 4.0, -2.0, -1.0]]])
    f = lambda x: (ad.max_pool1d(x, 2) ** 3).sum()  # noqa: E731
    np.testing.assert_array_equal(np.diag(ad.hessian(f)(x).reshape(4, 4)), [0, 24, 0, -6])
    third = ad.jvp(lambda x: ad.grad(lambda x: ad.jvp(f, (x,), (x * 0 + 1,))[1])(x), (x,), (x * 0 + 1,))[1]
    np.testing.assert_array_equal(third, [[[0, 6, 0, 6]]])


def test_lists_methods_and_position(rng):
    assert ad.max_pool1d([[1.0, 2.0, 4.0, 3.0]], 2).tolist() == [[2, 4]]
    assert ad.Tensor([[1.0, 2.0, 4.0, 3.0]]).avg_pool1d(2).tolist() == [[1.5, 3.5]]
    assert ad.avg_pool2d([[[1, 2], [3, 4]]], 2).tolist() == [[[2.5]]]
    x = rng.normal(size=(1, 1, 7, 7))
    np.testing.assert_array_equal(
        ad.max_pool2d(x, 3, 2, 1, 2, True), ad.max_pool2d(x, 3, stride=2, padding=1, dilation=2, ceil_mode=True)
    )
    np.testing.assert_array_equal(
        ad.avg_pool2d(x, 3, 2, 1, True, False),
        ad.avg_pool2d(x, 3, 2, padding=1, ceil_mode=True, count_include_pad=False),
    )


X = np.ones((2, 3, 5, 4))
REFUSED = [
    (lambda: ad.max_pool2d(X[0, 0], 2), ValueError, r"max_pool2d got x of shape \(5, 4\).*x\[None\]"),
    (lambda: ad.max_pool1d(X, 2), ValueError, r"\(N, C, L\), or \(C, L\)"),
    (lambda: ad.max_pool2d(X, 5), ValueError, r"spans \(5, 5\).*\(5, 4\).*smaller kernel_size"),
    (lambda: ad.max_pool2d(X, 3, dilation=2), ValueError, r"spans \(5, 5\)"),
    (lambda: ad.max_pool2d(X, 2, padding=2), ValueError, "padding=2 and kernel_size=2.*half"),
    (lambda: ad.max_pool2d(X, 0), ValueError, "kernel_size=0 must not be below 1"),
    (lambda: ad.max_pool2d(X, (2, 2, 2)), ValueError, "3 entries"),
    (lambda: ad.max_pool2d(X, 2.0), TypeError, "whole number"),
    (lambda: ad.max_pool2d(X, 2, 0), ValueError, "stride"),
    (lambda: ad.max_pool2d(X * 1j, 2), TypeError, "complex128"),
    (lambda: ad.avg_pool2d(X, 2, padding=-1), ValueError, "padding"),
    (lambda: ad.avg_pool2d(X, 2, divisor_override=0), ValueError, "divisor_override=0"),
    (lambda: ad.adaptive_avg_pool2d(X, (2, 2, 2)), ValueError, "output_size"),
    (lambda: ad.adaptive_avg_pool2d(X, 0), ValueError, "output_size"),
    (lambda: ad.adaptive_avg_pool2d(X[..., :0], 1), ValueError, "mean over nothing"),
    (lambda: ad.sliding_window_view(ad.Tensor(X), 2, 0, writeable=True), TypeError, "writeable=True"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_what_does_not_fit_is_refused_with_a_repair(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert isinstance(caught.value, ad.errors.AutodiffError)


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_large_images_are_pooled_a_few_channels_at_a_time(stride, padding, rng, monkeypatch):
    x = rng.integers(0, 4, size=(2, 5, 6, 7)).astype(float)  # with ties
    x[0, 3, 2, 2] = np.nan
    pools = [lambda x, pool=pool: pool(x, 2, stride, padding) for pool in (ad.max_pool2d, ad.avg_pool2d)]
    g = rng.normal(size=pools[0](x).shape)

    def found():
        slopes = [ad.grad(lambda x, f=f: (f(x) * g).sum())(x) for f in pools]
        along = [ad.jvp(lambda x, f=f: f(x) * g, (x,), (x,))[1] for f in pools]
        return [*slopes, *along, *[f(x) for f in pools]]

    whole = found()
    monkeypatch.setattr("autodiff.ops.strips.STRIP", 2 * x[:, 0].size)  # two channels and a rest
    for y, expected in zip(found(), whole, strict=True):
        np.testing.assert_array_equal(y, expected)
    lost = whole[0] == 0
    assert lost.any()
    assert not np.signbit(whole[0][lost]).any()  # 0, not -0


WINDOWS = [
    ((5,), 3, None),
    ((4, 5), (2, 3), None),
    ((4, 5), 2, 1),
    ((4, 5), (2, 3), (0, 0)),
    ((3, 4, 5), (2, 2), (-1, 0)),
]


@pytest.mark.parametrize(("shape", "window", "axis"), WINDOWS, ids=str)
def test_sliding_windows_as_numpy(shape, window, axis, rng):
    x = rng.normal(size=shape)
    numpys = np.lib.stride_tricks.sliding_window_view
    expected = numpys(x, window, axis)
    view = ad.sliding_window_view(x, window, axis)
    np.testing.assert_array_equal(view, expected)
    assert np.shares_memory(view, x)
    assert not view.flags.writeable
    np.testing.assert_array_equal(numpys(ad.Tensor(x), window, axis=axis).data, expected)
    np.testing.assert_array_equal(ad.sliding_window_view(x.tolist(), window, axis=axis), expected)
    check_gradients(lambda x: ad.sliding_window_view(x, window, axis) ** 2, x)
    seen = ad.overlap_add(np.ones_like(expected), axis=tuple(range(x.ndim)) if axis is None else axis)
    np.testing.assert_array_equal(seen, ad.grad(lambda x: ad.sliding_window_view(x, window, axis).sum())(x))


@pytest.mark.parametrize(("window", "axis"), [((2, 2), 0), (6, 0), (-1, 0), (2, 3), (2, None)])
def test_errors_of_sliding_windows_are_those_of_numpy(window, axis):
    x = np.ones((5, 4))
    with pytest.raises(ValueError) as theirs:
        np.lib.stride_tricks.sliding_window_view(x, window, axis)
    with pytest.raises(type(theirs.value)):
        ad.sliding_window_view(ad.Tensor(x), window, axis)


def test_overlap_add_refuses_an_axis_of_the_windows():
    with pytest.raises(np.exceptions.AxisError):
        ad.overlap_add(np.ones((3, 2)), axis=1)
