"""Derivatives of grids, interpolation and polynomials."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

rng = np.random.default_rng(1)
A, B = rng.uniform(0.5, 2, (2, 1)), rng.uniform(0.5, 2, 3)
P, Q = rng.normal(size=4), rng.normal(size=2)
C = P + 1j * P[::-1]
KNOTS, HEIGHTS = np.array([0.0, 1.0, 2.0, 4.0]), np.array([1.0, 3.0, 4.0, 0.0])
AT = np.array([[0.3, 1.2], [2.7, -1.0], [3.9, 5.0]])

GRADIENTS = {
    "linspace": (lambda a, b: ad.linspace(a, b, 5, axis=1), A, B),
    "linspace with step": (lambda a, b: ad.linspace(a, b, 4, endpoint=False, retstep=True), C, 2.0),
    "linspace of one": (lambda a, b: ad.linspace(a, b, 1), A, B),
    "logspace": (lambda a, b, c: ad.logspace(a, b, 4, base=c, axis=-1), A, B, B + 1),
    "logspace complex": (lambda a: ad.logspace(a, 2, 3, base=2.5 + 1j), C),
    "geomspace": (lambda a, b: ad.geomspace(a, b, 5, axis=1), A, B),
    "geomspace below 0": (lambda a, b: ad.geomspace(-a, -b, 3, endpoint=False), 1.5, B),
    "geomspace complex": (lambda a, b: ad.geomspace(a, b, 4), C, 2.0),
    "meshgrid": (ad.meshgrid, P, Q),
    "meshgrid of three": (lambda a, b, c: ad.meshgrid(a, b, c, indexing="ij"), C, Q, 1.0),
    "meshgrid sparse": (lambda a, b: ad.meshgrid(a, b, sparse=True), P, Q),
    "vander": (ad.vander, np.array([0.0, 1.0, -2.0])),
    "vander rising": (lambda x: ad.vander(x, 5, increasing=True), C),
    "interp": (ad.interp, AT, KNOTS, HEIGHTS),
    "interp with ends": (lambda *args: ad.interp(*args[:3], left=args[3], right=args[4]), AT, KNOTS, C, 1j, 2.0),
    "interp periodic": (lambda *args: ad.interp(*args[:3], period=args[3]), AT, KNOTS + 0.1, HEIGHTS, 4.5),
    "interp of one": (ad.interp, 0.7, np.array([0.5]), np.array([2.0])),
    "polyval": (ad.polyval, P, rng.normal(size=(2, 2))),
    "polyval complex": (ad.polyval, C, C[:2]),
    "polyadd": (ad.polyadd, P, Q),
    "polysub": (ad.polysub, Q, C),
    "polymul": (ad.polymul, P, C),
    "polyder": (lambda p: ad.polyder(p, 2), C),
    "polyint": (lambda p, k: ad.polyint(p, 2, k), C, Q),
    "polyint of one constant": (lambda p, k: ad.polyint(p, 2, k), P, 1.5),
    "polydiv": (ad.polydiv, P, Q),
    "polydiv by more": (ad.polydiv, Q, C),
    "poly": (ad.poly, P),
    "poly complex": (ad.poly, C),
    "roots": (lambda p: ad.roots(ad.exp(p)), P),
}


@pytest.mark.parametrize(("f", "args"), [(f, args) for f, *args in GRADIENTS.values()], ids=list(GRADIENTS))
def test_gradients(f, args):
    check_gradients(f, *args)


@pytest.mark.parametrize(
    ("x", "slope"),
    [(0.5, 2.0), (1.0, 1.0), (2.0, 0.0), (3.0, -2.0), (0.0, 0.0), (4.0, 0.0), (-1.0, 0.0), (9.0, 0.0)],
)
def test_interp_has_the_flatter_slope_at_a_knot(x, slope):
    """So does its translation: what x gets the knot gets with the other sign."""
    assert ad.grad(lambda x: ad.interp(x, KNOTS, HEIGHTS))(x) == slope
    moved = ad.grad(lambda d: ad.interp(x, KNOTS + d, HEIGHTS))(0.0)
    assert moved == pytest.approx(-slope)
    np.testing.assert_allclose(ad.grad(lambda y: ad.interp(x, KNOTS, y))(HEIGHTS).sum(), 1)


def test_interp_at_jumps_and_infinite_heights():
    jump = np.array([0.0, 1.0, 1.0, 2.0])
    for x in (0.5, 1.0, 1.5):
        for c in ad.grad(ad.interp, argnums=(0, 1, 2))(x, jump, HEIGHTS):
            assert np.all(np.isfinite(c))
    x = ad.Tensor([0.5, 2.5])
    ad.interp(x, KNOTS, np.array([1.0, 2.0, 3.0, np.inf])).backward(np.array([1.0, 0.0]))
    assert x.grad.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("f", "dtype"),
    [
        (lambda x: ad.linspace(x, 2.0, 3), "float32"),
        (lambda x: ad.linspace(0, x, 3, dtype=complex), "complex128"),
        (lambda x: ad.logspace(x, 1, 3), "float32"),
        (lambda x: ad.geomspace(x, 2.0, 3), "float64"),
        (lambda x: ad.geomspace(x, np.float32(2), 3, dtype="float32"), "float32"),
        (lambda x: ad.meshgrid(x, [1, 2])[0], "float32"),
        (lambda x: ad.interp(x, [0, 2], [1, 2]), "float64"),
        (lambda x: ad.polyval(np.ones(2, "f4"), x), "float32"),
        (lambda x: ad.vander(x.reshape(1), 3), "float64"),
    ],
)
def test_dtypes_are_numpys_and_the_gradient_is_of_the_dtype_of_the_leaf(f, dtype):
    x = ad.Tensor(1.5, dtype=np.float32)
    y = f(x)
    assert y.dtype == dtype
    y.real.sum().backward()
    assert x.grad.dtype == np.float32


def test_whole_numbers_are_not_tracked():
    y = ad.linspace(ad.Tensor(-0.5), 3, 5, dtype=int)
    assert y.tolist() == np.linspace(-0.5, 3, 5, dtype=int).tolist()
    assert not y.requires_grad


def test_single_numbers_of_other_kinds():
    v = ad.Value(2.0)
    (ad.linspace(0.0, v, 3)[1] + ad.polyval([1.0, 0.0, 0.0], v)).backward()
    assert v.grad == 4.5


def test_meshgrid_copies_what_is_plain():
    a = np.arange(3.0)
    for x in ad.meshgrid(a, a):
        x[...] = 0
    assert a.tolist() == [0, 1, 2]


def test_roots_know_their_slope_unless_they_are_repeated():
    p = ad.Tensor([1.0, -3.0, 2.0])
    y = ad.roots(p)
    y[0].backward()
    np.testing.assert_allclose(p.grad, [-4, -2, -1])
    p = ad.Tensor([1.0, -2.0, 1.0])
    ad.roots(p).sum().backward()
    assert not np.any(np.isfinite(p.grad))


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (lambda x: ad.linspace(x, 1, 2, device="gpu"), ValueError, "CPU"),
        (lambda x: ad.geomspace(x, 1.0), ValueError, "zero"),
        (lambda x: ad.meshgrid(x, indexing="yx"), ValueError, "indexing"),
        (lambda x: ad.vander(x), ValueError, "one axis"),
        (lambda x: ad.interp(x, [], []), ValueError, "empty"),
        (lambda x: ad.interp(x, [1.0], [1.0, 2.0]), ValueError, "same length"),
        (lambda x: ad.interp(x, [[1.0]], [[1.0]]), ValueError, "one axis"),
        (lambda x: ad.interp(x, [1.0], [1.0], period=0), ValueError, "non-zero"),
        (lambda x: ad.interp(x, [1j], [1.0]), TypeError, "safe"),
        (lambda x: ad.poly(x.reshape(1, 1)), TypeError, "eigenvalues"),
        (lambda x: ad.polymul(x.reshape(1, 1), 1.0), ValueError, "1d"),
        (lambda x: ad.polyder([x.item()], -1), ValueError, "positive"),
        (lambda x: ad.polyint([x.item()], 2, [1.0, 2.0][:0]), ValueError, "k must be"),
    ],
)
def test_errors(f, error, message):
    with pytest.raises(error, match=message):
        f(ad.Tensor(0.0))
