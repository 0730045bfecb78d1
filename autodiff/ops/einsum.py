"""Sums of products, by labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError
from ..core.node import Array, ArrayLike, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .broadcast import broadcast_to
from .families import conjugated, contracted
from .index import getitem
from .reduce import sum
from .shape import moveaxis

__all__ = ["einsum"]


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
