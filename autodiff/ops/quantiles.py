"""Order statistics: medians, quantiles, percentiles."""

from __future__ import annotations

__all__: list[str] = []
