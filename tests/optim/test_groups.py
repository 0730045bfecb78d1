"""Groups of parameters, settings that change on the way, and what optimizers refuse before anything is changed."""

import copy

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn, optim
from autodiff.core.errors import ArgumentError, KindError, ShapeError, SpellingError

KINDS = [optim.SGD, optim.Adam, optim.AdamW, optim.NAdam, optim.Adagrad, optim.RMSprop, optim.Lion]


def two():
    return ad.Tensor([1.0, 2.0], name="a"), ad.Tensor([[3.0]], name="b")


def loss_of(a, b):
    return (a * a).sum() + (b * b * b).sum()


@pytest.mark.parametrize("make", KINDS)
def test_groups_move_as_optimizers_of_their_own(make):
    (a, b), (c, d) = two(), two()
    together = make([{"params": [a]}, {"params": [b], "lr": 0.05, "weight_decay": 0.2}], lr=0.01)
    apart = [make([c], lr=0.01), make([d], lr=0.05, weight_decay=0.2)]
    for _ in range(5):
        together.zero_grad()
        loss_of(a, b).backward()
        together.step()
        for optimizer in apart:
            optimizer.zero_grad()
        loss_of(c, d).backward()
        for optimizer in apart:
            optimizer.step()
    assert np.array_equal(a.data, c.data)
    assert np.array_equal(b.data, d.data)
    assert [group.lr for group in together.param_groups] == [0.01, 0.05]


@pytest.mark.parametrize("make", KINDS)
def test_states_of_groups_carry_over(make):
    (a, b), (c, d) = two(), two()
    first, second = (make([{"params": [p]}, {"params": [q], "lr": 0.05}], lr=0.01) for p, q in ((a, b), (c, d)))
    for _ in range(3):
        first.zero_grad()
        loss_of(a, b).backward()
        first.step()
    c.data, d.data = a.data, b.data
    first.param_groups[0].lr = 0.02
    second.load_state_dict(first.state_dict())
    assert [group.lr for group in second.param_groups] == [0.02, 0.05]
    for optimizer, p, q in ((first, a, b), (second, c, d)):
        optimizer.zero_grad()
        loss_of(p, q).backward()
        optimizer.step()
    assert np.array_equal(a.data, c.data)
    assert np.array_equal(b.data, d.data)


@pytest.mark.parametrize("make", [*KINDS, optim.LBFGS])
def test_settings_by_name_as_in_pytorch(make):
    a, b = two()
    optimizer = make([a, b], lr=0.1)
    for group in optimizer.param_groups:
        group["lr"] *= 0.5
        assert group["params"] == [a, b]
    assert optimizer.lr == optimizer.param_groups[0]["lr"] == 0.05
    with pytest.raises(ArgumentError, match="lr=-1; it must be a finite number, at least 0"):
        optimizer.param_groups[0]["lr"] = -1
    with pytest.raises(ArgumentError, match=rf"{make.__name__} has no setting 'rate'; it has lr, "):
        optimizer.param_groups[0]["rate"] = 1
    with pytest.raises(ArgumentError, match="has no setting 'params'"):
        optimizer.param_groups[0]["params"] = [a]


