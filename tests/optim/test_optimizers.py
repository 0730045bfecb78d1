"""Optimizers: PyTorch's numbers, the formulas by hand, all kinds of parameters, and what they refuse."""

import copy
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
from autodiff import data, nn, optim
from autodiff.core.errors import ArgumentError, KindError, ShapeError, StaleDataError
from autodiff.nn import functional

# Parameters w (row by row) and b after five steps from `problem`, printed by torch 2.13 in double precision.
TORCH = {
    "SGD": (
        lambda p: optim.SGD(p, 0.1),
        [
            [0.8512125102019042, -1.0399668301926859, 1.8234674863034035],
            [1.5115780229364764, -0.2911375491540279, 0.1895427199721366],
            [-0.07282913749085138, -0.11692237260302965],
        ],
    ),
    "momentum": (
        lambda p: optim.SGD(p, 0.1, momentum=0.9),
        [
            [1.2929809289885592, -1.0882048394474544, 1.600939325248994],
            [1.6007117339967767, -0.7568833869895651, 1.032241452898647],
            [-0.2887848265374086, 0.12451367493044538],
        ],
    ),
    "nesterov": (
        lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
        [
            [1.3518597527603007, -1.089470685485453, 1.570064908093145],
            [1.576163244042951, -0.6876243930822975, 0.918376656868205],
            [-0.3139234585812899, 0.09751571704656165],
        ],
    ),
    "momentum and decay": (
        lambda p: optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01),
        [
            [1.2838845530783713, -1.0745558941909383, 1.5759315345237057],
            [1.5805487565151204, -0.7531364287993191, 1.0305064368578232],
            [-0.28867216684882413, 0.1265676981769756],
        ],
    ),
    "Adam": (
        lambda p: optim.Adam(p),
        [
            [0.5050019006430201, -1.005002145941202, 1.9949981126674066],
            [1.5049996806809012, -0.004999908058105108, -0.24500014854342878],
            [0.09499805899268958, -0.19500023741019432],
        ],
    ),
    "Adam with all settings": (
        lambda p: optim.Adam(p, lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.01),
        [
            [0.9736125263500673, -1.454461290791445, 1.5242735671225411],
            [1.806048995404883, -0.4428821970728556, 0.17364531714709594],
            [-0.37277735910586046, 0.18287229077352884],
        ],
    ),
    "AdamW": (
        lambda p: optim.AdamW(p),
        [
            [0.5049768049329618, -1.0049520485122463, 1.9948982107575015],
            [1.5049245796540018, -0.004999808943319296, -0.2449877485670502],
            [0.09499315566876661, -0.19499033841946964],
        ],
    ),
    "AdamW with all settings": (
        lambda p: optim.AdamW(p, lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1),
        [
            [0.9393107747219616, -1.4069848454234755, 1.438783945981426],
            [1.7429542278506331, -0.43545445070023203, 0.17745844832914415],
            [-0.3675897768623876, 0.18262169803572795],
        ],
    ),
}
MAKERS = [pytest.param(make, id=name) for name, (make, _) in TORCH.items()]


def problem(dtype=float):
    w = ad.Tensor([[0.5, -1.0, 2.0], [1.5, 0.0, -0.25]], dtype)
    b = ad.Tensor([0.1, -0.2], dtype)
    x = np.array([[1.0, 2.0, -1.0], [0.5, -1.5, 3.0], [-2.0, 0.25, 1.0]], dtype)
    t = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]], dtype)
    return [w, b], lambda: functional.mse_loss(ad.tanh(functional.linear(x, w, b)), t)


def train(opt, loss, steps):
    for _ in range(steps):
        opt.zero_grad()
        loss().backward()
        opt.step()


def flat(params):
    return np.concatenate([p.data.ravel() for p in params])


@pytest.mark.parametrize(("make", "expected"), TORCH.values(), ids=TORCH)
def test_five_steps_agree_with_pytorch(make, expected):
    params, loss = problem()
    train(make(params), loss, 5)
    assert np.allclose(flat(params), np.concatenate(expected), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("make", "expected"), TORCH.values(), ids=TORCH)
def test_single_precision_stays_and_data_is_updated_in_place(make, expected):
    params, loss = problem(np.float32)
    opt = make(params)
    train(opt, loss, 1)
    before = [p.data for p in params]
    train(opt, loss, 4)
    assert all(p.data is d and p.dtype == np.float32 for p, d in zip(params, before, strict=True))
    assert np.allclose(flat(params), np.concatenate(expected), atol=1e-5)


