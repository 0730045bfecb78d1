"""A training step of a small convolutional net, in float32: 3×3 filters 1-8-16, each with relu and 2×2 max-pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import autodiff as ad
from autodiff import nn

from .cnn_numpy import LR, buffers, by_hand
from .harness import Bar, Row, Step, installed
from .updates import F32, jax_step, one_by_one, our_step, torch_step


@dataclass
class Task:
    """Images, their classes, and the parameters that every contestant starts from."""

    X: Any
    T: Any
    params: list[Any]


def task(batch: int, side: int, channels: tuple[int, int] = (8, 16)) -> Task:
    """Random images ``(batch, 1, side, side)`` of 10 classes."""
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> Any:
        return (rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(F32)

    c1, c2 = channels
    after = ((side - 2) // 2 - 2) // 2
    params = [draw(c1, 1, 3, 3), np.zeros(c1, F32), draw(c2, c1, 3, 3), np.zeros(c2, F32)]
    params += [draw(10, c2 * after * after), np.zeros(10, F32)]
    return Task(rng.normal(size=(batch, 1, side, side)).astype(F32), rng.integers(0, 10, size=batch), params)


def ours(task: Task, compiled: bool = False, backend: str = "numpy", **options: Any) -> Step:
    """With this package."""
    params = W1, b1, W2, b2, W3, b3 = [ad.Tensor(p.copy()) for p in task.params]

    def loss_of(X: Any, T: Any) -> Any:
        h = ad.max_pool2d(ad.relu(ad.conv2d(X, W1, b1)), 2)
        h = ad.max_pool2d(ad.relu(ad.conv2d(h, W2, b2)), 2)
        return nn.functional.cross_entropy(nn.functional.linear(h.reshape(len(X), -1), W3, b3), T)

    loss_of = ad.compile(loss_of, backend=backend) if compiled else loss_of
    return our_step("adam", params, LR, lambda: loss_of(task.X, task.T), **options)


def torch(task: Task, compiled: bool = False) -> Step:
    """PyTorch, as its users write it, or through ``torch.compile``."""
    import torch
    from torch import nn

    channels, features = [len(task.params[0]), len(task.params[2])], task.params[4].shape[1]
    model = nn.Sequential(
        nn.Conv2d(1, channels[0], 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(channels[0], channels[1], 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(features, 10),
    )
    with torch.no_grad():
        for parameter, data in zip(model.parameters(), task.params):
            parameter.copy_(torch.tensor(data))
    criterion = nn.CrossEntropyLoss()
    X, T = torch.tensor(task.X), torch.tensor(task.T)

    def loss_of(X: Any, T: Any) -> Any:
        return criterion(model(X), T)

    loss_of = torch.compile(loss_of) if compiled else loss_of
    return torch_step("adam", model.parameters(), LR, lambda: loss_of(X, T))


def jax(task: Task) -> Step:
    """The whole step in one ``jax.jit``."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    X, T, rows = jnp.array(task.X), jnp.array(task.T), np.arange(len(task.X))

    def layer(x: Any, W: Any, b: Any) -> Any:
        y = lax.conv_general_dilated(x, W, (1, 1), "VALID", dimension_numbers=("NCHW", "OIHW", "NCHW"))
        y = jax.nn.relu(y + b[:, None, None])
        return lax.reduce_window(y, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    def loss_of(params: Any) -> Any:
        W1, b1, W2, b2, W3, b3 = params
        h = layer(layer(X, W1, b1), W2, b2).reshape(len(X), -1)
        return -jnp.mean(jax.nn.log_softmax(h @ W3.T + b3)[rows, T])

    return jax_step("adam", task.params, LR, loss_of)


def mygrad(task: Task) -> Step:
    """MyGrad, whose pooling takes no image with a row left over: that row is cut off."""
    import mygrad as mg
    from mygrad.nnet.activations import relu
    from mygrad.nnet.layers import conv_nd, max_pool
    from mygrad.nnet.losses import softmax_crossentropy

    params = [p.copy() for p in task.params]
    update = one_by_one("adam", params, LR)

    def layer(x: Any, W: Any, b: Any) -> Any:
        y = relu(conv_nd(x, W, stride=1) + b.reshape(-1, 1, 1))
        height, width = (n // 2 * 2 for n in y.shape[2:])
        return max_pool(y[:, :, :height, :width], (2, 2), 2)

    def step() -> float:
        tensors = W1, b1, W2, b2, W3, b3 = [mg.tensor(p, copy=False) for p in params]
        h = layer(layer(mg.tensor(task.X, copy=False, constant=True), W1, b1), W2, b2)
        loss = softmax_crossentropy(mg.matmul(h.reshape(len(task.X), -1), W3.T) + b3, task.T)
        loss.backward()
        value, gradients = float(loss.item()), [t.grad for t in tensors]
        del loss, h, tensors, W1, b1, W2, b2, W3, b3
        update(gradients)
        return value

    return step


def cnn(batch: int = 64, side: int = 28) -> Row:
    on = task(batch, side)
    contestants = installed(
        {
            "PyTorch": lambda: torch(on),
            "autodiff": lambda: ours(on),
            "autodiff compiled": lambda: ours(on, compiled=True),
            "autodiff numba": lambda: ours(on, compiled=True, backend="numba"),
            "NumPy by hand": lambda: by_hand(on),
            "NumPy, buffers": lambda: buffers(on),
            "torch.compile": lambda: torch(on, compiled=True),
            "jax.jit": lambda: jax(on),
            "MyGrad": lambda: mygrad(on),
        }
    )
    return Row(
        "cnn",
        f"CNN {side}×{side}, conv 3×3 1-8-16 with relu and 2×2 max-pools, batch {batch}, cross-entropy, Adam: one step",
        "NumPy by hand",
        contestants,
        rounds=30,
        inner=2,
        bars=[Bar("autodiff", "PyTorch", 1.3), Bar("autodiff compiled", "PyTorch", 0.85)],
    )
