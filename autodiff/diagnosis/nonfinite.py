"""Which op made the first nan or inf on the way, and of what."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.listing import Tape
from ..core.node import Node, data_of
from ..core.summary import data_text, number_text
from .answer import Reason, range_text, share_text
from .causes import in_wider_numbers
from .flow import Edge, Flow, as_floats, called, measure

LOGARITHMS = frozenset({"log", "log2", "log10", "log1p", "xlogy", "xlog1py", "logit", "entr"})
INVERSES = {
    "arcsin": "from -1 to 1",
    "arccos": "from -1 to 1",
    "arctanh": "between -1 and 1",
    "arccosh": "from 1 on",
    "erfinv": "between -1 and 1",
    "ndtri": "between 0 and 1",
}
"""Functions that are not defined everywhere, or have vertical slopes, and where they are."""
MOVING = frozenset({"getitem", "reshape", "transpose", "squeeze", "take", "take_along_axis"})
UNDERFLOWING = frozenset({"prod", "cumprod", "multiply", "power", "exp", "softmax", "sigmoid"})
"""Rules that make 0 of what is not 0 when the result is too small a number."""
NORMALISED = frozenset({"softmax", "log_softmax", "logsumexp", "softmax_cross_entropy"})


def first_nonfinite(flow: Flow) -> tuple[Node, Reason, Edge | None]:
    """The op, or data, that is to blame for a gradient with nan or inf, and why; and the edge, if a derivative is."""
    tape = flow.tape
    for edge in flow.edges:  # newest first: as the sweep passes them
        if edge.before.is_finite and not edge.after.is_finite:
            made = culprit(edge.node)
            if made is not None:
                return made, of_result(made, tape), None
            return edge.node, of_slope(edge, tape), edge
    made = culprit(flow.loss)
    if made is not None:
        return made, of_result(made, tape), None
    return flow.p, Reason("overflow", "contributions that are finite add up to more than its dtype can hold"), None


def culprit(node: Node) -> Node | None:
    """What made the nan or inf in the data of ``node`` or in what it was made of; None if an inf was put in on purpose.

    An inf among constants, such as the -inf of a mask, is meant; a nan never is.
    """
    made_nan: Node | None = None
    has = measure(node)
    bad = [x for x in node.args if not measure(x).is_finite]
    if has.is_finite and not bad:
        return None
    while True:
        has = measure(node)
        bad = [x for x in node.args if not measure(x).is_finite]
        with_nan = [x for x in bad if measure(x).nan]
        if has.nan and not with_nan:
            made_nan = node
        followed = with_nan or [x for x in bad if isinstance(x, Node) and (x.tracked or x.rule is not None)]
        if not followed:
            if not bad and not has.is_finite:
                return node
            return made_nan
        if not isinstance(followed[0], Node):
            return _constant(followed[0])
        node = followed[0]


def _constant(data: Any) -> Node:
    """A node for an array with nan in it, so that it can be spoken of."""
    node: Any = Node.for_arrays(data)  # type: ignore[call-arg]
    node._data = data
    node.tracked = False
    return node  # type: ignore[no-any-return]


def bad_entries(x: Any) -> str:
    """How many entries are nan and inf, of how many."""
    size = measure(x)
    parts = [f"{n} {what}" for n, what in ((size.nan, "nan"), (size.infinite, "inf")) if n]
    return f"{' and '.join(parts)} in {size.total} {'entry' if size.total == 1 else 'entries'}"


def of_result(node: Node, tape: Tape) -> Reason:
    """Why the data of ``node`` is not finite."""
    if node.rule is None:
        name = tape.name_of(node) or tape.name_of(node._data)
        what = name or ("a parameter" if node.tracked else "a constant")
        repair = (
            "It went bad in an earlier step: look at that step, with a smaller learning rate."
            if node.tracked
            else "Clean the data: np.isnan(...) finds the rows."
        )
        return Reason("nan in the data", f"{what} holds {bad_entries(node)} before anything is computed", repair)
    name, args = node.rule.name, node.args
    explain = _of_log(node, tape) or _of_division(node, tape) or _of_domain(node, tape)
    if explain is not None:
        return explain
    made = f"it made {bad_entries(node)}"
    if not args:
        return Reason("nan made", f"{made}; what it was given was not recorded")
    if any(not measure(a).is_finite for a in args):
        if name in NORMALISED:
            return Reason(
                "masked row",
                f"{made}: a row of {called(tape, args[0])} is -inf everywhere, or has an inf in it",
                "Leave at least one entry of each row unmasked, or mask with a large negative number.",
            )
        return Reason("inf - inf", f"{made} of infinite arguments, such as inf - inf or 0 * inf", "Keep them finite.")
    if not all(measure(a).total for a in args):
        return Reason("empty", f"{made}: an argument has no entries", "Look at the mask or the index before it.")
    given = " and ".join(f"{called(tape, a)} ({data_text(a)})" for a in args[:2])
    if measure(node).nan:
        return Reason("nan made", f"{made} of {given}", "Look at where that function is defined.")
    dtype = getattr(data_of(node), "dtype", np.dtype(float))
    top = number_text(float(np.finfo(dtype).max)) if dtype.kind == "f" else "the largest number"
    return Reason(
        "overflow",
        f"{made} of {given}: more than {dtype} can hold ({top})",
        "Keep what goes in small: subtract its maximum, normalise, or work with logarithms (ad.logsumexp, "
        "ad.log_sigmoid, ad.cross_entropy).",
    )


def _of_log(node: Node, tape: Tape) -> Reason | None:
    name = node.rule.name  # type: ignore[union-attr]
    if (name not in LOGARITHMS and name != "sqrt") or not node.args:
        return None
    argument, end = node.args[-1], "-1" if name in ("log1p", "xlog1py") else "0"
    given = as_floats(argument)
    x = given - int(end)
    if name == "logit" and not np.any(x <= 0):
        x, end = 1 - given, "1"
    zeros, negative = int(np.count_nonzero(x == 0)), int(np.count_nonzero(x < 0))
    if x.dtype.kind == "c" or not zeros + negative:
        return None
    n, side = negative or zeros, "above" if end == "1" else "below"
    plain = "log" if name != "sqrt" else "sqrt"
    there = f"{side} {end}" if negative else end
    what = f"a number {there}" if negative and end != "0" else "a negative number" if negative else end
    entries = f"{n} of {x.size} entries of {called(tape, argument)} are {there} ({range_text(argument)})"
    if x.size == 1:
        entries = f"{called(tape, argument)} is {range_text(argument) if negative else end}"
    small = _underflown(argument) if zeros and not negative and end == "0" else None
    repair = "Keep the argument above 0: ad.maximum(x, 0) + 1e-12."
    if plain == "log":
        keep = f"Keep the argument {'below' if end == '1' else 'above'} {end}"
        repair = (
            f"{keep}, as ad.log(x + 1e-12) does; for probabilities use ad.log_softmax, ad.log_sigmoid or "
            "ad.cross_entropy of the logits."
            if name in ("log", "log2", "log10")
            else f"{keep}."
        )
    if small is not None:
        entries += f", too small a number for {small.rule.name} to hold"  # type: ignore[union-attr]
        if small.rule.name == "prod":  # type: ignore[union-attr]
            repair = "Add up logarithms instead of multiplying: ad.log(x).sum()."
    made = "nan" if negative else "inf" if end == "1" else "-inf"
    return Reason(
        f"{plain} of {'a negative number' if negative else '0'}",
        f"{entries}, and {name} of {what} is {made}",
        repair,
        n / x.size,
    )


def _underflown(argument: Any) -> Node | None:
    """The op that made 0 of what is not 0, for the result is too small a number; None if there is none."""
    while isinstance(argument, Node) and argument.rule is not None and argument.rule.name in MOVING and argument.args:
        argument = argument.args[0]
    if not isinstance(argument, Node) or argument.rule is None or argument.rule.name not in UNDERFLOWING:
        return None
    held = bool(argument.args) and all(np.all(as_floats(x) != 0) for x in argument.args)
    return argument if argument.rule.name in ("exp", "softmax", "sigmoid") or held else None


def _of_division(node: Node, tape: Tape) -> Reason | None:
    name = node.rule.name  # type: ignore[union-attr]
    if name not in ("divide", "reciprocal", "floor_divide", "remainder", "power") or not node.args:
        return None
    divisor = node.args[0] if name in ("reciprocal", "power") else node.args[-1]
    if name == "power" and not np.any(as_floats(node.args[1]) < 0):
        return None
    zeros, total = int(np.count_nonzero(as_floats(divisor) == 0)), as_floats(divisor).size
    if not zeros:
        return None
    what = f"{zeros} of {total} entries of {called(tape, divisor)}, which it divides by, are 0"
    return Reason(
        "division by 0",
        what if total > 1 else "it divides by 0",
        "Add a small number to the divisor, or choose with ad.where before dividing: "
        "ad.where(d == 0, 0.0, x / ad.where(d == 0, 1.0, d)).",
        zeros / total,
    )


def _of_domain(node: Node, tape: Tape) -> Reason | None:
    name = node.rule.name  # type: ignore[union-attr]
    if not node.args:
        return None
    if name == "power" and np.any(as_floats(node.args[0]) < 0) and measure(node).nan:
        n = int(np.count_nonzero(as_floats(node.args[0]) < 0))
        return Reason(
            "out of the domain",
            f"{n} entries of {called(tape, node.args[0])} are below 0, and have no power {data_text(node.args[1])}",
            "Take the power of ad.absolute(x), or of a complex number.",
        )
    if name not in INVERSES or all(measure(a).nan for a in node.args):
        return None
    return Reason(
        "out of the domain",
        f"it made {bad_entries(node)} of {called(tape, node.args[0])}, which goes {range_text(node.args[0])}; "
        f"{name} is defined {INVERSES[name]}",
        "Clip the argument to a little less.",
    )


def of_slope(edge: Edge, tape: Tape) -> Reason:
    """Why the derivative of an op at finite arguments is not finite."""
    argument, x = called(tape, edge.argument), as_floats(edge.argument)
    made = f"its derivative made {bad_entries(edge.contribution().fitted)}"
    wide = in_wider_numbers(edge)
    if wide is not None and measure(wide).is_finite and as_floats(wide).size:
        dtype = getattr(data_of(edge.argument), "dtype", np.dtype(float))
        largest = number_text(float(np.max(np.abs(as_floats(wide)))))
        if np.max(np.abs(as_floats(wide))) > 1e4:
            return Reason(
                "overflow",
                f"{made}: what {argument} gets goes up to {largest}, more than {dtype} can hold",
                "Scale it down.",
            )
    zeros = int(np.count_nonzero(x == 0))
    if zeros:
        what = f"{zeros} of {x.size} entries of {argument} are 0" if x.size > 1 else f"{argument} is 0"
        return Reason(
            "infinite slope",
            f"{made}: {what}, where the slope of {edge.op} is infinite",
            f"Keep the argument of {edge.op} above 0, for example by adding 1e-12 before it.",
            zeros / max(x.size, 1),
        )
    at, c = f"{argument} ({data_text(edge.argument)})", as_floats(edge.contribution().fitted)
    if c.shape == x.shape and x.size > 1:
        bad = ~np.isfinite(c)
        at = f"{share_text(int(np.count_nonzero(bad)), x.size)} of {argument} ({range_text(x[bad])})"
    ends = f"{edge.op} is defined {INVERSES[edge.op]}, and vertical at the end. " if edge.op in INVERSES else ""
    return Reason(
        "infinite slope",
        f"{made}: the slope of {edge.op} is not finite at {at}",
        f"{ends}Keep its argument away from there.",
    )
