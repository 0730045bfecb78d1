"""Every refusal says what was done, what was found and what to do instead."""

import copy
import math
import pickle

import numpy as np
import pytest

import autodiff as ad
from autodiff.core import errors
from autodiff.core.op import primitive
from autodiff.core.rule import TABLE

T = ad.Tensor([1.0, 2.0])
V = ad.Value(2.0)


def raises(kind, *parts):
    """The error is of this kind, one of ours, and says all of these, in this order."""
    import re

    return pytest.raises(kind, match="(?s)" + ".*".join(map(re.escape, parts)))


def test_our_errors_are_builtin_errors_too():
    for name, builtin in {
        "ShapeError": ValueError,
        "ArgumentError": ValueError,
        "KindError": TypeError,
        "LeavingTapeError": TypeError,
        "UnsupportedError": TypeError,
        "TapeError": RuntimeError,
        "StaleDataError": RuntimeError,
        "SpellingError": AttributeError,
        "MissingExtraError": ImportError,
    }.items():
        error = getattr(errors, name)
        assert issubclass(error, builtin)
        assert issubclass(error, ad.AutodiffError)


ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BaseException)]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_errors_travel_between_processes(kind):
    """Pickled and copied, with the state that a solver reached."""
    if kind is errors.MissingExtraError:
        error = kind("fit", "tqdm", "progress")
    else:
        error = kind("message", [1.0]) if "reached" in vars(kind("message")) else kind("message")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert str(again) == str(error)
        assert vars(again) == vars(error)


def test_missing_extra():
    error = errors.MissingExtraError("draw()", "matplotlib", "plot")
    assert str(error).endswith("Get it with: pip install 'autodiff-tape[plot]'")


@pytest.mark.parametrize("data", [[1, 2], True, np.arange(3)])
def test_discrete_leaf(data):
    with raises(TypeError, "which has no derivative", "2.0 instead of 2", "requires_grad=False"):
        ad.Tensor(data)


def test_leaf_of_other_things():
    with raises(TypeError, "Tensor holds numbers, got dtype"):
        ad.Tensor(["a"])
    with raises(TypeError, "Tensor was given a node", "x.detach()"):
        ad.Tensor(T)
    with raises(TypeError, "Value was given a node", "x.item()"):
        ad.Value(T)
    with raises(TypeError, "Value holds one number, got ndarray", "Use Tensor for an array"):
        ad.Value(np.ones(2))
    with raises(TypeError, "Value holds one number, got str 'x'"):
        ad.Value("x")
    with raises(TypeError, "asked to track a bool"):
        ad.Value(True)


@pytest.mark.parametrize("x", [V, ad.Tensor(2.0)], ids=["Value", "Tensor"])
def test_functions_of_math_name_the_op(x):
    with raises(TypeError, "math.sin() of", "would leave the tape", "ad.sin(x)", "x.item()"):
        math.sin(x)
    with raises(TypeError, "math.asin()", "ad.arcsin(x)"):
        math.asin(x)
    with raises(TypeError, "math.fabs()", "ad.absolute(x)"):
        math.fabs(x)
    with raises(TypeError, "math.nextafter()", "the op, such as"):
        math.nextafter(x, 1.0)


@pytest.mark.parametrize("x", [V, ad.Tensor(2.0, name="w")], ids=["Value", "Tensor"])
@pytest.mark.parametrize(
    ("convert", "spelt"), [(float, "float()"), (int, "int()"), (complex, "complex()"), (np.asarray, "np.asarray()")]
)
def test_conversions_say_how_to_read(x, convert, spelt):
    with raises(TypeError, f"{spelt} of", "gradient would be lost silently", "x.item() or x.detach()"):
        convert(x)
    assert convert(x.detach()) == 2


def test_use_as_an_index():
    with raises(TypeError, "use as an index of"):
        [1, 2, 3][V]
    with raises(TypeError, "use as an index of"):
        range(V)


