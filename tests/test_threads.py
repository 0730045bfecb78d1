"""Recording is switched per thread and per task, and the numbers do not depend on how many work."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import autodiff as ad


def train(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))
    w1, w2 = ad.Tensor(rng.normal(size=(3, 8))), ad.Tensor(rng.normal(size=(8, 1)))
    for _ in range(50):
        loss = ((ad.tanh(x @ w1) @ w2 - y) ** 2).mean()
        loss.backward()
        for p in (w1, w2):
            p.data = p.data - 0.05 * p.grad
            p.grad = None
    scalar = ad.Value(float(seed + 1))
    (ad.exp(-scalar) * scalar).backward()
    return np.concatenate([w1.data.ravel(), w2.data.ravel(), [loss.item(), scalar.grad]])


def test_eight_threads_give_the_numbers_of_one():
    alone = [train(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(train, range(8)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_grad_stays_in_its_thread():
    inside, checked = threading.Event(), threading.Event()
    found = {}

    def quiet():
        with ad.no_grad():
            inside.set()
            checked.wait(10)
            found["quiet"] = (ad.Value(1.0) * 2).requires_grad

    thread = threading.Thread(target=quiet)
    thread.start()
    inside.wait(10)
    found["main"] = (ad.Value(1.0) * 2).requires_grad
    checked.set()
    thread.join()
    assert found == {"main": True, "quiet": False}


def test_no_grad_stays_in_its_task():
    async def quiet(log):
        with ad.no_grad():
            await asyncio.sleep(0.01)
            log.append(("quiet", (ad.Value(1.0) * 2).requires_grad))

    async def loud(log):
        for _ in range(3):
            await asyncio.sleep(0.004)
            log.append(("loud", (ad.Value(1.0) * 2).requires_grad))

    async def main():
        log = []
        await asyncio.gather(quiet(log), loud(log))
        return log

    assert set(asyncio.run(main())) == {("quiet", False), ("loud", True)}


def test_one_decorated_function_in_many_threads():
    barrier = threading.Barrier(4)

    @ad.no_grad()
    def f(_):
        barrier.wait(10)
        return (ad.Value(1.0) * 2).requires_grad

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(f, range(4))) == [False] * 4
    assert (ad.Value(1.0) * 2).requires_grad
