"""``Module``: a function with parameters, as a plain object.

Nothing is registered.  The parameters of a module are found when they are asked for, by walking its attributes, lists,
tuples, dicts and sub-modules; so a layer that is appended later is found as well.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Self, TypeGuard

import numpy as np

from ..core.errors import ArgumentError, KindError, ShapeError, UnsupportedError
from ..core.node import Node, data_of
from ..core.origin import MODULE_CALLS
from ..core.spelling import Misspelt
from ..ops.buffer import Buffer
from .spelling import NAMES, check_options
from .summary import Summary, summarise


class Module:
    """Base class of layers and models: write ``forward``, and assign parameters and layers to attributes.

    A parameter is a Tensor of floating-point or complex numbers, or a Value, that was made and not computed.

    Attributes
    ----------
    training : bool
        False after :meth:`eval`, where layers such as dropout do nothing.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> class Line(nn.Module):
    ...     def __init__(self):
    ...         self.slope = ad.Tensor(2.0)
    ...         self.offset = ad.Tensor(1.0)
    ...
    ...     def forward(self, x):
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> line(np.array([0.0, 1.0])).tolist()
    [1.0, 3.0]
    >>> [name for name, _ in line.named_parameters()]
    ['slope', 'offset']
    """

    training: bool = True

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Make an empty one, if ``__init__`` takes the keywords."""
        if args or options:
            check_options(cls, args, options)
        return super().__new__(cls)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result; subclasses write this."""
        raise UnsupportedError(
            f"{type(self).__name__} was called, but has no forward(). Write: def forward(self, x): return ..."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call ``forward``."""
        return self.forward(*args, **kwargs) if kwargs else self.forward(*args)

    def members(self) -> Iterable[tuple[str, Any]]:
        """Where parameters are looked for, with names: the attributes.  Containers may name them otherwise."""
        return vars(self).items()

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield itself, under the name ``""``, and all modules below, under dotted names; each once."""
        return ((name, thing) for name, thing in walk(self, "", set()) if isinstance(thing, Module))

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        """Dotted names, such as ``layers.0.weight``, and parameters; each once, under its first name."""
        return ((name, thing) for name, thing in walk(self, "", set()) if isinstance(thing, Node))

    def parameters(self) -> list[Any]:
        """Every parameter, once."""
        return [parameter for _, parameter in self.named_parameters()]

    def own_parameters(self) -> list[Any]:
        """Those that belong to no module below this one."""
        return [thing for _, thing in walk(self, "", set(), deep=False) if isinstance(thing, Node)]

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """Dotted names, such as ``1.running_mean``, and buffers; each once, under its first name."""
        return ((name, thing) for name, thing in walk(self, "", set()) if isinstance(thing, Buffer))

    def freeze(self, *patterns: str, frozen: bool = True) -> list[str]:
        """Let parameters want no gradient, so that they stay as they are; those of all names if no pattern is given.

        Parameters
        ----------
        *patterns : str
            Of dotted names, with ``*`` for anything: ``"0.*"``, ``"*.bias"``.
        frozen : bool
            False to let them want one again.

        Returns
        -------
        list of str
            The names of the parameters that fit.

        Raises
        ------
        ArgumentError
            If a pattern fits no parameter.

        Examples
        --------
        >>> from autodiff import nn
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
        >>> model.freeze("0.*")
        ['0.weight', '0.bias']
        >>> [p.requires_grad for p in model.parameters()]
        [False, False, True, True]
        """
        named = self._aliases()
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in named):
                raise ArgumentError(
                    f"freeze of {type(self).__name__} got the pattern {pattern!r}, which no parameter fits; there are "
                    f"{', '.join(named) or 'none'}."
                )
        fit = [name for name in named if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)]
        for name in fit:
            named[name].requires_grad = not frozen
        return fit

    def astype(self, dtype: Any) -> Module:
        """Bring all parameters and buffers of floating-point numbers to ``dtype``, in place.

        Examples
        --------
        >>> import numpy as np
        >>> from autodiff import nn
        >>> nn.Linear(2, 3).astype(np.float32).weight.dtype
        dtype('float32')
        """
        to = np.dtype(dtype)
        if to.kind not in "fc":
            raise KindError(
                f"astype of {type(self).__name__} got {to}; parameters are floating-point or complex numbers."
            )
        found = [(name, x) for name, x in walk(self, "", set()) if not isinstance(x, Module) and _is_array(x)]
        changed = {name: x for name, x in found if data_in(x).dtype.kind in "fc"}
        for name, x in changed.items():
            if not np.can_cast(data_in(x).dtype, to, "same_kind"):
                raise KindError(
                    f"astype of {type(self).__name__} got {to}, and {name} is complex. Take complex64 or complex128."
                )
        for thing in changed.values():
            if isinstance(thing, Buffer):
                thing.state = thing.state.astype(to)
            else:
                thing._data = thing._data.astype(to)
                thing.data, thing.grad = thing._data, None  # what was computed from it is stale
        return self

    def summary(self, *input_shape: Any, dtype: Any = None) -> Summary:
        """What every layer returns, trains, multiplies and keeps, from one call on zeros.

        Parameters
        ----------
        *input_shape : tuple of int
            The shape of each argument of ``forward``, batch and all.
        dtype : dtype, optional
            Of the arguments; that of the parameters if not given.  An embedding takes ``int``.

        Returns
        -------
        Summary
            Prints as a table; has ``layers``, ``parameters``, ``products`` and ``bytes``.

        Raises
        ------
        ArgumentError
            If a shape is none.

        Examples
        --------
        >>> from autodiff import nn
        >>> nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)).summary((32, 784))
        layer        output     parameters  multiply-adds   memory
        ----------------------------------------------------------
        Sequential   (32, 10)
          0: Linear  (32, 128)     100,480      3,211,264  32.8 kB
          1: ReLU    (32, 128)                             32.8 kB
          2: Linear  (32, 10)        1,290         40,960   2.6 kB
        ----------------------------------------------------------
        101,770 trained parameters, 814.2 kB; 3,252,224 multiply-adds and 68.1 kB of results a call.
        """
        return summarise(self, *input_shape, dtype=dtype)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def train(self, mode: bool = True) -> Module:
        """Switch this module and all below it to training, or with False to evaluation."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Switch this module and all below it to evaluation."""
        return self.train(False)

    def state_dict(self) -> dict[str, Any]:
        """Copies of the data of all parameters and buffers, by dotted name; a shared one under each of its names."""
        return {
            name: np.array(data_in(x)) if _is_array(x) else x._data for name, x in self._aliases(Node | Buffer).items()
        }

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Set parameters and buffers from a dict of arrays, such as a model's ``state_dict()``, PyTorch's included.

        Parameters
        ----------
        state : mapping of str to array_like
            By dotted name.  Data is copied, and brought to the dtype of the parameter.
        strict : bool
            Whether the names must match exactly; if False, those that match are used.

        Raises
        ------
        ArgumentError
            If names are missing or unexpected.
        ShapeError, KindError
            If an array does not fit its parameter.  Nothing is changed then.
        """
        if not isinstance(state, Mapping):
            raise KindError(
                f"load_state_dict of {type(self).__name__} got a {type(state).__name__}; it takes a dict of arrays by "
                "name, such as model.state_dict() or np.load(path)."
            )
        aliases = self._aliases(Node | Buffer)
        if strict:
            given = {id(aliases[name]) for name in state if name in aliases}
            missing = [name for name, p in aliases.items() if id(p) not in given]
            unexpected = [name for name in state if name not in aliases]
            if missing or unexpected:
                found = [f"{what}: {', '.join(n)}" for what, n in _labelled(missing, unexpected) if n]
                raise ArgumentError(
                    f"load_state_dict of {type(self).__name__} got other names than the model has; {'; '.join(found)}. "
                    "Load into the model that it was saved from, or pass strict=False to use the names that match."
                )
        loaded = [(p, _fitting(name, p, state[name])) for name, p in aliases.items() if name in state]
        for parameter, data in loaded:
            parameter.data = data

    def _aliases(self, kinds: Any = Node) -> dict[str, Any]:
        """Every name of every parameter, and of every buffer if they are asked for."""
        return {name: thing for name, thing in walk(self, "", set(), aliases=True) if isinstance(thing, kinds)}

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        return tree(self, [(name, thing) for name, thing in walk(self, "", set(), deep=False) if thing is not self])


MODULE_CALLS.add(Module.__call__.__code__)

for _name, _ours in NAMES.items():
    setattr(Module, _name, Misspelt("A module", _name, _ours))


def walk(
    thing: Any, name: str, entered: set[int], *, aliases: bool = False, deep: bool = True
) -> Iterator[tuple[str, Any]]:
    """Yield every module, parameter and buffer in ``thing`` with its dotted name.

    Each comes once, under its first name; with ``aliases`` under each name that does not go round in a circle.  Without
    ``deep`` the walk does not enter modules below the first.
    """
    leaf = is_parameter(thing) or isinstance(thing, Buffer)
    if not (leaf or isinstance(thing, Module | list | tuple | dict)) or id(thing) in entered:
        return
    entered.add(id(thing))
    if leaf or isinstance(thing, Module):
        yield name, thing
    if not leaf and (deep or not name or not isinstance(thing, Module)):
        for key, branch in _branches(thing):
            yield from walk(branch, f"{name}.{key}" if name else str(key), entered, aliases=aliases, deep=deep)
    if aliases:
        entered.discard(id(thing))


def is_parameter(thing: Any) -> TypeGuard[Node]:
    """Whether ``thing`` is a node that was made, not computed, and of numbers that can have a gradient."""
    if not isinstance(thing, Node) or not thing.is_leaf:
        return False
    return not _is_array(thing) or thing._data.dtype.kind in "fc"


def _branches(thing: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(thing, Module):
        return thing.members()
    return thing.items() if isinstance(thing, dict) else enumerate(thing)


def data_in(thing: Any) -> Any:
    """The numbers of a parameter or a buffer."""
    return thing.state if isinstance(thing, Buffer) else thing._data


def shown(module: Module, *given: Any, **usual: Any) -> str:
    """The call that makes a module, as it is printed: without the options that are as usual.

    Options are read from the attributes of their names; of a parameter it is printed whether it is there.
    """
    found = {name: getattr(module, name) for name in usual}
    for name, x in found.items():
        if isinstance(x, Node) or (x is None and isinstance(usual[name], bool)):
            found[name] = x is not None
    options = [f"{name}={_option(x)}" for name, x in found.items() if np.any(short(x) != short(usual[name]))]
    return f"{type(module).__name__}({', '.join([*map(repr, given), *options])})"


def _option(x: Any) -> str:
    return f"array of shape {x.shape}" if isinstance(x, np.ndarray) else repr(short(x))


def short(option: Any) -> Any:
    """An option for each axis as one number, if it is the same for all."""
    return option[0] if isinstance(option, tuple) and option and len(set(option)) == 1 else option


def _is_array(thing: Any) -> bool:
    return isinstance(data_in(thing), np.ndarray)


def _labelled(missing: list[str], unexpected: list[str]) -> list[tuple[str, list[str]]]:
    return [("missing", missing), ("unexpected", unexpected)]


def _fitting(name: str, parameter: Any, data: Any) -> Any:
    """``data`` as a copy that can be assigned to a parameter or a buffer."""
    data = data_of(data)
    if not _is_array(parameter) and not hasattr(data, "shape"):
        return data
    array = np.asarray(data)
    if array.shape != parameter.shape:
        raise ShapeError(
            f"load_state_dict got an array of shape {array.shape} for {name}, which has shape {parameter.shape}. "
            "Build the model with the sizes that it was saved with."
        )
    if not _is_array(parameter):
        return array.item()
    dtype = data_in(parameter).dtype
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise KindError(
            f"load_state_dict got dtype {array.dtype} for {name}, which has dtype {dtype}. Convert it first."
        )
    return array.astype(dtype)


def tree(module: Module, below: Iterable[tuple[str, Any]]) -> str:
    """A module as it is printed: its class, and what is below it line by line."""
    lines = [f"  ({name}): {_show(thing)}\n" for name, thing in below]
    return "".join([type(module).__name__, "(", "\n" if lines else "", *lines, ")"])


def _show(thing: Any) -> str:
    if isinstance(thing, Module):
        return repr(thing).replace("\n", "\n  ")
    if isinstance(thing, Node | Buffer) and _is_array(thing):
        return f"{type(thing).__name__} of shape {data_in(thing).shape}"
    return getattr(thing, "__name__", repr(thing))
