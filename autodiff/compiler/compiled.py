"""``ad.compile``: a function that runs as straight-line NumPy after it was seen once."""

from __future__ import annotations

import functools
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError
from ..core.modes import is_recording
from ..core.node import Node
from ..tensor import Tensor
from .bundle import bundled
from .special import Special

logger = logging.getLogger(__name__)

KEPT = 32
"""How many signatures a compiled function remembers."""


def compile(f: Callable[..., Any] | None = None, *, reuse_outputs: bool = False, exact: bool = True) -> Any:
    """The function ``f``, replayed from straight-line NumPy source that is printed when it is first called.

    Parameters
    ----------
    f : callable
        Of arrays, tensors, numbers, and nested structures of them; it may use tensors from outside, such as a model's
        parameters, which are read at each call.  Plain arrays from outside are constants: it compiles again when one is
        replaced, and does not see what is written into one.
    reuse_outputs : bool
        Return arrays that the next call writes over.
    exact : bool
        Give every bit that ``f`` itself gives where it computes with single numbers.  If False, long sums of those are
        added up in the order that is fastest, and NumPy's ``exp`` takes the place of Python's.

    Returns
    -------
    Compiled
        Called like ``f``.  Shapes, dtypes, ints, bools and strings are part of what is compiled: it compiles again
        when they change.

    Raises
    ------
    CompileError
        When called, if what ``f`` does depends on the numbers in its arguments.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> w = ad.Tensor([1.0, 2.0])
    >>> loss_of = ad.compile(lambda x: ((w * x) ** 2).sum())
    >>> loss = loss_of(np.array([3.0, 4.0]))
    >>> loss.backward()
    >>> w.grad
    array([18., 64.])
    """
    if f is None:
        return functools.partial(compile, reuse_outputs=reuse_outputs, exact=exact)
    if not callable(f):
        raise KindError(f"compile was given a {type(f).__name__}; it takes a function.")
    return f if isinstance(f, Compiled) else Compiled(f, reuse_outputs, exact)


class Compiled:
    """What :func:`compile` returns."""

    def __init__(self, f: Callable[..., Any], reuse_outputs: bool, exact: bool = True) -> None:
        functools.update_wrapper(self, f)
        self.f = f
        self.reuse_outputs = reuse_outputs
        self.exact = exact
        self._special: dict[Any, Special] = {}
        self._replaced = 0

    def __getstate__(self) -> dict[str, Any]:
        """What ``copy.deepcopy`` and ``pickle`` read: the function, to be compiled anew."""
        return {**vars(self), "_special": {}}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call ``f``, or what it was compiled to."""
        mode = is_recording()
        if mode is not True and mode is not False:
            if all([watcher.call_compiled is not None for watcher in mode.watchers]):  # a profile
                return mode.watchers[0].call_compiled(self, args, kwargs)
            return self.f(*args, **kwargs)  # somebody watches: an outer compile, a trace, lint
        leaves: list[Any] = []
        key: Any = [mode]
        for a in args:
            if a.__class__ is np.ndarray:  # what _signature does, without a call
                leaves.append(a)
                key.append((a.shape, a.dtype))
            else:
                key.append(_signature(a, leaves))
        key += [(name, _signature(a, leaves)) for name, a in kwargs.items()]
        key = tuple(key)
        special = self._special.get(key)
        if special is None or not special.holds():
            special = self._specialise(key, args, kwargs, leaves)
        return special(leaves)

    def _specialise(self, key: Any, args: Any, kwargs: Any, leaves: list[Any]) -> Special:
        special = Special(self.f, args, kwargs, leaves, bool(key[0]), self.reuse_outputs, self.exact)
        logger.debug("compiled %s for %s", getattr(self, "__name__", "a function"), key[1:])
        self._replaced += key in self._special
        self._special[key] = special
        if self._replaced == KEPT:
            warnings.warn(
                f"{getattr(self, '__name__', 'a compiled function')} was compiled {KEPT} times for arguments that it "
                "knew: variables from outside that it reads are replaced from call to call. Pass them as arguments.",
                stacklevel=3,
            )
        if len(self._special) > KEPT:
            del self._special[next(iter(self._special))]
            warnings.warn(
                f"{getattr(self, '__name__', 'a compiled function')} was compiled for more than {KEPT} signatures, and "
                "forgets the oldest: arguments change their shapes or whole numbers from call to call. Pad them to a "
                "few shapes, or pass numbers that vary as floats.",
                stacklevel=3,
            )
        return special

    @property
    def source(self) -> str:
        """The source of every signature so far."""
        return "\n\n".join(special.source for special in self._special.values())

    def save(self, path: Any) -> Path:
        """Write the program of the last signature that was compiled as a module that runs with NumPy alone.

        The module has ``forward``, of the arguments and of the data of what the function reads beside them, and
        ``backward``, of a cotangent and the same.

        Parameters
        ----------
        path : path
            Ends in ``.py``.

        Raises
        ------
        ArgumentError
            If nothing was compiled yet, or the name ends otherwise.
        CompileError
            If something in it cannot be written down, such as a random generator.
        """
        to = Path(path)
        if to.suffix != ".py":
            raise ArgumentError(f"save of a compiled function got {str(to)!r}; it writes a module: name it .py.")
        if not self._special:
            raise ArgumentError("save of a compiled function: nothing was compiled yet. Call it once.")
        version: Any = next(reversed(self._special.values())).fast
        both = "forward, backward" if "def backward" in version.sources[0] else "(forward,)"
        to.write_text(f"{bundled(version.sources[0], version.given[0])}\n\n{both} = make()\n")
        return to


def _signature(x: Any, leaves: list[Any]) -> Any:
    """What of an argument is compiled in; what is not is appended to ``leaves``."""
    kind = x.__class__
    if kind is np.ndarray:
        leaves.append(x)
        return x.shape, x.dtype
    if kind is float or kind is complex or isinstance(x, np.generic):
        leaves.append(x)
        return kind
    if isinstance(x, Node):
        leaves.append(x)
        data = x._data
        return (kind, x.tracked, data.shape, data.dtype) if isinstance(x, Tensor) else (kind, x.tracked, type(data))
    if isinstance(x, tuple | list):
        return (kind, *[_signature(branch, leaves) for branch in x])
    if isinstance(x, dict):
        return (kind, *[(key, _signature(branch, leaves)) for key, branch in x.items()])
    if hasattr(x, "__dataclass_fields__") and not isinstance(x, type):
        return (kind, *[(key, _signature(getattr(x, key), leaves)) for key in x.__dataclass_fields__])
    if isinstance(x, slice):  # not hashable before Python 3.12
        return kind, (x.start, x.stop, x.step)
    return kind, x
