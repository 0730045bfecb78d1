"""Discrete Fourier transforms: what ``ad.fft`` offers."""

from __future__ import annotations

__all__: list[str] = []
