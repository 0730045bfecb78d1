"""Neural networks: layers, containers and losses, with PyTorch's names and parameter shapes.

Modules are plain objects; parameters are found wherever they sit in them.
"""

from typing import Any

from ..core.spelling import missing
from . import functional, scalar
from .activation import ELU, GELU, LeakyReLU, LogSigmoid, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from .container import MLP, Sequential
from .dropout import Dropout
from .linear import Flatten, Identity, Linear
from .loss import BCEWithLogitsLoss, CrossEntropyLoss, HingeLoss, MSELoss
from .module import Module

__all__ = [
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "Dropout",
    "ELU",
    "Flatten",
    "GELU",
    "HingeLoss",
    "Identity",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MLP",
    "MSELoss",
    "Module",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "functional",
    "scalar",
]

_SPELLINGS = {
    "Parameter": "ad.Tensor: every tensor in an attribute, list or dict of a module is a parameter",
    "ParameterList": "a plain list of tensors",
    "ParameterDict": "a plain dict of tensors",
    "ModuleList": "a plain list: the modules in it are found",
    "ModuleDict": "a plain dict: the modules in it are found",
    "BCELoss": "nn.BCEWithLogitsLoss, with no sigmoid before it",
    "NLLLoss": "nn.CrossEntropyLoss, with no log_softmax before it",
    "L1Loss": "ad.absolute(predictions - targets).mean()",
    "relu": "nn.ReLU() as a layer, ad.relu as a function",
}


def __getattr__(name: str) -> Any:
    """Say what there is instead."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise missing("nn", name, __all__, _SPELLINGS)
