"""The character transformer of ``transformer`` in clean NumPy, with its derivatives worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .harness import Step
from .mlp import softmax_loss
from .updates import F32, one_by_one

if TYPE_CHECKING:
    from .transformer import Task

LR = 1e-3
EPS = 1e-5
ROOT, CUBIC = F32(np.sqrt(2 / np.pi)), F32(0.044715)


def affine(x: Any, W: Any, b: Any) -> Any:
    return (x.reshape(-1, x.shape[-1]) @ W.T + b).reshape(*x.shape[:-1], len(W))


def affine_back(g: Any, x: Any, W: Any) -> tuple[Any, Any, Any]:
    """Gradients of the input, the weight and the bias."""
    flat_g, flat_x = g.reshape(-1, g.shape[-1]), x.reshape(-1, x.shape[-1])
    return (flat_g @ W).reshape(x.shape), flat_g.T @ flat_x, flat_g.sum(0)


def norm(x: Any, w: Any, b: Any) -> tuple[Any, Any, Any]:
    """Layer norm; and for the way back the normalised rows and the reciprocals of their deviations."""
    d = x - x.mean(-1, keepdims=True)
    rate = 1 / np.sqrt((d * d).mean(-1, keepdims=True) + F32(EPS))
    d *= rate
    return d * w + b, d, rate


def norm_back(g: Any, d: Any, rate: Any, w: Any) -> tuple[Any, Any, Any]:
    """Gradients of the input, the weight and the bias."""
    gw, gb = (g * d).reshape(-1, len(w)).sum(0), g.reshape(-1, len(w)).sum(0)
    g = g * w
    g -= g.mean(-1, keepdims=True) + d * (g * d).mean(-1, keepdims=True)
    return g * rate, gw, gb


def gelu(x: Any) -> tuple[Any, Any]:
    """Gelu in its approximation by tanh; and for the way back that tanh."""
    t = np.tanh(ROOT * (x + CUBIC * (x * x * x)))
    return F32(0.5) * x * (1 + t), t


def gelu_back(g: Any, x: Any, t: Any) -> Any:
    return g * (F32(0.5) * (1 + t) + F32(0.5) * x * (1 - t * t) * (ROOT * (1 + 3 * CUBIC * (x * x))))


def split(x: Any, heads: int) -> Any:
    """``(batch, length, width)`` as ``(batch, head, length, part)``."""
    n, length, width = x.shape
    return x.reshape(n, length, heads, width // heads).transpose(0, 2, 1, 3)


def join(x: Any) -> Any:
    """The other way."""
    n, heads, length, part = x.shape
    return x.transpose(0, 2, 1, 3).reshape(n, length, heads * part)


def attend(qkv: Any, heads: int, mask: Any) -> tuple[Any, Any]:
    """Attention; and for the way back queries, keys, values and weights."""
    q, k, v = (split(part, heads) for part in np.split(qkv, 3, axis=-1))
    a = q @ k.mT * F32(q.shape[-1] ** -0.5) + mask
    a = np.exp(a - a.max(-1, keepdims=True))
    a /= a.sum(-1, keepdims=True)
    return join(a @ v), (q, k, v, a)


def attend_back(g: Any, saved: Any) -> Any:
    q, k, v, a = saved
    g = split(g, q.shape[1])
    gv = a.mT @ g
    ga = g @ v.mT
    ga = a * (ga - (ga * a).sum(-1, keepdims=True)) * F32(q.shape[-1] ** -0.5)
    return np.concatenate([join(ga @ k), join(ga.mT @ q), join(gv)], axis=-1)


def block(x: Any, params: Any, heads: int, mask: Any) -> tuple[Any, Any]:
    w1, b1, Wqkv, bqkv, Wo, bo, w2, b2, Wf, bf, Wp, bp = params
    h1, *norm1 = norm(x, w1, b1)
    y, attention = attend(affine(h1, Wqkv, bqkv), heads, mask)
    x = x + affine(y, Wo, bo)
    h2, *norm2 = norm(x, w2, b2)
    z = affine(h2, Wf, bf)
    u, t = gelu(z)
    return x + affine(u, Wp, bp), (h1, norm1, y, attention, h2, norm2, z, u, t)


def block_back(g: Any, params: Any, saved: Any) -> tuple[Any, list[Any]]:
    w1, _, Wqkv, _, Wo, _, w2, _, Wf, _, Wp, _ = params
    h1, norm1, y, attention, h2, norm2, z, u, t = saved
    gu, gWp, gbp = affine_back(g, u, Wp)
    gh2, gWf, gbf = affine_back(gelu_back(gu, z, t), h2, Wf)
    gx, gw2, gb2 = norm_back(gh2, *norm2, w2)
    g = g + gx
    gy, gWo, gbo = affine_back(g, y, Wo)
    gh1, gWqkv, gbqkv = affine_back(attend_back(gy, attention), h1, Wqkv)
    gx, gw1, gb1 = norm_back(gh1, *norm1, w1)
    return g + gx, [gw1, gb1, gWqkv, gbqkv, gWo, gbo, gw2, gb2, gWf, gbf, gWp, gbp]


def by_hand(task: Task) -> Step:
    """A training step."""
    X, T, params = task.X, task.T.reshape(-1), [p.copy() for p in task.params]
    table, places, *rest = params
    (w, b, W, c), blocks = rest[-4:], [rest[k : k + 12] for k in range(0, len(rest) - 4, 12)]
    mask = np.triu(np.full((X.shape[1], X.shape[1]), -np.inf, F32), 1)
    update = one_by_one("adamw", params, LR)

    def step() -> float:
        x, saved = table[X] + places, []
        for layer in blocks:
            x, kept = block(x, layer, task.heads, mask)
            saved.append(kept)
        h, *last = norm(x, w, b)
        loss, g = softmax_loss(affine(h, W, c).reshape(-1, len(W)), T)
        gh, gW, gc = affine_back(g.reshape(*h.shape[:-1], -1), h, W)
        g, gw, gb = norm_back(gh, *last, w)
        gradients = [gw, gb, gW, gc]
        for layer, kept in zip(blocks[::-1], saved[::-1]):
            g, found = block_back(g, layer, kept)
            gradients = found + gradients
        gtable = np.zeros_like(table)
        np.add.at(gtable, X, g)
        update([gtable, g.sum(0), *gradients])
        return float(loss)

    return step
