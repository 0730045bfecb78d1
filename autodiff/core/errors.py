"""Every error the package raises on purpose.

Each is an :class:`AutodiffError`, but for that of an interrupted run, and also the built-in error that a NumPy user
would expect, so both ``except AutodiffError`` and ``except ValueError`` work.  Messages say what was done, what was
found, what was expected and the likely repair.
"""

from __future__ import annotations

import numpy as np


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


class SolverError(AutodiffError, RuntimeError):
    """A method of :mod:`autodiff.calculus` could not go on.

    Attributes
    ----------
    reached : object
        What was found so far: what ``full_output=True`` would have returned, or None if nothing was.
    """

    def __init__(self, message: str, reached: object = None) -> None:
        super().__init__(message)
        self.reached = reached


class ConvergenceError(SolverError):
    """A limit of steps or evaluations was met before the tolerance was."""


class DivergenceError(SolverError):
    """What is iterated moves away without bound, instead of towards an answer."""


class NotFiniteError(SolverError, FloatingPointError):
    """The function that was given returned a nan or an infinite number."""


class StepTooSmallError(SolverError):
    """The step of a solver of differential equations fell to the spacing of floats: the solution is singular there."""


class StiffnessError(SolverError):
    """An explicit solver is held at tiny steps by stability alone: the problem is stiff."""


class BracketError(SolverError, ValueError):
    """The interval that was given does not enclose what is looked for."""


class SingularError(SolverError, np.linalg.LinAlgError):
    """A Jacobian or Hessian that a step or a derivative must divide by has no inverse."""


class InterruptedSolverError(KeyboardInterrupt):
    """Somebody pressed Ctrl-C while a method of :mod:`autodiff.calculus` ran; what was found is in ``reached``.

    It is no :class:`AutodiffError`, so that ``except AutodiffError`` does not keep a program running.
    """

    def __init__(self, message: str, reached: object = None) -> None:
        super().__init__(message)
        self.reached = reached


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
        self._given = feature, package, extra

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self._given  # the message alone would not make it again, in another process
