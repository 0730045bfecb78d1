"""The examples on real data print the figures that they should: beside each stands its reference."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


def printed(example, folder, *options, path=ROOT):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / f"{example}.py"), *options],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(path), str(ROOT)])},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def figures(text, start):
    """The numbers in the line that starts so, after it."""
    line = next(line for line in text.splitlines() if line.startswith(start))
    return [float(x.replace(",", "")) for x in NUMBER.findall(line[len(start) :])]


def test_population(tmp_path):
    optimize = pytest.importorskip("scipy.optimize")
    text = printed("population", tmp_path, "--quick")
    K, K_error, r, r_error, t0, t0_error, *_ = figures(text, "1790-1940:")
    assert (round(K), round(r, 4), round(t0, 1)) == (186, 0.0322, 1910.7)
    source = (ROOT / "examples/population.py").read_text()
    names = {}
    exec(source[source.index("import numpy") : source.index("from shared")], names)
    exec(source[source.index("YEARS =") : source.index("def population")], names)

    def closed(t, K, r, t0):
        return K / (1 + np.exp(-r * (t - t0)))

    for last, expected in ((1910, 198), (1940, 186), (2000, 441)):
        seen = names["YEARS"] <= last
        x, covariance = optimize.curve_fit(closed, names["YEARS"][seen], names["PEOPLE"][seen], [200, 0.03, 1910])
        assert abs(x[0] - expected) < 0.6
        if last == 1940:
            std = np.sqrt(np.diag(covariance))
            assert np.allclose([K, r, t0], x, rtol=0, atol=[0.051, 0.000051, 0.051])
            assert np.allclose([K_error, r_error, t0_error], std, rtol=0, atol=[0.051, 0.000051, 0.051])


def test_lynx_hare(tmp_path):
    text = printed("lynx_hare", tmp_path, "--quick")
    for name, reference, digits in (("α", 0.540, 3), ("β", 0.0272, 4), ("γ", 0.796, 3), ("δ", 0.0237, 4)):
        x, error, _ = figures(text, f"{name} = ")
        assert round(x, digits) == reference
        assert 0.05 * x < error < 0.2 * x


def test_stocks(tmp_path):
    text = printed("stocks", tmp_path, "--quick")
    for name in ("mu", "omega", "alpha", "beta"):
        ours, error, theirs, their_error = figures(text, name)
        assert ours == pytest.approx(theirs, rel=1e-4)
        assert error == pytest.approx(their_error, rel=1e-3)
    ours, theirs = figures(text, "log-likelihood")
    assert ours == pytest.approx(theirs, abs=1e-4)
    for name in ("drift", "volatility"):
        ours, _, reference = figures(text, name)
        assert ours == pytest.approx(reference, abs=2e-3)


def test_options(tmp_path):
    text = printed("options", tmp_path, "--quick")
    assert figures(text, "price") == [4.7594, 4.76]
    for name in ("delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "charm", "ultima"):
        exact, book, difference, mean, error, _ = figures(text, name)
        assert abs(difference) < 1e-10
        assert exact == book
        assert abs(mean - exact) < 3 * error + 1e-5  # of the last digit that is printed


def test_traffic(tmp_path):
    text = printed("traffic", tmp_path, "--quick")
    assert "takes 92.0000 with the bridge" in text
    assert "takes 83.0000 without it" in text
    assert figures(text, "price of anarchy")[0] == round(552 / 498, 4)
    assert "takes 83.0000, and the bridge" in text


def test_sioux_falls(tmp_path):
    text = printed("sioux_falls", tmp_path, "--quick")
    found, published, gap = figures(text, "Beckmann's function")
    assert published == 4_231_335.2871
    assert 0 <= found / published - 1 < 1e-6
    assert gap < 1e-4
    (anarchy,) = figures(text, "price of anarchy")
    tolled, off = figures(text, "with tolls")
    assert anarchy == pytest.approx(7_480_225.34 / 7_194_256.05, rel=5e-4)
    assert 1 <= tolled < 1.0001
    assert off < 300  # of the 4,000 to 23,000 on a link


@pytest.mark.parametrize(
    ("example", "package", "extra"), [("stocks", "arch", "stocks"), ("sioux_falls", "tables", "traffic")]
)
def test_without_its_extra_it_says_how_to_get_it(example, package, extra, tmp_path):
    (tmp_path / f"{package}.py").write_text("raise ModuleNotFoundError")
    assert f"pip install 'autodiff-tape[{extra}]'" in printed(example, tmp_path, path=tmp_path)
