"""Sums of products, by labels."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

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
    common = np.result_type(*(a.dtype for a in arrays)) if arrays else np.dtype(float)
    products = None
    if optimize is False and dtype is None and (order, casting) == ("K", "safe") and common.char in "fdFD":
        products = products_for(subscripts, tuple(a.shape for a in arrays))
    if (optimize is not False or products is not None) and common.kind in "fc":
        # On its way NumPy would sum truth values and whole numbers in their own type: True + True = True.
        arrays = tuple(a.astype(common) if a.dtype.kind in "biu" else a for a in arrays)
    if products is not None:
        return multiply_out(list(arrays), products)
    return _by_numpy(subscripts, arrays, optimize, dtype, order, casting)


def _by_numpy(subscripts: str, arrays: Sequence[Array], optimize: Any, dtype: Any, order: Any, casting: Any) -> Array:
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


FEW = 8192
"""Up to so many multiplications NumPy's own loop is done before matrices are laid out."""


LARGEST = 1 << 20
"""So many entries may a result on the way have in any case."""


class Matrices(NamedTuple):
    """How an array becomes a stack of matrices: what of it is summed, what is left, in which order and shape."""

    summed: tuple[int, ...]
    kept: tuple[int, ...]
    order: tuple[int, ...]
    shape: tuple[int, ...]


class Product(NamedTuple):
    """One step: which operands it takes away, and their product as one of matrices; or as labels, for NumPy."""

    operands: tuple[int, ...]
    subscripts: str
    matrices: tuple[Matrices, Matrices] | None = None
    swapped: bool = False
    shape: tuple[int, ...] = ()
    order: tuple[int, ...] = ()


