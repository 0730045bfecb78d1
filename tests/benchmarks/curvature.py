"""Second derivatives of Rosenbrock's function, in float32: the Hessian times a vector, and the Hessian."""

from __future__ import annotations

from typing import Any

import numpy as np

import autodiff as ad

from .harness import Bar, Row, Step, installed
from .updates import F32


def rosenbrock(x: Any) -> Any:
    """``sum 100 (x[i+1] - x[i]²)² + (1 - x[i])²``, in the operators of any library."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def points(n: int) -> tuple[Any, Any]:
    """Where, and along what."""
    rng = np.random.default_rng(0)
    return rng.normal(size=n).astype(F32), rng.normal(size=n).astype(F32)


def bands(x: Any) -> tuple[Any, Any]:
    """The diagonal of the Hessian, worked out by hand, and what stands beside it."""
    diagonal = np.empty_like(x)
    diagonal[:-1] = F32(1200) * x[:-1] * x[:-1] - F32(400) * x[1:] + F32(2)
    diagonal[-1] = 0
    diagonal[1:] += F32(200)
    return diagonal, F32(-400) * x[:-1]


def product_by_hand(x: Any, v: Any) -> Step:
    """Clean NumPy."""

    def step() -> Any:
        diagonal, beside = bands(x)
        y = diagonal * v
        y[:-1] += beside * v[1:]
        y[1:] += beside * v[:-1]
        return y

    return step


def hessian_by_hand(x: Any) -> Step:
    """Clean NumPy."""

    def step() -> Any:
        diagonal, beside = bands(x)
        return np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)

    return step


def torch_product(x: Any, v: Any) -> Step:
    """Forward over reverse, by ``torch.func``."""
    import torch
    from torch.func import grad, jvp

    a, b = torch.tensor(x), torch.tensor(v)
    return lambda: jvp(grad(rosenbrock), (a,), (b,))[1]


def torch_hessian(x: Any) -> Step:
    """``torch.func.hessian``."""
    import torch

    a, hessian = torch.tensor(x), torch.func.hessian(rosenbrock)
    return lambda: hessian(a)


def jax_product(x: Any, v: Any) -> Step:
    """Forward over reverse in one ``jax.jit``."""
    import jax

    product = jax.jit(lambda x, v: jax.jvp(jax.grad(rosenbrock), (x,), (v,))[1])
    a, b = jax.numpy.array(x), jax.numpy.array(v)
    return lambda: product(a, b).block_until_ready()


def jax_hessian(x: Any) -> Step:
    """``jax.hessian`` in one ``jax.jit``."""
    import jax

    hessian, a = jax.jit(jax.hessian(rosenbrock)), jax.numpy.array(x)
    return lambda: hessian(a).block_until_ready()


def autograd_product(x: Any, v: Any) -> Step:
    """HIPS autograd."""
    from autograd import hessian_vector_product

    product = hessian_vector_product(anp_rosenbrock)
    return lambda: product(x, v)


def autograd_hessian(x: Any) -> Step:
    """HIPS autograd."""
    from autograd import hessian

    full = hessian(anp_rosenbrock)
    return lambda: full(x)


def anp_rosenbrock(x: Any) -> Any:
    """The function in autograd's NumPy, whose arrays have no methods."""
    import autograd.numpy as anp

    return anp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def bars() -> list[Bar]:
    return [Bar("autodiff", "PyTorch", 1.0), Bar("autodiff compiled", "jax.jit", 1.5)]


def hvp(n: int = 1000) -> Row:
    x, v = points(n)

    def product(x: Any, v: Any) -> Any:
        return ad.hvp(rosenbrock, x, v)

    def ours(backend: str) -> Step:
        compiled = ad.compile(product, backend=backend)
        return lambda: compiled(x, v)

    contestants = installed(
        {
            "NumPy by hand": lambda: product_by_hand(x, v),
            "autodiff": lambda: lambda: ad.hvp(rosenbrock, x, v),
            "autodiff compiled": lambda: ours("numpy"),
            "autodiff numba": lambda: ours("numba"),
            "PyTorch": lambda: torch_product(x, v),
            "jax.jit": lambda: jax_product(x, v),
            "autograd": lambda: autograd_product(x, v),
        }
    )
    question = f"Hessian-vector product of Rosenbrock's function, n = {n}"
    return Row("hvp", question, "NumPy by hand", contestants, rounds=100, inner=20, bars=bars())


def hessian(n: int = 50) -> Row:
    x, _ = points(n)
    eager = ad.hessian(rosenbrock)

    def ours(backend: str) -> Step:
        compiled = ad.compile(eager, backend=backend)
        return lambda: compiled(x)

    contestants = installed(
        {
            "NumPy by hand": lambda: hessian_by_hand(x),
            "autodiff": lambda: lambda: eager(x),
            "autodiff compiled": lambda: ours("numpy"),
            "autodiff numba": lambda: ours("numba"),
            "PyTorch": lambda: torch_hessian(x),
            "jax.jit": lambda: jax_hessian(x),
            "autograd": lambda: autograd_hessian(x),
        }
    )
    question = f"Hessian of Rosenbrock's function, n = {n}"
    return Row("hessian", question, "NumPy by hand", contestants, rounds=60, inner=10, bars=bars())
