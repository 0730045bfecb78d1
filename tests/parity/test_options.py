"""Every option of every constructor of PyTorch: tried on its own, by its name, or refused with a line that says so.

The table is compared with the signatures of PyTorch, so that no option is forgotten.
"""

import inspect
import re
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn as torch_nn

from autodiff import nn
from autodiff.core.errors import ArgumentError, UnsupportedError

from .compare import draw, flat, in_torch, near, one_call, same

LINES, IMAGES, STEPS = draw(3, 4, 7), draw(2, 4, 9, 8), draw(5, 3, 4)
QUERIES, KEYS, VALUES = draw(4, 3, 8), draw(6, 3, 8, seed=1), draw(6, 3, 8, seed=2)
A, B, C = draw(4, 3), draw(4, 3, seed=1), draw(4, 3, seed=2)
RNG = np.random.default_rng(0)
P, Q = RNG.uniform(size=(4, 3)), RNG.uniform(size=(4, 3))
CLASSES, WEIGHT = np.array([0, 2, 1, 2]), np.array([0.2, 1.0, 3.0])
ALIKE = np.array([1, -1, -1, 1])


@dataclass
class Tried:
    """Values that are compared with PyTorch, together with other options or on other inputs where these need it."""

    values: tuple
    beside: dict
    inputs: tuple | None


@dataclass
class Refused:
    """A value that raises, and what the message has."""

    value: object
    text: str


GIVEN = "must be given, and is, by its name"
SINGLE = "tried with single precision"


def tried(*values, inputs=None, **beside):
    return Tried(values, beside, inputs)


DEVICE = Refused("cpu", "leave it out, all data is on the CPU")
INPLACE = {"inplace": Refused(True, "leave it out, results are new arrays")}
PARAMETERS = {"device": DEVICE, "dtype": SINGLE}
NOTHING = {"args": Refused(1, "it takes no arguments"), "kwargs": Refused(1, "it takes no arguments")}
OUT_OF_USE = {
    "size_average": Refused(False, "here it is reduction='mean' or reduction='sum'"),
    "reduce": Refused(False, "here False is reduction='none'"),
}
REDUCED = {"reduction": tried("none", "sum")}

CONVOLUTION = {
    "in_channels": GIVEN,
    "out_channels": GIVEN,
    "kernel_size": GIVEN,
    "stride": tried(2),
    "padding": tried(1),
    "dilation": tried(2),
    "groups": tried(2),
    "bias": tried(False),
    **PARAMETERS,
}
BORDERS = {"padding_mode": tried("reflect", "replicate", "circular", padding=2)}
MAX_POOL = {
    "kernel_size": GIVEN,
    "stride": tried(1),
    "padding": tried(1),
    "dilation": tried(2),
    "return_indices": Refused(True, "it returns the largest entries alone"),
    "ceil_mode": tried(True),
}
AVG_POOL = {
    "kernel_size": GIVEN,
    "stride": tried(1),
    "padding": tried(1),
    "ceil_mode": tried(True, padding=1),
    "count_include_pad": tried(False, padding=1),
}
BATCH_NORM = {
    "num_features": GIVEN,
    "eps": tried(0.1),
    "momentum": tried(0.3, None),
    "affine": tried(False),
    "track_running_stats": tried(False),
    "bias": tried(False),
    **PARAMETERS,
}
RECURRENT = {
    "input_size": GIVEN,
    "hidden_size": GIVEN,
    "num_layers": tried(2),
    "bias": tried(False),
    "batch_first": tried(True),
    "dropout": tried(0.0),
    "bidirectional": tried(True, num_layers=2),
    **PARAMETERS,
}
ONLY_LSTM = {"proj_size": Refused(2, "only LSTM has it")}
CELL = {"input_size": GIVEN, "hidden_size": GIVEN, "bias": tried(False), **PARAMETERS}
SIZES = {"input_size": 4, "hidden_size": 6}

