"""Recording and the two sweeps."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.tape import collect


def test_a_tape_lists_what_a_result_depends_on_oldest_first():
    x, w = ad.Value(2.0, name="x"), ad.Value(3.0, name="w")
    ad.exp(x)  # no part of it
    y = x * w + x
    tape = ad.Tape(y)
    assert len(tape) == 4
    assert [n.name or n.rule.name for n in tape] == ["x", "w", "multiply", "add"]
    assert tape[-1] is y
    assert [n.index for n in tape] == sorted(n.index for n in tape)


def test_every_node_has_its_gradient_after_backward():
    x = ad.Tensor([1.0, 2.0])
    y = x * x
    z = y.sum()
    z.backward()
    np.testing.assert_array_equal(z.grad, 1)
    np.testing.assert_array_equal(y.grad, [1, 1])
    np.testing.assert_array_equal(x.grad, [2, 4])
    z.backward()
    np.testing.assert_array_equal(y.grad, [1, 1])
    np.testing.assert_array_equal(x.grad, [4, 8])


def test_gradients_do_not_share_memory_with_what_the_user_gave():
    seed, data = np.ones(3), np.ones(3)
    x = ad.Tensor(data)
    y = x + 0
    y.backward(seed)
    assert not np.shares_memory(x.grad, seed)
    assert not np.shares_memory(x.grad, data)
    assert not np.shares_memory(x.data, data)
    x.grad[0] = 7
    assert seed[0] == 1
    y.backward(seed)
    np.testing.assert_array_equal(x.grad, [8, 2, 2])


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: ad.stack([a, b]),
        lambda a, b: ad.concatenate([a, b]),
        lambda a, b: (a + b).reshape(3, 1).T,
        lambda a, b: a.T + b[::-1],
        lambda a, b: ad.broadcast_to(a, (2, 3)) + b,
        lambda a, b: ad.where(True, a, b) + b,
        lambda a, b: ad.transpose(a) + +b,
    ],
)
def test_gradients_of_two_leaves_share_no_memory(f):
    a, b = ad.Tensor(np.arange(3.0)), ad.Tensor(np.arange(3.0))
    y = f(a, b)
    y.backward(np.ones(y.shape))
    assert not np.shares_memory(a.grad, b.grad)
    a.grad += 1  # writable too
    b.grad += 1
    assert y.grad is not a.grad


def test_backward_from_a_leaf():
    x = ad.Tensor(3.0)
    x.backward()
    assert x.grad == 1
    x.backward()
    assert x.grad == 2


def test_backward_with_a_cotangent_of_any_shape(rng):
    x = ad.Tensor(rng.normal(size=(2, 3)))
    g = rng.normal(size=(3, 2))
    (2 * x.T).backward(g)
    np.testing.assert_array_equal(x.grad, 2 * g.T)


def test_free_lets_go_of_values_and_keeps_the_result():
    x = ad.Tensor([1.0, 2.0])
    y = x * x
    loss = y.sum()
    loss.backward(free=True)
    np.testing.assert_array_equal(x.grad, [2, 4])
    assert loss.item() == 5
    assert not isinstance(y.data, np.ndarray)
    with pytest.raises(RuntimeError, match=r"freed by backward\(free=True\).*Leave free=True away"):
        loss.backward()
    with pytest.raises(TypeError):
        ad.exp(y)


def test_part_of_a_freed_tape_is_noticed():
    x = ad.Tensor([1.0, 2.0])
    y = x * x
    z = (y * 3).sum()
    y.sum().backward(free=True)
    with pytest.raises(RuntimeError, match="freed"):
        z.backward()


@pytest.mark.parametrize("make", [ad.Value, ad.Tensor])
def test_data_changed_after_use_is_noticed(make):
    w = make(2.0)
    w.name = "weight"
    loss = w * w
    w.data = 3.0
    with pytest.raises(RuntimeError, match=r"'weight' was changed after multiply used it.*Compute the loss again"):
        loss.backward()
    fresh = w * w
    fresh.backward()
    assert w.grad == 6


def test_a_change_before_use_or_after_backward_is_fine():
    w = ad.Tensor(2.0)
    w.data = np.array(5.0)
    loss = w * w
    loss.backward()
    assert w.grad == 10
    w.data = w.data - 0.1 * w.grad
    assert w.item() == 4


def test_results_cannot_be_assigned_to():
    y = ad.Tensor(2.0) * 3
    with pytest.raises(RuntimeError, match="was assigned to, but it was computed"):
        y.data = np.array(1.0)


def test_the_walk_stops_at_the_inputs():
    x = ad.Value(2.0)
    y = x * x
    z = y * y
    nodes, leaves = collect([z], {y.index})
    assert [n.rule.name for n in nodes] == ["multiply"]
    assert list(leaves.values()) == [y]


def test_detach_and_requires_grad_cut_the_tape():
    x = ad.Tensor(2.0)
    (x.detach() * x).backward()
    assert x.grad == 2
    c = ad.Tensor(2.0, requires_grad=False)
    (c * x).backward()
    assert c.grad is None
    assert not (c * 3).requires_grad
    assert (c * 3).args == ()


def test_no_grad_records_nothing():
    x = ad.Tensor(2.0)
    with ad.no_grad():
        y = x * x
        assert not y.requires_grad
        assert y.args == ()
        with ad.enable_grad():
            assert (x * x).requires_grad
    assert (x * x).requires_grad
    with pytest.raises(RuntimeError, match="needs a result that was recorded"):
        y.backward()


def test_no_grad_as_a_decorator_and_after_an_error():
    x = ad.Value(2.0)

    @ad.no_grad()
    def f(n):
        return x * x if n == 0 else f(n - 1)

    assert not f(3).requires_grad
    with pytest.raises(ZeroDivisionError), ad.no_grad():
        raise ZeroDivisionError
    assert (x * x).requires_grad


def test_a_chain_of_a_million_values():
    n = 1_000_000
    x = ad.Value(1.0)
    y = x
    for _ in range(n):
        y = y + 1.0
    assert y.data == n + 1
    y.backward()
    assert x.grad == 1
    del y  # without recursion


def test_a_long_chain_forward():
    def f(x):
        for _ in range(100_000):
            x = x * 1.0
        return x

    assert ad.jvp(f, (2.0,), (1.0,)) == (2.0, 1.0)


def test_a_long_chain_of_tensors():
    x = ad.Tensor([1.0, 2.0])
    y = x
    for _ in range(50_000):
        y = -y
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [1, 1])


def test_a_deep_diamond_takes_linear_time():
    x = ad.Value(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad == 2.0**60
