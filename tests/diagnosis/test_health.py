"""Planted illnesses get their verdict, and the report reads well."""

import random
import re
import sys

import numpy as np
import pytest

import autodiff as ad
from autodiff import data, nn, optim
from autodiff.core.figures import label_text
from autodiff.diagnosis.health import health
from autodiff.nn import functional

X, y = data.moons(100, noise=0.1, rng=0)


def mlp(*hidden, activation=nn.ReLU, scale=1.0):
    model = nn.MLP([2, *hidden, 2], activation, rng=0)
    for p in model.parameters():
        if p.ndim == 2:
            p.data = scale * p.data
    return model


def loss_of(model, X=X):
    return functional.cross_entropy(model(X), y)


def filled(value, activation):
    model = mlp(16, 16, activation=activation)
    for p in model.parameters():
        p.data = np.full(p.shape, value)
    return health(model, loss_of(model), lr=0.1)


def dead_by_bias(units):
    model = mlp(16, 16)
    model[2].bias.data[:units] = -100
    return health(model, loss_of(model))


class Branches(nn.Module):
    """Two heads, of which one is used; what comes before it may be detached, averaged or multiplied by 0."""

    def __init__(self, change=lambda h: h):
        self.body, self.used, self.unused = nn.Linear(2, 8, rng=0), nn.Linear(8, 2, rng=1), nn.Linear(8, 2, rng=2)
        self.change = change

    def forward(self, x):
        return self.used(self.change(ad.relu(self.body(x))))


def branches(change=lambda h: h):
    model = Branches(change)
    return health(model, loss_of(model))


def nan_weight():
    model = mlp(16)
    model[0].weight.data[3, 1] = np.nan
    return health(model, loss_of(model))


def nan_input():
    bad = X.copy()
    bad[7, 0] = np.nan
    model = mlp(16)
    return health(model, loss_of(model, bad))


def nan_made():
    model = mlp(16)
    with np.errstate(all="ignore"):
        return health(model, ad.log(model(X)).mean())


def infinite_slope():
    w = ad.Tensor(np.zeros(3), name="w")
    return health([w], ad.sqrt(w).sum())


def with_lr(lr, adam=False):
    model = mlp(16, 16)
    options = {"optimizer": optim.Adam(model.parameters(), lr)} if adam else {"lr": lr}
    return health(model, loss_of(model), **options)


def large_input(factor):
    model = mlp(16)
    return health(model, loss_of(model, factor * X), lr=0.1)


def one_column():
    model = nn.MLP([2, 8, 1], rng=0)
    return health(model, functional.mse_loss(ad.softmax(model(X))[:, 0], 1.0 * y))


def relu_at_the_end():
    model = nn.Sequential(nn.Linear(2, 8, rng=0), nn.Tanh(), nn.Linear(8, 2, rng=1), nn.ReLU())
    model[2].bias.data = np.full(2, -100.0)
    return health(model, loss_of(model))


def large_targets():
    model = nn.MLP([2, 8, 1], rng=0)
    return health(model, functional.mse_loss(model(X)[:, 0], 1e6 * y), lr=1e-9)


def sure_and_wrong():
    model = mlp(16)
    model[2].weight.data = 1e3 * model[2].weight.data
    return health(model, loss_of(model))


def forgotten_layer():
    model = mlp(16)
    return health(model, loss_of(model), optimizer=optim.SGD(model[0].parameters(), 0.1))


def numbers(bias=0.0, factor=1.0):
    random.seed(0)
    model = nn.scalar.MLP(2, [8, 8, 1])
    for neuron in model.layers[1].neurons:
        neuron.b.data += bias
    loss = sum((model([factor * a, b]) - 1) ** 2 for a, b in X[:20].tolist()) / 20
    return health(model, loss)


