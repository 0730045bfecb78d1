"""The page of examples names every example and shows its picture.  That each runs is tested in ``test_docs.py``."""

import gzip
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/examples.md").read_text()
EXAMPLES = sorted({*(ROOT / "examples").glob("*.py")} - {ROOT / "examples/shared.py"})
PICTURES = sorted((ROOT / "docs/pictures").glob("example-*"))


def run(example, folder, *options):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / example), "--quick", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.name)
def test_the_page_names_it(example):
    assert f"examples/{example.name}" in PAGE


@pytest.mark.parametrize("picture", PICTURES, ids=lambda p: p.name)
def test_pictures_are_shown_and_small(picture):
    assert f"](pictures/{picture.name})" in PAGE
    assert picture.stat().st_size < 100_000
    assert any(f'"{picture.name}"' in example.read_text() for example in EXAMPLES)


def test_no_picture_is_missing():
    shown = re.findall(r"\]\(pictures/(example-[^)]*)\)", PAGE)
    saved = [name for example in EXAMPLES for name in re.findall(r'save\(figure, "(.*)"\)', example.read_text())]
    assert sorted(shown) == sorted(saved) == [picture.name for picture in PICTURES]


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(head + array.astype(np.uint8).tobytes()))


def test_fashion_runs_on_any_set_of_its_format(tmp_path):
    """So it is run also where the real set is not installed."""
    rng = np.random.default_rng(0)
    for part, rows in (("train", 300), ("t10k", 600)):
        labels = np.arange(rows) % 10
        images = rng.integers(0, 60, (rows, 28, 28))
        images[np.arange(rows), 2 * labels, :] = 255  # a bar at another height in each class
        write_idx(tmp_path / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", labels)
    printed = run("fashion_conv.py", tmp_path, "--folder", str(tmp_path))
    assert "of 600 test images are recognised" in printed
    assert (tmp_path / "example-fashion-conv.png").stat().st_size > 10_000


def test_fashion_says_how_to_get_the_set(tmp_path):
    assert "apt install dataset-fashion-mnist" in run("fashion_conv.py", tmp_path, "--folder", str(tmp_path))


def test_pictures_go_where_they_are_told(tmp_path):
    (tmp_path / "pictures").mkdir()
    printed = run("autoencoder.py", tmp_path, "--out", "pictures")
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["example-autoencoder.png"]
    assert "pictures/example-autoencoder.png" in printed
