"""While compiling, nothing may take today's numbers for good: each way out is refused, with its line and a repair."""

import copy
import math
import pickle
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.errors import CompileError

X, K = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([0, 2, 1])
W = ad.Tensor([1.0, 2.0, 3.0], name="w")
WHOLE = ad.Tensor([1, 2, 3], requires_grad=False)
NUMBER = ad.Value(2.0)
RNG = np.random.default_rng(0)


def write_at(array, value):
    array[0] = value
    return array


def assign(leaf, value):
    leaf.data = value


SIZES = {
    "a mask": (lambda x, k: x[x > 2].mean(), "indexing with the mask of a Tensor"),
    "a mask beside a slice": (lambda x, k: x[:, k > 0], "indexing with the mask"),
    "nonzero": (lambda x, k: x[np.nonzero(x)], "finding the entries that are not zero"),
    "where of one argument": (lambda x, k: np.where(x > 2), "finding the entries that are not zero"),
    "compress": (lambda x, k: ad.compress(k > 0, x, 1), "finding the entries that are not zero"),
    "place": (lambda x, k: ad.place(x, x > 1, [1.0]), "finding the entries that are not zero"),
    "piecewise": (lambda x, k: ad.piecewise(x, [x > 1], [np.exp]), "indexing with the mask"),
    "ix_": (lambda x, k: x[ad.ix_([0, 1], k > 0)], "finding the entries that are not zero"),
    "unique": (lambda x, k: np.unique(k), "np.unique of a Tensor"),
    "repeat": (lambda x, k: ad.repeat(x, k, 1), "repeating as often as the entries of a Tensor"),
    "split": (lambda x, k: ad.split(x, k[:1], 1), "cutting at the places of a Tensor"),
    "array_split": (lambda x, k: ad.array_split(x, k[:1], 1), "cutting at the places of a Tensor"),
    "delete": (lambda x, k: ad.delete(x, k[:1], 1), "deleting at the places of a Tensor"),
    "insert": (lambda x, k: ad.insert(x, k[:1], 0.0, 1), "inserting at the places of a Tensor"),
    "trim_zeros": (lambda x, k: ad.trim_zeros(x[0]), "trimming the zeros of a Tensor"),
    "roots": (lambda x, k: ad.roots(x[0]), "finding the roots of a Tensor"),
    "bincount": (lambda x, k: ad.bincount(k), "counting of a Tensor.*minlength=10"),
    "pad": (lambda x, k: ad.pad(x, k[:2]), "padding by the widths of a Tensor"),
    "tile": (lambda x, k: ad.tile(x, k), "use as an index of a Tensor"),
    "a slice": (lambda x, k: x[:, : k[1]], "use as an index of a Tensor"),
    "poly of complex roots": (lambda x, k: ad.poly(x[0] + 1j), "poly of complex roots"),
    "real_if_close": (lambda x, k: ad.real_if_close(x + 0j), "the sizes of the imaginary parts of a Tensor"),
    "order K": (lambda x, k: x.ravel("K"), "order 'K' of memory.*Read them in the order"),
    "order A": (lambda x, k: ad.reshape(x, 6, order="A"), "order 'A' of memory"),
}

