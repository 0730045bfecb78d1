"""``ad.why(p, loss)``: why a gradient is None, zero, tiny, exploding or nan, in one paragraph."""

from __future__ import annotations

import contextlib
import gc
import re
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError, StaleDataError, TapeError
from ..core.listing import Tape
from ..core.names import find_names, name_of
from ..core.node import Node, data_of, describe, shape_of, size_of
from ..core.numbers import is_number
from ..core.summary import data_text, kind_text, shorten
from .answer import DISCRETE_REPAIR, Reason, Why, line_text
from .descent import ancestors, live_nodes
from .flow import Flow, line_of, measure
from .nonfinite import bad_entries
from .reading import CHOICE, DETACH, NO_GRAD, Reading
from .swept import HUGE, TINY, fine_reason, judge
from .unreached import Lost, why_unreached, why_untracked


def why(p: Any, loss: Any = None) -> Why:
    """Why the gradient of ``p`` is what it is: None, zero, tiny, exploding, nan, or just right.

    The sweep from ``loss`` to ``p`` is taken apart, and the op where the gradient is lost or goes bad is named, with
    what is the matter there.  No ``.grad`` changes.  Inside ``with ad.trace():`` a program remembers its lines, and
    what left the tape; then the answer names them.

    Parameters
    ----------
    p : Tensor or Value
        Whose gradient is asked about: a parameter, or any other node.
    loss : Tensor or Value, optional
        What is differentiated.  Without it, the last result that is alive and was computed from ``p`` is taken.

    Returns
    -------
    Why
        Prints as one paragraph.  ``.cause`` is a short key, ``.healthy`` says whether there is nothing to repair.

    Raises
    ------
    KindError
        If ``p`` is a model or a list (ask for one of its parameters), or holds symbols; if ``p`` or ``loss`` is
        neither a node nor the plain data of one.
    ArgumentError
        If ``p`` was computed from ``loss``.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> x, w = np.array([[1.0, 2.0], [3.0, 1.0]]), ad.Tensor([[-1.0, -2.0], [-1.0, -1.0]])
    >>> loss = ad.relu(x @ w).sum()
    >>> answer = why(w, loss)
    >>> answer.cause, answer.share
    ('dead relu', 1.0)
    >>> print(answer)
    The gradient of w is zero in all 4 entries. ...
    """
    frame = sys._getframe(1)
    with collector_paused():  # nothing here is in a cycle, and a long tape is much to walk again and again
        return _explain(p, loss, frame)


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Inside, no garbage is collected but what counting references finds."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _explain(p: Any, loss: Any, frame: FrameType) -> Why:
    names = find_names(frame)
    name = _name(p, names)
    if not isinstance(p, Node):
        return _no_node(p, name)
    found = False
    if loss is None and p.tracked:
        loss = _last_result_of(p, names)
        found = loss is not None
    if not p.tracked:
        return _untracked(p, name, frame)
    if loss is None:
        return _without_loss(p, name)
    if not isinstance(loss, Node | np.ndarray) and not is_number(type(loss)):
        raise KindError(
            f"ad.why got {kind_text(loss)} as the loss; it is the node that is differentiated, as in "
            f"ad.why({name}, loss)."
        )
    if not isinstance(loss, Node) or not loss.tracked:
        variable = next((key for key, x in frame.f_locals.items() if x is loss), None)
        return _none(name, why_untracked(p, loss, name), frame, variable)
    if loss.rule is None and loss.index in ancestors(p):
        raise ArgumentError(
            f"ad.why({name}, ...) got a leaf as the loss, and {name} was computed from it. Did you swap them? "
            "It is ad.why(parameter, loss)."
        )
    try:
        tape = Tape.seen_from(frame, [loss], "why")
        if p.index not in {node.index for node in tape}:
            lost = why_unreached(p, loss, tape, name)
            answer = _none(name, lost, frame, names.get(id(loss)), tape)
            # Nobody said that this loss is meant: without a sign that p had to do with it, it is another program's.
            alone = found and lost.guess and answer.cause == lost.reason.cause and not _siblings(name, tape)
            return _without_loss(p, name) if alone else answer
        flow = Flow(tape, loss, p)
    except StaleDataError as error:
        return _of_stored(p, name, Reason("stale data", str(error)))
    except TapeError as error:
        return _of_stored(p, name, Reason("freed", str(error)))
    return judge(flow, name, found)


def _name(p: Any, names: dict[int, str]) -> str:
    found = name_of(p, names) if isinstance(p, Node) else names.get(id(p))
    return shorten(found, 40) if found else describe(p) if isinstance(p, Node) else f"this {type(p).__name__}"


