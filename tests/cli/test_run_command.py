"""``autodiff run`` runs a script as Python does, and looks at what one of its variables holds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import autodiff as ad
from autodiff.cli import main
from autodiff.cli.script import LastSteps, Variable, execute, in_place_of_main
from autodiff.core.errors import AutodiffError

NEURON = """
import autodiff as ad
w = ad.Value(-3.0)
x = ad.Value(2.0)
loss = ad.tanh(x * w + 7)
loss.backward()
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Write a script into an empty folder, and go there."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="script.py"):
        path = Path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return name

    return write


def run(*arguments):
    return main(["run", *arguments])


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        run(*arguments)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert "error: " in error
    return error


def test_nodes_are_called_as_in_the_script(script, capsys):
    assert run(script(NEURON), "--tape", "loss") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [row[1] for row in rows if row[2] == "leaf"] == ["w", "x"]
    assert rows[-1][1:3] == ["loss", "tanh"]
    assert rows[0][-1] == "0.8399"  # the gradient that the script computed


def test_everything_is_as_python_has_it(script, capsys):
    """The same script tells the same about itself, run by Python and by this command."""
    script("there = 1", "folder/beside.py")
    text = """
import sys, pickle, dataclasses
import beside
import __main__
@dataclasses.dataclass
class Point:
    x: float
print(__name__, __file__, __package__, __spec__, __doc__, sys.argv, sys.path[0], beside.__file__)
print(pickle.loads(pickle.dumps(Point(1.0))), Point.__module__, Point.__annotations__, __main__.Point is Point)
print(sorted(n for n in globals() if n not in ("__annotations__", "__conditional_annotations__", "__cached__")))
import autodiff as ad
loss = ad.Value(1.0)
"""
    name = script(text, "folder/script.py")
    assert run(name, "--tape", "loss", "--", "--tape", "a b", "--") == 0
    ours, *_ = capsys.readouterr().out.split("index  name")
    expected = [sys.executable, name, "--tape", "a b", "--"]
    environment = {**os.environ, "PYTHONPATH": str(Path(ad.__file__).parent.parent)}
    pythons = subprocess.run(expected, capture_output=True, text=True, check=True, env=environment)
    assert ours.splitlines()[1:] == pythons.stdout.splitlines()[1:]
    assert "<_frozen_importlib_external.SourceFileLoader" not in ours


def test_what_was_there_before_is_put_back(script):
    before = sys.argv, [*sys.path], sys.modules["__main__"]
    run(script(NEURON), "--tape", "loss")
    script("import sys; sys.argv = sys.path = None; del sys.modules['__main__']\n" + NEURON)
    run("script.py", "--tape", "loss")
    assert (sys.argv, [*sys.path], sys.modules["__main__"]) == before


def test_nodes_remember_their_lines_and_nothing_outside_of_the_script(script):
    with in_place_of_main(Path(script(NEURON)), []) as module:
        assert execute(module, Path("script.py"), LastSteps()) is None
        origin = module.loss.origin
    assert origin.place.line.filename == str(Path("script.py").absolute())
    assert origin.place.line.number == 5
    assert origin.via == ()
    script("import autodiff as ad\ndef f(x):\n    return x * x\nloss = f(ad.Value(2.0))")
    with in_place_of_main(Path("script.py"), []) as module:
        execute(module, Path("script.py"), LastSteps())
    assert [place.line.number for place in module.loss.origin.via] == [4]
    assert module.loss.origin.place.function == "f"


TRAINING = """
import numpy as np
import autodiff as ad
from autodiff import optim
w = ad.Tensor([1.0, 2.0])
b = ad.Value(3.0)
optimizer = optim.SGD([w, b], lr=0.1)
losses = []
for _ in range(3):
    optimizer.zero_grad()
    seen = w.data.copy(), b.data
    loss = (w * w).sum() + b * b
    loss.backward()
    losses.append(loss)
    optimizer.step()
after = (w * w).sum() + b * b
both = loss + after
"""


