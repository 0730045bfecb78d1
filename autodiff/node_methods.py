"""What ``Value`` and ``Tensor`` share: ``backward``, and the refusals to leave the tape silently."""

from __future__ import annotations

import linecache
import re
import sys
from types import MethodType
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .core import numbers
from .core.batched import Batched
from .core.errors import KindError, LeavingTapeError, ShapeError, TapeError
from .core.modes import enable_grad, is_recording, watchers
from .core.node import Node, describe, is_complex
from .core.rule import TABLE
from .core.tape import FREED, pull_back, require_tracked
from .ops import public

if TYPE_CHECKING:
    Base = Node
else:
    Base = object  # a mixin: the node itself comes after it


class Later:
    """A method for an op that no mixin has, such as those of topics that are loaded on first use.

    Python's own hook for that, ``__getattr__``, would double the price of reading any attribute of a node.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, node: Any, owner: Any = None) -> Any:
        op = getattr(public, self.name)
        return op if node is None else MethodType(op, node)


LATER_METHODS = """
    acos acosh adaptive_avg_pool1d adaptive_avg_pool2d amax amin angle argpartition argsort argwhere around
    array_split ascontiguousarray asfortranarray asin asinh atan atan2 atanh average avg_pool1d avg_pool2d beta
    betainc betaln bincount bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or
    bitwise_right_shift bitwise_xor ceil cholesky choose cond conv1d conv2d conv_transpose1d conv_transpose2d
    convolve copysign corrcoef correlate count_nonzero cross cumprod cumsum cumulative_prod cumulative_sum deg2rad
    degrees det diag diagflat diagonal diff digamma digitize divmod dropout dropout_mask dsplit eig eigh eigvals
    eigvalsh empty_like entr equal erfcinv erfcx erfinv expit expm fabs fill_diagonal fix flatnonzero fliplr flipud
    float_power floor fmax fmin fmod full_like gamma gammainc gammaincc gammaln gammasgn gcd getitem greater
    greater_equal heaviside hsplit i0 i0e i1 i1e inner interp inv invert isclose iscomplex isfinite isin isinf isnan
    isneginf isposinf isreal iv ive ix_ j0 j1 jn jv k0 k0e k1 k1e kl_div kn kron kv kve lcm ldexp left_shift less
    less_equal linear log_expit log_ndtr logaddexp2 logical_and logical_not logical_or logical_xor logit lstsq
    matrix_norm matrix_power matrix_rank matrix_transpose matvec max_pool1d max_pool2d mean_squared_error median mod
    modf multigammaln nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin
    nanpercentile nanprod nanquantile nanstd nansum nanvar ndtri nonzero norm not_equal one_hot ones_like
    overlap_add pad partition percentile permute_dims piecewise pinv polygamma psi ptp put putmask qr quantile
    rad2deg radians real_if_close rel_entr right_shift rint roll rollaxis roots rot90 round scatter_add searchsorted
    setitem signbit sinc sliding_window_view slogdet solve sort sort_complex standardize std stop_gradient sum_to
    svd svdvals tanh_recurrence tensordot tensorinv tensorsolve tile trace tril triu true_divide trunc unstack
    unwrap vander var vdot vecdot vecmat vector_norm vsplit where xlog1py xlogy y0 y1 yn yv zeros_like zeta
