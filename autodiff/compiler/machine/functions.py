"""Functions that Numba can compute for several entries at once: no branches, no tables, no calls.

The C library's are called for one entry at a time, which takes ten times as long.  These are power series of what is
left of an argument after a power of two was taken out, right to one or two units in the last place.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal
from typing import NamedTuple

import numpy as np

from ..literals import number

LN2 = Decimal(2).ln(Context(prec=40))


class Format(NamedTuple):
    """A floating-point format: short name, whole number of its size, bits of the fraction, exponent of 1, terms."""

    name: str
    whole: str
    bits: int
    bias: int
    exp_terms: int
    log_terms: int

    def text(self, x: float) -> str:
        """A constant."""
        return number(float(x)) if self.name == "f64" else f"{self.name}({number(float(np.float32(x)))})"

    def series(self, variable: str, coefficients: list[float]) -> str:
        """Lines that add up a power series, the highest power first."""
        first, *others = coefficients[::-1]
        lines = [f"p = {self.text(first)}", *[f"p = p * {variable} + {self.text(c)}" for c in others]]
        return "\n    ".join(lines)


FORMATS = {"float32": Format("f32", "np.int32", 23, 127, 7, 5), "float64": Format("f64", "np.int64", 52, 1023, 13, 11)}

TEXTS = {
    "exp": '''
def exp_{f}(x):
    """``e**x``: a power series, times a power of two."""
    t = x if x < {high} else {high}
    t = t if t > {low} else {low}
    n = np.rint(t * {log2e})
    r = t - n * {ln2} - n * {ln2_rest}
    {exp}
    k = {i}(n)
    h = {i}(k >> {one})
    y = p * power_of_two_{f}(h) * power_of_two_{f}({i}(k - h))
    return y if x == x else x
''',
    "expm1": '''
def expm1_{f}(x):
    """``e**x - 1``, right near 0 as well."""
    t = x if x < {high} else {high}
    t = t if t > {low} else {low}
    n = np.rint(t * {log2e})
    r = t - n * {ln2} - n * {ln2_rest}
    {expm1}
    k = {i}(n)
    h = {i}(k >> {one})
    a, b = power_of_two_{f}(h), power_of_two_{f}({i}(k - h))
    y = (p * r * a + (a - {n1} / b)) * b
    return y if abs(x) > {tiny} else x
''',
    "tanh": '''
def tanh_{f}(x):
    """Hyperbolic tangent: ``e**2x - 1`` over the same plus 2."""
    t = {n2} * abs(x)
    t = t if t < {flat} else {flat}
    n = np.rint(t * {log2e})
    r = t - n * {ln2} - n * {ln2_rest}
    {expm1}
    scale = power_of_two_{f}({i}(n))
    y = p * r * scale + (scale - {n1})
    y = copysign(y / (y + {n2}), x)
    return y if x == x else x
''',
    "log": '''
def log_{f}(x):
    """Natural logarithm: the power of two that x lies near, and a series of what is left."""
    small = x < {smallest}
    bits = {F}(x * ({grow} if small else {n1})).view({i})
    k = {i}({i}(bits - {root_half}) >> {bits})
    f = {i}(bits - {i}(k << {bits})).view({F}) - {n1}
    n = {F}(k) - ({more} if small else {n0})
    s = f / (f + {n2})
    z = s * s
    {log}
    half = {half} * f * f
    y = n * {ln2} + (f - (half - (s * (half + p * z) + n * {ln2_rest})))
    y = y if x < {inf} else x
    return y if x > {n0} else (-{inf} if x == {n0} else {nan})
''',
    "log1p": '''
def log1p_{f}(x):
    """``log(1 + x)``, right near 0 as well."""
    u = {n1} + x
    y = log_{f}(u)
    lost = (x - (u - {n1})) / (u if u > {n0} else {n1})
    y = y + lost if x < {inf} else x
    return y if abs(x) > {tiny} else x
''',
}
NEEDED = {"exp": [], "expm1": [], "tanh": [], "log": [], "log1p": ["log"]}
POWER = '''
def power_of_two_{f}(n):
    """``2**n`` as the bits of a number."""
    return {i}({i}(n + {i}({bias})) << {bits}).view({F})
'''


def function_names(name: str, dtype: str) -> list[str]:
    """The functions that ``name`` of a dtype needs, itself last."""
    f = FORMATS[dtype].name
    power = [f"power_of_two_{f}"] if name != "log" else []
    return list(dict.fromkeys([*power, *[f"{n}_{f}" for n in (*NEEDED[name], name)]]))


def source_of(function: str) -> str:
    """The source of a function, by its printed name."""
    name, _, short = function.rpartition("_")
    form = next(form for form in FORMATS.values() if form.name == short)
    t, single = form.text, form.name == "f32"
    kind = np.dtype("float32" if single else "float64")
    ln2 = float(np.float32(round(math.log(2) * 2**9) / 2**9)) if single else round(math.log(2) * 2**32) / 2**32
    exp = [1 / math.factorial(k) for k in range(form.exp_terms + 2)]
    root_half = int(np.array(math.sqrt(0.5), kind).view(form.whole.removeprefix("np.")))
    return (
        (POWER if name == "power_of_two" else TEXTS[name])
        .strip()
        .format(
            f=short,
            i=form.whole,
            F=short,
            n0=t(0),
            n1=t(1),
            n2=t(2),
            half=t(0.5),
            bits=f"{form.whole}({form.bits})",
            bias=form.bias,
            one=f"{form.whole}(1)",
            log2e=t(1 / math.log(2)),
            ln2=t(ln2),
            ln2_rest=t(float(LN2 - Decimal(ln2))),
            high=t(89 if single else 710),
            low=t(-104 if single else -746),
            flat=t(20 if single else 40),
            tiny=t(1e-9 if single else 1e-17),
            inf=f"{short}(np.inf)",
            nan=f"{short}(np.nan)",
            smallest=t(float(np.finfo(kind).tiny)),
            grow=t(2.0**form.bits),
            more=t(form.bits),
            root_half=f"{form.whole}({root_half})",
            exp=form.series("r", exp[: form.exp_terms + 1]),
            expm1=form.series("r", exp[1 : form.exp_terms + 2]),
            log=form.series("z", [2 / (2 * k + 3) for k in range(form.log_terms)]),
        )
    )
