"""Layers against their definitions, written out in NumPy, and what they refuse.  PyTorch's numbers: tests/parity."""

import numpy as np
import pytest
from scipy import signal
from scipy.special import expit

import autodiff as ad
from autodiff import nn
from autodiff.core.errors import ArgumentError, AutodiffError, KindError, ShapeError
from autodiff.nn import functional


@pytest.fixture
def images(rng):
    return rng.normal(size=(2, 3, 6, 5))


def test_a_convolution_is_a_sum_of_correlations(images):
    layer = nn.Conv2d(3, 4, (3, 2), rng=0)
    w, b = layer.weight.data, layer.bias.data
    expected = [
        [b[k] + sum(signal.correlate2d(x[c], w[k, c], "valid") for c in range(3)) for k in range(4)] for x in images
    ]
    np.testing.assert_allclose(layer(images).data, expected, rtol=1e-12)


def test_a_transposed_convolution_is_the_transpose(images):
    """<y, conv x> = <transposed conv y, x>."""
    down = nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False, rng=0)
    up = nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=(1, 0), bias=False)
    up.load_state_dict(down.state_dict())
    y = np.ones((2, 4, 3, 3)) * np.arange(1, 5)[:, None, None]
    assert np.sum(y * down(images).data) == pytest.approx(np.sum(up(y).data * images), rel=1e-12)


def test_a_batch_norm_by_its_formula(images):
    layer = nn.BatchNorm2d(3, eps=0.1, momentum=0.25)
    mean, var = images.mean((0, 2, 3)), images.var((0, 2, 3))
    expected = (images - mean[:, None, None]) / np.sqrt(var[:, None, None] + 0.1)
    np.testing.assert_allclose(layer(images).data, expected, rtol=1e-12)
    np.testing.assert_allclose(layer.running_mean.data, 0.25 * mean)
    np.testing.assert_allclose(layer.running_var.data, 0.75 + 0.25 * images.var((0, 2, 3), ddof=1))
    plain = nn.BatchNorm2d(3, momentum=None)
    for x in (images, 3 * images, images + 1):
        plain(x)
    np.testing.assert_allclose(plain.running_mean.data, (mean + 3 * mean + mean + 1) / 3, rtol=1e-12)


def test_other_norms_by_their_formulas(images):
    rows = (images - images.mean((2, 3), keepdims=True)) / np.sqrt(images.var((2, 3), keepdims=True) + 1e-5)
    np.testing.assert_allclose(nn.LayerNorm((6, 5))(images).data, rows, rtol=1e-12)
    np.testing.assert_allclose(nn.GroupNorm(3, 3)(images).data, rows, rtol=1e-10)
    size = np.sqrt((images**2).mean(-1, keepdims=True) + np.finfo(float).eps)
    np.testing.assert_allclose(nn.RMSNorm(5)(images).data, images / size, rtol=1e-12)


def test_recurrent_layers_step_by_step(rng):
    x = rng.normal(size=(4, 2, 3))
    gru, lstm, rnn = nn.GRU(3, 5, rng=0), nn.LSTM(3, 5, rng=0), nn.RNN(3, 5, rng=0)

    def parts(layer, h, t, n):
        p = {name: y.data for name, y in layer.named_parameters()}
        from_x = x[t] @ p["weight_ih_l0"].T + p["bias_ih_l0"]
        from_h = h @ p["weight_hh_l0"].T + p["bias_hh_l0"]
        return np.split(from_x, n, -1), np.split(from_h, n, -1)

    h = np.zeros((2, 5))
    for t, y in enumerate(rnn(x)[0].data):
        (a,), (b,) = parts(rnn, h, t, 1)
        h = np.tanh(a + b)
        np.testing.assert_allclose(y, h, rtol=1e-12)
    h = np.zeros((2, 5))
    for t, y in enumerate(gru(x)[0].data):
        a, b = parts(gru, h, t, 3)
        reset, stay = expit(a[0] + b[0]), expit(a[1] + b[1])
        h = (1 - stay) * np.tanh(a[2] + reset * b[2]) + stay * h
        np.testing.assert_allclose(y, h, rtol=1e-12)
    h = c = np.zeros((2, 5))
    for t, y in enumerate(lstm(x)[0].data):
        a, b = parts(lstm, h, t, 4)
        z = [p + q for p, q in zip(a, b, strict=True)]
        c = expit(z[1]) * c + expit(z[0]) * np.tanh(z[2])
        h = expit(z[3]) * np.tanh(c)
        np.testing.assert_allclose(y, h, rtol=1e-12)
    np.testing.assert_allclose(lstm(x)[1][1].data[0], c, rtol=1e-12)


