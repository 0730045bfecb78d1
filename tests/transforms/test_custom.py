"""Rules of one's own: what is missing follows, what is wrong is found."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients, check_rule


def cube_rule(**derivatives):
    @ad.custom_rule(formula=r"y = s x^3")
    def cube(x, scale=1.0):
        return scale * x**3

    if "vjp" in derivatives:
        cube.def_vjp(derivatives["vjp"])
    if "jvp" in derivatives:
        cube.def_jvp(derivatives["jvp"])
    return cube


def right_vjp(g, x, scale):
    return g * 3 * scale * x**2


def right_jvp(x_dot, x, scale):
    return x_dot * 3 * scale * x**2


def wrong_vjp(g, x, scale):
    return g * 2 * scale * x**2


@pytest.mark.parametrize("derivatives", [{"vjp": right_vjp}, {"jvp": right_jvp}, {"vjp": right_vjp, "jvp": right_jvp}])
def test_one_derivative_is_enough_for_both_modes_and_any_order(derivatives, rng):
    cube = cube_rule(**derivatives)
    x = rng.normal(size=(2, 3))
    np.testing.assert_allclose(ad.grad(lambda x: cube(x, scale=2.0).sum())(x), 6 * x**2)
    np.testing.assert_allclose(ad.jvp(cube, (x,), (np.ones_like(x),))[1], 3 * x**2)
    check_gradients(lambda x: cube(x, 2.0), x, order=3)
    along = ad.grad(lambda a: ad.jvp(cube, (a,), (a,))[1])  # of 3 scale a**3, where the tangent is recorded too
    assert along(0.5) == pytest.approx(9 * 0.25, rel=1e-15)
    z = rng.normal(size=3) + 1j * rng.normal(size=3)
    if "jvp" in derivatives and len(derivatives) == 1:
        check_gradients(cube, z)


def test_several_inputs_each_with_its_own_derivative(rng):
    @ad.custom_rule
    def product(a, b, c):
        return a * b + c

    product.def_vjp(lambda g, b: g * b, wrt="a")
    product.def_jvp(lambda b_dot, a: b_dot * a, wrt="b")
    product.def_vjp(lambda g: g, wrt="c")
    check_gradients(product, rng.normal(size=3), rng.normal(size=3), 1.5)
    check_gradients(product, rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=(2, 1)))


def test_inputs_may_be_called_as_the_engine_calls_its_own(rng):
    @ad.custom_rule
    def mix(n, t, c, i, y):
        return n * t * c * i * y

    mix.def_vjp(lambda g, t, c, i, y: g * t * c * i * y, wrt="n")
    mix.def_vjp(lambda g, n, c, i, y: g * n * c * i * y, wrt="t")
    mix.def_jvp(lambda c_dot, n, t, i, y: c_dot * n * t * i * y, wrt="c")
    mix.def_jvp(lambda i_dot, n, t, c, y: i_dot * n * t * c * y, wrt="i")
    mix.def_vjp(lambda g, n, t, c, i: g * n * t * c * i, wrt="y")
    check_gradients(mix, *rng.uniform(1, 2, size=(5, 3)))


def test_derivatives_may_be_written_with_numpy(rng):
    @ad.custom_rule
    def wave(x):
        return np.sin(x) * np.exp(x)

    wave.def_vjp(lambda g, x, y: g * (np.cos(x) * np.exp(x) + y))
    check_gradients(wave, rng.normal(size=4))
    np.testing.assert_allclose(ad.vmap(ad.grad(lambda x: wave(x).sum()))(np.ones((2, 3))).shape, (2, 3))


def test_on_plain_arrays_nothing_is_recorded():
    cube = cube_rule(vjp=right_vjp)
    assert type(cube(np.ones(2))) is np.ndarray
    assert cube.rule.name == "cube"
    assert cube_rule(vjp=right_vjp) is not cube  # defined again, as in a notebook


def test_an_input_without_derivative_raises_when_it_is_needed():
    @ad.custom_rule
    def weigh(x, w):
        return x * w

    weigh.def_vjp(lambda g, w: g * w, wrt="x")
    assert ad.grad(lambda x: weigh(x, 2.0))(3.0) == 2.0
    with pytest.raises(ad.errors.TapeError, match=r"weigh has no derivative with respect to w.*def_vjp\(wrt=\"w\"\)"):
        ad.grad(lambda w: weigh(3.0, w))(2.0)
    with pytest.raises(ad.errors.TapeError, match="no derivative with respect to x"):
        ad.grad(cube_rule())(2.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ad.custom_rule(np.sin), "custom_rule got a ufunc; it takes a Python function"),
        (lambda: ad.custom_rule(lambda *xs: xs[0]), "named one by one"),
        (lambda: ad.custom_rule(lambda g: g), "no input may be called g"),
        (lambda: cube_rule().def_vjp(lambda g: g, wrt="z"), "with respect to 'z'; its inputs are"),
        (lambda: ad.grad(lambda x: cube_rule(vjp=lambda g, q: g)(x))(1.0), "asks for 'q'"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_check_rule_prints_a_table(capsys):
    check_rule(cube_rule(vjp=right_vjp), np.array([1.0, 2.0]), scale=2.0)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["derivative", "by", "numeric", "reverse", "forward", "error"]
    assert len(lines) == 3
    assert lines[1].startswith("x[0]")
    assert lines[2].startswith("x[1]")


def test_check_rule_finds_what_is_wrong():
    with pytest.raises(AssertionError, match=r"cube: 2 of 2 derivatives are wrong") as caught:
        check_rule(cube_rule(vjp=wrong_vjp), np.array([1.0, 2.0]))
    assert "wrong" in str(caught.value).splitlines()[-1]
    with pytest.raises(AssertionError, match="1 of 4 derivatives are wrong"):
        check_rule(cube_rule(vjp=lambda g, x, scale: g * 3 * x**2 * (x != 4)), np.array([1.0, 2.0, 3.0, 4.0]))


@pytest.mark.parametrize("seed", range(20))
def test_no_false_alarm_in_single_precision(seed, capsys):
    rng = np.random.default_rng(seed)

    @ad.custom_rule
    def norms(x, w):
        return np.float32(1) * np.sum(np.exp(x.astype(np.float32)) * w.astype(np.float32), axis=1)

    norms.def_vjp(lambda g, x, w: ad.expand_dims(g, 1) * ad.exp(x) * w, wrt="x")
    norms.def_vjp(lambda g, x: ad.expand_dims(g, 1) * ad.exp(x), wrt="w")
    x, w = (rng.normal(size=(3, 4)).astype(np.float32) * 3 for _ in "xw")
    from autodiff.testing import gradient_table

    table = gradient_table(norms, x, w)
    assert not table.wrong, str(table)
    check_gradients(lambda x: norms(x, w), x, order=1)


def test_long_tables_show_the_worst():
    from autodiff.testing import gradient_table

    text = str(gradient_table(lambda x: (x**2).sum(), np.arange(50.0)))
    assert "... and 30 more, with smaller errors" in text
    assert "argument 0[3]" in str(gradient_table(lambda x: x**2, np.arange(5.0)))
    assert "(imaginary)" in str(gradient_table(lambda z: z**2, np.array([1 + 2j])))


def test_it_can_be_drawn_listed_and_not_pickled():
    import pickle

    y = cube_rule(vjp=right_vjp)(ad.Tensor([1.0]))
    assert "cube" in str(ad.Tape(y))
    with pytest.raises(ad.errors.KindError, match="not a row of the table"):
        pickle.dumps(y)
