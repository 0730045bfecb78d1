"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path to write to, which takes the place of ``path`` at the end; whoever stops in between leaves that as it was.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from autodiff import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "notes.txt"
    ...     with io.replacing(path) as draft:
    ...         _ = draft.write_text("done")
    ...     print(path.read_text())
    done
    """
    target = Path(path)
    handle, name = tempfile.mkstemp(prefix=_prefix(target), suffix=target.suffix, dir=target.parent)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        with draft.open("rb+") as file:
            os.fsync(file.fileno())  # else a crash of the machine may leave the new name with no content
        draft.chmod(0o666 & ~_mask())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def leftovers(path: str | os.PathLike[str]) -> list[Path]:
    """Drafts of ``path`` that a killed process left behind, if nobody is writing one now."""
    target = Path(path)
    return [draft for draft in target.parent.iterdir() if draft.name.startswith(_prefix(target))]


def _prefix(target: Path) -> str:
    return f".{target.name}."


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
