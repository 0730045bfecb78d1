"""The automatic differentiation engine that you can see through.

>>> import autodiff as ad
>>> x = ad.Value(3.0)
>>> y = x * x + 2 * x
>>> y.backward()
>>> x.grad
8.0
"""

import importlib as _importlib
from typing import Any as _Any

from .core import errors as errors
from .core.errors import AutodiffError as AutodiffError
from .core.modes import enable_grad as enable_grad
from .core.modes import no_grad as no_grad
from .core.node import Node as Node
from .core.spelling import missing as _missing
from .ops import public as _public
from .ops.public import *  # noqa: F403
from .tensor import Tensor as Tensor
from .transforms.first_order import grad as grad
from .transforms.first_order import jvp as jvp
from .transforms.first_order import linearize as linearize
from .transforms.first_order import value_and_grad as value_and_grad
from .transforms.first_order import vjp as vjp
from .value import Value as Value

__version__ = "0.1.0"

_PARTS = ("calculus", "data", "diagnosis", "interop", "io", "nn", "optim", "testing", "training", "viz")
_MODULES = {**dict(zip(_PARTS, _PARTS)), **{name: f"ops.{name}" for name in ("linalg", "fft", "random")}}
_NAMES = {
    "anomaly": "diagnosis.anomaly",
    "c_": "ops.index_tricks",
    "checkpoint": "transforms.checkpoint",
    "compile": "compiler.compiled",
    "condition_number": "calculus",
    "cumulative_integral": "calculus",
    "curve_fit": "calculus",
    "custom_rule": "transforms.custom",
    "debug": "viz.debug",
    "derivative": "calculus",
    "derive": "viz.derive",
    "difference_table": "calculus",
    "directional_derivative": "calculus",
    "divergence": "calculus",
    "draw": "viz",
    "Drawing": "viz",
    "fit": "training.fit",
    "fixed_point": "calculus",
    "health": "diagnosis.health",
    "hessian": "transforms.second_order",
    "hvp": "transforms.second_order",
    "integrate": "calculus",
    "jacobian": "transforms.jacobian",
    "laplacian": "calculus",
    "least_squares": "calculus",
    "lint": "diagnosis.lint",
    "minimize": "calculus",
    "odeint": "calculus",
    "paths": "viz.paths",
    "profile": "diagnosis.profile",
    "r_": "ops.index_tricks",
    "record": "training.film",
    "root": "calculus",
    "sdeint": "calculus",
    "Tape": "core.listing",
    "taylor": "calculus",
    "trace": "diagnosis.trace",
    "vmap": "transforms.vmap",
    "why": "diagnosis.why",
}

_SPELLINGS = {
    "save": "ad.io.save(model.state_dict(), path)",
    "load": "ad.io.load(path)",
    "tensor": "ad.Tensor(data)",
    "from_numpy": "ad.Tensor(array)",
    "Variable": "ad.Tensor(data)",
    "zeros": "ad.Tensor(np.zeros(shape))",
    "ones": "ad.Tensor(np.ones(shape))",
    "arange": "ad.Tensor(np.arange(n, dtype=float))",
    "linspace": "ad.Tensor(np.linspace(a, b, n))",
    "rand": "ad.Tensor(np.random.default_rng(0).random(shape))",
    "randn": "ad.Tensor(np.random.default_rng(0).normal(size=shape))",
    "manual_seed": "rng=0, given to what draws: nn.Linear(2, 3, rng=0)",
    "float32": "np.float32",
    "float64": "np.float64",
    "cat": "ad.concatenate([x, y], axis=0)",
    "mm": "x @ y",
    "bmm": "x @ y",
    "clamp": "ad.clip(x, low, high)",
    "unsqueeze": "ad.expand_dims(x, axis)",
    "permute": "ad.transpose(x, axes)",
}

# ad.tensor([1.0]) is PyTorch's spelling of ad.Tensor([1.0]): it gets an answer, rather than the file tensor.py.
globals().pop("tensor", None)


def __getattr__(name: str) -> _Any:
    """Load the parts above the engine when they are first used, so that importing the package stays quick."""
    if name in _MODULES:
        return _importlib.import_module(f"{__name__}.{_MODULES[name]}")
    if name in _NAMES:
        return getattr(_importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    if name.startswith("_"):
        raise AttributeError(f"module 'autodiff' has no attribute {name!r}")
    op = getattr(_public, name, None)
    if op is None:
        calculus = _importlib.import_module(f"{__name__}.calculus")
        elsewhere = {n: f"calculus.{n}" for n in calculus.__all__} | calculus.spelling.NAMES
        raise _missing("ad", name, __dir__(), elsewhere | _SPELLINGS)
    return op


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_NAMES, *_public.names()})
