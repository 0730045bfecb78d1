"""What the tests of the compiler compare with: types, dtypes, bits."""

import dataclasses

import numpy as np

import autodiff as ad
from autodiff.core.node import data_of
from autodiff.testing.compare import is_continuous


def moved(a):
    """Another array of the numbers in ``a``: in the domain of an op if those are."""
    a = np.asarray(a)
    return a.copy() if a.size < 2 or not is_continuous(a) else np.roll(a.ravel(), 1).reshape(a.shape)


def weights(y):
    """A cotangent for a result: fixed, of its dtype, and no two entries alike."""
    y = data_of(y)
    return np.cos(np.arange(np.size(y), dtype=float)).reshape(np.shape(y)).astype(np.asarray(y).dtype)


def outline(x):
    """All that can be told of a value: kinds, dtypes, shapes and bits, down to the leaves."""
    if isinstance(x, ad.Node):
        kind = "Tensor" if isinstance(x, ad.Tensor) else "Value"
        return kind, x.requires_grad, outline(data_of(x))
    if isinstance(x, np.ndarray):
        numbers = x + x.dtype.type(0) if x.dtype.kind in "fc" else x  # x + 0, which is left out, makes 0 of -0
        return "array", x.dtype, x.shape, [repr(v) for v in numbers.ravel().tolist()]  # where all nan are alike
    if isinstance(x, tuple | list):
        return type(x), [outline(branch) for branch in x]
    if isinstance(x, dict):
        return type(x), [(key, outline(branch)) for key, branch in x.items()]
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        return type(x), [outline(getattr(x, k.name)) for k in dataclasses.fields(x)]
    return type(x), repr(x)


def assert_same(found, expected):
    """Fail unless two values are of the same kinds and hold the same bits."""
    assert outline(found) == outline(expected)


def assert_close(found, expected, ulps=2):
    """Fail unless arrays agree to a few units in the last place of their largest entry."""
    found, expected = np.asarray(data_of(found)), np.asarray(data_of(expected))
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.isfinite(found), finite)
    np.testing.assert_array_equal(found[~finite], expected[~finite])
    size = np.max(np.abs(expected[finite]), initial=0)
    if expected.dtype.kind in "fc":
        assert np.max(np.abs(found[finite] - expected[finite]), initial=0) <= ulps * np.spacing(size)
    else:
        np.testing.assert_array_equal(found, expected)


def swept(f, *args):
    """The result of ``f`` and the gradients of its tensors, from a cotangent that tells all entries apart."""
    y = f(*args)
    if isinstance(y, ad.Tensor) and y.requires_grad:
        y.backward(weights(y))
    return y, [x.grad for x in args if isinstance(x, ad.Tensor)]