def test_momentum_by_hand():
    p, v = 1.0, 0.0
    w = ad.Tensor(p)
    opt = optim.SGD([w], lr=0.1, momentum=0.5, nesterov=True, weight_decay=0.2)
    for g in (1.0, -2.0, 0.5):
        w.grad = np.array(g)
        opt.step()
        g += 0.2 * p
        v = 0.5 * v + g
        p -= 0.1 * (g + 0.5 * v)
        assert w.item() == pytest.approx(p, rel=1e-15)


@pytest.mark.parametrize(("make", "decay"), [(optim.Adam, 0), (optim.AdamW, 0.3)])
def test_adam_by_hand(make, decay):
    """The lines of the algorithm as the papers print them, without the rearrangement."""
    p, m, v = 1.0, 0.0, 0.0
    w = ad.Tensor([p])
    opt = make([w], lr=0.1, betas=(0.9, 0.99), eps=1e-2, weight_decay=decay)
    for t, g in enumerate((1.0, -2.0, 0.5), start=1):
        w.grad = np.array([g])
        opt.step()
        p -= 0.1 * decay * p
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
        p -= 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-2)
        assert w.item() == pytest.approx(p, rel=1e-14)


@pytest.mark.parametrize("make", MAKERS)
def test_values_move_as_arrays_do(make):
    w, numbers = ad.Tensor([1.0, -2.0]), [ad.Value(1), ad.Value(-2.0)]
    opt_array, opt_numbers = make([w]), make(numbers)
    for _ in range(3):
        opt_array.zero_grad()
        opt_numbers.zero_grad()
        (w * w * w).sum().backward()
        sum(x * x * x for x in numbers).backward()
        opt_array.step()
        opt_numbers.step()
    assert [type(x.data) for x in numbers] == [float, float]
    assert [x.data for x in numbers] == pytest.approx(w.data, rel=1e-14)


def test_sgd_on_fractions_is_exact():
    x = ad.Value(Fraction(1, 3))
    opt = optim.SGD([x], lr=Fraction(1, 10))
    (x * x).backward()
    opt.step()
    assert x.data == Fraction(4, 15)
    opt.lr = 0.5
    opt.step()
    assert type(x.data) is Fraction


@pytest.mark.parametrize("make", [optim.Adam, optim.AdamW])
def test_adam_keeps_the_kind_of_a_value(make):
    x = ad.Value(Decimal("1.5"))
    (x * x).backward()
    make([x], lr=0.5).step()
    assert type(x.data) is Decimal
    assert float(x.data) == pytest.approx(1.0, abs=0.01)


def test_sgd_says_how_to_update_decimals():
    x = ad.Value(Decimal("1.5"))
    (x * x).backward()
    opt = optim.SGD([x], lr=Decimal("0.5"))
    opt.step()
    assert x.data == 0
    opt.lr = 0.5
    with pytest.raises(
        KindError, match=r"of kind Decimal: .*Give lr and the other settings in that kind, such as Decimal"
    ):
        opt.step()


def test_sgd_descends_complex_parameters():
    z = ad.Tensor([3 + 4j])
    opt = optim.SGD([z], lr=0.25, momentum=0.5)
    ad.sum(abs(z) ** 2).backward()
    opt.step()
    assert np.allclose(z.data, [1.5 + 2j])


@pytest.mark.parametrize("make", [optim.Adam, optim.AdamW])
@pytest.mark.parametrize("p", [ad.Tensor([1j]), ad.Value(1j)])
def test_adam_refuses_complex_parameters(make, p):
    with pytest.raises(KindError, match=r"of complex numbers, for which it is not defined\. Use SGD, or two real"):
        make([p])


@pytest.mark.parametrize("make", MAKERS)
def test_parameters_without_a_gradient_stay(make):
    """And do not age: the first step of one that joins later is a first step."""
    a, b = ad.Tensor([1.0]), ad.Tensor([1.0])
    opt = make([a, b])
    for _ in range(3):
        opt.zero_grad()
        (a * a).sum().backward()
        opt.step()
    assert b.item() == 1.0
    opt.zero_grad()
    (b * b).sum().backward()
    opt.step()
    c = ad.Tensor([1.0])
    alone = make([c])
    (c * c).sum().backward()
    alone.step()
    assert b.item() == c.item()


