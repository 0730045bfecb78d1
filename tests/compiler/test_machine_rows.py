"""Every row of the table, and random programs, as loops: Python runs what Numba would compile, entry by entry."""

import numpy as np
import pytest
from alike import moved, swept
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from near import assert_near
from test_rows_compiled import COMPILED, apply, name_of, nodes

import autodiff as ad
from autodiff.compiler.load import load
from autodiff.compiler.machine import version
from autodiff.compiler.version import Version
from autodiff.core.errors import CompileError
from autodiff.ops.families import draw_samples
from tests.test_programs import STEPS, run

PLAIN = "def njit(*given, **options):\n    return given[0] if given else lambda f: f"


@pytest.fixture(scope="module", autouse=True)
def _plain_python():
    """Run printed loops as they are, instead of compiling them."""
    with pytest.MonkeyPatch.context() as patch:

        def loaded(source, constants, title, keep=True):
            return load(source.replace("from numba import njit", PLAIN), constants, title)

        patch.setattr(version, "loaded", loaded)

        def not_printed(self, *args):
            raise AssertionError("Loops could not be printed.")

        patch.setattr(version, "refusing", lambda *args: [])
        patch.setattr(Version, "printed", not_printed)
        yield


@pytest.mark.parametrize("rule", COMPILED, ids=name_of)
@pytest.mark.usefixtures("never_eagerly")
def test_a_row_and_its_gradients(rule):
    for point in [p for p in draw_samples(rule) if sum(map(np.size, p.args)) < 500][:2]:

        def f(*args, point=point):
            y = apply(rule, args, point.params)
            return y * 2 + y * y if np.asarray(ad.core.node.data_of(y)).dtype.kind in "fc" else y

        args = [np.array(a) for a in point.args]
        others = [moved(a) for a in args]
        with np.errstate(all="ignore"):
            try:
                expected = swept(f, *nodes(others))
            except np.linalg.LinAlgError:
                continue  # moved to where there is none
            compiled = ad.compile(f, backend="numba")
            swept(compiled, *nodes(args))
            assert_near(swept(compiled, *nodes(others)), expected, ulps=256)


@settings(
    max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None
)
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 11)), min_size=2, max_size=12), st.integers(0, 2**32 - 1)
)
def test_a_random_program(program, seed):
    rng = np.random.default_rng(seed)
    compiled = ad.compile(lambda x: run(program, x), backend="numba")
    for _ in range(2):
        x = rng.normal(size=5)
        found, expected = ad.Tensor(x), ad.Tensor(x)
        with np.errstate(all="ignore"):
            try:
                y = run(program, expected)
                y.backward()
                loss = compiled(found)
            except (CompileError, np.linalg.LinAlgError):
                assume(False)
            loss.backward()
        assume(np.all(np.isfinite(expected.grad)) and np.max(np.abs(expected.grad)) < 1e9)
        np.testing.assert_allclose(loss.data, y.data, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found.grad, expected.grad, rtol=1e-7, atol=1e-7 * np.max(np.abs(expected.grad)))
