"""Every entry-by-entry function of NumPy: its values, dtypes and errors are those of NumPy, however it is called."""

import numpy as np
import pytest

import autodiff as ad

pytestmark = pytest.mark.filterwarnings("ignore")  # NumPy's warnings are none of ours

inf, nan = np.inf, np.nan
REAL = [0.0, -0.0, 1.0, -1.0, -2.5, 0.5, inf, -inf, nan, 1e200, -1e-200, 1e-5]
COMPLEX = [complex(a, b) for a in (0.0, -0.0, 1.0, -2.0, inf, nan) for b in (0.0, -0.0, -2.0, inf, nan)]
with np.errstate(over="ignore"):
    DATA = [
        np.array([True, False]),
        np.array([0, 1, 3, 7], np.uint8),
        np.array([-3, -1, 0, 2], np.int8),
        np.array([-3, -1, 0, 2]),
        *(np.array(REAL).astype(t) for t in (np.float16, np.float32, np.float64)),
        *(np.array(COMPLEX).astype(t) for t in (np.complex64, np.complex128)),
        np.array(1.5),
        np.array(2),
        np.zeros((0, 3)),
        np.array(1 + 2j),
        np.array([[1.0, 2.0], [3.0, 4.0]])[::-1].T,
    ]
NUMBERS = [2, 2.5, -1, True, 1j]
UNARY = """abs absolute acos acosh angle arccos arccosh arcsin arcsinh arctan arctanh around asin asinh atan atanh
    bitwise_count bitwise_invert bitwise_not cbrt ceil conj conjugate cos cosh deg2rad degrees exp exp2 expm1 fabs fix
    floor imag invert iscomplex isfinite isinf isnan isneginf isposinf isreal log log10 log1p log2 logical_not modf
    nan_to_num negative positive rad2deg radians real real_if_close reciprocal rint round sign signbit sin sinc sinh
    sqrt square tan tanh trunc"""
BINARY = """add arctan2 atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign divide
    divmod equal float_power floor_divide fmax fmin fmod gcd greater greater_equal heaviside hypot isclose lcm ldexp
    left_shift less less_equal logaddexp logaddexp2 logical_and logical_or logical_xor maximum minimum mod multiply
    not_equal pow power remainder right_shift subtract true_divide"""


def outcome(f, *args, **kwargs):
    """What a call returns or raises."""
    with np.errstate(all="ignore"):
        try:
            return f(*args, **kwargs)
        except Exception as error:
            return error


def assert_same(found, expected, what):
    if isinstance(expected, Exception):
        kinds = [kind for kind in (TypeError, ValueError) if isinstance(expected, kind)] or [type(expected)]
        assert isinstance(found, kinds[0]), (what, found, expected)
    elif isinstance(expected, tuple):
        assert type(found) is type(expected), (what, found)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other, what)
    else:
        assert not isinstance(found, Exception), (what, found, expected)
        y = np.asarray(found.data if isinstance(found, ad.Tensor) else found)
        assert (y.dtype, y.shape) == (np.asarray(expected).dtype, np.shape(expected)), (what, found, expected)
        rtol = 1e-13 if y.itemsize >= 8 and y.dtype != np.complex64 else 1e-5
        np.testing.assert_allclose(y, expected, rtol=rtol, atol=0, equal_nan=True, err_msg=str(what))


def check(name, *args, **kwargs):
    """An op on arrays, on untracked and on tracked tensors, and NumPy's function on both, against NumPy's on arrays."""
    ours, theirs = getattr(ad, name), getattr(np, name)
    expected = outcome(theirs, *args, **kwargs)
    for kinds in ("", "biufc", "fc"):
        if kinds == "fc" and not any(isinstance(a, np.ndarray) and a.dtype.kind in "fc" for a in args):
            continue
        given = [
            ad.Tensor(a, requires_grad=kinds == "fc") if isinstance(a, np.ndarray) and a.dtype.kind in kinds else a
            for a in args
        ]
        for f in (ours, theirs) if kinds else (ours,):
            assert_same(outcome(f, *given, **kwargs), expected, (name, f.__module__, given, kwargs))


@pytest.mark.parametrize("name", UNARY.split())
def test_of_one_argument(name):
    for a in DATA:
        check(name, a)
    for numbers in ([1, 2, 3], [0.5, 0.25], [[1 + 1j]]):
        assert_same(outcome(getattr(ad, name), numbers), outcome(getattr(np, name), numbers), (name, numbers))


@pytest.mark.parametrize("name", BINARY.split())
def test_of_two_arguments(name):
    for i, a in enumerate(DATA):
        column = a[:, None] if a.ndim == 1 else a
        for b in DATA[i % 4 :: 4]:
            if column.ndim < 2 or b.ndim < 2:
                check(name, column, b) if name != "ldexp" or b.dtype.kind != "u" else None
        for b in NUMBERS[i % 2 :: 2]:
            check(name, a, b)
            check(name, b, a)


BOUNDS = [(0, 1), (None, 1), (0, None), (None, None), (0.5, 2.5), (-1, 300), (2, 1), (nan, 1), (1j, 2j)]


