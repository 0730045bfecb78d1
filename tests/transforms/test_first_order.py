"""Derivatives of functions: structures, complex numbers, numbers of other kinds."""

from fractions import Fraction

import numpy as np
import pytest

import autodiff as ad


def test_cotangents_and_tangents_are_matched_by_key_not_by_order():
    _, pull = ad.vjp(lambda x: {"a": x * 1.0, "b": x * 2.0}, 1.0)
    assert pull({"b": 10.0, "a": 1.0}) == (21.0,)
    assert ad.jvp(lambda d: d["a"] * 5, ({"a": 1.0, "b": 2.0},), ({"b": 1.0, "a": 0.0},)) == (5.0, 0.0)


def test_structures_that_differ_are_refused():
    _, pull = ad.vjp(lambda x: {"a": x, "b": x}, 1.0)
    for wrong in ({"a": 1.0, "c": 1.0}, [1.0, 1.0], {"a": 1.0}):
        with pytest.raises(ad.errors.ShapeError, match="must agree"):
            pull(wrong)


def test_an_argument_named_twice_is_refused():
    for argnums in ((0, 0), (0, -2)):
        with pytest.raises(ad.errors.ArgumentError, match="twice"):
            ad.grad(lambda x, y: x * y, argnums)(2.0, 3.0)


def test_jacobian_of_complex_results():
    z = np.array([1 + 2j])
    assert np.array_equal(ad.jacobian(lambda x: x * 1j)(np.array([1.0])), [[1j]])
    assert np.array_equal(ad.jacobian(lambda z: z * z)(z), [[2 + 4j]])
    assert np.array_equal(ad.jacobian(lambda z: ad.concatenate([z * z, z]))(z), [[2 + 4j], [1]])
    with pytest.raises(ad.errors.KindError, match="holomorphic"):
        ad.jacobian(ad.conj)(z)


def test_jacobian_of_a_real_result_at_complex_numbers_is_the_gradient():
    z = np.array([3 + 4j, 1j])
    assert np.array_equal(ad.jacobian(lambda z: (ad.abs(z) ** 2).sum())(z), [6 + 8j, 2j])
    assert np.array_equal(ad.jacobian(lambda z: ad.abs(z) ** 2)(z), np.diag([6 + 8j, 2j]))


def test_the_jacobian_of_numbers_is_made_of_numbers_of_their_kind():
    assert type(ad.jacobian(lambda x: x * x)(2.0)) is float
    slopes = ad.jacobian(lambda x: [x[0] * x[1], x[0]])([Fraction(1, 2), Fraction(1, 3)])
    assert slopes == [[Fraction(1, 3), Fraction(1, 2)], [1, 0]]
    assert all(type(s) is Fraction for row in slopes for s in row)
    assert ad.hessian(lambda x: x**3)(Fraction(1, 2)) == 3
