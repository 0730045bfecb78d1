"""Bugs by which a gradient is None: what was computed left the tape, or never got there; with its line where traced."""

import math

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn, optim
from autodiff.diagnosis.why import why

PROGRAMS = []


def planted(cause, *words, line=None):
    """Declare a program that returns what ``why`` says: with this cause, these words, and a line with this source."""

    def declare(program):
        PROGRAMS.append(pytest.param(program, cause, words, line, id=program.__name__))
        return program

    return declare


@pytest.mark.parametrize(("program", "cause", "words", "line"), PROGRAMS)
def test_planted(program, cause, words, line):
    answer = program(np.random.default_rng(0))
    print(f"\n{answer.cause}: {answer}")
    assert answer.cause == cause, str(answer)
    assert not answer.healthy
    for word in words:
        assert word in str(answer)
    assert "\n" not in str(answer)
    if line is not None:
        assert answer.line is not None
        assert line in answer.line.text
        assert line in str(answer)


# What is asked about


@planted("requires_grad=False", "whole numbers")
def whole_numbers(rng):
    n = ad.Tensor([1, 2, 3], requires_grad=False)
    return why(n)


@planted("not a tensor", "ndarray", "ad.Tensor(data)")
def a_plain_array(rng):
    w = rng.normal(size=3)
    return why(w, (ad.Tensor(np.ones(3)) * w).sum())


@planted("detached", "x.detach()")
def asked_of_a_detached_copy(rng):
    w = ad.Tensor(rng.normal(size=3))
    h = w * 2
    still = h.detach()
    return why(still, (h * still).sum())


@planted("no_grad", "multiply")
def asked_of_what_was_made_in_no_grad(rng):
    w = ad.Tensor(rng.normal(size=3))
    with ad.no_grad():
        h = w * 2
    return why(h)


# backward


@planted("backward not called", "w.grad is None", "loss.backward()")
def backward_not_called(rng):
    w = ad.Tensor(rng.normal(size=3))
    loss = (w**2).sum()
    return why(w) if loss.requires_grad else None


@planted("backward not called", "ad.why(w, loss)")
def nothing_computed(rng):
    w = ad.Tensor(rng.normal(size=3))
    return why(w)


@planted("zero_grad after backward", "set to None since")
def zero_grad_after_backward(rng):
    model = nn.Linear(3, 2, rng=0)
    loss = (model(rng.normal(size=(4, 3))) ** 2).mean()
    loss.backward()
    model.zero_grad()
    return why(model.weight, loss)


@planted("zero_grad after backward", "set to None since")
def zero_grad_after_backward_without_loss(rng):
    w = ad.Tensor(rng.normal(size=3))
    loss = (w**2).sum()
    loss.backward()
    w.zero_grad()
    return why(w)


@planted("zero_grad after backward", "set to zero since")
def zeros_after_backward(rng):
    w = ad.Tensor(rng.normal(size=3))
    loss = (w**2).sum()
    loss.backward()
    w.grad = np.zeros(3)
    return why(w, loss)


@planted("accumulated", "3 times", "zero_grad()")
def gradients_added_up(rng):
    w = ad.Tensor(rng.normal(size=3))
    loss = (w**2).sum()
    for _ in range(3):
        loss.backward()
    return why(w, loss)


@planted("stale data", "changed after", "Compute the loss again")
def asked_after_the_step(rng):
    w = ad.Tensor(rng.normal(size=3))
    loss = (w**2).sum()
    loss.backward()
    optimizer = optim.SGD([w], lr=0.1)
    optimizer.step()
    optimizer.zero_grad()
    return why(w, loss)


@planted("freed", "free=True", "is [0.0, 0.0, 0.0]")
def asked_of_a_freed_tape(rng):
    w = ad.Tensor(rng.normal(size=3))
    loss = (w * np.zeros(3)).sum()
    loss.backward(free=True)
    return why(w, loss)


# The loss is on no tape


@planted("left the tape", "plain float", ".item()")
def loss_as_a_number(rng):
    w = ad.Tensor(rng.normal(size=3))
    return why(w, (w**2).sum().item())


@planted("no_grad", "sum", "no_grad()")
def loss_inside_no_grad(rng):
    w = ad.Tensor(rng.normal(size=3))
    with ad.no_grad():
        loss = (w**2).sum()
    return why(w, loss)


@planted("detached", "the loss")
def loss_detached(rng):
    w = ad.Tensor(rng.normal(size=3))
    return why(w, (w**2).sum().detach())


@planted("no derivative", "argmax")
def loss_of_an_argmax(rng):
    w = ad.Tensor(rng.normal(size=3))
    return why(w, w.argmax())


@planted("integer cast", "whole numbers")
def loss_of_whole_numbers(rng):
    w = ad.Tensor(rng.normal(size=3))
    return why(w, w.astype(int).sum())


# Detached on the way, with and without tracing


