"""Machine code: what Numba makes of a program gives what NumPy gives, to the accuracy of the dtype."""

import gc
import logging
import os
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
from alike import swept
from near import assert_near

import autodiff as ad
from autodiff import nn
from autodiff.compiler.machine import disk, version
from autodiff.core.errors import ArgumentError, MissingExtraError


def fresh(args):
    return [ad.Tensor(a.copy()) if isinstance(a, np.ndarray) and a.dtype.kind in "fc" else a for a in args]


def check(f, *args, ulps=16):
    """Compiled on ``args`` and run on others, the result and the gradients are those of ``f``."""
    compiled = ad.compile(f, backend="numba")
    swept(compiled, *fresh(args))
    others = [np.roll(a, 1) for a in args]
    assert_near(swept(compiled, *fresh(others)), swept(f, *fresh(others)), ulps)
    assert "@njit" in compiled.source
    return compiled


def flat(*parts):
    return ad.concatenate([ad.ravel(p) for p in parts])


@pytest.mark.usefixtures("never_eagerly")
def test_a_net_and_its_gradients(rng):
    dtype = np.float32
    model = nn.MLP([3, 8, 4], nn.Tanh, dtype=dtype, rng=0)
    x, t = rng.normal(size=(20, 3)).astype(dtype), rng.integers(0, 4, size=20)

    def loss_of(x, t):
        return nn.functional.cross_entropy(model(x), t)

    compiled = ad.compile(loss_of, backend="numba")
    for _ in range(3):
        found = []
        for f in (loss_of, compiled):
            for p in model.parameters():
                p.grad = None
            loss = f(x, t)
            loss.backward()
            found.append([loss, *[p.grad for p in model.parameters()]])
        assert_near(found[1], found[0], ulps=64)
        assert {p.grad.dtype for p in model.parameters()} == {np.dtype(dtype)}
        x = x[::-1].copy()
    assert "np.tanh" not in compiled.source
    assert "tanh_f" in compiled.source


@pytest.mark.usefixtures("never_eagerly")
def test_chains_of_entries_broadcast(rng):
    def chain(x, y):
        return ad.sqrt(ad.abs(x - y) + 0.1) * ad.maximum(x, 0) + ad.where(x > y, x, y**3)

    def f(a, b, c, d):
        return flat(ad.tanh(a) - ad.exp(-a * b), ad.log(2 + c**2), chain(a, b), chain(a, c), chain(d, c))

    check(f, rng.normal(size=(7, 5)), rng.normal(size=(7, 5)), rng.normal(size=5), rng.normal(size=(7, 1)))


@pytest.mark.usefixtures("never_eagerly")
def test_sums_and_largest_entries(rng):
    def f(x):
        y = x * x + 1
        return flat(y.sum(0), y.sum(1), y.sum((0, 2), keepdims=True), y.mean(), y.max(2), ad.min(y, 0), y.var(1))

    check(f, rng.normal(size=(3, 4, 5)), ulps=64)


@pytest.mark.usefixtures("never_eagerly")
def test_views_are_indices(rng):
    def f(x):
        y = 2 * x[1:] - x[:-1] ** 2
        z = y[::-1, ::2].T * 3 + y[0, 1]
        return flat(y[:, None] * y, z * z, x[-1] * x[2, 3])

    source = check(f, rng.normal(size=(4, 5))).source
    assert "x[i + 1, j]" in source


@pytest.mark.usefixtures("never_eagerly")
def test_kinds_of_numbers(rng):
    """Whole numbers wrap around, truths stay truths, complex numbers complex: each as NumPy has them."""
    n, m = np.array([100, -100, 7], np.int8), np.array([3, 5, 7], np.int8)
    z = rng.normal(size=3) + 1j * rng.normal(size=3)

    def f(n, m, z):
        return n * m + n, (n > m) & (m != 7), (z * z + 2j * z) * z, ad.where(n > m, n, -m), z.real * 2.0 - 1.0

    compiled = ad.compile(f, backend="numba")
    with np.errstate(all="ignore"):
        for _ in range(2):
            assert_near(compiled(n, m, z), [np.asarray(y) for y in f(n, m, z)])
            n, m, z = n[::-1].copy(), m[::-1].copy(), z[::-1].copy()


@pytest.mark.usefixtures("never_eagerly")
def test_what_is_not_finite(rng):
    """A nan stays one, and a zero cotangent makes nothing of an infinite slope."""

    def f(x, y):
        return ad.where(x > 0, ad.log(x) * y, 0 * y + 1) + ad.maximum(x, y)

    x, y = np.array([1.0, 0.0, np.nan, np.inf]), np.array([0.5, np.nan, 2.0, -np.inf])
    with np.errstate(all="ignore"):
        check(f, x, y)


