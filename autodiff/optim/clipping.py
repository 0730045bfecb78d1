"""Keeping gradients from being too large, between ``backward`` and the optimizer's step."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import numbers
from ..core.errors import AnomalyError, ArgumentError, KindError
from ..core.node import Node, data_of
from .parameters import as_list


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    """Scale all gradients down together, so that the norm of all of them as one vector is at most ``max_norm``.

    Parameters
    ----------
    parameters : list of Tensor and Value, or one
        Those without a gradient do not count.
    max_norm : float
    norm_type : float
        2 for the root of the sum of squares, ``np.inf`` for the largest entry.
    error_if_nonfinite : bool
        Whether a norm that is infinite or nan raises; if not, the gradients become what it makes of them.

    Returns
    -------
    float
        The norm before.

    Raises
    ------
    AnomalyError
        See ``error_if_nonfinite``.  Nothing is changed then.

    References
    ----------
    .. [1] R. Pascanu, T. Mikolov and Y. Bengio, ICML (2013), arXiv:1211.5063.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> w = ad.Tensor([3.0, 4.0])
    >>> (w * w / 2).sum().backward()
    >>> optim.clip_grad_norm_([w], 1.0), w.grad.round(3).tolist()
    (5.0, [0.6, 0.8])
    """
    if not max_norm >= 0:
        raise ArgumentError(f"clip_grad_norm_ got max_norm={max_norm!r}; it is at least 0.")
    params = _with_gradient("clip_grad_norm_", parameters)
    order = float(norm_type)
    norms = [np.linalg.norm(g, order) for g in [np.ravel(_array(p)) for p in params] if g.size]
    total = float(np.linalg.norm(norms, order)) if norms else 0.0
    if error_if_nonfinite and not np.isfinite(total):
        raise AnomalyError(
            f"clip_grad_norm_ found a norm of {total}: some gradient is infinite or nan. ad.why(parameter, loss) says "
            "where it came from."
        )
    scale = max_norm / (total + 1e-6)  # PyTorch's: a norm of 0 stays one
    if not scale >= 1:
        for p in params:
            _set(p, _array(p) * scale)
    return total


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Bring every entry of every gradient between ``-clip_value`` and ``clip_value``.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> w = ad.Tensor([3.0, -0.5])
    >>> (w * w).sum().backward()
    >>> optim.clip_grad_value_([w], 2.0)
    >>> w.grad.tolist()
    [2.0, -1.0]
    """
    if not clip_value >= 0:
        raise ArgumentError(f"clip_grad_value_ got clip_value={clip_value!r}; it is at least 0.")
    for p in _with_gradient("clip_grad_value_", parameters):
        _set(p, np.clip(_array(p), -clip_value, clip_value))


def _with_gradient(owner: str, parameters: Any) -> list[Any]:
    """Those that have a gradient, each once."""
    if hasattr(parameters, "parameters"):
        parameters = parameters.parameters()
    params = [parameters] if isinstance(parameters, Node) else as_list(parameters)
    if not isinstance(params, list) or not all(isinstance(p, Node) for p in params):
        raise KindError(f"{owner} got {parameters!r:.80}; it takes a list of parameters: model.parameters().")
    return list({id(p): p for p in params if p.grad is not None}.values())


def _array(p: Any) -> Any:
    """The gradient as an array, in double precision if it is a number of some other kind."""
    g = data_of(p.grad)
    return g if isinstance(g, np.ndarray) else np.array(g, complex if np.iscomplexobj(g) else float)


def _set(p: Any, g: Any) -> None:
    """Write into the array that is there, which may lie beside those of other parameters."""
    if isinstance(p.grad, np.ndarray) and p.grad.flags.writeable:
        p.grad[...] = g
    else:
        p.grad = g if isinstance(p._data, np.ndarray) else numbers.like(p._data, g)
