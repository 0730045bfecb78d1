"""Every module in a compiled function: results and gradients as in the function itself, on other inputs and weights."""

import copy

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn

LINES, IMAGES, STEPS, ROWS, WIDE = (3, 4, 7), (2, 4, 9, 8), (5, 3, 4), (4, 3), (5, 3, 8)
WEIGHT = np.array([0.2, 1.0, 3.0])


def normal(*shapes):
    return lambda rng: [rng.normal(size=shape) for shape in shapes]


def uniform(*shapes):
    return lambda rng: [rng.uniform(size=shape) for shape in shapes]


def classes(rng):
    return [rng.normal(size=(5, 3)), rng.integers(0, 3, 5)]


def sides(rng):
    return [rng.normal(size=4), rng.choice([-1, 1], 4)]


def pairs(rng):
    return [*normal(ROWS, ROWS)(rng), rng.choice([-1, 1], 4)]


def shares(rng):
    return [rng.normal(size=ROWS), rng.dirichlet(np.ones(3), 4)]


class Causal(nn.Module):
    """Attention to itself, of two results."""

    def __init__(self):
        self.attention = nn.MultiheadAttention(8, 2, rng=0)

    def forward(self, x):
        return self.attention(x, x, x, is_causal=True)


ACTIVATIONS = [
    nn.ReLU,
    nn.LeakyReLU,
    nn.ELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Tanh,
    nn.Sigmoid,
    nn.LogSigmoid,
    nn.Softplus,
]
WITHOUT_PARAMETERS = [*ACTIVATIONS, nn.Softmax, nn.LogSoftmax, nn.Flatten, nn.Identity]

MODULES = {
    **{kind.__name__: (kind, normal(LINES)) for kind in WITHOUT_PARAMETERS},
    "Dropout": (lambda: nn.Dropout(0.5, rng=0), normal(LINES)),
    "Linear": (lambda: nn.Linear(7, 3, rng=0), normal(LINES)),
    "Linear without bias": (lambda: nn.Linear(7, 3, bias=False, rng=0), normal(LINES)),
    "Embedding": (lambda: nn.Embedding(9, 3, padding_idx=2, rng=0), lambda rng: [rng.integers(0, 9, (2, 3))]),
    "Conv1d": (lambda: nn.Conv1d(4, 6, 3, 2, 1, groups=2, rng=0), normal(LINES)),
    "Conv2d": (lambda: nn.Conv2d(4, 6, 3, padding="same", dilation=2, rng=0), normal(IMAGES)),
    "Conv2d reflect": (lambda: nn.Conv2d(4, 6, 3, padding=2, padding_mode="reflect", rng=0), normal(IMAGES)),
    "Conv2d circular": (lambda: nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular", rng=0), normal(IMAGES)),
    "Conv2d replicate": (lambda: nn.Conv2d(4, 6, 3, padding=1, padding_mode="replicate", rng=0), normal(IMAGES)),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2, dilation=2, rng=0), normal(IMAGES)),
    "MaxPool1d": (lambda: nn.MaxPool1d(3, 1, 1), normal(LINES)),
    "MaxPool2d": (lambda: nn.MaxPool2d(3, dilation=2, ceil_mode=True), normal(IMAGES)),
    "AvgPool1d": (lambda: nn.AvgPool1d(3, 1, 1, count_include_pad=False), normal(LINES)),
    "AvgPool2d": (lambda: nn.AvgPool2d(3, ceil_mode=True, divisor_override=5), normal(IMAGES)),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d((3, 2)), normal(IMAGES)),
    "Upsample by 2": (lambda: nn.Upsample(scale_factor=2), normal(IMAGES)),
    "Upsample to 5": (lambda: nn.Upsample(5), normal(LINES)),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(4), normal(LINES)),
    "BatchNorm1d of all batches": (lambda: nn.BatchNorm1d(4, momentum=None), normal(LINES)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(4, affine=False), normal(IMAGES)),
    "BatchNorm2d without averages": (lambda: nn.BatchNorm2d(4, track_running_stats=False), normal(IMAGES)),
    "LayerNorm": (lambda: nn.LayerNorm((4, 7)), normal(LINES)),
    "RMSNorm": (lambda: nn.RMSNorm(7), normal(LINES)),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), normal(IMAGES)),
    "RNN": (lambda: nn.RNN(4, 6, 2, bidirectional=True, rng=0), normal(STEPS)),
    "RNN relu": (lambda: nn.RNN(4, 6, nonlinearity="relu", bias=False, rng=0), normal(STEPS)),
    "GRU": (lambda: nn.GRU(4, 6, 2, dropout=0.5, batch_first=True, rng=0), normal(STEPS)),
    "LSTM": (lambda: nn.LSTM(4, 6, bidirectional=True, proj_size=2, rng=0), normal(STEPS)),
    "RNNCell": (lambda: nn.RNNCell(4, 6, rng=0), normal((3, 4), (3, 6))),
    "GRUCell": (lambda: nn.GRUCell(4, 6, rng=0), normal((3, 4), (3, 6))),
    "LSTMCell": (lambda: nn.LSTMCell(4, 6, rng=0), normal((3, 4))),
    "MultiheadAttention": (lambda: nn.MultiheadAttention(8, 2, dropout=0.3, kdim=4, rng=0), normal(WIDE, STEPS, WIDE)),
    "MultiheadAttention causal": (Causal, normal(WIDE)),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", rng=0), normal(WIDE)),
    "TransformerEncoderLayer norm first": (
        lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True, rng=0),
        normal(WIDE),
    ),
    "SinusoidalPositions": (lambda: nn.SinusoidalPositions(8), normal(WIDE)),
    "Sequential": (lambda: nn.Sequential(nn.Linear(7, 3, rng=0), ad.tanh, nn.Linear(3, 2, rng=1)), normal(LINES)),
    "MLP": (lambda: nn.MLP([7, 5, 2], nn.SiLU, rng=0), normal(LINES)),
    "MSELoss": (nn.MSELoss, normal(ROWS, ROWS)),
    "MSELoss of each": (lambda: nn.MSELoss(reduction="none"), normal(ROWS, ROWS)),
    "L1Loss": (nn.L1Loss, normal(ROWS, ROWS)),
    "SmoothL1Loss": (lambda: nn.SmoothL1Loss(beta=0.5), normal(ROWS, ROWS)),
    "HuberLoss": (lambda: nn.HuberLoss(delta=0.5), normal(ROWS, ROWS)),
    "CrossEntropyLoss": (nn.CrossEntropyLoss, classes),
    "CrossEntropyLoss with options": (
        lambda: nn.CrossEntropyLoss(WEIGHT, ignore_index=2, label_smoothing=0.1, reduction="sum"),
        classes,
    ),
    "CrossEntropyLoss of shares": (nn.CrossEntropyLoss, shares),
    "NLLLoss": (lambda: nn.NLLLoss(WEIGHT), classes),
    "BCELoss": (lambda: nn.BCELoss(WEIGHT), uniform(ROWS, ROWS)),
    "BCEWithLogitsLoss": (lambda: nn.BCEWithLogitsLoss(pos_weight=WEIGHT), uniform(ROWS, ROWS)),
    "KLDivLoss": (lambda: nn.KLDivLoss(reduction="batchmean"), uniform(ROWS, ROWS)),
    "HingeLoss": (nn.HingeLoss, sides),
    "CosineEmbeddingLoss": (lambda: nn.CosineEmbeddingLoss(0.2), pairs),
    "TripletMarginLoss": (lambda: nn.TripletMarginLoss(2.0, swap=True), normal(ROWS, ROWS, ROWS)),
}


