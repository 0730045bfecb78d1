"""A compiled function is a drop-in: the same arguments, results of the same kinds, the same errors."""

import collections
import dataclasses
import functools
import logging
from fractions import Fraction

import numpy as np
import pytest
from alike import assert_same, moved, outline, swept

import autodiff as ad
from autodiff.core.errors import CompileError, StaleDataError

Pair = collections.namedtuple("Pair", "p q")


@dataclasses.dataclass
class Point:
    x: object
    y: object
    n: int = 3


A = np.random.default_rng(0).normal(size=(3, 4))
B = moved(A)
v = np.random.default_rng(1).normal(size=4)


def compare(f, *calls):
    """Call ``f`` and its compiled form with each of some arguments; the later ones run what the first compiled."""
    compiled = ad.compile(f)
    for args in calls:
        assert_same(compiled(*args), f(*args))


ARRAYS_IN = {
    "array": lambda x: ad.tanh(x) * 2,
    "NumPy scalar": lambda x: ad.sum(x),
    "several kinds": lambda x: (ad.sum(x), x[0], ad.mean(x, axis=0), ad.max(x), x.shape[0], None),
    "NumPy's functions": lambda x: np.mean(np.sin(x) ** 2) + np.linalg.norm(x) + np.concatenate([x, x]).sum(),
    "methods": lambda x: x.sum(axis=0).mean() + x.max(),
    "comparison": lambda x: (x > 0, ad.argmax(x, axis=0)),
    "assignment into what was computed": lambda x: assigned(x * 2, x),
    "its argument": lambda x: x,
    "nothing": lambda x: None,
    "a constant": lambda x: 3.0,
    "a text among numbers": lambda x: {"a": "x", "b": None, "c": (1, x * 2)},
    "views": lambda x: (x.T, x.T, x[0], x[None]),
    "a dict and a dataclass": lambda x: {"a": Point(x * 2, None), "b": Pair([x], 5)},
}


def assigned(y, x):
    y[0] = x[1]
    y[1, 2] = 5.0
    return y


ORDERED = {"several kinds", "comparison", "methods"}  # complex numbers have no order


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "complex128", "int64"])
@pytest.mark.usefixtures("never_eagerly")
def test_arrays_in_arrays_out(dtype):
    x = (A * 3).astype(dtype)
    for name, f in ARRAYS_IN.items():
        if dtype != "complex128" or name not in ORDERED:
            compare(f, (x,), (x[::-1].copy(),), (x[::-1],), (np.asfortranarray(x),))


