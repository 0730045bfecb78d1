"""Every way of looking at a tape, on tapes where a whole computation is one node: it works, or says what cannot be."""

import copy
import warnings

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.errors import CompileError, KindError, UnsupportedError
from autodiff.interop.sympy import to_sympy

START = np.array([2.0, 3.0])
TIMES = [0.0, 1.0]

# The name of the node, a function of w, and its gradient in closed form.
PROGRAMS = {
    "integrate": (
        "integrate",
        lambda w: ad.integrate(lambda x: w[0] * x + w[1] * x**2, 0.0, 1.0),
        lambda w: [1 / 2, 1 / 3],
    ),
    "odeint": (
        "odeint",
        lambda w: ad.odeint(lambda t, y: -w * y, np.ones(2), TIMES, rtol=1e-9)[-1].sum(),
        lambda w: -np.exp(-w),
    ),
    "odeint by the adjoint equation": (
        "odeint",
        lambda w: ad.odeint(lambda t, y: -w * y, np.ones(2), TIMES, rtol=1e-9, gradient="adjoint")[-1].sum(),
        lambda w: -np.exp(-w),
    ),
    "root": ("root", lambda w: ad.root(lambda x: x * x - w, np.ones(2)).sum(), lambda w: 1 / (2 * np.sqrt(w))),
    "fixed_point": (
        "fixed_point",
        lambda w: ad.fixed_point(lambda x: (x + w / x) / 2, np.ones(2)).sum(),
        lambda w: 1 / (2 * np.sqrt(w)),
    ),
    "minimize": (
        "minimize",
        lambda w: ad.minimize(lambda x: ((x - w) ** 2).sum() + (x**4).sum(), np.ones(2)).x.sum(),
        lambda w: 2 / (2 + 12 * np.array([np.roots([4, 0, 2, -2 * v]).real.max() for v in w]) ** 2),
    ),
    "least_squares": (
        "least_squares",
        lambda w: ad.least_squares(lambda x: x * x - w, np.ones(2)).x.sum(),
        lambda w: 1 / (2 * np.sqrt(w)),
    ),
    "curve_fit": (
        "curve_fit",
        lambda w: ad.curve_fit(lambda x, a, b: a + b * x, np.arange(2.0), w, [1.0, 1.0]).x.sum(),
        lambda w: [0.0, 1.0],
    ),
    "checkpoint": ("checkpoint_sin", lambda w: ad.checkpoint(ad.sin)(w).sum(), np.cos),
}


@pytest.fixture(params=PROGRAMS)
def program(request):
    return PROGRAMS[request.param]


def swept(f):
    w = ad.Tensor(START, name="w")
    y = f(w)
    y.backward()
    return w, y


def test_the_tape_the_drawing_and_the_debugger_show_one_node(program, tmp_path):
    name, f, slope = program
    w, y = swept(f)
    np.testing.assert_allclose(w.grad, slope(START), rtol=1e-6, atol=1e-12)
    tape = ad.Tape(y)
    assert len(tape.find(name)) == 1
    assert f" {name} " in str(tape)
    assert name in tape._repr_html_()
    assert tape.diff(ad.Tape(swept(f)[1])).same
    for ending in ("svg", "html", "dot", "mmd", "txt"):
        ad.draw(y).save(tmp_path / f"tape.{ending}")
        assert name in (tmp_path / f"tape.{ending}").read_text(encoding="utf-8")
    ad.debug(y).save(tmp_path / "debugger.html")
    assert name in (tmp_path / "debugger.html").read_text(encoding="utf-8")


def test_the_chain_rule_is_written_in_the_names_of_the_user(program):
    _, f, slope = program
    w, y = swept(f)
    derivation = ad.derive(y, wrt=w)
    forward, _, backward = str(derivation).partition("Backward")
    assert "w)" in forward  # as in f(x, w) or F(y, w): what it depends on
    assert "/∂w)ᵀ" in backward
    np.testing.assert_allclose(derivation.steps[-1].value, slope(START), rtol=1e-6, atol=1e-12)


def test_diagnoses_find_nothing_odd(program):
    name, f, slope = program
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ad.lint(), ad.anomaly(), ad.trace(), ad.profile() as profile:
            w, y = swept(f)
    assert name in str(profile)
    assert "test_composites_seen.py" in str(ad.Tape(y))
    np.testing.assert_allclose(w.grad, slope(START), rtol=1e-6, atol=1e-12)
    assert "Nothing is odd about it" in str(ad.why(w)) or not np.all(w.grad)
    assert "No sign of illness" in str(ad.health({"w": w}))
    with ad.record({"w": ad.Tensor(START)} | {"v": w}) as film:
        f(w).backward()
    assert len(film.frames) == 1


def test_what_cannot_be_says_so(program):
    name, f, slope = program
    _, y = swept(f)
    if name == "checkpoint_sin":
        np.testing.assert_allclose(ad.compile(ad.grad(f))(START), slope(START))
        assert str(to_sympy(y)) == "sin(w_0) + sin(w_1)"
    else:
        with pytest.raises(CompileError, match=f"{name} cannot be compiled.* Leave it outside"):
            ad.compile(f)(START)
        with pytest.raises(UnsupportedError, match=f"to_sympy: {name} stands on the tape as a single node.*from_sympy"):
            to_sympy(y)
    with pytest.raises(KindError, match=f"<rule {name}> is not a row of the table, so a tape with it cannot be copied"):
        copy.deepcopy(y)