def test_no_module_is_left_out():
    made = {name for name in nn.__all__ if isinstance(getattr(nn, name), type)}
    assert made - {name.split()[0] for name in MODULES} == {"Buffer", "Module", "ModuleDict", "ModuleList"}


def total_of(module, *inputs):
    """One number of all results."""
    return sum(ad.sum(ad.sin(y) * (k + 1)) for k, y in enumerate(results_in(module(*inputs))))


def results_in(result):
    return [y for part in result for y in results_in(part)] if isinstance(result, tuple) else [result]


@pytest.mark.parametrize("name", MODULES)
def test_compiled_is_eager(name):
    make, draw = MODULES[name]
    ours, twin = make(), make()
    compiled = ad.compile(lambda *inputs: total_of(ours, *inputs))
    rng = np.random.default_rng(0)
    for call in range(3):  # all but the first are replayed
        inputs = draw(rng)
        a, b = ([ad.Tensor(x) if x.dtype.kind == "f" else x for x in inputs] for _ in range(2))
        found, expected = compiled(*a), total_of(twin, *b)
        assert np.allclose(found.data, expected.data, rtol=1e-10, atol=1e-12), f"call {call}"
        for module, total in ((ours, found), (twin, expected)):
            module.zero_grad()
            total.backward()
        for x, y in zip([*a, *ours.parameters()], [*b, *twin.parameters()], strict=True):
            if isinstance(x, ad.Tensor):
                assert np.allclose(x.grad, y.grad, rtol=1e-9, atol=1e-11), f"call {call}, {x.name}"
        for (name, x), (_, y) in zip(ours.named_buffers(), twin.named_buffers(), strict=True):
            assert np.allclose(x.data, y.data, rtol=1e-12), f"call {call}, {name}"
        for p in [*ours.parameters(), *twin.parameters()]:
            p.data = p.data + 0.01


@pytest.mark.parametrize("name", ["BatchNorm1d", "BatchNorm2d", "Dropout", "TransformerEncoderLayer"])
def test_compiled_while_evaluating(name):
    make, draw = MODULES[name]
    module, rng = make().eval(), np.random.default_rng(0)
    if name.startswith("BatchNorm"):
        module.running_mean.data = np.arange(4.0)
    compiled = ad.compile(module)
    for _ in range(3):
        (x,) = draw(rng)
        assert np.allclose(compiled(x).data, copy.deepcopy(module)(x).data, rtol=1e-12)


def test_compiled_training_and_evaluation_share_the_averages():
    """What one of them has set, the other sees."""
    ours, twin = (nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4)) for _ in range(2))
    compiled, rng = ad.compile(ours), np.random.default_rng(0)
    for training in (True, False, True, True, False):
        x = rng.normal(size=(5, 3))
        found, expected = compiled.train(training)(x), twin.train(training)(x)
        assert np.allclose(found.data, expected.data, rtol=1e-12)
    assert ours[1].num_batches_tracked.data == twin[1].num_batches_tracked.data == 3
    assert np.allclose(ours[1].running_var.data, twin[1].running_var.data, rtol=1e-12)
