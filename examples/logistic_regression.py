"""Logistic regression in plain NumPy, its gradient by ``ad.grad``: functions of arrays in, arrays out."""

import numpy as np

import autodiff as ad
from autodiff import data

X, y = data.blobs(200, centers=2, rng=0)


def loss(params):
    """Mean logistic loss; ``params`` is a dict, and so is its gradient."""
    margins = (2 * y - 1) * (X @ params["w"] + params["b"])
    return np.mean(np.logaddexp(0, -margins))


params = {"w": np.zeros(2), "b": 0.0}
for step in range(101):
    value, g = ad.value_and_grad(loss)(params)
    params = {name: params[name] - 0.5 * g[name] for name in params}
    if step % 25 == 0:
        print(f"step {step:3d}   loss {value:.4f}")

right = np.mean((X @ params["w"] + params["b"] > 0) == y)
print(f"accuracy {right:.1%}")
