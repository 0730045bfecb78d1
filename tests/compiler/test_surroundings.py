"""Whatever the code of a compiled function names outside may be replaced: it is compiled again, or it refuses."""

import enum
import functools
import sys
import types

import numpy as np
import pytest
from alike import assert_same

import autodiff as ad
from autodiff import nn
from autodiff.core.errors import CompileError

A = np.random.default_rng(0).normal(size=(3, 4))
v = np.random.default_rng(1).normal(size=4)


class Mode(enum.Enum):
    PLAIN = 1
    TWICE = 2


class Rated:
    rate = 2.0

    def __init__(self):
        self.own = 3.0

    @property
    def doubled(self):
        return 2 * self.own

    def tripled(self):
        return 3 * self.own


class Slotted:
    __slots__ = ("rate",)


class Scaled(nn.Module):
    def __init__(self):
        self.w = ad.Tensor(v.copy())
        self.activation = ad.tanh
        self.layer = nn.Tanh()

    def forward(self, x):
        return ad.sum(self.layer(self.activation(x * self.w))) * SCALE


def with_default(x, factor=2.0, *, power=2):
    return ad.sum(x**power) * factor


def with_attribute(x):
    return ad.sum(x) * with_attribute.factor


def fresh():
    """Variables of this module, of which each test replaces one."""
    return {
        "SCALE": 2.0,
        "settings": {"rate": 2.0, "deep": {"power": 2}},
        "empty": {},
        "history": [],
        "chosen": set(),
        "pair": (2.0, 3.0),
        "mode": Mode.PLAIN,
        "function": ad.tanh,
        "ufunc": np.sin,
        "dtype": np.float32,
        "rated": Rated(),
        "slotted": Slotted(),
        "model": Scaled(),
        "layers": nn.Sequential(nn.Linear(4, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1)),
        "partial": functools.partial(lambda k, x: ad.sum(x) * k * SCALE, 2.0),
        "module": types.ModuleType("settings_of_a_test"),
        "gradient": ad.grad(lambda x: ad.sum(x * x) * SCALE),
        "inner": ad.compile(lambda x: ad.sum(x * x) * SCALE),
        "helper": lambda x: x * SCALE,
    }


SCALE, settings, empty, history, chosen, pair, mode, function, ufunc, dtype, *others = fresh().values()
rated, slotted, model, layers, partial, module, gradient, inner, helper = others


@pytest.fixture(autouse=True)
def anew():
    globals().update(fresh())
    Rated.rate, slotted.rate, module.rate = 2.0, 2.0, 2.0
    with_default.__defaults__, with_default.__kwdefaults__, with_attribute.factor = (2.0,), {"power": 2}, 2.0


def put(name, value):
    return lambda: globals().__setitem__(name, value)


def here(name):
    return globals()[name]


