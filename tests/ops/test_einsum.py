"""einsum in every spelling that NumPy takes."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.ops import einsum
from autodiff.testing import check_gradients

rng = np.random.default_rng(12)


def draw(*shape, dtype=float):
    x = rng.normal(size=shape) + (1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else 0)
    return x.astype(dtype)


SPELLINGS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij , jk -> ki", (2, 3), (3, 4)),
    ("ba,cb", (2, 3), (4, 2)),
    ("Ba,aB", (2, 3), (3, 2)),
    ("i,j", (2,), (3,)),
    ("i,i->", (3,), (3,)),
    (",ij", (), (2, 3)),
    (",,", (), (), ()),
    ("", ()),
    ("ij->", (2, 3)),
    ("ijk->kj", (2, 3, 4)),
    ("ii", (3, 3)),
    ("iij->ji", (3, 3, 2)),
    ("ijij->j", (2, 3, 2, 3)),
    ("ii,jj->ij", (3, 3), (2, 2)),
    ("iii,i->i", (3, 3, 3), (1,)),
    ("ii,i", (1, 1), (3,)),
    ("ij,jk->ik", (2, 3), (1, 4)),
    ("ij,jk->ik", (2, 1), (3, 4)),
    ("ij,ij->ij", (2, 3), (2, 1)),
    ("ij,i->j", (1, 3), (4,)),
    ("ijk,ik->j", (2, 3, 1), (2, 4)),
    ("...ij,...jk", (5, 1, 2, 3), (4, 3, 2)),
    ("i...->...i", (2, 3, 4)),
    ("i...j,j...->...i", (2, 3, 4), (4, 3)),
    ("i...,...->i...", (2, 3), ()),
    ("...,...", (3, 1), (4,)),
    ("...i,i", (2, 3), (3,)),
    ("i...i->...", (2, 3, 2)),
    ("ij...->j", (2, 3)),
    ("i,ij,j->", (2,), (2, 3), (3,)),
    ("ij,jk,kl,l->il", (2, 3), (3, 2), (2, 4), (4,)),
    ("ij,j,jk", (2, 3), (1,), (3, 2)),
    ("...i,...i,j->...j", (2, 3), (3,), (2,)),
    ("ij,jk->ik", (2, 0), (0, 3)),
    ("ii,i->i", (0, 0), (1,)),
    ("ij->j", (0, 3)),
    ("bqd,bkd->bqk", (2, 3, 4), (2, 5, 4)),
    ("bqhd,bkhd->bhqk", (2, 3, 2, 4), (2, 5, 2, 4)),
    ("ijb,jkb->kib", (2, 3, 4), (3, 5, 4)),
    ("aijb,jai->b", (2, 3, 4, 2), (4, 2, 3)),
    ("aij,jkc->ck", (2, 3, 4), (4, 2, 3)),
    ("bi,ijk,bj->bk", (2, 3), (3, 4, 2), (2, 4)),
    ("ij,kj,kl,ml->im", (2, 3), (4, 3), (4, 2), (5, 2)),
    ("ij,ij,jk->k", (2, 3), (2, 3), (3, 4)),
]


@pytest.fixture(params=["NumPy's loop", "matrices"])
def way(request, monkeypatch):
    """How contractions are done: small ones too as products of matrices."""
    if request.param == "matrices":
        monkeypatch.setattr(einsum, "FEW", -1)
    einsum.products_for.cache_clear()
    yield
    einsum.products_for.cache_clear()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("subscripts", "shapes"), [(s, shapes) for s, *shapes in SPELLINGS])
def test_values_and_gradients(subscripts, shapes):
    for dtypes in ([float] * 4, [np.float32, complex, float, int]):
        arrays = [draw(*shape, dtype=dtype) for shape, dtype in zip(shapes, dtypes, strict=False)]
        expected = np.einsum(subscripts, *arrays)
        tensors = [ad.Tensor(a, requires_grad=a.dtype.kind in "fc") for a in arrays]
        for found in (
            ad.einsum(subscripts, *arrays),
            ad.einsum(subscripts, *tensors).data,
            np.einsum(subscripts, *tensors, optimize=True).data,
        ):
            assert found.shape == expected.shape
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        check_gradients(lambda *arrays: ad.einsum(subscripts, *arrays), *arrays, order=2 if dtypes[0] is float else 1)


LARGE = [
    ("bqhd,bkhd->bhqk", (4, 32, 2, 8), (4, 32, 2, 8)),
    ("bhqk,bkhd->bqhd", (4, 2, 32, 32), (4, 32, 2, 8)),
    ("ij,jk->ki", (40, 30), (30, 20)),
    ("bi,ijk,bj->bk", (16, 12), (12, 10, 8), (16, 10)),
    ("bij,bij->b", (30, 20, 20), (30, 20, 20)),
    ("iij,jk->ik", (20, 20, 30), (30, 20)),
]


@pytest.mark.parametrize(("subscripts", "shapes"), [(s, shapes) for s, *shapes in LARGE])
def test_large_ones_and_compiled_ones(subscripts, shapes):
    f = lambda *arrays: ad.einsum(subscripts, *arrays)  # noqa: E731
    for dtype in (np.float32, float, complex):
        arrays, others = [[draw(*shape, dtype=dtype) for shape in shapes] for _ in range(2)]
        tolerance = {"rtol": 1e-3 if dtype is np.float32 else 1e-10, "atol": 1e-3 if dtype is np.float32 else 1e-10}
        y, pull = ad.vjp(f, *arrays)
        assert y.dtype == dtype
        np.testing.assert_allclose(y, np.einsum(subscripts, *arrays), **tolerance)
        g = draw(*y.shape, dtype=dtype)
        once = lambda *arrays, g=g: ad.vjp(f, *arrays)[1](g)  # noqa: E731
        terms, _, output = subscripts.partition("->")
        for k, (found, labels) in enumerate(zip(pull(g), terms.split(","), strict=True)):
            rest = [(s, a.conj()) for i, (s, a) in enumerate(zip(terms.split(","), arrays, strict=True)) if i != k]
            back = ",".join([output, *(s for s, _ in rest)]) + "->" + "".join(dict.fromkeys(labels))
            expected = np.einsum(back, g, *(a for _, a in rest))
            if len(set(labels)) < len(labels):  # a diagonal
                found = np.einsum(f"{labels}->{''.join(dict.fromkeys(labels))}", found)
            np.testing.assert_allclose(found, expected, **tolerance)
        compiled = ad.compile(once)
        compiled(*arrays)
        for found, expected in zip(compiled(*others), once(*others), strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("n", "steps"), [(1000, 2), (10**7, 1)])
def test_what_is_made_on_the_way_fits_into_memory(n, steps):
    products = einsum.products_for("ni,nj,nk->ijk", ((n, 30), (n, 30), (n, 30)))
    assert len(products or [None]) == steps  # all at once, without an array of n * 30 * 30 entries


TURNS = [
    ([(2, 3), (3, 4)], [[0, 1], [1, 2]], [0, 2]),
    ([(2, 3), (3, 4)], [[0, 1], [1, 2]], None),
    ([(2, 3)], [[1, 0]], None),
    ([(2, 3)], [[30, 2]], None),
    ([(2, 3), (4, 1, 3)], [[..., 7], [..., 7]], [7, ...]),
    ([(3, 3)], [np.array([5, 5])], []),
    ([(), (2,)], [[], [0]], None),
]


@pytest.mark.parametrize(("shapes", "labels", "output"), TURNS)
def test_arrays_and_labels_by_turns(shapes, labels, output):
    arrays = [draw(*shape) for shape in shapes]

    def operands(arrays):
        by_turns = [x for pair in zip(arrays, labels, strict=True) for x in pair]
        return by_turns if output is None else [*by_turns, output]

    expected = np.einsum(*operands(arrays))
    tensors = [ad.Tensor(a) for a in arrays]
    np.testing.assert_allclose(ad.einsum(*operands(tensors)).data, expected)
    np.testing.assert_allclose(np.einsum(*operands(tensors)).data, expected)
    check_gradients(lambda *arrays: ad.einsum(*operands(arrays)), *arrays)


A, B, C = draw(2, 3), draw(3, 4), draw(4, 2)
PATH = ["einsum_path", (1, 2), (0, 1)]


@pytest.mark.parametrize("optimize", [False, True, None, "greedy", "optimal", ("greedy", 100), PATH])
def test_orders_of_contraction(optimize):
    f = lambda a, b, c: ad.einsum("ij,jk,kl->il", a, b, c, optimize=optimize)  # noqa: E731
    np.testing.assert_allclose(f(ad.Tensor(A), B, C).data, A @ B @ C)
    check_gradients(f, A, B, C, order=1)


def test_the_path_is_numpys():
    tensors = [ad.Tensor(x) for x in (A, B, C)]
    expected = np.einsum_path("ij,jk,kl->il", A, B, C)
    assert ad.einsum_path("ij,jk,kl->il", *tensors) == expected
    assert np.einsum_path("ij,jk,kl->il", *tensors, optimize="greedy") == expected
    ad.einsum("ij,jk,kl->il", *tensors, optimize=expected[0]).sum().backward()
    assert tensors[0].grad is not None


def test_dtype_order_and_casting():
    t = ad.Tensor(A)
    assert ad.einsum("ij,jk", t, B, dtype=complex).dtype == complex
    check_gradients(lambda a, b: ad.einsum("ij,jk", a, b, dtype=complex), A, B)
    assert ad.einsum("ij,jk", t, B, dtype="float32", casting="same_kind").dtype == np.float32
    assert ad.einsum("ij,jk->ik", t, B, order="F").data.flags.f_contiguous
    with pytest.raises(TypeError, match="safe"):
        ad.einsum("ij,jk", t, B, dtype="float32")
    with pytest.raises(TypeError, match=r"einsum got dtype=int64, which would lose part of an operand\. Convert"):
        ad.einsum("ij,jk", t, B, dtype=int, casting="unsafe")
    with pytest.raises(TypeError, match="einsum got out="):
        ad.einsum("ij,jk", t, B, out=np.zeros((2, 4)))


def test_truth_values_are_counted_in_every_order_of_contraction():
    mask, x = np.array([True, True, False]), ad.Tensor(2.0)
    for optimize in (False, True):
        y = ad.einsum("i,->", mask, x, optimize=optimize)
        x.grad = None
        y.backward()
        assert y.item() == 4
        assert x.grad == 2


ERRORS = [
    ("ij,jk->ik", A, A),
    ("ij", draw(2)),
    ("i", A),
    ("i,j", draw(2)),
    ("i", draw(2), draw(2)),
    ("ij->ii", A),
    ("ij->ik", A),
    ("i$->i", A),
    ("ij->->i", A),
    ("i.j->", A),
    ("ii", A),
    ("i...->i", A),
    ("ij",),
    (A,),
    (),
    (A, [0, "a"]),
    (A, [0, 1.5]),
    (A, [0, 52]),
    (A, [0, -1]),
    (A, 3),
]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("operands", ERRORS, ids=lambda operands: str(operands[:1])[:12])
def test_errors_are_numpys(operands):
    with pytest.raises((ValueError, TypeError)) as expected:
        np.einsum(*operands)
    with pytest.raises(expected.type):
        ad.einsum(*operands)
    with pytest.raises(expected.type):
        ad.einsum(*(ad.Tensor(x) if isinstance(x, np.ndarray) else x for x in operands))


@pytest.mark.parametrize(
    ("optimize", "kind"), [("best", KeyError), (3, TypeError), (["einsum_path", (0,)], RuntimeError)]
)
def test_errors_of_optimize_are_numpys(optimize, kind):
    with pytest.raises(kind):
        ad.einsum("ij,jk,kl->il", ad.Tensor(A), B, C, optimize=optimize)


def test_numbers_of_other_kinds():
    x = ad.Value(2.0)
    y = ad.einsum("i,->", np.array([1.0, 2.0]), x)
    y.backward()
    assert (y.item(), x.grad) == (6.0, 3.0)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
@pytest.mark.parametrize("rest", [("ij,jk->i", B), ("ij,jk,kl->il", B, C), ("ij,jk,kl,l->i", B, C, np.ones(2))])
def test_a_row_that_is_not_used_spoils_nothing(bad, rest):
    subscripts, *others = rest
    f = lambda a, *others: ad.einsum(subscripts, a, *others)[:1].sum()  # noqa: E731
    spoilt = A.copy()
    spoilt[1] = bad
    every = tuple(range(len(rest)))
    with np.errstate(all="ignore"):
        for found, expected in zip(ad.grad(f, every)(spoilt, *others), ad.grad(f, every)(A, *others), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)
        spoilt_column = B.copy()
        spoilt_column[0] = bad
        v = A * np.array([0, 1, 1])
        along = lambda b: ad.jvp(lambda a: ad.einsum(subscripts, a, b, *others[1:]), (A,), (v,))[1]  # noqa: E731
        np.testing.assert_allclose(along(spoilt_column), along(B), rtol=1e-12)


def test_what_is_used_is_not_hidden():
    spoilt = B.copy()
    spoilt[0, 0] = np.inf
    with np.errstate(all="ignore"):
        c = ad.grad(lambda a: ad.einsum("ij,jk,kl->", a, spoilt, np.abs(C)))(A)
    assert np.all(np.isinf(c[:, 0]))
    assert np.all(np.isfinite(c[:, 1:]))
