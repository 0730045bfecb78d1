"""Assigning into a tensor is recorded: the object goes on with another value, what used it before keeps the old."""

import copy
import pickle

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

KEYS = {
    "int": (1, (4,)),
    "negative slice": (slice(None, None, -2), (2, 4)),
    "column": ((slice(None), 0), (3,)),
    "ellipsis": ((..., slice(1, 3)), (3, 2)),
    "new axis": ((None, 1), (1, 4)),
    "everything": (..., (3, 4)),
    "list": ([0, 2], (2, 4)),
    "mask": (np.arange(12).reshape(3, 4) % 3 == 0, (4,)),
    "row mask": (np.array([True, False, True]), (2, 4)),
    "grid": ((np.array([[0], [2]]), np.array([1, 3])), (2, 2)),
    "nothing": (slice(0, 0), (0, 4)),
    "one": ((0, 0), ()),
}


@pytest.mark.parametrize("name", KEYS)
def test_values_and_gradients_of_every_form_of_index(name, rng):
    key, shape = KEYS[name]
    x, v = rng.normal(size=(3, 4)), rng.normal(size=shape)

    def assigned(x, v):
        y = x * 2
        y[key] = v * v
        return y * x

    expected = 2 * x
    expected[key] = v * v
    np.testing.assert_allclose(assigned(ad.Tensor(x), ad.Tensor(v)).data, expected * x)
    check_gradients(assigned, x, v)


def test_what_used_the_tensor_before_keeps_the_old_value():
    x = ad.Tensor([1.0, 2.0, 3.0])
    y = x * 1.0
    before = y * y
    y[0] = 10.0
    after = y * y
    (before.sum() + after.sum()).backward()
    np.testing.assert_array_equal(before.data, [1, 4, 9])
    np.testing.assert_array_equal(after.data, [100, 4, 9])
    np.testing.assert_array_equal(x.grad, [2, 8, 12])


def test_many_assignments_in_a_loop_and_reads_between(rng):
    def f(x):
        y = ad.Tensor(np.zeros(4), requires_grad=False)
        total = 0
        for i in range(4):
            y[i] = x[i] * (y.sum() + 1)
            total = total + (y * y).sum()
        return total

    def plain(x):
        y, total = np.zeros(4), 0.0
        for i in range(4):
            y[i] = x[i] * (y.sum() + 1)
            total += (y * y).sum()
        return total

    x = rng.normal(size=4)
    assert f(ad.Tensor(x)).item() == pytest.approx(plain(x))
    check_gradients(f, x)


def test_a_buffer_that_was_a_constant_where_it_was_used_first():
    w, buffer = ad.Tensor([2.0, 3.0]), ad.Tensor([1.0, 1.0], requires_grad=False)
    first = (w * buffer).sum()
    buffer[0] = w[0]
    second = (w * buffer).sum()
    (first + second).backward()
    np.testing.assert_array_equal(w.grad, [1 + 4, 1 + 1])


def test_a_constant_buffer_that_was_overwritten_is_noticed():
    w, buffer = ad.Tensor([2.0, 3.0]), ad.Tensor([1.0, 1.0], requires_grad=False)
    loss = (w * buffer).sum()
    buffer[0] = 5.0
    with pytest.raises(ad.errors.StaleDataError, match="changed after multiply used it"):
        loss.backward()
    assert buffer.tolist() == [5.0, 1.0]
    assert not buffer.requires_grad
    assert buffer.is_leaf


def test_views_keep_the_old_data_and_aliases_do_not():
    x = ad.Tensor([1.0, 2.0, 3.0])
    y = x * 1.0
    alias, view = y, y[:2]
    y[0] = 7.0
    assert alias.tolist() == [7, 2, 3]
    assert view.tolist() == [1, 2]
    assert x.tolist() == [1, 2, 3]


