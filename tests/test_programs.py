"""Random programs of up to twelve rows of the whole table: reverse = forward = numeric."""

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import autodiff as ad
from autodiff.core.rule import TABLE
from autodiff.ops.families import draw_samples
from autodiff.testing.compare import central_difference, is_continuous

ad.ops.public.names()
STEPS = [
    (rule, point)
    for rule in TABLE.values()
    if rule.differentiable and rule.forward.__module__.startswith("autodiff.ops")
    for point in draw_samples(rule)
    if point.order > 0
    and any(is_continuous(a) and np.size(a) for a in point.args)
    and all(np.all(np.isfinite(a)) for a in point.args if is_continuous(a))
]
PROGRAMS = 2000


def moved(a, x):
    """The sample's argument ``a``, moved a little by the entries of ``x``."""
    a = np.asarray(a)
    entries = ad.take(ad.ravel(x), np.arange(a.size) % x.size)
    return a + 0.1 * ad.reshape(ad.tanh(entries), a.shape).astype(a.dtype)


def run(program, x):
    """A number computed from ``x`` by a list of rows, each applied to what an earlier one made."""
    made = [x]
    for (rule, point), source in program:
        given = [moved(a, made[(source + k) % len(made)]) if is_continuous(a) else a for k, a in enumerate(point.args)]
        y = rule.op(given, **point.params) if rule.variadic else rule.op(*given, **point.params)
        if np.iscomplexobj(ad.core.node.data_of(y)):
            y = ad.real(y) + 0.5 * ad.imag(y)
        if y.size:
            made.append(ad.tanh(0.5 * y))
    total = 0.0
    for y in made:
        total = total + ad.mean(y * y + y)
    return total


@settings(max_examples=PROGRAMS, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 11)), min_size=1, max_size=12),
    st.integers(0, 2**32 - 1),
)
def test_reverse_is_forward_is_numeric(program, seed):
    """<grad f, v> == jvp(f)(v) == (f(x + tv) - f(x - tv)) / 2t for programs drawn from the whole table."""
    rng = np.random.default_rng(seed)
    x, v = rng.normal(size=5), rng.normal(size=5)

    def f(x):
        return run(program, x)

    with np.errstate(all="ignore"):
        try:
            y, g = ad.value_and_grad(f)(x)
        except np.linalg.LinAlgError:
            assume(False)  # moved to where a matrix has no factor
        assume(np.isfinite(y) and np.all(np.isfinite(g)))
        _, forward = ad.jvp(f, (x,), (v,))
        np.testing.assert_allclose(np.vdot(g, v), forward, rtol=1e-9, atol=1e-10)
        (numeric,), (finer,) = (central_difference(f, [x], [v], step) for step in (1e-4, 0.5e-4))
        assume(abs(numeric - finer) <= 1e-7 * (1 + abs(numeric)))  # no kink and no jump between the points
        np.testing.assert_allclose(forward, numeric, rtol=1e-5, atol=1e-6)
