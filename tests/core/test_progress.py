import io
import sys

import pytest

from autodiff.core.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def work(n=3):
    with Progress(n, "working") as progress:
        for step in range(n):
            progress.advance()
            progress.line(f"step {step}")


def test_elsewhere_than_on_a_terminal_lines_are_plain(capsys):
    work()
    shown = capsys.readouterr()
    assert shown.out == "step 0\nstep 1\nstep 2\n"
    assert shown.err == ""


def terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    return sys.stderr


def test_on_a_terminal_a_bar_counts_and_leaves(capsys, monkeypatch):
    shown = terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    work()
    assert capsys.readouterr().out.replace("\r", "").replace("\n\n", "\n") == "step 0\nstep 1\nstep 2\n"
    assert "working" in shown.getvalue()
    assert shown.getvalue().endswith("\r")  # the bar is wiped away


def test_on_a_terminal_without_tqdm_one_line_says_how_to_get_it(capsys, monkeypatch):
    shown = terminal(monkeypatch)
    for name in ("tqdm", "tqdm.auto"):  # the second may be loaded already
        monkeypatch.setitem(sys.modules, name, None)
    work()
    assert capsys.readouterr().out == "step 0\nstep 1\nstep 2\n"
    (line,) = shown.getvalue().splitlines()
    assert line.startswith("no live bar: It needs the package tqdm")
    assert "pip install 'autodiff-tape[progress]'" in line


def test_the_bar_is_closed_when_the_work_fails(monkeypatch):
    terminal(monkeypatch)

    def fail():
        with Progress(3, "working") as progress:
            fail.progress = progress
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert fail.progress.bar.disable  # what tqdm sets on close
