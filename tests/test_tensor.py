"""Arrays on the tape: indexing, methods, dtypes."""

import numpy as np
import pytest

import autodiff as ad

X = np.arange(24.0).reshape(2, 3, 4)
KEYS = {
    "int": 1,
    "negative": -1,
    "tuple of int": (1, 2, 3),
    "slice": slice(1, None),
    "reversed": slice(None, None, -1),
    "stepped": (slice(None), slice(None, None, 2), slice(3, 0, -2)),
    "ellipsis": (..., 1),
    "ellipsis alone": ...,
    "none": None,
    "nones": (None, 1, None, ..., None),
    "empty tuple": (),
    "list": [1, 0, 1],
    "empty list": [],
    "array": np.array([[0, 1], [1, 1]]),
    "array and slice": (slice(None), np.array([2, 0]), slice(1, 3)),
    "arrays apart": (np.array([0, 1]), slice(None), np.array([3, 3])),
    "arrays broadcast": (np.array([[0], [1]]), np.array([0, 2])),
    "mask": X > 7,
    "mask of rows": np.array([True, False]),
    "mask of columns": (slice(None), np.array([True, False, True])),
    "mask and int": (np.array([True, True]), 1),
    "0-d true": np.True_,
    "0-d false": np.False_,
    "numpy int": np.int64(1),
    "0-d array": np.array(1),
    "range": list(range(2)),
    "out to nothing": slice(5, 9),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_indexing_is_numpys(key, rng):
    t = ad.Tensor(X)
    y = t[key]
    np.testing.assert_array_equal(y.data, X[key])
    assert y.shape == X[key].shape
    g = rng.normal(size=y.shape)
    y.backward(g)
    expected = np.zeros_like(X)
    np.add.at(expected, key, g)
    np.testing.assert_allclose(t.grad, expected)
    v = rng.normal(size=X.shape)
    np.testing.assert_array_equal(ad.jvp(lambda x: x[key], (X,), (v,))[1], v[key])


def test_indexing_with_tensors():
    t = ad.Tensor(X)
    np.testing.assert_array_equal(t[t > 7].data, X[X > 7])
    index = ad.Tensor(np.array([1, 0]), requires_grad=False)
    np.testing.assert_array_equal(t[index].data, X[[1, 0]])
    np.testing.assert_array_equal(t[index, index].data, X[[1, 0], [1, 0]])


@pytest.mark.parametrize("key", [5, (0, 0, 0, 0), "name", 1.0])
def test_wrong_indices_raise_what_numpy_raises(key):
    with pytest.raises(IndexError):
        ad.Tensor(X)[key]


def test_iteration_and_unpacking():
    t = ad.Tensor([1.0, 2.0])
    a, b = t
    (a * b).backward()
    np.testing.assert_array_equal(t.grad, [2, 1])
    assert len(t) == 2
    assert 2.0 in t
    with pytest.raises(TypeError, match=r"shape \(\) was iterated over"):
        list(ad.Tensor(1.0))


METHODS = [
    ("sum", (0,), {}),
    ("sum", (), {"axis": (0, 2), "keepdims": True}),
    ("mean", (-1,), {}),
    ("max", (1,), {}),
    ("min", (), {}),
    ("prod", (2,), {}),
    ("std", (), {"axis": 0, "ddof": 1}),
    ("var", (1,), {}),
    ("cumsum", (1,), {}),
    ("reshape", (4, 6), {}),
    ("reshape", ((4, -1),), {}),
    ("transpose", (), {}),
    ("transpose", (2, 0, 1), {}),
    ("transpose", ((2, 0, 1),), {}),
    ("swapaxes", (0, 1), {}),
    ("ravel", (), {}),
    ("flatten", (), {}),
    ("repeat", (2, 1), {}),
    ("take", ([0, 2], 1), {}),
    ("clip", (3, 9), {}),
    ("clip", (), {"min": 5.0}),
    ("dot", (np.arange(4.0),), {}),
    ("conj", (), {}),
    ("argmax", (1,), {}),
    ("all", (), {}),
    ("any", (0,), {}),
    ("squeeze", (), {}),
    ("astype", ("float32",), {}),
    ("tolist", (), {}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), METHODS, ids=[f"{m[0]}{m[1]}{m[2]}" for m in METHODS])
def test_methods_are_numpys(name, args, kwargs):
    ours = getattr(ad.Tensor(X), name)(*args, **kwargs)
    np.testing.assert_allclose(getattr(ours, "data", ours), getattr(X, name)(*args, **kwargs))


@pytest.mark.parametrize("name", ["T", "mT", "real", "imag", "shape", "ndim", "size", "dtype"])
def test_attributes_are_numpys(name):
    ours = getattr(ad.Tensor(X), name)
    np.testing.assert_array_equal(getattr(ours, "data", ours), getattr(X, name))


def test_comparisons_are_untracked_tensors():
    t = ad.Tensor([1.0, 2.0])
    for mask in (t > 1, 1 < t, ~(t <= 1), (t > 0) & (t > 1), (t > 5) | (t == 2)):  # noqa: SIM300
        assert isinstance(mask, ad.Tensor)
        assert not mask.requires_grad
        np.testing.assert_array_equal(np.asarray(mask), [False, True])
    assert (t == "text") is False
    assert {t: 1}[t] == 1
    assert bool(ad.Tensor(1.0) > 0)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(t > 1)


def test_dtypes():
    assert ad.Tensor([1.0]).dtype == np.float64
    assert ad.Tensor([1, 2], dtype=float).dtype == np.float64
    assert ad.Tensor(np.float32([1])).dtype == np.float32
    assert (ad.Tensor(np.float32([1])) * 2).dtype == np.float32
    assert (ad.Tensor(np.float32([1])) ** 2.5).dtype == np.float32
    assert (ad.Tensor(np.float16([1])) * 2.0).dtype == np.float16
    assert ad.Tensor(np.float32([1, 2])).mean().dtype == np.float32
    assert not ad.Tensor([1.0]).astype(int).requires_grad


def test_sum_of_single_precision_ties_and_slopes_keeps_it():
    x = ad.Tensor(np.float32([1, 1, 0]))
    for f in (ad.max, ad.min, lambda x: ad.maximum(x, 1).sum(), lambda x: ad.leaky_relu(x).sum()):
        x.grad = None
        f(x).backward()
        assert x.grad.dtype == np.float32


def test_an_augmented_assignment_rebinds():
    x = ad.Tensor([1.0, 2.0])
    y = x
    y *= 3
    y += 1
    assert y is not x
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [3, 3])
    np.testing.assert_array_equal(x.data, [1, 2])


