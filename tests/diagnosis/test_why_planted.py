"""Bugs planted in small programs: ``why`` must name the cause, the op or variable, and the figures."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from autodiff.diagnosis.why import why

PROGRAMS = []


def planted(cause, *words, healthy=False):
    """Declare a program that returns what ``why`` says: with this cause, and these words in it."""

    def declare(program):
        PROGRAMS.append(pytest.param(program, cause, words, healthy, id=program.__name__))
        return program

    return declare


@pytest.mark.parametrize(("program", "cause", "words", "healthy"), PROGRAMS)
def test_planted(program, cause, words, healthy):
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        answer = program(rng)
    print(f"\n{answer.cause}: {answer}")
    assert answer.cause == cause, str(answer)
    assert answer.healthy == healthy
    for word in words:
        assert word in str(answer)
    assert answer.text.count("\n") == 0
    assert cause in answer._repr_html_()


# Zero: activations


@planted("dead relu", "all 9 entries", "dead: 12 of 12 entries of z", "relu")
def dead_relu(rng):
    x, w = rng.random((4, 3)), ad.Tensor(-np.ones((3, 3)))
    z = x @ w
    loss = ad.relu(z).sum()
    return why(w, loss)


@planted("dead relu", "The gradient of w1", "32 of 32 entries of h")
def dead_hidden_layer(rng):
    x = rng.random((8, 3))
    w1, b1 = ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(np.full(4, -50.0))
    w2 = ad.Tensor(rng.normal(size=(4, 1)))
    h = x @ w1 + b1
    loss = (ad.relu(h) @ w2).mean()
    return why(w1, loss)


@planted("dead relu", "maximum")
def dead_maximum_with_zero(rng):
    w = ad.Tensor(-np.ones(5))
    loss = ad.maximum(w * 2, 0).sum()
    return why(w, loss)


@planted("dead relu", "0 in 15 of 16 units", "10 examples", "dead")
def most_units_dead(rng):
    x, w = rng.normal(size=(10, 3)), ad.Tensor(rng.normal(size=(3, 16)))
    b = ad.Tensor(np.array([-100.0] * 15 + [0.0]))
    loss = (ad.relu(x @ w + b) ** 2).mean()
    return why(w, loss)


@planted("dead relu", "w2 is multiplied by", "that relu is dead")
def behind_a_dead_layer(rng):
    w1, w2 = ad.Tensor(np.zeros((3, 4))), ad.Tensor(rng.normal(size=(4, 1)))
    loss = ((ad.relu(rng.normal(size=(5, 3)) @ w1) @ w2 - 1) ** 2).mean()
    return why(w2, loss)


@planted("saturated sigmoid", "all 6 entries")
def saturated_sigmoid(rng):
    w = ad.Tensor(rng.normal(size=(3, 2)) * 1e4)
    loss = ((ad.sigmoid(np.ones((3, 3)) @ w) - 0.3) ** 2).mean()
    return why(w, loss)


@planted("saturated tanh", "tanh", "smaller weights")
def saturated_tanh(rng):
    x, w = rng.normal(size=(5, 3)) + 3, ad.Tensor(np.full((3, 2), 30.0))
    loss = ad.tanh(x @ w).sum()
    return why(w, loss)


@planted("saturated softmax", "rows of the softmax", "square root")
def saturated_softmax(rng):
    q, k = ad.Tensor(rng.normal(size=(4, 64)) * 60), rng.normal(size=(5, 64))
    attention = ad.softmax(q @ k.T)
    loss = (attention @ rng.normal(size=(5, 2))).sum()
    return why(q, loss)


@planted("saturated tanh", "is saturated", "is tiny")
def saturated_value(rng):
    a = ad.Value(9.0)
    y = ad.tanh(a * 2)
    return why(a, y)


@planted("saturated tanh", "on the way")
def saturated_through_many_layers(rng):
    h = rng.normal(size=(8, 10))
    weights = [ad.Tensor(rng.normal(size=(10, 10)) * 20) for _ in range(6)]
    for w in weights:
        h = ad.tanh(h @ w)
    loss = (h**2).mean()
    return why(weights[0], loss)


@planted("saturated softplus", "softplus")
def flat_softplus(rng):
    w = ad.Tensor(np.full(4, -40.0))
    return why(w, ad.softplus(w).sum())


# Zero: factors


@planted("multiplied by zero", "w2", "all 4 entries are 0", "comes back", healthy=True)
def zero_initialised_next_layer(rng):
    w1, w2 = ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(np.zeros((4, 1)))
    loss = (ad.tanh(rng.normal(size=(5, 3)) @ w1) @ w2).sum()
    return why(w1, loss)


@planted("multiplied by zero", "mask", "multiply")
def mask_of_zeros(rng):
    w, mask = ad.Tensor(rng.normal(size=6)), np.zeros(6)
    loss = (w * mask).sum()
    return why(w, loss)


@planted("multiplied by zero", "weight, which is 0")
def loss_weight_zero(rng):
    w, weight = ad.Tensor(rng.normal(size=3)), np.asarray(0.0)
    loss = (w**2).sum() * weight
    return why(w, loss)


@planted("multiplied by zero", "x", "all 12 entries")
def inputs_of_zeros(rng):
    x = np.zeros((4, 3))
    layer = nn.Linear(3, 2, rng=0)
    loss = (layer(x) ** 2).mean()
    return why(layer.weight, loss)


@planted("dropout", "p=1", "dropped all 8")
def dropout_of_everything(rng):
    w = ad.Tensor(rng.normal(size=(2, 4)))
    loss = (ad.dropout(w, 1.0, rng=0) ** 2).sum()
    return why(w, loss)


@planted("multiplied by zero", "b", "multiply", "comes back", healthy=True)
def zero_value(rng):
    a, b = ad.Value(3.0), ad.Value(0.0)
    c = a * b + 2
    return why(a, c)


# Zero: choices


@planted("clipped", "bound", "1.0")
def clipped_at_a_bound(rng):
    w = ad.Tensor([2.0, 3.0])
    return why(w, ad.clip(w, -1.0, 1.0).sum())


@planted("not chosen", "maximum", "smaller", "b")
def never_the_maximum(rng):
    a, b = ad.Tensor([1.0, 2.0]), ad.Tensor([5.0, 6.0])
    return why(a, ad.maximum(a, b).sum())


@planted("not chosen", "stack", "max")
def not_the_max_of_a_stack(rng):
    a, b = ad.Tensor([1.0, 2.0]), ad.Tensor([5.0, 6.0])
    return why(a, ad.max(ad.stack([a, b]), axis=0).sum())


@planted("branch not taken", "where", "first branch", "false in all 3 entries")
def branch_not_taken(rng):
    a, x = ad.Tensor(rng.normal(size=3)), np.array([1.0, 2.0, 3.0])
    loss = ad.where(x < 0, a * 2, x).sum()
    return why(a, loss)


@planted("entries not used", "concatenate", "indices")
def slice_that_leaves_it_out(rng):
    a, b = ad.Tensor(rng.normal(size=3)), ad.Tensor(rng.normal(size=3))
    loss = ad.concatenate([a, b])[:3].sum()
    return why(b, loss)


@planted("overwritten", "setitem", "overwritten")
def overwritten_entries(rng):
    w = ad.Tensor(rng.normal(size=4))
    h = w * 3
    h[:] = np.ones(4)
    return why(w, h.sum() + ad.Tensor(1.0))


@planted("step function", "round")
def rounding(rng):
    w = ad.Tensor(rng.normal(size=4))
    return why(w, (ad.round(w * 3) ** 2).sum())


@planted("step function", "sign", "stop_gradient")
def sign_activation(rng):
    w = ad.Tensor(rng.normal(size=(3, 2)))
    loss = ((ad.sign(np.ones((4, 3)) @ w) - 0.5) ** 2).mean()
    return why(w, loss)


@planted("step function", "floor")
def floor_of_a_value(rng):
    a = ad.Value(2.5)
    return why(a, ad.floor(a) * 3)


# Zero: nothing depends on it


@planted("cancelled", "2 times", "multiply")
def difference_with_itself(rng):
    a = ad.Tensor([1.0, 2.0])
    return why(a, (a * 2 - a * 2).sum())


@planted("constant result", "length 1", "softmax")
def softmax_over_one_class(rng):
    w = ad.Tensor(rng.normal(size=(3, 1)))
    loss = (ad.softmax(rng.normal(size=(5, 3)) @ w) - 0.2).sum()
    return why(w, loss)


@planted("constant result", "sum to 1")
def sum_of_a_softmax(rng):
    w = ad.Tensor(rng.normal(size=(2, 3)))
    return why(w, ad.softmax(w).sum())


@planted("constant result", "power of 0")
def power_of_zero(rng):
    w = ad.Tensor(rng.normal(size=3))
    return why(w, (w**0).sum())


# Tiny and zero: numbers too small


@planted("product of small factors", "sigmoid × 20", "is tiny")
def many_sigmoids(rng):
    h = rng.normal(size=(8, 6))
    weights = [ad.Tensor(rng.normal(size=(6, 6)) * 0.5) for _ in range(20)]
    for w in weights:
        h = ad.sigmoid(h @ w)
    return why(weights[0], h.mean())


@planted("product of small factors", "multiply × 40")
def many_small_multiplications(rng):
    a = ad.Value(1.0)
    y = a
    for _ in range(40):
        y = y * 0.3
    return why(a, y)


@planted("small factor", "1e-30", "multiply")
def loss_scaled_down(rng):
    w = ad.Tensor(rng.normal(size=3))
    return why(w, (w**2).sum() * 1e-30)


@planted("small factor", "divide")
def divided_by_much(rng):
    w, n = ad.Tensor(rng.normal(size=3)), 1e12
    return why(w, (w**2).sum() / n)


@planted("underflow", "float32", "multiply")
def underflow_in_single_precision(rng):
    w = ad.Tensor(np.ones(3, np.float32))
    tiny = np.full(3, 1e-30, np.float32)
    return why(w, (w * tiny * tiny).sum())


@planted("underflow", "exp")
def exponential_of_very_little(rng):
    w = ad.Tensor([-800.0, -900.0])
    return why(w, ad.exp(w).sum())


@planted("small factor", "w2")
def tiny_weights_behind(rng):
    w1, w2 = ad.Tensor(rng.normal(size=(3, 4))), ad.Tensor(rng.normal(size=(4, 2)) * 1e-9)
    loss = (ad.tanh(rng.normal(size=(5, 3)) @ w1) @ w2).sum()
    return why(w1, loss)


# Exploding


@planted("product of large factors", "matmul × 30", "explodes")
def recurrent_explosion(rng):
    h, w = ad.Tensor(rng.normal(size=(2, 5))), rng.normal(size=(5, 5)) * 2
    start = h
    for _ in range(30):
        h = h @ w
    return why(start, h.sum())


@planted("product of large factors", "matmul × 25, each by about 3.0")
def the_same_weights_again_and_again(rng):
    w, h = ad.Tensor(np.eye(4) * 3), rng.normal(size=(5, 4))
    for _ in range(25):
        h = h @ w
    return why(w, h.mean())


@planted("large sum", "400000 terms", "mean instead")
def sum_instead_of_a_mean(rng):
    w = ad.Tensor(np.ones(1))
    return why(w, (w + np.zeros(400_000)).sum())


@planted("large factor", "multiply", "1e12")
def loss_scaled_up(rng):
    w = ad.Tensor(rng.normal(size=3))
    return why(w, (w**2).sum() * 1e12)


@planted("small divisor", "divided by", "1e-9")
def nearly_zero_divisor(rng):
    w, d = ad.Tensor(rng.normal(size=3)), np.array([1.0, 1e-9, 2.0])
    return why(w, (w / d).sum())


@planted("large factor", "exp", "40")
def exponential_of_much(rng):
    w = ad.Tensor([1.0, 40.0])
    return why(w, ad.exp(w).sum())


@planted("steep slope", "log", "1e-20")
def logarithm_near_zero(rng):
    p = ad.Tensor([0.3, 1e-20])
    return why(p, -ad.log(p).sum())


@planted("large factor", "pixels")
def inputs_not_normalised(rng):
    pixels, w = rng.random((50, 4)) * 1e6, ad.Tensor(rng.normal(size=(4, 1)))
    loss = ad.tanh(pixels @ w * 1e-7).sum() * 1.0 + (pixels @ w).sum()
    return why(w, loss)


# nan and inf


@planted("log of 0", "1 of 3 entries", "p", "log")
def logarithm_of_zero(rng):
    p = ad.Tensor([0.2, 0.0, 0.8])
    loss = -(p * ad.log(p)).sum()
    return why(p, loss)


@planted("log of a negative number", "below 0", "log")
def logarithm_of_a_negative_number(rng):
    w = ad.Tensor([0.5, -0.5])
    return why(w, (ad.log(w) * w).sum())


@planted("infinite slope", "sqrt", "1 of 2 entries of w are 0")
def square_root_at_zero(rng):
    w = ad.Tensor([0.0, 4.0])
    return why(w, ad.sqrt(w).sum())


@planted("sqrt of a negative number", "sqrt")
def square_root_of_a_negative_number(rng):
    w = ad.Tensor([-1.0, 4.0])
    return why(w, ad.sqrt(w - 2).sum())


@planted("division by 0", "1 of 3", "d", "divide")
def division_by_zero(rng):
    w, d = ad.Tensor([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 2.0])
    return why(w, (w / d).sum())


@planted("division by 0", "std")
def normalised_by_no_spread(rng):
    x = ad.Tensor(np.ones((3, 2)))
    std = ad.sqrt(((x - x.mean(axis=0)) ** 2).mean(axis=0))
    return why(x, ((x - x.mean(axis=0)) / std).sum())


@planted("overflow", "exp", "800")
def exponential_overflows(rng):
    z = ad.Tensor([1.0, 800.0])
    loss = ad.log(ad.exp(z).sum())
    return why(z, loss)


@planted("overflow", "float32", "exp")
def exponential_overflows_in_single_precision(rng):
    z = ad.Tensor(np.array([1.0, 100.0], np.float32))
    e = ad.exp(z)
    return why(z, (e / e.sum()).sum())


@planted("nan in the data", "x", "2 nan in 8 entries")
def nan_in_the_inputs(rng):
    x, w = rng.normal(size=(4, 2)), ad.Tensor(rng.normal(size=(2, 1)))
    x[1] = np.nan
    loss = ((x @ w) ** 2).mean()
    return why(w, loss)


@planted("nan in the data", "w", "1 nan")
def nan_in_the_weights(rng):
    x, w = rng.normal(size=(4, 2)), ad.Tensor([[np.nan], [1.0]])
    return why(w, ((x @ w) ** 2).mean())


@planted("masked row", "softmax", "-inf")
def row_masked_entirely(rng):
    scores = ad.Tensor(rng.normal(size=(2, 3)))
    mask = np.array([[True, False, True], [False, False, False]])
    attention = ad.softmax(ad.where(mask, scores, -np.inf))
    return why(scores, (attention * rng.normal(size=(2, 3))).sum())


@planted("out of the domain", "arcsin", "from -1 to 1")
def arcsin_of_too_much(rng):
    w = ad.Tensor([0.5, 1.5])
    return why(w, ad.arcsin(w).sum())


@planted("out of the domain", "power", "below 0")
def root_of_a_negative_number(rng):
    w = ad.Tensor([-0.5, 1.5])
    return why(w, (w**0.5).sum())


@planted("log of 0", "sigmoid", "log")
def cross_entropy_by_hand(rng):
    w = ad.Tensor([900.0, -800.0])
    p = ad.sigmoid(w)
    loss = -(ad.log(1 - p)).mean()
    return why(w, loss)
