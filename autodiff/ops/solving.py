"""Linear equations: determinants, inverses, solutions."""

from __future__ import annotations

__all__: list[str] = []