@planted("detached", "tanh made of w1", "came back", line="h = h.detach()")
def detached_and_traced(rng):
    x, w1, w2 = rng.normal(size=(5, 3)), ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(rng.normal(size=(4, 1)))
    with ad.trace():
        h = ad.tanh(x @ w1)
        h = h.detach()
        loss = (h @ w2).mean()
    return why(w1, loss)


@planted("detached", "tanh made of w1")
def detached_while_the_node_is_alive(rng):
    x, w1, w2 = rng.normal(size=(5, 3)), ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(rng.normal(size=(4, 1)))
    h = ad.tanh(x @ w1)
    loss = (h.detach() @ w2).mean()
    return why(w1, loss)


@planted("detached", "(5, 4)", "matmul", line="return ad.tanh(x @ w1).detach() @ w2")
def detached_and_gone(rng):
    def forward():
        return ad.tanh(x @ w1).detach() @ w2

    x, w1, w2 = rng.normal(size=(5, 3)), ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(rng.normal(size=(4, 1)))
    loss = forward().mean()
    return why(w1, loss)


@planted("detached", "w1", line="w1.detach()")
def detached_parameter(rng):
    x, w1, w2 = rng.normal(size=(5, 3)), ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(rng.normal(size=(4, 1)))
    with ad.trace():
        h = ad.tanh(x @ w1.detach())
        loss = (h @ w2).mean()
    return why(w1, loss)


@planted("detached", "stop_gradient", line="ad.stop_gradient(h)")
def gradient_stopped(rng):
    x, w1, w2 = rng.normal(size=(5, 3)), ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(rng.normal(size=(4, 1)))
    with ad.trace():
        h = ad.tanh(x @ w1)
        kept = ad.stop_gradient(h)
        loss = (kept @ w2).mean()
    return why(w1, loss)


@planted("detached", "stop_gradient")
def gradient_stopped_untraced(rng):
    w1, w2 = ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(rng.normal(size=(4, 1)))
    loss = (ad.stop_gradient(rng.normal(size=(5, 3)) @ w1) @ w2).mean()
    return why(w1, loss)


@planted("left the tape", "plain array", "numpy()", line="h.numpy()")
def through_numpy(rng):
    w1, w2 = ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(rng.normal(size=(4, 1)))
    x = rng.normal(size=(5, 3))
    with ad.trace():
        h = x @ w1
        loss = (h.numpy() @ w2).mean()
    return why(w1, loss)


@planted("left the tape", "w", "x.data")
def data_of_a_parameter(rng):
    w, v = ad.Tensor(rng.normal(size=3)), ad.Tensor(rng.normal(size=3))
    loss = (w.data * v).sum()
    return why(w, loss)


@planted("left the tape", "plain number", "6.5")
def number_read_off(rng):
    a, b = ad.Value(2.5), ad.Value(3.0)
    total = a + 4.0
    loss = total.item() * b
    return why(a, loss)


@planted("integer cast", "whole numbers", line="astype(int)")
def cast_to_integers(rng):
    w, v = ad.Tensor(rng.normal(size=3)), ad.Tensor(rng.normal(size=3))
    with ad.trace():
        n = (w * 10).astype(int)
        loss = (n * v).sum()
    return why(w, loss)


@planted("integer cast", "whole numbers")
def cast_untraced(rng):
    w, v = ad.Tensor(rng.normal(size=3)), ad.Tensor(rng.normal(size=3))
    loss = ((w * 10).astype(int) * v).sum()
    return why(w, loss)


@planted("no derivative", "greater", line="h > 0")
def comparison(rng):
    w, v = ad.Tensor(rng.normal(size=3)), ad.Tensor(rng.normal(size=3))
    with ad.trace():
        h = w * 2
        gate = h > 0
        loss = (gate * v).sum()
    return why(w, loss)


@planted("no derivative", "argmax", line="argmax")
def argmax_on_the_way(rng):
    w, table = ad.Tensor(rng.normal(size=(4, 3))), ad.Tensor(rng.normal(size=(3, 2)))
    with ad.trace():
        best = (w * 2).argmax(axis=1)
        loss = table[best].sum()
    return why(w, loss)


@planted("no_grad", "matmul", "no_grad()", line="x @ w1")
def inside_no_grad(rng):
    x, w1, w2 = rng.normal(size=(5, 3)), ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(rng.normal(size=(4, 1)))
    with ad.trace():
        with ad.no_grad():
            h = ad.tanh(x @ w1)
        loss = (h @ w2).mean()
    return why(w1, loss)


@planted("no_grad", "was computed inside no_grad() at", "into loss as a constant", line="h = ad.tanh(x @ w1)")
def inside_no_grad_untraced(rng):
    x, w1, w2 = rng.normal(size=(5, 3)), ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(rng.normal(size=(4, 1)))
    with ad.no_grad():
        h = ad.tanh(x @ w1)
    loss = (h @ w2).mean()
    return why(w1, loss)


@planted("no derivative", "condition")
def gradient_through_a_condition(rng):
    gate, v = ad.Tensor([1.0, 0.0, 1.0]), ad.Tensor(rng.normal(size=3))
    return why(gate, ad.where(gate, v, 0.0).sum())