def test_the_last_loss_of_a_training_is_seen_before_the_last_step(script, capsys):
    with in_place_of_main(Path(script(TRAINING)), []) as module:
        steps = LastSteps()
        execute(module, Path("script.py"), steps)
        steps.undo(module.after)
        assert module.after.data == pytest.approx((module.w.data**2).sum() + module.b.data**2)
        for stale in (module.losses[0], module.both):  # what was kept is not what these were computed from
            steps.undo(stale)
            with pytest.raises(AutodiffError, match="was changed after"):
                stale.backward()
        steps.undo(module.loss)
        assert (module.w.data == module.seen[0]).all()
        assert module.b.data == module.seen[1]
        module.optimizer.zero_grad()
        module.loss.backward()
        assert (module.w.grad == 2 * module.seen[0]).all()
        assert module.b.grad == 2 * module.seen[1]
    for variable, status in [("loss", 0), ("after", 0)]:
        assert run("script.py", "--debug", variable, "-o", "page.html") == status
    assert "was changed after" in refused(capsys, "script.py", "--debug", "losses[0]")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("loss", 1),
        ("losses[0]", 2),
        ("losses[-1]", 3),
        ("results['a loss']", 4),
        ('results["a loss"]', 4),
        ("model.loss", 5),
        ("model.parts[1].losses[0][1]", 7),
        ("results[3]", 8),
        (" loss ", 1),
    ],
)
def test_names_of_variables(name, found):
    class Model:
        pass

    model, part = Model(), Model()
    model.loss, model.parts, part.losses = 5, [None, part], [(6, 7)]
    names = {"loss": 1, "losses": [2, 3], "results": {"a loss": 4, 3: 8}, "model": model}
    assert Variable(name).find(names, "script.py") == found


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("los", "script.py left no variable los. Did you mean loss?"),
        ("entirely", "script.py left no variable entirely. It has w, x, loss."),
        ("loss.nothing", "loss.nothing cannot be read after script.py: "),
        ("loss[0]", "loss[0] cannot be read after script.py: TypeError: "),
        ("ad.nn.Missing", "ad.nn.Missing cannot be read after script.py: "),
        ("loss.data", "script.py left a plain float in loss.data, which no tape leads to."),
        ("ad", "script.py left a plain module in ad, which no tape leads to."),
    ],
)
def test_variables_that_are_not_there(script, capsys, name, message):
    assert message in refused(capsys, script(NEURON), "--tape", name)


@pytest.mark.parametrize(
    "name",
    ["", "1", "loss + 1", "f()", "loss()", "loss.__class__", "losses[i]", "losses[0:1]", "losses[1.5]", "losses[-'a']",
     "(lambda: 1)()", "a; b", "a = b", "'loss'", "losses[open('x')]", "x" * 20_000]
)  # fmt: skip
def test_names_that_are_none_are_refused_before_the_script_runs(script, capsys, name):
    message = refused(capsys, script("raise AssertionError('it was run')"), "--tape", name)
    assert "argument --tape: " in message
    assert len(message) < 1_000


@pytest.mark.parametrize("name", ["a" + ".a" * 3_000, "a" + "[0]" * 3_000, "(" * 5_000])
def test_names_that_go_deep(name):
    """Some Pythons read them; then there is no such attribute."""
    with pytest.raises(AutodiffError):
        Variable(name).find({"a": 1}, "script.py")


def test_a_property_that_raises(script, capsys):
    text = "class Model:\n    @property\n    def loss(self):\n        return 1 / 0\nmodel = Model()"
    assert "model.loss cannot be read after script.py: ZeroDivisionError: division by zero" in refused(
        capsys, script(text), "--tape", "model.loss"
    )


def test_a_script_that_raises_shows_its_own_traceback_and_writes_nothing(script, capsys):
    script(f"{NEURON}\ndef f():\n    return 1 / 0\nf()")
    assert run("script.py", "--tape", "loss", "-o", "tape.txt") == 1
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith('script.py", line 10, in <module>')
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "autodiff/cli" not in shown.err.replace(os.sep, "/")
    assert not Path("tape.txt").exists()


def test_a_script_that_does_not_read(script, capsys):
    assert run(script("x = (1,\n"), "--tape", "loss") == 1
    error = capsys.readouterr().err
    assert error.splitlines()[-1] == "SyntaxError: '(' was never closed"
    assert "autodiff/cli" not in error.replace(os.sep, "/")


def test_an_error_of_the_package_in_a_script_is_the_scripts(script, capsys):
    assert run(script("import autodiff as ad\nad.Value('a')"), "--tape", "loss") == 1
    assert "KindError: Value holds one number" in capsys.readouterr().err


