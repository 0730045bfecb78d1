"""Why one op hands on nothing, little or very much of the cotangent that arrives at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.edges import contributions
from ..core.listing import Tape
from ..core.node import Node, data_of, shape_of
from ..core.summary import data_text, number_text
from .answer import Reason
from .causes_by_rule import OF_RULE, PRODUCTS, relu_reason
from .flow import Edge, as_floats, called
from .signs import activation_name

CHOOSING = frozenset({"max", "min", "extreme", "max_pool", "order_statistics", "quantiles", "sort", "partition"})
"""Rules that hand on some entries of one argument."""

INSIDE = Reason(
    "inside a checkpoint",
    "a function that is checkpointed is one op on the tape: what happens inside cannot be seen",
    "Ask again without ad.checkpoint around the function.",
)


def reason(edge: Edge, tape: Tape, kind: str) -> Reason:
    """Why ``edge`` loses a gradient (``kind`` is "zero"), or hands on little ("small") or much ("large") of it."""
    for explain in (_by_name, _cancelling, _underflow):
        found = explain(edge, tape, kind)
        if found is not None:
            return found
    return _of_slope(edge, tape, kind)


def _by_name(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    name = edge.op
    explain: Callable[[Edge, Tape, str], Reason | None] | None = OF_RULE.get(name)
    if activation_name(edge.node) == "relu":
        explain = relu_reason
    return explain(edge, tape, kind) if explain is not None else None


def _cancelling(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    """Whether terms cancel within the op, or where what broadcasting repeated is summed."""
    if kind == "large":
        return None
    part = edge.contribution()
    total = measure_sum(part.raw, edge)
    if total is None or not total > 0 or edge.after.largest > 1e-9 * total:
        return None
    return Reason(
        "stationary point",
        f"the contributions of single entries go up to {number_text(total)} and cancel each other: "
        f"moving {called(tape, edge.argument)} either way neither raises nor lowers the loss",
        healthy=True,
    )


def measure_sum(raw: Any, edge: Edge) -> float | None:
    """How large the sum that an argument gets would be if nothing in it cancelled; None if that cannot be told."""
    if shape_of(raw) != shape_of(edge.argument):
        return float(np.sum(np.abs(as_floats(raw))) / max(as_floats(edge.argument).size, 1))
    if edge.op not in PRODUCTS | {"sum", "mean"} or edge.op in ("multiply", "divide"):
        return None
    wide = _with_data(edge, np.abs)
    return float(np.max(np.abs(as_floats(wide)), initial=0)) if wide is not None else None


def _underflow(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    """Whether the numbers are too small for their dtype: computed in a wider one, they are not 0."""
    if kind != "zero":
        return None
    wide = in_wider_numbers(edge)
    largest = np.max(np.abs(as_floats(wide)), initial=0) if wide is not None else 0
    dtype = getattr(data_of(edge.argument), "dtype", np.dtype(float))
    if dtype.kind != "f" or not 0 < largest < np.finfo(dtype).smallest_subnormal:
        return None
    exponent = int(np.floor(np.log10(largest)))
    return Reason(
        "underflow",
        f"the product of cotangent and slope is about 1e{exponent}, less than the smallest number of {dtype}, and so 0",
        "Scale the loss up, or compute in float64." if dtype != np.float64 else "Rescale, or work with logarithms.",
    )


def in_wider_numbers(edge: Edge) -> Any:
    """What the argument of an edge would get if the op were computed in long doubles; None if the rule cannot."""
    return _with_data(edge, lambda a: a.astype(np.longdouble) if a.dtype.kind == "f" else a)


def _with_data(edge: Edge, change: Callable[[Any], Any]) -> Any:
    """What the argument of an edge would get if all data were changed; None if the rule cannot tell."""

    def changed(x: Any) -> Any:
        data = data_of(x)
        if isinstance(data, bool | int | np.bool_) or getattr(data, "dtype", np.dtype(float)).kind not in "fc":
            return x
        return change(np.asarray(as_floats(data)))

    node = edge.node
    rule: Any = node.rule
    stand_ins = []
    for x in node.args:
        data = changed(x)
        if isinstance(x, Node) and data is not x:
            stand_in: Any = Node.for_arrays(data)  # type: ignore[call-arg]
            stand_in.tracked = x.tracked
            data = stand_in
        stand_ins.append(data)
    alone: Any = Node.for_arrays(changed(node))  # type: ignore[call-arg]
    alone.rule, alone.params = rule, node.params
    alone._a, alone._b = (tuple(stand_ins), None) if rule.many else (*stand_ins, None)[:2]
    try:
        found = contributions(alone, changed(edge.g))[edge.k]
    except Exception:  # a library that takes no long doubles, or a rule that is made of other ops than NumPy's
        return None
    return found.fitted if found is not None else None


def _of_slope(edge: Edge, tape: Tape, kind: str) -> Reason:
    """What can be said of any op."""
    argument = called(tape, edge.argument)
    if kind == "small":
        return Reason(
            "small factor",
            f"the slope there is small: a cotangent of size {number_text(edge.before.norm)} leaves "
            f"{number_text(edge.after.norm)} for {argument} ({data_text(edge.argument)})",
            "Scale what goes in.",
        )
    if kind == "large":
        return Reason(
            "large factor",
            f"the slope there is large: a cotangent of size {number_text(edge.before.norm)} becomes "
            f"{number_text(edge.after.norm)} for {argument} ({data_text(edge.argument)})",
            "Scale what goes in, or clip the gradient before the step.",
        )
    rule: Any = edge.node.rule
    if not rule.vjps:
        return INSIDE
    if not rule.forward.__module__.startswith("autodiff."):
        return Reason(
            "custom rule",
            f"{rule.name} is a rule of your own, and its derivative gives only zeros for {argument}",
            f"Check its derivative: ad.testing.gradient_table({rule.name}, ...).",
        )
    if rule.linear or rule.name in CHOOSING:
        return _not_used(edge, tape)
    if rule.name in PRODUCTS:
        return Reason(
            "multiplied by zero",
            f"what {argument} is combined with is 0 wherever a gradient arrives",
            "Look at the other arguments of the op.",
        )
    return Reason(
        "stationary point",
        f"the slope of {edge.op} is 0 at {argument} = {data_text(edge.argument)}",
        healthy=True,
    )


def _not_used(edge: Edge, tape: Tape) -> Reason:
    """For ops that move entries around: the op further on that leaves out what comes from the argument."""
    argument = called(tape, edge.argument)
    node = chooser(edge, tape)
    name = node.rule.name if node.rule is not None else ""
    if name in CHOOSING:
        text = f"{argument} is never chosen: {name} takes entries of the result of {edge.op} that come from elsewhere"
        return Reason("not chosen", text, f"A smooth {name}, ad.logsumexp or a softmax, lets all of them learn.")
    by = f" ({node.rule.name} takes others)" if node is not edge.node and node.rule is not None else ""
    return Reason(
        "entries not used",
        f"of the result of {edge.op} no entry that comes from {argument} is used further on{by}",
        "Look at the indices: which part did you mean?",
    )


def chooser(edge: Edge, tape: Tape) -> Node:
    """The op that takes some entries of what moving around made of an argument and leaves others out."""
    node = edge.node
    rule: Any = node.rule
    while rule.name not in CHOOSING:
        users = [user for user in tape if any(x is node for x in user.args)]
        if len(users) != 1:
            break
        node = users[0]
        rule = node.rule
        if rule.name == "getitem" or not rule.linear:
            break
    return node
