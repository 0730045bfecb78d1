"""What a derivative is where calculus does not say: the table of conventions, row by row."""

import math
from fractions import Fraction

import numpy as np
import pytest

import autodiff as ad

inf, nan = math.inf, math.nan


def gradient(f, *args, g=1.0):
    """The gradients of ``f`` with the cotangent ``g``, in reverse; those of the forward mode must be the same."""
    args = [np.array(a, dtype=None if np.iscomplexobj(a) else float) for a in args]
    y, pull = ad.vjp(f, *args)
    return [np.asarray(c) for c in pull(np.broadcast_to(np.asarray(g, dtype=np.asarray(y).dtype), np.shape(y)))]


def forward_gradient(f, *args):
    """The gradients of a result with one entry, by one forward sweep for each entry of the arguments."""
    args = [np.array(a, dtype=float) for a in args]
    columns = []
    for k, x in enumerate(args):
        column = np.zeros(x.shape)
        for i in np.ndindex(x.shape):
            tangents = [np.zeros(a.shape) for a in args]
            tangents[k][i] = 1
            column[i] = ad.jvp(f, tuple(args), tuple(tangents))[1]
        columns.append(column)
    return columns


def by_value(f, *args):
    """The gradients of ``f`` on numbers."""
    values = [ad.Value(float(a)) for a in args]
    f(*values).backward()
    return [v.grad for v in values]


def second(f, x, direction=None):
    """The Hessian of ``f``."""
    return ad.hessian(f)(np.array(x, dtype=float))


POWERS = [((0, 0), (0, 0)), ((0, 2), (0, 0)), ((0, 0.5), (inf, 0)), ((-2, 2), (-4, nan))]


@pytest.mark.parametrize(("at", "expected"), POWERS)
@pytest.mark.parametrize("how", [gradient, forward_gradient, by_value])
def test_power(at, expected, how):
    np.testing.assert_array_equal(how(lambda x, y: x**y, *at), expected)


@pytest.mark.parametrize(("p", "slope"), [(0, 0), (1, 1), (0.0, 0), (1.0, 1), (2, 0)])
@pytest.mark.parametrize("how", [gradient, forward_gradient, by_value])
def test_constant_power_at_zero(p, slope, how):
    np.testing.assert_array_equal(how(lambda x: x**p, 0.0), [slope])


@pytest.mark.parametrize(("p", "curvature"), [(0, 0), (1, 0), (2, 2), (3, 0)])
def test_second_derivative_of_a_constant_power_at_zero(p, curvature):
    assert second(lambda x: x**p, 0.0) == curvature
    assert ad.derivative(lambda x: x**p, 0.0, n=2) == curvature


@pytest.mark.parametrize(("p", "slope"), [(0, 0), (1, 1)])
def test_constant_power_of_an_exact_zero(p, slope):
    x = ad.Value(Fraction(0))
    (x**p).backward()
    assert x.grad == slope


@pytest.mark.parametrize("how", [gradient, forward_gradient])
@pytest.mark.parametrize(("op", "x"), [(ad.max, [1, 3, 3]), (ad.min, [5, 2, 2])])
def test_ties_of_an_extreme_are_split(op, x, how):
    np.testing.assert_array_equal(how(op, x), [[0, 0.5, 0.5]])


def test_ties_are_split_along_an_axis():
    (c,) = gradient(lambda x: ad.max(x, axis=1), [[1, 1], [0, 2]])
    np.testing.assert_array_equal(c, [[0.5, 0.5], [0, 1]])


@pytest.mark.parametrize("op", [ad.maximum, ad.minimum])
@pytest.mark.parametrize("how", [gradient, forward_gradient, by_value])
def test_two_equal_numbers_get_half_each(op, how):
    np.testing.assert_array_equal(how(op, 2.0, 2.0), [0.5, 0.5])
    np.testing.assert_array_equal(how(lambda x: op(x, x), 2.0), [1])


@pytest.mark.parametrize("how", [gradient, forward_gradient, by_value])
def test_relu_and_maximum_at_zero(how):
    np.testing.assert_array_equal(how(ad.relu, 0.0), [0])
    np.testing.assert_array_equal(how(lambda x: ad.maximum(x, 0), 0.0), [0.5])


@pytest.mark.parametrize("x", [0.0, 1.0])
@pytest.mark.parametrize("how", [gradient, forward_gradient, by_value])
def test_clip_at_a_bound(x, how):
    np.testing.assert_array_equal(how(lambda x: ad.clip(x, 0, 1), x), [0])
    assert "0" in ad.clip.__doc__.split("bound the derivative is")[1][:3]


