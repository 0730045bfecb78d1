"""Sums of products, by labels."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.node import Array, ArrayLike, Node, data_of, shape_of
from ..core.op import primitive, refuse_out
from ..core.rule import Sample, sample
from .broadcast import broadcast_to, sum_to
from .families import conjugated, is_finite
from .index import scatter_add
from .select import isfinite, less, not_equal, where
from .shape import expand_dims

__all__ = ["einsum", "einsum_path"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""What stands for the labels 0, 1, ...: in an order that sorts as the numbers do."""


@primitive(formula=r"y = \sum \prod_k x_k, \quad \bar x_i = \sum \bar y \prod_{k \ne i} x_k^*")
def contract(
    *arrays: ArrayLike,
    subscripts: str,
    optimize: Any = False,
    dtype: Any = None,
    order: Any = "K",
    casting: Any = "safe",
) -> Array:
    """``np.einsum`` with its subscripts as text."""
    if optimize is not False and (common := np.result_type(*arrays)).kind in "fc":
        # On its way NumPy would sum truth values and whole numbers in their own type: True + True = True.
        arrays = tuple(a.astype(common) if a.dtype.kind in "biu" else a for a in arrays)
    options = {} if dtype is None else {"dtype": dtype}
    try:
        return np.einsum(subscripts, *arrays, optimize=optimize, order=order, casting=casting, **options)
    except ValueError:
        _refuse_labels(subscripts, [a.shape for a in arrays])
        raise


def _refuse_labels(subscripts: str, shapes: Sequence[tuple[int, ...]]) -> None:
    """Say which labels do not fit; return if NumPy has another complaint."""
    inputs = subscripts.replace(" ", "").partition("->")[0].split(",")
    if len(inputs) != len(shapes):
        raise ArgumentError(f"einsum({subscripts!r}) names {len(inputs)} operands, got {len(shapes)}.")
    lengths: dict[str, tuple[int, int]] = {}
    for k, (labels, shape) in enumerate(zip(inputs, shapes, strict=True)):
        before, dots, after = labels.partition("...")
        hidden = len(shape) - len(before + after)
        if hidden < 0 or (hidden and not dots):
            raise ShapeError(f"einsum({subscripts!r}): operand {k} is labelled {labels!r}, but its shape is {shape}.")
        for c, n in zip(before + after, shape[: len(before)] + shape[len(before) + hidden :], strict=True):
            m, other = lengths.get(c, (1, k))
            if n not in (1, m) and m != 1:
                raise ShapeError(
                    f"einsum({subscripts!r}): the label {c!r} has length {m} in operand {other} and {n} in operand {k}."
                )
            lengths[c] = (m, other) if n == 1 else (n, k)


