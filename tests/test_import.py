"""What ``import autodiff`` costs, and what it leaves alone."""

import os
import subprocess
import sys

HEAVY = ["matplotlib", "numba", "scipy", "tqdm", "graphviz", "sympy", "mpmath", "IPython"]


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_import_loads_no_optional_package():
    loaded = run(f"import sys, autodiff; print([m for m in {HEAVY} if m in sys.modules])")
    assert loaded == "[]"


def test_import_costs_little_more_than_numpy(tmp_path):
    """At most 1.3 times ``import numpy``, side by side, byte code cached as an installation has it."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def seconds(module):
        code = f"import time; t = time.thread_time(); import {module}; print(time.thread_time() - t)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        return float(done.stdout)

    seconds("autodiff")  # writes the byte code
    pairs = [(seconds("numpy"), seconds("autodiff")) for _ in range(15)]
    numpy, ours = map(min, zip(*pairs, strict=True))  # processor time of the least disturbed runs: others run beside it
    assert ours <= 1.3 * numpy
