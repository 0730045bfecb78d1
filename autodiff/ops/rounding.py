"""Rounding, and what is left of it."""

from __future__ import annotations

__all__: list[str] = []
