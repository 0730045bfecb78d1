"""Checkpoints of ``ad.fit``: whoever is stopped, in whatever way, goes on to the same bits."""

import errno
import json
import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import autodiff as ad
from autodiff import data, nn, optim
from autodiff.core.errors import ArgumentError, FileFormatError, KindError, ShapeError
from autodiff.training.checkpoints import generators_in

X, Y = data.moons(60, noise=0.1, rng=0)


def net(dropout=0.3, hidden=8):
    return nn.Sequential(
        nn.Linear(2, hidden, rng=0),
        nn.BatchNorm1d(hidden),
        nn.Tanh(),
        nn.Dropout(dropout, rng=1),
        nn.Linear(hidden, 2, rng=2),
    )


class Count:
    """A callback with a state."""

    def __init__(self):
        self.n = 0

    def __call__(self, row):
        self.n += 1

    def state_dict(self):
        return {"n": self.n}

    def load_state_dict(self, state):
        self.n = state["n"]


class Noisy:
    """Batches with noise of their own generator, around other batches."""

    def __init__(self):
        self.portions = data.batches(X, Y, batch_size=16, rng=3)
        self.rngs = {"noise": np.random.Generator(np.random.MT19937(4))}

    def __len__(self):
        return len(self.portions)

    def __iter__(self):
        for x, y in self.portions:
            yield x + 0.01 * self.rngs["noise"].normal(size=x.shape), y


def train(folder, epochs=6, model=None, optimizer=None, schedule=optim.lr_scheduler.CosineAnnealingLR, **options):
    """With everything that has a state."""
    model = model or net()
    optimizer = optimizer or optim.Adam(model.parameters(), lr=0.05)
    given = {
        "data": Noisy(),
        "loss": nn.functional.cross_entropy,
        "optimizer": optimizer,
        "epochs": epochs,
        "schedule": schedule and schedule(optimizer, 6),
        "ema": optim.EMA(model.parameters(), decay=0.9),
        "callbacks": [Count()],
        "validation": (X, Y),
        "accumulate": 3,
        "clip_norm": 1.0,
        "patience": 5,
        "progress": False,
        **options,
    }
    history = ad.fit(model, checkpoints=folder, **given)
    return model, history, given


def everything(result):
    model, history, given = result
    rows = [{name: x for name, x in row.items() if name != "seconds"} for row in history.rows]
    averages = given["ema"].state_dict()
    stopped = "" if "Nothing was left" in history.stopped else history.stopped
    return json.dumps([rows, stopped, [c.n for c in given["callbacks"]]]), {**model.state_dict(), **averages}


def assert_same(one, other):
    (figures, arrays), (expected_figures, expected) = everything(one), everything(other)
    assert figures == expected_figures
    for name, array in expected.items():
        np.testing.assert_array_equal(arrays[name], array, err_msg=name)


def test_going_on_to_the_bit(tmp_path):
    expected = train(None)
    for epochs in (1, 2, 3, 6):
        result = train(tmp_path, epochs)
    assert_same(result, expected)
    _, history, _ = train(tmp_path)
    assert len(history) == 6
    assert history.stopped.startswith("Nothing was left to do: ")
    assert "epochs=7" in history.stopped


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
        lambda p: optim.AdamW(p, lr=0.05),
        lambda p: optim.NAdam(p, lr=0.05),
        lambda p: optim.Adagrad(p, lr=0.05),
        lambda p: optim.RMSprop(p, lr=0.05, momentum=0.5, centered=True),
        lambda p: optim.Lion(p, lr=0.05),
        lambda p: optim.Adam([{"params": p[:2], "lr": 0.1}, {"params": p[2:]}], lr=0.05),
    ],
)
def test_every_optimizer_goes_on(make, tmp_path):
    def run(folder, epochs):
        model = net()
        return train(folder, epochs, model, make(model.parameters()))

    expected = run(None, 3)
    run(tmp_path, 1)
    assert_same(run(tmp_path, 3), expected)


