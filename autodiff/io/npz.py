"""NumPy's archives: a zip file with an entry ``name.npy`` for each array."""

from __future__ import annotations

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import FileFormatError
from ..core.summary import repr_text

META = "__metadata__"
"""Where the texts are; safetensors has the same name for its own."""
LARGE, MOST_EXPANDED = 100_000_000, 100
"""No archive may grow beyond ``LARGE`` bytes if that is ``MOST_EXPANDED`` times its size: weights compress less."""
ENCRYPTED = 1
"""A flag of an entry."""
LONGEST_HEADER = 10_000
"""Of an array, in bytes; NumPy's own limit."""


def write(file: Path, arrays: dict[str, Any], texts: dict[str, str]) -> None:
    """Write an archive that is not compressed: trained weights look like noise."""
    kept = {META: np.frombuffer(json.dumps(texts).encode(), np.uint8)} if texts else {}
    with file.open("wb") as stream, zipfile.ZipFile(stream, "w") as archive:
        for name, array in {**arrays, **kept}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


def read(file: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Read the arrays and the texts; no entry is unpacked to a file."""
    arrays: dict[str, Any] = {}
    with zipfile.ZipFile(file) as archive:
        content = sum(entry.file_size for entry in archive.infolist())
        if content > max(LARGE, MOST_EXPANDED * file.stat().st_size):
            raise FileFormatError(f"{str(file)!r} would grow to {content:,} bytes, which no honest archive does.")
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            if name == info.filename:
                raise FileFormatError(f"{str(file)!r} has an entry {repr_text(info.filename)}, which is no array.")
            if name in arrays:
                raise FileFormatError(f"{str(file)!r} has {repr_text(name)} twice.")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & ENCRYPTED:
                raise FileFormatError(
                    f"{str(file)!r} has {repr_text(name)} compressed or encrypted in a way that NumPy never uses."
                )
            with archive.open(info) as entry:
                arrays[name] = _read_array(f"{str(file)!r} has {repr_text(name)}", entry, info.file_size)
    return arrays, json.loads(bytes(arrays.pop(META))) if META in arrays else {}


READERS = {
    (1, 0): (2, np.lib.format.read_array_header_1_0),
    (2, 0): (4, np.lib.format.read_array_header_2_0),
}
"""By version: the bytes that hold the length of the header, and what reads it."""


def _read_array(has: str, entry: Any, size: int) -> Any:
    """One array: its header must say what follows, before memory is taken for it."""
    version = np.lib.format.read_magic(entry)
    if version not in READERS:
        raise FileFormatError(f"{has} in version {version} of NumPy's format; 1.0 and 2.0 are read.")
    width, read_header = READERS[version]
    length = entry.read(width)
    n = int.from_bytes(length, "little")
    if n > LONGEST_HEADER:
        raise FileFormatError(f"{has} with a header of {n:,} bytes; the longest is {LONGEST_HEADER:,}.")
    shape, fortran, dtype = read_header(io.BytesIO(length + entry.read(n)))
    if dtype.kind not in "biufc":
        raise FileFormatError(f"{has} of dtype {dtype!s:.60}; weights are numbers. Nothing was loaded.")
    expected = math.prod(shape) * dtype.itemsize
    if any(k < 0 for k in shape) or expected > size:
        raise FileFormatError(f"{has} of shape {shape!s:.60}, with too few bytes for it. Nothing was loaded.")
    content = entry.read(expected)  # with a limit: an entry may be longer than the archive says
    if len(content) != expected or entry.read(1):
        found = f"{len(content):,}" if len(content) < expected else "more"
        raise FileFormatError(
            f"{has} of shape {shape!s:.60} and dtype {dtype}, which is {expected:,} bytes; there are {found}. "
            "Nothing was loaded."
        )
    array = np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
    return np.array(array, dtype.newbyteorder("="), order="C")
