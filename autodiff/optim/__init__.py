"""Optimizers: each takes a list of parameters, and its update is the lines of the paper."""

from typing import Any

from ..core.spelling import missing
from . import lr_scheduler
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .averaging import EMA
from .clipping import clip_grad_norm_, clip_grad_value_
from .lbfgs import LBFGS
from .lion import Lion
from .nadam import NAdam
from .optimizer import Optimizer
from .range_test import RangeTest, lr_range_test
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = [
    "Adagrad",
    "Adam",
    "AdamW",
    "EMA",
    "LBFGS",
    "Lion",
    "NAdam",
    "Optimizer",
    "RMSprop",
    "RangeTest",
    "SGD",
    "clip_grad_norm_",
    "clip_grad_value_",
    "lr_range_test",
    "lr_scheduler",
]

_SPELLINGS = {"AveragedModel": "optim.EMA(model.parameters())", "swa_utils": "optim.EMA"}


def __getattr__(name: str) -> Any:
    """Say what there is instead."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise missing("optim", name, __all__, _SPELLINGS)
