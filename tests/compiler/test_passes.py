"""Each pass on a program small enough to read: what it was, what it becomes."""

import operator

import numpy as np
import pytest
from alike import assert_same

from autodiff.compiler.passes import (
    drop_dead,
    drop_no_ops,
    fold_constants,
    promise_less,
    share_equal_lines,
    simplify,
    spell_plainly,
)
from autodiff.compiler.program import Function, Instruction, Program, substitute, var_like

M = np.arange(6.0).reshape(2, 3) + 1
draw = Function("named", "draw", lambda x: x * np.random.default_rng(0).random(x.shape), pure=False)


class Writing:
    """Writes a program down line by line, as ``w.add(a, b)``."""

    def __init__(self, **inputs):
        self.values = {var_like(value, name): value for name, value in inputs.items()}
        self.inputs = list(self.values)
        self.instructions = []

    def call(self, function, *args, **options):
        given, chosen = substitute((args, options), self.values.__getitem__)
        result = function.call(*given, **chosen)
        out = var_like(result, function.name)
        self.values[out] = result
        self.instructions.append(Instruction(function, args, options, out))
        return out

    def __getattr__(self, name):
        return lambda *args, **options: self.call(Function("ufunc", name, getattr(np, name)), *args, **options)

    def program(self, *outputs, **options):
        return Program(self.inputs, self.instructions, list(outputs), **options)


def method(name):
    return Function("method", name, lambda a, *args, **options: getattr(a, name)(*args, **options))


def numpy(name):
    return Function("numpy", name, getattr(np, name))


T = Function("attribute", "T", operator.attrgetter("T"))


def lines(program):
    return [i.function.name for i in program.instructions]


def keeps(change, program, *args):
    """The program that a pass makes, which must give the same."""
    new = change(program)
    assert_same(new.run(*args), program.run(*args))
    return new


def test_drop_dead():
    w = Writing(x=M)
    y = w.exp(x := w.inputs[0])
    w.sin(w.cos(x))
    z = w.tanh(y)
    w.log(y)
    assert lines(keeps(drop_dead, w.program(z, y), M)) == ["exp", "tanh"]


def test_drop_dead_forgets_promises_of_what_is_gone_and_moves_the_split():
    w = Writing(x=M)
    y = w.exp(w.inputs[0])
    gone = w.cos(y)
    z = w.tanh(y)
    new = drop_dead(w.program(y, z, split=2, results=1, finite=[y, gone]))
    assert (new.split, new.finite) == (1, [y])


def test_fold_constants():
    w = Writing(x=M)
    k = w.exp(w.add(1.0, 2.0))
    y = w.multiply(w.inputs[0], k)
    new = keeps(fold_constants, w.program(y, k), M)
    assert lines(new) == ["multiply"]
    assert new.instructions[0].args[1] == new.outputs[1] == np.exp(3.0)


def test_what_draws_is_neither_folded_nor_shared():
    w = Writing(x=M)
    first, second = w.call(draw, np.ones(3)), w.call(draw, np.ones(3))
    program = w.program(w.add(first, second))
    assert lines(simplify(program)) == ["draw", "draw", "add"]


def test_share_equal_lines():
    w = Writing(x=M)
    x = w.inputs[0]
    a, b = w.exp(x), w.exp(x)
    c, d = w.multiply(a, 2.0), w.multiply(b, 2.0)
    new = keeps(share_equal_lines, w.program(w.add(c, d), b), M)
    assert lines(new) == ["exp", "multiply", "add"]
    assert new.outputs[1] is a


@pytest.mark.parametrize(
    ("a", "b"),
    [(0.0, -0.0), (1, 1.0), (1, True), (np.float32(1), 1.0), (np.ones(3), np.ones(3)), (1.0, 1 + 0j), ([1], (1,))],
)
def test_lines_with_constants_that_are_not_the_same_are_not_shared(a, b):
    w = Writing(x=M)
    call = Function("named", "pair", lambda x, k: x * 0 + repr(k).count("1"))
    c, d = (w.call(call, w.inputs[0], k) for k in (a, b))
    assert lines(share_equal_lines(w.program(c, d))) == ["pair", "pair"]


def test_functions_of_one_name_are_not_shared():
    w = Writing(x=M)
    for call in (np.exp, np.log):
        w.call(Function("named", "f", call), w.inputs[0])
    assert len(share_equal_lines(w.program(*[i.out for i in w.instructions])).instructions) == 2


