"""Twenty years of the S&P 500: how much it drifts and trembles, and how days of trembling follow each other.

The likelihood of the daily returns is written down and differentiated: its slopes are zero at the best parameters, and
its curvature says how sure they are.  In the model GARCH(1,1), the variance of a day follows from the day before:
s² = ω + α e² + β s².  That recurrence is one op with a rule of its own, so that 5,000 days take a millisecond.

Daily closes from 1999 to 2018, which come with the package arch (NCSA licence); so does the fit to compare with:
``pip install '.[stocks]'``.
"""

import numpy as np
from shared import BLUE, GREY, ORANGE, panels, parser, save

import autodiff as ad
from autodiff import calculus
from autodiff.core.errors import MissingExtraError

parser.parse_args()
try:
    from arch import arch_model
    from arch.data import sp500
    from scipy.signal import lfilter
except ImportError:
    print(MissingExtraError("The daily S&P 500", "arch", "stocks"))
    raise SystemExit from None
closes = sp500.load()["Adj Close"]
returns = 100 * closes.pct_change().dropna().to_numpy()  # in percent a day, as arch likes it
logs = 100 * np.diff(np.log(closes.to_numpy()))  # they add up from day to day
YEAR = 252  # trading days


@ad.custom_rule(formula=r"y_t = x_t + \beta y_{t-1}")
def recurrence(x, beta):
    return lfilter([1.0], [1.0, -float(beta)], x)


@recurrence.def_vjp(wrt="x")
def recurrence_vjp(g, beta):
    return ad.flip(recurrence(ad.flip(g), beta))


@recurrence.def_vjp(wrt="beta")
def recurrence_vjp_beta(g, y, beta):
    return ad.sum(ad.flip(recurrence(ad.flip(g), beta))[1:] * y[:-1])


def surprise(errors, variance):
    """Minus the logarithm of the likelihood of each day."""
    return (ad.log(2 * np.pi * variance) + errors**2 / variance) / 2


def steady(unknowns):
    """The same normal distribution each day."""
    return ad.sum(surprise(logs - unknowns[0], unknowns[1] ** 2))


def variances(unknowns):
    """Of each day, by GARCH(1,1); the first one comes after a weighted mean of the first 75 days."""
    mu, omega, alpha, beta = unknowns
    squares = (returns - returns.mean())[:75] ** 2
    before = np.average(squares, weights=0.94 ** np.arange(75))
    earlier = ad.concatenate([ad.stack([before * (alpha + beta)]), alpha * (returns[:-1] - mu) ** 2])
    return recurrence(omega + earlier, beta)


def garch(unknowns):
    return surprise(returns - unknowns[0], variances(unknowns))


found = calculus.minimize(steady, [0.0, 1.0], method="newton").x
drift, volatility = found * [YEAR, np.sqrt(YEAR)]
errors = np.sqrt(np.diag(np.linalg.inv(ad.hessian(steady)(found)))) * [YEAR, np.sqrt(YEAR)]
print(f"drift {drift:.3f} ± {errors[0]:.3f} % a year  (mean: {logs.mean() * YEAR:.3f})")
print(f"volatility {volatility:.3f} ± {errors[1]:.3f} % a year  (deviation: {logs.std() * np.sqrt(YEAR):.3f})")

fit = calculus.minimize(lambda unknowns: ad.mean(garch(unknowns)), [0.05, 0.02, 0.1, 0.88], method="newton")
bends = np.linalg.inv(ad.hessian(lambda unknowns: ad.sum(garch(unknowns)))(fit.x))
scores = ad.jacobian(garch)(fit.x)
stds = np.sqrt(np.diag(bends @ scores.T @ scores @ bends))
theirs = arch_model(returns).fit(disp="off", tol=1e-10)
for name, *row in zip(("mu", "omega", "alpha", "beta"), fit.x, stds, theirs.params, theirs.std_err):
    print("{:5} {:.6f} ± {:.6f}  (arch: {:.6f} ± {:.6f})".format(name, *row))
print(f"log-likelihood {-len(returns) * fit.fun:.5f}  (arch: {theirs.loglikelihood:.5f})")

figure, ax = panels(height=2.8)
ax.plot(closes.index[1:], np.abs(returns) * np.sqrt(YEAR), ".", ms=1.5, color=GREY, label="size of a day's return")
ax.plot(closes.index[1:], np.sqrt(YEAR * np.asarray(variances(fit.x))), color=BLUE, label="GARCH(1,1)")
ax.axhline(volatility, color=ORANGE, label="the same each day")
ax.set(title="Volatility of the S&P 500, in % a year", ylim=(0, None))
ax.legend()
save(figure, "example-stocks.png")