@pytest.mark.usefixtures("never_eagerly")
def test_the_larger_of_two_zeros():
    """The sign of a 0 decides on which side of the cut an angle lies."""
    zeros = np.array([0.0, -0.0] * 20), np.array([-0.0, 0.0] * 20)
    check(lambda x, y: ad.arctan2(ad.maximum(x, y), -1.0) + ad.arctan2(ad.minimum(x, y) * 2, -2.0), *zeros)


@pytest.mark.usefixtures("never_eagerly")
def test_draws_stay_live(rng):
    drop = nn.Dropout(0.5, rng=1)
    compiled = ad.compile(lambda x: ad.sum(drop(x * 2 + 1) * 3 - x), backend="numba")
    x = ad.Tensor(rng.normal(size=50))
    losses = [compiled(x) for _ in range(3)]
    assert len({loss.item() for loss in losses}) == 3
    losses[0].backward()
    assert set(np.round(x.grad, 9)) == {-1.0, 11.0}


@pytest.mark.usefixtures("never_eagerly")
def test_convolutions_are_loops(rng):
    def f(x, w, b, v, u):
        y = ad.relu(ad.conv2d(x, w, b, padding=(1, 0)))
        y = ad.conv2d(y, v, dilation=(1, 2))
        wide = ad.conv2d(x, u, padding=1, stride=2)
        return flat(y, wide)

    shapes = [(2, 3, 7, 6), (4, 3, 3, 3), (4,), (2, 4, 2, 2), (2, 3, 2, 2)]
    source = check(f, *[rng.normal(size=shape) for shape in shapes], ulps=64).source
    assert "def see_3x3(" in source
    assert "def see_2x2_by_1_2(" in source
    assert "def weigh_3x3(" in source
    assert "conv_weight_into(" in source


def test_eight_threads(rng):
    compiled = ad.compile(lambda x: ad.sum(ad.exp(-x * x) * x + 1), backend="numba")
    inputs = [rng.normal(size=1000) for _ in range(8)]
    expected = [np.sum(np.exp(-x * x) * x + 1) for x in inputs]
    compiled(inputs[0])
    found = {}

    def run(k):
        found[k] = {compiled(inputs[k]) for _ in range(50)}

    threads = [threading.Thread(target=run, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, e in enumerate(expected):
        assert len(found[k]) == 1
        np.testing.assert_allclose(found[k].pop(), e, rtol=1e-13)


# What is kept on disk, and what is not there.

PROGRAM = """
import numpy as np
import autodiff as ad
f = ad.compile(lambda x: (2 * x + 1) * x - 3, backend="numba")
print(f(np.arange(3.0)), "@njit" in f.source)
"""


def run_program(folder, at_once=1):
    """Run the program so many times at once."""
    environment = {**os.environ, "AUTODIFF_CACHE": str(folder)}
    command = [sys.executable, "-c", PROGRAM]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(at_once)]
    assert all("[-3.  0.  7.] True" in process.communicate()[0] for process in running)


def test_machine_code_is_kept_on_disk(tmp_path):
    """A third process finds what two at once have written, and the next one what one that could not read it did."""
    run_program(tmp_path, at_once=2)
    kept = sorted((f.name, f.stat().st_mtime_ns) for f in tmp_path.rglob("*") if f.is_file() and f.suffix != ".pyc")
    assert {name.rpartition(".")[2] for name, _ in kept} == {"py", "nbi", "nbc"}
    run_program(tmp_path)
    again = sorted((f.name, f.stat().st_mtime_ns) for f in tmp_path.rglob("*") if f.is_file() and f.suffix != ".pyc")
    assert again == kept
    for file in [*tmp_path.rglob("*.nb?"), *tmp_path.rglob("*.py")]:
        file.write_bytes(b"\xffdamaged")
    run_program(tmp_path)
    assert not any(f.read_bytes() == b"\xffdamaged" for f in tmp_path.rglob("*.??*"))
    run_program(tmp_path)
    assert len(list(tmp_path.rglob("*.nb?"))) == 2


def test_the_folder_does_not_grow_without_end(tmp_path, monkeypatch):
    """What was not used for longest goes, with all that Numba keeps of it; other files in the folder stay."""
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "mine.py").write_bytes(b"0" * 4000)
    monkeypatch.setattr(disk, "LARGEST", 3500)
    paths = [tmp_path / f"f_{k:020x}.py" for k in range(4)]
    for k, path in enumerate(paths[:3]):
        disk.keep_source(path, f"{k}" * 100)
        (tmp_path / "__pycache__" / f"{path.stem}.loop-1.nbc").write_bytes(b"0" * 1000)
        os.utime(path, (k, 50))
    disk.keep_source(paths[0], "0" * 100)  # is used
    assert paths[0].stat().st_mtime == 50
    disk.keep_source(paths[3], "3" * 1000)
    assert [path.exists() for path in paths] == [True, True, True, True]
    disk.keep_source(tmp_path / f"g_{0:020x}.py", "")
    assert [path.exists() for path in paths] == [True, False, True, True]
    left = [f"{path.stem}.loop-1.nbc" for path in (paths[0], paths[2])]
    assert sorted(f.name for f in (tmp_path / "__pycache__").iterdir()) == left
    assert (tmp_path / "mine.py").exists()
    assert not list(tmp_path.glob("*.tmp"))


