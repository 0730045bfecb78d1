"""Following a forward function: which NumPy calls its body makes, so that a program can make them itself.

The function is run on stand-ins for arrays that write down every NumPy call made with them.  Branches that ask for
shapes and dtypes are taken as they come, since a program is made for one set of those.  A function that asks for more,
for a number in an array or whether it is writeable, is not followed: the program calls it by its name.
"""

from __future__ import annotations

import dis
import operator
from collections.abc import Callable, Sequence
from functools import cache
from types import CodeType
from typing import Any, NoReturn

import numpy as np

from ..core.dispatch import NotAnArray
from ..core.numbers import is_number
from ..core.rule import TABLE, Rule
from ..core.source import Place
from .arguments import mapped
from .program import Function, Instruction, Var, substitute, var_like


class Writer:
    """Writes down calls as instructions, and computes them on the recorded values as it goes.

    Attributes
    ----------
    values : dict of Var to value
        What was recorded: gives the shape and dtype of everything.
    """

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.values: dict[Var, Any] = {}
        self.place: Place | None = None
        self.silent = False

    def input(self, value: Any, name: str) -> Var:
        """A variable that is given."""
        var = var_like(value, name)
        self.values[var] = value
        return var

    def write(self, function: Function, args: tuple[Any, ...], options: dict[str, Any], name: str = "") -> Var:
        """Add one instruction."""
        found, given = substitute((args, options), self.values.__getitem__)
        try:
            value = function.call(*found, **given)
        except Exception as error:
            raise NotAnArray from error
        var = self.input(value, name or function.name.strip("._").rpartition(".")[2])
        self.instructions.append(Instruction(function, args, options, var, self.place, self.silent))
        return var

    def follow(self, rule: Rule, args: Sequence[Any], options: dict[str, Any]) -> Any:
        """Write down what a rule does with variables and constants; the variable, or constant, of the result."""
        forward: Any = rule.forward
        start = len(self.instructions)
        try:
            if rule.random or handles_errors(forward.__code__):  # what is tried may fail on other numbers
                raise NotAnArray
            result = forward(*substitute(tuple(args), self._stand_in), **substitute(options, self._stand_in))
            if type(result) not in STAND_INS:
                raise NotAnArray
            return result.var
        except Exception:  # NumPy turns what a stand-in raises into errors of its own
            del self.instructions[start:]
        # A rule of the user's own may be called like one of NumPy's functions, and do something else.
        name = rule.name if TABLE.get(rule.name) is rule else f"own.{rule.name}"
        return self.write(Function("named", name, forward, not rule.random), tuple(args), options)

    def _stand_in(self, var: Var) -> Any:
        if issubclass(var.kind, np.ndarray | np.generic):
            return Followed(self, var)
        return FollowedNumber(self, var) if is_number(var.kind) else self.values[var]


@cache
def handles_errors(code: CodeType) -> bool:
    """Whether there is a ``try`` or a ``with``: its exception table does not tell, since comprehensions are in it."""
    return any(instruction.opname == "PUSH_EXC_INFO" for instruction in dis.get_instructions(code))


def bare(tree: Any) -> Any:
    """Arguments with variables in the place of their stand-ins."""
    return mapped(lambda x: x.var if type(x) in STAND_INS else x, tree)