NO_OPS = {
    "x * 1": lambda w, x: w.multiply(x, 1),
    "1.0 * x": lambda w, x: w.multiply(1.0, x),
    "x * ones": lambda w, x: w.multiply(x, np.ones(3)),
    "x + 0": lambda w, x: w.add(x, 0.0),
    "zeros + x": lambda w, x: w.add(np.zeros((2, 3)), x),
    "x - 0": lambda w, x: w.subtract(x, 0),
    "x / 1": lambda w, x: w.divide(x, 1),
    "+x": lambda w, x: w.positive(x),
    "x.T.T": lambda w, x: w.call(T, w.call(T, x)),
    "x.reshape": lambda w, x: w.call(method("reshape"), x, (2, 3)),
    "x.astype": lambda w, x: w.call(method("astype"), x, np.dtype(float)),
    "x.transpose": lambda w, x: w.call(method("transpose"), x, (0, 1)),
    "broadcast_to": lambda w, x: w.call(numpy("broadcast_to"), x, (2, 3)),
}


@pytest.mark.parametrize("name", NO_OPS)
def test_drop_no_ops(name):
    w = Writing(x=M)
    y = NO_OPS[name](w, w.inputs[0])
    new = drop_dead(keeps(drop_no_ops, w.program(w.exp(y)), M))
    assert lines(new) == ["exp"]


OPS = {
    "0 - x": lambda w, x: w.subtract(0, x),
    "1 / x": lambda w, x: w.divide(1, x),
    "x * 1 in another shape": lambda w, x: w.multiply(x, np.ones((4, 2, 3))),
    "x + 0 in another dtype": lambda w, x: w.add(x, 0j),
    "x * 2": lambda w, x: w.multiply(x, 2),
    "x * nothing": lambda w, x: w.multiply(x, np.ones((0, 1, 3))),
    "x.T": lambda w, x: w.call(T, x),
    "x + 0 where": lambda w, x: w.add(x, 0.0, where=np.array([True, True, True]), out=np.zeros((2, 3))),
    "x.T.T of two kinds": lambda w, x: w.call(T, w.call(method("transpose"), x, (1, 0))),
}


@pytest.mark.parametrize("name", OPS)
def test_what_changes_something_stays(name):
    w = Writing(x=M)
    y = OPS[name](w, w.inputs[0])
    before = w.program(w.exp(y))
    assert lines(keeps(drop_no_ops, before, M)) == lines(before)


def test_spell_plainly():
    w = Writing(x=M, y=M.T.copy())
    x, y = w.inputs
    outputs = [
        w.call(numpy("sum"), x, axis=0, keepdims=True),
        w.call(method("max"), x, 1),
        w.call(numpy("prod"), x),
        w.call(numpy("transpose"), x),
        w.matmul(x, y),
        w.call(method("dot"), x, y),
    ]
    new = keeps(spell_plainly, w.program(*outputs), M, M.T.copy())
    spelt = [(i.function.kind, i.function.name) for i in new.instructions]
    assert spelt[:4] == [("reduce", "add"), ("reduce", "maximum"), ("reduce", "multiply"), ("attribute", "T")]
    assert spelt[4][1] == spelt[5][1] == "dot"


@pytest.mark.parametrize("dtype", [bool, np.int8, np.float16])
def test_reductions_that_numpy_widens_keep_their_dtype(dtype):
    x = np.ones((2, 3), dtype)
    w = Writing(x=x)
    outputs = [w.call(numpy(name), w.inputs[0], axis=0) for name in ("sum", "prod", "max", "min")]
    keeps(spell_plainly, w.program(*outputs), x)


def test_promise_less():
    """What an infinity would have spread to stands for it: a number instead of a matrix."""
    w = Writing(x=M)
    y = w.exp(w.inputs[0])
    z = w.multiply(y, 3.0)
    total = w.call(Function("reduce", "add", np.add.reduce), z, axis=None)
    assert promise_less(w.program(total, finite=[y, z])).finite == [total]


def test_promise_less_asks_only_of_the_last_of_a_chain():
    """What spreads to a variable that is asked of anyway need not be asked of, even if it is smaller."""
    w = Writing(x=M, row=M[0])
    small = w.exp(w.inputs[1])
    large = w.multiply(small, w.inputs[0])
    other = w.exp(w.inputs[1])
    program = w.program(large, w.tanh(other), finite=[small, large, other])
    assert promise_less(program).finite == [large, other]


def test_promise_less_does_not_pass_what_may_swallow_an_infinity():
    w = Writing(x=M)
    y = w.exp(w.inputs[0])
    z = w.tanh(y)
    total = w.call(Function("reduce", "add", np.add.reduce), z, axis=None)
    assert promise_less(w.program(total, finite=[y])).finite == [y]
