"""Make the pictures of the README and the docs: ``python docs/pictures/make.py``; needs the ``dot`` program."""

from pathlib import Path

import numpy as np

import autodiff as ad
from autodiff import data, nn

HERE = Path(__file__).parent


def tape() -> None:
    """A small classifier, its loss, and every gradient."""
    X, y = data.moons(8, noise=0.1, rng=0)
    model = nn.MLP([2, 3, 2], activation=nn.Tanh, rng=1)
    loss = nn.functional.cross_entropy(model(X), y)
    loss.backward()
    ad.draw(loss).save(HERE / "tape.svg")


def expression() -> None:
    """The expression of how-it-works."""
    a, b = ad.Value(2.0), ad.Value(-3.0)
    c = a * b + np.sin(a)
    c.backward()
    ad.draw(c).save(HERE / "expression.svg")


if __name__ == "__main__":
    tape()
    expression()
