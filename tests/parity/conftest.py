import importlib.util

import pytest

THERE = importlib.util.find_spec("torch") is not None

collect_ignore_glob = [] if THERE else ["test_*.py"]


@pytest.fixture(autouse=True)
def in_double_precision():
    import torch

    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    torch.manual_seed(0)
