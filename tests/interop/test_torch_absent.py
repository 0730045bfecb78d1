"""Weights of PyTorch where it is not installed; with it: tests/parity/test_weights.py."""

import sys

import numpy as np
import pytest

from autodiff import nn
from autodiff.core.errors import ArgumentError, KindError, MissingExtraError
from autodiff.interop.torch import from_torch, to_torch


class StandIn:
    """As much of a tensor as is asked for."""

    def __init__(self, array):
        self.array = array
        self.dtype = f"torch.{array.dtype}"

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.array


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(
        MissingExtraError, match=r"to_torch needs the package torch.*pip install 'autodiff-tape\[torch\]'"
    ):
        to_torch(nn.Linear(2, 1))


def test_a_state_dict_is_enough():
    state = {"weight": StandIn(np.ones((1, 2))), "bias": StandIn(np.zeros(1, np.float32))}
    arrays = from_torch(state)
    assert {name: x.dtype for name, x in arrays.items()} == {"weight": float, "bias": np.float32}
    arrays["weight"][:] = 5
    assert state["weight"].array.max() == 1
    assert from_torch(state, nn.Linear(2, 1))(np.ones(2)).tolist() == [2.0]
    with pytest.raises(ArgumentError, match="missing: bias"):
        from_torch({"weight": state["weight"]}, nn.Linear(2, 1))


@pytest.mark.parametrize("state", [[1], {"weight": np.ones(2)}, None])
def test_what_is_no_state(state):
    with pytest.raises(KindError, match=r"it takes a module of PyTorch, or its state_dict\(\)"):
        from_torch(state)
