"""The number registry: which library computes a function of which kind of number.

A :class:`~autodiff.Value` holds one number of any kind, and arithmetic stays in that kind.  The operators ``+ - * /``
come with the kind; a named function such as ``exp`` is looked up here, once per kind and function.
"""

from __future__ import annotations

import cmath
import importlib
import math
import sys
from collections.abc import Callable, Iterable
from numbers import Number
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from .errors import KindError

Function = Callable[..., Any]

# Our names are NumPy's.  Where a number library spells a function differently, the spellings to try stand here.
SPELLINGS = {
    "arcsin": ("asin",),
    "arccos": ("acos",),
    "arctan": ("atan",),
    "arcsinh": ("asinh",),
    "arccosh": ("acosh",),
    "arctanh": ("atanh",),
    "arctan2": ("atan2",),
    "log": ("log", "ln"),
    "ceil": ("ceil", "ceiling"),
    "deg2rad": ("radians", "rad"),
    "rad2deg": ("degrees", "deg"),
    "sinc": ("sincpi",),
}

DECIMAL_HAS = ("exp", "expm1", "log", "log10", "log1p", "log2", "sqrt")  # known without importing it

# From a module's name to the library that its numbers belong to, where to import it from, and what to call it.
LIBRARIES = {"mpmath": "mpmath", "sympy": "SymPy"}


def is_number(kind: type) -> bool:
    """Whether values of this type are single numbers (NumPy's scalars count as arrays of shape ``()``)."""
    return not issubclass(kind, np.generic) and (issubclass(kind, Number) or _root(kind) in LIBRARIES)


def function_for(kind: type, name: str) -> Function | None:
    """The function ``name`` (NumPy's spelling) of the library that ``kind`` belongs to, or None if it has none."""
    library = _library(kind)
    for spelling in SPELLINGS.get(name, (name,)):
        found: Function | None = getattr(library, spelling, None)
        if found is not None:
            return found
    return None


def is_foreign(x: Any) -> bool:
    """Whether ``x`` is a single number that is none of Python's int, float and complex."""
    return not isinstance(x, np.ndarray | int | float | complex) and is_number(type(x))


def whole(number: Any, n: int) -> Any:
    """The whole number ``n``, in the kind of ``number`` if that is a foreign one, so that what follows is as exact."""
    if not is_foreign(number):
        return n
    return _library(type(number)).Integer(n) if _root(type(number)) == "sympy" else like(number, n)  # type: ignore[union-attr]


def leading(kinds: Iterable[type]) -> type:
    """The kind whose library computes with numbers of several: a foreign one, else complex, else float."""
    order = (int, float, complex, object)
    return max(kinds, key=lambda kind: next(k for k, own in enumerate(order) if issubclass(kind, own)))