NUMBERS = {
    "if": (lambda x, k: x if x.sum() > 0 else -x, "the truth of a Tensor.*ad.where"),
    "and": (lambda x, k: x if k[0] > 0 and k[1] > 0 else -x, "the truth of a Tensor"),
    "any": (lambda x, k: x if any(k > 0) else -x, "the truth of a Tensor"),
    "min": (lambda x, k: min(x[0, 0], x[0, 1]), "the truth of a Tensor"),
    "sorted": (lambda x, k: sorted(x[0])[0], "the truth of a Tensor"),
    "in": (lambda x, k: x if 2 in k else -x, "the membership of a Tensor"),
    "in a list": (lambda x, k: x if x[0, 0] in [1.0] else -x, "the truth of a Tensor"),
    "float": (lambda x, k: x * float(x[0, 0]), r"float\(\) of a Tensor"),
    "int": (lambda x, k: x * int(k[0]), r"int\(\) of a Tensor"),
    "round": (lambda x, k: x * round(x[0, 0]), r"round\(\) of a Tensor"),
    "math": (lambda x, k: x * math.sin(x[0, 0]), r"float\(\) of a Tensor"),
    "item": (lambda x, k: x * k[0].item(), r"item\(\) of a Tensor.*return the number"),
    "tolist": (lambda x, k: x * k.tolist(), r"tolist\(\) of a Tensor"),
    "numpy": (lambda x, k: x * k.numpy(), r"numpy\(\) of a Tensor"),
    "data": (lambda x, k: x * x.data, "the data of a Tensor.*ad.stop_gradient"),
    "asarray": (lambda x, k: x * np.asarray(k), r"np.asarray\(\) of a Tensor"),
    "an index of a list": (lambda x, k: x * [1, 2, 3][k[0]], "use as an index of a Tensor"),
    "range": (lambda x, k: x * len(range(k[0])), "use as an index of a Tensor"),
    "an index of an array": (lambda x, k: x * np.arange(3.0)[k], r"np.asarray\(\) of a Tensor.*ad.getitem\(array, x\)"),
    "writing into an array": (lambda x, k: write_at(np.zeros(3), k[0]) * x, r"float\(\) of a Tensor"),
    "out": (lambda x, k: np.add(k, k, out=np.zeros(3, int)) * x, "writing what np.add makes into an array"),
    "put": (lambda x, k: np.put(np.zeros(3), k, 1.0), "np.put, which writes into an array"),
    "allclose": (lambda x, k: x if np.allclose(x, 1) else -x, "np.allclose of a Tensor"),
    "array_equal": (lambda x, k: x if np.array_equal(k, [1, 2, 3]) else -x, "np.array_equal of a Tensor"),
    "histogram": (lambda x, k: np.histogram(k)[0], "np.histogram of a Tensor"),
    "deepcopy": (lambda x, k: x * copy.deepcopy(x), "a copy by copy or pickle of a Tensor"),
    "pickle": (lambda x, k: x * pickle.loads(pickle.dumps(x)), "a copy by copy or pickle of a Tensor"),
    "backward": (lambda x, k: x.sum().backward(), r"backward\(\) of a Tensor.*ad.value_and_grad"),
}

AROUND = {
    "data of a leaf": (lambda x, k: x * W.data, "the data of Tensor 'w'"),
    "numpy of a leaf": (lambda x, k: x * W.numpy(), r"numpy\(\) of Tensor 'w'"),
    "gradient of a leaf": (lambda x, k: x if W.grad is None else -x, "the gradient of Tensor 'w'"),
    "item of a leaf": (lambda x, k: x * NUMBER.item(), r"item\(\) of a Value"),
    "truth of a leaf": (lambda x, k: x if NUMBER else -x, "the truth of a Value"),
    "array of a leaf": (lambda x, k: x * np.asarray(WHOLE), r"np.asarray\(\) of a Tensor"),
    "assignment to a leaf": (lambda x, k: assign(W, np.zeros(3)), "an assignment to the data of Tensor 'w'"),
    "assignment into a tensor": (lambda x, k: write_at(WHOLE, k[0]), "was assigned into while compiling.*x.copy"),
    "assignment into an argument": (lambda x, k: write_at(k, 1), "was assigned into while compiling"),
    "a NumPy generator": (lambda x, k: x * RNG.normal(), r"drew from a NumPy generator.*ad.random"),
    "np.random": (lambda x, k: x * np.random.rand(), "drew from np.random"),  # noqa: NPY002
    "random": (lambda x, k: x * random.random(), "drew from Python's random"),
    "a seed of two draws": (lambda x, k: ad.random.beta(x, x, rng=0), r"was given the seed 0 .*default_rng\(0\)"),
}


