"""Recurrent layers, attention and transformers."""

import numpy as np
import pytest
import torch
from torch import nn as torch_nn
from torch.nn import functional as torch_functional

import autodiff as ad
from autodiff import nn

from .compare import draw, in_torch, near, same

SEQUENCES = draw(5, 3, 4)

OPTIONS = [
    {},
    {"num_layers": 2, "bidirectional": True},
    {"batch_first": True},
    {"bias": False},
    {"num_layers": 3, "batch_first": True, "bidirectional": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_layers_over_sequences(name, options):
    for x in (SEQUENCES, SEQUENCES[:, 0]):
        same(getattr(nn, name)(4, 6, **options), getattr(torch_nn, name)(4, 6, **options), x)


def test_a_ramp_as_nonlinearity():
    same(nn.RNN(4, 6, nonlinearity="relu"), torch_nn.RNN(4, 6, nonlinearity="relu"), SEQUENCES)
    same(nn.RNNCell(4, 6, nonlinearity="relu"), torch_nn.RNNCell(4, 6, nonlinearity="relu"), SEQUENCES[0])


@pytest.mark.parametrize("bias", [True, False])
def test_cells(bias):
    h = draw(3, 6, seed=1)
    for name in ("RNNCell", "GRUCell"):
        ours, theirs = getattr(nn, name)(4, 6, bias), getattr(torch_nn, name)(4, 6, bias)
        same(ours, theirs, SEQUENCES[0])
        same(ours, theirs, SEQUENCES[0], h)
        same(ours, theirs, SEQUENCES[0, 0])
    same(nn.LSTMCell(4, 6, bias), torch_nn.LSTMCell(4, 6, bias), SEQUENCES[0])


class Split(nn.Module):
    """Takes the parts of a state one by one, so that each gets a gradient."""

    def __init__(self, layer):
        self.layer = layer

    def forward(self, x, *state):
        return self.layer(x, state if len(state) > 1 else state[0])


class TorchSplit(torch_nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x, *state):
        return self.layer(x, state if len(state) > 1 else state[0])


@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}, {"batch_first": True}], ids=str)
@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_first_states_and_their_gradients(name, options):
    ours, theirs = getattr(nn, name)(4, 6, **options), getattr(torch_nn, name)(4, 6, **options)
    n = 4 if "bidirectional" in options else 1
    batch = 5 if "batch_first" in options else 3
    states = [draw(n, batch, 6, seed=k) for k in range(1 + (name == "LSTM"))]
    same(Split(ours), TorchSplit(theirs), SEQUENCES, *states)
    if "batch_first" not in options:
        same(Split(ours), TorchSplit(theirs), SEQUENCES[:, 0], *[h[:, 0] for h in states])


def test_a_cell_with_two_states():
    same(Split(nn.LSTMCell(4, 6)), TorchSplit(torch_nn.LSTMCell(4, 6)), SEQUENCES[0], draw(3, 6), draw(3, 6, seed=1))
    same(Split(nn.LSTMCell(4, 6)), TorchSplit(torch_nn.LSTMCell(4, 6)), SEQUENCES[0, 0], draw(6), draw(6, seed=1))


CAUSAL = np.triu(np.ones((5, 5), bool), 1)
PADDED = np.zeros((3, 5), bool)
PADDED[0, 3:] = PADDED[2, 4] = True

CALLS = [
    {},
    {"need_weights": False},
    {"average_attn_weights": False},
    {"attn_mask": CAUSAL},
    {"attn_mask": draw(5, 5, seed=2)},
    {"key_padding_mask": PADDED},
    {"attn_mask": CAUSAL, "key_padding_mask": PADDED},
    {"attn_mask": np.repeat(CAUSAL[None], 6, 0)},
    {"attn_mask": np.where(CAUSAL, -np.inf, 0.0), "key_padding_mask": np.where(PADDED, -np.inf, 0.0)},
]


