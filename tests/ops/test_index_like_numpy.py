"""What indexes, sorts, chooses and makes grids gives what NumPy gives: values, dtypes, shapes, and types of errors."""

import itertools
import warnings

import numpy as np
import pytest

import autodiff as ad
from autodiff.core import tree
from autodiff.core.node import data_of

A = np.array
F4 = np.float32
X = np.arange(6.0).reshape(2, 3) + 0.5
TIES = A([3.0, 1, 2, 1, 3, np.nan, 2])
CUBE = np.random.default_rng(0).integers(0, 9, (2, 3, 4)).astype(float)


def outcome(f):
    """What a call returns, what it raises, and whether it warns."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            return f(), None, bool(seen)
        except Exception as error:
            return None, error, False


def as_tensors(x):
    if isinstance(x, np.ndarray):
        return ad.Tensor(x, requires_grad=x.dtype.kind in "fc")
    return type(x)(map(as_tensors, x)) if isinstance(x, list | tuple) else x


def check_against_numpy(name, args, options, tolerance=0, in_place=False):
    """A function of NumPy, ours of plain arrays, ours of tensors, and NumPy's of tensors agree."""

    def theirs():
        if not in_place:
            return getattr(np, name)(*args, **options)
        a = np.array(args[0])
        getattr(np, name)(a, *args[1:], **options)
        return a

    ours = getattr(ad, name)
    given, keywords = as_tensors(list(args)), {k: as_tensors(v) for k, v in options.items()}
    calls = [lambda: ours(*args, **options), lambda: ours(*given, **keywords)]
    if not in_place and any(isinstance(a, ad.Tensor) for a in tree.flatten(given)) and name not in ("ix_", "lexsort"):
        calls.append(lambda: getattr(np, name)(*given, **keywords))
    expected, error, warned = outcome(theirs)
    for call in calls:
        found, raised, warned_too = outcome(call)
        about = f"{name}{args} {options}"
        if error is not None:
            kinds = [k for k in (np.exceptions.AxisError, IndexError, ValueError, TypeError) if isinstance(error, k)]
            assert isinstance(raised, kinds[0]), f"{about}: {raised!r} for {error!r}, returned {found!r}"
            continue
        assert raised is None, f"{about}: {raised!r}"
        assert warned or not warned_too, f"{about} warns"
        for y, z in zip(tree.flatten(found), tree.flatten(expected), strict=True):
            y, z = np.asarray(data_of(y)), np.asarray(z)
            assert (y.dtype, y.shape) == (z.dtype, z.shape), about
            np.testing.assert_allclose(y, z, rtol=tolerance, atol=tolerance, err_msg=about)


def product(*lists, **options):
    """Every combination of arguments, with every combination of options."""
    for args in itertools.product(*lists):
        for values in itertools.product(*options.values()):
            yield args, {k: v for k, v in zip(options, values, strict=True) if v is not ...}


def times_ten(v, a=10.0):
    return v * a