@pytest.mark.parametrize(
    ("make", "by"),
    [
        (lambda o: optim.lr_scheduler.OneCycleLR(o, 0.1, epochs=6, steps_per_epoch=2), None),
        (lambda o: optim.lr_scheduler.LinearLR(o, 0.1, total_iters=9), "step"),
        (lambda o: optim.lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=0), None),
        (
            lambda o: optim.lr_scheduler.SequentialLR(
                o, [optim.lr_scheduler.LinearLR(o, 0.5), optim.lr_scheduler.ExponentialLR(o, 0.9)], [2]
            ),
            "epoch",
        ),
    ],
)
def test_every_schedule_goes_on(make, by, tmp_path):
    def run(folder, epochs):
        return train(folder, epochs, schedule=lambda optimizer, _: make(optimizer), schedule_by=by)

    expected = run(None, 6)
    for epochs in (2, 3):
        run(tmp_path, epochs)
    assert_same(run(tmp_path, 6), expected)


def test_what_is_compiled_goes_on(tmp_path):
    expected = train(None, 3, compile=True)
    train(tmp_path, 1, compile=True)
    assert_same(train(tmp_path, 3, compile=True), expected)


def test_numbers_and_narrow_floats_go_on(tmp_path):
    """A model of Values, and one of float32."""
    rows = [([0.5, -1.0], 1.0), ([1.0, 2.0], -1.0)]

    def scalars(folder, epochs):
        model = nn.scalar.MLP(2, [3, 1])
        for k, p in enumerate(model.parameters()):
            p.data = math.sin(k)
        optimizer = optim.Adam(model.parameters(), lr=0.1)
        ad.fit(model, rows, lambda p, y: (p - y) ** 2, optimizer, epochs=epochs, checkpoints=folder, progress=False)
        return [p.data for p in model.parameters()]

    expected = scalars(None, 4)
    scalars(tmp_path / "a", 2)
    assert scalars(tmp_path / "a", 4) == expected

    expected = train(None, 3, net().astype(np.float32))
    train(tmp_path / "b", 1, net().astype(np.float32))
    assert_same(train(tmp_path / "b", 3, net().astype(np.float32)), expected)


def test_early_stopping_goes_on(tmp_path):
    def run(folder, epochs):
        model = net()
        return train(folder, epochs, model, optim.SGD(model.parameters(), lr=0.0), patience=4, restore_best=True)

    expected = run(None, 30)
    assert "did not get better in 4" in expected[1].stopped
    for epochs in range(1, len(expected[1])):
        run(tmp_path, epochs)
    assert_same(run(tmp_path, 30), expected)
    assert_same(run(tmp_path, 30), expected)  # it is still over


class Killed(BaseException):
    """What a kill at a certain point is to a test."""


@pytest.mark.parametrize("point", ["fsync", "replace", "after replace"])
def test_killed_within_a_write(point, tmp_path, monkeypatch):
    """At each write, that of the best weights or the last state: the files are those before or after it."""
    expected = train(None, 3)
    name = point.split()[-1]
    plain, writes = getattr(os, name), 0

    def kill(*args, **kwargs):
        nonlocal writes
        writes += 1
        if writes == fatal:
            if point.startswith("after"):
                plain(*args, **kwargs)
            raise Killed
        return plain(*args, **kwargs)

    monkeypatch.setattr(os, name, kill)
    for fatal in range(1, 7):  # of best and last in three epochs
        writes = 0
        with pytest.raises(Killed):
            train(tmp_path / str(fatal), 3)
        assert_same(train(tmp_path / str(fatal), 3), expected)


def test_a_full_disk(tmp_path, monkeypatch):
    """The error says so, the model can be used, and what was kept before is still there."""
    expected = train(None)
    train(tmp_path, 2)
    before = {path: path.read_bytes() for path in tmp_path.glob("*.npz")}

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("os.fsync", "numpy.lib.format.write_array"):
        with monkeypatch.context() as patched:
            patched.setattr(name, full)
            with pytest.raises(ArgumentError, match=r"could not write .*No space left"):
                train(tmp_path, 6)
        assert {path: path.read_bytes() for path in tmp_path.glob("*.npz")} == before
        assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "best.npz", "last.npz"]
    assert_same(train(tmp_path), expected)