@pytest.mark.parametrize(("low", "high"), [*BOUNDS, (np.array(0.5), 2), (np.float32(0.5), None)])
def test_clip(low, high):
    for a in DATA:
        check("clip", a, low, high)
        check("clip", a, min=low, max=high)
        if a.dtype.kind in "fc":
            assert_same(outcome(ad.Tensor(a).clip, low, high), outcome(a.clip, low, high), a)


def test_clip_takes_one_pair_of_bounds():
    check("clip", DATA[4], 0, 1, min=0)
    with pytest.raises(TypeError, match="clip got out="):
        ad.clip(ad.Tensor([1.0]), 0, 1, np.zeros(1))


@pytest.mark.parametrize("decimals", [0, 1, -1, 2])
def test_round(decimals):
    for a in DATA:
        check("round", a, decimals)
        check("around", a, decimals=decimals)


def test_options():
    for a in DATA:
        for options in ({"nan": 1.0}, {"nan": 2, "posinf": 3.0, "neginf": -4}, {"copy": True}):
            check("nan_to_num", a, **options)
        check("angle", a, True)
        check("angle", a, deg=True)
        check("real_if_close", a, tol=1e300)
        check("isclose", a, 1.0, rtol=0.1, equal_nan=True)
    given = np.array([nan, 1.0])
    assert_same(ad.nan_to_num(given, copy=False), np.array([0.0, 1.0]), "never in place")
    assert np.isnan(given[0])


@pytest.mark.parametrize("condition", [True, np.array(False), np.array([0, 2, 1])[:, None, None], [True]])
def test_where(condition):
    for a in DATA:
        for b in (0, 0.5, 1j, np.float32(1), np.array([1, 2])[:, None]):
            check("where", condition, a, b)
            check("where", condition, b, a)


ALIASES = {
    "abs": "absolute",
    "acos": "arccos",
    "acosh": "arccosh",
    "around": "round",
    "asin": "arcsin",
    "asinh": "arcsinh",
    "atan": "arctan",
    "atan2": "arctan2",
    "atanh": "arctanh",
    "bitwise_invert": "invert",
    "bitwise_left_shift": "left_shift",
    "bitwise_not": "invert",
    "bitwise_right_shift": "right_shift",
    "conjugate": "conj",
    "degrees": "rad2deg",
    "mod": "remainder",
    "pow": "power",
    "radians": "deg2rad",
    "true_divide": "divide",
}


def test_other_names_of_an_op_are_that_op():
    for alias, name in ALIASES.items():
        assert getattr(ad, alias) is getattr(ad, name)


def test_operators_on_both_sides():
    x = np.array([-7.5, 3.0])
    for make in (ad.Tensor, lambda a: ad.Tensor(a, requires_grad=False)):
        t = make(x)
        assert_same(divmod(t, 2), divmod(x, 2), "divmod")
        assert_same(divmod(2, t), divmod(2, x), "divmod")
    for q, r in (divmod(ad.Value(-7.5), 2), divmod(-7.5, ad.Value(2.0))):
        assert (q.data, r.data) == (-4, 0.5)
    truths = ad.Tensor([True, False], requires_grad=False)
    assert (truths ^ [True, True]).tolist() == [False, True]
    assert (True ^ truths).tolist() == [False, True]


def test_whole_numbers_to_negative_powers():
    for base, exponent in ((ad.Tensor([2], requires_grad=False), -1), (2, ad.Tensor([-1], requires_grad=False))):
        with pytest.raises(ValueError, match="negative integer powers"):
            base**exponent
        assert ad.float_power(base, exponent).tolist() == [0.5]
    assert ad.reciprocal(ad.Tensor([2], requires_grad=False)).tolist() == [0]


REAL_UNARY = "cbrt ceil deg2rad fabs fix floor isposinf modf rad2deg signbit trunc gelu softplus log_sigmoid"
REAL_BINARY = "arctan2 hypot copysign fmod floor_divide remainder heaviside logaddexp logaddexp2"


def test_complex_numbers_are_refused_where_numpy_refuses_them():
    z = ad.Tensor([1 + 1j])
    for name in REAL_BINARY.split():
        with pytest.raises(TypeError):
            getattr(ad, name)(z, 1.0)
    for name in REAL_UNARY.split():
        with pytest.raises(TypeError):
            getattr(ad, name)(z)


def test_what_has_no_derivative_is_never_tracked():
    t = ad.Tensor([1.0, nan])
    for y in (ad.isnan(t), ad.isclose(t, t), ad.signbit(t), ad.iscomplex(t), ad.logical_xor(t, 0), t == t, t > 0):
        assert isinstance(y, ad.Tensor)
        assert y.dtype == bool
        assert not y.requires_grad
    assert ad.isnan(ad.Value(nan)) is True


def test_real_if_close():
    z = ad.Tensor([1 + 1e-15j, 2.0])
    y = ad.real_if_close(z)
    assert y.dtype == float
    y.sum().backward()
    np.testing.assert_array_equal(z.grad, [1, 1])
    assert ad.real_if_close(z, tol=1e-20) is z
