"""Integrals of a number and of a vector, from functions that are asked at one point after another; and a gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import autodiff as ad
from autodiff.calculus.integrate import integrate

from .harness import Bar, Row, Step, installed

SCIPY = "SciPy quad_vec"
RATES = np.linspace(0.5, 3, 300)


def oscillation(x: float) -> float:
    """A damped oscillation."""
    return math.exp(-x) * math.cos(5 * x) / (1 + x * x)


def decays(x: float) -> Any:
    """A vector with a singular end."""
    return np.exp(-RATES * x) * math.sqrt(x)


def quad_vec(f: Callable[[float], Any], b: float, **options: Any) -> Step:
    """SciPy's, from 0 to ``b``."""
    from scipy.integrate import quad_vec

    return lambda: quad_vec(f, 0.0, b, epsrel=1e-8, **options)[0]


def row(name: str, question: str, f: Callable[[float], Any], b: float) -> Row:
    contestants = installed(
        {SCIPY: lambda: quad_vec(f, b, norm="max"), "autodiff": lambda: lambda: integrate(f, 0.0, b, rtol=1e-8)}
    )
    return Row(name, question, SCIPY, contestants, rounds=60, inner=10, tolerance=1e-7, bars=bars())


def bars() -> list[Bar]:
    return [Bar("autodiff", SCIPY, 3.0)]


def number() -> Row:
    return row("integral", "integral of a damped oscillation over [0, 10], to 1e-8", oscillation, 10.0)


def vector() -> Row:
    return row("integral_vector", "300 integrals at once, with a root at one end, to 1e-8", decays, 2.0)


def gradient() -> Row:
    """The derivative by 300 rates: SciPy's contestant integrates the slope that was worked out by hand."""

    def ours() -> Step:
        def total(rates: Any) -> Any:
            return integrate(lambda x: (ad.exp(-rates * x) * ad.sqrt(x)).sum(), 0.0, 2.0, rtol=1e-8)

        gradient = ad.grad(total)
        return lambda: gradient(RATES)

    contestants = installed({SCIPY: lambda: quad_vec(lambda x: -x * decays(x), 2.0, norm="max"), "autodiff": ours})
    question = "gradient of the sum of those integrals by their 300 rates (SciPy: the slope, worked out by hand)"
    return Row("integral_grad", question, SCIPY, contestants, rounds=30, inner=2, tolerance=1e-7)
