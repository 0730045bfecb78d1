"""``ad.fft`` is ``np.fft`` with derivatives: every argument form, both parities of the length, all errors."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

ALONG_ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
ALONG_MANY = [f"{name}{n}" for name in ("fft", "ifft", "rfft", "irfft") for n in ("2", "n")]
REAL_ONLY = ("rfft", "ihfft", "rfft2", "rfftn")

ONE = [
    {},
    {"n": 3},
    {"n": 4},
    {"n": 9},
    {"n": 10},
    {"n": 1},
    {"axis": 0},
    {"axis": -2, "n": 4},
    {"norm": "ortho"},
    {"norm": "forward", "n": 5},
    {"norm": "backward", "axis": 1},
]
MANY = [
    {},
    {"axes": (0, 1)},
    {"axes": (-1, 0), "norm": "ortho"},
    {"axes": [1]},
    {"axes": (1, 1)},
    {"s": (2, 7), "axes": (1, 2)},
    {"s": (5, 4), "axes": (2, 0), "norm": "forward"},
    {"s": (-1, 6), "axes": (0, 1)},
]


def points(name, rng):
    x = rng.normal(size=(3, 4, 5))
    return [x] if name in REAL_ONLY else [x, x[::-1, :, ::2] * (1 - 0.5j) + 1j * rng.normal(size=(3, 4, 3))]


def check(name, options, rng, *position):
    for x in points(name, rng):
        expected = getattr(np.fft, name)(x, *position, **options)
        for dtype in (
            x.dtype,
            np.dtype(x.dtype.char.lower().replace("d", "f")) if x.dtype.kind == "f" else np.complex64,
        ):
            found = getattr(ad.fft, name)(x.astype(dtype), *position, **options)
            theirs = getattr(np.fft, name)(x.astype(dtype), *position, **options)
            assert found.dtype == theirs.dtype
            np.testing.assert_array_equal(found, theirs)
        through_numpy = getattr(np.fft, name)(ad.Tensor(x), *position, **options)
        assert isinstance(through_numpy, ad.Tensor)
        np.testing.assert_array_equal(through_numpy.data, expected)


@pytest.mark.parametrize("name", ALONG_ONE)
@pytest.mark.parametrize("options", ONE, ids=str)
def test_values_along_one_axis(name, options, rng):
    check(name, options, rng)


@pytest.mark.parametrize("name", ALONG_MANY)
@pytest.mark.parametrize("options", MANY, ids=str)
def test_values_along_many_axes(name, options, rng):
    check(name, options, rng)


@pytest.mark.parametrize("name", ALONG_ONE + ALONG_MANY)
def test_options_by_position_lists_and_whole_numbers(name, rng):
    ours, theirs = getattr(ad.fft, name), getattr(np.fft, name)
    position = (4, 0, "ortho") if name in ALONG_ONE else ((4, 3), (0, 1), "ortho")
    check(name, {}, rng, *position)
    np.testing.assert_array_equal(ours([[1.0, 2.0], [3.0, -4.0]]), theirs([[1.0, 2.0], [3.0, -4.0]]))
    whole = ad.Tensor(np.arange(6).reshape(2, 3), requires_grad=False)
    assert ours(whole).dtype == theirs(whole.data).dtype
    assert not ours(whole).requires_grad
    np.testing.assert_array_equal(theirs(a=ad.Tensor([[1.0, 2.0]])).data, theirs([[1.0, 2.0]]))


@pytest.mark.parametrize("name", ALONG_ONE + ALONG_MANY)
def test_gradients(name, rng):
    ours = getattr(ad.fft, name)
    forms = ONE[:7:2] if name in ALONG_ONE else MANY[3::2]
    for x in points(name, rng):
        for options in forms:
            check_gradients(lambda x, o=options: ours(x, **o), x[:2, :, :4], order=2 if options == forms[-1] else 1)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_hermitian_transforms_ignore_what_has_no_counterpart(n, length, rng):
    x = rng.normal(size=length) + 1j * rng.normal(size=length)
    for transform in (ad.fft.irfft, ad.fft.hfft):
        check_gradients(lambda x, f=transform: f(x, n), x)
        c = ad.grad(lambda x, f=transform: (f(x, n) ** 2).sum())(x)
        assert c[0].imag == 0  # the constant part is real
        if n % 2 == 0 and length > n // 2:
            assert c[n // 2].imag == pytest.approx(0, abs=1e-14)  # so is the highest frequency
        assert not np.any(c[n // 2 + 1 :])  # and what lies beyond is not seen


def test_the_gradient_of_a_real_signal_is_real(rng):
    x = ad.Tensor(rng.normal(size=5).astype("f4"))
    power = ad.absolute(ad.fft.fft(x)) ** 2
    power.sum().backward()
    assert x.grad.dtype == np.float32
    np.testing.assert_allclose(x.grad, 2 * 5 * x.data, rtol=1e-5)  # Parseval


INVERSES = [("fft", "ifft"), ("rfft", "irfft"), ("fft2", "ifft2"), ("rfftn", "irfftn"), ("ihfft", "hfft")]


@pytest.mark.parametrize(("there", "back"), INVERSES)
def test_inverses_undo(there, back, rng):
    x = rng.normal(size=(4, 6))

    def again(x):
        return getattr(ad.fft, back)(getattr(ad.fft, there)(x))

    np.testing.assert_allclose(again(ad.Tensor(x)).data, x, atol=1e-14)
    np.testing.assert_allclose(ad.jvp(again, (x,), (x,))[1], x, atol=1e-14)


def test_convolution_theorem(rng):
    a, b = rng.normal(size=7), rng.normal(size=7)
    check_gradients(lambda a, b: ad.fft.irfft(ad.fft.rfft(a) * ad.fft.rfft(b), 7), a, b)


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
@pytest.mark.parametrize("axes", [None, 0, (0, -1), [1]])
def test_shifts(name, axes, rng):
    x = rng.normal(size=(3, 4))
    expected = getattr(np.fft, name)(x, axes)
    np.testing.assert_array_equal(getattr(ad.fft, name)(x, axes), expected)
    np.testing.assert_array_equal(getattr(np.fft, name)(ad.Tensor(x), axes=axes).data, expected)


def test_frequencies():
    np.testing.assert_array_equal(ad.fft.fftfreq(5, 0.1), np.fft.fftfreq(5, 0.1))
    np.testing.assert_array_equal(ad.fft.rfftfreq(6), np.fft.rfftfreq(6))
    assert ad.grad(lambda d: ad.fft.fftfreq(4, d)[1])(0.5) == -1  # 1 / (4 d)


@pytest.mark.parametrize("name", ALONG_ONE + ALONG_MANY)
def test_errors_are_those_of_numpy(name):
    x = np.ones((3, 4))
    bad = [{"norm": "none"}]
    if name in ALONG_ONE:
        bad += [{"n": 0}, {"n": -1}, {"axis": 5}, {"axis": 2, "n": 4}]
    else:
        bad += [{"s": (2,), "axes": (0, 1)}, {"axes": (5,)}, {"axes": (7,), "s": (2,)}, {"s": (0,), "axes": (0,)}]
    for options in bad:
        with pytest.raises(Exception) as theirs:
            getattr(np.fft, name)(x, **options)
        with pytest.raises(type(theirs.value)):
            getattr(ad.fft, name)(ad.Tensor(x), **options)
    with pytest.raises(IndexError):
        getattr(ad.fft, name)(1.0, **({} if name in ALONG_ONE else {"axes": (0,)}))
    with pytest.raises(TypeError, match="out="):
        getattr(ad.fft, name)(ad.Tensor(x), out=np.empty((3, 4), complex))
    if name in REAL_ONLY:
        with pytest.raises(TypeError):
            getattr(ad.fft, name)(ad.Tensor(x * 1j))


@pytest.mark.parametrize("options", [{"s": (2, 3)}, {"s": (None, 3), "axes": (0, 1)}])
def test_what_numpy_deprecates(options):
    x = np.arange(12.0).reshape(3, 4)
    with pytest.warns(DeprecationWarning, match="NumPy 2.0"):
        expected = np.fft.fftn(x, **options)
    with pytest.warns(DeprecationWarning, match="NumPy 2.0"):
        np.testing.assert_array_equal(ad.fft.fftn(x, **options), expected)


def test_nothing_to_transform():
    assert np.array_equal(ad.fft.irfft(np.zeros(0), 4), np.zeros(4))
    assert np.array_equal(ad.grad(lambda x: ad.fft.irfft(x, 4).sum())(np.zeros((2, 0))), np.zeros((2, 0)))
    x = ad.Tensor([1.0, 2.0])
    assert ad.fft.fftn(x, axes=()) is x
    assert isinstance(ad.fft.fftn([1.0, 2.0], axes=()), np.ndarray)
