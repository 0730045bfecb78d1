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


class Mixed(nn.Module):
    """Parameters and buffers of several kinds."""

    def __init__(self):
        self.weight = ad.Tensor(np.ones((2, 2)))
        self.norm = nn.BatchNorm1d(3)
        self.number = ad.Value(2.0)


def test_buffers_are_saved_and_not_trained():
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 1, bias=False))
    assert [name for name, _ in model.named_buffers()] == [
        "0.running_mean",
        "0.running_var",
        "0.num_batches_tracked",
    ]
    assert names(model) == ["0.weight", "0.bias", "1.weight"]
    model(np.arange(12.0).reshape(4, 3))
    other = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 1, bias=False))
    other.load_state_dict(model.state_dict())
    assert other[0].running_mean.data.tolist() == [0.45, 0.55, 0.65]
    assert other[0].num_batches_tracked.data == 1
    assert other[0].num_batches_tracked.data.dtype == int
    x = np.ones((2, 3))
    assert np.array_equal(model.eval()(x).data, other.eval()(x).data)
    state = model.state_dict()
    state["0.running_mean"][:] = 7  # a copy
    assert model[0].running_mean.data.max() < 1


def test_a_buffer_of_ones_own():
    model = nn.Module()
    model.parts = [{"mean": nn.Buffer([1.0, 2.0])}]
    assert list(model.state_dict()) == ["parts.0.mean"]
    model.load_state_dict({"parts.0.mean": [3, 4]})
    assert model.parts[0]["mean"].data.tolist() == [3.0, 4.0]
    assert repr(model) == "Module(\n  (parts.0.mean): Buffer of shape (2,)\n)"
    with pytest.raises(ShapeError, match=r"A buffer of shape \(2,\) was set to an array of shape \(3,\); they must"):
        model.parts[0]["mean"].data = np.ones(3)


def test_gradients_stop_at_a_buffer():
    buffer, x = nn.Buffer([1.0]), ad.Tensor([2.0])
    buffer.data = x * 3
    assert isinstance(buffer.data, np.ndarray)
    (buffer.data * x).sum().backward()
    assert x.grad.tolist() == [6.0]


def test_a_batch_norm_that_is_not_training_keeps_its_averages():
    layer = nn.BatchNorm1d(2).eval()
    layer(np.ones((3, 2)))
    assert layer.num_batches_tracked.data == 0
    assert layer.running_mean.data.tolist() == [0, 0]
    with pytest.raises(ShapeError, match=r"of 1 entries a channel there is no variance\. Give a larger batch, or"):
        layer.train()(np.ones((1, 2)))
    assert layer.running_var.data.tolist() == [1, 1]


def test_astype_reaches_everything_with_a_point():
    model = Mixed()
    (model.weight * 2).sum().backward()
    assert model.astype(np.float32) is model
    kinds = {name: x.dtype for name, x in model.state_dict().items() if hasattr(x, "dtype")}
    assert kinds.pop("norm.num_batches_tracked").kind == "i"
    assert set(kinds.values()) == {np.dtype(np.float32)}
    assert model.weight.grad is None
    assert model.number.data == 2.0


@pytest.mark.parametrize("dtype", [int, bool, "U3"])
def test_astype_refuses_what_has_no_gradient(dtype):
    with pytest.raises(KindError, match=r"astype of Linear got .*; parameters are floating-point or complex num"):
        nn.Linear(1, 1).astype(dtype)


def test_astype_drops_no_imaginary_part():
    model = Mixed()
    model.turns = ad.Tensor(np.ones(2, complex))
    with pytest.raises(
        KindError, match=r"astype of Mixed got float32, and turns is complex\. Take complex64 or complex128"
    ):
        model.astype(np.float32)
    assert model.weight.dtype == float
    assert model.astype(np.complex64).turns.dtype == np.complex64


