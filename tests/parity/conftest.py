import importlib.util

import pytest

THERE = importlib.util.find_spec("torch") is not None

collect_ignore_glob = [] if THERE else ["test_*.py"]


@pytest.fixture(autouse=True)
def in_double_precision():
    import torch

    before, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(before)
    torch.set_num_threads(threads)
