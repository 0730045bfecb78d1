"""Programs that are unlike the others: every step of them is shown, and nothing goes wrong."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn


def leaf_alone():
    return ad.Value(2.0, name="x")


def one_over_many():
    return ad.sum(ad.concatenate([ad.Tensor([float(i)], name=f"x{i}") for i in range(45)]))


def exact():
    x = ad.Value(Fraction(1, 3), name="x")
    return x * x + Fraction(1, 7)


def decimals():
    x = ad.Value(Decimal("1.5"), name="x")
    return x * x


def complex_numbers():
    z = ad.Tensor([1 + 2j, 3 - 1j], name="z")
    return ad.sum(ad.real(z * z))


def infinite():
    x = ad.Tensor([0.0, 1.0], name="x")
    with np.errstate(all="ignore"):
        return ad.sum(1.0 / x)


def empty():
    x = ad.Tensor(np.zeros((0, 3)), name="x")
    return ad.sum(x * 2.0)


def large():
    x = ad.Tensor(np.ones((300, 300)), name="x")
    return ad.mean(x @ x)


def looked_up():
    table = ad.Tensor(np.arange(12.0).reshape(4, 3), name="table")
    rows = table[np.array([0, 2, 2])]
    return ad.sum(rows * rows + ad.Tensor([1.0, 2.0, 3.0], name="bias"))


def used_many_times():
    x = ad.Value(1.01, name="x")
    y = x
    for _ in range(150):
        y = y * x
    return y


def one_module_many_times():
    layer = nn.Linear(3, 3, rng=0)
    h = np.ones((2, 3))
    with ad.trace():
        for _ in range(12):
            h = ad.tanh(layer(h))
        return ad.sum(h)


def in_a_prompt():
    names = {}
    code = "import autodiff as ad\nx = ad.Value(2.0)\nwith ad.trace():\n    y = x * x\n"
    exec(compile(code, "<stdin>", "exec"), names)
    return names["y"]


PROGRAMS = [leaf_alone, one_over_many, exact, decimals, complex_numbers, infinite, empty, large, looked_up]
PROGRAMS += [used_many_times, one_module_many_times, in_a_prompt]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_every_step_is_shown(opened, program):
    loss = program()
    page = opened(ad.debug(loss))
    for t in range(min(page.n_steps, 60)):
        assert page.step == t
        page.press("ArrowRight")
        assert page.tab.locator(".box.current").count() == 1
        assert page.tab.inner_text("#caption").strip()
    page.press("End", *["ArrowLeft"] * 3, "r", "f", "Home")
    assert page.step == 0


def test_sums_and_lookups_are_steps_of_their_own(opened):
    page = opened(ad.debug(looked_up()))
    captions = []
    for _ in range(page.n_steps):
        page.press("ArrowRight")
        captions.append(page.tab.inner_text("#caption"))
    assert sum("summed to shape (3,): bias.grad is now" in caption for caption in captions) == 1
    assert sum("put back where it was looked up, zeros elsewhere: table.grad is now" in c for c in captions) == 1
