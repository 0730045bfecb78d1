"""Chaos: how fast two neighbours on the Lorenz attractor part, by forward mode through the solver.

The tangent of the flow says what becomes of a tiny difference.  Its mean growth rate is the largest Lyapunov exponent,
published as 0.9056: J. C. Sprott, Chaos and Time-Series Analysis, Oxford (2003).  No data.
"""

import numpy as np
from shared import GREY, ORANGE, panels, parser, save

import autodiff as ad
from autodiff import calculus

PUBLISHED = 0.9056
options = parser.parse_args()


def lorenz(t, y):
    x, y, z = y[..., 0], y[..., 1], y[..., 2]
    return ad.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], axis=-1)


def after(duration):
    """The flow: where the states are so much later."""
    return lambda y: calculus.odeint(lorenz, y, [0, duration], method="rk4", step=0.01)[-1]


rng = np.random.default_rng(0)
paths, units = 400, 20 if options.quick else 100
states = after(20.0)(rng.normal([0, 0, 25], size=(paths, 3)))  # by then all are on the attractor
tangents = rng.normal(size=(paths, 3))
flow = after(1.0)

growth = []
for unit in range(-5, units):  # in the first five units the tangents turn into the direction that grows fastest
    states, tangents = ad.jvp(flow, (states,), (tangents,))
    size = np.linalg.norm(tangents, axis=-1, keepdims=True)
    tangents = tangents / size  # or it would overflow
    if unit >= 0:
        growth.append(np.log(size[:, 0]))
of_paths = np.cumsum(growth, axis=0) / np.arange(1, units + 1)[:, None]
exponents = of_paths.mean(1)
errors = of_paths.std(1, ddof=1) / np.sqrt(paths)
print(f"largest Lyapunov exponent: {exponents[-1]:.4f} ± {errors[-1]:.4f}; published: {PUBLISHED}")

start, small = states[0], 1e-9 * np.array([1.0, 0, 0])
tangent, one, other = small * 1e9, start, start + small
lengths, parted = [1.0], [1.0]
for _ in range(30):
    other = flow(other)
    one, tangent = ad.jvp(flow, (one,), (tangent,))
    lengths.append(np.linalg.norm(tangent))
    parted.append(np.linalg.norm(other - one) / 1e-9)
parted_by, expected = 1e-9 * parted[10], 1e-9 * lengths[10]
print(f"after 10 units a start moved by 1e-9 is off by {parted_by:.3e}; its tangent says {expected:.3e}")

figure, (left, right) = panels(columns=2)
left.plot(lengths, color=GREY, lw=5, alpha=0.4, label="tangent of the flow")
left.plot(parted, color=ORANGE, label="difference of two runs, per 10⁻⁹")
left.set(title="How far two neighbours part", xlabel="time")
left.set_yscale("log")
left.legend()
time = np.arange(1, units + 1)
right.axhline(PUBLISHED, color=GREY, lw=1, label=f"published: {PUBLISHED}")
right.fill_between(time, exponents - 2 * errors, exponents + 2 * errors, alpha=0.3, lw=0)
right.plot(time, exponents, label=f"mean of {paths} paths, ± 2 standard errors")
right.set(title="Largest Lyapunov exponent", xlabel="time averaged over", ylim=(0.7, 1.1))
right.legend()
save(figure, "example-lorenz.png")
