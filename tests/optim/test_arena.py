"""Small parameters are updated as one vector; nobody must be able to tell."""

import copy
import tracemalloc

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


@pytest.fixture(params=[False, True], ids=["eager", "compiled"])
def prepare(request):
    """What the loss goes through before training."""
    return ad.compile if request.param else lambda f: f


def plain(make, params):
    """An optimizer that updates one parameter after the other, to compare with."""
    optimizer = make(params)

    def one_by_one():
        for p, state in zip(optimizer.params, optimizer.state, strict=True):
            optimizer._step_one(p, state)

    optimizer.step = one_by_one
    return optimizer


def same(a, b):
    return all(np.array_equal(p.data, q.data) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def test_packed_steps_equal_plain_ones(make):
    a, b = model_of(), model_of()
    packed, apart = make(a.parameters()), plain(make, b.parameters())
    for _ in range(5):
        step(a, packed)
        step(b, apart)
    assert packed._arenas
    assert same(a, b)


def train(model, optimizer, prepare, event, steps=8):
    """Train, and let something happen to the parameters before each update."""
    loss_of = prepare(lambda x, y: nn.functional.cross_entropy(model(x), y))
    for k in range(steps):
        optimizer.zero_grad()
        loss_of(X, Y).backward()
        event(k, model, optimizer)
        optimizer.step()
    return [p.data.copy() for p in model.parameters()], optimizer.state_dict()


def assign_data(k, model, optimizer):
    if k == 3:
        model.parameters()[0].data = np.full((4, 2), 0.3)


def write_into_data(k, model, optimizer):
    model.parameters()[2].data[0] = 0.25
    if k == 3:
        model.parameters()[3].data -= 0.5


def load_weights(k, model, optimizer):
    if k == 3:
        model.load_state_dict(nn.MLP([2, 4, 3, 2], nn.Tanh, rng=1).state_dict())


def load_state(k, model, optimizer):
    if k == 3:
        optimizer.load_state_dict(optimizer.state_dict())


def lose_a_gradient(k, model, optimizer):
    if k in (0, 3, 4):
        model.parameters()[1].grad = None


def lose_all_gradients(k, model, optimizer):
    if k in (0, 3):
        optimizer.zero_grad()


def freeze_and_thaw(k, model, optimizer):
    for p in model.parameters()[:2]:
        p.requires_grad = k not in (2, 3, 4)


def replace_gradients(k, model, optimizer):
    for p in model.parameters()[k % 3 :]:
        p.grad = 2 * p.grad


def clip_in_place(k, model, optimizer):
    for p in model.parameters():
        np.clip(p.grad, -0.1, 0.1, out=p.grad)


def give_views(k, model, optimizer):
    params = model.parameters()
    flat = np.concatenate([p.grad.ravel() for p in params])
    for p, part in zip(params, np.split(flat, np.cumsum([p.size for p in params])[:-1]), strict=True):
        p.grad = part.reshape(p.shape)


def give_a_node(k, model, optimizer):
    if k == 3:
        model.parameters()[1].grad = ad.Tensor(model.parameters()[1].grad)


def keep_gradients(k, model, optimizer):
    model.kept = [*getattr(model, "kept", []), *(p.grad for p in model.parameters())]


EVENTS = [
    assign_data,
    write_into_data,
    load_weights,
    load_state,
    lose_a_gradient,
    lose_all_gradients,
    freeze_and_thaw,
    replace_gradients,
    clip_in_place,
    give_views,
    give_a_node,
    keep_gradients,
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_whatever_happens_in_between_nobody_can_tell(make, prepare, event):
    a, b = model_of(), model_of()
    packed, apart = make(a.parameters()), plain(make, b.parameters())
    found, state = train(a, packed, prepare, event)
    expected, expected_state = train(b, apart, lambda f: f, event)
    assert packed._arenas
    assert all(map(np.array_equal, found, expected))
    assert state.keys() == expected_state.keys()
    assert all(np.array_equal(state[key], expected_state[key]) for key in state)


VIEWS = {"ravel": np.ravel, "transpose": np.transpose, "row": lambda g: g[0], "memoryview": memoryview}


@pytest.mark.parametrize("take", VIEWS.values(), ids=VIEWS)
def test_a_held_view_of_a_gradient_is_not_written_over(prepare, take):
    model = model_of()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    held, copies = [], []

    def hold(k, model, optimizer):
        g = model.parameters()[0].grad
        held.append(take(g))
        copies.append(np.array(take(g.copy())))

    train(model, optimizer, prepare, hold)
    assert all(map(np.array_equal, held, copies))


def test_two_optimizers_may_share_a_parameter(make, prepare):
    results = []
    for build in (make, lambda params: plain(make, params)):
        model = model_of()
        params = model.parameters()
        optimizers = [build(params[:4]), build(params[2:])]
        loss_of = prepare(lambda x, y, model=model: nn.functional.cross_entropy(model(x), y))
        for k in range(9):
            model.zero_grad()
            loss_of(X, Y).backward()
            optimizers[k % 3 == 2].step()
        results.append([p.data for p in params])
    assert all(map(np.array_equal, *results))


def test_a_parameter_without_a_gradient_does_not_keep_the_others_from_being_packed(make):
    model, unused = model_of(), ad.Tensor(np.ones(3))
    optimizer = make([*model.parameters(), unused])
    step(model, optimizer)
    (arena,) = optimizer._arenas
    step(model, optimizer)
    assert optimizer._arenas == [arena]
    before = unused.data.copy()
    unused.grad = np.ones(3)
    optimizer.step()
    assert (unused.data < before).all()
    assert optimizer._arenas != [arena]


def test_who_never_compiles_needs_no_memory_for_gradients_beside_the_parameters(make):
    model = model_of()
    optimizer = make(model.parameters())
    step(model, optimizer)
    step(model, optimizer)
    (arena,) = optimizer._arenas
    assert len(arena.memory.rooms) == 0
    ad.compile(lambda: nn.functional.cross_entropy(model(X), Y))().backward()
    assert len(arena.memory.rooms) == 6


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


def test_large_gradients_are_not_copied(make, monkeypatch):
    monkeypatch.setattr(arenas, "COPY_BELOW", 5)
    a, b = model_of(), model_of()
    packed, apart = make(a.parameters()), plain(make, b.parameters())
    for k in range(6):
        if k == 3 and hasattr(packed, "momentum"):
            packed.momentum = apart.momentum = 0.5
        step(a, packed)
        step(b, apart)
        assert packed._arenas[0].gradient is None
    assert same(a, b)
    assert all(s["t"] == 6 for s in packed.state if "t" in s)


def test_momentum_can_be_switched_on_and_off():
    a, b = model_of(), model_of()
    packed, apart = OPTIMIZERS["SGD"](a.parameters()), plain(OPTIMIZERS["SGD"], b.parameters())
    for momentum in (0, 0, 0.9, 0.9, 0, 0.5):
        packed.momentum = apart.momentum = momentum
        step(a, packed)
        step(b, apart)
    assert same(a, b)
    assert all(np.array_equal(s["v"], t["v"]) for s, t in zip(packed.state, apart.state, strict=True))


@pytest.mark.parametrize("block", [1, 7, 16])
def test_updates_by_blocks_equal_whole_ones(make, block, monkeypatch):
    a, b = model_of(), model_of()
    expected = train(b, plain(make, b.parameters()), lambda f: f, lambda *_: None)
    monkeypatch.setattr(arenas, "BLOCK", block)
    for copy_below in (0, 10**6):
        monkeypatch.setattr(arenas, "COPY_BELOW", copy_below)
        a = model_of()
        found = train(a, make(a.parameters()), lambda f: f, lambda *_: None)
        assert all(map(np.array_equal, found[0], expected[0]))
        assert all(np.array_equal(found[1][key], expected[1][key]) for key in expected[1])


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_single_parameter_is_updated_by_blocks_too(make, order, monkeypatch):
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=(5, 4)), rng.normal(size=(3, 5, 4))
    found = []
    for block in (10**6, 6):
        monkeypatch.setattr(arenas, "BLOCK", block)
        w = ad.Tensor(np.array(start, order=order))
        optimizer = make([w])
        for g in gradients:
            w.grad = g if block == 6 else np.asfortranarray(g)
            optimizer.step()
        found.append(w.data)
    assert np.array_equal(*found)


def test_a_step_of_a_large_parameter_makes_no_large_arrays(make):
    w = ad.Tensor(np.zeros(20 * arenas.BLOCK))
    w.grad = np.ones(w.shape)
    optimizer = make([w])
    optimizer.step()
    tracemalloc.start()
    try:
        optimizer.step()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * arenas.BLOCK * w.data.itemsize


def test_small_and_large_parameters_share_what_adam_computes_in():
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=shape) for shape in [(2,), (50, 4), (), (3, 2)]]
    together, apart = ([ad.Tensor(x) for x in starts] for _ in range(2))
    one = optim.AdamW(together, lr=0.1)
    several = [optim.AdamW([p], lr=0.1) for p in apart]
    one.entrywise = False  # one by one, in the same memory
    for _ in range(3):
        for p, q in zip(together, apart, strict=True):
            p.grad = q.grad = rng.normal(size=p.shape)
        one.step()
        for optimizer in several:
            optimizer.step()
    assert all(np.array_equal(p.data, q.data) for p, q in zip(together, apart, strict=True))
    assert one.scratch.memory.nbytes == 1600
    assert copy.deepcopy(one).scratch.memory.nbytes == 0