# Module: what it must be given, what it is called with, and its options.
MODULES = {
    "Linear": (
        {"in_features": 8, "out_features": 3},
        (IMAGES,),
        {"in_features": GIVEN, "out_features": GIVEN, "bias": tried(False), **PARAMETERS},
    ),
    "Identity": ({}, (LINES,), {"args": tried(), "kwargs": tried()}),
    "Flatten": ({}, (IMAGES,), {"start_dim": tried(0, 2, -3), "end_dim": tried(2, -2)}),
    "Embedding": (
        {"num_embeddings": 9, "embedding_dim": 3},
        (np.array([[1, 2, 2], [8, 0, 1]]),),
        {
            "num_embeddings": GIVEN,
            "embedding_dim": GIVEN,
            "padding_idx": tried(2, -1),
            "max_norm": Refused(1.0, "shorten the rows of layer.weight.data that are too long"),
            "norm_type": Refused(1.0, "it belongs to max_norm="),
            "scale_grad_by_freq": Refused(True, "by np.bincount(indices) before the step"),
            "sparse": Refused(True, "leave it out, gradients are whole arrays"),
            "_weight": Refused(None, "set layer.weight.data"),
            "_freeze": Refused(True, "use layer.freeze()"),
            **PARAMETERS,
        },
    ),
    "Conv1d": (
        {"in_channels": 4, "out_channels": 6, "kernel_size": 3},
        (LINES,),
        {**CONVOLUTION, **BORDERS, "padding": tried(1, (2,), "same", "valid"), "stride": tried(2, (3,))},
    ),
    "Conv2d": (
        {"in_channels": 4, "out_channels": 6, "kernel_size": (3, 2)},
        (IMAGES,),
        {**CONVOLUTION, **BORDERS, "padding": tried(1, (2, 0), "same", "valid"), "stride": tried(2, (3, 1))},
    ),
    "ConvTranspose2d": (
        {"in_channels": 4, "out_channels": 6, "kernel_size": (3, 2)},
        (IMAGES,),
        {
            **CONVOLUTION,
            "output_padding": tried(1, (0, 1), stride=2),
            "padding_mode": Refused("reflect", "padding takes entries away here, so it is 'zeros'"),
        },
    ),
    "MaxPool1d": ({"kernel_size": 3}, (LINES,), MAX_POOL),
    "MaxPool2d": ({"kernel_size": (3, 2)}, (IMAGES,), MAX_POOL),
    "AvgPool1d": ({"kernel_size": 3}, (LINES,), AVG_POOL),
    "AvgPool2d": ({"kernel_size": (3, 2)}, (IMAGES,), {**AVG_POOL, "divisor_override": tried(5)}),
    "AdaptiveAvgPool2d": (
        {"output_size": 3},
        (IMAGES,),
        {"output_size": tried(1, (4, 3), (None, 2), 20)},
    ),
    "Upsample": (
        {},
        (IMAGES,),
        {
            "size": tried(5, (4, 20), (18, 16)),
            "scale_factor": tried(2, 1.7, (0.4, 3.0)),
            "mode": tried("nearest", size=5),
            "align_corners": Refused(True, "'nearest' has no corners to align"),
            "recompute_scale_factor": tried(True, scale_factor=1.7),
        },
    ),
    "BatchNorm1d": ({"num_features": 4}, (LINES,), BATCH_NORM),
    "BatchNorm2d": ({"num_features": 4}, (IMAGES,), BATCH_NORM),
    "LayerNorm": (
        {"normalized_shape": 7},
        (LINES,),
        {
            "normalized_shape": tried([4, 7], (3, 4, 7)),
            "eps": tried(0.1),
            "elementwise_affine": tried(False),
            "bias": tried(False),
            **PARAMETERS,
        },
    ),
    "RMSNorm": (
        {"normalized_shape": 7},
        (LINES,),
        {
            "normalized_shape": tried([4, 7], (3, 4, 7)),
            "eps": tried(0.1),
            "elementwise_affine": tried(False),
            **PARAMETERS,
        },
    ),
    "GroupNorm": (
        {"num_groups": 2, "num_channels": 4},
        (IMAGES,),
        {
            "num_groups": tried(1, 4),
            "num_channels": GIVEN,
            "eps": tried(0.1),
            "affine": tried(False),
            "bias": tried(False),
            **PARAMETERS,
        },
    ),
    "Dropout": ({"p": 0.0}, (LINES,), {"p": tried(0.0, 1.0), **INPLACE}),
    "RNN": (SIZES, (STEPS,), {**RECURRENT, "nonlinearity": tried("relu", num_layers=2), **ONLY_LSTM}),
    "GRU": (SIZES, (STEPS,), {**RECURRENT, **ONLY_LSTM}),
    "LSTM": (SIZES, (STEPS,), {**RECURRENT, "proj_size": tried(2, num_layers=2, bidirectional=True)}),
    "RNNCell": (SIZES, (STEPS[0],), {**CELL, "nonlinearity": tried("relu")}),
    "GRUCell": (SIZES, (STEPS[0],), CELL),
    "LSTMCell": (SIZES, (STEPS[0],), CELL),
    "MultiheadAttention": (
        {"embed_dim": 8, "num_heads": 2},
        (QUERIES, KEYS, VALUES),
        {
            "embed_dim": GIVEN,
            "num_heads": tried(1, 4),
            "dropout": tried(0.0),
            "bias": tried(False),
            "add_bias_kv": Refused(True, "concatenate a parameter to key and value"),
            "add_zero_attn": Refused(True, "concatenate zeros to key and value"),
            "kdim": tried(5, inputs=(QUERIES, KEYS[..., :5], VALUES)),
            "vdim": tried(3, inputs=(QUERIES, KEYS, VALUES[..., :3])),
            "batch_first": tried(True, inputs=(QUERIES, QUERIES, QUERIES)),
            **PARAMETERS,
        },
    ),
    "TransformerEncoderLayer": (
        {"d_model": 8, "nhead": 2, "dim_feedforward": 16, "dropout": 0.0},
        (QUERIES,),
        {
            "d_model": GIVEN,
            "nhead": tried(4),
            "dim_feedforward": tried(5),
            "dropout": tried(0.0),
            "activation": tried("gelu"),
            "layer_norm_eps": tried(0.1),
            "batch_first": tried(True),
            "norm_first": tried(True),
            "bias": tried(False),
            **PARAMETERS,
        },
    ),
    "ReLU": ({}, (LINES,), INPLACE),
    "LeakyReLU": ({}, (LINES,), {"negative_slope": tried(0.3, -0.2), **INPLACE}),
    "ELU": ({}, (LINES,), {"alpha": tried(0.7), **INPLACE}),
    "GELU": ({}, (LINES,), {"approximate": tried("tanh")}),
    "SiLU": ({}, (LINES,), INPLACE),
    "Mish": ({}, (LINES,), INPLACE),
    "Tanh": ({}, (LINES,), NOTHING),
    "Sigmoid": ({}, (LINES,), NOTHING),
    "LogSigmoid": ({}, (LINES,), NOTHING),
    "Softplus": ({}, (20 * LINES,), {"beta": tried(0.3, 2.5), "threshold": tried(1.0, 5.0)}),
    "Softmax": ({"dim": 1}, (LINES,), {"dim": tried(0, 1, -1)}),
    "LogSoftmax": ({"dim": 1}, (LINES,), {"dim": tried(0, 1, -1)}),
    "Sequential": ({}, (LINES,), {"args": GIVEN}),
    "ModuleList": ({}, (), {"modules": GIVEN}),
    "ModuleDict": ({}, (), {"modules": GIVEN}),
    "MSELoss": ({}, (A, B), {**OUT_OF_USE, **REDUCED}),
    "L1Loss": ({}, (A, B), {**OUT_OF_USE, **REDUCED}),
    "SmoothL1Loss": ({}, (A, B), {**OUT_OF_USE, **REDUCED, "beta": tried(0.3, 0.0)}),
    "HuberLoss": ({}, (A, B), {**REDUCED, "delta": tried(0.4)}),
    "CrossEntropyLoss": (
        {},
        (C, CLASSES),
        {
            **OUT_OF_USE,
            **REDUCED,
            "weight": tried(WEIGHT),
            "ignore_index": tried(2),
            "label_smoothing": tried(0.1, 1.0),
        },
    ),
    "NLLLoss": ({}, (C, CLASSES), {**OUT_OF_USE, **REDUCED, "weight": tried(WEIGHT), "ignore_index": tried(2)}),
    "BCELoss": ({}, (P, Q), {**OUT_OF_USE, **REDUCED, "weight": tried(WEIGHT)}),
    "BCEWithLogitsLoss": (
        {},
        (A, Q),
        {**OUT_OF_USE, **REDUCED, "weight": tried(WEIGHT), "pos_weight": tried(WEIGHT)},
    ),
    "KLDivLoss": (
        {"reduction": "batchmean"},
        (A, Q),
        {**OUT_OF_USE, "reduction": tried("none", "sum", "batchmean"), "log_target": tried(True)},
    ),
    "CosineEmbeddingLoss": ({}, (A, B, ALIKE), {**OUT_OF_USE, **REDUCED, "margin": tried(0.2)}),
    "TripletMarginLoss": (
        {},
        (A, B, C),
        {
            **OUT_OF_USE,
            **REDUCED,
            "margin": tried(2.0),
            "p": tried(1.0, 3.0),
            "eps": tried(0.1),
            "swap": tried(True, margin=2.0),
        },
    ),
}
OURS = {"Buffer", "HingeLoss", "MLP", "Module", "SinusoidalPositions"}  # PyTorch has none, or another kind of thing


