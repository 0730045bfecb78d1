"""A hundred steps of each optimizer, with every option, and the weights that PyTorch's have."""

import inspect
import math

import numpy as np
import pytest
import torch

import autodiff as ad
from autodiff import optim
from autodiff.optim.optimizer import ABSENT

from .compare import draw, near
from .problems import START, Here, There, both, same_params

ADAM = [
    {},
    {"lr": 0.01, "betas": (0.8, 0.99)},
    {"lr": 0.01, "eps": 1e-3},
    {"lr": 0.01, "betas": (0.0, 0.5), "weight_decay": 0.1},
    {"lr": 0.05, "betas": (0.5, 0.6), "amsgrad": True},
    {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1, "eps": 1e-3},
]
STEPS = {
    "SGD": [
        {},
        {"lr": 0.01, "momentum": 0.9},
        {"lr": 0.01, "momentum": 0.9, "dampening": 0.3},
        {"lr": 0.01, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
        {"lr": 0.01, "momentum": 0.9, "dampening": -0.3},
        {"lr": 0.01, "weight_decay": 0.1},
        {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    ],
    "Adam": ADAM,
    "AdamW": [*ADAM, {"lr": 0.01, "weight_decay": 0.0}],
    "NAdam": [
        {},
        {"betas": (0.8, 0.99), "eps": 1e-3},
        {"weight_decay": 0.1},
        {"momentum_decay": 0.1},
        {"decoupled_weight_decay": True, "weight_decay": 0.1},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "initial_accumulator_value": 0.3, "eps": 1e-2},
    ],
    "RMSprop": [
        {"lr": 1e-3},
        {"lr": 1e-3, "alpha": 0.8, "eps": 1e-2},
        {"lr": 1e-3, "weight_decay": 0.1},
        {"lr": 1e-3, "momentum": 0.9},
        {"lr": 1e-3, "centered": True},
        {"lr": 1e-3, "centered": True, "momentum": 0.9, "weight_decay": 0.1},
    ],
}
CASES = [pytest.param(name, o, id=f"{name} {o}") for name, many in STEPS.items() for o in many]


def run(problems, steps=100):
    for _ in range(steps):
        for problem in problems:
            problem.loss()
            problem.optimizer.step()


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_hundred_steps(name, options):
    problems = both(lambda library, params: getattr(library, name)(params, **options))
    run(problems)
    same_params(problems, name)


@pytest.mark.parametrize(("name", "options"), [(name, many[-1]) for name, many in STEPS.items()])
def test_upwards(name, options):
    options = options | {"maximize": True, "lr": 1e-3}
    problems = both(lambda library, params: getattr(library, name)(params, **options))
    run(problems, 20)
    same_params(problems, name)
    assert problems[0].loss().item() > Here(lambda library, params: library.SGD(params)).loss().item()


GROUPS = {
    "SGD": [{"momentum": 0.5, "dampening": 0.1}, {"momentum": 0.0, "weight_decay": 0.1}],
    "Adam": [{"betas": (0.5, 0.9)}, {"amsgrad": True, "lr": 0.02}],
    "AdamW": [{"weight_decay": 0.0}, {"eps": 1e-3, "maximize": True}],
    "NAdam": [{"momentum_decay": 0.1}, {"decoupled_weight_decay": True, "weight_decay": 0.1}],
    "Adagrad": [{"lr_decay": 0.1}, {"eps": 1e-3, "lr": 0.1}],
    "RMSprop": [{"centered": True}, {"momentum": 0.9, "alpha": 0.9}],
}


@pytest.mark.parametrize(("name", "options"), GROUPS.items())
def test_groups_with_settings_of_their_own(name, options):
    def make(library, params):
        groups = [{"params": [p], **own} for p, own in zip(params, options, strict=True)]
        return getattr(library, name)(groups, lr=0.01)

    problems = both(make)
    run(problems, 50)
    for problem in problems:
        problem.optimizer.param_groups[0]["lr"] = 0.005
    run(problems, 50)
    same_params(problems, name)


@pytest.mark.parametrize(("name", "options"), [(name, many[-1]) for name, many in STEPS.items()])
def test_a_parameter_that_joins_and_leaves(name, options):
    """One that has no gradient stays where it is and does not age."""
    problems = both(lambda library, params: getattr(library, name)(params, **options))
    for k in range(30):
        for problem in problems:
            problem.loss()
            if k % 7 in (0, 1, 4):
                problem.params[k % 2].grad = None
            problem.optimizer.step()
    same_params(problems, name)


@pytest.mark.parametrize(("name", "options"), [(name, many[-1]) for name, many in STEPS.items()])
def test_a_closure_is_called_and_its_loss_returned(name, options):
    problems = both(lambda library, params: getattr(library, name)(params, **options))
    for _ in range(3):
        near(*[problem.optimizer.step(problem.loss).item() for problem in problems], "loss")
    same_params(problems, name)


def test_lion_is_what_the_paper_prints():
    """Algorithm 2 of Chen et al., line by line: PyTorch has no Lion."""
    lr, beta1, beta2, decay = 0.01, 0.8, 0.95, 0.1
    found = Here(lambda library, params: library.Lion(params, lr, (beta1, beta2), decay))
    by_hand = There(lambda library, params: library.SGD(params))
    means = [torch.zeros_like(p) for p in by_hand.params]
    for _ in range(100):
        found.loss()
        found.optimizer.step()
        by_hand.loss()
        with torch.no_grad():
            for p, m in zip(by_hand.params, means, strict=True):
                c = beta1 * m + (1 - beta1) * p.grad
                p -= lr * (torch.sign(c) + decay * p)
                m.copy_(beta2 * m + (1 - beta2) * p.grad)
    same_params([found, by_hand], "Lion")


@pytest.mark.parametrize("name", [*STEPS, "LBFGS"])
def test_names_order_and_defaults_of_options(name):
    ours = list(inspect.signature(getattr(optim, name)).parameters.values())
    theirs = list(inspect.signature(getattr(torch.optim, name)).parameters.values())
    theirs = [p for p in theirs if p.name not in ABSENT or p.name in getattr(optim, name).settings]
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


class Valley(Here):
    """Rosenbrock's valley in ten dimensions, which takes many steps."""

    start = 0.5 * draw(10, seed=4)

    def __init__(self, make):
        self.params = [ad.Tensor(self.start)]
        self.optimizer = make(optim, self.params)

    def loss(self):
        (x,) = self.params
        self.optimizer.zero_grad()
        loss = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
        loss.backward()
        return loss


class ValleyThere(Valley):
    """The same in PyTorch."""

    def __init__(self, make):
        self.params = [torch.tensor(self.start, requires_grad=True)]
        self.optimizer = make(torch.optim, self.params)


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"lr": 1e-3, "max_iter": 1}, 100),
        ({"lr": 1e-3, "max_iter": 5, "history_size": 2}, 100),
        ({"lr": 1e-3, "max_iter": 7, "max_eval": 3}, 100),
        ({"lr": 1e-3, "tolerance_change": 1e-2}, 100),
        ({"lr": 1e-3, "max_iter": 3, "tolerance_grad": 40.0}, 60),
        ({"line_search_fn": "strong_wolfe"}, 2),
        ({"line_search_fn": "strong_wolfe", "max_iter": 1}, 30),
        ({"line_search_fn": "strong_wolfe", "max_iter": 1, "lr": 0.01, "history_size": 1}, 40),
        ({"line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 3}, 8),
        ({"line_search_fn": "strong_wolfe", "max_iter": 4, "lr": 10.0}, 4),
        ({"line_search_fn": "strong_wolfe", "max_iter": 5, "max_eval": 3}, 10),
        ({"line_search_fn": "strong_wolfe", "max_iter": 5, "tolerance_grad": 2.0}, 100),
        ({"line_search_fn": "strong_wolfe", "max_iter": 5, "tolerance_change": 0.1}, 100),
    ],
    ids=str,
)
def test_lbfgs_goes_down_the_valley_in_step(options, steps):
    problems = [kind(lambda library, params: library.LBFGS(params, **options)) for kind in (Valley, ValleyThere)]
    for k in range(steps):
        near(*[problem.optimizer.step(problem.loss).item() for problem in problems], f"loss {k}")
    same_params(problems, "LBFGS")


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"lr": 0.1}, 3),
        ({"lr": 0.5, "max_iter": 3, "history_size": 2}, 10),
        ({"line_search_fn": "strong_wolfe"}, 1),
        ({"line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 3}, 3),
        ({"line_search_fn": "strong_wolfe", "lr": 10.0}, 1),
        ({"line_search_fn": "strong_wolfe", "max_eval": 7}, 2),
    ],
    ids=str,
)
def test_steps_of_lbfgs(options, steps):
    """Until it has converged: from there on the last bits decide when it stops."""
    problems = both(lambda library, params: library.LBFGS(params, **options))
    for _ in range(steps):
        near(*[problem.optimizer.step(problem.loss).item() for problem in problems], "loss")
    same_params(problems, "LBFGS")