def test_what_a_killed_run_leaves_is_swept_away(tmp_path):
    (tmp_path / ".last.npz.abc.npz").write_bytes(b"half")
    (tmp_path / ".lastly").write_bytes(b"mine")
    train(tmp_path, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lastly", ".lock", "best.npz", "last.npz"]


def test_two_trainings_in_one_folder(tmp_path):
    caught = []

    def again(row):
        with pytest.raises(ArgumentError) as error:
            train(tmp_path, 1)
        caught.append(str(error.value))

    train(tmp_path, 1, callbacks=[again])
    assert f"Another training, in process {os.getpid()}, keeps its checkpoints in " in caught[0]
    train(tmp_path, 2, callbacks=[again])  # and is free afterwards


def test_folders_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArgumentError, match=r"can keep no checkpoints in .*file"):
        train(tmp_path / "file", 1)


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"model": net(hidden=9)}, ShapeError, r"last\.npz' does not fit this training: .*Nothing was changed"),
        ({"model": nn.MLP([2, 8, 2])}, ArgumentError, "was kept with 4 random generators; .* have 3"),
        ({"make": lambda p: optim.SGD(p, lr=0.1)}, ArgumentError, "kept with optimizer Adam, .* fit got optimizer SGD"),
        ({"make": lambda p: optim.AdamW(p)}, ArgumentError, "got optimizer AdamW"),
        ({"make": lambda p: optim.Adam([{"params": p[:2]}, {"params": p[2:]}])}, ArgumentError, "other names"),
        ({"schedule": None}, ArgumentError, "kept with optimizer Adam, schedule CosineAnnealingLR, ema EMA"),
        ({"schedule": optim.lr_scheduler.StepLR}, ArgumentError, "schedule StepLR"),
        ({"ema": None}, ArgumentError, "kept with .*ema EMA"),
        ({"callbacks": []}, ArgumentError, "callback 0 Count"),
    ],
)
def test_checkpoints_of_another_training(changes, error, text, tmp_path):
    train(tmp_path, 1)
    changes = dict(changes)
    model = changes.setdefault("model", net())
    make = changes.pop("make", optim.Adam)
    before = {name: array.copy() for name, array in model.state_dict().items()}
    with pytest.raises(error, match=text):
        train(tmp_path, 2, optimizer=make(model.parameters()), **changes)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    assert len(train(tmp_path, 2)[1]) == 2  # still good for the right one


def test_damaged_checkpoints(tmp_path):
    train(tmp_path, 1)
    good = ad.io.load(tmp_path / "last.npz"), ad.io.metadata(tmp_path / "last.npz")
    for name, text in (("history", "["), ("notes", "{}"), ("notes", None), ("generators", "[1, 2, 3, 4]")):
        texts = {**good[1], name: text} if text else {k: v for k, v in good[1].items() if k != name}
        ad.io.save(good[0], tmp_path / "last.npz", texts)
        with pytest.raises((FileFormatError, ArgumentError), match=r"last\.npz' (is no checkpoint|does not fit)"):
            train(tmp_path, 2)
    (tmp_path / "last.npz").write_bytes(b"hello")
    with pytest.raises(FileFormatError, match=r"last\.npz' could not be read"):
        train(tmp_path, 2)


def test_what_cannot_be_kept(tmp_path):
    with pytest.raises(KindError, match="keeps checkpoints of modules; the model is a function"):
        ad.fit(lambda x: x, [], len, optim.SGD([ad.Tensor(1.0)], lr=1), checkpoints=tmp_path)
    counting = Count()
    counting.n = 1j
    with pytest.raises(KindError, match="cannot keep n of the callback 0 in a checkpoint: a complex"):
        train(tmp_path, callbacks=[counting])
    assert list(tmp_path.iterdir()) == []  # said before anything was done