ILL = {
    "all relu units off by their bias": (
        lambda: dead_by_bias(16),
        ["dead units"],
        "2: 16 of 16 relu units are 0 for all 100",
    ),
    "most of them": (lambda: dead_by_bias(14), ["dead units"], "of 16 relu units are 0 for all 100 examples (dead)."),
    "relu of numbers": (
        lambda: numbers(bias=-100),
        ["dead units"],
        "layers.1.neurons: 8 of 8 relu units are 0 for all 20",
    ),
    "tanh of weights x 50": (
        lambda: health(m := mlp(16, 16, activation=nn.Tanh, scale=50), loss_of(m)),
        ["saturated", "saturated"],
        "of the results of tanh are saturated",
    ),
    "sigmoid of weights x 100": (
        lambda: health(m := mlp(16, activation=nn.Sigmoid, scale=100), loss_of(m)),
        ["saturated"],
        "0: 9",
    ),
    "zeros, tanh": (lambda: filled(0.0, nn.Tanh), ["symmetric"], "0.weight, 2.weight, 4.weight: 16 units are alike"),
    "zeros, relu": (lambda: filled(0.0, nn.ReLU), ["symmetric"], "Start with random weights"),
    "one constant": (lambda: filled(0.1, nn.Sigmoid), ["symmetric"], "so they will stay copies of one"),
    "large weights over 20 layers": (
        lambda: health(m := mlp(*[16] * 20, scale=6), loss_of(m), lr=0.1),
        ["exploding"],
        "40: results grow from",
    ),
    "large weights over 20 layers of tanh": (
        lambda: health(m := mlp(*[16] * 20, activation=nn.Tanh, scale=8), loss_of(m), lr=0.1),
        ["exploding"],
        "0: the gradient grows from",
    ),
    "sigmoid over 12 layers": (
        lambda: health(m := mlp(*[16] * 12, activation=nn.Sigmoid), loss_of(m), lr=0.1),
        ["vanishing"],
        "0: the gradient fades from",
    ),
    "an unused head": (
        branches,
        ["not reached"],
        "unused.weight, unused.bias: the loss does not depend on them. Use them",
    ),
    "detached": (
        lambda: branches(lambda h: h.detach()),
        ["not reached"] * 2,
        "body.weight, body.bias: the loss does not",
    ),
    "another model's loss": (
        lambda: health(mlp(4), loss_of(mlp(4))),
        ["not reached"],
        "loss: the loss depends on none",
    ),
    "times 0": (
        lambda: branches(lambda h: 0 * h),
        ["not reached", "zero gradient", "constant output"],
        "body: the gradient is exactly 0",
    ),
    "averaged over examples": (
        lambda: branches(lambda h: 0 * h + h.mean(0)),
        ["not reached", "constant output"],
        "used: all 100 examples give the same result",
    ),
    "nan in a weight": (nan_weight, ["nan"], "0.weight: holds 1 nan. A bad gradient was added to it"),
    "nan in an input": (nan_input, ["nan"], "0: its input holds 1 nan. Clean the data"),
    "nan made by an op": (nan_made, ["nan"], "2: log makes"),
    "infinite slope": (infinite_slope, ["nan"], "w: its gradient holds 3 inf, though the loss is finite"),
    "lr 1e3 times": (lambda: with_lr(100.0), ["long step"], "one step changes the parameters by 14 times their size"),
    "Adam's lr 1e3 times": (lambda: with_lr(1.0, adam=True), ["long step"], "Lower the learning rate"),
    "lr 1e-9": (lambda: with_lr(1e-9), ["short step"], "all layers: one step changes no layer by more than"),
    "Adam's lr 1e-9": (lambda: with_lr(1e-9, adam=True), ["short step"], "Raise the learning rate."),
    "inputs of 1e4": (
        lambda: large_input(1e4),
        ["large input"],
        "0: its inputs are about 8200 in size. Normalise them",
    ),
    "inputs of numbers": (lambda: numbers(factor=1e4), ["large input"], "layers.0.neurons: its inputs are about"),
    "softmax of one column": (one_column, ["zero gradient", "constant output"], "A softmax needs more than one column"),
    "relu at the end": (relu_at_the_end, ["dead units"], "relu units are 0 for all 100 examples (dead)"),
    "targets of 1e6": (large_targets, ["exploding"], "times its weights. Start with smaller weights, normalise"),
    "large logits": (sure_and_wrong, ["sure and wrong"], "is above the 0.6931 of a guess among 2 classes"),
    "a layer the optimizer lacks": (
        forgotten_layer,
        ["not optimized"],
        "2.weight, 2.bias: the optimizer was not given",
    ),
}


@pytest.mark.parametrize("name", ILL)
def test_each_illness_is_named(name):
    make, expected, words = ILL[name]
    report = make()
    assert [verdict.sign for verdict in report.verdicts] == expected
    assert not report.ok
    assert any(words in str(verdict) for verdict in report.verdicts), report


def test_many_verdicts_of_one_kind_are_summed_up():
    model = mlp(*[16] * 12, activation=nn.Tanh, scale=50)
    saturated = [v for v in health(model, loss_of(model)).verdicts if v.sign == "saturated"]
    assert [v.where for v in saturated] == ["0", "2", "4", "6, 8, 10 and 6 more"]


