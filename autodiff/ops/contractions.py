"""Products over several axes or several matrices."""

from __future__ import annotations

__all__: list[str] = []
