"""Curves fitted to data, with the uncertainties of their parameters and of what they predict."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.axes import ink, palette
from ..core.errors import ArgumentError, ShapeError, SingularError
from ..core.figures import axes_for
from ..core.node import Node, shape_of
from ..core.spelling import Misspelt
from ..core.summary import number_text, repr_text
from ..ops.factoring import cholesky
from ..ops.shape import reshape
from ..ops.solving import solve
from .implicit import value_and_jacobian
from .least_squares import GTOL, MAX_STEPS, RTOL, Search, inverse_square, require_settings
from .solving import joined, plain_data, require_finite, require_real
from .spelling import only_own_keywords
from .unknowns import Unknowns, in_one_vector


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

    popt = Misspelt("CurveFit", "popt", "fit.x")
    pcov = Misspelt("CurveFit", "pcov", "fit.covariance")
    perr = Misspelt("CurveFit", "perr", "fit.std")

    def __iter__(self) -> Iterator[Any]:
        return iter((self.x, self.covariance))

    def predict(self, x: Any) -> tuple[Any, Any]:
        """The curve at ``x`` and its standard error there, by the delta method: ``sqrt(diag(J C J^T))``.

        The error is infinite if the data do not determine all parameters.
        """
        value, jac = value_and_jacobian(lambda p: joined(self.f(x, *p)), plain_data(self.x))
        if not np.all(np.isfinite(self.covariance)):
            return value, np.full(np.shape(value), np.inf)
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
        """Draw data over one axis, the curve and its band of two standard errors; returns the axes."""
        x, y = self.data
        if np.ndim(x) != 1 or np.shape(x) != np.shape(y):
            raise ShapeError(
                "CurveFit.plot draws one curve over an xdata of one axis; for other data draw what .predict(x) returns."
            )
        ax = axes_for("CurveFit.plot", ax)
        color = palette(ax, 1)[0]
        grid = np.linspace(np.min(x), np.max(x), 200)
        value, std = self.predict(grid)
        if np.all(np.isfinite(std)):
            ax.fill_between(grid, value - 2 * std, value + 2 * std, color=color, alpha=0.25, lw=0, label="± 2 errors")
        ax.plot(grid, value, color=color, label="fit")
        ax.plot(x, y, "o", color=ink(ax), markersize=4, label="data")
        ax.legend(frameon=False, labelcolor=ink(ax))
        return ax


@only_own_keywords
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
    max_steps: int = MAX_STEPS,
    progress: bool = False,
) -> CurveFit:
    """Fit ``f(x, *parameters)`` to data by least squares, with uncertainties.

    By :func:`autodiff.least_squares`, whose method, tolerances and errors it has.  The parameters can be differentiated
    by the data, and by whatever ``f`` closes over, to any order.

    Parameters
    ----------
    f : callable
        Of ``xdata`` and the parameters, one after another; returns what has the shape of ``ydata``.
    xdata : array_like or anything else
        Lists and tuples become arrays; what is neither is handed to ``f`` as it is.
    ydata : array_like
        The data, of any shape; tensors may be differentiated.
    p0 : sequence of numbers
        Where to start.
    sigma : array_like, optional
        The standard errors of ``ydata``, or their covariance matrix; tensors may be differentiated.
    absolute_sigma : bool
        Take ``sigma`` as it is.  Otherwise only its proportions count, and the covariance is scaled such that the
        residuals have the variance that they show.
    bounds : pair, optional
        ``(lower, upper)``, each a number or one number a parameter.
    rtol, gtol, max_steps, progress
        As in :func:`~autodiff.calculus.least_squares`.

    Returns
    -------
    CurveFit
        ``x, covariance = fit`` takes it apart; it prints as a table, predicts, and draws itself.

    Raises
    ------
    ArgumentError, KindError, ShapeError
        If ``p0`` does not fit ``f``, or ``f(xdata)`` or ``sigma`` does not fit ``ydata``, or there are no data.
    SingularError
        If a matrix ``sigma`` is not positive definite.
    NotFiniteError
        If ``ydata`` is not finite.  These and all others as :func:`~autodiff.calculus.least_squares`.

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
    require_settings("curve_fit", f, rtol, gtol, max_steps)
    xdata, ydata = joined(xdata), joined(ydata)
    ydata = ydata if isinstance(ydata, Node) else np.asarray(ydata)
    require_real("curve_fit", ydata=ydata)
    require_finite("curve_fit", plain_data(ydata), "ydata")
    if not ydata.size:
        raise ArgumentError("curve_fit got no data: ydata is empty.")
    search = _Fit(f, xdata, ydata, _parameters(f, xdata, p0), sigma, absolute_sigma, bounds)
    found: CurveFit = search.result(rtol, gtol, max_steps, progress)
    return found