def test_freezing_by_pattern():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    assert model.freeze("*.bias", "0.*") == ["0.weight", "0.bias", "1.bias", "2.bias"]
    model(np.ones((4, 2))).sum().backward()
    assert [name for name, p in model.named_parameters() if p.grad is not None] == ["1.weight", "2.weight"]
    assert model.freeze("2.bias", frozen=False) == ["2.bias"]
    assert model[2].bias.requires_grad
    assert len(model.freeze()) == 6
    assert not any(p.requires_grad for p in model.parameters())
    before = [p.requires_grad for p in model.parameters()]
    with pytest.raises(
        ArgumentError, match=r"freeze of Sequential got the pattern '3\.\*', which no parameter fits; the"
    ):
        model.freeze("*", "3.*", frozen=False)
    assert [p.requires_grad for p in model.parameters()] == before


def test_a_shared_parameter_is_frozen_under_any_of_its_names():
    layer = nn.Linear(2, 2)
    model = nn.Sequential(layer, layer)
    assert model.freeze("1.weight") == ["1.weight"]
    assert not layer.weight.requires_grad


def test_tied_weights_load_under_one_of_their_names():
    layer = nn.Linear(2, 2, bias=False)
    model = nn.Sequential(layer, layer)
    model.load_state_dict({"1.weight": np.eye(2)})
    assert layer.weight.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({}, "missing: weight, bias. Load into the model"),
        ({"weight": np.ones((1, 2)), "bias": None}, r"array of shape \(\) for bias, which has shape \(1,\)"),
        ({"weight": np.ones((1, 2)), "bias": ["a"]}, "got dtype <U1 for bias, which has dtype float64"),
        ({"weight": np.ones(2), "bias": np.ones(1)}, r"array of shape \(2,\) for weight, which has shape \(1, 2\)"),
        (
            [1],
            r"load_state_dict of Linear got a list; it takes a dict of arrays by name, such as model\.state_dict\(\)",
        ),
    ],
)
def test_loading_is_all_or_nothing(state, message):
    model = nn.Linear(2, 1)
    before = model.state_dict()
    with pytest.raises(ad.AutodiffError, match=message):
        model.load_state_dict(state)
    assert all(np.array_equal(x, before[name]) for name, x in model.state_dict().items())


def test_names_that_do_not_match_may_be_left_but_shapes_may_not():
    model = nn.Linear(2, 1)
    model.load_state_dict({"bias": [5.0], "other": 1}, strict=False)
    assert model.bias.tolist() == [5.0]
    with pytest.raises(ShapeError, match="for weight"):
        model.load_state_dict({"bias": [6.0], "weight": np.ones(3)}, strict=False)
    assert model.bias.tolist() == [5.0]


def test_a_layer_that_is_replaced_is_the_new_one():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    model[1] = nn.Linear(3, 5)
    assert model(np.ones((4, 2))).shape == (4, 5)
    assert model.state_dict()["1.weight"].shape == (5, 3)


def test_a_subclass_that_forgets_its_base_still_switches():
    class Net(nn.Module):
        def __init__(self):
            self.drop = nn.Dropout(0.5)

    net = Net()
    assert net.training
    assert not net.eval().drop.training
    assert not net.training


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.Linear(2, 3, biass=False),
            "Linear got the keyword biass=.*: it takes in_features, out_features, bi",
        ),
        (lambda: nn.ReLU(inplace=True), r"ReLU got the keyword inplace=.*: leave it out, results are new arrays\.$"),
        (lambda: nn.ReLU(True), r"ReLU got 1 arguments by position: it takes no arguments\.$"),
        (
            lambda: nn.Linear(2, 3, True, "cpu"),
            "Linear got 4 arguments by position: it takes .*, dtype, rng only by name",
        ),
        (lambda: nn.MSELoss("sum"), "MSELoss got 1 arguments by position: it takes reduction, reduction only by name"),
        (lambda: nn.MSELoss(reduce=False), r"MSELoss got the keyword reduce=.*: here False is reduction='none'"),
        (lambda: nn.LSTM(2, 3, device="cpu"), "LSTM got the keyword device=.*: leave it out, all data is on the CPU"),
        (lambda: nn.Module(3), "Module got 1 arguments by position"),
    ],
)
def test_what_a_constructor_does_not_take(make, message):
    with pytest.raises(UnsupportedError, match=message):
        make()


