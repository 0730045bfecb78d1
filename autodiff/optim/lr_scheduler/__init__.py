"""Schedules: how the learning rate of an optimizer changes from step to step, under PyTorch's names.

Each says what becomes of a rate after its ``t``-th step, given the rate before and the rate at the start.  A rate is
changed and not computed anew where that is PyTorch's way: so several schedules can act on one optimizer.
"""

from typing import Any

from ...core.spelling import missing
from .annealing import CosineAnnealingLR, LinearLR, OneCycleLR
from .chained import ChainedScheduler, SequentialLR
from .decay import ExponentialLR, LambdaLR, MultiStepLR, StepLR
from .plateau import ReduceLROnPlateau
from .schedule import Schedule

__all__ = [
    "ChainedScheduler",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "Schedule",
    "SequentialLR",
    "StepLR",
]

_SPELLINGS = {
    "LRScheduler": "optim.lr_scheduler.Schedule",
    "ConstantLR": "optim.lr_scheduler.LambdaLR(optimizer, lambda t: factor if t < total_iters else 1)",
    "MultiplicativeLR": "optim.lr_scheduler.LambdaLR, of a function that gives the whole factor",
    "CosineAnnealingWarmRestarts": "optim.lr_scheduler.SequentialLR of several CosineAnnealingLR",
}


def __getattr__(name: str) -> Any:
    """Say what there is instead."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise missing("optim.lr_scheduler", name, __all__, _SPELLINGS)
