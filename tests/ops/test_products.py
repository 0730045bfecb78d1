"""Products of arrays, as NumPy has them: values, dtypes, errors and gradients over many forms of arguments."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

rng = np.random.default_rng(11)


def draw(*shape, dtype=float):
    x = rng.normal(size=shape)
    if np.dtype(dtype).kind == "c":
        return (x + 1j * rng.normal(size=shape)).astype(dtype)
    return (x > 0).astype(dtype) if dtype is bool else (3 * x).astype(dtype)


def both(name):
    """NumPy's function of this name, and ours."""
    theirs, ours = np, ad
    for part in name.split("."):
        theirs, ours = getattr(theirs, part), getattr(ours, part)
    return theirs, ours


SHAPES = {
    "dot": [((), (2, 3)), ((3,), (3,)), ((2, 3), (3,)), ((4, 2, 3), (3, 5)), ((2, 3), (4, 3, 2)), ((2, 0), (3, 0, 2))],
    "inner": [((), (2,)), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 2, 3)), ((2, 0), (3, 0))],
    "vdot": [((), ()), ((2, 3), (3, 2)), ((0,), (0, 2))],
    "outer": [((), ()), ((2, 3), (4,)), ((0,), (2,))],
    "matmul": [((3,), (3,)), ((5, 1, 2, 3), (4, 3, 2)), ((3,), (2, 3, 1)), ((2, 0), (0, 3))],
    "matvec": [((2, 3), (3,)), ((4, 1, 2, 3), (5, 3)), ((2, 3), (0, 3))],
    "vecmat": [((3,), (3, 2)), ((5, 3), (4, 1, 3, 2))],
    "vecdot": [((3,), (3,)), ((2, 1, 3), (4, 3)), ((2, 0), (0,))],
    "kron": [((), (2,)), ((2,), (3,)), ((2, 3), (2,)), ((2, 1, 3), (3, 2)), ((0, 2), (2, 2))],
    "linalg.outer": [((3,), (2,)), ((0,), (2,))],
    "linalg.matmul": [((2, 3), (3, 2))],
    "linalg.vecdot": [((2, 3), (3,))],
    "linalg.cross": [((3,), (2, 3)), ((4, 3), (1, 3))],
    "cross": [((3,), (2, 3)), ((4, 1, 3), (5, 3)), ((0, 3), (3,))],
    "tensordot": [((2, 3, 4), (3, 4, 2)), ((2, 0), (2, 0))],
    "linalg.tensordot": [((3, 2), (3, 2))],
}
FORMS = [(name, a, b) for name, pairs in SHAPES.items() for a, b in pairs]
KINDS = [(float, float), (complex, complex), (float, complex), (np.float32, float), (np.float32, int), (bool, float)]


@pytest.mark.parametrize(("name", "a", "b"), FORMS)
def test_values_and_dtypes_are_numpys(name, a, b):
    theirs, ours = both(name)
    for kind_a, kind_b in [*KINDS, (int, int), (np.complex64, np.float32)]:
        x, y = draw(*a, dtype=kind_a), draw(*b, dtype=kind_b)
        expected = theirs(x, y)
        s, t = ad.Tensor(x, requires_grad=False), ad.Tensor(y, requires_grad=y.dtype.kind in "fc")
        as_list = x.tolist() if x.size else x
        for found in (ours(x, y), ours(s, t).data, theirs(x, t).data, ours(as_list, t).data):
            assert found.shape == expected.shape
            np.testing.assert_allclose(found, expected, rtol=1e-5)
        assert ours(s, t).dtype == ours(x, y).dtype == expected.dtype


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("name", "a", "b"), FORMS)
def test_gradients(name, a, b):
    _, ours = both(name)
    check_gradients(ours, draw(*a, dtype=complex), draw(*b, dtype=complex))
    check_gradients(ours, draw(*a), draw(*b, dtype=complex), order=1)


def test_single_precision_stays_single():
    t = ad.Tensor(draw(3, 3, dtype=np.float32))
    for name in SHAPES:
        s, (_, f) = t[0] if name == "linalg.outer" else t, both(name)
        y, pull = ad.vjp(f, s.data, s.data)
        c, _ = pull(np.ones_like(y))
        assert y.dtype == c.dtype == np.float32


