"""Grids and tables: spaces, meshes, interpolation, polynomials."""

from __future__ import annotations

__all__: list[str] = []
