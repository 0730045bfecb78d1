"""``Value``: one number on the tape."""

from __future__ import annotations

from typing import Any

import numpy as np

from .core import numbers
from .core.batched import Batched
from .core.errors import KindError
from .core.node import Node, record, refuse_untrackable
from .node_methods import NodeMethods
from .numpy_protocol import NumpyProtocol
from .ops.activation import ActivationMethods
from .ops.arithmetic import ArithmeticMethods, positive, real
from .ops.exponential import ExponentialMethods
from .ops.extremum import ExtremumMethods
from .ops.reduce import sum
from .ops.select import SelectMethods
from .ops.special import SpecialMethods
from .ops.trigonometric import TrigonometricMethods


class Value(
    ArithmeticMethods,
    ExponentialMethods,
    TrigonometricMethods,
    ActivationMethods,
    ExtremumMethods,
    SelectMethods,
    SpecialMethods,
    NodeMethods,
    NumpyProtocol,
    Node,
):
    """One number on the tape: int, float, complex, Fraction, Decimal, an mpmath number or a SymPy expression.

    Arithmetic stays in the number's own kind, so the gradient of a Fraction is an exact Fraction.

    Parameters
    ----------
    data : number
    name : str, optional
        What drawings and messages call it.

    Raises
    ------
    KindError
        If ``data`` is not a single number.

    Examples
    --------
    >>> x = Value(3.0)
    >>> y = x * x + 1
    >>> y.backward()
    >>> x.grad
    6.0
    """

    __slots__ = ()

    def __init__(self, data: Any, name: str | None = None) -> None:
        super().__init__(self._admit(data), True, name)

    @staticmethod
    def _refuse_discrete(data: Any) -> None:
        if isinstance(data, bool):
            raise refuse_untrackable("Value", "a bool")

    def _admit(self, data: Any) -> Any:
        if isinstance(data, np.generic | np.ndarray) and data.ndim == 0 and data.dtype.kind in "iufc":
            data = data.item()
        if isinstance(data, Node):
            raise KindError(
                "Value was given a node. Use x.item() for its number, or x.detach() for a copy off the tape."
            )
        if not numbers.is_number(type(data)):
            raise KindError(
                f"Value holds one number, got {type(data).__name__} {str(data)[:40]!r}. Use Tensor for an array."
            )
        self._refuse_discrete(data)
        return data

    def _fit_tangent(self, t: Any) -> Any:
        if isinstance(t, Node):
            if not isinstance(t, Value):
                return self._as_number(t)
            found, own = np.iscomplexobj(t._data), isinstance(self._data, complex)
            if own and not found:
                return t + 0j
            return t.real if found and isinstance(self._data, int | float) else t
        if isinstance(t, np.ndarray):
            t = np.add.reduce(t, axis=None)
        if isinstance(t, Batched):
            return sum(t) if t.ndim else t
        return numbers.like(self._data, t)

    def _as_number(self, t: Any) -> Any:
        """What a tensor adds up to, as a node of this kind of number."""
        t = sum(t) if t.ndim else t
        if isinstance(t._data, Batched):
            return t
        t = real(t) if t.dtype.kind == "c" and not numbers.is_complex(type(self._data)) else t
        return record(Value, numbers.like(self._data, t._data), positive.rule, t, None, None, t.tracked)

    def _fit_cotangent(self, c: Any, source: Any) -> Any:
        return self._fit_tangent(c)

    @property
    def shape(self) -> tuple[int, ...]:
        """Always ``()``: a Value counts as a 0-d tensor."""
        return ()

    @property
    def ndim(self) -> int:
        """Always 0."""
        return 0

    @property
    def size(self) -> int:
        """Always 1."""
        return 1

    def item(self) -> Any:
        """The number."""
        return self._data

    def numpy(self) -> Any:
        """The number as a 0-d array."""
        return np.asarray(self._data)

    def detach(self) -> Value:
        """The same number, off the tape."""
        copy = Value(self._data, self.name)
        copy.tracked = False
        return copy

    def __repr__(self) -> str:
        name = f", name={self.name!r}" if self.name else ""
        return f"Value(data={self._data!r}, grad={self.grad!r}{name})"


Node.for_numbers = Value
