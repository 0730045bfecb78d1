"""What :func:`~autodiff.training.fit.fit` was given, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..core.checks import is_finite
from ..core.errors import ArgumentError, KindError
from ..core.node import Node, data_of
from ..core.summary import kind_text, repr_text
from ..data import Batches, batches
from ..optim import EMA, LBFGS, Optimizer
from ..optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

Metric = Callable[[Any, Any], Any]

VALIDATION_ROWS = 1000
"""How many rows of a validation set are computed at a time: all at once may take more memory than there is."""


def accuracy(logits: Any, labels: Any) -> float:
    """The share of rows whose largest number, along axis 1, is at the label."""
    if logits.ndim != labels.ndim + 1:
        raise KindError(
            f"The metric 'accuracy' got predictions of shape {logits.shape} and labels of shape {labels.shape}; it "
            "takes a number for each class, and class numbers. For others pass a function as metric."
        )
    return float(np.mean(logits.argmax(1) == labels))


METRICS: dict[str, Metric] = {"accuracy": accuracy}
"""Metrics that may be asked for by name."""


def require_functions(model: Any, loss: Any, optimizer: Any, callbacks: Any) -> None:
    """Raise if one of them cannot be used."""
    if not callable(model) or isinstance(model, type):
        raise KindError(f"fit got {kind_text(model)} as model; it takes a module, or a function of a batch.")
    if not callable(loss) or isinstance(loss, type):
        repair = "Make one: nn.MSELoss()." if isinstance(loss, type) else "Such as nn.functional.mse_loss."
        raise KindError(f"fit got {kind_text(loss)} as loss; it takes a function of predictions and targets. {repair}")
    if not isinstance(optimizer, Optimizer):
        raise KindError(
            f"fit got {kind_text(optimizer)} as optimizer; it takes one of autodiff.optim, such as "
            "optim.Adam(model.parameters())."
        )
    if isinstance(optimizer, LBFGS):
        raise ArgumentError(
            "fit got LBFGS, which computes the loss several times a step, on all rows. Write the loop: "
            "optimizer.step(closure)."
        )
    if not all(callable(callback) for callback in callbacks):
        raise KindError("fit got callbacks of which one cannot be called; each is a function of a row of figures.")


def require_data(data: Any) -> None:
    """Raise if it cannot be gone through, batch by batch and more than once."""
    if _is_array(data) or _are_arrays(data):
        raise ArgumentError(
            "fit got arrays as data, which it does not cut itself. Give it ad.data.batches(X, y, batch_size=32)."
        )
    _require_again("data", data)


def as_validation(validation: Any) -> Any:
    """Validation data as something that gives batches."""
    if validation is None or isinstance(validation, Batches):
        return validation
    if _is_array(validation) or _are_arrays(validation):
        arrays = validation if isinstance(validation, tuple) else (validation,)
        return batches(*map(data_of, arrays), batch_size=VALIDATION_ROWS, shuffle=False)
    if is_finite(validation):
        raise KindError(
            f"fit got validation={validation!r}; it takes data, such as (X_val, y_val). "
            "data.train_test_split(X, y, test=0.2) holds some back."
        )
    _require_again("validation data", validation)
    return validation


def _require_again(what: str, data: Any) -> None:
    try:
        once = iter(data) is data
    except TypeError:
        raise KindError(f"fit got {kind_text(data)} as {what}; it takes batches, or a list of pairs (x, y).") from None
    if once:
        raise ArgumentError(f"fit got {what} that can be gone through once only. Give it batches or a list.")


def _is_array(thing: Any) -> bool:
    return isinstance(thing, np.ndarray | Node) or hasattr(thing, "to_numpy")


def _are_arrays(thing: Any) -> bool:
    """Whether it is a tuple of arrays, or of lists of numbers."""
    if not isinstance(thing, tuple) or not thing:
        return False
    return all(_is_array(x) or (isinstance(x, list) and x and not any(map(_is_array, x))) for x in thing)


TAKEN = ("epoch", "loss", "lr", "seconds")
"""Figures that are there without metrics."""


def as_metrics(metrics: Any) -> dict[str, Any]:
    """Metrics by name."""
    if isinstance(metrics, str) or callable(metrics):
        metrics = [metrics]
    if not isinstance(metrics, Mapping):
        metrics = {_name_of(metric, k): metric for k, metric in enumerate(metrics)}
    found = {
        name: METRICS.get(metric, metric) if isinstance(metric, str) else metric for name, metric in metrics.items()
    }
    for name, metric in found.items():
        if name in TAKEN:
            raise ArgumentError(f"fit got a metric named {name!r}, as fit names a figure of its own. Rename it.")
        if not callable(metric) or isinstance(metric, type):
            raise ArgumentError(
                f"fit got the metric {repr_text(metric)}; it takes {', '.join(map(repr, METRICS))}, or functions of "
                "predictions and targets."
            )
    return found


def _name_of(metric: Any, k: int) -> str:
    name = metric if isinstance(metric, str) else getattr(metric, "__name__", "")
    return name if name and name != "<lambda>" else f"metric {k + 1}"


def monitored(monitor: str | None, mode: str | None, names: list[str], validation: Any) -> tuple[str, str]:
    """Which figure is monitored, and which way is better."""
    monitor = monitor or ("loss" if validation is None else "validation loss")
    if monitor not in names:
        repair = " Pass validation=(X_val, y_val)." if validation is None and "validation" in monitor else ""
        raise ArgumentError(f"fit got monitor={monitor!r}; it is one of {', '.join(names)}.{repair}")
    if mode not in (None, "min", "max"):
        raise ArgumentError(f"fit got mode={mode!r}; it is 'min' or 'max'.")
    if mode is None and not monitor.endswith("loss"):
        raise ArgumentError(f"fit got monitor={monitor!r} without mode; say which is better: mode='max' or mode='min'.")
    return monitor, mode or "min"


def schedule_steps(schedule: Any, by: str | None, optimizer: Optimizer, mode: str) -> bool:
    """Whether a schedule is stepped after each step of the optimizer, and not after each epoch."""
    if by not in (None, "step", "epoch"):
        raise ArgumentError(f"fit got schedule_by={by!r}; it is 'step' or 'epoch'.")
    if schedule is None:
        return False
    if not hasattr(schedule, "step") or isinstance(schedule, type):
        raise KindError(f"fit got {kind_text(schedule)} as schedule; it takes one of optim.lr_scheduler.")
    if getattr(schedule, "optimizer", optimizer) is not optimizer:
        raise ArgumentError("fit got a schedule of another optimizer; make it with the one that fit gets.")
    if isinstance(schedule, ReduceLROnPlateau):
        if by == "step":
            raise ArgumentError("fit got ReduceLROnPlateau with schedule_by='step'; it follows a figure of epochs.")
        if schedule.mode != mode:
            raise ArgumentError(f"fit monitors with mode={mode!r}; ReduceLROnPlateau has mode={schedule.mode!r}.")
    return by == "step" or (by is None and _has_one_cycle(schedule))


def require_averages(ema: Any, optimizer: Optimizer) -> None:
    """Raise if ``ema`` is given and does not average what is trained."""
    if ema is None:
        return
    if not isinstance(ema, EMA):
        raise KindError(f"fit got {kind_text(ema)} as ema; it takes optim.EMA(model.parameters(), decay=0.999).")
    if {id(p) for p in ema.params}.isdisjoint(id(p) for p in optimizer.params):
        raise ArgumentError("fit got an ema of other parameters than the optimizer has; make both of one model.")


def _has_one_cycle(schedule: Any) -> bool:
    return isinstance(schedule, OneCycleLR) or any(map(_has_one_cycle, getattr(schedule, "schedulers", ())))


def require_positive(**settings: Any) -> None:
    """Raise if a setting is given and no finite number above 0."""
    for name, number in settings.items():
        if number is not None and (not is_finite(number) or number <= 0):
            raise ArgumentError(f"fit got {name}={repr_text(number)}; it is a number above 0.")


def as_list(what: str, given: Any) -> list[Any]:
    """What was given as a list; one function as a list of one."""
    if callable(given):
        return [given]
    if not isinstance(given, Iterable):
        raise KindError(f"fit got {kind_text(given)} as {what}; it takes a list of functions.")
    return list(given)
