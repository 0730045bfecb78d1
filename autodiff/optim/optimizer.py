"""What all optimizers share: the parameters, the state that is kept for each, and the step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..core import numbers
from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.modes import is_recording, watchers
from ..core.node import Node, data_of, describe, next_index
from .arena import Arena, pack, update_by_blocks

State = dict[str, Any]
"""What an optimizer remembers of one parameter: arrays of its shape, and counters."""


class Optimizer:
    """Base class: a subclass writes ``fresh_state`` and ``update``, the lines of the paper.

    Attributes
    ----------
    params : list of Tensor and Value
    state : list of dict
        What is remembered of each parameter.
    settings : tuple of str
        Names of the attributes that :meth:`state_dict` saves beside the state.
    entrywise : bool
        Declared beside ``update``: it works entry by entry, on what ``fresh_state`` made and in place.  Then parameters
        are updated many at a time, and large ones part by part.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> class SignDescent(optim.Optimizer):
    ...     entrywise = True
    ...
    ...     def fresh_state(self, p):
    ...         return {}
    ...
    ...     def update(self, p, g, state):
    ...         p -= self.lr * np.sign(g)
    >>> w = ad.Tensor([3.0, -2.0])
    >>> optimizer = SignDescent([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([ 2.5, -1.5])
    """

    settings: tuple[str, ...] = ("lr",)
    entrywise = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "update" in vars(cls) and "entrywise" not in vars(cls):
            cls.entrywise = False  # whatever holds for the update that it overrides

    def __init__(self, params: Iterable[Any], lr: Any) -> None:
        self.params = require_leaves(type(self).__name__, params)
        self.lr = lr
        self.state = [self.fresh_state(self.storage(p)) for p in self.params]
        self._packed = False
        self._arenas: list[Arena] = []
        self._alone: list[int] = []
        self._waiting: list[Any] = []

    @property
    def lr(self) -> Any:
        """The learning rate.  May be set at any time."""
        return self._lr

    @lr.setter
    def lr(self, lr: Any) -> None:
        require_at_least_0(type(self).__name__, lr=lr)
        self._lr = lr
        self.rates = ByDtype(lr)

    def fresh_state(self, p: Any) -> State:
        """What is remembered of a parameter with data ``p`` before the first step."""
        raise NotImplementedError

    def update(self, p: Any, g: Any, state: State) -> None:
        """Change the array ``p`` and its state in place, given the gradient ``g``: see ``entrywise``."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for p in self.params:
            p.grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient, in place."""
        for watcher in () if is_recording() is True else watchers():
            watcher.stepped(self)
        if not (self._packed and self._gather()):
            self._pack()
        for arena in self._arenas:
            arena.step(self.update)
        for i in self._alone:
            self._step_one(self.params[i], self.state[i])

    def _pack(self) -> None:
        self._arenas, self._alone = [], list(range(len(self.params)))
        if self.entrywise:
            self._arenas, self._alone = pack(self.params, self.state)
            self._waiting = [p for p in self.params if p.grad is None]
        self._packed = self._gather()

    def _gather(self) -> bool:
        """Find the gradients; False if other parameters have one than when they were packed."""
        if self._waiting and any([p.grad is not None for p in self._waiting]):
            return False
        return all(map(Arena.gather, self._arenas))

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_packed": False, "_arenas": [], "_alone": [], "_waiting": []}  # copies are no views

    def _step_one(self, p: Node, state: State) -> None:
        g = p.grad
        if g is None:
            return
        if g.__class__ is not np.ndarray:
            g = data_of(g)
        data = p._data
        if isinstance(data, np.ndarray):
            if self.entrywise:
                update_by_blocks(self.update, data, g, state)
            else:
                self.update(data, g, state)
            p.index = next_index()
        else:
            self._step_number(p, g, state)

    def _step_number(self, p: Node, g: Any, state: State) -> None:
        array = self.storage(p)
        try:
            self.update(array, np.asarray(g, array.dtype), state)
        except TypeError as error:
            raise KindError(
                f"{self!r} could not update {describe(p)} of kind {type(p._data).__name__}: {error}. "
                f"Give lr and the other settings in that kind, such as {type(p._data).__name__}('0.1')."
            ) from error
        p.data = numbers.like(p._data, array.item())

    def storage(self, p: Node) -> Any:
        """The array that a step is computed on: the data, or for a Value a copy of it, of its kind if need be."""
        data = p._data
        if isinstance(data, np.ndarray):
            return data
        array = np.array(data)
        return array.astype(float) if array.dtype.kind in "iu" else array

    def state_dict(self) -> dict[str, Any]:
        """Copies of the settings and of the state of every parameter, as a flat dict of arrays: ``lr``, ``0.m``, ..."""
        settings = {name: np.array(getattr(self, name)) for name in self.settings}
        return settings | {f"{i}.{key}": np.array(x) for i, state in enumerate(self.state) for key, x in state.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where an optimizer of the same parameters stopped.

        Parameters
        ----------
        state : mapping of str to array_like
            From :meth:`state_dict`.

        Raises
        ------
        ArgumentError, ShapeError
            If names or shapes do not fit.  Nothing is changed then.
        """
        name, own = type(self).__name__, self.state_dict()
        if set(state) != set(own):
            raise ArgumentError(
                f"load_state_dict of {name} got other names than it has; missing: {_list(set(own) - set(state))}; "
                f"unexpected: {_list(set(state) - set(own))}. Load what the same kind of optimizer saved."
            )
        for key, array in own.items():
            if np.shape(state[key]) != array.shape:
                raise ShapeError(
                    f"load_state_dict of {name} got an array of shape {np.shape(state[key])} for {key}, "
                    f"which has shape {array.shape}. Give it the parameters in the order in which they were saved."
                )
        for key in self.settings:
            value = np.asarray(state[key]).tolist()
            setattr(self, key, tuple(value) if isinstance(value, list) else value)
        for i, kept in enumerate(self.state):
            for key, old in kept.items():
                new = np.asarray(state[f"{i}.{key}"])
                kept[key] = new.astype(old.dtype) if isinstance(old, np.ndarray) else new.item()
        self._packed = False

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.settings)
        return f"{type(self).__name__}({len(self.params)} parameters, {settings})"


class ByDtype(dict[Any, Any]):
    """A number as a 0-d array of any dtype asked for: beside a small array it costs half as much as a Python float."""

    def __init__(self, number: Any) -> None:
        super().__init__()
        self.number = number

    def __missing__(self, dtype: Any) -> Any:
        self[dtype] = array = np.array(self.number, dtype)
        return array


def require_leaves(optimizer: str, params: Any) -> list[Any]:
    """The parameters as a list, each once; raise if one of them cannot be updated."""
    if hasattr(params, "parameters"):
        raise ArgumentError(
            f"{optimizer} got a {type(params).__name__}; it takes a list of parameters: model.parameters()."
        )
    if isinstance(params, Node):
        raise ArgumentError(f"{optimizer} got {describe(params)}; it takes a list of parameters: [w] for one.")
    if callable(params):
        raise ArgumentError(f"{optimizer} got a function; call it: model.parameters().")
    if not isinstance(params, Iterable):
        raise ArgumentError(
            f"{optimizer} got {params!r} as parameters; it takes a list of them first: model.parameters()."
        )
    params = list(params)
    if not params:
        raise ArgumentError(
            f"{optimizer} got no parameters. A model's parameters are Tensors in its attributes, lists or dicts; "
            "a layer kept elsewhere, or a NumPy array, is not found."
        )
    for i, p in enumerate(params):
        if not isinstance(p, Node):
            raise KindError(
                f"{optimizer} got a {type(p).__name__} as parameter {i}; parameters are Tensors and Values."
            )
        if not p.is_leaf:
            raise ArgumentError(
                f"{optimizer} got {describe(p)} as parameter {i}, which was computed. Only what was made can be "
                "updated: pass the tensors that it was computed from."
            )
    return list({id(p): p for p in params}.values())


def require_at_least_0(optimizer: str, **settings: Any) -> None:
    """Raise if a setting is negative, infinite or nan."""
    for name, number in settings.items():
        _require(optimizer, name, number, "a finite number, at least 0", lambda x: x >= 0)


def require_below_1(optimizer: str, **settings: Any) -> None:
    """Raise if a setting is not from 0 to 1, 1 excluded."""
    for name, number in settings.items():
        _require(optimizer, name, number, "at least 0 and less than 1", lambda x: 0 <= x < 1)


def _require(optimizer: str, name: str, number: Any, expected: str, fits: Any) -> None:
    try:
        right = not isinstance(number, Node) and math.isfinite(number) and fits(number)
    except (TypeError, OverflowError):
        right = False
    if not right:
        found = describe(number) if isinstance(number, Node) else repr(number)
        raise ArgumentError(f"{optimizer} got {name}={found}; it must be {expected}.")


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
