"""Arrays by name in files: weights and checkpoints.

No pickle anywhere: what is loaded is numbers, and runs nothing.
"""

from .atomic import leftovers, replacing
from .files import load, metadata, save

__all__ = ["leftovers", "load", "metadata", "replacing", "save"]
