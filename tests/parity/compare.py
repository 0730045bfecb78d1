"""Running a layer here and the same layer of PyTorch side by side."""

import numpy as np
import torch

import autodiff as ad


def flat(x):
    if isinstance(x, tuple | list):
        return [z for y in x for z in flat(y)]
    return [] if x is None else [x]


def near(found, expected, what):
    found = np.asarray(found.data if isinstance(found, ad.Tensor) else found)
    expected = expected.detach().numpy() if isinstance(expected, torch.Tensor) else np.asarray(expected)
    assert found.shape == expected.shape, what
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10, err_msg=what)


def same(ours, theirs, *inputs, modes=(True, False), calls=2, options=(), their_options=None):
    """Same names, shapes, results, gradients and buffers, from the same weights, while training and not."""
    state = theirs.state_dict()
    assert [(name, x.shape) for name, x in ours.state_dict().items()] == [
        (name, tuple(x.shape)) for name, x in state.items()
    ]
    ours.load_state_dict({name: x.numpy() for name, x in state.items()})
    for mode in modes:
        ours.train(mode)
        theirs.train(mode)
        for _ in range(calls):
            one_call(ours, theirs, inputs, options, their_options)
        for name, x in theirs.state_dict().items():
            near(ours.state_dict()[name], x, name)


def one_call(ours, theirs, inputs, options=(), their_options=None):
    ours.zero_grad()
    theirs.zero_grad()
    same_function(ours, theirs, *inputs, options=options, their_options=their_options)
    gradients = dict(theirs.named_parameters())
    for name, p in ours.named_parameters():
        near(p.grad, gradients[name].grad, f"gradient of {name}")


def same_function(ours, theirs, *inputs, options=(), their_options=None):
    """Same results, and gradients of the inputs."""
    options = dict(options)
    their_options = in_torch(options) if their_options is None else their_options
    xs = [ad.Tensor(x) if is_real(x) else x for x in inputs]
    ts = [torch.tensor(x, requires_grad=is_real(x)) if isinstance(x, np.ndarray) else x for x in inputs]
    found, expected = flat(ours(*xs, **options)), flat(theirs(*ts, **their_options))
    assert len(found) == len(expected)
    total, goal = 0, 0
    for k, (y, t) in enumerate(zip(found, expected, strict=True)):
        near(y, t, f"result {k}")
        weights = np.random.default_rng(k).normal(size=tuple(t.shape))
        total, goal = total + ad.sum(y * weights), goal + (t * torch.tensor(weights)).sum()
    if not goal.requires_grad:
        assert not isinstance(total, ad.Tensor) or not total.requires_grad
        return
    total.backward()
    goal.backward()
    for k, (x, t) in enumerate(zip(xs, ts, strict=True)):
        if isinstance(t, torch.Tensor) and t.requires_grad:
            near(x.grad, t.grad, f"gradient of input {k}")


def is_real(x):
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def in_torch(options):
    return {name: torch.tensor(x) if isinstance(x, np.ndarray) else x for name, x in options.items()}


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)