@pytest.mark.parametrize(("f", "text"), [*SIZES.values(), *NUMBERS.values(), *AROUND.values()])
def test_what_is_refused(f, text):
    with pytest.raises(CompileError, match=f"(?s){text}") as caught:
        ad.compile(f)(X, K)
    assert "test_values_leave.py" in str(caught.value) or "drew" in text or "copy" in text


def test_a_refusal_leaves_everything_as_it_was():
    before, state = W.data.copy(), RNG.bit_generator.state
    for f, _ in AROUND.values():
        with pytest.raises(CompileError):
            ad.compile(f)(X, K)
    assert type(W) is ad.Tensor
    assert type(NUMBER) is ad.Value
    assert W.grad is None
    np.testing.assert_array_equal(W.data, before)
    np.testing.assert_array_equal(WHOLE.data, [1, 2, 3])
    assert RNG.bit_generator.state != state  # what was drawn stays drawn; the error says so
    assert float(WHOLE[0]) == 1


def test_numbers_may_be_printed():
    compiled = ad.compile(lambda x: (f"{x} {x.sum():.2f}", x * 2)[1])
    np.testing.assert_array_equal(compiled(X + 1), 2 * X + 2)


class Keeper:
    """Keeps what it has computed."""

    def __init__(self):
        self.scale = ad.Tensor(2.0)
        self.last = self.made = None

    def __call__(self, x):
        self.last = x * self.scale
        self.made = ad.Tensor(np.zeros(3), requires_grad=False)
        self.made[1] = x.sum()
        return (self.last + self.made).sum()


@pytest.mark.parametrize(
    "use",
    [
        lambda h: h + 1,
        lambda h: ad.concatenate([h, h]),
        lambda h: h.sum(),
        lambda h: h.data,
        lambda h: h.shape,
        lambda h: h.item(),
        lambda h: np.asarray(h),
        lambda h: bool(h),
        lambda h: ad.compile(lambda x: x * h)(X),
    ],
)
def test_what_was_kept_cannot_be_used(use):
    keeper = Keeper()
    compiled = ad.compile(keeper)
    assert compiled(X).item() == compiled(X).item() == 4 * X.sum()
    for kept in (keeper.last, keeper.made):
        with pytest.raises(CompileError, match=r"Tensor \(made by .*kept.*Return it from the function"):
            use(kept)
        assert "test_values_leave.py" in repr(kept)


def test_leaves_in_attributes_are_read_at_each_call():
    keeper = Keeper()
    compiled = ad.compile(keeper)
    compiled(X)
    keeper.scale = ad.Tensor(5.0)
    assert compiled(X).item() == 7 * X.sum()
    keeper.scale.data = np.array(7.0)
    assert compiled(X).item() == 9 * X.sum()


def test_a_tensor_that_the_function_makes_is_a_constant():
    def f(x):
        y = ad.Tensor(np.zeros((2, 3)), requires_grad=False)
        y[:, 1] = x[:, 0]
        y[0] = y[0] * 3 + ad.Tensor([1.0, 2.0, 3.0])
        return (y * x).sum()

    compiled = ad.grad(ad.compile(f))
    for x in (X, X[::-1] ** 2):
        np.testing.assert_allclose(compiled(x), ad.grad(f)(x), rtol=1e-14)


def test_other_threads_may_use_a_leaf_meanwhile(run_in_thread):
    def f(x):
        assert run_in_thread(lambda: (W.data.sum(), W.numpy()[0], float(WHOLE[2]), bool(NUMBER))) == (6, 1, 3, True)
        return (x * W).sum()

    assert ad.compile(f)(X).item() == (X * W.data).sum()


@pytest.fixture
def run_in_thread():
    with ThreadPoolExecutor(1) as pool:
        yield lambda f: pool.submit(f).result()
