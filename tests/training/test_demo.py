"""The demo, as the command line runs it."""

import csv
import os
import re
import signal
import struct
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import autodiff as ad
from autodiff.cli import main
from autodiff.training import Demo
from autodiff.training.demo import TASKS

# One thread: two of them wait for each other at length while another test keeps a core busy.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(ad.__file__).parent.parent), "OPENBLAS_NUM_THREADS": "1"}
COMMAND = [sys.executable, "-W", "error", "-m", "autodiff", "demo"]
FILES = {
    "digits": {"history.csv", "loss.png", "misclassified.png", "tape.svg", "backprop.html"},
    "moons": {"history.csv", "loss.png", "regions.png", "tape.svg", "backprop.html"},
    "spirals": {"history.csv", "loss.png", "regions.png", "tape.svg", "backprop.html"},
}


def without_times(text):
    return re.sub(r"trained in .*", "", text)


def test_the_default_learns_digits_in_seconds(tmp_path):
    """At least 97 % of 359 digits that it has never seen, from the command of the README."""
    started = time.perf_counter()
    done = subprocess.run(COMMAND, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert time.perf_counter() - started < 20
    assert done.stderr == ""
    assert float(re.search(r"^test accuracy ([\d.]+)%", done.stdout, re.M)[1]) >= 97
    assert {p.name for p in (tmp_path / "autodiff-demo").iterdir()} == FILES["digits"]
    assert max(map(len, done.stdout.splitlines())) <= 120


@pytest.mark.parametrize("data", FILES)
def test_one_seed_prints_the_same_numbers_and_another_others(data, tmp_path, capsys):
    def printed(seed):
        assert main(["demo", "--data", data, "--epochs", "2", "--seed", seed, "--out", str(tmp_path / "out")]) == 0
        return without_times(capsys.readouterr().out)

    first = printed("3")
    assert first == printed("3")
    assert first != printed("4")


@pytest.mark.parametrize("data", FILES)
def test_the_files_are_what_they_are_said_to_be(data, tmp_path, capsys):
    folder = tmp_path / "a" / "b"
    assert main(["demo", "--data", data, "--epochs", "2", "--out", str(folder)]) == 0
    said = {line.split(":")[0] for line in capsys.readouterr().out.splitlines() if line.startswith(str(folder))}
    assert {p.name for p in folder.iterdir()} == FILES[data]
    assert said == {str(folder / name) for name in FILES[data]}
    for path in folder.glob("*.png"):
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", content[16:24])
        assert width >= 600
        assert height >= 300
    assert ET.parse(folder / "tape.svg").getroot().tag.endswith("svg")
    with open(folder / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "train loss", "test loss", "train accuracy", "test accuracy"]
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(0 <= float(row["test accuracy"]) <= 1 and float(row["train loss"]) > 0 for row in rows)


def test_options_reach_the_net(tmp_path, capsys):
    options = ["--data", "spirals", "--epochs", "1", "--hidden", "32,8", "--lr", "0.5", "--out", str(tmp_path)]
    assert main(["demo", *options]) == 0
    shown = capsys.readouterr().out
    assert "an MLP 2 - 32 - 8 - 3 with 387 parameters" in shown
    assert "epoch   1/1 " in shown
    assert Demo("spirals", hidden=(32, 8), lr=0.5).optimizer.lr == 0.5


def test_moons_are_told_apart():
    demo = Demo("moons", epochs=20)
    demo.train()
    assert demo.history[-1]["test accuracy"] > 0.97
    assert set(demo.predict([[0.0, 1.0], [1.0, -0.5]])) == {0, 1}


def test_the_confusion_matrix_counts_the_test_set():
    demo = Demo("spirals", epochs=1)
    head, *rows = demo.confusion().splitlines()
    assert head.split()[-3:] == ["0", "1", "2"]
    counts = [[int(n) for n in row.replace(".", "0").split()[1:]] for row in rows]
    assert np.sum(counts, axis=1).tolist() == np.bincount(demo.y_test).tolist()


def test_a_net_without_mistakes_leaves_no_picture_of_them(tmp_path, monkeypatch):
    demo = Demo("digits", epochs=1)
    demo.train()
    (tmp_path / "misclassified.png").write_text("an earlier run")
    monkeypatch.setattr(demo, "predict", lambda X: demo.y_test)
    assert "no picture of misread digits: there are none" in demo.save(tmp_path)
    assert not (tmp_path / "misclassified.png").exists()


def test_without_matplotlib_it_says_so_and_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["demo", "--data", "moons", "--epochs", "1", "--out", str(tmp_path)]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("no plots")]
    assert line.endswith("Get it with: pip install 'autodiff-tape[plot]'")
    assert {p.name for p in tmp_path.iterdir()} == {"history.csv", "tape.svg", "backprop.html"}


