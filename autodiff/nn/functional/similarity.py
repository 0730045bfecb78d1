"""Losses of embeddings: which vectors should lie near each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.errors import ShapeError
from ...core.node import Array, ArrayLike, shape_of
from ...ops.activation import relu
from ...ops.arithmetic import sqrt
from ...ops.extremum import minimum
from ...ops.norms import norm
from ...ops.reduce import sum
from ...ops.select import equal, where
from .classification import signs
from .reduction import reduced, require_reduction

__all__ = ["cosine_embedding_loss", "triplet_margin_loss"]


def cosine_embedding_loss(
    x1: ArrayLike, x2: ArrayLike, targets: ArrayLike, margin: float = 0.0, *, reduction: str = "mean"
) -> Array:
    r"""Mean of :math:`1 - \cos` of the angle of pairs that belong together, and of :math:`\max(\cos - m, 0)` of others.

    Parameters
    ----------
    x1, x2 : array_like, shape (N, n) or (n,)
        Pairs of vectors.
    targets : array_like, shape (N,) or ()
        1 where they belong together, -1 where they do not.
    margin : float
        The cosine :math:`m` that is good enough, from -1 to 1.
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> from autodiff.nn import functional
    >>> float(functional.cosine_embedding_loss([[1.0, 0.0]], [[0.0, 2.0]], [1]))
    1.0
    """
    require_reduction("cosine_embedding_loss", reduction)
    x1, x2 = _alike("cosine_embedding_loss", {"x1": x1, "x2": x2})
    (targets,) = _alike("cosine_embedding_loss", {"targets": targets}, shape_of(x1)[:-1])
    targets = signs("cosine_embedding_loss", targets)
    tiny = 1e-12  # PyTorch's: a vector of zeros has no angle
    cosine = sum(x1 * x2, -1) / sqrt((sum(x1 * x1, -1) + tiny) * (sum(x2 * x2, -1) + tiny))
    return reduced(where(equal(targets, 1), 1 - cosine, relu(cosine - margin)), reduction)


def triplet_margin_loss(
    anchor: ArrayLike,
    positive: ArrayLike,
    negative: ArrayLike,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Array:
    r"""Mean of :math:`\max(d(a, p) - d(a, n) + m, 0)`: the anchor should be nearer to its like than to the other [1]_.

    Parameters
    ----------
    anchor, positive, negative : array_like, shape (N, n) or (n,)
    margin : float
        How much nearer, :math:`m`.
    p : float
        Which norm of the difference the distance :math:`d` is.
    eps : float
        Added to the differences, as PyTorch does.
    swap : bool
        Whether the distance of the other from the like counts where it is smaller [2]_.
    reduction : "mean", "sum" or "none"

    References
    ----------
    .. [1] F. Schroff, D. Kalenichenko and J. Philbin, CVPR (2015), arXiv:1503.03832.
    .. [2] V. Balntas et al., BMVC (2016): the swap.

    Examples
    --------
    >>> from autodiff.nn import functional
    >>> round(float(functional.triplet_margin_loss([[0.0]], [[1.0]], [[1.5]])), 5)
    0.5
    """
    require_reduction("triplet_margin_loss", reduction)
    anchor, positive, negative = _alike(
        "triplet_margin_loss", {"anchor": anchor, "positive": positive, "negative": negative}
    )
    near, far = norm(anchor - positive + eps, p, -1), norm(anchor - negative + eps, p, -1)
    if swap:
        far = minimum(far, norm(positive - negative + eps, p, -1))
    return reduced(relu(near - far + margin), reduction)


def _alike(loss: str, given: dict[str, Any], shape: tuple[int, ...] | None = None) -> list[Any]:
    """The arguments as nodes or arrays, if they have one shape."""
    arrays = [x if hasattr(x, "shape") else np.asarray(x) for x in given.values()]
    shapes = [shape_of(x) for x in arrays]
    if any(s != (shapes[0] if shape is None else shape) for s in shapes):
        found = ", ".join(f"{name} of shape {s}" for name, s in zip(given, shapes, strict=True))
        expected = "they must agree" if shape is None else f"expected {shape}"
        raise ShapeError(f"{loss} got {found}; {expected}: nothing is broadcast.")
    return arrays
