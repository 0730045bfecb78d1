"""Networks of Values: micrograd's demo and README, with only the imports changed."""

import random

import numpy as np
import pytest

from autodiff import Value, nn
from autodiff.nn.scalar import MLP, Layer, Neuron

# Printed by micrograd 0.1.0 for `demo` below.
MICROGRAD_LOSSES = [
    0.9062832201764072,
    1.5773898984911368,
    0.6550601334382629,
    0.7016532449412296,
    0.34086843661129507,
]
MICROGRAD_ACCURACIES = [0.5, 0.79, 0.8, 0.83, 0.86]


def moons():
    t = np.linspace(0, np.pi, 50)
    upper, lower = np.stack([np.cos(t), np.sin(t)], 1), np.stack([1 - np.cos(t), 0.5 - np.sin(t)], 1)
    return np.concatenate([upper, lower]), np.repeat([-1, 1], 50)


def demo(steps):
    """The training loop of micrograd's demo notebook."""
    random.seed(1337)
    X, y = moons()
    model = MLP(2, [16, 16, 1])
    for k in range(steps):
        inputs = [list(map(Value, xrow)) for xrow in X]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in model.parameters())
        total_loss = data_loss + reg_loss
        accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(y, scores, strict=True)]

        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        yield total_loss.data, sum(accuracy) / len(accuracy)


def test_the_demo_of_micrograd_gives_its_numbers():
    losses, accuracies = zip(*demo(5), strict=True)
    assert losses == pytest.approx(MICROGRAD_LOSSES, abs=1e-12, rel=0)
    assert list(accuracies) == MICROGRAD_ACCURACIES


def test_the_readme_of_micrograd_gives_its_numbers():
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def test_what_is_drawn_is_what_micrograd_draws():
    random.seed(0)
    weights = [random.uniform(-1, 1) for _ in range(6)]
    random.seed(0)
    layer = Layer(2, 3, nonlin=False)
    assert [p.data for p in layer.parameters()] == [*weights[:2], 0, *weights[2:4], 0, *weights[4:], 0]


def test_reprs_are_micrograds():
    assert repr(Neuron(2)) == "ReLUNeuron(2)"
    assert repr(Layer(2, 2)) == "Layer of [ReLUNeuron(2), ReLUNeuron(2)]"
    assert repr(MLP(3, [2, 1])) == "MLP of [Layer of [ReLUNeuron(3), ReLUNeuron(3)], Layer of [LinearNeuron(2)]]"


def test_gradients_can_be_used_before_backward():
    model = MLP(1, [1])
    model.zero_grad()
    for p in model.parameters():
        p.data -= 0.1 * p.grad
    assert [p.grad for p in model.parameters()] == [0, 0]


def test_a_layer_of_one_returns_its_number():
    assert isinstance(Layer(2, 1)([1.0, 2.0]), Value)
    assert len(Layer(2, 3)([1.0, 2.0])) == 3
    assert len(nn.scalar.MLP(2, [16, 16, 1]).parameters()) == 337
