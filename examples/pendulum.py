"""A pendulum swung up by a motor too weak to lift it: the gradient goes through the simulation, to the torque.

The equation is a'' = -sin a - 0.05 a' + u(t), with a the angle from hanging, in units of length and gravity.  The motor
has |u| < 0.4, and holding the pendulum sideways takes 1.  The answer is simulated again by SciPy, which knows nothing
of gradients: ``pip install '.[scipy]'``.  No data.
"""

import numpy as np
from scipy.integrate import solve_ivp
from shared import BLUE, GREY, ORANGE, panels, parser, save

import autodiff as ad
from autodiff import calculus, optim

options = parser.parse_args()
duration, limit, friction = 20.0, 0.4, 0.05
modes = np.pi / duration * np.arange(1, 17)
hanging, upright = np.array([0.0, 0.0]), np.array([np.pi, 0.0])
weights = ad.Tensor(np.random.default_rng(0).normal(size=modes.size) * 0.3)


def torque(t, weights):
    """A smooth curve that the motor can follow, zero at both ends."""
    return limit * ad.tanh(np.sin(modes * t) @ weights)


def motion(weights):
    """The right side of the equation for the angle and its rate."""
    return lambda t, y: ad.stack([y[1], -ad.sin(y[0]) - friction * y[1] + torque(t, weights)])


def end(weights):
    return calculus.odeint(motion(weights), hanging, [0, duration], method="rk4", step=0.05)[-1]


def closure():
    optimizer.zero_grad()
    loss = ad.sum((end(weights) - upright) ** 2)
    loss.backward()
    return loss


optimizer = optim.LBFGS([weights], max_iter=1, max_eval=25, line_search_fn="strong_wolfe")
distances = []
for step in range(6 if options.quick else 31):
    distances.append(np.sqrt(optimizer.step(closure).item()))
    if step % 10 == 0:
        print(f"step {step:2d}   distance from standing upright at rest {distances[-1]:.2e}")

found = weights.numpy()
with ad.no_grad():
    ours = np.asarray(end(found))
times = np.linspace(0, duration, 401)
plain = solve_ivp(motion(found), (0, duration), hanging, "DOP853", times, rtol=1e-11, atol=1e-11).y
print(f"final distance: {np.linalg.norm(ours - upright):.1e}; simulated again by SciPy: ", end="")
print(f"{np.linalg.norm(plain[:, -1] - upright):.1e}")
print(f"largest torque: {max(abs(torque(t, found)) for t in times):.3f} of {limit}")

figure, (left, right) = panels(columns=2)
left.plot(times, plain[0] / np.pi, color=BLUE, label="angle, in half turns")
left.plot(times, [torque(t, found) for t in times], color=ORANGE, label="torque")
left.axhline(1, color=GREY, lw=1, ls="--", label="upright")
left.set(title="Swinging up", xlabel="time", ylim=(-0.5, 1.7))
left.legend(loc="upper left")
right.semilogy(distances)
right.set(title="Distance from upright and at rest at the end", xlabel="step of L-BFGS")
save(figure, "example-pendulum.png")
