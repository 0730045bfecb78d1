"""A progress bar where there is a terminal to draw it on, plain lines elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from ..core.errors import MissingExtraError


class Progress:
    """Counts steps on a live bar, if standard error is a terminal and tqdm is installed; lines go above it.

    Parameters
    ----------
    total : int
        Number of steps.
    label : str

    Examples
    --------
    >>> with Progress(2, "working") as progress:
    ...     for step in range(2):
    ...         progress.advance()
    ...     progress.line("done")
    done
    """

    def __init__(self, total: int, label: str) -> None:
        self.bar: Any = None
        if sys.stderr.isatty():
            try:
                from tqdm import tqdm
            except ImportError:
                print(f"no live bar: {MissingExtraError('It', 'tqdm', 'progress')}", file=sys.stderr)
                return
            self.bar = tqdm(total=total, desc=label, unit="step", leave=False, dynamic_ncols=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.close()

    def advance(self) -> None:
        """One step done."""
        if self.bar is not None:
            self.bar.update()

    def line(self, text: str) -> None:
        """Print a line on standard output."""
        if self.bar is None:
            print(text, flush=True)
        else:
            self.bar.write(text)
