"""The view as JSON, for pages and for other programs; ``view.schema.json`` beside this file describes it.

Nothing is said twice.  Arrays stand in one list, each once, and are referred to by their place there; what has its
usual value is left out; a total that is the contribution itself, and a gradient that is the cotangent, are ``"="``.
The steps forward are the ops in their order, so only those backward are listed.  The cotangent of a node is the total
of the last step that adds to it.  ``static/debugger/unpack.js`` undoes all that.

Arrays over a limit are summarised, never dumped: the limit follows from the size that the whole may have.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np

from ..core.node import data_of, shape_of
from ..core.rule import Rule
from ..core.source import Place
from ..core.summary import shorten
from .depends import dependences
from .formula import Formula, formula_of
from .latex import Atom, Part, Slot, rebuilt, write
from .mathml import to_mathml
from .programs import listed
from .statistics import EXACT, SHOWN, Form, array_form, number_form
from .view import Step, View, ViewEdge, ViewNode

VERSION = 1
BUDGET = 430_000
"""About how many characters all arrays may take."""
ENTRY = 9
"""About how many characters one entry takes that is only to be looked at."""
EXACT_ENTRY = 20
"""About how many one takes that is exact."""
ABOUT = 220
"""About how many the statistics of an array take."""
FEWEST, MOST = 16, 1024
"""Bounds of how many entries are listed of one array."""
LONG = 3_000
"""On a longer tape numbers are rounded, and nothing can be recomputed."""
BRIEF = 4_000
"""Of more arrays than this only the extremes are given."""
LONGEST = 200
"""Longest name that is kept whole."""


def as_json(view: View, budget: int = BUDGET) -> dict[str, Any]:
    """The view in a form that JSON can hold; nothing in it depends on the machine or the hour.

    Parameters
    ----------
    view : View
    budget : int
        About how many characters the arrays may take in all.

    Returns
    -------
    dict
        See ``view.schema.json``.  It is ``complete`` where every number of it is exact and every entry listed, so that
        all can be recomputed from it.

    Examples
    --------
    >>> import sys
    >>> import autodiff as ad
    >>> from autodiff.viz.view import view_of
    >>> x = ad.Value(3.0)
    >>> y = x * x
    >>> form = as_json(view_of([y], sys._getframe(), "debug").sweep([1.0]))
    >>> [form["version"], form["complete"], *form["steps"][1:]]
    [1, True, {'edge': 'e0'}, {'edge': 'e1', 'total': 6.0}]
    """
    return _Packing(view, budget).form


class _Packing:
    """One view on its way into JSON."""

    def __init__(self, view: View, budget: int) -> None:
        self.view = view
        self.digits = EXACT if len(view.nodes) <= LONG else SHOWN
        self.found: list[np.ndarray[Any, Any]] = []
        self.where: dict[Any, int] = {}
        self.known: dict[int, Any] = {}
        origins = [n.origin for n in view.nodes.values() if n.origin is not None]
        places = [place for origin in origins for place in (*origin.via, origin.place)]
        self.files = {name: k for k, name in enumerate(dict.fromkeys(place.line.filename for place in places))}
        self.lines = {line: k for k, line in enumerate(dict.fromkeys((o.place, o.via) for o in origins))}
        made = {e.target: view.nodes[e.target].node for e in view.edges.values()}
        self.depends = {name: dependences(node) for name, node in made.items() if node is not None}
        nodes = [self.node(n) for n in view.nodes.values()]
        edges = [self.edge(e) for e in view.edges.values()]
        steps = [self.step(s) for s in view.steps if s.kind != "forward"]
        complete = self.digits == EXACT and all(a.size <= MOST for a in self.found)
        complete = complete and sum(a.size * EXACT_ENTRY + ABOUT for a in self.found) <= budget
        self.form = {
            "version": VERSION,
            "complete": complete,
            "sources": listed(places),
            "places": [self.place(place, via) for place, via in self.lines],
            "rules": rule_forms(view),
            "scopes": [
                {"id": s.id, "title": shorten(s.title, LONGEST), "kind": s.kind, "parent": s.parent.id, "size": s.size}
                for s in view.scopes
                if s.parent is not None
            ],
            "nodes": nodes,
            "edges": edges,
            "steps": steps,
            "arrays": self.array_forms(budget, complete),
        }

    def value(self, x: Any) -> Form:
        """A number, or where an array stands in the list of all."""
        x = data_of(x)
        if not isinstance(x, np.ndarray):
            return number_form(x, self.digits)
        if x.ndim == 0:
            return number_form(x.item(), self.digits)
        if id(x) not in self.known:
            content = id(x) if x.dtype.kind == "O" else hashlib.blake2b(x.tobytes()).digest()
            key = (x.shape, x.dtype.str, content)
            place = self.where.setdefault(key, len(self.found))
            if place == len(self.found):
                self.found.append(x)
            self.known[id(x)] = (place, x)  # held, so that no other gets its id
        return {"array": self.known[id(x)][0]}

    def array_forms(self, budget: int, complete: bool) -> list[dict[str, Any]]:
        brief = len(self.found) > BRIEF
        if complete:
            return [array_form(a, MOST) for a in self.found]
        each = budget // max(1, len(self.found)) - ABOUT
        most = max(FEWEST, min(MOST, each // ENTRY))
        return [array_form(a, most, SHOWN, brief) for a in self.found]

    def place(self, place: Place, via: tuple[Place, ...]) -> dict[str, Any]:
        return {
            "source": self.files[place.line.filename],
            "line": place.line.number,
            "last": place.last,
            "column": place.column,
            "end_column": place.end_column,
            "function": place.function,
            "via": [[self.files[p.line.filename], p.line.number] for p in via],
        }

    def node(self, n: ViewNode) -> dict[str, Any]:
        dtype = getattr(n.data, "dtype", None)
        value = self.value(n.data)
        form: dict[str, Any] = {"id": n.id}
        if n.kind != "op":
            form["kind"] = n.kind
        if n.is_output:
            form["output"] = True
        if n.op is not None:
            form["op"] = n.op
        if n.name:
            form["name"] = shorten(n.name, LONGEST)
        if n.options:
            form["options"] = n.options
        if shape_of(n.data):
            form["shape"] = list(shape_of(n.data))
        if str(dtype) != "float64":
            form["dtype"] = type(n.data).__name__ if dtype is None else str(dtype)
        if n.scope.parent is not None:
            form["scope"] = n.scope.id
        if n.origin is not None:
            form["at"] = self.lines[n.origin.place, n.origin.via]
        form["value"] = value
        if n.grad is not None:
            grad = self.value(n.grad)
            form["grad"] = "=" if n.cotangent is not None and grad == self.value(n.cotangent) else grad
        if n.kind == "op" and n.node is not None and n.node.params and self.digits == EXACT:
            params = {name: x for name, x in n.node.params.items() if is_plain(x)}
            if params:
                form["params"] = params
        return form

    def edge(self, e: ViewEdge) -> dict[str, Any]:
        form: dict[str, Any] = {"source": e.source, "target": e.target}
        if e.argument:
            form["argument"] = e.argument
        if e.parallel != (0, 1):
            form["parallel"] = list(e.parallel)
        if not e.tracked:
            form["tracked"] = False
        if depends := self.depends[e.target][e.argument]:
            form["depends"] = depends
        if e.contribution is not None:
            raw, fitted = e.contribution
            form["contribution"] = self.value(fitted)
            if shape_of(raw) != shape_of(fitted):
                form["raw"] = self.value(raw)
            if e.local is not None:
                form["local"] = self.value(e.local)
        return form

    def step(self, s: Step) -> dict[str, Any]:
        if s.edge is None:
            return {"kind": s.kind, "target": s.target, "total": self.value(s.total)}
        form: dict[str, Any] = {"edge": s.edge} if s.kind == "pull" else {"kind": s.kind, "edge": s.edge}
        found = self.view.edges[s.edge].contribution
        if s.total is None:
            form["total"] = None
        elif found is None or s.total is not found.fitted:
            form["total"] = self.value(s.total)
        return form


def is_plain(x: Any) -> bool:
    """Whether an option is a number, a text or a few numbers, which JSON can hold."""
    if isinstance(x, tuple | list):
        return all(isinstance(i, int) for i in x)
    return x is None or isinstance(x, bool | int | str) or (isinstance(x, float) and math.isfinite(x))


def rule_forms(view: View) -> dict[str, Any]:
    """The rules of a view by name, with their formulas."""
    rules = {node.rule.name: node.rule for node in view.tape if node.rule is not None}
    in_plane = {node.rule.name for node in view.tape if node.rule is not None and np.iscomplexobj(node.data)}
    return {name: rule_form(rule, name not in in_plane) for name, rule in rules.items()}


def rule_form(rule: Rule, real: bool) -> dict[str, Any]:
    """What the page must know of a rule."""
    formula = formula_of(rule, real)
    local = {name: latex for name, latex in formula.local.items() if latex is not None}
    return {
        "inputs": list(rule.inputs),
        "variadic": rule.variadic,
        "entrywise": rule.entrywise,
        "forward": formula_form(formula, formula.forward),
        "pulled": {name: formula_form(formula, latex) for name, latex in formula.pulled.items()},
        "local": {name: formula_form(formula, latex) for name, latex in local.items()},
    }


def formula_form(formula: Formula, latex: str) -> dict[str, str]:
    """A part of a formula, as MathML with ``data-slot`` and as LaTeX with ``@a@`` where a name is to be put in."""
    tree = formula.slotted(latex)

    def open_slot(part: Part) -> Part:
        return Atom("identifier", f"@{part.name}@") if isinstance(part, Slot) else part

    return {"latex": write(rebuilt(tree, open_slot)), "mathml": to_mathml(tree)}
