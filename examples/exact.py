"""The kind of number decides the arithmetic: exact fractions, fifty digits, symbols.

Needs mpmath and sympy: ``pip install '.[mpmath,sympy]'``.
"""

from fractions import Fraction

import mpmath
import sympy

import autodiff as ad


def f(x):
    return (x * x + 1) / (2 - x)


print("fraction:", ad.derivative(f, Fraction(1, 3)))

mpmath.mp.dps = 50
print("50 digits:", ad.derivative(lambda x: ad.exp(ad.sin(x)), mpmath.mpf(1), n=2))

t = sympy.Symbol("t")
print("symbols:", sympy.simplify(ad.derivative(f, t)))