@pytest.mark.parametrize("op", [ad.absolute, ad.sign])
@pytest.mark.parametrize("how", [gradient, forward_gradient, by_value])
def test_absolute_and_sign_at_zero(op, how):
    np.testing.assert_array_equal(how(op, 0.0), [0])


@pytest.mark.parametrize("ord", [None, 0, 0.5, 1, 2, 2.5, 3, inf])
def test_norm_of_zero(ord):
    np.testing.assert_array_equal(gradient(lambda x: ad.norm(x, ord), np.zeros(3)), [np.zeros(3)])
    np.testing.assert_array_equal(forward_gradient(lambda x: ad.norm(x, ord), np.zeros(3)), [np.zeros(3)])


def test_norm_of_minus_infinity_of_zero():
    np.testing.assert_array_equal(gradient(lambda x: ad.norm(x, -inf), np.zeros(3)), [np.zeros(3)])


def test_norm_of_a_zero_row_beside_another():
    (c,) = gradient(lambda x: ad.norm(x, axis=1), [[0, 0], [3, 4]])
    np.testing.assert_allclose(c, [[0, 0], [0.6, 0.8]])


def test_infinity_norm_with_ties():
    np.testing.assert_array_equal(gradient(lambda x: ad.norm(x, inf), [3, -3, 1]), [[0.5, -0.5, 0]])


@pytest.mark.parametrize("how", [gradient, by_value])
def test_square_root_of_zero(how):
    np.testing.assert_array_equal(how(ad.sqrt, 0.0), [inf])
    np.testing.assert_array_equal(how(lambda x: 0.0 * ad.sqrt(x), 0.0), [0])


def test_square_root_of_zero_with_a_zero_cotangent():
    np.testing.assert_array_equal(gradient(ad.sqrt, [0.0, 4.0], g=[0.0, 1.0]), [[0, 0.25]])


TRAPS = [
    (ad.sqrt, -1.0),
    (ad.log, 0.0),
    (ad.log, -1.0),
    (lambda x: 1 / x, 0.0),
    (lambda x: x**-2, 0.0),
    (ad.arccos, 2.0),
    (ad.exp, 1e4),
    (lambda x: ad.exp(ad.exp(x)), 1e3),
    (lambda x: ad.log(x) / x, 0.0),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("f", "at"), TRAPS)
@pytest.mark.parametrize("how", [gradient, forward_gradient])
def test_the_branch_not_taken_gets_nothing(f, at, how):
    np.testing.assert_array_equal(how(lambda x: ad.where(x == at, 3.0 * x, f(x)), at), [3])
    np.testing.assert_array_equal(how(lambda x: ad.where(x != at, f(x), 3.0 * x), at), [3])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_branch_not_taken_gets_nothing_at_second_order():
    assert second(lambda x: ad.where(x > 0, ad.log(x), x * x), 0.0) == 2


@pytest.mark.parametrize("how", [gradient, forward_gradient])
def test_logsumexp_fully_masked(how):
    np.testing.assert_array_equal(how(ad.logsumexp, [-inf, -inf]), [[0, 0]])


def test_softmax_masked():
    (c,) = gradient(ad.softmax, [-inf, 0.0, 0.0], g=[1.0, 2.0, 4.0])
    np.testing.assert_allclose(c, [0, -0.5, 0.5])
    (c,) = gradient(ad.logsumexp, [-inf, 0.0, 0.0])
    np.testing.assert_allclose(c, [0, 0.5, 0.5])


def test_log_softmax_does_not_overflow():
    np.testing.assert_array_equal(gradient(ad.log_softmax, [1000.0, 0.0], g=[0.0, 1.0]), [[-1, 1]])
    np.testing.assert_array_equal(ad.log_softmax([1000.0, 0.0]), [0, -1000])


@pytest.mark.parametrize(
    ("op", "at", "slope"), [(ad.log_sigmoid, -1000.0, 1), (ad.softplus, 0.0, 0.5), (ad.arcsinh, 0.0, 1)]
)
@pytest.mark.parametrize("how", [gradient, forward_gradient, by_value])
def test_slopes_that_overflow_or_cancel(op, at, slope, how):
    np.testing.assert_array_equal(how(op, at), [slope])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_zero_times_the_logarithm_of_zero():
    y, p = np.array([0.0, 1.0]), ad.Tensor([0.0, 0.5])
    ad.sum(-(y * ad.log(p))).backward()
    np.testing.assert_array_equal(p.grad, [0, -2])


