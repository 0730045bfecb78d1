"""L-BFGS: the state that it saves, and what it refuses."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import optim
from autodiff.core.errors import ArgumentError, KindError, ShapeError


def valley(dtype=float, **options):
    w = ad.Tensor(np.array([-1.5, 2.0, 0.5], dtype))
    optimizer = optim.LBFGS([w], **{"line_search_fn": "strong_wolfe", "max_iter": 3, **options})

    def closure():
        optimizer.zero_grad()
        loss = (100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum()
        loss.backward()
        return loss

    return w, optimizer, closure


@pytest.mark.parametrize("search", ["strong_wolfe", None])
def test_going_on_is_bit_equal(search):
    w, optimizer, closure = valley(line_search_fn=search, history_size=2, lr=0.5 if search else 1e-3)
    for _ in range(4):
        optimizer.step(closure)
    v, resumed, again = valley(line_search_fn=search, lr=0.9)
    v.data = w.data
    resumed.load_state_dict(optimizer.state_dict())
    assert (resumed.lr, resumed.history_size) == (optimizer.lr, 2)
    for _ in range(4):
        optimizer.step(closure)
        resumed.step(again)
    assert np.array_equal(v.data, w.data)
    fresh = valley()[1]
    fresh.load_state_dict(valley()[1].state_dict())
    assert fresh.t == 0


def test_single_precision_stays():
    w, optimizer, closure = valley(np.float32, max_iter=20)
    for _ in range(10):
        optimizer.step(closure)
    assert w.dtype == np.float32
    assert optimizer.direction.dtype == np.float32
    np.testing.assert_allclose(w.data, 1, atol=1e-3)


def test_states_that_do_not_fit_change_nothing():
    _, optimizer, closure = valley()
    optimizer.step(closure)
    state = optimizer.state_dict()
    spoilt = [
        ({"change.0": None}, ArgumentError, r"missing: change\.0; unexpected: none\. Load what LBFGS saved"),
        ({"0.v": np.zeros(3)}, ArgumentError, r"missing: none; unexpected: 0\.v"),
        ({"step.0": np.zeros(4)}, ShapeError, r"shape \(4,\) for step\.0; the parameters have 3 numbers"),
        ({"lr": np.array(-1.0)}, ArgumentError, r"load_state_dict of LBFGS got lr=-1\.0"),
    ]
    for change, error, message in spoilt:
        given = {name: x for name, x in {**state, "t": np.array(99), **change}.items() if x is not None}
        with pytest.raises(error, match=message):
            optimizer.load_state_dict(given)
        assert all(np.array_equal(optimizer.state_dict()[name], x) for name, x in state.items())


def test_what_is_refused():
    w, optimizer, _ = valley()
    with pytest.raises(ArgumentError, match=r"LBFGS\.step got no closure; it computes the loss several times\. Pass"):
        optimizer.step()
    with pytest.raises(ArgumentError, match="got a closure that left no parameter a gradient; it calls backward"):
        optimizer.step(lambda: (w * w).sum())
    with pytest.raises(ArgumentError, match="got a closure that returned None; it returns the loss"):
        optimizer.step(lambda: (w * w).sum().backward())
    with pytest.raises(ArgumentError, match="LBFGS got groups of parameters; its direction is one for all"):
        optim.LBFGS([{"params": [w], "lr": 0.1}])
    with pytest.raises(ArgumentError, match="LBFGS got line_search_fn='wolfe'; it is None or 'strong_wolfe'"):
        optim.LBFGS([w], line_search_fn="wolfe")
    for p in (ad.Value(1.0), ad.Tensor([1j])):
        with pytest.raises(KindError, match=r"LBFGS got .*; it takes Tensors of real numbers"):
            optim.LBFGS([p])


def test_the_calls_of_a_step_are_limited():
    calls = []
    _, optimizer, closure = valley(max_iter=20, max_eval=6)
    optimizer.step(lambda: calls.append(1) or closure())
    assert 6 <= len(calls) <= 7