@lru_cache(maxsize=512)
def explicit(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[list[str], str]:
    """The labels of each operand and of the output, where einsum lets one leave away the output or write an ellipsis.

    The subscripts fit the shapes: NumPy has taken them.
    """
    text = subscripts.replace(" ", "")
    inputs = text.partition("->")[0].split(",")
    spare = [c for c in LETTERS if c not in text]
    deepest = 0
    for k, (labels, shape) in enumerate(zip(inputs, shapes, strict=True)):
        if "..." in labels:
            hidden = len(shape) - len(labels.replace("...", ""))
            deepest = max(deepest, hidden)
            inputs[k] = labels.replace("...", "".join(spare[:hidden][::-1]))
    ellipsis = "".join(spare[:deepest][::-1])
    if "->" in text:
        return inputs, text.partition("->")[2].replace("...", ellipsis)
    joined = "".join(inputs)
    return inputs, ellipsis + "".join(sorted(c for c in set(joined) - set(ellipsis) if joined.count(c) == 1))


def contract_hard(
    first: Array, labels: str, others: Sequence[Array], labels_of_others: Sequence[str], output: str
) -> Array:
    """A contraction where a 0 in ``first`` makes nothing of an inf or nan in the others: a hard zero."""
    subscripts = f"{','.join([labels, *labels_of_others])}->{output}"
    # Below that size, looking for the best order takes longer than it saves.
    optimize = len(others) > 1 or max(math.prod(shape_of(a)) for a in (first, *others)) > 1000

    def product(*arrays: Array) -> Array:
        return contract(arrays, subscripts=subscripts, optimize=optimize)

    y = product(first, *others)
    if not others or is_finite(y):
        return y
    finite = [isfinite(a) for a in others]
    used = not_equal(first, 0) * 1.0
    terms, good_terms = product(used, *(f * 0.0 + 1.0 for f in finite)), product(used, *(f * 1.0 for f in finite))
    clean = [where(f, a, 0) for f, a in zip(finite, others, strict=True)]
    return where(less(good_terms, terms), y, product(first, *clean))


@contract.def_vjp
def contract_vjp(g: Array, i: int, arrays: Any, subscripts: str) -> Array:
    inputs, output = explicit(subscripts, tuple(map(shape_of, arrays)))
    others = [conjugated(a) for k, a in enumerate(arrays) if k != i]
    labels_of_others = [s for k, s in enumerate(inputs) if k != i]
    labels = "".join(dict.fromkeys(inputs[i]))
    elsewhere = {*output, *"".join(labels_of_others)}
    c = contract_hard(g, output, others, labels_of_others, "".join(s for s in labels if s in elsewhere))
    # A label that stands nowhere else was summed, and so were those that elsewhere only lengths of 1 have.
    c = expand_dims(c, tuple(n for n, s in enumerate(labels) if s not in elsewhere))
    shape = shape_of(arrays[i])
    lengths = tuple(shape[inputs[i].index(s)] for s in labels)
    if labels == inputs[i]:
        wide = np.broadcast_shapes(shape_of(c), shape)  # what is too long is summed by the sweep
        return c if shape_of(c) == wide else broadcast_to(c, wide)
    c = broadcast_to(sum_to(c, tuple(1 if n == 1 else m for m, n in zip(shape_of(c), lengths, strict=True))), lengths)
    places = dict(zip(labels, np.ix_(*map(np.arange, lengths)), strict=True))
    return scatter_add(c, shape, tuple(places[s] for s in inputs[i]))


@contract.def_jvp
def contract_jvp(arrays_dot: Array, i: int, arrays: Any, subscripts: str) -> Array:
    inputs, output = explicit(subscripts, tuple(map(shape_of, arrays)))
    others, labels_of_others = [[v for k, v in enumerate(values) if k != i] for values in (arrays, inputs)]
    return contract_hard(arrays_dot, inputs[i], others, labels_of_others, output)


@contract.def_samples
def contract_samples(rng: np.random.Generator) -> Iterator[Sample]:
    def draw(*shapes: tuple[int, ...]) -> list[Any]:
        return [rng.normal(size=shape) for shape in shapes]

    yield sample(*draw((2, 3), (3, 4)), subscripts="ij,jk->ik")
    yield sample(*draw((2, 3), (1, 4)), subscripts="ij,jk->ik")  # a length of 1 broadcasts
    yield sample(*draw((2, 3), (2, 1), (1,)), subscripts="ij,ij,i->j")
    yield sample(*draw((3,), (3, 2), (2,)), subscripts="i,ij,j->")
    yield sample(*draw((2, 3)), subscripts="ij->ji")
    yield sample(*draw((0, 3), (3,)), subscripts="ij,j->i")
    yield sample(*draw((3, 3, 2), (3,)), subscripts="iij,i->j")
    yield sample(*draw((3, 3), (1,)), subscripts="ii,i")
    yield sample(*draw((5, 2, 3), (3, 4)), subscripts="...ij,...jk")
    yield sample(*draw((2, 4), (3, 1, 2), ()), subscripts="i...,j...i,...->j...i", optimize="optimal")
    yield sample(*(a + 1j * b for a, b in (draw((2, 2), (2, 2)), draw((2, 3), (2, 3)))), subscripts="ii,ij")
    yield sample(*draw((2, 3)), *(1j * a for a in draw((3,), (2,))), subscripts="ij,j,k->ik", optimize=True)


def einsum(
    *operands: Any, out: None = None, optimize: Any = False, dtype: Any = None, order: Any = "K", casting: Any = "safe"
) -> Array:
    """Sum of products of entries, labelled as in ``np.einsum``.

    Parameters
    ----------
    *operands
        The subscripts, such as ``"ij,jk->ik"``, and the arrays; or arrays and lists of whole numbers by turns, then a
        list for the output: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.
    optimize : bool, str or list
        In which order to contract three arrays and more: "greedy", "optimal", or a path of :func:`einsum_path`.
        Truth values and whole numbers beside floating-point ones are summed as such, where NumPy's paths forget to.

    Raises
    ------
    ArgumentError, KindError
        If labels and operands do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> einsum("ij,ij->i", np.ones((2, 3)), np.ones((2, 3)))
    array([3., 3.])
    """
    refuse_out("einsum", out)
    subscripts, *arrays = operands if operands else [None]
    if isinstance(subscripts, bytes):
        subscripts = subscripts.decode()
    elif not isinstance(subscripts, str):
        subscripts, arrays = _by_turns(operands)
    if dtype is not None:
        _refuse_to_lose(arrays, np.dtype(dtype))
    return contract(arrays, subscripts=subscripts, optimize=optimize, dtype=dtype, order=order, casting=casting)


def _by_turns(operands: Sequence[Any]) -> tuple[str, list[Any]]:
    """Subscripts as text, and the arrays, from arrays and lists of labels by turns."""
    if len(operands) < 2:
        raise ArgumentError("einsum takes its subscripts as text first, such as einsum('ij,jk->ik', a, b).")
    whole = len(operands) // 2 * 2
    text = ",".join(map(_as_text, operands[1:whole:2]))
    return text if whole == len(operands) else f"{text}->{_as_text(operands[-1])}", list(operands[:whole:2])


def _as_text(labels: Any) -> str:
    try:
        numbers = [None if s is Ellipsis else operator.index(s) for s in labels]
    except TypeError as error:
        raise KindError(
            f"einsum got the labels {labels!r}; without text they are lists of whole numbers and Ellipsis."
        ) from error
    if not all(n is None or 0 <= n < len(LETTERS) for n in numbers):
        raise ArgumentError(f"einsum got the labels {labels}; they are numbers from 0 to {len(LETTERS) - 1}.")
    return "".join("..." if n is None else LETTERS[n] for n in numbers)


def _refuse_to_lose(arrays: Sequence[Any], dtype: np.dtype[Any]) -> None:
    """Raise if tracked entries would lose their fraction or imaginary part, which casting="unsafe" allows."""
    for a in arrays:
        if isinstance(a, Node) and a.tracked and not np.can_cast(getattr(a._data, "dtype", float), dtype, "same_kind"):
            raise KindError(f"einsum got dtype={dtype}, which would lose part of an operand. Convert it first.")


def einsum_path(*operands: Any, optimize: Any = "greedy", einsum_call: bool = False) -> Any:
    """The order in which to contract, as ``np.einsum_path``: a path for ``optimize=`` and its description."""
    find: Any = np.einsum_path
    return find(*map(data_of, operands), optimize=optimize, einsum_call=einsum_call)