class Normalised(optim.Optimizer):
    """Steps of one length, whatever that of the gradient is: not entry by entry."""

    def fresh_state(self, p):
        return {}

    def update(self, p, g, state):
        state["steps"] = state.get("steps", 0) + 1
        p -= self.lr * g / np.linalg.norm(g)


class Clipped(optim.SGD):
    """Nor is an update that replaces one which is."""

    def update(self, p, g, state):
        super().update(p, g / max(0.01, np.linalg.norm(g)), state)


@pytest.mark.parametrize("kind", [Normalised, Clipped])
def test_an_update_that_is_not_entrywise_sees_whole_parameters(kind, prepare, monkeypatch):
    monkeypatch.setattr(arenas, "BLOCK", 3)

    def make(params):
        return kind(params, lr=0.1)

    a, b = model_of(), model_of()
    found, _ = train(a, make(a.parameters()), prepare, lambda *_: None)

    def by_hand(k, model, optimizer):
        for p in model.parameters():
            length = np.linalg.norm(p.grad)
            p.data = p.data - 0.1 * p.grad / (length if kind is Normalised else max(0.01, length))
            p.grad = None

    expected, _ = train(b, make(b.parameters()), prepare, by_hand)
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12)


def test_gradients_in_their_rooms_are_used_as_they_lie(make):
    a, b = model_of(), model_of()
    packed, apart = make(a.parameters()), plain(make, b.parameters())
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
