"""Linear algebra gives NumPy's values, shapes, dtypes, kinds of tuple and errors, for arrays, lists and tensors."""

import numpy as np
import pytest

import autodiff as ad

RNG = np.random.default_rng(0)
SHAPES = [(), (3,), (0,), (2, 2), (1, 1), (0, 0), (2, 3), (3, 2), (2, 3, 3), (2, 2, 3), (0, 2, 2), (2, 0, 0), (3, 0)]
KINDS = ["f8", "f4", "c16", "c8", "i8", "f2", "singular", "positive", "nan"]


def draw(shape, kind):
    x = RNG.normal(size=shape)
    square = len(shape) > 1 and shape[-1] == shape[-2]
    if kind == "singular" and square and x.size:
        x[..., -1] = x[..., 0]
    elif kind == "positive" and square:
        x = x @ x.mT + np.eye(shape[-1])
    elif kind == "nan" and x.size:
        x = np.where(np.arange(x.size).reshape(shape) == 0, np.nan, x)
    elif kind[0] == "c":
        x = x + 1j * RNG.normal(size=shape)
    elif kind[0] == "i":
        x = np.round(3 * x)
    return np.asarray(x, kind if kind[-1].isdigit() else None)


UNARY = [
    ("det", {}),
    ("slogdet", {}),
    ("inv", {}),
    ("cholesky", {}),
    ("cholesky", {"upper": True}),
    ("eig", {}),
    ("eigvals", {}),
    ("svdvals", {}),
    *[("eigh", {"UPLO": which}) for which in "LUux"],
    *[("eigvalsh", {"UPLO": which}) for which in "LUux"],
    *[("qr", {"mode": mode}) for mode in ("reduced", "complete", "r", "other")],
    *[
        ("svd", {"full_matrices": full, "compute_uv": uv, "hermitian": hermitian})
        for full in (True, False)
        for uv in (True, False)
        for hermitian in (True, False)
    ],
    ("pinv", {}),
    ("pinv", {"rcond": 0.1}),
    ("pinv", {"rtol": 0.1}),
    ("pinv", {"rtol": None}),
    ("pinv", {"rcond": 0.1, "rtol": 0.1}),
    ("pinv", {"hermitian": True}),
    ("matrix_rank", {}),
    ("matrix_rank", {"tol": 0.5}),
    ("matrix_rank", {"rtol": 0.1}),
    ("matrix_rank", {"hermitian": True}),
    *[("matrix_power", {"n": n}) for n in (0, 1, 2, 3, 5, -1, -2, 2.0)],
]


def outcome(f, args, options):
    with np.errstate(all="ignore"):
        try:
            return f(*args, **options), None
        except Exception as error:
            return None, error


def compare(name, args, options):
    theirs, error = outcome(getattr(np.linalg, name), args, options)
    tracked = [ad.Tensor(a, requires_grad=a.dtype.kind in "fc") for a in args]
    untracked = [ad.Tensor(a, requires_grad=False) for a in args]
    for f, given in (
        (getattr(ad.linalg, name), args),
        (getattr(ad.linalg, name), tracked),
        (getattr(np.linalg, name), tracked),
        (getattr(ad.linalg, name), untracked),
    ):
        about = f"{name}({', '.join(f'{a.dtype}{list(a.shape)}' for a in args)}, {options})"
        ours, raised = outcome(f, given, options)
        if error is not None:
            assert isinstance(raised, type(error)), f"{about}: {raised!r}, NumPy raises {error!r}"
            continue
        assert raised is None, f"{about}: {raised!r}"
        assert type(ours) is type(theirs) or not isinstance(theirs, tuple), about
        pairs = zip(ours, theirs, strict=True) if isinstance(theirs, tuple) else [(ours, theirs)]
        for mine, numpys in pairs:
            mine, numpys = np.asarray(ad.core.node.data_of(mine)), np.asarray(numpys)
            assert mine.shape == numpys.shape, about
            assert mine.dtype == numpys.dtype, about
            close = 1e-5 if mine.dtype.char in "fFe" else 1e-12
            np.testing.assert_allclose(mine, numpys, rtol=close, atol=close, err_msg=about)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.filterwarnings("ignore")
def test_one_array(shape, kind):
    x = draw(shape, kind)
    for name, options in UNARY:
        compare(name, [x], options)


@pytest.mark.parametrize("kind", ["f8", "f4", "c16", "c8", "i8", "singular"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.filterwarnings("ignore")
def test_two_arrays(shape, kind):
    x = draw(shape, kind)
    for right in [(), (3,), (2,), (3, 1), (2, 2), (2, 3, 1), (0,), (2, 0)]:
        for b in (draw(right, "f8"), draw(right, "c16"), draw(right, "f4"), draw(right, "i8")):
            compare("solve", [x, b], {})
            if kind != "singular":
                compare("lstsq", [x, b], {"rcond": None})
            compare("lstsq", [x, b], {"rcond": 0.1})


@pytest.mark.parametrize(
    ("shape", "right", "axes"),
    [
        ((4, 6, 8, 3), (4, 6), None),
        ((2, 3, 6), (2, 3), None),
        ((6, 2, 3), (2, 3), (0,)),
        ((2, 2), (2,), (1,)),
        ((2, 3, 4), (2,), None),
        ((2, 2, 2, 2), (2, 2), (0, 2)),
        ((3, 3), (3,), (5,)),
    ],
)
def test_tensorsolve(shape, right, axes):
    compare("tensorsolve", [draw(shape, "f8"), draw(right, "f8")], {"axes": axes})


@pytest.mark.parametrize(("shape", "ind"), [((4, 6, 8, 3), 2), ((24, 8, 3), 1), ((2, 3), 1), ((2, 2), 0), ((2, 2), -1)])
def test_tensorinv(shape, ind):
    compare("tensorinv", [draw(shape, "f8")], {"ind": ind})


@pytest.mark.parametrize("name", ["det", "slogdet", "inv", "eig", "eigh", "svd", "qr", "pinv", "cholesky"])
def test_lists(name):
    x = [[2.0, 1.0], [1.0, 3.0]]
    ours, theirs = getattr(ad.linalg, name)(x), getattr(np.linalg, name)(x)
    np.testing.assert_equal(ours, theirs)


def test_keywords_of_numpy_reach_the_ops():
    a, b = ad.Tensor([[2.0, 1.0], [1.0, 3.0]]), ad.Tensor([1.0, 2.0])
    np.testing.assert_allclose(np.linalg.solve(a=a, b=b).data, [0.2, 0.6])
    assert np.linalg.matrix_rank(A=a, tol=None).item() == 2
    assert np.linalg.svd(a=a, compute_uv=False).shape == (2,)
    assert a.det().item() == pytest.approx(5)
    assert a.inv().requires_grad
