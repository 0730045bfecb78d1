"""Every error the package raises on purpose.

Each is an :class:`AutodiffError` and also the built-in error that a NumPy user would expect, so both
``except AutodiffError`` and ``except ValueError`` work.  Messages say what was done, what was found, what was expected
and the likely repair.
"""

from __future__ import annotations


class AutodiffError(Exception):
    """Base class of everything raised on purpose."""


class ShapeError(AutodiffError, ValueError):
    """Arrays whose shapes do not fit together."""


class ArgumentError(AutodiffError, ValueError):
    """An argument of the right type with a value that cannot be used."""


class PositionError(ArgumentError, IndexError):
    """A position that a sequence does not have, such as a tape."""


class KindError(AutodiffError, TypeError):
    """A value of a dtype or type that cannot be used here: an integer leaf, a function that a number kind lacks."""


class LeavingTapeError(AutodiffError, TypeError):
    """A tracked node was about to be turned into a plain number or array silently."""


class UnsupportedError(AutodiffError, TypeError):
    """A NumPy function, or a use of one, that has no rule."""


class TapeError(AutodiffError, RuntimeError):
    """The tape cannot be swept: nothing was recorded, it was freed, or the result is not a single number."""


class StaleDataError(TapeError):
    """Data was changed between recording and differentiating."""


class AnomalyError(AutodiffError, FloatingPointError):
    """An op made a nan or an infinite number, and somebody was watching for it."""


class CompileError(AutodiffError, RuntimeError):
    """A function cannot be compiled: what it does depends on numbers that differ from call to call."""


class SpellingError(AutodiffError, AttributeError):
    """An attribute spelt as another library spells it."""


class FileFormatError(AutodiffError, ValueError):
    """A file holds something else than expected, or is cut short."""


class MissingDataError(AutodiffError, FileNotFoundError):
    """A data set is not where it was looked for; the message says how to get it."""


class MissingExtraError(AutodiffError, ImportError):
    """A feature that needs an optional package which is not installed."""

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the package {package}, which is not installed. "
            f"Get it with: pip install 'autodiff-tape[{extra}]'"
        )