def _last_result_of(p: Node, names: dict[int, str]) -> Node | None:
    """The newest single number alive that depends on ``p``, of those that nothing else uses; else the newest loss."""
    nodes = [node for node in live_nodes() if node.tracked and node.rule is not None and node.args]
    depending = {p.index}
    used: set[int] = set()
    for node in nodes:
        sources = [x.index for x in node.args if isinstance(x, Node)]
        if not depending.isdisjoint(sources):
            depending.add(node.index)
        used.update(sources)
    ends = [node for node in nodes if node.index not in used and size_of(node) == 1]
    ours = [node for node in ends if node.index in depending]
    graded = [node for node in ours if node.grad is not None]
    named = [node for node in ends if id(node) in names]
    return next(reversed(graded or ours or (named if p.grad is None else [])), None)


# What can be said without a sweep


def _no_node(p: Any, name: str) -> Why:
    if callable(getattr(p, "named_parameters", None)) or isinstance(p, list | tuple | dict):
        raise KindError(
            f"ad.why got {kind_text(p)}; it explains the gradient of one node. Ask for one of its parameters, "
            "as in ad.why(model.layers[0].weight, loss), or look at all of them with ad.health(model, loss)."
        )
    if p is not None and not isinstance(p, np.ndarray | np.generic):
        repair = " A number is a constant on every tape: ad.Value(number) makes a node." if is_number(type(p)) else ""
        raise KindError(
            f"ad.why got {kind_text(p)}; it explains the gradient of a Tensor or Value: ad.why(w, loss).{repair}"
        )
    if p is None:
        text = "it is no node. Did a function return nothing, or is it a layer without a bias?"
        return Why("None has no gradient", Reason("not a tensor", text))
    return Why(
        f"{name[0].upper() if name.startswith('this ') else name[0]}{name[1:]} has no gradient",
        Reason(
            "not a tensor",
            f"it is a plain {type(p).__name__}, which is a constant on every tape",
            "Make it a node: ad.Tensor(data).",
        ),
    )


def _untracked(p: Node, name: str, frame: FrameType) -> Why:
    head = f"The gradient of {name} is None"
    if p.rule is None:
        twins = [
            node
            for node in live_nodes()
            if node.tracked
            and node.index < p.index
            and shape_of(node) == shape_of(p)
            and np.asarray(data_of(node)).dtype == np.asarray(p._data).dtype
            and np.array_equal(data_of(node), p._data)
        ]
        if twins and np.size(p._data) > 1:
            made = twins[-1].rule.name if twins[-1].rule is not None else "a leaf"
            return Why(
                head,
                Reason(
                    "detached",
                    f"it holds the data of a tracked node (made by {made}), off the tape: detached, as x.detach() does",
                    "Ask for, and compute with, the node itself.",
                ),
                line=line_of(twins[-1]),
            )
        return Why(
            head,
            Reason(
                "requires_grad=False",
                "it does not require a gradient, so ops on it are not recorded: it is frozen, as you asked for",
                f"If it should learn, set {name}.requires_grad = True before computing the loss.",
                healthy=True,
            )
            if getattr(p._data, "dtype", np.dtype(float)).kind in "fc"
            else Reason(
                "requires_grad=False",
                "it holds whole numbers or truth values, which have no derivative",
                "Convert it with astype(float).",
            ),
        )
    return _none(name, why_untracked(p, p, name), frame)


LEFT_UNSEEN = frozenset({"never reached", "result not used", "no_grad"})
"""Causes behind which the source may show another one."""
LEFT_UNSEEN_HOW = {
    "left the tape": ("left the tape", "Compute with the node itself, by ops of ad."),
    "detached": ("was detached", "Compute with the node itself, if its gradient should pass."),
    "integer cast": ("was converted to whole numbers or truth values", "Leave the conversion away."),
    "no derivative": ("went through a choice or a comparison, which has no derivative,", DISCRETE_REPAIR),
    "no_grad": ("was computed inside no_grad()", "Compute what needs a gradient outside `with ad.no_grad():`."),
}


def _none(name: str, lost: Lost, frame: FrameType, loss_name: str | None = None, tape: Tape | None = None) -> Why:
    nodes = tape.nodes if tape is not None else []
    if lost.line is None or lost.reason.cause == "result not used":
        names = {name} if tape is not None and _siblings(name, tape) else {name, _owner(name)}
        lost = _read(name, lost, Reading(frame), loss_name, names)
    traced = bool(nodes) and all(node.origin is not None for node in nodes if node.rule is not None)
    return Why(f"The gradient of {name} is None", lost.reason, node=lost.node, line=lost.line, traced=traced)


