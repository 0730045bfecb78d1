"""A healthy model gets no accusation: fresh, trained, deep, narrow, of every kind."""

import random

import numpy as np
import pytest

import autodiff as ad
from autodiff import data, nn, optim
from autodiff.diagnosis.health import health
from autodiff.nn import functional

X, y = data.moons(200, noise=0.1, rng=0)
digits, labels = (a[:300] for a in data.digits())
signs = 2 * y - 1


def assert_healthy(model, loss, steps, optimizer):
    """No verdict before, in the midst of or after training."""
    for k in range(steps + 1):
        now = loss()
        if k in (0, 1, 2, 5, steps // 2, steps):
            report = health(model, now, optimizer=optimizer)
            assert report.ok, f"step {k}:\n{report}"
        optimizer.zero_grad()
        now.backward()
        optimizer.step()


ACTIVATIONS = [nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.LeakyReLU, nn.SiLU, nn.ELU]


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: a.__name__)
@pytest.mark.parametrize("hidden", [[16], [16, 16], [8, 8], [32, 32, 32, 32]], ids=str)
@pytest.mark.parametrize("seed", [0, 1])
def test_moons(activation, hidden, seed):
    model = nn.MLP([2, *hidden, 2], activation, rng=seed)
    optimizer = [optim.SGD(model.parameters(), 0.1), optim.Adam(model.parameters(), 0.01)][seed]
    assert_healthy(model, lambda: functional.cross_entropy(model(X), y), 30, optimizer)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.Sigmoid], ids=lambda a: a.__name__)
@pytest.mark.parametrize("sizes", [[64, 10], [64, 128, 10], [64, 64, 64, 64, 10]], ids=str)
def test_digits(activation, sizes):
    model = nn.MLP(sizes, activation, dtype=np.float32, rng=0)
    optimizer = optim.AdamW(model.parameters(), 3e-3)
    assert_healthy(model, lambda: functional.cross_entropy(model(digits.astype(np.float32)), labels), 40, optimizer)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.Sigmoid], ids=lambda a: a.__name__)
def test_a_net_that_has_learnt_all_there_is(activation):
    """Its activations are saturated, its gradients tiny."""
    model = nn.MLP([2, 16, 16, 1], activation, rng=0)
    optimizer = optim.SGD(model.parameters(), 0.5, momentum=0.9)
    assert_healthy(model, lambda: functional.binary_cross_entropy_with_logits(model(X)[:, 0], y), 400, optimizer)


@pytest.mark.parametrize("scale", [1.0, np.sqrt(2.0)], ids=["xavier", "he"])
@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh], ids=lambda a: a.__name__)
def test_other_beginnings(scale, activation):
    rng = np.random.default_rng(0)
    model = nn.MLP([2, 32, 32, 32, 2], activation, rng=0)
    for layer in model:
        if isinstance(layer, nn.Linear):
            layer.weight.data = rng.normal(size=layer.weight.shape) * scale / np.sqrt(layer.weight.shape[1])
            layer.bias.data = np.zeros(layer.bias.shape)
    assert_healthy(model, lambda: functional.cross_entropy(model(X), y), 60, optim.SGD(model.parameters(), 0.1))


@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU], ids=lambda a: a.__name__)
def test_four_points(activation):
    points, truth = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0.0, 1.0, 1.0, 0.0])
    model = nn.MLP([2, 8, 1], activation, rng=0)
    optimizer = optim.SGD(model.parameters(), 0.5)
    assert_healthy(model, lambda: functional.mse_loss(ad.sigmoid(model(points))[:, 0], truth), 400, optimizer)


class Convolutional(nn.Module):
    def __init__(self):
        rng = np.random.default_rng(0)
        self.w1, self.b1 = ad.Tensor(rng.normal(size=(8, 1, 3, 3)) / 3), ad.Tensor(np.zeros(8))
        self.w2, self.b2 = ad.Tensor(rng.normal(size=(16, 8, 3, 3)) / 8), ad.Tensor(np.zeros(16))
        self.head = nn.Linear(64, 10, rng=0)

    def forward(self, x):
        for weight, bias in ((self.w1, self.b1), (self.w2, self.b2)):
            x = ad.max_pool2d(ad.relu(ad.conv2d(x, weight, bias, padding=1)), 2)
        return self.head(x.reshape(len(x), -1))