def test_lbfgs_finds_what_it_finds_there():
    problems = both(lambda library, params: library.LBFGS(params, line_search_fn="strong_wolfe"))
    for _ in range(100):
        losses = [problem.optimizer.step(problem.loss).item() for problem in problems]
    assert losses[0] == pytest.approx(losses[1], rel=1e-14)


def gradients(problems):
    for p, t in zip(*[problem.params for problem in problems], strict=True):
        near(p.grad, t.grad, "gradient")


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.5, 0.0, math.inf, -math.inf, "inf"])
@pytest.mark.parametrize("most", [0.0, 0.5, 100.0])
@pytest.mark.parametrize("some", [slice(2), slice(1), slice(0)], ids=["both", "one", "none"])
def test_clipping_by_norm(norm_type, most, some):
    problems = both(lambda library, params: library.SGD(params))
    for problem in problems:
        problem.loss()
    here, there = problems
    found = optim.clip_grad_norm_(here.params[some], most, norm_type)
    near(found, torch.nn.utils.clip_grad_norm_(there.params[some], most, norm_type), "norm")
    gradients(problems)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("norm_type", [2.0, 1.0, math.inf])
def test_clipping_what_is_not_finite(bad, norm_type):
    problems = both(lambda library, params: library.SGD(params))
    for problem in problems:
        problem.loss()
        problem.params[0].grad[1] = bad
    here, there = problems
    before = [p.grad.copy() for p in here.params]
    with pytest.raises(ad.errors.AnomalyError, match=r"found a norm of (nan|inf): some gradient is infinite or nan"):
        optim.clip_grad_norm_(here.params, 1.0, norm_type, error_if_nonfinite=True)
    with pytest.raises(RuntimeError, match="non-finite"):
        torch.nn.utils.clip_grad_norm_(there.params, 1.0, norm_type, error_if_nonfinite=True)
    assert all(np.array_equal(p.grad, g, equal_nan=True) for p, g in zip(here.params, before, strict=True))
    with np.errstate(invalid="ignore"):
        found = optim.clip_grad_norm_(here.params, 1.0, norm_type)
    near(found, torch.nn.utils.clip_grad_norm_(there.params, 1.0, norm_type), "norm")
    gradients(problems)