# Not used, overwritten, replaced


@planted("never reached", "no op on the tape", "unused")
def never_used(rng):
    w, unused = ad.Tensor(rng.normal(size=3)), ad.Tensor(rng.normal(size=2))
    return why(unused, (w**2).sum())


@planted("result not used", "tanh", line="extra = ad.tanh(x @ w1)")
def result_not_used(rng):
    x, w1, w2 = rng.normal(size=(5, 3)), ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(rng.normal(size=(3, 1)))
    with ad.trace():
        extra = ad.tanh(x @ w1)
        loss = (x @ w2).mean()
    return why(w1, loss) if extra.size else None


@planted("overwritten variable", "relu made of w1", "assigned again", line="h = ad.relu(x @ w2)")
def overwritten_variable(rng):
    x, w1, w2 = rng.normal(size=(5, 3)), ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(rng.normal(size=(3, 4)))
    with ad.trace():
        h = ad.relu(x @ w1)
        h = ad.relu(x @ w2)
        loss = h.mean()
    return why(w1, loss)


@planted("overwritten variable", "h is assigned again", line="h = ad.relu(x @ w2)")
def overwritten_variable_untraced(rng):
    x, w1, w2 = rng.normal(size=(5, 3)), ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(rng.normal(size=(3, 4)))
    h = ad.relu(x @ w1)
    h = ad.relu(x @ w2)
    loss = h.mean()
    return why(w1, loss)


@planted("left the tape", "Its data left the tape", line="c = math.exp(a.item())")
def exponential_of_a_number_read_off(rng):
    a, b = ad.Value(0.3), ad.Value(2.0)
    c = math.exp(a.item())
    loss = b * c
    return why(a, loss)


@planted("no derivative", "mean", line="accuracy = (model(")
def accuracy_as_a_loss(rng):
    model, labels = nn.Linear(3, 2, rng=0), np.array([0, 1, 1, 0])
    accuracy = (model(rng.normal(size=(4, 3))).argmax(axis=1) == labels).mean()
    return why(model.weight, accuracy)


@planted("no derivative", "where", line="w > 0.5")
def threshold(rng):
    w, v = ad.Tensor([0.3, 0.7]), ad.Tensor([1.0, 2.0])
    loss = (ad.where(w > 0.5, 1.0, 0.0) * v).sum()
    return why(w, loss)


class Net(nn.Module):
    def __init__(self, cut):
        self.first, self.second, self.cut = nn.Linear(3, 4, rng=0), nn.Linear(4, 2, rng=1), cut

    def forward(self, x):
        h = ad.relu(self.first(x))
        if self.cut == "detach":
            h = h.detach()
        elif self.cut == "anew":
            h = ad.Tensor(h.data)
        elif self.cut == "numpy":
            h = np.tanh(h.numpy()) * 2
        return self.second(h)


def through_a_net(rng, cut):
    model = Net(cut)
    with ad.trace():
        loss = (model(rng.normal(size=(6, 3))) ** 2).mean()
    loss.backward()
    return why(model.first.weight, loss)


@planted("detached", "relu made of model.first.weight", line="h = h.detach()")
def detached_in_a_module(rng):
    return through_a_net(rng, "detach")


@planted("detached", "as a new leaf", line="h = ad.Tensor(h.data)")
def made_anew_in_a_module(rng):
    return through_a_net(rng, "anew")


@planted("left the tape", "a constant to the loss", line="h = np.tanh(h.numpy()) * 2")
def through_numpy_in_a_module(rng):
    return through_a_net(rng, "numpy")


@planted("no_grad", "made by subtract", line="with ad.no_grad():")
def updated_by_hand_in_no_grad(rng):
    w = ad.Tensor(rng.normal(size=3))
    loss = (w**2).sum()
    loss.backward()
    with ad.no_grad():
        w = w - 0.1 * w.grad
    return why(w, (w**2).sum())


@planted("overwritten variable", "result of subtract", "w.data")
def updated_by_hand(rng):
    w = ad.Tensor(rng.normal(size=3))
    loss = (w**2).sum()
    loss.backward()
    w = w - 0.1 * w.grad
    return why(w, loss)


@planted("replaced", "same data", "optimizer")
def replaced_after_the_optimizer(rng):
    model = nn.Linear(3, 2, rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    model.weight = ad.Tensor(model.weight.data)
    loss = (model(rng.normal(size=(4, 3))) ** 2).mean()
    loss.backward()
    return why(optimizer.params[0], loss)


@planted("newer than the loss", "after the loss")
def newer_than_the_loss(rng):
    v = ad.Tensor(rng.normal(size=3))
    loss = (v**2).sum()
    w = ad.Tensor(rng.normal(size=2))
    return why(w, loss)


@planted("never reached", "frozen")
def another_layer_than_meant(rng):
    first, frozen = nn.Linear(3, 3, rng=0), nn.Linear(3, 3, rng=1)
    loss = first(first(rng.normal(size=(2, 3)))).sum()
    return why(frozen.weight, loss)
