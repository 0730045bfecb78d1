"""Optimizers: each takes a list of parameters, and its update is the lines of the paper."""

from typing import Any

from ..core.spelling import missing
from .adam import Adam, AdamW
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]

_SPELLINGS = {"lr_scheduler": "optimizer.lr, which may be set at any time"}


def __getattr__(name: str) -> Any:
    """Say what there is instead."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise missing("optim", name, __all__, _SPELLINGS)
