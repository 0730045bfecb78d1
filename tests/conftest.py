import numpy as np
import pytest


@pytest.fixture(autouse=True)
def doctest_names(doctest_namespace):
    """Doctests write np and ad as the README does."""
    import autodiff as ad

    doctest_namespace["np"] = np
    doctest_namespace["ad"] = ad


@pytest.fixture
def rng():
    return np.random.default_rng(0)
