"""Every function of ``nn.functional`` beside PyTorch's of the same name; what is given by position means the same."""

import inspect

import numpy as np
import pytest
import torch
from torch.nn import functional as theirs

import autodiff as ad
from autodiff import nn
from autodiff.core.errors import KindError
from autodiff.nn import functional as ours

from .compare import draw, near, same_function

LINES, IMAGES = draw(3, 4, 7), draw(2, 4, 9, 8)
A, B, C = draw(4, 3), draw(4, 3, seed=1), draw(4, 3, seed=2)
RNG = np.random.default_rng(0)
P, Q = RNG.uniform(size=(4, 3)), RNG.uniform(size=(4, 3))
CLASSES, WEIGHT = np.array([0, 2, 1, 2]), np.array([0.2, 1.0, 3.0])
INDICES = np.array([[1, 2, 2], [8, 0, 1]])
HEADS = draw(2, 3, 4, 6), draw(2, 3, 5, 6, seed=1), draw(2, 3, 5, 7, seed=2)
LOSSES = [{"reduction": "none"}, {"reduction": "sum"}, {}]

# Function: positional arguments of calls, which mean the same in both; options of further calls of the first.
CALLS = {
    "adaptive_avg_pool1d": ([(LINES, 3)], []),
    "adaptive_avg_pool2d": ([(IMAGES, 3), (IMAGES, (None, 2))], []),
    "avg_pool1d": ([(LINES, 3, 2, 1, True, False)], [{"kernel_size": 2}]),
    "avg_pool2d": ([(IMAGES, 3, 2, 1, True, False, 7)], [{"kernel_size": 2}]),
    "binary_cross_entropy": ([(P, Q)], [*LOSSES, {"weight": WEIGHT}]),
    "binary_cross_entropy_with_logits": ([(A, Q)], [*LOSSES, {"weight": WEIGHT}, {"pos_weight": WEIGHT}]),
    "conv1d": ([(LINES, draw(6, 2, 3), draw(6), 2, 1, 2, 2)], []),
    "conv2d": ([(IMAGES, draw(6, 2, 3, 2), draw(6), (2, 1), 1, 2, 2)], []),
    "conv_transpose1d": ([(LINES, draw(4, 3, 3), draw(6), 2, 1, 1, 2, 2)], []),
    "conv_transpose2d": ([(IMAGES, draw(4, 3, 3, 2), draw(6), (2, 3), 1, 1, 2, 2)], []),
    "cosine_embedding_loss": ([(A, B, np.array([1, -1, -1, 1]), 0.2)], LOSSES),
    "cross_entropy": ([(C, CLASSES)], [*LOSSES, {"weight": WEIGHT}, {"ignore_index": 2}, {"label_smoothing": 0.3}]),
    "dropout": ([(LINES, 0.0), (LINES, 1.0)], [{"training": False}]),
    "elu": ([(LINES,), (LINES, 0.7)], []),
    "embedding": ([(INDICES, draw(9, 3)), (INDICES, draw(9, 3), 2)], []),
    "gelu": ([(LINES,)], [{"approximate": "tanh"}]),
    "group_norm": ([(IMAGES, 2), (IMAGES, 2, draw(4), draw(4, seed=1), 0.1)], []),
    "huber_loss": ([(A, B), (A, B, "sum", 0.4)], [*LOSSES, {"delta": 0.4}]),
    "interpolate": ([(LINES, 10), (IMAGES, None, 1.7), (IMAGES, (5, 16))], []),
    "kl_div": ([(A, Q)], [{"reduction": "batchmean"}, *LOSSES[:2], {"reduction": "sum", "log_target": True}]),
    "l1_loss": ([(A, B)], LOSSES),
    "layer_norm": ([(LINES, (4, 7)), (LINES, (7,), draw(7), draw(7, seed=1), 0.1)], []),
    "leaky_relu": ([(LINES,), (LINES, 0.3)], []),
    "linear": ([(IMAGES, draw(3, 8)), (IMAGES, draw(3, 8), draw(3))], []),
    "log_softmax": ([(LINES, 0), (LINES, 1), (LINES, -1)], []),
    "max_pool1d": ([(LINES, 3, 2, 1, 2, True)], [{"kernel_size": 2}]),
    "max_pool2d": ([(IMAGES, 3, 2, 1, 2, True)], [{"kernel_size": 2}]),
    "mish": ([(LINES,)], []),
    "mse_loss": ([(A, B)], LOSSES),
    "nll_loss": ([(C, CLASSES)], [*LOSSES, {"weight": WEIGHT}, {"ignore_index": 2}]),
    "relu": ([(LINES,)], []),
    "rms_norm": ([(LINES, (4, 7)), (LINES, (7,), draw(7), 0.1)], []),
    "scaled_dot_product_attention": (
        [HEADS, (*HEADS, draw(4, 5, seed=3) > -0.5), (*HEADS, draw(4, 5, seed=3)), (*HEADS, None, 0.0, True)],
        [{"scale": 0.3}, {"is_causal": True}],
    ),
    "sigmoid": ([(LINES,)], []),
    "silu": ([(LINES,)], []),
    "smooth_l1_loss": ([(A, B)], [*LOSSES, {"beta": 0.3}]),
    "softmax": ([(LINES, 0), (LINES, 1), (LINES, -1)], []),
    "softplus": ([(30 * LINES,), (LINES, 2.5, 1.0)], [{"beta": 0.3}]),
    "tanh": ([(LINES,)], []),
    "triplet_margin_loss": ([(A, B, C), (A, B, C, 2.0, 1.0, 0.1, True)], [*LOSSES, {"p": 3.0}]),
}
ELSEWHERE = {"batch_norm", "log_sigmoid"}  # below
OURS = {"attention_in_heads", "gru_step", "hinge_loss", "lstm_step", "rnn_step", "sinusoidal_positions"}