@pytest.mark.parametrize("how", [gradient, forward_gradient])
def test_product_with_zeros(how):
    np.testing.assert_array_equal(how(ad.prod, [2, 0, 3]), [[0, 6, 0]])
    np.testing.assert_array_equal(how(ad.prod, [0, 5, 0]), [[0, 0, 0]])


def test_second_derivative_of_a_product_with_two_zeros():
    np.testing.assert_array_equal(second(ad.prod, [0, 5, 0]), [[0, 0, 5], [0, 0, 0], [5, 0, 0]])


@pytest.mark.parametrize("how", [gradient, forward_gradient])
def test_standard_deviation_of_a_constant(how):
    np.testing.assert_array_equal(how(ad.std, [2.0, 2.0, 2.0]), [[0, 0, 0]])


@pytest.mark.filterwarnings("ignore:Degrees of freedom|invalid value:RuntimeWarning")
@pytest.mark.parametrize("op", [ad.std, ad.var])
def test_spread_of_one_number_without_degrees_of_freedom(op):
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(gradient(lambda x: op(x, ddof=1), [2.0]), [[nan]])


def test_repeated_indices_accumulate():
    (c,) = gradient(lambda x: x[[0, 0, 2]], [5.0, 6.0, 7.0], g=[1.0, 2.0, 4.0])
    np.testing.assert_array_equal(c, [3, 0, 4])
    (c,) = gradient(lambda x: x[np.array([-1, 2])], [5.0, 6.0, 7.0])
    np.testing.assert_array_equal(c, [0, 0, 2])


def test_einsum_trace_diagonal_and_size_one_broadcast():
    x = np.arange(9.0).reshape(3, 3)
    np.testing.assert_array_equal(gradient(lambda x: ad.einsum("ii->", x), x), [np.eye(3)])
    np.testing.assert_array_equal(gradient(lambda x: ad.einsum("ii->i", x), x, g=[1.0, 2.0, 3.0]), [np.diag([1, 2, 3])])
    a, b = np.arange(6.0).reshape(2, 3), np.arange(1.0, 5.0).reshape(1, 4)
    c = gradient(lambda a, b: ad.einsum("ij,jk->ik", a, b), a, b)
    np.testing.assert_array_equal(c[0], np.full((2, 3), 10.0))
    np.testing.assert_array_equal(c[1], np.full((1, 4), 15.0))
    np.testing.assert_array_equal(ad.einsum("ij,jk->ik", ad.Tensor(a), b).data, np.einsum("ij,jk->ik", a, b))


def test_broadcast_operands_keep_their_own_shapes():
    c = gradient(lambda a, b, s: (a + b) * s, np.ones(3), np.ones((3, 1)), 2.0)
    np.testing.assert_array_equal(c[0], np.full(3, 6.0))
    np.testing.assert_array_equal(c[1], np.full((3, 1), 6.0))
    np.testing.assert_array_equal(c[2], 18.0)


