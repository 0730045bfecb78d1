"""Borders: every mode of ``np.pad``, every form of its options."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

RNG = np.random.default_rng(5)
V, M, B = RNG.normal(size=4), RNG.normal(size=(3, 4)), RNG.normal(size=(2, 1, 3))
POINT, EMPTY, COMPLEX = np.array(2.5), np.zeros((0, 3)), M + 1j * M[::-1]
STATISTICS = ("maximum", "minimum", "mean", "median")

WIDTHS = [
    (V, 2),
    (V, np.array([1, 0])),
    (V, (13, 9)),  # more than there is
    (M, (1, 2)),
    (M, ((1, 2), (0, 3))),
    (M, ((1,), (2,))),
    (M, {1: (2, 1)}),
    (M, {-1: 1, 0: 5}),
    (M, {}),
    (B, ((1, 0), (2, 1), (0, 4))),
    (M[::-1, ::2].T, ((0, 0), (4, 1))),
    (POINT, 3),
]
OPTIONS = [
    *[
        ("constant", {"constant_values": c})
        for c in (0, 1.5, (1, 2), ((1, 2.5),), ((1,), (2,)), ((1, 2), (3, 4)), 1 + 0j)
    ],
    *[("linear_ramp", {"end_values": c}) for c in (1.5, (-1, 2), ((1,), (2,)), ((1, 2.5), (3, 4)))],
    *[(m, {"stat_length": c}) for m in STATISTICS for c in (None, 2, (1, 3), ((1,), (9,)), ((2, 1), (3, 2)))],
    *[(m, {"reflect_type": kind}) for m in ("reflect", "symmetric") for kind in ("even", "odd")],
]
MODES = ["constant", "edge", "linear_ramp", *STATISTICS, "reflect", "symmetric", "wrap"]


def shown(x):
    return f"{x.dtype}{list(x.shape)}" if isinstance(x, np.ndarray) and x.ndim > 1 else repr(x)


def assert_close(ours, theirs):
    assert isinstance(ours, ad.Tensor)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    tolerance = 1e-6 if theirs.dtype == np.float32 else 1e-14
    np.testing.assert_allclose(ours.data, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("x", "width"), WIDTHS, ids=shown)
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_with_every_form_of_width(mode, x, width):
    expected = np.pad(x, width, mode)
    np.testing.assert_array_equal(ad.pad(x, width, mode), expected)
    for pad in (ad.pad, np.pad):
        assert_close(pad(ad.Tensor(x), width, mode), expected)
    assert_close(ad.pad(ad.Tensor(x, dtype=np.float32), width, mode), np.pad(x.astype(np.float32), width, mode))
    check_gradients(lambda x: ad.pad(x, width, mode), x, order=1)


@pytest.mark.parametrize(("mode", "options"), OPTIONS, ids=repr)
def test_every_form_of_option(mode, options):
    width = ((2, 1), (4, 2))
    if isinstance(options.get("constant_values"), complex):
        expected = np.pad(COMPLEX, width, mode, **options)
        assert_close(ad.pad(ad.Tensor(COMPLEX), width, mode, **options), expected)
        return
    expected = np.pad(M, width, mode, **options)
    for pad in (ad.pad, np.pad):
        assert_close(pad(ad.Tensor(M), width, mode, **options), expected)
    check_gradients(lambda x: ad.pad(x, width, mode, **options), M)
    whole = ad.Tensor(np.arange(12).reshape(3, 4), requires_grad=False)
    assert_close(ad.pad(whole, width, mode, **options), np.pad(whole.data, width, mode, **options))


@pytest.mark.parametrize("mode", [m for m in MODES if m not in ("maximum", "minimum", "median")])
def test_complex_numbers(mode):
    assert_close(ad.pad(ad.Tensor(COMPLEX), (2, 5), mode), np.pad(COMPLEX, (2, 5), mode))
    check_gradients(lambda x: ad.pad(x, (2, 5), mode), COMPLEX)


@pytest.mark.parametrize("form", ["one", "two ends", "each axis", "each end", "nested"])
@pytest.mark.parametrize(("mode", "option"), [("constant", "constant_values"), ("linear_ramp", "end_values")])
def test_values_of_the_border_have_gradients(mode, option, form):
    given = {"one": POINT, "two ends": V[:2], "each axis": V[:2, None], "each end": M[:2, :2], "nested": V}[form]

    def f(x, c):
        return ad.pad(x, (2, 1), mode, **{option: [(c[0], 7), (c[1], c[2])] if form == "nested" else c})

    plain = [(given[0], 7), (given[1], given[2])] if form == "nested" else given
    expected = np.pad(M, (2, 1), mode, **{option: plain})
    assert_close(f(ad.Tensor(M), ad.Tensor(given)), expected)
    assert_close(f(M, ad.Tensor(given)), expected)
    check_gradients(f, M, given)
    single = f(ad.Tensor(M, dtype=np.float32), given)
    assert single.dtype == np.float32


@pytest.mark.parametrize("mode", MODES)
def test_nothing_to_pad(mode):
    t = ad.Tensor(EMPTY)
    assert_close(ad.pad(t, ((0, 0), (1, 2)), mode), np.pad(EMPTY, ((0, 0), (1, 2)), mode))
    if mode == "constant":
        assert_close(ad.pad(t, 1, constant_values=3), np.pad(EMPTY, 1, constant_values=3))
    else:
        for x in (t, EMPTY):
            with pytest.raises(ValueError, match="empty axis 0"):
                ad.pad(x, 1, mode)


@pytest.mark.parametrize(
    ("args", "options"),
    [
        ((M, -1), {}),
        ((M, (1, 2, 3)), {}),
        ((M, 1.5), {}),
        ((M, True), {}),
        ((M, {2: 1}), {}),
        ((M, 1, "mirror"), {}),
        ((M, 1, "edge"), {"constant_values": 1}),
        ((M, 1), {"end_values": 1}),
        ((M, 1, "maximum"), {"stat_length": 0}),
        ((M, 1, "mean"), {"stat_length": -1}),
        ((M, 1), {"constant_values": (1, 2, 3)}),
    ],
)
def test_bad_arguments_raise_what_numpy_raises(args, options):
    with pytest.raises((ValueError, TypeError, IndexError)) as theirs:
        np.pad(*args, **options)
    for x in (args[0], ad.Tensor(args[0])):
        with pytest.raises(theirs.type):
            ad.pad(x, *args[1:], **options)


def test_a_border_without_derivative_is_refused():
    for mode in ("empty", lambda vector, width, axis, options: None):
        with pytest.raises(ad.errors.UnsupportedError, match=r"whose border has no derivative. Use mode='constant'"):
            ad.pad(ad.Tensor(M), 1, mode)
    assert ad.pad(M, 1, "empty").shape == (5, 6)
