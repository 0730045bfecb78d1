"""The multi-layer perceptrons of ``mlp`` in other libraries, as their users write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .harness import Step
from .updates import jax_step, one_by_one, torch_step

if TYPE_CHECKING:
    from .mlp import Task


def torch(task: Task, compiled: bool = False) -> Step:
    """PyTorch, as it is or through ``torch.compile``."""
    import torch

    layers: list[Any] = []
    for weight, bias in zip(task.params[::2], task.params[1::2]):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(weight))
            linear.bias.copy_(torch.tensor(bias))
        layers += [linear, torch.nn.Tanh() if task.activation == "tanh" else torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    criterion = torch.nn.MSELoss() if task.loss == "mse" else torch.nn.CrossEntropyLoss()
    inputs, targets = torch.tensor(task.X), torch.tensor(task.T)

    def loss_of(inputs: Any, targets: Any) -> Any:
        return criterion(model(inputs), targets)

    loss_of = torch.compile(loss_of) if compiled else loss_of
    return torch_step(task.optimizer, model.parameters(), task.lr, lambda: loss_of(inputs, targets))


def jax(task: Task) -> Step:
    """The whole step in one ``jax.jit``."""
    import jax
    import jax.numpy as jnp

    X, T, rows = jnp.array(task.X), jnp.array(task.T), np.arange(len(task.X))
    act = jnp.tanh if task.activation == "tanh" else jax.nn.relu

    def loss_of(params: Any) -> Any:
        h = X
        for i in range(0, len(params), 2):
            h = h @ params[i].T + params[i + 1]
            h = act(h) if i + 2 < len(params) else h
        if task.loss == "mse":
            return jnp.mean((h - T) ** 2)
        return -jnp.mean(jax.nn.log_softmax(h)[rows, T])

    return jax_step(task.optimizer, task.params, task.lr, loss_of)


def autograd(task: Task) -> Step:
    """HIPS autograd."""
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.special import logsumexp

    X, T, params = task.X, task.T, [p.copy() for p in task.params]
    # Of maximum(x, 0) autograd gives half of the derivative where x is 0, which happens behind units that are all 0.
    act = anp.tanh if task.activation == "tanh" else lambda x: anp.where(x > 0, x, 0)
    rows = np.arange(len(X))

    def loss_of(params: Any) -> Any:
        h = X
        for i in range(0, len(params), 2):
            h = anp.dot(h, params[i].T) + params[i + 1]
            h = act(h) if i + 2 < len(params) else h
        if task.loss == "mse":
            return anp.mean((h - T) ** 2)
        return anp.mean(logsumexp(h, axis=1) - h[rows, T])

    both, update = value_and_grad(loss_of), one_by_one(task.optimizer, params, task.lr)

    def step() -> float:
        loss, gradients = both(params)
        update(gradients)
        return float(loss)

    return step


def mygrad(task: Task) -> Step:
    """MyGrad."""
    import mygrad as mg
    from mygrad.nnet.losses import softmax_crossentropy

    params = [p.copy() for p in task.params]
    update = one_by_one(task.optimizer, params, task.lr)

    def step() -> float:
        tensors = [mg.tensor(p, copy=False) for p in params]
        h: Any = task.X
        for i in range(0, len(params), 2):
            h = mg.matmul(h, tensors[i].T) + tensors[i + 1]
            if i + 2 < len(params):
                h = mg.tanh(h) if task.activation == "tanh" else mg.nnet.activations.relu(h)
        loss = mg.mean((h - task.T) ** 2) if task.loss == "mse" else softmax_crossentropy(h, task.T)
        loss.backward()
        value, gradients = float(loss.item()), [t.grad for t in tensors]
        del loss, h, tensors
        update(gradients)
        return value

    return step
