"""Make the pictures of the README and the docs: ``python docs/pictures/make.py``.

Those of tapes are drawn without the program ``dot``, and so are the same wherever they are made.
"""

import contextlib
import re
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import autodiff as ad
from autodiff import data, nn, optim

HERE = Path(__file__).parent
DARK = {  # what plots have on a light ground, and on a dark one
    "#ffffff": "#16181d",
    "#000000": "#f2f2f2",
    "#0072b2": "#56b4e9",
    "#4c4c4c": "#b3b3b3",
    "#bfbfbf": "#595959",
    "#cccccc": "#404040",
}


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


def range_test() -> None:
    """The learning rates of the guide to optimizers, on a small net for the digits.  It needs Matplotlib."""
    X, y = data.digits()
    model = nn.Sequential(nn.Linear(64, 32, rng=0), nn.ReLU(), nn.Linear(32, 10, rng=1))
    optimizer = optim.Adam(model.parameters())
    rng = np.random.default_rng(0)

    def closure() -> ad.Tensor:
        batch = rng.integers(len(X), size=64)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X[batch]), y[batch])
        loss.backward()
        return loss

    figure = optim.lr_range_test(optimizer, closure).plot().figure
    figure.savefig(HERE / "lr-range-test.png", dpi=100)


def calculus_page() -> None:
    """Those that the blocks of the page on calculus save.  It needs Matplotlib, SymPy and mpmath."""
    page = (HERE.parent / "calculus.md").read_text()
    with contextlib.chdir(HERE), plt.rc_context({"svg.hashsalt": "autodiff"}):
        exec("\n".join(re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)), {})
    for path in HERE.glob("calculus-*.svg"):
        path.write_text(for_both_grounds(path.read_text()))


def for_both_grounds(svg: str) -> str:
    """A plot by Matplotlib that follows its reader's choice of a dark ground, and does not tell when it was made."""
    rules = ["svg {fill: " + DARK["#000000"] + "}"]  # for letters, which have no colour of their own
    for light, dark in DARK.items():
        rules += [f"[style*='{part}: {light}'] {{{part}: {dark} !important}}" for part in ("fill", "stroke")]
    style = "\n".join(["<style>@media (prefers-color-scheme: dark) {", *rules, "}</style>"])
    return re.sub(r" <metadata>.*</metadata>", style, svg, flags=re.DOTALL)


if __name__ == "__main__":
    tape()
    expression()
    range_test()
    calculus_page()
