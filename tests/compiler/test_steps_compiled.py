"""Many threads and many steps: right numbers, no growth."""

import gc
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import autodiff as ad
from autodiff import nn, optim

A = np.random.default_rng(0).normal(size=(3, 4))


def bent(x):
    return ad.sum(ad.exp(x) * x)


def test_one_compiled_function_in_eight_threads():
    model = nn.MLP([4, 8, 2], nn.Tanh, rng=0)

    def f(x):
        return ad.sum(model(x) ** 2)

    compiled = ad.compile(f)
    batches = np.random.default_rng(2).normal(size=(8, 5, 4))

    def work(x):
        found = []
        for k in range(30):
            t = ad.Tensor(x + k)
            loss, beside = compiled(t), compiled(t * 2)
            expected = f(ad.Tensor(x + k)).item()
            assert loss.item() == expected
            loss.backward()
            beside.backward()
            found.append(t.grad)
        return found

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, batches))
    for x, found in zip(batches, together, strict=True):
        for k, g in enumerate(found):
            t = ad.Tensor(x + k)
            for loss in (f(t), f(t * 2)):
                loss.backward()
            np.testing.assert_array_equal(g, t.grad)


def test_ten_thousand_steps_leave_nothing_behind():
    model = nn.MLP([2, 4, 1], nn.Tanh, rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_of = ad.compile(lambda x: ad.mean(model(x) ** 2))
    x = np.random.default_rng(0).normal(size=(5, 2))

    def steps(n):
        for _ in range(n):
            loss = loss_of(x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    steps(10)
    gc.collect()
    gc.disable()
    try:
        objects = len(gc.get_objects())
        steps(10_000)
        assert len(gc.get_objects()) <= objects + 20
        tracemalloc.start()
        steps(10)
        before = tracemalloc.get_traced_memory()[0]
        steps(1_000)
        assert tracemalloc.get_traced_memory()[0] <= before + 2_000
    finally:
        tracemalloc.stop()
        gc.enable()


def test_a_loss_that_is_let_go_gives_its_memory_back():
    compiled = ad.compile(bent)
    x = ad.Tensor(A)
    compiled(x).backward()
    gc.collect()
    gc.disable()
    try:
        objects = len(gc.get_objects())
        for _ in range(50):
            compiled(x)  # never differentiated
        assert len(gc.get_objects()) <= objects + 5
    finally:
        gc.enable()


def test_variables_that_are_replaced_at_every_call_warn():
    rate = 0.0
    compiled = ad.compile(lambda x: x * rate)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for k in range(40):
            rate = float(k)
            assert compiled(1.0) == k
    assert [str(w.message) for w in caught] == [
        "<lambda> was compiled 32 times for arguments that it knew: variables from outside that it reads are replaced "
        "from call to call. Pass them as arguments."
    ]
