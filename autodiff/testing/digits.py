"""How many digits of a result, and of its derivatives, are right: the same program on numbers of 50 digits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..core import tree
from ..core.errors import ArgumentError, KindError, MissingExtraError, ShapeError
from ..core.node import data_of, shape_of, size_of
from ..core.numbers import is_number, is_ordered
from ..core.summary import kind_text, number_text, repr_text
from ..transforms.first_order import value_and_grad
from ..transforms.lift import require_function
from .derivatives import DIGITS, as_fraction


@dataclass(frozen=True)
class DigitsTable:
    """What :func:`in_digits` returns; prints as a table.

    Attributes
    ----------
    digits : int
        How many were computed with.
    names : list of str
        ``"value"``, then what the derivatives are by.
    exact : list of mpf
        The value and the derivatives, with so many digits.
    floats : list of float
        The same program on floats.
    right : list of float
        How many digits of the floats are right; inf where all that a float has are.
    """

    digits: int
    names: list[str]
    exact: list[Any]
    floats: list[float]
    right: list[float]

    def __str__(self) -> str:
        import mpmath

        width = max(map(len, self.names))
        lines = [f"{'':<{width}}  {'float':>24}  {'right':>6}  {self.digits} digits"]
        for name, exact, x, right in zip(self.names, self.exact, self.floats, self.right, strict=True):
            count = "all" if math.isinf(right) else f"{right:.0f}"
            lines.append(f"{name:<{width}}  {number_text(x, 17):>24}  {count:>6}  {mpmath.nstr(exact, self.digits)}")
        return "\n".join(lines)


def in_digits(f: Callable[..., Any], *args: Any, digits: Any = DIGITS) -> DigitsTable:
    """Compute ``f`` and its derivatives on mpmath numbers, and say how many digits of the float answer are right.

    Parameters
    ----------
    f : callable
        Returns one real number; an ordinary program of numbers: loops, lists, the functions of ``ad``.
    *args : float, or nested lists of them
        Numbers, lists, tuples or dicts of numbers; each number is differentiated by.
    digits : int
        How many decimal digits to compute with.

    Returns
    -------
    DigitsTable

    Raises
    ------
    KindError
        If an argument is no real number, or an array (mpmath has none: give a list), or ``f`` turns the numbers into
        floats on its way.
    ArgumentError, ShapeError
        If ``digits`` is below 20, or ``f`` does not return one number.
    MissingExtraError
        If mpmath is not installed.

    Notes
    -----
    Every float of an argument is taken as the binary fraction that it is: 0.1 is 0.1000000000000000055...  The same
    goes for constants such as 0.1 in ``f``: write ``x / 10``.

    Examples
    --------
    >>> import autodiff as ad
    >>> table = in_digits(lambda x: (1 - ad.cos(x)) / x**2, 1e-6)
    >>> [round(n) for n in table.right]
    [4, 0]
    """
    try:
        import mpmath
    except ImportError:
        raise MissingExtraError("in_digits", "mpmath", "mpmath") from None
    require_function(f, "in_digits")
    if not isinstance(digits, int) or digits < 20:
        raise ArgumentError(f"in_digits got digits={digits!r}; a whole number from 20, since a float has 17 already.")
    for leaf in tree.flatten(list(args)):
        if shape_of(leaf):
            raise KindError(
                f"in_digits got {kind_text(leaf)}; mpmath has no arrays. Give a list of numbers, x.tolist(), to a "
                "program of numbers."
            )
        if not is_ordered(data_of(leaf)):
            raise KindError(f"in_digits got {kind_text(leaf)}, {repr_text(leaf)}; it takes real numbers.")
    gradient = value_and_grad(f, argnums=tuple(range(len(args))))
    floats = _flat(gradient(*tree.tree_map(lambda x: float(data_of(x)), list(args))))
    with mpmath.workdps(digits):
        found = _flat(gradient(*tree.tree_map(lambda x: mpmath.mpf(float(data_of(x))), list(args))))
        lost = next((x for x in found if not isinstance(x, mpmath.mpf)), None)
        if lost is not None:
            raise KindError(
                f"in_digits: the program turned mpmath numbers into {kind_text(lost)} on its way, so its digits are "
                "gone. Use the functions of ad, not those of math, and no arrays."
            )
        right = [_right_digits(x, exact) for x, exact in zip(floats, found, strict=True)]
    return DigitsTable(digits, ["value", *_names(args)], found, floats, right)


def _flat(result: Any) -> list[Any]:
    y, gradient = result
    if size_of(y) != 1:
        raise ShapeError("in_digits needs f to return one number. Reduce it, for example to a sum.")
    return [data_of(y), *map(data_of, tree.flatten(gradient))]


def _names(args: tuple[Any, ...]) -> list[str]:
    names = []
    for k, arg in enumerate(args):
        count = len(tree.flatten(arg))
        single = is_number(type(data_of(arg)))
        names += [f"by argument {k}" + ("" if single else f", number {i}") for i in range(count)]
    return names


def _right_digits(x: float, exact: Any) -> float:
    """Decimal digits of ``x`` that are right; inf where it is the float nearest to ``exact``."""
    if not math.isfinite(x):
        return 0.0
    if x == float(exact):
        return math.inf
    a, b = as_fraction(x), as_fraction(exact)
    return max(0.0, -math.log10(float(abs(a - b) / abs(b)))) if b else 0.0