def _owner(name: str) -> str:
    """The variable that a name begins with: ``model`` of ``model.0.weight``."""
    return re.split(r"[.\[]", name)[0]


def _siblings(name: str, tape: Tape) -> list[str]:
    """The names of leaves on a tape that belong to the same model or list."""
    names = [tape.name_of(node) or "" for node in tape if node.rule is None]
    return [other for other in names if re.match(rf"{re.escape(_owner(name))}[.\[]", other)]


def _read(name: str, lost: Lost, reading: Reading, loss_name: str | None, names: set[str]) -> Lost:
    """What the source of the caller adds to what the tape says."""
    reason = lost.reason
    if lost.guess and lost.node is not None and reading.never_reads(name):
        text = f"no op on the tape uses {name}, and no line of the source reads it after it was made"
        return Lost(Reason("never reached", text, "Use it in what the loss is computed from."))
    if reason.cause == "never reached":
        left, again = reading.exit_of(name), reading.overwritten(name)
        if left is not None:
            cause = "detached" if ".detach(" in left.text else "left the tape"
            text = f"{reason.text}. Its data left the tape at {line_text(left)}"
            return lost._replace(reason=Reason(cause, text, "Compute with the node itself, by ops of ad."), line=left)
        if again is not None:
            variable, first, second = again
            text = f"what was made of {name} at {line_text(first)} was overwritten: {variable} is assigned again at "
            repair = "Give the two results two names, or use the first in the second."
            return lost._replace(reason=Reason("overwritten variable", text + line_text(second), repair), line=second)
    if reason.cause in LEFT_UNSEEN and loss_name is not None:
        way = reading.left_on_the_way(names, loss_name)
        if way is not None and (lost.patterns is not NO_GRAD or reading.find(NO_GRAD) is None or way[0] == "no_grad"):
            how, repair = LEFT_UNSEEN_HOW[way[0]]
            text = f"what was made of {name} {how} at {line_text(way[1])}, and came into {loss_name} as a constant"
            return lost._replace(reason=Reason(way[0], text, repair), line=way[1])
    if reason.cause == "left the tape" and not lost.patterns and loss_name is not None:  # the loss is a number
        line = reading.assignment_of(loss_name)
    else:
        line = reading.only(lost.patterns)
    if lost.patterns is NO_GRAD and reading.find(NO_GRAD) is None:  # other untracked results look the same
        line = reading.only(DETACH[:2])
        made = reading.assignment_of(loss_name) if loss_name is not None else None
        if line is not None:
            reason = reason._replace(cause="detached")
        elif made is not None and any(re.search(pattern, made.text) for pattern in CHOICE):
            line = made
            reason = Reason("no derivative", f"{reason.text}; a choice, a count or a comparison has no derivative")
    if line is not None:
        reason = reason._replace(repair=f"{reason.repair} Look at {line_text(line)}.".strip())
    return lost._replace(reason=reason, line=line or lost.line)


def _of_stored(p: Node, name: str, reason: Reason) -> Why:
    """The answer where the tape cannot be swept any more: what ``p.grad`` holds, and why there is no more to see."""
    answer = _without_loss(p, name)
    if answer.healthy:
        return Why(
            f"The gradient of {name} is {data_text(p.grad)}", fine_reason(measure(p.grad)), gradient=answer.gradient
        )
    return Why(f"{answer.head}, and why cannot be seen any more", reason, gradient=answer.gradient)


def _without_loss(p: Node, name: str) -> Why:
    hint = f"Pass the loss to see where it comes from: ad.why({name}, loss)."
    if p.grad is None:
        return Why(
            f"The gradient of {name} is None",
            Reason(
                "backward not called",
                "no result that is alive was computed from it, and no backward() has reached it",
                f"If a loss was, call its backward(), or pass it: ad.why({name}, loss).",
            ),
        )
    size = measure(p.grad)
    text = f"The gradient of {name} is {data_text(p.grad)}"
    if not size.is_finite:
        return Why(text, Reason("nan", f"it has {bad_entries(p.grad)}", hint), gradient=data_of(p.grad))
    if size.is_zero and size.total:
        return Why(text, Reason("zero", "all of it is zero", hint), gradient=data_of(p.grad))
    if size.largest < TINY or size.largest > HUGE:
        what = "tiny" if size.largest < TINY else "exploding"
        return Why(text, Reason(what, f"it is {what}", hint), gradient=data_of(p.grad))
    return Why(text, fine_reason(size), gradient=data_of(p.grad))
