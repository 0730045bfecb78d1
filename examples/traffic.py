"""A bridge that makes everyone later: the network of Braess, by the integral of Beckmann.

Each driver takes the quickest way.  The state that this leads to is where a sum of integrals is least: of the time on
each link, from no flow to its flow.  The slope of an integral in its limit is the time itself, so there all ways in use
are equally quick.  The total time has other slopes: what a driver also costs the others.  As tolls they set it right.

Network of D. Braess, Unternehmensforschung 12 (1968) 258-268: 6 units of traffic take 92 each with the bridge and 83
without it.  Typed in.
"""

import numpy as np
from shared import BLUE, GREEN, ORANGE, panels, parser, save

import autodiff as ad
from autodiff import calculus

demands = np.linspace(0.5, 12, 8 if parser.parse_args().quick else 47)
EMPTY, RISE = np.array([0.0, 50.0, 50.0, 0.0, 10.0]), np.array([10.0, 1.0, 1.0, 10.0, 1.0])
LINKS = np.array([[1, 0, 1, 0, 0], [0, 1, 0, 1, 0], [1, 0, 0, 1, 1]])  # of three ways; the last one is over the bridge


def times(flows):
    """What each link takes."""
    return EMPTY + RISE * flows


def beckmann(flows):
    return calculus.integrate(lambda part: ad.sum(flows * times(part * flows)), 0.0, 1.0)


def total(flows):
    return ad.sum(flows * times(flows))


def ordered_by(objective, ways, demand=6.0):
    """The flows on the links, with the demand spread over the ways so that the objective is least."""
    start = np.full(len(ways), demand / len(ways))
    return calculus.minimize(lambda trips: objective(trips @ ways), start, simplex=demand).x @ ways


free, without, best = (ordered_by(f, w) for f, w in ((beckmann, LINKS), (beckmann, LINKS[:2]), (total, LINKS)))
slopes = ad.grad(beckmann)(free)
print(f"slopes of Beckmann's function {slopes.round(6)}, times on the links {times(free).round(6)}")
print(f"each driver takes {total(free) / 6:.4f} with the bridge  (Braess: 92)")
print(f"each driver takes {total(without) / 6:.4f} without it  (Braess: 83)")
tolls = ad.grad(total)(best) - ad.grad(beckmann)(best)
tolled = ordered_by(lambda flows: beckmann(flows) + ad.sum(tolls * flows), LINKS)
print(f"price of anarchy {total(free) / total(best):.4f}  (552 / 498 = {552 / 498:.4f})")
print(f"with tolls of {tolls.round(4)} each takes {total(tolled) / 6:.4f}, and the bridge is left by all but", end=" ")
print(f"{abs(tolled[4]):.4f}")

figure, ax = panels(height=3.4)
for label, objective, ways, color in (
    ("with the bridge", beckmann, LINKS, ORANGE),
    ("without it", beckmann, LINKS[:2], BLUE),
    ("with the bridge and tolls: the least there can be", total, LINKS, GREEN),
):
    means = [total(ordered_by(objective, ways, demand)) / demand for demand in demands]
    ax.plot(demands, means, color=color, label=label, ls="--" if objective is total else "-")
ax.set(title="Time that a driver takes", xlabel="demand")
ax.legend()
save(figure, "example-traffic.png")
