"""The ops of ``np.linalg`` under its names: what ``ad.linalg`` offers."""

from typing import Any

from numpy.linalg import LinAlgError

from ..core.spelling import missing
from .contractions import cross_of_triples as cross
from .contractions import diagonal_of_matrices as diagonal
from .contractions import multi_dot, tensordot
from .contractions import outer_of_vectors as outer
from .contractions import trace_of_matrices as trace
from .determinants import det, slogdet
from .eigenvalues import eig, eigh, eigvals, eigvalsh
from .factoring import cholesky, qr
from .least_squares import lstsq, pinv
from .matrix_functions import expm, matrix_power
from .norms import cond, matrix_norm, norm, vector_norm
from .products import matmul, vecdot
from .shape import matrix_transpose
from .singular_values import matrix_rank, svd, svdvals
from .solving import inv, solve, tensorinv, tensorsolve

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]


def __getattr__(name: str) -> Any:
    """Say what is close to a name that does not exist."""
    if name.startswith("__"):
        raise AttributeError(name)
    raise missing("ad.linalg", name, __all__, {})
