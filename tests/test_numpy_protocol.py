"""NumPy's functions record the package's rules."""

import numpy as np
import pytest

import autodiff as ad

A = np.array([[0.2, 0.5, 0.7], [0.4, 0.3, 0.9]])
FUNCTIONS = {
    "sin": np.sin,
    "exp": np.exp,
    "abs": np.abs,
    "power": lambda t: np.power(t, 3),
    "add": lambda t: np.add(1, t),
    "maximum": lambda t: np.maximum(t, 0.45),
    "where": lambda t: np.where(A > 0.4, t, 2 * t),
    "concatenate": lambda t: np.concatenate([t, A, t]),
    "concat": lambda t: np.concatenate([t, t], axis=1),
    "stack": lambda t: np.stack([t, A], axis=-1),
    "sum": np.sum,
    "sum of an axis": lambda t: np.sum(t, axis=0, keepdims=True),
    "mean": lambda t: np.mean(t, axis=1),
    "max": np.max,
    "amax": np.amax,
    "prod": np.prod,
    "std": lambda t: np.std(t, ddof=1),
    "var": np.var,
    "cumsum": lambda t: np.cumsum(t, axis=1),
    "reshape": lambda t: np.reshape(t, (3, 2)),
    "transpose": np.transpose,
    "swapaxes": lambda t: np.swapaxes(t, 0, 1),
    "moveaxis": lambda t: np.moveaxis(t, 0, -1),
    "squeeze": np.squeeze,
    "expand_dims": lambda t: np.expand_dims(t, 1),
    "flip": np.flip,
    "ravel": np.ravel,
    "repeat": lambda t: np.repeat(t, 2, axis=1),
    "tile": lambda t: np.tile(t, (2, 1)),
    "pad": lambda t: np.pad(t, 1),
    "pad edge": lambda t: np.pad(t, 1, mode="edge"),
    "split": lambda t: np.split(t, 2)[1],
    "take": lambda t: np.take(t, [0, 0], axis=1),
    "take_along_axis": lambda t: np.take_along_axis(t, np.array([[0], [2]]), axis=1),
    "broadcast_to": lambda t: np.broadcast_to(t, (4, 2, 3)),
    "clip": lambda t: np.clip(t, 0.35, 0.65),
    "matmul": lambda t: np.matmul(t, A.T),
    "dot": lambda t: np.dot(A.T, t),
    "outer": lambda t: np.outer(t, A),
    "einsum": lambda t: np.einsum("ij,kj->ik", t, A),
    "norm": np.linalg.norm,
    "array @": lambda t: A.T @ t,
    "array *": lambda t: A * t,
    "array -": lambda t: A - t,
    "array /": lambda t: A / t,
    "array **": lambda t: A**t,
    "scalar *": lambda t: np.float64(2) * t,
    "add.reduce": lambda t: np.add.reduce(t, axis=1),
    "add.reduce default": np.add.reduce,
    "multiply.reduce": lambda t: np.multiply.reduce(t, axis=0),
    "maximum.reduce": lambda t: np.maximum.reduce(t, axis=1),
    "minimum.reduce": lambda t: np.minimum.reduce(t, axis=(0, 1)),
}


@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_numpys_functions_record(f, rng):
    t = ad.Tensor(A)
    y = f(t)
    assert isinstance(y, ad.Tensor)
    assert y.requires_grad
    np.testing.assert_allclose(y.data, f(A), rtol=1e-14)
    g, v, h = rng.normal(size=y.shape), rng.normal(size=A.shape), 1e-6
    y.backward(g)
    numeric = np.sum(g * (f(A + h * v) - f(A - h * v))) / (2 * h)
    assert np.sum(t.grad * v) == pytest.approx(numeric, rel=1e-6, abs=1e-8)


def test_scipys_functions_record():
    special = pytest.importorskip("scipy.special")
    t = ad.Tensor(A)
    special.expit(t).sum().backward()
    np.testing.assert_allclose(t.grad, special.expit(A) * special.expit(-A))
    np.testing.assert_allclose(special.erf(t).data, special.erf(A))


def test_numpys_functions_on_values():
    x = ad.Value(0.5)
    y = np.sin(x) * np.float64(2)
    y.backward()
    assert x.grad == pytest.approx(2 * np.cos(0.5))
    z = np.array([1.0, 2.0]) * x
    assert isinstance(z, ad.Tensor)


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda t: np.emath.sqrt(t), "np.emath.sqrt"),
        (lambda t: np.emath.arccos(t), "np.emath.arccos"),
    ],
)
def test_a_function_without_a_rule_says_so(f, name):
    with pytest.raises(TypeError, match=f"{name} has no rule, so its derivative is not known"):
        f(ad.Tensor(A))


