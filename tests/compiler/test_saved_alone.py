"""What ``save`` writes needs NumPy alone: results and gradients of a process that cannot import the package."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn

rng = np.random.default_rng(0)
IMAGES, ROWS, v = rng.normal(size=(2, 1, 5, 5)), rng.normal(size=(3, 4)), rng.normal(size=4)
KERNEL = ad.Tensor(rng.normal(size=(2, 1, 2, 2)))
MLP, HEAD = nn.MLP([4, 5, 1], nn.Tanh, rng=0), nn.MLP([4, 3], rng=0)

PROGRAMS = {
    "a net": (lambda x: ad.mean(MLP(x) ** 2), ROWS, MLP.parameters()),
    "a softmax": (lambda x: nn.functional.cross_entropy(HEAD(x), np.array([0, 1, 0])), ROWS, HEAD.parameters()),
    "a convolution": (lambda x: ad.sum(ad.conv2d(x, KERNEL) ** 2), IMAGES, [KERNEL]),
    "a hessian": (ad.hessian(lambda x: ad.sum(ad.tanh(x) ** 3)), v, []),
    "an inverse": (lambda x: np.linalg.inv(x @ x.T + np.eye(3)).sum(), ROWS, []),
    "a large constant": (lambda x: x * np.arange(400.0).reshape(100, 4).sum(0), v, []),
    "half precision": (lambda x: ad.sum(x * x), v.astype(np.float16), []),
}

ALONE = """
import pickle, sys
sys.modules["autodiff"] = sys.modules["scipy"] = None
sys.path.insert(0, ".")
import numpy as np, saved
data, parameters = pickle.load(open("data", "rb"))
(y,) = saved.forward(*data)
rooms = ([np.empty_like(p) for p in parameters],) if parameters else ()
grads = saved.backward(np.ones_like(y), *data, *rooms) if parameters else ()
pickle.dump((y, grads), open("found", "wb"))
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_saved_programs_alone(name, tmp_path):
    f, x, parameters = PROGRAMS[name]
    compiled = ad.compile(f)
    y = compiled(x)
    compiled.save(tmp_path / "saved.py")
    for p in parameters:
        p.grad = None
    if parameters:
        y.backward()
    (special,) = compiled._special.values()
    read = [p._data for p in special.outside]
    (tmp_path / "data").write_bytes(pickle.dumps(([x, *read], read)))
    done = subprocess.run([sys.executable, "-I", "-c", ALONE], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found, grads = pickle.loads((tmp_path / "found").read_bytes())
    np.testing.assert_array_equal(found, ad.core.node.data_of(y))
    for p, g in zip(special.outside, grads, strict=bool(parameters)):
        np.testing.assert_array_equal(g, p.grad)
