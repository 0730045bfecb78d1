"""The fused rows where they could be wrong: complex numbers, classes that a tape must not remember."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.ops.fused import softmax_cross_entropy
from autodiff.testing import check_gradients


def test_a_complex_layer_is_the_product_written_out(rng):
    x, w, b = (rng.normal(size=s) + 1j * rng.normal(size=s) for s in ((4, 3), (2, 3), (2,)))
    g = rng.normal(size=(4, 2)) * (1 - 2j)
    _, fused = ad.vjp(ad.linear, x, w, b)
    _, written = ad.vjp(lambda x, w, b: x @ w.T + b, x, w, b)
    for found, expected in zip(fused(g), written(g), strict=True):
        np.testing.assert_allclose(found, expected)


def test_a_complex_error_has_the_gradient_of_steepest_ascent(rng):
    a, b = rng.normal(size=3) + 1j * rng.normal(size=3), rng.normal(size=3)
    f = lambda a, b: ad.mean_squared_error(a, b)  # noqa: E731
    assert f(a, b) == pytest.approx(np.mean(np.abs(a - b) ** 2))
    c, d = ad.grad(f, (0, 1))(a, b)
    np.testing.assert_allclose(c, 2 * (a - b) / 3)
    np.testing.assert_allclose(d, 2 * (b - a).real / 3)


def test_complex_logits_are_refused():
    with pytest.raises(TypeError, match="got complex logits; probabilities are of real ones"):
        softmax_cross_entropy(ad.Tensor(np.ones((2, 3), complex)), np.array([0, 1]))


def test_cross_entropy_of_labels_in_a_tensor(rng):
    x, labels = rng.normal(size=(4, 3)), np.array([2, 0, 1, 1])
    held = ad.Tensor(labels, requires_grad=False)
    assert ad.cross_entropy(ad.Tensor(x), held).item() == pytest.approx(ad.cross_entropy(x, labels))
    check_gradients(lambda x: ad.cross_entropy(x, held), x)
    _, along = ad.jvp(lambda x: ad.cross_entropy(x, held), (x,), (x,))
    assert along == pytest.approx(np.sum(ad.grad(lambda x: ad.cross_entropy(x, held))(x) * x))
