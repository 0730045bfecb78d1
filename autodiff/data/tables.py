"""Tables of numbers: Fisher's irises, CSV and NPZ files, and what scikit-learn has."""

from __future__ import annotations

import csv as reader
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, AutodiffError, FileFormatError, KindError, MissingDataError
from .checks import require_rows

Array = np.ndarray[Any, np.dtype[Any]]

SPECIES = ("setosa", "versicolor", "virginica")
"""The classes of :func:`iris`."""


def iris() -> tuple[Array, Array]:
    """150 irises of three species, measured by E. Anderson: the oldest data set of its kind [1]_.

    Returns
    -------
    X : ndarray, shape (150, 4)
        Lengths and widths of sepals, then of petals, in centimetres.
    y : ndarray of int, shape (150,)
        Positions in ``data.SPECIES``.

    References
    ----------
    .. [1] R. A. Fisher, Annals of Eugenics 7 (1936) 179-188; UCI Machine Learning Repository,
       https://doi.org/10.24432/C56C76, licensed CC BY 4.0.

    Examples
    --------
    >>> from autodiff import data
    >>> X, y = data.iris()
    >>> X.shape, X[0].tolist(), data.SPECIES[y[0]]
    ((150, 4), [5.1, 3.5, 1.4, 0.2], 'setosa')
    """
    _, *rows = files(__package__).joinpath("iris.csv").read_text().splitlines()
    cells = [row.split(",") for row in rows]
    X = np.array([row[:4] for row in cells], float)
    return X, np.array([SPECIES.index(row[4]) for row in cells])


def csv(
    path: str | os.PathLike[str],
    target: str | int | None = -1,
    header: bool | None = None,
    delimiter: str = ",",
) -> tuple[Array, Array]:
    r"""A table in a CSV file: numbers, and a column to predict.

    Parameters
    ----------
    path : path
        Text in UTF-8.  Empty lines are passed over.
    target : str, int or None
        Name or position of the column to predict; None if there is none.
    header : bool, optional
        Whether the first line has the names of the columns.  If not given it does where a cell of it is no number and
        those below are.
    delimiter : str
        What stands between cells; ``"\t"`` for tabs.

    Returns
    -------
    X : ndarray of float, shape (n, columns)
        All columns but the target; an empty cell is nan.
    y : ndarray, shape (n,)
        Of numbers if all are numbers, whole ones if all are whole, else of text; of shape (n, 0) without a target.

    Raises
    ------
    MissingDataError
        If there is no such file.
    FileFormatError
        If there are no rows, a line has another number of cells, a cell of ``X`` is no number, or a target is missing:
        it says where.
    ArgumentError
        If there is no such column, or more than one.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from autodiff import data
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "flowers.csv"
    ...     _ = path.write_text("height,colour\n1.5,red\n2,blue\n")
    ...     X, y = data.csv(path, target="colour")
    >>> X.tolist(), y.tolist()
    ([[1.5], [2.0]], ['red', 'blue'])
    """
    file = Path(path)
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            lines = reader.reader(text, delimiter=delimiter)
            rows = [(lines.line_num, [cell.strip() for cell in row]) for row in lines if row]
    except FileNotFoundError:
        raise MissingDataError(f"There is no file {str(file)!r}. Give the path of a CSV file.") from None
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{str(file)!r} is no text in UTF-8: {error}. Save it as UTF-8.") from error
    except (OSError, reader.Error) as error:
        raise FileFormatError(f"{str(file)!r} could not be read as CSV: {error}.") from error
    if not rows:
        raise FileFormatError(f"{str(file)!r} is empty; a table needs a line at least.")
    first = rows[0][1]
    for line, row in rows:
        if len(row) != len(first):
            raise FileFormatError(
                f"{str(file)!r} has {len(row)} cells in line {line}; the first line has {len(first)}."
            )
    column = _column(file, first, target)
    inputs = [k for k in range(len(first)) if k != column]
    named = _has_names([row for _, row in rows], inputs, column, target) if header is None else header
    rows = rows[1:] if named else rows
    if not rows:
        raise FileFormatError(f"{str(file)!r} has a line of names, and no rows below it.")
    names = first if named else list(map(str, range(len(first))))
    X = np.empty((len(rows), len(inputs)))
    for i, (line, row) in enumerate(rows):
        for j, k in enumerate(inputs):
            number = _number(row[k])
            if number is None:
                raise FileFormatError(
                    f"{str(file)!r} has {row[k]!r} in line {line}, column {names[k]}, which is no number. "
                    f"{_repair(row[k], delimiter)}"
                )
            X[i, j] = number
        if column is not None and not row[column]:
            raise FileFormatError(
                f"{str(file)!r} has no target in line {line}, column {names[column]}. Leave out the rows without one."
            )
    if column is None:
        return X, np.empty((len(X), 0))
    return X, _as_target([row[column] for _, row in rows])


def _has_names(rows: list[list[str]], inputs: list[int], column: int | None, target: str | int | None) -> bool:
    """Whether the first of the rows has names: words where numbers are to be, or stand below."""
    first = rows[0]
    if isinstance(target, str) or any([_number(first[k]) is None for k in inputs]):
        return True
    below = [_number(row[column]) for row in rows[1:]] if column is not None else []
    return column is not None and bool(below) and _number(first[column]) is None and None not in below


