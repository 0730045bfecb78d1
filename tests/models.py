"""Small models of the tests' own: what finds parameters must not depend on ``nn.Module``."""

import numpy as np

import autodiff as ad


class Linear:
    def __init__(self, n_in, n_out):
        self.weight = ad.Tensor(np.linspace(-1, 1, n_in * n_out).reshape(n_out, n_in))
        self.bias = ad.Tensor(np.zeros(n_out))

    def named_parameters(self):
        yield "weight", self.weight
        yield "bias", self.bias

    def __call__(self, x):
        return ad.linear(x, self.weight, self.bias)


class MLP:
    def __init__(self):
        self.layers = [Linear(2, 4), Linear(4, 3)]

    def named_parameters(self):
        for i, layer in enumerate(self.layers):
            for name, p in layer.named_parameters():
                yield f"layers.{i}.{name}", p

    def __call__(self, x):
        return self.layers[1](ad.tanh(self.layers[0](x)))
