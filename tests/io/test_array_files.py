"""Arrays in files: there and back."""

import os

import numpy as np
import pytest

from autodiff import io, nn
from autodiff.core.errors import ArgumentError, KindError, MissingDataError, MissingExtraError

KINDS = ["npz", "safetensors"]
STATE = {
    "0.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "0.bias": np.array([0.5, -0.0, np.inf]),
    "steps": np.array(7),
    "mask": np.array([True, False]),
    "empty": np.zeros((0, 3)),
    "half": np.ones(3, np.float16),
}


@pytest.fixture(params=KINDS)
def path(request, tmp_path):
    return tmp_path / f"model.{request.param}"


def test_there_and_back(path):
    assert io.save(STATE, path, {"note": "ünïcode", "{}": "'"}) == path
    found = io.load(path)
    assert set(found) == set(STATE)
    for name, array in STATE.items():
        assert found[name].dtype == array.dtype
        assert found[name].tobytes() == array.tobytes()
        assert found[name].shape == array.shape
        assert found[name].flags.writeable
    assert io.metadata(path) == {"note": "ünïcode", "{}": "'"}
    assert list(path.parent.iterdir()) == [path]


def test_layouts_and_byte_orders(path):
    io.save({"a": np.arange(6.0).reshape(2, 3).T, "b": np.arange(3, dtype=">i4"), "c": np.arange(9)[::2]}, path)
    found = io.load(path)
    np.testing.assert_array_equal(found["a"], np.arange(6.0).reshape(2, 3).T)
    assert found["b"].tolist() == [0, 1, 2]
    assert found["c"].tolist() == [0, 2, 4, 6, 8]


NAMES = ["ü.weight", "重み", "a/b", "a\\b", "a.npy", " ", "a\nb", "...", "a" * 1000, "__meta__"]


def test_names_and_their_order(tmp_path):
    state = {name: np.full(1, k) for k, name in enumerate(NAMES)}
    assert list(io.load(io.save(state, tmp_path / "a.npz"))) == NAMES
    found = io.load(io.save(state, tmp_path / "a.safetensors"))  # the library has an order of its own
    assert {name: array.item() for name, array in found.items()} == {name: k for k, name in enumerate(NAMES)}


KEPT = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", "g"]


@pytest.mark.parametrize("dtype", KEPT)
def test_dtypes(path, dtype):
    if path.suffix == ".safetensors" and dtype in ("c16", "g"):
        with pytest.raises(KindError, match=rf"dtypes {np.dtype(dtype)}, of which \.safetensors has not all"):
            io.save({"a": np.ones(1, dtype)}, path)
        return
    values = np.array([0, 1, 0, 1]).astype(dtype)
    swapped = values.astype(values.dtype.newbyteorder())
    state = {"a": values, "b": swapped, "c": values.reshape(2, 2).T, "d": values[::-2], "e": values[0], "f": values[:0]}
    found = io.load(io.save(state, path))
    for name, array in state.items():
        assert found[name].dtype == values.dtype
        assert found[name].dtype.isnative
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


def test_bfloat16(tmp_path):
    """Of other libraries' files; to the same numbers."""
    path = tmp_path / "a.safetensors"
    bits = np.array([0x3F80, 0xC020, 0x7F7F, 0x7F80, 0x0001], "<u2")
    header = b'{"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, '
    header += b'"w": {"dtype": "BF16", "shape": [5, 1], "data_offsets": [4, 14]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + np.float32(7).tobytes() + bits.tobytes())
    found = io.load(path)
    assert found["x"].tolist() == [7.0]
    assert found["w"].dtype == np.float32
    expected = np.array([1.0, -2.5, 3.38953139e38, np.inf, 9.18354962e-41], np.float32)
    np.testing.assert_array_equal(found["w"], expected[:, None])


def test_what_numpy_and_the_library_write(tmp_path):
    np.savez_compressed(
        tmp_path / "a.npz", **{k: v for k, v in STATE.items() if "." not in k}, order=np.asfortranarray(np.eye(3))
    )
    found = io.load(tmp_path / "a.npz")
    assert found["order"].tolist() == np.eye(3).tolist()
    assert found["half"].dtype == np.float16
    from safetensors.numpy import save_file

    save_file(STATE, tmp_path / "b.safetensors")
    assert io.load(tmp_path / "b.safetensors")["steps"] == 7
    io.save(STATE, tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as stored:
        assert set(stored.files) == set(STATE)


def test_models(path):
    model, other = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    model(np.random.default_rng(0).normal(size=(5, 2)))
    io.save(model.state_dict(), path)
    other.load_state_dict(io.load(path))
    for name, array in other.state_dict().items():
        np.testing.assert_array_equal(array, model.state_dict()[name])


def test_an_interrupted_write_leaves_the_old_file(path, monkeypatch):
    io.save(STATE, path)

    def fail(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(KeyboardInterrupt):
        io.save({"other": np.ones(3)}, path)
    assert set(io.load(path)) == set(STATE)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "arrays", "error", "text"),
    [
        ("a.pkl", {}, ArgumentError, r"ends in \.pkl; files of arrays end in \.safetensors or \.npz"),
        ("a.pt", {}, ArgumentError, r"It is a pickle, which may run anything: write \.safetensors"),
        ("a", {}, ArgumentError, "ends in nothing"),
        ("a.npz", nn.Linear(2, 3), KindError, r"got a Linear; it takes a dict of arrays by name\. Pass its state_dict"),
        ("a.npz", [1.0], KindError, "got a list; it takes a dict of arrays"),
        ("a.npz", {"a": "text"}, KindError, "got a str as 'a'; it takes arrays of numbers"),
        ("a.npz", {"a": [[1], [2, 3]]}, KindError, "got a list as 'a'"),
        ("a.npz", {"": np.ones(1)}, KindError, "got '' as the name of an array; names are texts"),
        ("a.npz", {3: np.ones(1)}, KindError, "got 3 as the name of an array"),
        ("a.npz", {"../a": np.ones(1)}, KindError, "that lead out of no folder"),
        ("a.npz", {"/a": np.ones(1)}, KindError, "that lead out of no folder"),
        ("a.npz", {"a\0b": np.ones(1)}, KindError, "without a NUL"),
        ("a.safetensors", {"\ud800": np.ones(1)}, KindError, "as the name of an array"),
        ("a.npz", {"a" * 60_001: np.ones(1)}, KindError, "at most 60,000 bytes"),
        ("a.npz", {"a": np.array([object()])}, KindError, "it takes arrays of numbers"),
        ("missing/a.npz", {"a": np.ones(1)}, ArgumentError, "could not write"),
        ("a.safetensors", {"a": np.ones(1, np.complex128)}, KindError, r"Save as \.npz"),
    ],
)
def test_what_cannot_be_saved(tmp_path, name, arrays, error, text):
    with pytest.raises(error, match=text):
        io.save(arrays, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", [{"a": 1}, {1: "a"}, ["a"], "a"])
def test_metadata_that_are_no_texts(tmp_path, given):
    with pytest.raises(KindError, match=r"as metadata; they are texts by name\. Use json\.dumps"):
        io.save({}, tmp_path / "a.npz", given)


def test_missing_files_and_packages(tmp_path, monkeypatch):
    with pytest.raises(MissingDataError, match="There is no file"):
        io.load(tmp_path / "a.npz")
    (tmp_path / "a.safetensors").write_bytes(b"")
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'autodiff-tape\[safetensors\]'"):
        io.load(tmp_path / "a.safetensors")
