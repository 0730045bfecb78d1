"""``ad.fit``: the loop, and what one adds to it."""

import io
import sys

import numpy as np
import pytest

import autodiff as ad
from autodiff import data, nn, optim
from autodiff.core.errors import AnomalyError, ArgumentError, KindError, ShapeError
from autodiff.optim import lr_scheduler
from autodiff.training import History
from autodiff.training.batch import Means

X, Y = data.moons(60, noise=0.1, rng=0)


def net(dropout=0.0):
    layers = [nn.Linear(2, 8, rng=0), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(dropout, rng=1), nn.Linear(8, 2, rng=2)]
    return nn.Sequential(*layers)


def accuracy(logits, labels):
    return (logits.argmax(1) == labels).mean()


def train(model, epochs=4, optimizer=None, loss=nn.functional.cross_entropy, **options):
    optimizer = optimizer or optim.Adam(model.parameters(), lr=0.01)
    portions = options.pop("data", None)
    portions = data.batches(X, Y, batch_size=16, rng=3) if portions is None else portions
    options = {"epochs": epochs, "progress": False, **options}
    return ad.fit(model, portions, loss, optimizer, **options)


def weights(model):
    return np.concatenate([a.ravel() for a in model.state_dict().values()])


def by_hand(model, epochs, accumulate=1, clip_norm=None, clip_value=None):
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    portions = data.batches(X, Y, batch_size=16, rng=3)
    losses = []
    for _ in range(epochs):
        total, rows = 0.0, []
        for k, (x, y) in enumerate(portions, 1):
            loss = nn.functional.cross_entropy(model(x), y)
            total += loss.item() * len(x)
            rows.append(len(x))
            (loss if accumulate == 1 else loss * len(x)).backward()
            if len(rows) == accumulate or k == len(portions):
                for p in optimizer.params if accumulate > 1 else ():
                    p.grad = p.grad / sum(rows)
                if clip_norm is not None:
                    optim.clip_grad_norm_(optimizer.params, clip_norm)
                if clip_value is not None:
                    optim.clip_grad_value_(optimizer.params, clip_value)
                optimizer.step()
                optimizer.zero_grad()
                rows = []
        losses.append(total / len(X))
    return losses


@pytest.mark.parametrize("options", [{}, {"accumulate": 3}, {"clip_norm": 0.1}, {"clip_value": 0.01}], ids=str)
def test_it_is_the_loop_that_one_writes(options):
    one, other = net(0.2), net(0.2)
    history = train(one, **options)
    expected = by_hand(other, 4, **options)
    assert history["loss"] == expected
    np.testing.assert_array_equal(weights(one), weights(other))
    assert [row["epoch"] for row in history.rows] == [1, 2, 3, 4]
    assert set(history["lr"]) == {0.01}
    assert all(p.grad is None for p in one.parameters())


def test_accumulation_is_a_larger_batch():
    """To rounding, and with a last batch that is smaller and a last step of fewer batches."""
    results = []
    for batch_size, accumulate in ((24, 1), (8, 3), (4, 6), (5, 5)):
        model = nn.MLP([2, 8, 2], nn.Tanh, rng=0)
        portions = data.batches(X, Y, batch_size=batch_size, rng=3)
        train(model, data=portions, optimizer=optim.SGD(model.parameters(), lr=0.5), accumulate=accumulate)
        results.append(weights(model))
    for found in results[1:3]:
        np.testing.assert_allclose(found, results[0], rtol=1e-12)
    assert not np.allclose(results[3], results[0])  # steps of 25 rows are others


def test_validation_and_metrics():
    model = net(0.5)
    history = train(model, validation=(X, Y), metrics={"right": accuracy, "accuracy": "accuracy"}, epochs=30)
    assert model.training
    model.eval()
    with ad.no_grad():
        logits = model(X)
    assert history["validation right"] == history["validation accuracy"]
    assert history["validation right"][-1] == accuracy(logits.numpy(), Y)
    assert history["validation loss"][-1] == pytest.approx(nn.functional.cross_entropy(logits, Y).item())
    assert "right" not in history.names
    for metrics in ([accuracy], ["accuracy"], "accuracy", accuracy):
        assert "accuracy" in train(net(), 1, metrics=metrics).names
    assert "metric 1" in train(net(), 1, metrics=[lambda logits, labels: 0.0]).names


