"""Where a function has no value: Python's arithmetic raises there, in the place of an infinite number or nan."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ..core import tree
from ..core.errors import AutodiffError, NotFiniteError
from ..core.node import data_of
from ..core.summary import repr_text


def has_no_value(error: Exception) -> bool:
    """Whether Python's arithmetic raised it where NumPy's gives an infinite number or nan: 1 / 0, ``math.log(0)``."""
    return isinstance(error, ArithmeticError) or str(error).startswith(("math domain error", "expected a"))


@contextlib.contextmanager
def where_finite(what: str, x: Any) -> Iterator[None]:
    """Raise :class:`NotFiniteError` if a function that is called inside has no value at ``x``."""
    try:
        yield
    except (ArithmeticError, ValueError) as error:
        if isinstance(error, AutodiffError) or not has_no_value(error):
            raise
        raise NotFiniteError(
            f"{what}: the function raised {type(error).__name__} ({error}) at x = "
            f"{repr_text(tree.tree_map(data_of, x))}. Give a point where it and its derivatives are finite."
        ) from error
