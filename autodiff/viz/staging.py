"""From a folded view to a scene: what stands in each box, beside each link, and in the legend."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..core.node import data_of, size_of
from ..core.summary import constant_text, data_text, number_text, shape_text, shorten
from .folding import MOST_PORTS, Folded, FoldedBox, FoldedLink, is_module
from .scene import Box, Frame, Legend, Link, Scene
from .scopes import Scope
from .view import View, ViewEdge, ViewNode

SHOW = ("index", "shape", "dtype", "value", "grad", "line", "constants", "flow")
LONGEST_TIP = 200
STEPS = 5
"""Of the scale for what flows back."""
WIDEST_SPAN = 1e10
"""What is smaller than the largest by more than this counts as the least, and does not stretch the scale."""
SIGNS = {
    "add": "+",
    "subtract": "−",
    "multiply": "×",
    "divide": "÷",
    "negative": "−1 ·",
    "reciprocal": "1/x",
    "power": "xᵖ",
    "square": "x²",
    "sqrt": "√",
    "matmul": "@",
    "absolute": "|x|",
}
"""What stands on the gates of a circuit instead of the name of the op."""


@dataclass(frozen=True)
class Look:
    """How a drawing was asked to look; see :func:`autodiff.viz.draw.draw`."""

    show: frozenset[str]
    direction: str
    theme: str
    style: str


def stage(view: View, folded: Folded, look: Look) -> Scene:
    """The scene of a folded view."""
    frames = {scope.id: scope for scope in folded.frames}
    boxes = [_box(view, box, look) for box in sorted(folded.boxes.values(), key=lambda box: box.order)]
    with_ports = {box.id for box in boxes if box.ports}
    links = [_link(k, link, folded, link.target in with_ports) for k, link in enumerate(folded.links)]
    names = [box.name or box.label for box in boxes if box.kind == "output"]
    n = len(view.tape)
    size = f"{n:,} node{'s' if n != 1 else ''}"
    return Scene(
        title=shorten(f"Tape of {', '.join(names) or 'a folded result'}: {size}", LONGEST_TIP),
        size=n,
        direction=look.direction,
        theme=look.theme,
        style=look.style,
        boxes=boxes,
        links=links,
        frames=[Frame(s.id, s.title, _around(s, frames), _scope_tip(view, s)) for s in folded.frames],
        legend=_measure(links, folded.links) if "flow" in look.show else None,
    )


def _around(scope: Scope, frames: dict[str, Scope]) -> str | None:
    parent = scope.parent
    while parent is not None and parent.id not in frames:
        parent = parent.parent
    return parent.id if parent is not None else None


# Boxes


def _box(view: View, box: FoldedBox, look: Look) -> Box:
    frame = box.frame.id if box.frame else None
    if box.scope is not None:
        return _module_box(view, box.scope, frame)
    node: Any = box.node
    if node.kind == "constant":
        return Box(box.id, "constant", *_constant_words(node), frame=frame, tip=_tip(node, look, "constant"))
    circuit = look.style == "circuit"
    kind = "output" if node.is_output else node.kind
    op = node.op or "leaf"
    label = " ".join([SIGNS.get(op, op) if circuit else op, *node.options])
    drawn = Box(box.id, kind, node.name or "", label, frame=frame, is_gate=circuit)
    drawn.ports = _ports(view, node)
    drawn.tip = _tip(node, look, node.op or "leaf")
    if circuit:
        shape = shape_text(node.data)
        drawn.value = " ".join([*([] if shape == "()" else [shape]), data_text(node.data, 2)])
        drawn.grad = "" if node.grad is None or "grad" not in look.show else data_text(node.grad, 2)
    else:
        drawn.rows = _facts(node, look.show)
    return drawn


def _facts(node: ViewNode, show: Iterable[str], detail: int = 2) -> list[tuple[str, str]]:
    """The facts about a node, in the order in which they always stand."""
    found: dict[str, str] = {}
    if node.id.startswith("n"):
        found["index"] = f"%{node.id[1:]}"
    if (shape := shape_text(node.data)) != "()":
        found["shape"] = shape
    found["dtype"] = str(getattr(node.data, "dtype", type(node.data).__name__))
    found["value"] = data_text(node.data, detail)
    if node.grad is not None:
        found["grad"] = data_text(node.grad, detail)
    if node.origin is not None:
        line = node.origin.place.line
        found["line"] = str(line) if detail > 2 else str(line).partition(": ")[0]
    return [(fact, text) for fact, text in found.items() if fact in show]


def _tip(node: ViewNode, look: Look, kind: str) -> str:
    """What is known of a node, for who points at it."""
    title = " ".join(filter(None, [f"%{node.id[1:]}" if node.id.startswith("n") else "", kind, node.name]))
    wanted = {*look.show, "shape", "value", "grad", "line"}
    facts = (f"{fact} {text}" for fact, text in _facts(node, wanted, detail=3) if fact != "index")
    return "\n".join(shorten(line, LONGEST_TIP).rstrip() for line in (title, *facts))


def _ports(view: View, node: ViewNode) -> list[str]:
    """Names of the arguments, where there are several."""
    edges = view.edges_into(node.id)
    if not 1 < len(edges) <= MOST_PORTS:
        return []
    rule: Any = node.node.rule if node.node is not None else None
    return [str(edge.argument) if rule.variadic else edge.input for edge in edges]


def _constant_words(node: ViewNode) -> tuple[str, str]:
    """The name of a constant, and the constant itself if it is short."""
    data = data_of(node.data)
    name = node.name or node.op or ""
    if not isinstance(data, np.ndarray) or not data.ndim:
        return name, constant_text(data)
    if data.ndim == 1 and data.size <= 3:
        return name, data_text(data)
    return name, shape_text(data) if name else f"array {shape_text(data)}"


def _module_box(view: View, scope: Scope, frame: str | None) -> Box:
    positions = scope.positions()
    ends = {f"n{i}" for i in positions if view.nodes[f"n{i}"].is_output}
    parameters = sum(size_of(view.tape[i]) for i in positions if view.tape[i].rule is None)
    rows = [("nodes", f"{len(positions):,}"), ("ops", _ops(view, positions, 3))]
    if parameters:
        rows.append(("parameters", f"{parameters:,}"))
    return Box(
        scope.id,
        "output" if ends else "module",
        scope.title,
        scope.kind if is_module(scope) else "",
        [(fact, text) for fact, text in rows if text],
        frame=frame,
        tip=_scope_tip(view, scope),
    )


def _ops(view: View, positions: Iterable[int], most: int) -> str:
    """The ops among some nodes: ``linear × 4, tanh × 3``."""
    counts = Counter(rule.name for i in positions if (rule := view.tape[i].rule) is not None)
    texts = [f"{op} × {n:,}" if n > 1 else op for op, n in counts.most_common(most)]
    return ", ".join(texts) + (", …" if len(counts) > most else "")


def _scope_tip(view: View, scope: Scope) -> str:
    positions = scope.positions()
    kind = f" {scope.kind}" if is_module(scope) and scope.kind else ""
    lines = [f"{scope.title}{kind}", f"{len(positions):,} nodes", _ops(view, positions, 12)]
    return "\n".join(shorten(line, LONGEST_TIP) for line in lines if line)


# Links


def _link(k: int, link: FoldedLink, folded: Folded, has_ports: bool) -> Link:
    source = folded.boxes[link.source]
    n = len(link.edges)
    return Link(
        id=f"l{k}",
        source=link.source,
        target=link.target,
        port=link.argument if has_ports else None,
        label=f"× {n:,}" if n > 1 else "",
        dashed=source.node is not None and source.node.kind == "constant",
        tip=", ".join(dict.fromkeys(edge.input for edge in link.edges[:MOST_PORTS])),
    )


def _measure(links: list[Link], folded: list[FoldedLink]) -> Legend | None:
    """Give each link its step on the scale of what flows back."""
    sizes = [_size(found.edges) for found in folded]
    known = [size for size in sizes if size is not None and 0 < size < math.inf]
    for link, size in zip(links, sizes, strict=True):
        if size is None:
            continue
        link.tip = f"{link.tip}\nflows back {number_text(size)}".lstrip()
        link.odd = not math.isfinite(size)
        link.level = 0
        if not size:
            link.label = f"{link.label} 0".lstrip()
    if not known:
        return None
    high = max(known)
    low = min(size for size in known if size * WIDEST_SPAN >= high)
    ratio = (high / low) ** (1 / STEPS)
    for link, size in zip(links, sizes, strict=True):
        if size and low <= size < math.inf:
            step = math.log(size / low) / math.log(ratio) if ratio > 1 else STEPS
            link.level = min(STEPS - 1, int(step))
    bounds = [number_text(low * ratio**k, 2) for k in range(STEPS + 1)]
    steps = [f"{a} … {b}" for a, b in pairwise(bounds)] if ratio > 1 else [*[""] * (STEPS - 1), bounds[0]]
    if min(known) < low:
        steps[0] = f"below {bounds[1]}"
    return Legend("flows back (root mean square)", steps)


def _size(edges: Iterable[ViewEdge]) -> float | None:
    """The root mean square of what flows back along some edges, of the largest; None where nothing does."""
    found = [_rms(edge.contribution.fitted) for edge in edges if edge.contribution is not None]
    return max(found, key=lambda size: math.inf if math.isnan(size) else size) if found else None


def _rms(x: Any) -> float:
    data = data_of(x)
    if not isinstance(data, np.ndarray):
        try:
            return float(abs(data))
        except (TypeError, ValueError, OverflowError):  # a symbol, or an int too long for a float
            return math.nan
    if not data.size:
        return 0.0
    with np.errstate(all="ignore"):
        largest = float(np.max(np.abs(data)))
        if not (0 < largest < math.inf):
            return largest
        return largest * float(np.sqrt(np.mean(np.square(np.abs(data) / largest, dtype=float))))
