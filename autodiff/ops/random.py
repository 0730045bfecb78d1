"""Random draws as recorded operations: what ``ad.random`` offers."""

from __future__ import annotations

__all__: list[str] = []
