"""Damaged and hostile files: one clear error each, nothing loaded, nothing run, and no memory taken."""

import io as streams
import json
import os
import pickle
import struct
import subprocess
import sys
import textwrap
import tracemalloc
import zipfile

import numpy as np
import pytest

from autodiff import io
from autodiff.core.errors import FileFormatError, MissingDataError
from autodiff.io.npz import META

from .test_array_files import KINDS, STATE


class Hostile:
    """What would run something if it were unpickled."""

    def __reduce__(self):
        return os.mkdir, ("hacked",)


def npy(array=None, header=None):
    """The bytes of an array, or of a header alone."""
    stream = streams.BytesIO()
    if header is not None:
        text = header.encode().ljust(117) + b"\n"
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text
    np.lib.format.write_array(stream, array, allow_pickle=True)
    return stream.getvalue()


def archive(method=zipfile.ZIP_DEFLATED, **entries):
    stream = streams.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as file:
        for name, content in entries.items():
            file.writestr(name.replace("__npy", ".npy").replace("__txt", ".txt"), content)
    return stream.getvalue()


def tensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def shape(text, descr="<f8"):
    return npy(header="{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, text))  # noqa: UP031


def lied(content, size, claimed):
    """An archive that says another size of an entry."""
    assert content.count(struct.pack("<I", size)) == 2
    return content.replace(struct.pack("<I", size), struct.pack("<I", claimed))


F4 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
NPZ = {
    "empty": b"",
    "text": b"hello",
    "zeros": bytes(1000),
    "a pickle": pickle.dumps(Hostile()),
    "an array alone": npy(np.ones(3)),
    "no archive inside": b"PK\x03\x04" + bytes(100),
    "objects": archive(a__npy=npy(np.array([Hostile()], object))),
    "a pickle as entry": archive(a__npy=pickle.dumps(Hostile())),
    "an entry that is no array": archive(a__txt="hello"),
    "an entry above": archive(**{"../a__npy": npy(np.ones(3))}),
    "an entry at the root": archive(**{"/etc/a__npy": npy(np.ones(3))}),
    "an entry above, as elsewhere": archive(**{"a\\..\\..\\b__npy": npy(np.ones(3))}),
    "a folder": archive(**{"a__npy/": b""}),
    "an entry without a name": archive(__npy=npy(np.ones(3))),
    "an archive within": archive(a__npy=archive(b__npy=npy(np.ones(3)))),
    "names that stand twice": archive(a__npy=npy(np.ones(3)), b__npy=npy(np.ones(3))).replace(b"b.npy", b"a.npy"),
    "empty entry": archive(a__npy=b""),
    "a header cut short": archive(a__npy=npy(np.ones(3))[:40]),
    "too few numbers": archive(a__npy=npy(np.ones(3))[:-4]),
    "too many numbers": archive(a__npy=npy(np.ones(3)) + b"1234"),
    "a shape that is huge": archive(a__npy=shape("(1000000000000,)")),
    "a shape that overflows": archive(a__npy=shape("(4294967296, 4294967296)")),
    "a negative shape": archive(a__npy=shape("(-1,)")),
    "a shape of text": archive(a__npy=shape("('a',)")),
    "a header that is code": archive(a__npy=npy(header="__import__('os').mkdir('hacked')")),
    "a header that is deep": archive(a__npy=npy(header="(" * 100)),
    "a strange dtype": archive(a__npy=shape("(1,)", "|O")),
    "text as numbers": archive(a__npy=npy(np.array(["hello"]))),
    "records": archive(a__npy=npy(np.zeros(2, [("a", float)]))),
    "a dtype of nan": archive(a__npy=shape("(1,)", "nan")),
    "dates": archive(a__npy=npy(np.zeros(2, "M8[s]"))),
    "a dtype of arrays": archive(
        a__npy=npy(header="{'descr': ('<f8', (1000,)), 'fortran_order': False, 'shape': (1,)}")
    ),
    "a shape of many axes": archive(a__npy=shape("(" + "1, " * 20 + "0, 4611686018427387904, 4611686018427387904)")),
    "a shape of many digits": archive(a__npy=shape(f"({'9' * 60},)")),
    "a header without end": archive(a__npy=b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(20_000_000)),
    "a header longer than the entry": archive(a__npy=b"\x93NUMPY\x01\x00\xff\xff" + bytes(100)),
    "a bomb": archive(a__npy=shape("(25000000,)") + bytes(200_000_000)),
    "a bomb that lies about its size": lied(archive(a__npy=shape("(2,)") + bytes(200_000_000)), 200_000_128, 144),
    "a bomb of many": archive(**{f"{k}__npy": shape("(2500000,)") + bytes(20_000_000) for k in range(10)}),
    "bzip2": archive(zipfile.ZIP_BZIP2, a__npy=npy(np.ones(3))),
    "lzma": archive(zipfile.ZIP_LZMA, a__npy=npy(np.ones(3))),
    "a wrong sum": archive(zipfile.ZIP_STORED, a__npy=npy(np.ones(3))).replace(b"\xf0\x3f", b"\xf0\x40"),
    "encrypted": archive(a__npy=npy(np.ones(3))).replace(b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\1"),
    "metadata that are a list": archive(**{f"{META}.npy": npy(np.frombuffer(b"[1]", np.uint8))}),
    "metadata of numbers": archive(**{f"{META}.npy": npy(np.frombuffer(b'{"a": 1}', np.uint8))}),
    "a later version": archive(a__npy=b"\x93NUMPY\x09\x00" + bytes(100)),
    "metadata that are no JSON": archive(**{f"{META}.npy": npy(np.frombuffer(b"{", np.uint8))}),
    "more than can be": lied(archive(a__npy=shape("(1000000,)") + bytes(8_000_000)), 8_000_128, 2**31),
}
TENSORS = {
    "empty": b"",
    "text": b"hello",
    "a pickle": pickle.dumps(Hostile()),
    "no header": bytes(8),
    "an empty header": tensors(b""),
    "a header that is huge": struct.pack("<Q", 2**60),
    "a header that is huge, and something": struct.pack("<Q", 2**60) + json.dumps({"a": F4}).encode() + bytes(8),
    "the longest header": struct.pack("<Q", 2**64 - 1) + bytes(100),
    "a header longer than the file": struct.pack("<Q", 100) + b"{}",
    "no JSON": tensors(b"hello"),
    "a list": tensors([1, 2]),
    "a header that is deep": tensors(b"[" * 10_000),
    "no bytes": tensors({"a": F4}),
    "too few bytes": tensors({"a": F4}, bytes(7)),
    "too many bytes": tensors({"a": F4}, bytes(9)),
    "a hole": tensors({"a": F4, "b": {**F4, "data_offsets": [12, 20]}}, bytes(20)),
    "overlap": tensors({"a": F4, "b": {**F4, "data_offsets": [4, 12]}}, bytes(12)),
    "backwards": tensors({"a": {**F4, "data_offsets": [8, 0]}}, bytes(8)),
    "overlap of three": tensors({"a": F4, "b": F4, "c": F4}, bytes(8)),
    "offsets beyond": tensors({"a": {**F4, "data_offsets": [2**60, 2**60 + 8]}}, bytes(8)),
    "offsets of text": tensors({"a": {**F4, "data_offsets": ["0", "8"]}}, bytes(8)),
    "names that stand twice": tensors(b'{"a": %s, "a": %s}' % ((json.dumps(F4).encode(),) * 2), bytes(8)),
    "a name above": tensors({"../a": F4}, bytes(8)),
    "a name that ends": tensors({"a\0b": F4}, bytes(8)),
    "half a letter": tensors(b'{"\\ud800": %s}' % json.dumps(F4).encode(), bytes(8)),
    "no text": tensors(b'{"\xff": %s}' % json.dumps(F4).encode(), bytes(8)),
    "eight bits": tensors({"a": {**F4, "dtype": "F8_E4M3", "shape": [8]}}, bytes(8)),
    "code": tensors(b"__import__('os').mkdir('hacked')"),
    "an archive": archive(a__npy=npy(np.ones(3))),
    "another shape": tensors({"a": {**F4, "shape": [3]}}, bytes(8)),
    "a shape that overflows": tensors({"a": {**F4, "shape": [2**40, 2**40]}}, bytes(8)),
    "a negative shape": tensors({"a": {**F4, "shape": [-2]}}, bytes(8)),
    "a strange dtype": tensors({"a": {**F4, "dtype": "OBJECT"}}, bytes(8)),
    "no shape": tensors({"a": {"dtype": "F32", "data_offsets": [0, 8]}}, bytes(8)),
    "metadata of numbers": tensors({"__metadata__": {"a": 1}, "a": F4}, bytes(8)),
}
FILES = [("npz", name, content) for name, content in NPZ.items()]
FILES += [("safetensors", name, content) for name, content in TENSORS.items()]
MOST = 30_000_000
"""Bytes that reading any of them may take beside what is in the file: the bombs would take 200 million."""


def test_there_are_enough():
    assert len(FILES) > 50


@pytest.mark.parametrize(("kind", "name", "content"), FILES, ids=[f"{kind}: {name}" for kind, name, _ in FILES])
def test_what_is_damaged_or_hostile(kind, name, content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"bad.{kind}"
    path.write_bytes(content)
    for read in (io.load, io.metadata):
        tracemalloc.start()
        try:
            with pytest.raises(FileFormatError, match=r"bad\.") as caught:
                read(path)
            assert tracemalloc.get_traced_memory()[1] < MOST
        finally:
            tracemalloc.stop()
        assert len(str(caught.value)) < 600
        assert str(caught.value).isprintable()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]  # nothing ran, nothing was unpacked


LIMITED = textwrap.dedent(
    """
    import pathlib, resource, sys
    from autodiff import io
    from autodiff.core.errors import FileFormatError
    import safetensors.numpy

    used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 60_000_000,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        try:
            io.load(path)
        except FileFormatError as error:
            assert "MemoryError" not in str(error), error
        else:
            raise AssertionError(path)
    print("all refused")
    """
)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="asks Linux how much memory is used")
def test_they_are_refused_where_memory_is_short(tmp_path):
    for k, (kind, name, content) in enumerate(FILES):
        if "deep" not in name:  # the parser itself runs out of memory, in a place of its own
            (tmp_path / f"{k}.{kind}").write_bytes(content)
    done = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("all refused\n", "")


@pytest.mark.parametrize("kind", KINDS)
def test_files_cut_short_anywhere(kind, tmp_path):
    path = io.save({"a": np.ones(2), "b": np.array([[True]])}, tmp_path / f"cut.{kind}", {"note": "x"})
    content = path.read_bytes()
    for n in range(len(content)):
        path.write_bytes(content[:n])
        with pytest.raises(FileFormatError):
            io.load(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_byte_is_noticed_or_changes_a_number(kind, tmp_path):
    path, rng = io.save(STATE, tmp_path / f"changed.{kind}"), np.random.default_rng(0)
    content = bytearray(path.read_bytes())
    for at in rng.integers(0, len(content), 300):
        changed = content.copy()
        changed[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        try:
            found = io.load(path)
        except FileFormatError:
            continue
        assert all(isinstance(array, np.ndarray) and array.dtype.kind in "biufc" for array in found.values())


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file(kind, tmp_path):
    folder = tmp_path / f"folder.{kind}"
    folder.mkdir()
    pipe = tmp_path / f"pipe.{kind}"
    os.mkfifo(pipe)
    device = tmp_path / f"device.{kind}"
    device.symlink_to("/dev/zero")
    for path in (folder, pipe, device):
        with pytest.raises(FileFormatError, match="is a directory or a device; give the path of a file"):
            io.load(path)
    loop, nowhere = tmp_path / f"loop.{kind}", tmp_path / f"nowhere.{kind}"
    loop.symlink_to(loop)
    nowhere.symlink_to(tmp_path / "missing")
    for path in (loop, nowhere):
        with pytest.raises(MissingDataError, match="There is no file"):
            io.load(path)
    link = tmp_path / f"link.{kind}"
    link.symlink_to(io.save(STATE, tmp_path / f"file.{kind}"))
    assert set(io.load(link)) == set(STATE)


def test_truth_values_are_0_or_1(tmp_path):
    """Other bytes would compare unequal to themselves."""
    raw = tensors({"a": {"dtype": "BOOL", "shape": [3], "data_offsets": [0, 3]}}, b"\x00\x01\x07")
    (tmp_path / "a.safetensors").write_bytes(raw)
    (tmp_path / "a.npz").write_bytes(archive(a__npy=shape("(3,)", "|b1") + b"\x00\x01\x07"))
    for kind in KINDS:
        assert io.load(tmp_path / f"a.{kind}")["a"].tobytes() == b"\x00\x01\x01"
