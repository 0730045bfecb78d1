"""The plan of memory: no two variables that are needed at one time share a byte, and a step needs little of it."""

import numpy as np
import pytest
from alike import assert_same
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import captured

import autodiff as ad
from autodiff.compiler import buffers
from autodiff.compiler.buffers import plan_buffers
from autodiff.compiler.joined import JOIN
from autodiff.compiler.owned import own_outputs
from autodiff.compiler.packing import LINE, Span, lay_out
from autodiff.compiler.passes import simplify
from autodiff.compiler.program import variables
from autodiff.core.node import data_of
from tests.benchmarks import cnn, memory, mlp

STEPS = {
    "wider": lambda a, b, n: a @ np.linspace(-1, 1, a.shape[1] * n).reshape(a.shape[1], n),
    "tanh": lambda a, b, n: ad.tanh(a),
    "relu": lambda a, b, n: ad.relu(a - 0.1),
    "part": lambda a, b, n: a[:, : max(1, a.shape[1] - n)],
    "turned": lambda a, b, n: (a.T @ a)[: a.shape[0]],
    "beside": lambda a, b, n: ad.concatenate([a[: len(b)], b[: len(a)]], axis=1),
    "centred": lambda a, b, n: a - ad.mean(a, axis=0),
    "rows": lambda a, b, n: ad.stack([a[k] * n for k in range(len(a))]),
    "single": lambda a, b, n: ad.astype(a, np.float32) * np.float32(n),
    "flat": lambda a, b, n: ad.reshape(a, (-1, 1)) * n,
    "softmax": lambda a, b, n: ad.softmax(a, axis=1),
}
random_nets = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 50), st.integers(0, 50), st.integers(1, 5)),
    min_size=1,
    max_size=14,
)


def net(steps, x):
    """The sum of the last array after steps of which each takes some arrays that were made before."""
    made = [x]
    for kind, i, j, n in steps:
        y = STEPS[kind](made[-1 - i % min(3, len(made))], made[j % len(made)], n)
        made.append(y if y.size <= 60 else y[:5, :6])
    return sum(ad.sum(y * y) for y in made[-2:])


def program_of(steps):
    x = np.random.default_rng(0).normal(size=(4, 3))
    return own_outputs(simplify(captured(lambda x: net(steps, x), x)))


@pytest.fixture
def everything_packed(monkeypatch):
    monkeypatch.setattr(buffers, "LARGE", 1)
    monkeypatch.setattr(buffers, "WORTH", -(10**9))


def addresses(v, plan):
    """A number for each byte of a variable, in the shape of the variable with one axis more."""
    buffer = plan.place[v]
    if buffer.within is not None:
        return addresses(buffer.within, plan)[buffer.key]
    start = buffer.offset
    if start is None:
        start = 10**9 * (1 + plan.buffers.index(buffer))  # far from all others
    laid = [*[v.shape[axis] for axis in v.order], v.dtype.itemsize]
    return (start + np.arange(np.prod(laid))).reshape(laid).transpose(*np.argsort(v.order), len(v.order))


def check_plan(program, plan):
    """Follow byte by byte who wrote where last: whatever is read must be as it was written."""
    makers = {i.out: i for i in program.instructions}
    held = {}

    def memories(v):
        """The variables in whose memory this one may be."""
        if v in plan.place:
            return {v}
        views = v in makers and not makers[v].function.fresh
        return {m for w in makers[v].reads for m in memories(w)} if views else set()

    def check(v):
        for m in memories(v):
            mine = {m, plan.place[m].within}
            assert all(held[a] in mine for a in addresses(m, plan).flat), f"{m} was overwritten before it was read"

    for i in program.instructions:
        for v in i.reads:
            check(v)
        if i.out not in plan.place:
            continue
        into = addresses(i.out, plan)
        for v in i.reads if i.function is not JOIN else ():
            for m in memories(v):
                if np.intersect1d(into, addresses(m, plan)).size:
                    entrywise = i.function.kind == "ufunc" and i.function.call.signature is None
                    assert entrywise, f"{i.out} is written over {v}"
                    assert np.array_equal(into, addresses(m, plan)), f"{i.out} is written over part of {v}"
                    assert m is v, f"{i.out} is written over a view of {m}"
        held.update(dict.fromkeys(into.flat, i.out))
    for v in [*variables(program.outputs), *program.finite]:
        check(v)


@settings(max_examples=60, deadline=None)
@given(random_nets, st.booleans(), st.booleans())
def test_what_is_needed_is_not_overwritten(steps, packed, reuse_outputs):
    program = program_of(steps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buffers, "LARGE", 1)
        patch.setattr(buffers, "WORTH", -(10**9) if packed else 10**9)
        plan = plan_buffers(program, reuse_outputs=reuse_outputs)
    check_plan(program, plan)
    assert all((b.offset is not None) is packed for b in plan.buffers if b.size)