@pytest.mark.parametrize("most", [0.0, 0.01, 100.0])
def test_clipping_by_value(most):
    problems = both(lambda library, params: library.SGD(params))
    here, there = problems
    for problem in problems:
        problem.loss()
    here.params[0].grad[1], there.params[0].grad[1] = math.nan, math.nan
    here.params[0].grad[2], there.params[0].grad[2] = -math.inf, -math.inf
    optim.clip_grad_value_(here.params, most)
    torch.nn.utils.clip_grad_value_(there.params, most)
    gradients(problems)


def test_averages_of_weights():
    """PyTorch's copy at the first update is the start that ours takes when it is made."""
    problems = both(lambda library, params: library.Adam(params, lr=0.05))
    here, there = problems
    ours = optim.EMA(here.params, decay=0.9)
    holder = torch.nn.ParameterList(there.params)
    theirs = torch.optim.swa_utils.AveragedModel(holder, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    theirs.update_parameters(holder)
    there.params = list(holder)
    there.optimizer = torch.optim.Adam(there.params, lr=0.05)
    for _ in range(100):
        run(problems, 1)
        ours.update()
        theirs.update_parameters(holder)
    for found, expected in zip(ours.averages, theirs.module.parameters(), strict=True):
        near(found, expected, "average")
    with ours.applied():
        assert not np.array_equal(here.params[0].data, START[0])