def test_no_function_is_left_out():
    assert set(ours.__all__) == {*CALLS, *ELSEWHERE, *OURS}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore:reduction. .mean. divides")
def test_functions(name):
    calls, options = CALLS[name]
    f, g = getattr(ours, name), getattr(theirs, name)
    for inputs in calls:
        same_function(f, g, *inputs)
    few = [x for x in calls[0] if isinstance(x, np.ndarray)]
    if name.startswith(("avg_pool", "max_pool")):
        few = few[:1]
    for some in options:
        same_function(f, g, *few, options=some)


@pytest.mark.parametrize("name", [name for name in CALLS if inspect.isfunction(getattr(theirs, name))])
def test_positions_mean_the_same(name):
    """What stands elsewhere in PyTorch must be given by its name here."""
    there = list(inspect.signature(getattr(theirs, name)).parameters.values())
    if there[0].name == "args":  # it hands them on to one of two others
        return
    here = list(inspect.signature(getattr(ours, name)).parameters.values())
    by_position = [p.name for p in here if p.kind is not inspect.Parameter.KEYWORD_ONLY and p.default is not p.empty]
    start = sum(p.default is p.empty for p in here)
    called = {"dim": "axis"}
    assert by_position == [called.get(p.name, p.name) for p in there[start : start + len(by_position)]]


def test_log_sigmoid():
    same_function(ours.log_sigmoid, theirs.logsigmoid, 30 * LINES)


def test_tensors_of_any_dimension_have_losses():
    """Classes stand on the second axis."""
    logits, classes = draw(2, 3, 4, 5), RNG.integers(0, 3, (2, 4, 5))
    classes[0, 1, 2] = -100
    for options in [*LOSSES, {"weight": WEIGHT}, {"weight": WEIGHT, "label_smoothing": 0.2, "reduction": "sum"}]:
        same_function(ours.cross_entropy, theirs.cross_entropy, logits, classes, options=options)
    same_function(ours.nll_loss, theirs.nll_loss, logits, classes, options={"weight": WEIGHT})
    same_function(ours.mse_loss, theirs.mse_loss, IMAGES, 0.5 * IMAGES)
    same_function(ours.cosine_embedding_loss, theirs.cosine_embedding_loss, A[0], B[0], np.array(-1))
    same_function(ours.triplet_margin_loss, theirs.triplet_margin_loss, A[0], B[0], C[0])
    same_function(ours.mse_loss, theirs.mse_loss, np.array(2.0), np.array(3.0))


def test_soft_targets_have_gradients_too():
    for options in LOSSES:
        same_function(ours.cross_entropy, theirs.cross_entropy, A, Q / Q.sum(1, keepdims=True), options=options)


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("momentum", [0.1, 0.7])
def test_batch_norm(affine, momentum):
    """The running averages of both after three batches, and their use afterwards."""
    parameters = (draw(4, seed=1), draw(4, seed=2)) if affine else (None, None)
    mean, var = nn.Buffer(np.zeros(4)), nn.Buffer(np.ones(4))
    their_mean, their_var = torch.zeros(4), torch.ones(4)

    def here(x, *rest):
        return ours.batch_norm(x, mean, var, *rest, training=True, momentum=momentum, eps=0.01)

    def there(x, *rest):
        return theirs.batch_norm(x, their_mean, their_var, *rest, training=True, momentum=momentum, eps=0.01)

    for k in range(3):
        same_function(here, there, draw(5, 4, 3, seed=k) + k, *parameters)
        near(mean.data, their_mean, "mean")
        near(var.data, their_var, "variance")
    for numbers in ((mean, var), (mean.data, var.data)):
        same_function(
            lambda x, *rest, numbers=numbers: ours.batch_norm(x, *numbers, *rest),
            lambda x, *rest: theirs.batch_norm(x, their_mean, their_var, *rest),
            IMAGES,
            *parameters,
        )
    same_function(
        lambda x: ours.batch_norm(x, training=True), lambda x: theirs.batch_norm(x, None, None, training=True), LINES
    )


def test_running_averages_that_cannot_be_kept():
    with pytest.raises(KindError, match=r"batch_norm got running averages in plain arrays.*nn\.Buffer"):
        ours.batch_norm(LINES, np.zeros(4), np.ones(4), training=True)


def test_tracked_masks_have_gradients():
    q, k, v = HEADS
    same_function(
        lambda m: ours.scaled_dot_product_attention(q, k, v, m),
        lambda m: theirs.scaled_dot_product_attention(*map(torch.tensor, (q, k, v)), m),
        draw(4, 5, seed=3),
    )
    m = ad.Tensor(draw(3, 4, 5))
    ad.sum(ours.scaled_dot_product_attention(q, k, v, m)).backward()
    assert m.grad.shape == (3, 4, 5)