INDICES = [0, [0, 0], A([[1], [0]]), A([True, False]), [], A([], float), A([1.0]), A([1], np.uint8), 7, -7, True]
ARRAYS = [X, X.astype(F4).T, A(5.0), 1j * X, [1.0, 2.0], 5.0, A([1, 2, 3])]
AXES = [..., 0, 1, -1, None, 2]
PLACES = [
    0,
    -1,
    2,
    9,
    [1, 0],
    [0, 0],
    A([True, False]),
    [],
    A([], float),
    slice(None, None, -1),
    slice(5, 2),
    1.5,
    [[0]],
]
VALUES = [9.0, [7.0, 8], A([[5], [6.0]]), A([7.0, 8, 9], F4)]
CONDITIONS = [[1, 0, 1], [True], [], [0, 0, 1, 1], A([1.5, 0]), [[1]], True]
CHOICES = [[1.0, 2.0], [X, X * 2], [A([1.0, 2]), A(3.0)], [np.ones(2, F4), 2.0], X, [A([1, 2]), 1.5], [], 5.0, [1, 2j]]
CASES = {
    "take": [
        *product(ARRAYS, INDICES, axis=AXES),
        *product([X, np.zeros((0, 2))], INDICES, axis=[None, 1], mode=["wrap", "clip", "odd"]),
    ],
    "take_along_axis": product(
        [X],
        [A([[0, 0]]), A([[2], [1]]), A([0, 1]), A([[5]]), A([[-1]])],
        axis=[..., 0, -1, None],
    ),
    "compress": product(CONDITIONS, [X, X[0], A(5.0), 5.0, X.T * 1j], axis=AXES),
    "extract": product(CONDITIONS, [X, A(5.0), X.T * 1j]),
    "choose": product(
        [[0, 1], A([[0], [1]]), 1, A([True, False]), [0, 3], A([0.0, 1])], CHOICES, mode=[..., "wrap", "clip"]
    ),
    "select": [
        ([[X > 2], [X]], {}),
        ([[X > 2, X < 1], [X, X * 2], -1.0], {}),
        ([[X > 2], [X], A([1.0, 2, 3])], {}),
        ([[True], [1], 2], {}),
        ([[A([1, 0])], [1.0]], {}),
        ([[], []], {}),
        ([[X > 2], [X, X]], {}),
        ([[X > 2, A([True, False, False])], [A(1.0, F4), 3.5]], {"default": 2}),
        ([[X > 2], [A([1, 2, 3]) * 1j], X], {}),
        ([[X > 2], [A([1, 2])], X], {}),
    ],
    "insert": product([X, A([1.0, 2], F4), A([1, 2]), 5.0], PLACES, VALUES, axis=[None, 0, -1]),
    "delete": product([X, A([1.0, 2], F4), 5.0, np.zeros((0, 2))], PLACES, axis=AXES),
    "append": product([A([1]), X, 1.0, A([1.0], F4)], [[[2.0, 3, 4]], [2.0], 1.5, X], axis=[..., 0, -1]),
    "ix_": [([[0, 1], [True, False]], {}), ([], {}), ([[[1]]], {}), ([[]], {}), ([A([0, 2]), A([True, True])], {})],
    "isin": product([5, X], [[5], A([[2.5, 0.5]])], invert=[..., True], kind=[..., "sort"]),
    "trim_zeros": product(
        [A([0, 1.0, 0, 2, 0]), np.zeros((2, 2)), np.pad(X, 1), A(5.0), [0, 1.0, 0], np.zeros(0)],
        ["fb", "f", "B", "x"],
        axis=[..., 0, (0, 1), 2],
    ),
    "piecewise": [
        ([X, [X > 2], [times_ten]], {}),
        ([X, [X > 2, X < 1], [times_ten, 1.0]], {}),
        ([X, [X > 2, X < 5], [times_ten, times_ten, 3.0]], {}),
        ([X, [X > 2], [times_ten] * 3], {}),
        ([X, X > 2, [times_ten, 0]], {}),
        ([A([1.0, 2]), A([True, False]), [9]], {}),
        ([5.0, [True, False], [1, 2]], {}),
        ([A(5.0), A([True, False]), [times_ten, 2]], {}),
        ([A([1, 2]), [A([True, False])], [lambda v: v + 0.7]], {}),
        ([A([1.0, 2]), [[1, 0]], [times_ten], 3.0], {}),
        ([A([1.0, 2]), [[1, 0]], [times_ten]], {"a": 3.0}),
        ([np.zeros((0, 2)), [np.zeros((0, 2), bool)], [times_ten]], {}),
    ],
    "apply_along_axis": product(
        [np.sum, times_ten, lambda r: r[:, None] * r, lambda r: 1, lambda r: r[:0]],
        [0, -1, 1, 2],
        [X, CUBE, np.zeros((0, 2)), A([1.0, 2], F4), A(3.0)],
    ),
    "apply_over_axes": product([np.sum, np.cumsum], [CUBE], [0, -1, (0, 1), [1, -1], (0, 5)]),
    "sort": product(
        [X[::-1], TIES, CUBE, CUBE.astype(F4), 1j * CUBE, A(5.0), [3, 1, 2.0]], axis=AXES, kind=[..., "stable", "odd"]
    ),
    "argsort": product([X[::-1], TIES, CUBE, 1j * CUBE, A(5.0)], axis=AXES, kind=["stable"]),
    "partition": product([X[::-1], TIES, CUBE, A(5.0)], [0, -1, (0, 1), 99, 1.5], axis=[..., 0, None, 4]),
    "argpartition": product([X[::-1], CUBE], [0, -1, (0, 1), 99], axis=[..., 0, None, 4]),
    **{
        name: [([a], {}) for a in (X > 2, CUBE, TIES, A([True]), A(5.0))]
        for name in ("nonzero", "argwhere", "flatnonzero", "sort_complex")
    },
    "searchsorted": product(
        [A([1.0, 2, 3]), [1, 2, 3], np.zeros(0), X], [2.0, X, A([]), np.nan], side=[..., "right", "odd"]
    ),
    "digitize": product([2.0, X, A([])], [A([1.0, 2, 3]), A([3.0, 2, 1]), [1.0, 3, 2], X], right=[..., True]),
    "bincount": product(
        [[0, 1, 1], A([2, 2]), [], A([], float), [0.5], [True, False], [-1], [[0]], A([1], np.uint8)],
        weights=[..., [1.0, 2, 3], A([1.0, 2], F4), A([1j, 2]), [5]],
        minlength=[..., 5, -1],
    ),
    "lexsort": product([(X[0], X[1]), ([1, 1, 0], [0, 1, 2]), (CUBE, -CUBE), (A([1, 2]), A([1]))], axis=[..., 0, 5]),
    "linspace": [
        *product(
            [0.0, A(2.0), A([[1.0], [2]], F4), 1j, A([1, 2], np.int8)],
            [-3, A([2.0, 4]), A(5, F4)],
            num=[3, 1, 0],
            axis=[..., -1],
            retstep=[..., True],
        ),
        ([X, 1, -1], {}),
        ([X, 1, 2.0], {}),
        ([X, 1, 2], {"axis": 4}),
        ([X, -1, 3], {"dtype": int, "endpoint": False}),
    ],
    "meshgrid": product(
        [A([1.0, 2, 3]), 5.0, A([[1.0, 2], [3, 4]], F4)],
        [A([4, 5]), np.zeros(0), 1j],
        sparse=[..., True],
        indexing=[..., "ij", "odd"],
    ),
    "vander": product(
        [A([1.0, 2, 3]), A([1, 2], np.int8), A([1.0, 2], F4), [1j, 2], np.zeros(0), A(1.0)],
        [None, 0, 1, 5, -1],
        increasing=[..., True],
    ),
    "indices": [([(2, 3)], {}), ([(2,), float], {}), ([(2, 3)], {"sparse": True})],
    "polyadd": product(
        [A([1.0, 2, 3]), A([1, 2]), A([1.0, 2], F4), [1j], 5.0], [A([1.0, 2]), [1, 2, 3, 4], A(2.0, F4), A([])]
    ),
    "polyder": product([A([1.0, 2, 3]), A([1, 2]), A([1.0, 2], F4)], [0, 1, 2, 5, -1]),
    "polyint": product([A([1.0, 2, 3]), A([1, 2]), A([1.0, 2], F4)], [0, 1, 2, -1], k=[..., 1.0, [1.0, 2], []]),
    "polyval": product([A([1.0, 2, 3]), [1, 2], A([1j, 2]), A([], F4)], [2.0, X, A([1, 2]), A([1.0], F4)]),
}
CASES["polysub"] = CASES["polyadd"] = list(CASES["polyadd"])
NEAR = {
    "logspace": product(
        [0.0, A([0.0, 1])], [2.0, A([2.0, 1], F4)], num=[3, 0], base=[..., 2, A([2.0, 3]), 1j], axis=[..., -1]
    ),
    "geomspace": product(
        [1.0, A([1.0, 2]), -1, 1j, 0.0, A([3.0], F4)],
        [8.0, A([4.0, 1]), -2.0],
        num=[4, 1, 0, -1],
        endpoint=[..., False],
        axis=[..., -1],
    ),
    "interp": product(
        [A([0.0, 0.5, 1, 3, -1, np.nan]), A([[0.2, 2.7]], F4), np.zeros((0, 2))],
        [A([0.0, 1, 3]), A([0, 1, 1]), A([[0.0, 1]])],
        [A([1.0, -1, 4]), [1, 2, 3], A([1j, 2, 3]), A([1.0, np.inf, 2]), A([-np.inf, -np.inf, 0]), [1.0, 2]],
        left=[..., -5],
        period=[..., 2.5, 0],
    ),
    "polymul": product([A([1.0, 2, 3]), A([0.0, 0, 1]), [0.0, 0], 2.0, A([]), X], [A([1.0, 2], F4), [0, 1j], 3]),
    "polydiv": product([A([1.0, 2, 3]), A([2.0, 0, 1, 5], F4), [1, 2]], [A([1.0, 2], F4), [2, 1j, 1], 3.0]),
    "poly": [([a], {}) for a in (A([1.0, 2, 3]), [1, 2], A([1 + 1j, 1 - 1j]), A([1j, 2]), [], A([2.0], F4))],
    "roots": [([a], {}) for a in (A([1.0, -3, 2]), A([0, 1.0, 2, 3, 0, 0]), [1, 2], A([0.0, 0]), A([1j, 2, 1]), X)],
}
IN_PLACE = {
    "put_along_axis": product([X], [A([[0, 0]]), A([[2], [1]]), A([0, 1])], [9.0, [[1.0], [2]], X], [0, -1, None]),
    "put": product(
        [X, A([1, 2])],
        [0, [0, 0], A([[1], [0]]), [], A([0.0]), 9],
        [9.0, [7, 8], [], A([1.5, 2, 3])],
        mode=[..., "wrap", "clip"],
    ),
    **{
        name: product(
            [X, X.astype(F4), np.arange(6)],
            [X > 2, np.arange(6) % 2, [True]],
            [9.0, [7, 8], [], A([1.5, 2]), A([1j])],
        )
        for name in ("place", "putmask")
    },
}


@pytest.mark.parametrize("name", sorted({*CASES, *NEAR, *IN_PLACE}))
def test_values_and_errors(name):
    in_place, tolerance = name in IN_PLACE, 1e-6 if name in NEAR else 0
    for args, options in {**CASES, **NEAR, **IN_PLACE}[name]:
        check_against_numpy(name, args, options, tolerance, in_place)