"""


class NodeMethods(Base):
    """Methods of both kinds of node."""

    __slots__ = ()

    _op_priority = 1000  # SymPy leaves an operator to whoever names a priority above its own

    def backward(self, gradient: Any = None, *, create_graph: bool = False, free: bool = False) -> None:
        """Differentiate this result with respect to everything it was computed from.

        Afterwards every node on the tape has its ``.grad``.  Leaves add to what they had, the others are overwritten.

        Parameters
        ----------
        gradient : array_like, optional
            Cotangent of this result, of its shape.  May be left away if the result is a single number: then it is 1.
        create_graph : bool
            Record the derivatives too, so that gradients are nodes that can be differentiated again.
        free : bool
            Let go of the tape and its values on the way.  The result stays readable, a second ``backward`` raises.

        Raises
        ------
        TapeError
            If nothing was recorded, or the tape was freed.
        ShapeError
            If the result is not a single number and no gradient was given, or one of another shape.
        StaleDataError
            If a leaf was changed since it was used.
        """
        require_tracked(self, "backward()")
        start = first_cotangent(self, gradient)
        if free:
            _sweep_and_let_go(self, start)
        elif create_graph:
            with enable_grad():
                _sweep(self, start, create_graph=True)
        else:
            _sweep(self, start, create_graph=False)
        for watcher in () if is_recording() is True else watchers():
            watcher.graded(self)

    @property
    def _mask(self) -> Any:
        """Asked for by masked arrays, which otherwise would compute with ``_data`` and lose the gradient."""
        self._leave("np.ma.getmask")
        return np.ma.nomask

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    def __bool__(self) -> bool:
        return bool(self._data)

    def __format__(self, spec: str) -> str:
        if not spec:
            return repr(self)
        data = self._data
        if isinstance(data, np.ndarray) and data.ndim:
            raise KindError(
                f"The format {spec!r} is for one number, and {describe(self)} has {data.size}. "
                "Format an entry, x[0], or round all of them: x.numpy().round(3)."
            )
        return format(data.item() if isinstance(data, np.ndarray) else data, spec)

    def __float__(self) -> float:
        return float(self._leave("float"))

    def __int__(self) -> int:
        return int(self._leave("int"))

    def __complex__(self) -> complex:
        return complex(self._leave("complex"))

    def __index__(self) -> int:
        return self._leave("an index").__index__()  # type: ignore[no-any-return]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self._leave("np.asarray"), dtype=dtype, copy=copy)

    def _leave(self, into: str) -> Any:
        """The plain data for a conversion, if that loses no derivative."""
        if not self.tracked:
            return self._data
        raise LeavingTapeError(_leaving(self, into))

    def __round__(self, digits: int | None = None) -> Any:
        data = self._leave("round")
        return round(data.item() if isinstance(data, np.ndarray) and not data.ndim else data, digits)

    def __copy__(self) -> Any:
        if not self.tracked:
            return self.detach()  # type: ignore[attr-defined]  # Matplotlib copies what it plots
        raise KindError("A node is not copied: use x.detach() for its data off the tape.")


def first_cotangent(y: Node, gradient: Any) -> Any:
    """The cotangent that a sweep from ``y`` starts with: 1, or a checked copy of ``gradient``."""
    data = y._data
    if gradient is not None and is_complex(gradient) and not is_complex(data):
        raise KindError(
            f"backward(gradient) of {describe(y)}, which is real, got a gradient that is complex. Take its real part."
        )
    if gradient is None:
        if not isinstance(data, np.ndarray):
            return numbers.like(data, 1)
        if data.size != 1:
            raise ShapeError(
                f"backward() of {describe(y)}: only a single number has a gradient. "
                "Reduce it first, with .sum() or .mean(), or give backward(gradient) of the same shape."
            )
        # For one number a NumPy scalar: what follows takes half the time that it takes with an array of shape ().
        return np.full(data.shape, 1, data.dtype) if data.ndim else data.dtype.type(1)
    if isinstance(data, np.ndarray):
        array: Any = (
            gradient
            if isinstance(gradient, Node)
            else np.array(gradient, dtype=np.result_type(data, 1j) if np.iscomplexobj(gradient) else data.dtype)
        )
        if array.shape != data.shape:
            raise ShapeError(
                f"backward(gradient) of {describe(y)} got a gradient of shape {array.shape}; it must be {data.shape}."
            )
        return array
    return gradient if isinstance(gradient, Node) else numbers.like(data, gradient)


def _sweep(y: Node, start: Any, create_graph: bool) -> None:
    for node, g in pull_back((y,), (start,), create_graph=create_graph):
        if create_graph and not isinstance(g, Node):
            g = _constant(g)
        if node.rule is not None or (node.grad is None and g.__class__ is np.ndarray):
            node.grad = g
        else:
            _add_to_grad(node, g)
    if isinstance(y.grad, np.generic):
        y.grad = np.asarray(y.grad)


def _add_to_grad(leaf: Node, g: Any) -> None:
    if isinstance(g, Batched) and not isinstance(leaf._data, Batched):
        raise TapeError(
            f"backward() inside vmap would leave the gradients of all examples in {describe(leaf)}, which is outside. "
            "Use ad.grad inside."
        )
    total = g if leaf.grad is None else leaf.grad + g
    leaf.grad = np.asarray(total) if isinstance(total, np.generic) else total  # 0-d arrays add up to a scalar


def _constant(g: Any) -> Node:
    node = (Node.for_arrays if isinstance(g, np.ndarray) else Node.for_numbers)(g)  # type: ignore[call-arg]
    node.tracked = False
    return node


def _sweep_and_let_go(y: Node, start: Any) -> None:
    for node, g in pull_back((y,), (start,)):
        if node.rule is None:
            _add_to_grad(node, g)
        else:
            node._a, node._b = (), None
            node.rule = FREED
            if node is not y:
                node._data = Freed()
        del g  # it would live until the next is there


class Freed:
    """Stands where the data was; an op that meets it refuses it by its type."""

    def __repr__(self) -> str:
        return "<freed by backward(free=True)>"

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise TapeError(
            f"{name} of a value that backward(free=True) has let go of was asked for. "
            "Read it before, or leave free=True away."
        )


def _leaving(node: Node, into: str) -> str:
    """Say how to read the number, and name the op if a function of ``math`` asked for it."""
    frame = sys._getframe(3)
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    called = re.search(r"\b(?:math|cmath)\.(\w+)\(", line) if into == "float" else None
    name = f"{called[1]}" if called else ""
    ours = {
        "asin": "arcsin",
        "acos": "arccos",
        "atan": "arctan",
        "atan2": "arctan2",
        "pow": "power",
        "fabs": "absolute",
    }
    ours |= {"asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh"}
    name = ours.get(name, name)
    op = f"ad.{name}(x)" if name in TABLE else "the op, such as ad.sin(x) for math.sin(x)"
    if into == "np.asarray":
        op += ", and ad.stack([x, y]) for np.array([x, y])"
    done = f"math.{called[1]}()" if called else f"{into}()" if into != "an index" else "use as an index"
    return (
        f"{done} of {describe(node)} would leave the tape, and its gradient would be lost silently. "
        f"To stay on the tape use {op}; to read the number use x.item() or x.detach()."
    )


for _name in LATER_METHODS.split():
    setattr(NodeMethods, _name, Later(_name))
