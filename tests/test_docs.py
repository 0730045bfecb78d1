"""Every code block of the README and the docs runs, and prints what it says; every example runs."""

import contextlib
import doctest
import io
import linecache
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
EXAMPLES = sorted({*(ROOT / "examples").glob("*.py")} - {ROOT / "examples/shared.py"})
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_code_blocks_run(page, tmp_path, monkeypatch):
    """Python blocks of a page run one after the other in one namespace.

    A block followed by a ``text`` block must print it.  A block of prompts is a doctest.
    """
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall(page.read_text())
    names = {"__name__": "__main__"}
    for k, (language, code) in enumerate(blocks):
        if language == "pycon":
            test = doctest.DocTestParser().get_doctest(code, names, f"{page.name} block {k}", str(page), 0)
            runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
            runner.run(test, clear_globs=False)
            names.update(test.globs)
            assert runner.failures == 0
        elif language == "python":
            expected = blocks[k + 1][1] if k + 1 < len(blocks) and blocks[k + 1][0] == "text" else None
            printed = run_block(code, names)
            if expected is not None:
                assert printed.strip() == expected.strip()


def run_block(code, names):
    out = io.StringIO()
    linecache.cache["<block>"] = (len(code), None, code.splitlines(keepends=True), "<block>")  # as notebooks do
    with contextlib.redirect_stdout(out):
        exec(compile(code, "<block>", "exec"), names)
    return out.getvalue()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.name)
def test_examples_run(example, tmp_path):
    """An example runs from a folder of its own, without warnings, and is under 100 lines."""
    assert len(example.read_text().splitlines()) < 100
    done = subprocess.run(
        [sys.executable, "-W", "error", str(example), "--quick"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