def test_a_function_without_a_rule_takes_untracked_tensors():
    t = ad.Tensor(A, requires_grad=False)
    np.testing.assert_array_equal(np.heaviside(t, 0), np.heaviside(A, 0))
    np.testing.assert_array_equal(np.unwrap(t), np.unwrap(A))


def test_other_methods_of_a_ufunc_say_so():
    with pytest.raises(TypeError, match=r"np\.subtract\.accumulate has no rule"):
        np.subtract.accumulate(ad.Tensor(A))
    with pytest.raises(TypeError, match=r"np\.add\.reduceat has no rule"):
        np.add.reduceat(ad.Tensor(A), [0, 1])


def test_writing_into_a_tensor_or_an_array_says_so():
    t, a = ad.Tensor(A), A.copy()
    with pytest.raises(TypeError, match=r"with a tensor as out=.*a = a \+ t"):
        np.add(A, A, out=t)
    with pytest.raises(TypeError, match=r"out"):
        np.add(A, t, out=a)
    with pytest.raises(TypeError, match=r"out"):
        a += t
    np.testing.assert_array_equal(a, A)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"where": A > 0.3}, r"add got where=.*Use ad.where"),
        ({"dtype": int}, r"Cannot cast ufunc 'add' input 0 from"),
        ({"signature": "dd->d"}, r"add got signature="),
        ({"colour": 1}, r"colour"),
    ],
)
def test_options_that_are_not_recorded_say_so(kwargs, message):
    for add in (np.add, ad.add):
        with pytest.raises(TypeError, match=message):
            add(ad.Tensor(A), 1, **kwargs)


def test_functions_that_write_into_their_argument_are_recorded():
    x = ad.Tensor(A)
    t = x * 1.0
    np.fill_diagonal(t, 5.0)
    np.put(t, [1], [7.0])
    np.putmask(t, t.data > 6, 8.0)
    assert t.tolist() == [[5, 8, 0.7], [0.4, 5, 0.9]]
    t.sum().backward()
    np.testing.assert_array_equal(x.grad, [[0, 0, 1], [1, 0, 1]])
    with pytest.raises(ad.errors.TapeError, match="it is a leaf"):
        np.fill_diagonal(x, 1.0)


def test_a_dtype_converts_the_inputs():
    t = ad.Tensor(A)
    y = np.add(t, A, dtype=np.float32)
    assert y.dtype == np.float32
    y.sum().backward()
    assert t.grad.dtype == np.float64


def test_questions_without_derivative_are_answered():
    t = ad.Tensor(A)
    assert np.shape(t) == A.shape
    assert np.ndim(t) == 2
    assert np.size(t) == 6
    assert np.size(t, 0) == 2
    assert np.allclose(t, A)
    assert np.array_equal(t, A)
    assert np.result_type(t, np.float32) == np.float64
    assert not np.iscomplexobj(t)
    for make in (np.zeros_like, np.ones_like):
        assert isinstance(make(t), np.ndarray)
    np.testing.assert_array_equal(np.full_like(t, 3), np.full_like(A, 3))


def test_comparisons_and_positions():
    t = ad.Tensor(A)
    assert not np.greater(t, 0.3).requires_grad
    np.testing.assert_array_equal(np.asarray(A < t), np.zeros_like(A))  # noqa: SIM300 - array first
    np.testing.assert_array_equal(np.asarray(np.argmax(t, axis=1)), np.argmax(A, axis=1))
    np.testing.assert_array_equal(np.asarray(np.isfinite(t)), True)


def test_a_function_that_only_shares_its_name_with_an_op_is_not_taken_for_it():
    """np.emath.sqrt(-1) is 1j, np.sqrt(-1) is nan."""
    with pytest.raises(ad.errors.UnsupportedError, match=r"np\.emath\.sqrt"):
        np.emath.sqrt(ad.Tensor([-1.0]))
    assert np.emath.sqrt(ad.Tensor([-1.0], requires_grad=False))[0] == 1j
    assert np.where(ad.Tensor([1.0, -2.0]) < 0)[0].tolist() == [1]


def test_conjugate_by_its_numpy_name():
    assert np.conj(ad.Tensor([1 + 2j])).tolist() == [1 - 2j]


def test_an_array_changed_in_place_by_a_tensor():
    a = np.ones(2)
    with pytest.raises(ad.errors.UnsupportedError, match="a = a \\+ t"):
        a += ad.Tensor([1.0, 2.0])
    assert a.tolist() == [1, 1]
    a += ad.Tensor([1.0, 2.0], requires_grad=False)
    assert a.tolist() == [2, 3]


def test_masked_arrays_are_refused_since_their_mask_would_be_lost():
    t, masked = ad.Tensor([1.0, 2.0]), np.ma.masked_array([1.0, 2.0], [True, False])
    for use in (lambda: masked * t, lambda: t * masked, lambda: ad.sin(masked), lambda: ad.Tensor(masked)):
        with pytest.raises(TypeError, match=r"masked array|np\.ma"):
            use()
