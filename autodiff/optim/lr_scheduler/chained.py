"""Several schedules of one optimizer: all at once, or one after the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from ...core.errors import ArgumentError, KindError
from ..optimizer import Optimizer
from .schedule import Schedule, SetsRates, require_count, require_names, require_optimizer, set_rates


class ChainedScheduler(SetsRates):
    """Several schedules at once: each changes what the one before made of a rate.

    Parameters
    ----------
    schedulers : list of Schedule
        Of one optimizer.
    optimizer : Optimizer, optional
        That one.

    Raises
    ------
    KindError, ArgumentError
        If there is none, they are of several optimizers, or one looks at a figure.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> opt = optim.SGD([ad.Tensor(1.0)], lr=1.0)
    >>> warm = optim.lr_scheduler.LinearLR(opt, start_factor=0.5, total_iters=2)
    >>> schedule = optim.lr_scheduler.ChainedScheduler([warm, optim.lr_scheduler.ExponentialLR(opt, 0.5)])
    >>> [(schedule.step(), opt.lr)[1] for _ in range(2)]
    [0.375, 0.25]
    """

    def __init__(self, schedulers: Sequence[Any], optimizer: Optimizer | None = None) -> None:
        self.schedulers = _of_one_optimizer("ChainedScheduler", schedulers, optimizer)
        self.optimizer = self.schedulers[0].optimizer

    def begin(self, rates: Sequence[float]) -> list[float]:
        """Let each of them start, from what the one before makes of ``rates``."""
        for schedule in self.schedulers:
            rates = schedule.begin(rates)
        return list(rates)

    def step(self) -> None:
        """Step each of them."""
        for schedule in self.schedulers:
            schedule.step()

    def state_dict(self) -> dict[str, Any]:
        """The states of all, by number and name."""
        return {f"{i}.{name}": x for i, s in enumerate(self.schedulers) for name, x in s.state_dict().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where such a chain stopped.

        Raises
        ------
        ArgumentError
            If names do not fit.  Nothing is changed then.
        """
        require_names(self, state)
        for i, schedule in enumerate(self.schedulers):
            mine = {name.partition(".")[2]: x for name, x in state.items() if name.partition(".")[0] == str(i)}
            schedule.load_state_dict(mine)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.schedulers))})"


class SequentialLR(ChainedScheduler):
    """Several schedules one after the other: the next takes over at each of ``milestones``, from the first rate on.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of Schedule
        Of this optimizer.
    milestones : list of int
        After how many steps the second takes over, the third, ...

    Raises
    ------
    KindError, ArgumentError
        If they are of another optimizer, one looks at a figure, or milestones do not fit.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> opt = optim.SGD([ad.Tensor(1.0)], lr=1.0)
    >>> warm, fall = optim.lr_scheduler.LinearLR(opt, 0.5, total_iters=2), optim.lr_scheduler.ExponentialLR(opt, 0.5)
    >>> schedule = optim.lr_scheduler.SequentialLR(opt, [warm, fall], milestones=[2])
    >>> opt.lr, *[(schedule.step(), opt.lr)[1] for _ in range(4)]
    (0.5, 0.75, 1.0, 0.5, 0.25)
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[Any], milestones: Sequence[int]) -> None:
        self.optimizer = require_optimizer("SequentialLR", optimizer)
        self.schedulers = _of_one_optimizer("SequentialLR", schedulers, optimizer)
        if len(milestones) != len(self.schedulers) - 1:
            raise ArgumentError(
                f"SequentialLR got {len(self.schedulers)} schedules and {len(milestones)} milestones; it takes one "
                "less, each the step at which the next schedule takes over."
            )
        require_count("SequentialLR", **{f"milestones[{k}]": t for k, t in enumerate(milestones)})
        if sorted(set(milestones)) != list(milestones):
            raise ArgumentError(f"SequentialLR got milestones={milestones!r}; each is later than the one before.")
        self.milestones = list(milestones)
        set_rates(self.optimizer, self.begin(self._first()))

    def _first(self) -> list[float]:
        return [group.initial_lr for group in self.optimizer.param_groups]

    def begin(self, rates: Sequence[float]) -> list[float]:
        """Let the first of them start."""
        self.t = 0
        return list(self.schedulers[0].begin(rates))

    def step(self) -> None:
        """Step the one whose turn it is."""
        self.t += 1
        turn = bisect_right(self.milestones, self.t)
        if turn and self.milestones[turn - 1] == self.t:
            set_rates(self.optimizer, self.schedulers[turn].begin(self._first()))
        else:
            self.schedulers[turn].step()

    def state_dict(self) -> dict[str, Any]:
        """The states of all, and how many steps were taken."""
        return {"t": self.t, **super().state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where such a sequence stopped."""
        super().load_state_dict(state)
        self.t = state["t"]


def _of_one_optimizer(name: str, schedulers: Sequence[Any], optimizer: Any) -> list[Any]:
    schedulers = list(schedulers)
    for schedule in schedulers:
        if not isinstance(schedule, Schedule | ChainedScheduler):
            raise KindError(
                f"{name} got a {type(schedule).__name__}; it takes schedules that step without a figure to look at. "
                "Step a ReduceLROnPlateau by itself."
            )
    if not schedulers or any(s.optimizer is not schedulers[0].optimizer for s in schedulers):
        raise ArgumentError(f"{name} takes schedules of one optimizer, and at least one; got {schedulers!r}.")
    if optimizer is not None and optimizer is not schedulers[0].optimizer:
        raise ArgumentError(f"{name} got an optimizer that is not the one of its schedules. Give it that one.")
    return schedulers
