"""Joining and cutting: every form of argument that NumPy takes, with NumPy's values and errors."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

RNG = np.random.default_rng(4)
V, M, B = RNG.normal(size=4), RNG.normal(size=(3, 4)), RNG.normal(size=(2, 3, 4))
POINT, EMPTY, FORTRAN = np.array(2.5), np.zeros((0, 4)), np.asfortranarray(RNG.normal(size=(2, 4)))
SINGLE, WHOLE, COMPLEX = M.astype(np.float32), np.arange(12).reshape(3, 4), M + 1j * M[::-1]

JOINS = [
    ("concatenate", [M, EMPTY, FORTRAN], {}),
    ("concatenate", (M, M[:, ::-2]), {"axis": -1}),
    ("concatenate", [M, V, POINT, B], {"axis": None}),
    ("concatenate", B, {}),
    ("concatenate", [SINGLE, M], {"axis": 1}),
    ("concatenate", [SINGLE, WHOLE, WHOLE > 4], {}),
    ("concatenate", [M, COMPLEX], {}),
    ("concatenate", [M, [[1, 2, 3, 4]]], {}),
    ("concatenate", [M, M], {"dtype": np.float32}),
    ("concatenate", [SINGLE, WHOLE], {"dtype": complex, "casting": "safe"}),
    ("concatenate", [M, SINGLE], {"dtype": "f4", "casting": "unsafe", "axis": None}),
    ("concat", [M, M], {"axis": 1}),
    ("stack", [M, M], {}),
    ("stack", (M, SINGLE, WHOLE), {"axis": -1}),
    ("stack", [POINT, 1, 2.5], {}),
    ("stack", B, {"axis": 1}),
    ("stack", [SINGLE, SINGLE], {"dtype": complex, "axis": -3}),
    ("vstack", [V, M, EMPTY], {}),
    ("vstack", [POINT, 1.0], {}),
    ("vstack", B, {"dtype": np.float32, "casting": "same_kind"}),
    ("hstack", [V, POINT, [1, 2], 3.5], {}),
    ("hstack", (M, M[:, :1]), {"dtype": complex}),
    ("hstack", V, {}),
    ("dstack", [M, M], {}),
    ("dstack", [V, V, [1, 2, 3, 4]], {}),
    ("dstack", [B, M[:2, :3, None]], {}),
    ("column_stack", [M, V[:3], [7, 8, 9]], {}),
    ("column_stack", [V, V], {}),
    ("column_stack", [POINT, 1.0], {}),
    ("block", [[M, M[:, :2]], [1.0, np.ones(5)]], {}),
    ("block", [V, POINT, 3], {}),
    ("block", [[[B]], [[B]]], {}),
    ("block", [[V], [M]], {}),
    ("block", M, {}),
    ("block", POINT, {}),
]
CUTS = [
    *[(name, M, s, {"axis": axis}) for name in ("split", "array_split") for s in (1, 2, 4) for axis in (1, -1)],
    *[
        (name, V, s, {})
        for name in ("split", "array_split")
        for s in ([1, 3], [], (2,), [0, 9], [-1], [3, 1], np.array([2]))
    ],
    *[("array_split", V, s, {}) for s in (3, 7, 1)],
    ("array_split", EMPTY, 2, {}),
    ("split", B, 3, {"axis": 1}),
    ("vsplit", M, 3, {}),
    ("vsplit", B, [1], {}),
    ("hsplit", V, 2, {}),
    ("hsplit", B, [1, 2], {}),
    ("dsplit", B, 2, {}),
]


def on_tensors(x):
    """Arrays of real or complex numbers as tensors, wherever they stand."""
    if isinstance(x, np.ndarray):
        return ad.Tensor(x) if x.dtype.kind in "fc" else x
    return type(x)(map(on_tensors, x)) if isinstance(x, list | tuple) else x


def shown(call):
    return f"{call[0]} {call[-1]}"


def assert_same(ours, theirs):
    assert isinstance(ours, ad.Tensor)
    assert ours.requires_grad
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours.data, theirs)


@pytest.mark.parametrize("call", JOINS, ids=shown)
def test_joining_as_numpy(call):
    name, parts, options = call
    ours, theirs = getattr(ad, name), getattr(np, name)
    expected = theirs(parts, **options)
    found = ours(parts, **options)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    assert_same(ours(on_tensors(parts), **options), expected)
    assert_same(theirs(on_tensors(parts), **options), expected)
    check_gradients(lambda parts: ours(parts, **options), parts, order=1 if expected.dtype == np.float32 else 2)


@pytest.mark.parametrize("call", CUTS, ids=shown)
def test_cutting_as_numpy(call):
    name, x, cuts, options = call
    ours, theirs = getattr(ad, name), getattr(np, name)
    expected = theirs(x, cuts, **options)
    for found in (ours(ad.Tensor(x), cuts, **options), theirs(ad.Tensor(x), cuts, **options)):
        assert isinstance(found, list)
        for part, its in zip(found, expected, strict=True):
            assert_same(part, its)
    assert [p.shape for p in ours(x, cuts, **options)] == [p.shape for p in expected]
    check_gradients(lambda x: ours(x, cuts, **options), x)


def test_unstacking():
    for axis in (0, 1, -1):
        parts = ad.unstack(ad.Tensor(B), axis=axis)
        assert isinstance(parts, tuple)
        for part, expected in zip(parts, np.moveaxis(B, axis, 0), strict=True):
            assert_same(part, expected)
        check_gradients(lambda x, axis=axis: ad.unstack(x, axis=axis), B)
        np.testing.assert_array_equal(ad.stack(parts, axis).data, B)
    assert ad.unstack(EMPTY) == ()
    with pytest.raises(ValueError, match="unstack got shape"):
        ad.unstack(ad.Tensor(POINT))


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("concatenate", ([],), {}),
        ("concatenate", ([M, V],), {}),
        ("concatenate", ([M, B[0, :2]], 1), {}),
        ("concatenate", ([M, M], 2), {}),
        ("concatenate", ([POINT, POINT],), {}),
        ("concatenate", (POINT,), {}),
        ("concatenate", ([M, M],), {"casting": "wrong"}),
        ("concatenate", ([COMPLEX],), {"dtype": float}),
        ("concatenate", ([M, SINGLE],), {"casting": "no"}),
        ("stack", ([],), {}),
        ("stack", ([M, V],), {}),
        ("stack", ([M, M], 3), {}),
        ("stack", ([M],), {"dtype": np.float32, "casting": "safe"}),
        ("vstack", ([M, V[:2]],), {}),
        ("hstack", ([M, V],), {}),
        ("dstack", ([M, M.T],), {}),
        ("column_stack", ([V, M],), {}),
        ("block", ([M, [M]],), {}),
        ("block", ([[M], []],), {}),
        ("block", ([],), {}),
        ("block", ((M, M),), {}),
        ("split", (M, 2), {}),
        ("split", (M, 0), {}),
        ("split", (M, 2, 2), {}),
        ("split", (M, 1.7), {}),
        ("array_split", (M, 0), {}),
        ("array_split", (M, -1), {}),
        ("array_split", (M, [1.5]), {}),
        ("array_split", (POINT, 2), {}),
        ("vsplit", (V, 2), {}),
        ("hsplit", (POINT, 1), {}),
        ("dsplit", (M, 2), {}),
    ],
)
def test_bad_arguments_raise_what_numpy_raises(name, args, options):
    with pytest.raises(Exception) as theirs:
        getattr(np, name)(*args, **options)
    for arguments in (args, on_tensors(args)):
        with pytest.raises(theirs.type):
            getattr(ad, name)(*arguments, **options)


def test_results_that_cannot_be_recorded_are_refused():
    t = ad.Tensor(M)
    for join in (np.concatenate, np.stack, np.vstack, np.hstack):
        with pytest.raises(ad.errors.UnsupportedError, match=r"dtype=int64, in which a derivative is lost silently"):
            join([t, t], dtype=int, casting="unsafe")
    for join in (np.concatenate, np.stack):
        with pytest.raises(ad.errors.UnsupportedError, match="out="):
            join([t, t], out=np.zeros((6, 4)))
    whole = ad.Tensor(WHOLE, requires_grad=False)
    joined = np.concatenate([whole, whole], dtype=np.int8, casting="unsafe")
    assert joined.dtype == np.int8
    assert not joined.requires_grad


def test_a_single_precision_leaf_gets_a_single_precision_gradient():
    single, double, numbers = ad.Tensor(SINGLE), ad.Tensor(M), ad.Tensor(COMPLEX)
    joined = ad.concatenate([single, double, numbers])
    joined.backward(np.full(joined.shape, 2 + 3j))
    assert [t.grad.dtype for t in (single, double, numbers)] == [np.float32, np.float64, np.complex128]
    assert single.grad[0, 0] == 2
    assert numbers.grad[0, 0] == 2 + 3j


def test_numbers_of_other_kinds_are_joined():
    v = ad.Value(2.0)
    y = ad.stack([v, v * v, 1])
    y.backward(np.array([1.0, 10.0, 100.0]))
    assert v.grad == 41
    w = ad.Value(3.0)
    ad.hstack([w, [1.0, 2.0]]).sum().backward()
    assert w.grad == 1