OPTIONS = [
    ("vecdot", (3, 2), (3, 4), {"axis": 0}, (3, 1, 4), (3, 4)),
    ("vecdot", (2, 3, 4), (3, 1), {"axis": -2, "keepdims": True}, (2, 3, 4), (3, 1)),
    ("vecdot", (3,), (3,), {"dtype": complex}, (3,), (3,)),
    ("linalg.vecdot", (3,), (3,), {"axis": 0}, (3, 2), (3, 2)),
    ("matmul", (3,), (3,), {"dtype": complex}, (2, 3), (3,)),
    ("tensordot", (), (), {"axes": 0}, (2, 3), (2,)),
    ("tensordot", (), (), {"axes": 1}, (2, 3), (3, 4)),
    ("tensordot", (), (), {"axes": ([0, -1], [1, 0])}, (2, 4, 3), (3, 2)),
    ("tensordot", (), (), {"axes": (1, 0)}, (2, 3), (3,)),
    ("tensordot", (), (), {"axes": ([], [])}, (2,), (3,)),
    ("tensordot", (), (), {"axes": -1}, (2,), (3,)),
    ("linalg.tensordot", (), (), {"axes": ((0,), (0,))}, (2, 3), (2, 3)),
    ("cross", (), (), {"axis": 0}, (3, 2), (3, 2)),
    ("cross", (), (), {"axisa": 0, "axisb": 1, "axisc": 0}, (3, 2), (2, 3)),
    ("linalg.cross", (), (), {"axis": 0}, (3, 2), (3, 1)),
]


