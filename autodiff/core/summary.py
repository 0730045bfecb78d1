"""Numbers, arrays and names as short text: what listings and drawings print."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import numpy as np

from .node import Node, data_of

SHORT = 40
"""Longest text, in characters, that is shown in full where nothing else limits it."""


def number_text(x: Any, digits: int = 4) -> str:
    """A number of any kind with so many significant digits; whole numbers and fractions in full if they are short.

    Examples
    --------
    >>> [number_text(x) for x in (2, 6.0, -0.70710678, 1234.5678, 1.5e-7, 1 / 3 + 2j)]
    ['2', '6.0', '-0.7071', '1235', '1.5e-7', '0.3333+2.0j']
    """
    try:
        if isinstance(x, np.generic):
            x = x.item()
        if isinstance(x, float):
            return _float_text(x, digits)
        if isinstance(x, complex):
            return f"{_float_text(x.real, digits)}{'' if x.imag < 0 else '+'}{_float_text(x.imag, digits)}j"
        text = str(x)
        return text if len(text) <= 12 else _long_number_text(x, text, digits)
    except Exception:  # a number kind of the user's own, or an int too long to print
        return type(x).__name__


def _long_number_text(x: Any, text: str, digits: int) -> str:
    if not isinstance(x, int):
        with contextlib.suppress(TypeError, ValueError, OverflowError):  # a symbolic expression is no float
            return _float_text(float(x), digits)
    return shorten(text, 24)


def _float_text(x: float, digits: int) -> str:
    x += 0.0  # nobody wants to read -0.0
    if 1e3 <= abs(x) < 1e6:
        return f"{x:.0f}.0" if x.is_integer() else f"{x:.0f}"
    text = re.sub(r"e([+-])0*(\d)", lambda m: f"e{'-' if m[1] == '-' else ''}{m[2]}", f"{x:.{digits}g}")
    return text + ".0" if text.lstrip("-").isdigit() else text


def data_text(data: Any, detail: int = 3) -> str:
    """A value or gradient in a few characters: a number in full, an array by its range and mean.

    Parameters
    ----------
    data : node, ndarray, number or None
    detail : int
        3 for everything, 2 for no mean; 1 for fewer digits, 0 for neither.

    Examples
    --------
    >>> import numpy as np
    >>> data_text(np.arange(10.0))
    '[0.0 .. 9.0] mean 4.5'
    >>> data_text(np.array([1.0, np.nan, 3.0, 2.0]))
    '[1.0 .. 3.0] 1 nan'
    >>> data_text(None)
    '-'
    """
    data = data_of(data)
    if data is None:
        return "-"
    if not isinstance(data, np.ndarray):
        return number_text(data)
    if data.size == 0:
        return "empty"
    if data.size == 1:
        return number_text(data.reshape(()).item())
    if data.ndim == 1 and data.size <= 3 and data.dtype.kind != "c":
        text = f"[{', '.join(number_text(x, 4 if detail >= 2 else 3) for x in data.tolist())}]"
        if detail >= 2 or len(text) <= 18:
            return text
    if data.dtype.kind not in "biufc":
        return f"{data.dtype} array"
    if data.dtype.kind == "b":
        return f"{np.count_nonzero(data)} of {data.size} true"
    with np.errstate(all="ignore"):
        return _range_text(data, detail)


def _range_text(data: np.ndarray[Any, Any], detail: int) -> str:
    kind = "|z| " if data.dtype.kind == "c" else ""
    entries = np.abs(data) if kind else data
    finite = entries[np.isfinite(entries)]
    nans = int(np.count_nonzero(np.isnan(entries)))
    infinite = data.size - finite.size - nans
    odd = [f"{n} {what}" for n, what in ((nans, "nan"), (infinite, "inf")) if n]
    if not finite.size:
        return "all nan" if not infinite else "all inf" if not nans else ", ".join(odd)
    digits, to = (4, " .. ") if detail >= 2 else (3, "..")
    low, high = number_text(finite.min(), digits), number_text(finite.max(), digits)
    if low == high and not odd:
        return f"{kind}all {low}"
    mean = [f"mean {number_text(finite.mean(dtype=float), digits)}"] if detail in (1, 3) and not kind else []
    return f"{kind}[{low}{to}{high}] {', '.join(odd or mean)}".rstrip()


def shape_text(x: Any) -> str:
    """The shape of a node, array or number: ``()``, ``(3,)``, ``(100, 2)``."""
    shape = getattr(data_of(x), "shape", ())
    return str(tuple(shape)) if isinstance(shape, tuple) else "()"


def constant_text(x: Any, name: str | None = None) -> str:
    """An argument that is no node of the tape: ``2.0``, ``array(100, 2)``, ``dropout_mask(8, 4)``."""
    data = data_of(x)
    if isinstance(x, Node) and not name:
        name = x.rule.name if x.rule is not None else "array"
    if not isinstance(data, np.ndarray):
        if isinstance(data, list | tuple):
            return f"{type(data).__name__}({len(data)})"
        return number_text(data)
    if data.ndim == 0:
        return f"{name}={number_text(data.item())}" if name else number_text(data.item())
    return f"{shorten(name or 'array', SHORT)}{data.shape}"


def option_text(x: Any) -> str:
    """The value of an option of an op: an axis, a shape, an index."""
    data = data_of(x)
    if isinstance(data, slice):
        parts = ["" if part is None else option_text(part) for part in (data.start, data.stop, data.step)]
        return ":".join(parts if data.step is not None else parts[:2])
    if isinstance(data, np.ndarray):
        return number_text(data.item()) if data.ndim == 0 else f"array{data.shape}"
    if isinstance(data, tuple | list) and len(data) <= 8:
        inside = ", ".join(option_text(part) for part in data)
        return f"({inside}{',' if len(data) == 1 else ''})" if isinstance(data, tuple) else f"[{inside}]"
    if data is Ellipsis:
        return "..."
    if data is None or isinstance(data, bool | int | float | complex | np.generic):
        return number_text(data)
    if isinstance(data, str | np.dtype):
        return shorten(str(data), 24)
    return shorten(getattr(data, "__name__", type(data).__name__), 24)


def options_of(node: Node) -> list[str]:
    """The options of a node that are not the defaults of its rule: ``["axis=1", "keepdims=True"]``."""
    if not node.params or node.rule is None:
        return []
    defaults = {name: option_text(default) for name, default in node.rule.options.items()}
    texts = {name: option_text(value) for name, value in node.params.items()}
    return [f"{name}={text}" for name, text in texts.items() if text != defaults.get(name)]


def printable(text: str) -> str:
    r"""The text on one line: what cannot be printed is written as in a string literal, such as ``\n``."""
    joiner = "\u200d"  # holds an emoji together
    return "".join(c if c.isprintable() or c == joiner else c.encode("unicode_escape").decode() for c in text)


def shorten(x: Any, width: int) -> str:
    """A text on one line, with its middle left out if it is wider than ``width``.

    Examples
    --------
    >>> shorten("abcdefghijklmnopqrstuvwxyz", 9)
    'abcd…wxyz'
    """
    text = str(x)
    if len(text) > 4 * width:  # do not even look at the middle of something huge
        text = text[: 2 * width] + text[-2 * width :]
    text = printable(text)
    if text_width(text) <= width:
        return text
    head = _fitting(text, width // 2)
    tail = _fitting(text[::-1], width - 1 - width // 2)[::-1]
    return f"{head}…{tail}"


def _fitting(text: str, width: int) -> str:
    used = 0
    for i, c in enumerate(text):
        used += _char_width(c)
        if used > width:
            return text[:i]
    return text


def text_width(text: str) -> int:
    """How many columns a terminal uses for the text."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


