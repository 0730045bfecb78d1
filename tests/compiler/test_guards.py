"""What a compiled function takes for granted of the objects around it, and what it does when that changes."""

import copy
import pickle

import numpy as np
import pytest
from alike import assert_same

import autodiff as ad
from autodiff import nn

A = np.random.default_rng(0).normal(size=(3, 4))
v = np.random.default_rng(1).normal(size=4)
somewhere = ad.Tensor(v.copy())


def agree(f, compiled, parameters):
    """Losses and gradients are those of the function itself, now."""
    found = []
    for function in (compiled, f):
        for p in parameters:
            p.grad = None
        loss = function(A)
        if loss.requires_grad:
            loss.backward()
        found.append((loss, [p.grad for p in parameters]))
    assert_same(*found)


def test_numbers_given_to_a_parameter():
    w = ad.Tensor(v.copy())

    def f(x):
        return ad.sum(ad.tanh(x * w))

    compiled = ad.compile(f)
    for data in (v, 2 * v, v[::-1]):
        w.data = data
        agree(f, compiled, [w])
    w.data += 1.0
    agree(f, compiled, [w])
    w.data[...] = v
    agree(f, compiled, [w])


def test_a_state_dict_that_is_loaded():
    model, other = nn.MLP([4, 5, 2], nn.Tanh, rng=0), nn.MLP([4, 5, 2], nn.Tanh, rng=1)

    def f(x):
        return ad.sum(model(x) ** 2)

    compiled = ad.compile(f)
    agree(f, compiled, model.parameters())
    model.load_state_dict(other.state_dict())
    agree(f, compiled, model.parameters())


class Model(nn.Module):
    def __init__(self):
        self.first = nn.Linear(4, 4, rng=0)
        self.rest = [nn.Linear(4, 4, rng=1), nn.Linear(4, 2, rng=2)]
        self.by_name = {"scale": ad.Tensor(v.copy())}

    def forward(self, x):
        x = ad.tanh(self.first(x)) * self.by_name["scale"]
        for layer in self.rest:
            x = layer(x)
        return x


@pytest.mark.parametrize(
    "replace",
    [
        lambda model: setattr(model, "first", nn.Linear(4, 4, rng=7)),
        lambda model: setattr(model.first, "weight", ad.Tensor(np.eye(4))),
        lambda model: model.rest.__setitem__(1, nn.Linear(4, 3, rng=7)),
        lambda model: setattr(model, "rest", [nn.Linear(4, 3, rng=7)]),
        lambda model: model.by_name.update(scale=ad.Tensor(2 * v)),
        lambda model: setattr(model.first, "bias", None),
        lambda model: setattr(model.first.weight, "requires_grad", False),
        lambda model: [setattr(p, "requires_grad", False) for p in model.parameters()],
    ],
)
def test_parts_of_a_model_that_are_replaced_or_frozen(replace):
    model = Model()

    def f(x):
        return ad.sum(model(x) ** 2)

    compiled = ad.compile(f)
    agree(f, compiled, model.parameters())
    replace(model)
    agree(f, compiled, model.parameters())
    agree(f, compiled, model.parameters())


def test_a_parameter_that_thaws():
    model = Model()

    def f(x):
        return ad.sum(model(x) ** 2)

    compiled = ad.compile(f)
    for frozen in (True, False, True):
        model.first.weight.requires_grad = not frozen
        agree(f, compiled, model.parameters())


def test_variables_of_the_function_and_of_the_module():
    global somewhere
    inside = ad.Tensor(v.copy())
    several = [inside, ad.Tensor(2 * v)]

    def f(x):
        return ad.sum(x * inside * somewhere) + sum(ad.sum(x * w) for w in several)

    compiled = ad.compile(f)
    agree(f, compiled, [inside, somewhere, *several])
    inside = ad.Tensor(3 * v)
    agree(f, compiled, [inside, somewhere, *several])
    somewhere = ad.Tensor(4 * v)
    agree(f, compiled, [inside, somewhere, *several])
    several[1] = ad.Tensor(5 * v)
    agree(f, compiled, [inside, somewhere, *several])


class Holder:
    def __init__(self):
        self.w = ad.Tensor(v.copy())

    def loss(self, x):
        return ad.sum(ad.sin(self.w * x))


def test_attributes_of_objects_that_are_no_modules():
    holder = Holder()
    compiled = ad.compile(holder.loss)
    agree(holder.loss, compiled, [holder.w])
    holder.w = ad.Tensor(2 * v)
    agree(holder.loss, compiled, [holder.w])


def test_training_and_evaluation():
    class Noisy(nn.Module):
        def __init__(self):
            self.w = ad.Tensor(v.copy())
            self.inner = nn.Dropout(0.5, rng=0)

        def forward(self, x):
            return ad.sum(self.w * x) if self.training else ad.sum(self.inner(self.w) * x) * 2

    model = Noisy()
    compiled = ad.compile(model)
    agree(model, compiled, [model.w])
    model.eval()
    agree(model, compiled, [model.w])
    model.train()
    agree(model, compiled, [model.w])


def test_what_is_compiled_again_for_another_layer_forgets_the_first():
    model = Model()
    compiled = ad.compile(lambda x: ad.sum(model(x)))
    compiled(A)
    model.first = nn.Linear(4, 4, rng=7)
    compiled(A)
    assert compiled.source.count("def make") == 1


def test_a_copy_computes_with_parameters_of_its_own():
    holder = Holder()
    compiled = ad.compile(holder.loss)
    compiled(A)
    twin = copy.deepcopy(compiled)
    holder.w.data = 3 * v
    assert compiled(A).item() == np.sum(np.sin(3 * v * A))
    assert twin(A).item() == np.sum(np.sin(v * A))


def plain(x):
    return 2 * ad.sum(ad.tanh(x))


def test_a_compiled_function_is_pickled_as_what_it_was_made_of():
    compiled = ad.compile(plain)
    expected = compiled(A)
    again = pickle.loads(pickle.dumps(compiled))
    assert again(A) == expected


def test_a_list_that_grows():
    several = [ad.Tensor(v.copy())]

    def f(x):
        return sum(ad.sum(x * w) for w in several)

    compiled = ad.compile(f)
    agree(f, compiled, several)
    several.append(ad.Tensor(2 * v))
    agree(f, compiled, several)
    del several[0]
    agree(f, compiled, several)


def test_plain_numbers_and_arrays_of_variables_that_are_replaced():
    rate, batch = 2.0, A
    model = Model()
    model.power = 2

    def f(x):
        return ad.sum(model(batch * x) ** model.power) * rate

    compiled = ad.compile(f)
    agree(f, compiled, model.parameters())
    rate = 3.0
    agree(f, compiled, model.parameters())
    batch = A + 1
    agree(f, compiled, model.parameters())
    model.power = 4
    agree(f, compiled, model.parameters())
    compiled.f(A)
    before = compiled.source
    model.unused = 3
    agree(f, compiled, model.parameters())
    assert compiled.source == before
