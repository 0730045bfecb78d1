"""The derivatives of what is known by the equations that it satisfies: roots, fixed points, minima, fits.

If ``F(x, p) = 0`` holds for the answer ``x`` at all parameters ``p``, then ``F_x dx + F_p dp = 0``: the derivatives of
the answer take one linear system with the Jacobian ``F_x`` there, whatever way the answer was found (the implicit
function theorem [1]_).  Nothing of the search is recorded.

References
----------
.. [1] A. Griewank and A. Walther, "Evaluating Derivatives" (2008), section 15.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..core.batched import Batched
from ..core.errors import SingularError, TapeError
from ..core.modes import is_recording, sealing
from ..core.node import Node, data_of, is_complex, next_index, shape_of, size_of
from ..core.tape import pull_back, push_forward
from ..ops.arithmetic import conj, negative
from ..ops.products import matmul
from ..ops.shape import reshape
from ..ops.solving import solve
from ..transforms.composite import Composite, older
from ..transforms.jacobian import Sweeps, by_push
from ..transforms.lift import ARRAYS, Call, lift, same_kind

FLOATS = (float, complex, np.generic, np.ndarray)
"""What is computed twice in the same way; the digits of other numbers depend on their context."""


def implicit_result(
    name: str,
    residual: Callable[[Any], Any],
    x: Any,
    free: Any = None,
    *,
    closing_over: Callable[[Any], Any] | None = None,
) -> Any:
    """The answer ``x`` of the equations ``residual(x) = 0``, as a function of all that ``residual`` closes over.

    Parameters
    ----------
    name : str
        What the tape calls the node.
    residual : callable
        Of a node like ``x``; returns as many numbers as ``x`` has.
    x : ndarray or number
        The answer, found before.
    free : ndarray, optional
        Where the answer can move: truth values of the shape of ``x``, False for entries that are held at a bound, or
        an orthonormal basis of the directions, of shape ``(x.size, k)``.  The equations then need to hold along these
        directions only, and the answer has derivatives along them only.
    closing_over : callable, optional
        Closes over what ``residual`` does, and takes less time.

    Returns
    -------
    ndarray, number or node
        ``x`` itself where nothing is recorded or ``residual`` closes over nothing that is.

    Raises
    ------
    SingularError
        When differentiated, where the Jacobian has no inverse.
    TapeError
        When differentiated, if the function gives another result at the answer than it did.

    Examples
    --------
    >>> import autodiff as ad
    >>> a = ad.Value(2.0)
    >>> y = implicit_result("square_root", lambda x: x * x - a, 2.0**0.5)
    >>> y.backward()
    >>> a.grad  # 1 / (2 sqrt(2))
    0.353...
    """
    if not is_recording():
        return x
    start = next_index()
    asked = closing_over or residual
    with sealing(start):
        y = asked(lift(x))
    inputs = older([y], start)
    return Implicit(name, residual, x, free, asked, data_of(y)).result(x, inputs) if inputs else x


def value_and_jacobian(f: Callable[[Any], Any], x: Any) -> tuple[Any, Any]:
    """The plain value of ``f`` at the plain ``x``, and its Jacobian: shape ``y.shape + x.shape``."""
    call = Call(f, (x,), (0,))
    return data_of(call.result), jacobian_of(call)


def jacobian_of(call: Call, create_graph: bool = False) -> Any:
    """The Jacobian of a recorded call of one argument and one result: shape ``y.shape + x.shape``."""
    if not isinstance(call.outputs[0], Node):  # it does not depend on x
        return np.zeros(shape_of(call.outputs[0]) + shape_of(call.inputs[0]))
    return by_push(Sweeps(call, create_graph, None))[0][0]


class Implicit(Composite):
    """The rule of one answer: its derivatives solve a linear system with the Jacobian of its equations."""

    def __init__(
        self, name: str, residual: Callable[[Any], Any], x: Any, free: Any, asked: Callable[[Any], Any], answered: Any
    ) -> None:
        super().__init__(name, r"F(y, w) = 0")
        self.residual = residual
        self.asked, self.answered = asked, answered
        self.basis = None if free is None else np.eye(size_of(x))[:, free.ravel()] if free.dtype == bool else free

    def _equations(self, node: Node, create_graph: bool) -> tuple[Node, Node, Any]:
        """A fresh copy of the answer, the residual as a function of it, and the Jacobian as a matrix or a number."""
        call = Call(self.residual, (node if create_graph else node._data,), (0,))
        now = data_of(call.result if self.asked is self.residual else self.asked(lift(node._data)))
        if isinstance(now, FLOATS) and np.any((now != self.answered) & (now == now)):  # a nan is not equal to itself
            raise TapeError(
                f"{self.name}: the function gave another result at the answer when it was asked again for its "
                "derivative. It may draw random numbers (seed them inside), or use something that was changed since."
            )
        matrix = jacobian_of(call, create_graph)
        if isinstance(node._data, ARRAYS):
            n = node._data.size
            matrix = reshape(matrix, (n, n))
            if self.basis is not None:
                matrix = matmul(matmul(self.basis.T, matrix), self.basis)
        else:
            matrix = reshape(matrix, ()) if shape_of(matrix) else matrix
        require_inverse(self.name, data_of(matrix))
        return call.inputs[0], call.outputs[0], matrix

    def _solve(self, matrix: Any, rhs: Any, like: Any) -> Any:
        """Minus the solution of the system, of the shape of ``like``; along the free directions only."""
        if not shape_of(matrix):
            return reshape(negative(rhs / matrix), shape_of(like)) if shape_of(like) else negative(rhs / matrix)
        rhs = reshape(rhs, matrix.shape[0] if self.basis is None else len(self.basis))
        if self.basis is not None:
            rhs = matmul(self.basis.T, rhs)
        units = units_of(data_of(matrix), 1)  # the pivots of solve are right for rows of one size
        found = solve(matrix / units[:, None], rhs / units)
        return reshape(negative(found if self.basis is None else matmul(self.basis, found)), shape_of(like))

    def cotangents(self, g: Any, node: Node, create_graph: bool) -> Iterable[tuple[Node, Any]]:
        """``F_p^T w``, where ``F_x^T w = -g``: the sweep of the residual stops at the answer and at the parameters."""
        x, y, matrix = self._equations(node, create_graph)
        turned = matrix.T if shape_of(matrix) else matrix
        w = self._solve(conj(turned) if is_complex(turned) else turned, g, y)
        w = w if isinstance(w, Batched) else same_kind(w, y, "cotangent")
        return pull_back((y,), (w,), (x, *node.args), create_graph)

    def tangent(self, tangents: dict[int, Any], node: Node, create_graph: bool) -> Any:
        """The solution of ``F_x x_dot = -F_p p_dot``."""
        start = next_index()
        _, y, matrix = self._equations(node, create_graph)
        given = [p for p in node.args if p.index in tangents]
        moved = push_forward((y,), given, [tangents[p.index] for p in given], create_graph, range(start))[0]
        return self._solve(matrix, moved, node)


def units_of(matrix: Any, axis: int) -> Any:
    """The size of each row (``axis=1``) or column (0) of a matrix, as a power of two: to divide by it is exact."""
    _, exponents = np.frexp(np.max(np.abs(matrix), axis=axis, initial=0))
    return np.ldexp(np.ones((), matrix.real.dtype), exponents)


def in_units(matrix: Any) -> tuple[Any, Any, Any]:
    """A matrix with rows and columns of size one, and the units of its rows and columns.

    What is then close to singular is so for any units in which the equations and the unknowns are measured.
    """
    rows = units_of(matrix, 1)
    matrix = matrix / rows[:, None]
    columns = units_of(matrix, 0)
    return matrix / columns, rows, columns


def is_singular(matrix: Any) -> bool:
    """Whether a matrix has no inverse, for all that its roundings tell."""
    return matrix.size > 0 and not np.linalg.cond(matrix, 1) < 1 / np.finfo(matrix.dtype).eps


def require_inverse(name: str, matrix: Any) -> None:
    """Raise unless the Jacobian of some equations, a matrix or a number, can be divided by."""
    if not shape_of(matrix):
        singular, about = not abs(matrix) > 0, f"the derivative of the equation is {matrix} there"
    elif np.all(np.isfinite(matrix)):
        singular = is_singular(in_units(matrix)[0])
        about = f"the Jacobian of its {len(matrix)} equations has no inverse, whatever their units"
    else:
        singular, about = True, "the Jacobian of its equations is not finite"
    if singular:
        raise SingularError(
            f"{name}: the answer has no derivative, since {about}. It may be a double root, one of a whole line of "
            "answers, or a flat minimum; remove what is not determined, or add a little of what determines it."
        )
