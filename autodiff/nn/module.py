"""``Module``: a function with parameters, as a plain object.

Nothing is registered.  The parameters of a module are found when they are asked for, by walking its attributes, lists,
tuples, dicts and sub-modules; so a layer that is appended later is found as well.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

import numpy as np

from ..core.errors import ArgumentError, KindError, ShapeError, UnsupportedError
from ..core.node import Node, data_of, shape_of
from ..core.origin import MODULE_CALLS
from ..core.spelling import Misspelt


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
        """Copies of the data of all parameters, by dotted name; a shared one under each of its names."""
        return {name: np.array(p._data) if _is_array(p) else p._data for name, p in self._aliases().items()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Set the parameters from a dict of arrays, such as another model's ``state_dict()``, PyTorch's included.

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
        aliases = self._aliases()
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

    def _aliases(self) -> dict[str, Any]:
        """Every name of every parameter."""
        return {name: thing for name, thing in walk(self, "", set(), aliases=True) if isinstance(thing, Node)}

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        return tree(self, [(name, thing) for name, thing in walk(self, "", set(), deep=False) if thing is not self])


MODULE_CALLS.add(Module.__call__.__code__)

SPELLINGS = {
    "to": "the model itself: all data is on the CPU, and dtype= is given to the layers",
    "cuda": "the model itself: all data is on the CPU",
    "cpu": "the model itself: all data is on the CPU",
    "double": "dtype=np.float64, given to the layers",
    "float": "dtype=np.float32, given to the layers",
    "register_parameter": "an attribute: self.w = ad.Tensor(...)",
    "register_buffer": "an attribute that is a NumPy array: self.a = np.zeros(3)",
    "add_module": "an attribute: self.layer = nn.Linear(2, 3)",
    "modules": "model.named_modules()",
    "children": "model.named_modules()",
    "fit": "a loop: compute the loss, zero_grad, backward, step; see the README",
    "predict": "model(X) inside ad.no_grad()",
}

for _name, _ours in SPELLINGS.items():
    setattr(Module, _name, Misspelt("A module", _name, _ours))


def walk(
    thing: Any, name: str, entered: set[int], *, aliases: bool = False, deep: bool = True
) -> Iterator[tuple[str, Any]]:
    """Yield every module and parameter in ``thing`` with its dotted name.

    Each comes once, under its first name; with ``aliases`` under each name that does not go round in a circle.  Without
    ``deep`` the walk does not enter modules below the first.
    """
    parameter = is_parameter(thing)
    if not (parameter or isinstance(thing, Module | list | tuple | dict)) or id(thing) in entered:
        return
    entered.add(id(thing))
    if parameter or isinstance(thing, Module):
        yield name, thing
    if not parameter and (deep or not name or not isinstance(thing, Module)):
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


def _is_array(node: Node) -> bool:
    return isinstance(node._data, np.ndarray)


def _labelled(missing: list[str], unexpected: list[str]) -> list[tuple[str, list[str]]]:
    return [("missing", missing), ("unexpected", unexpected)]


def _fitting(name: str, parameter: Node, data: Any) -> Any:
    """``data`` as a copy that can be assigned to ``parameter``."""
    data = data_of(data)
    if not _is_array(parameter) and not hasattr(data, "shape"):
        return data
    array = np.asarray(data)
    if array.shape != shape_of(parameter):
        raise ShapeError(
            f"load_state_dict got an array of shape {array.shape} for {name}, which has shape {shape_of(parameter)}. "
            "Build the model with the sizes that it was saved with."
        )
    if not _is_array(parameter):
        return array.item()
    dtype = parameter._data.dtype
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
    if isinstance(thing, Node) and _is_array(thing):
        return f"{type(thing).__name__} of shape {shape_of(thing)}"
    return getattr(thing, "__name__", repr(thing))
