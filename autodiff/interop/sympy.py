"""SymPy both ways: a tape as expressions, its symbolic derivative beside the tape's, and an expression as an op."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError, TapeError, UnsupportedError
from ..core.modes import Watcher, watching
from ..core.node import Node, data_of, describe, shape_of, size_of
from ..core.numbers import is_number
from ..core.summary import kind_text, number_text
from ..core.tape import collect, pull_back
from ..tensor import Tensor
from ..transforms.first_order import one
from ..value import Value
from .sympy_forms import boxed, evaluate, expressions, sympy_for
from .sympy_ops import from_sympy

__all__ = ["SymbolicComparison", "compare_symbolic", "from_sympy", "leaf_symbols", "to_sympy"]

DIGITS = 50
"""To so many digits a symbolic derivative is evaluated."""


def to_sympy(y: Any, *args: Any, symbols: Mapping[str, Any] | None = None, exact: bool = False) -> Any:
    """What was computed, as a SymPy expression in symbols named after the leaves.

    Parameters
    ----------
    y : Value, Tensor or callable
        A result on a tape; or a function, which is called on ``args``.
    *args : number or array_like
        The arguments of the function.  They are named as it names them.
    symbols : dict of str to Symbol or array of Symbol, optional
        Symbols of your own, by the name of the leaf.
    exact : bool
        Read every constant as the fraction that the float is.  Otherwise 0.5 is one half, and 0.1 a SymPy Float.

    Returns
    -------
    Expr, or object array of Expr
        Of a Tensor that has axes, an array of that shape.

    Raises
    ------
    UnsupportedError
        For an op that has no SymPy form; it is named.
    TapeError
        If nothing was recorded.
    MissingExtraError
        If SymPy is not installed.

    Notes
    -----
    A leaf without a name is ``x0``, ``x1``, ... in the order of creation; the entry in row 1, column 2 of an array
    ``w`` is ``w_1_2``.  Symbols of real leaves are real.  :func:`leaf_symbols`
    gives them.

    A tape holds the one path that was taken: a comparison of tensors is a constant on it, and an ``if`` of Python never
    was on it.  Given the function instead of its result, comparisons of tensors stay statements, and ``where`` becomes
    a Piecewise; an ``if`` is still taken as the arguments take it, and positions stay as they were recorded.

    Examples
    --------
    >>> import autodiff as ad
    >>> x = ad.Value(2.0, name="x")
    >>> to_sympy(ad.sin(x**2) / 2)
    sin(x**2)/2
    >>> to_sympy(lambda x: ad.where(x > 0, x, x**2).sum(), [1.0, -1.0])
    Piecewise((x_0, x_0 > 0), (x_0**2, True)) + Piecewise((x_1, x_1 > 0), (x_1**2, True))
    """
    sympy_for("to_sympy")
    found = _read(y, args, symbols, exact).result
    return found[()] if found.ndim == 0 else found


def leaf_symbols(y: Any) -> dict[str, Any]:
    """The symbols that :func:`to_sympy` names the leaves of ``y`` by: a symbol for a number, an array for an array.

    Examples
    --------
    >>> import autodiff as ad
    >>> w = ad.Tensor([1.0, 2.0], name="w")
    >>> leaf_symbols((w * w).sum())
    {'w': array([w_0, w_1], dtype=object)}
    """
    sympy_for("leaf_symbols")
    _require_recorded(y)
    _, leaves = collect([y])
    named = _symbols([leaves[i] for i in sorted(leaves)], None)
    return {name: array[()] if array.ndim == 0 else array for name, (_, array) in named.items()}


@dataclass
class _Reading:
    """What was read from a tape: the node, its expressions, and each leaf with its symbols by name."""

    y: Node
    result: Any
    leaves: dict[str, tuple[Node, Any]]


class _Arguments(Watcher):
    """Remembers what untracked nodes, such as comparisons, were computed from."""

    def __init__(self) -> None:
        self.args: dict[int, tuple[Node, tuple[Any, ...]]] = {}

    def recorded(self, node: Node, args: tuple[Any, ...]) -> None:
        if not node.tracked:
            self.args[node.index] = node, args


def _read(y: Any, args: tuple[Any, ...], symbols: Mapping[str, Any] | None, exact: bool) -> _Reading:
    seen = _Arguments()
    leaves: list[Node] | None = None
    if not isinstance(y, Node) and callable(y):
        leaves = _named(y, args)
        with watching(seen):
            y = y(*leaves)
    elif args:
        raise ArgumentError("to_sympy got arguments beside a result; they belong to a function: to_sympy(f, 2.0).")
    _require_recorded(y)
    nodes, found = collect([y])
    if leaves is None:
        leaves = [found[i] for i in sorted(found)]
    else:
        leaves += [found[i] for i in sorted(found) if all(found[i] is not x for x in leaves)]
    named = _symbols(leaves, symbols)
    known = {leaf.index: array for leaf, array in named.values()}

    def value(x: Any) -> Any:
        if isinstance(x, Node) and x.index in known:
            return known[x.index]
        return expressions(data_of(x), exact)

    for node, inputs in _in_order(nodes, seen.args):
        rule: Any = node.rule
        given = [value(x) for x in inputs if x is not None]
        try:
            known[node.index] = evaluate(rule, given, node.params or {})
        except RecursionError:
            raise UnsupportedError(
                f"to_sympy: SymPy cannot hold an expression as deep as this tape, {len(nodes)} nodes. Take "
                "fewer steps of the loop."
            ) from None
    return _Reading(y, known[y.index], named)


def _in_order(nodes: list[Node], seen: dict[int, Any]) -> list[tuple[Node, tuple[Any, ...]]]:
    """The nodes with their arguments, and among them the untracked ones that they need, oldest first."""
    wanted = {node.index: (node, node.args) for node in nodes}
    stack = [x for node in nodes for x in node.args]
    while stack:
        x = stack.pop()
        if isinstance(x, Node) and x.index in seen and x.index not in wanted:
            wanted[x.index] = seen[x.index]
            stack.extend(seen[x.index][1])
    return [wanted[index] for index in sorted(wanted)]


def _named(f: Callable[..., Any], args: tuple[Any, ...]) -> list[Node]:
    """The arguments as leaves, called as ``f`` calls them."""
    try:
        names: list[Any] = list(inspect.signature(f).bind(*args).arguments)
    except (TypeError, ValueError):
        names = []
    names = names if len(names) == len(args) else [None] * len(args)
    return [
        Value(a, name=name) if is_number(type(a)) and not isinstance(a, bool) else Tensor(a, dtype=_dtype(a), name=name)
        for a, name in zip(args, names, strict=True)
    ]


def _dtype(a: Any) -> Any:
    return float if np.asarray(a).dtype.kind in "iu" else None


def _require_recorded(y: Any) -> None:
    if not isinstance(y, Node) or not y.tracked:
        given = describe(y) + ", which was not recorded" if isinstance(y, Node) else f"a {kind_text(y)}"
        raise TapeError(
            f"to_sympy got {given}; it reads a result computed from Values or tensors, or calls a function on the "
            "arguments that come after it."
        )


def _symbols(leaves: list[Node], given: Mapping[str, Any] | None) -> dict[str, tuple[Node, Any]]:
    """Each leaf with its symbols, by name; a name that is taken already is counted up."""
    named: dict[str, tuple[Node, Any]] = {}
    for k, leaf in enumerate(leaves):
        name = wanted = leaf.name or f"x{k}"
        again = 1
        while name in named:
            again += 1
            name = f"{wanted}{again}"
        named[name] = leaf, _symbols_of(leaf, name, (given or {}).get(name))
    unknown = [name for name in given or {} if name not in named]
    if unknown:
        raise ArgumentError(f"to_sympy got a symbol for {unknown[0]!r}; the leaves are {', '.join(named)}.")
    return named


def _symbols_of(leaf: Node, name: str, given: Any) -> Any:
    import sympy as sp

    data = data_of(leaf)
    shape = np.shape(data) if isinstance(data, np.ndarray) else ()
    if given is not None:
        array = np.asarray(given, object) if shape else boxed(given)
        if array.shape != shape:
            raise ShapeError(f"to_sympy got symbols of shape {array.shape} for {name!r}, which has shape {shape}.")
        return array
    real = True if not np.iscomplexobj(data) else None
    if not shape:
        return boxed(sp.Symbol(name, real=real))
    array = np.empty(shape, object)
    for index in np.ndindex(shape):
        array[index] = sp.Symbol("_".join([name, *map(str, index)]), real=real)
    return array


@dataclass(frozen=True)
class SymbolicComparison:
    """What :func:`compare_symbolic` returns; prints as a table.

    Attributes
    ----------
    expression : Expr
        What was computed.
    derivatives : dict of str to Expr
        Its symbolic derivative by each symbol.
    symbolic : dict of str to Float
        That at the leaves, to 50 digits.
    tape : dict of str to float
        The gradient that the tape gives.
    """

    expression: Any
    derivatives: dict[str, Any]
    symbolic: dict[str, Any]
    tape: dict[str, Any]

    @property
    def errors(self) -> dict[str, float]:
        """How far the tape is from the symbolic derivative, relative to that (absolute where it is 0)."""
        return {name: _relative(self.tape[name], exact) for name, exact in self.symbolic.items()}

    def require(self, rtol: float = 1e-12) -> None:
        """Raise AssertionError if a derivative is further off than ``rtol``."""
        wrong = [name for name, error in self.errors.items() if not error <= rtol]
        if wrong:
            raise AssertionError(f"The tape and SymPy disagree on the derivative by {', '.join(wrong)}.\n{self}")

    def __str__(self) -> str:
        width = max([len("derivative by"), *map(len, self.symbolic)])
        lines = [f"{'derivative by':<{width}}  {'SymPy':>24}  {'tape':>24}  {'error':>8}"]
        for name, error in self.errors.items():
            texts = (number_text(float(self.symbolic[name]), 16), number_text(float(self.tape[name]), 16))
            lines.append(f"{name:<{width}}  {texts[0]:>24}  {texts[1]:>24}  {error:>8.1e}")
        return "\n".join(lines)


def _relative(found: Any, exact: Any) -> float:
    import sympy as sp

    if not exact.is_finite:
        return 0.0 if float(found) == float(exact) else float("inf")
    if not np.isfinite(float(found)):
        return float("inf")
    apart = sp.Abs(expressions(found, exact=True)[()] - exact)
    return float(apart / sp.Abs(exact) if exact != 0 else apart)


def compare_symbolic(y: Any, *args: Any) -> SymbolicComparison:
    """Compare the tape's gradient with SymPy's derivative of the same computation, evaluated to 50 digits.

    Parameters
    ----------
    y : Value, Tensor of one entry, or callable
        A result on a tape; or a function, which is called on ``args``, as in :func:`to_sympy`.
    *args : number or array_like

    Returns
    -------
    SymbolicComparison
        Prints as a table, one row an entry of a leaf; ``.require()`` raises where the two disagree.

    Raises
    ------
    ShapeError
        If the result is not a single number.
    UnsupportedError
        For an op that has no SymPy form.

    Notes
    -----
    The tape rounds each step to a float; SymPy differentiates in symbols, with every float of the program read as the
    fraction that it is.  What the table shows is the rounding error of the gradient, if nothing is wrong.

    Examples
    --------
    >>> import autodiff as ad
    >>> print(compare_symbolic(lambda x: ad.sin(x) * x, 2.0))
    derivative by                     SymPy                      tape     error
    x                   0.07700375373139692        0.0770037537313969   3.3e-16
    """
    sp = sympy_for("compare_symbolic")
    reading = _read(y, args, None, exact=True)
    if size_of(reading.y) != 1:
        raise ShapeError(f"compare_symbolic needs a single number, got shape {shape_of(reading.y)}; reduce it.")
    expression = reading.result.ravel()[0]
    leaves = [leaf for leaf, _ in reading.leaves.values()]
    pulled = {node.index: g for node, g in pull_back((reading.y,), (one(reading.y),), leaves)}
    at: dict[Any, Any] = {}
    tape: dict[str, Any] = {}
    for leaf, array in reading.leaves.values():
        gradient = np.asarray(pulled.get(leaf.index, np.zeros(array.shape)), object)
        for symbol, x, g in zip(
            array.ravel(), expressions(data_of(leaf), exact=True).ravel(), gradient.ravel(), strict=True
        ):
            at[symbol] = x if x.is_Integer else x.evalf(DIGITS + 10)
            tape[symbol.name] = data_of(g)
    derivatives = {symbol.name: sp.diff(expression, symbol) for symbol in at}
    symbolic = {name: sp.sympify(d.xreplace(at)).evalf(DIGITS) for name, d in derivatives.items()}
    unknown = [name for name, d in symbolic.items() if not d.is_number or d.has(sp.Derivative, sp.Subs)]
    if unknown:
        raise ArgumentError(
            f"compare_symbolic: SymPy knows no derivative by {unknown[0]} of {number_text(expression)}; it gives "
            f"{derivatives[unknown[0]]}."
        )
    return SymbolicComparison(expression, derivatives, symbolic, tape)