def _char_width(c: str) -> int:
    import unicodedata  # only what is not ASCII needs it

    if unicodedata.combining(c) or c in "\u200d\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def repr_text(x: Any, width: int = SHORT) -> str:
    """What was given, in an error: its ``repr`` on one line, or its kind if its ``repr`` raises.

    Examples
    --------
    >>> repr_text("a"), repr_text([1.5] * 50)
    ("'a'", '[1.5, 1.5, 1.5, 1.5,…1.5, 1.5, 1.5, 1.5]')
    """
    try:
        text = repr(x)
    except Exception:  # an object of the user's own
        return kind_text(x)
    return shorten(text, width)


def kind_text(x: Any) -> str:
    """What kind of thing was given, in an error.

    Examples
    --------
    >>> [kind_text(x) for x in (3, [3], int, None)]
    ['an int', 'a list', 'the class int', 'None']
    """
    if x is None:
        return "None"
    name = x.__name__ if isinstance(x, type) else type(x).__name__
    return f"the class {name}" if isinstance(x, type) else f"{'an' if name[:1] in 'aeiouAEIO' else 'a'} {name}"


def align_points(texts: list[str]) -> list[str]:
    """Pad numbers on the right, so that their decimal points stand below each other once they are right-aligned.

    Examples
    --------
    >>> align_points(["-6.0", "0.7071", "12"])
    ['-6.0   ', '0.7071', '12     ']
    """
    numbers = [re.fullmatch(r"-?\d+(?P<rest>(?:\.\d*)?(?:e-?\d+)?)", text) for text in texts]
    longest = max((len(m["rest"]) for m in numbers if m), default=0)
    return [f"{t}{' ' * (longest - len(m['rest']))}" if m else t for t, m in zip(texts, numbers, strict=True)]