def test_validation_data_of_every_kind(monkeypatch):
    def validated(validation):
        return train(net(), 1, validation=validation)["validation loss"][0]

    expected = validated((X, Y))
    pairs = [(X[:10], Y[:10]), (X[10:], Y[10:])]
    for given in (
        data.batches(X, Y, batch_size=7, rng=0),
        pairs,
        tuple(pairs),
        (X.tolist(), Y.tolist()),
        [[X, Y]],
        (ad.Tensor(X), Y),
    ):
        assert validated(given) == pytest.approx(expected, rel=1e-12)
    monkeypatch.setattr("autodiff.training.arguments.VALIDATION_ROWS", 7)
    assert validated((X, Y)) == pytest.approx(expected, rel=1e-12)


def test_modes_are_put_back():
    model = net()
    model[1].eval()
    train(model, 1, validation=(X, Y))
    assert [module.training for _, module in model.named_modules()] == [True, True, False, True, True, True]

    def fail(logits, labels):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train(model, 1, validation=(X, Y), metrics=[fail])
    assert model.training


def test_early_stopping():
    model = net()
    history = train(model, epochs=50, patience=3, monitor="loss", optimizer=optim.SGD(model.parameters(), lr=0.0))
    assert len(history) < 50
    assert history.stopped.endswith("loss did not get better in 3.")
    up = train(
        net(), epochs=4, validation=(X, Y), metrics=[accuracy], monitor="validation accuracy", mode="max", patience=9
    )
    assert len(up) == 4


@pytest.mark.parametrize("kept", [False, True])
def test_going_back_to_the_best_weights(kept, tmp_path):
    model = net()
    optimizer = optim.SGD(model.parameters(), lr=3.0)
    folder = tmp_path if kept else None
    history = train(model, 8, optimizer=optimizer, validation=(X, Y), restore_best=True, patience=4, checkpoints=folder)
    found = nn.functional.cross_entropy(model.eval()(X), Y).item()
    best = history.best("validation loss")
    assert found == pytest.approx(best["validation loss"], rel=1e-12)
    assert best is not history.rows[-1]
    if kept:
        other = net()
        other.load_state_dict(ad.io.load(tmp_path / "best.npz"))
        np.testing.assert_array_equal(weights(other), weights(model))


def test_schedules_and_callbacks():
    model, seen = net(), []
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    history = train(model, optimizer=optimizer, schedule=schedule, callbacks=[seen.append])
    assert history["lr"] == [1.0, 0.5, 0.25, 0.125]
    assert seen == history.rows
    stopped = train(net(), callbacks=lambda row: row["epoch"] == 2)
    assert len(stopped) == 2
    assert stopped.stopped == "Stopped by a callback after epoch 2."


def test_schedules_by_step_and_by_figure():
    model = net()
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    cycle = lr_scheduler.OneCycleLR(optimizer, 1.0, epochs=2, steps_per_epoch=4)
    train(model, epochs=2, optimizer=optimizer, schedule=cycle)
    assert cycle.t == 8
    with pytest.raises(ArgumentError, match="was stepped 9 times; it was made for total_steps=8"):
        train(model, epochs=1, optimizer=optimizer, schedule=cycle)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    warm = lr_scheduler.LinearLR(optimizer, 0.5, total_iters=8)
    assert train(model, 2, optimizer=optimizer, schedule=warm, schedule_by="step")["lr"] == pytest.approx([0.75, 1.0])
    model = net()
    optimizer = optim.SGD(model.parameters(), lr=1e-12)
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0, eps=0)
    assert train(model, optimizer=optimizer, schedule=plateau)["lr"][-1] < 1e-12