def test_the_array_that_a_tensor_was_made_of_is_not_written_to():
    a = np.zeros(3)
    t = ad.Tensor(a, requires_grad=False)
    t[0] = 1.0
    assert a.tolist() == [0, 0, 0]


def test_a_tensor_assigned_into_itself():
    x = ad.Tensor([1.0, 2.0, 3.0])
    y = x * x
    y[1:] = y[:-1]
    y[0] = y.sum()
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [6, 8, 0])


@pytest.mark.parametrize("operator", ["+=", "*=", "**="])
def test_augmented_assignment_of_an_entry(operator, rng):
    def f(x):
        y = x * 1.0
        exec(f"y[1] {operator} 3.0; y[::2] {operator} 2.0", {"y": y})
        return y

    x = rng.uniform(1, 2, size=4)
    plain = x.copy()
    exec(f"y[1] {operator} 3.0; y[::2] {operator} 2.0", {"y": plain})
    np.testing.assert_allclose(f(ad.Tensor(x)).data, plain)
    check_gradients(f, x)


def test_augmented_assignment_of_the_whole():
    x = ad.Tensor([1.0, 2.0])
    y = x
    y += x * x
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [3, 5])


def test_repeated_indices_the_last_write_wins():
    x, v = ad.Tensor([1.0, 2.0]), ad.Tensor([5.0, 6.0])
    y = x * 1.0
    y[[0, 0]] = v
    assert y.tolist() == [6, 2]
    y.sum().backward()
    np.testing.assert_array_equal(v.grad, [0, 1])
    np.testing.assert_array_equal(x.grad, [0, 1])


def test_in_place_methods_have_numpys_names():
    x = ad.Tensor([3.0, 1.0, 2.0])
    y = x * 1.0
    assert y.sort() is None
    assert y.tolist() == [1, 2, 3]
    y.put([0, 2], [9.0, 8.0])
    assert y.tolist() == [9, 2, 8]
    (y * ad.Tensor([1.0, 10.0, 100.0], requires_grad=False)).sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 0, 10])
    y.fill(0.0)
    assert y.tolist() == [0, 0, 0]
    z = x * 1.0
    z.partition(0)
    assert z.data[0] == 1


def test_leaves_raise_and_nothing_is_changed():
    x = ad.Tensor([1.0, 2.0], name="w")
    with pytest.raises(ad.errors.TapeError, match=r"Tensor 'w' was assigned into, but it is a leaf.*x\.copy\(\)"):
        x[0] = 5.0
    assert x.tolist() == [1, 2]
    x.data = np.array([3.0, 4.0])
    assert x.tolist() == [3, 4]


def test_a_recorded_tensor_inside_no_grad_raises():
    y = ad.Tensor([1.0, 2.0]) * 2
    with ad.no_grad(), pytest.raises(ad.errors.TapeError, match=r"inside no_grad.*x\.detach\(\)"):
        y[0] = 5.0
    assert y.tolist() == [2, 4]


@pytest.mark.parametrize(
    ("key", "value", "error"), [(7, 1.0, IndexError), (0, [1.0, 2.0], ValueError), ("a", 1.0, IndexError)]
)
def test_a_failed_assignment_changes_nothing(key, value, error):
    x = ad.Tensor([1.0, 2.0])
    y = x * 2
    index = y.index
    with pytest.raises(error):
        y[key] = value
    assert y.index == index
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [2, 2])


def test_in_every_transform(rng):
    def f(x):
        y = x.copy()
        y[1] = y[0] * y[2]
        return (y**2).sum()

    x = rng.normal(size=3)
    np.testing.assert_allclose(ad.grad(f)(x), [2 * x[0] + 2 * x[0] * x[2] ** 2, 0, 2 * x[2] + 2 * x[2] * x[0] ** 2])
    check_gradients(f, x, order=3)
    np.testing.assert_allclose(ad.vmap(ad.grad(f))(np.stack([x, 2 * x]))[1], ad.grad(f)(2 * x))


