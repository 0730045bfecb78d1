"""Norms of every order, where they are smooth, where they are not, and where squares overflow."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

rng = np.random.default_rng(13)
inf = np.inf


def draw(*shape, dtype=float):
    x = rng.normal(size=shape) + (1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else 0)
    return (3 * x).astype(dtype)


VECTOR = [0, 0.5, 1, 1.5, 2, np.float64(2.5), 3, -0.5, -1, -2, inf, -inf]
MATRIX = [None, "f", "fro", "nuc", 1, -1, 2, -2, 2.0, inf, -inf]
FORMS = [
    *(("linalg.norm", (3,), {"ord": p}) for p in VECTOR),
    *(("linalg.norm", (2, 3, 2), {"ord": p, "axis": -2, "keepdims": True}) for p in VECTOR),
    *(("linalg.norm", (3, 2), {"ord": p}) for p in MATRIX),
    *(("linalg.norm", (2, 4, 3), {"ord": p, "axis": (-1, 0), "keepdims": True}) for p in MATRIX),
    ("linalg.norm", (), {}),
    ("linalg.norm", (2, 3, 2, 2), {}),
    ("linalg.norm", (2, 3), {"axis": (1,)}),
    ("linalg.norm", (0,), {}),
    ("linalg.norm", (0, 3), {"ord": 2}),
    ("linalg.norm", (2, 0, 3), {"ord": "nuc", "axis": (1, 2)}),
    ("linalg.norm", (0, 3), {"ord": inf, "axis": 0}),
    *(("linalg.vector_norm", (2, 3, 2), {"ord": p, "axis": (0, -1)}) for p in VECTOR),
    ("linalg.vector_norm", (2, 3), {"keepdims": True}),
    ("linalg.vector_norm", (2, 3), {"axis": ()}),
    ("linalg.vector_norm", (), {"ord": 3}),
    *(("linalg.matrix_norm", (2, 3, 3), {"ord": p, "keepdims": True}) for p in MATRIX[1:]),
    *(("linalg.cond", (2, 3, 3), {"p": p}) for p in MATRIX if p != "f"),
    ("linalg.cond", (3, 2), {}),
    ("linalg.cond", (0, 2, 2), {}),
]


def both(name):
    return getattr(np.linalg, name.removeprefix("linalg.")), getattr(ad.linalg, name.removeprefix("linalg."))


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize(("name", "shape", "options"), FORMS)
def test_values_and_gradients(name, shape, options):
    theirs, ours = both(name)
    for dtype in (float, complex, np.float32, int):
        x = draw(*shape, dtype=dtype)
        expected = theirs(x, **options)
        t = ad.Tensor(x, requires_grad=dtype is not int)
        for found in (ours(x, **options), ours(t, **options).data, theirs(t, **options).data):
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == expected.dtype
        if dtype in (float, complex):
            check_gradients(lambda x: ours(x, **options), x, order=2 if dtype is complex or len(shape) < 3 else 1)


ERRORS = [
    ("linalg.norm", (3,), {"ord": "fro"}),
    ("linalg.norm", (3,), {"ord": "x"}),
    ("linalg.norm", (2, 2), {"ord": 3}),
    ("linalg.norm", (2, 2), {"axis": (0, 0)}),
    ("linalg.norm", (2, 2), {"axis": 2}),
    ("linalg.norm", (2, 2), {"axis": [0, 1]}),
    ("linalg.norm", (2, 2, 2), {"ord": 2}),
    ("linalg.norm", (0,), {"ord": -inf}),
    ("linalg.vector_norm", (2, 2), {"axis": (0, 0)}),
    ("linalg.vector_norm", (2, 2), {"ord": "nuc"}),
    ("linalg.matrix_norm", (2,), {}),
    ("linalg.matrix_norm", (2, 2), {"ord": 0}),
    ("linalg.cond", (0, 0), {}),
    ("linalg.cond", (2, 3), {"p": 1}),
    ("linalg.cond", (2, 2), {"p": 7}),
]


@pytest.mark.parametrize(("name", "shape", "options"), ERRORS)
def test_errors_are_numpys(name, shape, options):
    theirs, ours = both(name)
    x = draw(*shape)
    with pytest.raises((ValueError, TypeError)) as expected:
        theirs(x, **options)
    for given in (x, ad.Tensor(x)):
        with pytest.raises(expected.type):
            ours(given, **options)


ORDERS = [None, 0, 0.5, 1, 1.5, 2, 3, -1, -2, inf, -inf]


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize("ord", ORDERS)
@pytest.mark.parametrize("dtype", [float, complex])
def test_nothing_is_not_a_number_at_zero(ord, dtype):
    f = lambda x: ad.norm(x, ord)  # noqa: E731
    x, v = np.zeros(3, dtype), np.arange(3).astype(dtype)
    np.testing.assert_array_equal(ad.grad(f)(x), np.zeros(3))
    np.testing.assert_array_equal(ad.jvp(f, (x,), (v,))[1], 0)
    for derivative in (ad.grad(f), lambda x: ad.jvp(f, (x,), (v,))[1]):
        np.testing.assert_array_equal(ad.jvp(derivative, (x,), (v,))[1], 0)
        y, pull = ad.vjp(derivative, x)
        np.testing.assert_array_equal(pull(np.ones_like(y))[0], 0)


@pytest.mark.parametrize("ord", MATRIX)
def test_nothing_is_not_a_number_at_the_zero_matrix(ord):
    f = lambda x: ad.norm(x, ord, axis=(0, 1))  # noqa: E731
    np.testing.assert_array_equal(ad.grad(f)(np.zeros((2, 3))), np.zeros((2, 3)))
    np.testing.assert_array_equal(ad.hessian(f)(np.zeros((2, 3))), np.zeros((2, 3, 2, 3)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("size", [1e-200, 1e-160, 1e160, 1e200])
@pytest.mark.parametrize("ord", ORDERS)
def test_the_slope_does_not_depend_on_the_scale(ord, size):
    f = lambda x: ad.norm(x, ord)  # noqa: E731
    x = np.array([3.0, -4.0])
    np.testing.assert_allclose(ad.grad(f)(size * x), ad.grad(f)(x), rtol=1e-13)
    np.testing.assert_allclose(ad.jvp(f, (size * x,), (x,))[1], ad.jvp(f, (x,), (x,))[1], rtol=1e-13)
    np.testing.assert_allclose(ad.hessian(f)(size * x) * size, ad.hessian(f)(x), rtol=1e-12, atol=1e-16)


def test_the_slope_of_tiny_numbers_in_single_precision():
    x = np.float32([3e-30, -4e-30])
    for f in (ad.norm, ad.vector_norm):
        np.testing.assert_allclose(ad.grad(f)(x), np.float32([0.6, -0.8]))


def test_entries_of_very_different_size():
    np.testing.assert_allclose(ad.grad(ad.norm)(np.array([1e-300, 1.0, 1e-200])), [1e-300, 1, 1e-200])
    c = ad.grad(lambda x: ad.norm(x, 3))(np.array([1e-100, 1.0]))
    np.testing.assert_allclose(c, [1e-200, 1])


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_an_entry_that_is_zero_beside_others():
    x = np.array([0.0, 3.0, -4.0])
    for ord, expected in [(1, [0, 1, -1]), (2, [0, 0.6, -0.8]), (-1, [0, 0, 0]), (0, [0, 0, 0])]:
        np.testing.assert_allclose(ad.grad(lambda x, p=ord: ad.norm(x, p))(x), expected)
    assert ad.grad(lambda x: ad.norm(x, 0.5))(x)[0] == 0  # a cusp
    hessian = ad.hessian(lambda x: ad.norm(x, 1.5))(x)
    assert hessian[0, 0] == inf  # a kink of the slope, as that of a square root
    assert np.all(np.isfinite(hessian[1:]))


TIES = [
    (np.eye(3), 2, np.eye(3) / 3),
    (np.eye(3), -2, np.eye(3) / 3),
    (np.eye(3), "nuc", np.eye(3)),
    (np.eye(2), 1, np.eye(2) / 2),
    (np.eye(2), -inf, np.eye(2) / 2),
    (np.ones((3, 3)), "nuc", np.ones((3, 3)) / 3),  # the singular values that are 0 take no part
    (np.ones((3, 3)), -2, np.zeros((3, 3))),  # the kink of an absolute value
    (np.diag([3.0, 1.0, 1.0]), 2, np.diag([1.0, 0.0, 0.0])),
    (np.diag([3.0, 3.0, 1.0]), 2, np.diag([0.5, 0.5, 0.0])),
    (np.diag([3.0, 1.0, -1.0]), -2, np.diag([0.0, 0.5, -0.5])),
    (np.array([[1.0, -2.0], [-3.0, 2.0]]), 1, np.array([[0.5, -0.5], [-0.5, 0.5]])),
    (np.array([[1.0, -2.0], [-3.0, 0.0]]), inf, np.array([[0.5, -0.5], [-0.5, 0.0]])),
]


@pytest.mark.parametrize(("x", "ord", "expected"), TIES)
def test_ties_share_the_derivative(x, ord, expected):
    f = lambda x: ad.norm(x, ord)  # noqa: E731
    np.testing.assert_allclose(ad.grad(f)(x), expected, atol=1e-15)
    assert np.all(np.isfinite(ad.hessian(f)(x)))


def test_a_turned_matrix_ties_though_rounding_parts_its_singular_values():
    q, _ = np.linalg.qr(draw(4, 4))
    np.testing.assert_allclose(ad.grad(lambda x: ad.norm(x, 2))(q), q / 4, atol=1e-14)


def test_values_that_tie_beside_the_largest_leave_its_curvature_right():
    check_gradients(lambda x: ad.norm(x, 2), np.diag([3.0, 1.0, 1.0]))
    check_gradients(lambda x: ad.norm(x, -2), np.diag([3.0, 3.0, 1.0]))
    check_gradients(lambda x: ad.norm(x, "nuc"), np.diag([2.0, 2.0, 1.0]) + np.eye(3, k=1))


@pytest.mark.parametrize("p", [1, -1, inf, "fro"])
def test_the_condition_number_of_a_singular_matrix_has_no_derivative(p):
    x = np.stack([np.diag([1.0, 0.0]), np.array([[1.0, 2.0], [3.0, 4.0]])])
    assert np.all(np.isnan(ad.grad(lambda x: ad.cond(x, p)[0])(x)[0]))
    only = ad.grad(lambda x: ad.cond(x, p)[1])(x)
    np.testing.assert_allclose(only[1], ad.grad(lambda x: ad.cond(x, p))(x[1]))
    np.testing.assert_array_equal(only[0], 0)


def test_the_condition_number_in_the_nuclear_norm_of_a_singular_matrix_raises_as_in_numpy():
    with pytest.raises(np.linalg.LinAlgError):
        ad.cond(ad.Tensor(np.diag([1.0, 0.0])), "nuc")


def test_the_condition_number_of_a_matrix_that_is_nearly_singular():
    for p in (None, 2, 1):
        np.testing.assert_allclose(
            ad.grad(lambda x, p=p: ad.cond(x, p))(np.diag([1, 1e-17])), np.diag([1e17, -1e34]), rtol=1e-10
        )


def test_a_row_that_is_not_used_spoils_nothing():
    x = np.array([[np.nan, 1.0], [inf, 2.0], [3.0, 4.0]])
    for ord, expected in [(2, [0.6, 0.8]), (1, [1, 1]), (inf, [0, 1])]:
        c = ad.grad(lambda x, p=ord: ad.norm(x, p, axis=1)[2])(x)
        np.testing.assert_allclose(c, [[0, 0], [0, 0], expected])


def test_as_methods_and_of_numbers():
    t = ad.Tensor(np.array([3.0, 4.0]))
    assert t.norm().item() == t.norm(ord=2).item() == t.vector_norm().item() == 5
    x = ad.Value(-3.0)
    ad.norm(x).backward()
    assert x.grad == -1