def test_a_leaf_is_a_copy_of_what_it_is_made_from():
    a = np.ones(2)
    t = ad.Tensor(a)
    a[0] = 7
    np.testing.assert_array_equal(t.data, [1, 1])
    view = t.numpy()
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1


def test_printing():
    assert repr(ad.Tensor([1.0, 2.0], name="w")) == "Tensor([1., 2.], name='w')"
    assert repr(ad.Tensor([1.0]) * 2) == "Tensor([2.], op=multiply)"
    assert repr(ad.Tensor([True], requires_grad=False)) == "Tensor([ True], dtype=bool, requires_grad=False)"
    assert f"{ad.Tensor(1.23456):.2f}" == "1.23"


def test_a_tensor_is_compared_with_a_list_entry_by_entry():
    x = ad.Tensor([1.0, 2.0])
    assert (x == [1.0, 3.0]).tolist() == [True, False]
    assert (x != [1.0, 3.0]).tolist() == [False, True]


def test_logic_operators_take_only_truth_values():
    """NumPy's work bit by bit on whole numbers: 6 & 3 is 2, and ~6 is -7."""
    whole, x = ad.Tensor([6], requires_grad=False), ad.Tensor([1.0, -1.0])
    for attempt in (lambda: whole & 3, lambda: 3 & whole, lambda: whole | 1, lambda: ~whole, lambda: (x > 0) & x):
        with pytest.raises(ad.errors.KindError, match="truth values"):
            attempt()
    assert ((x > 0) & [True, True]).tolist() == [True, False]
    assert (True | (x > 0)).tolist() == [True, True]
    assert (~(x > 0)).tolist() == [False, True]


def test_the_gradient_of_a_0d_tensor_is_an_array():
    x = ad.Tensor(2.0)
    for expected in (1, 2):
        x.backward()
        assert type(x.grad) is np.ndarray
        assert x.grad == expected
    y = x * x
    y.backward()
    assert type(y.grad) is np.ndarray


def test_a_given_gradient_takes_the_dtype_of_the_result():
    x = ad.Tensor([1.0, 2.0], dtype="float32")
    y = x * 2
    y.backward(np.ones(2))
    assert y.grad.dtype == x.grad.dtype == np.float32
    y.backward([1, 1])
    assert x.grad.tolist() == [4, 4]


def test_a_value_that_was_freed_says_so():
    x = ad.Tensor([2.0])
    y = x * x
    y.sum().backward(free=True)
    assert "freed" in repr(y)
    with pytest.raises(ad.errors.TapeError, match="free=True"):
        y.item()
