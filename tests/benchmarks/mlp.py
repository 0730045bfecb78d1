"""Training steps of multi-layer perceptrons, in float32: the toy, the digits and the 784-512-256-10 rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import autodiff as ad
from autodiff import nn

from . import mlp_peers
from .harness import Bar, Row, Step, installed
from .updates import F32, Vector, in_place, one_by_one, our_step


@dataclass
class Task:
    """What a net is trained on, and how: the same for every contestant."""

    X: Any
    T: Any
    params: list[Any]
    activation: str
    loss: str
    optimizer: str
    lr: float


def task(sizes: Sequence[int], batch: int, activation: str, loss: str, optimizer: str, lr: float) -> Task:
    """Random data, and weights and biases that every contestant copies."""
    rng = np.random.default_rng(0)
    params = []
    for n_in, n_out in pairwise(sizes):
        params += [(rng.normal(size=(n_out, n_in)) / np.sqrt(n_in)).astype(F32), np.zeros(n_out, F32)]
    X = rng.normal(size=(batch, sizes[0])).astype(F32)
    if loss == "mse":
        T: Any = np.sign(rng.normal(size=(batch, sizes[-1]))).astype(F32)
    else:
        T = rng.integers(0, sizes[-1], size=batch)
    return Task(X, T, params, activation, loss, optimizer, lr)


def by_hand_tanh(task: Task) -> Step:
    """Three layers, tanh and mean squared error, in clean NumPy."""
    X, T, params = task.X, task.T, [p.copy() for p in task.params]
    W1, b1, W2, b2, W3, b3 = params
    update = one_by_one(task.optimizer, params, task.lr)

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
        update((gW1, gb1, gW2, gb2, gW3, gb3))
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


def by_hand_relu(task: Task) -> Step:
    """Any number of layers, relu and cross-entropy, in clean NumPy."""
    X, T, params = task.X, task.T, [p.copy() for p in task.params]
    layers = list(zip(params[::2], params[1::2]))
    update = one_by_one(task.optimizer, params, task.lr)

    def step() -> float:
        inputs = [X]
        for W, b in layers[:-1]:
            inputs.append(np.maximum(inputs[-1] @ W.T + b, 0))
        W, b = layers[-1]
        loss, g = softmax_loss(inputs[-1] @ W.T + b, T)
        gradients: list[Any] = []
        for (W, _), h in zip(layers[::-1], inputs[::-1]):
            gradients = [g.T @ h, g.sum(0), *gradients]
            if h is not X:
                g = (g @ W) * (h > 0)
        update(gradients)
        return float(loss)

    return step


def cross_entropy_in_place(logits: Any, T: Any) -> Callable[[], float]:
    """A function that turns ``logits``, which stays where it is, into the gradient, and returns the loss."""
    n, classes = logits.shape
    rows, ones, scale = np.arange(n), np.ones(classes, F32), F32(1 / n)
    top, total = np.empty(n, F32), np.empty(n, F32)
    top_column, total_column = top[:, None], total[:, None]

    def loss() -> float:
        np.maximum.reduce(logits, axis=1, out=top)
        np.subtract(logits, top_column, out=logits)
        picked = logits[rows, T]
        np.exp(logits, out=logits)
        np.dot(logits, ones, out=total)
        np.divide(logits, total_column, out=logits)
        logits[rows, T] -= 1
        np.multiply(logits, scale, out=logits)
        np.log(total, out=total)
        return float(np.add.reduce(total - picked) * scale)

    return loss


def squares_in_place(y: Any, T: Any) -> Callable[[], float]:
    """The same for the mean squared error."""
    flat, scale = y.reshape(-1), F32(2 / y.size)

    def loss() -> float:
        np.subtract(y, T, out=y)
        found = flat.dot(flat) / y.size
        np.multiply(y, scale, out=y)
        return float(found)

    return loss


def buffers(task: Task) -> Step:
    """NumPy that makes no array: results go into buffers, and all parameters are one vector."""
    vector = Vector(task.params)
    n, ones = len(task.X), np.ones(len(task.X), F32)
    layers = list(zip(vector.params[::2], vector.params[1::2], vector.gradients[::2], vector.gradients[1::2]))
    values = [task.X, *[np.empty((n, len(b)), F32) for _, b, _, _ in layers]]  # and, going back, their gradients
    slopes = [np.empty_like(h) if task.activation == "tanh" else np.empty(h.shape, bool) for h in values]
    spare = [np.empty_like(h) for h in values]
    loss_of = (squares_in_place if task.loss == "mse" else cross_entropy_in_place)(values[-1], task.T)
    update = in_place(task.optimizer, vector, task.lr)
    tanh, last = task.activation == "tanh", len(layers) - 1

    def step() -> float:
        for k, (W, b, _, _) in enumerate(layers):
            h = values[k + 1]
            np.dot(values[k], W.T, out=h)
            np.add(h, b, out=h)
            if k < last:
                np.tanh(h, out=h) if tanh else np.maximum(h, 0, out=h)
        loss = loss_of()
        g = values[-1]
        for k in range(last, -1, -1):
            W, _, gW, gb = layers[k]
            h = values[k]
            np.dot(g.T, h, out=gW)
            np.dot(ones, g, out=gb)
            if k:
                slope = slopes[k]
                if tanh:
                    np.multiply(h, h, out=slope)
                    np.subtract(1, slope, out=slope)
                else:
                    np.greater(h, 0, out=slope)
                g = np.dot(g, W, out=spare[k])
                np.multiply(g, slope, out=g)
        update()
        return loss

    return step


def ours(task: Task, compiled: bool = False, backend: str = "numpy", **options: Any) -> Step:
    """With this package."""
    sizes = [task.params[0].shape[1], *(b.shape[0] for b in task.params[1::2])]
    model = nn.MLP(sizes, nn.Tanh if task.activation == "tanh" else nn.ReLU, dtype=F32)
    for parameter, data in zip(model.parameters(), task.params):
        parameter.data = data.copy()
    criterion = nn.functional.mse_loss if task.loss == "mse" else nn.functional.cross_entropy

    def loss_of(X: Any, T: Any) -> Any:
        return criterion(model(X), T)

    loss_of = ad.compile(loss_of, backend=backend) if compiled else loss_of
    return our_step(task.optimizer, model.parameters(), task.lr, lambda: loss_of(task.X, task.T), **options)


def row(name: str, question: str, task: Task, bars: Sequence[Bar], **options: Any) -> Row:
    """A row with every contestant that is installed."""
    contestants = installed(
        {
            "NumPy by hand": lambda: by_hand_tanh(task) if task.activation == "tanh" else by_hand_relu(task),
            "NumPy, buffers": lambda: buffers(task),
            "autodiff": lambda: ours(task),
            "autodiff compiled": lambda: ours(task, compiled=True),
            "autodiff numba": lambda: ours(task, compiled=True, backend="numba"),
            "PyTorch": lambda: mlp_peers.torch(task),
            "torch.compile": lambda: mlp_peers.torch(task, compiled=True),
            "jax.jit": lambda: mlp_peers.jax(task),
            "autograd": lambda: mlp_peers.autograd(task),
            "MyGrad": lambda: mlp_peers.mygrad(task),
        }
    )
    return Row(name, question, "NumPy by hand", contestants, bars=list(bars), **options)


def toy(batch: int = 100) -> Row:
    return row(
        "toy",
        f"MLP 2-16-16-1 tanh, batch {batch}, mean squared error, SGD: one step",
        task([2, 16, 16, 1], batch, "tanh", "mse", "sgd", 0.05),
        [
            Bar("autodiff", "NumPy by hand", 1.25),
            Bar("autodiff", "PyTorch", 0.25),
            Bar("autodiff compiled", "NumPy by hand", 0.75),
            Bar("autodiff compiled", "jax.jit", 0.6),
        ],
        rounds=100,
        inner=100,  # a training loop runs warm
    )


def digits(batch: int = 128) -> Row:
    return row(
        "digits",
        f"MLP 64-128-10 relu, batch {batch}, cross-entropy, Adam: one step",
        task([64, 128, 10], batch, "relu", "cross_entropy", "adam", 1e-3),
        [
            Bar("autodiff", "NumPy by hand", 1.25),
            Bar("autodiff", "PyTorch", 0.45),
            Bar("autodiff compiled", "NumPy by hand", 0.9),
            Bar("autodiff compiled", "jax.jit", 0.8),
        ],
        rounds=60,
        inner=50,
    )


def deep_task(sizes: Sequence[int] = (784, 512, 256, 10), batch: int = 256) -> Task:
    return task(sizes, batch, "relu", "cross_entropy", "momentum", 1e-2)


def deep(sizes: Sequence[int] = (784, 512, 256, 10), batch: int = 256) -> Row:
    return row(
        "deep",
        f"MLP {'-'.join(map(str, sizes))} relu, batch {batch}, cross-entropy, SGD with momentum: one step",
        deep_task(sizes, batch),
        [
            Bar("autodiff", "NumPy by hand", 1.1),
            Bar("autodiff", "PyTorch", 0.95),
            Bar("autodiff compiled", "NumPy by hand", 1.05),
        ],
        rounds=30,
        inner=2,
    )
