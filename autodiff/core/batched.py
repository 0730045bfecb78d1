"""Many arrays that compute as one: the kind of data that ``vmap`` puts in place of an array."""

from __future__ import annotations

from typing import Any

import numpy as np


class Batched:
    """Arrays of one shape, kept as one array with an axis more in front, which whoever computes with it does not see.

    Attributes
    ----------
    array : ndarray or Tensor
        What is kept: the first axis counts the arrays, or has length 1 if they are all the same.
    """

    array: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of each array."""
        shape: tuple[int, ...] = self.array.shape[1:]
        return shape

    @property
    def ndim(self) -> int:
        """The number of axes of each array."""
        return len(self.array.shape) - 1

    @property
    def size(self) -> int:
        """The number of entries of each array."""
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the entries."""
        dtype: np.dtype[Any] = self.array.dtype
        return dtype

    @classmethod
    def compute(cls, rule: Any, *args: Any) -> Any:
        """A rule on arguments of which some are batched, and its options."""
        raise NotImplementedError


def as_array(data: Any) -> Any:
    """An array, or a batch of them, as it is; anything else as an array."""
    # First what a ufunc of arrays of shape () returns, which comes by often.
    return data if not isinstance(data, np.generic) and isinstance(data, Batched) else np.asarray(data)
