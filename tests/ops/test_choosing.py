"""Derivatives of what chooses, inserts, deletes and replaces."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

X = np.random.default_rng(1).normal(size=(2, 3))
Z = X + 1j * X[::-1]
V = np.array([0.3, -0.7, 1.1])
MASK = np.array([[1, 0, 1], [0, 1, 1]])


def products_of_pairs(row):
    return [row[0] * row[1], 1.0]


GRADIENTS = {
    "select": (lambda x, d: ad.select([x > 0, x < -1], [ad.exp(x), x * x], d), X, 2.0),
    "select broadcast": (lambda a, b: ad.select([np.array([True, False])], [a], b), Z[0, :2], X[:, :1]),
    "choose": (lambda a, b: ad.choose(MASK, [a, b]), X[0], X[:, :1]),
    "choose rows": (lambda a: ad.choose([4, 1, -1], a, mode="wrap"), Z),
    "compress": (lambda x: ad.compress([1, 0, 1], x, 1), Z),
    "extract": (lambda x: ad.extract(MASK, x), X),
    "place": (lambda x, v: ad.place(x, MASK, v), X, V),
    "putmask": (lambda x, v: ad.putmask(x, MASK, v), X, V[:2]),
    "put": (lambda x, v: ad.put(x, [0, 3, 0, -1], v), X, V),
    "put wrapped": (lambda x, v: ad.put(x, [7, 3], v, "wrap"), Z, V),
    "insert one": (lambda x, v: ad.insert(x, 1, v, axis=1), X, V[:2]),
    "insert many": (lambda x, v: ad.insert(x, [0, 2, 2], v, axis=1), X, V),
    "insert some": (lambda x, v: ad.insert(x, 1, v), Z[0], V),
    "insert a slice": (lambda x, v: ad.insert(x, slice(None, None, 2), v), X, Z[0, 0].real),
    "insert where true": (lambda x, v: ad.insert(x, np.array([True, False]), v, 0), X, V),
    "delete": (lambda x: ad.delete(x, [0, -1], 1), Z),
    "delete flat": (lambda x: ad.delete(x, slice(None, None, 2)), X),
    "append": (ad.append, X, 1.5),
    "append rows": (lambda x, v: ad.append(x, v, 0), Z, X),
    "piecewise": (lambda x: ad.piecewise(x, [x < 0, x >= 1], [lambda v: v * v, ad.sqrt, ad.exp]), X),
    "piecewise with arguments": (lambda x, c: ad.piecewise(x, [x < 0], [lambda v, c: v * c, 5.0], c), V, 2.0),
    "apply_along_axis": (lambda x: ad.apply_along_axis(lambda row: ad.outer(row, row), 1, x), X),
    "apply_along_axis of lists": (lambda x: ad.apply_along_axis(products_of_pairs, 0, x), Z),
    "apply_over_axes": (lambda x: ad.apply_over_axes(ad.sum, x * x, (0, -1)), X),
    "trim_zeros": (lambda x: ad.trim_zeros(ad.pad(x, 2)), X),
    "ix_": (lambda x: x[ad.ix_([1, 0], [True, False, True])] * x[0, 0], X),
}


@pytest.mark.parametrize(("f", "args"), [(f, args) for f, *args in GRADIENTS.values()], ids=list(GRADIENTS))
def test_gradients(f, args):
    check_gradients(f, *args)


def test_a_function_of_a_piece_does_not_see_the_others():
    x = ad.Tensor([0.0, -1.0, 4.0])
    y = ad.piecewise(x, [x > 0], [ad.log, 0.0])
    y.sum().backward()
    assert x.grad.tolist() == [0, 0, 0.25]
    seen = []
    ad.piecewise(x, [x > 9, x > -9], [seen.append, lambda v: v])
    assert not seen


def test_branches_that_are_not_chosen_send_exactly_zero():
    x = ad.Tensor([0.0, 4.0])
    ad.select([x > 0], [ad.sqrt(x)], 1.0).sum().backward()
    assert x.grad.tolist() == [0, 0.25]
    x = ad.Tensor([0.0, 4.0])
    ad.choose([0, 1], [np.ones(2), ad.sqrt(x)]).sum().backward()
    assert x.grad.tolist() == [0, 0.25]


def test_single_precision_stays():
    x = ad.Tensor(X, dtype=np.float32)
    for y in (
        ad.select([x > 0], [x], 0.5),
        ad.choose(MASK, [x, 1.0]),
        ad.insert(x, 0, np.array([1.0]), 0),
        ad.putmask(x, MASK, 2),
        ad.piecewise(x, [x > 0], [lambda v: v, 1.5]),
    ):
        assert y.dtype == np.float32
        assert y.requires_grad


def test_masks_and_places_may_be_tensors():
    x, mask = ad.Tensor(X), ad.Tensor(MASK > 0, requires_grad=False)
    for f in (ad.extract, ad.compress):
        given = (mask, x) if f is ad.extract else (mask[0], x, 1)
        plain = (MASK, X) if f is ad.extract else (MASK[0], X, 1)
        np.testing.assert_array_equal(f(*given).data, f(*plain))
    np.testing.assert_array_equal(ad.place(x, mask, V).data, ad.place(X, MASK, V))
    np.testing.assert_array_equal(ad.delete(x, mask[0], 1).data, np.delete(X, MASK[0] > 0, 1))
    places = ad.Tensor([1, 0], requires_grad=False)
    np.testing.assert_array_equal(ad.insert(x, places, V[:2], 1).data, np.insert(X, [1, 0], V[:2], 1))
    np.testing.assert_array_equal(ad.put(x, places, V).data.ravel()[:2], V[1::-1])
    assert [i.shape for i in ad.ix_(places, mask[0])] == [(2, 1), (1, 2)]
    assert not ad.isin(x, X[0]).requires_grad


def test_what_numpy_writes_into_is_copied():
    x, data = ad.Tensor(X), X.copy()
    for y in (ad.put(x, [], 1.0), ad.put(x, 0, []), ad.putmask(x, MASK, []), ad.place(x, 0 * MASK, [])):
        np.testing.assert_array_equal(y.data, X)
        assert y is not x
    for f in (ad.place, ad.putmask):
        f(X, MASK, 9.0)
    np.testing.assert_array_equal(X, data)


def test_values_of_another_kind():
    narrow = np.zeros(3, np.float32)
    for f in (ad.place, ad.putmask):
        with pytest.raises(TypeError):
            f(ad.Tensor(narrow), [1, 0, 1], ad.Tensor(V))
    assert ad.insert([1, 2], 0, ad.Tensor(2.7)).tolist() == [2, 1, 2]


@pytest.mark.parametrize("f", [lambda x: ad.choose([0], [x], out=X), lambda x: ad.compress([True], x, out=X)])
def test_out_is_refused(f):
    with pytest.raises(TypeError, match="out="):
        f(ad.Tensor(V[:1]))


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: ad.select([x > 0], [x, x]), "1 conditions and 2 choices"),
        (lambda x: ad.select([], []), "empty condition list"),
        (lambda x: ad.piecewise(x, [x > 0], [1.0, 2.0, 3.0]), "either 1 or 2 functions"),
        (lambda x: ad.place(x, [True], 1.0), "same size"),
        (lambda x: ad.place(x, MASK, []), "empty array"),
        (lambda x: ad.apply_along_axis(ad.sum, 0, x[:, :0]), "iteration dimensions are 0"),
        (lambda x: ad.apply_over_axes(lambda a, axis: ad.sum(a), x, 0), "correct shape"),
        (lambda x: ad.trim_zeros(x, "middle"), "unexpected character"),
        (lambda x: ad.ix_(x), "1 dimensional"),
        (lambda x: ad.compress(MASK, x), "1-d"),
        (lambda x: ad.choose([0], []), "no choices"),
    ],
)
def test_errors(f, message):
    with pytest.raises(ValueError, match=message):
        f(ad.Tensor(X))