@pytest.mark.parametrize(("name", "_", "__", "options", "a", "b"), OPTIONS)
def test_options(name, _, __, options, a, b):
    theirs, ours = both(name)
    x, y = draw(*a), draw(*b)
    expected = theirs(x, y, **options)
    for found in (
        ours(x, y, **options),
        ours(ad.Tensor(x), y, **options).data,
        theirs(x, ad.Tensor(y), **options).data,
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
    check_gradients(lambda x, y: ours(x, y, **options), x, y)


@pytest.mark.parametrize(("a", "b"), [((2,), (2,)), ((4, 2), (3,)), ((3,), (4, 2)), ((1, 2), (5, 2))])
def test_cross_of_vectors_of_two_warns_as_numpy_does(a, b):
    x, y = draw(*a), draw(*b)
    with pytest.warns(DeprecationWarning, match="two"):
        found = ad.cross(ad.Tensor(x), y)
    with pytest.warns(DeprecationWarning, match="2-dimensional"):
        expected = np.cross(x, y)
    np.testing.assert_allclose(found.data, expected)
    with pytest.warns(DeprecationWarning, match="two"):
        check_gradients(ad.cross, x, y)


CHAINS = [
    [(2, 3), (3, 4)],
    [(3,), (4, 3, 2)],
    [(2, 3), (3, 4), (4, 1)],
    [(3,), (3, 4), (4,)],
    [(2, 9), (9, 1), (1, 8), (8, 2)],
    [(9,), (9, 2), (2, 8), (8, 2), (2, 3)],
    [(2, 3), (3, 0), (0, 4)],
]


@pytest.mark.parametrize("shapes", CHAINS, ids=str)
def test_multi_dot(shapes):
    arrays = [draw(*shape) for shape in shapes]
    expected = np.linalg.multi_dot(arrays)
    for found in (ad.multi_dot(arrays), np.linalg.multi_dot([ad.Tensor(arrays[0]), *arrays[1:]]).data):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        assert found.shape == expected.shape
    check_gradients(lambda *arrays: ad.linalg.multi_dot(arrays), *arrays)


@pytest.mark.parametrize("options", [{}, {"offset": 1}, {"offset": -2}])
@pytest.mark.parametrize("name", ["linalg.trace", "linalg.diagonal"])
def test_traces_and_diagonals_of_the_last_two_axes(name, options):
    theirs, ours = both(name)
    x = draw(2, 3, 4)
    np.testing.assert_allclose(ours(ad.Tensor(x), **options).data, theirs(x, **options))
    np.testing.assert_allclose(theirs(ad.Tensor(x), **options).data, theirs(x, **options))
    check_gradients(lambda x: ours(x, **options), x)


ERRORS = [
    ("dot", [(2, 3), (2, 3)], {}),
    ("inner", [(2, 3), (2,)], {}),
    ("vdot", [(2, 3), (5,)], {}),
    ("vecdot", [(2, 3), (2,)], {}),
    ("vecdot", [(3,), (3,)], {"axis": 1}),
    ("matvec", [(3,), (3,)], {}),
    ("vecmat", [(3,), (3,)], {}),
    ("matmul", [(), (3,)], {}),
    ("matmul", [(2, 2, 3), (3, 3, 2)], {}),
    ("tensordot", [(2, 3), (3, 2)], {}),
    ("tensordot", [(2, 3), (2, 3)], {"axes": 1}),
    ("tensordot", [(2, 2), (2, 2)], {"axes": ([0, 0], [0, 1])}),
    ("tensordot", [(2, 2), (2, 2)], {"axes": ([0, -2], [0, 1])}),
    ("tensordot", [(2,), (2,)], {"axes": ([0], [0, 1])}),
    ("tensordot", [(2,), (2,)], {"axes": 3}),
    ("tensordot", [(2,), (2,)], {"axes": 1.5}),
    ("cross", [(), (3,)], {}),
    ("cross", [(3,), (4,)], {}),
    ("cross", [(3,), (3,)], {"axisa": 1}),
    ("cross", [(2, 3), (2, 3)], {"axisc": 2}),
    ("linalg.cross", [(2,), (3,)], {}),
    ("linalg.cross", [(3,), (3,)], {"axis": 2}),
    ("linalg.outer", [(2, 2), (3,)], {}),
    ("linalg.trace", [(3,)], {}),
    ("linalg.diagonal", [(3,)], {}),
]


@pytest.mark.parametrize(("name", "shapes", "options"), ERRORS)
def test_errors_are_numpys(name, shapes, options):
    theirs, ours = both(name)
    arrays = [draw(*shape) for shape in shapes]
    with pytest.raises(Exception) as expected:
        theirs(*arrays, **options)
    for given in (arrays, [ad.Tensor(a) for a in arrays]):
        with pytest.raises(expected.type):
            ours(*given, **options)


@pytest.mark.parametrize(
    "shapes", [[(2, 2)], [(2, 2), (2, 2, 2), (2, 2)], [(2, 2), (), (2, 2)], [(2, 2), (3, 2), (2, 2)]]
)
def test_errors_of_multi_dot(shapes):
    arrays = [draw(*shape) for shape in shapes]
    with pytest.raises(ValueError) as expected:
        np.linalg.multi_dot(arrays)
    with pytest.raises(expected.type):
        ad.linalg.multi_dot([ad.Tensor(a) for a in arrays])


@pytest.mark.parametrize("name", ["dot", "outer", "matmul", "vecdot"])
def test_out_is_refused(name):
    with pytest.raises(TypeError, match=f"{name} got out="):
        both(name)[1](ad.Tensor(draw(2)), draw(2), out=np.zeros(2))


@pytest.mark.parametrize("options", [{"axes": [(-2, -1), (-1, -2), (-2, -1)]}, {"axis": 0}, {"keepdims": True}])
def test_what_a_generalised_ufunc_takes_beyond_is_refused(options):
    t = ad.Tensor(draw(2, 2))
    with pytest.raises(TypeError, match=f"matmul got the keyword {next(iter(options))}="):
        np.matmul(t, t, **options)


def test_numbers():
    x = ad.Value(3.0)
    assert ad.dot(x, 2.0).data == ad.outer(x, 2.0).item() == ad.inner(2.0, x).data == 6.0
    y = ad.dot(np.array([1.0, 2.0]), x)
    y.sum().backward()
    assert x.grad == 3.0
    with pytest.raises(ValueError, match="Use \\* instead"):
        ad.matmul(x, 2.0)


def test_conjugates_are_those_of_steepest_ascent():
    a, b = draw(3, dtype=complex), draw(3, dtype=complex)
    y, pull = ad.vjp(ad.vecdot, a, b)
    assert y == pytest.approx(np.sum(a.conj() * b))
    for pulled, expected in zip(pull(np.array(1j)), (-1j * b, 1j * a), strict=True):
        np.testing.assert_allclose(pulled, expected)
    np.testing.assert_allclose(ad.vjp(ad.dot, a, b)[1](np.array(1j))[0], 1j * b.conj())


X = draw(3, 2)
UNUSED = {
    "matmul": lambda x: (x @ np.ones((2, 2)))[::2],
    "dot": lambda x: ad.dot(np.ones((2, 2)), x.T)[:, ::2],
    "inner": lambda x: ad.inner(x, x)[0, 2],
    "vecdot": lambda x: ad.vecdot(x, x)[::2],
    "matvec": lambda x: ad.matvec(x, np.ones(2))[::2],
    "vecmat": lambda x: ad.vecmat(x, np.ones((2, 2)))[::2],
    "outer": lambda x: ad.outer(x[::2], x)[:, :2],
    "kron": lambda x: ad.kron(x, np.ones((2, 2)))[:2],
    "tensordot": lambda x: ad.tensordot(x, x, axes=(1, 1))[::2, ::2],
    "cross": lambda x: ad.cross(np.array([[1.0], [2.0], [3.0]]), x, axis=0)[1],
}


@pytest.mark.parametrize("bad", [np.inf, np.nan])
@pytest.mark.parametrize("name", UNUSED)
def test_a_row_that_is_not_used_spoils_nothing(name, bad):
    f = lambda x: UNUSED[name](x).sum()  # noqa: E731
    spoilt = X.copy()
    spoilt[1] = bad
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(ad.grad(f)(spoilt), ad.grad(f)(X))
        np.testing.assert_array_equal(ad.hessian(f)(spoilt), ad.hessian(f)(X))
        v = X * np.array([[1], [0], [1]])
        np.testing.assert_array_equal(ad.jvp(f, (spoilt,), (v,))[1], ad.jvp(f, (X,), (v,))[1])
