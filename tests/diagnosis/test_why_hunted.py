"""Bugs as people plant them, found by hunting: each was once answered with a wrong cause, line, figure or repair."""

import math
import time

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from autodiff.diagnosis.health import health
from autodiff.diagnosis.why import why

RNG = np.random.default_rng(7)
X, Y = RNG.normal(size=(16, 4)), RNG.normal(size=(16, 1))
PROGRAMS = []


def planted(cause, *words, line=None, healthy=False, without=()):
    """Declare a program that returns what ``why`` says: with this cause, these words and none of ``without``."""

    def declare(program):
        PROGRAMS.append(pytest.param(program, cause, words, line, healthy, without, id=program.__name__))
        return program

    return declare


@pytest.mark.parametrize(("program", "cause", "words", "line", "healthy", "without"), PROGRAMS)
def test_hunted(program, cause, words, line, healthy, without):
    with np.errstate(all="ignore"):
        answer = program()
    print(f"\n{answer.cause}: {answer}")
    assert answer.cause == cause, str(answer)
    assert answer.healthy is healthy
    for word in words:
        assert word in str(answer)
    for word in without:
        assert word not in str(answer)
    assert line is None or (answer.line is not None and line in answer.line.text)


def weight(*shape, scale=1.0):
    return ad.Tensor(RNG.normal(size=shape or (4, 1)) * scale)


# What left the tape between the parameter and the loss, of a result and not of the parameter itself


@planted("left the tape", "what was made of w left the tape at", "and came into loss", line="-z.item()")
def squashed_by_math():
    w = ad.Value(0.7)
    z = w * 3
    a = 1 / (1 + math.exp(-z.item()))
    loss = (ad.Value(a) - 1) ** 2
    return why(w, loss)


@planted("left the tape", line="h = h.numpy()")
def activation_to_numpy():
    w, v = weight(4, 4), weight()
    h = ad.relu(X @ w)
    h = h.numpy()
    h = h / h.max()
    loss = ((h @ v - Y) ** 2).mean()
    return why(w, loss)


@planted("left the tape", line="total += err.item()")
def items_added_up():
    w = weight(4)
    total = 0.0
    for x, y in zip(X, Y[:, 0], strict=True):
        err = (x @ w - y) ** 2
        total += err.item()
    loss = ad.Tensor(total / len(X))
    return why(w, loss)


@planted("left the tape", line="np.tanh((X @ w).data)")
def numpy_of_data():
    w, v = weight(), ad.Tensor(np.ones((1, 1)))
    h = np.tanh((X @ w).data)
    loss = (h @ v).mean()
    return why(w, loss)


@planted("left the tape", "the loss is a plain float", line=".mean().item()")
def item_of_the_loss():
    w = weight()
    loss = ((X @ w - Y) ** 2).mean().item()
    return why(w, loss)


@planted("integer cast", "whole numbers", line="astype(int)", without=("no_grad",))
def cast_untraced():
    w = weight()
    h = (X @ w * 10).astype(int)
    loss = ((h * 0.1 - Y) ** 2).mean()
    return why(w, loss)


@planted("no derivative", "comparison", line="ad.where(X @ w > 0", without=("no_grad",))
def threshold_untraced():
    w = weight()
    out = ad.where(X @ w > 0, 1.0, 0.0)
    loss = ((out - (Y > 0)) ** 2).mean()
    return why(w, loss)


@planted("no derivative", "greater at", "computed from t")
def compared_in_an_if():
    w, t = ad.Tensor(2.0), ad.Tensor(1.0)
    with ad.trace():
        y = w * 2 if w > t else w * 3
    return why(t, y)


@planted("no derivative", "argmax at", line="idx = ad.argmax(w)")
def index_of_the_largest():
    w, v = ad.Tensor([1.5, 2.5]), ad.Tensor([1.0, 2.0])
    with ad.trace():
        idx = ad.argmax(w)
        loss = (v * np.eye(2)[int(idx)]).sum()
    return why(w, loss)


@planted("detached", "it left the tape at", line="h = h.detach()")
def detached_from_turn_to_turn():
    w, h0 = weight(8, 8, scale=0.3), ad.Tensor(np.ones((1, 8)))
    h = h0
    with ad.trace():
        for _ in range(4):
            h = ad.tanh(h @ w)
            loss = (h**2).mean()
            h = h.detach()
    return why(h0, loss)


@planted("overwritten variable", "h is assigned again there in a later turn of the loop", line="h = ad.tanh(X @ w)")
def overwritten_in_a_loop():
    ws = [weight(4, 4) for _ in range(3)]
    with ad.trace():
        for w in ws:
            h = ad.tanh(X @ w)
        loss = (h**2).mean()
    return why(ws[0], loss)


