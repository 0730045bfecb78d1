"""The rules of the table of whole arrays in SymPy's words, and the choice of the form of a rule."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import AutodiffError, UnsupportedError
from ..core.rule import Rule
from ..ops.options import NOT_GIVEN
from ..transforms.composite import Composite
from .sympy_forms import Form, as_number, as_statement, boxed, entry_forms, greatest, least, one_number

MOVES = (
    *("broadcast_to", "getitem", "reshape", "transpose", "swapaxes", "moveaxis", "squeeze", "expand_dims", "flip"),
    *("copy", "concatenate", "stack", "roll", "rot90", "diagonal", "sliding_window_view", "fftshift", "ifftshift"),
    "chosen",
)
"""Rules that put entries elsewhere, whatever they are."""

SUMS_OF_PRODUCTS = (
    *("convolve", "conv", "conv_layer", "conv_input", "conv_weight", "overlap_add", "window_sum", "window_spread"),
    *("linear_recurrence", "row_mean"),
)
"""Rules whose own forward function computes with expressions too."""

OF_STATEMENTS = frozenset(
    (*MOVES, "setitem", "where", "any", "all", "extreme", "provided", "invert", "bitwise_and", "bitwise_or")
)
"""Rules that take truth values for what they are; the others count them as 1 and 0."""


def evaluate(rule: Rule, args: Sequence[Any], params: dict[str, Any], exact: bool) -> Any:
    """A rule of object arrays of expressions.

    Parameters
    ----------
    rule : Rule
    args : sequence of object arrays
    params : dict
        Its options.
    exact : bool
        Read every float among them as the fraction that it is.

    Raises
    ------
    UnsupportedError
        If the rule has no SymPy form, or SymPy cannot compute it of these expressions.
    """
    if isinstance(rule, Composite):
        raise UnsupportedError(
            f"to_sympy: {rule.name} stands on the tape as a single node; the formula inside was not kept, and its "
            "answer need not have one. Take the tape before it; or, if you know its answer in symbols, compute that "
            "with from_sympy."
        )
    if rule.name not in OF_STATEMENTS:
        args = [in_numbers(a) for a in args]
    options = {k: one_number(v, exact) if isinstance(v, float) else v for k, v in params.items()}
    single, whole = entry_forms().get(rule.name), array_forms().get(rule.name)
    try:
        if single is not None:
            return _each(functools.partial(single, **options), *args)
        if whole is not None:
            y = whole(rule, *args, **options)
            return y if isinstance(y, np.ndarray) else boxed(y)
    except AutodiffError:
        raise
    except (TypeError, ValueError, NotImplementedError) as error:
        raise UnsupportedError(f"to_sympy: SymPy cannot compute {rule.name} of these expressions: {error}") from error
    raise UnsupportedError(
        f"to_sympy: the op {rule.name} has no SymPy form. Take the tape before it, or write that step with ops "
        "that have one: arithmetic, elementary and special functions, sums, products, shapes, convolutions, det, inv."
    )


def in_numbers(x: Any) -> Any:
    """An object array of expressions with its statements counted as 1 and 0."""
    return _each(as_number, x)


def _each(f: Form, *arrays: Any) -> Any:
    """``f`` entry by entry, of arrays that broadcast together."""
    return np.asarray(np.frompyfunc(f, len(arrays), 1)(*arrays), object)


def _lowered(f: Form, x: Any, axis: Any, keepdims: bool = False) -> Any:
    """``f`` of the list of entries along an axis, along several, or of all."""
    x = x if isinstance(x, np.ndarray) else boxed(x)  # NumPy unpacks arrays of shape () where it computes
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(a % x.ndim for a in axes) if x.ndim else ()
    rest = tuple(a for a in range(x.ndim) if a not in axes)
    moved = x.transpose((*rest, *axes))
    found = np.empty(moved.shape[: len(rest)], object)
    for index in np.ndindex(found.shape):
        found[index] = f(list(moved[index].ravel()) if axes else [moved[index]])
    return np.expand_dims(found, axes) if keepdims and axes else found


def _count(x: Any, axis: Any) -> int:
    axes = range(np.ndim(x)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return math.prod(np.shape(x)[a] for a in axes)


@functools.cache
def array_forms() -> dict[str, Form]:
    """The rules of whole arrays, as functions of the rule, object arrays and options."""
    import sympy as sp

    def by_numpy(rule: Rule, *arrays: Any, **options: Any) -> Any:
        given = {k: v for k, v in options.items() if k not in ("dtype", "out", "casting", "optimize", "copy")}
        return rule.forward(*arrays, **given)

    def over(f: Form) -> Form:
        return lambda rule, x, axis=None, keepdims=False: _lowered(lambda entries: f(*entries), x, axis, keepdims)

    total = over(sp.Add)

    def mean(rule: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return total(rule, x, axis, keepdims) / sp.Integer(_count(x, axis))

    def sizes_squared(x: Any) -> Any:
        return _each(lambda entry: sp.Abs(entry) ** 2, x)

    def var(rule: Any, x: Any, axis: Any = None, ddof: Any = 0, keepdims: bool = False) -> Any:
        from_mean = x - mean(rule, x, axis, keepdims=True)
        return total(rule, sizes_squared(from_mean), axis, keepdims) / (_count(x, axis) - sp.sympify(ddof))

    def standardize(rule: Any, x: Any, axis: Any = -1, eps: Any = 0) -> Any:
        return (x - mean(rule, x, axis, True)) / _each(sp.sqrt, var(rule, x, axis, 0, True) + eps)

    def sum_to(rule: Any, x: Any, shape: Any) -> Any:
        new = x.ndim - len(shape)
        widened = tuple(k for k in range(x.ndim) if k < new or (shape[k - new] == 1 and x.shape[k] != 1))
        return total(rule, x, widened, keepdims=True).reshape(shape)

    def some_extreme(rule: Any, x: Any, mask: Any, kind: str, axis: Any, keepdims: bool, initial: Any) -> Any:
        f, worst = (least, sp.oo) if kind in ("minimum", "fmin") else (greatest, -sp.oo)
        skip = kind in ("fmin", "fmax")
        x = _each(entry_forms()["where"], mask, x, worst)
        start = [] if initial is NOT_GIVEN or initial is None else [sp.sympify(initial)]
        return _lowered(lambda entries: f(*entries, *start, skip_nan=skip), x, axis, keepdims)

    def logsumexp(rule: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return _each(sp.log, total(rule, _each(sp.exp, x), axis, keepdims))

    def softmax(rule: Any, x: Any, axis: Any = -1) -> Any:
        e = _each(sp.exp, x)
        return e / total(rule, e, axis, keepdims=True)

    def masked_softmax(rule: Any, x: Any, causal: bool = False) -> Any:
        e = _each(sp.exp, x)
        e = np.where(np.tri(*x.shape[-2:]) > 0, e, sp.S.Zero) if causal else e
        return _each(lambda a, row: a / row if row != 0 else sp.S.Zero, e, total(rule, e, -1, keepdims=True))

    def log_softmax(rule: Any, x: Any, axis: Any = -1) -> Any:
        return x - logsumexp(rule, x, axis, keepdims=True)

    def cross_entropy(rule: Any, logits: Any, labels: Any) -> Any:
        shares = log_softmax(rule, logits, -1)
        rows = np.array([int(k) for k in labels.ravel()]).reshape(labels.shape)
        return -mean(rule, np.take_along_axis(shares, rows[..., None], -1))

    def norm(rule: Any, x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
        if ord in (None, "f", "fro"):
            return _each(sp.sqrt, total(rule, sizes_squared(x), axis, keepdims))
        if rule.name == "norm" and (len(axis) if isinstance(axis, tuple) else x.ndim if axis is None else 1) != 1:
            raise UnsupportedError(f"to_sympy: the op norm of matrices has no SymPy form with ord={ord}.")
        size = _each(sp.Abs, x)
        if ord in (sp.oo, -sp.oo):
            return over(greatest if ord > 0 else least)(rule, size, axis, keepdims)
        if ord == 0:
            return count(rule, x, axis, keepdims)
        return _each(lambda y: y ** (1 / sp.sympify(ord)), total(rule, size ** sp.sympify(ord), axis, keepdims))

    def count(rule: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return total(rule, _each(lambda entry: as_number(as_statement(entry)), x), axis, keepdims)

    def of_matrices(f: Form) -> Form:
        def form(rule: Rule, x: Any, **options: Any) -> Any:
            found = np.empty(x.shape[:-2] + np.shape(f(sp.eye(x.shape[-1]))), object)
            for index in np.ndindex(x.shape[:-2]):
                found[index] = f(sp.Matrix(x[index]))
            return found

        return form

    inverse = of_matrices(lambda a: np.array(a.inv().tolist(), object).reshape(a.shape))

    def solved(rule: Rule, a: Any, b: Any) -> Any:
        return inverse(rule, a) @ b

    def sign_and_logarithm(a: Any) -> Any:
        d = a.det(method="berkowitz")
        return np.array([sp.sign(d), sp.log(sp.Abs(d))], object)

    def vecdot(rule: Any, a: Any, b: Any, axis: Any = -1, keepdims: bool = False, **_: Any) -> Any:
        a, b = (np.moveaxis(x, axis, -1) for x in (_each(sp.conjugate, a), b))
        y = total(rule, a * b, -1)
        return np.expand_dims(y, axis) if keepdims else y

    def correlate(rule: Rule, a: Any, v: Any, mode: Any = "valid") -> Any:
        return np.correlate(a, _each(sp.conjugate, v), mode)

    def zeros(shape: Any) -> Any:
        found = np.empty(shape, object)
        found.fill(sp.S.Zero)
        return found

    def scatter_add(rule: Any, x: Any, shape: Any, key: Any) -> Any:
        found = zeros(shape)
        np.add.at(found, key, x)
        return found

    def setitem(rule: Any, x: Any, value: Any, key: Any) -> Any:
        found = x.copy()
        found[key] = value if value.ndim else value[()]  # not the array of shape () as an entry
        return found

    def pad_zeros(rule: Any, x: Any, pad_width: Any) -> Any:
        return np.pad(x, pad_width, constant_values=sp.S.Zero)

    def max_pool(rule: Any, x: Any, windows: Any) -> Any:
        bordered = np.pad(x, ((0, 0), (0, 0), *windows.padding), constant_values=-sp.oo)
        axes = tuple(range(2, x.ndim))
        seen = np.lib.stride_tricks.sliding_window_view(bordered, windows.span(), axes)
        every: Any = (..., *(slice(None, None, k) for k in (*windows.stride, *windows.dilation)))
        return over(greatest)(rule, seen[every], tuple(-1 - k for k in range(len(axes))))

    def tanh_recurrence(rule: Any, z: Any, u: Any, h: Any) -> Any:
        states = [h]
        for inputs in z:
            states.append(_each(sp.tanh, inputs + states[-1] @ u.T))
        return np.array(states[1:], object).reshape(z.shape)

    def evenly_spaced(rule: Any, start: Any, stop: Any, num: int, endpoint: bool = True, axis: int = 0) -> Any:
        shares = np.array([sp.Rational(k, max(num - endpoint, 1)) for k in range(num)], object)
        return np.moveaxis(start[..., None] + np.asarray(stop - start)[..., None] * shares, -1, axis)

    def fourier(rule: Any, a: Any, n: Any = None, axis: int = -1, norm: Any = None, inverse: bool = False) -> Any:
        a = fitted(np.moveaxis(a, axis, -1), n)
        return np.moveaxis(a @ turns(a.shape[-1], 1 if inverse else -1, norm, inverse), -1, axis)

    def rfft(rule: Any, a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: None = None) -> Any:
        whole = np.moveaxis(fourier(rule, a, n, axis, norm), axis, -1)
        return np.moveaxis(whole[..., : whole.shape[-1] // 2 + 1], -1, axis)

    def irfft(rule: Any, a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: None = None) -> Any:
        a = np.moveaxis(a, axis, -1)
        n = 2 * (a.shape[-1] - 1) if n is None else n
        a = fitted(a, n // 2 + 1)
        mirrored = np.concatenate([a, _each(sp.conjugate, a[..., 1 : (n + 1) // 2][..., ::-1])], -1)
        return np.moveaxis(_each(sp.re, mirrored @ turns(n, 1, norm, True)), -1, axis)

    def fitted(a: Any, n: Any) -> Any:
        """``a`` cut off or filled up with zeros to length ``n``."""
        n = a.shape[-1] if n is None else n
        return np.concatenate([a[..., :n], zeros((*a.shape[:-1], max(0, n - a.shape[-1])))], -1)

    def turns(n: int, sign: int, norm: Any, inverse: bool) -> Any:
        """The matrix of a transform of length ``n``."""
        share = sp.Rational(1, 2) if norm == "ortho" else int((norm == "forward") != inverse)
        found = np.empty((n, n), object)
        for j, k in np.ndindex(n, n):
            angle = sp.Rational(2 * (j * k % n), n) * sp.pi
            found[j, k] = (sp.cos(angle) + sign * sp.I * sp.sin(angle)) / sp.Integer(n) ** share
        return found

    def triangle(keep: Form) -> Form:
        return lambda rule, x, k=0: np.where(keep(np.ones(x.shape[-2:], bool), k), x, sp.S.Zero)

    def with_diagonal(rule: Rule, x: Any, shape: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        where = rule.forward(np.arange(1.0, 1 + x.size).reshape(x.shape), shape, offset, axis1, axis2).astype(int)
        return np.concatenate([zeros(1), x.ravel()])[where]

    def cast(rule: Rule, x: Any, dtype: Any) -> Any:
        if np.dtype(dtype).kind not in "fcO":
            raise UnsupportedError(f"to_sympy: the op cast has no SymPy form to {np.dtype(dtype)}.")
        return x

    forms: dict[str, Form] = dict.fromkeys((*MOVES, *SUMS_OF_PRODUCTS), by_numpy)
    forms |= {
        "sum": total,
        "mean": mean,
        "prod": over(sp.Mul),
        "max": over(greatest),
        "min": over(least),
        "any": over(lambda *entries: sp.Or(*map(as_statement, entries))),
        "all": over(lambda *entries: sp.And(*map(as_statement, entries))),
        "count_nonzero": count,
        "extreme": some_extreme,
        "var": var,
        "std": lambda rule, *a, **options: _each(sp.sqrt, var(rule, *a, **options)),
        "standardize": standardize,
        "cumsum": lambda rule, x, axis=None: np.cumsum(x, axis),
        "cumprod": lambda rule, x, axis=None: np.cumprod(x, axis),
        "trace": lambda rule, x, offset=0, axis1=0, axis2=1, **_: total(rule, np.diagonal(x, offset, axis1, axis2), -1),
        "tril": triangle(np.tril),
        "triu": triangle(np.triu),
        "with_diagonal": with_diagonal,
        "scatter_add": scatter_add,
        "setitem": setitem,
        "pad_zeros": pad_zeros,
        "max_pool": max_pool,
        "cast": cast,
        "evenly_spaced": evenly_spaced,
        "fourier": fourier,
        "rfft": rfft,
        "irfft": irfft,
        "correlate": correlate,
        "matmul": lambda rule, a, b: np.matmul(a, b),
        "matvec": lambda rule, a, b: (a @ b[..., None])[..., 0],
        "vecmat": lambda rule, a, b: (_each(sp.conjugate, a)[..., None, :] @ b)[..., 0, :],
        "vecdot": vecdot,
        "contract": lambda rule, *arrays, subscripts, **_: np.einsum(subscripts, *arrays),
        "linear": lambda rule, x, weight, bias=None: x @ weight.T + (0 if bias is None else bias),
        "sum_to": sum_to,
        "about_share": lambda rule, c, p, axis=-1: p * (c - total(rule, c * p, axis, keepdims=True)),
        "mean_squared_error": lambda rule, a, b: mean(rule, sizes_squared(a - b)),
        "softmax_cross_entropy": cross_entropy,
        "logsumexp": logsumexp,
        "softmax": softmax,
        "masked_softmax": masked_softmax,
        "log_softmax": log_softmax,
        "tanh_recurrence": tanh_recurrence,
        "norm": norm,
        "vector_norm": norm,
        "det": of_matrices(lambda a: a.det(method="berkowitz")),
        "slogdet_parts": of_matrices(sign_and_logarithm),
        "inv": inverse,
        "solve": solved,
        "provided": lambda rule, x, holds: x,
        "in_kind": lambda rule, x, kind: x,
    }
    return forms
