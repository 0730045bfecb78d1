"""Every row of the table, at all of its samples: compiled is eager, to the last bit, on other inputs than recorded."""

import numpy as np
import pytest
from alike import assert_close, assert_same, moved, swept

import autodiff as ad
from autodiff.core.node import data_of
from autodiff.core.rule import TABLE
from autodiff.ops.families import draw_samples
from autodiff.testing.compare import is_continuous

ad.ops.public.names()
for part in ("linalg", "fft", "random"):
    getattr(ad, part)  # declares its rows
ROWS = [r for r in TABLE.values() if r.samples is not None and r.forward.__module__.startswith("autodiff.ops")]
DEPEND_ON_NUMBERS = {"eig_parts", "eigvals", "roots"}
"""Rows whose results are real or complex, short or long, by what is in the array: not compiled, or given up again."""
COMPILED = [rule for rule in ROWS if not rule.random and rule.name not in DEPEND_ON_NUMBERS]
SECOND_ORDER_POINTS = 2


def name_of(rule):
    return rule.name


def twice_differentiable(rule):
    return [p for p in draw_samples(rule) if p.order == 2 and any(is_continuous(a) and np.size(a) for a in p.args)]


def apply(rule, args, params):
    return rule.op(list(args), **params) if rule.variadic else rule.op(*args, **params)


def nodes(args):
    return [ad.Tensor(a) if is_continuous(a) else a for a in args]


def compiled_and_not(f, args, **options):
    """What ``f`` gives compiled, on other inputs than recorded, and what as it is; None if nothing."""
    others = [moved(a) for a in args]
    with np.errstate(all="ignore"):
        try:
            expected = swept(f, *nodes(others))
        except np.linalg.LinAlgError:
            return None  # moved to where there is none
        compiled = ad.compile(f, **options)
        swept(compiled, *nodes(args))
        return swept(compiled, *nodes(others)), expected


IN_ANOTHER_ORDER = {"sigmoid", "qr_parts", "lstsq_parts", "tanh_recurrence"}
"""Rows that use an input twice: what one op sends back is added up before it meets the rest."""


def compare(rule, found, expected):
    for a, b in zip(ad.core.tree.flatten(found), ad.core.tree.flatten(expected), strict=True):
        if rule.name in IN_ANOTHER_ORDER and b is not None:
            assert_close(a, b)
        else:
            assert_same(a, b)


@pytest.mark.parametrize("rule", COMPILED, ids=name_of)
@pytest.mark.usefixtures("never_eagerly")
def test_a_row_and_its_gradients(rule):
    for point in draw_samples(rule):

        def f(*args, point=point):
            return apply(rule, args, point.params)

        both = compiled_and_not(f, [np.array(a) for a in point.args])
        if both is not None:
            compare(rule, *both)


@pytest.mark.parametrize("rule", [rule for rule in COMPILED if twice_differentiable(rule)], ids=name_of)
@pytest.mark.usefixtures("never_eagerly")
def test_a_row_at_second_order(rule):
    """Pushed, pulled, pushed through a pull, and pulled through a pull."""
    for point in twice_differentiable(rule)[:SECOND_ORDER_POINTS]:
        args = [np.array(a) for a in point.args]
        places = [k for k, a in enumerate(args) if is_continuous(a)]

        all_of = tuple(range(len(places)))

        def f(*xs, point=point, args=args, places=places):
            given = dict(zip(places, xs, strict=True))
            y = apply(rule, [given.get(k, a) for k, a in enumerate(args)], point.params)
            y = y * np.cos(np.arange(y.size)).reshape(y.shape)
            return ad.sum(y * y if not np.iscomplexobj(data_of(y)) else ad.real(y * ad.conj(y)))

        def curved(xs, vs, f=f, all_of=all_of):
            gradient = ad.grad(f, argnums=all_of)
            pushed = ad.jvp(gradient, tuple(xs), tuple(vs))

            def along(*xs):
                return sum(ad.sum(ad.real(g * v)) for g, v in zip(gradient(*xs), vs, strict=True))

            return ad.jvp(f, tuple(xs), tuple(vs)), pushed, ad.grad(along, argnums=all_of)(*xs)

        xs, others = [args[k] for k in places], [moved(args[k]) for k in places]
        vs = [np.sin(np.arange(x.size)).reshape(x.shape).astype(x.dtype) for x in xs]
        with np.errstate(all="ignore"):
            try:
                expected = curved(others, vs)
            except np.linalg.LinAlgError:
                continue
            compiled = ad.compile(curved)
            compiled(xs, vs)
            found = compiled(others, vs)
            compare(rule, ad.core.tree.tree_map(np.asarray, found), ad.core.tree.tree_map(np.asarray, expected))
