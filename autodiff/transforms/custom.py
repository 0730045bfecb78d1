"""Rules of your own: a NumPy function with the derivative that you give it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import KindError, TapeError
from ..core.modes import enable_grad
from ..core.node import Node, data_of, shape_of
from ..core.op import make_op
from ..core.rule import Derivative, Rule
from ..core.tape import pull_back
from ..ops.broadcast import broadcast_to, sum_to
from ..tensor import Tensor
from .lift import zeros

Direction = str


def custom_rule(forward: Callable[..., Any] | None = None, *, formula: str = "") -> Any:
    """Make an op of a NumPy function, with a derivative of your own.

    Parameters
    ----------
    forward : callable
        Takes plain arrays and returns one.  Its parameters without a default are the differentiable inputs (or those
        before a ``/``), the others are options.
    formula : str, optional
        LaTeX, for the people who look at the tape.

    Returns
    -------
    op
        Call it on tensors and arrays.  Complete it with ``@op.def_vjp``, ``@op.def_jvp``, or both; what is missing
        follows from what is there, since each is linear and the transpose of the other.  A derivative asks by parameter
        name for inputs, options, the result ``y`` (if no input is called so), and the cotangent ``g`` (in a VJP) or the
        tangent ``x_dot`` of input ``x`` (in a JVP).  Of several inputs, each has its own: ``@op.def_vjp(wrt="x")``.
        Written with ``np`` functions that have a rule, or with those of ``ad``, it can be differentiated again.

    Raises
    ------
    KindError
        If ``forward`` is not a Python function, or a derivative asks for a name that there is not.
    TapeError
        When sweeping, if a tracked input has no derivative.

    See Also
    --------
    autodiff.testing.check_rule : compares it with finite differences.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> @ad.custom_rule
    ... def cube(x):
    ...     return x**3
    >>> @cube.def_vjp
    ... def cube_vjp(g, x):
    ...     return g * 3 * x**2
    >>> ad.grad(lambda x: cube(x).sum())(np.array([1.0, 2.0]))
    array([ 3., 12.])
    >>> ad.jvp(cube, (np.array([2.0]),), (np.array([1.0]),))
    (array([8.]), array([12.]))
    """
    if forward is None:
        return lambda forward: custom_rule(forward, formula=formula)
    if not inspect.isfunction(forward):
        raise KindError(
            f"custom_rule got a {type(forward).__name__}; it takes a Python function of arrays, made with def."
        )
    return make_op(CustomRule(forward, formula))


class CustomRule(Rule):
    """A rule outside the table, whose missing derivatives follow from the given ones."""

    def __init__(self, forward: Callable[..., Any], formula: str) -> None:
        parameters = list(inspect.signature(forward).parameters.values())
        if any(p.kind is p.VAR_POSITIONAL or p.kind is p.VAR_KEYWORD for p in parameters):
            raise KindError(f"custom_rule of {forward.__name__}: its inputs must be named one by one, without *args.")
        if "g" in (p.name for p in parameters):
            raise KindError(f"custom_rule of {forward.__name__}: no input may be called g, which is the cotangent.")
        slash = sum(p.kind is p.POSITIONAL_ONLY for p in parameters)
        required = sum(p.default is p.empty and p.kind is not p.KEYWORD_ONLY for p in parameters)
        super().__init__(forward, formula=formula, inputs=slash or required, listed=False)

    def __getattr__(self, name: str) -> Any:
        for wrt in self.inputs if name.startswith(("pull", "push")) else ():
            if wrt not in self.vjps:
                self.set_derivative("vjp", wrt, self._follows(wrt, "vjp"))
            if wrt not in self.jvps:
                self.set_derivative("jvp", wrt, self._follows(wrt, "jvp"))
        return super().__getattr__(name)

    def _follows(self, wrt: str, direction: Direction) -> Derivative:
        """The derivative in one direction as the transpose of that in the other."""
        known = (self.jvps if direction == "vjp" else self.vjps).get(wrt)
        if known is None:
            return self._absent(wrt)
        function: Any = known.function
        given, solved = ("g", f"{wrt}_dot") if direction == "vjp" else (f"{wrt}_dot", "g")
        asked = [n for n in inspect.signature(function).parameters if n != solved]
        like = wrt if direction == "vjp" else "y"
        names = list(dict.fromkeys([given, like, *asked]))

        def transposed(*values: Any) -> Any:
            have = dict(zip(names, values, strict=True))
            rest = {name: have[name] for name in asked}
            return transpose(lambda v: function(**{solved: v}, **rest), have[like], have[given])

        transposed.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
        )
        return transposed

    def _absent(self, wrt: str) -> Derivative:
        def absent() -> Any:
            raise TapeError(
                f"{self.name} has no derivative with respect to {wrt}. Give it one with @{self.name}.def_vjp"
                + (f'(wrt="{wrt}")' if len(self.inputs) > 1 else "")
                + f", or pass {wrt} through ad.stop_gradient."
            )

        return absent


def transpose(f: Callable[[Any], Any], like: Any, g: Any) -> Any:
    """``f`` transposed, of ``g``: pull ``g`` back through the linear function ``f`` of arguments like ``like``."""
    with enable_grad():
        v = Tensor(np.zeros_like(np.asarray(data_of(like))))
        y: Any = f(v)
        if not isinstance(y, Tensor) or not y.tracked:
            return zeros(v)
        # A derivative may leave the sums over what was broadcast to the sweep, and so may be of another shape than g.
        if shape_of(g) != y.shape:
            g = broadcast_to(g, y.shape) if np.size(data_of(g)) < y.size else sum_to(g, y.shape)
        again = isinstance(g, Node) or isinstance(like, Node)
        found = dict(_of(v, pull_back((y,), (g,), (v,), again, range(v.index + 1))))
    return found.get(v.index, zeros(v))


def _of(v: Node, swept: Any) -> Any:
    return ((node.index, c) for node, c in swept if node is v)
