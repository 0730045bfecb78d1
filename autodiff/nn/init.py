"""How parameters start: the classic schemes, under PyTorch's names.

Those with an underscore at the end fill a tensor that is there, and return it.  In a weight ``(n_out, n_in, ...)`` each
output has ``fan_in`` inputs and each input ``fan_out`` outputs, counted over the whole window of a convolution.

References
----------
.. [1] X. Glorot and Y. Bengio, AISTATS (2010) 249-256: Xavier.
.. [2] K. He et al., ICCV (2015), arXiv:1502.01852: Kaiming.
.. [3] A. M. Saxe, J. L. McClelland and S. Ganguli, ICLR (2014), arXiv:1312.6120: orthogonal.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError, ShapeError
from ..tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

# Parameters of layers.


def uniform(
    bound: float, shape: tuple[int, ...], *, dtype: Any = float, rng: Any = None, name: str | None = None
) -> Tensor:
    """A parameter drawn evenly from ``-bound`` to ``bound``.

    Parameters
    ----------
    bound : float
    shape : tuple of int
    dtype : dtype
        Drawn in double precision and then rounded, so that the same seed gives the same numbers in any.
    rng : Generator, int or None
        As for ``np.random.default_rng``.
    name : str, optional
    """
    return Tensor(np.random.default_rng(rng).uniform(-bound, bound, shape), dtype=dtype, name=name)


def normal(shape: tuple[int, ...], *, dtype: Any = float, rng: Any = None, name: str | None = None) -> Tensor:
    """A parameter drawn normally, of mean 0 and variance 1; other arguments as in :func:`uniform`."""
    return Tensor(np.random.default_rng(rng).normal(size=shape), dtype=dtype, name=name)


def filled(number: float, shape: tuple[int, ...], *, dtype: Any = float, name: str | None = None) -> Tensor:
    """A parameter that is ``number`` everywhere."""
    return Tensor(np.full(shape, number), dtype=dtype, name=name)


def require_sizes(layer: str, **sizes: Any) -> None:
    """Raise if a size is not a whole number of at least 1."""
    for name, size in sizes.items():
        if not isinstance(size, int | np.integer) or size < 1:
            raise ArgumentError(f"{layer} got {name}={size!r}; it is a whole number of at least 1.")


# Filling what is there.


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, *, rng: Any = None) -> Tensor:
    """Fill evenly from ``a`` to ``b``.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> layer = nn.Linear(3, 2)
    >>> bool(np.abs(nn.init.uniform_(layer.weight, -0.1, 0.1, rng=0).data).max() < 0.1)
    True
    """
    return _fill("uniform_", tensor, np.random.default_rng(rng).uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, *, rng: Any = None) -> Tensor:
    """Fill normally, of this mean and standard deviation."""
    return _fill("normal_", tensor, np.random.default_rng(rng).normal(mean, std, tensor.shape))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number."""
    return _fill("constant_", tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return _fill("zeros_", tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return _fill("ones_", tensor, 1)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, *, rng: Any = None) -> Tensor:
    """Fill evenly, with a variance of ``gain**2 * 2 / (fan_in + fan_out)``: for tanh and sigmoid layers [1]_."""
    bound = gain * math.sqrt(6 / sum(_fans("xavier_uniform_", tensor)))
    return uniform_(tensor, -bound, bound, rng=rng)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, *, rng: Any = None) -> Tensor:
    """Fill normally, with a variance of ``gain**2 * 2 / (fan_in + fan_out)`` [1]_."""
    return normal_(tensor, 0, gain * math.sqrt(2 / sum(_fans("xavier_normal_", tensor))), rng=rng)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, rng: Any = None
) -> Tensor:
    """Fill evenly, with a variance of ``gain**2 / fan``: for layers before a ramp [2]_.

    Parameters
    ----------
    tensor : Tensor
    a : float
        Slope of the leaky ramp on its negative side.
    mode : "fan_in" or "fan_out"
        Whether the variance is kept forwards or backwards.
    nonlinearity : str
        What follows: see :func:`calculate_gain`.
    rng : Generator, int or None
    """
    bound = math.sqrt(3) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, rng=rng)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, rng: Any = None
) -> Tensor:
    """Fill normally, with a variance of ``gain**2 / fan`` [2]_; arguments as in :func:`kaiming_uniform_`."""
    return normal_(tensor, 0, _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity), rng=rng)


def orthogonal_(tensor: Tensor, gain: float = 1, *, rng: Any = None) -> Tensor:
    """Fill with ``gain`` times orthonormal rows, or columns where there are more rows; later axes count as one [3]_.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> w = nn.init.orthogonal_(nn.Linear(5, 3).weight, rng=0).data
    >>> bool(np.allclose(w @ w.T, np.eye(3)))
    True
    """
    rows, columns = _matrix("orthogonal_", tensor)
    draw = np.random.default_rng(rng).normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draw)
    q = q * np.sign(np.diagonal(r))  # so that every orthogonal matrix is equally likely
    return _fill("orthogonal_", tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """How much the weights before a nonlinearity are scaled up so that it keeps the variance, roughly.

    Parameters
    ----------
    nonlinearity : str
        "linear", "sigmoid", "conv1d" and the like: 1; "tanh": 5/3; "relu": sqrt(2); "selu": 3/4; "leaky_relu".
    param : float, optional
        The negative slope of "leaky_relu", else 0.01.

    Examples
    --------
    >>> from autodiff import nn
    >>> round(nn.init.calculate_gain("relu"), 4)
    1.4142
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in GAINS:
        raise ArgumentError(
            f"calculate_gain got nonlinearity={nonlinearity!r}; there are leaky_relu, {', '.join(GAINS)}."
        )
    return GAINS[nonlinearity]


LINEAR = ("linear", "conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d", "sigmoid")
GAINS = {**dict.fromkeys(LINEAR, 1.0), "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}


def _kaiming_std(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"{name} got mode={mode!r}; it is 'fan_in' or 'fan_out'.")
    fan = _fans(name, tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _fans(name: str, tensor: Tensor) -> tuple[int, int]:
    """How many inputs each output has, and how many outputs each input."""
    _matrix(name, tensor)
    n_out, n_in, *window = tensor.shape
    return n_in * math.prod(window), n_out * math.prod(window)


def _matrix(name: str, tensor: Tensor) -> tuple[int, int]:
    """The shape of a weight with all axes but the first as one."""
    _require_tensor(name, tensor)
    if tensor.ndim < 2 or 0 in tensor.shape:
        raise ShapeError(
            f"{name} got a tensor of shape {tensor.shape}; it takes a weight, (n_out, n_in, ...). "
            "For a bias use zeros_."
        )
    return tensor.shape[0], tensor.size // tensor.shape[0]


def _require_tensor(name: str, tensor: Any) -> None:
    if not isinstance(tensor, Tensor) or not tensor.is_leaf:
        raise KindError(f"{name} got {tensor!r:.80}; it takes a parameter, such as layer.weight.")


def _fill(name: str, tensor: Tensor, numbers: Any) -> Tensor:
    _require_tensor(name, tensor)
    tensor.data = np.full(tensor.shape, numbers, tensor.dtype)
    return tensor
