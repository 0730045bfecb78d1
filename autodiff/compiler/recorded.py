"""Nodes as a function sees them while it is being compiled: nothing in it may depend on their numbers."""

from __future__ import annotations

import operator
import sys
from typing import Any, NoReturn

import numpy as np

from ..core.errors import CompileError
from ..core.looking import depends_on_numbers
from ..core.modes import compiler
from ..core.node import Node, data_of, describe, rebind, shape_of
from ..core.source import is_users, user_line
from ..core.unheld import is_unheld
from ..ops import public
from ..tensor import Tensor
from ..value import Value

BRANCH = (
    "Write ad.where(condition, a, b) instead of if; or pass what is decided as an argument of its own, a bool or an "
    "int; or leave this part outside of the compiled function."
)
READ = "Keep computing with ad's and NumPy's functions, and return the number: it can be read outside."
INDEX = f"To index a plain array with it write ad.getitem(array, x). {READ}"
PLACES = ("an index", "np.asarray")
CONSTANT = f"For a constant use ad.stop_gradient(x). {READ}"


class Recorded:
    """What both kinds of node have in common.

    Outside of a recording they are as ever: another thread may use a leaf while it is of such a class.
    """

    __slots__ = ()

    def _refuse(self, doing: str, repair: str) -> None:
        """Raise where a function is being compiled, which would do for every input what it did for this one."""
        if compiler() is not None:
            error = depends_on_numbers(self, doing, repair)  # type: ignore[arg-type]
            if is_users(sys._getframe(2)) or is_users(sys._getframe(3)):
                compiler().refusal = error  # type: ignore[union-attr]  # the program may go on in spite of it
            raise error

    def __bool__(self) -> bool:
        self._refuse("the truth", BRANCH)
        return super().__bool__()  # type: ignore[misc,no-any-return]

    def _leave(self, into: str) -> Any:
        node: Any = self
        repair = INDEX if into in PLACES else READ
        if into in ("an index", "int") and node.is_leaf and not shape_of(node):
            repair = f"Pass it as int(k): a Python int is compiled in. {repair}"
        self._refuse(f"{into}()" if into != "an index" else "use as an index", repair)
        return super()._leave(into)  # type: ignore[misc]

    def item(self) -> Any:
        """Refused."""
        self._refuse("item()", READ)
        return super().item()  # type: ignore[misc]

    def tolist(self) -> Any:
        """Refused."""
        self._refuse("tolist()", READ)
        return super().tolist()  # type: ignore[misc]

    def numpy(self) -> Any:
        """Refused."""
        self._refuse("numpy()", READ)
        return super().numpy()  # type: ignore[misc]

    def __contains__(self, value: Any) -> bool:
        self._refuse("the membership", "Use (x == value).any() as a tensor, and return it.")
        return super().__contains__(value)  # type: ignore[misc,no-any-return]

    @property
    def data(self) -> Any:
        """Refused."""
        self._refuse("the data", CONSTANT)
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        self._refuse("an assignment to the data", "Compute a new tensor and return it.")
        self._set_data(value)

    @property
    def requires_grad(self) -> bool:
        """What it is where nobody compiles; a plain array has none."""
        compiling: Any = compiler()
        if compiling is None:
            return self.tracked
        if compiling.is_plain(self) and is_users(sys._getframe(1)):
            raise AttributeError("A plain array has no attribute 'requires_grad'.")
        return bool(compiling.tracks(self))

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self._refuse("an assignment to requires_grad", CONSTANT)
        Node.requires_grad.__set__(self, wanted)  # type: ignore[attr-defined]

    def __reduce_ex__(self, protocol: Any) -> Any:
        self._refuse("a copy by copy or pickle", "Use x itself: no op changes its arguments.")
        return super().__reduce_ex__(protocol)

    def detach(self) -> Any:
        """The same data, off the tape: recorded, as everything is."""
        compiling: Any = compiler()
        if compiling is None:
            return super().detach()  # type: ignore[misc]
        y = public.stop_gradient(self)
        if not compiling.is_plain(self):
            compiling.plain.discard(y.index)  # a node, of a number as well
        return y

    def backward(self, *args: Any, **options: Any) -> None:
        """Refused."""
        self._refuse(
            "backward()",
            "Compile the function that returns the loss and call loss.backward() on what it returns; or compile "
            "ad.value_and_grad of it.",
        )
        super().backward(*args, **options)  # type: ignore[misc]

    def __getattr__(self, name: str) -> NoReturn:
        if name != "_data":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise CompileError(
            f"{left_behind(self)} was used. It was made while a function was being compiled, and kept: the compiled "
            "function does not compute it again. Return it from the function."
        )

    def _print(self) -> None:
        compiling: Any = compiler()
        if compiling is not None and compiling.printed is None:
            compiling.printed = str(user_line())

    def __repr__(self) -> str:
        self._print()
        return super().__repr__() if is_alive(self) else f"<{left_behind(self)}>"

    def __str__(self) -> str:
        self._print()
        return super().__str__() if is_alive(self) else repr(self)

    def __format__(self, spec: str) -> str:
        self._print()
        return super().__format__(spec)


