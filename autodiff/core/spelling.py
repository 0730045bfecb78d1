"""What to say when a name does not exist: how it is spelt here, what is close to it, or what there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from .errors import SpellingError


def missing(owner: str, name: str, exists: Iterable[str], spellings: Mapping[str, str]) -> SpellingError:
    """The error for a name that a module or an object does not have.

    Parameters
    ----------
    owner : str
        As the user calls it: ``"nn"``.
    name : str
    exists : iterable of str
        The public names that there are.
    spellings : mapping of str to str
        What other libraries call it, and what it is called here.

    Examples
    --------
    >>> print(missing("nn", "Relu", ["ReLU", "Tanh"], {}))
    nn has no 'Relu'. Did you mean nn.ReLU?
    >>> print(missing("optim", "RMSprop", ["SGD", "Adam"], {}))
    optim has no 'RMSprop'; it has SGD, Adam.
    """
    if name in spellings:
        return SpellingError(f"{owner} has no {name!r}; here it is {spellings[name]}.")
    names = [n for n in exists if not n.startswith("_")]
    by_folded = {n.casefold(): n for n in reversed(names)}
    from difflib import get_close_matches  # only an error needs it

    close = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.77)
    if close:
        return SpellingError(f"{owner} has no {name!r}. Did you mean {owner}.{by_folded[close[0]]}?")
    if len(names) > 40:
        return SpellingError(f"{owner} has no {name!r}; dir({owner}) lists what it has.")
    return SpellingError(f"{owner} has no {name!r}; it has {', '.join(names)}.")


class Misspelt:
    """A descriptor for an attribute of another library: reading it says what it is called here."""

    def __init__(self, owner: str, name: str, ours: str) -> None:
        self.message = f"{owner} has no {name!r}; here it is {ours}."

    def __get__(self, instance: Any, owner: Any = None) -> NoReturn:
        raise SpellingError(self.message)
