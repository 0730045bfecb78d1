"""Gauss-Kronrod formulas: the nodes of a Gauss formula and as many between them, for a value and its error."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

FEW = 9
"""For fewer intervals, plain numbers are quicker than arrays."""
TINY = float(np.finfo(float).tiny)
EPS = {char: float(np.finfo(char).eps) for char in "efdgFDG"}
"""The spacing of floats at 1, by the letter of their dtype."""


@dataclass(frozen=True)
class Pair:
    """A Gauss formula inside a Kronrod formula, on ``[-1, 1]``; every second node belongs to both.

    Attributes
    ----------
    nodes : ndarray
        Where the function is asked, in rising order; never at an end.
    kronrod, gauss : ndarray
        Weights of both formulas at all nodes; those of Gauss are 0 at the nodes it lacks.
    degree : int
        Of the highest polynomials that the Kronrod formula integrates exactly; odd, since what is odd integrates to 0.
    """

    nodes: Any
    kronrod: Any
    gauss: Any
    degree: int

    @classmethod
    def mirrored(cls, degree: int, nodes: str, kronrod: str, gauss: str) -> Pair:
        """The pair with these nodes from the middle to the right end; ``gauss`` is for the nodes of Gauss alone."""
        x, fine = np.array(nodes.split(), float), np.array(kronrod.split(), float)
        crude = np.zeros(len(x))
        crude[len(x) % 2 :: 2] = gauss.split()  # the last node is Kronrod's own, and so is every second before it
        right = np.array([x, fine, crude])
        x, fine, crude = np.concatenate([right[:, :0:-1] * [[-1], [1], [1]], right], axis=1)
        return cls(x, fine, crude, degree)


# Piessens, de Doncker-Kapenga, Überhuber and Kahaner, QUADPACK (1983), tables of QK15 and QK21.
G7K15 = Pair.mirrored(
    23,
    """0.0 0.20778495500789848 0.4058451513773972 0.5860872354676911
    0.7415311855993945 0.8648644233597691 0.9491079123427585 0.9914553711208126""",
    """0.20948214108472782 0.20443294007529889 0.19035057806478542 0.1690047266392679
    0.14065325971552592 0.10479001032225019 0.06309209262997856 0.022935322010529224""",
    "0.4179591836734694 0.3818300505051189 0.27970539148927664 0.1294849661688697",
)
G10K21 = Pair.mirrored(
    31,
    """0.0 0.14887433898163122 0.2943928627014602 0.4333953941292472 0.5627571346686047 0.6794095682990244
    0.7808177265864169 0.8650633666889845 0.9301574913557082 0.9739065285171717 0.9956571630258081""",
    """0.1494455540029169 0.14773910490133849 0.14277593857706009 0.13470921731147334 0.12349197626206584
    0.10938715880229764 0.0931254545836976 0.07503967481091996 0.054755896574351995 0.032558162307964725
    0.011694638867371874""",
    "0.29552422471475287 0.26926671930999635 0.21908636251598204 0.1494513491505806 0.06667134430868814",
)


@dataclass(frozen=True)
class Product:
    """A pair along each of ``d`` axes: the formula on the box ``[-1, 1]**d``.

    Attributes
    ----------
    nodes : ndarray
        Shape ``(points, d)``.
    shares : ndarray
        The nodes in ``[0, 1]**d``.
    weights : ndarray
        Kronrod's, shape ``(points,)``.
    rows : ndarray
        Weights for the mean; for each axis three that see what is not smooth along it, times 200; and along one axis,
        weights for the values at -1 and 1 of the polynomial through all nodes.  Shape ``(6, points)``, or
        ``(1 + 3 d, points)``.
    """

    nodes: Any
    shares: Any
    weights: Any
    rows: Any


@cache
def product(d: int) -> Product:
    """The formula for ``d`` axes: of 21 points along one, of 15 along each of several."""
    pair = G10K21 if d == 1 else G7K15
    nodes = np.array(list(itertools.product(pair.nodes, repeat=d)))
    weights = _outer([pair.kronrod] * d)
    null = [
        200 * _outer([row if i == axis else pair.kronrod for i in range(d)])
        for axis in range(d)
        for row in _null_rules(pair)
    ]
    ends = [_at(end, pair.nodes) for end in (-1, 1)] if d == 1 else []
    return Product(
        nodes,
        0.5 + 0.5 * nodes,
        weights,
        np.array([weights * 0.5**d, *null, *ends]),
    )


def _null_rules(pair: Pair) -> list[Any]:
    """Weights that find nothing in polynomials of low degree: what they find in a function tells how smooth it is.

    Kronrod less Gauss; and the last two coefficients, in Legendre polynomials, of the polynomial through all nodes, in
    the size that the first would have.  One of the three may be small by accident, hardly all.
    """
    less = pair.kronrod - pair.gauss
    n = len(pair.nodes)
    values = np.polynomial.legendre.legvander(pair.nodes, n - 1)
    scale = abs(less @ values[:, n - 1])
    return [less, *(scale * np.linalg.inv(values)[-2:])]


def _at(x: float, nodes: Any) -> Any:
    """Lagrange's weights of the nodes for the value at ``x``."""
    return np.array([np.prod([(x - q) / (p - q) for q in nodes if q != p]) for p in nodes])


