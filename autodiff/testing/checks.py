"""Checks of a rule at a sample, of a whole row, and of any function.

Each raises AssertionError with the rule, the sample, and both numbers.  A rule may be given as the op (``ad.exp``) or
as the row (``ad.exp.rule``).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import tree
from ..core.node import data_of
from ..core.op import make_op
from ..core.rule import Rule, Sample
from ..ops.families import draw_samples
from ..tensor import Tensor
from ..transforms.first_order import jvp, vjp
from ..value import Value
from .compare import SINGLE_TOLERANCE, Arrays, compare_pull, compare_push, draw_like, explained, is_continuous, shown
from .table import gradient_table

SPELLINGS = {"sigmoid": "expit", "log_sigmoid": "log_expit"}


def check_rule(op: Any, *args: Any, **options: Any) -> None:
    """Run every check on a rule: at the given arguments, or at every sample of its row.

    Parameters
    ----------
    op : op or Rule
        A row of the table, or what :func:`autodiff.custom_rule` made.
    *args, **options
        Where to check a rule that has no samples.  A table of the derivative by each entry is printed then: by a
        central difference, in reverse and in forward mode.

    Raises
    ------
    AssertionError
        If the row lacks something, or a check fails.

    Examples
    --------
    >>> import autodiff as ad
    >>> check_rule(ad.tanh)
    >>> @ad.custom_rule
    ... def cube(x):
    ...     return x**3
    >>> @cube.def_vjp
    ... def cube_vjp(g, x):
    ...     return g * 3 * x**2
    >>> check_rule(cube, np.array([1.0, 2.0]))
    derivative by   numeric   reverse   forward     error
    x[0]   ...
    x[1]   ...
    """
    rule = rule_of(op)
    if args:
        table = gradient_table(lambda *inputs: _apply(rule, inputs, options), *args, names=rule.inputs)
        print(table)
        table.require(rule.name)
        points = [Sample(tuple(np.asarray(a) for a in args), options, 2)]
    else:
        check_complete(op)
        points = draw_samples(rule) if rule.differentiable else []
        for point in points:
            check_forward(rule, point)
    for point in points:
        for check in (check_numbers, check_dtype, check_not_mutated, check_jvp, check_vjp, check_second_order):
            check(rule, point)


def check_complete(op: Any) -> None:
    """Fail unless a row has a formula, a docstring, samples, and both derivatives of every continuous input."""
    rule = rule_of(op)
    missing = []
    if not rule.formula:
        missing.append("a formula")
    if not rule.forward.__doc__:
        missing.append("a docstring")
    if rule.differentiable:
        if rule.samples is None:
            missing.append("samples")
        asked = set().union(*(_differentiable_inputs(rule, p) for p in draw_samples(rule))) if rule.samples else set()
        for direction, derivatives in (("vjp", rule.vjps), ("jvp", rule.jvps)):
            missing += [f"a {direction} with respect to {name}" for name in sorted(asked - set(derivatives))]
            if not derivatives:
                missing.append(f"a {direction}")
    if missing:
        raise AssertionError(f"The row {rule.name} lacks {', '.join(missing)}.")


def check_forward(op: Any, point: Sample) -> None:
    """The result is NumPy's or SciPy's, where they have a function of the name; lists give what tensors give."""
    rule, where = rule_of(op), describe(op, point)
    y = data_of(_apply(rule, point.args, point.params))
    for library, function in _references(rule.name):
        options = rule.options | point.params
        try:
            expected = function(*([list(point.args)] if rule.variadic else point.args), **options)
        except TypeError:
            if any(np.iscomplexobj(a) for a in point.args):
                continue  # SciPy takes real numbers only
            expected = function(*point.args, *options.values())  # positional-only there
        _same(y, expected, f"{where}: the result is not that of {library}", tolerance=1e-13)
    _same(data_of(_apply(rule, _as_tensors(point.args), point.params)), y, f"{where}: tensors and arrays differ")
    if all(np.size(a) for a in point.args):
        lists = [np.asarray(a).tolist() for a in point.args]
        _same(data_of(_apply(rule, lists, point.params)), y, f"{where}: lists and arrays differ", tolerance=1e-13)


def check_numbers(op: Any, point: Sample) -> None:
    """An entry-by-entry rule gives a number, and the gradients of numbers, as it does an array of shape ``()``."""
    rule, where = rule_of(op), describe(op, point)
    if not rule.entrywise or any(np.ndim(a) or not is_continuous(a) for a in point.args):
        return
    values = [Value(np.asarray(a).item()) for a in point.args]
    tensors = _as_tensors(point.args)
    y, expected = _apply(rule, values, point.params), _apply(rule, tensors, point.params)
    if not isinstance(y, Value):
        raise AssertionError(f"{where}: the result for a Value is a {type(y).__name__}.")
    _same(y.data, expected.data, f"{where}: Value and Tensor differ", tolerance=1e-13)
    if not np.iscomplexobj(y.data):
        y.backward()
        expected.backward()
        for name, value, tensor in zip(rule.inputs, values, tensors, strict=True):
            about = f"{where}: the gradients of Value and Tensor with respect to {name} differ"
            _same(value.grad, tensor.grad, about, tolerance=1e-12)


def check_jvp(op: Any, point: Sample) -> None:
    """The JVP is the central difference along a random direction."""
    if rule_of(op).differentiable and point.order > 0:
        f, xs, names = _as_function(op, point)
        compare_push(f, xs, describe(op, point), names)


def check_vjp(op: Any, point: Sample) -> None:
    """The VJP is the adjoint of the JVP, to ten digits."""
    if rule_of(op).differentiable and point.order > 0:
        f, xs, names = _as_function(op, point)
        compare_pull(f, xs, describe(op, point), names)


def check_second_order(op: Any, point: Sample) -> None:
    """The recorded VJP and JVP are functions whose own derivatives are right."""
    if rule_of(op).differentiable and point.order > 1:
        f, xs, names = _as_function(op, point)
        _check_derivatives(f, xs, describe(op, point), names, 1)


class _Watched(Tensor):
    """A tensor that lets cotangents arrive as they were computed, in whatever precision."""

    def _fit_cotangent(self, c: Any, source: Any) -> Any:
        return c


def check_dtype(op: Any, point: Sample) -> None:
    """Single precision stays single: the result, and every derivative before it is fitted to its input.

    And all are those of double precision, to three digits.
    """
    rule, where = rule_of(op), describe(op, point)
    if not rule.differentiable or point.params.get("dtype") is not None:
        return
    if rule.variadic and any(np.asarray(a).dtype.kind in "iu" for a in point.args):
        return  # what is joined with whole numbers is double
    narrow, wide = (_every_result(rule, [to(a) for a in point.args], point.params) for to in (_narrow, _as_given))
    for what, x in narrow.items():
        _require_single(x, f"{where}: the {what}")
        exact = np.asarray(data_of(wide[what]))
        near = np.isfinite(exact)
        size = np.max(np.abs(exact[near]), initial=1.0)
        if np.any(np.abs(np.asarray(data_of(x))[near] - exact[near]) > SINGLE_TOLERANCE * size):
            raise AssertionError(
                f"{where}: the {what} in single precision is not that in double.\n"
                f"  single: {shown(data_of(x))}\n  double: {shown(exact)}"
            )


def _every_result(rule: Rule, args: Any, params: Any) -> dict[str, Any]:
    """The result and every derivative of a rule, for cotangents and tangents of 1."""
    inputs = [_Watched(a, requires_grad=is_continuous(a)) for a in args]
    node = _apply(rule, inputs, params)
    found = {"result": node.data}
    pending: dict[int, Any] = {}
    with np.errstate(all="ignore"):
        rule.pull(np.ones_like(node.data), node, pending)
        for name, x in zip(_input_names(rule, Sample(tuple(args), params, 1)), inputs, strict=True):
            if x.index in pending:
                found[f"vjp with respect to {name}"] = pending[x.index]
            if x.tracked and (pushed := rule.push({x.index: np.ones_like(x.data)}, node)) is not None:
                found[f"jvp with respect to {name}"] = pushed
    return found


def _require_single(x: Any, what: str) -> None:
    dtype = np.asarray(data_of(x)).dtype
    if dtype not in (np.float32, np.complex64):
        raise AssertionError(f"{what} is {dtype} when everything given is in single precision.")


def check_not_mutated(op: Any, point: Sample) -> None:
    """Neither the inputs, nor the result, nor a cotangent or tangent is written to."""
    rule, where = rule_of(op), describe(op, point)
    args = [np.array(a) for a in point.args]
    inputs = _as_tensors(args)
    node = _apply(rule, inputs, point.params)
    for x, given in zip(inputs, args, strict=True):
        if not _unchanged(x.data, given):
            raise AssertionError(f"{where}: the forward function wrote to its arguments.\n  before: {shown(given)}")
    if not rule.differentiable:
        return
    g = draw_like(node.data, np.random.default_rng(3))
    tangents = {x.index: np.ones_like(x.data) for x in inputs if x.tracked}
    watched = [*(x.data for x in inputs), node.data, g, *tangents.values()]
    before = [a.copy() for a in watched]
    with np.errstate(all="ignore"):
        rule.pull(g, node, {})
        rule.push(tangents, node)
    for now, then in zip(watched, before, strict=True):
        if not _unchanged(now, then):
            raise AssertionError(f"{where}: a derivative wrote to its arguments.\n  before: {shown(then)}")


def _unchanged(now: Any, then: Any) -> bool:
    return np.array_equal(now, then, equal_nan=is_continuous(now))


def check_gradients(f: Callable[..., Any], *args: Any, order: int = 2) -> None:
    """Compare both modes of differentiating ``f`` with central differences, and with each other.

    Parameters
    ----------
    f : callable
        Takes and returns arrays, numbers, or nested structures of them, real or complex.
    *args
        The point.  Floating-point and complex leaves are differentiated, in double precision; whole numbers and truth
        values are constants.
    order : int
        How often to differentiate: each derivative, in either mode, is checked as a function of its own.

    Raises
    ------
    AssertionError
        With the analytic and the numeric derivative.

    Notes
    -----
    A central difference of fourth order along a random direction must agree to six digits, the two modes to ten.  If
    ``f`` rounds its results to single precision, longer steps are taken, and three digits must agree.

    Examples
    --------
    >>> import autodiff as ad
    >>> check_gradients(lambda x, y: (ad.sin(x) * y).sum(), np.array([1.0, 2.0]), 3.0)
    """
    flat, xs, names = _flattened(f, args)
    _check_function(flat, xs, getattr(f, "__name__", repr(f)), names, order)


def _flattened(f: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Callable[..., Any], Arrays, list[str]]:
    """``f`` as a function of the continuous leaves of its arguments, those leaves, and what to call them."""
    leaves = tree.flatten(list(args))
    wanted = [i for i, leaf in enumerate(leaves) if is_continuous(leaf)]
    if not wanted:
        raise AssertionError(f"{getattr(f, '__name__', f)}: no argument is a floating-point number or array.")

    def flat(*chosen: Any) -> Any:
        filled = list(leaves)
        for i, x in zip(wanted, chosen, strict=True):
            filled[i] = x
        return tree.flatten(f(*tree.unflatten(list(args), iter(filled))))

    return flat, [_widened(leaves[i]) for i in wanted], [f"leaf {i} of the arguments" for i in wanted]


def _check_function(f: Callable[..., Any], xs: Arrays, where: str, names: list[str], order: int) -> None:
    """Both comparisons of ``f``, and of its derivatives as functions of point and direction."""
    if order < 1:
        return
    compare_push(f, xs, where, names)
    compare_pull(f, xs, where, names)
    if order > 1:
        _check_derivatives(f, xs, where, names, order - 1)


def _check_derivatives(f: Callable[..., Any], xs: Arrays, where: str, names: list[str], order: int) -> None:
    """The VJP and the JVP of ``f``, as functions of point and direction."""
    rng = np.random.default_rng(4)
    n = len(xs)
    y = explained(where, f, *xs)
    gs = [draw_like(_widened(value), rng) for value in tree.flatten(y)]
    vs = [draw_like(x, rng) for x in xs]

    def pulled(*given: Any) -> Any:
        y, pull = vjp(f, *given[:n])
        return pull(tree.unflatten(y, iter(given[n:])))

    def pushed(*given: Any) -> Any:
        return jvp(f, given[:n], given[n:])[1]

    for derivative, directions, called in ((pulled, gs, "g"), (pushed, vs, "tangent")):
        what = f"{where}: one order up, on the {'vjp' if derivative is pulled else 'jvp'}"
        labels = [*names, *(f"{called} {i}" for i in range(len(directions)))]
        _check_function(derivative, [*xs, *directions], what, labels, order)


def rule_of(op: Any) -> Rule:
    """The row of an op, or the row itself."""
    rule: Rule = getattr(op, "rule", op)
    return rule


def describe(op: Any, point: Sample) -> str:
    """A rule and a sample in a message: ``sum(float64[2, 3], axis=0)``."""

    def short(x: Any) -> str:
        if isinstance(x, np.ndarray):
            return f"{x.dtype}{list(x.shape)}"
        return f"({', '.join(map(short, x))})" if isinstance(x, tuple) else str(x)

    given = [short(a) for a in point.args] + [f"{name}={short(value)}" for name, value in point.params.items()]
    return f"{rule_of(op).name}({', '.join(given)})"


@functools.lru_cache(maxsize=1024)
def _op(rule: Rule) -> Any:
    return make_op(rule)


def _apply(rule: Rule, args: Any, params: Any) -> Any:
    with np.errstate(all="ignore"):
        return _op(rule)(list(args), **params) if rule.variadic else _op(rule)(*args, **params)


def _as_tensors(args: Any) -> list[Any]:
    return [Tensor(a, requires_grad=is_continuous(a)) for a in args]


def _input_names(rule: Rule, point: Sample) -> list[str]:
    return [f"{rule.inputs[0]}[{i}]" for i in range(len(point.args))] if rule.variadic else list(rule.inputs)


def _differentiable_inputs(rule: Rule, point: Sample) -> set[str]:
    if rule.variadic:
        return set(rule.inputs)
    return {name for name, a in zip(rule.inputs, point.args, strict=True) if is_continuous(a)}


def _widened(x: Any) -> Any:
    x = np.asarray(data_of(x))
    return x.astype(complex if x.dtype.kind == "c" else float)


def _as_given(x: Any) -> Any:
    """The sample's own precision, at the point that single precision rounds it to."""
    x, narrow = np.asarray(x), _narrow(x)
    return narrow.astype(x.dtype)


