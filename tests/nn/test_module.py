"""Modules are plain objects: what is found in them, saved from them and printed of them."""

import copy
import pickle

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn, optim
from autodiff.core.errors import ArgumentError, KindError, ShapeError, UnsupportedError


class Everywhere(nn.Module):
    """Parameters in every place where they are looked for, and things that are none."""

    def __init__(self):  # and super().__init__() is forgotten
        self.plain = ad.Tensor([1.0])
        self.number = ad.Value(2.0)
        self.many = [ad.Tensor([1.0]), (ad.Tensor([2.0]), {"deep": ad.Tensor([3.0])})]
        self.layer = nn.Linear(2, 3)
        self.frozen = ad.Tensor([1.0], requires_grad=False)
        self.whole = ad.Tensor([1], requires_grad=False)
        self.computed = self.plain * 2
        self.array = np.ones(2)
        self.text = "text"

    def forward(self, x):
        return x


def names(module):
    return [name for name, _ in module.named_parameters()]


def test_parameters_are_found_wherever_they_sit():
    assert names(Everywhere()) == [
        "plain",
        "number",
        "many.0",
        "many.1.0",
        "many.1.1.deep",
        "layer.weight",
        "layer.bias",
        "frozen",
    ]


def test_a_layer_that_is_appended_later_is_found():
    class Stack(nn.Module):
        def __init__(self):
            self.layers = []

    stack = Stack()
    assert stack.parameters() == []
    stack.layers.append(nn.Linear(2, 1, bias=False))
    assert names(stack) == ["layers.0.weight"]


def test_shared_parameters_count_once_and_are_saved_under_every_name():
    """PyTorch does the same, so that tied weights carry over."""
    layer = nn.Linear(2, 2)
    model = nn.Sequential(layer, nn.Tanh(), layer)
    assert names(model) == ["0.weight", "0.bias"]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_modules_that_refer_to_each_other_do_not_recurse():
    parent, child = nn.Module(), nn.Linear(1, 1)
    parent.child, child.parent, child.itself = child, parent, [child]
    child.itself.append(child.itself)
    assert names(parent) == ["child.weight", "child.bias"]
    assert list(parent.state_dict()) == ["child.weight", "child.bias"]
    assert [name for name, _ in parent.named_modules()] == ["", "child"]
    parent.child = nn.Module()
    parent.child.parent = parent
    assert repr(parent) == "Module(\n  (child): Module(\n    (parent): ...\n  )\n)"


def test_named_modules_go_through_containers():
    model = nn.Module()
    model.blocks = {"a": [nn.Linear(1, 1)], "b": nn.Sequential(nn.Tanh())}
    assert [name for name, _ in model.named_modules()] == ["", "blocks.a.0", "blocks.b", "blocks.b.0"]


def test_train_and_eval_reach_every_module():
    model = nn.Sequential(nn.Sequential(nn.Dropout()), nn.Tanh())
    assert model.training
    assert model.eval() is model
    assert not any(module.training for _, module in model.named_modules())
    assert model.train()[0][0].training


def test_zero_grad_forgets():
    model = nn.Linear(2, 1)
    model(np.ones((3, 2))).sum().backward()
    assert model.weight.grad is not None
    model.zero_grad()
    assert model.weight.grad is None


def test_call_passes_keywords_on():
    class Scale(nn.Module):
        def forward(self, x, *, by=1.0):
            return x * by

    assert Scale()(2.0) == 2.0
    assert Scale()(2.0, by=3.0) == 6.0


def test_a_module_without_forward_says_so():
    class Empty(nn.Module):
        pass

    with pytest.raises(UnsupportedError, match=r"Empty was called, but has no forward\(\). Write: def forward"):
        Empty()(1.0)


