"""From what was recorded to a program: every op becomes the NumPy calls of its forward function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.node import Node
from ..core.numbers import is_number
from ..value import Value
from .arguments import mapped
from .follow import Writer
from .program import Function, Program, Var, substitute
from .record import SAME, Recorder, Ref, Step

OPERATORS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "power": "**",
    "remainder": "%",
    "floor_divide": "//",
    "negative": "-",
}


ITEM = Function("method", "item", lambda x: x.item())


def may_turn_complex(args: Sequence[Any], data: Sequence[Any]) -> bool:
    """Whether a power of Python's numbers is real or complex as the numbers have it, by which derivatives differ."""
    p = args[1]
    return all(isinstance(x, int | float) for x in data) and (isinstance(p, Var) or p % 1 != 0)


def real_power(x: Any, p: Any) -> Any:
    """``x ** p``, which was real when it was recorded."""
    y = x**p
    if isinstance(y, complex):
        raise ArithmeticError("A power that was real when it was recorded is complex.")
    return y


def complex_power(x: Any, p: Any) -> Any:
    """``x ** p``, which was complex when it was recorded."""
    y = x**p
    if not isinstance(y, complex):
        raise ArithmeticError("A power that was complex when it was recorded is real.")
    return y


class Builder:
    """Turns steps into instructions.

    Attributes
    ----------
    found : dict of int to Var or constant
        What stands for each node, by creation number.
    """

    def __init__(self, recorder: Recorder, names: dict[int, str]) -> None:
        self.recorder = recorder
        self.names = names
        self.writer = Writer()
        self.found: dict[int, Any] = {}

    def input(self, index: int, data: Any, name: str) -> Var:
        """Take in a node that is given, not computed."""
        var = self.writer.input(data, name)
        var.named = True
        self.found[index] = var
        return var

    def add(self, steps: Sequence[Step]) -> None:
        """Write down steps, in order."""
        for step in steps:
            if step.rule is SAME:
                (same,) = step.args
                self.found[step.number] = self.found[same.number]
                continue
            self.writer.place, self.writer.silent = step.place, step.silent
            with np.errstate(all="ignore"):  # what there was to warn of, the recording has warned of
                result = self._result(step)
            if isinstance(result, Var) and not result.named:
                name = self.names.get(id(step.node))
                result.name, result.named = name or step.rule.name, name is not None
            self.found[step.number] = result

    def look_up(self, tree: Any) -> Any:
        """Arguments with variables in the place of references."""
        return mapped(lambda x: self.found[x.number] if isinstance(x, Ref) else x, tree)

    def _result(self, step: Step) -> Any:
        rule, writer = step.rule, self.writer
        args, params = self.look_up(step.args), self.look_up(step.params)
        data = substitute(tuple(args), writer.values.__getitem__)
        if rule.variadic:
            result = writer.follow(rule, [self._as_array(a) for a in args], params)
        elif isinstance(step.node, Value) and all(is_number(type(x)) for x in data):
            kinds = [type(x) for x in data]
            compute, _ = rule.forwards[kinds[0] if len(kinds) == 1 else tuple(kinds)]
            kind = "operator" if rule.name in OPERATORS else "named"
            if rule.name == "power" and may_turn_complex(args, data):
                kind, compute = "named", complex_power if isinstance(step.data, complex) else real_power
            name = OPERATORS[rule.name] if kind == "operator" else rule.name
            result = writer.write(Function(kind, name, compute), (*args, *params.values()), {})
        else:
            if not rule.entrywise:
                args = [self._as_array(a) for a in args]
            result = writer.follow(rule, args, params)
        return self._in_kind(result, step.node)

    def _as_array(self, x: Any) -> Any:
        value = self.writer.values[x] if isinstance(x, Var) else x
        if isinstance(value, np.ndarray):
            return x
        if not isinstance(x, Var):
            return np.asarray(x)
        return self.writer.write(Function("numpy", "asarray", np.asarray), (x,), {})

    def _in_kind(self, result: Any, node: Node) -> Any:
        """The result as a number of Python's where the node is a Value."""
        if not isinstance(result, Var) or not isinstance(node, Value):
            return result
        value = self.writer.values[result]
        if not isinstance(value, np.ndarray | np.generic):
            return result
        return self.writer.write(ITEM, (result,), {})

    def fit(self, result: Any, like: Any) -> Any:
        """A cotangent as what it belongs to is: an array, or a number of Python's."""
        if not isinstance(result, Var):
            return result
        value = self.writer.values[result]
        if isinstance(like, np.ndarray) and isinstance(value, np.generic):
            return self.writer.write(Function("numpy", "array", np.array), (result,), {})
        if not isinstance(like, np.ndarray) and isinstance(value, np.ndarray | np.generic):
            return self.writer.write(ITEM, (result,), {})
        return result

    def program(self, inputs: Sequence[Var], outputs: Sequence[Any]) -> Program:
        """What was written down."""
        finite = [self.found[i] for i in self.recorder.promised if i in self.found]
        return Program(
            list(inputs),
            list(self.writer.instructions),
            list(outputs),
            finite=[v for v in finite if isinstance(v, Var)],
        )
