"""Every op under its public name: what ``import autodiff as ad`` offers as ``ad.exp``.

Each topic says in its ``__all__`` which of its ops are public, so that adding a row touches one file.  The topics that
the engine and small nets need are loaded at once, the others when one of their names is first asked for.
"""

from collections.abc import Iterator
from importlib import import_module as _import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .activation import *  # noqa: F403
from .arithmetic import *  # noqa: F403
from .broadcast import *  # noqa: F403
from .exponential import *  # noqa: F403
from .extremum import *  # noqa: F403
from .fused import *  # noqa: F403
from .index import *  # noqa: F403
from .joining import *  # noqa: F403
from .products import *  # noqa: F403
from .reduce import *  # noqa: F403
from .select import *  # noqa: F403
from .shape import *  # noqa: F403
from .softmax import *  # noqa: F403
from .special import *  # noqa: F403
from .trigonometric import *  # noqa: F403

__all__ = [name for name, op in list(globals().items()) if isinstance(op, FunctionType) and not name.startswith("_")]

LATER = (
    "attention",
    "bessel",
    "buffer",
    "choosing",
    "constant",
    "contractions",
    "convolution",
    "correlation",
    "determinants",
    "diagonals",
    "differences",
    "dropout",
    "eigenvalues",
    "einsum",
    "entropy",
    "error_functions",
    "factoring",
    "gammas",
    "grids",
    "incomplete",
    "least_squares",
    "losses",
    "matrix_functions",
    "nans",
    "normalization",
    "norms",
    "padding",
    "pooling",
    "quantiles",
    "rearranging",
    "recurrent",
    "rounding",
    "scan",
    "singular_values",
    "solving",
    "sorting",
    "statistics",
    "windows",
)

if TYPE_CHECKING:
    from .attention import *  # noqa: F403
    from .bessel import *  # noqa: F403
    from .buffer import *  # noqa: F403
    from .choosing import *  # noqa: F403
    from .constant import *  # noqa: F403
    from .contractions import *  # noqa: F403
    from .convolution import *  # noqa: F403
    from .correlation import *  # noqa: F403
    from .determinants import *  # noqa: F403
    from .diagonals import *  # noqa: F403
    from .differences import *  # noqa: F403
    from .dropout import *  # noqa: F403
    from .eigenvalues import *  # noqa: F403
    from .einsum import *  # noqa: F403
    from .entropy import *  # noqa: F403
    from .error_functions import *  # noqa: F403
    from .factoring import *  # noqa: F403
    from .gammas import *  # noqa: F403
    from .grids import *  # noqa: F403
    from .incomplete import *  # noqa: F403
    from .least_squares import *  # noqa: F403
    from .losses import *  # noqa: F403
    from .matrix_functions import *  # noqa: F403
    from .nans import *  # noqa: F403
    from .normalization import *  # noqa: F403
    from .norms import *  # noqa: F403
    from .padding import *  # noqa: F403
    from .pooling import *  # noqa: F403
    from .quantiles import *  # noqa: F403
    from .rearranging import *  # noqa: F403
    from .recurrent import *  # noqa: F403
    from .rounding import *  # noqa: F403
    from .scan import *  # noqa: F403
    from .singular_values import *  # noqa: F403
    from .solving import *  # noqa: F403
    from .sorting import *  # noqa: F403
    from .statistics import *  # noqa: F403
    from .windows import *  # noqa: F403


def later() -> Iterator[Any]:
    """The topics that are loaded when one of their names is first asked for."""
    return (_import_module(f"{__package__}.{topic}") for topic in LATER)


def names() -> list[str]:
    """The public name of every op."""
    return sorted([*__all__, *(name for topic in later() for name in topic.__all__)])


def __getattr__(name: str) -> Any:
    if not name.startswith("_"):
        for topic in later():
            if name in topic.__all__:
                op = globals()[name] = getattr(topic, name)  # looking for it again would take longer than a small op
                return op
    raise AttributeError(f"there is no op {name!r}")