def test_a_setting_of_all_groups_is_not_set_in_vain():
    a, b = two()
    optimizer = optim.Adam([{"params": [a]}, {"params": [b]}], lr=0.1)
    with pytest.raises(
        ArgumentError, match=r"Adam has groups, each with a setting 'lr' of its own\. Set it there: opt"
    ):
        optimizer.lr = 0.2
    with pytest.raises(ArgumentError, match="a setting 'betas' of its own"):
        optimizer.betas = (0.5, 0.5)
    assert [group.lr for group in optimizer.param_groups] == [0.1, 0.1]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (
            [{"params": [0]}, {"params": [0]}],
            r"SGD got Tensor 'a' in two groups; it can be updated by one\. Leave it out",
        ),
        ([{"params": [0], "rate": 1}], "SGD got the setting 'rate' for group 0; there are lr, maximize, momentum"),
        ([{"params": [0]}, 1], r"SGD got Tensor 'b'.* as group 1; a group is a dict of params and settings, such as"),
        ([{"params": [0], "lr": -1}], "SGD got lr=-1; it must be a finite number, at least 0"),
        ([{"params": [0], "momentum": "0.9"}], "SGD got momentum='0.9'; it must be a finite number"),
        ([{"params": [0], "nesterov": True}], "SGD got nesterov=True without momentum"),
        ([{"params": []}], "SGD got no parameters"),
        ([{"lr": 0.1}], r"SGD got \{'lr': 0\.1\} as group 0"),
    ],
)
def test_groups_that_are_refused(groups, message):
    leaves = two()
    for k, group in enumerate(groups):
        if isinstance(group, int):
            groups[k] = leaves[group]
        elif "params" in group:
            groups[k] = {**group, "params": [leaves[i] for i in group["params"]]}
    with pytest.raises(ArgumentError, match=message.replace("Tensor 'b'.*", ".*")):
        optim.SGD(groups, lr=0.1)


@pytest.mark.parametrize(
    ("make", "name", "setting", "message"),
    [
        (optim.SGD, "dampening", float("nan"), "SGD got dampening=nan; it must be a finite number"),
        (optim.SGD, "momentum", -0.1, "SGD got momentum=-0.1; it must be a finite number, at least 0"),
        (optim.SGD, "nesterov", 1, "SGD got nesterov=1; it is True or False"),
        (optim.SGD, "maximize", None, "SGD got maximize=None; it is True or False"),
        (optim.Adam, "betas", (0.9, 1.0), r"Adam got betas\[1\]=1.0; it must be at least 0 and less than 1"),
        (optim.Adam, "betas", 0.9, "Adam got betas=0.9; it takes two numbers"),
        (optim.Adam, "amsgrad", "yes", "Adam got amsgrad='yes'; it is True or False"),
        (optim.NAdam, "momentum_decay", -1, "NAdam got momentum_decay=-1; it must be a finite number, at least 0"),
        (optim.Adagrad, "lr_decay", -1, "Adagrad got lr_decay=-1"),
        (optim.Adagrad, "initial_accumulator_value", -1, "Adagrad got initial_accumulator_value=-1"),
        (optim.RMSprop, "alpha", 1.0, "RMSprop got alpha=1.0; it must be at least 0 and less than 1"),
        (optim.Lion, "betas", (0.9, -1), r"Lion got betas\[1\]=-1"),
        (optim.LBFGS, "history_size", 0, "LBFGS got history_size=0; it must be a whole number, at least 1"),
        (optim.LBFGS, "max_iter", 2.5, "LBFGS got max_iter=2.5; it must be a whole number, at least 1"),
        (optim.LBFGS, "tolerance_grad", -1, "LBFGS got tolerance_grad=-1"),
    ],
)
def test_settings_are_checked_when_made_and_when_set(make, name, setting, message):
    a, _ = two()
    with pytest.raises(ArgumentError, match=message):
        make([a], **{"lr": 0.1, name: setting})
    optimizer = make([a], lr=0.1)
    before = getattr(optimizer, name)
    with pytest.raises(ArgumentError, match=message):
        setattr(optimizer, name, setting)
    assert getattr(optimizer, name) == before


@pytest.mark.parametrize("name", ["foreach", "fused", "capturable", "differentiable"])
@pytest.mark.parametrize("make", [*KINDS, optim.LBFGS])
def test_what_is_absent_says_so(make, name):
    with pytest.raises(ArgumentError, match=rf"{make.__name__} got {name}=True; leave it out: "):
        make(two(), lr=0.1, **{name: True})


def test_names_of_other_libraries_say_what_there_is():
    optimizer = optim.SGD(two())
    with pytest.raises(ArgumentError, match=r"Adam got decoupled_weight_decay=True; leave it out: .*optim\.AdamW"):
        optim.Adam(two(), decoupled_weight_decay=True)
    with pytest.raises(SpellingError, match=r"no 'add_param_group'; here it is a list of all groups when"):
        optimizer.add_param_group({})
    with pytest.raises(
        ArgumentError, match="zero_grad got set_to_none=False; a gradient that was not computed is None"
    ):
        optimizer.zero_grad(set_to_none=False)


