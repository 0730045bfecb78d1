"""A training step of a tanh RNN, in float32: a number is read off its last state, mean squared error, SGD."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

import autodiff as ad
from autodiff import nn

from .harness import Bar, Row, Step, installed
from .updates import F32, Vector, in_place, jax_step, one_by_one, our_step, torch_step

LR = 1e-2


@dataclass
class Task:
    """Sequences ``(steps, batch, inputs)``, what to read off each, and the parameters all contestants start from."""

    X: Any
    T: Any
    params: list[Any]


def task(steps: int, batch: int, hidden: int, inputs: int = 16) -> Task:
    """Random sequences."""
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> Any:
        return (rng.normal(size=shape) / np.sqrt(shape[-1])).astype(F32)

    params = [draw(hidden, inputs), draw(hidden, hidden), np.zeros(hidden, F32), draw(1, hidden), np.zeros(1, F32)]
    X, T = rng.normal(size=(steps, batch, inputs)), rng.normal(size=(batch, 1))
    return Task(X.astype(F32), T.astype(F32), params)


def ours(task: Task, compiled: bool = False, backend: str = "numpy", loop: bool = False) -> Step:
    """With this package: the row of the recurrence, or a plain loop over the steps."""
    linear = nn.functional.linear
    params = W, U, b, V, c = [ad.Tensor(p.copy()) for p in task.params]

    def loss_of(X: Any, T: Any) -> Any:
        h = np.zeros((len(T), len(b)), F32)
        if loop:
            for x in X:
                h = ad.tanh(x @ W.T + h @ U.T + b)
        else:
            h = ad.tanh_recurrence(linear(X, W, b), U, h)[-1]
        return nn.functional.mse_loss(linear(h, V, c), T)

    loss_of = ad.compile(loss_of, backend=backend) if compiled else loss_of
    return our_step("sgd", params, LR, lambda: loss_of(task.X, task.T))


def by_hand(task: Task) -> Step:
    """Clean NumPy."""
    X, T, params = task.X, task.T, [p.copy() for p in task.params]
    W, U, b, V, c = params
    update = one_by_one("sgd", params, LR)

    def step() -> float:
        states = [np.zeros((len(T), len(b)), F32)]
        for x in X:
            states.append(np.tanh(x @ W.T + states[-1] @ U.T + b))
        y = states[-1] @ V.T + c
        loss = np.mean((y - T) ** 2)
        g = 2 / y.size * (y - T)
        gW, gU, gb = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
        gV, gc = g.T @ states[-1], g.sum(0)
        g = g @ V
        for t in range(len(X) - 1, -1, -1):
            g = g * (1 - states[t + 1] ** 2)
            gW += g.T @ X[t]
            gU += g.T @ states[t]
            gb += g.sum(0)
            g = g @ U
        update((gW, gU, gb, gV, gc))
        return float(loss)

    return step


def buffers(task: Task) -> Step:
    """NumPy that makes no array; what does not wait for the state before it is one matrix product for all steps."""
    vector = Vector(task.params)
    (W, U, b, V, c), (gW, gU, gb, gV, gc) = vector.params, vector.gradients
    (steps, n, inputs), hidden = task.X.shape, len(b)
    T, flat_X, ones = task.T, task.X.reshape(-1, inputs), np.ones(steps * n, F32)
    states = np.zeros((steps + 1, n, hidden), F32)
    states[1:] = 0
    slopes = np.empty((steps, n, hidden), F32)
    before, after = states[:-1].reshape(-1, hidden), states[1:].reshape(-1, hidden)
    flat_slopes = slopes.reshape(-1, hidden)
    a, g, y = np.empty((n, hidden), F32), np.empty((n, hidden), F32), np.empty((n, 1), F32)
    forward, backward = list(itertools.pairwise(states)), list(slopes[::-1])
    flat_y, scale = y.reshape(-1), F32(2 / n)
    update = in_place("sgd", vector, LR)

    def step() -> float:
        np.dot(flat_X, W.T, out=after)
        np.add(after, b, out=after)
        UT = np.ascontiguousarray(U.T)
        for h, new in forward:
            np.dot(h, UT, out=a)
            np.add(new, a, out=new)
            np.tanh(new, out=new)
        np.dot(states[-1], V.T, out=y)
        np.add(y, c, out=y)
        np.subtract(y, T, out=y)
        loss = flat_y.dot(flat_y) / n
        np.multiply(y, scale, out=y)
        np.dot(y.T, states[-1], out=gV)
        np.dot(ones[:n], y, out=gc)
        np.multiply(after, after, out=flat_slopes)
        np.subtract(1, flat_slopes, out=flat_slopes)
        np.multiply(y, V, out=g)
        for slope in backward:
            np.multiply(slope, g, out=slope)
            np.dot(slope, U, out=g)
        np.dot(flat_slopes.T, flat_X, out=gW)
        np.dot(flat_slopes.T, before, out=gU)
        np.dot(ones, flat_slopes, out=gb)
        update()
        return float(loss)

    return step


def torch(task: Task, fused: bool) -> Step:
    """PyTorch: its own ``nn.RNN``, or a loop over the steps."""
    import torch
    from torch.nn import functional

    X, T = torch.tensor(task.X), torch.tensor(task.T)
    params = W, U, b, V, c = [torch.tensor(p, requires_grad=True) for p in task.params]
    if fused:
        rnn = torch.nn.RNN(*W.shape[::-1])
        data = {"weight_ih_l0": W, "weight_hh_l0": U, "bias_ih_l0": b, "bias_hh_l0": torch.zeros(len(b))}
        rnn.load_state_dict(data)
        rnn.bias_hh_l0.requires_grad_(False)  # we have one bias, not two
        params = [p for p in rnn.parameters() if p.requires_grad] + [V, c]

    def loss_of() -> Any:
        if fused:
            h = rnn(X)[0][-1]
        else:
            h = torch.zeros(len(T), len(b))
            for x in X:
                h = torch.tanh(x @ W.T + h @ U.T + b)
        return functional.mse_loss(functional.linear(h, V, c), T)

    return torch_step("sgd", params, LR, loss_of)


def jax(task: Task) -> Step:
    """The whole step in one ``jax.jit``, the loop a ``lax.scan``."""
    import jax.numpy as jnp
    from jax import lax

    X, T = jnp.array(task.X), jnp.array(task.T)

    def loss_of(params: Any) -> Any:
        W, U, b, V, c = params

        def next_state(h: Any, x: Any) -> Any:
            return jnp.tanh(x + h @ U.T), None

        h, _ = lax.scan(next_state, jnp.zeros((len(T), len(b)), F32), X @ W.T + b)
        return jnp.mean((h @ V.T + c - T) ** 2)

    return jax_step("sgd", task.params, LR, loss_of)


def autograd(task: Task) -> Step:
    """HIPS autograd: a plain loop over the steps."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    params = [p.copy() for p in task.params]
    update = one_by_one("sgd", params, LR)

    def loss_of(params: Any) -> Any:
        W, U, b, V, c = params
        h = np.zeros((len(task.T), len(b)), F32)
        for x in task.X:
            h = anp.tanh(anp.dot(x, W.T) + anp.dot(h, U.T) + b)
        return anp.mean((anp.dot(h, V.T) + c - task.T) ** 2)

    both = value_and_grad(loss_of)

    def step() -> float:
        loss, gradients = both(params)
        update(gradients)
        return float(loss)

    return step