class Followed:
    """Stands for an array: has its shape and dtype, and writes down what is done with it."""

    def __init__(self, writer: Writer, var: Var) -> None:
        self.writer = writer
        self.var = var

    def _do(self, kind: str, name: str, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        into = options.pop("out", None)
        if into is not None:
            (into,) = into if isinstance(into, tuple) else (into,)
        var = self.writer.write(Function(kind, name, call), bare(args), bare(options))
        if into is None:
            if issubclass(var.kind, tuple):
                return tuple([self._part(var, k) for k in range(len(self.writer.values[var]))])
            return Followed(self.writer, var)
        # Written into an array of its own: from now on that is the result.
        if type(into) is not Followed or not self._may_write(into.var, var):
            raise NotAnArray
        into.var = var
        return into

    def _part(self, var: Var, k: int) -> Followed:
        return Followed(self.writer, self.writer.write(Function("part", "part", operator.getitem), (var, k), {}))

    def _may_write(self, target: Var, result: Var) -> bool:
        """Whether an array was made in this function, has no views, and takes the result as it is."""
        makers = {i.out: i for i in self.writer.instructions}
        views = [i for i in self.writer.instructions if target in i.reads and not i.function.fresh]
        mine = target in makers and makers[target].function.fresh
        return mine and not views and (target.shape, target.dtype) == (result.shape, result.dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        known: Any = getattr(np, ufunc.__name__, None)
        if known is not ufunc:  # another library's: printed source knows NumPy alone
            raise NotAnArray
        if method == "__call__":
            return self._do("ufunc", ufunc.__name__, ufunc, *inputs, **options)
        if method == "reduce":
            return self._do("reduce", ufunc.__name__, ufunc.reduce, *inputs, **options)
        return self._do("numpy", f"{ufunc.__name__}.{method}", getattr(ufunc, method), *inputs, **options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        module = "" if getattr(np, function.__name__, None) is function else function.__module__.removeprefix("numpy")
        return self._do("numpy", f"{module}.{function.__name__}".lstrip("."), function, *args, **options)

    # What can be known of an array without its numbers.

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.var.shape

    @property
    def dtype(self) -> Any:
        """Type of the entries."""
        return self.var.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.var.shape)

    @property
    def size(self) -> int:
        """Number of entries."""
        return int(np.prod(self.var.shape, dtype=int))

    @property
    def itemsize(self) -> int:
        """Bytes of an entry."""
        return int(self.dtype.itemsize)

    __class__ = property(lambda self: np.ndarray)  # forward functions ask for it where arrays have a faster way

    def __len__(self) -> int:
        return self.shape[0]

    def __pow__(self, p: Any) -> Any:
        return self._do("operator", "**", operator.pow, self, p)  # of a small whole power faster than np.power

    def __rpow__(self, x: Any) -> Any:
        return self._do("operator", "**", operator.pow, x, self)

    def _attribute(self, name: str) -> Any:
        return self._do("attribute", name, operator.attrgetter(name), self)

    T = property(lambda self: self._attribute("T"))
    mT = property(lambda self: self._attribute("mT"))  # noqa: N815 - NumPy's name
    real = property(lambda self: self._attribute("real"))
    imag = property(lambda self: self._attribute("imag"))

    def __getitem__(self, key: Any) -> Any:
        return self._do("item", "item", operator.getitem, self, key)

    def _unknown(self, *args: Any, **options: Any) -> NoReturn:
        raise NotAnArray

    __bool__ = __float__ = __int__ = __complex__ = __index__ = __array__ = __iter__ = __contains__ = _unknown
    __setitem__ = item = tolist = any = all = view = _unknown
    flags = strides = base = flat = property(_unknown)

    def __getattr__(self, name: str) -> Any:
        raise NotAnArray


class FollowedNumber:
    """Stands for a number of Python's: what is done with it and an array is written down."""

    def __init__(self, writer: Writer, var: Var) -> None:
        self.writer = writer
        self.var = var

    __class__ = property(lambda self: self.var.kind)
    __array_ufunc__ = Followed.__array_ufunc__
    __array_function__ = Followed.__array_function__
    _do = Followed._do

    def __getattr__(self, name: str) -> Any:
        raise NotAnArray


STAND_INS = (Followed, FollowedNumber)


def _operator(name: str, ufunc: Any) -> None:
    def forwards(self: Followed, other: Any) -> Any:
        return self._do("ufunc", ufunc.__name__, ufunc, self, other)

    def backwards(self: Followed, other: Any) -> Any:
        return self._do("ufunc", ufunc.__name__, ufunc, other, self)

    def into(self: Followed, other: Any) -> Any:
        return self._do("ufunc", ufunc.__name__, ufunc, self, other, out=self)

    setattr(Followed, f"__{name}__", forwards)
    setattr(Followed, f"__r{name}__", backwards)
    setattr(Followed, f"__i{name}__", into)


for _name, _ufunc in {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "matmul": np.matmul,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}.items():
    _operator(_name, _ufunc)

for _name, _ufunc in {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}.items():
    setattr(Followed, f"__{_name}__", lambda self, other, u=_ufunc: self._do("ufunc", u.__name__, u, self, other))

for _name, _ufunc in {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}.items():
    setattr(Followed, f"__{_name}__", lambda self, u=_ufunc: self._do("ufunc", u.__name__, u, self))

Followed.__hash__ = object.__hash__  # type: ignore[method-assign]


METHODS = """
argmax argmin argsort astype clip conj conjugate copy cumprod cumsum diagonal dot max mean min prod ravel repeat reshape
round squeeze std sum swapaxes take trace transpose var
"""


def _method(name: str) -> None:
    def call(array: Any, *args: Any, **options: Any) -> Any:
        return getattr(array, name)(*args, **options)

    setattr(Followed, name, lambda self, *args, **options: self._do("method", name, call, self, *args, **options))


for _name in METHODS.split():
    _method(_name)