@pytest.mark.parametrize("make", MAKERS)
def test_a_step_makes_older_tapes_stale(make):
    params, loss = problem()
    opt = make(params)
    old = loss()
    loss().backward()
    opt.step()
    with pytest.raises(StaleDataError, match="was changed after"):
        old.backward()


def test_a_step_on_values_makes_older_tapes_stale():
    x = ad.Value(1.0)
    old = x * x
    (x * x).backward()
    optim.SGD([x], lr=0.1).step()
    with pytest.raises(StaleDataError):
        old.backward()


def test_zero_grad_sets_none():
    params, loss = problem()
    opt = optim.SGD(params, lr=0.1)
    loss().backward()
    opt.zero_grad()
    assert [p.grad for p in params] == [None, None]
    opt.step()


def test_the_gradient_is_left_alone():
    params, loss = problem()
    loss().backward()
    before = [p.grad.copy() for p in params]
    for make, _ in TORCH.values():
        make(params).step()
    assert all(np.array_equal(p.grad, g) for p, g in zip(params, before, strict=True))


def test_gradients_that_are_nodes_are_used():
    w = ad.Tensor([1.0])
    (w * w).sum().backward(create_graph=True)
    optim.SGD([w], lr=0.25).step()
    assert w.data.tolist() == [0.5]


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.AdamW])
def test_the_learning_rate_can_be_changed(make):
    a, b = ad.Tensor([1.0]), ad.Tensor([1.0])
    changed, fresh = make([a], lr=0.5), make([b], lr=0.125)
    changed.lr /= 4
    for w, opt in ((a, changed), (b, fresh)):
        (w * w).sum().backward()
        opt.step()
    assert changed.lr == 0.125
    assert a.item() == b.item()
    with pytest.raises(ArgumentError, match=f"{make.__name__} got lr=-1; it must be a finite number, at least 0"):
        changed.lr = -1


def test_momentum_can_be_switched_on():
    w = ad.Tensor([1.0])
    opt = optim.SGD([w], lr=0.1)
    opt.momentum = 0.9
    (w * w).sum().backward()
    opt.step()
    opt.step()
    assert w.item() == pytest.approx(1 - 0.2 - 0.38)


@pytest.mark.parametrize("make", MAKERS)
def test_state_dict_goes_on_where_it_stopped(make):
    params, loss = problem()
    opt = make(params)
    train(opt, loss, 3)
    saved, weights = opt.state_dict(), [p.data.copy() for p in params]
    assert all(isinstance(x, np.ndarray) for x in saved.values())
    train(opt, loss, 3)
    expected = flat(params)

    params, loss = problem()
    for p, w in zip(params, weights, strict=True):
        p.data = w
    resumed = make(params)
    resumed.lr = 0.7
    resumed.load_state_dict(saved)
    assert resumed.lr == opt.lr
    train(resumed, loss, 3)
    assert np.array_equal(flat(params), expected)


def test_load_state_dict_refuses_what_does_not_fit():
    params, _ = problem()
    saved = optim.SGD(params, 0.1, momentum=0.9).state_dict()
    with pytest.raises(
        ArgumentError, match=r"SGD got other names than it has; missing: none; unexpected: 0\.v, 1\.v\. Load"
    ):
        optim.SGD(params, 0.1).load_state_dict(saved)
    with pytest.raises(
        ShapeError, match=r"array of shape \(2, 3\) for 0.v, which has shape \(2,\)\. Give it the parameters"
    ):
        optim.SGD(params[::-1], 0.1, momentum=0.9).load_state_dict(saved)


def test_copied_optimizers_are_their_own():
    params, loss = problem()
    model = {"params": params, "opt": optim.Adam(params)}
    twin = copy.deepcopy(model)
    train(model["opt"], loss, 2)
    assert twin["opt"].state[0]["t"] == 0
    assert twin["opt"].params[0] is twin["params"][0]


SHOULD_BE_FINITE = r"; it must be a finite number, at least 0\.$"
BELOW_1 = r"; it must be at least 0 and less than 1\.$"


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.AdamW])
@pytest.mark.parametrize("lr", [-0.1, float("nan"), float("inf"), "0.1", None, 1j])
def test_learning_rates_that_are_refused(make, lr):
    with pytest.raises(ArgumentError, match=rf"^{make.__name__} got lr={lr!r}" + SHOULD_BE_FINITE):
        make([ad.Tensor([1.0])], lr=lr)


