"""What users write by hand compiles to the lines of the fused rows, or nearly."""

import numpy as np

import autodiff as ad
from autodiff import nn

rng = np.random.default_rng(0)
X, T, LABELS = rng.normal(size=(6, 4)), rng.normal(size=(6, 3)), rng.integers(0, 3, 6)
W, b = ad.Tensor(rng.normal(size=(3, 4)), name="W"), ad.Tensor(rng.normal(size=3), name="b")
linear = nn.functional.linear


def lines(f, *args):
    """The statements of a compiled loss, without comments."""
    compiled = ad.compile(f)
    compiled(*args).backward()
    source = compiled.source.partition("def make")[2]
    return [line.partition("  #")[0].strip() for line in source.splitlines() if line.strip()]


def test_a_linear_layer():
    def by_hand(X):
        h = X @ W.T + b
        return ad.sum(h * h)

    def fused(X):
        h = linear(X, W, b)
        return ad.sum(h * h)

    def body(f):
        found = lines(f, X)
        calls = found[found.index("def forward(X, W, b):") :]
        return sorted(line for line in calls if "errstate" not in line and "isfinite" not in line)

    assert body(by_hand) == body(fused)


def test_mean_squares():
    def by_hand(X, T):
        y = linear(X, W, b)
        return ad.mean((y - T) ** 2)

    def fused(X, T):
        y = linear(X, W, b)
        return nn.functional.mse_loss(y, T)

    assert len(lines(by_hand, X, T)) <= len(lines(fused, X, T)) + 4
    text = "\n".join(lines(by_hand, X, T))
    assert "broadcast" not in text
    assert text.count("np.multiply") == 2  # y * y, and y times a number that the 2 is in


def test_cross_entropy():
    def by_hand(X):
        y = linear(X, W, b)
        return -(ad.log_softmax(y, axis=1)[np.arange(6), LABELS]).mean()

    text = "\n".join(lines(by_hand, X))
    assert text.count("np.exp") == 2  # one forward, one backward: the gradient is softmax times a number
    assert "T.copy" not in text


def test_the_signs_and_scales_of_cotangents_stay_with_numbers():
    """The gradient of ``-4 * mean(y**2)`` is ``y`` times one number."""

    def loss(X):
        y = linear(X, W, b)
        return -4 * ad.mean(y**2)

    text = "\n".join(lines(loss, X))
    assert text.count("np.multiply") == 2
    assert "np.negative" not in text
