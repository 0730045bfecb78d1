"""How long something takes, whatever else the machine and the tests around do."""

import gc
import time
from collections.abc import Callable


def cpu_seconds(work: Callable[[], object], *, tries: int = 3) -> float:
    """Processor time of ``work()``, the least of a few tries.

    What earlier tests left in memory is hidden from the collector: walking it is not the time of ``work``.
    """
    gc.collect()
    gc.freeze()
    try:
        return min(_once(work) for _ in range(tries))
    finally:
        gc.unfreeze()


def _once(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun
