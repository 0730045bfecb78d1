"""``ad.paths``: all of them add up to the gradient, the strongest come first, and none is counted twice."""

import itertools
import re
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import autodiff as ad
from autodiff.core.edges import contributions
from autodiff.core.errors import ArgumentError, KindError, ShapeError, TapeError
from autodiff.core.node import Node
from autodiff.core.summary import text_width
from autodiff.viz.paths import paths

UNARY = [ad.sin, ad.tanh, ad.sigmoid, lambda x: -x, lambda x: x * x, lambda x: x + 1.0]
BINARY = [ad.add, ad.subtract, ad.multiply]
CHOICES = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 6), st.integers(0, 6)), max_size=7)


def program(choices, x):
    """A number made of ``x``; every op uses earlier results."""
    made = [x, ad.tanh(x)]
    for op, i, j in choices:
        a, b = made[-1 - i % len(made)], made[-1 - j % len(made)]
        made.append(UNARY[op](a) if op < len(UNARY) else BINARY[op - len(UNARY)](a, b))
    return made[-1] * made[0]


def every_path(y, x):
    """All paths by plain recursion: the product of the local derivatives along each."""
    if y is x:
        return [1.0]
    found = []
    for a, c in zip(y.args, contributions(y, 1.0) if y.rule else (), strict=True):
        if isinstance(a, Node) and c is not None:
            found += [p * c.fitted for p in every_path(a, x)]
    return found