def test_running_averages():
    """They follow each step, and validation is theirs."""
    model, other = net(), net()
    ema, expected = optim.EMA(model.parameters(), decay=0.9), optim.EMA(other.parameters(), decay=0.9)
    history = train(model, 2, ema=ema, validation=(X, Y), restore_best=True)
    optimizer = optim.Adam(other.parameters(), lr=0.01)
    portions = data.batches(X, Y, batch_size=16, rng=3)
    for x, y in [*portions, *portions]:
        nn.functional.cross_entropy(other(x), y).backward()
        optimizer.step()
        optimizer.zero_grad()
        expected.update()
    for a, b in zip(ema.averages, expected.averages, strict=True):
        np.testing.assert_array_equal(a, b)
    with expected.applied():
        assert nn.functional.cross_entropy(other.eval()(X), Y).item() == history["validation loss"][-1]
    for p, a in zip(model.parameters(), ema.averages, strict=True):
        np.testing.assert_array_equal(p.data, a)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("options", [{}, {"accumulate": 3}, {"clip_norm": 0.1}], ids=str)
def test_compiled(dtype, options):
    """With dropout, running averages of a batch norm, and another mode for validation: equal to a few ulp."""
    models = [net(0.3).astype(dtype), net(0.3).astype(dtype)]
    rows = X.astype(dtype)
    histories = [
        train(
            model,
            data=data.batches(rows, Y, batch_size=16, rng=3),
            optimizer=optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
            validation=(rows, Y),
            compile=compile,
            **options,
        )
        for model, compile in zip(models, [True, False])
    ]
    eps = 100 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(weights(models[0]), weights(models[1]), rtol=eps, atol=eps)
    for name in ("loss", "validation loss"):
        assert histories[0][name] == pytest.approx(histories[1][name], rel=eps)


def test_inputs_of_every_kind():
    autoencoder = nn.MLP([2, 3, 2], nn.Tanh, rng=0)
    optimizer = optim.Adam(autoencoder.parameters())
    for portions in ([(X,)], [X]):
        history = train(autoencoder, data=portions, loss=nn.functional.mse_loss, optimizer=optimizer, validation=X)
        assert history["loss"][1] < history["loss"][0]
        assert len(history["validation loss"]) == 4
    two = train(
        lambda a, b: autoencoder(a) + b, data=[(X, X, X)], loss=nn.functional.mse_loss, optimizer=optimizer, epochs=1
    )
    assert len(two) == 1
    several = train(
        lambda x: (autoencoder(x), {"code": x}),
        data=[X],
        loss=lambda p, x: nn.functional.mse_loss(p[0], x),
        optimizer=optimizer,
        metrics={"error": lambda p, x: np.abs(p[0] - p[1]["code"]).mean()},
    )
    assert several["error"][-1] < several["error"][0]
    w = ad.Value(1.0)
    line = train(
        lambda x: w * x, data=[(3.0, 6.0)], loss=lambda p, y: (p - y) ** 2, optimizer=optim.SGD([w], lr=0.02), epochs=20
    )
    assert w.data == pytest.approx(2.0, rel=1e-3)
    assert len(line) == 20


def other_optimizer():
    return optim.SGD(net().parameters(), lr=0.1)


