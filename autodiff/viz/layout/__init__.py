"""A layered layout in pure Python: boxes in layers, links that meet no box, clusters as frames around their boxes.

The steps are those of Sugiyama: layers, bends, order, coordinates, curves, a module for each.  Nothing here is random,
and nothing calls itself: the same graph always gives the same picture, and a chain of thousands of boxes works.
"""

from __future__ import annotations

from .layered import layout
from .model import Box, Cluster, Layout, Link, Point, Rect

__all__ = ["Box", "Cluster", "Layout", "Link", "Point", "Rect", "layout"]
