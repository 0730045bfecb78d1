"""A training step of a character transformer, in float32: two blocks with layer norm first, cross-entropy, AdamW."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import autodiff as ad
from autodiff import nn

from .harness import Bar, Row, Step, installed
from .transformer_numpy import EPS, LR, by_hand
from .updates import F32, jax_step, our_step, torch_step


@dataclass
class Task:
    """Texts ``(batch, length)`` as numbers of characters, what comes next, and the parameters of the start.

    The parameters are the embeddings of characters and of places; for each block those of a norm, of queries, keys and
    values, of what joins the heads, of a second norm and of two layers; then those of a last norm and of the logits.
    """

    X: Any
    T: Any
    params: list[Any]
    heads: int


def task(layers: int, width: int, length: int, batch: int, heads: int, characters: int) -> Task:
    """Random texts."""
    rng = np.random.default_rng(0)

    def affine(n_in: int, n_out: int) -> list[Any]:
        return [(rng.normal(size=(n_out, n_in)) / np.sqrt(n_in)).astype(F32), np.zeros(n_out, F32)]

    def norm() -> list[Any]:
        return [np.ones(width, F32), np.zeros(width, F32)]

    params = [rng.normal(size=(n, width)).astype(F32) for n in (characters, length)]
    for _ in range(layers):
        params += norm() + affine(width, 3 * width) + affine(width, width)
        params += norm() + affine(width, 4 * width) + affine(4 * width, width)
    params += norm() + affine(width, characters)
    X, T = rng.integers(0, characters, size=(2, batch, length))
    return Task(X, T, params, heads)


def ours(task: Task, compiled: bool = False) -> Step:
    """With this package, from its ops."""
    linear = nn.functional.linear
    (n, length), width, heads = task.X.shape, task.params[0].shape[1], task.heads
    params = [ad.Tensor(p.copy()) for p in task.params]
    table, places, *rest = params
    last, blocks = rest[-4:], [rest[k : k + 12] for k in range(0, len(rest) - 4, 12)]

    def norm(x: Any, w: Any, b: Any) -> Any:
        return ad.standardize(x, eps=EPS) * w + b

    def attend(qkv: Any) -> Any:
        q, k, v = qkv.reshape(n, length, 3, heads, -1).transpose(2, 0, 3, 1, 4)
        y = ad.scaled_dot_product_attention(q, k, v, is_causal=True)
        return y.transpose(0, 2, 1, 3).reshape(n, length, width)

    def loss_of(X: Any, T: Any) -> Any:
        x = table[X] + places
        for w1, b1, Wqkv, bqkv, Wo, bo, w2, b2, Wf, bf, Wp, bp in blocks:
            x = x + linear(attend(linear(norm(x, w1, b1), Wqkv, bqkv)), Wo, bo)
            x = x + linear(ad.gelu(linear(norm(x, w2, b2), Wf, bf), "tanh"), Wp, bp)
        w, b, W, c = last
        return nn.functional.cross_entropy(linear(norm(x, w, b), W, c).reshape(n * length, -1), T.reshape(-1))

    loss_of = ad.compile(loss_of) if compiled else loss_of
    return our_step("adamw", params, LR, lambda: loss_of(task.X, task.T))


def torch(task: Task, explicit: bool = False, compiled: bool = False) -> Step:
    """PyTorch, as its users write it, with its own attention or attention spelt out; or through ``torch.compile``."""
    import torch
    from torch.nn import functional

    (n, length), width, heads = task.X.shape, task.params[0].shape[1], task.heads
    params = [torch.tensor(p, requires_grad=True) for p in task.params]
    table, places, *rest = params
    last, blocks = rest[-4:], [rest[k : k + 12] for k in range(0, len(rest) - 4, 12)]
    mask = torch.full((length, length), -torch.inf).triu(1)
    X, T = torch.tensor(task.X), torch.tensor(task.T)

    def attend(qkv: Any) -> Any:
        q, k, v = (part.view(n, length, heads, -1).transpose(1, 2) for part in qkv.split(width, dim=2))
        if explicit:
            y = functional.softmax(q @ k.mT * (width // heads) ** -0.5 + mask, dim=-1) @ v
        else:
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return y.transpose(1, 2).reshape(n, length, width)

    def loss_of() -> Any:
        x = functional.embedding(X, table) + places
        for w1, b1, Wqkv, bqkv, Wo, bo, w2, b2, Wf, bf, Wp, bp in blocks:
            x = x + functional.linear(
                attend(functional.linear(functional.layer_norm(x, (width,), w1, b1, EPS), Wqkv, bqkv)), Wo, bo
            )
            h = functional.linear(functional.layer_norm(x, (width,), w2, b2, EPS), Wf, bf)
            x = x + functional.linear(functional.gelu(h, approximate="tanh"), Wp, bp)
        w, b, W, c = last
        logits = functional.linear(functional.layer_norm(x, (width,), w, b, EPS), W, c)
        return functional.cross_entropy(logits.view(n * length, -1), T.view(-1))

    return torch_step("adamw", params, LR, torch.compile(loss_of) if compiled else loss_of)


def jax(task: Task) -> Step:
    """The whole step in one ``jax.jit``."""
    import jax
    import jax.numpy as jnp

    (n, length), width, heads = task.X.shape, task.params[0].shape[1], task.heads
    X, T = jnp.array(task.X), jnp.array(task.T)
    mask = np.triu(np.full((length, length), -np.inf, F32), 1)

    def norm(x: Any, w: Any, b: Any) -> Any:
        d = x - x.mean(-1, keepdims=True)
        return d * jax.lax.rsqrt((d * d).mean(-1, keepdims=True) + EPS) * w + b

    def attend(qkv: Any) -> Any:
        q, k, v = qkv.reshape(n, length, 3, heads, -1).transpose(2, 0, 3, 1, 4)
        scores = q @ k.mT * (width // heads) ** -0.5
        return (jax.nn.softmax(scores + mask) @ v).transpose(0, 2, 1, 3).reshape(n, length, width)

    def loss_of(params: Any) -> Any:
        table, places, *rest = params
        x = table[X] + places
        for k in range(0, len(rest) - 4, 12):
            w1, b1, Wqkv, bqkv, Wo, bo, w2, b2, Wf, bf, Wp, bp = rest[k : k + 12]
            x = x + attend(norm(x, w1, b1) @ Wqkv.T + bqkv) @ Wo.T + bo
            x = x + jax.nn.gelu(norm(x, w2, b2) @ Wf.T + bf, approximate=True) @ Wp.T + bp
        w, b, W, c = rest[-4:]
        logits = jax.nn.log_softmax(norm(x, w, b) @ W.T + c)
        return -jnp.mean(jnp.take_along_axis(logits, T[..., None], -1))

    return jax_step("adamw", task.params, LR, loss_of)


def transformer(
    layers: int = 2, width: int = 64, length: int = 64, batch: int = 16, heads: int = 4, characters: int = 65
) -> Row:
    on = task(layers, width, length, batch, heads, characters)
    contestants = installed(
        {
            "NumPy by hand": lambda: by_hand(on),
            "autodiff": lambda: ours(on),
            "autodiff compiled": lambda: ours(on, compiled=True),
            "PyTorch": lambda: torch(on),
            "PyTorch, explicit attention": lambda: torch(on, explicit=True),
            "torch.compile": lambda: torch(on, compiled=True),
            "jax.jit": lambda: jax(on),
        }
    )
    return Row(
        "transformer",
        f"character transformer, {layers} layers, width {width}, {heads} heads, length {length}, batch {batch}, "
        "cross-entropy, AdamW: one step",
        "NumPy by hand",
        contestants,
        rounds=30,
        inner=2,
        bars=[Bar("autodiff", "PyTorch", 1.2), Bar("autodiff compiled", "PyTorch", 1.05)],
    )
