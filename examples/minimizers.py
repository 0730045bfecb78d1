"""Three ways down Rosenbrock's valley: gradient descent, Newton's method and BFGS, with exact derivatives.

Their paths are drawn over the contours of the function, and their evaluations are counted beside those of SciPy's:
``pip install '.[scipy]'``.  No data; the function is of H. Rosenbrock, The Computer Journal 3 (1960) 175-184.
"""

import numpy as np
from scipy import optimize
from shared import panels, parser, save

from autodiff import calculus

START = np.array([-1.2, 1.0])
GTOL = 1e-3 if parser.parse_args().quick else 1e-8


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def row(name, steps, values, gradients, hessians, x):
    print(f"{name:24s}{steps:7d}{values:9d}{gradients:11d}{hessians:10d}{np.abs(x - 1).max():14.1e}")


print(f"{'method':24s}{'steps':>7s}{'values':>9s}{'gradients':>11s}{'Hessians':>10s}{'error of x':>14s}")
own = [calculus.minimize(rosenbrock, START, method=name, gtol=GTOL) for name in ("gradient descent", "newton", "bfgs")]
for found in own:
    row(found.method, found.nit, found.nfev, found.njev, found.nhev, found.x)
for method in ("CG", "BFGS", "L-BFGS-B", "trust-exact"):
    found = calculus.minimize(rosenbrock, START, method=method, gtol=GTOL)
    row(f"SciPy's {method}", found.nit, found.nfev, found.njev, found.nhev, found.x)
found = optimize.minimize(rosenbrock, START, method="BFGS", options={"gtol": GTOL})  # it has no derivatives
row("BFGS by differences", found.nit, found.nfev, 0, 0, found.x)

figure, (left, right) = panels(1, 2, height=2.7)
calculus.plot_paths(*own, ax=left)
left.get_legend().remove()
left.set_title("The three paths over contours")
for found in own:
    distance = np.linalg.norm(found.path - 1, axis=1)
    right.loglog(np.arange(1, found.nit + 2), distance, label=found.method)
right.set(title="Distance from the minimum", xlabel="point of the path", ylim=(1e-15, 10))
right.legend(loc="lower right")
save(figure, "example-minimizers.png")