@lru_cache(maxsize=512)
def products_for(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[Product, ...] | None:
    """The products of two arrays, one after the other, that a contraction is made of.

    None where NumPy's loop over all labels at once does as well, and where the subscripts do not fit: it will say why.
    """
    text = subscripts.replace(" ", "")
    if len(shapes) < 2 or text.partition("->")[0].count(",") != len(shapes) - 1 or text.count("->") > 1:
        return None
    inputs, output = explicit(subscripts, shapes)
    lengths: dict[str, int] = {}
    for labels, shape in zip(inputs, shapes, strict=True):
        if len(labels) != len(shape) or not (labels.isalpha() or not labels):
            return None
        for c, n in zip(labels, shape, strict=True):
            if n != 1 and lengths.setdefault(c, n) != n:
                return None
    if len(set(output)) < len(output) or not {*output} <= {*"".join(inputs)} or math.prod(lengths.values()) <= FEW:
        return None
    steps = []
    terms = list(zip(inputs, shapes, strict=True))
    for operands in path_through(inputs, output, shapes, lengths):
        taken = [terms.pop(k) for k in operands]
        left = {*output, *"".join(labels for labels, _ in terms)} if terms else output
        kept = "".join(c for c in dict.fromkeys("".join(labels for labels, _ in taken)) if c in left)
        result = output if not terms else kept
        steps.append(product_of(operands, taken, result, lengths))
        terms.append(
            (result, tuple(max(n for labels, shape in taken for s, n in zip(labels, shape) if s == c) for c in result))
        )
    return None if len(steps) == 1 and steps[0].matrices is None else tuple(steps)


def path_through(
    inputs: Sequence[str], output: str, shapes: tuple[tuple[int, ...], ...], lengths: dict[str, int]
) -> Iterator[tuple[int, ...]]:
    """Which operands to multiply in each step, the later first; the result goes to the end of those that are left.

    What is made on the way is not much larger than what is given or asked for.
    """
    if len(shapes) == 2:
        yield 1, 0
        return
    stand_ins = [np.broadcast_to(0.0, shape) for shape in shapes]
    made = math.prod(lengths.get(s, 1) for s in output)
    most = max(LARGEST, 4 * max(made, *(x.size for x in stand_ins)))
    _, *path = np.einsum_path(f"{','.join(inputs)}->{output}", *stand_ins, optimize=("greedy", most))[0]
    for operands in path:
        yield tuple(sorted(operands, reverse=True))


def product_of(
    operands: tuple[int, ...], terms: Sequence[tuple[str, tuple[int, ...]]], output: str, lengths: dict[str, int]
) -> Product:
    """One step, as a product of matrices if it is one."""
    plain = Product(operands, f"{','.join(labels for labels, _ in terms)}->{output}")
    if len(terms) != 2 or any(len(set(labels)) < len(labels) for labels, _ in terms):
        return plain
    # An axis of length 1 is left away: it is as long as it has to be.
    a, b = ("".join(c for c, n in zip(labels, shape, strict=True) if n != 1) for labels, shape in terms)
    met = [c for c in a if c in b and c not in output]
    batch = [c for c in output if c in a and c in b]
    rows, columns = [c for c in output if c in a and c not in b], [c for c in output if c in b and c not in a]
    swapped = bool(columns) and (not rows or output.index(columns[0]) < output.index(rows[0]))
    if not met or (batch and not rows and not columns):
        return plain
    if swapped:
        terms, rows, columns = terms[::-1], columns, rows
    made = [*batch, *rows, *columns]
    ones = [c for c in output if c not in made]
    return plain._replace(
        matrices=(
            as_matrices(*terms[0], batch, rows, met, lengths),
            as_matrices(*terms[1], batch, met, columns, lengths),
        ),
        swapped=swapped,
        shape=tuple(lengths.get(c, 1) if c in made else 1 for c in [*made, *ones]),
        order=tuple([*made, *ones].index(c) for c in output),
    )


def as_matrices(
    labels: str, shape: tuple[int, ...], batch: list[str], rows: list[str], columns: list[str], lengths: dict[str, int]
) -> Matrices:
    """How an array with these labels becomes matrices."""
    wanted = [*batch, *rows, *columns]
    kept = [c for c, n in zip(labels, shape, strict=True) if n != 1 and c in wanted]
    return Matrices(
        tuple(k for k, (c, n) in enumerate(zip(labels, shape, strict=True)) if n != 1 and c not in wanted),
        tuple(lengths[c] for c in kept),
        tuple(kept.index(c) for c in wanted),
        (*(lengths[c] for c in batch), *(math.prod(lengths[c] for c in group) for group in (rows, columns))),
    )


def laid_out(x: Array, how: Matrices) -> Array:
    """An array as a stack of matrices."""
    if how.summed:
        x = np.add.reduce(x, axis=how.summed)
    if x.shape != how.kept:
        x = x.reshape(how.kept)
    if how.order != tuple(range(len(how.order))):
        x = x.transpose(how.order)
    return x if x.shape == how.shape else x.reshape(how.shape)


def multiply_out(arrays: list[Array], products: Sequence[Product]) -> Array:
    """A contraction, product by product."""
    for product in products:
        taken = [arrays.pop(k) for k in product.operands]
        if product.matrices is None:
            y = np.einsum(product.subscripts, *taken)
        else:
            a, b = map(laid_out, taken[::-1] if product.swapped else taken, product.matrices)
            y = a.dot(b) if a.ndim == 2 else np.matmul(a, b)
            y = y if y.shape == product.shape else y.reshape(product.shape)
            if product.order != tuple(range(len(product.order))):
                y = y.transpose(product.order)
        arrays.append(y)
    return arrays[0]


def contract_hard(
    first: Array, labels: str, others: Sequence[Array], labels_of_others: Sequence[str], output: str
) -> Array:
    """A contraction where a 0 in ``first`` makes nothing of an inf or nan in the others: a hard zero."""
    subscripts = f"{','.join([labels, *labels_of_others])}->{output}"

    def product(*arrays: Array) -> Array:
        return contract(arrays, subscripts=subscripts)

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
    gone = tuple(n for n, s in enumerate(labels) if s not in elsewhere)
    c = expand_dims(c, gone) if gone else c
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
        Without it small arrays are contracted at once; larger ones two at a time in a greedy order, as products of
        matrices where the labels allow it, unless that took much more memory than the arrays themselves.
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
