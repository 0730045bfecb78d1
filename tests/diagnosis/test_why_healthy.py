"""Programs with nothing wrong: ``why`` must accuse nobody."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn, optim
from autodiff.diagnosis.why import why

PROGRAMS = []


def healthy(program):
    """Declare a program that returns pairs of a node and a loss, of which ``why`` must find nothing odd."""
    PROGRAMS.append(pytest.param(program, id=program.__name__))
    return program


def every_parameter(model, loss):
    return [(p, loss) for p in model.parameters()]


@pytest.mark.parametrize("called", [False, True], ids=["before backward", "after backward"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_healthy(program, called):
    pairs = program(np.random.default_rng(0))
    if called:
        pairs[0][1].backward()
    for p, loss in pairs:
        answer = why(p, loss)
        assert answer.healthy, f"{answer.cause}: {answer}"
        assert answer.cause in ("nothing is odd", "stationary point", "rows never looked up")
        if called:
            found, expected = (np.asarray(g, complex) for g in (answer.gradient, p.grad))
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300)


@healthy
def mlp_with_tanh(rng):
    model = nn.Sequential(nn.Linear(4, 16, rng=0), nn.Tanh(), nn.Linear(16, 3, rng=1))
    return every_parameter(model, ad.cross_entropy(model(rng.normal(size=(32, 4))), rng.integers(0, 3, 32)))


@healthy
def mlp_with_relu(rng):
    """Half of the entries of a relu are 0: that is what it is for."""
    model = nn.Sequential(
        nn.Linear(4, 32, rng=0), nn.ReLU(), nn.Linear(32, 32, rng=1), nn.ReLU(), nn.Linear(32, 1, rng=2)
    )
    return every_parameter(model, ((model(rng.normal(size=(64, 4))) - 1.0) ** 2).mean())


@healthy
def mlp_in_single_precision(rng):
    model = nn.Sequential(
        nn.Linear(4, 16, rng=0, dtype=np.float32), nn.GELU(), nn.Linear(16, 1, rng=1, dtype=np.float32)
    )
    x = rng.normal(size=(32, 4)).astype(np.float32)
    return every_parameter(model, ad.absolute(model(x)).mean())


@healthy
def mlp_while_training(rng):
    model = nn.Sequential(nn.Linear(2, 16, rng=0), nn.ReLU(), nn.Linear(16, 2, rng=1))
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    x = rng.normal(size=(64, 2))
    labels = (x[:, 0] * x[:, 1] > 0).astype(int)
    for _ in range(60):
        optimizer.zero_grad()
        ad.cross_entropy(model(x), labels).backward()
        optimizer.step()
    optimizer.zero_grad()
    return every_parameter(model, ad.cross_entropy(model(x), labels))


@healthy
def a_net_for_one_example(rng):
    model = nn.Sequential(nn.Linear(3, 8, rng=0), nn.ReLU(), nn.Linear(8, 1, rng=1))
    return every_parameter(model, model(rng.normal(size=3)).sum())


@healthy
def a_small_conv_net(rng):
    images, weight = rng.normal(size=(4, 1, 8, 8)), ad.Tensor(rng.normal(size=(3, 1, 3, 3)) * 0.3)
    head = nn.Linear(3 * 9, 2, rng=0)
    h = ad.max_pool2d(ad.relu(ad.conv2d(images, weight)), 2).reshape(4, -1)
    loss = ad.cross_entropy(head(h), np.array([0, 1, 0, 1]))
    return [(weight, loss), (head.weight, loss), (head.bias, loss)]


@healthy
def attention_with_a_causal_mask(rng):
    x = rng.normal(size=(6, 8))
    q, k, v = (ad.Tensor(rng.normal(size=(8, 8)) * 0.3) for _ in range(3))
    scores = (x @ q) @ (x @ k).T / np.sqrt(8)
    scores = ad.where(np.tril(np.ones((6, 6), bool)), scores, -np.inf)
    loss = ((ad.softmax(scores) @ (x @ v)) ** 2).mean()
    return [(q, loss), (k, loss), (v, loss)]


@healthy
def a_scalar_expression(rng):
    a, b = ad.Value(2.0), ad.Value(-3.0)
    y = ad.tanh(a * b + 6.5) * a
    return [(a, y), (b, y)]


@healthy
def rosenbrock(rng):
    x, y = ad.Value(-1.2), ad.Value(1.0)
    f = (1 - x) ** 2 + 100 * (y - x * x) ** 2
    return [(x, f), (y, f)]


@healthy
def masked_but_fine(rng):
    w, mask = ad.Tensor(rng.normal(size=(3, 4))), rng.random((3, 4)) > 0.7
    return [(w, ((w * mask) ** 2).sum())]


@healthy
def dropout(rng):
    w = ad.Tensor(rng.normal(size=(8, 8)))
    return [(w, (ad.dropout(w, 0.5, rng=0) ** 2).mean())]


@healthy
def rows_of_an_embedding(rng):
    table = ad.Tensor(rng.normal(size=(10, 4)))
    return [(table, (table[np.array([1, 2, 2, 5])] ** 2).sum())]


@healthy
def at_a_minimum(rng):
    w = ad.Tensor([3.0, -1.0])
    return [(w, ((w - np.array([3.0, -1.0])) ** 2).sum())]


@healthy
def at_a_least_squares_solution(rng):
    x, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    w = ad.Tensor(np.linalg.lstsq(x, y)[0])
    return [(w, ((x @ w - y) ** 2).mean())]


@healthy
def a_linear_layer_at_its_optimum(rng):
    x, y = rng.normal(size=(20, 1)), rng.normal(size=(20, 1))
    a, b = np.polyfit(x[:, 0], y[:, 0], 1)
    layer = nn.Linear(1, 1)
    layer.weight.data, layer.bias.data = np.array([[a]]), np.array([b])
    return every_parameter(layer, nn.functional.mse_loss(layer(x), y))


@healthy
def perfect_predictions(rng):
    x, w = rng.normal(size=(5, 2)), ad.Tensor(np.ones((2, 1)))
    return [(w, nn.functional.mse_loss(x @ w, x @ np.ones((2, 1))))]


@healthy
def nearly_perfect_predictions(rng):
    x, w = rng.normal(size=(5, 2)), ad.Tensor(np.ones((2, 1)) + 1e-9)
    return [(w, nn.functional.mse_loss(x @ w, x @ np.ones((2, 1))))]


@healthy
def a_top_of_a_parabola(rng):
    a = ad.Value(0.0)
    return [(a, 5 - a * a)]


@healthy
def a_satisfied_hinge_loss(rng):
    x, labels = np.array([[2.0], [-3.0]]), np.array([1.0, -1.0])
    w = ad.Tensor([[1.0]])
    return [(w, nn.functional.hinge_loss((x @ w)[:, 0], labels))]


@healthy
def zeros_in_front_of_a_softmax(rng):
    """Logistic regression may start at zero: its rows get different gradients."""
    layer = nn.Linear(4, 3)
    layer.weight.data = np.zeros((3, 4))
    return every_parameter(layer, ad.cross_entropy(layer(rng.normal(size=(30, 4))), rng.integers(0, 3, 30)))


@healthy
def where_that_guards_a_logarithm(rng):
    x = ad.Tensor([0.0, 1.0, 2.0])
    with np.errstate(divide="ignore"):
        return [(x, ad.where(x > 0, ad.log(x), 0.0).sum() + (x * x).sum())]


@healthy
def logits_far_out(rng):
    z = ad.Tensor([[30.0, -30.0], [-20.0, 20.0]])
    return [(z, ad.cross_entropy(z, np.array([1, 0])))]


@healthy
def a_long_chain_that_keeps_its_size(rng):
    x = ad.Value(1.0)
    y = x
    for i in range(3000):
        y = ad.sin(y) + y if i % 2 else y * 0.999 - 0.5
    z = ad.Value(1.0)
    out = z
    for _ in range(3000):
        out = out * 1.0001
    return [(z, out)]


@healthy
def fractions(rng):
    from fractions import Fraction

    a, b = ad.Value(Fraction(1, 3)), ad.Value(Fraction(2, 5))
    y = a * b + a / b
    return [(a, y), (b, y)]


@healthy
def complex_numbers(rng):
    w, z = ad.Tensor(rng.normal(size=3)), ad.Tensor(rng.normal(size=3) + 1j * rng.normal(size=3))
    loss = (ad.absolute(w * (1 + 2j) + z) ** 2).sum()
    return [(w, loss), (z, loss)]


@healthy
def a_recurrent_net(rng):
    w, u, h = ad.Tensor(rng.normal(size=(8, 8)) * 0.35), ad.Tensor(rng.normal(size=(3, 8))), np.zeros((4, 8))
    for x in rng.normal(size=(12, 4, 3)):
        h = ad.tanh(x @ u + h @ w)
    loss = (h**2).mean()
    return [(w, loss), (u, loss)]


@healthy
def deep_residual_net(rng):
    h = ad.Tensor(rng.normal(size=(8, 16)))
    weights = [ad.Tensor(rng.normal(size=(16, 16)) * 0.05) for _ in range(20)]
    for w in weights:
        h = h + ad.relu(h @ w)
    loss = (h**2).mean()
    return [(weights[0], loss), (weights[-1], loss)]


@healthy
def parameters_shared(rng):
    w = ad.Tensor(rng.normal(size=(4, 4)) * 0.5)
    x = rng.normal(size=(3, 4))
    return [(w, ad.sigmoid(ad.tanh(x @ w) @ w).mean())]


@healthy
def layer_norm_and_embedding(rng):
    scale, shift = ad.Tensor(np.ones(6)), ad.Tensor(np.zeros(6))
    table = ad.Tensor(rng.normal(size=(5, 6)))
    h = table[np.array([0, 1, 2, 3, 4])]
    h = (h - h.mean(axis=1, keepdims=True)) / ad.sqrt(h.var(axis=1, keepdims=True) + 1e-5) * scale + shift
    loss = ad.cross_entropy(h @ rng.normal(size=(6, 3)), np.array([0, 1, 2, 0, 1]))
    return [(scale, loss), (shift, loss), (table, loss)]
