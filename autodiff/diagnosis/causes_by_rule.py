"""Why an op of a certain kind loses a gradient, or hands on little or much of it: one function for each kind of op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.edges import contributions
from ..core.listing import Tape
from ..core.node import Node, data_of, shape_of
from ..core.summary import data_text, number_text
from .answer import Reason, all_of, range_text, share_text
from .flow import Edge, as_floats, called
from .signs import activation_name, saturation

SQUASHING = frozenset(
    {"erf", "erfc", "ndtr", "arctan", "softplus", "silu", "gelu", "gelu_tanh", "elu", "log_sigmoid", "softsign"}
)
"""Rules with a flat end, beside those of :data:`~autodiff.diagnosis.signs.SATURATING`."""
STEPS = frozenset(
    {
        "floor",
        "ceil",
        "trunc",
        "rint",
        "round",
        "whole_part",
        "sign",
        "heaviside",
        "floor_divide",
        "gammasgn",
        "copysign",
    }
)
"""Rules that are constant between jumps."""
BOUNDS = frozenset({"clip_below", "clip_above", "maximum", "minimum", "fmax", "fmin"})
"""Rules that hand on one of two arguments, entry by entry."""
PRODUCTS = frozenset(
    {"matmul", "matvec", "vecmat", "vecdot", "linear", "contract", "convolve", "correlate"}
) | frozenset(
    {"conv", "conv_layer", "conv_input", "conv_weight", "prod", "cumprod", "xlogy", "xlog1py", "multiply", "divide"}
)
"""Rules whose derivative in one argument is another argument."""
LOSSES = frozenset({"mean_squared_error", "softmax_cross_entropy"})
RESIDUALS = LOSSES | {"square", "absolute", "norm", "vector_norm"}
"""Rules whose slope goes to 0 with what they measure: at the minimum of a loss."""

REVIVE = "Lower the learning rate, start from smaller weights or a positive bias, or use ad.leaky_relu."
DRAW = "If the weights before it were initialised to zero, draw them at random."


def relu_reason(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    """Whether every entry that a cotangent arrives at is off."""
    if kind != "zero":
        return None
    x = edge.arrives(edge.argument)
    n, total = int(np.count_nonzero(x <= 0)), x.size
    if n < total:
        return None
    if _is_loss_of_zero(edge, tape):
        return Reason(
            "stationary point",
            f"the loss is 0, and {edge.op} is flat where its argument is below 0: there is nothing left to gain",
            healthy=True,
        )
    return Reason(
        "dead relu",
        f"it is dead: {n} of {total} entries of {called(tape, edge.argument)} where a gradient arrives are at or below "
        f"0 ({range_text(x)}), where {edge.op} is flat"
        if total > 1
        else f"it is dead: {called(tape, edge.argument)} is {range_text(x)}, and {edge.op} is flat up to 0",
        REVIVE if x.any() else DRAW,
        n / total,
    )


def _is_loss_of_zero(edge: Edge, tape: Tape) -> bool:
    """Whether an op measures what is missing to a margin, and the loss adds up only zeros: a hinge loss, satisfied."""
    made = edge.argument
    if made.rule is None or made.rule.name != "subtract" or isinstance(made.args[0], Node):
        return False
    after = [node for node in tape if node.index > edge.node.index]
    last = tape.nodes[-1]
    passing = {"sum", "mean", "multiply", "divide", "positive"}
    return bool(np.all(as_floats(last) == 0)) and all(
        node.rule is None or (node.rule.name in passing and sum(isinstance(a, Node) for a in node.args) == 1)
        for node in after
    )


def _squashed(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    if kind == "large":
        return None
    y, x = as_floats(edge.node), as_floats(edge.argument)
    counted = saturation(edge.node)
    if edge.op in ("softmax", "log_softmax"):
        constant = _constant_softmax(edge, tape)
        if constant is not None or edge.op == "log_softmax":
            return constant
    if counted is None:
        g, c = as_floats(edge.g), as_floats(edge.contribution().fitted)
        if g.shape != c.shape:
            return None
        reached = g != 0
        flat = (np.abs(c[reached]) <= 0.05 * np.abs(g[reached])) & (np.abs(x[reached]) > 2)  # silu dips at -1.3
        counted = int(np.count_nonzero(flat)), flat.size
    n, total = counted
    if n < 0.5 * total:
        return None
    what = "rows" if edge.op == "softmax" else "entries"
    repair = "Start from smaller weights, or normalise the inputs of the layer."
    if edge.op == "softmax":
        repair = (
            "Divide the scores, by the square root of their dimension in attention, or give cross_entropy the logits."
        )
    elif _feeds_loss(edge.node, tape):
        repair = (
            "Give the loss the logits: nn.functional.binary_cross_entropy_with_logits needs no squashing before it."
        )
    return Reason(
        f"saturated {edge.op}",
        f"{share_text(n, total, what)} of the {edge.op} are saturated: arguments {range_text(x)} give results "
        f"{range_text(y)}, where it is flat"
        if x.size > 1
        else f"it is saturated: its argument {range_text(x)} gives {range_text(y)}, where it is flat",
        repair,
        n / total,
    )


def _feeds_loss(node: Node, tape: Tape) -> bool:
    """Whether what uses a node is a loss of probabilities."""
    users = [user for user in tape if any(a is node for a in user.args)]
    return any(user.rule is not None and user.rule.name in ("log", "xlogy", "mean_squared_error") for user in users)


def _constant_softmax(edge: Edge, tape: Tape) -> Reason | None:
    axis: Any = (edge.node.params or {}).get("axis", -1)
    g, y = as_floats(edge.g), as_floats(edge.node)
    length = y.size if axis is None else int(np.prod([y.shape[i] for i in np.atleast_1d(axis)])) if y.ndim else 1
    if length == 1:
        return Reason(
            "constant result",
            f"its axis {axis} has length 1 (shape {y.shape}), and a softmax of one entry is always 1",
            "Take the softmax over the axis of the classes, or a sigmoid of a single score.",
        )
    if edge.op == "softmax" and not np.ptp(g, axis=axis).any():
        return Reason(
            "constant result",
            "all entries along its axis get the same cotangent, and they always sum to 1: what is computed from the "
            "softmax does not depend on its argument",
            "Do not sum a softmax over its own axis before the loss.",
        )
    return None


def _step(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    if kind == "large" or (edge.op == "copysign" and edge.k == 0):
        return None
    name = "trunc" if edge.op == "whole_part" else edge.op
    passing = f"x + ad.stop_gradient(ad.{name}(x{', ...' if len(edge.node.args) > 1 else ''}) - x)"
    if edge.op == "floor_divide":
        passing = "q + ad.stop_gradient(ad.floor(q) - q) of q = x / d"
    return Reason(
        "step function",
        f"{edge.op} is a step function: its slope is 0 wherever it has one, so no gradient passes",
        f"Leave {edge.op} out of the loss, or let the gradient pass: {passing}.",
        1.0,
    )


def _bound(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    if kind != "zero":
        return None
    other = edge.others[0]
    x = edge.arrives(edge.argument)
    argument, bound = called(tape, edge.argument), called(tape, other)
    if isinstance(other, float):
        bound = number_text(other, 8)  # 1 - 1e-7 is not 1
    low = edge.op in ("clip_below", "maximum", "fmax")
    if edge.k == 1 and edge.op.startswith("clip"):
        argument = f"the bound {argument}"
    subject = all_of(argument, edge.before.total)
    none = f"{argument} is not" if edge.before.total == 1 else f"none of the {x.size} entries of {argument} is"
    if x.size < edge.before.total:
        subject = f"the {x.size} of {edge.before.total} entries of {argument} where a gradient arrives are"
        none = f"none of the {x.size} (of {edge.before.total}) entries of {argument} where a gradient arrives is"
    if not isinstance(other, Node) or not other.tracked:
        return Reason(
            "clipped",
            f"{none} {'above the lower' if low else 'below the upper'} bound {bound} "
            f"({range_text(x)}), and {edge.op} is constant there",
            "Widen the bounds, or clip only what does not need a gradient.",
            1.0,
        )
    return Reason(
        "not chosen",
        f"{edge.op} chose {bound} everywhere: {subject} the {'smaller' if low else 'larger'} one, {range_text(x)}",
        "A smooth ad.logaddexp lets both learn.",
        1.0,
    )


def _where(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    if kind != "zero":
        return None
    branch = "first" if edge.k == 1 else "second"
    chosen = edge.arrives(np.asarray(data_of(edge.node.args[0]), bool))
    n, total = int(np.count_nonzero(chosen)), chosen.size
    truth = "true" if n else "false"
    where = f"{truth} in {share_text(n or total, total)} where a gradient arrives" if total > 1 else truth
    return Reason(
        "branch not taken",
        f"{called(tape, edge.argument)} is its {branch} branch, and it took the other one: its condition "
        f"{called(tape, edge.node.args[0]) if shape_of(edge.node.args[0]) else ''} is {where}".replace("  ", " "),
        "Look at the condition: which entries did you mean?",
        1.0,
    )


def _factor(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    """For products: the other factor is zero, small or large."""
    if edge.op in ("prod", "cumprod"):
        return _of_product(edge, tape, kind)
    if edge.op == "divide" and edge.k == 1:
        return _divisor(edge, tape, kind)
    factors = edge.others[: 1 if edge.op != "contract" else None]
    if edge.op in ("linear", "conv_layer"):
        if edge.k == 2:
            return None
        factors = [edge.node.args[1 - edge.k]]
    if not factors:
        return None
    other = min(factors, key=lambda a: float(np.max(np.abs(as_floats(a)), initial=0)))
    entries = np.abs(as_floats(other))
    if edge.op == "divide":
        return _quotient(edge, tape, kind, other)
    if edge.op == "multiply":
        entries = np.abs(edge.arrives(other)) if np.ndim(as_floats(edge.g)) else entries
    if not entries.size:
        return None
    largest, name = float(np.max(entries)), called(tape, other)
    argument, sizes = called(tape, edge.argument), f"of which entries go up to {number_text(largest)} in size"
    product = f"{argument} is multiplied by {name}{f', {sizes}' if shape_of(other) else ''}"
    if kind == "zero":
        return None if largest else _times_zero(edge, tape, other, name)
    if kind == "small" and largest <= 1e-3:
        return Reason("small factor", product, "Scale it: initialise or normalise it to about 1.")
    if kind == "large" and largest >= 1e2:
        return Reason("large factor", product, "Scale it: normalise inputs, and start from smaller weights.")
    return None


def _times_zero(edge: Edge, tape: Tape, other: Any, name: str) -> Reason:
    if other is edge.argument:
        return Reason("stationary point", f"{name} is 0, where the slope of its square is 0", healthy=True)
    if isinstance(other, Node) and other.rule is not None and other.rule.name == "dropout_mask":
        p = number_text((other.params or {}).get("p"))
        return Reason(
            "dropout",
            f"dropout with p={p} dropped all {as_floats(other).size} entries of {called(tape, edge.argument)}",
            "Lower p, or leave dropout out when p is 1.",
            1.0,
        )
    if isinstance(other, Node) and activation_name(other) == "relu" and not as_floats(other).any():
        text = f"{called(tape, edge.argument)} is multiplied by {name}, which is 0 everywhere"
        if as_floats(other.args[0]).any():
            return Reason("dead relu", f"{text}: that relu is dead", REVIVE, 1.0)
        text = f"{text}: that relu is dead, for {called(tape, other.args[0])}, which it was given, is 0"
        return Reason("dead relu", text, DRAW, 1.0)
    shape, total = shape_of(other), as_floats(other).size
    zeros = int(np.count_nonzero(as_floats(other) == 0))
    if not isinstance(other, Node):
        repair = "Look at the mask: what did you mean to keep?" if shape else "Look at that factor."
    elif other.rule is not None:
        repair = "Look at why that is 0."
    else:
        repair = "If it was initialised to zero, draw it at random; the gradient comes back once it has changed."
    what = f"{name}, which is 0" if name != "0" else name
    if shape:
        what = f"{name}, of which {share_text(zeros, total)} are 0"
    if isinstance(other, Node) and other.is_leaf and zeros == total and _gets_gradient(edge, other):
        text = (
            f"{called(tape, edge.argument)} is multiplied by {what}. {name} gets a gradient itself: after one step it "
        )
        text += "is no longer 0, and this gradient comes back"
        return Reason("multiplied by zero", text, share=1.0, healthy=True)
    also = ", also wherever a gradient arrives" if zeros < total else ""
    return Reason("multiplied by zero", f"{called(tape, edge.argument)} is multiplied by {what}{also}", repair, 1.0)


def _gets_gradient(edge: Edge, leaf: Node) -> bool:
    """Whether another argument of the op of an edge gets something that is not 0."""
    parts = zip(edge.node.args, contributions(edge.node, edge.g), strict=True)
    return any(x is leaf and part is not None and bool(as_floats(part.fitted).any()) for x, part in parts)


def _divisor(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    """For the gradient of what is divided by: its slope is ``-a / b**2``."""
    a, b = (called(tape, x) for x in edge.node.args)
    sizes = np.abs(as_floats(edge.argument))
    if kind == "zero":
        if edge.arrives(edge.node.args[0]).any():
            return None
        shaped = shape_of(edge.node.args[0])
        return Reason(
            "multiplied by zero",
            f"{a}, which is divided by {b}, is 0{' everywhere' if shaped else ''}: 0 / {b} is 0 whatever {b} is",
            f"Look at why {a} is 0.",
            1.0,
        )
    if kind == "large" and np.min(sizes, initial=np.inf) <= 1e-2:
        return Reason(
            "small divisor",
            f"{a} is divided by {b}, which is as small as {number_text(float(np.min(sizes)))}: the slope in {b} grows "
            "with 1 / its square",
            "Keep the divisor away from 0: add a small number to it, or use ad.maximum.",
        )
    if kind == "small" and np.max(sizes, initial=0) >= 1e2:
        return Reason(
            "small factor",
            f"{a} is divided by {b}, which goes up to {number_text(float(np.max(sizes)))}: the slope in {b} falls with "
            "1 / its square",
            "Scale it down.",
        )
    return None


def _quotient(edge: Edge, tape: Tape, kind: str, other: Any) -> Reason | None:
    sizes = np.abs(as_floats(other))
    if kind == "large" and np.min(sizes, initial=np.inf) <= 1e-2:
        return Reason(
            "small divisor",
            f"{called(tape, edge.argument)} is divided by {called(tape, other)}, which is as small as "
            f"{number_text(float(np.min(sizes)))}",
            "Keep the divisor away from 0: add a small number to it, or use ad.maximum.",
        )
    if kind == "small" and np.max(sizes, initial=0) >= 1e3:
        return Reason(
            "small factor",
            f"{called(tape, edge.argument)} is divided by {called(tape, other)}, which goes up to "
            f"{number_text(float(np.max(sizes)))}",
            "Scale it down.",
        )
    return None


def _of_product(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    zeros = int(np.count_nonzero(as_floats(edge.argument) == 0))
    if kind != "zero" or not zeros:
        return None
    return Reason(
        "multiplied by zero",
        f"{zeros} of the factors that {edge.op} multiplies are 0, and so is the product without any one other factor",
        "Keep factors away from 0, or add logarithms instead.",
    )


def _residual(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    if kind == "large" or (kind == "small" and edge.gain > 1e-3):
        return None
    what = (
        "the predictions are right"
        if edge.op in LOSSES
        else f"{called(tape, edge.argument)} is {data_text(edge.argument)}"
    )
    value = data_text(tape.nodes[-1])
    near = "at" if kind == "zero" else "close to"
    return Reason(
        "stationary point",
        f"{what} there, {near} the point where {edge.op} is smallest and its slope 0; the loss is {value}",
        healthy=True,
    )


def _power(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    if edge.k == 1 or kind == "large":
        return None
    x, p = as_floats(edge.argument), as_floats(edge.others[0])
    if kind == "zero" and not p.any():
        return Reason(
            "constant result", "the exponent is 0, and anything to the power of 0 is 1", "Look at the exponent."
        )
    if not edge.arrives(np.broadcast_to(x, np.broadcast_shapes(x.shape, p.shape))).any():
        return Reason(
            "stationary point",
            f"{called(tape, edge.argument)} is 0, where the slope of that power is 0",
            healthy=True,
        )
    return None


def _setitem(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    if kind != "zero" or edge.k == 1:
        return None
    return Reason(
        "overwritten",
        f"every entry of {called(tape, edge.argument)} that a gradient arrives at was overwritten by an assignment, "
        "t[key] = value, and what it was before is not used",
        "Assign to a copy, or compute with the old entries too.",
        1.0,
    )


def _exp(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    x, y = edge.arrives(edge.argument), edge.arrives(edge.node)
    top = number_text(float(np.max(y, initial=0)))
    bound = "up to" if kind == "large" else "at most"
    argument = f"{called(tape, edge.argument)} is {range_text(x)}"
    text = f"the slope of {edge.op} is its value, and that is {bound} {top}: {argument}"
    if kind == "large":
        repair = "Keep what is exponentiated small: subtract its maximum, or work with logarithms (ad.logsumexp)."
        return Reason("large factor", text, repair)
    cause = "underflow" if kind == "zero" else "small factor"
    return Reason(cause, text, "Work with logarithms instead: ad.logsumexp, ad.log_softmax.")


def _sum(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    terms = as_floats(edge.argument).size // max(as_floats(edge.node).size, 1)
    if kind != "large" or terms < 100:
        return None
    return Reason("large sum", f"it adds up {terms} terms", "Take the mean instead of the sum.")


def _steep(edge: Edge, tape: Tape, kind: str) -> Reason | None:
    """For functions with a vertical slope at 0."""
    x = np.abs(as_floats(edge.argument))
    if kind != "large" or not x.size:
        return None
    return Reason(
        "steep slope",
        f"{called(tape, edge.argument)} is as small as {number_text(float(x.min()))}, where {edge.op} is steep",
        f"Keep it away from 0: add a small number before {edge.op}.",
    )


OF_RULE: dict[str, Callable[[Edge, Tape, str], Reason | None]] = {
    **dict.fromkeys(SQUASHING | {"sigmoid", "tanh", "softmax", "log_softmax"}, _squashed),
    **dict.fromkeys(STEPS, _step),
    **dict.fromkeys(BOUNDS, _bound),
    **dict.fromkeys(PRODUCTS, _factor),
    **dict.fromkeys(RESIDUALS, _residual),
    **dict.fromkeys(("exp", "exp2", "expm1"), _exp),
    **dict.fromkeys(("log", "log2", "log10", "sqrt", "cbrt", "reciprocal"), _steep),
    "sum": _sum,
    "where": _where,
    "power": _power,
    "setitem": _setitem,
}