def test_tracking_may_be_switched_on_for_a_result_that_was_not_recorded():
    with ad.no_grad():
        y = ad.Tensor([1.0, 2.0]) * 2
    y.requires_grad = True
    assert y.is_leaf
    (y * y).sum().backward()
    np.testing.assert_array_equal(y.grad, [4, 8])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_copies_of_tapes_know_the_versions_that_their_ops_used(copied, order):
    x = ad.Tensor([1.0, 2.0])
    y = x * x
    before = y * 2
    y[0] = 1.0
    nodes = (x, before, y)
    again = copied([nodes[i] for i in order])
    x2, before2, y2 = (again[order.index(i)] for i in range(3))
    (before2 * y2).sum().backward()
    np.testing.assert_array_equal(x2.grad, [4, 64])


def test_a_copy_of_a_stale_tape_is_stale():
    x = ad.Tensor([1.0, 2.0])
    y = x * x
    x.data = [5.0, 5.0]
    again = copy.deepcopy(copy.deepcopy(y))
    with pytest.raises(ad.errors.StaleDataError, match="was changed after multiply"):
        again.sum().backward()


@pytest.mark.parametrize("statement", ["t[0][1] = 5.0", "t[0][1:] = 5.0", "t[0][1] += 5.0", "t.T[0] *= t[0]"])
def test_an_assignment_that_would_be_lost_is_refused(statement):
    t = ad.Tensor(np.ones((2, 2))) * 1
    with pytest.raises(ad.errors.TapeError, match=r"nothing holds it.*Write t\[0, 1\] = v"):
        exec(statement, {"t": t})


def test_an_assignment_that_is_kept_is_not_refused():
    t = ad.Tensor(np.ones((2, 2))) * 1
    held = [t]
    held[0][0, 0] += 1
    t[0] *= t[0]
    row = t[0]
    row[0] = row[0] * row[0]
    entry = row[1]
    row[1] = entry * entry
    row.__setitem__(1, 7.0)
    np.testing.assert_array_equal(row.data, [16, 7])
    np.testing.assert_array_equal(t.data, [[4, 1], [1, 1]])


def test_whole_numbers_take_no_tracked_value():
    t = ad.Tensor([1, 2], requires_grad=False)
    with pytest.raises(ad.errors.KindError, match="lost silently"):
        t[0] = ad.Tensor([3.0])[0]
    np.testing.assert_array_equal(t.data, [1, 2])


def test_outside_of_a_checkpoint_nothing_is_assigned():
    y = ad.Tensor([1.0, 2.0]) * 2

    def f(y):
        y[0] = 3.0
        return y * y

    with pytest.raises(ad.errors.TapeError, match=r"inside checkpoint\(\)"):
        ad.checkpoint(f)(y)
    np.testing.assert_array_equal(ad.grad(ad.checkpoint(lambda x: f(x * 1).sum()))(np.array([1.0, 2.0])), [0, 4])


@pytest.mark.parametrize("tracked", [False, True])
def test_vmap_that_assigns_outside_is_a_loop(tracked):
    x = ad.Tensor([1.0, 2.0], requires_grad=tracked)
    y = x * 1

    def f(i):
        y[0] = i * 2
        return y.sum()

    np.testing.assert_array_equal(getattr(z := ad.vmap(f)(np.arange(3.0)), "numpy", lambda: z)(), [2, 4, 6])
    np.testing.assert_array_equal(y.data, [4, 2])


def test_numpy_functions_that_write():
    t = ad.Tensor([1.0, 2.0]) * 1
    np.put(a=t, ind=[0], v=9.0)
    np.testing.assert_array_equal(t.data, [9, 2])
    a = np.ones(2)
    with pytest.raises(ad.errors.UnsupportedError, match="lose its gradient"):
        np.put(a, [0], t[0])
    np.put(a, [0], t.detach()[0])
    np.testing.assert_array_equal(a, [9, 1])
