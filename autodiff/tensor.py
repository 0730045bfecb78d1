"""``Tensor``: an array on the tape."""

from __future__ import annotations

from sys import getrefcount
from typing import Any

import numpy as np

from .core.batched import Batched, as_array
from .core.dispatch import refuse_masked
from .core.errors import AutodiffError, KindError, ShapeError, TapeError
from .core.node import Node, describe, rebind, refuse_untrackable
from .core.spelling import Misspelt
from .core.unheld import is_unheld
from .node_methods import NodeMethods
from .numpy_protocol import NumpyProtocol
from .ops import public
from .ops.activation import ActivationMethods
from .ops.arithmetic import ArithmeticMethods, real
from .ops.broadcast import BroadcastMethods, broadcast_to, sum_to
from .ops.exponential import ExponentialMethods
from .ops.extremum import ExtremumMethods
from .ops.index import IndexMethods
from .ops.joining import JoiningMethods, stack
from .ops.products import ProductMethods
from .ops.reduce import ReduceMethods
from .ops.select import SelectMethods
from .ops.shape import ShapeMethods, astype, reshape
from .ops.softmax import SoftmaxMethods
from .ops.special import SpecialMethods
from .ops.trigonometric import TrigonometricMethods

# What other libraries call it, and what it is called here.
SPELLINGS = {
    "view": "x.reshape(...)",
    "unsqueeze": "ad.expand_dims(x, axis)",
    "permute": "x.transpose(...)",
    "t": "x.T",
    "mm": "x @ y",
    "bmm": "x @ y",
    "clamp": "x.clip(low, high)",
    "pow": "x ** p",
    "numel": "x.size",
    "nelement": "x.size",
    "dim": "x.ndim",
    "expand": "ad.broadcast_to(x, shape)",
    "cat": "ad.concatenate([...], axis)",
    "contiguous": "x itself: layout needs no care here",
    "cpu": "x itself: all data is on the CPU",
    "cuda": "x itself: all data is on the CPU",
    "to": "ad.astype(x, dtype)",
    "float": "ad.astype(x, 'float32')",
    "double": "ad.astype(x, 'float64')",
    "half": "ad.astype(x, 'float16')",
    "type": "ad.astype(x, dtype)",
    "index_select": "ad.take(x, indices, axis)",
    "gather": "ad.take_along_axis(x, indices, axis)",
    "requires_grad_": "x.requires_grad = True",
    "detach_": "x.detach()",
    "retain_grad": "x.grad: every node keeps its gradient after backward()",
    "zero_": "x.data = np.zeros_like(x.data)",
    "grad_fn": "x.rule",
    "clone": "x itself, or x.detach() for a copy off the tape: no op changes its arguments",
    "device": "always the CPU",
    "is_cuda": "always the CPU",
    "int": "x.astype(int), which is not tracked",
    "long": "x.astype(int), which is not tracked",
    "bool": "x.astype(bool), which is not tracked",
    "chunk": "ad.split(x, n, axis)",
    "masked_fill": "ad.where(mask, value, x)",
    "expand_as": "ad.broadcast_to(x, y.shape)",
    "eq": "x == y",
    "lt": "x < y",
    "gt": "x > y",
    "add_": "x = x + y",
    "sub_": "x = x - y",
    "mul_": "x = x * y",
    "div_": "x = x / y",
    "fill_": "x.data = np.full(x.shape, value)",
    "copy_": "x.data = array",
}


