"""Make the pictures of the README and the docs: ``python docs/pictures/make.py``.

They are drawn without the program ``dot``, and so are the same wherever they are made.
"""

from pathlib import Path

import numpy as np

import autodiff as ad
from autodiff import data, nn

HERE = Path(__file__).parent


def tape() -> None:
    """A small classifier, its loss, and every gradient."""
    X, y = data.moons(8, noise=0.1, rng=0)
    model = nn.MLP([2, 3, 2], activation=nn.Tanh, rng=1)
    with ad.trace():
        loss = nn.functional.cross_entropy(model(X), y)
    loss.backward()
    ad.draw(loss, engine="builtin").save(HERE / "tape.svg")


def expression() -> None:
    """The expression of how-it-works, as a circuit."""
    a, b = ad.Value(2.0), ad.Value(-3.0)
    c = a * b + np.sin(a)
    c.backward()
    ad.draw(c, engine="builtin", style="circuit").save(HERE / "circuit.svg")


if __name__ == "__main__":
    tape()
    expression()