SHAPES = [
    ((3,), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((4, 1, 2, 3), (5, 3, 2)),
]


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_matmul_is_numpys_in_every_combination_of_dimensions(a, b, rng):
    a, b = rng.normal(size=a), rng.normal(size=b)
    y = ad.Tensor(a) @ ad.Tensor(b)
    np.testing.assert_array_equal(y.data, a @ b)
    g = rng.normal(size=y.shape)
    along = [rng.normal(size=a.shape), rng.normal(size=b.shape)]
    c = gradient(lambda a, b: a @ b, a, b, g=g)
    assert np.sum(c[0] * along[0]) == pytest.approx(np.sum(g * (along[0] @ b)))
    assert np.sum(c[1] * along[1]) == pytest.approx(np.sum(g * (a @ along[1])))


VIEWS = [
    np.arange(6.0)[::-1],
    np.arange(12.0).reshape(3, 4).T,
    np.arange(12.0).reshape(3, 4)[::2, 1::2],
    np.zeros((0, 3)),
    np.array(2.0),
]


@pytest.mark.parametrize("x", VIEWS, ids=["reversed", "transposed", "strided", "empty", "0-d"])
def test_views_and_small_shapes_are_as_any_other(x):
    t = ad.Tensor(x)
    (ad.sin(t) * t).sum().backward()
    np.testing.assert_allclose(t.grad, np.cos(x) * x + np.sin(x))
    assert t.grad.shape == x.shape


@pytest.mark.parametrize("op", [ad.arctan2, ad.hypot])
@pytest.mark.parametrize("how", [gradient, forward_gradient, by_value])
def test_angle_and_length_at_the_origin(op, how):
    np.testing.assert_array_equal(how(op, 0.0, 0.0), [0, 0])


@pytest.mark.parametrize("how", [gradient, forward_gradient, by_value])
def test_slope_of_the_inverse_cosine_at_one(how):
    np.testing.assert_array_equal(how(ad.arccos, 1.0), [-inf])


def test_single_precision():
    x = ad.Tensor(np.float32([1, 2]))
    y = 2.0 * x + 1 - x / 3.0
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float32
    wide = x * np.array([1.0, 2.0])
    assert wide.dtype == np.float64
    x.grad = None
    wide.sum().backward()
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize("data", [[1, 2], True, np.array([1, 2], dtype=np.uint8)])
def test_whole_numbers_and_truth_values_are_no_leaves(data):
    with pytest.raises(TypeError, match="which has no derivative"):
        ad.Tensor(data)
    ad.Tensor(data, requires_grad=False)
    with pytest.raises(TypeError, match="which has no derivative"):
        ad.Tensor(data, requires_grad=False).requires_grad = True


def test_a_bool_value_is_no_leaf():
    with pytest.raises(TypeError, match="Value was asked to track a bool"):
        ad.Value(True)


def test_complex_gradients_point_uphill():
    assert ad.grad(lambda z: ad.absolute(z) ** 2)(3 + 4j) == pytest.approx(6 + 8j)
    np.testing.assert_allclose(ad.grad(lambda z: (ad.absolute(z) ** 2).sum())(np.array([3 + 4j])), [6 + 8j])
    np.testing.assert_allclose(ad.grad(lambda z: ad.real(z * ad.conj(z)))(np.array(3 + 4j)), 6 + 8j)
    z = ad.Value(3 + 4j)
    (abs(z) ** 2).backward()
    assert z.grad == pytest.approx(6 + 8j)


def test_two_leaves_of_one_sum_own_their_gradients():
    a, b = ad.Tensor(np.ones(3)), ad.Tensor(np.ones(3))
    (a + b).backward(np.ones(3))
    a.grad[0] = 7
    np.testing.assert_array_equal(b.grad, np.ones(3))


@pytest.mark.parametrize("make", [ad.Value, ad.Tensor])
def test_a_diamond_differentiated_twice(make):
    a = make(3.0)
    b = a + a
    c = b * b
    c.backward()
    assert a.grad == 24
    c.backward()
    assert a.grad == 48
    assert b.grad == 12


def test_losses_of_two_shapes():
    with pytest.raises(ValueError, match=r"\(4,\).*\(4, 1\)"):
        ad.mean_squared_error(ad.Tensor(np.ones(4)), np.ones((4, 1)))


@pytest.mark.parametrize("normalise", [ad.softmax, ad.log_softmax])
def test_a_fully_masked_row_that_is_not_used_gets_0(normalise):
    x = np.array([[-inf, -inf], [1.0, 2.0]])
    used = np.array([[False], [True]])
    f = lambda x: ad.where(used, normalise(x), 0.0)[:, 0].sum()  # noqa: E731
    with np.errstate(invalid="ignore"):
        by_pull = ad.grad(f)(x)
        by_push = [ad.jvp(f, (x,), (np.eye(4)[k].reshape(2, 2),))[1] for k in range(4)]
    assert np.array_equal(by_pull[0], [0, 0])
    assert np.all(by_pull[1] != 0)
    np.testing.assert_allclose(np.ravel(by_push), by_pull.ravel(), rtol=1e-14)


def test_logaddexp_of_minus_infinities_is_0():
    assert [float(c) for c in gradient(ad.logaddexp, -inf, -inf)] == [0, 0]
    assert [float(c) for c in gradient(ad.logaddexp, -inf, 1.0)] == [0, 1]
    assert by_value(ad.logaddexp, -inf, 1.0) == [0, 1]


def test_cube_root_at_0_is_infinitely_steep():
    assert gradient(ad.cbrt, 0.0)[0] == inf
    assert gradient(ad.cbrt, 0.0, g=0.0)[0] == 0


def test_a_power_of_0_is_flat_everywhere():
    assert np.array_equal(gradient(lambda x: x**0, [inf, nan, 0.0, 2.0])[0], [0, 0, 0, 0])


def test_the_slope_of_a_remainder_is_that_of_its_own_quotient():
    """1 / 0.1 rounds to 10, but 0.1 goes into 1 only 9 times."""
    assert gradient(ad.remainder, 1.0, 0.1)[1] == -(1.0 // 0.1) == -9
    assert by_value(ad.remainder, 1.0, 0.1)[1] == -9


NOT_USED = {
    "matmul": lambda x, m: (x @ m).sum(axis=-1),
    "vector": lambda x, m: x @ m[:, 0],
    "affine": lambda x, m: (x @ m + np.ones(2)).sum(axis=-1),
    "einsum": lambda x, m: ad.einsum("ij,jk->i", x, m),
    "outer": lambda x, m: (x[:, :, None] * m).sum(axis=(1, 2)),
}


@pytest.mark.parametrize("f", NOT_USED.values(), ids=NOT_USED)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_of_a_product_that_are_not_used_do_not_spoil_the_others(f, bad):
    """A zero cotangent meets the nan or inf of its own row inside a contraction, and wins there too."""
    x = np.array([[1.0, 2.0], [bad, 3.0]])
    m = np.array([[1.0, -1.0], [0.5, 4.0]])
    used = np.array([True, False])

    def loss(x, m):
        return ad.where(used, f(x, m), 0.0).sum()

    with np.errstate(invalid="ignore"):
        by_x, by_m = ad.grad(loss, argnums=(0, 1))(x, m)
        clean_x, clean_m = ad.grad(loss, argnums=(0, 1))(np.array([[1.0, 2.0], [0.0, 3.0]]), m)
    assert np.array_equal(by_x, clean_x)
    assert np.array_equal(by_m, clean_m)


def test_an_infinite_weight_still_counts_where_it_is_used():
    m = np.array([[np.inf, 1.0], [2.0, 3.0]])
    g = ad.grad(lambda x: (x @ m)[:, 0].sum())(np.ones((1, 2)))
    assert np.array_equal(g, [[np.inf, 2.0]])


def test_sinc_at_zero():
    for order, expected in enumerate([1.0, 0.0, -(math.pi**2) / 3, 0.0]):
        assert ad.derivative(ad.sinc, 0.0, n=order) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("x", "slopes", "hessian"),
    [
        ([2, 0, 3], [1, 8, 0], [[0, 4, 0], [4, 0, 2], [0, 2, 0]]),
        ([0, 0, 3], [1, 0, 0], [[0, 4, 0], [4, 0, 0], [0, 0, 0]]),
    ],
)
def test_cumprod_with_zeros(x, slopes, hessian):
    f = lambda x: ad.cumprod(x).sum()  # noqa: E731
    np.testing.assert_array_equal(gradient(f, x)[0], slopes)
    np.testing.assert_array_equal(forward_gradient(f, x)[0], slopes)
    np.testing.assert_array_equal(second(f, x), hessian)


def test_sorting_is_a_stable_permutation():
    x = [2.0, 1.0, 2.0, 1.0]
    np.testing.assert_array_equal(ad.argsort(ad.Tensor(x)).data, [1, 3, 0, 2])
    np.testing.assert_array_equal(gradient(ad.sort, x, g=[10, 20, 30, 40])[0], [30, 10, 40, 20])


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([3, 1, 2], [0, 0, 1]),
        ([1, 2, 2, 5], [0, 0.5, 0.5, 0]),
        ([2, 2, 2], [1 / 3] * 3),
        ([4, 1, 2, 8], [0.5, 0, 0.5, 0]),
    ],
)
def test_the_median_is_split_among_ties(x, expected):
    np.testing.assert_allclose(gradient(ad.median, x)[0], expected)
    np.testing.assert_allclose(forward_gradient(ad.median, x)[0], expected)


def test_a_stride_that_does_not_divide_is_floored():
    x, w = np.arange(7.0).reshape(1, 1, 7), np.ones((1, 1, 2))
    assert ad.conv1d(x, w, stride=3).shape == (1, 1, 2)
    np.testing.assert_array_equal(gradient(lambda x: ad.conv1d(x, w, stride=3), x)[0], [[[1, 1, 0, 1, 1, 0, 0]]])


def test_of_repeated_indices_the_last_write_wins():
    def f(x, v):
        y = x * 1
        y[[0, 0]] = v
        return y

    x, v = [1.0, 2.0], [5.0, 6.0]
    np.testing.assert_array_equal(f(*map(ad.Tensor, (x, v))).data, [6, 2])
    for c, expected in zip(gradient(f, x, v), ([0, 1], [0, 1])):
        np.testing.assert_array_equal(c, expected)