class ToItself(nn.Module):
    def __init__(self, attention):
        self.attention = attention

    def forward(self, x, **options):
        return self.attention(x, x, x, **options)


class TorchToItself(torch_nn.Module):
    def __init__(self, attention):
        super().__init__()
        self.attention = attention

    def forward(self, x, **options):
        return self.attention(x, x, x, **options)


def attentions(**options):
    return nn.MultiheadAttention(8, 2, **options), torch_nn.MultiheadAttention(8, 2, **options)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: " ".join(call))
@pytest.mark.parametrize("options", [{}, {"batch_first": True}, {"bias": False}], ids=str)
def test_attention_to_itself(options, call):
    ours, theirs = attentions(**options)
    x = draw(3, 5, 8) if options.get("batch_first") else draw(5, 3, 8)
    same(ToItself(ours), TorchToItself(theirs), x, options=call, their_options=in_torch(call))


def test_causal_attention():
    ours, theirs = attentions()
    theirs_options = {"attn_mask": torch.tensor(CAUSAL), "is_causal": True}
    same(
        ToItself(ours), TorchToItself(theirs), draw(5, 3, 8), options={"is_causal": True}, their_options=theirs_options
    )
    same(ToItself(ours), TorchToItself(theirs), draw(5, 8))


def test_attention_to_others():
    same(*attentions(), draw(4, 3, 8), draw(6, 3, 8, seed=1), draw(6, 3, 8, seed=2))
    same(*attentions(batch_first=True), draw(3, 4, 8), draw(3, 6, 8, seed=1), draw(3, 6, 8, seed=2))


@pytest.mark.parametrize(
    "options", [{}, {"norm_first": True, "batch_first": True}, {"activation": "gelu"}, {"bias": False}], ids=str
)
def test_transformer_layers(options):
    options = {"dropout": 0.0, "dim_feedforward": 16, **options}
    same(nn.TransformerEncoderLayer(8, 2, **options), torch_nn.TransformerEncoderLayer(8, 2, **options), draw(3, 5, 8))


MASKS = [
    {"src_mask": CAUSAL},
    {"src_key_padding_mask": PADDED},
    {"src_mask": np.where(CAUSAL, -np.inf, 0.0), "src_key_padding_mask": np.where(PADDED, -np.inf, 0.0)},
    {"src_mask": CAUSAL, "is_causal": True},
]


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("masks", MASKS, ids=lambda masks: " ".join(masks))
def test_transformer_layers_with_masks(masks, norm_first):
    options = {"dropout": 0.0, "dim_feedforward": 16, "batch_first": True, "norm_first": norm_first}
    ours, theirs = nn.TransformerEncoderLayer(8, 2, **options), torch_nn.TransformerEncoderLayer(8, 2, **options)
    same(ours, theirs, draw(3, 5, 8), modes=[True], options=masks, their_options=in_torch(masks))


def test_a_transformer_layer_with_a_function_of_ones_own():
    ours = nn.TransformerEncoderLayer(8, 2, 16, 0.0, ad.tanh)
    same(ours, torch_nn.TransformerEncoderLayer(8, 2, 16, 0.0, torch.tanh), draw(5, 3, 8))
    same(ours, torch_nn.TransformerEncoderLayer(8, 2, 16, 0.0, torch.tanh), draw(5, 8))


def test_scaled_dot_products():
    q, k, v = draw(2, 3, 4, 6), draw(2, 3, 5, 6, seed=1), draw(2, 3, 5, 7, seed=2)
    mask = draw(4, 5, seed=3) > -0.5
    theirs = torch_functional.scaled_dot_product_attention
    for options in ({}, {"scale": 0.3}, {"is_causal": True}, {"attn_mask": mask}):
        found = nn.functional.scaled_dot_product_attention(q, k, v, **options)
        near(found, theirs(*map(torch.tensor, (q, k, v)), **in_torch(options)), str(options))
