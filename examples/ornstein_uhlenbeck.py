"""A path that wanders about a mean: its three parameters by the gradient of its exact likelihood.

The equation is dx = theta (mu - x) dt + sigma dW, the Ornstein-Uhlenbeck process.  From one observation to the next it
is a regression of x on what it was before; so least squares give the same answer in closed form, without a gradient.
The path is simulated here, with known parameters.
"""

import numpy as np
from shared import GREY, ORANGE, panels, parser, save

import autodiff as ad
from autodiff import calculus

options = parser.parse_args()
theta, mu, sigma = 1.5, 2.0, 0.6
dt, count = 0.1, 500 if options.quick else 4000
times = dt * np.arange(count + 1)
x = calculus.sdeint(lambda t, x: theta * (mu - x), lambda t, x: sigma, mu, times, step=dt / 64, rng=1)


def transition(p):
    """Mean and variance of each observation, given the one before."""
    kept = ad.exp(-p[0] * dt)
    return p[1] + (x[:-1] - p[1]) * kept, p[2] ** 2 / (2 * p[0]) * (1 - kept**2)


def loss(p):
    """The negative logarithm of the likelihood of all observations."""
    mean, variance = transition(p)
    return 0.5 * ad.sum((x[1:] - mean) ** 2 / variance + ad.log(2 * np.pi * variance))


def fit(p):
    """Newton's method, with half a step as often as needed."""
    while np.linalg.norm(step := np.linalg.solve(ad.hessian(loss)(p), ad.grad(loss)(p))) > 1e-10:
        while min(p[0] - step[0], p[2] - step[2]) <= 0 or loss(p - step) > loss(p) + 1e-9:
            step = step / 2
        p = p - step
    return p


start = np.array([1.0, x.mean(), np.sqrt(np.var(np.diff(x)) / dt)])
found = fit(start)
covariance = np.linalg.inv(ad.hessian(loss)(found))  # of the estimates, for many observations
errors = np.sqrt(np.diag(covariance))

slope, offset = np.polyfit(x[:-1], x[1:], 1)
spread = np.mean((x[1:] - offset - slope * x[:-1]) ** 2)
closed = np.array([-np.log(slope) / dt, offset / (1 - slope), 0])
closed[2] = np.sqrt(2 * closed[0] * spread / (1 - slope**2))

names = ("theta", "mu", "sigma")
print("        true   by likelihood      by regression")
for name, true, p, error, c in zip(names, (theta, mu, sigma), found, errors, closed):
    print(f"{name:5s}   {true:4.1f}   {p:.4f} ± {error:.4f}    {c:.4f}")
off = (found - (theta, mu, sigma)) / errors
print(f"largest difference of the two answers: {np.abs(found - closed).max():.1e}")
print(f"largest difference from the truth: {np.abs(off).max():.1f} standard errors")

figure, (left, right) = panels(columns=2)
shown = slice(0, 301)
left.plot(times[shown], x[shown])
left.axhline(found[1], color=GREY, lw=1, label=f"mu = {found[1]:.3f}")
left.set(title="The path", xlabel="time")
left.legend()
grid_theta = np.linspace(found[0] - 4 * errors[0], found[0] + 4 * errors[0], 41)
grid_sigma = np.linspace(found[2] - 4 * errors[2], found[2] + 4 * errors[2], 41)
loss_of = ad.vmap(ad.vmap(lambda a, s: loss(ad.stack([a, found[1], s])), (None, 0)), (0, None))
rise = loss_of(grid_theta, grid_sigma) - loss(found)
lines = right.contour(grid_theta, grid_sigma, rise.T, levels=[0.5, 2, 4.5], colors=["#0072B2"], linewidths=1.2)
right.clabel(lines, fmt={0.5: "1 σ", 2: "2 σ", 4.5: "3 σ"}, fontsize=7)
right.plot(*closed[[0, 2]], "o", color=ORANGE, label="by regression")
right.plot(theta, sigma, "+", color=GREY, ms=10, label="true")
right.set(title="Likelihood", xlabel="theta", ylabel="sigma")
right.legend(loc="upper left")
save(figure, "example-ornstein-uhlenbeck.png")
