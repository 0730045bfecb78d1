"""Curves fitted to data, with the uncertainties of their parameters and of what they predict."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.axes import ink, palette
from ..core.checks import require_from_zero, require_whole
from ..core.errors import ArgumentError, ShapeError
from ..core.figures import axes_for
from ..core.node import Node, shape_of
from ..core.summary import number_text, repr_text
from ..ops.factoring import cholesky
from ..ops.shape import reshape
from ..ops.solving import solve
from ..transforms.lift import require_function
from .implicit import value_and_jacobian
from .least_squares import GTOL, RTOL, Search, inverse_square
from .solving import plain_data, refuse_compiling, require_finite, require_real, watching
from .unknowns import Unknowns


@dataclass(frozen=True)
class CurveFit:
    """What :func:`curve_fit` found; ``x, covariance = fit`` takes it apart.

    Attributes
    ----------
    x : ndarray or Tensor
        The parameters; a tensor if the data or ``f`` hold something tracked.
    covariance : ndarray
        Of the parameters.
    std : ndarray
        Their standard errors.
    fun : ndarray
        The residuals, ``(f(xdata) - ydata) / sigma``.
    cost : float
        Half the sum of their squares.
    jac : ndarray
        Their Jacobian.
    active : ndarray
        Which parameters are held at a bound.
    nit, nfev : int
    message : str
    path : list of ndarray
        The parameters at each step.
    """

    x: Any
    covariance: Any
    std: Any
    fun: Any
    cost: float
    jac: Any
    active: Any
    nit: int
    nfev: int
    message: str
    path: list[Any] = field(repr=False)
    f: Callable[..., Any] = field(repr=False)
    data: tuple[Any, Any] = field(repr=False)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.x, self.covariance))

    def predict(self, x: Any) -> tuple[Any, Any]:
        """The curve at ``x`` and its standard error there, by the delta method: ``sqrt(diag(J C J^T))``."""
        value, jac = value_and_jacobian(lambda p: self.f(x, *p), plain_data(self.x))
        return value, np.sqrt(np.einsum("...i,ij,...j", jac, self.covariance, jac))

    def __str__(self) -> str:
        names = _names(self.f, len(self.std))
        values = [number_text(v, 6) for v in plain_data(self.x).tolist()]
        first, width = max(map(len, ["parameter", *names])), max(map(len, ["value", *values]))
        lines = [f"{'parameter':<{first}}  {'value':>{width}}    error"]
        for name, value, error in zip(names, values, self.std.tolist(), strict=True):
            lines.append(f"{name:<{first}}  {value:>{width}} ± {number_text(error, 2)}")
        lines.append(f"{len(self.fun)} points, cost {number_text(self.cost, 6)}, {self.nit} steps: {self.message}")
        return "\n".join(lines)

    def plot(self, ax: Any = None) -> Any:
        """Draw the data, the curve and its band of two standard errors; returns the axes."""
        ax = axes_for("CurveFit.plot", ax)
        x, y = self.data
        color = palette(ax, 1)[0]
        grid = np.linspace(np.min(x), np.max(x), 200)
        value, std = self.predict(grid)
        if np.all(np.isfinite(std)):
            ax.fill_between(grid, value - 2 * std, value + 2 * std, color=color, alpha=0.25, lw=0, label="± 2 errors")
        ax.plot(grid, value, color=color, label="fit")
        ax.plot(x, y, "o", color=ink(ax), markersize=4, label="data")
        ax.legend(frameon=False, labelcolor=ink(ax))
        return ax


def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: Any,
    p0: Any,
    *,
    sigma: Any = None,
    absolute_sigma: bool = False,
    bounds: Any = None,
    rtol: float = RTOL,
    gtol: float = GTOL,
    max_steps: int = 200,
    progress: bool = False,
) -> CurveFit:
    """Fit ``f(x, *parameters)`` to data by least squares, with uncertainties.

    By :func:`autodiff.least_squares`, whose method, tolerances and errors it has.  The parameters can be differentiated
    by the data, and by whatever ``f`` closes over, to any order.

    Parameters
    ----------
    f : callable
        Of ``xdata`` and the parameters, one after another; returns as many numbers as ``ydata`` has.
    xdata, ydata : array_like
        The data; tensors may be differentiated.
    p0 : sequence of numbers
        Where to start.
    sigma : array_like, optional
        The standard errors of ``ydata``, or their covariance matrix.
    absolute_sigma : bool
        Take ``sigma`` as it is.  Otherwise only its proportions count, and the covariance is scaled such that the
        residuals have the variance that they show.
    bounds : pair, optional
        ``(lower, upper)``, each a number or one number a parameter.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> t = np.array([0.0, 1.0, 2.0, 3.0])
    >>> y = np.array([2.0, 1.2, 0.75, 0.44])
    >>> fit = ad.curve_fit(lambda t, a, k: a * ad.exp(-k * t), t, y, [1.0, 1.0])
    >>> print(fit)
    parameter     value    error
    a           1.99714 ± 0.014
    k          0.499772 ± 0.0072
    4 points, cost 0.000200..., ... steps: ...
    >>> value, error = fit.predict(4.0)
    >>> print(f"{value:.4f} +- {error:.4f}")
    0.2705 +- 0.0070
    """
    require_function(f, "curve_fit")
    refuse_compiling("curve_fit")
    require_whole("curve_fit", 1, max_steps=max_steps)
    require_from_zero("curve_fit", rtol=rtol, gtol=gtol)
    xdata = xdata if isinstance(xdata, Node) else np.asarray(xdata)
    ydata = ydata if isinstance(ydata, Node) else np.asarray(ydata)
    require_real("curve_fit", ydata=ydata)
    require_finite("curve_fit", plain_data(ydata), "ydata")
    layout = Unknowns("curve_fit", np.asarray(plain_data(p0)))
    if len(layout.start) == 0 or layout.shapes[0] not in {(), (layout.start.size,)}:
        raise ArgumentError(f"curve_fit got p0={repr_text(p0)}; it is a start for each parameter, one after another.")
    weigh = _weights(sigma, shape_of(ydata))

    def residuals(p: Any) -> Any:
        y = f(xdata, *p)
        if shape_of(y) != shape_of(ydata):
            raise ShapeError(
                f"curve_fit: f returned shape {shape_of(y)}, but ydata has shape {shape_of(ydata)}; they must agree."
            )
        return weigh(reshape(y - ydata, -1))

    search = Search("curve_fit", residuals, layout, *layout.bounds(bounds))
    f_data = (plain_data(xdata), plain_data(ydata))

    def account(x: Any = None) -> CurveFit:
        found = search.account(x)
        covariance = inverse_square(found.jac, layout.start.size) if absolute_sigma else found.covariance
        values = search.x if x is None else x
        std = np.sqrt(np.diag(covariance))
        rest = (found.fun, found.cost, found.jac, found.active, found.nit, found.nfev, found.message, found.path)
        return CurveFit(values, covariance, std, *rest, f, f_data)

    with watching("curve_fit", max_steps, progress, account, search.state) as bar:
        search.run(rtol, gtol, max_steps, bar)
    return account(search.recorded())


def _names(f: Callable[..., Any], n: int) -> list[str]:
    """What ``f`` calls its ``n`` parameters; their positions if it takes them as one."""
    try:
        names = [p.name for p in inspect.signature(f).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD][1:]
    except (TypeError, ValueError):  # some functions of C have no signature
        names = []
    return names[:n] if len(names) >= n else [str(k) for k in range(n)]


def _weights(sigma: Any, shape: tuple[int, ...]) -> Callable[[Any], Any]:
    """What brings residuals, in one vector, to errors of size one."""
    if sigma is None:
        return lambda r: r
    sigma = sigma if isinstance(sigma, Node) else np.asarray(sigma, float)
    n = int(np.prod(shape))
    if shape_of(sigma) == (n, n) and shape != (n, n):
        lower = cholesky(sigma)
        return lambda r: solve(lower, r)
    if shape_of(sigma) not in {(), shape}:
        raise ShapeError(
            f"curve_fit got sigma of shape {shape_of(sigma)} for ydata of shape {shape}; it has the same shape, or is "
            f"a covariance matrix of shape {(n, n)}."
        )
    if not np.all(plain_data(sigma) > 0):
        raise ArgumentError("curve_fit got a sigma that is not positive; it holds standard errors.")
    return lambda r: r / reshape(sigma, -1) if shape_of(sigma) else r / sigma