def _repair(cell: str, delimiter: str) -> str:
    other = next((d for d in ";\t|" if d in cell and d != delimiter), None)
    if other is not None:
        return f"Is it delimiter={other!r}?"
    return "An empty cell is read as nan; number classes first, or leave the column out."


def _column(file: Path, first: list[str], target: str | int | None) -> int | None:
    if target is None:
        return None
    if isinstance(target, str):
        if first.count(target) != 1:
            found = "no" if target not in first else "more than one"
            raise ArgumentError(
                f"csv got target={target!r}; {str(file)!r} has {found} column of that name: its first line is "
                f"{', '.join(first)}."
            )
        return first.index(target)
    if not -len(first) <= target < len(first):
        raise ArgumentError(f"csv got target={target}; {str(file)!r} has {len(first)} columns.")
    return target % len(first)


def _number(cell: str) -> float | None:
    try:
        return float(cell) if cell else float("nan")
    except ValueError:
        return None


def _as_target(cells: list[str]) -> Array:
    numbers = [_number(cell) for cell in cells]
    if None in numbers:
        return np.array(cells)
    y = np.array(numbers, float)
    exact = np.isfinite(y).all() and bool((np.abs(y) < 2**53).all())
    whole = exact and (y == np.round(y)).all() and not any("." in cell for cell in cells)
    return y.astype(np.int64) if whole else y


def npz(path: str | os.PathLike[str], *names: str) -> tuple[Array, ...]:
    """Arrays from a file of ``np.savez``; nothing in it is executed.

    Parameters
    ----------
    path : path
    *names : str
        Which arrays, in order; ``X`` and ``y`` if none is named.

    Raises
    ------
    MissingDataError
        If there is no such file.
    FileFormatError
        If it is something else, or cut short, or has Python objects in it.
    ArgumentError
        If it has no such array.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from autodiff import data
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(Path(folder) / "points.npz", X=np.eye(2), y=np.array([0, 1]))
    ...     X, y = data.npz(Path(folder) / "points.npz")
    >>> y.tolist()
    [0, 1]
    """
    file, wanted = Path(path), names or ("X", "y")
    try:
        with file.open("rb") as opened:
            if opened.read(2) != b"PK":
                raise FileFormatError(f"{str(file)!r} is no NPZ file. {_repair_of_npz(file)}")
            opened.seek(0)
            stored = np.load(opened, allow_pickle=False)
            for name in wanted:
                if name not in stored.files:
                    raise ArgumentError(
                        f"npz was asked for {name!r}; {str(file)!r} has {', '.join(stored.files) or 'nothing'}."
                    )
            return tuple([_plain(file, name, stored[name]) for name in wanted])
    except FileNotFoundError:
        raise MissingDataError(f"There is no file {str(file)!r}. Give the path of an NPZ file.") from None
    except AutodiffError:
        raise
    except Exception as error:  # what can be wrong with a zip archive and the arrays in it has no common class
        if "allow_pickle" in str(error):
            raise FileFormatError(f"{str(file)!r} holds Python objects, which are not loaded.") from error
        raise FileFormatError(f"{str(file)!r} could not be read as NPZ: {error}.") from error


def _repair_of_npz(file: Path) -> str:
    return "Read a single array with np.load." if file.suffix == ".npy" else "Write one with np.savez(path, X=X, y=y)."


def _plain(file: Path, name: str, array: Any) -> Array:
    if not isinstance(array, np.ndarray):  # np.load hands on the bytes of what is no array
        raise FileFormatError(f"{str(file)!r} holds {name!r}, which is no array.")
    return array


def from_sklearn(dataset: Any) -> tuple[Array, Array]:
    """Inputs and targets of a data set of scikit-learn.

    Parameters
    ----------
    dataset : Bunch or pair of array_like
        What ``sklearn.datasets.load_wine()`` returns, or the same with ``return_X_y=True``.

    Returns
    -------
    X : ndarray of float, shape (n, features)
        In single precision if it was.
    y : ndarray, shape (n,)

    Raises
    ------
    KindError
        If it is something else, sparse, or not all numbers.
    ShapeError
        If inputs and targets differ in number, or there are none.

    Examples
    --------
    >>> from autodiff import data
    >>> X, y = data.from_sklearn(([[1, 2], [3, 4]], [0, 1]))
    >>> X.dtype, y.tolist()
    (dtype('float64'), [0, 1])
    """
    if hasattr(dataset, "data") and hasattr(dataset, "target"):
        dataset = dataset.data, dataset.target
    if not isinstance(dataset, tuple | list) or len(dataset) != 2:
        raise KindError(
            f"from_sklearn got a {type(dataset).__name__}; it takes what sklearn.datasets.load_wine() and "
            "the like return."
        )
    if hasattr(dataset[0], "toarray"):
        raise KindError("from_sklearn got sparse inputs. If they fit into memory give (X.toarray(), y).")
    X, y = require_rows("from_sklearn", *dataset)
    try:
        return X if X.dtype.kind == "f" else X.astype(float), y
    except (TypeError, ValueError) as error:
        raise KindError(
            f"from_sklearn got inputs that are not all numbers: {error}. Number the classes first, or leave such "
            "columns out."
        ) from error
