"""The format of the library ``safetensors``: a header in JSON, and then the numbers of all arrays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import FileFormatError, KindError, MissingExtraError
from ..core.summary import repr_text

LONGEST_HEADER = 100_000_000
"""In bytes; the library's own limit."""


def _library() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise MissingExtraError("Reading and writing .safetensors", "safetensors", "safetensors") from None
    return safetensors


def write(file: Path, arrays: dict[str, Any], texts: dict[str, str]) -> None:
    """Write what the library makes of them; it puts the arrays in an order of its own."""
    library = _library()
    try:
        file.write_bytes(library.numpy.save(arrays, texts or None))
    except (KeyError, library.SafetensorError) as error:  # a dtype that the format has not
        kinds = ", ".join(sorted({str(array.dtype) for array in arrays.values()}))
        raise KindError(f"save got dtypes {kinds:.200}, of which .safetensors has not all. Save as .npz.") from error


def read(file: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Read the arrays and the texts; bfloat16, which NumPy has not, becomes float32, to the same numbers."""
    library = _library()
    header, start = _header(file)
    with library.safe_open(str(file), framework="numpy") as stored:  # checks what the header says
        arrays = {}
        for name in stored.keys():  # noqa: SIM118 - no dict
            kind = header[name]["dtype"]
            if kind == "BF16":
                arrays[name] = _read_bfloat16(file, header[name], start)
            elif kind == "F4" or kind.startswith(("F8_", "F6_")):
                raise FileFormatError(
                    f"{str(file)!r} has {repr_text(name)} of dtype {kind}, which NumPy has not. Convert it to F16 or "
                    "F32 where it comes from. Nothing was loaded."
                )
            else:
                arrays[name] = stored.get_tensor(name).copy()
        return arrays, dict(stored.metadata() or {})


def _header(file: Path) -> tuple[dict[str, Any], int]:
    """What the header says, and where the numbers start; of names that stand twice the library would take the last."""
    with file.open("rb") as stream:
        n = int.from_bytes(stream.read(8), "little")
        if n > min(LONGEST_HEADER, file.stat().st_size):
            raise FileFormatError(
                f"{str(file)!r} says that its header has {n:,} bytes, which it has not. Fetch it again."
            )
        return json.loads(stream.read(n), object_pairs_hook=_once), 8 + n


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{repr_text(twice)} is there twice")
    return found


def _read_bfloat16(file: Path, entry: dict[str, Any], start: int) -> Any:
    first, last = entry["data_offsets"]
    upper = np.fromfile(file, "<u2", (last - first) // 2, offset=start + first)  # of the two halves of a float32
    return (upper.astype(np.uint32) << 16).view(np.float32).reshape(entry["shape"])
