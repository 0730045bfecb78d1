"""The ops of ``np.linalg`` under its names: what ``ad.linalg`` offers."""

from .norms import norm, vector_norm
from .products import matmul, outer
from .shape import matrix_transpose

__all__ = ["matmul", "matrix_transpose", "norm", "outer", "vector_norm"]
