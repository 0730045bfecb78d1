"""``vmap`` is a loop over the examples, only faster."""

import logging

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.rule import TABLE
from autodiff.ops.families import draw_samples
from autodiff.testing.checks import describe

ad.ops.public.names()
POINTS = [
    pytest.param(rule, point, id=f"{describe(rule, point)}-{i}")
    for rule in TABLE.values()
    if rule.differentiable and rule.forward.__module__.startswith("autodiff.")
    for i, point in enumerate(draw_samples(rule))
]


def loop(f, *args, axes):
    count = next(len(a) for a, axis in zip(args, axes, strict=True) if axis == 0)
    return np.stack([f(*(a[i] if axis == 0 else a for a, axis in zip(args, axes, strict=True))) for i in range(count)])


@pytest.mark.parametrize(("rule", "point"), POINTS)
def test_every_row_on_batches_is_the_row_on_each_example(rule, point):
    """Values, and the VJP, with all inputs mapped, and with only the first."""

    def f(*args):
        given = [a.data if isinstance(a, ad.Tensor) and a.dtype.kind in "biu" else a for a in args]
        with np.errstate(all="ignore"):
            return rule.op(given, **point.params) if rule.variadic else rule.op(*given, **point.params)

    def pulled(*args):
        y, pull = ad.vjp(lambda *chosen: f(*fill(args, chosen)), *(args[i] for i in wanted))
        return pull(np.ones(y.shape, y.dtype))[0]

    def fill(args, chosen):
        filled = list(args)
        for i, x in zip(wanted, chosen, strict=True):
            filled[i] = x
        return filled

    args = [np.asarray(a) for a in point.args]
    wanted = [i for i, a in enumerate(args) if a.dtype.kind in "fc"]
    twice = [np.stack([a, a[..., ::-1] if a.ndim and rule.entrywise else a]) for a in args]
    for axes in ((0,) * len(args), (0,) + (None,) * (len(args) - 1)):
        given = [t if axis == 0 else a for t, a, axis in zip(twice, args, axes, strict=True)]
        for g in (f, pulled) if point.order else (f,):
            with np.errstate(all="ignore"):
                found, expected = ad.vmap(g, axes)(*given), loop(lambda *a, g=g: np.asarray(g(*a)), *given, axes=axes)
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_a_gradient_for_each_example(rng):
    w, xs = rng.normal(size=(2, 3)), rng.normal(size=(5, 3))

    def f(w, x):
        return ad.tanh(w @ x).sum()

    np.testing.assert_allclose(
        ad.vmap(ad.grad(f), in_axes=(None, 0))(w, xs), [ad.grad(f)(w, x) for x in xs], rtol=1e-12
    )


@pytest.mark.parametrize("transform", [ad.grad, ad.hessian, ad.jacobian])
def test_it_nests_with_every_transform(transform, rng):
    def f(x):
        return ad.exp(x[0] * x[1]) * ad.sin(x).sum()

    xs = rng.normal(size=(4, 3))
    np.testing.assert_allclose(ad.vmap(transform(f))(xs), np.stack([transform(f)(x) for x in xs]), rtol=1e-10)
    whole = ad.jacobian(lambda xs: ad.vmap(f)(xs))(xs)
    for i in range(4):
        np.testing.assert_allclose(whole[i, i], ad.grad(f)(xs[i]), rtol=1e-12)
        assert not np.any(whole[i, np.arange(4) != i])


def test_grad_outside_with_shared_arguments_and_closures(rng):
    w, xs = rng.normal(size=(2, 3)), rng.normal(size=(5, 3))

    def f(w, x):
        return ad.tanh(w @ x).sum()

    expected = ad.grad(lambda w: sum(f(w, x) ** 2 for x in xs))(w)
    shared = ad.grad(lambda w: (ad.vmap(f, (None, 0))(w, xs) ** 2).sum())(w)
    closed = ad.grad(lambda w: (ad.vmap(lambda x: f(w, x))(xs) ** 2).sum())(w)
    np.testing.assert_allclose(shared, expected)
    np.testing.assert_allclose(closed, expected)


def test_vmap_in_vmap(rng):
    a, b = rng.normal(size=(3, 2)), rng.normal(size=(4, 2))

    def inner(x, y):
        return ad.exp(x * y).sum()

    table = ad.vmap(ad.vmap(inner, (None, 0)), (0, None))(a, b)
    np.testing.assert_allclose(table, np.exp(a[:, None] * b).sum(-1))
    slopes = ad.vmap(ad.vmap(ad.grad(inner), (None, 0)), (0, None))(a, b)
    np.testing.assert_allclose(slopes, np.exp(a[:, None] * b) * b)


def test_axes_of_arguments_and_results(rng):
    x = rng.normal(size=(2, 5, 3))

    def f(x):
        return (x.sum(0), {"twice": 2 * x})

    total, rest = ad.vmap(f, in_axes=1, out_axes=(1, {"twice": -1}))(x)
    np.testing.assert_allclose(total, x.sum(0).T)
    np.testing.assert_allclose(rest["twice"], 2 * np.moveaxis(x, 1, -1))
    by_key = ad.vmap(lambda d, k: d["a"] + d["b"] * k, in_axes=({"a": 0, "b": None}, None))
    np.testing.assert_allclose(by_key({"a": x[0], "b": 2.0}, 3), x[0] + 6)


