"""Training pictures, with Matplotlib (an extra).  Each function takes the axes to draw on and returns them.

New axes, where none are given, belong to no window, and a notebook shows them at the end of a cell.

Colours are fit for a light ground and a dark one: texts follow the style of the axes.
"""

from ...core.axes import COLORS, MARKERS
from ...core.figures import new_axes
from .confusion import confusion_matrix
from .curves import loss_curve
from .decision import decision_animation, decision_grid, decision_regions
from .distributions import activation_histograms, gradient_flow, weight_histograms
from .images import image_grid
from .landscape import loss_landscape

__all__ = [
    "COLORS",
    "MARKERS",
    "activation_histograms",
    "confusion_matrix",
    "decision_animation",
    "decision_grid",
    "decision_regions",
    "gradient_flow",
    "image_grid",
    "loss_curve",
    "loss_landscape",
    "new_axes",
    "weight_histograms",
]
