"""Every row of the table, random programs, and what is hard to print, as loops: Python runs them entry by entry."""

import numpy as np
import pytest
import test_programs_compiled as programs
import test_rows_compiled as rows
from hypothesis import Phase, assume, settings
from near import assert_near

import autodiff as ad
from autodiff.compiler.load import load
from autodiff.compiler.machine import version
from autodiff.compiler.version import Version
from autodiff.ops.families import draw_samples

PLAIN = "def njit(*given, **options):\n    return given[0] if given else lambda f: f"


@pytest.fixture(scope="module", autouse=True)
def _plain_python():
    """Run printed loops as they are, instead of compiling them."""
    with pytest.MonkeyPatch.context() as patch:

        def loaded(source, constants, title, damaged=False):
            return load(source.replace("from numba import njit", PLAIN), constants, title)

        patch.setattr(version, "loaded", loaded)

        def not_printed(self, *args):
            raise AssertionError("Loops could not be printed.")

        patch.setattr(version, "refusing", lambda *args: [])
        patch.setattr(Version, "printed", not_printed)
        yield


@pytest.mark.parametrize("rule", rows.COMPILED, ids=rows.name_of)
@pytest.mark.usefixtures("never_eagerly")
def test_a_row_and_its_gradients(rule):
    for point in [p for p in draw_samples(rule) if sum(map(np.size, p.args)) < 500][:2]:

        def f(*args, point=point):
            y = rows.apply(rule, args, point.params)
            return y * 2 + y * y if np.asarray(ad.core.node.data_of(y)).dtype.kind in "fc" else y

        both = rows.compiled_and_not(f, [np.array(a) for a in point.args], backend="numba")
        if both is not None:
            assert_near(*both, ulps=256)


@settings(programs.patiently, max_examples=8, phases=[Phase.generate])
@programs.random_programs
def test_a_random_program(program, seed):
    rng = np.random.default_rng(seed)
    compiled = ad.compile(lambda x: programs.run(program, x), backend="numba")
    for _ in range(2):
        (loss, gradient), (y, expected) = programs.compiled_and_not(compiled, program, rng.normal(size=5))
        assume(np.all(np.isfinite(expected)) and np.max(np.abs(expected)) < 1e9)
        np.testing.assert_allclose(loss.data, y.data, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-7 * np.max(np.abs(expected)))


# What is hard to print.


def check(f, *args):
    """As loops, ``f`` gives what it gives."""
    compiled = ad.compile(f, backend="numba")
    with np.errstate(all="ignore"):
        assert_near(compiled(*args), f(*args), ulps=4)
    assert "@njit" in compiled.source


@pytest.mark.usefixtures("never_eagerly")
def test_names_of_the_user_hide_nothing(rng):
    """Variables that are called like what printed loops call, or like constants."""

    def f(plus, range, f64, exp_f64, constant):
        y = ad.sum(ad.exp(plus) * range + f64, axis=1)
        constant2 = constant * np.arange(12.0).reshape(3, 4) + exp_f64
        return y, constant2 * constant2 * np.arange(12.0, 24).reshape(3, 4)

    check(f, *rng.normal(size=(5, 3, 4)))


@pytest.mark.usefixtures("never_eagerly")
def test_nine_axes(rng):
    check(lambda x: x * x + 2 * x[::-1], rng.normal(size=(2,) * 9))


@pytest.mark.usefixtures("never_eagerly")
def test_a_view_that_only_a_call_reads_in_the_end(rng):
    """A loop that is left alone becomes a call again, and its view is needed after all."""

    def f(x):
        x = x * x + x
        return ad.sum(ad.squeeze(x) * 0.5) + x

    x, expected = ad.Tensor(np.array(1.5)), ad.Tensor(np.array(1.5))
    ad.compile(f, backend="numba")(x).backward()
    f(expected).backward()
    assert_near([x.grad], [expected.grad])


@pytest.mark.usefixtures("never_eagerly")
def test_a_number_that_the_dtype_does_not_hold():
    check(lambda n: ((n < 300) & (n > -129), n * n + 1), np.array([100, -100, 7], np.int8))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.usefixtures("never_eagerly")
def test_the_ends_of_the_line(dtype):
    """Large and infinite numbers, tiny ones, and zeros with a sign."""
    found = np.finfo(dtype)
    ends = np.array([found.max, found.tiny, found.eps, 0.0, np.inf, 89, 710, 20, 1], dtype)

    def f(x):
        y = [ad.expm1(x), ad.exp(x), ad.tanh(x), ad.sign(x), ad.log1p(x), ad.log(ad.abs(x)), x**0.5, 1 / x]
        return *y, ad.copysign(1, y[0]), ad.copysign(1, y[3])

    check(f, np.concatenate([ends, -ends, [dtype(np.nan)]]))
