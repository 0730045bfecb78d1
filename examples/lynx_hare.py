"""Who eats and who is eaten: the equations of Lotka and Volterra, fitted to the furs that hunters brought.

dh/dt = α h - β h l for the hares and dl/dt = -γ l + δ h l for the lynxes, from a start that is fitted as well.  What is
made least is the squares of the differences of logarithms, since a count errs by a share of itself.

Pelts in thousands that the Hudson's Bay Company collected in Canada, 1900 to 1920, as read off by P. Howard (2009) from
E. Odum, Fundamentals of Ecology (1953): facts of record, which no one owns.  The references are of the same fit by
SciPy's ``solve_ivp`` and ``least_squares``, with differences for slopes.
"""

import numpy as np
from shared import BLUE, ORANGE, panels, parser, save

import autodiff as ad
from autodiff import calculus

parser.parse_args()
YEARS = np.arange(1900.0, 1921.0)
HARES = [30.0, 47.2, 70.2, 77.4, 36.3, 20.6, 18.1, 21.4, 22.0, 25.4, 27.1, 40.3, 57.0, 76.6, 52.3, 19.5, 11.2, 7.6]
LYNXES = [4.0, 6.1, 9.8, 35.2, 59.4, 41.7, 19.0, 13.0, 8.3, 9.1, 7.4, 8.0, 12.3, 19.5, 45.7, 51.1, 29.7, 15.8]
PELTS = np.array([[*HARES, 14.6, 16.2, 24.7], [*LYNXES, 9.7, 10.1, 8.6]]).T
REFERENCES = {"α": "0.540", "β": "0.0272", "γ": "0.796", "δ": "0.0237"}
START = np.array([0.5, 0.03, 0.8, 0.03, 30.0, 4.0])  # of the four and of the animals in 1900


def animals(unknowns, years):
    """Hares and lynxes in each year."""
    alpha, beta, gamma, delta = unknowns[:4]
    alone, together = ad.stack([alpha, -gamma]), ad.stack([-beta, delta])
    return calculus.odeint(lambda t, y: y * (alone + together * y[::-1]), unknowns[4:], years)


fit = calculus.least_squares(lambda unknowns: ad.ravel(ad.log(animals(unknowns, YEARS)) - np.log(PELTS)), START)
for name, x, error in zip([*REFERENCES, "hares in 1900", "lynxes in 1900"], fit.x, fit.std):
    print(f"{name} = {x:.4f} ± {error:.4f}" + (f"  (reference: {REFERENCES[name]})" if name in REFERENCES else ""))
off = np.sqrt(2 * fit.cost / (PELTS.size - len(fit.x)))
print(f"after {fit.nit} steps; counts differ from the curves by {100 * off:.0f} %")

figure, (left, right) = panels(columns=2, height=3.2, width_ratios=[1.7, 1])
course = np.linspace(1900, 1920, 401)
found = animals(fit.x, course)
for k, (name, color) in enumerate({"hares": BLUE, "lynxes": ORANGE}.items()):
    left.plot(YEARS, PELTS[:, k], "o", color=color, ms=4)
    left.plot(course, found[:, k], color=color, label=name)
left.set(title="Pelts in thousands, and the fitted course", xticks=range(1900, 1921, 5))
left.legend()
right.plot(*PELTS.T, "o", color="0.45", ms=4)
right.plot(*found.T, color=BLUE)
right.set(title="The same, against each other", xlabel="thousand hares", ylabel="thousand lynxes")
save(figure, "example-lynx-hare.png")
