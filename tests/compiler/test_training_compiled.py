"""Nets and example programs, trained compiled beside eager: the same numbers at every step."""

import numpy as np
import pytest
from alike import assert_same

import autodiff as ad
from autodiff import data, nn, optim
from autodiff.nn import functional
from autodiff.ops.fused import one_hot

OPTIMIZERS = {
    "SGD": (optim.SGD, {"lr": 0.1}),
    "momentum": (optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "Adam": (optim.Adam, {"lr": 0.01}),
    "AdamW": (optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
}
LOSSES = {
    "mse_loss": lambda scores, y: functional.mse_loss(scores, one_hot(y, scores)),
    "cross_entropy": functional.cross_entropy,
    "binary_cross_entropy_with_logits": lambda scores, y: functional.binary_cross_entropy_with_logits(
        scores, one_hot(y, scores)
    ),
    "hinge_loss": lambda scores, y: functional.hinge_loss(scores[:, 0], 2.0 * (y > 0) - 1),
}
rng = np.random.default_rng(0)
BATCHES = [(rng.normal(size=(n, 4)), rng.integers(0, 3, size=n)) for n in [8] * 10 + [5] + [8] * 3]


def trained(model, optimizer, loss_of, batches):
    """The loss of every step, and the parameters at the end."""
    losses = []
    for batch in batches:
        loss = loss_of(*batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, [p.data.copy() for p in model.parameters()]


def both(make, optimizer, batches, **options):
    """Train two copies of a model, one of them compiled."""
    found = []
    for compile in (ad.compile, lambda f: f):
        model, loss_of = make()
        found.append(trained(model, optimizer(model.parameters(), **options), compile(loss_of), batches))
    assert_same(*found)
    return found[0][0]


def net(loss, activation, dtype=float):
    def make():
        model = nn.MLP([4, 8, 8, 3], activation, dtype=dtype, rng=0)
        return model, lambda x, y: LOSSES[loss](model(x.astype(dtype)), y)

    return make


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.usefixtures("never_eagerly")
def test_every_optimizer(name, dtype):
    optimizer, options = OPTIMIZERS[name]
    both(net("cross_entropy", nn.Tanh, dtype), optimizer, BATCHES, **options)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", [nn.ReLU, nn.GELU, nn.SiLU, nn.Softplus, nn.LeakyReLU, nn.ELU, nn.Sigmoid])
@pytest.mark.usefixtures("never_eagerly")
def test_every_loss_and_activation(loss, activation):
    both(net(loss, activation), optim.SGD, BATCHES, lr=0.05)


@pytest.mark.usefixtures("never_eagerly")
def test_a_layer_of_ones_own():
    """The program of examples/own_layer.py."""
    x = np.linspace(-1, 1, 200)
    target = np.sign(np.sin(6 * x))

    def make():
        rng = np.random.default_rng(0)

        class Fourier(nn.Module):
            def __init__(self, n):
                self.frequency = ad.Tensor(rng.normal(size=n) * 12)
                self.phase = ad.Tensor(rng.uniform(-np.pi, np.pi, size=n))
                self.amplitude = ad.Tensor(rng.normal(size=n) / n)

            def forward(self, x):
                return ad.sin(x[:, None] * self.frequency + self.phase) @ self.amplitude

        model = Fourier(20)
        return model, lambda: functional.mse_loss(model(x), target)

    losses = both(make, optim.Adam, [()] * 50, lr=0.02)
    assert losses[-1] < losses[0]


@pytest.mark.usefixtures("never_eagerly")
def test_logistic_regression():
    """The program of examples/logistic_regression.py."""
    X, y = data.blobs(200, centers=2, rng=0)

    def loss(params):
        margins = (2 * y - 1) * (X @ params["w"] + params["b"])
        return np.mean(np.logaddexp(0, -margins))

    def train(step):
        params = {"w": np.zeros(2), "b": 0.0}
        for _ in range(20):
            value, g = step(params)
            params = {name: params[name] - 0.5 * g[name] for name in params}
        return float(value), params

    assert_same(train(ad.compile(ad.value_and_grad(loss))), train(ad.value_and_grad(loss)))


@pytest.mark.usefixtures("never_eagerly")
def test_newtons_method():
    """The program of examples/newton.py."""

    def rosenbrock(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    def minimum(compile):
        f, slope, curvature = (compile(h) for h in (rosenbrock, ad.grad(rosenbrock), ad.hessian(rosenbrock)))
        x = np.array([-1.2, 1.0, 0.8])
        for _ in range(50):
            direction = -np.linalg.solve(curvature(x), slope(x))
            length = 1.0
            while length > 1e-4 and f(x + length * direction) > f(x):
                length /= 2
            x = x + length * direction
        return x

    found = minimum(ad.compile)
    np.testing.assert_allclose(found, np.ones(3), rtol=1e-12)
    np.testing.assert_allclose(found, minimum(lambda f: f), rtol=1e-14)


def test_one_expression():
    """The program of examples/expression.py."""

    def work(compile):
        x = ad.Value(0.5, name="x")
        y = compile(lambda x: ad.exp(-x * x) * ad.sin(3 * x))(x)
        y.backward()
        return y, x.grad

    assert_same(work(ad.compile), work(lambda f: f))


def test_gradients_that_are_clipped_summed_and_forgotten_between_steps():
    def train(compile):
        model = nn.MLP([4, 8, 3], nn.Tanh, rng=0)
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        loss_of = compile(lambda x, y: functional.cross_entropy(model(x), y))
        for k, batch in enumerate(BATCHES):
            loss_of(*batch).backward()
            if k % 3 == 2:  # the gradient of three batches
                for p in model.parameters():
                    p.grad = np.clip(p.grad, -0.1, 0.1)
                optimizer.step()
                optimizer.zero_grad()
            if k == 7:
                model.load_state_dict({name: 0.9 * a for name, a in model.state_dict().items()})
        return [p.data for p in model.parameters()]

    for a, b in zip(train(ad.compile), train(lambda f: f), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
