"""Large constants of one number become narrow, where broadcasting makes up for it, and nothing else changes."""

import numpy as np
import pytest
from alike import assert_same
from programs import captured, printed

import autodiff as ad
from autodiff.compiler.passes import narrow_constants, simplify
from autodiff.compiler.program import Function, Instruction, Program, var_like

ADD, JOIN = Function("ufunc", "add", np.add), Function("numpy", "concatenate", np.concatenate)


def added(x, constant, function=ADD):
    """``x + constant``, or another function of the two."""
    y = var_like(x, "x")
    args = (y, constant) if function is ADD else ([y, constant],)
    out = var_like(x + constant if function is ADD else np.concatenate([x, constant]), "out")
    return Program([y], [Instruction(function, args, {}, out)], [out])


def narrowed(x, constant, function=ADD):
    """The constant after the pass; results are the same."""
    program = added(x, constant, function)
    changed = narrow_constants(program)
    assert_same(changed.run(x), program.run(x))
    (i,) = changed.instructions
    return i.args[1] if function is ADD else i.args[0][1]


def filled(shape, value=0.0, dtype=np.float64):
    return np.full(shape, value, dtype), np.random.default_rng(0).normal(size=shape).astype(dtype)


def test_the_outer_axes_go():
    constant, x = filled((40, 20, 100))
    assert narrowed(x, constant).shape == (1, 20, 100)
    constant, x = filled((60, 512))
    assert narrowed(x, constant).shape == (1, 512)


def test_the_outer_axes_are_those_of_memory():
    """The batch lies innermost where convolution has worked."""
    constant, x = (a.transpose(3, 0, 1, 2) for a in filled((8, 26, 26, 64), dtype=np.float32))
    found = narrowed(x, constant)
    assert found.shape == (64, 1, 26, 26)
    assert np.moveaxis(found, 0, -1).flags.c_contiguous


@pytest.mark.parametrize("value", [-0.0, np.nan, np.inf, 3.0])
def test_any_number_keeps_its_bits(value):
    constant, x = filled((100, 300), value)
    assert narrowed(x, constant).tobytes() == constant[:1].tobytes()


def test_what_stays():
    constant, x = filled((20, 30))
    assert narrowed(x, constant) is constant  # small
    constant, x = filled((4_000, 10))
    assert narrowed(x, constant) is not None
    assert narrowed(x, constant).shape == constant.shape  # a row is too short
    constant, x = filled((100, 300))
    constant[3, 4] = -0.0
    assert narrowed(x, constant) is constant  # equal, and not the same
    constant, x = filled((100, 300))
    assert narrowed(x[0], constant) is constant  # it gives the result its shape
    assert narrowed(x, constant, JOIN) is constant  # entries do not meet entries


def test_relu_of_much_data():
    """The zeros beside which NumPy finds a maximum fast are one row."""
    x = np.random.default_rng(1).normal(size=(256, 512)).astype(np.float32)
    program = simplify(captured(lambda x: ad.sum(ad.relu(x) ** 2), x))
    constants = [a for i in program.instructions for a in i.args if isinstance(a, np.ndarray)]
    assert constants
    assert max(a.nbytes for a in constants) <= 4 * 512
    args = x + 1, np.float32(1.0)
    assert_same(list(printed(program, *args)), program.run(*args))
