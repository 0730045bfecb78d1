"""``ad.why`` on what goes wrong in first programs, once as they are and once traced."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn, optim
from autodiff.diagnosis.why import why

X = np.random.default_rng(5).normal(size=(16, 4))
Y = np.random.default_rng(6).normal(size=(16, 1))
PROGRAMS = []


def mistake(cause, *words, healthy=False, untraced=None):
    """Declare a program that returns what ``why`` says; without tracing it may know less, as ``untraced`` says."""

    def declare(program):
        PROGRAMS.append(pytest.param(program, cause, words, healthy, untraced or cause, id=program.__name__))
        return program

    return declare


@pytest.mark.parametrize("traced", [False, True], ids=["untraced", "traced"])
@pytest.mark.parametrize(("program", "cause", "words", "healthy", "untraced"), PROGRAMS)
def test_the_mistake_is_named(program, cause, words, healthy, untraced, traced):
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        if traced:
            with ad.trace():
                answer = program(rng)
        else:
            answer = program(rng)
    print(f"\n{answer.cause}: {answer}")
    assert answer.cause == (cause if traced else untraced), str(answer)
    assert answer.healthy == healthy
    for word in words if traced or untraced == cause else ():
        assert word in str(answer)


def weight(rng, *shape, scale=1.0):
    return ad.Tensor(rng.normal(size=shape) * scale)


@mistake("constant result", "its axis 0 has length 1")
def softmax_over_the_batch(rng):
    w = weight(rng, 4, 3)
    p = ad.softmax(X[:1] @ w, axis=0)
    loss = -ad.log(p[0, 1])
    return why(w, loss)


@mistake("no derivative", "has no derivative")
def loss_of_hard_decisions(rng):
    w = weight(rng, 4, 1)
    score = X @ w
    hard = (score > 0).astype(float)
    loss = ((hard - Y) ** 2).mean()
    return why(w, loss)


@mistake("overwritten", "t[key] = value")
def hidden_layer_overwritten(rng):
    w = weight(rng, 4, 3)
    h = ad.tanh(X @ w).copy()
    h[:] = 0.5
    loss = (h**2).sum()
    return why(w, loss)


@mistake("never reached")
def parameter_made_anew_each_step(rng):
    old = weight(rng, 4, 1)
    optimizer = optim.SGD([old], lr=0.1)
    for _ in range(2):
        w = weight(rng, 4, 1)
        loss = ((X @ w - Y) ** 2).mean()
        loss.backward()
        optimizer.step()
    return why(old, loss)


@mistake("product of large factors", "matmul")
def recurrent_net_that_explodes(rng):
    w, u, h = weight(rng, 8, 8, scale=1.5), weight(rng, 4, 8), np.zeros((2, 8))
    for _ in range(40):
        h = h @ w + X[:2] @ u
    loss = (h**2).mean()
    return why(w, loss)


@mistake("log of 0", "ad.cross_entropy of the logits")
def logarithm_of_sure_probabilities(rng):
    w = weight(rng, 4, 3, scale=800.0)
    p = ad.softmax(X @ w)
    loss = -ad.log(p)[np.arange(16), 0].mean()
    return why(w, loss)


@mistake("division by 0", "the result of std")
def standardised_constant(rng):
    w = weight(rng, 4, 3)
    h = X @ w * 0.0 + 1.0
    z = (h - h.mean(axis=0)) / h.std(axis=0)
    loss = (z**2).mean()
    return why(w, loss)


@mistake("multiplied by zero", "0 everywhere")
def normalised_over_a_batch_of_one(rng):
    w = weight(rng, 4, 3)
    h = X[:1] @ w
    z = (h - h.mean(axis=0)) / ad.sqrt(h.var(axis=0) + 1e-5)
    loss = ((z - 1) ** 2).mean()
    return why(w, loss)


@mistake("detached", "matmul made of w")
def prediction_detached_instead_of_the_target(rng):
    w, v = weight(rng, 4, 1), weight(rng, 4, 1)
    prediction, target = X @ w, X @ v
    loss = ((prediction.detach() - target) ** 2).mean()
    return why(w, loss)


@mistake("detached", "as a new leaf", untraced="left the tape")
def there_and_back_through_numpy(rng):
    w = weight(rng, 4, 3)
    h = X @ w
    h = ad.Tensor(np.array(h.numpy()))
    loss = (ad.tanh(h) ** 2).mean()
    return why(w, loss)


@mistake("large factor", "m.2.weight")
def learning_rate_of_a_thousand(rng):
    m = nn.MLP([4, 16, 3], rng=0)
    optimizer = optim.SGD(m.parameters(), lr=1e3)
    labels = np.arange(16) % 3
    for _ in range(5):
        optimizer.zero_grad()
        nn.functional.cross_entropy(m(X), labels).backward()
        optimizer.step()
    loss = nn.functional.cross_entropy(m(X), labels)
    return why(m[0].weight, loss)


@mistake("clipped", "lower bound 500")
def clipped_in_the_wrong_units(rng):
    w = weight(rng, 4, 1)
    loss = ((ad.clip(X @ w, 500.0, 600.0) - Y) ** 2).mean()
    return why(w, loss)


@mistake("cancelled", "does not depend on it")
def sum_of_what_was_centred(rng):
    w = weight(rng, 4, 1)
    p = X @ w
    loss = (p - p.mean()).sum()
    return why(w, loss)


@mistake("overflow", "float32")
def softplus_by_hand(rng):
    w = ad.Tensor(np.full((4, 1), 60.0, np.float32))
    loss = ad.log(1 + ad.exp(np.abs(X.astype(np.float32)) @ w)).mean()
    return why(w, loss)


@mistake("division by 0", "it divides by 0")
def direction_of_nothing(rng):
    w = ad.Tensor(np.zeros(4))
    loss = (w / ad.sqrt((w * w).sum())).sum()
    return why(w, loss)


@mistake("left the tape", "plain float")
def items_instead_of_a_loss(rng):
    w = weight(rng, 4, 1)
    total = 0.0
    for i in range(4):
        total += ((X[i] @ w - Y[i]) ** 2).mean().item()
    return why(w, total)


@mistake("never reached", untraced="never reached")
def layer_forgotten_beside_a_baseline(rng):
    forgotten = weight(rng, 4, 3)
    used = weight(rng, 4, 3)
    with ad.no_grad():
        baseline = (X @ used).mean()
    loss = ((X @ used - baseline) ** 2).mean()
    return why(forgotten, loss)


@mistake("backward not called", "no result that is alive was computed from it")
def used_in_nothing_beside_another_program(rng):
    idle = weight(rng, 5, 5)
    a = ad.Value(3.0)
    y = a * a
    assert y.requires_grad
    return why(idle)


@mistake("multiplied by zero", "head gets a gradient itself", "comes back", healthy=True)
def head_that_starts_at_zero(rng):
    w, head = weight(rng, 4, 8), ad.Tensor(np.zeros((8, 1)))
    loss = ((ad.tanh(X @ w) @ head - Y) ** 2).mean()
    return why(w, loss)


@mistake("dead relu", "dead")
def head_of_zeros_before_a_dead_layer(rng):
    w, head = weight(rng, 4, 8), ad.Tensor(np.zeros((8, 1)))
    h = ad.relu(X @ w - 100.0)
    loss = (((h + 1.0) @ head - Y) ** 2).mean()
    return why(w, loss)


@mistake("requires_grad=False", "frozen, as you asked for", healthy=True)
def frozen_on_purpose(rng):
    w, v = ad.Tensor(np.ones((4, 1)), requires_grad=False), weight(rng, 4, 1)
    loss = ((X @ w + X @ v - Y) ** 2).mean()
    return why(w, loss)


@pytest.mark.parametrize(
    ("p", "loss", "text"),
    [
        (3, None, r"ad.why got an int; .*ad.why\(w, loss\). A number is a constant on every tape: ad.Value\(number\)"),
        ("w", None, r"ad.why got a str; it explains the gradient of a Tensor or Value: ad.why\(w, loss\).$"),
        (nn.MLP, None, "ad.why got the class MLP"),
        (ad.Value(1.0), "loss", "ad.why got a str as the loss; it is the node that is differentiated"),
        (ad.Value(1.0), [1.0], "ad.why got a list as the loss"),
    ],
)
def test_what_is_no_node_is_refused(p, loss, text):
    with pytest.raises(ad.errors.KindError, match=text):
        why(p, loss)
