"""Differences and sums over a grid: numerical calculus."""

from __future__ import annotations

__all__: list[str] = []
