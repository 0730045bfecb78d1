"""The film as a page with a scrubber."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import count
from typing import Any

from ..core.summary import SHORT, shorten
from ..viz.page import Page, assemble, static

STYLES = ("film/film.css",)
MODULES = ("debugger/numbers.js", "film/charts.js", "film/film.js")
LONGEST_VERDICT = 600
"""Characters of a verdict; only names of absurd length make it longer."""
TALLEST = 720
"""Pixels of the frame in a notebook; what is higher is scrolled."""


def page(film: dict[str, Any], budget: int) -> Page:
    """A page of a film in JSON form, of about ``budget`` bytes: frames are left out evenly until it fits."""
    kept = _with_short_names(film["frames"])
    height = min(TALLEST, max(map(_height, kept)))
    while len(json.dumps(kept)) > budget and len(kept) > 2:
        kept = [*kept[:-1:2], kept[-1]]
    title = f"Film of {film['steps']} steps"
    first = [_with_short_texts(verdict) for verdict in film["first"]]
    data = {"film": {**film, "frames": kept, "first": first}}
    return Page(title, assemble(title, static("film/body.html"), styles=STYLES, modules=MODULES, data=data), height)


def _with_short_names(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    layers, parameters = (
        _short_names(name for f in frames for name in f[things]) for things in ("layers", "histograms")
    )
    return [
        {
            **f,
            "layers": {layers[name]: row for name, row in f["layers"].items()},
            "verdicts": list(map(_with_short_texts, f["verdicts"])),
            "histograms": {parameters[name]: histogram for name, histogram in f["histograms"].items()},
        }
        for f in frames
    ]


def _short_names(names: Iterable[str]) -> dict[str, str]:
    """A short name for each, and no two the same."""
    names_of: dict[str, str] = {}  # by short name
    for name in dict.fromkeys(names):
        text = short = shorten(name, SHORT)
        for n in count(2):
            if short not in names_of:
                break
            short = f"{text} ({n})"
        names_of[short] = name
    return {name: short for short, name in names_of.items()}


def _with_short_texts(verdict: dict[str, Any]) -> dict[str, Any]:
    return {
        **verdict,
        "where": shorten(verdict["where"], SHORT),
        "text": shorten(verdict["text"], LONGEST_VERDICT),
    }


def _height(frame: dict[str, Any]) -> int:
    """About how many pixels a frame needs where a notebook is as wide as usual: four histograms in a row."""
    lines = [-(-len(verdict["text"]) // 130) for verdict in frame["verdicts"]] or [1]
    return 388 + sum(8 + 22 * n for n in lines) + 31 * len(frame["layers"]) + 112 * -(-len(frame["histograms"]) // 4)