class RecordedTensor(Recorded, Tensor):
    """A tensor while compiling."""

    __slots__ = ()

    def __setitem__(self, key: Any, value: Any) -> None:
        references = sys.getrefcount(self)
        compiling: Any = compiler()
        held = 2 if compiling is not None and not compiling.is_plain(self) else 0  # by the recording
        if held and is_unheld(self, references - held, value):
            raise CompileError(
                f"{describe(self)} was assigned into, but nothing holds it, so the assignment would be lost: in "
                "t[0][1] = v the result of t[0] is no view of t. Write t[0, 1] = v."
            )
        super().__setitem__(key, value)

    def _in_place(self, name: str, other: Any) -> Any:
        """``x += other`` where x is a plain array, which others may have hold of; a tensor is a new one then."""
        compiling = compiler()
        if compiling is None or not self.ndim or not compiling.is_plain(self):
            return NotImplemented
        if isinstance(other, Node) and not compiling.is_plain(other):
            return NotImplemented
        with np.errstate(all="ignore"):
            getattr(operator, f"__i{name}__")(np.empty_like(self._data), data_of(other))  # says what does not fit
        new = getattr(operator, f"__{name}__")(self, other)
        if new.dtype == self.dtype:
            rebind(self, new)
        else:
            self[...] = new
        return self


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"):
    setattr(RecordedTensor, f"__i{_name}__", lambda self, other, name=_name: self._in_place(name, other))


class RecordedValue(Recorded, Value):
    """A number while compiling."""

    __slots__ = ()


GRAD: Any = Node.__dict__["grad"]
"""The slot, which the properties below stand before."""


class Outside(Recorded):
    """What belongs to leaves that a function may reach from outside: they can have a gradient, of an earlier call."""

    __slots__ = ()

    @property
    def grad(self) -> Any:
        """Refused."""
        self._refuse("the gradient", "Differentiate inside with ad.grad, or use the gradient outside.")
        return GRAD.__get__(self)

    @grad.setter
    def grad(self, value: Any) -> None:
        GRAD.__set__(self, value)


class OutsideTensor(Outside, RecordedTensor):
    """A tensor from outside while compiling."""

    __slots__ = ()


class OutsideValue(Outside, RecordedValue):
    """A number from outside while compiling."""

    __slots__ = ()


for _kind in (RecordedTensor, RecordedValue, OutsideTensor, OutsideValue):  # what they are to the reader of a message
    _kind.__name__ = "Tensor" if issubclass(_kind, Tensor) else "Value"


def leave_behind(node: Node) -> None:
    """Take a node that was recorded its numbers: they were those of one call, and whoever kept it must not use them."""
    node.tracked = False
    node._a = node._b = None
    del node._data


def is_alive(node: Any) -> bool:
    """Whether a node still has numbers."""
    try:
        return node._data is not None
    except CompileError:
        return False


def left_behind(node: Any) -> str:
    """What to call a node that has no numbers any more."""
    made = f"made by {node.rule.name}" if node.rule is not None else "an argument"
    line = "" if node.origin is None else f", {node.origin.place.line}"
    return f"{type(node).__name__} {node.name or ''}({made}{line})".replace(" (", " (")
