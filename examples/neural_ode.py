"""A net that learns a law of motion from spirals: the right side of a differential equation, through its solutions.

The true law is y' = A y³, with the cube of each coordinate.  The net sees noisy points, never a rate of change; the
gradient goes through the solver.  Method and law: R. T. Q. Chen and others, Neural Ordinary Differential Equations,
NeurIPS (2018).  The points are computed here; they are no measured data.
"""

import numpy as np
from shared import COLORS, GREY, by_powers, panels, parser, save

import autodiff as ad
from autodiff import calculus, nn, optim

options = parser.parse_args()
A = np.array([[-0.1, 2.0], [-2.0, -0.1]])
rng = np.random.default_rng(0)
noise = 0.02
times = np.linspace(0, 10, 201)
starts = np.array([[1.5, 0.0], [0.0, 1.2], [-1.0, 0.8]])
truth = calculus.odeint(lambda t, y: y**3 @ A.T, starts, times, rtol=1e-9)
seen = truth[::2] + noise * rng.normal(size=truth[::2].shape)  # every other time is held out
seen[0] = starts
net = nn.MLP([2, 32, 2], nn.Tanh, rng=0)


def solve(y0, times):
    return calculus.odeint(lambda t, y: net(y**3), y0, times, method="rk4", step=0.05)


def tested():
    """The spirals by the net, and their mean distance from the true ones at the times held out."""
    with ad.no_grad():
        paths = np.asarray(solve(starts, times))
    return paths, np.linalg.norm(paths - truth, axis=-1)[1::2].mean()


def closure():
    """How far the net's curves are from what was seen, over ``length`` points from the points ``first`` as starts."""
    wanted = np.stack([seen[first + k] for k in range(length + 1)])
    loss = ad.mean((solve(seen[first], times[: 2 * length + 1 : 2]) - wanted) ** 2)
    optimizer.zero_grad()
    loss.backward()
    return loss


weights = net.parameters()
stages = (  # far from the law long pieces go astray, so the first are short; the last are the whole spirals
    (10, 20 if options.quick else 400, optim.Adam(weights, lr=0.02)),
    (40, 0 if options.quick else 150, optim.Adam(weights, lr=0.005)),
    (100, 1 if options.quick else 80, optim.LBFGS(weights, max_iter=1, max_eval=25, line_search_fn="strong_wolfe")),
)
total, history = 0, [(0, tested()[1])]
for length, count, optimizer in stages:
    for _ in range(count):
        first = rng.choice(len(seen) - length, min(32, len(seen) - length), replace=False)
        loss = optimizer.step(closure)
        total += 1
        if length == 100 or total % 10 == 0:
            history.append((total, tested()[1]))
    if count:
        print(f"pieces of {length:3d}: root of loss {np.sqrt(loss.item()):.4f}   held-out error {history[-1][1]:.4f}")

paths, error = tested()
straight = (seen[:-1] + seen[1:]) / 2
distance = np.linalg.norm(straight - truth[1::2], axis=-1).mean()
print(f"mean distance from the true spirals at held-out times: {error:.4f}; halfway between the points: {distance:.4f}")

figure, (left, right) = panels(columns=2, height=2.7)
for k, color in enumerate(COLORS[:3]):
    left.plot(*seen[::4, k].T, ".", ms=4, color=color, zorder=3)
    left.plot(*truth[:, k].T, color="0.8", lw=4, label=None if k else "true")
    left.plot(*paths[:, k].T, color=color, lw=1, label=None if k else "by the net")
left.set(title="Spirals, from points to curves", aspect="equal")
left.legend(loc="center left", bbox_to_anchor=(1, 0.5))
right.plot(*np.transpose(history))
right.axhline(distance, color=GREY, lw=1, ls="--", label="halfway between the points seen")
right.set(title="Mean error at held-out times", xlabel="step of Adam, the last 80 of L-BFGS")
right.legend()
by_powers(right.yaxis)
save(figure, "example-neural-ode.png")
