"""Schedules: what they refuse, and states that do not fit."""

import pytest

import autodiff as ad
from autodiff import optim
from autodiff.core.errors import ArgumentError, KindError, SpellingError
from autodiff.optim import lr_scheduler as lrs


def sgd(lr=0.1):
    return optim.SGD([ad.Tensor(1.0)], lr=lr)


def groups():
    return optim.SGD([{"params": [ad.Tensor(1.0)]}, {"params": [ad.Tensor(2.0)]}], lr=0.1)


AT_LEAST_0 = "; it must be a finite number, at least 0"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lrs.StepLR(sgd(), 0), "StepLR got step_size=0; it is a whole number of at least 1"),
        (lambda: lrs.StepLR(sgd(), 2, gamma=-1), "StepLR got gamma=-1" + AT_LEAST_0),
        (lambda: lrs.MultiStepLR(sgd(), [1.5]), r"MultiStepLR got milestones=\[1\.5\]; they are whole numbers"),
        (lambda: lrs.MultiStepLR(sgd(), [1], -0.1), "MultiStepLR got gamma=-0.1" + AT_LEAST_0),
        (lambda: lrs.ExponentialLR(sgd(), float("inf")), "ExponentialLR got gamma=inf" + AT_LEAST_0),
        (
            lambda: lrs.LinearLR(sgd(), start_factor=0),
            "LinearLR got start_factor=0 and end_factor=1.0; they are from 0",
        ),
        (lambda: lrs.LinearLR(sgd(), end_factor=2), "LinearLR got start_factor=.* and end_factor=2; they are from 0"),
        (lambda: lrs.LinearLR(sgd(), total_iters=0), "LinearLR got total_iters=0; it is a whole number"),
        (lambda: lrs.CosineAnnealingLR(sgd(), 2.5), "CosineAnnealingLR got T_max=2.5; it is a whole number"),
        (lambda: lrs.CosineAnnealingLR(sgd(), 2, -1), "CosineAnnealingLR got eta_min=-1" + AT_LEAST_0),
        (lambda: lrs.LambdaLR(sgd(), [abs, abs]), r"LambdaLR got 2 of lr_lambda; the optimizer has 1 groups of para"),
        (lambda: lrs.OneCycleLR(sgd(), 0.1), "OneCycleLR needs total_steps=, or epochs= and steps_per_epoch="),
        (lambda: lrs.OneCycleLR(sgd(), -1, 9), "OneCycleLR got max_lr=-1" + AT_LEAST_0),
        (lambda: lrs.OneCycleLR(sgd(), 1, 0), "OneCycleLR got total_steps=0; it is a whole number"),
        (lambda: lrs.OneCycleLR(sgd(), 1, epochs=0, steps_per_epoch=2), "OneCycleLR got epochs=0; it is a whole"),
        (lambda: lrs.OneCycleLR(sgd(), 1, 9, pct_start=2), "OneCycleLR got pct_start=2; it is from 0 to 1"),
        (lambda: lrs.OneCycleLR(sgd(), 1, 9, anneal_strategy="x"), "OneCycleLR got anneal_strategy='x'; it is 'cos'"),
        (lambda: lrs.OneCycleLR(sgd(), 1, 9, div_factor=0), "OneCycleLR got div_factor=0; it is above 0"),
        (lambda: lrs.OneCycleLR(sgd(), 1, 9, max_momentum=1.0), "OneCycleLR got max_momentum=1.0; it must be at least"),
        (lambda: lrs.OneCycleLR(groups(), [1, 2, 3], 9), "OneCycleLR got 3 of max_lr; the optimizer has 2 groups"),
        (
            lambda: lrs.OneCycleLR(optim.Adagrad([ad.Tensor(1.0)]), 1, 9),
            r"OneCycleLR got Adagrad, which has no momentum to cycle\. Pass cycle_momentum=False",
        ),
        (
            lambda: lrs.ReduceLROnPlateau(sgd(), "low"),
            "ReduceLROnPlateau got mode='low' and threshold_mode='rel'; they",
        ),
        (lambda: lrs.ReduceLROnPlateau(sgd(), factor=1), "ReduceLROnPlateau got factor=1; it is below 1"),
        (lambda: lrs.ReduceLROnPlateau(sgd(), patience=-1), "ReduceLROnPlateau got patience=-1" + AT_LEAST_0),
        (
            lambda: lrs.ReduceLROnPlateau(groups(), min_lr=[0.1]),
            "ReduceLROnPlateau got 1 of min_lr; the optimizer has 2",
        ),
        (lambda: lrs.ChainedScheduler([]), "ChainedScheduler takes schedules of one optimizer, and at least one"),
        (
            lambda: lrs.ChainedScheduler([lrs.StepLR(sgd(), 2), lrs.StepLR(sgd(), 2)]),
            "ChainedScheduler takes schedules of one optimizer",
        ),
        (
            lambda: lrs.ChainedScheduler([lrs.StepLR(sgd(), 2)], sgd()),
            "got an optimizer that is not the one of its sch",
        ),
        (lambda: lrs.SequentialLR(sgd(), [lrs.StepLR(sgd(), 2)], []), "SequentialLR got an optimizer that is not the"),
        (lambda: sequence([4, 2]), r"SequentialLR got milestones=\[4, 2\]; each is later than the one before"),
        (lambda: sequence([2]), "SequentialLR got 3 schedules and 1 milestones; it takes one less"),
        (
            lambda: lrs.StepLR(sgd(), 2, last_epoch=3),
            r"StepLR got last_epoch=3; leave it out: load_state_dict\(\) of a",
        ),
        (lambda: lrs.SequentialLR(sgd(), [], [], last_epoch=3), "SequentialLR got last_epoch=3; leave it out"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def sequence(milestones):
    optimizer = sgd()
    return lrs.SequentialLR(optimizer, [lrs.StepLR(optimizer, 2) for _ in range(3)], milestones)


def test_kinds_that_are_refused():
    for make in (lrs.StepLR, lrs.LambdaLR, lrs.ReduceLROnPlateau, lrs.OneCycleLR):
        args = () if make is lrs.ReduceLROnPlateau else (2,)
        with pytest.raises(KindError, match=f"{make.__name__} got a list; it takes an optimizer first"):
            make([], *args)
    with pytest.raises(KindError, match=r"LambdaLR got lr_lambda=0\.5; it is a function of the number of steps, such"):
        lrs.LambdaLR(sgd(), 0.5)
    optimizer = sgd()
    with pytest.raises(KindError, match="got a ReduceLROnPlateau; it takes schedules that step without a figure"):
        lrs.ChainedScheduler([lrs.ReduceLROnPlateau(optimizer)])
    with pytest.raises(SpellingError, match=r"no 'CosineAnnealingWarmRestarts'; here it is optim\.lr_scheduler\.Seq"):
        lrs.CosineAnnealingWarmRestarts  # noqa: B018


def test_a_cycle_ends():
    schedule = lrs.OneCycleLR(sgd(), 1.0, total_steps=3)
    for _ in range(3):
        schedule.step()
    lr = schedule.get_last_lr()
    with pytest.raises(ArgumentError, match="OneCycleLR was stepped 4 times; it was made for total_steps=3"):
        schedule.step()
    assert schedule.get_last_lr() == lr
    assert schedule.t == 3


def test_states_that_do_not_fit_change_nothing():
    optimizer = sgd()
    schedule = lrs.StepLR(optimizer, 2)
    with pytest.raises(
        ArgumentError, match=r"load_state_dict of StepLR got .*; it has base, gamma, rates, step_size, t"
    ):
        schedule.load_state_dict(lrs.ExponentialLR(sgd(), 0.5).state_dict())
    with pytest.raises(ArgumentError, match="got rates of 2 groups of parameters; its optimizer has 1"):
        schedule.load_state_dict(lrs.StepLR(groups(), 3).state_dict())
    assert (schedule.step_size, optimizer.lr) == (2, 0.1)


def test_a_schedule_of_ones_own():
    class Inverse(lrs.Schedule):
        def rate(self, t, lr, base):
            return base / (1 + t)

    optimizer = sgd(1.0)
    schedule = Inverse(optimizer)
    schedule.step()
    schedule.step()
    assert optimizer.lr == 1 / 3
    assert repr(schedule) == "Inverse(step 2, lr 0.3333)"
