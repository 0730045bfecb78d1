"""Every command writes what it says, to where it says, and ends with the status it says."""

import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import autodiff as ad
from autodiff.cli import main

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "command-line.md"
AT = ["--at", "x=2,y=3"]
EXPRESSION = "x*y + sin(x)"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["autodiff"])


def refused(capsys, *arguments, status=2):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    shown = capsys.readouterr()
    assert ended.value.code == status
    assert shown.out == ""
    assert shown.err.startswith(("usage: autodiff", "autodiff "))
    assert "Traceback" not in shown.err
    assert "backward()" not in shown.err
    return shown.err


def line_refused(capsys, *arguments, status=2):
    """The error where that is one line, without the name of the command."""
    error = refused(capsys, *arguments, status=status)
    assert error.count("\n") == 1
    assert error.startswith(f"autodiff {arguments[0]}: error: ")
    return error.removeprefix(f"autodiff {arguments[0]}: error: ").rstrip("\n")


def test_the_guide(monkeypatch, capsys):
    """The commands of the guide print what the guide says; ``...`` stands for anything."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    commands = []
    for language, text in blocks:
        if language == "python":
            Path("neuron.py").write_text(text)
        elif language == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, expected = part.split("\n", 1)
                program, *arguments = shlex.split(command)
                assert program == "autodiff"
                try:
                    status = main(arguments)
                except SystemExit as ended:
                    status = ended.code
                shown = capsys.readouterr()
                assert status == (2 if "error: " in expected else 0), shown.err
                pattern = ".*".join(map(re.escape, expected.strip().split("...")))
                assert re.fullmatch(pattern, (shown.out + shown.err).strip(), re.DOTALL), shown
                commands.append(arguments[0])
    assert {*commands} == {"tape", "draw", "debug", "derive", "paths", "run"}


@pytest.mark.parametrize("suffix", ["svg", "html", "dot", "mmd", "txt"])
def test_drawings(suffix, capsys):
    assert main(["draw", EXPRESSION, *AT, "-o", f"graph.{suffix}"]) == 0
    assert capsys.readouterr().out == f"wrote graph.{suffix}\n"
    text = Path(f"graph.{suffix}").read_text()
    assert "2.584" in text  # the gradient by x: cos(2) + 3
    assert "sin" in text


def test_a_drawing_in_the_terminal(capsys):
    assert main(["draw", EXPRESSION, *AT]) == 0
    drawn = capsys.readouterr().out
    assert main(["draw", EXPRESSION, *AT, "-o", "graph.txt"]) == 0
    assert drawn == Path("graph.txt").read_text()
    assert "2.584" in drawn


def test_how_a_drawing_looks():
    looks = ["--style", "circuit", "--theme", "dark", "--direction", "TB", "--engine", "builtin", "--depth", "0"]
    assert main(["draw", EXPRESSION, *AT, "-o", "plain.svg"]) == 0
    assert main(["draw", EXPRESSION, *AT, "-o", "fancy.svg", *looks]) == 0
    assert main(["draw", EXPRESSION, *AT, "-o", "values.svg", "--show", "index, value"]) == 0
    pictures = [Path(f"{name}.svg").read_text() for name in ("plain", "fancy", "values")]
    assert len({*pictures}) == 3
    assert "%0" in pictures[2]


def test_an_array_is_drawn_without_gradients_but_not_derived(capsys):
    assert main(["draw", "2*x", "--at", "x=[1,2]"]) == 0
    assert main(["tape", "2*x", "--at", "x=[1,2]"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("-")
    for command in ("debug", "derive", "paths"):
        assert line_refused(capsys, command, "2*x", "--at", "x=[1,2]") == (
            "The result has the shape (2,), and only a single number has a gradient. "
            "Reduce it first, with sum(...) or mean(...) around the expression."
        )
    assert main(["tape", "2*x", "--at", "x=[[3]]"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[-1] == "2.0"  # one number, whatever its shape


def test_a_page(capsys):
    assert main(["debug", EXPRESSION, *AT]) == 0
    assert capsys.readouterr().out == "wrote autodiff-debug.html\n"
    page = Path("autodiff-debug.html").read_text()
    assert "<title>x*y + sin(x)</title>" in page
    error = line_refused(capsys, "debug", EXPRESSION, *AT, "-o", "page.svg")
    assert error == "A page cannot be saved as 'page.svg'. The name can end in .html or .htm."


def test_derivations(capsys):
    assert main(["derive", EXPRESSION, *AT, "--wrt", "y"]) == 0
    by_y = capsys.readouterr().out
    assert main(["derive", EXPRESSION, *AT, "--wrt", "x"]) == 0
    by_x = capsys.readouterr().out
    assert "2.584" in by_x
    assert main(["derive", EXPRESSION, *AT]) == 0
    assert capsys.readouterr().out == f"{by_x}\n{by_y}"
    assert main(["derive", EXPRESSION, *AT, "--wrt", "x", "-o", "x.txt"]) == 0
    assert Path("x.txt").read_text() == by_x
    assert main(["derive", EXPRESSION, *AT, "--wrt", "x", "--latex"]) == 0
    assert "\\" in capsys.readouterr().out.splitlines()[1]


def test_paths(capsys):
    assert main(["paths", EXPRESSION, *AT, "--wrt", "x"]) == 0
    by_x = capsys.readouterr().out
    assert "3.0" in by_x
    assert "-0.4161" in by_x
    assert "2.584" in by_x
    assert main(["paths", EXPRESSION, *AT, "-o", "paths.txt"]) == 0
    text = Path("paths.txt").read_text()
    assert text.startswith(by_x)
    assert "2.0" in text.removeprefix(by_x)


def test_derivations_by_what_is_not_there(capsys):
    for command in ("derive", "paths"):
        assert line_refused(capsys, command, EXPRESSION, *AT, "--wrt", "z") == (
            "--wrt 'z': there is no such variable. There are x, y, f."
        )
        for expression in ("x*x", "y = 3; x*y", "y = floor(x); x + argmax(y)"):
            at = "x=1,y=2" if expression == "x*x" else "x=1"
            assert line_refused(capsys, command, expression, "--at", at, "--wrt", "y") == (
                "--wrt y: the result does not depend on y in a way that has a derivative."
            )
    assert "Did you mean alpha?" in refused(capsys, "derive", "2*alpha", "--at", "alpha=1", "--wrt", "alpa")


def test_exact_values(capsys):
    assert main(["tape", "x/3 + 0.1", "--at", "x=1/3", "--exact"]) == 0
    assert "19/90" in capsys.readouterr().out


def test_several_at(capsys):
    assert main(["tape", "x*y*z", "--at", "x=1,y=2", "--at", "z=3"]) == 0
    assert "6.0" in capsys.readouterr().out


@pytest.mark.parametrize("expression", ["-x**2", "-x", "-(x)", "-2*x + 1", "-sin(x)", "-o*x", "--x", "-1*x"])
def test_expressions_that_begin_with_a_minus(expression, capsys):
    """They are no options; after ``--`` nothing is."""
    arguments = ["tape", "--at", "x=2,o=1", *(["--"] if expression[:2] == "--" else []), expression]
    assert main(arguments) == 0
    assert "negative" in capsys.readouterr().out or expression[1].isdigit()


def test_results_that_are_not_finite_are_said(capsys):
    assert main(["tape", "sum(x)", "--at", "x=[inf,1]"]) == 0
    assert capsys.readouterr().err == "autodiff tape: note: the result is inf\n"
    assert main(["tape", "x - x", "--at", "x=inf"]) == 0
    assert capsys.readouterr().err == "autodiff tape: note: the result is nan\n"


@pytest.mark.parametrize("command", ["draw", "debug", "derive", "paths", "tape"])
def test_errors_point_at_the_place(command, capsys):
    lines = refused(capsys, command, "x + __import__('os')", *AT).splitlines()
    assert lines == [
        f"autodiff {command}: error: There is no op __import__.",
        "    x + __import__('os')",
        "        ^^^^^^^^^^",
    ]
    assert "There is no value for x and y. Add: --at x=1.0,y=1.0" in refused(capsys, command, EXPRESSION)
    assert "expression" in refused(capsys, command)
    assert "expected one argument" in refused(capsys, command, "x", "--at")
    assert "unrecognized arguments: y" in refused(capsys, command, "x", "y", *AT)
    assert not [*Path().iterdir()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "graph.bmp"], "A drawing cannot be saved as 'graph.bmp'. The name can end in .svg, .png, "),
        (["-o", "graph"], "A drawing cannot be saved as 'graph'. The name can end in .svg, .png, "),
        (["-o", ""], "'' is not the name of a file"),
        (["--style", "cubist"], "argument --style: invalid choice: 'cubist'"),
        (["--theme", "pink"], "argument --theme: invalid choice: 'pink'"),
        (["--direction", "up"], "argument --direction: invalid choice: 'up'"),
        (["--engine", "steam"], "argument --engine: invalid choice: 'steam'"),
        (["--depth", "-1"], "argument --depth: "),
        (["--depth", "1.5"], "argument --depth: '1.5' is not a whole number"),
        (["--show", "everything"], "argument --show: 'everything' is none of index, shape, "),
        (["--show", "value,,grad"], "argument --show: '' is none of index, shape, "),
    ],
)
def test_looks_that_there_are_not(arguments, message, capsys):
    assert message in refused(capsys, "draw", EXPRESSION, *AT, *arguments)
    assert not [*Path().iterdir()]


def test_places_that_cannot_be_written(capsys):
    names = {"draw": "graph.svg", "debug": "page.html", "derive": "a.txt", "paths": "a.txt", "tape": "a"}
    for command, name in names.items():
        path = os.path.join("missing", name)
        error = line_refused(capsys, command, EXPRESSION, *AT, "-o", path)
        assert f"cannot be saved as {path!r}: there is no folder 'missing'. Make it first" in error
    Path("folder.svg").mkdir()
    error = line_refused(capsys, "draw", EXPRESSION, *AT, "-o", "folder.svg")
    assert error == "A drawing cannot be saved as 'folder.svg': this is a folder; name a file in it."
    for command in ("derive", "paths", "tape"):
        for suffix in ("svg", "PDF", "html"):
            error = line_refused(capsys, command, EXPRESSION, *AT, "-o", f"a.{suffix}")
            assert error == f"-o a.{suffix}: {command} writes text; a name for that is a.txt."
    assert [*Path().iterdir()] == [Path("folder.svg")]


def test_a_file_that_the_system_refuses(capsys, monkeypatch):
    def refuse(path, *args, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "write_text", refuse)
    assert main(["tape", EXPRESSION, *AT, "-o", "tape.txt"]) == 1
    assert capsys.readouterr().err == "autodiff tape: error: tape.txt: Permission denied\n"


@pytest.mark.parametrize("command", ["draw", "debug", "derive", "paths", "tape", "run", "demo"])
def test_help_is_short_and_has_an_example(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: autodiff {command} ")
    assert len(text.splitlines()) < 50
    if command != "demo":
        example = text.splitlines()[-1].strip()
        assert example.startswith(f"autodiff {command} ")
        if command != "run":
            assert main(shlex.split(example)[1:]) == 0


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_terminals_that_lack_signs(encoding, monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["draw", "β*x", "--at", "β=2,x=3"]) == 0
    out.seek(0)
    assert "multiply" in out.buffer.getvalue().decode(encoding)


def command(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    line = [sys.executable, "-W", "error", "-m", "autodiff", *arguments]
    return subprocess.run(line, capture_output=True, text=True, encoding="utf-8", env=environment, **options)


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("draw", ["-o", "graph.svg"], "wrote graph.svg\n"),
        ("debug", [], "wrote autodiff-debug.html\n"),
        ("derive", ["--wrt", "y"], None),
        ("paths", ["--wrt", "y"], None),
        ("tape", [], None),
    ],
)
def test_the_real_commands(name, options, told):
    """Also without any other program."""
    done = command(name, EXPRESSION, *AT, *options, env={"PATH": ""})
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == told if told else done.stdout.strip()
    wrong = command(name, "open('owned', 'w')", *AT)
    assert wrong.returncode == 2
    assert "There is no op open." in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert not Path("owned").exists()


def test_a_reader_who_has_read_enough():
    """As ``autodiff tape ... | head -1``: no traceback, and none at exit."""
    expression = "+".join(["x"] * 190)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "autodiff", "tape", expression, "--at", "x=1"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait() == 1
    assert errors == b""


def test_version_and_commands(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"autodiff {ad.__version__}\n"
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = capsys.readouterr().out
    assert all(
        re.search(rf"^    {name} ", listed, re.MULTILINE) for name in ("draw", "debug", "derive", "tape", "run", "demo")
    )
