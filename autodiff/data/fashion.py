"""Fashion-MNIST, and other sets of images in the IDX format, from files."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import FileFormatError, MissingDataError

DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""Types of numbers by their code in an IDX file."""

FASHION = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts its files."""

CLOTHES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
"""The classes of Fashion-MNIST."""


def idx(path: str | os.PathLike[str]) -> np.ndarray[Any, np.dtype[Any]]:
    """The array in an IDX file, the format of MNIST and its kin, compressed by gzip or not.

    Parameters
    ----------
    path : path
        Such as ``train-images-idx3-ubyte.gz``.

    Returns
    -------
    ndarray
        Of the shape and the type of numbers that the file says.

    Raises
    ------
    MissingDataError
        If there is no such file.
    FileFormatError
        If it is something else, or cut short.
    """
    file = Path(path)
    try:
        raw = file.read_bytes()
        content = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except FileNotFoundError:
        raise MissingDataError(f"There is no file {str(file)!r}. Give the path of an IDX file.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise FileFormatError(f"{str(file)!r} could not be read: {error}.") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in DTYPES:
        raise FileFormatError(f"{str(file)!r} is no IDX file: it should begin with two zeros and a type of numbers.")
    dtype, ndim = np.dtype(DTYPES[content[2]]), content[3]
    head = 4 + 4 * ndim
    if len(content) < head:
        raise FileFormatError(f"{str(file)!r} ends within the shape of its array. Fetch it again.")
    shape = struct.unpack(f">{ndim}I", content[4:head])
    n = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if len(content) - head != n:
        raise FileFormatError(
            f"{str(file)!r} holds {len(content) - head:,} bytes of numbers; an array of shape {shape} has {n:,}. "
            "Fetch it again."
        )
    return np.frombuffer(content, dtype, offset=head).reshape(shape).astype(dtype.newbyteorder("="))


def fashion_mnist(
    folder: str | os.PathLike[str] | None = None, train: bool = True, scale: bool = True
) -> tuple[np.ndarray[Any, np.dtype[Any]], np.ndarray[Any, np.dtype[Any]]]:
    """Images of 70,000 articles of clothing in ten classes, 28 x 28 grey values [1]_: not part of the package.

    Parameters
    ----------
    folder : path, optional
        Where the four files are, under their names, compressed or not; those of MNIST have the same names.  If not
        given, where Debian's package ``dataset-fashion-mnist`` puts them.
    train : bool
        The 60,000 to train on, or the 10,000 to test on.
    scale : bool
        Whether to divide the grey values by 255, so that they run from 0 to 1, in single precision.

    Returns
    -------
    X : ndarray, shape (n, 28, 28)
    y : ndarray of int, shape (n,)
        Positions in ``data.CLOTHES``.

    Raises
    ------
    MissingDataError
        If the files are not there; it says how to get them.
    FileFormatError
        If they are something else, or cut short.

    References
    ----------
    .. [1] H. Xiao, K. Rasul and R. Vollgraf (2017), arXiv:1708.07747; MIT licence.
    """
    where = FASHION if folder is None else Path(folder)
    part = "train" if train else "t10k"
    found = []
    for name in (f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"):
        file = next((f for f in (where / f"{name}.gz", where / name) if f.exists()), None)
        if file is None:
            raise MissingDataError(
                f"There is no file {name!r}, compressed or not, in {str(where)!r}. On Debian and its kin: apt install "
                "dataset-fashion-mnist. Elsewhere fetch the four files from github.com/zalandoresearch/fashion-mnist "
                "and pass the folder that they are in."
            )
        found.append(idx(file))
    images, labels = found
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise FileFormatError(
            f"The files in {str(where)!r} hold arrays of shapes {images.shape} and {labels.shape}; expected were (n, "
            "height, width) and (n,)."
        )
    return images / np.float32(255) if scale else images, labels.astype(np.int64)
