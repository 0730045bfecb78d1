"""Data in small portions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from ..core.errors import ArgumentError, KindError, ShapeError
from .checks import require_rows, require_whole

Batch = tuple[Any, ...]
Transform = Callable[..., Any]


@overload
def batches(
    *arrays: ArrayLike,
    batch_size: int,
    shuffle: bool = ...,
    rng: Any = ...,
    drop_last: bool = ...,
    transform: Transform | None = ...,
) -> Batches: ...
@overload
def batches(
    source: Callable[[], Iterable[Any]] | Iterator[Any],
    /,
    *,
    batch_size: int,
    shuffle: bool = ...,
    rng: Any = ...,
    drop_last: bool = ...,
    transform: Transform | None = ...,
    buffer: int = ...,
) -> Stream: ...
def batches(
    *arrays: Any,
    batch_size: int,
    shuffle: bool = True,
    rng: Any = None,
    drop_last: bool = False,
    transform: Transform | None = None,
    buffer: int = 1000,
) -> Batches | Stream:
    """Cut arrays of equally many rows, or what a generator yields, into batches; every pass over them is one epoch.

    Parameters
    ----------
    *arrays : array_like, or one generator
        Such as ``X, y``, with rows along the first axis; of memory maps (``np.load(path, mmap_mode="r")``) only the
        rows of a batch are read.  Or one source of examples, each ``x`` or ``(x, y)``: a function without arguments
        that starts a generator, called once an epoch; any iterable without a length; a generator, for one epoch.
    batch_size : int
        Rows in a batch; the last has what is left.
    shuffle : bool
        Whether each epoch takes the rows in an order of its own.
    rng : Generator, int or None
        Source of that order, as for ``np.random.default_rng``.
    drop_last : bool
        Leave the last batch out if it is smaller than the others.
    transform : callable, optional
        ``transform(x, y, rng)`` gives what to yield in the place of each batch ``x, y``, such as moved images.
    buffer : int
        How many examples of a generator are held, of which one at random comes next.  Arrays are shuffled as a whole.

    Returns
    -------
    Batches or Stream
        Iterates over tuples with one array for each of ``arrays``; the length of ``Batches`` is their number.  Without
        ``shuffle`` they are views: do not write to them.

    Raises
    ------
    ShapeError
        If the arrays have different numbers of rows, or none; while iterating, if examples differ in shape.
    ArgumentError
        If there are no arrays, ``batch_size`` is less than 1, no batch would be left, or a generator is used up.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import data
    >>> X, y = np.zeros((10, 2)), np.arange(10)
    >>> portions = data.batches(X, y, batch_size=4, rng=0)
    >>> [len(x_batch) for x_batch, y_batch in portions]
    [4, 4, 2]
    >>> squares = data.batches(lambda: ((x, x * x) for x in range(4)), batch_size=2, shuffle=False)
    >>> [(x.tolist(), y.tolist()) for x, y in squares]
    [([0, 1], [0, 1]), ([2, 3], [4, 9])]
    """
    require_whole("batches", batch_size=batch_size, buffer=buffer)
    settings = (int(batch_size), shuffle, np.random.default_rng(rng), drop_last, transform)
    if any(_is_source(a) for a in arrays):
        if len(arrays) > 1:
            raise KindError("batches got a generator beside other data. Let it yield (x, y), and give it alone.")
        return Stream(arrays[0], *settings, int(buffer))
    return Batches(arrays, *settings)


def _is_source(thing: Any) -> bool:
    """Whether it yields examples one by one, and is nothing that NumPy reads as a whole."""
    if hasattr(thing, "__array__") or hasattr(thing, "__len__"):
        return False
    return callable(thing) or isinstance(thing, Iterable)


class Batches:
    """What :func:`batches` returns for arrays: iterate over it once an epoch."""

    def __init__(
        self,
        arrays: Batch,
        batch_size: int,
        shuffle: bool,
        rng: np.random.Generator,
        drop_last: bool,
        transform: Transform | None,
    ) -> None:
        self.arrays = require_rows("batches", *arrays)
        self.rows = len(self.arrays[0])
        if drop_last and self.rows < batch_size:
            raise ArgumentError(
                f"batches got {self.rows} rows and batch_size={batch_size} with drop_last=True, which leaves no batch. "
                f"Use batch_size={self.rows} or drop_last=False."
            )
        self.batch_size, self.shuffle, self.rng = batch_size, shuffle, rng
        self.drop_last, self.transform = drop_last, transform

    def __len__(self) -> int:
        return self.rows // self.batch_size if self.drop_last else -(-self.rows // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        order = self.rng.permutation(self.rows) if self.shuffle else None
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            rows = slice(start, start + self.batch_size)
            if order is None:
                batch = tuple(array[rows] for array in self.arrays)
            else:
                batch = tuple(array.take(order[rows], axis=0) for array in self.arrays)
            yield _transformed(self.transform, batch, self.rng)

    def __repr__(self) -> str:
        shapes = ", ".join(str(a.shape) for a in self.arrays)
        return f"Batches({len(self)} of up to {self.batch_size} rows, of arrays of shapes {shapes})"


class Stream:
    """What :func:`batches` returns for a generator: iterate over it once an epoch.  It has no length."""

    def __init__(
        self,
        source: Any,
        batch_size: int,
        shuffle: bool,
        rng: np.random.Generator,
        drop_last: bool,
        transform: Transform | None,
        buffer: int,
    ) -> None:
        self.source = source
        self.batch_size, self.shuffle, self.rng = batch_size, shuffle, rng
        self.drop_last, self.transform, self.buffer = drop_last, transform, buffer
        self.epochs = 0

    def __iter__(self) -> Iterator[Batch]:
        examples = self._examples()
        self.epochs += 1
        if self.shuffle:
            examples = _mixed(examples, self.buffer, self.rng)
        found = False
        while rows := list(islice(examples, self.batch_size)):
            if len(rows) < self.batch_size and self.drop_last:
                break
            found = True
            yield _transformed(self.transform, _stacked(rows), self.rng)
        if not found:
            raise ArgumentError(
                f"batches got a generator that yielded {'fewer examples than batch_size' if rows else 'no example'} in "
                f"epoch {self.epochs}. Give a function that starts a new one each epoch: batches(lambda: examples(), "
                "...)."
            )

    def _examples(self) -> Iterator[Any]:
        source = self.source() if callable(self.source) else self.source
        try:
            return iter(source)
        except TypeError:
            raise KindError(
                f"batches got a function that returned a {type(source).__name__}; it takes one that returns a "
                "generator of examples."
            ) from None

    def __repr__(self) -> str:
        return f"Stream(batches of up to {self.batch_size} examples)"


def _mixed(examples: Iterator[Any], buffer: int, rng: np.random.Generator) -> Iterator[Any]:
    """All examples, each chosen at random from ``buffer`` of them."""
    held = list(islice(examples, buffer))
    for example in examples:
        k = rng.integers(len(held))
        yield held[k]
        held[k] = example
    for k in rng.permutation(len(held)):
        yield held[k]


def _stacked(examples: list[Any]) -> Batch:
    """One array for each part of the examples."""
    parts = [example if isinstance(example, tuple) else (example,) for example in examples]
    if len({len(part) for part in parts}) > 1:
        raise ShapeError(f"batches got examples of {len(parts[0])} and of other numbers of parts. Let all be alike.")
    arrays = [[np.asarray(x) for x in column] for column in zip(*parts, strict=True)]
    for column in arrays:
        other = next((x.shape for x in column if x.shape != column[0].shape), None)
        if other is not None:
            raise ShapeError(
                f"batches got examples of shapes {column[0].shape} and {other}, which make no array. Pad them to one "
                "shape, or use batch_size=1."
            )
    return tuple([np.stack(column) for column in arrays])


def _transformed(transform: Transform | None, batch: Batch, rng: np.random.Generator) -> Batch:
    if transform is None:
        return batch
    found = transform(*batch, rng)
    if found is None:
        raise KindError("batches got None from its transform. Does it end without a return?")
    return found if isinstance(found, tuple) else (found,)