def test_a_convolutional_net():
    model, images = Convolutional(), digits[:64].reshape(-1, 1, 8, 8)
    optimizer = optim.Adam(model.parameters(), 3e-3)
    assert_healthy(model, lambda: functional.cross_entropy(model(images), labels[:64]), 30, optimizer)
    report = health(model, functional.cross_entropy(model(images), labels[:64]))
    assert [(row.layer, row.units) for row in report.rows] == [("w1", 8), ("w2", 16), ("head", None)]


def test_a_net_of_numbers():
    random.seed(0)
    model = nn.scalar.MLP(2, [8, 8, 1])

    def loss():
        scores = [model([a, b]) for a, b in X[:30].tolist()]
        margin = sum((1 - int(s) * score).relu() for s, score in zip(signs, scores)) / 30
        return margin + 1e-4 * sum(p * p for p in model.parameters())

    assert_healthy(model, loss, 10, optim.SGD(model.parameters(), 0.5))


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_linear_regression_to_the_last_digit(start):
    rng = np.random.default_rng(0)
    A = rng.normal(size=(100, 3))
    t = A @ [1.0, -2.0, 3.0] + 0.5 + 0.1 * rng.normal(size=100)
    w, b = ad.Tensor(np.full(3, start)), ad.Tensor(0.0)
    assert_healthy([w, b], lambda: ((A @ w + b - t) ** 2).mean(), 500, optim.SGD([w, b], 0.1))


def test_logistic_regression_from_zero():
    layer = nn.Linear(2, 2)
    layer.weight.data, layer.bias.data = np.zeros((2, 2)), np.zeros(2)
    assert_healthy(layer, lambda: functional.cross_entropy(layer(X), y), 100, optim.SGD(layer.parameters(), 0.5))


def test_a_head_that_starts_at_zero():
    """Nothing reaches the first layer before the first step."""
    model = nn.MLP([2, 16, 2], rng=0)
    model[2].weight.data, model[2].bias.data = np.zeros((2, 16)), np.zeros(2)
    assert_healthy(model, lambda: functional.cross_entropy(model(X), y), 20, optim.SGD(model.parameters(), 0.1))


def test_a_support_vector_machine_with_nothing_left_to_do():
    w = ad.Tensor([5.0, 0.0])
    points, sides = np.array([[1.0, 0.0], [-1.0, 0.0]] * 10), np.array([1, -1] * 10)
    assert health([w], functional.hinge_loss(points @ w, sides), lr=0.1).ok


class Attention(nn.Module):
    def __init__(self):
        rng = np.random.default_rng(0)
        self.tokens, self.places = ad.Tensor(rng.normal(size=(12, 16))), ad.Tensor(0.02 * rng.normal(size=(6, 16)))
        self.q, self.k, self.v, self.out = (nn.Linear(16, 16, bias=False, rng=i) for i in range(4))
        self.feed, self.head = nn.MLP([16, 32, 16], nn.GELU, rng=4), nn.Linear(16, 12, rng=5)

    def forward(self, tokens):
        x = self.tokens[tokens] + self.places
        past = np.where(np.tril(np.ones((6, 6))) > 0, 0, -np.inf)
        x = x + self.out(ad.softmax(self.q(x) @ self.k(x).transpose(0, 2, 1) / 4 + past) @ self.v(x))
        return self.head(x + self.feed(x)).reshape(-1, 12)


def test_attention_with_a_mask():
    model, tokens = Attention(), np.random.default_rng(0).integers(0, 12, (16, 7))
    optimizer = optim.AdamW(model.parameters(), 0.01)
    assert_healthy(
        model, lambda: functional.cross_entropy(model(tokens[:, :-1]), tokens[:, 1:].ravel()), 100, optimizer
    )


def test_dropout_and_frozen_layers():
    model = nn.Sequential(nn.Linear(2, 32, rng=0), nn.ReLU(), nn.Dropout(0.5, rng=0), nn.Linear(32, 2, rng=1))
    for p in model[0].parameters():
        p.requires_grad = False
    report = health(model, functional.cross_entropy(model(X), y), optimizer=optim.SGD(model[3].parameters(), 0.1))
    assert report.ok
    assert [row.layer for row in report.rows if row.frozen] == ["0"]
    assert "frozen" in str(report)
