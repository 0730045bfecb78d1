"""Data to train on: generated points, a real set of images, batches, and a split for testing.  Plain NumPy arrays."""

from typing import Any

from ..core.spelling import missing
from .batches import Batches, batches, train_test_split
from .digits import digits
from .shapes import blobs, circles, moons, spirals

__all__ = ["Batches", "batches", "blobs", "circles", "digits", "moons", "spirals", "train_test_split"]

_SPELLINGS = {
    "DataLoader": "data.batches(X, y, batch_size=32)",
    "TensorDataset": "data.batches(X, y, batch_size=32)",
    "load_digits": "data.digits()",
    "make_moons": "data.moons(n, noise, rng)",
    "make_circles": "data.circles(n, noise, factor, rng)",
    "make_blobs": "data.blobs(n, noise, centers, rng)",
}


def __getattr__(name: str) -> Any:
    """Say what there is instead."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise missing("data", name, __all__, _SPELLINGS)