def test_constructors_of_ones_own_take_what_they_like():
    class Net(nn.Module):
        def __init__(self, device, *sizes, **options):
            self.given = device, sizes, options

    assert Net("cpu", 1, 2, inplace=True).given == ("cpu", (1, 2), {"inplace": True})
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'device'"):
        Net()


PRINTED = [
    (nn.Linear(2, 3, False), "Linear(2, 3, bias=False)"),
    (nn.Conv1d(1, 2, 3, 2, (1,), 2), "Conv1d(1, 2, 3, stride=2, padding=1, dilation=2)"),
    (nn.Conv2d(2, 2, (3, 2), padding="same", groups=2), "Conv2d(2, 2, (3, 2), padding='same', groups=2)"),
    (nn.Conv2d(2, 2, 3, bias=False, padding_mode="reflect"), "Conv2d(2, 2, 3, bias=False, padding_mode='reflect')"),
    (nn.ConvTranspose2d(1, 2, 3, 2, output_padding=1), "ConvTranspose2d(1, 2, 3, stride=2, output_padding=1)"),
    (nn.MaxPool2d(2), "MaxPool2d(2)"),
    (nn.MaxPool1d(3, 1, 1, 2, ceil_mode=True), "MaxPool1d(3, stride=1, padding=1, dilation=2, ceil_mode=True)"),
    (nn.AvgPool2d((2, 3), divisor_override=4), "AvgPool2d((2, 3), divisor_override=4)"),
    (nn.AdaptiveAvgPool2d((None, 3)), "AdaptiveAvgPool2d((None, 3))"),
    (nn.Upsample(scale_factor=2), "Upsample(scale_factor=2)"),
    (nn.BatchNorm2d(3, momentum=None), "BatchNorm2d(3, momentum=None)"),
    (nn.BatchNorm1d(3, affine=False, bias=False), "BatchNorm1d(3, affine=False)"),
    (nn.LayerNorm((2, 3), bias=False), "LayerNorm((2, 3), bias=False)"),
    (nn.GroupNorm(2, 4, 0.1), "GroupNorm(2, 4, eps=0.1)"),
    (nn.RMSNorm(3, elementwise_affine=False), "RMSNorm(3, elementwise_affine=False)"),
    (nn.Embedding(9, 4, -1), "Embedding(9, 4, padding_idx=8)"),
    (nn.RNN(2, 3, nonlinearity="relu"), "RNN(2, 3, nonlinearity='relu')"),
    (nn.LSTM(2, 3, 2, dropout=0.1, proj_size=1), "LSTM(2, 3, num_layers=2, dropout=0.1, proj_size=1)"),
    (nn.GRUCell(2, 3, False), "GRUCell(2, 3, bias=False)"),
    (nn.MultiheadAttention(8, 2, kdim=3), "MultiheadAttention(8, 2, kdim=3)"),
    (nn.Softplus(2.0), "Softplus(beta=2.0)"),
]


def test_losses_are_printed_with_their_options():
    assert repr(nn.MSELoss()) == "MSELoss()"
    assert repr(nn.HuberLoss(delta=0.4)) == "HuberLoss(delta=0.4)"
    loss = nn.CrossEntropyLoss(np.ones(3), ignore_index=2, reduction="sum")
    assert repr(loss) == "CrossEntropyLoss(weight=array of shape (3,), ignore_index=2, reduction='sum')"
    assert repr(nn.NLLLoss([1.0, 1.0])) == "NLLLoss(weight=[1.0, 1.0])"
    assert repr(nn.KLDivLoss(reduction="batchmean")) == "KLDivLoss(reduction='batchmean')"
    assert repr(nn.TripletMarginLoss(p=1)) == "TripletMarginLoss(p=1)"


@pytest.mark.parametrize(("module", "text"), PRINTED, ids=[text for _, text in PRINTED])
def test_a_layer_is_printed_as_the_call_that_makes_it(module, text):
    assert repr(module) == text
    assert repr(eval(f"nn.{text}")) == text
