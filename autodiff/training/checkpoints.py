"""Checkpoints: all that a training needs to go on, to the last bit, in one file."""

from __future__ import annotations

import json
import os
import types
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, AutodiffError, FileFormatError, KindError
from ..core.node import Node
from ..core.summary import kind_text
from ..io import leftovers, load, metadata, save
from .history import History

try:
    import fcntl
except ImportError:  # on Windows, where two trainings in one folder are not noticed
    fcntl = None  # type: ignore[assignment]


class Checkpoints:
    """The files ``last.npz``, to go on from, and ``best.npz``, the best weights, in a folder that is locked meanwhile.

    Parameters
    ----------
    folder : path
    parts : dict
        What is kept: anything with ``state_dict`` and ``load_state_dict``, by name; one is the ``model``.
    generators : list of Generator
        Sources of random numbers that the training draws from.
    """

    def __init__(self, folder: Any, parts: dict[str, Any], generators: list[np.random.Generator]) -> None:
        if not isinstance(folder, str | os.PathLike):
            raise KindError(f"fit got {kind_text(folder)} as checkpoints; it takes the path of a folder.")
        self.folder = Path(folder)
        self.last, self.best = self.folder / "last.npz", self.folder / "best.npz"
        self.parts = {name: part for name, part in parts.items() if part is not None}
        self.generators = generators
        self._lock: Any = None
        self._state()  # what cannot be kept is said now, and not after an epoch

    def __enter__(self) -> Checkpoints:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / ".lock").open("a+")
        except OSError as error:
            raise ArgumentError(f"fit can keep no checkpoints in {str(self.folder)!r}: {error}.") from error
        try:
            if fcntl is not None:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            owner = self._lock.read() or "?"
            self._lock.close()
            raise ArgumentError(
                f"Another training, in process {owner}, keeps its checkpoints in {str(self.folder)!r}. Wait until it "
                "ends, or use another folder."
            ) from None
        except OSError:  # a file system without locks
            pass
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        for draft in (*leftovers(self.last), *leftovers(self.best)):  # of a training that was killed
            draft.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()  # which unlocks; a kill does as well

    def _state(self) -> tuple[dict[str, Any], dict[str, str]]:
        arrays: dict[str, Any] = {}
        texts: dict[str, str] = {}
        for part, thing in self.parts.items():
            for name, value in thing.state_dict().items():
                if isinstance(value, np.ndarray) and value.dtype != object:
                    arrays[f"{part}/{name}"] = value
                else:
                    texts[f"{part}/{name}"] = _as_text(f"{name} of the {part}", value)
        return arrays, texts

    def write(self, history: History, notes: dict[str, Any], best: dict[str, Any] | None) -> None:
        """Keep the state as it is, and the weights ``best`` if there are."""
        arrays, texts = self._state()
        texts["history"] = _as_text("the history", history.rows)
        texts["notes"] = json.dumps(notes)
        texts["kinds"] = json.dumps(self._kinds())
        texts["generators"] = json.dumps([g.bit_generator.state for g in self.generators], default=_as_list)
        if best is not None:
            save(best, self.best, {"row": _as_text("the history", history.rows[-1])})
        save(arrays, self.last, texts)  # after the best: who is killed in between goes on from before both

    def read(self) -> tuple[History, dict[str, Any]]:
        """Put everything back as it was kept; return the history and the notes.

        Raises
        ------
        FileFormatError, ArgumentError, ShapeError
            If the file is damaged, or of another model.  Nothing is changed then.
        """
        file = str(self.last)
        arrays, texts = load(file), metadata(file)
        try:
            rows, notes = json.loads(texts.pop("history")), json.loads(texts.pop("notes"))
            kinds, states = json.loads(texts.pop("kinds")), json.loads(texts.pop("generators"))
            values = {name: json.loads(text) for name, text in texts.items()}
        except (KeyError, ValueError, RecursionError) as error:
            raise FileFormatError(f"{file!r} is no checkpoint of ad.fit: {error!r:.200}.") from error
        if kinds != self._kinds():
            raise ArgumentError(
                f"{file!r} was kept with {_list(kinds)}; fit got {_list(self._kinds())}. Go on with the same, or use "
                "another folder."
            )
        if len(states) != len(self.generators):
            raise ArgumentError(
                f"{file!r} was kept with {len(states)} random generators; the model and the data have "
                f"{len(self.generators)}. Go on with the same model and data, or use another folder."
            )
        before = {part: thing.state_dict() for part, thing in self.parts.items()}
        states_before = [g.bit_generator.state for g in self.generators]
        try:
            for part, thing in self.parts.items():
                found = {**arrays, **values}
                thing.load_state_dict(
                    {name.partition("/")[2]: x for name, x in found.items() if name.partition("/")[0] == part}
                )
            for generator, state in zip(self.generators, states, strict=True):
                generator.bit_generator.state = _as_arrays(state)
            return History(rows), {"best": float(notes["best"]), "since": int(notes["since"])}
        except Exception as error:
            for part, thing in self.parts.items():
                thing.load_state_dict(before[part])
            for generator, state in zip(self.generators, states_before, strict=True):
                generator.bit_generator.state = state
            kind = type(error) if isinstance(error, AutodiffError) else ArgumentError
            raise kind(
                f"{file!r} does not fit this training: {error} Go on with the same model, optimizer and data, or use "
                "another folder. Nothing was changed."
            ) from error

    def _kinds(self) -> dict[str, str]:
        return {part: type(thing).__name__ for part, thing in self.parts.items() if part != "model"}


def _list(kinds: dict[str, str]) -> str:
    return ", ".join(f"{part} {kind}" for part, kind in kinds.items())


def _as_text(what: str, value: Any) -> str:
    try:
        return json.dumps(value, default=_as_list)
    except (TypeError, ValueError):
        raise KindError(f"fit cannot keep {what} in a checkpoint: a {type(value).__name__} is no number.") from None


def _as_list(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": str(value.dtype)}
    return value.item() if isinstance(value, np.generic) else _refuse(value)


def _refuse(value: Any) -> Any:
    raise TypeError(f"a {type(value).__name__} is no JSON")


def _as_arrays(state: Any) -> Any:
    if isinstance(state, dict):
        if state.keys() == {"array", "dtype"}:
            return np.array(state["array"], state["dtype"])
        return {name: _as_arrays(value) for name, value in state.items()}
    return state


PLAIN = (type, types.FunctionType, types.ModuleType, np.ndarray, Node)
"""What is not looked into for generators."""
LONGEST = 1000
"""Nor into longer lists."""


def generators_in(*things: Any) -> list[np.random.Generator]:
    """The random generators in the attributes of modules, batches and what is in those, each once, in order."""
    found: list[np.random.Generator] = []
    seen: set[int] = set()
    waiting = list(things)[::-1]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, PLAIN):
            continue
        seen.add(id(thing))
        if isinstance(thing, np.random.Generator):
            found.append(thing)
        elif isinstance(thing, list | tuple | dict):
            inside = list(thing.values() if isinstance(thing, dict) else thing)
            waiting += inside[::-1] if len(inside) <= LONGEST else []
        else:
            waiting += list(getattr(thing, "__dict__", {}).values())[::-1]
    return found
