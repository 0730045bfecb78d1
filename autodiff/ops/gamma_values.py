"""Values of the gamma function and its relatives, in plain NumPy, to a few units in the last place of a double.

Everything rests on two expansions: a Taylor series near 2, to which recurrences bring small arguments, and Stirling's
series for large ones; reflection takes care of negative arguments.

References
----------
.. [1] M. Abramowitz and I. Stegun, Handbook of Mathematical Functions (1964), chapter 6 and section 23.2.
.. [2] A. DiDonato and A. Morris, ACM Trans. Math. Softw. 18 (1992) 360-373 (the beta function of large arguments).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Doubles = Any

HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
LARGE = 20  # from here on Stirling's series

# B(2k) / (2k (2k - 1)), the coefficients of Stirling's series in 1/x, 1/x**3, ...; [1], 6.1.41.
_STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156]

# Taylor coefficients of ln Γ(2 + z): 1 - γ, then (-1)**k (ζ(k) - 1) / k; [1], 6.1.33.  Computed to 60 digits.
_NEAR_TWO = [
    0.42278433509846713, 0.3224670334241132, -0.0673523010531981, 0.020580808427784546, -0.007385551028673986,
    0.0028905103307415234, -0.001192753911703261, 0.0005096695247430425, -0.00022315475845357939,
    9.945751278180853e-05, -4.492623673813314e-05, 2.050721277567069e-05, -9.439488275268397e-06,
    4.374866789907488e-06, -2.039215753801366e-06, 9.55141213040742e-07, -4.492469198764566e-07,
    2.1207184805554665e-07, -1.0043224823968099e-07, 4.7698101693639804e-08, -2.2711094608943164e-08,
    1.0838659214896955e-08, -5.183475041970047e-09, 2.4836745438024785e-09, -1.1921401405860912e-09,
    5.731367241678862e-10,
]  # fmt: skip

# The positive zero of ψ in two parts, and Taylor coefficients of ψ there, from the first.  Computed to 60 digits.
_ROOT = 1.4616321449683622
_ROOT_REST = 9.549995429965697e-17
_NEAR_ROOT = [
    0.9676722454476212, -0.4427631689835921, 0.258499760955651, -0.16394270544240652, 0.10782405069126237,
    -0.07219956125645471, 0.04880428816414311, -0.03316112647484736, 0.022597648232218104, -0.01542476590494896,
    0.010538791616612175, -0.007204534386356869, 0.004926781395729853, -0.003369801655439328, 0.002305126326734928,
    -0.0015769367714301972, 0.0010788252019162967, -0.0007380709389960052, 0.000504953265834602,
    -0.0003454680251063077, 0.00023635601564027053,
]  # fmt: skip

# B(2k), for Euler and Maclaurin's formula; [1], 23.1.30 and table 23.2.
_BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330]


def series(coefficients: list[float], x: Doubles) -> Doubles:
    """The polynomial with these coefficients, lowest power first."""
    y = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        y = y * x + c
    return y


def from_whole(x: Doubles) -> Doubles:
    """How far ``x`` is from the nearest whole number: exact."""
    return x - np.rint(x)


def sin_pi(x: Doubles) -> Doubles:
    """``sin(pi * x)``, exact in its zeros."""
    return np.sin(math.pi * from_whole(x)) * np.where(np.rint(x) % 2 == 0, 1, -1)


def stirling_rest(x: Doubles) -> Doubles:
    """What Stirling's formula lacks: ``ln Γ(x) - (x - 1/2) ln x + x - ln(2 pi) / 2`` for ``x`` > 0."""
    large = np.maximum(x, LARGE)
    below = np.clip(x, np.finfo(float).tiny, LARGE)
    small = _gammaln_below(below) - ((below - 0.5) * np.log(below) - below + HALF_LOG_TWO_PI)
    return np.where(x >= LARGE, series(_STIRLING, 1 / large**2) / large, small)