@pytest.mark.parametrize("make", [*KINDS, optim.LBFGS])
def test_parameters_that_are_refused(make):
    model = nn.Linear(2, 1)
    with pytest.raises(KindError, match=r"got a name with parameter 0, 'weight'; give model\.parameters\(\), without"):
        make(model.named_parameters(), lr=0.1)
    with pytest.raises(KindError, match=r"got a Linear as parameter 1; give its parameters: \[\*a\.parameters\(\)"):
        make([model.weight, model], lr=0.1)
    with pytest.raises(ArgumentError, match=r"got a function; call it: model\.parameters\(\)"):
        make(model.parameters, lr=0.1)
    with pytest.raises(ArgumentError, match="got 3 as parameters; it takes a list of them first"):
        make(3, lr=0.1)
    with pytest.raises(
        KindError, match=r"as parameter 0, of dtype int64, which never has a gradient. Make it of floats"
    ):
        make([ad.Tensor([1, 2], requires_grad=False)], lr=0.1)


@pytest.mark.parametrize("make", [kind for kind in KINDS if kind is not optim.SGD])
def test_complex_parameters_are_refused_where_there_are_roots_or_signs(make):
    for p in (ad.Tensor([1j]), ad.Value(1j)):
        with pytest.raises(KindError, match=f"{make.__name__} got .* of complex numbers, for which it is not defined"):
            make([p])


@pytest.mark.parametrize(
    ("make", "name", "setting"),
    [
        (optim.SGD, "momentum", 0.9),
        (optim.RMSprop, "momentum", 0.9),
        (optim.RMSprop, "centered", True),
        (optim.Adam, "amsgrad", True),
    ],
)
def test_a_setting_that_needs_memory_can_be_switched_on(make, name, setting):
    (a, b), (c, d) = two(), two()
    changed, fresh = make([a, b], lr=0.1), make([c, d], lr=0.1, **{name: setting})
    setattr(changed, name, setting)
    for _ in range(3):
        for optimizer, p, q in ((changed, a, b), (fresh, c, d)):
            optimizer.zero_grad()
            loss_of(p, q).backward()
            optimizer.step()
    assert np.array_equal(a.data, c.data)
    assert changed.state_dict().keys() == fresh.state_dict().keys()


@pytest.mark.parametrize("make", KINDS)
def test_a_state_that_does_not_fit_changes_nothing(make):
    a, b = two()
    optimizer = make([a, b], lr=0.1)
    loss_of(a, b).backward()
    optimizer.step()
    before = copy.deepcopy(optimizer.state_dict())
    key = next((name for name, x in before.items() if name.startswith("1.") and x.ndim), None)
    spoilt = [({"lr": np.array(-1.0)}, ArgumentError, "load_state_dict of .* got lr=-1.0; it must be")]
    if key:
        spoilt += [
            ({key: np.zeros(7)}, ShapeError, rf"shape \(7,\) for {key}, which has shape \(1, 1\)"),
            ({key: np.array([["x"]])}, KindError, f"{key} got dtype <U1; it has float64"),
            ({key: np.array([[1j]])}, KindError, f"{key} got dtype complex128; it has float64"),
        ]
    for change, error, message in spoilt:
        with pytest.raises(error, match=message):
            optimizer.load_state_dict({**before, "lr": np.array(0.7), **change})
        after = optimizer.state_dict()
        assert all(np.array_equal(after[name], x) for name, x in before.items())


def test_an_average_of_a_constant_gradient_has_no_negative_spread():
    """Rounding brings s - m * m below 0, of which there is no root."""
    w = ad.Tensor(np.linspace(0.1, 3, 50))
    optimizer = optim.RMSprop([w], lr=1e-3, centered=True, alpha=0.5)
    g = w.data.copy()
    for _ in range(200):
        w.grad = g.copy()
        optimizer.step()
    assert np.isfinite(w.data).all()
