"""The examples of calculus print the figures that they should: beside each stands its reference."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize

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


def test_article(tmp_path):
    text = printed("article", tmp_path)
    for kind in ("float", "Fraction", "Decimal", "mpf"):
        assert re.search(rf"^ *{kind}: 8(\.0)? +\(2x \+ 2 at 3: 8\), the same: True$", text, re.MULTILINE)


def test_lorenz(tmp_path):
    exponent, error, published = figures(printed("lorenz", tmp_path, "--quick"), "largest Lyapunov exponent:")
    assert published == 0.9056
    assert abs(exponent - published) < 3 * error < 0.02


def test_ornstein_uhlenbeck(tmp_path):
    text = printed("ornstein_uhlenbeck", tmp_path, "--quick")
    for name in ("theta", "mu", "sigma"):
        true, found, error, closed = figures(text, name)
        assert found == closed
        assert abs(found - true) < 3 * error


def test_population(tmp_path):
    text = printed("population", tmp_path)
    K, _, r, _, t0, *_ = figures(text, "1790-1940:")
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
        found = np.reshape(figures(text, f"1790-{last}:")[:6], (3, 2))
        rounding = [0.051, 0.000051, 0.051]
        assert np.allclose(found[:, 0], x, rtol=0, atol=rounding)
        assert np.allclose(found[:, 1], np.sqrt(np.diag(covariance)), rtol=0, atol=rounding)


def test_lynx_hare(tmp_path):
    """The errors, too, are those of the same fit by SciPy's solve_ivp and least_squares."""
    text = printed("lynx_hare", tmp_path, "--quick")
    for name, reference, digits, error in (
        ("α", 0.540, 3, 0.0595),
        ("β", 0.0272, 4, 0.0038),
        ("γ", 0.796, 3, 0.0839),
        ("δ", 0.0237, 4, 0.0033),
    ):
        x, found_error, shown = figures(text, f"{name} = ")
        assert round(x, digits) == reference == shown
        assert found_error == pytest.approx(error, abs=1.1e-4)


def test_stocks(tmp_path):
    text = printed("stocks", tmp_path, "--quick")
    for name in ("mu", "omega", "alpha", "beta"):
        ours, error, theirs, their_error = figures(text, name)
        assert ours == pytest.approx(theirs, abs=3e-6)
        assert error == pytest.approx(their_error, abs=3e-6)
    ours, theirs = figures(text, "log-likelihood")
    assert ours == pytest.approx(theirs, abs=2e-5)
    for name in ("drift", "volatility"):
        ours, _, reference = figures(text, name)
        assert ours == pytest.approx(reference, abs=1.1e-3)


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
    text = printed("sioux_falls", tmp_path)
    found, published, gap = figures(text, "Beckmann's function")
    assert published == 4_231_335.2871
    assert abs(found - published) < 1e-4
    assert 0 <= gap < 1e-11
    (anarchy,) = figures(text, "price of anarchy")
    tolled, off = figures(text, "with tolls")
    assert anarchy == round(7_480_225.34 / 7_194_256.05, 5)
    assert tolled == 1
    assert off < 0.01  # of the 4,000 to 23,000 on a link


@pytest.mark.parametrize(
    ("example", "package", "extra"), [("stocks", "arch", "stocks"), ("sioux_falls", "tables", "traffic")]
)
def test_without_its_extra_it_says_how_to_get_it(example, package, extra, tmp_path):
    (tmp_path / f"{package}.py").write_text("raise ModuleNotFoundError")
    assert f"pip install 'autodiff-tape[{extra}]'" in printed(example, tmp_path, path=tmp_path)


def test_the_page_on_calculus_shows_the_plots_that_it_saves():
    """They change with a reader's choice of a dark ground."""
    page = (ROOT / "docs/calculus.md").read_text()
    saved = re.findall(r'savefig\("(.*?)"\)', page)
    assert saved == re.findall(r"\]\(pictures/(.*?)\)", page)
    assert sorted(saved) == sorted(path.name for path in (ROOT / "docs/pictures").glob("calculus-*"))
    for name in saved:
        svg = (ROOT / "docs/pictures" / name).read_text()
        assert ET.fromstring(svg).tag.endswith("svg")
        assert "prefers-color-scheme: dark" in svg
