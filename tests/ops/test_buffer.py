"""Buffers: arrays that layers keep and bring up to date."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.ops.buffer import Buffer


def test_what_is_set_is_copied_and_keeps_the_dtype():
    b = Buffer(np.zeros(2, np.float32))
    x = np.ones(2)
    b.data = x
    x[:] = 5
    assert b.data.dtype == np.float32
    np.testing.assert_array_equal(b.data, [1, 1])


def test_tensors_are_taken_without_their_tape():
    t = ad.Tensor(np.ones(2))
    b = Buffer(2 * t)
    b.data = b.data + 3 * t
    assert type(b.data) is np.ndarray
    np.testing.assert_array_equal(b.data, [5, 5])
    (t * b.data).sum().backward()
    np.testing.assert_array_equal(t.grad, [5, 5])


def test_what_was_read_stays_as_it_was():
    b = Buffer(np.zeros(2))
    before = b.data
    b.data = np.ones(2)
    np.testing.assert_array_equal(before, [0, 0])


def test_the_array_cannot_be_written_into():
    b = Buffer(np.zeros(2))
    with pytest.raises(ValueError, match="read-only"):
        b.data[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        b.data += 1


def test_another_shape_raises_and_changes_nothing():
    b = Buffer(np.zeros(2))
    with pytest.raises(ad.errors.ShapeError, match=r"\(2,\) was set to an array of shape \(3,\).*another buffer"):
        b.data = np.ones(3)
    np.testing.assert_array_equal(b.data, [0, 0])


def test_it_shows_what_it_holds():
    assert repr(Buffer(np.array([0.5, 1.0]))) == "Buffer([0.5, 1. ])"
    assert Buffer(np.zeros((2, 3))).shape == (2, 3)
