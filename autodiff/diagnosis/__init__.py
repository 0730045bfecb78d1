"""What goes wrong in gradients, found while it happens: ``ad.anomaly`` and ``ad.lint``."""

from .anomaly import anomaly
from .lint import LintWarning, lint

__all__ = ["LintWarning", "anomaly", "lint"]
