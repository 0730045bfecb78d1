"""Second derivatives: first ones, composed."""

from __future__ import annotations

from typing import Any

from .first_order import ArgNums, Function, grad, jvp
from .jacobian import jacobian


def hessian(f: Function, argnums: ArgNums = 0) -> Function:
    """The function that computes every second partial derivative of ``f``: shape ``x.shape + x.shape``.

    Parameters
    ----------
    f : callable
        Returns a single real number.
    argnums : int or sequence of int

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> ad.hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
    array([[10.,  6.],
           [ 6.,  0.]])
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Function, x: Any, v: Any) -> Any:
    """The product of the Hessian of ``f`` at ``x`` with ``v``, without the Hessian: a forward sweep over a reverse one.

    Parameters
    ----------
    f : callable
        Of one argument (which may be nested); returns a single real number.
    x, v
        Of one structure and shape.

    References
    ----------
    .. [1] B. A. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994) 147-160.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> ad.hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    return jvp(grad(f), (x,), (v,))[1]