def _reduced(x: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """``ln Γ(2 + z)`` with ``|z| <= 1/2``, and the numerator and denominator that make ``Γ(x)`` of ``Γ(2 + z)``."""
    whole = np.rint(np.maximum(x, 1))
    z = np.where(x < 0.5, x, x - whole)
    top = np.ones_like(x)
    for step in range(1, LARGE - 1):
        top = top * np.where(step <= whole - 2, x - step, 1)
    bottom = np.where(x < 0.5, x * (1 + x), np.where(x < 1.5, x, 1))
    return z * series(_NEAR_TWO, z), top, bottom


def _gammaln_below(x: Doubles) -> Doubles:
    """``ln Γ(x)`` for 0 < ``x`` <= LARGE."""
    near_two, top, _ = _reduced(x)
    below = np.where(x < 0.5, np.log1p(x) + np.log(x), np.where(x < 1.5, np.log1p(np.maximum(x, 0.5) - 1), 0))
    return near_two + np.log(top) - below


def _gammaln_positive(x: Doubles) -> Doubles:
    small = _gammaln_below(np.clip(x, 0, LARGE))
    large = np.maximum(x, LARGE)
    # x (ln x - 1) does not overflow before the result does
    y = large * (np.log(large) - 1) - 0.5 * np.log(large) + HALF_LOG_TWO_PI + series(_STIRLING, 1 / large**2) / large
    return np.where(x < LARGE, small, np.where(x == np.inf, x, y))


def gammaln(x: Doubles) -> Doubles:
    """``ln |Γ(x)|``."""
    y = _gammaln_positive(np.where(x < 0, 1 - x, x))
    reflected = math.log(math.pi) - np.log(np.abs(sin_pi(x))) - y
    y = np.where(x < 0, np.where(x == -np.inf, x, reflected), y)
    return np.where(np.isnan(x), x, y)


def _gamma_factors(x: Doubles) -> tuple[Doubles, Doubles]:
    """Two factors of ``Γ(x)`` for ``x`` > 0, which do not overflow before their product does."""
    near_two, top, bottom = _reduced(np.clip(x, 0, LARGE))
    large = np.maximum(x, LARGE)
    root = np.power(large, large / 2)
    rest = math.sqrt(2 * math.pi) * np.exp(series(_STIRLING, 1 / large**2) / large) / np.sqrt(large)
    small = x < LARGE
    one = np.where(small, np.exp(near_two) * top, root * np.exp(-large))
    return one, np.where(small, 1 / bottom, root * rest)


def gamma(x: Doubles) -> Doubles:
    """``Γ(x)``."""
    one, two = _gamma_factors(np.minimum(np.where(x < 0.5, 1 - x, x), 400))
    reflected = math.pi / sin_pi(x) / one / two
    y = np.where(x < 0.5, np.where(np.abs(x) < 1e-300, 1 / x, reflected), one * two)
    return np.where(np.isnan(x) | ((x < 0) & (x == np.floor(x))), np.nan, y)


def reciprocal_gamma(x: Doubles) -> Doubles:
    """``1 / Γ(x)``, 0 at the poles."""
    return np.where(_is_pole(x), 0, 1 / gamma(x))


def gamma_sign(x: Doubles) -> Doubles:
    """The sign of ``Γ(x)``, 1 at its poles."""
    return np.where((x < 0) & (np.floor(x) % 2 != 0) & (x != np.floor(x)), -1.0, 1.0)


def digamma(x: Doubles) -> Doubles:
    """``ψ(x)``, the derivative of ``ln Γ(x)``."""
    positive = np.where(x < 0, 1 - x, x)
    shifted, steps = positive, np.zeros_like(x)
    for _ in range(10):
        small = shifted < 10
        steps = steps + np.where(small, 1 / shifted, 0)
        shifted = np.where(small, shifted + 1, shifted)
    w = 1 / shifted**2
    y = np.log(shifted) - 0.5 / shifted - w * series([b / (2 * k) for k, b in enumerate(_BERNOULLI, 1)], w) - steps
    d = np.clip(positive - _ROOT, -0.3, 0.3) - _ROOT_REST
    y = np.where(np.abs(positive - _ROOT) <= 0.3, d * series(_NEAR_ROOT, d), y)
    apart = from_whole(x)
    y = np.where(x < 0, y - math.pi / np.tan(math.pi * apart), y)
    y = np.where((x < 0) & (apart == 0) | (x == -np.inf), np.nan, y)
    return np.where(x == 0, np.copysign(np.inf, -x), np.where(x == np.inf, x, y))


def hurwitz_zeta(s: Doubles, q: Doubles) -> Doubles:
    """Sum of ``(q + k) ** -s`` over ``k >= 0`` for ``s > 1`` and ``q > 0``: Euler and Maclaurin's formula."""
    n = 10
    s, q = np.broadcast_arrays(s, q)
    total = np.zeros_like(q)
    for k in range(n):
        total = total + np.power(q + k, -s)
    a = q + n
    last = np.power(a, -s)
    rest = np.power(a, 1 - s) / (s - 1) + last / 2
    factor = s / a * last  # s (s + 1) ... (s + 2k - 2) / a**(2k - 1), times a**-s
    for k, b in enumerate(_BERNOULLI, 1):
        rest = rest + b / math.factorial(2 * k) * factor
        factor = factor * (s + 2 * k - 1) * (s + 2 * k) / (a * a)
    return np.where(q == np.inf, 0, total + rest)


def cot_derivative(order: int, x: Doubles) -> Doubles:
    """The derivative of this order of ``cot(pi * x)``: a polynomial in it, since ``c' = -pi (1 + c**2)``."""
    c = np.array([0, 1.0])  # lowest power first
    for _ in range(order):
        slope = c[1:] * np.arange(1, len(c))
        c = -math.pi * (np.pad(slope, (0, 2)) + np.pad(slope, (2, 0)))
    apart = from_whole(x)
    y = series(c.tolist(), 1 / np.tan(math.pi * apart))
    return np.where(apart == 0, np.copysign(np.inf, c[-1]), y)


def polygamma(order: Doubles, x: Doubles) -> Doubles:
    """``ψ`` differentiated ``order`` times; nan where that is no whole number from 0 up."""
    order, x = np.broadcast_arrays(order, x)
    y = np.full_like(x, np.nan)
    for n in np.unique(order):
        if n >= 0 and n == np.floor(n):
            here = order == n
            y[here] = _polygamma(int(n), x[here])
    return y[()]


def _polygamma(n: int, x: Doubles) -> Doubles:
    if n == 0:
        return digamma(x)
    sign = -1.0 if n % 2 == 0 else 1.0
    size = math.gamma(n + 1) if n <= 170 else math.inf
    y = sign * size * hurwitz_zeta(np.array(n + 1.0), np.where(x < 0, 1 - x, x))
    y = np.where(x < 0, -math.pi * cot_derivative(n, x) - sign * y, y)
    return np.where(x == -np.inf, np.nan, y)


def polygamma_step(a: Doubles, b: Doubles, order: Doubles) -> Doubles:
    """``polygamma(order, a + b) - polygamma(order, a)``, term by term where both arguments are positive."""
    n = int(order)
    inside = (a > 0) & (a + b > 0)
    first, b = np.where(inside, a, 1), np.broadcast_to(b, np.broadcast_shapes(a.shape, b.shape))

    def fall(x: Doubles, power: int) -> Doubles:
        """``(x + b) ** -power - x ** -power``."""
        return x**-power * np.expm1(-power * np.log1p(np.where(inside, b, 0) / x))

    total = np.zeros_like(b)
    for k in range(10):
        total = total + fall(first + k, n + 1)
    x = first + 10
    integral = fall(x, n) / n if n else -np.log1p(np.where(inside, b, 0) / x)
    total = total + integral + fall(x, n + 1) / 2
    for k, c in enumerate(_BERNOULLI, 1):
        factor = c / math.factorial(2 * k) * math.factorial(n + 2 * k - 1) / math.factorial(n)
        total = total + factor * fall(x, n + 2 * k)
    sign = -1.0 if n % 2 == 0 else 1.0
    plain = polygamma(np.asarray(n), a + b) - polygamma(np.asarray(n), a)
    return np.where(inside, sign * math.factorial(n) * total, plain)


def betaln(a: Doubles, b: Doubles) -> Doubles:
    """``ln |B(a, b)|``, by parts that do not cancel where an argument is large."""
    a, b = np.minimum(a, b), np.maximum(a, b)
    whole = _gamma_cancels(a, b)
    small = np.where(whole, gammaln(1 - a - b), gammaln(a)) + gammaln(b)
    small = small - np.where(whole, gammaln(1 - a), gammaln(a + b))
    apart = (b >= LARGE) & (a + b >= LARGE)
    large, safe = np.where(apart, b, LARGE), np.where(apart, a, 0)
    ratio = np.log1p(safe / large)
    rests = stirling_rest(large) - stirling_rest(large + safe)
    one = gammaln(a) - (large - 0.5) * ratio - safe * (np.log(large + safe) - 1) + rests
    both = np.maximum(a, LARGE)
    two = HALF_LOG_TWO_PI + rests + stirling_rest(both) - (both - 0.5) * np.log1p(large / both)
    two = two - (large - 0.5) * ratio - 0.5 * np.log(large + both)
    y = np.where(apart, np.where(a >= LARGE, two, one), small)
    y = np.where((b == np.inf) & np.isfinite(a) & (a > 0), -np.inf, y)
    return np.where((_is_pole(a) | _is_pole(b)) & ~whole, np.inf, y)


def _is_pole(x: Doubles) -> Doubles:
    return (x <= 0) & (x == np.floor(x))


def _gamma_cancels(a: Doubles, b: Doubles) -> Doubles:
    """Where ``a`` and ``a + b`` both are poles of ``Γ``, which leaves ``B(a, b)`` finite."""
    return _is_pole(a) & _is_pole(-b) & _is_pole(a + b) & (a < 0) & (b > 0)


def beta(a: Doubles, b: Doubles) -> Doubles:
    """``B(a, b) = Γ(a) Γ(b) / Γ(a + b)``."""
    a, b = np.minimum(a, b), np.maximum(a, b)
    whole = _gamma_cancels(a, b)
    product = gamma(a) * (gamma(b) * reciprocal_gamma(a + b))
    sign = np.where(whole, np.where(b % 2 == 0, 1, -1), gamma_sign(a) * gamma_sign(b) * gamma_sign(a + b))
    y = np.where((np.abs(b) > 100) | (np.abs(a) > 100) | whole, sign * np.exp(betaln(a, b)), product)
    return np.where((_is_pole(a) | _is_pole(b)) & ~whole, np.inf, y)