def _narrow(x: Any) -> Any:
    x = np.asarray(x)
    return x.astype({"f": np.float32, "c": np.complex64}.get(x.dtype.kind, x.dtype))


def _as_function(op: Any, point: Sample) -> tuple[Callable[..., Any], Arrays, list[str]]:
    """The rule as a function of its continuous inputs in double precision, those inputs, and their names."""
    rule = rule_of(op)
    wanted = [i for i, a in enumerate(point.args) if is_continuous(a)]

    def f(*xs: Any) -> Any:
        filled = list(point.args)
        for i, x in zip(wanted, xs, strict=True):
            filled[i] = x
        return _apply(rule, filled, point.params)

    xs = [point.args[i] if point.args[i].dtype.itemsize >= 8 else _widened(point.args[i]) for i in wanted]
    names = _input_names(rule, point)
    return f, xs, [names[i] for i in wanted]


def _references(name: str) -> list[tuple[str, Any]]:
    """The function of this name in NumPy, else in SciPy, with what to call it; empty if neither has it."""
    libraries: list[tuple[str, Any]] = [("numpy", np), ("numpy.linalg", np.linalg), ("numpy.fft", np.fft)]
    try:
        import scipy.special
    except ImportError:
        pass
    else:
        libraries.append(("scipy.special", scipy.special))
    spelt = SPELLINGS.get(name, name)
    found = [(f"{label}.{spelt}", getattr(library, spelt)) for label, library in libraries if hasattr(library, spelt)]
    return found[:1]


def _same(found: Any, expected: Any, message: str, tolerance: float = 0.0) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape or not np.allclose(
        found, expected, rtol=tolerance, atol=tolerance, equal_nan=True
    ):
        raise AssertionError(
            f"{message}.\n  found:    {found.shape} {shown(found)}\n  expected: {expected.shape} {shown(expected)}"
        )
