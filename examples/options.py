"""What an option is worth, and how that moves with everything: all Greeks are derivatives of one formula.

The price of a European call by Black and Scholes is written down once.  Each Greek is that function differentiated, to
the third order, and stands beside the closed form of the books.  Then chance finds the same numbers: each simulated
price is differentiated as well, and the mean of the slopes is a Greek, with its standard error.

No data: the option is example 15.6 of J. Hull, Options, Futures and Other Derivatives, where the call is worth 4.76.
"""

from functools import reduce
from math import pi, sqrt

import numpy as np
from shared import BLUE, GREY, ORANGE, panels, parser, save

import autodiff as ad

rounds = 10_000 if parser.parse_args().quick else 400_000  # paths
STRIKE, CASE = 40.0, {"stock": 42.0, "volatility": 0.2, "rate": 0.1, "years": 0.5}


def call(stock, volatility, rate, years):
    """The price today, for a ``rate`` of interest and a ``volatility`` a year."""
    spread = volatility * ad.sqrt(years)
    d1 = (ad.log(stock / STRIKE) + rate * years) / spread + spread / 2
    return stock * ad.ndtr(d1) - STRIKE * ad.exp(-rate * years) * ad.ndtr(d1 - spread)


def partial(f, name):
    """The derivative of ``f`` in one variable, entry by entry: a function of the same variables."""
    return lambda **at: ad.jvp(lambda x: f(**at | {name: x}), (at[name],), (np.ones_like(at[name]),))[1]


def closed_forms(stock, volatility, rate, years):
    """The Greeks as the books print them."""
    root, owed = np.sqrt(years), STRIKE * np.exp(-rate * years)
    d1 = (np.log(stock / STRIKE) + (rate + volatility**2 / 2) * years) / (volatility * root)
    d2 = d1 - volatility * root
    bell = np.exp(-(d1**2) / 2) / sqrt(2 * pi)
    gamma, vega = bell / (stock * volatility * root), stock * root * bell
    return {
        "delta": ad.ndtr(d1),
        "gamma": gamma,
        "vega": vega,
        "theta": -stock * bell * volatility / (2 * root) - rate * owed * ad.ndtr(d2),
        "rho": years * owed * ad.ndtr(d2),
        "vanna": -bell * d2 / volatility,
        "volga": vega * d1 * d2 / volatility,
        "charm": -bell * (rate / (volatility * root) - d2 / (2 * years)),
        "ultima": -vega / volatility**2 * (d1 * d2 * (1 - d1 * d2) + d1**2 + d2**2),
    }


GREEKS = {  # in which variables to differentiate; time runs out as it passes, so each derivative in years has a minus
    "delta": ("stock",),
    "gamma": ("stock", "stock"),
    "vega": ("volatility",),
    "theta": ("years",),
    "rho": ("rate",),
    "vanna": ("stock", "volatility"),
    "volga": ("volatility", "volatility"),
    "charm": ("stock", "years"),
    "ultima": ("volatility", "volatility", "volatility"),
}


def greek(name, f=call, **at):
    return (-1 if "years" in GREEKS[name] else 1) * reduce(partial, GREEKS[name], f)(**at)


def simulated(stock, volatility, rate, years):
    """What the option is worth on each path: the stock moves at random for half of the time, the rest is the formula.

    That leaves no kink at the strike, so that the mean may be differentiated as often as one likes.
    """
    drift = (rate - volatility**2 / 2) * years / 2
    then = stock * ad.exp(drift + volatility * ad.sqrt(years / 2) * chance)
    return ad.exp(-rate * years / 2) * call(then, volatility, rate, years / 2)


chance = np.random.default_rng(0).standard_normal(rounds)
print(f"price {call(**CASE):.4f} (Hull: 4.76)\n")
print("        by derivative    closed form  difference   by chance ± standard error (of these errors off)")
for name, book in closed_forms(**CASE).items():
    exact, paths = greek(name, **CASE), greek(name, simulated, **CASE)
    mean, error = paths.mean(), paths.std() / sqrt(rounds)
    chances = f"{mean:12.5f} ± {error:.5f} ({(mean - exact) / error:+.1f})"
    print(f"{name:7s} {exact:12.7f} {book:14.7f} {exact - book:11.0e} {chances}")

figure, axes = panels(2, 3, height=3.8, sharex=True)
for name, ax in zip(("delta", "gamma", "vega", "theta", "vanna", "volga"), axes.flat):
    for years, color in ((0.5, BLUE), (0.1, ORANGE)):
        at = CASE | {"stock": np.linspace(25, 60, 141), "years": np.full(141, years)}
        ax.plot(at["stock"], greek(name, **at), color=color, label=f"by derivative, {years:g} years to go")
        ax.plot(at["stock"][::10], closed_forms(**at)[name][::10], ".", color=GREY, label="closed form", zorder=0)
    ax.set_title(name)
axes[1, 1].set_xlabel("price of the stock, in dollars")
figure.legend(*[(a, c, b) for a, b, c, _ in ax.get_legend_handles_labels()], loc="outside lower center", ncols=3)
save(figure, "example-options.png")
