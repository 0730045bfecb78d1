"""Averages of weights over the steps of a training, which often do better than the last weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..core import numbers
from ..core.errors import ArgumentError, ShapeError
from .parameters import require_leaves
from .settings import below_1


class EMA:
    r"""Running averages of parameters, :math:`a \leftarrow \beta a + (1 - \beta) p` [1]_.

    Parameters
    ----------
    params : list of Tensor and Value
        Such as ``model.parameters()``.
    decay : float
        :math:`\beta`: about ``1 / (1 - decay)`` steps are averaged.

    Attributes
    ----------
    averages : list of ndarray
        They start at the parameters.

    References
    ----------
    .. [1] B. T. Polyak and A. B. Juditsky, SIAM J. Control Optim. 30 (1992) 838-855.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> w = ad.Tensor([0.0])
    >>> ema = optim.EMA([w], decay=0.75)
    >>> w.data = [4.0]
    >>> ema.update()
    >>> with ema.applied():
    ...     print(w.data)
    [1.]
    >>> w.data
    array([4.])
    """

    def __init__(self, params: Iterable[Any], decay: float = 0.999) -> None:
        below_1("EMA", "decay", decay)
        self.params = require_leaves("EMA", params)
        self.decay = decay
        self.averages = [_floating(p._data) for p in self.params]

    def update(self) -> None:
        """Take the parameters in: after each step of the optimizer."""
        for p, a in zip(self.params, self.averages, strict=True):
            a += (1 - self.decay) * (p._data - a)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the parameters be their averages inside, and what they were afterwards."""
        before = [np.array(p._data) for p in self.params]
        self._assign(self.averages)
        try:
            yield
        finally:
            self._assign(before)

    def copy_to_params(self) -> None:
        """Let the parameters be their averages from now on."""
        self._assign(self.averages)

    def _assign(self, arrays: list[Any]) -> None:
        for p, a in zip(self.params, arrays, strict=True):
            p.data = a if isinstance(p._data, np.ndarray) else numbers.like(p._data, a)

    def state_dict(self) -> dict[str, Any]:
        """Copies of the averages, by number."""
        return {str(i): a.copy() for i, a in enumerate(self.averages)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the averages of another of the same parameters.

        Raises
        ------
        ArgumentError, ShapeError
            If they do not fit.  Nothing is changed then.
        """
        if set(state) != set(self.state_dict()):
            raise ArgumentError(f"load_state_dict of EMA got {len(state)} averages; it has {len(self.averages)}.")
        for i, a in enumerate(self.averages):
            if np.shape(state[str(i)]) != a.shape:
                raise ShapeError(
                    f"load_state_dict of EMA got an array of shape {np.shape(state[str(i)])} as average {i}, which has "
                    f"shape {a.shape}."
                )
        for i, a in enumerate(self.averages):
            a[...] = state[str(i)]


def _floating(x: Any) -> Any:
    """A copy as an array that can hold averages."""
    array = np.array(x)
    return array.astype(float) if array.dtype.kind in "iu" else array