def test_dropout_between_layers_only_while_training():
    layer, x = nn.LSTM(2, 3, 2, dropout=0.9, rng=0), np.ones((4, 1, 2))
    assert not np.array_equal(layer(x)[0].data, layer(x)[0].data)
    assert np.array_equal(layer.eval()(x)[0].data, layer(x)[0].data)


def test_attention_head_by_head(rng):
    layer = nn.MultiheadAttention(6, 2, batch_first=True, rng=0)
    layer.in_proj_bias.data = rng.normal(size=18)
    x = rng.normal(size=(3, 4, 6))
    y, weights = layer(x, x, x, average_attn_weights=False)
    q, k, v = np.split(x @ layer.in_proj_weight.data.T + layer.in_proj_bias.data, 3, -1)
    heads = []
    for head in range(2):
        part = slice(3 * head, 3 * head + 3)
        e = np.exp(q[..., part] @ k[..., part].transpose(0, 2, 1) / np.sqrt(3))
        share = e / e.sum(-1, keepdims=True)
        np.testing.assert_allclose(weights.data[:, head], share, rtol=1e-12)
        heads.append(share @ v[..., part])
    expected = np.concatenate(heads, -1) @ layer.out_proj.weight.data.T
    np.testing.assert_allclose(y.data, expected, rtol=1e-12)


