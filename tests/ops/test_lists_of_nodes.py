"""Lists with nodes in them stand for the array that they would make, as lists of numbers do."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

X, Y = np.array([0.4, -1.2]), np.array([2.5, 0.3])

OPS = {
    "mean": lambda rows: ad.mean(rows, axis=0),
    "exp": ad.exp,
    "power": lambda rows: ad.power(2.0, rows),
    "where": lambda rows: ad.where([[True], [False]], rows, 0.0),
    "matmul": lambda rows: ad.matmul(rows, [1.0, 2.0]),
    "std": ad.std,
    "cumsum": lambda rows: ad.cumsum(rows, -1),
    "sort": lambda rows: ad.sort(rows, 0),
    "reshape": lambda rows: ad.reshape(rows, -1),
    "atleast_3d": ad.atleast_3d,
    "astype": lambda rows: ad.astype(rows, complex),
    "tile": lambda rows: ad.tile(rows, 2),
    "repeat": lambda rows: ad.repeat(rows, [1, 2], 1),
    "resize": lambda rows: ad.resize(rows, (3, 2)),
    "clip": lambda rows: ad.clip(rows, 0.0, 2.0),
    "clip below a list": lambda rows: ad.clip(np.ones((2, 2)), None, rows),
    "float_power": lambda rows: ad.float_power(2.0, rows),
    "pad": lambda rows: ad.pad(rows, 1, "edge"),
    "fill_diagonal": lambda rows: ad.fill_diagonal(rows, 0.0),
    "broadcast_arrays": lambda rows: list(ad.broadcast_arrays(rows, np.zeros((2, 1, 1)))),
    "full_like": lambda rows: ad.full_like(np.zeros((3, 2, 2)), rows),
    "append": lambda rows: ad.append(rows, rows),
    "concatenate": lambda rows: ad.concatenate([rows, rows], 1),
    "stack": lambda rows: ad.stack([rows, rows], -1),
    "linspace": lambda rows: ad.linspace(0.0, rows, 3),
    "linalg.norm": lambda rows: ad.linalg.norm(rows, axis=1),
    "angle": ad.angle,
    "fft": lambda rows: ad.fft.fftn(rows),
}


@pytest.mark.parametrize("f", OPS.values(), ids=OPS)
def test_a_list_of_rows_is_their_matrix(f):
    check_gradients(lambda x, y: f([x, y]), X, Y, order=1)
    check_gradients(lambda a, b: f([[a, 1.5], (b, a)]), 0.4, 2.5, order=1)
    of_list, of_array = f([ad.Tensor(X), Y]), f(np.stack([X, Y]))
    for found, expected in zip(*((y if isinstance(y, list) else [y]) for y in (of_list, of_array)), strict=True):
        np.testing.assert_allclose(found.data, expected)


def test_rows_that_do_not_fit():
    with pytest.raises(ValueError):
        ad.sum([ad.Tensor(X), [ad.Tensor(1.0)]])


def test_untracked_nodes_and_other_kinds_of_number():
    from fractions import Fraction

    total = ad.sum([ad.Value(Fraction(1, 2)), 1])
    total.backward()
    assert total.item() == 1.5
    assert ad.sum([ad.Tensor(X, requires_grad=False), Y]).requires_grad is False


@pytest.mark.parametrize(
    "f",
    [
        lambda r, c, x: r[x, 0, 1:3, [2.5, 3.5], 0:1:3j],
        lambda r, c, x: r["0,2", x, [1, 2]],
        lambda r, c, x: r["-1,3,1", x, x],
        lambda r, c, x: r["1,2,0", x, x],
        lambda r, c, x: c[x, [1, 2], 0:2],
        lambda r, c, x: c[np.ones((2, 3)), x],
        lambda r, c, x: r["1", x[None], x[None]],
    ],
)
def test_brackets_that_join(f):
    x = np.array([0.4, -1.2])
    np.testing.assert_array_equal(f(ad.r_, ad.c_, ad.Tensor(x)).data, f(np.r_, np.c_, x))
    np.testing.assert_array_equal(f(ad.r_, ad.c_, x), f(np.r_, np.c_, x))
    check_gradients(lambda x: f(ad.r_, ad.c_, x), x)
    assert ad.r_[ad.Tensor(np.float32(x)), 1].dtype == np.float32
    with pytest.raises(TypeError, match="string of numbers"):
        ad.r_["r", ad.Tensor(x)]
