"""``ad.draw``: the tape as a picture."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import ArgumentError
from ..core.listing import Tape
from ..core.node import Node, data_of
from ..core.summary import constant_text, data_text, options_of, shape_text, shorten
from .boxes import constant_box, tip, value_box, words
from .drawing import Drawing
from .modules import Scope, find_scopes, parents, path_of
from .theme import FONT, THEMES, Theme

if TYPE_CHECKING:
    from graphviz import Digraph

DIRECTIONS = ("LR", "TB")
MOST_PORTS = 6
"""An op with more arguments than this is drawn without an entry for each."""


def draw(x: Any, *, direction: str = "LR", theme: str = "light", values: bool = True) -> Drawing:
    """Draw what a result was computed from: a box for every node of the tape, an edge for every argument.

    Leaves are blue, results of ops grey, what was asked for orange; constants have round corners.  Nodes are called by
    their names, or by the caller's variables that hold them.  Parameters of one module, ``layers.0.weight`` and
    ``layers.0.bias``, stand in a frame with the op that uses them.

    Parameters
    ----------
    x : Value, Tensor, or list or tuple of them
        What to draw.
    direction : str
        ``"LR"``, from left to right, or ``"TB"``, from top to bottom.
    theme : str
        ``"light"`` or ``"dark"``.
    values : bool
        Whether to show values and, after ``backward``, gradients.

    Returns
    -------
    Drawing
        Shows itself in a notebook; ``.save("graph.svg")`` writes it to a file.

    Raises
    ------
    TapeError
        If ``x`` was not recorded, or its tape was freed.
    ArgumentError
        If there is no such direction or theme.

    Examples
    --------
    >>> import autodiff as ad
    >>> a, b = ad.Value(2.0), ad.Value(-3.0)
    >>> c = a * b
    >>> c.backward()
    >>> drawing = ad.draw(c)
    >>> print(drawing)
    digraph tape {
    ...
        n0:e -> n2:0:w
        n1:e -> n2:1:w
    }
    """
    if direction not in DIRECTIONS:
        raise ArgumentError(f"draw(direction={direction!r}): the directions are {' and '.join(map(repr, DIRECTIONS))}.")
    if theme not in THEMES:
        raise ArgumentError(f"draw(theme={theme!r}): the themes are {' and '.join(map(repr, THEMES))}.")
    outputs = list(x) if isinstance(x, list | tuple) else [x]
    tape = Tape.seen_from(sys._getframe(1), outputs, "draw")
    return Drawing(_Picture(tape, outputs, direction, THEMES[theme], values).dot, len(tape))


class _Picture:
    """The drawing of one tape while it is being made."""

    def __init__(self, tape: Tape, outputs: Sequence[Node], direction: str, theme: Theme, values: bool) -> None:
        self.tape = tape
        self.ends = {id(y) for y in outputs}
        self.sideways = direction == "LR"
        self.theme = theme
        self.values = values
        self.constants: list[str] = []
        self.arrays: dict[int, str] = {}
        self.scopes = find_scopes(tape, outputs)
        self.in_scope: dict[Scope, list[tuple[str, dict[str, str]]]] = {}
        self.edges: list[tuple[str, str, dict[str, str]]] = []
        for i, node in enumerate(tape):
            self._add_node(i, node)
        self.dot = self._assemble(direction)

    def _add_node(self, i: int, node: Node) -> None:
        scope = self.scopes.get(i, ())
        theme = self.theme
        paint = theme.leaf if node.rule is None else theme.output if id(node) in self.ends else theme.op
        kind = node.rule.name if node.rule is not None else "leaf"
        ports = self._ports(node)
        box = value_box(
            self.tape.name_of(node) or "",
            " ".join([kind, *options_of(node)]),
            self._facts(node),
            ports,
            paint,
            theme,
            self.sideways,
        )
        self.in_scope.setdefault(scope, []).append((f"n{i}", {"label": box, "tooltip": self._tooltip(i, node, kind)}))
        for k, a in enumerate(node.args):
            out, into = ("e", "w") if self.sideways else ("s", "n")
            end = f"n{i}:{k}:{into}" if ports else f"n{i}:{into}"
            if id(a) in self.tape.position:
                self.edges.append((f"n{self.tape.position[id(a)]}:{out}", end, {}))
            else:
                self.edges.append((f"{self._constant(a, scope)}:{out}", end, {"style": "dashed"}))

    def _facts(self, node: Node, detail: int = 2) -> list[tuple[str, str]]:
        shape = shape_text(node)
        facts = [("shape", shape)] if shape != "()" else []
        if self.values:
            facts.append(("value", data_text(node._data, detail)))
            if node.grad is not None:
                facts.append(("grad", data_text(node.grad, detail)))
        return facts

    def _tooltip(self, i: int, node: Node, kind: str) -> str:
        title = shorten(f"%{i} {kind} {self.tape.name_of(node) or ''}", 200).rstrip()
        lines = [title, *(f"{fact} {text}" for fact, text in self._facts(node, detail=3))]
        return tip("\n".join(lines))

    def _ports(self, node: Node) -> list[str]:
        """Names of the arguments, where there are several."""
        n = len(node.args)
        if node.rule is None or not 1 < n <= MOST_PORTS:
            return []
        return list(map(str, range(n))) if node.rule.variadic else list(node.rule.inputs)

    def _constant(self, x: Any, scope: Scope) -> str:
        """The drawn constant: an array once, a number beside each op that uses it."""
        data = data_of(x)
        is_array = isinstance(data, np.ndarray) and data.ndim > 0
        if is_array and id(x) in self.arrays:
            return self.arrays[id(x)]
        name = self.tape.name_of(x) or ""
        if not name and isinstance(x, Node) and x.rule is not None:
            name = x.rule.name
        if not is_array:
            fact = constant_text(data)
        elif data.ndim == 1 and data.size <= 3:
            fact = data_text(data)
        else:
            fact = shape_text(data) if name else f"array {shape_text(data)}"
        key = f"c{len(self.constants)}"
        self.constants.append(key)
        if is_array:
            self.arrays[id(x)] = key
        box = constant_box(name, fact, self.theme)
        self.in_scope.setdefault(() if is_array else scope, []).append((key, {"label": box, "tooltip": "constant"}))
        return key

    def _assemble(self, direction: str) -> Digraph:
        from graphviz import Digraph

        theme = self.theme
        dot = Digraph("tape")
        dot.attr(
            "graph", rankdir=direction, bgcolor=theme.page, fontname=FONT, nodesep="0.25", ranksep="0.6", pad="0.2"
        )
        dot.attr("node", shape="plain", fontname=FONT, fontsize="12", fontcolor=theme.text)
        dot.attr("edge", color=theme.edge, arrowsize="0.7", penwidth="1.1")
        self.drawn = sorted({*filter(None, self.in_scope), *parents(self.in_scope)})
        self._fill(dot, (), self.drawn)
        for tail, head, attributes in self.edges:
            dot.edge(tail, head, **attributes)
        return dot

    def _fill(self, dot: Digraph, scope: Scope, drawn: list[Scope]) -> None:
        """Add the nodes of a module, and the modules inside it."""
        for key, attributes in self.in_scope.get(scope, []):
            dot.node(key, **attributes)
        inside = [s for s in drawn if len(s) > len(scope) and s[: len(scope)] == scope]
        for inner in inside:
            if any(inner[: len(s)] == s for s in inside if s is not inner):
                continue  # it stands in another one of these
            with dot.subgraph(name=f"cluster_{self.drawn.index(inner)}") as frame:
                module = self.theme.module
                frame.attr(
                    label=f'<<FONT COLOR="{self.theme.muted}">{words(path_of(inner))}</FONT>>',
                    tooltip=tip(path_of(inner)),
                    labeljust="l",
                    style="rounded,filled",
                    color=module.frame,
                    fillcolor=module.band,
                    fontname=FONT,
                    fontsize="12",
                    margin="10",
                )
                self._fill(frame, inner, inside)
