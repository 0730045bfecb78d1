"""Optimizers for contestants that have none: "sgd", "momentum", "adam" and "adamw", each in three styles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

F32 = np.float32
MOMENTUM, BETA1, BETA2, EPS, DECAY = 0.9, 0.9, 0.999, 1e-8, 1e-2


def one_by_one(kind: str, params: Sequence[Any], lr: float) -> Callable[[Sequence[Any]], None]:
    """As anybody would write it in NumPy: a loop over the parameters, given their gradients."""
    means, squares = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
    t = 0

    def update(gradients: Sequence[Any]) -> None:
        nonlocal t
        t += 1
        unbias1, root = 1 - BETA1**t, F32((1 - BETA2**t) ** 0.5)
        for p, g, m, v in zip(params, gradients, means, squares):
            if kind == "sgd":
                p -= F32(lr) * g
            elif kind == "momentum":
                m *= F32(MOMENTUM)
                m += g
                p -= F32(lr) * m
            else:
                if kind == "adamw":
                    p *= F32(1 - lr * DECAY)
                m *= F32(BETA1)
                m += F32(1 - BETA1) * g
                v *= F32(BETA2)
                v += F32(1 - BETA2) * (g * g)
                p -= F32(lr / unbias1) * m / (np.sqrt(v) / root + F32(EPS))

    return update


class Vector:
    """Parameters laid end to end in one vector, their gradients in another, and views of both in the old shapes."""

    def __init__(self, params: Sequence[Any]) -> None:
        self.data = np.concatenate([p.ravel() for p in params])
        self.gradient = np.zeros_like(self.data)
        self.params = self._cut(self.data, params)
        self.gradients = self._cut(self.gradient, params)

    @staticmethod
    def _cut(flat: Any, params: Sequence[Any]) -> list[Any]:
        ends = np.cumsum([p.size for p in params])[:-1]
        return [part.reshape(p.shape) for p, part in zip(params, np.split(flat, ends))]


def in_place(kind: str, vector: Vector, lr: float) -> Callable[[], None]:
    """The same on one vector, without making arrays."""
    p, g = vector.data, vector.gradient
    m, v, a = np.zeros_like(p), np.zeros_like(p), np.empty_like(p)
    t = 0

    def sgd() -> None:
        np.multiply(g, F32(lr), out=a)
        np.subtract(p, a, out=p)

    def momentum() -> None:
        np.multiply(m, F32(MOMENTUM), out=m)
        np.add(m, g, out=m)
        np.multiply(m, F32(lr), out=a)
        np.subtract(p, a, out=p)

    def adam() -> None:
        nonlocal t
        t += 1
        root = (1 - BETA2**t) ** 0.5
        if kind == "adamw":
            np.multiply(p, F32(1 - lr * DECAY), out=p)
        np.multiply(m, F32(BETA1), out=m)
        np.multiply(g, F32(1 - BETA1), out=a)
        np.add(m, a, out=m)
        np.multiply(v, F32(BETA2), out=v)
        np.multiply(g, g, out=a)
        np.multiply(a, F32(1 - BETA2), out=a)
        np.add(v, a, out=v)
        np.sqrt(v, out=a)
        np.add(a, F32(EPS * root), out=a)
        np.divide(m, a, out=a)
        np.multiply(a, F32(lr * root / (1 - BETA1**t)), out=a)
        np.subtract(p, a, out=p)

    return {"sgd": sgd, "momentum": momentum, "adam": adam, "adamw": adam}[kind]


def jax_step(kind: str, params: Sequence[Any], lr: float, loss_of: Callable[[Any], Any]) -> Callable[[], float]:
    """A whole training step as one jitted function of the parameters and the state, which it takes over."""
    import jax
    import jax.numpy as jnp

    def update(t: Any, p: Any, g: Any, m: Any, v: Any) -> tuple[Any, Any, Any]:
        if kind == "sgd":
            return p - lr * g, m, v
        if kind == "momentum":
            m = MOMENTUM * m + g
            return p - lr * m, m, v
        if kind == "adamw":
            p = p * (1 - lr * DECAY)
        m = BETA1 * m + (1 - BETA1) * g
        v = BETA2 * v + (1 - BETA2) * g * g
        return p - lr * (m / (1 - BETA1**t)) / (jnp.sqrt(v / (1 - BETA2**t)) + EPS), m, v

    def train(state: Any) -> Any:
        t, params, means, squares = state
        loss, gradients = jax.value_and_grad(loss_of)(params)
        found = [update(t + 1, *each) for each in zip(params, gradients, means, squares)]
        return loss, (t + 1, *([each[k] for each in found] for k in range(3)))

    jitted = jax.jit(train, donate_argnums=0)
    zeros = ([jnp.zeros(p.shape, p.dtype) for p in params] for _ in range(2))
    state = (jnp.zeros((), F32), [jnp.array(p) for p in params], *zeros)

    def step() -> float:
        nonlocal state
        loss, state = jitted(state)
        jax.block_until_ready(state)
        return float(loss)

    return step


def torch_optimizer(kind: str, params: Any, lr: float) -> Any:
    """PyTorch's own."""
    from torch import optim

    if kind in ("sgd", "momentum"):
        return optim.SGD(params, lr=lr, momentum=MOMENTUM if kind == "momentum" else 0)
    return {"adam": optim.Adam, "adamw": optim.AdamW}[kind](params, lr=lr)


def torch_step(kind: str, params: Any, lr: float, loss_of: Callable[[], Any]) -> Callable[[], float]:
    """A training step of PyTorch, as its users write it."""
    optimizer = torch_optimizer(kind, params, lr)

    def step() -> float:
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def our_step(
    kind: str, params: Sequence[Any], lr: float, loss_of: Callable[[], Any], **options: Any
) -> Callable[[], float]:
    """A training step of autodiff, as its users write it; ``options`` go to ``backward``."""
    from autodiff import optim

    if kind in ("sgd", "momentum"):
        optimizer: Any = optim.SGD(params, lr=lr, momentum=MOMENTUM if kind == "momentum" else 0)
    else:
        optimizer = {"adam": optim.Adam, "adamw": optim.AdamW}[kind](params, lr=lr)

    def step() -> float:
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward(**options)
        optimizer.step()
        return float(loss.item())

    return step
