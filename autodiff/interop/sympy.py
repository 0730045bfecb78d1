"""SymPy both ways: a tape as expressions, its symbolic derivative beside the tape's, and an expression as an op."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError, ShapeError, TapeError, UnsupportedError
from ..core.modes import Watcher, watching
from ..core.node import Node, data_of, describe, is_complex, shape_of, size_of
from ..core.numbers import is_number
from ..core.summary import kind_text, number_text, repr_text
from ..core.tape import collect, pull_back
from ..tensor import Tensor
from ..transforms.checkpoint import Checkpoint
from ..transforms.first_order import one
from ..value import Value
from .sympy_arrays import evaluate, in_numbers
from .sympy_forms import boxed, expressions, sympy_for
from .sympy_ops import from_sympy

__all__ = ["SymbolicComparison", "compare_symbolic", "from_sympy", "leaf_symbols", "to_sympy"]

OF_ORDER = frozenset(
    (
        *("maximum", "minimum", "fmax", "fmin", "clip_below", "clip_above", "max", "min", "extreme", "relu", "elu"),
        *("leaky_relu", "greater", "greater_equal", "less", "less_equal"),
    )
)
"""Rules that ask which of two numbers is larger."""

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
        For an op that has no SymPy form, and for an integral, a root or the like, which is a single node; it is named.
    TapeError
        If nothing was recorded.
    ArgumentError, KindError, ShapeError
        If ``symbols`` do not fit the leaves, or there are arguments and no function.
    MissingExtraError
        If SymPy is not installed.

    Notes
    -----
    A leaf without a name is ``x0``, ``x1``, ... in the order of creation; the entry in row 1, column 2 of an array
    ``w`` is ``w_1_2``.  Symbols of real leaves are real.  :func:`leaf_symbols` gives them.  What a checkpoint computed
    is computed again and read.  Where truth values are counted or multiplied by, they are a Piecewise of 1 and 0.

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
    reader = _Reader({leaf.index: array for leaf, array in named.values()}, seen, exact)
    try:
        return _Reading(y, reader.read(y), named)
    except RecursionError:
        raise UnsupportedError(
            f"to_sympy: SymPy cannot hold an expression as deep as this tape, {len(nodes)} nodes. Take fewer steps of "
            "the loop."
        ) from None


class _Reader:
    """Computes the expressions of nodes.

    Parameters
    ----------
    known : dict of int to array
        The expressions of some nodes by index, of the leaves at first.
    seen : _Arguments
        That has watched the recording.
    exact : bool
    """

    def __init__(self, known: dict[int, Any], seen: _Arguments, exact: bool) -> None:
        self.known = known
        self.seen = seen
        self.exact = exact

    def read(self, y: Node) -> Any:
        """The expressions of a node, and on the way of all that it was computed from."""
        nodes, _ = collect([y], self.known)
        for node, inputs in _in_order(nodes, self.seen.args):
            if node.index not in self.known:
                self.known[node.index] = self._computed(node, inputs)
        return self.known[y.index]

    def _computed(self, node: Node, inputs: tuple[Any, ...]) -> Any:
        rule: Any = node.rule
        if isinstance(rule, Checkpoint):
            with watching(self.seen):
                inside = rule.record_again(node)
            return self.read(inside)
        if rule.name in OF_ORDER and any(np.iscomplexobj(data_of(x)) for x in inputs):
            raise UnsupportedError(
                f"to_sympy: the op {rule.name} puts complex numbers in order, by their real parts first; SymPy has no "
                "form of that. Give it ad.real(x), ad.imag(x) or abs(x)."
            )
        y = evaluate(rule, [self._value(x) for x in inputs if x is not None], node.params or {}, self.exact)
        return y if _is_bool(node) else in_numbers(y)

    def _value(self, x: Any) -> Any:
        if isinstance(x, Node) and x.index in self.known:
            return self.known[x.index]
        return expressions(data_of(x), self.exact)


def _is_bool(node: Node) -> bool:
    return np.asarray(data_of(node)).dtype == bool


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
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    known = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names: list[str | None] = [*known, *(None for _ in args)]
    args = tuple(map(data_of, args))
    return [
        Value(a, name=name) if is_number(type(a)) and not isinstance(a, bool) else Tensor(a, dtype=_dtype(a), name=name)
        for a, name in zip(args, names, strict=False)
    ]


def _dtype(a: Any) -> Any:
    return float if np.asarray(a).dtype.kind in "iu" else None


def _require_recorded(y: Any) -> None:
    if not isinstance(y, Node) or not y.tracked:
        given = describe(y) + ", which was not recorded" if isinstance(y, Node) else kind_text(y)
        raise TapeError(
            f"to_sympy got {given}; it reads a result computed from Values or tensors, or calls a function on the "
            "arguments that come after it."
        )


def _symbols(leaves: list[Node], given: Mapping[str, Any] | None) -> dict[str, tuple[Node, Any]]:
    """Each leaf with its symbols, by name; a name that is taken already is counted up."""
    if given is not None and not isinstance(given, Mapping):
        raise KindError(
            f"to_sympy got symbols={repr_text(given)}; they are a dict from the names of leaves to symbols."
        )
    names: dict[int, str] = {}
    taken: set[str] = set()
    for k, leaf in sorted(enumerate(leaves), key=lambda pair: not pair[1].name):  # given names are kept if they can be
        name = wanted = leaf.name or f"x{k}"
        again = 1
        while name in names.values() or not taken.isdisjoint(_texts(leaf, name)):
            again += 1
            name = f"{wanted}{again}"
        names[k] = name
        taken.update(_texts(leaf, name))
    unknown = [name for name in given or {} if name not in names.values()]
    if unknown:
        raise ArgumentError(
            f"to_sympy got a symbol for {unknown[0]!r}; the leaves are {', '.join(names[k] for k in sorted(names))}."
        )
    return {names[k]: (leaf, _symbols_of(leaf, names[k], (given or {}).get(names[k]))) for k, leaf in enumerate(leaves)}


def _symbols_of(leaf: Node, name: str, given: Any) -> Any:
    import sympy as sp

    data = data_of(leaf)
    shape = np.shape(data) if isinstance(data, np.ndarray) else ()
    if given is not None:
        array = np.asarray(given, object) if shape else boxed(given)
        if array.shape != shape:
            raise ShapeError(f"to_sympy got symbols of shape {array.shape} for {name!r}, which has shape {shape}.")
        if not all(isinstance(symbol, sp.Expr) for symbol in array.flat):
            raise KindError(f"to_sympy got {repr_text(given)} for {name!r}; it takes SymPy's symbols.")
        return array
    real = True if not np.iscomplexobj(data) else None
    array = np.empty(shape, object)
    for index, text in zip(np.ndindex(shape), _texts(leaf, name), strict=True):
        array[index] = sp.Symbol(text, real=real)
    return array


def _texts(leaf: Node, name: str) -> list[str]:
    """What the symbols of a leaf are called."""
    return ["_".join([name, *map(str, index)]) for index in np.ndindex(shape_of(leaf))]


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
            texts = [number_text(_as_float(x), 16) for x in (self.symbolic[name], self.tape[name])]
            lines.append(f"{name:<{width}}  {texts[0]:>24}  {texts[1]:>24}  {error:>8.1e}")
        return "\n".join(lines)


def _as_float(x: Any) -> float:
    """A number as a float; an infinity without direction, such as the slope of a square root at 0, as inf."""
    return float("inf") if str(x) == "zoo" else float(x)


def _relative(found: Any, exact: Any) -> float:
    import sympy as sp

    if not (exact.is_finite and np.isfinite(float(found))):
        same = np.array_equal(_as_float(found), _as_float(exact), equal_nan=True)
        return 0.0 if same else float("inf")
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
    KindError
        If the result or a leaf is complex, or a leaf is a SymPy expression with symbols.
    UnsupportedError
        For an op that has no SymPy form.
    ArgumentError
        If SymPy leaves a derivative unevaluated, as that of ``polygamma`` by its order.

    Notes
    -----
    The tape rounds each step to a float; SymPy differentiates in symbols, with every float of the program read as the
    fraction that it is.  What the table shows is the rounding error of the gradient, if nothing is wrong.  The
    derivative of ``floor`` counts as 0, also at its jumps.

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
    if is_complex(reading.y):
        raise KindError("compare_symbolic got a complex result; take ad.real(y), ad.imag(y) or abs(y) of it.")
    expression = reading.result.ravel()[0].rewrite(sp.floor)  # of which the derivative is known, unlike that of Mod
    leaves = [leaf for leaf, _ in reading.leaves.values()]
    pulled = {node.index: g for node, g in pull_back((reading.y,), (one(reading.y),), leaves)}
    at: dict[Any, Any] = {}
    tape: dict[str, Any] = {}
    for name, (leaf, array) in reading.leaves.items():
        if is_complex(leaf):
            raise KindError(
                f"compare_symbolic compares derivatives by real numbers; {name} is complex. Let its parts be the "
                "arguments: lambda a, b: f(a + 1j * b)."
            )
        gradient = np.asarray(pulled.get(leaf.index, np.zeros(array.shape)), object)
        for symbol, x, g in zip(
            array.ravel(), expressions(data_of(leaf), exact=True).ravel(), gradient.ravel(), strict=True
        ):
            if x.free_symbols:
                raise KindError(f"compare_symbolic compares numbers; {symbol} is {x}. Give it a number there.")
            at[symbol] = x if x.is_Integer else x.evalf(DIGITS + 10)
            tape[symbol.name] = data_of(g)
    derivatives = {symbol.name: _derivative(expression, symbol) for symbol in at}
    unknown = [name for name, d in derivatives.items() if d.has(sp.Derivative, sp.Subs)]
    if unknown:
        raise ArgumentError(
            f"compare_symbolic: SymPy knows no derivative by {unknown[0]} of {reading.result.ravel()[0]}; it gives "
            f"{derivatives[unknown[0]]}."
        )
    symbolic = {name: sp.sympify(d.xreplace(at)).evalf(DIGITS) for name, d in derivatives.items()}
    return SymbolicComparison(expression, derivatives, symbolic, tape)


def _derivative(expression: Any, symbol: Any) -> Any:
    """SymPy's derivative; that of ``floor``, which it leaves as it is, is 0."""
    import sympy as sp

    def of_floor(e: Any) -> bool:
        return isinstance(e, sp.Derivative) and isinstance(e.expr, sp.floor)

    found = sp.diff(expression, symbol)
    return found.replace(of_floor, lambda e: sp.S.Zero).doit() if found.has(sp.Derivative) else found
