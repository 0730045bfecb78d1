"""Arrays that layers keep beside their parameters, and bring up to date themselves: running averages.

A compiled function reads and sets them at each call, as ``f`` itself does: for it, both are recorded ops that are never
shared and never left out, like draws of random numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, data_of
from ..core.op import primitive

__all__: list[str] = []

NOTHING = np.zeros(())


@primitive(formula=r"y = b", differentiable=False, random=True)
def read_buffer(x: ArrayLike, /, buffer: Any) -> Array:
    """What a buffer holds now, not to be written into; ``x`` is nothing.  Never tracked."""
    view: Array = buffer.state.view()
    view.flags.writeable = False  # what was written into it would be lost to a compiled function
    return view


@primitive(formula=r"y = x", differentiable=False, random=True)
def set_buffer(x: ArrayLike, /, buffer: Any) -> Array:
    """Let a buffer hold ``x``, and return it.  Never tracked."""
    buffer.state = np.array(x, buffer.state.dtype)
    return read_buffer.rule.forward(NOTHING, buffer)


class Buffer:
    """An array that belongs to a layer and is no parameter: saved with the model, and never trained.

    Parameters
    ----------
    data : array_like

    Attributes
    ----------
    data : ndarray
        Can be set, to arrays and tensors of the same shape, but not written into: ``b.data = b.data + 1``, not
        ``b.data += 1``.  No gradients flow through it.

    Raises
    ------
    ShapeError
        When set to an array of another shape.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> class Centre(nn.Module):
    ...     def __init__(self):
    ...         self.mean = nn.Buffer(np.zeros(2))
    ...
    ...     def forward(self, x):
    ...         self.mean.data = 0.9 * self.mean.data + 0.1 * ad.mean(x, 0)
    ...         return x - self.mean.data
    >>> centre = Centre()
    >>> _ = centre(np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> centre.mean
    Buffer([0.2, 0.3])
    """

    __slots__ = ("state",)

    def __init__(self, data: Any) -> None:
        self.state = np.array(data_of(data))

    @property
    def data(self) -> Any:
        """The array."""
        self._tell()
        return read_buffer(NOTHING, self)

    @data.setter
    def data(self, data: Any) -> None:
        if np.shape(data_of(data)) != self.state.shape:
            raise ShapeError(
                f"A buffer of shape {self.state.shape} was set to an array of shape {np.shape(data_of(data))}; they "
                "must agree. For another shape make another buffer."
            )
        self._tell()
        set_buffer(data if compiler() else data_of(data), self)

    def _tell(self) -> None:
        """Tell who compiles, who puts back what recording changes."""
        compiling = compiler()
        if compiling is not None:
            compiling.changes(self)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.state.shape

    def __repr__(self) -> str:
        return f"Buffer({np.array2string(self.state, separator=', ', threshold=20)})"
