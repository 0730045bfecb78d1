"""How parameters start: bounds and spreads by the papers' formulas, orthogonality, gains, and what is refused."""

import math

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from autodiff.core.errors import ArgumentError, KindError, ShapeError
from autodiff.nn import init

SHAPE = (60, 20, 5, 4)  # 400 inputs of each output, 1200 outputs of each input
FAN_IN, FAN_OUT = 400, 1200


def weight(shape=SHAPE, dtype=float):
    return ad.Tensor(np.zeros(shape), dtype=dtype)


def spread(w, std):
    """Whether numbers are of mean 0 and of this standard deviation, to six standard errors."""
    n = w.size
    return abs(w.data.mean()) < 6 * std / math.sqrt(n) and abs(w.data.std() / std - 1) < 6 / math.sqrt(2 * n)


UNIFORM = {
    "uniform_": (lambda w: init.uniform_(w, -0.3, 0.3, rng=0), 0.3),
    "xavier_uniform_": (lambda w: init.xavier_uniform_(w, 2.0, rng=0), 2 * math.sqrt(6 / (FAN_IN + FAN_OUT))),
    "kaiming_uniform_": (lambda w: init.kaiming_uniform_(w, rng=0), math.sqrt(6 / FAN_IN)),
    "kaiming_uniform_ backwards": (lambda w: init.kaiming_uniform_(w, mode="fan_out", rng=0), math.sqrt(6 / FAN_OUT)),
    "kaiming_uniform_ leaky": (lambda w: init.kaiming_uniform_(w, math.sqrt(5), rng=0), 1 / math.sqrt(FAN_IN)),
}
NORMAL = {
    "normal_": (lambda w: init.normal_(w, std=0.02, rng=0), 0.02),
    "xavier_normal_": (lambda w: init.xavier_normal_(w, 2.0, rng=0), 2 * math.sqrt(2 / (FAN_IN + FAN_OUT))),
    "kaiming_normal_": (lambda w: init.kaiming_normal_(w, rng=0), math.sqrt(2 / FAN_IN)),
    "kaiming_normal_ tanh": (
        lambda w: init.kaiming_normal_(w, mode="fan_out", nonlinearity="tanh", rng=0),
        5 / 3 / math.sqrt(FAN_OUT),
    ),
}


@pytest.mark.parametrize(("fill", "bound"), UNIFORM.values(), ids=UNIFORM)
def test_even_draws_fill_their_range(fill, bound):
    w = weight()
    assert fill(w) is w
    assert np.abs(w.data).max() <= bound
    assert np.abs(w.data).max() > 0.999 * bound
    assert spread(w, bound / math.sqrt(3))
    assert np.histogram(w.data, 10)[0].min() > 0.9 * w.size / 10


@pytest.mark.parametrize(("fill", "std"), NORMAL.values(), ids=NORMAL)
def test_normal_draws_have_their_spread(fill, std):
    w = weight()
    assert fill(w) is w
    assert spread(w, std)
    assert np.mean(np.abs(w.data) < std) == pytest.approx(0.6827, abs=0.01)


def test_normal_draws_have_their_mean():
    assert init.normal_(weight((1000,)), 3.0, 0.1, rng=0).data.mean() == pytest.approx(3, abs=0.02)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (6, 2, 3, 2), (2, 2, 3)])
def test_orthogonal_rows_or_columns(shape):
    w = init.orthogonal_(weight(shape), gain=2.0, rng=0).data.reshape(shape[0], -1)
    gram = w @ w.T if len(w) <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


def test_every_orthogonal_matrix_is_equally_likely():
    """QR alone would never give a first entry above 0: it would always mirror the first column."""
    first = [init.orthogonal_(weight((2, 2)), rng=seed).data for seed in range(200)]
    assert 60 < sum(w[0, 0] > 0 for w in first) < 140
    assert 60 < sum(np.linalg.det(w) > 0 for w in first) < 140


def test_constants():
    assert init.constant_(weight((2,)), 0.5).tolist() == [0.5, 0.5]
    assert init.ones_(weight((2,))).tolist() == [1, 1]
    assert init.zeros_(init.ones_(weight((2,)))).tolist() == [0, 0]


def test_gains():
    """The table of PyTorch's documentation."""
    one = ["linear", "sigmoid", "conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d"]
    assert [init.calculate_gain(name) for name in one] == [1] * len(one)
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("selu") == 3 / 4
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / 1.0001)
    assert init.calculate_gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)
    with pytest.raises(ArgumentError, match="calculate_gain got nonlinearity='softmax'; there are leaky_relu, linear"):
        init.calculate_gain("softmax")


def test_the_seed_and_the_kind_of_numbers():
    a, b = init.normal_(weight(), rng=3), init.normal_(weight(dtype=np.float32), rng=3)
    assert b.dtype == np.float32
    assert np.array_equal(a.data.astype(np.float32), b.data)
    rng = np.random.default_rng(3)
    assert np.array_equal(init.normal_(weight(), rng=rng).data, a.data)
    assert not np.array_equal(init.normal_(weight(), rng=rng).data, a.data)


def test_a_layer_of_a_model_starts_anew():
    layer = nn.Linear(3, 2)
    stale = layer(np.ones((1, 3))).sum()
    assert init.xavier_uniform_(layer.weight) is layer.weight
    with pytest.raises(ad.AutodiffError, match="was changed after"):
        stale.backward()


@pytest.mark.parametrize(
    "name", ["xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "orthogonal_"]
)
def test_a_bias_has_no_inputs_and_outputs(name):
    with pytest.raises(ShapeError, match=rf"{name} got a tensor of shape \(3,\); it takes a weight.*use zeros_"):
        getattr(init, name)(weight((3,)))


@pytest.mark.parametrize("name", init.__all__[1:])
def test_only_parameters_are_filled(name):
    rest = (0.5,) if name == "constant_" else ()
    with pytest.raises(KindError, match=rf"(?s){name} got .*; it takes a parameter, such as layer\.weight"):
        getattr(init, name)(np.zeros((2, 2)), *rest)
    with pytest.raises(KindError, match=rf"(?s){name} got .*; it takes a parameter"):
        getattr(init, name)(weight((2, 2)) * 2, *rest)


def test_a_direction_that_is_none():
    with pytest.raises(ArgumentError, match="kaiming_normal_ got mode='fan'; it is 'fan_in' or 'fan_out'"):
        init.kaiming_normal_(weight(), mode="fan")