def test_the_check_bites(everything_packed):
    """Two arrays that are needed at one time, moved to the same bytes."""
    program = program_of([("tanh", 0, 0, 1), ("wider", 0, 0, 5), ("tanh", 0, 0, 1)])
    plan = plan_buffers(program)
    check_plan(program, plan)
    for buffer in plan.buffers:
        buffer.offset = 0
    with pytest.raises(AssertionError, match=r"was overwritten|is written over"):
        check_plan(program, plan)


@settings(max_examples=15, deadline=None)
@given(random_nets)
def test_packed_programs_compute_the_same(steps):
    f = lambda x: net(steps, x)  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buffers, "LARGE", 1)
        patch.setattr(buffers, "WORTH", -(10**9))
        packed = ad.compile(f)
        packed(ad.Tensor(np.ones((4, 3))))
    plain = ad.compile(f)
    for seed in (1, 2):
        x, same = (ad.Tensor(np.random.default_rng(seed).normal(size=(4, 3))) for _ in range(2))
        y, expected = packed(x), plain(same)
        y.backward()
        expected.backward()
        assert_same([y.data, x.grad], [expected.data, same.grad])


spans = st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 30), st.integers(0, 15)), max_size=30)


@given(spans)
def test_spans_that_meet_lie_apart(drawn):
    found = [Span(size, first, first + more) for size, first, more in drawn]
    offsets = lay_out(found)
    assert all(offset % LINE == 0 for offset in offsets)
    for k, (a, x) in enumerate(zip(found, offsets)):
        for b, y in list(zip(found, offsets))[:k]:
            meet = a.first <= b.last and b.first <= a.last
            assert not meet or x + a.size <= y or y + b.size <= x


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], []),
        ([Span(100, 0, 1), Span(70, 2, 3), Span(100, 4, 5)], [0, 0, 0]),
        ([Span(64, 0, 2), Span(128, 0, 4), Span(64, 3, 4)], [128, 0, 128]),
        ([Span(256, 0, 9), Span(64, 0, 3), Span(128, 4, 9), Span(64, 1, 9)], [0, 256, 256, 384]),
    ],
)
def test_layouts(found, expected):
    assert lay_out(found) == expected


def images(seed, n=8):
    return np.random.default_rng(seed).normal(size=(n, 1, 28, 28)).astype(np.float32)


def convolutional_loss():
    on = cnn.task(8, 28)
    W1, b1, W2, b2, W3, b3 = params = [ad.Tensor(p.copy()) for p in on.params]

    def loss_of(X):
        h = ad.max_pool2d(ad.relu(ad.conv2d(X, W1, b1)), 2)
        h = ad.max_pool2d(ad.relu(ad.conv2d(h, W2, b2, padding=1)), 2)
        return ad.sum(h**2) + ad.sum(W3) * ad.sum(b3)

    return loss_of, params


def gradients_of(losses, params):
    for loss in losses:
        loss.backward()
    return [p.grad for p in params]


def test_a_packed_program_is_right_while_another_call_waits():
    """Each call that is not differentiated yet has a block of its own."""
    loss_of, params = convolutional_loss()
    compiled = ad.compile(loss_of)
    losses = [compiled(images(k)) for k in (0, 1, 2)]
    assert "memory = np.empty(" in compiled.source
    assert "out=g_W2" in compiled.source  # a gradient is computed where it belongs
    found = gradients_of(losses, params)
    for p in params:
        p.grad = None
    expected = gradients_of([loss_of(images(k)) for k in (0, 1, 2)], params)
    for y, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(y, e, rtol=2e-5, atol=1e-5 * np.abs(e).max())


def test_results_outlive_the_block():
    """What is handed out does not lie in it."""
    loss_of, _ = convolutional_loss()
    hidden = ad.compile(lambda X: [loss_of(X), ad.relu(ad.avg_pool2d(X, 2)), ad.max_pool2d(ad.relu(X) * 2, 2)])
    first = [data_of(y) for y in hidden(images(0))]
    kept = [y.copy() for y in first]
    hidden(images(1))
    assert_same(first, kept)
    assert all(y.base is None or y.base.nbytes == y.nbytes for y in first)  # nor in memory of others


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (lambda **way: mlp.ours(mlp.deep_task([64, 256, 256, 10], batch=256), **way), (0.75, 0.73)),
        (lambda **way: cnn.ours(cnn.task(64, 28), **way), (0.68, 0.52)),
    ],
    ids=["deep", "cnn"],
)
def test_the_peak_of_a_step(make, most):
    """A step that lets go of what it is done with, and a compiled one, take a part of what others do."""
    ways = {}, {"free": True}, {"compiled": True}
    whole, *others = (memory.peak_of_numpy(lambda way=way: make(**way)) for way in ways)
    for peak, limit in zip(others, most, strict=True):
        assert peak < limit * whole
