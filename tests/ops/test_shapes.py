"""Shapes, diagonals and rearranging: every form of argument that NumPy takes, with NumPy's values and errors."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

RNG = np.random.default_rng(3)
V, M, B = RNG.normal(size=4), RNG.normal(size=(3, 4)), RNG.normal(size=(2, 3, 4))
ONES, FORTRAN = RNG.normal(size=(1, 3, 1)), np.asfortranarray(B)
STRIDED = RNG.normal(size=(4, 6, 3))[::2, ::-2].transpose(2, 0, 1)
EMPTY, POINT = np.zeros((0, 3)), np.array(2.5)
COMPLEX = M + 1j * M[::-1]

CALLS = [
    *[("reshape", (B, s)) for s in (24, -1, (4, -1), [6, 4], np.array([2, 12]), (2, 1, 3, 4))],
    *[("reshape", (a, (4, -1), o)) for o in "CFA" for a in (B, FORTRAN, STRIDED[:2])],
    ("reshape", (POINT, ())),
    ("reshape", (EMPTY, (5, 0, 2))),
    *[("ravel", (a, o)) for o in "CFAK" for a in (B, FORTRAN, STRIDED, np.broadcast_to(V, (2, 4)).T, POINT)],
    *[("transpose", (B, axes)) for axes in (None, (1, 2, 0), [-1, 0, 1], np.array([2, 0, 1]))],
    ("transpose", (V, 0)),
    ("permute_dims", (B, (2, 0, 1))),
    ("matrix_transpose", (B,)),
    ("swapaxes", (B, 0, -1)),
    *[("moveaxis", (B, *m)) for m in ((0, -1), ([0, 2], [-1, 0]), ((), ()))],
    *[("rollaxis", (B, axis, start)) for axis in (0, 1, -1) for start in (0, 1, 3, -1)],
    *[("squeeze", (ONES, axis)) for axis in (None, 0, -1, (0, 2), ())],
    *[("expand_dims", (M, axis)) for axis in (0, -1, (0, 2), (-1, 1, 0))],
    *[("broadcast_to", (a, (2, 3, 4))) for a in (V, M, B, POINT)],
    ("broadcast_to", (V, [2, 4], True)),
    ("broadcast_to", (POINT, 3)),
    ("broadcast_arrays", (V, M[:, :1], 2.0)),
    ("broadcast_arrays", (M,)),
    *[(f"atleast_{n}d", (a,)) for n in (1, 2, 3) for a in (POINT, V, M, B, RNG.normal(size=(1, 1, 2, 2)))],
    *[(f"atleast_{n}d", (POINT, V, 1)) for n in (1, 2, 3)],
    *[("tile", (M, reps)) for reps in (2, (2, 1), (2, 1, 2), (), 0, np.array([1, 3]), 1)],
    *[("repeat", (M, *r)) for r in ((2,), ([3],), (2, -1), ([1, 0, 2], 0), (np.arange(4), 1), (range(12),), (0, 1))],
    ("repeat", (POINT, 3, 0)),
    *[("flip", (B, axis)) for axis in (None, 1, (0, -1), ())],
    ("fliplr", (B,)),
    ("flipud", (V,)),
    *[
        ("roll", (M, *r))
        for r in ((5,), ((1, 2),), (-1, 1), ((1, -1), (0, 1)), (2, (0, 1)), (np.array([1]), [-1]), (1.9,))
    ],
    *[("rot90", (M, k)) for k in range(-3, 6)],
    ("rot90", (B, 1, (2, 0))),
    *[(name, (a, k)) for name in ("tril", "triu") for a in (V, M, B, EMPTY) for k in (-1, 0, 1, 7)],
    *[(name, (a, k)) for name in ("diag", "diagflat") for a in (V, M, M.T, EMPTY) for k in (-2, 0, 1, 9)],
    ("diagflat", (POINT,)),
    *[(name, (a, k)) for name in ("diagonal", "trace") for a in (M, B, EMPTY) for k in (-1, 0, 2, 9)],
    *[(name, (B, 1, *axes)) for name in ("diagonal", "trace") for axes in ((1, 2), (-1, 0), (2, -2))],
    ("copy", (FORTRAN,)),
    ("copy", (M, "F")),
    *[("resize", (M, shape)) for shape in (5, (4, 5), (2,), (), 0, (2, 0), [3, 4], np.int64(30))],
    ("resize", (EMPTY, (2, 2))),
    *[("astype", (COMPLEX, dtype)) for dtype in (complex, np.complex64)],
    *[("astype", (M, dtype)) for dtype in (float, np.float32, complex, int, bool, None, "f2")],
]


def shown(call):
    name, args = call
    parts = [f"{a.dtype}{list(a.shape)}" if isinstance(a, np.ndarray) else repr(a) for a in args]
    return f"{name}({', '.join(parts)})"


def on_tensors(args):
    return [ad.Tensor(a) if isinstance(a, np.ndarray) and a.dtype.kind in "fc" else a for a in args]


def as_list(y):
    return y if isinstance(y, list | tuple) else [y]


def assert_same(found, expected):
    """The same kind of container, the same shapes, dtypes and entries."""
    if isinstance(expected, list | tuple):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
    for ours, theirs in zip(as_list(found), as_list(expected), strict=True):
        ours = ours.data if isinstance(ours, ad.Tensor) else np.asarray(ours)
        assert ours.dtype == np.asarray(theirs).dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("call", CALLS, ids=shown)
def test_as_numpy(call):
    name, args = call
    ours, theirs = getattr(ad, name), getattr(np, name)
    expected = theirs(*args)
    assert_same(ours(*args), expected)
    tensors = on_tensors(args)
    for t, a in zip(tensors, args, strict=True):
        if isinstance(t, ad.Tensor):
            t._data = a  # with its own layout in memory: "A" and "K" ask for it
    for function in (ours, theirs):
        found = function(*tensors)
        assert_same(found, expected)
        first = as_list(found)[0]
        assert first.requires_grad == (first.dtype.kind in "fc")


@pytest.mark.parametrize("call", [c for c in CALLS if not (c[0] == "astype" and c[1][1] in (int, bool))], ids=shown)
def test_gradients(call):
    """Every function here is linear: <g, f(v)> = <vjp(g), v>, and the JVP is the function."""
    name, args = call
    k = next(i for i, a in enumerate(args) if isinstance(a, np.ndarray))
    x, rng = args[k], np.random.default_rng(0)
    v = np.empty_like(x)
    v[...] = rng.normal(size=x.shape)
    t = ad.Tensor(x)
    t._data = x

    def f(x):
        return as_list(getattr(np, name)(*args[:k], x, *args[k + 1 :]))

    ys = [y for y in f(t) if isinstance(y, ad.Tensor) and y.requires_grad]
    gs = [rng.normal(size=y.shape).astype(y.dtype) for y in ys]
    for y, g in zip(ys, gs, strict=True):
        y.backward(g)
    expected = [np.vdot(g, y) for g, y in zip(gs, f(v), strict=False)]
    assert np.vdot(t.grad, v).real == pytest.approx(
        np.sum(expected).real, rel=1e-2 if ys[0].dtype == np.float16 else 1e-5
    )
    assert t.grad.dtype == x.dtype


ERRORS = [
    ("reshape", (M, (5, -1))),
    ("reshape", (M, (3.0, 4))),
    ("reshape", (M, 12, "Z")),
    ("ravel", (M, "Z")),
    ("transpose", (M, (0, 0))),
    ("transpose", (M, (0,))),
    ("matrix_transpose", (V,)),
    ("swapaxes", (M, 0, 2)),
    ("moveaxis", (M, 0, 2)),
    ("moveaxis", (M, (0, 1), 0)),
    ("rollaxis", (M, 2)),
    ("rollaxis", (M, 0, 4)),
    ("squeeze", (M, 0)),
    ("squeeze", (ONES, 3)),
    ("expand_dims", (M, 4)),
    ("expand_dims", (M, (0, 0))),
    ("broadcast_to", (M, (3, 5))),
    ("broadcast_to", (M, (4,))),
    ("broadcast_arrays", (M, V[:3])),
    ("tile", (M, 1.5)),
    ("tile", (M, -1)),
    ("repeat", (M, -1)),
    ("repeat", (M, [1, 2, 3])),
    ("repeat", (M, 2, 2)),
    ("flip", (M, 2)),
    ("fliplr", (V,)),
    ("flipud", (POINT,)),
    ("roll", (M, 1, 2)),
    ("roll", (M, (1, 2, 3), (0, 1))),
    ("rot90", (V,)),
    ("rot90", (M, 1, (0, 0))),
    ("rot90", (M, 1, (0, 5))),
    ("tril", (POINT,)),
    ("diag", (B,)),
    ("diag", (POINT,)),
    ("diagonal", (V,)),
    ("diagonal", (M, 0, 1, 1)),
    ("trace", (V,)),
    ("trace", (M, 0, 0, 2)),
    ("resize", (M, -1)),
]


@pytest.mark.parametrize("call", ERRORS, ids=shown)
def test_bad_arguments_raise_what_numpy_raises(call):
    name, args = call
    with pytest.raises((ValueError, TypeError)) as theirs:
        getattr(np, name)(*args)
    for arguments in (args, on_tensors(args)):
        with pytest.raises(theirs.type):
            getattr(ad, name)(*arguments)


def test_methods_take_what_numpys_take():
    t, a = ad.Tensor(M), M.copy()
    pairs = [
        (t.reshape(2, -1), a.reshape(2, -1)),
        (t.reshape((2, 6), order="F"), a.reshape((2, 6), order="F")),
        (t.reshape(-1, copy=True), a.ravel()),
        (t.ravel(order="F"), a.ravel(order="F")),
        (t.flatten("F"), a.flatten("F")),
        (t.transpose(1, 0), a.T),
        (t.transpose([1, 0]), a.T),
        (t.transpose(np.array([0, 1])), a),
        (t.transpose(), a.T),
        (t.transpose(None), a.T),
        (t.T, a.T),
        (t.mT, a.T),
        (t.swapaxes(0, 1), a.T),
        (t[None].squeeze(axis=0), a),
        (t.repeat(2, axis=1), a.repeat(2, axis=1)),
        (t.diagonal(1), a.diagonal(1)),
        (t.trace(offset=-1), np.asarray(a.trace(-1))),
        (t.copy(), a),
        (t.copy("F"), a),
    ]
    for ours, theirs in pairs:
        assert_same(ours, theirs)
        assert ours.requires_grad
    with pytest.raises(ValueError, match="axes"):
        t.transpose(())
    assert t.copy() is not t
    assert t.T.copy().data.flags.c_contiguous
    assert t.copy("F").data.flags.f_contiguous


def test_names_of_arguments():
    t = ad.Tensor(B)
    assert np.expand_dims(a=t, axis=0).shape == (1, 2, 3, 4)
    assert np.reshape(t, shape=(4, 6), copy=True).shape == (4, 6)
    assert np.flip(m=t, axis=0).shape == t.shape
    assert np.rot90(m=t, k=1, axes=(0, 1)).shape == (3, 2, 4)
    assert np.diagonal(t, offset=1, axis1=1, axis2=2).shape == (2, 3)
    assert np.roll(t, shift=1, axis=0).shape == t.shape
    assert np.broadcast_to(t, shape=(1, 2, 3, 4), subok=True).shape == (1, 2, 3, 4)
    with pytest.raises(ad.errors.UnsupportedError, match="out="):
        np.trace(t, out=np.zeros(4))


@pytest.mark.parametrize(
    "name", ["reshape", "transpose", "squeeze", "flip", "roll", "tril", "diagonal", "trace", "copy"]
)
def test_whole_numbers_stay_whole_numbers(name):
    a = np.arange(6, dtype=np.int8).reshape(2, 3)
    options = {"reshape": (6,), "roll": (1,)}.get(name, ())
    y = getattr(ad, name)(ad.Tensor(a, requires_grad=False), *options)
    assert_same(y, getattr(np, name)(a, *options))
    assert not y.requires_grad


def test_a_number_is_reshaped_and_knows_its_gradient():
    functions = (
        lambda v: ad.reshape(v, (1, 1)),
        lambda v: ad.broadcast_to(v, (3,)),
        lambda v: ad.expand_dims(v, 0),
        lambda v: ad.atleast_2d(v),
        lambda v: ad.copy(v),
        lambda v: ad.astype(v, np.float32),
    )
    for f in functions:
        v = ad.Value(2.0)
        f(v).sum().backward()
        assert v.grad == f(2.0).size


def test_conversions():
    t = ad.Tensor(COMPLEX)
    with pytest.warns(np.exceptions.ComplexWarning):
        y = ad.astype(t, np.float32)
    assert_same(y, COMPLEX.real.astype(np.float32))
    y.sum().backward()
    assert_same(t.grad, np.ones((3, 4), complex))
    assert ad.astype(t, complex, copy=False) is t
    assert not ad.astype(ad.Tensor(M), int).requires_grad
    assert not np.astype(ad.Tensor(M), bool).requires_grad
    with pytest.raises(ad.errors.KindError, match="holds numbers"):
        ad.astype(t, object)
    with pytest.raises(ValueError, match="device='gpu'; all data is on the CPU"):
        ad.astype(t, float, device="gpu")
    with pytest.raises(ad.errors.UnsupportedError, match=r"in which a derivative is lost silently.*astype\(trace"):
        np.trace(ad.Tensor(M), dtype=int)
    check_gradients(lambda x: ad.astype(x, complex) * (1 + 2j), M)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (5, 2), (7, 3), (2, 2, 2), (0, 3), (3, 0)])
@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("val", [1.5, V, V[:2], M, [1, 2], np.zeros(0), 2])
def test_a_diagonal_is_filled_in_a_copy(shape, wrap, val):
    a = RNG.normal(size=shape)
    expected, before = a.copy(), a.copy()
    np.fill_diagonal(expected, val, wrap)
    t, v = ad.Tensor(a), ad.Tensor(val) if isinstance(val, np.ndarray) else val
    assert_same(ad.fill_diagonal(a, val, wrap), expected)
    assert_same(ad.fill_diagonal(t, v, wrap), expected)
    np.testing.assert_array_equal(a, before)
    check_gradients(lambda a, v: ad.fill_diagonal(a, v, wrap), a, val, order=1)


def test_what_a_diagonal_cannot_be_filled_in():
    for bad in (V, B):
        with pytest.raises(ad.errors.ShapeError, match="fill_diagonal got shape"):
            ad.fill_diagonal(ad.Tensor(bad), 1.0)
    whole = ad.fill_diagonal(np.zeros((2, 2), int), ad.Tensor([1.7, 2.7]))
    assert_same(whole, np.array([[1, 0], [0, 2]]))
    assert not whole.requires_grad


@pytest.mark.parametrize("f", [ad.ascontiguousarray, ad.asfortranarray])
def test_layout(f):
    numpys = getattr(np, f.__name__)
    for a in (M, M.T, STRIDED, POINT):
        t = ad.Tensor(a)
        for y, expected in ((f(a), numpys(a)), (f(t), numpys(a)), (f(t, np.float32), numpys(a, np.float32))):
            assert_same(y, expected)
            flags = (y.data if isinstance(y, ad.Tensor) else y).flags
            assert (flags.c_contiguous, flags.f_contiguous) == (
                expected.flags.c_contiguous,
                expected.flags.f_contiguous,
            )
        check_gradients(f, a, order=1)


def test_tangents_that_lie_otherwise_in_memory():
    """The order "A" and "K" of the point, not that of the tangent."""
    tangent = np.arange(24.0).reshape(2, 3, 4)
    for f in (lambda x: ad.reshape(x, (4, -1), "A"), lambda x: ad.ravel(x, "K"), lambda x: ad.ravel(x, "A")):
        _, pushed = ad.jvp(f, (FORTRAN,), (tangent,))
        np.testing.assert_array_equal(pushed.ravel("F"), f(np.asfortranarray(tangent)).ravel("F"))
        assert_same(ad.vjp(f, FORTRAN)[1](pushed)[0], tangent)
