"""A hundred steps of every schedule, with the rates that PyTorch's set: of one group of parameters and of two."""

import inspect
import json
import warnings

import numpy as np
import pytest
import torch

import autodiff as ad
from autodiff import optim
from autodiff.optim.lr_scheduler.schedule import ABSENT

STEPS = 100

SCHEDULES = {
    "step": lambda s, o: s.StepLR(o, 3),
    "step, with options": lambda s, o: s.StepLR(o, step_size=7, gamma=0.9),
    "multistep": lambda s, o: s.MultiStepLR(o, [2, 50]),
    "multistep, with options": lambda s, o: s.MultiStepLR(o, milestones=[9, 2, 5, 5, 70], gamma=0.5),
    "exponential": lambda s, o: s.ExponentialLR(o, gamma=0.9),
    "linear": lambda s, o: s.LinearLR(o),
    "linear, with options": lambda s, o: s.LinearLR(o, start_factor=0.1, end_factor=0.8, total_iters=12),
    "linear down": lambda s, o: s.LinearLR(o, 1.0, 0.0, 90),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 7),
    "cosine, with options": lambda s, o: s.CosineAnnealingLR(o, T_max=40, eta_min=0.01),
    "cosine of one step": lambda s, o: s.CosineAnnealingLR(o, 1, 0.1),
    "lambda": lambda s, o: s.LambdaLR(o, lambda t: 0.95**t),
    "lambda of warm-up": lambda s, o: s.LambdaLR(o, lr_lambda=lambda t: min(1.0, (t + 1) / 20)),
    "chained": lambda s, o: s.ChainedScheduler(
        [s.LinearLR(o, 0.2, total_iters=5), s.ExponentialLR(o, 0.9), s.StepLR(o, 4, 0.7)]
    ),
    "chained with a cosine": lambda s, o: s.ChainedScheduler(
        [s.LinearLR(o, 0.2, total_iters=5), s.CosineAnnealingLR(o, 9)], optimizer=o
    ),
    "in sequence": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.2, total_iters=5), s.CosineAnnealingLR(o, 9), s.ExponentialLR(o, 0.9)], [5, 20]
    ),
    "sequence of steps": lambda s, o: s.SequentialLR(
        o, schedulers=[s.StepLR(o, 3, 0.5), s.MultiStepLR(o, [2, 4], 0.5)], milestones=[11]
    ),
    "two in turn": lambda s, o: (s.StepLR(o, 3, 0.5), s.CosineAnnealingLR(o, 7, 0.01))[1],
}
OF_GROUPS = {
    "lambdas": lambda s, o: s.LambdaLR(o, [lambda t: 0.95**t, lambda t: 1 / (1 + t)]),
}
CYCLES = {
    "one cycle": {},
    "of epochs": {"total_steps": None, "epochs": 4, "steps_per_epoch": 25},
    "straight": {"anneal_strategy": "linear"},
    "of three phases": {"three_phase": True},
    "straight, of three phases": {"three_phase": True, "anneal_strategy": "linear", "pct_start": 0.4},
    "with all options": {"pct_start": 0.5, "div_factor": 10.0, "final_div_factor": 100.0, "cycle_momentum": False},
    "momenta": {"base_momentum": 0.5, "max_momentum": 0.99},
}
PLATEAUS = {
    "plateau": {"patience": 2},
    "upwards": {"mode": "max", "patience": 1, "cooldown": 2, "factor": 0.5},
    "absolute": {"threshold_mode": "abs", "threshold": 0.3, "patience": 0, "min_lr": 0.1},
    "upwards, absolute": {"mode": "max", "threshold_mode": "abs", "threshold": 0.2, "patience": 3, "factor": 0.9},
    "small changes": {"patience": 0, "eps": 0.2, "factor": 0.8},
    "relative": {"threshold": 0.5, "patience": 4, "factor": 0.9},
}


def optimizers(many, kind="SGD"):
    """One here and one there, of one group of parameters or of two."""
    found = []
    for library, leaf in ((optim, ad.Tensor), (torch.optim, lambda x: torch.tensor(x, requires_grad=True))):
        params = [leaf(1.0)] if many == 1 else [{"params": [leaf(1.0)]}, {"params": [leaf(2.0)], "lr": 0.2}]
        found.append(getattr(library, kind)(params, lr=0.7))
    return found


