"""Newton's method on Rosenbrock's valley, with an exact Hessian."""

import numpy as np

import autodiff as ad


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


x = np.array([-1.2, 1.0, 0.8])
for step in range(50):
    g = ad.grad(rosenbrock)(x)
    print(f"step {step:2d}   f {rosenbrock(x):12.6g}   |gradient| {np.linalg.norm(g):10.3g}")
    if np.linalg.norm(g) < 1e-10:
        break
    direction = -np.linalg.solve(ad.hessian(rosenbrock)(x), g)
    length = 1.0
    while length > 1e-4 and rosenbrock(x + length * direction) > rosenbrock(x):
        length /= 2
    x = x + length * direction

print("minimum at", x.round(6))