class Tensor(
    ArithmeticMethods,
    ExponentialMethods,
    TrigonometricMethods,
    ActivationMethods,
    ExtremumMethods,
    SelectMethods,
    SpecialMethods,
    BroadcastMethods,
    ReduceMethods,
    SoftmaxMethods,
    JoiningMethods,
    ShapeMethods,
    IndexMethods,
    ProductMethods,
    NodeMethods,
    NumpyProtocol,
    Node,
):
    """An array on the tape.

    Parameters
    ----------
    data : array_like
        Copied, so that what happens to the original later cannot falsify a gradient.
    dtype : dtype, optional
        As NumPy chooses if not given: lists of floats are float64.
    requires_grad : bool
        Whether operations on it are recorded.
    name : str, optional
        What drawings and messages call it.

    Raises
    ------
    KindError
        If gradients are required of whole numbers, truth values or objects.

    Examples
    --------
    >>> import autodiff as ad
    >>> w = ad.Tensor([1.0, 2.0, 3.0])
    >>> loss = (w * w).sum()
    >>> loss.backward()
    >>> w.grad
    array([2., 4., 6.])
    """

    __slots__ = ()

    def __init__(self, data: Any, dtype: Any = None, requires_grad: bool = True, name: str | None = None) -> None:
        if isinstance(data, Node):
            raise KindError(
                "Tensor was given a node, which would cut the tape silently. "
                "Use x.detach() for its data off the tape, or x itself."
            )
        refuse_masked(data)
        try:
            array = data if isinstance(data, Batched) else np.array(data, dtype=dtype)
        except AutodiffError:
            raise
        except (TypeError, ValueError) as error:
            raise KindError(
                f"Tensor could not be made of a {type(data).__name__} with dtype={dtype}: {str(error).rstrip('.')}. "
                "Give it numbers, lists of equal length or an array, such as np.zeros((2, 3)), and a dtype by name."
            ) from error
        if array.dtype.kind not in "biufc":
            raise KindError(f"Tensor holds numbers, got dtype {array.dtype} from {type(data).__name__}.")
        if requires_grad:
            self._refuse_discrete(array)
        super().__init__(array, requires_grad, name)

    @staticmethod
    def _refuse_discrete(data: Any) -> None:
        if data.dtype.kind not in "fc":
            raise refuse_untrackable("Tensor", f"data of dtype {data.dtype}")

    def _admit(self, data: Any) -> Any:
        array = np.asarray(data)
        if array.shape != self._data.shape:
            raise ShapeError(
                f"Data of shape {array.shape} was assigned to a tensor of shape {self._data.shape}. "
                "Make a new Tensor to change the shape."
            )
        if self.tracked:
            self._refuse_discrete(array)
        # p.data -= step hands back the array that it changed; anybody else's array stays theirs
        return array if array is self._data else array.astype(self._data.dtype)

    def _fit_cotangent(self, c: Any, source: Any) -> Any:
        data = self._data
        if c.__class__ is not np.ndarray and not isinstance(c, Tensor):
            c = reshape(c, ()) if isinstance(c, Node) else as_array(c)
        if c.shape != data.shape:
            c = _sum_to(c, data.shape) if c.__class__ is np.ndarray else sum_to(c, data.shape)
        if c.dtype is not data.dtype:
            c = _to_dtype(c, data.dtype)
        if self.rule is None and c.__class__ is np.ndarray and (c is source or c.base is not None):
            return c.copy()
        return c

    def _fit_tangent(self, t: Any) -> Any:
        data = self._data
        if t.__class__ is not np.ndarray and not isinstance(t, Tensor):
            t = reshape(t, ()) if isinstance(t, Node) else as_array(t)
        if t.shape != data.shape:
            t = broadcast_to(t, data.shape)
        return t if t.dtype is data.dtype else _to_dtype(t, data.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        shape: tuple[int, ...] = self._data.shape
        return shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._data.shape)

    @property
    def size(self) -> int:
        """Number of entries."""
        size: int = self._data.size
        return size

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the entries."""
        dtype: np.dtype[Any] = self._data.dtype
        return dtype

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Any:
        if self.ndim == 0:
            raise KindError(
                "A tensor of shape () was iterated over; it is a single number."
            )  # a TypeError, as iter() owes
        return (self[i] for i in range(len(self)))

    def __setitem__(self, key: Any, value: Any) -> None:
        references = getrefcount(self)
        if is_unheld(self, references, value):
            raise TapeError(
                f"{describe(self)} was assigned into, but nothing holds it, so the assignment would be lost: "
                "in t[0][1] = v the result of t[0] is no view of t. Write t[0, 1] = v."
            )
        rebind(self, public.setitem(self, value, key))

    def fill(self, value: Any) -> None:
        """Set every entry, as ``t[...] = value``."""
        self[...] = value

    def sort(self, axis: int = -1, *, kind: Any = None, stable: bool | None = None) -> None:
        """Sort in place, as NumPy's method does; ``ad.sort`` returns the sorted tensor instead."""
        self[...] = public.sort(self, axis, kind, stable=stable)

    def partition(self, kth: Any, axis: int = -1) -> None:
        """Partition in place, as NumPy's method does; ``ad.partition`` returns the result instead."""
        self[...] = public.partition(self, kth, axis)

    def compress(self, condition: Any, axis: Any = None) -> Any:
        """Slices along ``axis`` where ``condition`` is true, as NumPy's method."""
        return public.compress(condition, self, axis)

    def put(self, indices: Any, values: Any, mode: str = "raise") -> None:
        """Set entries by their place in the flattened tensor, as NumPy's method does."""
        self[...] = public.put(self, indices, values, mode)

    def __contains__(self, value: Any) -> bool:
        return value in self._data

    def item(self) -> Any:
        """The single entry as a Python number."""
        return self._data.item()

    def tolist(self) -> Any:
        """The entries as nested lists of Python numbers."""
        return self._data.tolist()

    def numpy(self) -> Any:
        """The data as an array; a view, so do not write to it."""
        view = self._data.view()
        view.flags.writeable = False
        return view

    def detach(self) -> Tensor:
        """The same data, off the tape."""
        return Tensor(self._data, requires_grad=False, name=self.name)

    def astype(
        self, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """Convert to another dtype.  A conversion to whole numbers or truth values leaves the tape."""
        dtype = np.dtype(dtype)
        if not np.can_cast(self.dtype, dtype, casting):  # type: ignore[arg-type]
            raise KindError(f"astype from {self.dtype} to {dtype} is not allowed by casting={casting!r}.")
        return astype(self, dtype)

    def __repr__(self) -> str:
        if not isinstance(self._data, np.ndarray):
            return f"Tensor({self._data!r})"  # let go of by backward(free=True)
        text = np.array2string(self._data, separator=", ", prefix="Tensor(", threshold=20)
        extras = [] if self._data.dtype == float else [f"dtype={self._data.dtype}"]
        extras += [f"name={self.name!r}"] if self.name else []
        extras += [f"op={self.rule.name}"] if self.rule is not None else []
        extras += [] if self.tracked else ["requires_grad=False"]
        return f"Tensor({', '.join([text, *extras])})"


_sum_to = sum_to.rule.forward  # plain data needs no op around it


def _to_dtype(c: Any, dtype: np.dtype[Any]) -> Any:
    if c.dtype == dtype:
        return c
    if c.dtype.kind == "c" and dtype.kind != "c":
        c = real(c)
    return astype(c, dtype)


for _name, _ours in SPELLINGS.items():
    setattr(Tensor, _name, Misspelt("Tensor", _name, _ours))

Node.for_arrays = Tensor
Node.stacked = staticmethod(stack)
