"""Two nets against each other: a generator learns to make points on a ring of eight spots, which it never sees.

It is told only, by the slope of the critic's verdict, what would make its points look more real to the critic.
"""

import numpy as np
from shared import BLUE, ORANGE, panels, parser, save

import autodiff as ad
from autodiff import nn, optim

options = parser.parse_args()
rng = np.random.default_rng(0)
BATCH, SPREAD = 256, 0.05
angles = np.arange(8) * np.pi / 4
spots = np.stack([np.cos(angles), np.sin(angles)], axis=1)


def real_points(n):
    return (spots[rng.integers(8, size=n)] + SPREAD * rng.normal(size=(n, 2))).astype(np.float32)


def noise(n):
    return rng.normal(size=(n, 4)).astype(np.float32)


generator = nn.MLP([4, 64, 64, 2], dtype=np.float32, rng=rng)
critic = nn.MLP([2, 128, 128, 1], nn.LeakyReLU(0.2), dtype=np.float32, rng=rng)


@ad.compile
def critics_loss(real, made):
    """How badly the critic tells real points from made ones: -log p of the right verdicts."""
    return ad.mean(ad.softplus(-critic(real))) + ad.mean(ad.softplus(critic(made)))


@ad.compile
def makers_loss(z):
    """How badly the generator's points pass for real ones."""
    return ad.mean(ad.softplus(-critic(generator(z))))


@ad.compile
def make(z):
    return generator(z)


def spots_hit(points):
    """The share of points within four standard deviations of a spot, and how many each spot got."""
    distance = np.linalg.norm(points[:, None] - spots, axis=2)
    near = distance.min(axis=1) < 4 * SPREAD
    return near.mean(), np.bincount(distance.argmin(axis=1)[near], minlength=8)


makers = optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.99))
critics = optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.99))
steps = 100 if options.quick else 10_000
schedules = [optim.lr_scheduler.LinearLR(o, 1, 0.01, total_iters=steps) for o in (makers, critics)]
shown = {}
for step in range(steps + 1):
    if step in (0, steps // 20, steps // 5, steps):
        with ad.no_grad():
            shown[step] = np.asarray(make(noise(2000)))
        near, counts = spots_hit(shown[step])
        print(f"step {step:5d}   near a spot {near:6.1%}   at each {counts}")
    with ad.no_grad():
        made = np.asarray(make(noise(BATCH)))
    critics.zero_grad()
    critics_loss(real_points(BATCH), made).backward()
    critics.step()
    makers.zero_grad()
    makers_loss(noise(BATCH)).backward()
    makers.step()
    for schedule in schedules:
        schedule.step()

figure, row = panels(columns=len(shown), height=2.4, sharex=True, sharey=True)
for ax, (step, points) in zip(row, shown.items()):
    ax.scatter(*spots.T, s=260, color=ORANGE, alpha=0.25, lw=0)
    ax.scatter(*points.T, s=1, color=BLUE, lw=0)
    ax.set_title(f"step {step:,}: {spots_hit(points)[0]:.1%} near", loc="center")
    ax.set(aspect="equal", xlim=(-1.4, 1.4), ylim=(-1.4, 1.4))
    ax.set_axis_off()
save(figure, "example-gan-ring.png")