def test_backward_of_an_array():
    with raises(ValueError, "backward() of a Tensor of shape (2,)", "only a single number", ".sum() or .mean()"):
        (T * 2).backward()


@pytest.mark.parametrize("leaf", [ad.Value(1.5), ad.Tensor([1.5])])
def test_backward_with_a_complex_gradient_of_a_real_result(leaf):
    y = leaf * leaf
    with pytest.raises(ad.errors.KindError, match="is real, got a gradient that is complex"):
        y.backward(2j)
    assert leaf.grad is None


def test_backward_with_a_gradient_of_another_shape():
    with raises(ValueError, "got a gradient of shape (3,); it must be (2,)"):
        (T * 2).backward(np.ones(3))


def test_backward_of_something_untracked():
    with raises(RuntimeError, "backward() needs a result that was recorded", "requires_grad=False", "no_grad()"):
        ad.Tensor(1.0, requires_grad=False).backward()


def test_stale_data():
    w = ad.Tensor([1.0], name="w")
    loss = (w * 2).sum()
    w.data = np.array([5.0])
    with raises(errors.StaleDataError, "Tensor 'w' was changed after multiply used it", "Compute the loss again"):
        loss.backward()


def test_assignments():
    y = T * 2
    with raises(RuntimeError, "was assigned to, but it was computed", "x.detach()"):
        y.data = np.ones(2)
    with raises(ValueError, "Data of shape (3,) was assigned to a tensor of shape (2,)"):
        ad.Tensor([1.0, 2.0]).data = np.ones(3)
    with raises(TypeError, "which has no derivative"):
        ad.Tensor([1.0, 2.0]).data = np.array([1, 2])
    with raises(RuntimeError, "requires_grad of", "it was computed"):
        y.requires_grad = False


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("view", "x.reshape(...)"),
        ("unsqueeze", "ad.expand_dims(x, axis)"),
        ("permute", "x.transpose(...)"),
        ("clamp", "x.clip(low, high)"),
        ("numel", "x.size"),
        ("dim", "x.ndim"),
        ("cuda", "x itself: all data is on the CPU"),
        ("grad_fn", "x.rule"),
        ("double", "ad.astype(x, 'float64')"),
    ],
)
def test_spellings_of_other_libraries(name, ours):
    with raises(AttributeError, f"Tensor has no {name!r}; here it is {ours}"):
        getattr(T, name)
    assert not hasattr(T, name)


def test_keywords_of_other_libraries():
    with raises(TypeError, "sum got the keyword dim=", "here it is axis="):
        T.sum(dim=0)
    with raises(TypeError, "mean got the keyword keepdim=", "here it is keepdims="):
        ad.mean(T, keepdim=True)
    with raises(TypeError, "sum got the keyword colour=", "it takes axis"):
        ad.sum(T, colour="red")


def test_numpy_functions_without_a_rule():
    with raises(TypeError, "np.emath.sqrt has no rule", "derivative is not known", "x.detach()"):
        np.emath.sqrt(T)
    with raises(TypeError, "np.unique of a tensor is refused", "by index instead"):
        np.unique(T)
    with raises(TypeError, "with a tensor as out="):
        np.add(1, 1, out=T)


def test_functions_that_a_kind_of_number_lacks():
    from decimal import Decimal
    from fractions import Fraction

    with raises(TypeError, "exp of a Fraction: this kind of number has no exp", "float", "Decimal", "float(x)"):
        ad.exp(ad.Value(Fraction(1, 2)))
    with raises(TypeError, "sin of a Decimal"):
        ad.sin(ad.Value(Decimal(1)))


def test_arguments_that_are_no_arrays():
    with raises(TypeError, "exp was given a str; it takes tensors, arrays, numbers and lists"):
        ad.exp("x")
    with raises(TypeError, "add was given a dict"):
        T + {}


def test_copying():
    import copy

    with raises(TypeError, "A node is not copied", "x.detach()"):
        copy.copy(T)


LOGITS = np.zeros((3, 4))


