"""Products of vectors, matrices and stacks of matrices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError
from ..core.node import Array, ArrayLike, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import multiply
from .broadcast import broadcast_to
from .families import conjugated, contracted
from .index import getitem
from .reduce import sum
from .shape import expand_dims, moveaxis, reshape, squeeze


@primitive(formula=r"Y = A B, \quad \bar A = \bar Y B^{\mathsf H}, \; \bar B = A^{\mathsf H} \bar Y")
def matmul(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Matrix product ``a @ b``; vectors, stacks of matrices and broadcasting as in NumPy."""
    try:
        return np.matmul(a, b)
    except ValueError:
        _refuse_lengths(np.shape(a), np.shape(b))
        raise


def _refuse_lengths(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    """Say which lengths do not meet; return if NumPy has another complaint."""
    if not a or not b:
        raise ShapeError(f"matmul got shapes {a} and {b}; a single number has no rows or columns. Use * instead.")
    meets = b[-2] if len(b) > 1 else b[0]
    if a[-1] != meets:
        repair = " Did you mean a @ b.mT?" if len(b) > 1 and a[-1] == b[-1] else ""
        raise ShapeError(
            f"matmul got shapes {a} and {b}: rows of length {a[-1]} cannot meet columns of length {meets}.{repair}"
        )


@matmul.def_vjp(wrt="a")
def matmul_vjp_a(g: Array, a: Array, b: Array) -> Array:
    def pull(g: Array, b: Array) -> Array:  # what was broadcast is summed by the sweep
        if b.ndim == 1:
            return expand_dims(g, -1) * b
        return squeeze(b @ expand_dims(g, -1), -1) if a.ndim == 1 else g @ b.mT

    return contracted(pull, g, conjugated(b))


@matmul.def_vjp(wrt="b")
def matmul_vjp_b(g: Array, a: Array, b: Array) -> Array:
    def pull(g: Array, a: Array) -> Array:
        if a.ndim == 1:
            return a * g if b.ndim == 1 else expand_dims(a, -1) * expand_dims(g, -2)
        return squeeze(a.mT @ expand_dims(g, -1), -1) if b.ndim == 1 else a.mT @ g

    return contracted(pull, g, conjugated(a))


@matmul.def_jvp(wrt="a")
def matmul_jvp_a(a_dot: Array, b: Array) -> Array:
    return contracted(matmul, a_dot, b)


@matmul.def_jvp(wrt="b")
def matmul_jvp_b(b_dot: Array, a: Array) -> Array:
    return contracted(lambda b_dot, a: matmul(a, b_dot), b_dot, a)


@matmul.def_samples
def matmul_samples(rng: np.random.Generator) -> Iterator[Sample]:
    shapes: list[tuple[Any, Any]] = [
        ((2, 3), (3, 4)),
        ((3,), (3,)),
        ((3,), (3, 4)),
        ((2, 3), (3,)),
        ((5, 2, 3), (5, 3, 4)),
        ((2, 3), (5, 3, 4)),
        ((4, 1, 2, 3), (5, 3, 2)),
        ((3,), (5, 3, 4)),
        ((5, 2, 3), (3,)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
    ]
    for a, b in shapes:
        yield sample(rng.normal(size=a), rng.normal(size=b))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, rng.normal(size=(4, 3)).T[:, ::2].T.T)
    yield sample(rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3)), rng.normal(size=(3, 2)) * (1 + 2j))


def dot(a: ArrayLike, b: ArrayLike) -> Array:
    """Product of numbers, vectors or matrices, as ``np.dot``: the last axis of ``a`` with the last but one of ``b``."""
    m, n = len(shape_of(a)), len(shape_of(b))
    if m == 0 or n == 0:
        return multiply(a, b)
    if n <= 2:
        return matmul(a, b)
    rows = reshape(a, (-1, shape_of(a)[-1]))
    columns = reshape(moveaxis(b, -2, 0), (shape_of(b)[-2], -1))
    return reshape(matmul(rows, columns), shape_of(a)[:-1] + shape_of(b)[:-2] + shape_of(b)[-1:])


def outer(a: ArrayLike, b: ArrayLike) -> Array:
    """Every product of an entry of ``a`` with an entry of ``b``, both flattened: shape ``(a.size, b.size)``."""
    return multiply(reshape(a, (-1, 1)), reshape(b, (1, -1)))


@primitive(formula=r"y = \sum \prod_k x_k, \quad \bar x_i = \sum \bar y \prod_{k \ne i} \overline{x_k}")
def contract(*arrays: ArrayLike, subscripts: str) -> Array:
    """An einsum whose labels are all explicit, none twice in an operand, and each in the output or another operand."""
    return np.einsum(subscripts, *arrays, optimize=len(arrays) > 2)


def _parts(subscripts: str) -> tuple[list[str], str]:
    inputs, output = subscripts.split("->")
    return inputs.split(","), output


