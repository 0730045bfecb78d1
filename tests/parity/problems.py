"""A small problem of two parameters, here and in PyTorch, with an optimizer for each."""

import torch

import autodiff as ad
from autodiff import optim

from .compare import draw, near

A, B = draw(20, 6), draw(20, seed=1)
START = draw(6, seed=2), draw(2, 3, seed=3)


class Here:
    """The problem here; ``make`` builds an optimizer from a library of them and a list of parameters."""

    def __init__(self, make):
        self.params = [ad.Tensor(x) for x in START]
        self.optimizer = make(optim, self.params)

    def loss(self):
        w, v = self.params
        self.optimizer.zero_grad()
        loss = ((ad.tanh(A @ w) - B) ** 2).mean() + ad.exp(v).sum() * 0.1 + (v**4).sum() * 0.3
        loss.backward()
        return loss


class There(Here):
    """The same in PyTorch."""

    def __init__(self, make):
        self.params = [torch.tensor(x, requires_grad=True) for x in START]
        self.optimizer = make(torch.optim, self.params)

    def loss(self):
        w, v = self.params
        self.optimizer.zero_grad()
        loss = ((torch.tanh(torch.tensor(A) @ w) - torch.tensor(B)) ** 2).mean()
        loss = loss + torch.exp(v).sum() * 0.1 + (v**4).sum() * 0.3
        loss.backward()
        return loss


def both(make):
    return Here(make), There(make)


def same_params(problems, what):
    for found, expected in zip(*[problem.params for problem in problems], strict=True):
        near(found, expected, what)
