"""Random functions with Python around their ops, and in-place writes in them: compiled as they are, to second order."""

import linecache
import random

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.node import data_of

OPS = """
ad.tanh({}); ad.sin({}); ad.exp(-{}**2); np.abs({}); {} * 2.0; -{}; {}**3; np.sort({}, axis=-1); np.cumsum({}, axis=0)
ad.relu({}); {}[::-1]; {}.copy(); {}.reshape(-1).reshape(3, 4); np.where({} > 0, {}, 0.5); ad.softmax({})
np.roll({}, 1); {} - {}.mean(0); {}.max(axis=1, keepdims=True) * {}; np.clip({}, -1, 1); ad.stop_gradient({})
{}[[0, 0, 2]]; np.tril({}); np.stack([{}[0], {}[1], {}[2]])
np.concatenate([{}[:1], {}[1:]]); np.concatenate([{}, {}])[1:4]; ad.log({}**2 + 1)
{} + {}; {} * {}; {} - {}; np.maximum({}, {}); np.hypot({}, {}); {} / ({}**2 + 2); np.stack([{}, {}]).sum(0); {}[0] * {}
"""
TEMPLATES = [op.strip() for line in OPS.strip().splitlines() for op in line.split(";")]
W = ad.Tensor(np.random.default_rng(0).normal(size=4))
scale = 0.7


def written(rng):
    """The source of a function of two arrays of shape (3, 4) and a number."""
    names, lines = ["x", "y"], ["def f(x, y, k):"]

    def one():
        return rng.choice(names)

    for i in range(rng.randint(3, 8)):
        new, kind = f"v{i}", rng.random()
        if kind < 0.6:
            op = rng.choice(TEMPLATES)
            lines += [f"    {new} = {op.format(*[one() for _ in range(op.count('{}'))])}"]
        elif kind < 0.7:
            lines += [
                f"    {new} = {one()} * 1",
                f"    {new} {rng.choice(['+=', '*=', '-='])} {rng.choice([new, 'k'])}",
            ]
        elif kind < 0.8:
            lines += [f"    {new} = {one()}.copy()", f"    {new}[{rng.choice(['0', '1:', ':, 0', '[0, 2]'])}] = k"]
        elif kind < 0.9:
            lines += [f"    {new} = {one()}", "    for i in range(3):", f"        {new} = {new} * 0.5 + {one()} * i"]
        else:
            lines += [f"    parts = {{'a': {one()}, 'b': [{one()}, W]}}"]
            lines += [f"    {new} = parts['a'] * parts['b'][1] + sum([parts['b'][0], {one()} * k, scale * {one()}])"]
        names.append(new)
    return "\n".join([*lines, f"    return {{'sum': ad.sum({names[-1]} * {one()}), 'rest': ({one()}, k, None)}}\n"])


def made(seed):
    """A random function."""
    source, name = written(random.Random(seed)), f"<random {seed}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    scope = {"ad": ad, "np": np, "W": W, "scale": scale}
    exec(compile(source, name, "exec"), scope)
    return scope["f"], source


def close(found, expected, source):
    found, expected = data_of(found), data_of(expected)
    size = np.max(np.abs(expected), initial=1.0)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11 * size, err_msg=source)


@pytest.mark.parametrize("seed", range(24))
def test_a_random_function_on_other_numbers(seed):
    f, source = made(seed)
    compiled = ad.compile(f)
    rng = np.random.default_rng(seed)
    for of in (np.asarray, ad.Tensor):
        for k in (0.3, 1.3):
            x, y = (of(a) for a in rng.normal(size=(2, 3, 4)))
            found = []
            for function in (f, compiled):
                W.grad = None
                out = function(x, y, k)
                if isinstance(out["sum"], ad.Tensor) and out["sum"].requires_grad:
                    out["sum"].backward()
                found.append([out["sum"], out["rest"][0], np.zeros(4) if W.grad is None else W.grad])
                assert out["rest"][1:] == (k, None)
            for one, other in zip(*found, strict=True):
                assert type(data_of(one)) is type(data_of(other))
                close(other, one, source)


@pytest.mark.parametrize("seed", range(0, 24, 2))
def test_derivatives_of_a_random_function(seed):
    f, source = made(seed)
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(3, 4))

    def loss(x):
        out = f(x, y, 0.5)
        return out["sum"] + ad.sum(out["rest"][0] ** 2)

    for derivative in (ad.grad(loss), lambda x: ad.hvp(loss, x, np.cos(x))):
        compiled = ad.compile(derivative)
        for x in rng.normal(size=(2, 3, 4)):
            close(compiled(x), derivative(x), source)