def alike(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Numbers, with Python's own in the kind of the foreign one among them: so no function makes floats of them."""
    foreign = next((x for x in args if is_foreign(x)), None)
    return args if foreign is None else (*[like(foreign, x) if isinstance(x, int | float) else x for x in args],)


def is_ordered(x: Any) -> bool:
    """Whether a number can be compared with others: complex ones and symbols cannot."""
    try:
        bool(x < 0)
    except (ArithmeticError, TypeError):
        return False
    return True


def of_library(name: str, formula: Function) -> Function:
    """The forward function of a row on numbers: of the number's own library, or else a formula.

    Python's own numbers are left to ``math``, ``cmath`` and NumPy.
    """
    chosen: dict[Any, Function] = {}

    def choose(kinds: tuple[type, ...]) -> Function:
        kind = leading(kinds)
        found = function_for(kind, name)
        if found is None and issubclass(kind, int | float | complex):
            ufunc = getattr(np, name)
            return lambda *args: ufunc(*args).item()
        return found or (lambda *args: formula(*alike(args)))

    def compute(*args: Any) -> Any:
        kinds = (*map(type, args),)
        function = chosen.get(kinds)
        if function is None:
            function = chosen[kinds] = choose(kinds)
        return function(*args)

    return compute


def cancelling(formula: Function) -> Function:
    """A formula whose result is as small as its argument: to a small Decimal it is applied with more digits."""

    def compute(x: Any) -> Any:
        if not hasattr(x, "adjusted"):
            return formula(x)
        with importlib.import_module("decimal").localcontext() as context:
            context.prec += 2 + max(0, -x.adjusted())
            y = formula(x)
        return +y

    return compute


def lacks(kind: type, name: str) -> KindError:
    """The error for a function that a number kind does not have; it names the kinds that do."""
    having = ["float"]  # NumPy has every function that the table has
    having += ["complex"] if function_for(complex, name) is not None else []
    having += ["Decimal"] if name in DECIMAL_HAS else []
    for module, label in LIBRARIES.items():
        library = sys.modules.get(module)
        spellings = SPELLINGS.get(name, (name,))
        known = hasattr(cmath, spellings[0]) or hasattr(math, spellings[0])
        if known if library is None else any(hasattr(library, s) for s in spellings):
            having.append(f"{label} numbers")
    return KindError(
        f"{name} of a {kind.__name__}: this kind of number has no {name}. "
        f"Kinds that have it: {', '.join(having)}. Convert first, for example with float(x)."
    )


def to_float(x: Any) -> Any:
    """A number of any kind as the Python float or complex that can stand beside an array."""
    if isinstance(x, bool | int | float | complex):
        return x
    try:
        return float(x)
    except TypeError:
        return complex(x)


def like(number: Any, x: Any) -> Any:
    """``x`` as a number of the kind of ``number``; an int is given a float, since its derivative need not be whole."""
    kind: Any = type(number)
    if isinstance(x, np.generic | np.ndarray):
        x = x.item()
    if is_complex(type(x)) and not is_complex(kind):
        x = x.real
    root = _root(kind)
    if isinstance(x, kind) or kind in (int, bool):
        return x
    if root == "sympy":
        return _library(kind).sympify(+x)  # type: ignore[union-attr]
    if root == "mpmath":  # its kinds do not convert each other, or fractions
        x = _library(kind).mpmathify(x)  # type: ignore[union-attr]
        return _library(kind).mpc(x) if is_complex(kind) else x  # type: ignore[union-attr]
    if hasattr(number, "adjusted") and not isinstance(x, int | float) and hasattr(x, "denominator"):
        return kind(x.numerator) / kind(x.denominator)  # a Decimal from a Fraction
    return kind(x)


def is_complex(kind: type) -> bool:
    """Whether numbers of this type are complex ones."""
    return issubclass(kind, complex) or (_root(kind) == "mpmath" and kind.__name__ == "mpc")


def _root(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _library(kind: type) -> ModuleType | type:
    if issubclass(kind, int | float):
        return math
    if issubclass(kind, complex):
        return cmath
    root = _root(kind)
    if root in LIBRARIES:
        return importlib.import_module(root)
    return kind  # Decimal carries exp, ln, sqrt as methods; Fraction has none


def by_ieee(derivative: Function, g: Any, node: Any) -> Any:
    """Try a derivative again in IEEE arithmetic where Python raised: the slope of a square root at 0 is infinite.

    Only for a node of Python floats and complexes, and for an array that met a number of another kind (a Decimal times
    a float raises).  Other kinds have no infinity to give, and raise again.
    """
    args = node.args
    in_arrays = isinstance(node._data, np.ndarray)
    data = [node._data, *(a._data if hasattr(a, "_data") else a for a in args)]
    if not in_arrays and not all(isinstance(x, int | float | complex) for x in data):
        return derivative(g, node)
    shadow = SimpleNamespace(_data=_as_array(node._data), params=node.params, _a=None, _b=None)
    shadows = [_array_node(a) if hasattr(a, "_data") else _as_array(a) if is_number(type(a)) else a for a in args]
    shadow._a, shadow._b = (shadows, None) if node.rule.many else (*shadows, None)[:2]
    c = derivative(_as_array(g), shadow)
    return c if in_arrays else like(node._data, c)


def _as_array(x: Any) -> Any:
    """An array of shape ``()``: a NumPy scalar would turn back into a number where it meets one."""
    return x if isinstance(x, np.ndarray) else np.asarray(np.float64(1) * to_float(x))


def _array_node(node: Any) -> Any:
    copy = node.__class__.__new__(node.__class__)
    copy._data = _as_array(node._data)
    return copy
