"""What NumPy's functions do to one entry, as expressions that Numba compiles to the same arithmetic.

Numba's types do not follow NumPy's rules everywhere, so every operand is printed in the dtype in which NumPy computes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..literals import number
from ..program import Instruction, Var
from .functions import FORMATS, TEXTS

DType = np.dtype[Any]

SHORT = {"float32": "f32", "float64": "f64"}
"""Dtypes with a short name in printed source."""
PLAIN = {"float64", "bool", "int64", "complex128"}
"""Dtypes that Python's own literals have."""
WHOLE = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"}
SUPPORTED = {"bool", *WHOLE, "float32", "float64", "complex64", "complex128"}


class Text(NamedTuple):
    """An expression: its source, and its dtype."""

    source: str
    dtype: DType

    def operand(self) -> str:
        """The source as one side of an operator."""
        simple = isinstance(
            ast.parse(self.source, mode="eval").body, ast.Name | ast.Call | ast.Subscript | ast.Constant
        )
        return self.source if simple else f"({self.source})"


def infix(sign: str) -> Callable[..., str]:
    """``a + b``."""
    return lambda a, b: f"{a.operand()} {sign} {b.operand()}"


def calling(name: str) -> Callable[..., str]:
    """``name(a)``."""
    return lambda *args: f"{name}({', '.join(a.source for a in args)})"


def fill(text: str) -> Callable[..., str]:
    """A text with operands in the places of ``{}``."""
    return lambda *args: text.format(*[a.operand() for a in args])


def choosing(name: str) -> Callable[..., str]:
    """The larger or the smaller: of 0 and -0 NumPy takes the second, Numba the first."""
    return lambda a, b: f"np.{name}({b.source}, {a.source})"


COMPARING = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!="}
PLAIN_SIGNS = {"add": "+", "subtract": "-", "multiply": "*"}
OF_FLOATS = ("sqrt", "floor", "ceil", "trunc", "rint", "copysign", "isnan", "isinf", "isfinite")

ARITHMETIC: dict[str, Callable[..., str]] = {
    **{name: infix(sign) for name, sign in PLAIN_SIGNS.items()},
    "negative": fill("-{}"),
    "positive": fill("{}"),
    "square": fill("{0} * {0}"),
}
REALS: dict[str, Callable[..., str]] = {
    **ARITHMETIC,
    **{name: infix(sign) for name, sign in COMPARING.items()},
    **{name: choosing(name) for name in ("maximum", "minimum")},
    "conjugate": fill("{}"),
    "absolute": calling("abs"),
    "logical_not": fill("{} == 0"),
}
FLOATS: dict[str, Callable[..., str]] = {
    **REALS,
    **{name: choosing(name) for name in ("fmax", "fmin")},
    **{name: calling(f"np.{name}") for name in OF_FLOATS},
    "divide": infix("/"),
    "reciprocal": lambda a: f"{constant(1, a.dtype).source} / {a.operand()}",
    "fabs": calling("abs"),
    "sign": lambda a: f"np.sign({a.source}) + {constant(0, a.dtype).source}",  # that of -0 is 0
}
"""What is one or two machine instructions on floats."""

COMPLEX: dict[str, Callable[..., str]] = {
    **ARITHMETIC,
    "equal": infix("=="),
    "not_equal": infix("!="),
    "conjugate": fill("{}.conjugate()"),
}
TRUTHS: dict[str, Callable[..., str]] = {
    "logical_and": infix("and"),
    "logical_or": infix("or"),
    "logical_not": fill("not {}"),
    "bitwise_and": infix("and"),
    "bitwise_or": infix("or"),
    "invert": fill("not {}"),
    "logical_xor": infix("!="),
    "not_equal": infix("!="),
    "equal": infix("=="),
}
TABLES = {"f": FLOATS, "i": REALS, "u": REALS, "c": COMPLEX, "b": TRUTHS}

LONG = frozenset(
    [
        *("exp2", "log2", "log10", "sin", "cos", "tan", "sinh", "cosh", "cbrt"),
        *("arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh"),
        *("power", "arctan2", "hypot", "logaddexp"),
    ]
)
"""Functions that NumPy computes for many entries at once: only where there are few does a loop do as well."""


def dtype_name(dtype: DType) -> str:
    """How a dtype is called in printed source."""
    return SHORT.get(dtype.name, f"np.{dtype.name}")


def constant(value: Any, dtype: DType) -> Text:
    """A number as a constant of a dtype."""
    value = dtype.type(value).item()
    single = not isinstance(value, complex)
    text = number(value) if single else f"complex({number(value.real)}, {number(value.imag)})"
    if dtype.name not in PLAIN:
        return Text(f"{dtype_name(dtype)}({text})", dtype)
    return Text(text, dtype)