NUMBERS = {
    "float": (1.5, 2.5),
    "NumPy float": (np.float64(1.5), np.float64(2.5)),
    "NumPy float32": (np.float32(1.5), np.float32(2.5)),
    "complex": (1 + 2j, 2 - 1j),
    "int": (2, 3),
    "NumPy int": (np.int64(2), np.int64(3)),
    "0-d": (np.array(1.5), np.array(2.5)),
    "fraction": (Fraction(1, 3), Fraction(2, 3)),
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.usefixtures("never_eagerly")
def test_numbers_keep_their_kind_alone_and_beside_arrays(name):
    x, y = NUMBERS[name]
    compare(lambda x: x * 2 + x * x, (x,), (y,))
    if name != "fraction":
        for dtype in (np.float64, np.float32):
            compare(lambda x, a: (x * a, a + x, a / x, ad.sum(a) * x), (x, v.astype(dtype)), (y, B[0].astype(dtype)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.usefixtures("never_eagerly")
def test_a_number_that_varies_is_not_compiled_in(dtype):
    def f(x, s):
        return ad.sum((x * s + s) ** 2 / s - s + ad.where(x > s, x, s) + ad.maximum(x, s) + ad.sin(s) * x)

    compiled = ad.compile(f)
    for s in (1.5, 2.5, 3.5):
        assert_same(swept(compiled, ad.Tensor(A.astype(dtype)), s), swept(f, ad.Tensor(A.astype(dtype)), s))
    assert compiled.source.count("def make") == 1


@pytest.mark.parametrize("numbers", [(2.0, 3.0), (2, 3), (Fraction(1, 3), Fraction(5, 7)), (1 + 2j, 2 - 1j)])
@pytest.mark.usefixtures("never_eagerly")
def test_a_number_on_the_tape(numbers):
    compiled = ad.compile(lambda x: x * x * x - x)
    for number in numbers:
        x = ad.Value(number)
        y = compiled(x)
        y.backward(1)
        expected = ad.Value(number)
        (expected * expected * expected - expected).backward(1)
        assert_same((y.data, x.grad), (number * number * number - number, expected.grad))


@pytest.mark.usefixtures("never_eagerly")
def test_arguments_of_all_structures():
    def f(pair, point, *rest, scale=2.0, flip=False, **more):
        total = ad.sum(pair.p * pair.q) + ad.sum(point.x * point.y) * point.n + sum(rest) * scale
        return -total if flip else total + sum(more.values())

    compiled = ad.compile(f)
    for args, options in [
        ((Pair(A, v), Point(A, v)), {}),
        ((Pair(v, A), Point(v, A)), {}),
        ((Pair(A, v), Point(A, v, 4)), {"flip": True}),
        ((Pair(A, v), Point(A, v), 1.0, np.float32(2)), {"scale": 3.0}),
        ((Pair(A, v), Point(A, v), 5.0, np.float32(7)), {"scale": 4.0}),
        ((Pair(A, v), Point(A, v)), {"a": 1.0, "b": 2}),
        ((Pair(A, v), Point(A, v)), {"b": 1.0, "a": 2}),
    ]:
        assert_same(compiled(*args, **options), f(*args, **options))


def test_arguments_that_are_compiled_in():
    compare(lambda x, how: getattr(ad, how)(x), (v, "sin"), (v, "cos"))
    compare(lambda x, h: h(x), (v, ad.sin), (v, ad.cos))
    compare(lambda x, s: x[s], (v, slice(1, 3)), (v, slice(0, 2)), (v, Ellipsis), (v, None), (v, -1))
    compare(lambda x, b=None: x if b is None else x * b, (v,), (v, None), (v, 2.0), (v, True))
    compare(lambda x, n: x * n, (v, 1), (v, True), (v, 1.0))  # equal keys of other kinds


def test_arguments_of_other_layouts_and_sizes():
    def f(x):
        return ad.sum(ad.tanh(x @ x.T) * 2, axis=0)

    compiled = ad.compile(f)
    for x in (A, np.asfortranarray(A), A[::-1, ::-1], A[:, ::2], A[:0], A[:, :0], np.broadcast_to(v, (3, 4))):
        assert_same(swept(compiled, ad.Tensor(x)), swept(f, ad.Tensor(x)))


@pytest.mark.usefixtures("never_eagerly")
def test_which_results_are_tracked():
    def f(x, w):
        with ad.no_grad():
            off = ad.sum(x * w)
        return x * w, off, x.detach() * 2, x > w, ad.stop_gradient(w)

    for tracked in [(True, True), (True, False), (False, False)]:
        args = [ad.Tensor(a, requires_grad=t) for a, t in zip((A, v), tracked, strict=True)]
        compare(f, args, [ad.Tensor(moved(x.data), requires_grad=x.requires_grad) for x in args])
    with ad.no_grad():
        compare(f, (ad.Tensor(A), ad.Tensor(v)), (ad.Tensor(A), ad.Tensor(v)))


def test_inside_no_grad_and_outside_are_two_programs():
    compiled = ad.compile(lambda x: ad.sum(ad.sin(x)))
    x = ad.Tensor(A)
    with ad.no_grad():
        assert not compiled(x).requires_grad
    compiled(x).backward()
    np.testing.assert_array_equal(x.grad, np.cos(A))


CALLABLES = {
    "a partial": lambda w: functools.partial(lambda w, x: ad.sum(ad.sin(w * x)), w),
    "a bound method": lambda w: Holder(w).loss,
    "an object": lambda w: Holder(w),
    "a closure": lambda w: lambda x: ad.sum(ad.sin(w * x)),
    "a decorated function": lambda w: functools.wraps(np.sin)(lambda x: ad.sum(ad.sin(w * x))),
}


class Holder:
    def __init__(self, w):
        self.w = w

    def loss(self, x):
        return ad.sum(ad.sin(self.w * x))

    __call__ = loss


@pytest.mark.parametrize("kind", CALLABLES)
@pytest.mark.usefixtures("never_eagerly")
def test_callables_of_all_kinds(kind):
    w = ad.Tensor(v.copy())
    compiled = ad.compile(CALLABLES[kind](w))
    for x in (A, moved(A)):
        w.grad = None
        loss = compiled(x)
        loss.backward()
        np.testing.assert_allclose(w.grad, np.sum(np.cos(v * x) * x, axis=0), rtol=1e-14)
        assert loss.item() == np.sum(np.sin(v * x))


def test_compile_as_a_decorator_and_of_what_is_compiled():
    @ad.compile
    def f(x):
        """Double."""
        return 2 * x

    assert (f.__name__, f.__doc__) == ("f", "Double.")
    assert ad.compile(f) is f
    np.testing.assert_array_equal(f(v), 2 * v)
    with pytest.raises(ad.AutodiffError, match="compile was given a int; it takes a function"):
        ad.compile(3)


def test_recursion_and_generators():
    def nested(x, n):
        return x if n == 0 else ad.sin(nested(x, n - 1))

    compare(nested, (v, 3), (v, 5), (2 * v, 3))
    compare(lambda xs: sum(ad.sum(x * k) for k, x in enumerate(xs)), ([v, v + 1],), ((v, 2 * v, 3 * v),))


def test_a_branch_on_numbers_is_refused_with_its_line():
    def f(x):
        if ad.sum(x) > 0:
            return x
        return -x

    line = r"the truth of .* while compiling \(test_compiled.py:\d+: if ad.sum\(x\) > 0"
    with pytest.raises(CompileError, match=line) as e:
        ad.compile(f)(ad.Tensor(A))
    assert "Write ad.where(condition, a, b) instead of if" in str(e.value)
    for read in (float, lambda x: x.item(), lambda x: x.tolist(), lambda x: x.data, int, lambda x: x.backward()):
        with pytest.raises(CompileError, match=r"It depends on the numbers|Compile the function that returns the loss"):
            ad.compile(lambda x, read=read: read(ad.sum(x)))(ad.Tensor(A))


def test_what_was_computed_outside_is_refused():
    z = ad.Tensor(v) * 2
    with pytest.raises(CompileError, match="was computed outside of the function that is being compiled"):
        ad.compile(lambda x: ad.sum(z * x))(A)


ERRORS = {
    "singular": (lambda x: ad.sum(ad.linalg.inv(x)), np.eye(3) * 2, np.ones((3, 3))),
    "index": (lambda x: ad.ravel(x)[x.astype(int)], np.zeros((2, 2)), np.full((2, 2), 9.0)),
    "zero": (lambda x: 1 / x, 2.0, 0.0),
    "domain": (lambda x: ad.log(x), 2.0, -1.0),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_those_of_the_function(name):
    f, good, bad = ERRORS[name]
    compiled = ad.compile(f)
    compiled(good)

    def outcome(f):
        try:
            return outline(f(bad))
        except Exception as error:
            return type(error), str(error)

    assert outcome(compiled) == outcome(f)
    assert_same(compiled(good), f(good))


def test_a_changed_parameter_makes_a_loss_stale():
    w = ad.Tensor(v.copy())
    compiled = ad.compile(lambda x: ad.sum(ad.tanh(x @ w)))
    loss = compiled(A)
    w.data = 2 * v
    with pytest.raises(StaleDataError, match="was changed after"):
        loss.backward()
    compiled(A).backward()
    np.testing.assert_allclose(w.grad, (1 - np.tanh(A @ (2 * v)) ** 2) @ A, rtol=1e-13)


def test_other_shapes_compile_again_once_and_say_so(caplog):
    compiled = ad.compile(lambda x: ad.sum(x * x))
    with caplog.at_level(logging.DEBUG, logger="autodiff.compiler.compiled"):
        for n in (3, 4, 3, 4, 3):
            compiled(np.ones(n))
    logged = [record.getMessage() for record in caplog.records]
    assert len(logged) == 2
    assert "compiled <lambda> for" in logged[0]
    assert "(3,)" in logged[0]
    assert "(4,)" in logged[1]


def test_many_signatures_warn():
    compiled = ad.compile(lambda x: ad.sum(x))
    for n in range(32):
        compiled(np.ones(n))
    with pytest.warns(UserWarning, match="was compiled for more than 32 signatures, and forgets the oldest"):
        compiled(np.ones(40))
    assert compiled(np.ones(5)) == 5