def _outer(factors: list[Any]) -> Any:
    return np.array([math.prod(corner) for corner in itertools.product(*factors)])


def estimate(formula: Product, y: Any, volumes: Any) -> tuple[Any, Any, Any]:
    """Integrals over boxes, their errors, and along one axis what the function seems to be at their ends.

    Parameters
    ----------
    formula : Product
    y : ndarray
        Values at its nodes, shape ``(boxes, points, size)``.
    volumes : ndarray
        Of each box.

    Returns
    -------
    integrals : ndarray
        Shape ``(boxes, size)``.
    errors : ndarray
        Shape ``(boxes, d + 1, size)``: by axis, and last how much of that is rounding.
    rims : ndarray
        Shape ``(boxes, 2, size)``, or ``(boxes, 0, size)`` along several axes.

    Notes
    -----
    Kronrod less Gauss is the error of the cruder one.  That of the finer one is estimated as QUADPACK does: where the
    difference is ``r`` times the integral of ``|f - mean|``, the error is ``(200 r)**1.5`` times that, or all of it.  A
    kink may hide from the difference; the largest of three such differences, null rules [1]_, stands in its place.

    References
    ----------
    .. [1] J. Berntsen and T. O. Espelid, ACM Trans. Math. Softw. 17 (1991) 233-252.
    """
    d = formula.nodes.shape[1]
    unit = 50 * EPS[y.dtype.char]
    if d == y.shape[2] == 1 and y.dtype == float and len(y) < FEW:
        y = y[:, :, 0]
        found = y @ formula.rows.T
        spreads = (np.abs(y - found[:, :1]) @ formula.weights).tolist()
        errors = [
            [0.5 * v * e for e in _error(mean, spread, max(abs(p), abs(q), abs(r)), unit, 1, min, max, math.sqrt)]
            for (mean, p, q, r, _, _), spread, v in zip(found.tolist(), spreads, volumes.tolist(), strict=True)
        ]
        return volumes[:, None] * found[:, :1], np.array(errors)[..., None], found[:, 4:, None]
    found = formula.rows @ y
    mean = found[:, :1]
    spread = (formula.weights @ np.abs(y - mean))[:, None]
    crude = np.abs(found[:, 1 : 1 + 3 * d]).reshape(len(y), d, 3, -1).max(axis=2)
    pair = _error(mean, spread, crude, unit, d, np.minimum, np.maximum, np.sqrt)
    errors = (0.5**d * volumes)[:, None, None] * np.concatenate(pair, axis=1)
    return volumes[:, None] * mean[:, 0], errors, found[:, 1 + 3 * d :]


def _error(
    mean: Any, spread: Any, crude: Any, unit: float, d: int, least: Any, most: Any, root: Any
) -> tuple[Any, Any]:
    """The estimate and its rounding, which is at least that of the integral of ``|f|``; of numbers or of arrays."""
    rounding = (2**d * abs(mean) + spread) * unit + TINY
    # With crude = 200 r spread, (200 r)**1.5 spread is crude times the root of crude / spread.
    return most(least(spread, crude * root(crude / most(spread, rounding))), rounding / d), rounding
