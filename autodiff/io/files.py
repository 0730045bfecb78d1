"""Saving and loading dicts of arrays, as ``.safetensors`` or ``.npz``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, FileFormatError, KindError, MissingDataError, MissingExtraError
from ..core.node import data_of
from ..core.summary import kind_text, repr_text
from . import npz, safetensors
from .atomic import replacing

Arrays = dict[str, Any]


def save(arrays: Mapping[str, Any], path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> Path:
    """Write arrays by name, such as ``model.state_dict()``, to a file that is there whole or not at all.

    Parameters
    ----------
    arrays : mapping of str to array_like
        Of numbers or truth values.
    path : path
        Ends in ``.safetensors`` [1]_, which other libraries read without running code, or ``.npz``, NumPy's own.
    metadata : mapping of str to str, optional
        Texts to keep beside them.

    Returns
    -------
    Path

    Raises
    ------
    ArgumentError
        If the name ends in something else, or no file can be written there.
    KindError
        If something is no array of numbers, a text none, or a name cannot be one.
    MissingExtraError
        If ``.safetensors`` is asked for and the package is not installed.

    References
    ----------
    .. [1] https://huggingface.co/docs/safetensors

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from autodiff import io, nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = io.save(nn.Linear(2, 1, rng=0).state_dict(), Path(folder) / "model.npz")
    ...     list(io.load(path))
    ['weight', 'bias']
    """
    if not isinstance(arrays, Mapping):
        repair = "Pass its state_dict()." if hasattr(arrays, "state_dict") else 'Such as {"x": x}.'
        if isinstance(arrays, str | os.PathLike):
            repair = "The path comes second: save(model.state_dict(), path)."
        raise KindError(f"save got {kind_text(arrays)}; it takes a dict of arrays by name. {repair}")
    if not isinstance(path, str | os.PathLike):
        raise KindError(f"save got {kind_text(path)} as path; it takes the name of a file, such as 'model.npz'.")
    target = Path(path)
    write, _ = _format(target)
    found = {name: _plain(name, array) for name, array in arrays.items()}
    texts = {} if metadata is None else metadata
    if not _are_texts(texts):
        raise KindError(f"save got {repr_text(metadata)} as metadata; they are texts by name. Use json.dumps.")
    try:
        with replacing(target) as draft:
            write(draft, found, dict(texts))
    except OSError as error:
        raise ArgumentError(f"save could not write {str(target)!r}: {error}.") from error
    return target


def load(path: str | os.PathLike[str]) -> Arrays:
    """Read the arrays in a file of :func:`save`, or of another library in one of its formats.

    Parameters
    ----------
    path : path

    Returns
    -------
    dict of str to ndarray
        Own copies, in the order of the file: that of :func:`save` in ``.npz``, and one of its library's own in
        ``.safetensors``.  Of the machine's byte order; bfloat16 becomes float32, to the same numbers.

    Raises
    ------
    MissingDataError
        If there is no such file.
    FileFormatError
        If it is something else, was cut short or changed, or has Python objects in it.  Nothing is loaded then, and
        nothing is executed ever.
    ArgumentError
        If the name ends in something else.
    """
    arrays, _ = _read(path)
    return arrays


def metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """The texts that a file of :func:`save` keeps beside its arrays; errors as those of :func:`load`."""
    _, texts = _read(path)
    return texts


def _read(path: str | os.PathLike[str]) -> tuple[Arrays, dict[str, str]]:
    file = Path(path)
    _, read = _format(file)
    if not file.exists():
        raise MissingDataError(f"There is no file {str(file)!r}. Save one with io.save, or give its path.")
    if not file.is_file():
        raise FileFormatError(f"{str(file)!r} is a directory or a device; give the path of a file.")
    try:
        arrays, texts = read(file)
    except (FileFormatError, MissingExtraError):
        raise
    except Exception as error:  # a damaged file makes the readers below raise almost anything
        said = f"{type(error).__name__}: {error}"
        raise FileFormatError(
            f"{str(file)!r} could not be read as {file.suffix}: {said:.200}. It is something else, or was cut short or "
            "changed: save or fetch it again. Nothing was loaded."
        ) from error
    for name, array in arrays.items():
        if not _is_name(name):
            raise FileFormatError(f"{str(file)!r} has an array named {repr_text(name)}; {NAMES}. Nothing was loaded.")
        if array.dtype.kind == "b":
            arrays[name] = array.view(np.uint8) != 0  # a file may hold other bytes than 0 and 1
    if not _are_texts(texts):
        raise FileFormatError(f"{str(file)!r} has metadata that are no texts by name. Nothing was loaded.")
    return arrays, texts


NAMES = "names are texts of at most 60,000 bytes without a NUL that lead out of no folder: no .. and no / at the start"


def _is_name(name: Any) -> bool:
    if not isinstance(name, str) or not name or name == npz.META or "\0" in name or name.startswith(("/", "\\")):
        return False
    try:
        return len(name.encode()) <= 60_000 and ".." not in name.replace("\\", "/").split("/")
    except UnicodeEncodeError:  # half a surrogate pair
        return False


def _are_texts(texts: Any) -> bool:
    return isinstance(texts, Mapping) and all(isinstance(x, str) for pair in texts.items() for x in pair)


def _plain(name: Any, array: Any) -> Any:
    if not _is_name(name):
        raise KindError(f"save got {repr_text(name)} as the name of an array; {NAMES}.")
    try:
        found = np.asarray(data_of(array))
    except ValueError:
        found = np.array(None)
    if found.dtype.kind not in "biufc":
        raise KindError(f"save got a {type(array).__name__} as {name!r}; it takes arrays of numbers or truth values.")
    return np.array(found, order="C")  # of the machine's byte order, and without gaps


def _format(file: Path) -> tuple[Callable[..., None], Callable[[Path], tuple[Arrays, dict[str, str]]]]:
    if file.suffix not in FORMATS:
        repair = ""
        if file.suffix in PICKLES:
            repair = " It is a pickle, which may run anything: write .safetensors where it comes from."
        raise ArgumentError(
            f"{str(file)!r} ends in {file.suffix or 'nothing'}; files of arrays end in {' or '.join(FORMATS)}.{repair}"
        )
    return FORMATS[file.suffix]


PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin")
FORMATS: dict[str, tuple[Callable[..., None], Callable[[Path], tuple[Arrays, dict[str, str]]]]] = {
    ".safetensors": (safetensors.write, safetensors.read),
    ".npz": (npz.write, npz.read),
}