class _Fit(Search):
    """Least squares of the weighted differences of a curve and data."""

    def __init__(
        self,
        f: Callable[..., Any],
        xdata: Any,
        ydata: Any,
        layout: Unknowns,
        sigma: Any,
        absolute_sigma: bool,
        bounds: Any,
    ) -> None:
        self.curve = f
        self.data = (plain_data(xdata), plain_data(ydata))
        self.absolute_sigma = absolute_sigma
        weigh = _weights(sigma, ydata.shape)

        def residuals(p: Any) -> Any:
            y = joined(f(xdata, *p))
            if shape_of(y) != ydata.shape:
                raise ShapeError(
                    f"curve_fit: f returned shape {shape_of(y)}, but ydata has shape {ydata.shape}; they must agree."
                )
            return weigh(in_one_vector("curve_fit", y - ydata))

        super().__init__("curve_fit", residuals, layout, bounds)

    def account(self, x: Any = None) -> CurveFit:
        found = super().account(x)
        covariance = inverse_square(found.jac, len(self.x)) if self.absolute_sigma else found.covariance
        std = np.sqrt(np.diag(covariance))
        rest = (found.fun, found.cost, found.jac, found.active, found.nit, found.nfev, found.message, found.path)
        return CurveFit(found.x, covariance, std, *rest, self.curve, self.data)


def _parameters(f: Callable[..., Any], xdata: Any, p0: Any) -> Unknowns:
    """The layout of the parameters, which ``f`` must be able to take."""
    start = np.asarray(plain_data(joined(p0)))
    if start.size == 0 or start.ndim > 1 or start.dtype.kind not in "fiu":
        raise ArgumentError(f"curve_fit got p0={repr_text(p0)}; it is a start for each parameter, one after another.")
    try:
        inspect.signature(f).bind(xdata, *start.ravel())
    except ValueError:  # some functions of C have no signature
        pass
    except TypeError as error:
        raise ArgumentError(
            f"curve_fit: f cannot be called with xdata and the {start.size} parameters of p0={repr_text(p0)}, one "
            f"after another: {error}. Give p0 a start for each of its parameters, or write them as *parameters."
        ) from None
    return Unknowns("curve_fit", start.ravel())


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
    require_real("curve_fit", sigma=sigma)
    sigma = sigma if isinstance(sigma, Node) else np.asarray(sigma)
    n = math.prod(shape)
    values = plain_data(sigma)
    if sigma.shape == (n, n) and shape != (n, n):
        if not np.allclose(values, values.T, atol=1e-8 * np.max(np.abs(values))):
            raise ArgumentError("curve_fit got a matrix sigma that is not symmetric; it is the covariance of ydata.")
        try:
            lower = cholesky(sigma)
        except np.linalg.LinAlgError:
            raise SingularError(
                "curve_fit got a matrix sigma that is not positive definite, as the covariance of ydata is. Look for "
                "data that are there twice, or add a little to its diagonal."
            ) from None
        return lambda r: solve(lower, r)
    if sigma.shape not in {(), shape}:
        raise ShapeError(
            f"curve_fit got sigma of shape {sigma.shape} for ydata of shape {shape}; it has the same shape, or is "
            f"a covariance matrix of shape {(n, n)}."
        )
    if not np.all(values > 0):
        raise ArgumentError("curve_fit got a sigma that is not positive; it holds standard errors.")
    return lambda r: r / (reshape(sigma, -1) if sigma.shape else sigma)
