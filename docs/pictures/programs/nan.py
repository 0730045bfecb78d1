"""A program that makes a nan: the square root of a small negative number."""

import numpy as np

import autodiff as ad

x = ad.Tensor([[0.5, 2.0, 1.0], [0.5, 2.0, 1.0000001]], name="x")
w = ad.Tensor([0.3, -0.2, 0.1], name="w")

with ad.trace(), np.errstate(invalid="ignore"):
    mean = ad.mean(x, axis=0)
    variance = ad.mean(x * x, axis=0) - mean * mean - 1e-9
    scaled = (x - mean) / ad.sqrt(variance)
    loss = ad.sum(ad.tanh(scaled @ w))

page = ad.debug(loss, title="Where does the nan come from?")
