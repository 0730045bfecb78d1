"""Reductions: the values, dtypes, shapes and errors are NumPy's for every form of argument."""

import warnings

import numpy as np
import pytest

import autodiff as ad

rng = np.random.default_rng(3)
X = rng.normal(size=(2, 3, 4))
NAN = np.where(X > 1, np.nan, X)
ARRAYS = {
    "double": X,
    "nan": NAN,
    "single": NAN.astype(np.float32),
    "half": X.astype(np.float16),
    "complex": X + 1j * X[::-1],
    "strided": rng.normal(size=(4, 6, 4))[::-2, ::2, ::-1],
    "ties": np.round(X),
    "int": np.arange(24, dtype=np.int8).reshape(2, 3, 4) % 7,
    "bool": X > 0,
    "empty": np.zeros((2, 3, 0)),
    "number": np.array(-1.5),
}
AXES = [{}, {"axis": 1}, {"axis": (0, -1), "keepdims": True}, {"axis": ()}, {"axis": 3}, {"axis": (1, 1)}]
MASK = {"where": np.array([[True], [False], [True]])}
DTYPE = [{"dtype": np.float32}, {"axis": 0, "dtype": complex}, {"axis": 1, "dtype": int}]
SUMS = [*AXES, *DTYPE, {"initial": 2.5}, {"axis": 0, "initial": 3, **MASK}, MASK]
MEANS = [*AXES, {"axis": 1, **MASK}, {"keepdims": True, **MASK}]
EXTREMES = [*AXES, {"initial": 0.5}, {"axis": 1, "initial": -1.0, **MASK}, {"axis": 2, **MASK}]
SPREADS = [*MEANS, {"ddof": 1}, {"axis": 2, "correction": 1.5}, {"axis": 1, "ddof": 5}, {"ddof": 1, "correction": 1}]
TRUTHS = [*AXES, {"axis": 1, **MASK}]
POSITIONS = [{}, {"axis": -2}, {"axis": 0, "keepdims": True}, {"axis": 5}, {"axis": (0, 1)}]
FORMS = {
    **dict.fromkeys(["sum", "prod", "nansum", "nanprod"], SUMS),
    **dict.fromkeys(["mean", "nanmean"], MEANS),
    **dict.fromkeys(["max", "min", "amax", "amin", "nanmax", "nanmin"], EXTREMES),
    **dict.fromkeys(["var", "std", "nanvar", "nanstd"], SPREADS),
    **dict.fromkeys(["ptp", "median", "nanmedian", "count_nonzero"], AXES),
    **dict.fromkeys(["any", "all"], TRUTHS),
    **dict.fromkeys(["argmax", "argmin", "nanargmax", "nanargmin"], POSITIONS),
}
REFUSED = "has no derivative"  # of a variance whose dtype NumPy uses for half of the work


def outcome(f, *args, **options):
    """What a call returns, or the class of its error."""
    try:
        return f(*args, **options)
    except Exception as error:
        return error


def require_same(found, expected, tolerance=1e-12):
    """Fail unless two outcomes are alike: values with their shapes and dtypes, or errors."""
    if isinstance(expected, Exception):
        kinds = (np.exceptions.AxisError, IndexError, ZeroDivisionError, ValueError, TypeError, RuntimeError)
        assert isinstance(found, next(kind for kind in kinds if isinstance(expected, kind))), (found, expected)
        return
    if isinstance(found, Exception):
        assert REFUSED in str(found), found
        return
    assert isinstance(found, tuple) == isinstance(expected, tuple)
    for a, b in zip(*((v if isinstance(v, tuple) else (v,)) for v in (found, expected)), strict=True):
        data, b = np.asarray(a.data if isinstance(a, ad.Tensor) else a), np.asarray(b)
        assert (data.shape, data.dtype) == (b.shape, b.dtype)
        coarse = {np.float16: 5e-3, np.float32: 1e-5, np.complex64: 1e-5}.get(b.dtype.type, tolerance)
        np.testing.assert_allclose(data, b, rtol=coarse, atol=coarse)


def compare_with_numpy(name, x, *args, **options):
    """The outcomes of ``ad.f`` on an array, of ``ad.f`` and ``np.f`` on tensors, against that of ``np.f``."""
    theirs, ours = getattr(np, name), getattr(ad, name)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        expected = outcome(theirs, x, *args, **options)
        require_same(outcome(ours, x, *args, **options), expected)
        constant = ad.Tensor(x, requires_grad=False)
        require_same(outcome(ours, constant, *args, **options), expected)
        if x.dtype.kind in "fc":
            tensor = ad.Tensor(x)
            require_same(outcome(ours, tensor, *args, **options), expected)
            require_same(outcome(theirs, tensor, *args, **options), expected)


