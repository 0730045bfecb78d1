"""Training steps of multi-layer perceptrons, in float32: the toy, the digits and the 784-512-256-10 rows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from autodiff import nn, optim

from .harness import Bar, Row, Step

F32 = np.float32


def parameters(sizes: list[int]) -> list[Any]:
    """Weights and biases, drawn once and copied for every contestant."""
    rng = np.random.default_rng(0)
    drawn = []
    for n_in, n_out in pairwise(sizes):
        drawn += [(rng.normal(size=(n_out, n_in)) / np.sqrt(n_in)).astype(F32), np.zeros(n_out, F32)]
    return drawn


def toy_numpy(X: Any, T: Any, params: list[Any], lr: float) -> Step:
    W1, b1, W2, b2, W3, b3 = params = [p.copy() for p in params]

    def step() -> float:
        h1 = np.tanh(X @ W1.T + b1)
        h2 = np.tanh(h1 @ W2.T + b2)
        y = h2 @ W3.T + b3
        loss = np.mean((y - T) ** 2)
        g = 2 / y.size * (y - T)
        gW3, gb3 = g.T @ h2, g.sum(axis=0)
        g = (g @ W3) * (1 - h2**2)
        gW2, gb2 = g.T @ h1, g.sum(axis=0)
        g = (g @ W2) * (1 - h1**2)
        gW1, gb1 = g.T @ X, g.sum(axis=0)
        for p, gp in zip(params, (gW1, gb1, gW2, gb2, gW3, gb3)):
            p -= lr * gp
        return float(loss)

    return step


def softmax_loss(logits: Any, T: Any) -> tuple[Any, Any]:
    """Mean cross-entropy and its gradient."""
    n = len(T)
    rows = np.arange(n)
    shifted = logits - logits.max(1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(1, keepdims=True)
    loss = (np.log(total[:, 0]) - shifted[rows, T]).mean()
    g = e / total
    g[rows, T] -= 1
    g /= F32(n)
    return loss, g


def digits_numpy(X: Any, T: Any, params: list[Any], lr: float) -> Step:
    W1, b1, W2, b2 = params = [p.copy() for p in params]
    means, squares = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
    t = 0

    def step() -> float:
        nonlocal t
        h = np.maximum(X @ W1.T + b1, 0)
        loss, g = softmax_loss(h @ W2.T + b2, T)
        gW2, gb2 = g.T @ h, g.sum(0)
        g = (g @ W2) * (h > 0)
        gW1, gb1 = g.T @ X, g.sum(0)
        t += 1
        unbias1, unbias2 = 1 - 0.9**t, 1 - 0.999**t
        rate, root = F32(lr / unbias1), F32(np.sqrt(unbias2))
        for p, gp, m, v in zip(params, (gW1, gb1, gW2, gb2), means, squares):
            m *= F32(0.9)
            m += F32(0.1) * gp
            v *= F32(0.999)
            v += F32(0.001) * (gp * gp)
            p -= rate * m / (np.sqrt(v) / root + F32(1e-8))
        return float(loss)

    return step


def deep_numpy(X: Any, T: Any, params: list[Any], lr: float) -> Step:
    W1, b1, W2, b2, W3, b3 = params = [p.copy() for p in params]
    velocities = [np.zeros_like(p) for p in params]
    rate, momentum = F32(lr), F32(0.9)

    def step() -> float:
        h1 = np.maximum(X @ W1.T + b1, 0)
        h2 = np.maximum(h1 @ W2.T + b2, 0)
        loss, g = softmax_loss(h2 @ W3.T + b3, T)
        gW3, gb3 = g.T @ h2, g.sum(0)
        g = (g @ W3) * (h2 > 0)
        gW2, gb2 = g.T @ h1, g.sum(0)
        g = (g @ W2) * (h1 > 0)
        gW1, gb1 = g.T @ X, g.sum(0)
        for p, gp, v in zip(params, (gW1, gb1, gW2, gb2, gW3, gb3), velocities):
            v *= momentum
            v += gp
            p -= rate * v
        return float(loss)

    return step


def ours(X: Any, T: Any, params: list[Any], kind: dict[str, Any], lr: float) -> Step:
    sizes = [params[0].shape[1], *(b.shape[0] for b in params[1::2])]
    model = nn.MLP(sizes, nn.Tanh if kind["activation"] == "tanh" else nn.ReLU, dtype=F32)
    for parameter, data in zip(model.parameters(), params):
        parameter.data = data.copy()
    loss_of = nn.functional.mse_loss if kind["loss"] == "mse" else nn.functional.cross_entropy
    optimizers = {"sgd": optim.SGD, "adam": optim.Adam, "momentum": lambda p, lr: optim.SGD(p, lr, momentum=0.9)}
    optimizer = optimizers[kind["optimizer"]](model.parameters(), lr=lr)

    def step() -> float:
        loss = loss_of(model(X), T)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def torch(X: Any, T: Any, params: list[Any], kind: dict[str, Any], lr: float) -> Step:
    import torch

    layers: list[Any] = []
    for weight, bias in zip(params[::2], params[1::2]):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(weight))
            linear.bias.copy_(torch.tensor(bias))
        layers += [linear, torch.nn.Tanh() if kind["activation"] == "tanh" else torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    loss_of = torch.nn.MSELoss() if kind["loss"] == "mse" else torch.nn.CrossEntropyLoss()
    optimizer = {
        "sgd": lambda p: torch.optim.SGD(p, lr=lr),
        "adam": lambda p: torch.optim.Adam(p, lr=lr),
        "momentum": lambda p: torch.optim.SGD(p, lr=lr, momentum=0.9),
    }[kind["optimizer"]](model.parameters())
    inputs, targets = torch.tensor(X), torch.tensor(T)

    def step() -> float:
        loss = loss_of(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def update_by(kind: dict[str, Any], params: list[Any], lr: float) -> Any:
    """The optimizers for contestants that have none of their own: a function of the gradients."""
    means, squares = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
    t = 0

    def update(gradients: Any) -> None:
        nonlocal t
        t += 1
        for p, g, m, v in zip(params, gradients, means, squares):
            if kind["optimizer"] == "sgd":
                p -= F32(lr) * g
            elif kind["optimizer"] == "momentum":
                m *= F32(0.9)
                m += g
                p -= F32(lr) * m
            else:
                m += F32(0.1) * (g - m)
                v += F32(0.001) * (g * g - v)
                p -= F32(lr / (1 - 0.9**t)) * m / (np.sqrt(v / F32(1 - 0.999**t)) + F32(1e-8))

    return update


def autograd(X: Any, T: Any, params: list[Any], kind: dict[str, Any], lr: float) -> Step:
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.special import logsumexp

    params = [p.copy() for p in params]
    act = anp.tanh if kind["activation"] == "tanh" else lambda x: anp.maximum(x, 0)
    rows = np.arange(len(X))

    def loss_of(params: Any) -> Any:
        h = X
        for i in range(0, len(params), 2):
            h = anp.dot(h, params[i].T) + params[i + 1]
            h = act(h) if i + 2 < len(params) else h
        if kind["loss"] == "mse":
            return anp.mean((h - T) ** 2)
        return anp.mean(logsumexp(h, axis=1) - h[rows, T])

    both, update = value_and_grad(loss_of), update_by(kind, params, lr)

    def step() -> float:
        loss, gradients = both(params)
        update(gradients)
        return float(loss)

    return step


def mygrad(X: Any, T: Any, params: list[Any], kind: dict[str, Any], lr: float) -> Step:
    import mygrad as mg
    from mygrad.nnet.losses import softmax_crossentropy

    params = [p.copy() for p in params]
    update = update_by(kind, params, lr)

    def step() -> float:
        tensors = [mg.tensor(p, copy=False) for p in params]
        h = X
        for i in range(0, len(params), 2):
            h = mg.matmul(h, tensors[i].T) + tensors[i + 1]
            if i + 2 < len(params):
                h = mg.tanh(h) if kind["activation"] == "tanh" else mg.nnet.activations.relu(h)
        loss = mg.mean((h - T) ** 2) if kind["loss"] == "mse" else softmax_crossentropy(h, T)
        loss.backward()
        value, gradients = float(loss.item()), [t.grad for t in tensors]
        del loss, h, tensors
        update(gradients)
        return value

    return step


def row(name: str, question: str, sizes: list[int], batch: int, kind: dict[str, Any], lr: float, **options: Any) -> Row:
    """A row with every contestant that is installed."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(batch, sizes[0])).astype(F32)
    if kind["loss"] == "mse":
        T = np.sign(rng.normal(size=(batch, sizes[-1]))).astype(F32)
    else:
        T = rng.integers(0, sizes[-1], size=batch)
    params = parameters(sizes)
    by_hand = {"sgd": toy_numpy, "adam": digits_numpy, "momentum": deep_numpy}[kind["optimizer"]]
    contestants = {"NumPy by hand": by_hand(X, T, params, lr), "autodiff": ours(X, T, params, kind, lr)}
    for label, make in {"PyTorch": torch, "autograd": autograd, "MyGrad": mygrad}.items():
        try:
            contestants[label] = make(X, T, params, kind, lr)
        except ImportError:
            continue
    return Row(name, question, "NumPy by hand", contestants, **options)


