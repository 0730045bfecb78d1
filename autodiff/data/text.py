"""A text to model, character by character."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError, ShapeError

Array = np.ndarray[Any, np.dtype[Any]]


def alice() -> str:
    """The text of "Alice in Wonderland" by Lewis Carroll [1]_: 147,704 characters, 70 different ones.

    References
    ----------
    .. [1] Lewis Carroll (1865); in the public domain.

    Examples
    --------
    >>> from autodiff import data
    >>> data.alice()[35:79]
    'Alice was beginning to get very tired of sit'
    """
    return gzip.decompress(files(__package__).joinpath("alice.txt.gz").read_bytes()).decode("ascii")


class CharTokenizer:
    """Numbers the characters of a text, in the order of their codes.

    Parameters
    ----------
    text : str
        Every character that will be met.

    Attributes
    ----------
    characters : str
        By number.  ``CharTokenizer(tokenizer.characters)`` makes the same tokenizer again.

    Raises
    ------
    ArgumentError, KindError
        If the text is empty, or no text.

    Examples
    --------
    >>> from autodiff import data
    >>> tokenizer = data.CharTokenizer("hello")
    >>> tokenizer.encode("hole").tolist(), tokenizer.decode([1, 0, 2, 2, 3])
    ([1, 3, 2, 0], 'hello')
    """

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise KindError(
                f"CharTokenizer got a {type(text).__name__}; it takes one text. Join several: ''.join(texts)."
            )
        self.characters = "".join(sorted(set(text)))
        if not self.characters:
            raise ArgumentError("CharTokenizer got an empty text; give it one with every character that will be met.")
        self.numbers = {c: k for k, c in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> Array:
        """The numbers of a text, shape ``(len(text),)``.

        Raises
        ------
        ArgumentError
            If there is a character that has no number.
        """
        try:
            return np.array([self.numbers[c] for c in text], dtype=np.int64)
        except KeyError as error:
            raise ArgumentError(
                f"CharTokenizer met {error.args[0]!r} at position {text.index(error.args[0])}, which was not in "
                "the text that it was made of. Make it of all texts together."
            ) from None

    def decode(self, numbers: Iterable[Any]) -> str:
        """The text of numbers.

        Raises
        ------
        KindError, ShapeError, ArgumentError
            If these are no whole numbers, not of shape ``(n,)``, or one stands for no character.
        """
        array = np.asarray(numbers if hasattr(numbers, "__len__") else list(numbers))
        if array.ndim != 1:
            raise ShapeError(f"CharTokenizer got numbers of shape {array.shape}; it decodes (n,), one text at a time.")
        if array.size and array.dtype.kind not in "iu":
            raise KindError(f"CharTokenizer got numbers of dtype {array.dtype}; characters have whole numbers.")
        found = array.tolist()
        wrong = [k for k in found if not 0 <= k < len(self)]
        if wrong:
            raise ArgumentError(f"CharTokenizer met the number {wrong[0]}; it has characters 0 to {len(self) - 1}.")
        return "".join([self.characters[k] for k in found])

    def __repr__(self) -> str:
        return f"CharTokenizer({len(self)} characters)"


def windows(tokens: Any, length: int, step: int = 1) -> tuple[Array, Array]:
    """Pieces of a sequence, and the same pieces one token later: what a language model reads and should say.

    Parameters
    ----------
    tokens : array_like, shape (n,)
    length : int
        Of each piece.
    step : int
        From the start of one piece to that of the next.

    Returns
    -------
    X, Y : ndarray, shape (pieces, length)
        Views that cannot be written to.

    Raises
    ------
    ShapeError
        If the sequence is not longer than a piece.

    Examples
    --------
    >>> from autodiff import data
    >>> X, Y = data.windows([1, 2, 3, 4], 2)
    >>> X.tolist(), Y.tolist()
    ([[1, 2], [2, 3]], [[2, 3], [3, 4]])
    """
    tokens = np.asarray(tokens)
    if tokens.ndim != 1 or len(tokens) <= length or length < 1 or step < 1:
        raise ShapeError(
            f"windows got tokens of shape {tokens.shape}, length={length} and step={step}; it takes (n,) with n above "
            "length, and both at least 1."
        )
    pieces = np.lib.stride_tricks.sliding_window_view(tokens, length + 1)[::step]
    return pieces[:, :-1], pieces[:, 1:]
