"""Attention against its definition, entry by entry; masks of every kind; what a row without any key gets."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.errors import KindError, ShapeError
from autodiff.testing import check_gradients

inf, nan = np.inf, np.nan


def draw(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def by_definition(q, k, v, mask=None, is_causal=False, scale=None):
    """One query, one key and one value at a time."""
    scale = 1 / np.sqrt(q.shape[-1]) if scale is None else scale
    lead = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    whole = (*lead, q.shape[-2], k.shape[-2])
    q, k, v = (np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (q, k, v))
    mask = np.broadcast_to(np.zeros(()) if mask is None else mask, whole)
    y = np.zeros((*lead, q.shape[-2], v.shape[-1]))
    for at in np.ndindex(*whole[:-1]):
        *outer, i = at
        weights = np.zeros(k.shape[-2])
        for j in range(k.shape[-2]):
            part = mask[(*at, j)]
            if (is_causal and j > i) or (part.dtype == bool and not part) or part == -inf:
                continue
            weights[j] = np.exp(scale * (q[at] @ k[(*outer, j)]) + (0 if part.dtype == bool else part))
        if weights.any():
            y[at] = weights / weights.sum() @ v[tuple(outer)]
    return y


TRUTHS = draw(4, 5) > -0.5
TRUTHS[1] = False  # no key is left for the second query
NUMBERS = np.where(TRUTHS, draw(4, 5, seed=1), -inf)
QKV = [(4, 3), (5, 3), (5, 2)]
BATCH = [(2, 3, 4, 3), (2, 3, 5, 3), (2, 3, 5, 2)]
CASES = {
    "plain": (QKV, {}),
    "batch and heads": (BATCH, {}),
    "broadcast": ([(2, 1, 4, 3), (3, 5, 3), (5, 2)], {}),
    "scale": (QKV, {"scale": 2.0}),
    "causal": (BATCH, {"is_causal": True}),
    "causal, more queries than keys": ([(5, 3), (4, 3), (4, 2)], {"is_causal": True}),
    "truth values": (QKV, {"attn_mask": TRUTHS}),
    "truth values of a batch": (BATCH, {"attn_mask": np.array([True, False])[:, None, None, None] | TRUTHS}),
    "truth values of the keys": (BATCH, {"attn_mask": np.array([True, False, True, True, False])}),
    "numbers": (BATCH, {"attn_mask": NUMBERS}),
    "both": (BATCH, {"attn_mask": TRUTHS, "is_causal": True}),
    "all keys masked": (QKV, {"attn_mask": np.zeros((4, 5), bool)}),
    "no queries": ([(0, 3), (5, 3), (5, 2)], {"is_causal": True}),
    "no keys": ([(4, 3), (0, 3), (0, 2)], {}),
    "long rows": ([(3, 2), (40, 2), (40, 1)], {}),
}


@pytest.mark.parametrize(("shapes", "options"), CASES.values(), ids=list(CASES))
def test_values_and_gradients_are_those_of_the_definition(shapes, options):
    arrays = [draw(*shape, seed=k) for k, shape in enumerate(shapes)]
    expected = by_definition(
        *arrays,
        *[options[name] for name in ("attn_mask",) if name in options],
        **{name: value for name, value in options.items() if name != "attn_mask"},
    )
    f = lambda *arrays: ad.scaled_dot_product_attention(*arrays, **options)  # noqa: E731
    np.testing.assert_allclose(f(*arrays), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(f(*map(ad.Tensor, arrays)).data, expected, rtol=1e-12, atol=1e-14)
    weights = ad.attention_weights(*arrays[:2], **options)
    np.testing.assert_allclose(weights @ arrays[2], expected, rtol=1e-12, atol=1e-14)
    if max(a.size for a in arrays) < 100:
        check_gradients(f, *arrays)


@pytest.mark.parametrize(("shapes", "options"), CASES.values(), ids=list(CASES))
def test_single_precision_stays_and_compiled_equals_eager(shapes, options):
    options = {k: v.astype(np.float32) if k == "attn_mask" and v.dtype == float else v for k, v in options.items()}
    f = lambda *arrays: (ad.scaled_dot_product_attention(*arrays, **options) ** 2).sum()  # noqa: E731
    every = (0, 1, 2)
    first = ad.value_and_grad(f, every)
    second = ad.grad(lambda *arrays: sum((g * g).sum() for g in ad.grad(f, every)(*arrays)), every)
    for dtype in (np.float32, np.float64):
        arrays, others = ([draw(*shape, seed=k + s).astype(dtype) for k, shape in enumerate(shapes)] for s in (0, 9))
        value, gradients = first(*arrays)
        assert {x.dtype for x in (value, *gradients)} == {np.dtype(dtype)}
        for way in (first, second):
            compiled = ad.compile(way)
            compiled(*arrays)
            for found, expected in zip(leaves(compiled(*others)), leaves(way(*others)), strict=True):
                close = 8 * np.finfo(dtype).eps * np.abs(expected).max(initial=0)  # BLAS adds up as matrices lie
                np.testing.assert_allclose(found, expected, rtol=0, atol=close)


def leaves(tree):
    return [x for part in tree for x in leaves(part)] if isinstance(tree, tuple) else [tree]


def test_a_query_without_keys_gets_and_gives_nothing():
    q, k, v = (ad.Tensor(draw(*shape, seed=s)) for s, shape in enumerate(QKV))
    y = ad.scaled_dot_product_attention(q, k, v, TRUTHS)
    y.backward(np.eye(4)[:, :2] * 0 + [[0.0], [1.0], [0.0], [0.0]])  # only the query without keys is asked
    np.testing.assert_array_equal(y.data[1], [0, 0])
    for x in (q, k, v):
        np.testing.assert_array_equal(x.grad, np.zeros_like(x.data))


@pytest.mark.parametrize("bad", [inf, -inf, nan])
def test_a_masked_key_spoils_nothing(bad):
    q, k, v = (draw(*shape, seed=s) for s, shape in enumerate(QKV))
    spoilt, mask = k.copy(), np.arange(5) != 2
    spoilt[2] = bad
    f = lambda *arrays: (ad.scaled_dot_product_attention(*arrays, mask) ** 2).sum()  # noqa: E731
    with np.errstate(all="ignore"):
        for found, expected in zip(ad.grad(f, (0, 1, 2))(q, spoilt, v), ad.grad(f, (0, 1, 2))(q, k, v), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_a_mask_of_numbers_has_a_gradient():
    arrays = [draw(*shape, seed=s) for s, shape in enumerate([*QKV, (4, 5)])]
    check_gradients(ad.scaled_dot_product_attention, *arrays)
    bias = ad.Tensor(draw(5))  # one for each key
    ad.scaled_dot_product_attention(*arrays[:3], bias).sum().backward()
    assert bias.grad.shape == (5,)


def test_scores_that_overflow_without_a_shift():
    weights = ad.attention_weights([[1e3]], [[1.0], [0.999], [-1.0]], scale=1.0)
    np.testing.assert_allclose(weights, [[1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1)), 0]])


def test_a_compiled_mask_follows_what_it_is_given():
    arrays = [draw(*shape, seed=s) for s, shape in enumerate(QKV)]
    f = lambda mask: ad.scaled_dot_product_attention(*arrays, mask)  # noqa: E731
    compiled = ad.compile(f)
    for mask in (TRUTHS, ~TRUTHS, TRUTHS[::-1].copy()):
        np.testing.assert_array_equal(compiled(mask), f(mask))
        truths = ad.Tensor(mask, requires_grad=False)
        np.testing.assert_array_equal(compiled(truths).data, f(mask))


def test_it_maps_over_batches():
    q, k, v = (draw(3, *shape, seed=s) for s, shape in enumerate(QKV))
    f = lambda q, k, v: ad.scaled_dot_product_attention(q, k, v, is_causal=True)  # noqa: E731
    np.testing.assert_allclose(ad.vmap(f)(q, k, v), f(q, k, v), rtol=1e-12)
    shared = ad.vmap(ad.grad(lambda q, k, v: f(q, k, v).sum(), 1), (0, None, None))(q, k[0], v[0])
    each = [ad.grad(lambda k, x=x: f(x, k, v[0]).sum())(k[0]) for x in q]
    np.testing.assert_allclose(shared, each, rtol=1e-10, atol=1e-14)


ERRORS = {
    "shape (3,) and keys of shape (5, 3); they must be": (draw(3), draw(5, 3), draw(5, 2)),
    "shape (4, 2) and keys of shape (5, 3); they must be": (draw(4, 2), draw(5, 3), draw(5, 2)),
    "keys of shape (5, 3) and values of shape (4, 2); they must be": (draw(4, 3), draw(5, 3), draw(4, 2)),
    "values of shape (5,); they must be": (draw(4, 3), draw(5, 3), draw(5)),
    "attn_mask of shape (5, 4), which does not broadcast to (4, 5), (..., L, S).": (
        *map(np.ones, QKV),
        np.ones((5, 4)),
    ),
    "attn_mask of shape (2, 4, 5), which does not broadcast": (*map(np.ones, QKV), np.ones((2, 4, 5))),
    "attn_mask of whole numbers, which could mean either.": (*map(np.ones, QKV), np.ones((4, 5), int)),
}


@pytest.mark.parametrize(("said", "args"), ERRORS.items())
def test_errors(said, args):
    with pytest.raises((ShapeError, KindError)) as error:
        ad.scaled_dot_product_attention(*map(ad.Tensor, args[:3]), *args[3:])
    assert said in str(error.value)


def test_complex_scores_are_refused():
    with pytest.raises(TypeError, match="masked_softmax got complex numbers"):
        ad.attention_weights(draw(4, 3) * 1j, draw(5, 3))
