"""The rule: one row of the table, and the op that is made from it.

A rule holds everything about an operation: the forward function in plain NumPy, one derivative per input in both
directions, the formula for people, and the points at which it is checked.  :mod:`autodiff.core.op` makes the
public function of it.

A derivative asks for what it needs by parameter name.  Who fetches it for each node of a sweep is written out as source
and compiled when a rule is first swept: see :meth:`Rule.source`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from .dispatch import Forwards
from .errors import KindError
from .node import Node, data_of, record
from .numbers import by_ieee
from .source import PACKAGE

Derivative = Callable[..., Any]

TABLE: dict[str, Rule] = {}
"""Every rule by name, in the order of declaration."""


def rule_named(name: str) -> Rule:
    """The rule of this name."""
    return TABLE[name]


class Sample(NamedTuple):
    """A point at which a rule is checked: its array inputs and its options.

    ``order`` is how many times the rule is differentiated there: 2, or less where a derivative does not exist.
    """

    args: tuple[Any, ...]
    params: dict[str, Any]
    order: int


def sample(*args: Any, order: int = 2, **params: Any) -> Sample:
    """A point at which a rule is checked."""
    return Sample(args, params, order)


def local(name: str) -> str:
    """What an input is called in the source of ``pull`` and ``push``, which have variables of their own."""
    return f"{name}_" if name in {"g", "n", "t", "c", "i", "k", "data", "total", "pending", "tangents"} else name


def by_ieee_on_nodes(derivative: Derivative, g: Any, node: Node) -> Any:
    """What :func:`~autodiff.core.numbers.by_ieee` does, where the derivative is recorded itself."""

    def as_array(x: Any) -> Any:
        if not isinstance(data_of(x), int | float | complex):
            raise  # again: other kinds have no infinity to give
        array = np.asarray(data_of(x) * np.float64(1))
        return (
            record(Node.for_arrays, array, TABLE["positive"], x, None, None, x.tracked)
            if isinstance(x, Node)
            else array
        )

    shadow = SimpleNamespace(_data=as_array(node), params=node.params, _a=None, _b=None)
    args = [as_array(x) for x in node.args]
    shadow._a, shadow._b = (args, None) if node.rule.many else (*args, None)[:2]  # type: ignore[union-attr]
    return derivative(as_array(g), shadow)


class Written(NamedTuple):
    """A derivative as its row declares it: a function, and in source what is done with it and what it asks for."""

    function: Derivative | None
    call: str
    scope: dict[str, Any]


class Rule:
    """One row of the table.

    Attributes
    ----------
    name : str
        NumPy's name for the operation.
    forward : callable
        The plain NumPy function.
    inputs : tuple of str
        Names of the differentiable arguments: those before the ``/`` of the forward function's signature.
    linear : bool
        True if the op is linear in its input, so that it is its own derivative.
    variadic : bool
        True if the single input is a sequence of arrays (``concatenate``).
    many : bool
        True if there may be more than two arguments.
    options : dict
        Names and defaults of the keyword options.
    positional : int
        How many of them may also be given by position.
    entrywise : bool
        True if the op works entry by entry, so that it also applies to single numbers.
    differentiable : bool
        False for rows whose results are never tracked: comparisons, random draws.
    fresh : bool
        True if each VJP makes a new array of the shape of its input: there is nothing to sum or to copy.
    quiet : bool
        True if derivatives at finite points are finite, so that NumPy has nothing to warn of.
    random : bool
        True if each call draws new numbers.
    refuses : callable or None
        Called while compiling, with the arguments and options of a call: raises if the shape of the result depends on
        their numbers.
    op : callable
        The public function that was made of this rule.
    vjps, jvps : dict of str to Written
        The derivatives by input; an input that is absent has none.
    pull, pull_nodes : callable
        ``pull(g, node, pending)`` adds the cotangents of a node's arguments to ``pending``, by index.  The second
        computes on nodes instead of on their data, so that the derivative is recorded itself.
    pull_on : callable
        What a plain sweep calls: ``pull``, or a form of it that leaves more to be added up later.
    push, push_nodes : callable
        ``push(tangents, node)`` is the tangent of a node, from those of its arguments by index; None if none has one.
    """

    refuses: Callable[..., None] | None = None
    by_argument = True
    """Whether ``pull`` treats each argument alone; not where a whole function is recorded again."""
    op: Callable[..., Any]
    pull: Callable[[Any, Node, dict[int, Any]], None]
    pull_nodes: Callable[[Any, Node, dict[int, Any]], None]
    pull_on: Callable[[Any, Node, dict[int, Any]], None]
    push: Callable[[dict[int, Any], Node], Any]
    push_nodes: Callable[[dict[int, Any], Node], Any]

    def __init__(
        self,
        forward: Callable[..., Any],
        *,
        formula: str,
        entrywise: bool = False,
        linear: bool = False,
        differentiable: bool = True,
        fresh: bool = False,
        quiet: bool = False,
        random: bool = False,
        number: Callable[..., Any] | None = None,
        inputs: int | None = None,
        listed: bool = True,
    ) -> None:
        # The signature as inspect.signature would give it, at a tenth of the price: the table is long.
        code, defaults = forward.__code__, forward.__defaults__ or ()
        n_inputs = code.co_posonlyargcount if inputs is None else inputs
        n_positional = code.co_argcount
        n_named = n_positional + code.co_kwonlyargcount
        names = code.co_varnames
        options = names[n_inputs:n_named]
        self.positional = len(options) if code.co_flags & inspect.CO_VARARGS else n_positional - n_inputs
        given = dict(zip(names[n_positional - len(defaults) : n_positional], defaults)) | (forward.__kwdefaults__ or {})
        self.name = forward.__name__
        self.forward = forward
        self.number = number
        self.formula = formula
        self.entrywise = entrywise
        self.linear = linear
        self.differentiable = differentiable
        self.fresh = fresh
        self.quiet = quiet
        self.random = random
        self.variadic = bool(code.co_flags & inspect.CO_VARARGS)
        self.inputs = (names[n_named],) if self.variadic else names[:n_inputs]
        self.many = self.variadic or len(self.inputs) > 2
        self.options = {name: given.get(name, inspect.Parameter.empty) for name in options}
        self.samples: Callable[[np.random.Generator], Iterable[Sample]] | None = None
        self.vjps: dict[str, Written] = {}
        self.jvps: dict[str, Written] = {}
        self.forwards = Forwards(self)
        if not listed:
            return
        if self.name in TABLE:
            raise KindError(f"A rule named {self.name!r} is declared twice. Rename one: the table has one row a name.")
        TABLE[self.name] = self

    def compute(self, *args: Any) -> Any:
        """The forward function of inputs and all options by position, also those that it takes by keyword only."""
        n = len(args) - len(self.options) + self.positional
        return self.forward(*args[:n], **dict(zip(list(self.options)[self.positional :], args[n:])))

    def __repr__(self) -> str:
        return f"<rule {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if TABLE.get(self.name) is not self:
            raise KindError(f"{self!r} is not a row of the table, so a tape with it cannot be copied or pickled.")
        return rule_named, (self.name,)  # a copied or pickled node shares the row of the table

    def set_derivative(
        self, direction: str, wrt: str, function: Derivative | None = None, call: str = "{f}({asks})", **scope: Any
    ) -> None:
        """Declare one derivative; ``call`` says in source what is done with ``f`` and what it asks for."""
        if wrt not in self.inputs:
            raise KindError(
                f"The {direction} of {self.name} was declared with respect to {wrt!r}; its inputs are {self.inputs}."
            )
        (self.vjps if direction == "vjp" else self.jvps)[wrt] = Written(function, call, scope)

    def __getattr__(self, name: str) -> Any:
        """Compile ``pull``, ``push`` and their ``_nodes`` forms when they are first asked for."""
        if name == "pull_on":
            self.pull_on = self.pull
            return self.pull
        if name not in ("pull", "pull_nodes", "push", "push_nodes"):
            raise AttributeError(name)
        direction, _, nodes = name.partition("_")
        scope: dict[str, Any] = {"Node": Node, "ndarray": np.ndarray, "data_of": data_of}
        scope["by_ieee"] = by_ieee_on_nodes if nodes else by_ieee
        for wrt, written in (self.vjps if direction == "pull" else self.jvps).items():
            scope[f"d_{wrt}"] = written.function
            scope |= written.scope
        exec(compile(self.source(direction, bool(nodes)), f"{PACKAGE}{self.name}.{name}", "exec"), scope)
        setattr(self, name, scope[direction])
        return scope[direction]

    def source(self, direction: str, nodes: bool = False) -> str:
        """The source of ``pull`` or ``push``: for each argument, fetch what its derivative asks for and call it.

        Examples
        --------
        >>> import autodiff as ad
        >>> print(ad.exp.rule.source("pull"))
        def pull(g, n, pending):
            x = n._a
            if isinstance(x, Node) and x.tracked:
                try:
                    c = pull_through(g, d_x(n._data))
                except (ArithmeticError, TypeError, ValueError):
                    c = by_ieee(lambda g, n: pull_through(g, d_x(n._data)), g, n)
                if c.__class__ is not x._data.__class__ or (...):
                    c = x._fit_cotangent(c, g)
                i = x.index
                pending[i] = pending[i] + c if i in pending else c
        """
        lines = ["def pull(g, n, pending):"] if direction == "pull" else ["def push(tangents, n):", "    total = None"]
        if self.variadic:
            (wrt,) = self.inputs
            lines += [] if nodes else ["    data = [data_of(a) for a in n._a]"]
            lines.append(f"    for k, {local(wrt)} in enumerate(n._a):")
            lines += [f"        {line}" for line in self._lines_for(wrt, direction, nodes)]
        else:
            slots = ", = n._a" if self.many else " = n._a" if len(self.inputs) == 1 else " = n._a, n._b"
            lines.append(f"    {', '.join(map(local, self.inputs))}{slots}")
            for wrt in self.vjps if direction == "pull" else self.jvps:
                lines += [f"    {line}" for line in self._lines_for(wrt, direction, nodes)]
        return "\n".join(lines + ["    return total"] * (direction == "push"))

    def _lines_for(self, wrt: str, direction: str, nodes: bool) -> list[str]:
        """The lines of ``pull`` or ``push`` that deal with one argument."""
        written, given = (self.vjps[wrt], "g") if direction == "pull" else (self.jvps[wrt], "t")
        x = local(wrt)
        call = self._call(written, wrt, given, nodes)
        compute = [f"c = {call}"]
        if self.entrywise:  # Python's numbers raise where IEEE's are infinite
            again = self._call(written, wrt, given, nodes, of="n")
            compute = ["try:", f"    c = {call}", "except (ArithmeticError, TypeError, ValueError):"]
            compute += [f"    c = by_ieee(lambda {given}, n: {again}, {given}, n)"]
        if direction == "push":
            head = f"if isinstance({x}, Node) and {x}.index in tangents:"
            body = [f"t = tangents[{x}.index]", *compute, "total = c if total is None else total + c"]
        else:
            head = f"if isinstance({x}, Node) and {x}.tracked:"
            misfit = f"c.__class__ is not float or {x}._data.__class__ is not float"
            if self.fresh:
                misfit = f"c.__class__ is not {x}._data.__class__ or "
                misfit += f"(c.dtype is not {x}._data.dtype if c.__class__ is ndarray else c.__class__ is not float)"
            body = [*compute, f"if {misfit}:", f"    c = {x}._fit_cotangent(c, g)"]
            body += [f"i = {x}.index", "pending[i] = pending[i] + c if i in pending else c"]
        return [head, *(f"    {line}" for line in body)]

    def _call(self, written: Written, wrt: str, given: str, nodes: bool, of: str | None = None) -> str:
        """The source of one call of a derivative, with what it asks for; from the node ``of`` if given."""
        fetch = {"g" if given == "g" else f"{wrt}_dot": given, "y": "n" if nodes and not of else "n._data"}
        slots = ["_a", "_b"]
        for k, name in enumerate(self.inputs):
            argument = f"{of}.{slots[k]}" if of and not self.many else local(name)
            if self.variadic:
                fetch |= {"i": "k", name: "n._a" if nodes else "data"}
            elif nodes:
                fetch[name] = argument
            elif name == wrt:
                fetch[name] = f"{argument}._data"
            else:
                fetch[name] = f"({argument}._data if isinstance({argument}, Node) else {argument})"
        fetch |= {option: f"n.params[{option!r}]" for option in self.options}
        asked = inspect.signature(written.function).parameters if written.function is not None else ()
        for name in asked:
            if name not in fetch:
                raise KindError(
                    f"A derivative of {self.name} with respect to {wrt} asks for {name!r}; "
                    f"it can ask for {', '.join(fetch)}."
                )
        return written.call.format(f=f"d_{wrt}", asks=", ".join(fetch[name] for name in asked), given=given)
