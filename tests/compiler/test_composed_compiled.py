"""Public functions that are made of rows follow new numbers, labels, indices and masks when they are compiled."""

import warnings

import numpy as np
import pytest

import autodiff as ad
from autodiff.core import tree
from autodiff.core.node import Node, data_of
from autodiff.ops import public
from tests.compiler.alike import weights
from tests.compiler.composed_calls import CALLS

pytestmark = pytest.mark.usefixtures("never_eagerly")


def test_every_public_function_that_is_no_row_is_called():
    def is_composed(op):
        return not hasattr(op, "rule") or op.__wrapped__.__name__.endswith("_where")

    named = {name.split()[0] for name in CALLS}
    assert {name for name in public.names() if is_composed(getattr(public, name))} - named == set()


def drawn(draws, call):
    rng = np.random.default_rng(call)
    return [np.asarray(draw(rng)) for draw in draws]


def results(f, args):
    """What ``f`` returns, leaf by leaf."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of empty slices: a compiled function does not look for them
        return tree.flatten(f(*args))


def gradients(ys, args):
    """The gradients of the tensors among ``args`` from cotangents that tell all entries apart."""
    for y in ys:
        if isinstance(y, Node) and y.requires_grad:
            y.backward(weights(y))
    return [x.grad for x in args if isinstance(x, ad.Tensor)]


def assert_agree(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        a, b = (None if x is None else np.asarray(data_of(x)) for x in (a, b))
        assert (a is None) == (b is None)
        if a is not None:
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("f", "draws"), [(f, draws) for f, *draws in CALLS.values()], ids=list(CALLS))
def test_calls_on_other_numbers(f, draws):
    compiled = ad.compile(f)
    for call in range(2):
        plain = drawn(draws, call)
        ours, theirs = ([ad.Tensor(x) if x.dtype.kind in "fc" else x for x in plain] for _ in range(2))
        found, expected = results(compiled, ours), results(f, theirs)
        assert_agree(found, expected)
        assert_agree(gradients(found, ours), gradients(expected, theirs))


DISCRETE = [name for name, (_, *draws) in CALLS.items() if any(x.dtype.kind not in "fc" for x in drawn(draws, 0))]


@pytest.mark.parametrize("name", DISCRETE)
def test_calls_on_plain_arrays(name):
    f, *draws = CALLS[name]
    compiled = ad.compile(f)
    for call in range(2):
        args = drawn(draws, call)
        assert_agree(results(compiled, args), results(f, args))


MIXED = [
    "cross_entropy",
    "choose",
    "cov weights",
    "interp",
    "interp period",
    "put_along_axis",
    "quantile",
    "searchsorted",
    "take",
    "take_along_axis",
    "trapezoid",
    "where",
]


@pytest.mark.parametrize("name", MIXED)
def test_calls_with_constants(name):
    """An op of a constant and an option that is recorded is recorded too."""
    f, *draws = CALLS[name]
    for k in range(len(draws)):
        constant = drawn(draws, 9)[k]
        compiled = ad.compile(lambda *rest, k=k, constant=constant: f(*rest[:k], constant, *rest[k:]))
        for call in range(2):
            rest = drawn(draws, call)
            rest[k] = constant
            found = results(compiled, [x for i, x in enumerate(rest) if i != k])
            assert_agree(found, results(f, rest))
