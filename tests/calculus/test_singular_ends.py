"""Functions that are singular at an end where floats are not dense: the limit, its error estimate, and its refusal."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autodiff.calculus.integrate import integrate
from autodiff.core import errors

SINGULAR = {  # more of these lies nearer to an end than floats do than what is allowed
    "right end": (lambda x: (1 - x) ** -0.9, 0, 1, 10.0),
    "very singular": (lambda x: (1 - x) ** -0.99, 0, 1, 100.0),
    "both ends": (lambda x: 1 / math.sqrt((x - 3) * (5 - x)), 3, 5, math.pi),
    "with logarithms": (lambda x: (1 - x) ** -0.5 * math.log(1 - x) ** 2, 0, 1, 16.0),
    "far along": (lambda x: (x - 3) ** -0.9 * math.exp(3 - x), 3, math.inf, math.gamma(0.1)),
    "left end": (lambda x: (2 + x) ** -0.8, 1, -2, -5 * 3**0.2),
    "complex": (lambda x: (1 - x) ** (-0.9 + 0.1j), 0, 1, 5 - 5j),
}


@pytest.mark.parametrize("name", SINGULAR)
def test_singular_ends(name):
    f, a, b, exact = SINGULAR[name]
    found = integrate(f, a, b, full_output=True)
    assert abs(found.value - exact) <= found.error <= 1e-8 * abs(exact)


def test_a_singular_point_and_powers_together():
    found = integrate(lambda x: abs(x - 0.3) ** -0.7, 0, 1, points=[0.3], full_output=True)
    assert abs(found.value - (0.3**0.3 + 0.7**0.3) / 0.3) <= found.error <= 1e-7
    powers = np.array([-0.9, -0.5, 0.0, -0.2, 2.0])
    found = integrate(lambda x: (1 - x) ** powers, 0, 1, full_output=True)
    assert np.max(abs(found.value - 1 / (1 + powers))) <= found.error <= 1e-7


@pytest.mark.parametrize("f", [lambda x: 1 / (1 - x), lambda x: (1 - x) ** -1.1, lambda x: 1 / (1 - x) + x])
def test_no_limit_is_made_up_where_there_is_none(f):
    with pytest.raises(errors.ConvergenceError, match=r"cannot halve the range \[1\.0, 1\.0\] any more"):
        integrate(f, 0, 1)
