"""Rows of losses that no composition of other rows gives with the same derivative."""

from __future__ import annotations

import numpy as np

from ..core.errors import KindError
from ..core.node import Array, ArrayLike, is_complex
from .exponential import log, log1p
from .extremum import maximum
from .families import elementwise

__all__: list[str] = []

FLOOR = -100
"""Where logarithms of probabilities end."""


@elementwise(
    lambda p, t: (p - t) / maximum(p * (1 - p), 1e-12),
    lambda p: maximum(log1p(-p), FLOOR) - maximum(log(p), FLOOR),
    formula=r"y = -t \ln p - (1 - t) \ln (1 - p), \quad \bar p = \bar y\,\frac{p - t}{p (1 - p)}, \; "
    r"\bar t = \bar y \ln\frac{1 - p}{p}",
    domain=[(0.1, 0.9), (0.1, 0.9)],
    number=lambda p, t: -(t * maximum(log(p), FLOOR) + (1 - t) * maximum(log1p(-p), FLOOR)),
)
def binary_entropy(p: ArrayLike, t: ArrayLike, /) -> Array:
    """Cross-entropy of probabilities ``t`` and ``p`` of two outcomes.  Logarithms end at -100, slopes at 1e12."""
    if is_complex(p) or is_complex(t):
        raise KindError("binary_entropy got complex numbers; probabilities are real ones.")
    with np.errstate(divide="ignore"):
        return -(t * np.maximum(np.log(p), FLOOR) + (1 - t) * np.maximum(np.log1p(-p), FLOOR))
