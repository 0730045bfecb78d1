"""Scalar tapes as machine code: the same numbers, from one function whatever the length of the tape."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import Value
from autodiff.compiler.machine.tape import MachineTape
from autodiff.compiler.scalar.version import LevelVersion


def net(activation, points=12, width=6, seed=0):
    """The loss of a small net on single numbers, and its parameters."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(points, 2)).tolist()
    layers = [
        [[Value(w) for w in rng.normal(size=n + 1).tolist()] for _ in range(m)] for n, m in [(2, width), (width, 1)]
    ]

    def loss_of(scale):
        total = 0
        for x in X:
            h = [activation(sum((w * a for w, a in zip(ws, x)), b)) for *ws, b in layers[0]]
            y = sum((w * a for w, a in zip(layers[1][0], h)), layers[1][0][-1])
            total = total + (y - x[0] * x[1]) ** 2 * scale
        return total / len(X)

    return loss_of, [p for layer in layers for unit in layer for p in unit]


def gradients(loss, parameters):
    for p in parameters:
        p.grad = None
    loss.backward()
    return [p.grad for p in parameters]


def version(compiled):
    (special,) = compiled._special.values()
    return special.fast


ACTIVATIONS = {
    "relu": lambda x: x.relu(),
    "tanh": lambda x: x.tanh(),
    "power": lambda x: abs(x) ** 1.5 / (1 + ad.exp(-x)),
}


@pytest.mark.usefixtures("never_eagerly")
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_net_of_single_numbers(name):
    """Every bit is that of the tape, but for what the C library computes; there a unit in the last place."""
    loss_of, parameters = net(ACTIVATIONS[name])
    compiled = ad.compile(loss_of, backend="numba")
    for scale in (0.5, 1.5):
        found = [compiled(scale).data, *gradients(compiled(scale), parameters)]
        expected = [loss_of(scale).data, *gradients(loss_of(scale), parameters)]
        assert [type(x) for x in found] == [type(x) for x in expected]
        if name == "relu":
            assert list(map(repr, found)) == list(map(repr, expected))
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)
        for p in parameters:
            p.data -= 0.1 * p.grad
    assert isinstance(version(compiled), MachineTape)
    assert "in NumPy and Numba" in compiled.source
    assert len(compiled.source.splitlines()) < 200  # whatever the length of the tape


def test_what_has_no_machine_code_stays_with_numpy():
    """A function of Python's numbers that Numba does not have."""
    loss_of, parameters = net(ad.sigmoid, seed=1)
    compiled = ad.compile(loss_of, backend="numba")
    found = gradients(compiled(1.0), parameters)
    np.testing.assert_allclose(found, gradients(loss_of(1.0), parameters), rtol=1e-13)
    assert isinstance(version(compiled), LevelVersion)


def test_an_overflow_is_left_to_the_tape_itself():
    loss_of, parameters = net(ACTIVATIONS["tanh"])
    compiled = ad.compile(loss_of, backend="numba")
    compiled(1.0)
    loss = compiled(1e308)
    expected = loss_of(1e308)
    assert loss.data == expected.data
    assert repr(gradients(loss, parameters)) == repr(gradients(expected, parameters))
