"""Peak memory of a training step: all that a contestant holds, from its parameters to its buffers.

What is made with NumPy is counted by ``tracemalloc``, tensors of PyTorch by its profiler, from before the contestant
is made, so that what it keeps between steps counts too.  The training data do not count.  What a library asks of the
system past its own allocator, as oneDNN does for its scratch space, is not seen.
"""

from __future__ import annotations

import gc
import json
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import cnn, mlp, mlp_peers
from .harness import Bar, Step

WARM = 3
"""Steps before the one that counts: buffers and the optimizer's state are there by then."""

Makers = dict[str, Callable[[], Step]]


def peak_of_numpy(make: Callable[[], Step]) -> int:
    """Most bytes that were alive at once during a step, of what was allocated since before ``make``."""
    make()()  # modules are imported, and caches filled
    gc.collect()
    tracemalloc.start()
    try:
        step = make()
        for _ in range(WARM):
            step()
        gc.collect()
        tracemalloc.reset_peak()
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def peak_of_torch(make: Callable[[], Step]) -> int:
    """The same for tensors of PyTorch."""
    from torch.profiler import ProfilerActivity, profile, record_function

    make()()
    gc.collect()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        step = make()
        for _ in range(WARM):
            step()
        with record_function("the step that counts"):
            step()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.json")
        profiler.export_chrome_trace(str(path))
        events = json.loads(path.read_text())["traceEvents"]
    counts = next(e for e in events if e.get("name") == "the step that counts")
    alive = peak = 0
    for event in sorted((e for e in events if e.get("name") == "[memory]"), key=lambda e: e["ts"]):
        alive += event["args"]["Bytes"]
        if counts["ts"] <= event["ts"] <= counts["ts"] + counts["dur"]:
            peak = max(peak, alive)
    return peak


def peaks(numpy: Makers, torch: Makers, data: int = 0) -> dict[str, int]:
    """Peak bytes by contestant; ``data`` are those of the training data, which PyTorch's contestants copy."""
    found = {name: peak_of_numpy(make) for name, make in numpy.items()}
    for name, make in torch.items():
        try:
            found[name] = peak_of_torch(make) - data
        except ImportError:
            continue
    return found


BARS = [Bar("autodiff, free=True", "PyTorch", 1.5), Bar("autodiff compiled", "PyTorch", 1.2)]


def contestants(module: Any, task: Any, by_hand: Callable[[Any], Step], torch: Callable[[Any], Step]) -> dict[str, int]:
    """Peak bytes of every way to take the step of a task."""
    makers = {
        "NumPy by hand": lambda: by_hand(task),
        "NumPy, buffers": lambda: module.buffers(task),
        "autodiff": lambda: module.ours(task),
        "autodiff, free=True": lambda: module.ours(task, free=True),
        "autodiff compiled": lambda: module.ours(task, compiled=True),
    }
    return peaks(makers, {"PyTorch": lambda: torch(task)}, task.X.nbytes + task.T.nbytes)


def deep(batch: int = 256) -> dict[str, int]:
    """The row ``deep``."""
    return contestants(mlp, mlp.deep_task(batch=batch), mlp.by_hand_relu, mlp_peers.torch)


def convolutional(batch: int = 64) -> dict[str, int]:
    """The row ``cnn``."""
    return contestants(cnn, cnn.task(batch, 28), cnn.by_hand, cnn.torch)


TABLES = {"deep": deep, "cnn": convolutional}
