"""Difference quotients: the formulas, each once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Function = Callable[[Any], Any]


def forward_difference(f: Function, x: Any, h: Any) -> Any:
    """``(f(x + h) - f(x)) / h``: an error of order 1."""
    return (f(x + h) - f(x)) / h


def central_difference(f: Function, x: Any, h: Any) -> Any:
    """``(f(x + h) - f(x - h)) / (2 h)``: an error of order 2."""
    return (f(x + h) - f(x - h)) / (2 * h)


def richardson_difference(f: Function, x: Any, h: Any) -> Any:
    """Central differences with steps ``h`` and ``h / 2``, combined so that errors cancel: order 4."""
    return (4 * central_difference(f, x, h / 2) - central_difference(f, x, h)) / 3


def complex_step(f: Function, x: Any, h: Any) -> Any:
    """``Im f(x + i h) / h``: an error of order 2, and nothing is subtracted, so nothing cancels."""
    return f(complex(x, h)).imag / h