def test_state_dict_round_trip(rng):
    saved = nn.MLP([3, 4, 2], rng=1)
    other = nn.MLP([3, 4, 2], rng=2)
    x = rng.normal(size=(5, 3))
    state = saved.state_dict()
    other.load_state_dict(state)
    assert np.array_equal(saved(x).data, other(x).data)
    state["0.weight"][:] = 0  # a copy on both sides
    assert saved[0].weight.data.any()
    assert other[0].weight.data.any()


def test_state_dict_of_values():
    saved, other = nn.scalar.MLP(2, [3, 1]), nn.scalar.MLP(2, [3, 1])
    assert list(saved.state_dict())[:3] == ["layers.0.neurons.0.w.0", "layers.0.neurons.0.w.1", "layers.0.neurons.0.b"]
    other.load_state_dict(saved.state_dict())
    assert saved([1.0, 2.0]).data == other([1.0, 2.0]).data
    other.load_state_dict({name: np.array(x) for name, x in saved.state_dict().items()})
    assert type(other.layers[0].neurons[0].w[0].data) is float


def test_loading_keeps_the_dtype_of_the_parameter():
    model = nn.Linear(2, 1, dtype=np.float32)
    model.load_state_dict({"weight": np.ones((1, 2)), "bias": [3]})
    assert model.weight.dtype == np.float32
    assert model.bias.tolist() == [3.0]


def test_loading_makes_what_was_recorded_before_stale():
    model = nn.Linear(2, 1)
    loss = model(np.ones((3, 2))).sum()
    model.load_state_dict(model.state_dict())
    with pytest.raises(ad.AutodiffError, match="was changed after"):
        loss.backward()


def test_load_state_dict_refuses_other_names():
    model = nn.Linear(2, 1)
    with pytest.raises(
        ArgumentError,
        match=r"load_state_dict of Linear got other names than the model has; missing: bias; unexpected: biass\. "
        r"Load into the model that it was saved from, or pass strict=False",
    ):
        model.load_state_dict({"weight": np.ones((1, 2)), "biass": np.ones(1)})
    model.load_state_dict({"weight": np.ones((1, 2)), "biass": np.ones(1)}, strict=False)
    assert model.weight.tolist() == [[1.0, 1.0]]


def test_load_state_dict_refuses_other_shapes_and_changes_nothing():
    model = nn.Linear(2, 1)
    before = model.state_dict()
    with pytest.raises(ShapeError, match=r"array of shape \(2,\) for bias, which has shape \(1,\)\. Build the model"):
        model.load_state_dict({"weight": np.ones((1, 2)), "bias": np.ones(2)})
    assert np.array_equal(model.weight.data, before["weight"])


def test_load_state_dict_refuses_to_drop_an_imaginary_part():
    with pytest.raises(KindError, match=r"got dtype complex128 for weight, which has dtype float64. Convert it first"):
        nn.Linear(1, 1, bias=False).load_state_dict({"weight": np.array([[1j]])})


def test_repr_is_a_tree():
    model = nn.Module()
    model.scale = ad.Tensor([1.0, 2.0])
    model.body = nn.Sequential(nn.Linear(2, 3, bias=False), ad.tanh, nn.Sequential())
    assert repr(model) == "\n".join(
        [
            "Module(",
            "  (scale): Tensor of shape (2,)",
            "  (body): Sequential(",
            "    (0): Linear(2, 3, bias=False)",
            "    (1): tanh",
            "    (2): Sequential()",
            "  )",
            ")",
        ]
    )


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_a_copy_has_parameters_of_its_own(clone):
    """A copied parameter once took over the creation number too, and the sweep mixed up the two gradients."""
    model = nn.MLP([2, 3, 1], rng=0)
    twin = clone(model)
    x = np.ones((4, 2))
    (model(x) * 2 + twin(x)).sum().backward()
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        assert p is not q
        assert np.allclose(p.grad, 2 * q.grad)
    optim.SGD(twin.parameters(), lr=0.1).step()
    assert not np.array_equal(model[0].weight.data, twin[0].weight.data)