def test_with_no_extra_at_all(tmp_path):
    """As after a bare `pip install`: neither Matplotlib nor tqdm nor the program dot."""
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['matplotlib', 'tqdm', 'scipy', 'IPython', 'sympy', 'mpmath']))\n"
        "from autodiff.cli import main\n"
        "sys.exit(main(['demo', '--data', 'moons', '--epochs', '2']))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env={**ENVIRONMENT, "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {p.name for p in (tmp_path / "autodiff-demo").iterdir()} == {"history.csv", "tape.svg", "backprop.html"}


def test_a_terminal_shows_the_bar(tmp_path):
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    options = ["--data", "moons", "--epochs", "10"]
    process = subprocess.Popen(
        [*COMMAND, *options], cwd=tmp_path, env=ENVIRONMENT, stdout=theirs, stderr=theirs, stdin=theirs
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:  # how Linux says that nobody writes any more
            break
    os.close(ours)
    assert process.wait() == 0
    text = shown.decode()
    assert re.search(r"training on moons:\s+\d+%\|.*\| \d+/130 \[", text)
    assert "test accuracy" in text
    lines = [line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n")]
    assert sum(line.startswith("epoch ") for line in lines) == 10  # each on a line of its own, above the bar


def test_control_c_ends_it_cleanly(tmp_path):
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # `pytest &` switches it off
        "from autodiff.cli import main\n"
        "sys.exit(main(['demo', '--data', 'moons', '--epochs', '100000']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline().startswith("moons: 800 points")
            assert process.stdout.readline().startswith("epoch   1/100000")
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 130
    assert error.strip() == "stopped; nothing more was written"


def test_a_reader_that_has_seen_enough(tmp_path):
    process = subprocess.Popen(
        [*COMMAND, "--data", "moons", "--epochs", "100000"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process.stderr:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.wait() == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data": "mnist"}, "no data set 'mnist'; it has digits, moons, spirals"),
        ({"data": ["moons"]}, r"no data set \['moons'\]"),
        ({"epochs": 0}, "epochs=0; it is a whole number of at least 1"),
        ({"epochs": "a"}, "epochs='a'; it is a whole number of at least 1"),
        ({"seed": -1}, "seed=-1; it is a whole number of at least 0"),
        ({"seed": None}, "seed=None; it is a whole number of at least 0"),
        ({"hidden": ()}, r"hidden=\(\); it takes widths, such as \(128,\)"),
        ({"hidden": 3}, "hidden=3; it takes widths"),
        ({"hidden": (3, 0)}, r"hidden\[1\]=0; it is a whole number of at least 1"),
        ({"hidden": (1.5,)}, r"hidden\[0\]=1.5; it is a whole number"),
        ({"lr": "a"}, "Adam got lr='a'"),
        ({"hidden": (10**9,)}, r"75,000,000,010 parameters; it trains at most 10,000,000. Give narrower layers, such"),
        ({"lr": -1.0}, "Adam got lr=-1.0"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(ad.AutodiffError, match=message):
        Demo(**settings)


def test_a_loss_that_explodes_is_told_with_its_repair():
    demo = Demo("moons", lr=1e20)
    with pytest.raises(ad.errors.ArgumentError, match=r"nan in epoch \d.*lr=1e\+20 .*smaller learning rate, such as"):
        demo.train()


def test_each_task_has_its_own_defaults():
    for name, task in TASKS.items():
        demo = Demo(name)
        assert (demo.epochs, demo.lr, demo.hidden) == (task.epochs, task.lr, task.hidden)
