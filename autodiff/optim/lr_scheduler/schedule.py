"""What schedules have in common: the rates of an optimizer, the count of steps, and the state that is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...core.errors import ArgumentError, KindError
from ..optimizer import Optimizer

ABSENT = {
    "last_epoch": "load_state_dict() of a schedule's state_dict() goes on where it stopped",
    "verbose": "get_last_lr() and print(schedule) say what the rates are",
}
"""Options of PyTorch's, and what there is instead."""


class SetsRates:
    """What all schedules share: an optimizer, whose rates they set, a count of steps, and a state."""

    optimizer: Optimizer
    t: int

    def __new__(cls, *args: Any, **options: Any) -> Any:
        """Refuse by name what PyTorch's have and these do not."""
        for name in ABSENT.keys() & options.keys():
            raise ArgumentError(f"{cls.__name__} got {name}={options[name]!r}; leave it out: {ABSENT[name]}.")
        return object.__new__(cls)

    def get_last_lr(self) -> list[float]:
        """The rate of each group of parameters now."""
        return [group.lr for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on: numbers, texts and lists of them, by name."""
        plain = {name: value for name, value in vars(self).items() if _is_plain(value)}
        return {"rates": self.get_last_lr(), **plain}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a schedule of the same kind stopped, with the rates that it had set.

        Raises
        ------
        ArgumentError
            If names do not fit, or the number of groups.  Nothing is changed then.
        """
        require_names(self, state)
        if len(state["rates"]) != len(self.optimizer.param_groups):
            raise ArgumentError(
                f"load_state_dict of {type(self).__name__} got rates of {len(state['rates'])} groups of parameters; "
                f"its optimizer has {len(self.optimizer.param_groups)}. Make the optimizer as it was."
            )
        vars(self).update({name: value for name, value in state.items() if name != "rates"})
        set_rates(self.optimizer, state["rates"])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(step {self.t}, lr {', '.join(f'{lr:.4g}' for lr in self.get_last_lr())})"


class Schedule(SetsRates):
    """Base class: a subclass writes ``rate``.

    Parameters
    ----------
    optimizer : Optimizer

    Attributes
    ----------
    t : int
        How many steps were taken.
    base : list of float
        The rate of each group of parameters before its first schedule.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = require_optimizer(type(self).__name__, optimizer)
        for group in optimizer.param_groups:
            if group.initial_lr is None:
                group.initial_lr = group.lr
        self.base = [group.initial_lr for group in optimizer.param_groups]
        set_rates(optimizer, self.begin([group.lr for group in optimizer.param_groups]))

    def begin(self, rates: Sequence[float]) -> list[float]:
        """Count from nought; the rates before the first step, where they were ``rates``."""
        self.t = 0
        return [self.start(lr, base) for lr, base in zip(rates, self.base, strict=True)]

    def start(self, lr: float, base: float) -> float:
        """The rate before the first step, where it was ``lr``."""
        return lr

    def rate(self, t: int, lr: float, base: float) -> float:
        """The rate after ``t`` steps, where it was ``lr`` before and ``base`` at the start."""
        raise NotImplementedError

    def rates(self, t: int, rates: Sequence[float]) -> list[float]:
        """The rate of each group after ``t`` steps, where they were ``rates`` before."""
        return [self.rate(t, lr, base) for lr, base in zip(rates, self.base, strict=True)]

    def step(self) -> None:
        """Set the rates for the next epoch, or the next step of the optimizer: after that one's ``step``."""
        rates = self.rates(self.t + 1, self.get_last_lr())
        self.t += 1
        set_rates(self.optimizer, rates)


def set_rates(optimizer: Optimizer, rates: Sequence[float]) -> None:
    """Give each group of parameters its rate."""
    for group, lr in zip(optimizer.param_groups, rates, strict=True):
        group.lr = lr


def require_names(schedule: Any, state: Mapping[str, Any]) -> None:
    """Raise unless a state has the names of this schedule's own."""
    own = schedule.state_dict()
    if set(own) != set(state):
        raise ArgumentError(
            f"load_state_dict of {type(schedule).__name__} got {', '.join(sorted(state))}; it has "
            f"{', '.join(sorted(own))}. Load what the same kind of schedule saved."
        )


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, bool | int | float | str | None)


def require_optimizer(schedule: str, optimizer: Any) -> Optimizer:
    """The optimizer; raise if it is something else."""
    if not isinstance(optimizer, Optimizer):
        raise KindError(f"{schedule} got a {type(optimizer).__name__}; it takes an optimizer first.")
    return optimizer


def for_each_group(schedule: str, name: str, given: Any, optimizer: Optimizer) -> list[Any]:
    """A setting as a list, one for each group of parameters."""
    many = len(optimizer.param_groups)
    if not isinstance(given, list | tuple):
        return [given] * many
    if len(given) != many:
        raise ArgumentError(
            f"{schedule} got {len(given)} of {name}; the optimizer has {many} groups of parameters. Give one for "
            "each, or one for all."
        )
    return list(given)


def require_count(schedule: str, **counts: Any) -> None:
    """Raise if a number of steps is no whole number of at least 1."""
    for name, n in counts.items():
        if not isinstance(n, int) or n < 1:
            raise ArgumentError(f"{schedule} got {name}={n!r}; it is a whole number of at least 1.")