def toy() -> Row:
    return row(
        "toy",
        "MLP 2-16-16-1 tanh, batch 100, mean squared error, SGD: one step",
        [2, 16, 16, 1],
        100,
        {"activation": "tanh", "loss": "mse", "optimizer": "sgd"},
        0.05,
        rounds=100,
        inner=100,  # a training loop runs warm
        bars=[Bar("autodiff", "NumPy by hand", 1.25), Bar("autodiff", "PyTorch", 0.25)],
    )


def digits() -> Row:
    return row(
        "digits",
        "MLP 64-128-10 relu, batch 128, cross-entropy, Adam: one step",
        [64, 128, 10],
        128,
        {"activation": "relu", "loss": "cross_entropy", "optimizer": "adam"},
        1e-3,
        rounds=60,
        inner=50,
        bars=[Bar("autodiff", "NumPy by hand", 1.25), Bar("autodiff", "PyTorch", 0.45)],
    )


def deep() -> Row:
    return row(
        "deep",
        "MLP 784-512-256-10 relu, batch 256, cross-entropy, SGD with momentum: one step",
        [784, 512, 256, 10],
        256,
        {"activation": "relu", "loss": "cross_entropy", "optimizer": "momentum"},
        1e-2,
        rounds=30,
        inner=2,
        bars=[Bar("autodiff", "NumPy by hand", 1.1), Bar("autodiff", "PyTorch", 0.95)],
    )