@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_argument(name, kind):
    x = ARRAYS[kind]
    for options in FORMS[name]:
        if "where" in options and not x.ndim:
            options = options | {"where": np.array(True)}
        compare_with_numpy(name, x, **options)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("sum", (1, np.float32, None, True)),
        ("sum", (None, None, None, False, 2.0, X > 0)),
        ("mean", (1, np.float32, None, True)),
        ("nanmean", (1, np.float64, None, True)),
        ("max", (1, None, True, 0.5, X > 0)),
        ("var", (0, None, None, 1, True)),
        ("std", ((0, 1), None, None, 1)),
        ("any", (1, None, True)),
        ("argmax", (1, None)),
        ("ptp", (1, None, True)),
        ("median", (1, None, False, True)),
    ],
)
def test_options_by_position(name, args):
    compare_with_numpy(name, X, *args)


def test_a_mask_may_be_a_tensor():
    t = ad.Tensor(X)
    for f, options in (
        (ad.sum, {}),
        (ad.mean, {"axis": (0, 2)}),
        (ad.prod, {}),
        (ad.max, {"initial": -9.0}),
        (ad.nanmin, {"initial": 9.0}),
        (ad.std, {}),
        (ad.nanvar, {}),
        (ad.any, {}),
        (ad.all, {"axis": 2}),
    ):
        masked = f(t, where=t > 0, **options)
        np.testing.assert_allclose(masked.data, f(X, where=X > 0, **options), rtol=1e-13)


def test_masks_that_numpy_refuses():
    with pytest.raises(TypeError, match="Compare first"):
        ad.sum(ad.Tensor(X), where=X)
    with pytest.raises(ValueError, match="does not broadcast"):
        ad.mean(ad.Tensor(X[0, 0]), where=X > 0)
    with pytest.raises(ValueError, match="give initial= too"):
        ad.max(ad.Tensor(X), where=X > 0)


def test_what_would_lose_a_gradient_is_refused():
    t = ad.Tensor(X)
    with pytest.raises(TypeError, match="initial= was given a Tensor"):
        ad.max(t, initial=ad.Tensor(0.5))
    with pytest.raises(TypeError, match="writing a result into an array"):
        ad.sum(t, out=np.zeros(()))
    with pytest.raises(TypeError, match=REFUSED):
        ad.var(ad.Tensor(X + 1j), dtype=float)
    with pytest.raises(TypeError, match="here it is keepdims="):
        ad.max(t, keepdim=True)


def test_a_result_in_whole_numbers_is_not_tracked():
    t = ad.Tensor([1.5, 2.5])
    for f in (ad.sum, ad.prod, ad.nansum, ad.cumsum):
        y = f(t, dtype=int)
        assert y.dtype == int
        assert not y.requires_grad
    for f in (ad.any, ad.all, ad.argmax, ad.nanargmin, ad.count_nonzero):
        assert not f(t).requires_grad


@pytest.mark.parametrize("name", ["sum", "mean", "max", "var", "std", "median", "logsumexp", "any", "argmax", "ptp"])
def test_methods_and_lists(name):
    expected = getattr(ad, name)(X[0])
    np.testing.assert_allclose(getattr(ad.Tensor(X[0]), name)().data, expected, rtol=1e-15)
    np.testing.assert_allclose(getattr(ad, name)(X[0].tolist()), expected, rtol=1e-15)
    assert np.ndim(getattr(ad, name)(ad.Value(2.0)).data) == 0


@pytest.mark.parametrize(
    ("f", "text"),
    [
        (lambda t: ad.mean(t[:0]), "Mean of empty slice"),
        (lambda t: ad.mean(t, where=np.zeros(3, bool)), "Mean of empty slice"),
        (lambda t: ad.nanmean(t * np.nan), "Mean of empty slice"),
        (lambda t: ad.nanmax(t * np.nan), "All-NaN slice"),
        (lambda t: ad.nanmedian(t * np.nan), "All-NaN slice"),
        (lambda t: ad.var(t, ddof=3), "Degrees of freedom <= 0"),
        (lambda t: ad.nanvar(t, ddof=3), "Degrees of freedom <= 0"),
        (lambda t: ad.std(t, ddof=3, where=np.ones(3, bool)), "Degrees of freedom <= 0"),
    ],
)
def test_numpys_warnings(f, text):
    for x in (np.arange(3.0), ad.Tensor(np.arange(3.0))):
        with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match=text):
            f(x)


@pytest.mark.parametrize("f", [ad.nanargmax, np.nanargmin])
def test_a_slice_of_nan_has_no_extreme(f):
    with pytest.raises(ValueError, match="All-NaN slice"):
        f(ad.Tensor([[np.nan, np.nan], [1.0, 2.0]]), axis=1)