@contract.def_vjp
def contract_vjp(g: Array, i: int, arrays: Any, subscripts: str) -> Array:
    inputs, output = _parts(subscripts)
    others = [conjugated(a) for k, a in enumerate(arrays) if k != i]
    labels = [s for k, s in enumerate(inputs) if k != i]
    back = f"{','.join([output, *labels])}->{inputs[i]}"
    if len(others) == 1:
        c = contracted(lambda g, other: contract([g, other], subscripts=back), g, others[0])
    else:
        c = contract([g, *others], subscripts=back)
    shape = np.broadcast_shapes(shape_of(c), shape_of(arrays[i]))
    return c if shape_of(c) == shape else broadcast_to(c, shape)  # a label that only lengths of 1 shared was summed


@contract.def_jvp
def contract_jvp(arrays_dot: Array, i: int, arrays: Any, subscripts: str) -> Array:
    return contract([arrays_dot if k == i else a for k, a in enumerate(arrays)], subscripts=subscripts)


@contract.def_samples
def contract_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), rng.normal(size=(3, 4)), subscripts="ij,jk->ik")
    yield sample(rng.normal(size=(2, 3)), rng.normal(size=(1, 4)), subscripts="ij,jk->ik")  # a length of 1 broadcasts
    yield sample(rng.normal(size=3), rng.normal(size=(3, 2)), rng.normal(size=2), subscripts="i,ij,j->")
    yield sample(rng.normal(size=(2, 3)), subscripts="ij->ji")
    yield sample(rng.normal(size=(0, 3)), rng.normal(size=(3,)), subscripts="ij,j->i")


def explicit_subscripts(subscripts: str, shapes: list[tuple[int, ...]]) -> tuple[list[str], str]:
    """Spell out what einsum lets one leave away: the output, and the axes behind an ellipsis (as capital letters)."""
    text = subscripts.replace(" ", "")
    inputs = text.partition("->")[0].split(",")
    if len(inputs) != len(shapes):
        raise ArgumentError(f"einsum({subscripts!r}) names {len(inputs)} operands, got {len(shapes)}.")
    spare = [c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba" if c not in text]
    deepest = 0
    for k, (labels, shape) in enumerate(zip(inputs, shapes, strict=True)):
        hidden = len(shape) - len(labels.replace("...", ""))
        if hidden < 0 or (hidden and "..." not in labels):
            raise ShapeError(f"einsum({subscripts!r}): operand {k} is labelled {labels!r}, but its shape is {shape}.")
        deepest = max(deepest, hidden)
        inputs[k] = labels.replace("...", "".join(spare[:hidden][::-1]))
    ellipsis = "".join(spare[:deepest][::-1])
    if "->" in text:
        return inputs, text.partition("->")[2].replace("...", ellipsis)
    joined = "".join(inputs)
    once = sorted(c for c in set(joined) if joined.count(c) == 1 and c not in ellipsis)
    return inputs, ellipsis + "".join(once)


def einsum(subscripts: str, /, *operands: ArrayLike, optimize: Any = False) -> Array:
    """Sum of products of entries, labelled as in ``np.einsum``.

    Parameters
    ----------
    subscripts : str
        Such as ``"ij,jk->ik"``; repeated labels, an ellipsis and a missing output are as in NumPy.
    *operands : array_like
    optimize : ignored
        The order of contraction is always chosen by NumPy.

    Raises
    ------
    ArgumentError, ShapeError
        If labels and operands do not fit.
    """
    if not isinstance(subscripts, str):
        raise ArgumentError("einsum takes its subscripts as text first, such as einsum('ij,jk->ik', a, b).")
    arrays = list(operands)
    inputs, output = explicit_subscripts(subscripts, [shape_of(a) for a in arrays])
    for k, labels in enumerate(inputs):
        for c in dict.fromkeys(labels):
            while labels.count(c) > 1:  # a diagonal
                i, j = [n for n, label in enumerate(labels) if label == c][:2]
                n = max(shape_of(arrays[k])[i], shape_of(arrays[k])[j])
                i_range, j_range = (np.arange(n) % max(shape_of(arrays[k])[axis], 1) for axis in (i, j))
                arrays[k] = getitem(moveaxis(arrays[k], (i, j), (-2, -1)), (..., i_range, j_range))
                labels = "".join(label for m, label in enumerate(labels) if m not in (i, j)) + c
        elsewhere = output + "".join(inputs[:k] + inputs[k + 1 :])
        lonely = tuple(n for n, c in enumerate(labels) if c not in elsewhere)
        if lonely:
            arrays[k] = sum(arrays[k], lonely)
            labels = "".join(c for c in labels if c in elsewhere)
        inputs[k] = labels
    return contract(arrays, subscripts=f"{','.join(inputs)}->{output}")


class LinalgMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    __matmul__ = matmul
    matmul = matmul
    dot = dot
    outer = outer

    def __rmatmul__(self, other: ArrayLike) -> Array:
        return matmul(other, self)
