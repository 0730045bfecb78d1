"""The error function and its relatives, and entropies."""

from __future__ import annotations

__all__: list[str] = []