def test_a_learning_rate_is_no_tensor():
    with pytest.raises(ArgumentError, match=r"SGD got lr=Tensor 'rate'" + SHOULD_BE_FINITE):
        optim.SGD([ad.Tensor([1.0])], lr=ad.Tensor(0.1, name="rate"))


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (optim.SGD, {"momentum": -1}, "SGD got momentum=-1" + SHOULD_BE_FINITE),
        (optim.SGD, {"weight_decay": float("nan")}, "SGD got weight_decay=nan" + SHOULD_BE_FINITE),
        (optim.SGD, {"nesterov": True}, "SGD got nesterov=True without momentum; give it some: momentum=0.9"),
        (optim.Adam, {"betas": (1.0, 0.9)}, r"Adam got betas\[0\]=1.0" + BELOW_1),
        (optim.AdamW, {"betas": (0.9, -0.1)}, r"AdamW got betas\[1\]=-0.1" + BELOW_1),
        (optim.Adam, {"betas": 0.9}, r"Adam got betas=0.9; it takes two numbers, such as betas=\(0.9, 0.999\)"),
        (optim.Adam, {"eps": -1e-8}, "Adam got eps=-1e-08" + SHOULD_BE_FINITE),
        (optim.AdamW, {"weight_decay": -1}, "AdamW got weight_decay=-1" + SHOULD_BE_FINITE),
    ],
)
def test_settings_that_are_refused(make, settings, message):
    with pytest.raises(ArgumentError, match=message):
        make([ad.Tensor([1.0])], lr=0.1, **settings)


def test_parameters_that_are_refused():
    w = ad.Tensor([1.0], name="w")
    with pytest.raises(
        ArgumentError, match=r"SGD got no parameters\. A model's parameters are Tensors in its attributes"
    ):
        optim.SGD([], 0.1)
    with pytest.raises(
        ArgumentError, match=r"as parameter 1, which was computed. Only what was made can be updated: pass"
    ):
        optim.SGD([w, w * 2], 0.1)
    with pytest.raises(ArgumentError, match=r"Adam got Tensor 'w'; it takes a list of parameters: \[w\] for one"):
        optim.Adam(w)
    with pytest.raises(ArgumentError, match=r"Adam got a Linear; it takes a list of parameters: model\.parameters\(\)"):
        optim.Adam(nn.Linear(1, 1))
    with pytest.raises(KindError, match="SGD got a ndarray as parameter 0; parameters are Tensors and Values"):
        optim.SGD([np.ones(2)], 0.1)


def test_a_parameter_given_twice_is_updated_once():
    w = ad.Tensor([1.0])
    opt = optim.SGD([w, w], lr=0.25)
    (w * w).sum().backward()
    opt.step()
    assert w.item() == 0.5


def test_repr_shows_the_settings():
    assert repr(optim.SGD([ad.Tensor([1.0])], 0.1)) == (
        "SGD(1 parameter, lr=0.1, maximize=False, momentum=0, dampening=0, weight_decay=0, nesterov=False)"
    )


@given(st.integers(0, 1000), st.sampled_from(["SGD", "nesterov", "Adam with all settings", "AdamW with all settings"]))
def test_training_decreases_the_loss_on_moons(seed, name):
    """Twenty steps of any optimizer, from any start."""
    X, y = data.moons(60, rng=seed)
    model = nn.MLP([2, 8, 1], nn.Tanh, rng=seed)
    loss = lambda: functional.binary_cross_entropy_with_logits(model(X)[:, 0], y)  # noqa: E731
    before = loss().item()
    train(TORCH[name][0](model.parameters()), loss, 20)
    assert loss().item() < before


def test_digits_are_learnt():
    """A small net reads the held-back digits within a few epochs."""
    X_train, X_test, y_train, y_test = data.train_test_split(*data.digits(), rng=0)
    model = nn.Sequential(
        nn.Linear(64, 64, rng=0, dtype=np.float32), nn.ReLU(), nn.Linear(64, 10, rng=1, dtype=np.float32)
    )
    opt = optim.Adam(model.parameters(), lr=5e-3)
    portions = data.batches(X_train.astype(np.float32), y_train, batch_size=64, rng=0)
    for _ in range(10):
        for x, labels in portions:
            opt.zero_grad()
            functional.cross_entropy(model(x), labels).backward()
            opt.step()
    with ad.no_grad():
        predicted = model(X_test.astype(np.float32)).data.argmax(axis=1)
    assert (predicted == y_test).mean() > 0.95