def rnn(steps: int = 100, batch: int = 16, hidden: int = 32) -> Row:
    on = task(steps, batch, hidden)
    contestants = installed(
        {
            "NumPy by hand": lambda: by_hand(on),
            "NumPy, buffers": lambda: buffers(on),
            "autodiff": lambda: ours(on),
            "autodiff compiled": lambda: ours(on, compiled=True),
            "autodiff numba": lambda: ours(on, compiled=True, backend="numba"),
            "autodiff, loop": lambda: ours(on, loop=True),
            "autodiff compiled, loop": lambda: ours(on, compiled=True, loop=True),
            "PyTorch": lambda: torch(on, fused=False),
            "PyTorch nn.RNN": lambda: torch(on, fused=True),
            "jax.jit": lambda: jax(on),
            "autograd": lambda: autograd(on),
        }
    )
    return Row(
        "rnn",
        f"tanh RNN, hidden {hidden}, {steps} steps, batch {batch}, mean squared error, SGD: one step",
        "NumPy by hand",
        contestants,
        rounds=60,
        inner=5,
        bars=[
            Bar("autodiff", "NumPy by hand", 1.3),
            Bar("autodiff compiled", "jax.jit", 1.0),
            Bar("autodiff compiled, loop", "jax.jit", 1.0),
        ],
    )
