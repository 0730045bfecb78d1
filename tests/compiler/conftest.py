import pytest

from autodiff.compiler.special import Special


@pytest.fixture
def never_eagerly(monkeypatch):
    """Fail where a compiled function falls back on calling the function itself."""

    def refuse(self, leaves):
        raise AssertionError(f"{self.title} was not run as it was compiled.")

    monkeypatch.setattr(Special, "eagerly", refuse)
