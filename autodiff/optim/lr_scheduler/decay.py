"""Schedules that multiply the rate: by a constant at some steps or all, or by a function of the number of steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from ...core.errors import ArgumentError, KindError
from ..optimizer import Optimizer
from ..settings import at_least_0
from .schedule import Schedule, for_each_group, require_count, require_optimizer


class LambdaLR(Schedule):
    """The first rate times a function of the number of steps.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable, or list of them
        The factor after ``t`` steps, ``t`` from 0 on; or one such function for each group of parameters.

    Raises
    ------
    KindError, ArgumentError
        If it is no function, or there are not as many as groups.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> opt = optim.SGD([ad.Tensor(1.0)], lr=0.1)
    >>> schedule = optim.lr_scheduler.LambdaLR(opt, lambda t: 1 / (1 + t))
    >>> schedule.step()
    >>> opt.lr
    0.05
    """

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]]
    ) -> None:
        require_optimizer("LambdaLR", optimizer)
        self.lambdas = for_each_group("LambdaLR", "lr_lambda", lr_lambda, optimizer)
        for f in self.lambdas:
            if not callable(f):
                raise KindError(
                    f"LambdaLR got lr_lambda={f!r}; it is a function of the number of steps, such as lambda t: 0.95**t."
                )
        super().__init__(optimizer)

    def begin(self, rates: Sequence[float]) -> list[float]:
        """Count from nought; the first rates times the first factors."""
        self.t = 0
        return self.rates(0, rates)

    def rates(self, t: int, rates: Sequence[float]) -> list[float]:
        """``base * lr_lambda(t)``."""
        return [base * f(t) for base, f in zip(self.base, self.lambdas, strict=True)]


class StepLR(Schedule):
    """Times ``gamma`` every ``step_size`` steps.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
    gamma : float

    Raises
    ------
    ArgumentError
        If a number is out of its range.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> opt = optim.SGD([ad.Tensor(1.0)], lr=1.0)
    >>> schedule = optim.lr_scheduler.StepLR(opt, 2, gamma=0.5)
    >>> [(schedule.step(), opt.lr)[1] for _ in range(4)]
    [1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        require_count("StepLR", step_size=step_size)
        at_least_0("StepLR", "gamma", gamma)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def rate(self, t: int, lr: float, base: float) -> float:
        """``lr``, or ``gamma * lr``."""
        return lr if t % self.step_size else lr * self.gamma


class MultiStepLR(Schedule):
    """Times ``gamma`` after each number of steps in ``milestones``.

    Parameters
    ----------
    optimizer : Optimizer
    milestones : list of int
        One that stands twice counts twice.
    gamma : float

    Raises
    ------
    ArgumentError
        If a number is out of its range.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> opt = optim.SGD([ad.Tensor(1.0)], lr=1.0)
    >>> schedule = optim.lr_scheduler.MultiStepLR(opt, [1, 3], gamma=0.5)
    >>> [(schedule.step(), opt.lr)[1] for _ in range(4)]
    [0.5, 0.5, 0.25, 0.25]
    """

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1) -> None:
        at_least_0("MultiStepLR", "gamma", gamma)
        if not all(isinstance(t, int) for t in milestones):
            raise ArgumentError(f"MultiStepLR got milestones={milestones!r}; they are whole numbers of steps.")
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer)

    def rate(self, t: int, lr: float, base: float) -> float:
        """``gamma * lr`` at a milestone; squared where it stands twice."""
        return float(lr * self.gamma ** Counter(self.milestones)[t])


class ExponentialLR(Schedule):
    """Times ``gamma`` each step.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float

    Raises
    ------
    ArgumentError
        If a number is out of its range.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> opt = optim.SGD([ad.Tensor(1.0)], lr=1.0)
    >>> schedule = optim.lr_scheduler.ExponentialLR(opt, 0.5)
    >>> [(schedule.step(), opt.lr)[1] for _ in range(3)]
    [0.5, 0.25, 0.125]
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        at_least_0("ExponentialLR", "gamma", gamma)
        self.gamma = gamma
        super().__init__(optimizer)

    def rate(self, t: int, lr: float, base: float) -> float:
        """``gamma * lr``."""
        return lr * self.gamma
