"""Convolutions: of sequences as NumPy's, of images as the sums over windows that they are; gradients and errors."""

import itertools

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

MODES = ["full", "same", "valid"]
LENGTHS = [(5, 3), (3, 5), (6, 2), (2, 6), (4, 4), (1, 3), (3, 1), (1, 1)]


@pytest.mark.parametrize("name", ["convolve", "correlate"])
@pytest.mark.parametrize(("n", "m"), LENGTHS)
def test_sequences_as_numpy(name, n, m, rng):
    ours, theirs = getattr(ad, name), getattr(np, name)
    a, v = rng.normal(size=n), rng.normal(size=m)
    for left, right in [(a, v), (a * (1 + 1j), v), (a, v * (2 - 1j)), (a.astype("f4"), v.astype("f4"))]:
        for options in [{}, *({"mode": mode} for mode in MODES)]:
            expected = theirs(left, right, **options)
            for found in (
                ours(left, right, **options),
                ours(ad.Tensor(left), right, **options).data,
                theirs(left, ad.Tensor(right), **options).data,
                theirs(a=ad.Tensor(left), v=ad.Tensor(right), **options).data,
            ):
                assert found.dtype == expected.dtype
                np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(ours(a.tolist(), v.tolist(), "same"), theirs(a, v, "same"))


def test_whole_numbers_and_single_ones():
    whole = ad.Tensor([1, 2, 3], requires_grad=False)
    assert ad.convolve(whole, [1, 1]).tolist() == [1, 3, 5, 3]
    assert ad.convolve(ad.Tensor(2.0), [1.0, 3.0]).tolist() == [2, 6]
    assert ad.grad(lambda a: ad.convolve(a, [1.0, 3.0]).sum())(2.0) == 4
    assert ad.Tensor([1.0, 2.0]).convolve([1.0, 1.0]).tolist() == [1, 3, 2]


@pytest.mark.parametrize("name", ["convolve", "correlate"])
@pytest.mark.parametrize(("a", "v"), [([], [1.0]), ([1.0], []), (np.ones((2, 2)), [1.0])])
def test_errors_of_sequences_are_those_of_numpy(name, a, v):
    with pytest.raises(ValueError) as theirs:
        getattr(np, name)(a, v)
    with pytest.raises(ValueError, match=str(theirs.value)):
        getattr(ad, name)(ad.Tensor(a), v)
    with pytest.raises(ValueError, match="mode"):
        getattr(ad, name)(ad.Tensor([1.0]), [1.0], mode="sum")


def test_an_infinite_weight_that_is_not_used_spoils_nothing():
    c = ad.grad(lambda a: ad.convolve(a, np.array([1.0, np.inf]))[0])(np.array([2.0, 3.0]))
    np.testing.assert_array_equal(c, [1, 0])
    x, w = np.array([[[1.0, 2.0, np.inf]]]), np.array([[[1.0, -1.0]]])
    np.testing.assert_array_equal(ad.grad(lambda w: ad.conv1d(x, w)[0, 0, 0])(w), [[[1, 2]]])
    w = np.array([[[1.0]], [[np.inf]]])
    np.testing.assert_array_equal(
        ad.grad(lambda x: ad.conv1d(x, w)[0, 0].sum())(np.ones((1, 1, 2))), np.ones((1, 1, 2))
    )


# Images.