class Once:
    """Batches that are there only the first time."""

    def __init__(self):
        self.rest = iter([(X, Y)])

    def __iter__(self):
        yield from self.rest


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"optimizer": "adam"}, KindError, "got a str as optimizer; it takes one of autodiff.optim"),
        ({"optimizer": optim.Adam}, KindError, "got the class Adam as optimizer"),
        ({"optimizer": optim.LBFGS([ad.Tensor([1.0])])}, ArgumentError, r"Write the loop: optimizer\.step\(closure\)"),
        ({"optimizer": other_optimizer()}, ArgumentError, "no gradient in any parameter of the optimizer"),
        ({"loss": "mse"}, KindError, r"got a str as loss; .* Such as nn\.functional\.mse_loss"),
        ({"loss": nn.MSELoss}, KindError, r"got the class MSELoss as loss; .* Make one: nn\.MSELoss\(\)"),
        ({"loss": nn.CrossEntropyLoss(reduction="none")}, ShapeError, r"returned shape \(16,\); .*reduction='mean'"),
        ({"loss": lambda p, y: 1.0}, KindError, "returned a float, which has no gradient"),
        ({"loss": nn.functional.mse_loss}, ShapeError, r"\(16, 2\).*\(16,\)"),
        ({"data": (X, Y)}, ArgumentError, r"got arrays as data.*ad\.data\.batches\(X, y, batch_size=32\)"),
        ({"data": X}, ArgumentError, "got arrays as data"),
        ({"data": 3}, KindError, "got an int as data; it takes batches"),
        ({"data": iter([(X, Y)])}, ArgumentError, "data that can be gone through once only"),
        ({"data": Once()}, ArgumentError, "no batch in the data in epoch 2. It can be gone through once only"),
        ({"data": []}, ArgumentError, r"no batch in the data in epoch 1\. It is empty"),
        ({"data": [(X, Y[:-1])]}, ShapeError, r"\(60, 2\).*\(59,\)"),
        ({"data": [{"x": X, "y": Y}]}, KindError, r"a batch that is a dict of \['x', 'y'\]"),
        ({"data": [(X[:0], Y[:0])]}, ShapeError, r"batch_norm got an input of shape \(0, 8\)"),
        ({"data": [(X * np.nan, Y)]}, AnomalyError, "loss of nan in batch 1 of epoch 1. The batch itself holds nan"),
        ({"validation": iter([(X, Y)])}, ArgumentError, "validation data that can be gone through once only"),
        ({"validation": 0.2}, KindError, r"validation=0\.2; .*data\.train_test_split"),
        ({"ema": 0.99}, KindError, r"got a float as ema; it takes optim\.EMA"),
        ({"ema": optim.EMA(net().parameters())}, ArgumentError, "an ema of other parameters"),
        ({"compile": "numba"}, KindError, r"compile='numba'; .* pass the model as ad\.compile\(model"),
        ({"checkpoints": 3}, KindError, "got an int as checkpoints"),
        ({"loss": lambda p, y: (p * 1j).sum()}, KindError, "returned a complex number; it must be real"),
        ({"validation": []}, ArgumentError, "no batch in the validation data"),
        ({"validation": (X[:0], Y[:0])}, ShapeError, "no rows"),
        ({"validation": (X, Y[:5])}, ShapeError, "the same number of rows"),
        ({"metrics": ["acuracy"]}, ArgumentError, "got the metric 'acuracy'; it takes 'accuracy', or functions"),
        ({"metrics": [lambda p, y: p]}, KindError, r"metric 'metric 1' returned array.* it returns a number"),
        ({"metrics": {"loss": accuracy}}, ArgumentError, "got a metric named 'loss'"),
        ({"epochs": 0}, ArgumentError, "got epochs=0; it is a whole number of at least 1"),
        ({"epochs": "3"}, ArgumentError, "got epochs='3'"),
        ({"accumulate": 1.5}, ArgumentError, r"got accumulate=1\.5"),
        ({"patience": 0}, ArgumentError, "got patience=0"),
        ({"clip_norm": -1}, ArgumentError, "got clip_norm=-1; it is a number above 0"),
        ({"mode": "best"}, ArgumentError, "got mode='best'; it is 'min' or 'max'"),
        ({"monitor": "accuracy"}, ArgumentError, "got monitor='accuracy'; it is one of loss"),
        ({"monitor": "accuracy", "metrics": ["accuracy"]}, ArgumentError, "say which is better: mode='max'"),
        ({"monitor": "validation loss", "patience": 2}, ArgumentError, r"Pass validation=\(X_val, y_val\)"),
        ({"callbacks": [3]}, KindError, "callbacks of which one cannot be called"),
        ({"callbacks": 3}, KindError, "got an int as callbacks"),
        ({"schedule": lr_scheduler.StepLR(other_optimizer(), 2)}, ArgumentError, "a schedule of another optimizer"),
        ({"schedule": lr_scheduler.StepLR}, KindError, "got the class StepLR as schedule"),
        ({"schedule_by": "batch"}, ArgumentError, "got schedule_by='batch'"),
    ],
)
def test_bad_arguments(changes, error, text):
    model = net()
    before = weights(model)
    with pytest.raises(error, match=text):
        train(model, **changes)
    if "Once" not in repr(changes) and "validation" not in changes and "metrics" not in changes:
        np.testing.assert_array_equal(weights(model)[:24], before[:24])  # not the running averages of the batch norm


def test_a_plateau_that_looks_the_other_way():
    optimizer = (model := net()) and optim.SGD(model.parameters(), lr=0.1)
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, mode="max")
    with pytest.raises(ArgumentError, match="monitors with mode='min'; ReduceLROnPlateau has mode='max'"):
        train(model, optimizer=optimizer, schedule=schedule)
    with pytest.raises(ArgumentError, match="it follows a figure of epochs"):
        train(model, optimizer=optimizer, schedule=schedule, schedule_by="step", mode="max")