@pytest.mark.parametrize(("exit", "status"), [("", None), ("0", 0), ("3", 3), ("'stop'", "stop")])
def test_a_script_that_exits(script, capsys, exit, status):
    """What was recorded until then is written, and the status is the script's."""
    script(f"{NEURON}\nimport sys\nsys.exit({exit})")
    with pytest.raises(SystemExit) as ended:
        run("script.py", "--tape", "loss", "-o", "tape.txt")
    assert ended.value.code == status
    assert "tanh" in Path("tape.txt").read_text()


def test_a_script_that_exits_before_there_is_anything(script):
    with pytest.raises(SystemExit) as ended:
        run(script("raise SystemExit(4)"), "--tape", "loss", "-o", "tape.txt")
    assert ended.value.code == 4
    assert not Path("tape.txt").exists()


def test_ctrl_c(script, capsys):
    assert run(script(f"{NEURON}\nraise KeyboardInterrupt"), "--tape", "loss", "-o", "tape.txt") == 130
    assert "stopped; nothing more was written" in capsys.readouterr().err
    assert not Path("tape.txt").exists()


def test_scripts_and_folders_that_are_not_there(script, capsys):
    assert run("missing.py", "--tape", "loss") == 1
    assert capsys.readouterr().err.endswith("autodiff run: error: missing.py: No such file or directory\n")
    script("raise AssertionError('it was run')")
    error = refused(capsys, "script.py", "--tape", "loss", "-o", "missing/tape.txt")
    assert "A text cannot be saved as 'missing/tape.txt': there is no folder 'missing'." in error
    error = refused(capsys, "script.py", "--tape", "loss", "-o", ".." + os.sep + Path.cwd().name)
    assert "this is a folder; name a file in it." in error


def test_results_that_have_no_gradient(script, capsys):
    script(
        "import autodiff as ad\nx = ad.Tensor([1.0, 2.0])\ny = x * x\nseen = y.detach()\nboth = [y, x]\nnone = [y, 3]"
    )
    assert refused(capsys, "script.py", "--debug", "y").endswith(
        "y has the shape (2,), and only a single number has a gradient. Reduce it first, with .sum() or .mean().\n"
    )
    assert "left a Tensor of shape (2,) (leaf) with requires_grad=False in seen" in refused(
        capsys, "script.py", "--draw", "seen"
    )
    assert run("script.py", "--draw", "both") == 0
    for kind, name in (("--tape", "both"), ("--draw", "none")):
        assert "which no tape leads to" in refused(capsys, "script.py", kind, name)


def test_a_script_that_goes_elsewhere_does_not_take_the_output_with_it(script, capsys):
    script(f"import os\nos.mkdir('other')\nos.chdir('other')\n{NEURON}")
    here = Path.cwd()
    try:
        assert run("script.py", "--tape", "loss", "-o", "tape.txt") == 0
    finally:
        os.chdir(here)
    assert Path("tape.txt").exists()
    assert capsys.readouterr().out == "wrote tape.txt\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["script.py"], "one of the arguments --debug --draw --tape is required"),
        (["script.py", "--tape", "a", "--draw", "b"], "not allowed with argument"),
        (["--tape", "a"], "the following arguments are required: script"),
        (["script.py", "--tape"], "expected one argument"),
        (["script.py", "--tape", "a", "b"], "unrecognized arguments: b; what the script is to get stands after --"),
        (["script.py", "--epochs=3", "--tape", "a"], "unrecognized arguments: --epochs=3; what the script is to get"),
        (["script.py", "--tape", "a", "-o", ""], "'' is not the name of a file"),
        (["", "--tape", "a"], "'' is not the name of a file"),
        (
            ["script.py", "--draw", "a", "-o", "a.bmp"],
            "A drawing cannot be saved as 'a.bmp'. The name can end in .svg, ",
        ),
        (["script.py", "--debug", "a", "-o", "a"], "A page cannot be saved as 'a'. The name can end in .html or .htm."),
    ],
)
def test_wrong_usage(script, capsys, arguments, message):
    script("raise AssertionError('it was run')")
    assert message in refused(capsys, *arguments)


def test_the_real_command(script):
    script(f"# -*- coding: latin-1 -*-\nname = '\xe9'\n{NEURON}\nif __name__ == '__main__':\n    print('done')")
    environment = {**os.environ, "PYTHONPATH": str(Path(ad.__file__).parent.parent)}
    command = [sys.executable, "-W", "error", "-m", "autodiff", "run", "script.py", "--tape", "loss", "--", "-x"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith("done\nindex  name")
