"""What NumPy refuses is refused, with an error of the same type; what it takes gives the same or is refused aloud."""

import inspect
import warnings

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.errors import KindError, UnsupportedError
from autodiff.core.rule import TABLE
from autodiff.numpy_protocol import find
from autodiff.ops.families import draw_samples
from autodiff.testing.compare import is_continuous

SPACES = {"numpy": np, "numpy.linalg": np.linalg, "numpy.fft": np.fft}
ODD = [99, -99, 1.5, "odd", None, (0, 0), (99,), [], [1, 2, 3], True, np.array([[1.0]]), object()]
"""What each option is given in turn."""
ODD_INPUTS = [
    "text",
    {},
    object(),
    np.array(["a"]),
    np.array([None, 1], dtype=object),
    np.ones((7, 5, 3)),
    np.ones(7),
    np.ones((0,)),
    np.array(1.0),
    np.array([True, False]),
    np.arange(3),
]
"""What each input is replaced by in turn."""


def functions():
    """Every function of NumPy that is an op here, with a sample of arguments for it."""
    ad.ops.public.names()
    for space, module in SPACES.items():
        for name in sorted(module.__all__):
            function = getattr(module, name)
            op = find(name, space) if callable(function) and not isinstance(function, type) else None
            rule = getattr(op, "rule", None) or TABLE.get(name)
            if op is None or rule is None or rule.variadic or (rule.differentiable and rule.samples is None):
                continue
            yield space, name, function, op, rule


def sample_of(rule):
    """Arguments that NumPy takes: of the first sample, or two matrices."""
    if rule.samples is not None:
        point = draw_samples(rule)[0]
        return [np.asarray(a) for a in point.args], dict(point.params)
    return [np.arange(1.0, 7.0).reshape(2, 3)] * len(rule.inputs), {}


def calls(rule, function):
    """Argument lists with one thing odd in each."""
    args, params = sample_of(rule)
    for i in range(len(args)):
        for odd in ODD_INPUTS:
            yield [odd if k == i else a for k, a in enumerate(args)], params
    try:
        options = list(inspect.signature(function).parameters)[len(args) :]
    except ValueError:
        options = ["dtype", "where", "casting"]
    for name in options:
        if name not in ("out", "initial", "fill_value", "like", "order", "kind", "key"):
            for odd in ODD:
                yield args, {**params, name: odd}
    yield args, {**params, "colour": 1}
    if name_of(function) != "where":  # which asks something else then
        yield args[:-1], params
    yield [*args, *[None] * 12], params


def name_of(function):
    return getattr(function, "__name__", "")


def outcome(f, args, params):
    """What a call returns or raises."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return f(*args, **params), None
        except Exception as error:
            return None, error


def as_tensors(args):
    return [ad.Tensor(a) if isinstance(a, np.ndarray) and is_continuous(a) else a for a in args]


PUBLIC_ERRORS = (
    np.exceptions.AxisError,
    np.linalg.LinAlgError,
    IndexError,
    KeyError,
    ValueError,
    TypeError,
    OverflowError,
)


def strange(args):
    """Whether an argument is nothing that an array of numbers could be made of: it is refused by its type."""
    return any(np.asarray(a).dtype.kind in "OUS" for a in args)


def expected_type(error):
    """The public type of an error: NumPy raises private ones too."""
    return next((kind for kind in PUBLIC_ERRORS if isinstance(error, kind)), type(error))


@pytest.mark.parametrize(
    ("space", "name", "function", "op", "rule"), [pytest.param(*f, id=f"{f[0]}.{f[1]}") for f in functions()]
)
def test_odd_arguments(space, name, function, op, rule):
    for args, params in calls(rule, function):
        theirs, error = outcome(function, args, params)
        given = as_tensors(args)
        if not any(isinstance(a, ad.Tensor) for a in given):
            continue
        before = [(a.data.copy(), a.grad) for a in given if isinstance(a, ad.Tensor)]
        for called in (op, function):
            ours, raised = outcome(called, given, params)
            about = f"{called}({args}, {params})"
            if error is not None:
                assert raised is not None, f"{about} returned {ours!r}; NumPy raises {error!r}"
                refused = isinstance(raised, UnsupportedError) or (strange(args) and isinstance(raised, KindError))
                refused |= "where=" in str(raised) and isinstance(raised, ad.AutodiffError)  # NumPy counts 99 as true
                assert refused or isinstance(raised, expected_type(error)), f"{about}: {raised!r}; NumPy: {error!r}"
            elif raised is not None:
                assert isinstance(raised, ad.AutodiffError), f"{about} raised {raised!r}; NumPy takes it"
            else:
                if np.asarray(ad.core.tree.flatten(theirs)[0]).dtype.kind in "OUS":
                    continue
                for y, z in zip(ad.core.tree.flatten(ours), ad.core.tree.flatten(theirs), strict=True):
                    y = ad.core.node.data_of(y)
                    assert np.shape(y) == np.shape(z), f"{about}: shape {np.shape(y)}; NumPy's is {np.shape(z)}"
                    assert np.asarray(y).dtype == np.asarray(z).dtype, (
                        f"{about}: {np.asarray(y).dtype}, {np.asarray(z).dtype}"
                    )
                    np.testing.assert_allclose(np.asarray(y), np.asarray(z), rtol=1e-10, atol=1e-12, err_msg=about)
        for (data, grad), a in zip(before, (a for a in given if isinstance(a, ad.Tensor)), strict=True):
            np.testing.assert_array_equal(a.data, data)
            assert a.grad is grad