@pytest.mark.parametrize(
    ("labels", "kind", "parts"),
    [
        ([0.0, np.nan, 1.0], TypeError, ["nan at row 1", "whole class numbers"]),
        ([0.0, 1.0, 1.0], TypeError, ["dtype float64", "labels.astype(int)"]),
        ([0, 4, 1], ValueError, ["class 4 in row 1", "4 classes, 0 to 3"]),
        ([0, 1, -1], ValueError, ["class -1 in row 2"]),
        ([0, 1], ValueError, ["logits of shape (3, 4) and labels of shape (2,)"]),
        (np.eye(4)[:3], ValueError, ["labels of shape (3, 4)", "not one-hot rows"]),
    ],
)
def test_labels(labels, kind, parts):
    with raises(kind, "cross_entropy got", *parts):
        ad.cross_entropy(ad.Tensor(LOGITS), labels)


def test_an_empty_batch():
    with raises(ValueError, "cross_entropy got no rows"):
        ad.cross_entropy(ad.Tensor(np.zeros((0, 3))), np.zeros(0, int))


def test_shapes_and_values():
    with raises(ValueError, "mean_squared_error got shapes (2,) and (2, 1)", "reshape"):
        ad.mean_squared_error(T, np.ones((2, 1)))
    with raises(ValueError, "split of shape (2,) into 3 sections", "Give the positions"):
        ad.split(T, 3)
    with raises(TypeError, "pad", "mode='empty'"):
        ad.pad(T, 1, mode="empty")
    with raises(ValueError, "dropout got p=2"):
        ad.dropout(T, 2)
    with raises(ValueError, "gelu got approximate='fast'"):
        ad.gelu(T, "fast")
    with raises(TypeError, "shape () was iterated over"):
        iter(ad.Tensor(1.0))


def test_transforms():
    with raises(RuntimeError, "grad needs f to return one number, it returned a tuple", "has_aux=True"):

        def f(x):
            return x, x

        ad.grad(f)(1.0)
    with raises(ValueError, "it returned shape (2,)", ".sum()", "ad.jacobian"):
        ad.grad(lambda x: x)(np.ones(2))
    with raises(RuntimeError, "that is complex"):
        ad.grad(lambda z: z * z)(1j)
    with raises(RuntimeError, "jvp takes its arguments and tangents as tuples"):
        ad.jvp(ad.sin, 1.0, 1.0)
    with raises(ValueError, "jvp got 2 tangents for 1 inputs"):
        ad.jvp(ad.sin, (1.0,), (1.0, 2.0))
    with raises(ValueError, "A tangent of shape (3,) was given for a value of shape (2,)"):
        ad.jvp(ad.sin, (np.ones(2),), (np.ones(3),))
    with raises(ValueError, "A cotangent of shape () was given for a value of shape (2,)"):
        ad.vjp(ad.sin, np.ones(2))[1](1.0)
    with raises(ValueError, "argnums=1, but the function was called with 1 positional"):
        ad.grad(ad.sin, argnums=1)(1.0)
    with raises(TypeError, "A derivative was asked for with respect to True"):
        ad.grad(ad.sin)(True)
    with raises(TypeError, "which has no derivative"):
        ad.grad(lambda x: x.sum())(np.arange(3))


def test_declaring_rules():
    def exp(x, /):
        """Again."""
        return x

    with raises(TypeError, "A rule named 'exp' is declared twice"):
        primitive("y")(exp)

    def planted_pair(a, b, /):
        """Two."""
        return a

    op = primitive("y")(planted_pair)
    try:
        with raises(TypeError, "def_vjp of planted_pair needs wrt=, one of ('a', 'b')"):
            op.def_vjp(lambda g: g)
        with raises(TypeError, "with respect to 'c'; its inputs are ('a', 'b')"):
            op.def_vjp(lambda g: g, wrt="c")
        with raises(TypeError, "asks for 'colour'", "it can ask for"):
            op.def_vjp(lambda g, colour: g, wrt="a")
            op(T, T).sum().backward()
    finally:
        del TABLE["planted_pair"]
