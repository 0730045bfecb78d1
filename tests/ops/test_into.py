"""Results in given memory: every row that can write into an array writes there what it returns otherwise."""

import numpy as np
import pytest

from autodiff.core.node import data_of
from autodiff.core.rule import TABLE
from autodiff.ops.into import INTO

ROWS = [rule for rule in TABLE.values() if rule.forward in INTO]


def room_like(y):
    """Memory as the compiler plans it for ``y``: axes in the order of its strides, and something else in it."""
    order = range(y.ndim) if y.flags.c_contiguous else sorted(range(y.ndim), key=lambda a: -abs(y.strides[a]))
    room = np.empty([y.shape[a] for a in order], y.dtype).transpose(np.argsort(order))
    room.fill(7)
    return room


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_written_is_what_is_returned(rule):
    for s in rule.samples(np.random.default_rng(0)):
        args = [np.asarray(data_of(a)) for a in s.args]
        before = [a.copy() for a in args]
        expected = rule.forward(*args, **s.params)
        if not isinstance(expected, np.ndarray):
            continue
        room = room_like(expected)
        INTO[rule.forward](*args, **s.params, out=room)
        assert room.tobytes() == expected.tobytes()
        for a, b in zip(args, before, strict=True):
            np.testing.assert_array_equal(a, b)
