"""Weights to PyTorch and back: the names and shapes of parameters are the same there."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import KindError, MissingExtraError
from ..core.node import data_of
from ..nn.module import Module


def to_torch(state: Any, module: Any = None) -> Any:
    """Weights as PyTorch has them.

    Parameters
    ----------
    state : Module or dict of array
        A model, or its ``state_dict()``.
    module : torch.nn.Module, optional
        Takes them, if it is given; of the same layers.  It rounds them to the dtype of its own parameters.

    Returns
    -------
    dict of torch.Tensor, or module
        For ``load_state_dict``.  The tensors are copies, of the same dtypes.

    Raises
    ------
    MissingExtraError
        If PyTorch is not installed.
    RuntimeError
        PyTorch's own, if names or shapes do not fit ``module``.
    """
    try:
        import torch
    except ImportError:
        raise MissingExtraError("interop.torch.to_torch", "torch", "torch") from None
    arrays = state.state_dict() if isinstance(state, Module) else state
    found = {name: torch.from_numpy(np.array(data_of(array))) for name, array in arrays.items()}
    if module is None:
        return found
    module.load_state_dict(found)
    return module


def from_torch(state: Any, model: Module | None = None) -> Any:
    """Weights of PyTorch as arrays.

    Parameters
    ----------
    state : torch.nn.Module or dict of torch.Tensor
        A module, or its ``state_dict()``.
    model : Module, optional
        Takes them, if it is given; of the same layers.  They are brought to the dtype of its own parameters.

    Returns
    -------
    dict of ndarray, or model
        The arrays are copies, on the CPU.

    Raises
    ------
    KindError
        If it is something else.
    ArgumentError, ShapeError
        If names or shapes do not fit ``model``.  Nothing is changed then.
    """
    tensors = state.state_dict() if hasattr(state, "state_dict") else state
    if not hasattr(tensors, "items") or not all(hasattr(t, "detach") for t in tensors.values()):
        raise KindError(f"from_torch got a {type(state).__name__}; it takes a module of PyTorch, or its state_dict().")
    arrays = {name: _array(t) for name, t in tensors.items()}
    if model is None:
        return arrays
    model.load_state_dict(arrays)
    return model


def _array(tensor: Any) -> Any:
    tensor = tensor.detach().cpu()
    if str(tensor.dtype) == "torch.bfloat16":  # which NumPy has not, and every float32 has its numbers
        tensor = tensor.float()
    return np.array(tensor.numpy())