@planted("detached", "ad.Value(x.data)")
def values_made_anew():
    w = ad.Value(0.5)
    predictions = [w * x + 0.1 for x in (1.0, 2.0)]
    loss = sum((ad.Value(p.data) - 2.0) ** 2 for p in predictions)
    return why(w, loss)


@planted(
    "integer cast", "of w was converted", "truth values at test_why_hunted.py:", ", which have no derivative. Leave"
)
def cast_traced():
    w = weight()
    with ad.trace():
        loss = (((X @ w).astype(int) - Y) ** 2).mean()
    return why(w, loss)


# Accused without reason


class Forgetful(nn.Module):
    def __init__(self):
        self.first, self.skip, self.last = nn.Linear(4, 8, rng=0), nn.Linear(4, 8, rng=1), nn.Linear(8, 1, rng=2)

    def forward(self, x):
        with ad.no_grad():
            h = ad.tanh(self.first(x))
        return self.last(h)


@planted("never reached", without=("no_grad", "trace"))
def unused_beside_no_grad():
    net = Forgetful()
    with ad.trace():
        loss = ((net(X) - Y) ** 2).mean()
    return why(net.skip.weight, loss)


@planted("never reached", without=("detach",))
def unused_beside_detach():
    class Plain(Forgetful):
        def forward(self, x):
            return self.last(ad.tanh(self.first(x)))

    net = Plain()
    prediction = net(X)
    confidence = prediction.detach()
    loss = ((prediction - Y) ** 2 * confidence).mean()
    return why(net.skip.weight, loss)


@planted("never reached", without=("plain number",))
def a_number_that_is_equal():
    ws = [ad.Value(float(i)) for i in range(4)]
    y = sum(w * x for w, x in zip(ws, [1.0, 2.0, 3.0]))
    return why(ws[3], y)


# A gradient that is zero: behind a stationary point, at the right op, with the right repair


@planted("overwritten", "setitem", without=("other paths",))
def entry_overwritten_and_squared():
    h0 = ad.Tensor(np.ones(3))
    h = h0 * 2
    h[0] = 0.0
    return why(h0, h[0] ** 2 + 1)


@planted("dropout", "dropped all 16 entries", without=("other paths",))
def all_dropped_and_squared():
    w = weight()
    return why(w, (nn.Dropout(1.0)(X @ w) ** 2).mean())


@planted("dead relu", "It is lost at relu", without=("other paths",))
def dead_and_squared_twice():
    w = weight()
    return why(w, ((ad.relu(X @ w - 100) ** 2) ** 2).mean())


@planted("not chosen", "It is lost at max", "a is never chosen")
def smaller_of_a_stack():
    w = ad.Tensor([1.0, 5.0, 2.0])
    a, b = w[0], w[1]
    answer = why(a, ad.max(ad.stack([a, b])))
    assert answer.node.rule.name == "max"
    return answer


@planted("dead relu", "which it was given, is 0", "draw them at random", without=("learning rate",))
def all_zeros():
    model = nn.MLP([4, 8, 1], rng=0)
    for p in model.parameters():
        p.data = np.zeros_like(p.data)
    return why(model[2].weight, ((model(X) - Y) ** 2).mean())


@planted("dead relu", "is tiny", "Nearly all of it is lost at relu", "What is left comes by multiply")
def dead_behind_a_penalty():
    w, b = ad.Value(0.003), ad.Value(-1.0)
    loss = sum((ad.relu(w * x + b) - 1.0) ** 2 for x in (0.1, 0.2, 0.3)) + 1e-4 * w * w
    return why(w, loss)


@planted("dead relu", "none of the units: relu is 0 in 4 of 4")
def dead_layer_behind_a_penalty():
    w, b, v = weight(4, 4), ad.Tensor(np.full(4, -20.0)), weight(4, 1)
    return why(w, ((ad.relu(X @ w + b) @ v - 1) ** 2).mean() + 1e-2 * (w**2).sum())


@planted("dead relu", "other paths")
def dead_neuron_and_satisfied_margins():
    w, b = ad.Value(0.1), ad.Value(-5.0)
    margins = []
    for x in (0.1, 0.2, 0.3, 0.4):
        neuron = ad.relu(w * x + b)
        margins.append(ad.relu(1 - (2.0 if x > 0.25 else 0.5) * (neuron + 0.6)))
    answer = why(w, sum(margins))
    assert answer.node.args[0].rule.name == "add"  # the neuron, not the margin
    return answer