def test_a_loss_of_nan():
    """It is said before the optimizer makes a step with it, with what can be known of its origin."""
    model = net()
    expected = r"in batch 1 of epoch 1\. The batch and the parameters are finite"
    with pytest.raises(AnomalyError, match=expected), np.errstate(all="ignore"):
        train(model, loss=lambda p, y: ad.mean(0 * (p - p) / (p - p)))
    assert np.isfinite(weights(model)).all()
    model = nn.MLP([2, 8, 2], rng=0)
    with pytest.raises(AnomalyError, match=r"the largest is \d\S*e\+\d+\. If that is large"), np.errstate(all="ignore"):
        train(model, 50, optim.SGD(model.parameters(), lr=1e6), loss=lambda p, y: ad.mean(p**4))
    assert np.isfinite(weights(model)).all()
    model[0].bias.data = model[0].bias.data * np.nan
    with pytest.raises(AnomalyError, match=r"1 of 4 parameters were nan or infinite before it: the steps"):
        train(model)


def test_callbacks_that_raise():
    def fail(row):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no") as caught:
        train(net(), callbacks=[fail])
    assert "after epoch 1" in caught.value.__notes__[0]


def test_metrics_of_wrong_shapes():
    with pytest.raises(KindError, match=r"'accuracy' got predictions of shape \(60,\) and labels of shape \(60,\)"):
        train(
            lambda x: (W * x)[:, 0], data=[(X, X[:, 0])], loss=nn.functional.mse_loss, optimizer=SGD, metrics="accuracy"
        )


W = ad.Tensor(np.ones((1, 2)))
SGD = optim.SGD([W], lr=0.1)


def test_history(tmp_path):
    history = train(net(), validation=(X, Y), metrics=["accuracy"])
    path = history.save(tmp_path / "history.csv")
    rows, _ = data.csv(path, target=None)
    np.testing.assert_allclose(rows[:, 1], history["loss"])
    assert history.best("loss")["loss"] == min(history["loss"])
    assert history.best("loss", "max")["loss"] == max(history["loss"])
    assert len(str(history).splitlines()) == 5
    assert len(history.plot().get_lines()) == 2
    with pytest.raises(ArgumentError, match="has no 'f1'; it has epoch, loss, lr"):
        history["f1"]
    with pytest.raises(ArgumentError, match="could not write"):
        history.save(tmp_path / "missing" / "history.csv")


def test_best_and_plots():
    history = History([{"loss": np.nan, "f1": 0.2}, {"loss": 2.0, "f1": 0.5}, {"loss": 3.0, "f1": 0.5}])
    assert history.best("loss") is history.rows[1]
    assert history.best("f1", "max") is history.rows[1]
    with pytest.raises(ArgumentError, match="mode='most'"):
        history.best("f1", "most")
    ax = history.plot("f1")
    assert ax.get_ylabel() == "f1"
    assert [line.get_ydata().tolist() for line in ax.get_lines()] == [[0.2, 0.5, 0.5]]
    with pytest.raises(ArgumentError, match="got no losses"):
        History().plot()


def test_recording_is_no_call():
    """What layers bring up to date themselves is set back after a function was recorded, for each shape."""
    layer = nn.BatchNorm1d(2)
    loss_of = ad.compile(lambda x: (layer(x) ** 2).mean())
    for n in (16, 12, 16):
        loss_of(X[:n])
    assert layer.num_batches_tracked.data == 3
    layer.eval()
    loss_of(X)
    assert layer.num_batches_tracked.data == 3


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_a_bar_and_lines(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)
    train(net(), 2, progress=True)
    lines = capsys.readouterr().out.replace("\r", "").split("\n")
    assert [line[:13] for line in lines if line] == ["epoch 1  loss", "epoch 2  loss"]
    assert "training: " in sys.stderr.getvalue()
    assert "epoch 1/2, loss 0." in sys.stderr.getvalue()


def test_means():
    means = Means()
    means.add("a", 1.0, 1)
    means.add("a", 4.0, 2)
    assert means.all() == {"a": 3.0}