def cast(x: Text, dtype: DType) -> Text:
    """An expression in another dtype."""
    if x.dtype == dtype:
        return x
    if dtype.kind == "b":
        return Text(f"{x.operand()} != 0", dtype)
    if x.dtype.kind == "b" and dtype.kind == "c":
        x = Text(f"f64({x.source})", np.dtype(float))
    return Text(f"{dtype_name(dtype)}({x.source})", dtype)


def loop_dtypes(i: Instruction) -> list[DType] | None:
    """The dtypes in which a ufunc computes, of its arguments and its result; None if it is not one that is known."""
    kinds: list[Any] = []
    for a in i.args:
        if isinstance(a, Var):
            kinds.append(a.dtype if a.dtype is not None else a.kind)
        elif type(a) in (int, float, complex):
            kinds.append(type(a))
        elif isinstance(a, np.ndarray | np.generic) or type(a) is bool:
            kinds.append(np.asarray(a).dtype)
        else:
            return None
    if any(not isinstance(k, np.dtype) and k not in (int, float, complex) for k in kinds):
        return None
    if not any(isinstance(k, np.dtype) for k in kinds):
        return None
    try:
        found = i.function.call.resolve_dtypes((*kinds, None))  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return None
    known = all(d.name in SUPPORTED and d.isnative for d in found)
    return list(found) if known and all(map(_holds, found, i.args)) else None


def _holds(dtype: DType, x: Any) -> bool:
    """Whether a dtype has a number, if it is a whole one: NumPy compares those that it cannot hold as well."""
    return type(x) is not int or dtype.kind not in "iu" or np.iinfo(dtype).min <= x <= np.iinfo(dtype).max


def template(i: Instruction, few: bool) -> tuple[Callable[..., str], list[DType]] | None:
    """How to print what an instruction does to one entry, and the dtypes of operands and result.

    Parameters
    ----------
    few : bool
        Whether there are so few entries that a call of the C library for each is fast enough.
    """
    name, out = i.function.name, i.out
    if out.dtype is None or out.dtype.name not in SUPPORTED:
        return None
    if i.function.kind == "ufunc" and not i.options:
        dtypes = loop_dtypes(i)
        if dtypes is None or dtypes[-1] != out.dtype:
            return None
        kind = dtypes[0].kind
        made = TABLES[kind].get(name)
        if name in ("multiply", "add", "subtract", "absolute", "sign") and kind == "b":
            return None
        if made is None and name in TEXTS and dtypes[0].name in FORMATS:
            made = calling(f"{name}_{FORMATS[dtypes[0].name].name}")
        if made is None and kind == "f" and few and name in LONG:
            made = power(i) if name == "power" else calling(f"np.{name}")
        if made is not None and kind in "iu" and dtypes[-1].kind in "iu" and dtypes[-1].name != "int64":
            made = wrapped(made, dtypes[-1])
        return None if made is None else (made, dtypes)
    if i.function.kind == "operator" and name == "**" and out.dtype.kind == "f":
        p = i.args[1]
        if type(p) not in (int, float) or not (few or p in (1, 2, 3, 0.5, -1)):
            return None
        return power(i), [out.dtype, out.dtype, out.dtype]
    if name == "where" and len(i.args) == 3 and not i.options:
        condition = i.args[0]
        given = condition.dtype if isinstance(condition, Var) else np.asarray(condition).dtype
        if given is None or given.kind != "b":
            return None
        return fill("{1} if {0} else {2}"), [given, out.dtype, out.dtype, out.dtype]
    if name in ("astype", "copy", "asarray", "array") and is_cast(i):
        return fill("{}"), [out.dtype, out.dtype]
    return None


def is_cast(i: Instruction) -> bool:
    """Whether an instruction changes the dtype at most, to one that holds what was there."""
    x = i.args[0]
    given = [a for a in (*i.args[1:], *i.options.values()) if not isinstance(a, np.dtype | type)]
    if given or not isinstance(x, Var) or x.dtype is None or x.dtype.name not in SUPPORTED or i.out.dtype is None:
        return False
    return "biufc".index(x.dtype.kind) <= "biufc".index(i.out.dtype.kind) and i.out.dtype.kind != "u"


def wrapped(made: Callable[..., str], dtype: DType) -> Callable[..., str]:
    """Whole numbers that overflow as NumPy's do."""
    return lambda *args: f"{dtype_name(dtype)}({made(*args)})"


def power(i: Instruction) -> Callable[..., str]:
    """A power: of small exponents products."""
    p = i.args[1] if type(i.args[1]) in (int, float) else None
    if p == -1:
        return lambda a, _: FLOATS["reciprocal"](a)
    return fill(POWERS[p]) if p in POWERS else calling("np.power")


POWERS = {1: "{0}", 2: "{0} * {0}", 3: "{0} * {0} * {0}", 0.5: "np.sqrt({0})"}


def repeats(i: Instruction) -> bool:
    """Whether an operand stands in what is printed more than once."""
    return i.function.name in ("square", "power", "**")