@planted("step function", "ad.floor(q) - q", without=("ad.floor_divide(x)",))
def floor_divided():
    w = ad.Tensor([5.3, 2.2])
    return why(w, (w // 1).sum())


@planted("clipped", "none of the 16 entries", "upper bound 0.9999999")
def clipped_at_nearly_one():
    w = ad.Tensor(np.full((4, 1), 50.0))
    p = ad.clip(ad.sigmoid((np.abs(X) + 0.5) @ w), 1e-7, 1 - 1e-7)
    return why(w, -ad.log(1 - p).mean())


@planted("multiplied by zero", "which is divided by s, is 0 everywhere")
def nothing_divided():
    s = ad.Tensor(2.0)
    return why(s, (np.zeros(3) / s).sum())


@planted("cancelled", "the loss does not depend on it", "(matmul)")
def the_same_twice():
    w = weight(4, 3)
    a, b = X @ w, X @ w
    return why(w, (a - b).sum())


@planted("cancelled", "h is used 3 times", "normalised")
def sum_of_the_normalised():
    w = weight(4, 6)
    h = X @ w
    z = (h - h.mean(axis=1, keepdims=True)) / ad.sqrt(h.var(axis=1, keepdims=True) + 1e-5)
    return why(w, z.sum())


@planted("stationary point", "cancel", healthy=True)
def bias_before_a_normalisation():
    w1, b1, w2 = weight(4, 8), ad.Tensor(np.zeros(8)), weight(8, 1)
    h = X @ w1 + b1
    z = (h - h.mean(axis=0)) / ad.sqrt(h.var(axis=0) + 1e-5)
    return why(b1, ((ad.tanh(z) @ w2 - Y) ** 2).mean())


# Numbers at the end of where a function is defined


@planted("log of 0", "1 of 2 entries of w are -1", "log1p of -1 is -inf", "above -1.", without=("ad.log(x",))
def log1p_of_minus_one():
    w = ad.Tensor([-1.0, 0.5])
    return why(w, ad.log1p(w).sum())


@planted("log of 0", "are 1 (", "logit of 1 is inf", "below 1.", without=("can hold",))
def logit_of_one():
    w = ad.Tensor([1.0, 0.5])
    return why(w, ad.logit(w).sum())


@planted("log of 0", "p is 0, too small a number for prod to hold", "Add up logarithms")
def product_of_probabilities():
    theta = ad.Tensor(0.3)
    p = ad.prod(ad.where(np.arange(2000) % 2 == 1, ad.sigmoid(theta), 1 - ad.sigmoid(theta)))
    return why(theta, -ad.log(p))


@planted("infinite slope", "1 of 2 entries of w (1.0)", "from -1 to 1")
def arccos_of_one():
    w = ad.Tensor([1.0, 0.5])
    return why(w, ad.arccos(w).sum())


@planted("small divisor", "the slope in s grows")
def divided_by_a_small_parameter():
    s = ad.Tensor(1e-15)
    return why(s, (X / s).sum())


@planted("product of large factors", "matmul × 19, each by about 3.0")
def equal_paths_are_no_matter_of_rounding():
    w, h = ad.Tensor(np.eye(3) * 3), np.ones((2, 3)) / 7
    for _ in range(20):
        h = h @ w
    return why(w, h.mean() * 1.0)


# What is asked for


@planted("nothing is odd", "it needs a single number: loss has 16 entries", healthy=True)
def loss_of_many_entries():
    w = weight()
    loss = (X @ w - Y) ** 2
    return why(w, loss)


@planted("not a tensor", "None has no gradient: it is no node", without=("NoneType",))
def bias_that_is_not_there():
    return why(nn.Linear(2, 2, bias=False, rng=0).bias)


def test_health_of_a_loss_that_is_masked_away():
    model = nn.MLP([4, 16, 1], rng=0)
    report = health(model, ((model(X) - Y) ** 2 * np.zeros((16, 1))).sum())
    assert [verdict.sign for verdict in report.verdicts] == ["zero gradient"]


def test_health_of_a_dead_relu_at_the_end():
    model = nn.Sequential(nn.Linear(4, 8, rng=0), nn.Tanh(), nn.Linear(8, 1, rng=1), nn.ReLU())
    model[2].bias.data = np.array([-5.0])
    report = health(model, ((model(X) - Y - 3) ** 2).mean())
    assert [verdict.sign for verdict in report.verdicts] == ["dead units"]


@pytest.mark.parametrize("start", [ad.Value(1.0), ad.Tensor(np.ones(10))], ids=["Value", "Tensor"])
def test_why_of_a_long_chain_is_quick(start):
    x = start
    for i in range(20_000):
        x = x * 0.9999 if i % 2 else x + 0.001
    loss = x if isinstance(x, ad.Value) else x.sum()
    begun = time.process_time()
    assert why(start, loss).healthy
    assert time.process_time() - begun < 2.5  # ten times what it takes