class TestRow:
    def test_the_numbers_are_those_of_numpy(self):
        model = mlp(16)
        loss = loss_of(model)
        report = health(model, loss, lr=0.5)
        loss.backward()
        parameters = [p for _, p in model[0].named_parameters()]
        g, d = (np.concatenate([x.ravel() for x in xs]) for xs in zip(*((p.grad, p.data) for p in parameters)))
        row = report.rows[0]
        assert row.gradient == pytest.approx(np.linalg.norm(g))
        assert row.gradient_to_data == pytest.approx(np.linalg.norm(g) / np.linalg.norm(d))
        assert row.update_to_data == pytest.approx(0.5 * row.gradient_to_data)
        assert (row.units, row.saturated, row.frozen) == (16, None, False)

    @pytest.mark.parametrize(
        "make",
        [
            lambda p: optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.1),
            lambda p: optim.Adam(p, 0.01),
            lambda p: optim.AdamW(p, 0.01, weight_decay=0.1),
        ],
    )
    def test_the_update_is_what_the_optimizer_does_next(self, make):
        model = mlp(16)
        optimizer = make(model.parameters())
        for _ in range(3):
            loss = loss_of(model)
            optimizer.zero_grad()
            loss.backward()
            report = health(model, loss, optimizer=optimizer)
            before = [p.data.copy() for p in model.parameters()]
            optimizer.step()
            moved = [np.sum((p.data - b) ** 2) for p, b in zip(model.parameters(), before)]
            sizes = [np.sum(b**2) for b in before]
            for i, row in enumerate(report.rows):
                part = slice(2 * i, 2 * i + 2)
                assert row.update_to_data == pytest.approx(np.sqrt(sum(moved[part]) / sum(sizes[part])))

    def test_another_optimizer_needs_an_lr_only(self):
        model = mlp(16)

        class Mine:
            lr = 0.5

        loss = loss_of(model)
        given, own = health(model, loss, lr=0.5), health(model, loss, optimizer=Mine())
        assert [row.update_to_data for row in given.rows] == [row.update_to_data for row in own.rows]


class TestWhatItReads:
    def test_nothing_is_changed(self):
        model = mlp(16)
        optimizer = optim.Adam(model.parameters())
        loss = loss_of(model)
        with ad.lint():
            health(model, loss, optimizer=optimizer)
        assert all(p.grad is None for p in model.parameters())
        assert loss.grad is None
        assert all(state["t"] == 0 and not state["m"].any() for state in optimizer.state)
        loss.backward()

    def test_gradients_that_backward_left_are_used_also_after_a_step(self):
        model = mlp(16)
        optimizer = optim.SGD(model.parameters(), 0.1)
        loss = loss_of(model)
        loss.backward()
        before = health(model, loss)
        optimizer.step()
        after = health(model, loss)
        assert [row.gradient for row in after.rows] == [row.gradient for row in before.rows]
        optimizer.zero_grad()
        with pytest.raises(ad.errors.StaleDataError, match="Compute the loss again"):
            health(model, loss)

    def test_without_a_loss_there_are_parameters_only(self):
        model = mlp(16)
        assert health(model).ok
        loss_of(model).backward()
        report = health(model, lr=0.1)
        assert report.ok
        assert report.loss is None
        assert report.rows[0].activation is None
        assert report.rows[0].update_to_data > 0
        model[0].weight.data[0, 0] = np.inf
        assert str(health(model).verdicts[0]).startswith("0.weight: holds 1 inf.")

    def test_numbers_of_other_kinds(self):
        from fractions import Fraction

        w = ad.Value(Fraction(1, 3), name="w")
        report = health([w], (w * 3 - 2) ** 2, lr=0.1)
        assert report.rows[0].gradient == pytest.approx(6)

    @pytest.mark.parametrize("nothing", [[], {}, nn.ReLU(), np.ones(3), {"a": np.ones(3)}])
    def test_no_parameters(self, nothing):
        with pytest.raises(ad.errors.ArgumentError, match="in which there are no parameters"):
            health(nothing)

    def test_an_optimizer_and_lr(self):
        model = mlp(4)
        with pytest.raises(ad.errors.ArgumentError, match="got an optimizer and lr; give one"):
            health(model, loss_of(model), lr=1.0, optimizer=optim.SGD(model.parameters(), 0.1))

    @pytest.mark.parametrize("lr", ["a", -1, np.nan, np.inf, [0.1]])
    def test_a_learning_rate_that_is_none(self, lr):
        with pytest.raises(ad.errors.ArgumentError, match=r"health\(\) got lr=.*; it is a finite number of at least 0"):
            health(mlp(4), lr=lr)

    @pytest.mark.parametrize(("wrong", "what"), [(3, "an int"), ("sgd", "a str"), (optim.SGD, "the class SGD")])
    def test_an_optimizer_that_is_none(self, wrong, what):
        with pytest.raises(ad.errors.KindError, match=rf"got {what} as optimizer; .* alone is lr=0.1"):
            health(mlp(4), optimizer=wrong)

    def test_a_loss_that_is_no_single_number(self):
        with pytest.raises(ad.errors.ShapeError, match=r"health\(\) got .*, which has 8 entries; .* \.mean\(\)"):
            health([w := ad.Tensor(np.ones(8))], w * 2)

    def test_a_loss_that_was_not_recorded(self):
        model = mlp(4)
        with ad.no_grad():
            loss = loss_of(model)
        with pytest.raises(ad.errors.TapeError, match=r"health\(\) needs a result that was recorded"):
            health(model, loss)
        loss = loss_of(model)
        loss.backward(free=True)
        with pytest.raises(ad.errors.TapeError, match="freed"):
            health(model, loss)


