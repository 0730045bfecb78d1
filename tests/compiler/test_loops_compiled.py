"""Loops over the steps of a sequence, as users write them: compiled they give what they gave, in less calls."""

import numpy as np
import pytest
from alike import assert_close

import autodiff as ad

STEPS, BATCH, INPUTS, HIDDEN = 9, 3, 4, 5
rng = np.random.default_rng(0)
SHAPES = {
    "W": (HIDDEN, INPUTS),
    "U": (HIDDEN, HIDDEN),
    "b": (HIDDEN,),
    "V": (2, HIDDEN),
    "W4": (4 * HIDDEN, INPUTS),
    "U4": (4 * HIDDEN, HIDDEN),
    "W2": (HIDDEN, INPUTS + HIDDEN),
}
PARAMS = {name: rng.normal(size=shape) / np.sqrt(shape[-1]) for name, shape in SHAPES.items()}


def states(p, X):
    """The states of a tanh RNN."""
    h, found = np.zeros((X.shape[1], HIDDEN)), []
    for x in X:
        h = ad.tanh(x @ p["W"].T + h @ p["U"].T + p["b"])
        found.append(h)
    return found


def last_state(p, X):
    return ad.sum(states(p, X)[-1] ** 2)


def every_state(p, X):
    return ad.mean((ad.stack(states(p, X), axis=1) @ p["V"].T) ** 2)


def loss_of_each_step(p, X):
    return sum(ad.mean((h @ p["V"].T) ** 2) for h in states(p, X)) / len(X)


def batch_first(p, X):
    X = ad.reshape(X, (BATCH, STEPS, INPUTS))
    h = np.zeros((BATCH, HIDDEN))
    for t in range(STEPS):
        h = ad.tanh(X[:, t, :] @ p["W"].T + h @ p["U"].T + p["b"])
    return ad.sum(h**2)


def vectors(p, X):
    h, x = np.zeros(HIDDEN), X[:, 0]
    for t in range(STEPS):
        h = ad.tanh(p["W"] @ x[t] + p["U"] @ h + p["b"])
    return ad.sum(h**2)


def vectors_on_the_left(p, X):
    h, x = np.zeros(HIDDEN), X[:, 0]
    for t in range(STEPS):
        h = ad.tanh(x[t] @ p["W"].T + h @ p["U"].T + p["b"])
    return ad.sum(h**2)


def from_the_end(p, X):
    h = np.zeros((BATCH, HIDDEN))
    for t in reversed(range(STEPS)):
        h = ad.tanh(X[t] @ p["W"].T + h @ p["U"].T + p["b"])
    return ad.sum(h**2)


def without_a_first_state(p, X):
    h = ad.tanh(X[0] @ p["W"].T + p["b"])
    for t in range(1, STEPS):
        h = ad.tanh(X[t] @ p["W"].T + h @ p["U"].T + p["b"])
    return ad.sum(h**2)


def joined_inputs(p, X):
    h = np.zeros((BATCH, HIDDEN))
    for x in X:
        h = ad.tanh(ad.concatenate([x, h], axis=1) @ p["W2"].T + p["b"])
    return ad.sum(h**2)


def lstm(p, X):
    h, c = np.zeros((BATCH, HIDDEN)), np.zeros((BATCH, HIDDEN))
    for x in X:
        z = x @ p["W4"].T + h @ p["U4"].T
        i, f, g, o = (z[:, k * HIDDEN : (k + 1) * HIDDEN] for k in range(4))
        c = ad.sigmoid(f) * c + ad.sigmoid(i) * ad.tanh(g)
        h = ad.sigmoid(o) * ad.tanh(c)
    return ad.sum(h**2)


def gru(p, X):
    h = np.zeros((BATCH, HIDDEN))
    W, U = p["W4"], p["U4"]
    for x in X:
        z = ad.sigmoid(x @ W[:HIDDEN].T + h @ U[:HIDDEN].T)
        r = ad.sigmoid(x @ W[HIDDEN : 2 * HIDDEN].T + h @ U[HIDDEN : 2 * HIDDEN].T)
        n = ad.tanh(x @ p["W"].T + (r * h) @ p["U"].T + p["b"])
        h = (1 - z) * n + z * h
    return ad.sum(h**2)


def windows(p, X):
    return ad.sum(sum(ad.sin(X[t : t + 3] * p["b"][0]).sum() for t in range(STEPS - 2)))


LOOPS = [
    *(last_state, every_state, loss_of_each_step, batch_first, vectors, vectors_on_the_left, from_the_end),
    *(without_a_first_state, joined_inputs, lstm, gru, windows),
]


def swept(f, p, X):
    """A loss and the gradients of all that it depends on."""
    loss = f(p, X)
    loss.backward()
    found = [x.grad for x in (*p.values(), X) if isinstance(x, ad.Tensor) and x.grad is not None]
    return [loss.data, *found]


@pytest.mark.usefixtures("never_eagerly")
@pytest.mark.parametrize("tracked", [False, True], ids=["data", "tensor"])
@pytest.mark.parametrize("f", LOOPS, ids=lambda f: f.__name__)
def test_a_loop_on_other_numbers(f, tracked):
    kept = {name: ad.Tensor(a.copy(), name=name) for name, a in PARAMS.items()}
    compiled = ad.compile(lambda X: f(kept, X))
    for _ in range(2):
        X = rng.normal(size=(STEPS, BATCH, INPUTS))
        for x in kept.values():
            x.grad = None
        found = swept(lambda p, X: compiled(X), kept, ad.Tensor(X) if tracked else X)
        expected = swept(f, {k: ad.Tensor(x.data.copy()) for k, x in kept.items()}, ad.Tensor(X) if tracked else X)
        for a, b in zip(found, expected, strict=True):
            assert_close(a, b, ulps=16)  # sums over the steps are taken in another order, and the steps go on with them


@pytest.mark.parametrize(
    ("f", "most"),
    [
        (last_state, 6),
        (every_state, 8),
        (batch_first, 6),
        (vectors, 6),
        (vectors_on_the_left, 6),
        (loss_of_each_step, 9),
    ],
)
def test_a_step_takes_few_calls(f, most):
    """Four forward, two backward; what the steps do not wait for is outside of the loop."""
    p = {name: ad.Tensor(a.copy(), name=name) for name, a in PARAMS.items()}

    def calls_of(steps):
        compiled = ad.compile(lambda X: f(p, X))
        compiled(np.ones((steps, BATCH, INPUTS))).backward()
        return sum(
            ", out=" in line or "np." in line for line in compiled.source.partition("def forward")[2].splitlines()
        )

    if f is batch_first or f in (vectors, vectors_on_the_left):
        assert calls_of(STEPS) <= most * STEPS + 20
    else:
        assert calls_of(2 * STEPS) - calls_of(STEPS) <= most * STEPS


def test_no_array_of_zeros_for_each_slice():
    """The gradient of ``x`` is one array, however many slices were taken: else time would grow with their square."""
    p = {name: ad.Tensor(a.copy(), name=name) for name, a in PARAMS.items()}
    compiled = ad.compile(lambda X: last_state(p, X))
    compiled(ad.Tensor(np.ones((STEPS, BATCH, INPUTS)))).backward()
    assert "scatter_add" not in compiled.source
    assert compiled.source.count(f"({STEPS}, {BATCH}, {INPUTS})") < STEPS
