"""A compiled function in the place of the function: as a method, a model, a batch; and what it cannot hand out."""

import asyncio
import copy
import pickle
import warnings
from collections import deque

import numpy as np
import pytest
from alike import assert_same

import autodiff as ad
from autodiff import calculus, nn
from autodiff.core.errors import CompileError, KindError

A = np.random.default_rng(0).normal(size=(3, 4))
x, v = np.random.default_rng(1).normal(size=(2, 4))
W = ad.Tensor(v.copy(), name="W")


def loss_of(x):
    return ad.sum(ad.tanh(x) * x**2)


def closing_over(x):
    return ad.sum(ad.tanh(x * W) * x)


def row_of(x):
    return ad.tanh(x) * x.sum()


def push(f):
    return lambda x: ad.jvp(f, (x,), (v,))[1]


def pull(f):
    return lambda x: (lambda y, back: back(np.cos(np.asarray(y))))(*ad.vjp(f, x))


@pytest.mark.parametrize("f", [loss_of, closing_over])
@pytest.mark.parametrize("outer", [ad.jacobian, push, ad.compile, ad.checkpoint])
@pytest.mark.parametrize("inner", [ad.hessian, lambda f: ad.jacobian(ad.grad(f)), lambda f: ad.hessian(ad.compile(f))])
def test_third_derivatives(f, outer, inner):
    expected = ad.core.node.data_of(outer(inner(f))(x))
    for compiled in (ad.compile(outer(inner(f))), outer(ad.compile(inner(f)))):
        np.testing.assert_allclose(ad.core.node.data_of(compiled(x)), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "f",
    [
        lambda a: ad.jacobian(lambda y: y * a)(v),
        lambda a: ad.jacobian(lambda y: ad.stack([y[0] * (2 * a), y[1]]))(ad.stack([a, a])),
        lambda a: ad.hessian(lambda y: ad.sum(ad.sin(y) * y) * a)(v),
        lambda a: calculus.divergence(lambda y: ad.sin(y) * a, v),
        lambda a: ad.checkpoint(ad.sin)(2 * a) * a,
        lambda a: ad.checkpoint(lambda y: (ad.maximum(y, 0.1), y)[1])(a) * a,
        lambda a: ad.checkpoint(lambda y: W)(a) * a,
        ad.grad(lambda a: ad.checkpoint(lambda y: y)(a) * a),
    ],
)
def test_a_number_takes_part_in_what_is_swept(f):
    compiled = ad.compile(f)
    for a in (0.3, -0.7, 2.0):
        np.testing.assert_allclose(ad.core.node.data_of(compiled(a)), ad.core.node.data_of(f(a)), rtol=1e-15)


def test_a_loss_of_a_hessian():
    """As of a network that solves a differential equation: what is swept is a second derivative already."""
    grads = []
    for compiled in (lambda f: f, ad.compile):
        w = ad.Tensor(v.copy())
        u = lambda x, w=w: ad.sum(ad.tanh(x * w))  # noqa: E731
        loss = compiled(lambda x, u=u: ad.sum(ad.hessian(u)(x) ** 2))(x)
        loss.backward()
        grads.append(w.grad)
    np.testing.assert_allclose(*grads, rtol=1e-13)


@pytest.mark.parametrize("f", [row_of, ad.jacobian(row_of), ad.grad(closing_over)])
def test_a_batch_is_not_compiled_in(f):
    compiled = ad.compile(f)
    for X in (A, A + 1, A[:, ::-1]):
        np.testing.assert_allclose(
            ad.core.node.data_of(ad.vmap(compiled)(X)), ad.core.node.data_of(ad.vmap(f)(X)), rtol=1e-13
        )


def test_an_array_joined_with_itself():
    def f(x):
        return ad.jvp(lambda z: np.concatenate([z, z])[1:6], (x,), (np.cos(x),))

    assert_same(ad.compile(f)(x), f(x))


class Line:
    def __init__(self, k):
        self.w, self.k = ad.Tensor(k * v), k

    @ad.compile
    def loss(self, x):
        """The loss."""
        return ad.sum(x * self.w) * self.k