def by_windows(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The definition: one window after the other."""
    ndim = weight.ndim - 2
    single = x.ndim == ndim + 1
    x = x[None] if single else x
    stride, dilation = (np.broadcast_to(o, ndim) for o in (stride, dilation))
    reach = dilation * (np.array(weight.shape[2:]) - 1)
    if padding == "same":
        borders = [(r // 2, r - r // 2) for r in reach]
    else:
        borders = [(p, p) for p in np.broadcast_to(0 if padding == "valid" else padding, ndim)]
    x = np.pad(x, [(0, 0), (0, 0), *borders])
    count = [(n - r - 1) // s + 1 for n, r, s in zip(x.shape[2:], reach, stride)]
    n_out, n_in = weight.shape[0] // groups, weight.shape[1]
    y = np.zeros((len(x), len(weight), *count), np.result_type(x, weight))
    for o, place in itertools.product(range(len(weight)), np.ndindex(*count)):
        channels = slice(o // n_out * n_in, (o // n_out + 1) * n_in)
        window = [slice(p * s, p * s + r + 1, d) for p, s, r, d in zip(place, stride, reach, dilation)]
        y[:, o, *place] = np.sum(x[:, channels, *window] * weight[o], axis=tuple(range(1, ndim + 2)))
        y[:, o, *place] += 0 if bias is None else bias[o]
    return y[0] if single else y


LAYERS = [
    ((2, 3, 7), (4, 3, 3), {}),
    ((3, 7), (4, 3, 3), {"stride": 2}),
    ((2, 4, 9), (6, 2, 2), {"groups": 2, "dilation": 3, "padding": (2,)}),
    ((2, 3, 6), (3, 1, 4), {"groups": 3, "padding": "same"}),
    ((0, 3, 6), (2, 3, 2), {}),
    ((2, 3, 5, 6), (4, 3, 3, 2), {}),
    ((3, 5, 6), (4, 3, 3, 2), {"padding": "valid"}),
    ((2, 1, 8, 7), (2, 1, 3, 3), {"stride": (3, 2), "padding": (1, 2)}),
    ((1, 2, 6, 9), (2, 2, 2, 3), {"dilation": (2, 3), "padding": "same"}),
    ((2, 4, 6, 5), (4, 2, 2, 3), {"groups": 2, "stride": 2, "padding": 1, "dilation": [1, 2]}),
    ((2, 3, 4, 4), (3, 1, 1, 1), {"groups": 3}),
    ((1, 1, 3, 3), (1, 1, 3, 3), {"stride": 4}),
]


def ours(ndim, transposed=False):
    return getattr(ad, f"conv{'_transpose' * transposed}{ndim}d")


@pytest.mark.parametrize(("shape", "weight_shape", "options"), LAYERS, ids=str)
def test_convolution_is_a_sum_over_windows(shape, weight_shape, options, rng):
    x, weight, bias = rng.normal(size=shape), rng.normal(size=weight_shape), rng.normal(size=weight_shape[0])
    conv = ours(len(weight_shape) - 2)
    turn = rng.normal(size=3) + 1j * rng.normal(size=3)
    for args in [(x, weight), (x, weight, bias), (turn[0] * x, turn[1] * weight, turn[2] * bias)]:
        expected = by_windows(*args, **options)
        found = conv(*args, **options)
        assert isinstance(found, np.ndarray)
        np.testing.assert_allclose(found, expected, atol=1e-13)
        np.testing.assert_allclose(conv(*map(ad.Tensor, args), **options).data, expected, atol=1e-13)
        single = conv(*(ad.Tensor(a.astype({"f": "f4", "c": "c8"}[a.dtype.kind])) for a in args), **options)
        assert single.dtype == {"f": np.float32, "c": np.complex64}[expected.dtype.kind]
        np.testing.assert_allclose(single.data, expected, atol=1e-4)
        check_gradients(lambda *a: conv(*a, **options), *args, order=1 + (len(args) == 3 and "groups" in options))


@pytest.mark.parametrize(("shape", "weight_shape", "options"), LAYERS, ids=str)
def test_the_transpose_is_the_transpose(shape, weight_shape, options, rng):
    """<conv(x), r> == <x, conv_transpose(r)>, with the output padding that gives ``x`` its size back."""
    if isinstance(options.get("padding"), str):
        return
    ndim = len(weight_shape) - 2
    x, weight, bias = rng.normal(size=shape), rng.normal(size=weight_shape), rng.normal(size=shape[-ndim - 1])
    y = by_windows(x, weight, **options)
    r = rng.normal(size=y.shape)
    back = ours(ndim, transposed=True)
    lost = np.array(shape[-ndim:]) - back(r, weight, **options).shape[-ndim:]
    if np.any(lost >= np.maximum(options.get("stride", 1), options.get("dilation", 1))):
        return
    found = back(r, weight, None, output_padding=tuple(lost), **options)
    assert found.shape == x.shape
    np.testing.assert_allclose(np.sum(x * found), np.sum(y * r), atol=1e-12)
    added = back(r, weight, bias, output_padding=tuple(lost), **options)
    np.testing.assert_allclose(added, found + bias.reshape(-1, *[1] * ndim), atol=1e-13)
    check_gradients(lambda *a: back(*a, output_padding=tuple(lost), **options), r, weight, bias)


def test_output_padding_beyond_the_stride():
    """PyTorch allows it up to the dilation: 2.13 gives these numbers."""
    y = ad.conv_transpose1d([[1.0, 2.0]], [[[1.0, 10.0]]], dilation=3, output_padding=2, padding=1)
    assert y.tolist() == [[2, 0, 10, 20, 0]]


def test_options_by_position_are_pytorchs(rng):
    x, w, b = rng.normal(size=(2, 4, 6, 6)), rng.normal(size=(4, 2, 3, 3)), rng.normal(size=4)
    named = ad.conv2d(x, w, b, stride=2, padding=1, dilation=1, groups=2)
    np.testing.assert_array_equal(ad.conv2d(x, w, b, 2, 1, 1, 2), named)
    named = ad.conv_transpose2d(x, w, b, stride=3, padding=1, output_padding=2, groups=2, dilation=2)
    np.testing.assert_array_equal(ad.conv_transpose2d(x, w, b, 3, 1, 2, 2, 2), named)


def test_lists_methods_and_mixed_dtypes():
    x, w = [[[1.0, 2.0, 3.0]]], [[[1.0, 1.0]]]
    assert ad.conv1d(x, w).tolist() == [[[3, 5]]]
    assert ad.Tensor(x).conv1d(w, [1.0]).tolist() == [[[4, 6]]]
    assert ad.conv1d(np.ones((1, 1, 3), "f4"), np.ones((1, 1, 2))).dtype == float
    y = ad.conv1d(np.ones((1, 1, 3), "f4"), ad.Tensor(np.ones((1, 1, 2), "f4")), ad.Tensor(np.ones(1)))
    assert y.dtype == float
    assert ad.conv1d(np.ones((1, 1, 3), int), np.ones((1, 1, 2), int), np.ones(1, int)).dtype == int


def test_images_stay_last_in_memory(rng):
    """Nothing is rearranged between layers, in either direction."""
    x, w = ad.Tensor(rng.normal(size=(5, 2, 6, 6))), ad.Tensor(rng.normal(size=(3, 2, 3, 3)))
    y = ad.conv2d(x, w, ad.Tensor(np.ones(3)), padding=1)
    h = ad.max_pool2d(ad.relu(y), 2)
    (h * h).sum().backward()
    for array in (y.data, h.data, y.grad):
        assert np.moveaxis(array, 0, -1).flags.c_contiguous


def test_large_images_are_computed_in_strips(rng, monkeypatch):
    import autodiff.ops.strips as topic

    x, w = rng.normal(size=(2, 3, 9, 8)), rng.normal(size=(4, 3, 3, 2))
    f = lambda x, w: ad.conv2d(x, w, stride=(2, 1), padding=1)  # noqa: E731
    whole, pulled = f(x, w), [ad.grad(lambda x, w: (f(x, w) ** 2).sum(), i)(x, w) for i in (0, 1)]
    monkeypatch.setattr(topic, "STRIP", 700)  # two rows of windows and a rest
    np.testing.assert_allclose(f(x, w), whole, rtol=1e-12)
    for i, c in enumerate(pulled):
        np.testing.assert_allclose(ad.grad(lambda x, w: (f(x, w) ** 2).sum(), i)(x, w), c, rtol=1e-10)


X, W = np.ones((2, 3, 5, 5)), np.ones((4, 3, 2, 2))
REFUSED = [
    (lambda: ad.conv2d(X[0, 0], W), ValueError, r"x of shape \(5, 5\).*x\[None\]"),
    (lambda: ad.conv2d(X[..., None], W), ValueError, r"\(N, C, H, W\), or \(C, H, W\)"),
    (lambda: ad.conv2d(X, W[0]), ValueError, r"weight of shape \(3, 2, 2\)"),
    (lambda: ad.conv2d(X, np.ones((4, 3, 0, 2))), ValueError, "none of them 0"),
    (lambda: ad.conv2d(np.ones((2, 5, 5, 3)), W), ValueError, r"5, 5, 3\).*has 5 channels.*3.*ad.moveaxis\(x, -1, 1\)"),
    (lambda: ad.conv2d(np.ones((5, 5, 3)), W), ValueError, r"ad.moveaxis\(x, -1, 0\)"),
    (lambda: ad.conv2d(np.ones((7, 5, 5)), np.ones((4, 1, 2, 2))), ValueError, r"x\[:, None\]"),
    (lambda: ad.conv2d(np.ones((2, 4, 5, 5)), W), ValueError, r"ad.swapaxes\(weight, 0, 1\), or other groups="),
    (lambda: ad.conv2d(np.ones((2, 9, 5, 5)), W), ValueError, r"has 9 channels, the weight takes 3\.$"),
    (lambda: ad.conv2d(X, W, groups=3), ValueError, "4 outputs are no 3 groups"),
    (lambda: ad.conv2d(X, W, np.ones(3)), ValueError, r"bias of shape \(3,\).*\(4,\)"),
    (lambda: ad.conv2d(X, W, np.ones((4, 1, 1))), ValueError, "bias"),
    (lambda: ad.conv2d(X, np.ones((4, 3, 6, 2))), ValueError, r"spans \(6, 2\).*\(5, 5\).*padding="),
    (lambda: ad.conv2d(X, W, stride=0), ValueError, "stride=0 must not be below 1"),
    (lambda: ad.conv2d(X, W, stride=(1, 2, 3)), ValueError, "3 entries"),
    (lambda: ad.conv2d(X, W, stride=1.5), TypeError, "whole number"),
    (lambda: ad.conv2d(X, W, padding=-1), ValueError, "padding=-1"),
    (lambda: ad.conv2d(X, W, padding="full"), TypeError, "padding='full'"),
    (lambda: ad.conv2d(X, W, padding="same", stride=2), ValueError, "padding='same' with stride"),
    (lambda: ad.conv2d(X, W, dilation=0), ValueError, "dilation"),
    (lambda: ad.conv2d(X, W, groups=0), ValueError, "groups"),
    (lambda: ad.conv_transpose2d(X, W), ValueError, "3 channels, the weight takes 4"),
    (lambda: ad.conv_transpose2d(X, W[:3], groups=2), ValueError, "3 channels are no 2 groups"),
    (
        lambda: ad.conv_transpose2d(X, W[:3], output_padding=1),
        ValueError,
        "output_padding=1; it must be below stride=1",
    ),
    (lambda: ad.conv_transpose2d(X, W[:3], padding=3), ValueError, r"\(0, 0\) entries would be left"),
    (lambda: ad.conv_transpose1d(X[0, :, 0], W[:3, :2, 0], np.ones(3)), ValueError, r"bias.*\(2,\)"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_what_does_not_fit_is_refused_with_a_repair(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert isinstance(caught.value, ad.errors.AutodiffError)
