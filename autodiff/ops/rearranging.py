"""Rolling, rotating, repeating and reversing."""

from __future__ import annotations

__all__: list[str] = []
