"""The film as a page with a scrubber."""

from __future__ import annotations

import json
from typing import Any

from ..viz.page import Page, assemble, static

FILES = {"styles": ["film/film.css"], "modules": ["debugger/numbers.js", "film/charts.js", "film/film.js"]}


def page(film: dict[str, Any], budget: int) -> Page:
    """A page of a film in JSON form, of about ``budget`` bytes: frames are left out evenly until it fits."""
    frames, first = film["frames"], film["first"]
    kept = frames
    while len(json.dumps(kept)) > budget and len(kept) > 2:
        kept = [*kept[:-1:2], kept[-1]]
    title = f"Film of {film['steps']} steps"
    body = static("film/body.html")
    return Page(title, assemble(title, body, data={"film": {**film, "frames": kept, "first": first}}, **FILES))
