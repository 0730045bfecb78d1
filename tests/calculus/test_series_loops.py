"""Power series of ops that stand for loops: against those of the loops, and against closed forms."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.calculus.series import Sweep
from autodiff.calculus.taylor import taylor
from autodiff.ops.recurrent import linear_recurrence
from autodiff.ops.scan import recurrence

A = np.array([[2.0, 5.0, -3.0], [1.0, -4.0, 6.0], [0.0, 3.0, 8.0]]) / 7
B = np.array([[1.0, 4.0, 2.0], [-6.0, 3.0, 0.0], [5.0, 1.0, -2.0]]) / 7


def by_loop(t, step):
    """Of y = step(t, i, y before), three times."""
    y, rows = 0 * t * A[:1], []
    for i in range(3):
        y = step(t, i, y)
        rows.append(y)
    return ad.stack(rows)


def exponential(t):
    """The power series of the exponential of t A + t^2 B, up to what a float holds."""
    x = t * A + t * t * B
    y = term = np.eye(3) + 0 * x
    for k in range(1, 40):
        term = term @ x / k
        y = y + term
    return y


LOOPS = {
    "running product": (
        lambda t: ad.cumprod(ad.sin(t * A) - 0.5 * t, 0),
        lambda t: ad.stack([ad.prod((ad.sin(t * A) - 0.5 * t)[: k + 1], 0) for k in range(3)]),
    ),
    "running product of all": (
        lambda t: ad.cumprod((t - 0.5) * A + B),  # one factor is 0 at 0.5
        lambda t: ad.stack([ad.prod(ad.reshape((t - 0.5) * A + B, -1)[: k + 1]) for k in range(9)]),
    ),
    "scan": (
        lambda t: recurrence(ad.sin(t * A[:, None]), ad.cos(t * B[:, None]), 0),
        lambda t: by_loop(t, lambda t, i, y: ad.sin(t * A[i : i + 1]) * y + ad.cos(t * B[i : i + 1])),
    ),
    "linear recurrence": (
        lambda t: linear_recurrence(ad.sin(t * A[:, None]), ad.exp(t * B[:, None]), t * A + B),
        lambda t: by_loop(t, lambda t, i, y: ad.exp(t * B[i : i + 1]) * (ad.sin(t * A[i : i + 1]) + y @ (t * A + B).T)),
    ),
    "linear recurrence backwards": (
        lambda t: linear_recurrence(ad.sin(t * A[::-1, None]), ad.exp(t * B[::-1, None]), t * A + B, backwards=True),
        lambda t: by_loop(t, lambda t, i, y: ad.exp(t * B[i : i + 1]) * (ad.sin(t * A[i : i + 1]) + y @ (t * A + B)))[
            ::-1
        ],
    ),
    "linear recurrence of constant factors": (
        lambda t: linear_recurrence(A[:, None], B[:, None], ad.exp(t) * B),
        lambda t: by_loop(t, lambda t, i, y: B[i : i + 1] * (A[i : i + 1] + y @ (ad.exp(t) * B).T)),
    ),
    "recurrent layer": (
        lambda t: ad.tanh_recurrence(ad.sin(t * A[:, None]), t * B, 0 * t * B[:1]),
        lambda t: by_loop(t, lambda t, i, y: ad.tanh(ad.sin(t * A[i : i + 1]) + y @ (t * B).T)),
    ),
    "exponential": (lambda t: ad.expm(t * A + t * t * B), exponential),
}


@pytest.mark.parametrize("name", LOOPS)
def test_ops_that_stand_for_loops_are_those_loops(name):
    f, loop = LOOPS[name]
    found, right = taylor(f, 0.5, 12), taylor(loop, 0.5, 12)
    for c, exact in zip(found, right, strict=True):
        np.testing.assert_allclose(c, exact, rtol=1e-12, atol=1e-13 * np.abs(exact).max())


@pytest.mark.parametrize("name", LOOPS)
def test_gradients_of_their_coefficients(name):
    """In both modes: the derivative of c_3 is 4 c_4."""
    f = LOOPS[name][0]
    third = lambda t: taylor(f, t, 3)[3]  # noqa: E731
    right = 4 * taylor(f, 0.5, 4)[4]
    np.testing.assert_allclose(ad.jvp(third, (0.5,), (1.0,))[1], right, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(ad.jacobian(third)(0.5), right, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_exponentials_along_lines_of_any_size(size):
    """exp(-A + t s B), with s = size: coefficient k is that for s = 1, times s^k; B A = A B, so that it is known."""
    b = A @ A
    c = taylor(lambda t: ad.expm(-A + t * size * b), 0.0, 10)
    right = ad.expm(-A)
    for k in range(11):
        np.testing.assert_allclose(c[k] / size**k, right, rtol=1e-11, atol=1e-13 * np.abs(right).max())
        right = right @ b / (k + 1)
    batch = taylor(lambda t: ad.expm(ad.stack([A, size * b]) * t), 0.0, 3)
    np.testing.assert_allclose(batch[3], [A @ A @ A / 6, size**3 * b @ b @ b / 6], rtol=1e-12)


@pytest.mark.parametrize("name", LOOPS)
def test_a_higher_order_takes_no_more_series(name, monkeypatch):
    sweeps = []
    begin = Sweep.__init__
    monkeypatch.setattr(Sweep, "__init__", lambda self, *args: (sweeps.append(self), begin(self, *args))[1])
    for order in (6, 24):
        taylor(LOOPS[name][0], 0.5, order)
    assert len(sweeps[0]) == len(sweeps[1])
