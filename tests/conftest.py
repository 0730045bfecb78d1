import hypothesis
import numpy as np
import pytest

# How long an example takes depends on what else the machine does; the tests of speed measure processor time themselves.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def machine_code_folder(tmp_path_factory):
    """No test writes into the cache folder of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTODIFF_CACHE", str(tmp_path_factory.mktemp("machine_code")))
        yield


@pytest.fixture(autouse=True)
def doctest_names(doctest_namespace):
    """Doctests write np and ad as the README does."""
    import autodiff as ad

    doctest_namespace["np"] = np
    doctest_namespace["ad"] = ad


@pytest.fixture
def rng():
    return np.random.default_rng(0)