CASES = {
    "a number": (lambda x: ad.sum(x) * SCALE, put("SCALE", 3.0)),
    "a number of another type": (lambda x: x.astype(int) * SCALE, put("SCALE", 2)),
    "minus zero": (lambda x: ad.sum(x) / (SCALE - 2.0), put("SCALE", -0.0)),
    "a setting": (lambda x: ad.sum(x) * settings["rate"], lambda: here("settings").update(rate=3.0)),
    "a deep setting": (
        lambda x: ad.sum(x ** settings["deep"]["power"]),
        lambda: here("settings")["deep"].update(power=3),
    ),
    "a new setting": (lambda x: ad.sum(x) * empty.get("rate", 1.0), lambda: here("empty").update(rate=3.0)),
    "a list that was empty": (lambda x: ad.sum(x) * (1 + len(history)), lambda: here("history").append(1)),
    "a set": (lambda x: ad.sum(x) * (1 + len(chosen)), lambda: here("chosen").add(1)),
    "a tuple": (lambda x: ad.sum(x) * pair[0], put("pair", (5.0, 3.0))),
    "an enum": (lambda x: ad.sum(x) * (2 if mode is Mode.TWICE else 1), put("mode", Mode.TWICE)),
    "an op": (lambda x: ad.sum(function(x)), put("function", ad.sin)),
    "a ufunc": (lambda x: ad.sum(ufunc(x)), put("ufunc", np.cos)),
    "a dtype": (lambda x: ad.sum(x.astype(dtype)), put("dtype", np.float64)),
    "a function": (lambda x: ad.sum(helper(x)), put("helper", lambda x: x * 7)),
    "what a function names": (lambda x: ad.sum(helper(x)), put("SCALE", 7.0)),
    "a default": (with_default, lambda: setattr(with_default, "__defaults__", (5.0,))),
    "a default by keyword": (with_default, lambda: setattr(with_default, "__kwdefaults__", {"power": 3})),
    "an attribute of a function": (with_attribute, lambda: setattr(with_attribute, "factor", 5.0)),
    "an attribute": (lambda x: ad.sum(x) * rated.own, lambda: setattr(here("rated"), "own", 5.0)),
    "what a property reads": (lambda x: ad.sum(x) * rated.doubled, lambda: setattr(here("rated"), "own", 5.0)),
    "what a method reads": (lambda x: ad.sum(x) * rated.tripled(), lambda: setattr(here("rated"), "own", 5.0)),
    "an attribute of a class": (lambda x: ad.sum(x) * Rated.rate, lambda: setattr(Rated, "rate", 5.0)),
    "the same by an object": (lambda x: ad.sum(x) * rated.rate, lambda: setattr(Rated, "rate", 5.0)),
    "an object's own instead": (lambda x: ad.sum(x) * rated.rate, lambda: setattr(here("rated"), "rate", 5.0)),
    "an attribute that was missing": (
        lambda x: ad.sum(x) * getattr(rated, "extra", 1.0),
        lambda: setattr(here("rated"), "extra", 5.0),
    ),
    "a slot": (lambda x: ad.sum(x) * slotted.rate, lambda: setattr(here("slotted"), "rate", 5.0)),
    "a variable of a module": (lambda x: ad.sum(x) * module.rate, lambda: setattr(here("module"), "rate", 5.0)),
    "an op of a model": (lambda x: model(x), lambda: setattr(here("model"), "activation", ad.sin)),
    "a layer without parameters": (lambda x: model(x), lambda: setattr(here("model"), "layer", nn.ReLU())),
    "what forward names": (lambda x: model(x), put("SCALE", 7.0)),
    "a layer in a list": (lambda x: ad.sum(layers(x)), lambda: here("layers").layers.__setitem__(1, nn.ReLU())),
    "an argument of a partial": (lambda x: partial(x), lambda: partial.__setstate__((partial.func, (5.0,), {}, None))),
    "what a partial calls": (lambda x: partial(x), put("SCALE", 7.0)),
    "what a gradient is of": (lambda x: gradient(x), put("SCALE", 7.0)),
    "what a compiled function names": (lambda x: inner(x) ** 2, put("SCALE", 7.0)),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_replaced_is_seen(name):
    f, replace = CASES[name]
    compiled = ad.compile(f)
    with np.errstate(all="ignore"):
        assert_same(compiled(A), f(A))
        replace()
        assert_same(compiled(A), f(A))
        assert_same(compiled(A + 1), f(A + 1))


def test_equal_numbers_and_texts_are_the_same():
    global SCALE, pair
    compiled = ad.compile(lambda x: ad.sum(x) * SCALE * pair[0])
    compiled(A)
    first = next(iter(compiled._special.values()))
    SCALE, pair = float("2.0"), (float("2.0"), 3.0)
    compiled(A)
    assert next(iter(compiled._special.values())) is first


def test_modules_of_the_user_and_of_libraries():
    """Only the former are looked into."""
    from autodiff.compiler.guards import is_library

    assert is_library(np)
    assert is_library(ad)
    assert is_library(sys)
    assert is_library(functools)
    assert not is_library(sys.modules[__name__])


class Keeping:
    def __init__(self):
        self.count = 0
        self.state = None
        self.made = {}
        self.scale = None

    def counting(self, x):
        self.count += 1
        return x * self.count

    def remembering(self, x):
        self.state = x if self.state is None else self.state + x
        return self.state * 1

    def preparing(self, x):
        if self.scale is None:
            self.scale = 3.0
        if x.shape not in self.made:
            self.made[x.shape] = np.full(x.shape, 2.0)
        return x * self.made[x.shape] * self.scale


numbers = iter(range(1, 100))


def test_what_changes_its_surroundings_is_refused():
    with pytest.raises(CompileError, match=r"counting changes what it reads from outside: 'count', which was 1"):
        ad.compile(Keeping().counting)(A)
    with pytest.raises(CompileError, match="kept: the compiled function does not compute it again"):
        ad.compile(Keeping().remembering)(A)
    seen = []
    with pytest.raises(CompileError, match="changes what it reads from outside: a list in length"):
        ad.compile(lambda x: (seen.append(1), x * len(seen))[1])(A)
    with pytest.raises(CompileError, match=r"took what comes next from the iterator range_iterator"):
        ad.compile(lambda x: x * next(numbers))(A)


def test_what_is_prepared_at_the_first_call_is_prepared():
    keeping = Keeping()
    compiled = ad.compile(keeping.preparing)
    for x in (A, A + 1, A[:2]):
        assert_same(compiled(x), Keeping().preparing(x))
    keeping.scale = 5.0
    assert_same(compiled(A), A * 2.0 * 5.0)
