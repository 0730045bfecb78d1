"""Derivatives of what sorts, and ties."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

X = np.random.default_rng(1).normal(size=(3, 4))
Z = X + 1j * X[::-1]


@pytest.mark.parametrize("kind", [None, "quicksort", "heapsort", "stable"])
def test_ties_keep_their_order_whatever_the_method(kind):
    x = ad.Tensor(np.tile([2.0, 1.0], 20))
    weights = np.arange(40.0)
    (ad.sort(x, kind=kind) * weights).sum().backward()
    order = np.argsort(x.data, stable=True)
    np.testing.assert_array_equal(x.grad[order], weights)
    np.testing.assert_array_equal(ad.argsort(x).data, order)


def test_nan_and_infinity_are_sorted_last():
    x = ad.Tensor([np.nan, 1.0, np.inf, -np.inf, np.nan])
    ad.sort(x).backward(np.arange(5.0))
    np.testing.assert_array_equal(x.grad, [3, 1, 2, 0, 4])


@pytest.mark.parametrize("n", [5, 40, 1000])
@pytest.mark.parametrize("levels", [3, 10**6])
def test_partition_sends_each_cotangent_to_where_its_entry_came_from(n, levels):
    rng = np.random.default_rng(n)
    x = ad.Tensor(rng.integers(0, levels, n).astype(float))
    y = ad.partition(x, n // 2)
    np.testing.assert_array_equal(y.data, np.partition(x.data, n // 2))
    labels = rng.permutation(n) + 1.0
    y.backward(labels)
    assert sorted(x.grad) == sorted(labels)
    np.testing.assert_array_equal(x.data[np.argsort(x.grad)], y.data[np.argsort(labels)])
    _, y_dot = ad.jvp(lambda x: ad.partition(x, n // 2), (x.data,), (x.grad,))
    np.testing.assert_array_equal(y_dot, labels)


def test_searching_gives_whole_numbers_that_are_not_tracked():
    x, edges = ad.Tensor([0.5, 2.5]), ad.Tensor([0.0, 1.0, 2.0])
    for y in (
        ad.argsort(x),
        ad.argpartition(x, 0),
        ad.searchsorted(edges, x),
        ad.searchsorted(a=edges, v=x, side="right", sorter=ad.Tensor([0, 1, 2], requires_grad=False)),
        ad.digitize(x, bins=edges),
        ad.flatnonzero(x),
        ad.argwhere(x),
        ad.nonzero(x)[0],
        ad.lexsort((x, x)),
        ad.bincount(ad.argsort(x)),
    ):
        assert isinstance(y, ad.Tensor)
        assert y.dtype.kind == "i"
        assert not y.requires_grad
    assert isinstance(ad.lexsort((x.data, x.data)), np.ndarray)


@pytest.mark.parametrize("axis", [0, -1])
def test_lexsort_of_tensors_is_numpys(axis):
    keys = np.random.default_rng(5).integers(0, 3, (3, 4, 6)).astype(float)
    for given in (tuple(map(ad.Tensor, keys)), ad.Tensor(keys), [ad.Tensor(keys[0]), keys[1]]):
        expected = np.lexsort(keys[: len(given)], axis)
        np.testing.assert_array_equal(ad.lexsort(given, axis=axis).data, expected)
    with pytest.raises(ValueError, match="agree"):
        ad.lexsort((ad.Tensor([1.0]), ad.Tensor([1.0, 2.0])))


def test_a_number_has_no_axes_to_be_nonzero_on():
    with pytest.raises(ValueError, match="0d"):
        ad.nonzero(ad.Tensor(1.0))


GRADIENTS = {
    "sort": (lambda x: ad.sort(x, 0), X),
    "sort all": (lambda x: ad.sort(x, None), Z),
    "sort_complex": (ad.sort_complex, X),
    "partition": (lambda x: ad.partition(x, (0, 2), axis=None), X),
    "sorted by argsort": (lambda x: ad.take_along_axis(x, ad.argsort(x), -1) ** 2, X),
    "bincount": (lambda w: ad.bincount([0, 2, 2, 0], w, minlength=5), X[0]),
}


@pytest.mark.parametrize(("f", "args"), [(f, args) for f, *args in GRADIENTS.values()], ids=list(GRADIENTS))
def test_gradients(f, args):
    check_gradients(f, *args)


def test_weights_of_bincount():
    w = ad.Tensor([1.0, 2.0, 3.0], dtype=np.float32)
    y = ad.bincount(ad.Tensor([1, 1, 3], requires_grad=False), weights=w)
    assert y.dtype == np.float64
    y.backward(np.arange(4.0))
    assert w.grad.dtype == np.float32
    assert w.grad.tolist() == [1, 1, 3]
    with pytest.raises(TypeError, match="float64"):
        ad.bincount([0, 1], [1j, 2])
    with pytest.raises(ValueError, match="shape"):
        ad.bincount([0, 1], w)
