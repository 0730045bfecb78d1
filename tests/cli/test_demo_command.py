import subprocess
import sys

import pytest

import autodiff
from autodiff import cli
from autodiff.cli import commands
from autodiff.core.errors import ArgumentError

WHOLE = ["", "abc", "0", "-1", "1.5", "nan", "inf", "-inf", "1e3", "²", "99999999", "9" * 5000]
NOT_RATES = ["", "abc", "0", "-1", "nan", "inf", "-inf", "0.1,0.2", "1e999"]
NOT_WIDTHS = ["", ",", "32,", "32,,32", "32 32", "abc", "0", "32,-1", "nan", "1.5", "99999999", "[32]"]
NOT_SEEDS = ["", "abc", "-1", "1.5", "nan", "9" * 5000]


@pytest.fixture(autouse=True)
def called_as_a_script(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["autodiff"])


@pytest.fixture
def refused(monkeypatch, capsys):
    """Run the command line; return the one line in which it refuses, before any work."""
    monkeypatch.setattr(commands, "train", lambda *_: pytest.fail("training was started"))

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        shown = capsys.readouterr()
        assert ended.value.code == 2
        assert shown.out == ""
        *usage, line = shown.err.splitlines()
        assert not usage or usage[0].startswith("usage: ")
        assert not any("error" in other for other in usage)
        assert len(line) < 250
        return line

    return run


@pytest.mark.parametrize("arguments", [[], ["train"], ["--demo"], ["demo", "moons"], ["demo", "--foo"]])
def test_commands_that_do_not_exist(refused, arguments):
    assert refused(*arguments).startswith(("autodiff: error: ", "autodiff demo: error: "))


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        *(("--epochs", value, "is not a whole number from 1 to 1,000,000") for value in WHOLE),
        *(("--lr", value, "is not a number above 0, such as 0.003") for value in NOT_RATES),
        *(("--hidden", value, "commas between them, such as 32,32") for value in NOT_WIDTHS),
        *(("--seed", value, "is not a whole number of at least 0") for value in NOT_SEEDS),
        ("--data", "mnist", "choose from"),
        ("--data", "", "choose from"),
        ("--out", "", "is not the name of a folder"),
        ("--out", " ", "is not the name of a folder"),
    ],
    ids=lambda value: value[:12],
)
def test_values_that_cannot_be(refused, option, value, expected):
    line = refused("demo", f"{option}={value}")
    assert f"demo: error: argument {option}: " in line
    assert expected in line


@pytest.mark.parametrize("option", ["--epochs", "--lr", "--hidden", "--seed", "--data", "--out"])
def test_options_without_a_value(refused, option):
    assert f"argument {option}: expected one argument" in refused("demo", option)


def test_a_net_too_large_for_a_demo(refused):
    assert "640,000,000" not in refused("demo", "--hidden", "1000000")
    assert "75,000,010 parameters; it trains at most 10,000,000" in refused("demo", "--hidden", "1000000")


def folder_refused(capsys, folder):
    with pytest.raises(SystemExit) as ended:
        cli.main(["demo", "--data", "moons", "--epochs", "1", "--out", str(folder)])
    shown = capsys.readouterr()
    assert ended.value.code == 2
    assert shown.out == ""  # before any work
    assert shown.err.count("\n") == 1
    return shown.err.rstrip("\n")


def test_a_file_for_a_folder(tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("mine")
    assert folder_refused(capsys, file).endswith(f"into the folder {file}: it is a file. Give another one.")
    assert "not a directory" in folder_refused(capsys, file / "below")
    assert file.read_text() == "mine"


def test_a_folder_that_may_not_be_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write anywhere
    assert "it is write-protected" in folder_refused(capsys, tmp_path)


def test_a_disk_that_is_full_is_one_line(monkeypatch, capsys):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(commands, "train", fail)
    assert cli.main(["demo", "--data", "moons"]) == 1
    assert capsys.readouterr().err.splitlines() == ["autodiff demo: error: No space left on device"]


def test_errors_of_the_package_are_one_line(monkeypatch, capsys):
    def fail(*_):
        raise ArgumentError("No.")

    monkeypatch.setattr(commands, "train", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main(["demo", "--data", "moons"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "autodiff demo: error: No.\n"


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["--version"]])
def test_help(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip()


def test_the_defaults_are_in_the_help(capsys):
    with pytest.raises(SystemExit):
        cli.main(["demo", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "(default: 40 for digits, 40 for moons, 80 for spirals)" in shown
    assert "128 for digits, 16,16 for moons" in shown


def test_as_a_module_and_as_a_script():
    module = subprocess.run([sys.executable, "-m", "autodiff", "demo", "--lr"], capture_output=True, text=True)
    assert module.returncode == 2
    assert module.stderr.startswith("usage: python -m autodiff demo ")  # what can be copied and run
    version = subprocess.run([sys.executable, "-m", "autodiff", "--version"], capture_output=True, text=True)
    assert version.stdout == f"autodiff {autodiff.__version__}\n"
