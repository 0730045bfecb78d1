r"""One step of each kind of recurrent layer, from what the input gives, :math:`x W^{\mathsf T} + b`, and the state.

References
----------
.. [1] S. Hochreiter and J. Schmidhuber, Neural Computation 9 (1997) 1735-1780: long short-term memory; with the forget
   gate of F. A. Gers, J. Schmidhuber and F. Cummins, Neural Computation 12 (2000) 2451-2471.
.. [2] K. Cho et al., EMNLP (2014), arXiv:1406.1078: gated recurrent units; with the reset gate after the product, as in
   PyTorch.
"""

from __future__ import annotations

from ...core.node import Array, shape_of
from ...ops.activation import relu, sigmoid
from ...ops.trigonometric import tanh
from .affine import linear

__all__ = ["gru_step", "lstm_step", "rnn_step"]


def rnn_step(from_x: Array, h: Array, weight: Array, bias: Array | None = None, nonlinearity: str = "tanh") -> Array:
    r"""``tanh(from_x + h U^T + b)``, or ``relu`` of that.

    Shapes: ``from_x`` and ``h`` ``(..., n)``, ``weight`` ``(n, n)``.
    """
    z = from_x + linear(h, weight, bias)
    return tanh(z) if nonlinearity == "tanh" else relu(z)


def gru_step(from_x: Array, h: Array, weight: Array, bias: Array | None = None) -> Array:
    r"""``(1 - z) * new + z * h``, where the update gate ``z`` says how much of the state stays [2]_.

    Shapes: ``from_x`` ``(..., 3 n)``, for the reset gate, the update gate and the new state; ``h`` ``(..., n)``,
    ``weight`` ``(3 n, n)``.
    """
    n = shape_of(h)[-1]
    from_h = linear(h, weight, bias)
    gates = sigmoid(from_x[..., : 2 * n] + from_h[..., : 2 * n])
    reset, z = gates[..., :n], gates[..., n:]
    new = tanh(from_x[..., 2 * n :] + reset * from_h[..., 2 * n :])
    return new + z * (h - new)


def lstm_step(from_x: Array, h: Array, c: Array, weight: Array, bias: Array | None = None) -> tuple[Array, Array]:
    r"""The next ``h`` and ``c``: ``c' = f * c + i * new`` and ``h' = o * tanh(c')`` [1]_.

    Shapes: ``from_x`` ``(..., 4 n)``, for the input gate, the forget gate, the new content and the output gate; ``h``
    and ``c`` ``(..., n)``, ``weight`` ``(4 n, n)``.
    """
    n = shape_of(c)[-1]
    z = from_x + linear(h, weight, bias)
    i, f, o = sigmoid(z[..., :n]), sigmoid(z[..., n : 2 * n]), sigmoid(z[..., 3 * n :])
    c = f * c + i * tanh(z[..., 2 * n : 3 * n])
    return o * tanh(c), c
