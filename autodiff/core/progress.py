"""A progress bar where there is a terminal to draw it on, plain lines elsewhere."""

from __future__ import annotations

import sys
import warnings
from types import TracebackType
from typing import Any

from .errors import MissingExtraError


def in_notebook() -> bool:
    """Whether a notebook shows what is printed."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return hasattr(get_ipython() if get_ipython else None, "kernel")


class Progress:
    """Counts steps on a live bar, in a terminal or a notebook, if tqdm is installed; lines go above it.

    Parameters
    ----------
    total : int or None
        Number of steps, if it is known.
    label : str
    live : bool
        Whether there is a bar at all.

    Examples
    --------
    >>> with Progress(2, "working") as progress:
    ...     for step in range(2):
    ...         progress.advance()
    ...     progress.line("done")
    done
    """

    def __init__(self, total: int | None, label: str, live: bool = True) -> None:
        self.bar: Any = None
        if live and (sys.stderr.isatty() or in_notebook()):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # without ipywidgets it says so, and draws its bar of text
                    from tqdm.auto import tqdm
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

    @property
    def live(self) -> bool:
        """Whether there is a bar."""
        return self.bar is not None

    def advance(self, note: str = "") -> None:
        """One step done; a bar shows ``note`` at its end."""
        if self.bar is not None:
            if note:
                self.bar.set_postfix_str(note, refresh=False)
            self.bar.update()

    def line(self, text: str) -> None:
        """Print a line on standard output."""
        if self.bar is None:
            print(text, flush=True)
        else:
            self.bar.write(text)
