"""Axes and figures that a notebook shows, and names on them."""

import struct
import warnings

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.figures import axes_for, label_text, literal, new_axes

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("part", ["axes", "figure"])
def test_a_notebook_shows_new_axes_and_their_figure(part):
    from IPython.core.formatters import DisplayFormatter

    ax = new_axes(3, 2)
    data, metadata = DisplayFormatter().format(ax if part == "axes" else ax.figure)
    png = data["image/png"]
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == (600, 400)
    assert metadata["image/png"] == {"width": 300, "height": 200}


def test_new_axes_open_no_window_and_are_kept_by_nobody():
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # pyplot warns of many open figures
        for _ in range(30):
            assert new_axes().figure.canvas.manager is None
    assert pyplot.get_fignums() == before


def test_given_axes_are_taken_as_they_are():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot(projection="polar")
    assert axes_for("plot", ax) is ax
    assert not hasattr(ax, "_repr_png_")  # whoever made it shows it


@pytest.mark.parametrize("ax", [3, "ax", np.array([None]), (1, 2)])
def test_what_is_no_axes(ax):
    with pytest.raises(ad.errors.KindError, match=r"plot got an? \w+ as ax; it is one Matplotlib Axes"):
        axes_for("plot", ax)


@pytest.mark.parametrize("size", [{"width": "a"}, {"width": 0}, {"height": -1.0}, {"height": np.nan}, {"width": None}])
def test_what_is_no_size(size):
    with pytest.raises(ad.errors.ArgumentError, match=r"new_axes got (width|height)=.*; it is a number of inches"):
        new_axes(**size)


@pytest.mark.parametrize("text", ["$", "a^b$ $", r"$\href{a}{x}$", r"\$x$", r"\\$$", "plain", ""])
def test_a_literal_text_is_drawn_to_the_letter(text):
    artist = new_axes().text(0, 0, literal(text))
    assert artist._preprocess_math(artist.get_text()) == (text, False)
    artist.figure.draw_without_rendering()


def test_a_label_is_one_line_and_short():
    assert label_text("a\nb") == r"a\nb"
    assert len(label_text("a" * 10_000)) == 28