@settings(max_examples=100, deadline=None)
@given(CHOICES, st.floats(-2, 2))
def test_all_paths_add_up_to_the_gradient_and_the_strongest_come_first(choices, at):
    x = ad.Value(at)
    y = program(choices, x)
    expected = sorted(every_path(y, x), key=abs, reverse=True)
    found = paths(y, x, top=10**6)
    y.backward()
    assert found.count == len(found) == len(expected)
    np.testing.assert_allclose([abs(p.product) for p in found], np.abs(expected), rtol=1e-9, atol=1e-300)
    assert sum(p.product for p in found) == pytest.approx(x.grad, rel=1e-9, abs=1e-9)
    assert found.total == x.grad
    assert len({p.uses for p in found}) == len(found)
    some = paths(y, x, top=3)
    assert [p.product for p in some] == [p.product for p in found][:3]
    assert sum(p.product for p in some) + some.remainder == pytest.approx(x.grad, rel=1e-9, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(CHOICES, st.integers(0, 1000))
def test_paths_of_arrays_add_up_to_the_gradient(choices, seed):
    x = ad.Tensor(np.random.default_rng(seed).normal(size=(2, 3)))
    y = ad.sum(ad.tanh(program(choices, ad.tanh(x))) @ x.T)
    found = paths(y, x, top=10**6)
    y.backward()
    assert found.exact
    assert found.count == len(found)
    np.testing.assert_allclose(sum(p.product for p in found), x.grad, rtol=1e-8, atol=1e-10)
    norms = [np.linalg.norm(p.product) for p in found]
    assert norms == sorted(norms, reverse=True)
    some = paths(y, x, top=2)
    np.testing.assert_allclose(sum(p.product for p in some) + some.remainder, x.grad, rtol=1e-8, atol=1e-10)


def test_each_path_is_the_product_of_its_local_derivatives():
    x, w = ad.Value(2.0), ad.Value(-3.0)
    a, b = x * w, ad.sin(x)
    y = a * b
    second, first = paths(y, x)
    assert first.nodes == (x, b, y)
    assert first.locals == (pytest.approx(np.cos(2.0)), -6.0)
    assert first.product == pytest.approx(-6.0 * np.cos(2.0))
    assert second.nodes == (x, a, y)
    assert second.locals == (-3.0, pytest.approx(np.sin(2.0)))


def test_parallel_edges_are_two_paths():
    x = ad.Value(3.0)
    found = paths(x * x, x)
    assert [(p.product, p.uses[0][1]) for p in found] == [(3.0, 0), (3.0, 1)]
    assert "x –a→ y" in str(found)
    assert "x –b→ y" in str(found)


def test_fractions_add_up_exactly():
    a = ad.Value(Fraction(1, 3))
    found = paths(a * a * Fraction(2, 7) + 1 / a, a)
    assert sum(p.product for p in found) == found.total == Fraction(4, 21) - 9
    assert found.remainder == 0


def test_expressions_add_up():
    s = sympy.symbols("s")
    x = ad.Value(s)
    found = paths(x**2 * ad.sin(x), x)
    assert sympy.simplify(sum(p.product for p in found) - sympy.diff(s**2 * sympy.sin(s), s)) == 0
    assert str(found)


def test_more_paths_than_atoms_are_counted_and_the_strongest_found():
    x = ad.Value(0.5)
    z = x
    for _ in range(400):
        z = ad.sin(z) + z * 0.001
    found = paths(z, x)
    assert found.count == 2**400
    assert found.exact
    assert len(found) == 10
    sines = [p for p in found if all(user.rule.name in ("sin", "add") for user, _ in p.uses)]
    assert sines == [found[0]]
    assert sum(p.product for p in found) + found.remainder == pytest.approx(found.total)
    assert "in all: about 10^120 paths" in str(found)
    again = paths(z, x)
    assert [p.uses for p in again] == [p.uses for p in found]


def test_equal_strength_does_not_multiply_the_work():
    x = ad.Value(0.5)
    z = x
    for _ in range(60):
        z = z + z
    found = paths(z, x, top=50)
    assert [p.product for p in found] == [1.0] * 50
    assert len({p.uses for p in found}) == 50
    assert found.remainder == 2.0**60 - 50


def test_arrays_with_many_paths_say_that_some_were_left_behind():
    x = ad.Tensor(np.array([0.1, 0.2, 0.3]))
    z = x
    for _ in range(8):
        z = ad.tanh(z) * 0.7 + z * z * 0.1
    y = ad.sum(z)
    found = paths(y, x)
    y.backward()
    assert found.count == 3**8
    assert not found.exact
    assert "Those listed are strong, but others may be stronger." in str(found)
    np.testing.assert_allclose(sum(p.product for p in found) + found.remainder, x.grad)
    best = itertools.accumulate([p.product for p in found])
    assert [p.product.shape for p in found] == [(3,)] * 10
    assert next(best).shape == (3,)


def test_infinite_slopes_behind_a_zero_and_nan_are_no_trouble():
    x = ad.Value(0.0)
    found = paths(ad.sqrt(x) * 0.0 + x, x)
    assert [p.product for p in found] == [1.0, 0.0]
    assert found.total == 1.0
    y = ad.Value(np.nan)
    assert np.isnan(paths(y * y, y)[0].product)
    z = ad.Value(1 + 2j)
    w = ad.absolute(z * z) + ad.real(z)
    found = paths(w, z)
    w.backward()
    assert sum(p.product for p in found) == pytest.approx(z.grad)


def test_the_table():
    x = ad.Value(3.0)
    y = x * ad.exp(-x) + x**2
    assert str(paths(y, x, top=2)) == (
        "contribution   share  path\n"
        "     6.0      101.7%  x → v₄ → y\n"
        "    -0.1494    -2.5%  x → v₁ → v₂ → v₃ → y\n"
        "     0.04979    0.8%  … 1 more path\n"
        "     5.9      100.0%  in all: 3 paths"
    )
    html = paths(y, x)._repr_html_()
    assert html.count("<tr>") == 5
    nearly = ad.Value(1.0)
    cancelled = nearly * (1 + 1e-10) - nearly
    assert "1.0     1e12%  nearly" in str(paths(cancelled, nearly))
    deep = ad.Value(1.0, name="<b>" * 100)
    z = deep
    for _ in range(300):
        z = ad.sin(z) + z
    text = str(paths(z, deep))
    assert max(map(text_width, text.splitlines())) <= 100
    assert "<b>" not in paths(z, deep)._repr_html_()


def test_a_node_to_itself():
    x, t = ad.Value(2.0), ad.Tensor([1.0, 2.0])
    y = x * x
    assert [p.product for p in paths(y, y)] == [1.0]
    np.testing.assert_array_equal(paths(t, t, gradient=[3.0, 4.0])[0].product, [3.0, 4.0])


def test_a_gradient_may_be_given():
    x, t = ad.Value(2.0), ad.Tensor([1.0, 2.0])
    assert [p.product for p in paths(x * x + x, x, gradient=10)] == [20.0, 20.0, 10.0]
    found = paths(ad.sin(t) * t, t, gradient=[1.0, -1.0])
    y = ad.sin(t) * t
    y.backward(np.array([1.0, -1.0]))
    np.testing.assert_allclose(found.total, t.grad)
    np.testing.assert_allclose(sum(p.product for p in found), t.grad)


def test_a_table_does_not_change_when_its_tape_is_freed():
    x = ad.Value(2.0)
    y = ad.sin(x * x)
    found = paths(y, x)
    text = str(found)
    y.backward(free=True)
    assert str(found) == text


def test_a_path_by_its_position():
    x = ad.Value(3.0)
    found = paths(x * x + x, x, top=2)
    assert found[-1] is found[1]
    assert found[:1] == [found[0]]
    for i in (2, -3):
        message = f"paths[{i}]: there is no such path; 2 are listed, from 0 to 1 of 3; paths(..., top=) lists more."
        with pytest.raises(ArgumentError, match=re.escape(message)) as error:
            found[i]
        assert isinstance(error.value, IndexError)
    for i in ("a", 1.0, None, slice("a", 2)):
        with pytest.raises(KindError, match=re.escape(f"paths[{i!r}]: a position was expected, paths[0], or a slice")):
            found[i]


def test_errors_say_what_to_do():
    x, t = ad.Value(2.0), ad.Tensor([1.0, 2.0])
    for top in (0, -1, "a", 1.5, None, True, [3]):
        message = re.escape(f"paths() got top={top!r}; it is a whole number of at least 1.")
        with pytest.raises(ArgumentError, match=message):
            paths(x * x, x, top=top)
    with pytest.raises(TapeError, match=r"paths\(\): the result, .*, does not depend on Value 'w'"):
        paths(x * x, ad.Value(1.0, name="w"))
    with pytest.raises(ShapeError, match=r"paths\(\) of .* only a single number has a gradient"):
        paths(t * 2, t)
    with pytest.raises(ShapeError, match=r"paths\(gradient=\) of .* got a gradient of shape \(3,\); it must be \(2,\)"):
        paths(t * 2, t, gradient=[1, 2, 3])
    with pytest.raises(KindError, match=r"paths\(gradient=\) of .* got 'q', which is no number"):
        paths(t * 2, t, gradient="q")
    y = ad.sin(x * x)
    y.backward(free=True)
    with pytest.raises(TapeError, match=r"paths\(\): This tape was freed by backward\(free=True\)"):
        paths(y, x)
