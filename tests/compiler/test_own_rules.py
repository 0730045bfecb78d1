"""Rules of the user's own: the compiler knows nothing of them but what they do."""

import runpy

import numpy as np
import pytest

import autodiff as ad
from autodiff.compiler.passes import promise_less
from autodiff.compiler.program import Function, Instruction, Program, Var

X = np.arange(1.0, 5.0).reshape(2, 2)


def tripled(name):
    """A rule that is called like a function of NumPy's, and triples; the ``try`` keeps it from being followed."""

    def forward(x):
        try:
            return 3 * x
        except ValueError:
            raise

    forward.__name__ = name
    op = ad.custom_rule(forward)
    op.def_vjp(lambda g: 3 * g)
    return op


@pytest.mark.parametrize("name", ["copy", "positive", "reshape", "transpose", "T", "matmul", "zeros_like", "array"])
def test_a_name_of_numpys_means_nothing(name, never_eagerly):
    op = tripled(name)
    w = ad.Tensor(X)
    loss_of = ad.compile(lambda x: ad.sum(op(w * x) * x))
    for x in (np.ones((2, 2)), X):
        w.grad = None
        loss = loss_of(x)
        loss.backward()
        assert loss.item() == 3 * (X * x * x).sum()
        np.testing.assert_array_equal(w.grad, 3 * x * x)


def test_a_ufunc_of_another_library_is_called_as_it_is(never_eagerly):
    double = np.frompyfunc(lambda x: 2.0 * x, 1, 1)

    @ad.custom_rule
    def doubled(x):
        return double(x).astype(float)

    doubled.def_vjp(lambda g: 2.0 * g)
    f = ad.compile(lambda x: doubled(x))
    f(ad.Tensor(np.zeros((2, 2))))
    np.testing.assert_array_equal(f(ad.Tensor(X)).data, 2 * X)


def test_nothing_says_nothing_of_an_infinity():
    """A result without entries is finite whatever it was computed of."""
    given, x, out, total = (
        Var(name, np.ndarray, shape, np.dtype(float), tuple(range(len(shape)))) for name, shape in SHAPES
    )
    made = Instruction(Function("ufunc", "sqrt", np.sqrt), (given,), {}, x)
    spread = Instruction(Function("numpy", "broadcast_to", np.broadcast_to), (x, (0, 3)), {}, out)
    summed = Instruction(Function("reduce", "add", np.add.reduce), (x,), {"axis": None}, total)
    program = Program([given], [made, summed, spread], [out, total], finite=[x])
    assert promise_less(program).finite == [total]


SHAPES = [("given", (3,)), ("x", (3,)), ("out", (0, 3)), ("total", ())]


def test_a_saved_program_has_the_rules_of_its_own(tmp_path):
    op = tripled("trebled")
    f = ad.compile(lambda x: op(x) + 1.0)
    f(X)
    path = f.save(tmp_path / "saved.py")
    assert "autodiff" not in path.read_text().partition('"""')[2].partition('"""')[2]
    (y,) = runpy.run_path(path)["forward"](X)
    np.testing.assert_array_equal(y, 3 * X + 1)