class TestReport:
    def test_it_prints_as_an_aligned_table(self):
        model = mlp(16, 16)
        text = str(health(model, loss_of(model), lr=0.1))
        loss, _, head, *body, _, said = text.splitlines()
        assert re.fullmatch(r"loss 0\.\d+", loss)
        assert head.split()[:5] == ["layer", "activation", "mean", "std", "dead"]
        assert said == "No sign of illness."
        ends = {m.end() for line in [head, *body] if (m := re.search(r"dead|\d+ of \d+", line))}
        assert len(ends) == 1
        assert all("●" in line for line in body)

    def test_no_line_is_wider_than_120_columns(self):
        model = {"a" * 300 + str(i): p for i, p in enumerate(mlp(16, 16, activation=nn.Tanh, scale=50).parameters())}
        x = X
        W1, b1, W2, b2, W3, b3 = model.values()
        for W, b in ((W1, b1), (W2, b2)):
            x = ad.relu(ad.tanh(x @ W.T + b))
        report = health(model, functional.cross_entropy(x @ W3.T + b3, y), lr=1e6)
        assert report.verdicts
        assert max(map(len, str(report).splitlines())) <= 120

    def test_html_is_escaped(self):
        model = mlp(16)
        named = {f"<b>{name}": p for name, p in model.named_parameters()}
        model[0].bias.data[:] = -100
        page = health(named, loss_of(model))._repr_html_()
        assert "<b>" not in page
        assert "&lt;b&gt;0" in page
        assert page.count("<tr>") == 3
        assert "<li>&lt;b&gt;0: 16 of 16 relu units" in page

    def test_it_is_plotted(self):
        pytest.importorskip("matplotlib")
        from matplotlib.figure import Figure

        model = mlp(16, 16)
        model[2].bias.data[:] = -100
        loss = loss_of(model)
        ax = health(model, loss, lr=0.1).plot()
        left, right = ax.child_axes
        assert [t.get_text() for t in left.get_yticklabels()] == ["0 (relu)", "2 (relu)", "4"]
        assert left.get_xlabel() == "update / data"
        assert "100%" in [t.get_text() for t in right.texts]
        ax.figure.draw_without_rendering()
        box, figure = ax.get_tightbbox(), ax.figure.bbox
        assert box.x0 >= figure.x0 - 1
        assert box.x1 <= figure.x1 + 1
        given = Figure().add_subplot()
        assert health(model, loss).plot(given) is given
        assert given.child_axes[0].get_xlabel() == "gradient / data"

    @pytest.mark.parametrize("name", ["_hidden", r"$\href{a}{x}$", "a^b$ $", "a" * 10_000])
    def test_any_name_of_a_layer_can_be_drawn(self, name):
        pytest.importorskip("matplotlib")
        w = ad.Tensor([1.0, 2.0])
        ax = health({name: w}, (w * w).sum(), lr=0.1).plot()
        ax.figure.draw_without_rendering()
        assert [t.get_text() for t in ax.child_axes[0].get_yticklabels()] == [label_text(name)]

    def test_a_plot_without_numbers(self):
        pytest.importorskip("matplotlib")
        health(mlp(4)).plot().figure.draw_without_rendering()

    def test_without_matplotlib(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        with pytest.raises(ImportError, match=r"Plotting needs .* pip install 'autodiff-tape\[plot\]'"):
            health(mlp(4)).plot()