def test_generators_are_found():
    a, b, c = (np.random.default_rng(k) for k in range(3))
    model = net()
    model.extra, model.more = [a, {"b": b}], [c] * 2000
    assert generators_in(model, model, a) == [model[3].rng, a, b]
    assert generators_in(lambda x: x, len, 3, None) == []


def test_a_line_says_that_it_goes_on(tmp_path, capsys):
    train(tmp_path, 1)
    train(tmp_path, 2, progress=True)
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"going on after epoch 1, from {str(tmp_path / 'last.npz')!r}"
    assert out[1].startswith("epoch 2  loss ")
    train(tmp_path, 2, progress=True)
    assert capsys.readouterr().out.startswith("Nothing was left to do")


KILLS = textwrap.dedent(
    """
    import os, pathlib, random, signal, sys, time

    sys.path.insert(0, sys.argv[2])
    from tests.training.test_fit_checkpoints import everything, train

    def child(folder, epochs):
        pid = os.fork()
        if pid == 0:
            figures, arrays = everything(train(folder, epochs, patience=1000))
            pathlib.Path(folder, "end").write_text(figures + "".join(x.tobytes().hex() for x in arrays.values()))
            os._exit(0)
        return pid

    folder, epochs, draw = pathlib.Path(sys.argv[1]), 60, random.Random(0)
    started = time.perf_counter()
    assert os.waitpid(child(folder / "whole", epochs), 0)[1] == 0
    expected = (folder / "whole" / "end").read_text()
    typical = (time.perf_counter() - started) / 14
    killed = tries = 0
    while killed < 20:
        broken = folder / f"broken {tries}"
        pid = child(broken, epochs)
        time.sleep(draw.uniform(0.0, typical))
        os.kill(pid, signal.SIGKILL)
        killed += os.WIFSIGNALED(os.waitpid(pid, 0)[1])
        if killed == 20:
            assert os.waitpid(child(broken, epochs), 0)[1] == 0
        if (broken / "end").exists():
            assert (broken / "end").read_text() == expected
            tries += 1
    print(killed, sorted(os.listdir(broken)))
    """
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills children of a fork")
def test_killed_at_twenty_random_moments(tmp_path):
    """With SIGKILL; then on to the end: every bit is that of a run that was left alone."""
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", KILLS, str(tmp_path), root]
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # a fork takes no threads along
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env={**os.environ, **one_thread})
    assert done.stderr == ""
    assert done.stdout == "20 ['.lock', 'best.npz', 'end', 'last.npz']\n"


INTERRUPTED = textwrap.dedent(
    """
    import sys
    sys.path.insert(0, sys.argv[2])
    from tests.training.test_fit_checkpoints import net, train
    model = net()
    _, history, _ = train(sys.argv[1], 10**6, model, patience=None)
    print(history.stopped, model.training, [p.grad for p in model.parameters()][:1], abs(model[0].weight.data).max())
    """
)


def test_ctrl_c_leaves_a_usable_model(tmp_path):
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path), root], stdout=-1, stderr=-1, text=True
    )
    while not (tmp_path / "last.npz").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    *words, largest = out.split()
    assert words[0] == "Interrupted"
    assert words[-2:] == ["True", "[None]"]
    assert math.isfinite(float(largest))


@pytest.mark.parametrize("within", ["training", "validation"])
def test_interrupts_take_effect_between_batches(within):
    def metric(predictions, labels):
        if within == "validation":
            os.kill(os.getpid(), signal.SIGINT)
        return 0.0

    def loss(predictions, labels):
        if within == "training":
            os.kill(os.getpid(), signal.SIGINT)
        return nn.functional.cross_entropy(predictions, labels)

    before = signal.getsignal(signal.SIGINT)
    model, history, _ = train(None, metrics=[metric], loss=loss)
    assert history.stopped == "Interrupted in epoch 1."
    assert (len(history), model.training) == (0, True)
    assert signal.getsignal(signal.SIGINT) is before
