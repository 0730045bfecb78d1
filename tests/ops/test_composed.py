"""Public functions that are not rows but made of rows: values are NumPy's, gradients right."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

X = np.random.default_rng(7).normal(size=(2, 3, 4))
FUNCTIONS = {
    "ravel": (ad.ravel, np.ravel),
    "split": (lambda x: ad.split(x, [1, 2], axis=1)[1], lambda x: np.split(x, [1, 2], axis=1)[1]),
    "split equal": (lambda x: ad.split(x, 2, axis=-1)[1], lambda x: np.split(x, 2, axis=-1)[1]),
    "repeat": (lambda x: ad.repeat(x, [1, 0, 2], axis=1), lambda x: np.repeat(x, [1, 0, 2], axis=1)),
    "repeat flat": (lambda x: ad.repeat(x, 2), lambda x: np.repeat(x, 2)),
    "tile": (lambda x: ad.tile(x, (2, 1, 1, 3)), lambda x: np.tile(x, (2, 1, 1, 3))),
    "take": (lambda x: ad.take(x, [[0, 0], [3, -1]], axis=2), lambda x: np.take(x, [[0, 0], [3, -1]], axis=2)),
    "take flat": (lambda x: ad.take(x, [5, 5]), lambda x: np.take(x, [5, 5])),
    "take_along_axis": (
        lambda x: ad.take_along_axis(x, np.argsort(X, axis=1), axis=1),
        lambda x: np.take_along_axis(x, np.argsort(X, axis=1), axis=1),
    ),
    **{
        f"pad {mode}": (
            lambda x, m=mode: ad.pad(x, ((1, 0), (0, 2), (1, 1)), mode=m),
            lambda x, m=mode: np.pad(x, ((1, 0), (0, 2), (1, 1)), mode=m),
        )
        for mode in ("constant", "edge", "reflect", "symmetric", "wrap")
    },
    "pad value": (lambda x: ad.pad(x, 1, constant_values=3), lambda x: np.pad(x, 1, constant_values=3)),
    "norm": (ad.norm, np.linalg.norm),
    "norm axis": (lambda x: ad.norm(x, 3, axis=1), lambda x: np.linalg.norm(x, 3, axis=1)),
    "norm fro": (lambda x: ad.norm(x, "fro", axis=(0, 2)), lambda x: np.linalg.norm(x, "fro", axis=(0, 2))),
    **{
        f"norm matrix {p}": (
            lambda x, p=p: ad.norm(x, p, axis=(2, 0), keepdims=p > 0),
            lambda x, p=p: np.linalg.norm(x, p, axis=(2, 0), keepdims=p > 0),
        )
        for p in (1, -1, np.inf, -np.inf)
    },
    "dot": (lambda x: ad.dot(x, np.ones((4, 2))), lambda x: np.dot(x, np.ones((4, 2)))),
    "dot deep": (lambda x: ad.dot(x[0], ad.swapaxes(x, -1, -2)), lambda x: np.dot(x[0], np.swapaxes(x, -1, -2))),
    "outer": (lambda x: ad.outer(x[0], x[1]), lambda x: np.outer(x[0], x[1])),
    "clip low": (lambda x: ad.clip(x, 0.01), lambda x: np.clip(x, 0.01, None)),
    "clip": (lambda x: ad.clip(x, min=-0.5, max=0.5), lambda x: np.clip(x, -0.5, 0.5)),
    **{
        f"einsum {s}": (lambda x, s=s: ad.einsum(s, x, X), lambda x, s=s: np.einsum(s, x, X))
        for s in ("ijk,ijk", "ijk,ijk->", "...k,...k", "ijk,ljk->li", "i...,i...->...", "abc, dbc -> ad", "ijk,imn->j")
    },
    "einsum implicit": (lambda x: ad.einsum("jik", x), lambda x: np.einsum("jik", x)),
}


@pytest.mark.parametrize(("ours", "theirs"), FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_values_and_gradients(ours, theirs):
    np.testing.assert_allclose(ours(ad.Tensor(X)).data, theirs(X), rtol=1e-12)
    np.testing.assert_allclose(ours(X), theirs(X), rtol=1e-12)
    check_gradients(ours, X)


@pytest.mark.parametrize("subscripts", ["ii", "ii->i", "iij->j", "iii->i", "iji->j", "iji"])
def test_einsum_diagonals(subscripts, rng):
    x = rng.normal(size=(3,) * len(subscripts.partition("->")[0]))
    np.testing.assert_allclose(ad.einsum(subscripts, x), np.einsum(subscripts, x))
    check_gradients(lambda x: ad.einsum(subscripts, x), x)


def test_cross_entropy_is_published_arithmetic(rng):
    special = pytest.importorskip("scipy.special")
    logits, labels = rng.normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])
    loss = ad.cross_entropy(logits, labels)
    assert loss == pytest.approx(-np.mean(special.log_softmax(logits, axis=1)[np.arange(5), labels]))
    c = ad.grad(lambda x: ad.cross_entropy(x, labels))(logits)
    np.testing.assert_allclose(c, (special.softmax(logits, axis=1) - np.eye(3)[labels]) / 5)
    check_gradients(lambda x: ad.cross_entropy(x, labels), logits)


def test_dropout_scales_what_it_keeps():
    x = ad.Tensor(np.ones(10_000))
    y = ad.dropout(x, 0.25, rng=0)
    assert set(np.unique(y.data)) == {0, 1 / 0.75}
    assert np.mean(y.data) == pytest.approx(1, abs=0.03)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.data)
    assert ad.dropout(x, 0.5, training=False) is x
    np.testing.assert_array_equal(ad.dropout(x, 1.0).data, 0)


def test_erf_is_accurate_everywhere():
    special = pytest.importorskip("scipy.special")
    x = np.concatenate([np.linspace(-7, 7, 2001), [0.0, -0.0, 1e-300, np.inf, -np.inf, np.nan]])
    np.testing.assert_allclose(ad.erf(x), special.erf(x), rtol=1e-15, atol=0)  # a few units in the last place


def test_activations_far_out():
    x = np.array([-1e4, -800.0, -40.0, 40.0, 800.0, 1e4])
    special = pytest.importorskip("scipy.special")
    np.testing.assert_allclose(ad.sigmoid(x), special.expit(x), rtol=1e-15)
    np.testing.assert_allclose(ad.log_sigmoid(x), special.log_expit(x), rtol=1e-15)
    np.testing.assert_allclose(ad.softplus(x), -special.log_expit(-x), rtol=1e-15)
    for op in (ad.sigmoid, ad.log_sigmoid, ad.softplus, ad.silu, ad.gelu, ad.elu, ad.tanh):
        assert np.all(np.isfinite(ad.derivative(op, x)))
        assert np.all(np.isfinite([ad.derivative(op, float(v)) for v in x]))


@pytest.mark.parametrize(
    ("ours", "numpys"),
    [
        (lambda a, b: ad.dot(a, b), np.dot),
        (lambda a, b: ad.einsum("ij,jk->ik", a, b), np.dot),
        (lambda a, b: ad.norm(a, 1), lambda a, b: np.linalg.norm(a, 1)),
        (lambda a, b: ad.split(a, 2)[1], lambda a, b: np.split(np.array(a), 2)[1]),
        (lambda a, b: ad.repeat(a, 2, axis=1), lambda a, b: np.repeat(a, 2, axis=1)),
        (lambda a, b: ad.tile(a, 2), lambda a, b: np.tile(a, 2)),
        (lambda a, b: ad.pad(a, 1, mode="edge"), lambda a, b: np.pad(a, 1, mode="edge")),
        (lambda a, b: ad.take(a, [0], axis=1), lambda a, b: np.take(a, [0], axis=1)),
        (lambda a, b: ad.take_along_axis(a, [[0], [1]], 1), lambda a, b: np.take_along_axis(np.array(a), np.c_[:2], 1)),
        (lambda a, b: ad.take_along_axis(a, [3], None), lambda a, b: [4.0]),
    ],
)
def test_lists_are_arrays_to_composed_ops(ours, numpys):
    a, b = [[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]
    np.testing.assert_array_equal(ours(a, b), numpys(a, b))


def test_a_tuple_inside_a_key_can_repeat_an_index():
    assert ad.grad(lambda x: x[(0, 0, 2),].sum())(np.arange(3.0)).tolist() == [2, 0, 1]


def test_axis_0_of_a_single_number_as_in_numpy():
    for reduce in (ad.sum, ad.mean, ad.max):
        assert ad.grad(lambda x, reduce=reduce: reduce(x, axis=0))(np.array(2.0)) == 1


def test_linear_twice_differentiated_from_a_plain_cotangent():
    x, w, b = np.ones((4, 3)), np.arange(6.0).reshape(2, 3), np.ones(2)
    mixed = ad.jacobian(lambda w: ad.grad(lambda x: ad.linear(x, w, b).sum())(x).sum())(w)
    assert np.array_equal(mixed, np.full((2, 3), 4.0))


def test_the_squared_error_of_nothing_is_refused():
    with pytest.raises(ad.errors.ShapeError, match="the mean over nothing is not defined"):
        ad.mean_squared_error(ad.Tensor(np.zeros((0, 2))), np.zeros((0, 2)))
