"""Signs that show in one node, and the layers that are found on a tape."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from autodiff.diagnosis import signs
from autodiff.diagnosis.health import health


def rows(report):
    return [(row.layer, row.activation) for row in report.rows]


@pytest.mark.parametrize(
    "relu", [ad.relu, lambda x: np.maximum(x, 0), lambda x: ad.maximum(0.0, x), lambda x: x.clip(0)]
)
def test_every_spelling_of_relu(relu):
    node = relu(ad.Tensor([[1.0, -1.0], [2.0, -2.0], [0.5, -3.0]]))
    assert signs.activation_name(node) == "relu"
    assert signs.dead_units(node) == (1, 2)
    assert signs.examples_of(node) == 3


@pytest.mark.parametrize(
    "other", [lambda x: ad.maximum(x, 1.0), lambda x: ad.exp(x), lambda x: ad.maximum(x, ad.Tensor(0.0)), lambda x: x]
)
def test_what_is_no_activation(other):
    node = other(ad.Tensor([[1.0, -1.0]]))
    assert not signs.is_activation(node)
    assert signs.dead_units(node) is None
    assert signs.saturation(node) is None


def test_channels_are_the_units_of_a_convolution():
    image, weight = np.ones((4, 1, 6, 6)), np.ones((3, 1, 3, 3))
    weight[1] = -1
    convolved = ad.relu(ad.conv2d(image, ad.Tensor(weight), np.zeros(3)))
    assert signs.dead_units(convolved) == (1, 3)
    assert signs.dead_units(ad.relu(ad.max_pool2d(convolved, 2) * 2.0 + np.zeros((3, 1, 1)))) == (1, 3)
    assert signs.examples_of(convolved) == 4 * 16
    assert signs.unit_axis(ad.relu(ad.conv1d(np.ones((2, 1, 5)), ad.Tensor(np.ones((3, 1, 3)))))) == 1
    assert signs.unit_axis(ad.relu(ad.Tensor(np.ones((2, 3, 4))) @ np.ones((4, 5)))) == 2  # batch, time, units


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (ad.tanh(ad.Tensor([0.0, 2.0, 2.1, -2.1, -9.0])), (3, 5)),  # arctanh(0.97) is 2.09
        (ad.sigmoid(ad.Tensor([0.0, 3.4, 3.5, -3.5])), (2, 4)),  # log(0.97 / 0.03) is 3.48
        (ad.softmax(ad.Tensor([[0.0, 0.0], [9.0, 0.0]]), axis=0), (1, 2)),
        (ad.tanh(ad.Value(5.0)), (1, 1)),
        (ad.tanh(ad.Tensor(np.zeros((0, 3)))), None),
        (ad.tanh(ad.Tensor([1j])), None),
        (ad.relu(ad.Tensor([1.0])), None),
    ],
)
def test_saturation_lines(node, expected):
    assert signs.saturation(node) == expected


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0,)])
def test_nothing_has_no_units(shape):
    node = ad.relu(ad.Tensor(np.zeros(shape)))
    assert signs.dead_units(node) is None
    assert signs.by_unit(node).size == 0


def test_a_number_and_a_vector_are_one_example():
    assert signs.dead_units(ad.relu(ad.Value(-1.0))) == (1, 1)
    assert signs.dead_units(ad.relu(ad.Tensor([-1.0, 1.0]))) == (1, 2)
    assert signs.examples_of(ad.relu(ad.Tensor([-1.0, 1.0]))) == 1


X = np.random.default_rng(0).normal(size=(20, 3))


def test_layers_are_those_of_a_module():
    model = nn.MLP([3, 5, 4, 2], nn.Tanh, rng=0)
    report = health(model, nn.functional.cross_entropy(model(X), np.arange(20) % 2))
    assert rows(report) == [("0", "tanh"), ("2", "tanh"), ("4", None)]
    assert report.rows[0].parameters == ("0.weight", "0.bias")
    activations = np.tanh(X @ model[0].weight.numpy().T + model[0].bias.numpy())
    assert report.rows[0].mean == pytest.approx(activations.mean())
    assert report.rows[0].std == pytest.approx(activations.std())


@pytest.mark.parametrize("wrap", [dict, lambda named: list(named.values()), lambda named: tuple(named.values())])
def test_biases_without_a_layer_in_their_name_join_their_weight(wrap):
    rng = np.random.default_rng(0)
    W1, b1 = ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(np.zeros(4))
    W2, b2 = ad.Tensor(rng.normal(size=(4, 1))), ad.Tensor(np.zeros((1, 1)))
    loss = ((ad.tanh(X @ W1 + b1) @ W2 + b2) ** 2).mean() + 1e-3 * ((W1**2).sum() + (W2**2).sum())
    report = health(wrap({"W1": W1, "b1": b1, "W2": W2, "b2": b2}), loss)
    assert rows(report) == [("W1", "tanh"), ("W2", None)]
    assert report.rows[1].parameters == ("W2", "b2")


def test_nested_dicts_have_dotted_names():
    params = {
        "first": {"W": ad.Tensor(np.ones((3, 4))), "b": ad.Tensor(np.zeros(4))},
        "second": [ad.Tensor(np.ones(4))],
    }
    loss = (ad.relu(X @ params["first"]["W"] + params["first"]["b"]) @ params["second"][0]).sum()
    assert rows(health(params, loss)) == [("first", "relu"), ("second", None)]


def test_layers_of_single_numbers_are_found_by_depth():
    model = nn.scalar.MLP(2, [3, 4, 1])
    loss = sum((model([a, b]) - 1) ** 2 for a, b, _ in X.tolist()) + 1e-4 * sum(p * p for p in model.parameters())
    report = health(model, loss)
    assert rows(report) == [("layers.0.neurons", "relu"), ("layers.1.neurons", "relu"), ("layers.2.neurons.0", None)]
    assert [row.units for row in report.rows] == [3, 4, None]


def test_a_relu_of_the_loss_is_no_layer():
    w = ad.Tensor(np.ones(3))
    report = health([w], nn.functional.hinge_loss(X @ w, np.sign(X[:, 0])))
    assert rows(report) == [("w", None)]


def test_a_layer_that_is_applied_at_every_time_is_one_row():
    class Recurrent(nn.Module):
        def __init__(self):
            self.inward, self.onward = nn.Linear(1, 4, rng=0), nn.Linear(4, 4, rng=1)

        def forward(self, x):
            h = np.zeros((len(x), 4))
            for t in range(x.shape[1]):
                h = ad.tanh(self.inward(x[:, t : t + 1]) + self.onward(h))
            return h

    model = Recurrent()
    assert rows(health(model, (model(X) ** 2).mean())) == [("inward", None), ("onward", "tanh")]


def test_rows_of_a_table_and_weights_without_bias():
    table, head = ad.Tensor(X[:5], name="table"), nn.Linear(3, 2, bias=False, rng=0)
    loss = nn.functional.cross_entropy(head(ad.relu(table[np.array([0, 1, 2, 0])])), np.array([0, 1, 0, 1]))
    assert rows(health({"table": table, "head.weight": head.weight}, loss)) == [("table", "relu"), ("head", None)]


@pytest.mark.parametrize(
    ("last", "loss", "what"),
    [
        (
            ad.softmax,
            lambda p: nn.functional.cross_entropy(p, np.arange(16) % 3),
            "cross_entropy takes a softmax itself",
        ),
        (ad.softmax, lambda p: -ad.log_softmax(p)[:, 0].mean(), "log_softmax takes a softmax itself"),
        (
            ad.sigmoid,
            lambda p: nn.functional.binary_cross_entropy_with_logits(p[:, 0], np.arange(16) % 2),
            "the loss takes a sigmoid itself",
        ),
    ],
)
def test_probabilities_where_logits_belong(last, loss, what):
    rng = np.random.default_rng(0)
    model = nn.MLP([4, 16, 3], rng=0)
    logits = model(rng.normal(size=(16, 4)))
    (verdict,) = health(model, loss(last(logits))).verdicts
    assert verdict.sign == "squashed twice"
    assert what in verdict.text
    assert health(model, loss(logits)).ok