def test_a_method():
    one, two = Line(1.0), Line(2.0)
    for line in (one, two, one):
        assert line.loss(A).item() == np.sum(A * line.w.data) * line.k
    one.k = 3.0
    assert one.loss(A).item() == np.sum(A * v) * 3
    one.loss(A).backward()
    np.testing.assert_allclose(one.w.grad, 3 * A.sum(0))
    assert Line.loss.__doc__ == "The loss."
    assert "def forward" in one.loss.source


class Outer(nn.Module):
    def __init__(self):
        self.encoder = ad.compile(nn.Sequential(nn.Linear(4, 2, rng=0), nn.Dropout(0.5, rng=0)))
        self.head = nn.Linear(2, 1, rng=1)

    def forward(self, x):
        return self.head(self.encoder(x))


def test_a_model_that_is_compiled_is_a_module():
    model = Outer()
    names = ["encoder.0.weight", "encoder.0.bias", "head.weight", "head.bias"]
    assert [name for name, _ in model.named_parameters()] == names
    assert isinstance(model.encoder, nn.Module)
    assert len(ad.compile(model).parameters()) == 4
    model.eval()
    assert not model.encoder.f.training
    twin = copy.deepcopy(model)
    twin.encoder.layers[0].weight.data[...] = 0
    assert np.any(model.encoder(A) != twin.encoder(A))
    model.load_state_dict(twin.state_dict())
    assert_same(model(A), twin(A))
    ad.sum(model(A)).backward()
    assert all(p.grad is not None for p in model.parameters())
    assert_same(pickle.loads(pickle.dumps(ad.compile(nn.Linear(4, 2, rng=0))))(A), nn.Linear(4, 2, rng=0)(A))


def test_a_leaf_that_is_returned_is_read_at_each_call():
    compiled = ad.compile(lambda x: {"w": W, "y": x * 2})
    W.grad = None
    W.data, before = 2 * v, W.data
    compiled(x)["w"].backward(np.ones(4))
    np.testing.assert_array_equal(W.grad, np.ones(4))
    np.testing.assert_array_equal(compiled(x)["w"].data, 2 * v)
    W.data, W.grad = before, None