def steps_agree(ours, theirs, a, b, args=((),) * STEPS, what=("lr",)):
    """Every setting in ``what`` of every group, before each step and after the last."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's of its own use of an old argument
        for k in range(len(args) + 1):
            for name in what:
                found = [group[name] for group in ours.param_groups]
                expected = [group[name] for group in theirs.param_groups]
                np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15, err_msg=f"{name} after {k} steps")
            np.testing.assert_allclose(a.get_last_lr(), [group["lr"] for group in theirs.param_groups], rtol=1e-12)
            if k < len(args):
                theirs.step()
                a.step(*args[k])
                b.step(*args[k])


def build(make, ours, theirs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(optim.lr_scheduler, ours), make(torch.optim.lr_scheduler, theirs)


ALL = [pytest.param(make, many, id=f"{name}-{many}") for name, make in SCHEDULES.items() for many in (1, 2)]
ALL += [pytest.param(make, 2, id=f"{name}-2") for name, make in OF_GROUPS.items()]


@pytest.mark.parametrize(("make", "many"), ALL)
def test_rates(make, many):
    ours, theirs = optimizers(many)
    steps_agree(ours, theirs, *build(make, ours, theirs))


@pytest.mark.parametrize(("make", "many"), ALL)
def test_rates_after_a_round_trip(make, many):
    """The state as text, as a checkpoint keeps it, into a schedule made before or after the optimizer is loaded."""
    ours, theirs = optimizers(many)
    a, b = build(make, ours, theirs)
    steps_agree(ours, theirs, a, b, ((),) * 37)
    for early in (True, False):
        again = optimizers(many)[0]
        if not early:
            again.load_state_dict(ours.state_dict())
        resumed = make(optim.lr_scheduler, again)
        if early:
            again.load_state_dict(ours.state_dict())
        resumed.load_state_dict(json.loads(json.dumps(a.state_dict())))
        assert [group.lr for group in again.param_groups] == [group.lr for group in ours.param_groups]
        if early:
            late = resumed, again
    steps_agree(again, theirs, resumed, b, ((),) * (STEPS - 37))
    for _ in range(STEPS - 37):
        late[0].step()
    assert late[0].get_last_lr() == resumed.get_last_lr()


@pytest.mark.parametrize("many", [1, 2])
@pytest.mark.parametrize(("kind", "what"), [("SGD", "momentum"), ("Adam", "betas"), ("RMSprop", "momentum")])
@pytest.mark.parametrize("options", CYCLES.values(), ids=CYCLES)
def test_one_cycle(options, kind, what, many):
    ours, theirs = optimizers(many, kind)
    options = {"total_steps": STEPS, **options}
    if many == 2:
        options |= {"max_lr": [1.5, 0.3], "base_momentum": [0.8, 0.85], "max_momentum": [0.9, 0.95]}
    make = lambda s, o: s.OneCycleLR(o, **{"max_lr": 1.5, **options})  # noqa: E731
    a, b = build(make, ours, theirs)
    steps_agree(ours, theirs, a, b, ((),) * 37, ("lr", what))
    again = optimizers(many, kind)[0]
    resumed = make(optim.lr_scheduler, again)
    resumed.load_state_dict(json.loads(json.dumps(a.state_dict())))
    steps_agree(again, theirs, resumed, b, ((),) * (STEPS - 38), ("lr", what))


@pytest.mark.parametrize("many", [1, 2])
@pytest.mark.parametrize("options", PLATEAUS.values(), ids=PLATEAUS)
def test_plateaus(options, many):
    figures = [(float(x),) for x in np.random.default_rng(1).normal(size=STEPS)]
    figures[20], figures[30] = (float("nan"),), (float("inf"),)
    ours, theirs = optimizers(many)
    if many == 2:
        options = options | {"min_lr": [0.1, 0.01]}
    make = lambda s, o: s.ReduceLROnPlateau(o, **options)  # noqa: E731
    a, b = build(make, ours, theirs)
    steps_agree(ours, theirs, a, b, figures[:50])
    again = optimizers(many)[0]
    resumed = make(optim.lr_scheduler, again)
    resumed.load_state_dict(json.loads(json.dumps(a.state_dict())))
    steps_agree(again, theirs, resumed, b, figures[50:])


NAMES = [name for name in optim.lr_scheduler.__all__ if name != "Schedule"]


@pytest.mark.parametrize("name", NAMES)
def test_names_order_and_defaults_of_options(name):
    ours = list(inspect.signature(getattr(optim.lr_scheduler, name).__init__).parameters.values())
    theirs = list(inspect.signature(getattr(torch.optim.lr_scheduler, name).__init__).parameters.values())
    theirs = [p for p in theirs if p.name not in ABSENT]
    assert [(p.name, p.default, p.kind) for p in ours] == [(p.name, p.default, p.kind) for p in theirs]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("SGD", {"momentum": 0.9, "nesterov": True}),
        ("Adam", {"amsgrad": True}),
        ("AdamW", {}),
        ("NAdam", {}),
        ("Adagrad", {}),
        ("RMSprop", {"centered": True, "momentum": 0.9}),
    ],
)
@pytest.mark.parametrize("name", ["one cycle", "in sequence", "cosine, with options"])
def test_weights_under_a_schedule(kind, options, name):
    """An optimizer and a schedule together: what one changes, the other sees."""
    cycle = {"max_lr": 0.05, "total_steps": STEPS, "cycle_momentum": kind != "Adagrad"}
    make = SCHEDULES.get(name, lambda s, o: s.OneCycleLR(o, **cycle))
    start = np.array([1.5, -0.7, 0.2])
    w, v = ad.Tensor(start), torch.tensor(start, requires_grad=True)
    ours, theirs = getattr(optim, kind)([w], lr=0.01, **options), getattr(torch.optim, kind)([v], lr=0.01, **options)
    a, b = build(make, ours, theirs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(STEPS):
            for optimizer, p, schedule in ((ours, w, a), (theirs, v, b)):
                optimizer.zero_grad()
                ((p**2 - 1) ** 2).sum().backward()
                optimizer.step()
                schedule.step()
    np.testing.assert_allclose(w.data, v.detach().numpy(), rtol=1e-10, atol=1e-10)
