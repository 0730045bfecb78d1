"""Every public function of NumPy is an op, a question that has no derivative, or refused with a reason."""

import importlib.util
import inspect
from pathlib import Path

import numpy as np
import pytest

import autodiff as ad
from autodiff.node_methods import LATER_METHODS
from autodiff.numpy_protocol import QUESTIONS, find
from autodiff.ops import public
from autodiff.ops.refused import REFUSED

SPACES = {"numpy": np, "numpy.linalg": np.linalg, "numpy.fft": np.fft}
FUNCTIONS = [
    pytest.param(space, name, id=f"{space}.{name}")
    for space, module in SPACES.items()
    for name in sorted(module.__all__)
    if callable(getattr(module, name)) and not isinstance(getattr(module, name), type)
]
REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize(("space", "name"), FUNCTIONS)
def test_every_function_of_numpy_is_accounted_for(space, name):
    places = [find(name, space) is not None, name in REFUSED]
    assert any(places) or name in QUESTIONS, f"{space}.{name} is neither an op nor refused"
    assert places.count(True) < 2, f"{space}.{name} is an op and refused"


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refusal_is_of_a_function_that_numpy_has_and_says_why(name):
    assert any(hasattr(module, name) for module in SPACES.values())
    assert len(REFUSED[name]) > 15


def test_a_refused_function_says_so():
    t = ad.Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"np.unique of a tensor is refused: how many results"):
        np.unique(t)
    with pytest.raises(TypeError, match=r"np.frexp of a tensor is refused: mantissa"):
        np.frexp(t)
    assert np.unique(t.detach()).tolist() == [1, 2]


@pytest.mark.parametrize("name", public.names())
def test_every_op_has_a_docstring_and_can_be_found(name):
    op = getattr(ad, name)
    assert op.__doc__
    assert inspect.signature(op)


@pytest.mark.parametrize(("space", "name"), FUNCTIONS)
def test_options_have_numpys_names_order_and_defaults(space, name):
    function, op = getattr(SPACES[space], name), find(name, space)
    try:
        theirs = list(inspect.signature(function).parameters.values())
    except ValueError:  # a ufunc, or a function written in C
        return
    if (
        op is None
        or name in ("clip", "vecdot")
        or isinstance(function, np.ufunc)
        or not getattr(getattr(op, "rule", None), "options", True)
    ):
        return  # such an op takes what ufuncs take, and the two by name take that as **kwargs
    ours = list(inspect.signature(op).parameters.values())
    if any(p.kind is p.VAR_POSITIONAL for p in ours + theirs):
        return
    for mine, numpys in zip(ours, theirs):
        if numpys.kind is mine.POSITIONAL_ONLY or mine.kind is mine.POSITIONAL_ONLY or ours.index(mine) == 0:
            continue  # an input
        assert mine.name == numpys.name
        if numpys.default is not np._NoValue:
            assert mine.default == numpys.default, f"{name}({mine.name}=)"
    absent = {p.name for p in theirs[1:] if p.kind is not p.POSITIONAL_ONLY} - {p.name for p in ours}
    assert absent <= {p.name for p in theirs[: len(ours)]} | {"like", "descending"}  # the latter came with NumPy 2.5


def test_every_op_that_takes_a_tensor_first_is_a_method():
    first = {name: getattr(public, name).__code__.co_varnames[:1] for name in public.names()}
    methods = {name for name, parameter in first.items() if parameter and parameter[0] in ("x", "a", "args")}
    has = {name for cls in ad.Tensor.__mro__ for name in vars(cls)}
    assert methods <= has, "add these to LATER_METHODS in node_methods.py"
    assert set(LATER_METHODS.split()) <= methods
    assert ad.Tensor([[2.0]]).inv().tolist() == [[0.5]]
    assert ad.Value(1.0).gammaln().item() == 0


def test_the_reference_page_is_up_to_date():
    spec = importlib.util.spec_from_file_location("make_reference", REFERENCE / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    assert (REFERENCE / "ops.md").read_text() == make.page(), "run: python docs/reference/make.py"
