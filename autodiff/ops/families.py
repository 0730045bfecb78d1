r"""Shorthands for declaring rows.

*elementwise*: give the partial derivatives, one per input; both modes follow.  For :math:`y = f(a, b)`,

.. math:: \dot y = f_a\,\dot a + f_b\,\dot b, \quad \bar a = \overline{f_a}\,\bar y, \; \bar b = \overline{f_b}\,\bar y.

*linear*: give the transpose; the derivative of a linear map is the map itself.

Everything else is declared with :func:`~autodiff.core.rule.primitive`, both derivatives written out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np

from ..core.batched import Batched
from ..core.modes import compiler
from ..core.node import Array, Node, data_of
from ..core.numbers import is_complex, is_number, to_float
from ..core.op import Op, make_op
from ..core.rule import Derivative, Rule, Sample, sample
from .select import equal, greater, isfinite, logical_and, logical_not, logical_or, not_equal, where

P = ParamSpec("P")
R = TypeVar("R")
Interval = tuple[float, float]


CONSTANT = {1: "{given}", -1: "-{given}", 0: "times({given}, 0)"}
"""What is done with a cotangent or a tangent where the partial derivative is a constant."""


def elementwise(
    *partials: Derivative | int,
    formula: str,
    domain: Interval | Sequence[Interval] = (-2.0, 2.0),
    quiet: bool = False,
    holomorphic: bool = False,
    number: Callable[..., Any] | None = None,
) -> Callable[[Callable[P, R]], Op[P, R]]:
    """Declare an op that works entry by entry.

    Parameters
    ----------
    *partials
        The partial derivative with respect to each input: a function that asks by parameter name for inputs, options
        and the result ``y``; or the number 1, -1 or 0.
    formula : str
        LaTeX.
    domain : pair of float, or a pair for each input
        Where the row is checked.  Samples of many shapes are drawn from it.
    quiet : bool
        True if partials at finite points are finite.
    holomorphic : bool
        True if the op takes complex numbers too, and the partials hold there; it is then checked there.  An op of
        complex numbers that is not holomorphic is a ``@primitive``; one that takes none raises TypeError.
    number : callable, optional
        The forward function for single numbers of any kind; without it the number's own library is asked.
    """

    def declare(forward: Callable[P, R]) -> Op[P, R]:
        constant = not any(map(callable, partials))
        fresh = len(partials) == 1 and callable(partials[0])  # nothing to broadcast against
        rule = Rule(forward, formula=formula, entrywise=True, fresh=fresh, quiet=quiet or constant, number=number)
        assert len(partials) == len(rule.inputs), f"{rule.name}: one partial per input"
        for wrt, partial in zip(rule.inputs, partials, strict=True):
            if callable(partial):
                rule.set_derivative(
                    "vjp", wrt, partial, "pull_through({given}, {f}({asks}))", pull_through=pull_through
                )
                rule.set_derivative("jvp", wrt, partial, "times({given}, {f}({asks}))", times=times)
            else:
                for direction in ("vjp", "jvp"):
                    rule.set_derivative(direction, wrt, None, CONSTANT[partial], times=times)
        domains = [cast("Interval", domain)] * len(rule.inputs) if isinstance(domain[0], int | float) else domain
        rule.samples = lambda rng: elementwise_samples(rng, cast("Sequence[Interval]", domains), holomorphic)
        return cast("Op[P, R]", make_op(rule))

    return declare


def linear(transpose: Derivative | None = None, *, formula: str) -> Callable[[Callable[P, R]], Op[P, R]]:
    """Declare an op that is linear in its input, by its transpose alone (a VJP; or give it later with ``def_vjp``)."""

    def declare(forward: Callable[P, R]) -> Op[P, R]:
        rule = Rule(forward, formula=formula, linear=True, quiet=True)
        op = cast("Op[P, R]", make_op(rule))
        options = ", ".join(f"{name}=n.params[{name!r}]" for name in rule.options)
        rule.set_derivative("jvp", rule.inputs[0], None, f"op({{given}}, {options})", op=op)
        if transpose is not None:
            rule.set_derivative("vjp", rule.inputs[0], transpose)
        return op

    return declare


def times(g: Array, d: Array) -> Array:
    """``g * d`` for a derivative ``d``, where 0 times anything is 0: a hard zero.

    An entry that is not used has a cotangent of 0, and its local derivative may well be infinite; without this the
    branch of a ``where`` that was not taken would poison the other with nan.
    """
    try:
        c = g * d
    except TypeError:
        c = product_across_kinds(g, d)
    if is_finite(c):
        return c
    # Only where 0 met inf or nan: elsewhere a 0 may still change with what it was computed from.
    return where(logical_and(logical_or(equal(g, 0), equal(d, 0)), logical_not(isfinite(c))), 0, c)


def product_across_kinds(g: Array, d: Array) -> Array:
    """``g * d`` of an array and a number of a kind that NumPy does not know."""
    return g * (to_float(d) if is_number(type(d)) else d)


def pull_through(g: Array, d: Array) -> Array:
    """The cotangent behind a holomorphic function of derivative ``d``: ``g * conj(d)``, with hard zeros."""
    try:
        c = g * d
    except TypeError:
        c = product_across_kinds(g, d)
    # Real numbers first: they need no conjugate, and this runs for every node.
    if c.__class__ is float:
        if c - c == 0.0:
            return c
    elif c.__class__ is np.ndarray and c.dtype.kind == "f" and is_finite(c):
        return c
    return times(g, conjugated(d))


def contracted(product: Callable[[Array, Array], Array], g: Array, m: Array) -> Array:
    """``product(g, m)``, sums of products of entries, where a 0 in ``g`` makes nothing of an inf or nan in ``m``."""
    c = product(g, m)
    if is_finite(c):
        return c
    finite = isfinite(m)
    spoilt = product(not_equal(g, 0) * 1.0, logical_not(finite) * 1.0)  # how often the two did meet
    return where(greater(spoilt, 0), c, product(g, where(finite, m, 0)))


def is_finite(c: Array) -> bool:
    """Whether no entry is infinite or nan.  A number of a kind that has neither is finite.

    Where the answer is no, what is computed then must also hold where it is yes: who compiles may answer either.
    """
    data: Any = c
    if isinstance(c, Node):
        data, asked = c._data, compiler()
        if asked is not None:
            return asked.finite(c)
    # One pass of BLAS, no temporary: the sum of squares is finite only if every entry is.
    if data.__class__ is np.ndarray and data.dtype.char in "fd":
        flat = data.ravel("K")
        return math.isfinite(flat.dot(flat))
    if isinstance(data, float):  # a NumPy scalar too
        return math.isfinite(data)
    if isinstance(data, Batched):
        return is_finite(data.array)
    return not isinstance(data, CAN_BE_INFINITE) or bool(np.isfinite(data).all())


CAN_BE_INFINITE: Any = (np.ndarray, np.generic, float, complex)


def conjugated(d: Array) -> Array:
    """The complex conjugate of ``d``; ``d`` itself if it is real."""
    if d.__class__ is float:
        return d
    if d.__class__ is np.ndarray:
        return d.conj() if d.dtype.kind == "c" else d
    data = data_of(d)
    return d.conjugate() if np.iscomplexobj(data) or is_complex(type(data)) else d


def elementwise_samples(
    rng: np.random.Generator, domains: Sequence[Interval], holomorphic: bool = False
) -> Iterator[Sample]:
    """Points of every kind of shape, drawn from the domains: plain, 0-d, empty, strided, and every way to broadcast.

    With ``holomorphic`` also points of the complex plane, above and below the domains.
    """

    def draw(domain: Interval, *shape: int) -> np.ndarray[Any, Any]:
        return rng.uniform(*domain, size=shape)

    yield sample(*(draw(d, 2, 3) for d in domains))
    yield sample(*(np.asarray(draw(d)) for d in domains))
    yield sample(*(draw(d, 0, 2) for d in domains))
    yield sample(*(draw(d, 6, 4)[::-2, 1::2].T for d in domains))
    if len(domains) > 1:
        yield sample(*(draw(d, *shape) for d, shape in zip(domains, [(3,), (3, 1), (2, 1, 1)], strict=False)))
        yield sample(*(draw(d, *shape) for d, shape in zip(domains, [(2, 3), (), (1, 3)], strict=False)))
        yield sample(*(draw(d, *shape) for d, shape in zip(domains, [(), (1, 1), (2, 1)], strict=False)))
    if holomorphic:
        for shapes in ([(2, 3), (3,), (2, 1)], [(), (), ()]):
            pairs = list(zip(domains, shapes, strict=False))
            yield sample(*(np.asarray(draw(d, *shape) + 1j * draw((-1.5, 1.5), *shape)) for d, shape in pairs))


def draw_samples(rule: Rule, seed: int = 0) -> list[Sample]:
    """The samples of a rule, the same on every call."""
    assert rule.samples is not None, f"{rule.name} has no samples"
    points = list(rule.samples(np.random.default_rng(seed)))
    if rule.linear:  # and so in the whole complex plane
        first = points[0]
        points.append(first._replace(args=tuple(np.asarray(a) * (1 + 0.5j) for a in first.args)))
    return points


def complex_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Real samples of every shape, and complex ones."""
    yield from elementwise_samples(rng, [(0.2, 2.0)])
    yield sample(rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3)))
    yield sample(np.asarray(0.6 - 0.8j))
