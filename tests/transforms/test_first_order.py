"""Derivatives of functions: structures, complex numbers, numbers of other kinds."""

from collections import OrderedDict
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


def test_the_derivative_by_a_number_is_a_number_beside_arrays_too():
    def f(p):
        return (p["w"] ** 2).sum() * p["b"] ** 2

    p = {"w": np.array([1.0, 2.0]), "b": 3.0}
    h = ad.hvp(f, p, {"w": p["w"], "b": 1.0})
    assert h["b"] == 70.0
    assert type(h["b"]) is float
    assert type(ad.hessian(f)(p)["b"]["b"]) is float
    b = ad.Value(3.0)
    f({"w": ad.Tensor([1.0]), "b": b}).backward(create_graph=True)
    assert isinstance(b.grad, ad.Value)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_the_derivative_by_a_numpy_number_is_one(kind):
    assert type(ad.derivative(ad.sin, kind(1.0), 2)) is kind
    assert type(ad.grad(ad.sin)(kind(1.0))) is kind


def test_whole_numbers_have_zero_derivatives_of_floats():
    x = np.array([1.0, 2.0])
    for y_dot in ad.jvp(lambda x: (ad.argmax(x), x > 1, x.astype(int)), (x,), (x,))[1]:
        assert y_dot.dtype == float
        assert not y_dot.any()
    assert type(ad.jacobian(lambda x: (x * x, 2))(3.0)[1]) is float


def test_lists_are_taken_entry_by_entry_and_empty_jacobians_keep_the_precision():
    np.testing.assert_array_equal(ad.derivative(lambda x: x**2, [1, 2]), [2.0, 4.0])
    assert ad.jacobian(lambda x: x[:0])(np.ones(2, "f4")).dtype == "f4"


def test_a_linearised_function_is_one_of_its_tangent_alone():
    x = np.array([1.0, 2.0])
    push = ad.linearize(lambda x: x**3, x)[1]
    pull = ad.vjp(lambda x: x**3, x)[1]
    for f in (push, lambda v: pull(v)[0]):
        g = ad.grad(lambda v, f=f: (f(v) ** 2).sum())(x)
        assert type(g) is np.ndarray
        np.testing.assert_allclose(g, 2 * x * (3 * x**2) ** 2)


def test_a_checkpoint_that_is_recorded_again_in_a_forward_sweep_keeps_to_its_inputs():
    f = ad.checkpoint(lambda x: x * ad.grad(lambda y: x * y)(2.0))
    assert ad.jvp(f, (3.0,), (1.0,))[1] == 6.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ad.jacobian(lambda x: x, chunk=-1)(x), "chunk=-1"),
        (lambda x: ad.derivative(ad.sin, 1.0, -1), "n=-1"),
        (lambda x: ad.grad(ad.sin, "a")(1.0), "argnums='a'"),
        (lambda x: ad.grad(ad.sin, has_aux=True)(1.0), "to return a pair"),
        (lambda x: ad.jvp(ad.sin, (x,), (x * 1j,)), "complex tangent"),
        (lambda x: ad.jvp(ad.sin, (1.0,), (x,)), r"shape \(2,\) was given for a single number"),
        (lambda x: ad.jacobian(lambda x: "a")(x), "it returned a str"),
        *[(lambda x, f=f: f(3), "was given a int; it takes a function") for f in (ad.vmap, ad.checkpoint, ad.jacobian)],
        (lambda x: ad.vjp(3, x), "vjp was given a int"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ad.errors.AutodiffError, match=message):
        call(np.ones(2))


def test_dicts_keep_their_type():
    assert type(ad.grad(lambda p: p["a"] * 2)(OrderedDict(a=1.0))) is OrderedDict


def test_complex_numbers_of_mpmath_are_complex():
    import mpmath

    z = mpmath.mpc(1, 2)
    assert ad.jacobian(lambda z: z * z)(z) == 2 * z
    with pytest.raises(ad.errors.TapeError, match="complex"):
        ad.grad(lambda z: z * z)(z)
    with pytest.raises(ad.errors.KindError, match="not holomorphic"):
        ad.jacobian(lambda z: z * z.conjugate())(z)


def test_ops_of_arrays_take_numbers_of_any_kind():
    x = ad.Value(Fraction(1, 2))
    ad.reshape(x, (1, 1)).sum().backward()
    assert x.grad == 1