def test_keyword_arguments_are_mapped():
    def f(a, b):
        return a * b

    np.testing.assert_array_equal(ad.vmap(f)(np.arange(3.0), b=np.arange(3.0)), [0, 1, 4])


def test_a_branch_on_a_value_is_looped_and_said_so(caplog):
    caplog.set_level(logging.DEBUG, "autodiff.vmap")
    found = ad.vmap(lambda x: x.sum() if x[0] > 0 else x.prod())(np.array([[1.0, 2.0], [-1.0, 3.0]]))
    np.testing.assert_array_equal(found, [3, -3])
    assert "is called once an example" in caplog.text


def test_a_row_without_batched_form_is_looped_and_said_so(caplog):
    caplog.set_level(logging.DEBUG, "autodiff.vmap")
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(ad.vmap(lambda x: x[np.array([0, 0, 2])])(x), x[:, [0, 0, 2]])
    assert "getitem has no batched form" in caplog.text


def test_an_index_for_each_example():
    x, i = np.arange(6.0).reshape(2, 3), np.array([2, 0])
    np.testing.assert_array_equal(ad.vmap(lambda x, i: x[i])(x, i), [2, 3])
    np.testing.assert_array_equal(ad.vmap(lambda i: ad.Tensor(x, requires_grad=False)[1, i])(i), [5, 3])


def test_constants_are_repeated_and_dtypes_kept():
    x = np.ones((3, 2), np.float32)
    assert ad.vmap(lambda x: 2.0 * x)(x).dtype == np.float32
    np.testing.assert_array_equal(ad.vmap(lambda x: 1.0)(x), [1, 1, 1])
    np.testing.assert_array_equal(ad.vmap(lambda x: np.arange(2))(x), [[0, 1]] * 3)
    assert type(ad.vmap(lambda x: x)(x)) is np.ndarray


def test_hard_zeros_hold_in_batches():
    def f(x):
        return ad.where(x > 0, ad.sqrt(x), 0.0).sum()

    np.testing.assert_array_equal(ad.vmap(ad.grad(f))(np.array([[0.0, 4.0], [1.0, 0.0]])), [[0, 0.25], [0.5, 0]])


def test_no_examples():
    assert ad.vmap(lambda x: x.sum())(np.ones((0, 3))).shape == (0,)
    assert ad.vmap(lambda x: ad.sort(x)[np.array([0, 1])])(np.ones((0, 3))).shape == (0, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ad.vmap(lambda a, b: a + b)(np.ones(3), np.ones(4)), r"one number of examples, got lengths \[3, 4\]"),
        (lambda: ad.vmap(lambda a: a, None)(np.ones(3)), "no mapped argument"),
        (lambda: ad.vmap(lambda a: a)(1.0), r"axis 0 of an argument of shape \(\).*in_axes=None"),
        (lambda: ad.vmap(lambda a: a, (0, 0))(np.ones(3)), "in_axes for 2 arguments, and got 1"),
        (lambda: ad.vmap(lambda a: a @ np.ones(4))(np.ones((2, 3))), r"shapes \(3,\) and \(4,\)"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_index_of_its_own_for_every_example_of_what_they_share():
    x, places = np.arange(4.0) ** 2, np.array([3, 0, 2])

    def f(x, i):
        y = x * 2
        y[i] = 7.0
        return x[i] * (y * y).sum() + ad.take(x, i)

    together = ad.grad(lambda x: ad.vmap(f, (None, 0))(x, places).sum())(x)
    np.testing.assert_allclose(together, sum(ad.grad(f)(x, i) for i in places))


def test_backward_inside_adds_to_a_leaf_outside_as_a_loop_does():
    w, xs = ad.Tensor([1.0, 2.0]), np.arange(6.0).reshape(3, 2)

    def f(x):
        loss = (w * x).sum()
        loss.backward()
        return loss.detach()

    np.testing.assert_array_equal(ad.vmap(f)(xs), xs @ [1, 2])
    np.testing.assert_array_equal(w.grad, xs.sum(0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ad.vmap(lambda p: p["a"], ({"b": 0},))({"a": x}), "in_axes={'b': 0} for a dict"),
        (lambda x: ad.vmap(lambda p: p[0], ((0, 0, 0),))((x, x)), "for a tuple"),
        (lambda x: ad.vmap(lambda p: p, 0.0)(x), "in_axes=0.0 for a ndarray"),
        (lambda x: ad.vmap(lambda p: p, out_axes=None)(x), "out_axes=None"),
        (lambda x: ad.vmap(lambda p: p[: int(p[0].item()) + 1])(x), r"shapes \[\(1,\)\] and \[\(2,\)\]"),
        (lambda x: ad.vmap(lambda p: (p, p) if p[0] > 0 else p)(x), "cannot be stacked"),
    ],
)
def test_structures_that_do_not_fit_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.arange(6.0).reshape(3, 2))
