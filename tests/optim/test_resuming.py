"""Every optimizer under every schedule: whoever stops and goes on elsewhere ends with the same bits."""

import json

import numpy as np
import pytest

from autodiff import nn, optim
from autodiff.optim import lr_scheduler as lrs

OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, 0.05),
    "momentum": lambda p: optim.SGD(p, 0.05, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "nesterov": lambda p: optim.SGD(p, 0.05, momentum=0.9, nesterov=True),
    "Adam": lambda p: optim.Adam(p, 0.05),
    "AMSGrad": lambda p: optim.Adam(p, 0.05, amsgrad=True, weight_decay=0.01),
    "AdamW": lambda p: optim.AdamW(p, 0.05),
    "NAdam": lambda p: optim.NAdam(p, 0.05),
    "Adagrad": lambda p: optim.Adagrad(p, 0.05, lr_decay=0.01),
    "RMSprop": lambda p: optim.RMSprop(p, 0.01, centered=True, momentum=0.5),
    "Lion": lambda p: optim.Lion(p, 0.01, weight_decay=0.1),
    "LBFGS": lambda p: optim.LBFGS(p, 0.1, max_iter=2, line_search_fn="strong_wolfe"),
    "groups": lambda p: optim.AdamW([{"params": p[:2]}, {"params": p[2:], "lr": 0.01, "maximize": False}], 0.05),
}
SCHEDULES = {
    "none": lambda o: None,
    "step": lambda o: lrs.StepLR(o, 3, 0.5),
    "multistep": lambda o: lrs.MultiStepLR(o, [2, 9], 0.5),
    "exponential": lambda o: lrs.ExponentialLR(o, 0.9),
    "linear": lambda o: lrs.LinearLR(o, total_iters=10),
    "cosine": lambda o: lrs.CosineAnnealingLR(o, 5, 1e-3),
    "lambda": lambda o: lrs.LambdaLR(o, lambda t: 0.95**t),
    "one cycle": lambda o: lrs.OneCycleLR(o, 0.05, 20, cycle_momentum=bool({"betas", "momentum"} & set(o.settings))),
    "plateau": lambda o: lrs.ReduceLROnPlateau(o, factor=0.5, patience=0, cooldown=1),
    "chained": lambda o: lrs.ChainedScheduler([lrs.LinearLR(o, total_iters=9), lrs.ExponentialLR(o, 0.9)]),
    "in sequence": lambda o: lrs.SequentialLR(o, [lrs.LinearLR(o, total_iters=4), lrs.CosineAnnealingLR(o, 9)], [5]),
}
X = np.linspace(-1, 1, 12).reshape(6, 2)
Y = np.array([0, 1, 0, 1, 1, 0])
STEPS, STOP = 14, 7


def build(optimizer, schedule):
    model = nn.MLP([2, 3, 2], nn.Tanh, rng=0)
    made = OPTIMIZERS[optimizer](model.parameters())
    return model, made, SCHEDULES[schedule](made)


def train(model, optimizer, schedule, steps):
    def closure():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X), Y)
        loss.backward()
        return loss

    for _ in range(steps):
        loss = optimizer.step(closure).item()
        if schedule is not None:
            schedule.step(*([loss] if isinstance(schedule, lrs.ReduceLROnPlateau) else []))
    return model


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_going_on_is_bit_equal(optimizer, schedule):
    unbroken = train(*build(optimizer, schedule), STEPS)

    first = build(optimizer, schedule)
    train(*first, STOP)
    saved = [part.state_dict() for part in first[:2]]
    text = json.dumps(first[2].state_dict()) if first[2] is not None else None

    resumed = build(optimizer, schedule)
    for part, state in zip(resumed, saved, strict=False):
        part.load_state_dict(state)
    if text is not None:
        resumed[2].load_state_dict(json.loads(text))
    train(*resumed, STEPS - STOP)
    assert all(np.array_equal(p.data, q.data) for p, q in zip(resumed[0].parameters(), unbroken.parameters()))
    found, expected = resumed[1].state_dict(), train(*first, STEPS - STOP) and first[1].state_dict()
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
