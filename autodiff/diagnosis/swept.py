"""What a sweep shows of a gradient: whether it is zero, tiny, exploding, nan or fine, and where it became so."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.node import Node, data_of, shape_of, size_of
from ..core.summary import data_text, number_text
from .answer import DISCRETE_REPAIR, Reason, Why, made_at, sentence
from .causes import INSIDE, chooser, reason
from .causes_by_rule import LOSSES, RESIDUALS
from .flow import Edge, Flow, Size, as_floats, called, line_of, measure
from .nonfinite import bad_entries, culprit, first_nonfinite, of_result
from .parts import part_reason

TINY = 1e-6
"""A gradient with no entry above this is tiny: no usual learning rate moves anything by it."""
SMALL = 1e-3
"""One with no entry above this is called tiny if the way to it is flat, and the loss is not small itself."""
HUGE = 1e5
"""One with an entry above this explodes."""
REPEATED = 5
"""How often an op must stand on the tape for what it makes to be called a product of many."""
MOST_STATIONARY = 10
"""So many points where the slope is 0 are looked behind, one after the other."""
SINGLE = 0.6
"""The share of a loss or growth, in powers of ten, from which one op is named for it instead of the whole path."""


def judge(flow: Flow, name: str, found: bool) -> Why:
    """What there is to say of the gradient that a sweep finds; ``found`` if nobody said which loss is meant."""
    g = flow.gradient
    of = f"The gradient of {name}"
    if found:
        of += f", as {called(flow.tape, flow.loss)} gives it,"
    if g is None:
        return _refused(flow, of)
    size = measure(g)
    if not size.total:
        return Why(
            f"{of} is empty",
            Reason("nothing is odd", "So is its data: there is nothing to differentiate", healthy=True),
        )
    if not size.is_finite:
        return _of_nonfinite(flow, f"{of} has {bad_entries(g)}", *first_nonfinite(flow))
    made = culprit(flow.loss) if not measure(flow.loss).is_finite else None
    if made is not None:
        head = f"{of} is {data_text(g)}, and the loss is {data_text(flow.loss)}"
        return _of_nonfinite(flow, head, made, of_result(made, flow.tape), None)
    if size.is_zero:
        return _of_zero(flow, of)
    answer = _of_size(flow, of, size)
    return answer or _of_right_size(flow, of, size, name, found)


def _where(flow: Flow, node: Node, text: str, kind: str = "It is lost at") -> str:
    return f"{kind} {made_at(flow.tape, node)}: {text}"


def _at(
    flow: Flow, of: str, edge: Edge, found: Reason, kind: str, path: Sequence[Edge], node: Node | None = None
) -> Why:
    node = node if node is not None else edge.node
    found = found._replace(text=_where(flow, node, found.text, kind))
    return Why(of, found, gradient=flow.gradient, node=node, line=line_of(node), path=path)


def _refused(flow: Flow, of: str) -> Why:
    """The tape leads to ``p``, but an op has no derivative in that argument."""
    for node in reversed(flow.tape.nodes):
        for k, x in enumerate(node.args):
            if node.index in flow.cotangents and isinstance(x, Node) and x.index in flow.depending:
                rule: Any = node.rule
                wrt = rule.inputs[0] if rule.variadic else rule.inputs[k]
                if not flow.into.get(x.index) and wrt not in rule.vjps:
                    text = f"{rule.name} has no derivative in its argument {wrt}, which is {called(flow.tape, x)}"
                    found = Reason("no derivative", text, DISCRETE_REPAIR) if rule.vjps else INSIDE
                    found = found._replace(text=_where(flow, node, found.text))
                    return Why(f"{of} is None", found, node=node, line=line_of(node))
    return Why(f"{of} is None", Reason("never reached", "no cotangent arrives"))


def _of_nonfinite(flow: Flow, of: str, node: Node, found: Reason, edge: Edge | None) -> Why:
    if node.rule is None:
        return Why(of, found, gradient=flow.gradient, node=node)
    kind = "The derivative goes bad first at" if edge is not None else "The first op that makes it is"
    text = _where(flow, node, found.text, kind)
    return Why(of, found._replace(text=text), gradient=flow.gradient, node=node, line=line_of(node))


def _of_zero(flow: Flow, of: str) -> Why:
    size = measure(flow.gradient)
    of += f" is zero in all {size.total} entries" if size.total > 1 else " is zero"
    lost = flow.lost()
    if not lost:
        return _of_cancelled(flow, of) or Why(
            of, Reason("zero", "nothing that is not zero starts out"), gradient=flow.gradient
        )
    reasons = [(edge, reason(edge, flow.tape, "zero")) for edge in lost[:20]]
    first, found = next(((e, r) for e, r in reasons if not r.healthy), reasons[0])
    edge = first
    if found.healthy or any(e.node is not first.node for e in lost):  # what stands behind all of them comes first
        edge, found = _lost_behind(flow, first, found)
    elsewhere = Counter(f"{e.op}" for e in lost if e.node is not first.node)
    if elsewhere:
        more = ", ".join(f"{op} × {n}" if n > 1 else op for op, n in elsewhere.most_common(3))
        found = found._replace(text=f"{found.text}. On the other paths it is lost too, at {more}")
    kind = "The slope is zero at" if found.healthy else "It is lost at"
    moved = found.cause == "not chosen" and edge.node.rule is not None and edge.node.rule.linear
    return _at(flow, of, edge, found, kind, (), chooser(edge, flow.tape) if moved else None)


def _lost_behind(flow: Flow, edge: Edge, found: Reason) -> tuple[Edge, Reason]:
    """Where any cotangent would be lost behind a point where the slope is 0; that point itself if it would pass."""
    at = edge
    for _ in range(MOST_STATIONARY):
        behind = flow.behind(at)
        lost = behind.lost()
        if behind.gradient is None or not measure(behind.gradient).is_zero or not lost:
            break
        for e in lost[:20]:
            r = reason(e, flow.tape, "zero")
            if not r.healthy:
                return e, r
        at = lost[0]
    return edge, found


def _of_cancelled(flow: Flow, of: str) -> Why | None:
    cancelled = flow.cancelled()
    if cancelled is None:
        return None
    node, uses = cancelled
    ops = " and ".join(dict.fromkeys(edge.op for edge in uses))
    sizes = number_text(max(edge.after.norm for edge in uses))
    what = called(flow.tape, node)
    if _constant_difference(node, uses) or not flow.depends():
        example = "x - x, or a sum of what was normalised"
        found = Reason(
            "cancelled",
            f"{what} is used {len(uses)} times, and what its uses ({ops}) send back, {sizes} in size, adds up to zero: "
            f"the loss does not depend on it, as in {example}",
            "Look at those uses: which of them did you mean to keep?",
        )
    else:
        found = Reason(
            "stationary point",
            f"the {len(uses)} uses of {what} (by {ops}) send back {sizes} in size, which cancels: a stationary point",
            healthy=True,
        )
    return Why(of, found, gradient=flow.gradient, node=uses[0].node, line=line_of(uses[0].node))


def _constant_difference(node: Node, uses: list[Edge]) -> bool:
    """Whether the uses of a node cancel whatever its data is: only additions, subtractions and the like use it."""
    plain = {"add", "subtract", "negative", "sum", "mean", "divide", "multiply"}
    return all(edge.op in plain for edge in uses) and len({id(edge.node) for edge in uses}) <= 2


def _of_size(flow: Flow, of: str, size: Size) -> Why | None:
    """The answer for a gradient that is tiny or explodes; None if it is neither."""
    if size.largest > HUGE:
        return _by_worst(flow, f"{of} explodes: it goes up to {number_text(size.largest)}", "large")
    if size.largest >= SMALL:
        return None
    head = f"{of} is tiny: at most {number_text(size.largest)}"
    loss = measure(flow.loss).largest
    if size.largest >= TINY:
        answer = _by_worst(flow, head, "small") if loss > 100 * size.largest else None
        return answer if answer is not None and answer.cause.startswith("saturated") else None
    return _of_cancelled(flow, head) or _near_minimum(flow, head, size, loss) or _by_worst(flow, head, "small")


def _near_minimum(flow: Flow, head: str, size: Size, loss: float) -> Why | None:
    """The answer where it is the slope of the loss itself that is small."""
    for edge in flow.heaviest_path[:4]:
        made = edge.argument.rule
        is_difference = made is not None and made.name in ("add", "subtract")
        is_residual = edge.op in LOSSES or (edge.op in RESIDUALS | {"power"} and is_difference)
        if is_residual and loss < 0.01 and size.largest >= TINY * edge.gain:
            text = (
                f"the slope of {edge.op} is small there, for the loss is {number_text(loss)}: it is close to a minimum"
            )
            return Why(head, Reason("stationary point", text, healthy=True), gradient=flow.gradient, node=edge.node)
    return None


def _by_worst(flow: Flow, head: str, kind: str) -> Why | None:
    """The answer that names the op, or the ops, along the heaviest path that make a gradient small or large."""
    large = kind == "large"
    path = flow.heaviest_path
    changes = [(edge, math.log10(gain)) for edge in path if edge.after.norm and (gain := edge.gain)]
    worked = [(edge, abs(c)) for edge, c in changes if c and (c > 0) == large]
    if not worked:
        return None
    edge, most = max(worked, key=lambda pair: pair[1])
    if most < SINGLE * _weight(worked):
        return _of_many(flow, head, worked, large)
    found = reason(edge, flow.tape, kind)
    grown = [node for node in flow.depending.values() if node.rule is edge.node.rule]
    if found.cause.endswith("factor") and len(grown) >= REPEATED and _meets_itself(flow, edge):
        text = f"{found.text}: that is the product of the {len(grown)} {edge.op} before it"
        found = found._replace(cause=f"product of {kind} factors", text=text)
    if found.cause == "small factor" and (lost := _lost_beside(flow, path)) is not None:
        at, what = lost
        left = f"What is left comes by {made_at(flow.tape, edge.node)}, a factor of {number_text(edge.gain)}"
        return _at(flow, head, at, what._replace(text=f"{what.text}. {left}"), "Nearly all of it is lost at", path)
    verb = f"It {'grows' if large else 'shrinks'} by a factor of {number_text(edge.gain)} at"
    return _at(flow, head, edge, found, verb if not found.healthy else "The slope is nearly zero at", path)


def _lost_beside(flow: Flow, path: Sequence[Edge]) -> tuple[Edge, Reason] | None:
    """Where a gradient is lost on all ways but the heaviest: a penalty on the weights hides that they are dead."""
    taken = {edge.node.index for edge in path}
    for edge in [e for e in flow.lost() if e.node.index not in taken][:20]:
        at, found = _lost_behind(flow, edge, reason(edge, flow.tape, "zero"))
        if not found.healthy:
            return at, found
    return None


def _meets_itself(flow: Flow, edge: Edge) -> bool:
    """Whether an op multiplies by something that depends on the same node."""
    return any(isinstance(x, Node) and x.index in flow.depending for x in edge.others)


def _of_many(flow: Flow, head: str, worked: list[tuple[Edge, float]], large: bool) -> Why:
    """The answer where no single op is to blame but the product of many."""
    by_op: dict[str, list[tuple[Edge, float]]] = {}
    for edge, c in worked:
        by_op.setdefault(edge.op, []).append((edge, c))
    adding = next((edge for edge, c in worked if edge.op == "sum" and 2 * c >= SINGLE * _weight(worked)), None)
    if adding is not None and (found := reason(adding, flow.tape, "large")).cause == "large sum":
        return _at(flow, head, adding, found, "It grows at", [edge for edge, _ in worked])
    op, most = max(by_op.items(), key=lambda pair: _weight(pair[1]))
    worst, _ = max(most, key=lambda pair: pair[1])
    found = reason(worst, flow.tape, "large" if large else "small")
    if found.cause.startswith("saturated"):
        flat = [edge for edge, _ in most if reason(edge, flow.tape, "small").cause == found.cause]
        if len(flat) >= 0.5 * len(most):
            found = found._replace(text=f"{found.text}. So it is at {len(flat)} of {len(most)} {op} on the way")
            return _at(flow, head, worst, found, "It shrinks most at", [edge for edge, _ in worked])
    ranked = sorted(by_op.items(), key=lambda pair: -_weight(pair[1]))
    factors = [_factors(name, edges, large) for name, edges in ranked[:3] if _weight(edges) >= 0.05 * _weight(worked)]
    product = number_text(10 ** (_weight(worked) * (1 if large else -1)), 2)
    text = (
        f"no single op is to blame: the {len(worked)} factors {'above' if large else 'below'} 1 along the heaviest "
        f"path multiply to {product} ({'; '.join(factors)})"
    )
    repair = (
        "Scale the weights down, normalise between the layers, or clip the gradient."
        if large
        else "Use relu or another activation that is not flat, larger weights, normalisation, or skip connections."
    )
    cause = "product of large factors" if large else "product of small factors"
    return Why(
        head,
        Reason(cause, text, repair),
        gradient=flow.gradient,
        node=worst.node,
        line=line_of(worst.node),
        path=[edge for edge, _ in worked],
    )


def _weight(edges: list[tuple[Edge, float]]) -> float:
    return sum(c for _, c in edges)


def _factors(name: str, edges: list[tuple[Edge, float]], large: bool) -> str:
    mean = _weight(edges) / len(edges)
    factor = number_text(10 ** (mean if large else -mean), 2)
    return f"{name} × {len(edges)}, each by about {factor}" if len(edges) > 1 else f"{name} by {factor}"


def _of_right_size(flow: Flow, of: str, size: Size, name: str, found: bool) -> Why:
    """The answer for a gradient that arrives: what has become of it in ``p.grad``, parts of it, or nothing odd."""
    g = flow.gradient
    fine = fine_reason(size)
    part = part_reason(flow, name)
    state = _of_stored(flow, name, found) if part is None or part[1].healthy else None
    if state is not None and not state.healthy:
        return Why(f"{of.removesuffix(',')}, computed now, is {data_text(g)}", state, gradient=g)
    edge, reason = part or (None, fine)
    if reason.healthy:
        notes = [fine.text, *(r.text for r in (part[1] if part else None, state) if r is not None)]
        reason = reason._replace(text=" ".join(sentence(note) for note in notes))
        if part is None and state is not None:
            reason = reason._replace(cause=state.cause)
    return Why(
        f"{of} is {data_text(g)}",
        reason,
        gradient=g,
        node=edge.node if edge else None,
        line=line_of(edge.node) if edge else None,
        path=flow.heaviest_path,
    )


def _of_stored(flow: Flow, name: str, found: bool) -> Reason | None:
    """What differs between the gradient that the sweep finds and the one that ``p`` holds."""
    p, loss = flow.p, flow.loss
    stored = data_of(p.grad)
    if stored is None:
        if loss.grad is None:
            text = f"{name}.grad is None only because backward() has not been called on this loss"
            if size_of(loss) != 1:
                text += f", and it needs a single number: {called(flow.tape, loss)} has {size_of(loss)} entries, of "
                text += "which the sum was taken here"
            if found:
                return Reason("backward not called", text, f"Call {called(flow.tape, loss)}.backward().")
            return Reason("nothing is odd", text, healthy=True)
        return Reason(
            "zero_grad after backward",
            f"{name}.grad is None although backward() has been called: it was set to None since, as zero_grad() does",
            "Call zero_grad() before backward(), and step() after it.",
        )
    if shape_of(stored) != shape_of(flow.gradient) or loss.grad is None:
        return None
    a, b = as_floats(stored), as_floats(flow.gradient)
    if a.dtype.kind == "c" or not np.all(np.isfinite(a)):
        return None
    if not a.any():
        return Reason(
            "zero_grad after backward",
            f"{name}.grad is zero although backward() has been called: it was set to zero since",
            "Set gradients to zero before backward(), not after it.",
        )
    ratio = float(np.sum(a * b, dtype=float) / np.sum(b * b, dtype=float))
    if not np.allclose(a, ratio * b, rtol=1e-6, atol=1e-9 * measure(a).largest):
        return None
    times = round(ratio)
    if times >= 2 and math.isclose(ratio, times, rel_tol=1e-6):
        return Reason(
            "accumulated",
            f"{name}.grad holds {times} times that: backward() was called {times} times, and leaves add up",
            "Call zero_grad() before each backward().",
        )
    if not math.isclose(ratio, 1, rel_tol=1e-5):
        return Reason(
            "scaled since",
            f"{name}.grad is {number_text(ratio)} times that: it was scaled after backward(), as clipping does; "
            "nothing is odd on the way",
            healthy=True,
        )
    return None


def fine_reason(size: Size) -> Reason:
    """The reason of a gradient that needs none."""
    mean = number_text(float(size.norm / math.sqrt(max(size.total, 1))))
    sizes = f": |gradient| is {mean} (root mean square), at most {number_text(size.largest)}" if size.total > 1 else ""
    return Reason("nothing is odd", f"Nothing is odd about it{sizes}", healthy=True)
