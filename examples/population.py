"""How many people can a country hold?  Logistic growth, fitted through its differential equation to a census.

dN/dt = r N (1 - N / K) is solved from the year t₀ where N is half of K, backwards and forwards, and the solution is
differentiated by K, r and t₀.  The fit to 1790-1940 is close and its errors are small, yet sixty more years undo it.
That is the lesson: the errors say how well the curve is known if growth is logistic, and not whether it is.

Resident population in millions, as counted by the US Census Bureau; works of the US government, public domain.  The
references are of SciPy's ``curve_fit`` with the closed solution K / (1 + exp(-r (t - t₀))) and differences for slopes.
"""

import numpy as np
from shared import BLUE, GREEN, GREY, ORANGE, panels, parser, save

import autodiff as ad
from autodiff import calculus

parser.parse_args()
YEARS = np.arange(1790.0, 2010.0, 10.0)
EARLIER = [3.929, 5.308, 7.240, 9.638, 12.866, 17.069, 23.192, 31.443, 38.558, 50.189, 62.980]  # to 1890
LATER = [76.212, 92.228, 106.022, 123.203, 132.165, 151.326, 179.323, 203.302, 226.542, 248.710, 281.422]
PEOPLE = np.array([*EARLIER, *LATER])


def population(years, K, r, t0):  # noqa: N803
    """In millions, in years that go up."""

    def solved(times):
        return calculus.odeint(lambda t, n: r * n * (1 - n / K), K / 2, ad.stack([t0, *times]), rtol=1e-5)[1:]

    now = years.searchsorted(np.asarray(ad.stop_gradient(t0)))
    return ad.concatenate([ad.flip(solved(years[:now][::-1])), solved(years[now:])])


figure, ax = panels(height=3.4)
for last, reference, color in ((1910, "198", GREEN), (1940, "186, 0.0322, 1910.7", BLUE), (2000, "441", ORANGE)):
    seen = last >= YEARS
    fit = calculus.curve_fit(population, YEARS[seen], PEOPLE[seen], [200.0, 0.03, 1910.0])
    K, r, t0 = (f"{x:.{n}f} ± {error:.{n}f}" for x, error, n in zip(fit.x, fit.std, (1, 4, 1)))
    print(f"1790-{last}: K {K} million, r {r} a year, t₀ {t0}  (reference: {reference})")
    course = np.arange(1790.0, 2051.0)
    ax.plot(course, population(course, *fit.x), color=color, label=f"fitted to 1790–{last}: K = {fit.x[0]:.1f} million")
ax.plot(YEARS, PEOPLE, "o", color=GREY, ms=4, label="census")
ax.set(title="People of the United States, in millions", ylim=(0, 420))
ax.legend()
save(figure, "example-population.png")