def signature(kind):
    """The options of a constructor with their defaults, and those that may be given by position, in order."""
    if issubclass(kind, torch_nn.RNNBase):
        found = dict(inspect.signature(torch_nn.RNNBase.__init__).parameters)
        found.pop("mode")
        if kind is torch_nn.RNN:
            names = list(found)
            names.insert(names.index("bias"), "nonlinearity")
            tanh = inspect.Parameter("nonlinearity", inspect.Parameter.POSITIONAL_OR_KEYWORD, default="tanh")
            found = {name: found.get(name, tanh) for name in names}
    else:
        found = dict(inspect.signature(kind.__init__).parameters)
    found.pop("self")
    if kind.__init__ is object.__init__:
        found = {}
    positional = [name for name, p in found.items() if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    return {name: p.default for name, p in found.items()}, positional


def chosen(kind):
    return [
        pytest.param(name, option, entry, id=f"{name} {option}")
        for name, (_, _, options) in MODULES.items()
        for option, entry in options.items()
        if isinstance(entry, kind)
    ]


def compared(name, ours, theirs, inputs):
    module, other = getattr(nn, name)(**ours), getattr(torch_nn, name)(**in_torch(theirs))
    if name.endswith("Loss"):
        one_call(module, other, inputs)
    else:
        same(module, other, *inputs)


def test_no_module_is_left_out():
    assert {name for name in nn.__all__ if isinstance(getattr(nn, name), type)} == {*MODULES, *OURS}


@pytest.mark.parametrize("name", MODULES)
def test_no_option_is_left_out(name):
    theirs, _ = signature(getattr(torch_nn, name))
    assert set(MODULES[name][2]) == set(theirs)


@pytest.mark.parametrize("name", MODULES)
def test_defaults_and_positions_are_pytorchs(name):
    """What is given by position here means the same there."""
    theirs, their_order = signature(getattr(torch_nn, name))
    ours, our_order = signature(getattr(nn, name))
    assert our_order == their_order[: len(our_order)]
    for option, default in ours.items():
        if option not in ("dtype", "rng", "dim", "modules", "layers"):
            there = theirs[option]
            assert default == there or (name == "TransformerEncoderLayer" and there.__name__ == default), option


@pytest.mark.parametrize("name", [n for n in MODULES if MODULES[n][1] and n != "Upsample"])
def test_what_must_be_given_is_given_by_name(name):
    given, inputs, _ = MODULES[name]
    compared(name, given, given, inputs)


@pytest.mark.parametrize(("name", "option", "entry"), chosen(Tried))
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_options(name, option, entry):
    given, inputs, _ = MODULES[name]
    for value in entry.values:
        options = {**given, **entry.beside, option: value}
        compared(name, options, options, entry.inputs or inputs)


@pytest.mark.parametrize(("name", "option", "entry"), chosen(Refused))
def test_refused_options(name, option, entry):
    given, _, _ = MODULES[name]
    with pytest.raises((UnsupportedError, ArgumentError), match=f"^{name} got .*{re.escape(entry.text)}"):
        getattr(nn, name)(**given, **{option: entry.value})


@pytest.mark.parametrize("name", [name for name, (_, _, options) in MODULES.items() if options.get("dtype") is SINGLE])
def test_single_precision(name):
    given, inputs, _ = MODULES[name]
    ours, theirs = getattr(nn, name)(**given, dtype=np.float32), getattr(torch_nn, name)(**given, dtype=torch.float32)
    state = theirs.state_dict()
    ours.load_state_dict({key: x.numpy() for key, x in state.items()})
    assert {key: x.dtype for key, x in ours.state_dict().items()} == {key: x.numpy().dtype for key, x in state.items()}
    xs = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in inputs]
    for y, t in zip(flat(ours(*xs)), flat(theirs(*map(torch.tensor, xs))), strict=True):
        assert y.dtype == np.float32
        np.testing.assert_allclose(y.numpy(), t.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_upsampling_as_it_is_given():
    with pytest.raises(ArgumentError, match=r"Upsample got mode='bilinear'; there is 'nearest'"):
        nn.Upsample(scale_factor=2, mode="bilinear")
    with pytest.raises(ArgumentError, match="Upsample got both of size= and scale_factor="):
        nn.Upsample(5, 2)


def test_initial_states_of_a_projected_lstm():
    ours, theirs = nn.LSTM(4, 6, proj_size=2), torch_nn.LSTM(4, 6, proj_size=2)
    ours.load_state_dict({name: x.numpy() for name, x in theirs.state_dict().items()})
    state = draw(1, 3, 2), draw(1, 3, 6, seed=1)
    found, expected = ours(STEPS, state), theirs(torch.tensor(STEPS), tuple(map(torch.tensor, state)))
    for y, t in zip(flat(found), flat(expected), strict=True):
        near(y, t, "projected")
    with pytest.raises(ArgumentError, match="LSTM got proj_size=6; it is below hidden_size=6"):
        nn.LSTM(4, 6, proj_size=6)


@pytest.mark.parametrize("name", ["MultiheadAttention", "TransformerEncoderLayer"])
def test_options_of_calls_stand_where_they_do_in_pytorch(name):
    there = inspect.signature(getattr(torch_nn, name).forward).parameters
    here = inspect.signature(getattr(nn, name).forward).parameters
    assert {k: p.default for k, p in here.items()} == {k: p.default for k, p in there.items()}
    assert list(here) == list(there)
