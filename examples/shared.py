"""What the examples share: their options, and the look of their pictures.  Not an example itself.

``--quick`` trains for a few seconds only, to see that all works.  ``--out folder`` says where the picture goes.
"""

import argparse
import sys
import time
from pathlib import Path

import matplotlib

from autodiff.viz.plots import COLORS

matplotlib.use("agg")  # pictures are written to files; no window opens
from matplotlib import pyplot as plt

BLUE, ORANGE, GREEN, PINK = COLORS[:4]  # which the colour-blind can tell apart
GREY = "0.45"

plt.rcParams |= {
    "axes.prop_cycle": plt.cycler(color=COLORS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 125,
    "font.size": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "svg.hashsalt": "autodiff",  # the same picture is the same file
}

parser = argparse.ArgumentParser(
    description=getattr(sys.modules["__main__"], "__doc__", None), formatter_class=argparse.RawTextHelpFormatter
)
parser.add_argument("--quick", action="store_true", help="train for a few seconds only")
parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="where the picture goes")


def panels(rows=1, columns=1, height=3.0, **options):
    """A figure as wide as a page, and its axes."""
    return plt.subplots(rows, columns, figsize=(8, height), **options)


def by_powers(axis):
    """Make an axis logarithmic, with plain numbers beside it."""
    getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
    axis.set_major_formatter("{x:,g}")


def image(ax, pixels, title="", color="black", **options):
    """Draw a grey image without axes."""
    ax.imshow(pixels, **{"cmap": "gray_r", "interpolation": "nearest"} | options)
    ax.set_title(title, loc="center", fontsize=8, pad=2, color=color)
    ax.set_axis_off()


def save(figure, name):
    """Write the picture, and say where it is and how long all took."""
    path = parser.parse_known_args()[0].out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})
    plt.close(figure)
    print(f"{path}, after {time.process_time():.0f} s of computing")
