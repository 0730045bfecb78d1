"""Layer 5: what ties model, data and optimizer together."""

from .demo import Demo as Demo
from .fit import fit as fit
from .history import History as History
from .metrics import accuracy as accuracy
from .metrics import confusion_matrix as confusion_matrix
