"""Layers and losses as functions: parameters are arguments."""

from typing import Any

from ...core.spelling import missing
from ...ops.activation import elu, gelu, leaky_relu, log_sigmoid, mish, relu, sigmoid, silu
from ...ops.convolution import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from ...ops.dropout import dropout
from ...ops.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    avg_pool1d,
    avg_pool2d,
    max_pool1d,
    max_pool2d,
)
from ...ops.softmax import log_softmax, softmax
from ...ops.trigonometric import tanh
from .activation import softplus
from .affine import embedding, linear
from .attention import attention_in_heads, scaled_dot_product_attention, sinusoidal_positions
from .classification import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
    kl_div,
    nll_loss,
)
from .normalization import batch_norm, group_norm, layer_norm, rms_norm
from .recurrent import gru_step, lstm_step, rnn_step
from .regression import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from .resampling import interpolate
from .similarity import cosine_embedding_loss, triplet_margin_loss

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "attention_in_heads",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_embedding_loss",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "group_norm",
    "gru_step",
    "hinge_loss",
    "huber_loss",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "lstm_step",
    "max_pool1d",
    "max_pool2d",
    "mish",
    "mse_loss",
    "nll_loss",
    "relu",
    "rms_norm",
    "rnn_step",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "sinusoidal_positions",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "tanh",
    "triplet_margin_loss",
]

_SPELLINGS = {
    "flatten": "nn.Flatten()(x), or ad.reshape(x, (len(x), -1))",
    "normalize": "x / ad.norm(x, axis=1, keepdims=True)",
    "one_hot": "autodiff.data.one_hot(labels, n_classes)",
    "pad": "ad.pad(x, pad_width), with a pair for each axis, the first axis first, as NumPy's",
    "logsigmoid": "nn.functional.log_sigmoid",
    "upsample": "nn.functional.interpolate",
    "hinge_embedding_loss": "nn.functional.hinge_loss of scores and targets -1 or 1",
}


def __getattr__(name: str) -> Any:
    """Say what there is instead."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise missing("nn.functional", name, __all__, _SPELLINGS)
