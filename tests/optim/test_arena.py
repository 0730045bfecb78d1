"""Small parameters are updated as one vector; nobody must be able to tell."""

import copy

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn, optim
from autodiff.core.flat import room_for
from autodiff.optim import arena as arenas

OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.05),
    "AdamW": lambda p: optim.AdamW(p, lr=0.05),
}
X = np.linspace(-1, 1, 12).reshape(6, 2)
Y = np.array([0, 1, 0, 1, 1, 0])


def model_of(dtype=float):
    return nn.MLP([2, 4, 3, 2], nn.Tanh, dtype=dtype, rng=0)


def step(model, optimizer):
    loss = nn.functional.cross_entropy(model(X), Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@pytest.fixture(params=OPTIMIZERS)
def make(request):
    return OPTIMIZERS[request.param]


@pytest.fixture
def plain(monkeypatch):
    """Switches packing off, for a model to compare with."""

    def build(make, model):
        optimizer = make(model.parameters())

        def one_by_one():
            for p, state in zip(optimizer.params, optimizer.state, strict=True):
                optimizer._step_one(p, state)

        optimizer.step = one_by_one
        return optimizer

    return build


def same(a, b):
    return all(np.array_equal(p.data, q.data) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def test_packed_steps_equal_plain_ones(make, plain):
    a, b = model_of(), model_of()
    packed, apart = make(a.parameters()), plain(make, b)
    for _ in range(5):
        step(a, packed)
        step(b, apart)
    assert packed._arenas
    assert same(a, b)


def test_assigned_data_is_used_from_then_on(make, plain):
    a, b = model_of(), model_of()
    packed, apart = make(a.parameters()), plain(make, b)
    for k in range(6):
        if k == 3:
            for model in (a, b):
                model.parameters()[0].data = np.full((4, 2), 0.3)
        step(a, packed)
        step(b, apart)
    assert same(a, b)


def test_a_missing_gradient_leaves_its_parameter_and_counter_alone(make, plain):
    a, b = model_of(), model_of()
    packed, apart = make(a.parameters()), plain(make, b)
    for k in range(6):
        for model, optimizer in ((a, packed), (b, apart)):
            nn.functional.cross_entropy(model(X), Y).backward()
            if k in (0, 3):
                model.parameters()[1].grad = None
            optimizer.step()
            optimizer.zero_grad()
    assert same(a, b)


def test_a_deep_copy_goes_on_alone(make):
    a = model_of()
    first = make(a.parameters())
    step(a, first)
    b, second = copy.deepcopy((a, first))
    before = [p.data.copy() for p in a.parameters()]
    step(b, second)
    assert all(np.array_equal(p.data, d) for p, d in zip(a.parameters(), before, strict=True))
    step(a, first)
    assert same(a, b)


def test_state_dicts_carry_over_between_packed_optimizers(make):
    a, b = model_of(), model_of()
    first, second = make(a.parameters()), make(b.parameters())
    for _ in range(3):
        step(a, first)
    b.load_state_dict(a.state_dict())
    second.load_state_dict(first.state_dict())
    for _ in range(3):
        step(a, first)
        step(b, second)
    assert same(a, b)


def test_other_dtypes_stay_apart():
    small = [ad.Tensor(np.ones(3)), ad.Tensor(np.ones(2)), ad.Tensor(np.ones(2, np.float32))]
    optimizer = optim.SGD(small, lr=0.5)
    for p in optimizer.params:
        p.grad = np.ones_like(p.data)
    optimizer.step()
    assert [len(a.params) for a in optimizer._arenas] == [2]
    assert all((p.data == 0.5).all() for p in optimizer.params)
    assert [p.dtype for p in small] == [float, float, np.float32]


def test_large_gradients_are_not_copied(make, plain, monkeypatch):
    monkeypatch.setattr(arenas, "COPY_BELOW", 8)
    a, b = model_of(), model_of()
    packed, apart = make(a.parameters()), plain(make, b)
    for k in range(6):
        if k == 3 and hasattr(packed, "momentum"):
            packed.momentum = apart.momentum = 0.5
        step(a, packed)
        step(b, apart)
        assert packed._arenas[0].gradient is None
    assert same(a, b)
    assert all(s["t"] == 6 for s in packed.state if "t" in s)


def test_gradients_in_their_rooms_are_used_as_they_lie(make, plain):
    a, b = model_of(), model_of()
    packed, apart = make(a.parameters()), plain(make, b)
    step(a, packed)
    step(b, apart)
    (arena,) = packed._arenas
    for model in (a, b):
        nn.functional.cross_entropy(model(X), Y).backward()  # adds to what is there
    for p in a.parameters():
        rooms, k = room_for(p.data)
        rooms[k][...] = p.grad
        p.grad = rooms[k]
    packed.step()
    apart.step()
    assert arena.gradient is arena.room
    assert same(a, b)


def test_a_packed_step_makes_older_tapes_stale():
    w = [ad.Tensor([1.0, 2.0]), ad.Tensor([3.0])]
    optimizer = optim.SGD(w, lr=0.1)
    loss = (w[0] * w[0]).sum() + w[1].sum()
    loss.backward()
    optimizer.step()
    with pytest.raises(ad.errors.StaleDataError, match=r"was changed after (multiply|sum) used it"):
        loss.backward()
