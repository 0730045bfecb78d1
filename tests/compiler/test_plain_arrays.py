"""Plain arrays in a compiled function: written in place, seen under two names, asked what they are."""

import numpy as np
import pytest
from alike import assert_same

import autodiff as ad
from autodiff.core.errors import CompileError

A, B = np.random.default_rng(0).normal(size=(2, 3, 4))
outside = np.zeros(4)
view = outside[1:]


def under_two_names(x):
    y = x * 2
    z = y
    y += 1
    return z


def summed_up(x):
    s = 0
    for k in range(3):
        s += x * k
    y = x + 0
    y /= 2
    y -= x
    y **= 2
    y @= np.eye(4)
    return s, y


def truths(x):
    y = x > 0
    y &= x < 1
    y |= x > 3
    return y


def rows(x):
    y = x * 2
    y[0] += 1
    y[1] *= 3
    y[:, 1] -= x[:, 0]
    y[2] = y[1]
    y[...] += 2
    return y


def rows_apart(x):
    y = x * 2
    r = y[0]
    y[1] = 5
    return r, y


def sorted_in_place(x):
    y = x.copy()
    y.sort(axis=0)
    z = y.copy()
    z.fill(2.0)
    return y, z


def single_numbers(x):
    s = x.sum()
    s += 1
    t = s
    s *= 2
    return s, t


def constants_written_between(x):
    y = np.zeros((3, 4))
    z = x * y
    y[0] = 100
    z = z + x * y
    y += 1
    return z + y


@pytest.mark.parametrize(
    "f",
    [
        under_two_names,
        summed_up,
        truths,
        rows,
        rows_apart,
        sorted_in_place,
        single_numbers,
        constants_written_between,
    ],
)
@pytest.mark.parametrize("of", [np.array, ad.Tensor, lambda x: ad.Tensor(x, requires_grad=False)])
def test_writing_in_place(f, of, never_eagerly):
    compiled = ad.compile(f)
    for x in (A, B):
        assert_same(compiled(of(x)), f(of(x)))


def test_what_does_not_fit_says_what_numpy_says():
    def f(x):
        y = x * 1
        y += 1.5j
        return y

    with pytest.raises(TypeError, match="Cannot cast ufunc 'add' output"):
        ad.compile(f)(A)


def into_a_view(x):
    y = x * 2
    y[0][1] = 5
    return y


def by_a_view(x):
    y = x * 2
    r = y[0]
    r += 1
    return y


def a_view_after_that(x):
    y = x * 2
    r = y.T
    y[0] = 1
    return r


def row_by_row(x):
    y = x * 1
    for r in y:
        r += 1
    return y


def overlapping(x):
    y = x + 1
    a = y[:2]
    a *= 2
    return y[1:] + 0, a


@pytest.mark.parametrize("f", [into_a_view, by_a_view, a_view_after_that, row_by_row, overlapping])
def test_a_view_of_an_array_that_was_written_into(f):
    with pytest.raises(CompileError, match="shares memory with an array that was assigned into"):
        ad.compile(f)(A)


def an_argument(x):
    x *= 2
    return x


def a_view_of_an_argument(x):
    y = x.T
    y[0] = 3
    return y


@pytest.mark.parametrize("f", [an_argument, a_view_of_an_argument])
def test_arguments_are_not_written_into(f):
    x = A.copy()
    with pytest.raises(CompileError, match=r"was assigned into while compiling .*x\.copy\(\)"):
        ad.compile(f)(x)
    np.testing.assert_array_equal(x, A)


def test_a_tensor_that_nothing_holds():
    for x in (ad.Tensor(A), ad.Tensor(A, requires_grad=False)):
        with pytest.raises(CompileError, match=r"nothing holds it, so the assignment would be lost"):
            ad.compile(into_a_view)(x)


def write(x):
    outside[0] = 5.0
    return x * outside


def write_what_is_computed(x):
    view[...] = x[0, 1:]
    return x


def write_by_a_ufunc(x):
    np.add(outside, 1, out=outside)
    return x


@pytest.mark.parametrize("f", [write, write_what_is_computed, write_by_a_ufunc])
def test_arrays_from_outside_are_not_written_into(f):
    with pytest.raises(CompileError, match=r"test_plain_arrays.py:\d+: .*(outside|view)"):
        ad.compile(f)(A)
    np.testing.assert_array_equal(outside, np.zeros(4))
    assert outside.flags.writeable
    assert view.flags.writeable


def test_arrays_from_outside_can_be_written_into_again():
    def fails(x):
        raise ValueError(str(view.sum() + outside.sum()))

    with pytest.raises(ValueError, match=r"^0\.0"):
        ad.compile(fails)(A)
    assert outside.flags.writeable
    assert view.flags.writeable
    fixed = np.zeros(3)
    fixed.flags.writeable = False
    np.testing.assert_array_equal(ad.compile(lambda x: x + fixed)(np.ones(3)), np.ones(3))
    assert not fixed.flags.writeable


KINDS = {
    "tensor": lambda x: x * 2 if isinstance(x, ad.Tensor) else x * 3,
    "array": lambda x: x * 2 if isinstance(x, np.ndarray) else x * 3,
    "number": lambda x: x * 2 if isinstance(x, float) else x * 3,
    "scalar of numpy": lambda x: x * 2 if isinstance(ad.sum(x), np.floating) else x * 3,
    "one of several": lambda x: x * 2 if isinstance(x, (ad.Tensor, ad.Value)) else x * 3,
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("x", [A, ad.Tensor(A), 2.0, np.float64(2.0), np.float32(2.0), ad.Value(2.0)])
def test_asking_for_the_kind(name, x):
    assert_same(ad.compile(KINDS[name])(x), KINDS[name](x))
    assert "isinstance" not in globals()
