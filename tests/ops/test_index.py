"""Keys of every form, both ways; assignment as a function; indices that are tensors."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.ops import index
from autodiff.testing import check_gradients

X = np.random.default_rng(1).normal(size=(3, 4))
Z = X + 1j * X[::-1]
KEYS = [
    1,
    np.int64(-1),
    ...,
    None,
    (),
    [],
    True,
    np.array(False),
    slice(None, None, -2),
    (slice(5, 0, -1), slice(-3, None)),
    (None, ..., -1),
    [2, 0, 0],
    np.array([[0, 1], [2, 2]]),
    np.asfortranarray(np.array([[0, 1], [2, 1], [0, 0]])),
    X > 0,
    (slice(None), X[0] > 0),
    ([True, False, True], [1, 1]),
    ([True, False, True], 0, None),
    ([0, 0], slice(None)),
    (np.array([[0], [2]]), [1, 1]),
    ([1, 1], None, [0, -4]),
    (slice(1), [0, 1, 0]),
    (np.array(1), [3, 3, 0]),
    (np.array([], int), 2),
    (1, 2),
]
WRONG = [3, (0, 0, 0), "a", 1.0, [0.5], np.ones((2, 4), bool), ([0, 1], [0, 1, 2]), (..., ...), [[0], [1, 2]]]


def as_tensors(key):
    parts = [ad.Tensor(k, requires_grad=False) if isinstance(k, np.ndarray) else k for k in key]
    return tuple(parts)


@pytest.mark.parametrize("x", [X, X.T.copy().T, Z, X.astype(np.float32)], ids=["C", "F", "complex", "float32"])
@pytest.mark.parametrize("key", KEYS, ids=str)
def test_getitem_is_numpys_and_repeated_indices_accumulate(key, x):
    t = ad.Tensor(x)
    given = as_tensors(key) if isinstance(key, tuple) else as_tensors((key,))[0]
    y, expected = t[given], x[key]
    assert (y.dtype, y.shape) == (x.dtype, expected.shape)
    np.testing.assert_array_equal(y.data, expected)
    g = np.random.default_rng(2).normal(size=expected.shape).astype(x.dtype)
    y.backward(g)
    total = np.zeros_like(x)
    np.add.at(total, key, g)
    np.testing.assert_allclose(t.grad, total, rtol=1e-6)


@pytest.mark.parametrize("key", WRONG, ids=str)
def test_wrong_keys_raise_what_numpy_raises(key):
    with pytest.raises(Exception) as theirs:
        X[key]
    with pytest.raises(theirs.type):
        ad.Tensor(X)[key]
    with pytest.raises(theirs.type):
        ad.setitem(ad.Tensor(X), 0.0, key)


def assigned(x, value, key):
    """``x[key] = value``, one entry after the other."""
    at = np.arange(x.size).reshape(x.shape)[key]
    y = x.copy()
    spread = np.empty(at.shape, x.dtype)
    spread[...] = value
    for k, v in zip(at.ravel(), spread.ravel(), strict=True):
        y.flat[k] = v
    return y


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_setitem_assigns_and_the_last_write_wins(key):
    shape = X[key].shape
    rng = np.random.default_rng(3)
    for value in (
        rng.normal(size=shape),
        rng.normal(size=()),
        rng.normal(size=shape[-1:]),
        rng.normal(size=shape).T.copy().T,
    ):
        x, v = ad.Tensor(X), ad.Tensor(value)
        y = ad.setitem(x, v, key)
        np.testing.assert_array_equal(y.data, assigned(X, value, key))
        g = rng.normal(size=X.shape)
        y.backward(g)
        source = assigned(-np.arange(1.0, X.size + 1).reshape(X.shape), np.arange(value.size).reshape(value.shape), key)
        np.testing.assert_array_equal(x.grad, np.where(source < 0, g, 0))
        expected = np.zeros(value.size)
        np.add.at(expected, source[source >= 0].astype(int), g[source >= 0])
        np.testing.assert_allclose(v.grad, expected.reshape(value.shape), atol=1e-15)
        np.testing.assert_array_equal(x.data, X)


def test_setitem_broadcasts_and_casts_as_numpy():
    zeros = np.zeros((3, 4))
    y = ad.setitem(ad.Tensor(zeros), ad.Tensor(np.ones((1, 1, 2, 1))), (slice(2), slice(1, 3)))
    assert y.data.sum() == 4
    v = ad.Tensor(np.ones((1, 1, 4)))
    ad.setitem(zeros, v, [0, 0]).sum().backward()
    np.testing.assert_array_equal(v.grad, np.ones((1, 1, 4)))
    narrow = ad.setitem(ad.Tensor(zeros, dtype=np.float32), ad.Tensor(1.5), 0)
    assert narrow.dtype == np.float32
    assert ad.setitem(np.array([1, 2, 3]), 2.7, 0).tolist() == [2, 2, 3]
    assert ad.setitem([True, False], 0.5, 1).tolist() == [True, True]
    with pytest.raises(ValueError, match="broadcast"):
        ad.setitem(zeros, np.ones((2, 3)), 0)
    with pytest.raises(ValueError, match="broadcast"):
        ad.setitem(zeros, np.ones((3, 4)), [0, 0])
    with pytest.raises(TypeError, match="boolean"):
        ad.setitem(X, np.ones((1, 12)), np.ones((3, 4), bool))


def test_what_is_cut_to_whole_numbers_gets_no_gradient():
    v = ad.Tensor(2.7)
    y = ad.setitem(np.array([1, 2]), v, 0) * ad.Tensor([1.0, 1.0])
    y.sum().backward()
    assert v.grad is None or v.grad == 0
    assert ad.jvp(lambda v: ad.setitem(np.array([1, 2]), v, 0) * 1.0, (2.7,), (1.0,))[1].tolist() == [0, 0]


@pytest.mark.parametrize("key", [0, [1, 1, 0], (slice(None), [0, 2]), X > 0, ([0, 0], [1, 1]), (None, 1)], ids=str)
@pytest.mark.parametrize("kinds", [(X, X), (Z, X), (Z, Z)], ids=["real", "mixed", "complex"])
def test_derivatives_of_setitem(key, kinds):
    x, like = kinds
    check_gradients(lambda x, v: ad.setitem(x * x, v * v, key), x, like[key])


def test_a_complex_value_in_a_real_array_counts_by_its_real_part():
    v = ad.Tensor([1 + 2j, 3.0])
    with pytest.warns(np.exceptions.ComplexWarning):
        y = ad.setitem(X[0], v, [0, 2])
    y.backward(np.arange(4.0))
    np.testing.assert_array_equal(v.grad, [0, 2])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.int64])
@pytest.mark.parametrize(
    ("shape", "key"),
    [
        ((5, 3), np.array([4, 0, 4, -1])),
        ((5, 2, 2), np.array([[0, 0], [3, 0]])),
        ((2, 5), (slice(None), [1, 1, 0])),
        ((0, 3), np.array([], int)),
        ((4,), [1, 1, 1]),
    ],
)
def test_scatter_add_is_add_at(dtype, shape, key):
    g = (10 * np.random.default_rng(4).normal(size=np.zeros(shape)[key].shape)).astype(dtype)
    expected = np.zeros(shape, dtype)
    np.add.at(expected, key, g)
    y = ad.scatter_add(g, shape, key)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    with pytest.raises(IndexError):
        ad.scatter_add(np.ones(2), (3,), [0, 3])


@pytest.fixture
def sorting(monkeypatch):
    """Few and short rows are sorted too before they are added up."""
    monkeypatch.setattr(index, "MANY", 0)
    monkeypatch.setattr(index, "LONG", 0)


KEYS_THAT_REPEAT = {
    "few": ((5, 3), np.array([4, 0, 4, -1])),
    "often and seldom": ((9, 4), np.repeat(np.arange(-4, 4), np.arange(1, 30, 4))),
    "one place": ((3, 2), np.zeros(50, int)),
    "two axes of indices": ((5, 2, 2), np.array([[0, 0], [3, 0]])),
    "short integers": ((300, 2), np.array([200, 3, 200], np.uint8)),
    "several indices": ((4, 5, 3), (np.array([[1], [-1]]), np.array([0, 0, 4]))),
    "an index and a number": ((4, 5, 3), (np.array([1, -1, 1]), 2)),
    "an axis between": ((4, 3, 5), (np.array([1, -1, 1]), slice(None), np.array([0, 2, 0]))),
    "the second axis": ((4, 5), (slice(None), [1, 1, 0])),
    "no rows": ((5, 3), np.zeros((2, 0), int)),
    "empty rows": ((3, 0), np.array([0, 0])),
    "one number": ((6,), np.array([1, 1, 5])),
}


@pytest.mark.usefixtures("sorting")
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.complex64, np.complex128, np.int64])
@pytest.mark.parametrize(("shape", "key"), KEYS_THAT_REPEAT.values(), ids=list(KEYS_THAT_REPEAT))
def test_sorted_rows_add_up_to_what_add_at_does(shape, key, dtype):
    rng = np.random.default_rng(5)
    g = rng.integers(-9, 9, size=np.zeros(shape)[key].shape).astype(dtype)  # whole numbers: sums are exact
    g = g * dtype(1 - 2j) if np.dtype(dtype).kind == "c" else g
    expected = np.zeros(shape, dtype)
    np.add.at(expected, key, g)
    for given in (g, np.asfortranarray(g), np.repeat(g, 2, axis=-1)[..., ::2]):
        y = ad.scatter_add(given, shape, key)
        assert y.dtype == dtype
        np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_gradient_of_a_large_embedding(dtype):
    rng = np.random.default_rng(6)
    table = ad.Tensor(rng.normal(size=(500, 64)).astype(dtype))
    words, other = np.minimum(rng.zipf(1.3, size=(2, 8, 300)), 500) - 1  # few words are frequent, many are seldom
    g = rng.normal(size=(8, 300, 64)).astype(dtype)
    f = lambda words: (table[words] * g).sum()  # noqa: E731
    compiled = ad.compile(f)
    compiled(words).backward()
    expected = np.zeros((500, 64))
    np.add.at(expected, other, g.astype(float))
    found = []
    for way in (f, f, compiled):
        table.grad = None
        way(other).backward()
        found.append(table.grad.copy())
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=1e-4 if dtype is np.float32 else 1e-12)
    np.testing.assert_array_equal(found[1], found[0])  # the same every time, to the last bit
    np.testing.assert_array_equal(found[2], found[0])


def test_indices_that_are_tensors_stay_on_the_tape():
    x, i = ad.Tensor(X), ad.Tensor([2, 0], requires_grad=False)
    assert x[i].params["key"] is i
    assert x[0, i].params["key"][1] is i
    assert ad.setitem(x, 0.0, i).params["key"] is i
    along = ad.Tensor([[0], [1], [3]], requires_grad=False)
    assert ad.take_along_axis(x, along, 1).params["key"][1] is along
    for mode in ("raise", "wrap", "clip"):
        key = ad.take(x, i, axis=1, mode=mode).params["key"]
        assert isinstance(key[1], ad.Tensor)
        np.testing.assert_array_equal(key[1].data, i.data)


@pytest.mark.parametrize("key", [ad.Value(1), [ad.Tensor(1, requires_grad=False), 0], (ad.Value(2), slice(None))])
def test_keys_with_nodes_of_single_numbers(key):
    plain = {int: 1, list: [1, 0], tuple: (2, slice(None))}[type(key) if isinstance(key, list | tuple) else int]
    np.testing.assert_array_equal(ad.Tensor(X)[key].data, X[plain])


def test_a_value_is_indexed_as_an_array_of_no_axes():
    v = ad.Value(2.0)
    (ad.getitem(v, None) * ad.getitem(v, (..., None))).sum().backward()
    assert v.grad == 4.0


GRADIENTS = {
    "take": (lambda x: ad.take(x, [[0, 0], [3, -1]], axis=1), X),
    "take wrapped": (lambda x: ad.take(x, [14, -13], mode="wrap"), Z),
    "take clipped": (lambda x: ad.take(x, [-3, 9, 1], 0, mode="clip"), X),
    "take of a number": (lambda x: ad.take(x, [0, 0]), X[0, 0]),
    "take_along_axis": (lambda x: ad.take_along_axis(x, np.argsort(X, axis=0), 0), Z),
    "take_along_axis broadcast": (lambda x: ad.take_along_axis(x, np.array([[0, 0, 1]])), X),
    "put_along_axis": (lambda x, v: ad.put_along_axis(x, np.array([[0, 0], [1, 2], [3, 3]]), v, 1), X, X[:, :2]),
    "put_along_axis flat": (lambda x, v: ad.put_along_axis(x, np.array([0, 5, 0]), v, None), Z, X[0, :3]),
}


@pytest.mark.parametrize(("f", "args"), [(f, args) for f, *args in GRADIENTS.values()], ids=list(GRADIENTS))
def test_gradients(f, args):
    check_gradients(f, *args)


def test_out_is_refused():
    with pytest.raises(TypeError, match="out="):
        ad.take(ad.Tensor(X), 0, out=np.zeros(3))