def test_nobody_looks_ahead(rng):
    """What comes later changes nothing before, and padding changes nothing at all."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, rng=0)
    x = rng.normal(size=(2, 5, 8))
    y = layer(x, is_causal=True).data
    later = x.copy()
    later[:, 3:] += 1
    assert np.array_equal(layer(later, is_causal=True).data[:, :3], y[:, :3])
    padded = np.zeros((2, 5), bool)
    padded[:, 4] = True
    other = x.copy()
    other[:, 4] += 1
    a, b = (layer(z, src_key_padding_mask=padded).data for z in (x, other))
    np.testing.assert_allclose(a[:, :4], b[:, :4], rtol=1e-13)


def test_positions_are_the_papers():
    """PE(pos, 2i) = sin(pos / 10000^(2i/d)), PE(pos, 2i + 1) = cos of the same."""
    waves = functional.sinusoidal_positions(50, 7)
    for pos in (0, 1, 49):
        for k in range(7):
            angle = pos / 10000 ** ((k - k % 2) / 7)
            assert waves[pos, k] == pytest.approx(np.cos(angle) if k % 2 else np.sin(angle), abs=1e-12)
    x = np.zeros((50, 3, 7), np.float32)
    y = nn.SinusoidalPositions(7)(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y[:, 1], waves, atol=1e-6)
    np.testing.assert_allclose(nn.SinusoidalPositions(7, batch_first=True)(x[:, :2])[5], waves[:2], atol=1e-6)


TAKES_ROWS = [nn.Linear(2, 3), nn.LayerNorm(2), nn.RMSNorm(2), nn.BatchNorm1d(2), nn.GroupNorm(1, 2), nn.Softplus()]
TAKES_ROWS += [nn.SinusoidalPositions(2), nn.RNN(2, 3), nn.GRUCell(2, 3), nn.MaxPool1d(1), nn.Conv1d(2, 1, 1)]


@pytest.mark.parametrize("layer", TAKES_ROWS, ids=lambda layer: type(layer).__name__)
def test_lists_and_whole_numbers_are_inputs_too(layer):
    rows = [[1.0, 3.0], [2.0, 2.0]]

    def numbers(given):
        found = layer.eval()(given)
        return ad.stop_gradient(found[0] if isinstance(found, tuple) else found)

    np.testing.assert_array_equal(numbers(rows), numbers(np.array(rows)))
    np.testing.assert_array_equal(numbers(np.array(rows, int)), numbers(np.array(rows)))


def test_embeddings_of_padding_stay_zero():
    layer = nn.Embedding(5, 3, padding_idx=-1, rng=0)
    layer(np.array([[4, 1, 1]])).sum().backward()
    assert layer.weight.data[4].tolist() == [0, 0, 0]
    assert layer.weight.grad[:, 0].tolist() == [0, 2, 0, 0, 0]


def test_upsampling_repeats():
    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    y = nn.Upsample(scale_factor=(2, 1))(x)
    assert y[0, 0].tolist() == [[1, 2], [1, 2], [3, 4], [3, 4]]
    assert nn.Upsample(3)(x)[0, 0].tolist() == [[1, 1, 2], [1, 1, 2], [3, 3, 4]]


def test_sharp_softplus():
    x = ad.Tensor([-1.0, 0.0, 30.0])
    y = nn.Softplus(2.0, threshold=float("inf"))(x)
    y.sum().backward()
    np.testing.assert_allclose(y.data, np.logaddexp(0, 2 * x.data) / 2, rtol=1e-14)
    np.testing.assert_allclose(x.grad, expit(2 * x.data), rtol=1e-14)
    with pytest.raises(ArgumentError, match=r"softplus got beta=0; it is above 0\."):
        nn.Softplus(0)(x)


def ones(*shape):
    return np.ones(shape)


REFUSED = [
    (lambda: nn.Conv2d(3, 4, 3)(ones(3, 2, 5, 5)), ShapeError, "x has 2 channels, the weight takes 3"),
    (lambda: nn.Conv2d(3, 4, 3, groups=2), ArgumentError, "both numbers of channels must be multiples of groups"),
    (lambda: nn.Conv2d(3, 4, 3, padding="sam"), AutodiffError, "padding='sam'"),
    (lambda: nn.Conv2d(3, 4, 3, padding_mode="wrap"), ArgumentError, "there are zeros, reflect, replicate, circular"),
    (lambda: nn.Conv1d(3, 4, 3, 2, "same"), ArgumentError, "only steps of 1 keep the size"),
    (lambda: nn.Conv2d(3, 4, (3, 3, 3)), ArgumentError, "give one, or one for each of 2 axes"),
    (lambda: nn.ConvTranspose2d(3, 4, 3, padding="same"), ArgumentError, "it takes numbers: see output_padding"),
    (lambda: nn.ConvTranspose2d(1, 1, 2, output_padding=2)(ones(1, 3, 3)), ArgumentError, "must be below stride"),
    (lambda: nn.MaxPool2d(0), ArgumentError, "kernel_size=0"),
    (lambda: nn.AvgPool1d(2, padding=-1), ArgumentError, "padding=-1"),
    (lambda: nn.MaxPool2d(2)(ones(4, 4)), ShapeError, r"it takes (N, C, H, W), or (C, H, W)"),
    (lambda: nn.Upsample(2)(ones(2, 2)), ShapeError, "interpolate got an input of shape (2, 2); it takes (N, C, L)"),
    (lambda: nn.Upsample(scale_factor=-1)(ones(1, 1, 4)), ArgumentError, "to bring to lengths (-4,): below 1"),
    (lambda: nn.Upsample((2, 3))(ones(1, 1, 4)), ArgumentError, "got (2, 3) for 1 axes: give one number, or one for"),
    (lambda: nn.BatchNorm1d(3)(ones(4, 2)), ShapeError, "BatchNorm1d(3) got an input of shape (4, 2); it takes (N, 3)"),
    (lambda: nn.BatchNorm2d(3)(ones(4, 3)), ShapeError, "it takes (N, 3, H, W)"),
    (lambda: functional.batch_norm(ones(4, 3)), ArgumentError, "got training=False and no running averages to use"),
    (lambda: nn.LayerNorm(3)(ones(2, 4)), ShapeError, "normalized_shape=(3,): these must be its last axes"),
    (lambda: nn.LayerNorm(()), ArgumentError, "it needs the length of at least one axis"),
    (lambda: nn.GroupNorm(2, 5), ArgumentError, "groups must be equally large"),
    (lambda: nn.GroupNorm(2, 4)(ones(3, 6, 2)), ShapeError, "GroupNorm(2, 4) got an input of shape (3, 6, 2); it"),
    (lambda: nn.Embedding(3, 2)(np.array([3])), ArgumentError, "got index 3; the table has 3 rows, 0 to 2"),
    (lambda: nn.Embedding(3, 2)(np.array([-1])), ArgumentError, "got index -1; the table has 3 rows"),
    (lambda: nn.Embedding(3, 2)(np.array([1.0])), KindError, "they are whole numbers from 0 to 2"),
    (lambda: nn.Embedding(3, 2, padding_idx=3), ArgumentError, "it is from 0 to 2"),
    (lambda: nn.Embedding(3, 2, padding_idx=1.5), ArgumentError, "it is from 0 to 2"),
    (lambda: nn.GRU(3, 4)(ones(2, 2, 5)), ShapeError, "it takes (time, batch, 3), or (time, 3) for one sequence"),
    (lambda: nn.GRU(3, 4)(ones(0, 2, 3)), ShapeError, "a sequence of no steps has no states"),
    (lambda: nn.GRU(3, 4)(ones(5, 2, 3), ones(1, 1, 4)), ShapeError, "it takes an array of shape (1, 2, 4)"),
    (lambda: nn.LSTM(3, 4)(ones(5, 2, 3), ones(1, 2, 4)), ShapeError, "of shape (1, 2, 4) and one of shape (1, 2, 4)"),
    (lambda: nn.LSTM(3, 4, dropout=0.5), ArgumentError, "it drops between layers. Use nn.Dropout"),
    (lambda: nn.LSTM(3, 4, proj_size=4), ArgumentError, "it is below hidden_size=4, 0 for none"),
    (lambda: nn.LSTMCell(3, 4)(ones(2, 3), ones(2, 4)), ShapeError, "a state that is no pair; it takes (h, c)"),
    (lambda: nn.GRUCell(3, 4)(ones(2, 4)), ShapeError, "it takes (N, 3) or (3,)"),
    (lambda: nn.GRUCell(3, 4)(ones(2, 3), ones(3, 4)), ShapeError, "for this input it is (2, 4)"),
    (lambda: nn.RNN(3, 4, nonlinearity="sin"), ArgumentError, "it is 'tanh' or 'relu'"),
    (lambda: nn.MultiheadAttention(8, 3), ArgumentError, "each head gets an equal part"),
    (lambda: nn.MultiheadAttention(8, 2)(*[ones(5, 2, 6)] * 3), ShapeError, "E = 8, and as many keys as values"),
    (lambda: nn.MultiheadAttention(8, 2, kdim=3)(*[ones(5, 2, 8)] * 3), ShapeError, "or 3 in keys and 8 in values"),
    (
        lambda: nn.MultiheadAttention(8, 2)(*[ones(5, 2, 8)] * 3, attn_mask=ones(4, 5)),
        ShapeError,
        "attn_mask of shape (4, 5) was given; it is (5, 5)",
    ),
    (
        lambda: nn.MultiheadAttention(8, 2)(*[ones(5, 2, 8)] * 3, key_padding_mask=ones(5, 2)),
        ShapeError,
        "key_padding_mask of shape (5, 2) was given; it is (2, 5), one for each key",
    ),
    (lambda: nn.TransformerEncoderLayer(8, 2, activation="sin"), ArgumentError, "it is 'relu', 'gelu' or a function"),
    (lambda: nn.SinusoidalPositions(8)(ones(5, 7)), ShapeError, "its last axis has length 8"),
    (lambda: nn.HuberLoss(delta=0)(ones(2), ones(2)), ArgumentError, "it is above 0. For absolute differences use l1"),
    (lambda: nn.SmoothL1Loss(beta=-1)(ones(2), ones(2)), ArgumentError, "it is from 0 up"),
    (lambda: nn.L1Loss(reduction="avg"), ArgumentError, "it is 'mean', 'sum', or 'none' for the loss of every entry"),
    (lambda: nn.CosineEmbeddingLoss()(ones(2, 3), ones(2, 4), [1, 1]), ShapeError, "they must agree"),
    (lambda: nn.CosineEmbeddingLoss()(ones(2, 3), ones(2, 3), ones(2, 1)), ShapeError, "expected (2,)"),
    (lambda: nn.CosineEmbeddingLoss()(ones(2, 3), ones(2, 3), [0, 1]), ArgumentError, "targets are -1 or 1"),
    (lambda: nn.TripletMarginLoss()(ones(2, 3), ones(2, 3), ones(3)), ShapeError, "nothing is broadcast"),
    (lambda: nn.KLDivLoss()(ones(2, 3), ones(2, 1)), ShapeError, "they must be equal"),
    (lambda: nn.BCELoss()(2 * ones(2), ones(2)), ArgumentError, "Put a sigmoid before it"),
]


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED, ids=[message for _, _, message in REFUSED])
def test_what_does_not_fit(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert message in str(caught.value)
