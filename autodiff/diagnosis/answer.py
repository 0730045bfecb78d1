"""What ``ad.why`` answers with: a reason, and the paragraph that is made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.listing import Tape
from ..core.node import Node, describe
from ..core.source import Line
from ..core.summary import number_text, shorten
from .flow import Edge, as_floats, line_of

DISCRETE_REPAIR = "Use it only for what needs no gradient; ad.softmax or ad.sigmoid are smooth choices."


class Reason(NamedTuple):
    """Why an op does what it does to a gradient.

    ``share`` is the part of the entries that this holds for; ``healthy`` if there is nothing to repair.
    """

    cause: str
    text: str
    repair: str = ""
    share: float | None = None
    healthy: bool = False


def line_text(line: Line) -> str:
    """A line of source in a sentence: ``model.py:12 `h = ad.relu(z)` ``."""
    return f"{line.where} `{shorten(line.text, 80)}`" if line.text else line.where


def share_text(n: int, total: int, what: str = "entries") -> str:
    """``12 of 40 entries``; ``all 40 entries``."""
    return f"all {total} {what}" if n == total else f"{n} of {total} {what}"


def all_of(name: str, total: int) -> str:
    """``all 40 entries of h are``, of a single number ``h is``."""
    return f"{name} is" if total == 1 else f"all {total} entries of {name} are"


def range_text(x: Any) -> str:
    """From where to where the entries go."""
    entries = as_floats(x)
    entries = entries[np.isfinite(entries)] if entries.dtype.kind == "f" else np.abs(entries)
    if not entries.size:
        return "no finite entry"
    low, high = number_text(float(entries.min())), number_text(float(entries.max()))
    return low if low == high else f"from {low} to {high}"


TRACE_HINT = "Compute inside `with ad.trace():` and ask again, to see the line."
WITHOUT_LINE = frozenset({"nan in the data", "replaced", "newer than the loss", "overwritten variable"})
"""Causes that no op is to blame for."""
SEEN_BY_TRACING = frozenset(
    {"never reached", "result not used", "detached", "left the tape", "no_grad", "integer cast"}
)
"""Causes of which more is known where the program was traced."""


class Why:
    """What :func:`why` found out.  Printed, it is one paragraph.

    Attributes
    ----------
    cause : str
        A short stable key, such as ``"never reached"`` or ``"dead relu"``; ``"nothing is odd"`` if there is none.
    healthy : bool
        Whether there is nothing to repair.
    text : str
        The paragraph.
    gradient : ndarray, number or None
        What a sweep from the loss sends to the node, whether or not ``backward`` was called; None if nothing arrives.
    node : Node or None
        The op where the gradient is lost, or goes bad.
    line : Line or None
        The line of source that made it; ``line.filename``, ``line.number``.
    share : float or None
        The part of the entries that the cause holds for, such as 1.0 if all units of a relu are dead.
    path : list of tuple
        From the loss back to the node by the largest contribution: the op, and the size of the cotangent behind it.
    """

    # Slots, so that an answer in a variable gives the node in it no name.
    __slots__ = ("cause", "gradient", "head", "healthy", "line", "node", "path", "repair", "share", "text")

    def __init__(
        self,
        head: str,
        reason: Reason,
        *,
        gradient: Any = None,
        node: Node | None = None,
        line: Line | None = None,
        path: Sequence[Edge] = (),
        traced: bool = False,
    ) -> None:
        self.cause, self.healthy, self.share = reason.cause, reason.healthy, reason.share
        self.head, self.repair = head, reason.repair
        joint = ". " if reason.text[0].isupper() else ": "
        parts = [f"{head}{joint}{reason.text}", reason.repair]
        if line is None and not traced and not reason.healthy and (node is not None or reason.cause in SEEN_BY_TRACING):
            parts.append(TRACE_HINT if reason.cause not in WITHOUT_LINE else "")
        self.text = " ".join(sentence(part) for part in parts if part)
        self.gradient, self.node, self.line = gradient, node, line
        self.path = [(edge.op, edge.after.norm) for edge in path]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        """The paragraph for a notebook, with its cause as a headline."""
        from html import escape  # only a notebook needs it

        colour = "#009E73" if self.healthy else "#D55E00"  # Okabe-Ito: bluish green, vermilion
        text = re.sub("`([^`]*)`", r"<code>\1</code>", escape(self.text))
        return (
            f'<div style="border-left: 4px solid {colour}; padding: 0.2em 0.8em; max-width: 50em">'
            f"<strong>{escape(self.cause)}</strong><br>{text}</div>"
        )


def sentence(text: str) -> str:
    """A text that begins with what it begins with and ends with a stop."""
    return text if text.endswith((".", "?", "!", ":")) else f"{text}."


def made_at(tape: Tape, node: Node) -> str:
    """An op by its name and where it stands: in a module, on a line of source, or on the tape."""
    if node.rule is None:
        return describe(node)
    name = tape.name_of(node)
    made = f", which made {shorten(name, 40)}" if name else ""
    line = line_of(node)
    if line is None:
        position = tape.position.get(id(node))  # a result that was not recorded has none
        return f"{node.rule.name}{made}{f' (%{position} of the tape)' if position is not None else ''}"
    calls = node.origin.scope if node.origin is not None else ()
    inside = f" in {'.'.join(call.step for call in calls)}" if calls else ""
    return f"{node.rule.name}{inside}, {line_text(line)}"
