"""Vectors looked up by number."""

from __future__ import annotations

from typing import Any

from ..core.errors import ArgumentError
from ..core.node import Array, ArrayLike
from .functional import embedding
from .init import normal, require_sizes
from .module import Module, shown


class Embedding(Module):
    """A table of vectors, of which each whole number of the input picks one.

    Shape: input any, of whole numbers; output that shape and ``embedding_dim`` more.

    Parameters
    ----------
    num_embeddings : int
        How many vectors there are: numbers go from 0 to ``num_embeddings - 1``.
    embedding_dim : int
        Their length.
    padding_idx : int, optional
        The number that stands for nothing: its vector starts at 0 and gets no gradient.
    dtype, rng
        As for :class:`~autodiff.nn.Linear`.

    Attributes
    ----------
    weight : Tensor, shape (num_embeddings, embedding_dim)
        Starts normal, of mean 0 and variance 1.

    Raises
    ------
    ArgumentError
        If a size is not a whole number of at least 1, or ``padding_idx`` is none of the numbers.
    IndexError
        When called with a number that has no vector.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.Embedding(27, 4, rng=0)(np.array([[0, 5, 13]])).shape
    (1, 3, 4)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        dtype: Any = float,
        rng: Any = None,
    ) -> None:
        require_sizes("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None and padding_idx not in range(-num_embeddings, num_embeddings):
            raise ArgumentError(
                f"Embedding got padding_idx={padding_idx!r}; with num_embeddings={num_embeddings} it is from 0 to "
                f"{num_embeddings - 1}."
            )
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = normal((num_embeddings, embedding_dim), dtype=dtype, rng=rng, name="weight")
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def forward(self, indices: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.embedding`."""
        return embedding(indices, self.weight, self.padding_idx)

    def __repr__(self) -> str:
        return shown(self, *self.weight.shape, padding_idx=None)
