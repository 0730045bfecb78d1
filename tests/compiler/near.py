"""What the tests of machine code compare with: kinds, dtypes, and numbers to the accuracy of their dtype."""

import numpy as np

import autodiff as ad
from autodiff.core.node import data_of


def kind_of(x):
    """What a value is to its user."""
    return next((kind for kind in (ad.Tensor, ad.Value) if isinstance(x, kind)), type(x))


def assert_near(found, expected, ulps=16):
    """Fail unless values are of the same kinds, and agree to a few units in the last place of the largest entry."""
    found, expected = ad.core.tree.flatten(found), ad.core.tree.flatten(expected)
    assert list(map(kind_of, found)) == list(map(kind_of, expected))
    for a, b in zip(found, expected, strict=True):
        if b is None:
            continue
        a, b = np.asarray(data_of(a)), np.asarray(data_of(b))
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        if b.dtype.kind not in "fc":
            np.testing.assert_array_equal(a, b)
            continue
        largest = np.max(np.abs(b[np.isfinite(b)]), initial=0)
        eps = np.finfo(b.dtype).eps
        np.testing.assert_allclose(a, b, rtol=ulps * eps, atol=ulps * eps * largest)
