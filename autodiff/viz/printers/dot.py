"""DOT, the language of Graphviz, and pictures by its program ``dot``."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

from ...core.errors import AutodiffError
from ..scene import Box, Link, Scene
from ..theme import FONT
from . import dot_labels
from .dot_labels import tip, words
from .shapes import LINE, SMALL, line_of
from .svg import classes, escaped, styles

if TYPE_CHECKING:
    from graphviz import Digraph


MOST_SECONDS = 20
"""Longer than this the program is not waited for."""


class MissingProgramError(AutodiffError, OSError):
    """A feature that needs a program which is not installed."""


class SlowProgramError(AutodiffError, TimeoutError):
    """A program that took too long."""


def digraph_of(scene: Scene) -> Digraph:
    """The drawing as a ``graphviz`` object."""
    return _Printer(scene).dot


class _Printer:
    def __init__(self, scene: Scene) -> None:
        from graphviz import Digraph

        self.scene = scene
        self.theme = scene.look
        self.boxes = {box.id: box for box in scene.boxes}
        self.inside: dict[str | None, list[Box]] = {}
        for box in scene.boxes:
            self.inside.setdefault(box.frame, []).append(box)
        self.dot = dot = Digraph("tape")
        look = {"bgcolor": self.theme.page, "fontname": FONT, "nodesep": "0.25", "ranksep": "0.6", "pad": "0.2"}
        dot.attr("graph", rankdir=scene.direction, **look)
        dot.attr("node", shape="plain", fontname=FONT, fontsize="12", fontcolor=self.theme.text)
        line = {"color": self.theme.edge, "arrowsize": "0.7", "penwidth": f"{LINE}"}
        dot.attr("edge", fontname=FONT, fontsize="11", fontcolor=self.theme.text, **line)
        self._fill(dot, None)
        for link in scene.links:
            dot.edge(*self._ends(link), **self._look(link))
        if scene.style == "circuit":
            self._end_wires()
        if scene.legend is not None:  # a title of the whole, which stretches no layer; last, or frames would inherit it
            scale = dot_labels.scale(scene.legend, self.theme, scene.sideways)
            dot.attr("graph", label=scale, labelloc="b", labeljust="l", fontsize=f"{SMALL:g}")

    def _fill(self, dot: Any, frame: str | None) -> None:
        """Add the boxes of a frame, and the frames inside it."""
        for box in self.inside.get(frame, []):
            dot.node(box.id, **self._node(box))
        for k, inner in enumerate(self.scene.frames):
            if inner.parent != frame:
                continue
            with dot.subgraph(name=f"cluster_{k}") as cluster:
                module = self.theme.module
                cluster.attr(
                    label=f"<{dot_labels.muted(words(inner.title), self.theme)}>",
                    tooltip=tip(inner.tip or inner.title),
                    labeljust="l",
                    style="rounded,filled",
                    color=module.frame,
                    fillcolor=module.band,
                    fontname=FONT,
                    fontsize="12",
                    margin="10",
                )
                self._fill(cluster, inner.id)

    def _node(self, box: Box) -> dict[str, str]:
        if box.kind == "constant":
            return {"label": dot_labels.constant_box(box, self.theme), "tooltip": tip(box.tip)}
        if box.is_gate:
            paint = self.theme.paint_of(box.kind)
            look = {"style": "filled", "color": paint.frame, "fillcolor": paint.band, "fontsize": "13"}
            shape = "circle" if len(box.sign) <= 2 else "ellipse"
            fixed = {"width": "0.45", "height": "0.45", "margin": "0.04"}
            return {"label": f"<{words(box.sign)}>", "tooltip": tip(box.tip), "shape": shape, **look, **fixed}
        return {"label": dot_labels.value_box(box, self.theme, self.scene.sideways), "tooltip": tip(box.tip)}

    def _ends(self, link: Link) -> tuple[str, str]:
        out, into = ("e", "w") if self.scene.sideways else ("s", "n")
        target = self.boxes[link.target]
        if target.is_gate:
            return f"{link.source}:{out}", link.target
        entry = f":{link.port}" if link.port is not None else ""
        return f"{link.source}:{out}", f"{link.target}{entry}:{into}"

    def _look(self, link: Link) -> dict[str, str]:
        look = {"style": "dashed"} if link.dashed else {}
        source = self.boxes[link.source]
        if source.is_gate:
            look |= self._wire(source)
        elif link.label:
            look["label"] = f"<{dot_labels.muted(words(link.label), self.theme)}>"
        if link.odd or link.level is not None:
            colour, width = line_of(link, self.theme)
            look |= {"color": colour, "penwidth": f"{width}"}
        return look

    def _end_wires(self) -> None:
        """Give gates that nothing follows a wire of their own."""
        used = {link.source for link in self.scene.links}
        for box in self.scene.boxes:
            if box.id not in used and box.is_gate:
                self.dot.node(f"{box.id}_out", label="", shape="point", width="0.01")
                self.dot.edge(box.id, f"{box.id}_out", **self._wire(box))

    def _wire(self, gate: Box) -> dict[str, str]:
        """How a wire that leaves a gate looks."""
        return {"label": dot_labels.wire_label(gate, self.theme, self.scene.sideways), "arrowhead": "none"}


GET_DOT = "apt install graphviz, brew install graphviz or conda install graphviz"


def rendered(dot: Digraph, format: str, size: int) -> bytes:
    """The bytes of a picture, drawn by the program ``dot``.

    Raises
    ------
    MissingProgramError
        If it is not installed.
    SlowProgramError
        If it takes longer than ``MOST_SECONDS``.
    AutodiffError
        If it fails.
    """
    dot = dot.copy()
    if format == "png" and "dpi=" not in dot.source:
        dot.attr("graph", dpi="144")  # sharp when projected
    command, source = [dot.engine, f"-T{format}"], dot.source.encode()
    try:  # not by dot.pipe(), which has no limit of time
        done = subprocess.run(command, input=source, capture_output=True, timeout=MOST_SECONDS, check=True)
    except (FileNotFoundError, PermissionError):
        raise MissingProgramError(
            f"Drawing as {format} by engine='dot' needs the program dot of Graphviz, which is not installed. "
            f"Get it with: {GET_DOT}; or leave engine away."
        ) from None
    except subprocess.TimeoutExpired:
        raise SlowProgramError(
            f"The program dot was to draw this tape of {size:,} nodes as {format}, and was not done after "
            f"{MOST_SECONDS} seconds. Draw it with engine='builtin', or fold more of it by collapse or depth."
        ) from None
    except subprocess.CalledProcessError as error:
        reason = " ".join(error.stderr.decode(errors="replace").split())
        raise AutodiffError(
            f"The program dot could not draw this tape of {size} nodes as {format}: {reason or error}. "
            "Draw it with engine='builtin', or fold more of it."
        ) from None
    picture: bytes = done.stdout
    return picture


def svg_by_dot(picture: bytes, scene: Scene) -> str:
    """What ``dot`` drew as SVG: without its header and its ids, of which a page may hold several; with our styles."""
    text = picture.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r'<(g|a) id="[^"]*"', r"<\1", text)
    named = f'<svg class="{classes(scene)}" role="img" aria-label="{escaped(scene.title)}"'
    head, rest = text.split(">", 1)
    return f"{named}{head.removeprefix('<svg')}>{styles(scene)}{rest}"
