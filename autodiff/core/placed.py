"""Cotangents of slices: nearly all zeros, and not written out before they are needed."""

from __future__ import annotations

from typing import Any

import numpy as np


class Placed:
    """The sum of an array, or zeros, and of what was added to it at some places.

    A loop over the slices of an array sends one cotangent back for each.  Written out, each is as large as the whole
    array, and adding them up takes time that grows with the square of their number.

    Parameters
    ----------
    like : ndarray
        Of the shape and dtype of the sum.
    key
        A NumPy index that names no place twice.
    g : array_like
        What stands there.
    """

    __slots__ = ("base", "like", "parts")

    __array_ufunc__ = None  # so that array + placed is decided here

    def __init__(self, like: Any, key: Any, g: Any) -> None:
        self.like = like
        self.base: Any = None
        self.parts = [(key, g)]

    def __add__(self, other: Any) -> Any:
        if other.__class__ is Placed and other.base is None:
            self.parts += other.parts
            return self
        return self.written_out() + other

    def __radd__(self, other: Any) -> Any:
        if self.base is None and other.__class__ is np.ndarray and other.dtype == self.like.dtype:
            self.base = other
            return self
        return other + self.written_out()

    def written_out(self) -> Any:
        """The sum as an array of its own."""
        total = np.zeros(self.like.shape, self.like.dtype) if self.base is None else self.base.copy()
        for key, g in self.parts:
            total[key] += g
        return total
