"""``ad.compile``: a function that runs as straight-line NumPy after it was seen once."""

from __future__ import annotations

import functools
import inspect
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np

from ..core.batched import Batched
from ..core.errors import ArgumentError, KindError
from ..core.modes import is_recording
from ..core.node import Node
from ..tensor import Tensor
from .bundle import bundled
from .guards import is_users_own
from .machine.version import check_backend
from .special import Special, repeats

logger = logging.getLogger(__name__)

KEPT = 32
"""How many signatures a compiled function remembers."""


def compile(
    f: Callable[..., Any] | None = None, *, reuse_outputs: bool = False, exact: bool = True, backend: str = "numpy"
) -> Any:
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
    backend : {"numpy", "numba"}
        With ``"numba"``, an extra, chains of small calls become single loops that are compiled to machine code, which
        is kept on disk.  Results agree to the accuracy of their dtype.

    Returns
    -------
    Compiled
        Called like ``f``.  Shapes, dtypes, ints, bools and strings are part of what is compiled: it compiles again
        when they change.

    Raises
    ------
    CompileError
        When called, if what ``f`` does depends on the numbers in its arguments.
    ArgumentError
        If there is no such back end.
    MissingExtraError
        If it is not installed.

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
    check_backend(backend)
    if f is None:
        return functools.partial(compile, reuse_outputs=reuse_outputs, exact=exact, backend=backend)
    if not callable(f):
        raise KindError(f"compile was given a {type(f).__name__}; it takes a function.")
    if inspect.isgeneratorfunction(f) or inspect.iscoroutinefunction(f) or inspect.isasyncgenfunction(f):
        raise KindError(
            f"compile was given {getattr(f, '__name__', 'a function')}, which stops and goes on: a generator or a "
            "coroutine. Compile a function that returns arrays, and call it from there."
        )
    return f if isinstance(f, Compiled) else Compiled(f, reuse_outputs, exact, backend)


OWN = frozenset(["f", "reuse_outputs", "exact", "backend", "_special", "_replaced", "_is_model"])
"""The attributes of a compiled function that are not those of what was compiled."""


class Compiled:
    """What :func:`compile` returns."""

    def __init__(self, f: Callable[..., Any], reuse_outputs: bool, exact: bool = True, backend: str = "numpy") -> None:
        functools.update_wrapper(self, f, updated=())
        self.f = f
        self.reuse_outputs = reuse_outputs
        self.exact = exact
        self.backend = backend
        self._special: dict[Any, Special] = {}
        self._replaced = 0
        self._is_model = hasattr(f, "named_modules")

    def __reduce__(self) -> Any:
        """What ``copy.deepcopy`` and ``pickle`` read: the function, to be compiled anew."""
        return Compiled, (self.f, self.reuse_outputs, self.exact, self.backend)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """A model that is compiled is still a module, whose parameters others look for."""
        return type(self.f) if self._is_model else Compiled

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        """The method of an object, where a function in a class is compiled."""
        return self if owner is None else MethodType(self, owner)

    def __getattr__(self, name: str) -> Any:
        """What ``f`` has: the parameters of a model."""
        if name in OWN or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(name)
        return getattr(self.f, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in OWN or name.startswith("__") or not self._is_model:
            object.__setattr__(self, name, value)
        else:
            setattr(self.f, name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call ``f``, or what it was compiled to."""
        mode = is_recording()
        if mode is not True and mode is not False:
            if all([watcher.call_compiled is not None for watcher in mode.watchers]):  # a profile
                return mode.watchers[0].call_compiled(self, args, kwargs)
            return self.f(*args, **kwargs)  # somebody watches: an outer compile, a trace, lint
        leaves: list[Any] = []
        key: Any = [mode]
        try:
            for a in args:
                if a.__class__ is np.ndarray:  # what _signature does, without a call
                    leaves.append(a)
                    key.append((a.shape, a.dtype))
                else:
                    key.append(_signature(a, leaves))
            if kwargs:
                key += [(name, _signature(a, leaves)) for name, a in kwargs.items()]
        except IsBatchError:
            return self.f(*args, **kwargs)
        repeated = repeats(leaves)
        if repeated:
            key.append(repeated)
        key = tuple(key)
        special = self._special.get(key)
        if special is None or not special.holds():
            special = self._specialise(key, args, kwargs, leaves)
        return special(leaves)

    def _specialise(self, key: Any, args: Any, kwargs: Any, leaves: list[Any]) -> Special:
        special = Special(self.f, args, kwargs, leaves, bool(key[0]), self.reuse_outputs, self.exact, self.backend)
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

        With ``backend="numba"`` it needs Numba as well.

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


class IsBatchError(Exception):
    """An argument is a batch of ``vmap``, which is computed with as it comes."""


def _signature(x: Any, leaves: list[Any]) -> Any:
    """What of an argument is compiled in; what is not is appended to ``leaves``."""
    kind = x.__class__
    if kind is np.ndarray:
        leaves.append(x)
        return x.shape, x.dtype
    if kind is float or kind is complex or isinstance(x, np.number):
        leaves.append(x)
        return kind
    if isinstance(x, Node):
        leaves.append(x)
        data = x._data
        if isinstance(data, Batched):
            raise IsBatchError
        return (kind, x.tracked, data.shape, data.dtype) if isinstance(x, Tensor) else (kind, x.tracked, type(data))
    if isinstance(x, tuple | list):
        return (kind, *[_signature(branch, leaves) for branch in x])
    if isinstance(x, dict):
        return (kind, *[(key, _signature(branch, leaves)) for key, branch in x.items()])
    if hasattr(x, "__dataclass_fields__") and not isinstance(x, type):
        return (kind, *[(key, _signature(getattr(x, key), leaves)) for key in x.__dataclass_fields__])
    if isinstance(x, slice):  # not hashable before Python 3.12
        return kind, (x.start, x.stop, x.step)
    if isinstance(x, set | frozenset):
        return kind, frozenset([(type(item), item) for item in x])
    if isinstance(x, np.memmap):
        leaves.append(x.view(np.ndarray))
        return x.shape, x.dtype
    array = isinstance(x, np.ndarray)
    if kind.__hash__ is not None and not array:
        return kind, x
    if is_users_own(x) and not array:
        return kind, id(x)  # which stays alive with what is compiled for it
    raise KindError(
        f"A compiled function was given a {kind.__name__}. It takes arrays, tensors, numbers, texts, tuples, lists, "
        f"dicts and dataclasses. {'Pass np.asarray(x).' if array else 'Pass a tuple or a list.'}"
    )
