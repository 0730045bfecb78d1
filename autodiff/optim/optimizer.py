"""What all optimizers share: the parameters, the state that is kept for each, and the step."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..core import numbers
from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.modes import is_recording, watchers
from ..core.node import Node, data_of, describe, is_complex, next_index
from ..core.spelling import Misspelt
from .arena import Arena, pack, update_by_blocks
from .parameters import as_list, require_leaves
from .settings import Check, at_least_0, flag

State = dict[str, Any]
"""What an optimizer remembers of one parameter: arrays of its shape, and counters."""

ABSENT = {
    "foreach": "small parameters are updated together anyway",
    "fused": "small parameters are updated together anyway",
    "capturable": "there is no GPU",
    "differentiable": "a step is not recorded; to differentiate one, write it with ops: w = w - lr * g",
    "decoupled_weight_decay": "Adam with decay proper is optim.AdamW",
}
"""Options of PyTorch's that change no number here, or that there is something else for."""


class Optimizer:
    """Base class: a subclass writes ``fresh_state`` and ``update``, the lines of the paper.

    Parameters
    ----------
    params : list of Tensor and Value, or of dict
        Such as ``model.parameters()``; or groups, each a dict of ``params`` and of settings that differ for them.
    lr : float
    maximize : bool
        Whether steps go up, along the gradient, instead of down.

    Attributes
    ----------
    lr : float
        May be set at any time, as all settings may.
    params : list of Tensor and Value
    param_groups : list of Optimizer
        One for each group, with ``params``, ``lr`` and other settings of its own; itself if there are none.
    state : list of dict
        What is remembered of each parameter.
    settings : dict
        Names of the attributes that :meth:`state_dict` saves beside the state, with the check that each goes through
        wherever it is set, or None.
    entrywise : bool
        Declared beside ``update``: it works entry by entry, on what ``fresh_state`` made and in place.  Then parameters
        are updated many at a time, and large ones part by part.
    real : bool
        Whether ``update`` takes roots or signs: then parameters are real numbers, a Value's in double precision.

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

    settings: dict[str, Check | None] = {"lr": at_least_0, "maximize": flag}
    entrywise = False
    real = False
    maximize = False
    initial_lr: Any = None
    """The rate before the first schedule."""

    params: list[Any] = []
    state: list[State] = []
    _groups: list[Any] = []

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "update" in vars(cls) and "entrywise" not in vars(cls):
            cls.entrywise = False  # whatever holds for the update that it overrides

    def __new__(cls, *args: Any, **options: Any) -> Any:
        """Refuse by name what PyTorch's have and these do not."""
        for name in ABSENT.keys() & options.keys() - cls.settings.keys():
            raise ArgumentError(f"{cls.__name__} got {name}={options[name]!r}; leave it out: {ABSENT[name]}.")
        return super().__new__(cls)

    def __init__(self, params: Iterable[Any], lr: Any, maximize: bool = False) -> None:
        self.lr, self.maximize = lr, maximize
        params = as_list(params)
        groups = []
        if isinstance(params, list) and any(isinstance(p, dict) for p in params):
            groups = [self._group(k, p) for k, p in enumerate(params)]
            params = [p for group in groups for p in group.params]
        else:
            self.check()
        self.params = require_leaves(type(self).__name__, params)
        if sum(len(group.params) for group in groups) not in (0, len(self.params)):
            twice = next(p for p in self.params if sum(any(p is q for q in group.params) for group in groups) > 1)
            raise ArgumentError(
                f"{type(self).__name__} got {describe(twice)} in two groups; it can be updated by one. Leave it out of "
                "the others."
            )
        self.state = [state for group in groups for state in group.state]
        if not groups:
            self.state = [self.fresh_state(self.storage(p)) for p in self.params]
        self._groups = groups
        self._packed = False
        self._arenas: list[Arena] = []
        self._alone: list[int] = []
        self._waiting: list[Any] = []

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.settings:
            super().__setattr__(name, value)
            return
        check = self.settings[name]
        if check is not None:
            check(type(self).__name__, name, value)
        if self._groups:
            raise ArgumentError(
                f"{type(self).__name__} has groups, each with a setting {name!r} of its own. Set it there: "
                f"optimizer.param_groups[0].{name} = {value!r}, or for all: for group in optimizer.param_groups: ..."
            )
        super().__setattr__(name, value)
        if name == "lr":
            self.rates = ByDtype(value)
        elif self.state:
            self._remember()

    @property
    def param_groups(self) -> list[Any]:
        """Optimizers of this kind, one for each group of parameters, with ``lr`` and other settings of its own.

        ``group["lr"]`` is ``group.lr``.
        """
        return self._groups or [self]

    def __getitem__(self, name: str) -> Any:
        self._require_setting(name, "params")
        return getattr(self, name)

    def __setitem__(self, name: str, value: Any) -> None:
        self._require_setting(name)
        setattr(self, name, value)

    def _require_setting(self, name: str, *others: str) -> None:
        if name not in (*self.settings, *others):
            raise ArgumentError(f"{type(self).__name__} has no setting {name!r}; it has {', '.join(self.settings)}.")

    def _group(self, k: int, given: Any) -> Any:
        """An optimizer like this one, of some parameters and with other settings."""
        name = type(self).__name__
        if not isinstance(given, dict) or "params" not in given:
            raise ArgumentError(
                f"{name} got {given!r:.80} as group {k}; a group is a dict of params and settings, such as "
                '{"params": model[0].parameters(), "lr": 0.01}.'
            )
        unknown = [key for key in given if key not in ("params", *self.settings)]
        if unknown:
            raise ArgumentError(
                f"{name} got the setting {unknown[0]!r} for group {k}; there are {', '.join(self.settings)}."
            )
        group = copy.deepcopy(self)
        for key in self.settings:
            setattr(group, key, given.get(key, getattr(self, key)))
        Optimizer.__init__(group, given["params"], group.lr, group.maximize)
        return group

    def _remember(self) -> None:
        """Let the state have what a changed setting needs: a momentum that was 0 has kept nothing."""
        if self.fresh_state(np.zeros(0)).keys() <= self.state[0].keys():
            return
        for p, kept in zip(self.params, self.state):
            kept |= {key: x for key, x in self.fresh_state(self.storage(p)).items() if key not in kept}
        self._packed = False

    def check(self) -> None:
        """Raise if settings contradict each other; a subclass may write this."""

    def fresh_state(self, p: Any) -> State:
        """What is remembered of a parameter with data ``p`` before the first step."""
        raise NotImplementedError

    def update(self, p: Any, g: Any, state: State) -> None:
        """Change the array ``p`` and its state in place, given the gradient ``g``: see ``entrywise``."""
        raise NotImplementedError

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters.

        Raises
        ------
        ArgumentError
            If ``set_to_none`` is False: a gradient that was not computed is None here, never 0.
        """
        if not set_to_none:
            raise ArgumentError(
                "zero_grad got set_to_none=False; a gradient that was not computed is None here. Leave it out."
            )
        for p in self.params:
            p.grad = None

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient, in place.

        Parameters
        ----------
        closure : callable, optional
            Called first: it forgets the gradients, computes the loss, calls its ``backward`` and returns it.

        Returns
        -------
        Tensor, number or None
            What the closure returned.
        """
        loss = None if closure is None else closure()
        if is_recording() is not True:
            self._announce()
        if self._groups:
            for group in self._groups:
                group._step()
        else:
            self._step()
        return loss

    def _announce(self) -> None:
        """Let those who watch look at the parameters before they change."""
        for watcher in watchers():
            watcher.stepped(self)

    def _step(self) -> None:
        if not self._packed or (self._waiting and self._joined()) or not all([a.gather() for a in self._arenas]):
            self._pack()
        update = self._update_upwards if self.maximize else self.update
        for arena in self._arenas:
            arena.step(update)
        for i in self._alone:
            self._step_one(self.params[i], self.state[i])

    def _update_upwards(self, p: Any, g: Any, state: State) -> None:
        self.update(p, -g, state)

    def _pack(self) -> None:
        self._arenas, self._alone = [], list(range(len(self.params)))
        if self.entrywise:
            self._arenas, self._alone = pack(self.params, self.state)
            self._waiting = [p for p in self.params if p.grad is None]
        self._packed = all([arena.gather() for arena in self._arenas])

    def _joined(self) -> bool:
        """Whether a parameter that had no gradient when they were packed has one now."""
        return any([p.grad is not None for p in self._waiting])

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_packed": False, "_arenas": [], "_alone": [], "_waiting": []}  # copies are no views

    def _step_one(self, p: Node, state: State) -> None:
        g = p.grad
        if g is None:
            return
        if g.__class__ is not np.ndarray:
            g = data_of(g)
        data, update = p._data, self._update_upwards if self.maximize else self.update
        if isinstance(data, np.ndarray):
            if self.entrywise:
                update_by_blocks(update, data, g, state)
            else:
                update(data, g, state)
            p.index = next_index()
        else:
            self._step_number(p, g, state, update)

    def _step_number(self, p: Node, g: Any, state: State, update: Any) -> None:
        array = self.storage(p)
        try:
            update(array, np.asarray(g, array.dtype), state)
        except TypeError as error:
            raise KindError(
                f"{self!r} could not update {describe(p)} of kind {type(p._data).__name__}: {error}. "
                f"Give lr and the other settings in that kind, such as {type(p._data).__name__}('0.1')."
            ) from error
        p.data = numbers.like(p._data, array.item())

    def storage(self, p: Node) -> Any:
        """The array that a step is computed on: the data, or for a Value a copy of it, of its kind if need be."""
        data = p._data
        if self.real and is_complex(data):
            raise KindError(
                f"{type(self).__name__} got {describe(p)} of complex numbers, for which it is not defined. "
                "Use SGD, or two real parameters: re + 1j * im."
            )
        if isinstance(data, np.ndarray):
            return data
        array = np.array(data, float if self.real else None)
        return array.astype(float) if array.dtype.kind in "iu" else array

    def state_dict(self) -> dict[str, Any]:
        """Copies of the settings and of the state of every parameter, as a flat dict of arrays: ``lr``, ``0.m``, ...

        Those of groups are ``group0.lr``, ``group1.lr``, ...
        """
        settings = {name: np.array(getattr(group, key)) for name, group, key in self._all_settings()}
        return settings | {f"{i}.{key}": np.array(x) for i, state in enumerate(self.state) for key, x in state.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where an optimizer of the same parameters stopped.

        Parameters
        ----------
        state : mapping of str to array_like
            From :meth:`state_dict`.

        Raises
        ------
        ArgumentError, ShapeError, KindError
            If names, shapes or dtypes do not fit, or a setting is out of its range.  Nothing is changed then.
        """
        name, own = type(self).__name__, self.state_dict()
        if set(state) != set(own):
            raise ArgumentError(
                f"load_state_dict of {name} got other names than it has; missing: {listed(set(own) - set(state))}; "
                f"unexpected: {listed(set(state) - set(own))}. Load what the same kind of optimizer saved."
            )
        for key, array in own.items():
            if np.shape(state[key]) != array.shape:
                raise ShapeError(
                    f"load_state_dict of {name} got an array of shape {np.shape(state[key])} for {key}, "
                    f"which has shape {array.shape}. Give it the parameters in the order in which they were saved."
                )
        settings = [(group, key, self._setting(group, key, state[name])) for name, group, key in self._all_settings()]
        loaded = [
            {key: _fitting(f"{name}'s {i}.{key}", old, state[f"{i}.{key}"]) for key, old in kept.items()}
            for i, kept in enumerate(self.state)
        ]
        for group, key, setting in settings:
            setattr(group, key, setting)
        for kept, new in zip(self.state, loaded, strict=True):
            kept |= new
        for group in self.param_groups:
            group._packed = False

    def _setting(self, group: Any, key: str, saved: Any) -> Any:
        """A setting as it was saved, after its check."""
        value = np.asarray(saved).tolist()
        value = tuple(value) if isinstance(value, list) else value
        check = self.settings[key]
        if check is not None:
            check(f"load_state_dict of {type(group).__name__}", key, value)
        return value

    def _all_settings(self) -> list[tuple[str, Any, str]]:
        """The name, the group and the attribute of every setting."""
        if not self._groups:
            return [(key, self, key) for key in self.settings]
        return [(f"group{k}.{key}", group, key) for k, group in enumerate(self._groups) for key in self.settings]

    def __repr__(self) -> str:
        if self._groups:
            return f"{type(self).__name__}({', '.join(map(repr, self._groups))})"
        settings = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.settings)
        many = "parameter" if len(self.params) == 1 else "parameters"
        return f"{type(self).__name__}({len(self.params)} {many}, {settings})"


def _fitting(what: str, old: Any, new: Any) -> Any:
    """A part of a saved state in the dtype of the one that is there."""
    new = np.asarray(new)
    if new.dtype.kind != "O" and not np.can_cast(new.dtype, np.asarray(old).dtype, "same_kind"):
        raise KindError(
            f"load_state_dict of {what} got dtype {new.dtype}; it has {np.asarray(old).dtype}. Load what the same kind "
            "of optimizer saved."
        )
    return new.astype(old.dtype) if isinstance(old, np.ndarray) else new.item()


class ByDtype(dict[Any, Any]):
    """A number as a 0-d array of any dtype asked for: beside a small array it costs half as much as a Python float."""

    def __init__(self, number: Any) -> None:
        super().__init__()
        self.number = number

    def __missing__(self, dtype: Any) -> Any:
        self[dtype] = array = np.array(self.number, dtype)
        return array


def listed(names: set[str]) -> str:
    """Names as they stand in a message."""
    return ", ".join(sorted(names)) or "none"


_SPELLINGS = {
    "add_param_group": "a list of all groups when the optimizer is made; freeze what is not to be trained yet",
    "defaults": "optimizer.settings, the names, and an attribute for each: optimizer.lr",
}

for _name, _ours in _SPELLINGS.items():
    setattr(Optimizer, _name, Misspelt("An optimizer", _name, _ours))
