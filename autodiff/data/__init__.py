"""Data to train on: generated points, a real set of images, batches, and a split for testing.  Plain NumPy arrays."""

from .batches import Batches, batches, train_test_split
from .digits import digits
from .shapes import blobs, circles, moons, spirals

__all__ = ["Batches", "batches", "blobs", "circles", "digits", "moons", "spirals", "train_test_split"]