ARGUMENTS = {
    "a truth value of numpy": (lambda x, b: x if b else -x, [np.True_, np.False_]),
    "a text of numpy": (lambda x, name: getattr(ad, name)(x), [np.str_("sin"), np.str_("cos")]),
    "a set": (lambda x, s: x * len(s) if 1 in s else -x, [{1, 2}, {2, 3}, {1}]),
    "a float of a class": (lambda x, k: x * k, [type("Rate", (float,), {})(k) for k in (2.0, 3.0)]),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_are_compiled_in(name):
    f, values = ARGUMENTS[name]
    compiled = ad.compile(f)
    for value in values:
        assert_same(compiled(x, value), f(x, value))


def test_a_mapped_file(tmp_path):
    mapped = np.memmap(tmp_path / "x", float, "w+", shape=(4,))
    mapped[:] = x
    assert_same(ad.compile(row_of)(mapped), row_of(x))


class Own(np.ndarray):
    """Arrays that may compute otherwise."""


def test_arguments_that_are_refused():
    for argument, text in ((A.view(Own), r"a Own.*np\.asarray"), (deque([1]), "a deque.*Pass a tuple or a list")):
        with pytest.raises(KindError, match=text):
            ad.compile(lambda x: x)(argument)


def stops(x):
    yield x


async def waits(x):
    await asyncio.sleep(0)
    return x


def test_functions_that_stop_and_go_on():
    for f in (stops, waits):
        with pytest.raises(KindError, match=f"given {f.__name__}, which stops and goes on"):
            ad.compile(f)


class Holding:
    def __init__(self, x):
        self.x = x


RESULTS = {
    "a generator": (lambda x: (row * 2 for row in x), "returned a generator, which computes"),
    "a zip": (lambda x: zip(x, x, strict=True), "returned a zip, which computes"),
    "a function": (lambda x: (lambda y: lambda: y)(x * 2), "returned a function, which computes"),
    "an object": (lambda x: Holding(x * 2), "returned a Holding, which holds what was computed"),
    "a queue": (lambda x: deque([x * 2]), "returned a deque, which holds what was computed"),
    "a text": (lambda x: f"{x.sum():.1f}", r"(?s)returned a text, and wrote out numbers.*test_drop_in.py"),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_that_are_refused(name):
    f, text = RESULTS[name]
    with pytest.raises(CompileError, match=text):
        ad.compile(f)(x)


def test_texts_without_numbers_are_returned():
    assert ad.compile(lambda x: ("sum", x.sum()))(np.ones(3)) == ("sum", 3.0)


def test_a_refusal_that_is_caught_is_raised():
    def f(x):
        try:
            return x * float(x.sum())
        except Exception:
            return x * 0

    with pytest.raises(CompileError, match=r"float\(\) of a Tensor"):
        ad.compile(f)(x)


@pytest.mark.parametrize("wrong", [np.linalg.LinAlgError, FloatingPointError])
def test_a_call_that_fails_draws_once(wrong):
    def f(x, rng):
        noise = ad.random.normal(size=3, rng=rng)
        return np.linalg.cholesky(x) @ noise if wrong is np.linalg.LinAlgError else ad.log(x) @ noise

    found = []
    compiled = ad.compile(f)
    for function in (f, compiled):
        rng = np.random.default_rng(0)
        found.append([])
        for X in (np.eye(3) + 1, -np.eye(3), np.eye(3) + 1):
            try:
                with np.errstate(all="raise"):
                    found[-1].append(function(X, rng).tolist())
            except wrong:
                found[-1].append("wrong")
    assert found[0] == found[1]


@pytest.mark.parametrize("f", [lambda x, k: ad.sum(x, axis=k), lambda x, k: x.reshape(k, -1), lambda x, k: x * int(k)])
def test_a_whole_number_of_numpy_that_must_be_known(f):
    with pytest.raises(CompileError, match=r"Pass it as int\(k\): a Python int is compiled in"):
        ad.compile(f)(A, np.int64(1))
    assert_same(ad.compile(f)(A, 1), f(A, 1))


def test_whole_numbers_of_numpy_as_indices_are_not_compiled_in():
    compiled = ad.compile(lambda x, k: x[k])
    for k in (0, 1, 2):
        assert_same(compiled(A, np.int64(k)), A[k])
    assert len(compiled._special) == 1


def asks_for_a_gradient(x):
    return x * 2 if getattr(x, "requires_grad", False) else x * 3


@pytest.mark.parametrize("x", [A, ad.Tensor(A), ad.Tensor(A, requires_grad=False), 2.0, ad.Value(2.0)])
def test_asking_whether_it_wants_a_gradient(x):
    assert_same(ad.compile(asks_for_a_gradient)(x), asks_for_a_gradient(x))


def quietly(x):
    with np.errstate(divide="ignore"):
        y = ad.log(x)
    return y / x


@pytest.mark.parametrize("f", [quietly, lambda x: ad.log(x) / x, lambda x: ad.exp(x * 1000) - ad.exp(x * 2000)])
@pytest.mark.parametrize("modes", [("ignore", "raise", "warn"), ("warn", "ignore", "raise"), ("raise", "warn", "warn")])
def test_warnings_are_those_of_the_function(f, modes):
    found = []
    for function in (f, ad.compile(f)):
        for mode in modes:
            with np.errstate(all=mode), warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                try:
                    found.append(repr(function(np.array([0.0, 1.0]))))
                except FloatingPointError as error:
                    found.append(str(error))
            found.append([str(w.message) for w in warned])
    assert found[:6] == found[6:]


def test_raising_inside_is_refused():
    def f(x):
        with np.errstate(divide="raise"):
            return ad.log(x)

    with pytest.raises(CompileError, match=r"np\.errstate was set to raise while compiling \(test_drop_in\.py"):
        ad.compile(f)(np.ones(2))


def test_results_are_not_copied_with_their_tape():
    y = ad.compile(closing_over)(x)
    for copied in (copy.deepcopy, pickle.dumps):
        with pytest.raises(KindError, match=r"copied or pickled"):
            copied(y)
        copied(y.detach())
    with pytest.raises(ad.core.errors.ShapeError, match=r"backward\(\) of a Tensor of shape"):
        ad.compile(lambda x: x * W)(x).backward()
