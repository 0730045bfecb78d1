"""The derivative of x² + 2x + 1 at 3: exactly 8 in every kind of number, and what difference quotients make of it.

No data.  Needs mpmath: ``pip install '.[mpmath]'``.
"""

from decimal import Decimal
from fractions import Fraction

import mpmath
from shared import panels, save

import autodiff as ad
from autodiff.calculus import difference_table


def f(x):
    return x**2 + 2 * x + 1


for x in (3.0, Fraction(3), Decimal(3), mpmath.mpf(3)):
    slope = ad.derivative(f, x)
    print(f"{type(x).__name__:>9}: {slope!s:3} (2x + 2 at 3: 8), the same: {slope == 8}")

# A limit is not computed by going on towards it: the difference of two almost equal numbers is all rounding.
table = difference_table(f, 3.0)
print(table)

# Of fractions nothing is rounded, and the forward difference is off by exactly its step.
exact = difference_table(f, Fraction(3), steps=[Fraction(1, 10**k) for k in (1, 8, 30)])
print("fractions:", *(f"{value - exact.exact} at h = {h}" for h, value in zip(exact.steps, exact.values["forward"])))

curved = difference_table(lambda x: ad.exp(ad.sin(x)), 1.0)
print(f"exp(sin x) at 1: {curved.exact}; best central difference {curved.best('central')[1]:.0e} off")

figure, (left, right) = panels(1, 2, height=3.4)
table.plot(left).set_title("x² + 2x + 1 at 3: the derivative is 8")
curved.plot(right).set_title("exp(sin x) at 1")
right.set_ylabel("")
left.get_legend().remove()
save(figure, "example-article.png")
