"""A net that knows physics: it finds a damped oscillation from the equation of motion alone, without any data.

The equation is x'' + 2 d x' + w² x = 0, released from rest at x = 1.  The loss is how much the net violates it.
"""

import numpy as np
from shared import COLORS, GREY, by_powers, panels, parser, save

import autodiff as ad
from autodiff import nn, optim

options = parser.parse_args()
d, w = 0.3, 3.0
times = np.linspace(0, 6, 120)[:, None]
net = nn.MLP([1, 32, 32, 1], nn.Tanh, rng=0)


def x(t):
    """The net's curve, which starts at 1 with slope 0 whatever the net says."""
    return 1 + ad.tanh(t) ** 2 * net(t / 3 - 1)


def slope(f):
    """The derivative of a function of time, which is a function of time; so it can be taken twice."""
    return lambda t: ad.jvp(f, (t,), (np.ones(t.shape),))[1]


@ad.compile
def loss_of(t):
    violation = slope(slope(x))(t) + 2 * d * slope(x)(t) + w**2 * x(t)
    return ad.sum(violation**2)


def closure():
    optimizer.zero_grad()
    loss = loss_of(times)
    loss.backward()
    return loss


v = np.sqrt(w**2 - d**2)
exact = np.exp(-d * times) * (np.cos(v * times) + d / v * np.sin(v * times))
optimizer = optim.LBFGS(net.parameters(), history_size=50, tolerance_change=1e-12, line_search_fn="strong_wolfe")

figure, (left, right) = panels(columns=2)
left.plot(times, exact, color=GREY, lw=5, alpha=0.4, label="exact")
steps, errors = 5 if options.quick else 200, []
for step in range(1, steps + 1):
    loss = optimizer.step(closure).item()
    with ad.no_grad():
        found = x(times).numpy()
    errors.append(np.abs(found - exact).max())
    if step in (2, 5, steps):
        left.plot(times, found, color=COLORS[{2: 4, 5: 1}.get(step, 0)], label=f"net after step {step}")
    if step % (steps // 5) == 0:
        print(f"step {step:3d}   loss {loss:9.2e}   largest error {errors[-1]:.1e}")

left.set(title="x", xlabel="time")
left.legend()
right.plot(range(1, steps + 1), errors)
right.set(title="Largest error", xlabel="step of L-BFGS")
by_powers(right.yaxis)
save(figure, "example-oscillator.png")
