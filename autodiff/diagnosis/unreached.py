"""Why no path of a tape leads from a loss to a node."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.history import Step, mark_of
from ..core.listing import Tape
from ..core.node import Node, shape_of
from ..core.source import Line, Place
from ..core.summary import number_text
from .answer import DISCRETE_REPAIR, Reason, line_text
from .descent import Constant, Cut, Descent, ancestors, constants_of, live_nodes, steps_known
from .flow import called, line_of
from .reading import ARRAY, ASSIGNED, CAST, DETACH, NO_GRAD, NUMBER, find_line, loop_around

DISCRETE = {
    "discretized": (
        "integer cast",
        "was converted to whole numbers or truth values{at}, which have no derivative",
        "Leave astype(int) away, or convert only what needs no gradient, such as an index.",
    ),
    "stop_gradient": (
        "detached",
        "was passed through stop_gradient{at}, which sends no gradient back",
        "Leave stop_gradient away where the gradient should pass.",
    ),
}


class Lost(NamedTuple):
    """Why a gradient is not there: the reason, and the op and line where it was lost, if known.

    Where the line is not known, ``patterns`` say what to look for in the source.  A ``guess`` is what may be so, with
    nothing on the tape, or in what is known of the program, that says it.
    """

    reason: Reason
    node: Node | None = None
    line: Line | None = None
    patterns: tuple[str, ...] = ()
    guess: bool = False


def why_unreached(p: Node, loss: Node, tape: Tape, name: str) -> Lost:
    """Why no path of the tape of ``loss`` leads to ``p``."""
    nodes = live_nodes()
    descent = Descent(p, steps_known(nodes))
    for constant in constants_of(tape):
        cut = descent.cut_at(constant)
        if cut is not None:
            return _at_cut(cut, constant, name)
    for node in reversed(tape.nodes):
        found = descent.cuts.get(node.index)
        if found is not None:
            return _at_cut(found, None, name)
    return (
        _made_anew(descent, tape, name)
        or _computed_later(p, loss, tape, name)
        or _replaced(p, tape, name)
        or _too_late(p, loss, name)
        or _unused(descent, tape, name)
        or _suspects(descent, tape, name)
        or Lost(
            Reason("never reached", f"no op on the tape of the loss uses {name}, or anything computed from it"),
            guess=True,
        )
    )


def _made_anew(descent: Descent, tape: Tape, name: str) -> Lost | None:
    """Whether a leaf of the tape was made of data that had been computed from ``p``."""
    for user in reversed(tape.nodes):
        for k, leaf in enumerate(user.args):
            mark = mark_of(leaf._data) if isinstance(leaf, Node) and leaf.tracked and leaf.rule is None else None
            before = descent.marks.get(mark) if mark is not None else None
            if before is not None:
                return _detached(before, _origin(before, name), None, Constant(user, k, leaf))
    return None


def _at_cut(cut: Cut, constant: Constant | None, name: str) -> Lost:
    before, after = cut.before, cut.after
    origin = _origin(before, name)
    node = constant.user if constant is not None else None
    at = f" at {line_text(after.place.line)}" if after is not None and after.place is not None else ""
    if cut.how in ("discrete", "no_grad") and at:
        origin = origin.replace(at, "")  # that line is named once
    if cut.how == "discrete" and after is not None:
        return Lost(_discrete(after.op, origin, at), node, _line(after.place))
    if cut.how == "no_grad" and after is not None:
        return Lost(
            Reason(
                "no_grad",
                f"{after.op}{at} was computed from {origin} inside no_grad(), where nothing is recorded",
                "Compute what needs a gradient outside `with ad.no_grad():`.",
            ),
            node,
            _line(after.place),
        )
    if cut.how == "untracked":
        return Lost(
            Reason(
                "requires_grad=False",
                f"{name} did not require a gradient when it was used: it is a constant on the tape",
                "Set requires_grad before computing the loss.",
            ),
            node,
            line_of(node),
        )
    return _detached(before, origin, after, constant)


def _origin(before: Step | None, name: str) -> str:
    """The last step that is tracked, in words."""
    if before is None:
        return name
    at = f" at {line_text(before.place.line)}" if before.place is not None else ""
    return f"what {before.op} made of {name}{at}"


def _detached(before: Step | None, origin: str, after: Step | None, constant: Constant | None) -> Lost:
    """The answer for data that came back without its past."""
    use = after.place if after is not None else None
    user = constant.user if constant is not None else None
    if use is None and user is not None and user.origin is not None:
        use = user.origin.place
    x = constant.x if constant is not None else None
    op = after.op if after is not None else user.rule.name if user is not None and user.rule is not None else "an op"
    cause = "detached"
    patterns: tuple[str, ...] = DETACH
    if isinstance(x, Node) and x.tracked:
        how = f"came back to {op} as a new leaf, as ad.{type(x).__name__}(x.data) makes it"
        patterns = DETACH[2:]
    elif isinstance(x, Node) or x is None:
        how = f"came back to {op} as a constant: detached on the way, as x.detach() does"
    elif isinstance(x, np.ndarray):
        cause, patterns = "left the tape", ARRAY
        how = f"came back to {op} as a plain array, as x.data or x.numpy() gives it"
    else:
        cause, patterns = "left the tape", NUMBER
        how = f"came back to {op} as the plain number {number_text(x)}, as x.item() gives it"
    left = _exit_line(before.place if before is not None else None, use, patterns)
    if left is not None:
        how += f"; it left the tape {'on that line' if line_text(left) in origin else f'at {line_text(left)}'}"
    elif use is not None:
        how += f"; {op} stands at {line_text(use.line)}"
    return Lost(
        Reason(cause, f"{origin} {how}", "Compute with the node itself, if its gradient should pass."),
        user,
        left or _line(use),
    )


def _discrete(op: str, origin: str, at: str = "") -> Reason:
    if op in DISCRETE:
        cause, what, repair = DISCRETE[op]
        return Reason(cause, f"{origin} {what.replace('{at}', at)}", repair)
    return Reason(
        "no derivative",
        f"{op}{at} was computed from {origin}: its result is a choice or a count, which has no derivative",
        DISCRETE_REPAIR,
    )


def _line(place: Place | None) -> Line | None:
    return place.line if place is not None else None


def _exit_line(before: Place | None, use: Place | None, patterns: Sequence[str]) -> Line | None:
    """The last line between two places that fits the first pattern that any fits."""
    if use is None:
        return None
    first = use.line.number
    last = use.last
    if before is not None and before.line.filename == use.line.filename:
        loop = loop_around(use.line) if before.line.number >= first else None
        if before.line.number <= first:
            first = before.line.number
        found = find_line(use.line.filename, first, last, patterns)
        if found is not None or loop is None:
            return found
        first, last = loop  # from one turn to the next
    return find_line(use.line.filename, first, last, patterns)


def _computed_later(p: Node, loss: Node, tape: Tape, name: str) -> Lost | None:
    """Whether ``p`` was computed after the loss, from a leaf that the loss uses."""
    past = ancestors(p) if p.index > loss.index else set()
    leaf = next((x for x in tape if x.rule is None and x.index in past), None)
    if leaf is None:
        return None
    if id(p) in tape.names and shape_of(p) == shape_of(leaf):
        made = p.rule.name  # type: ignore[union-attr]
        text = f"{name} is no longer what the loss used: it is the result of {made}, computed from it afterwards"
        repair = (
            "Assign new data to the leaf, w.data = w.data - lr * w.grad, or use an optimizer: w = w - ... makes "
            "another node."
        )
        return Lost(Reason("overwritten variable", text, repair), p, line_of(p))
    used = called(tape, leaf)
    text = f"{name} is a new node, computed after the loss from {used}, which the loss uses"
    return Lost(Reason("newer than the loss", text, f"Ask for that: ad.why({used}, loss)."), p)


def _replaced(p: Node, tape: Tape, name: str) -> Lost | None:
    """Whether the loss uses another leaf that stands for the same parameter."""
    if p.rule is not None:
        return None
    for leaf in tape:
        if leaf.rule is not None or shape_of(leaf) != shape_of(p):
            continue
        found = tape.names.get(id(p), "")
        same_name = p.name is not None and leaf.name == p.name and not found.endswith(p.name)
        same_data = mark_of(p._data) is not None and mark_of(p._data) == mark_of(leaf._data)
        if same_name or same_data:
            other = tape.name_of(leaf)
            other = other if other and other != name else "another tensor"
            return Lost(
                Reason(
                    "replaced",
                    f"the loss uses {other}, a leaf of the same {'name' if same_name else 'data'} and shape, and not "
                    f"{name}: one was replaced by the other",
                    "Ask for the one that the loss uses, and make the optimizer after the last change of parameters.",
                ),
                leaf,
            )
    return None


def _too_late(p: Node, loss: Node, name: str) -> Lost | None:
    if p.index < loss.index:
        return None
    return Lost(
        Reason(
            "newer than the loss",
            f"{name} was made, or given other data, after the loss was computed",
            "Compute the loss again, from what it is now.",
        ),
        guess=True,
    )


def _unused(descent: Descent, tape: Tape, name: str) -> Lost | None:
    """Whether something was computed from ``p``, of which nothing went into the loss."""
    if not descent.used:
        return None
    cut = next((c for c in descent.cuts.values() if c is not None and c.how in ("discrete", "no_grad")), None)
    if cut is not None and any(isinstance(constant.x, Node) for constant in constants_of(tape)):
        return _at_cut(cut, None, name)
    open_ends = [step for step in descent.used if descent.cuts[step.number] is None]
    if not open_ends and cut is not None and cut.how == "discrete":
        return _at_cut(cut, None, name)
    sources = {index for step in open_ends or descent.used for index in step.sources}
    last = next(s for s in reversed(open_ends or descent.used) if s.number not in sources)
    made = _origin(last, name)
    again = _assigned_again(last.place, tape)
    if again is not None:
        variable, line = again
        at = f"at {line_text(line)}" if line_text(line) not in made else "there in a later turn of the loop"
        text = f"{made} was overwritten: {variable} is assigned again {at}, without using what it was"
        repair = "Give the two results two names, or use the first in the second."
        return Lost(Reason("overwritten variable", text, repair), None, line)
    suspect = _suspect(descent, tape)
    left = _left_after(last.place, tape, suspect.patterns if suspect is not None else ())
    if left is not None:
        text = (
            f"{made} left the tape at {line_text(left)}, and what was computed from it there is a constant to the loss"
        )
        repair = "Compute with the node itself, by ops of ad, if its gradient should pass."
        return Lost(Reason("left the tape", text, repair), None, left)
    text = f"{made} did not go into the loss, nor did anything computed from it"
    repair = "Follow that result: is it overwritten, returned and dropped, or turned into plain data?"
    return Lost(Reason("result not used", text, repair), None, _line(last.place))


def _left_after(place: Place | None, tape: Tape, patterns: tuple[str, ...]) -> Line | None:
    """The line that took data off the tape between a place and what the tape made after it, in the same function."""
    if place is None:
        return None
    later = [node.origin.place for node in tape if node.origin is not None]
    here = [p for p in later if p.line.filename == place.line.filename and p.function == place.function]
    last = max((p.last for p in here if p.line.number >= place.line.number), default=place.last)
    return find_line(place.line.filename, place.line.number, last, patterns)


def _assigned_again(place: Place | None, tape: Tape) -> tuple[str, Line] | None:
    """The variable that is assigned on a line, and the line that the loss came from where it is assigned again."""
    found = ASSIGNED.match(place.line.text) if place is not None else None
    if place is None or found is None:
        return None
    variable = found[1]
    later = {line_of(node) for node in tape}
    for line in sorted(line for line in later if line is not None and line.filename == place.line.filename):
        again = ASSIGNED.match(line.text)
        later_turn = line == place.line and loop_around(line) is not None
        if (line.number > place.line.number or later_turn) and again is not None and again[1] == variable:
            return None if re.search(rf"\b{re.escape(variable)}\b", again[2]) else (variable, line)
    return None


class Suspect(NamedTuple):
    """Something on a tape that may have been computed from a node, with nobody having seen how."""

    cause: str
    text: str
    user: Node
    x: Any
    patterns: tuple[str, ...]


def _suspect(descent: Descent, tape: Tape) -> Suspect | None:
    """The newest constant, or else leaf, that looks as if it had been computed."""
    for user, _, x in constants_of(tape):
        if isinstance(x, Node):
            if descent.knows(x):
                continue
            found = _suspect_node(user, x, tape)
            if found is not None:
                return found
        elif _is_nobodys(x, tape):
            text = f"{_into(user)} goes a plain array of shape {x.shape} that no variable holds"
            return Suspect("never reached", text, user, x, ARRAY)
    for user in reversed(tape.nodes):
        for x in user.args:
            if isinstance(x, Node) and x.tracked and x.rule is None and shape_of(x) and not tape.name_of(x):
                text = (
                    f"{_into(user)} goes a leaf of shape {shape_of(x)} that no variable holds, made by ad.Tensor(...)"
                )
                return Suspect("never reached", text, user, x, DETACH[2:])
    return None


def _suspect_node(user: Node, x: Node, tape: Tape) -> Suspect | None:
    if x.rule is None:
        text = f"{_into(user)} goes a constant tensor of shape {shape_of(x)}, as x.detach() gives it"
        return Suspect("detached", text, user, x, DETACH) if not tape.name_of(x) else None
    if x.rule.name == "dropout_mask":
        return None
    if not x.rule.differentiable or x.rule.name == "where":
        patterns = CAST if x.rule.name == "discretized" else (rf"\b{x.rule.name}\(",)
        return Suspect("no derivative", "", user, x, patterns)
    made = f"made by {x.rule.name} inside no_grad() or of what was detached"
    text = f"{_into(user)} goes {called(tape, x)} as a constant, {made}"
    return Suspect("no_grad", text, user, x, NO_GRAD)


def _into(user: Node) -> str:
    line = line_of(user)
    return f"into {user.rule.name}{f' at {line_text(line)}' if line is not None else ''}" if user.rule else ""


def _suspects(descent: Descent, tape: Tape, name: str) -> Lost | None:
    """What on the tape may have been computed from ``p``, if nobody has seen how."""
    suspect = _suspect(descent, tape)
    if suspect is None:
        return None
    x, user = suspect.x, suspect.user
    hint = f"If that was computed from {name}, it is the reason."
    if suspect.cause == "no derivative":
        reason = _discrete(x.rule.name, f"{name} or something else")._replace(repair=hint)
    else:
        reason = Reason(suspect.cause, f"no op on the tape uses {name}; but {suspect.text}", hint)
    return Lost(reason, user, line_of(x) or line_of(user), suspect.patterns, guess=True)


def _is_nobodys(x: Any, tape: Tape) -> bool:
    """Whether an array of floats belongs to no variable, nor is part of one that does."""
    if not isinstance(x, np.ndarray) or not x.ndim or x.dtype.kind not in "fc":
        return False
    return not tape.name_of(x) and not (x.base is not None and tape.name_of(x.base))


def why_untracked(p: Node, loss: Any, name: str) -> Lost:
    """Why a result, which may be ``p`` itself, is not on a tape."""
    what = "it" if loss is p else "the loss"
    if not isinstance(loss, Node):
        return Lost(
            Reason(
                "left the tape",
                f"{what} is a plain {type(loss).__name__}: it left the tape, as x.item(), x.numpy() and float(x) do",
                "Keep the node: call .item() only to print it.",
            )
        )
    line = line_of(loss)
    at = f" at {line_text(line)}" if line is not None else ""
    if loss.rule is None:
        return Lost(
            Reason(
                "detached",
                f"{what} was not computed from anything on a tape: it was detached, or made anew as a Tensor of data",
                "Keep what the ops return: x.detach() and ad.Tensor(x.data) leave the tape.",
            )
        )
    cut = Descent(p, steps_known(live_nodes())).cuts.get(loss.index)
    if cut is not None:
        lost = _at_cut(cut, None, name)
        return lost._replace(node=loss)
    if not loss.rule.differentiable:
        text = f"{what} is the result of {loss.rule.name}{at}: a choice or a count, which has no derivative"
        return Lost(Reason("no derivative", text, DISCRETE_REPAIR), loss, line)
    if getattr(loss._data, "dtype", np.dtype(float)).kind in "biu":
        text = f"{what}, made by {loss.rule.name}{at}, holds {loss.dtype}: on the way to it, data"  # type: ignore[attr-defined]
        return Lost(_discrete("discretized", text), loss, line)
    return Lost(
        Reason(
            "no_grad",
            f"{what} was made by {loss.rule.name}{at} inside no_grad(), or from constants only: nothing was recorded",
            "Compute it outside `with ad.no_grad():`, from a tensor that requires a gradient; to update a parameter, "
            "assign to w.data.",
        ),
        loss,
        line,
        NO_GRAD,
    )