def test_two_remove_the_same_files(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "LARGEST", 0)
    files_in = disk.files_in

    def removed_meanwhile(place):
        found = files_in(place)
        disk.remove([path for paths in found.values() for path in paths])
        return found

    monkeypatch.setattr(disk, "files_in", removed_meanwhile)
    for k in range(2):
        disk.keep_source(tmp_path / f"f_{k:020x}.py", "0")
    assert len(list(tmp_path.iterdir())) == 1


def test_source_on_disk_holds_no_constants(rng):
    """What a compiled function was given goes with it."""
    offset = rng.normal(size=100)
    alive = weakref.ref(offset)
    compiled = ad.compile(lambda x, offset=offset: x * x + offset, backend="numba")
    x = rng.normal(size=100)
    np.testing.assert_allclose(compiled(x), x * x + offset)
    del compiled, offset
    gc.collect()
    assert alive() is None


def test_without_a_folder_to_write_into(tmp_path, monkeypatch, caplog):
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv("AUTODIFF_CACHE", str(file / "below"))
    with caplog.at_level(logging.DEBUG, "autodiff.compiler"):
        assert ad.compile(lambda x: x * x - x, backend="numba")(2 * np.ones(2)).tolist() == [2.0, 2.0]
    assert "cannot be kept" in caplog.text


def test_a_saved_module_needs_numpy_and_numba(tmp_path, rng):
    x = rng.normal(size=(4, 3))

    def f(x):
        return ad.sum(ad.tanh(x) * x + 1, axis=0)

    compiled = ad.compile(f, backend="numba")
    expected = compiled(x)
    compiled.save(tmp_path / "saved.py")
    np.save(tmp_path / "x.npy", x)
    code = "import sys, numpy as np; from saved import forward; print(*forward(np.load('x.npy'))[0].tolist())"
    code += "; assert 'autodiff' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.array(done.stdout.split(), float), expected)


def test_what_numba_refuses_stays_with_numpy(monkeypatch, caplog, rng):
    found = version.refusing

    def refuse(function, types, outs):
        return outs if "sum" in function.__name__ else found(function, types, outs)

    monkeypatch.setattr(version, "refusing", refuse)
    with caplog.at_level(logging.DEBUG, "autodiff.compiler"):
        compiled = ad.compile(lambda x: ad.sum(x * x + 1), backend="numba")
        x = rng.normal(size=5)
        np.testing.assert_allclose(compiled(x), np.sum(x * x + 1))
    assert "@njit" not in compiled.source
    monkeypatch.setattr(version, "numba_type", lambda x: 1 / 0)
    with caplog.at_level(logging.DEBUG, "autodiff.compiler"):
        assert ad.compile(lambda x: x * x + 1, backend="numba")(2 * np.ones(2)).tolist() == [5.0, 5.0]
    assert "is not made machine code: division by zero" in caplog.text


def test_numba_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(MissingExtraError, match=r"needs the package numba.*pip install 'autodiff-tape\[numba\]'"):
        ad.compile(abs, backend="numba")
    assert ad.compile(np.negative)(np.ones(1)) == -1


def test_there_are_two_back_ends():
    with pytest.raises(ArgumentError, match=r"got backend='cuda'; there are two: 'numpy', .* and 'numba'"):
        ad.compile(abs, backend="cuda")


def test_numba_is_imported_only_when_asked_for():
    code = "import sys, numpy as np, autodiff as ad; ad.compile(np.negative)(np.ones(2)); print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
