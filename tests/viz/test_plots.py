import sys

import numpy as np
import pytest

import autodiff as ad
from autodiff.viz import plots

pytest.importorskip("matplotlib")


def texts(labels):
    return [label.get_text() for label in labels]


def test_loss_curves_are_labelled_and_logarithmic():
    ax = plots.loss_curve({"train": [2.0, 0.5, 0.02], "test": [2.0, 0.7]})
    assert texts(ax.get_legend().get_texts()) == ["train", "test"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("epoch", "loss", "log")
    assert [line.get_xdata().tolist() for line in ax.lines] == [[1, 2, 3], [1, 2]]
    ax.figure.draw_without_rendering()
    shown = texts(ax.get_yticklabels())
    assert {"0.02", "0.1", "0.5", "2"} <= set(shown)  # not powers of ten
    assert all(float(text).is_integer() for text in texts(ax.get_xticklabels()) if text.isascii())


@pytest.mark.parametrize("losses", [[0.5, 0.0], [0.5, -1.0], [0.5, np.nan], [np.inf, 1.0]])
def test_losses_without_a_logarithm(losses):
    ax = plots.loss_curve({"train": losses})
    assert ax.get_yscale() == "linear"
    ax.figure.draw_without_rendering()


def test_one_epoch_is_a_point():
    assert plots.loss_curve({"train": [0.5]}).lines[0].get_marker() == "o"


def test_more_curves_than_colours():
    ax = plots.loss_curve({str(k): [1.0, 0.5] for k in range(10)})
    assert len(ax.lines) == 10


@pytest.mark.parametrize("losses", [{}, {"train": []}])
def test_no_losses(losses):
    with pytest.raises(ad.errors.ArgumentError, match="loss_curve got no losses"):
        plots.loss_curve(losses)


@pytest.mark.parametrize(("n", "rows", "columns"), [(1, 1, 1), (6, 1, 6), (7, 2, 4), (24, 4, 6)])
def test_images_stand_in_rows_without_overlap(n, rows, columns):
    ax = plots.image_grid(np.zeros((n, 8, 8)), [f"says {k}" for k in range(n)], columns=6)
    ax.figure.draw_without_rendering()
    cells = ax.child_axes
    assert texts(cell.title for cell in cells) == [f"says {k}" for k in range(n)]
    boxes = [cell.get_tightbbox() for cell in cells]
    assert len({round(box.y0) for box in boxes}) == rows
    assert len({round((box.x0 + box.x1) / 2) for box in boxes}) == columns
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(ax.figure.bbox.containsx(box.x1) and ax.figure.bbox.containsy(box.y0) for box in boxes)


@pytest.mark.parametrize(("shape", "titles"), [((0, 8, 8), 0), ((2, 8, 8), 3), ((2, 64), 2)])
def test_images_that_cannot_be_shown(shape, titles):
    with pytest.raises(ad.errors.ShapeError, match=r"image_grid got images of shape .* titles; it takes images \(n, "):
        plots.image_grid(np.zeros(shape), [""] * titles)


def by_side(points):
    return (points[:, 0] > 0).astype(int)


X = np.array([[-1.0, 0.0], [-0.5, 1.0], [0.5, 0.0], [1.0, 1.0]])


def test_regions_show_classes_and_what_is_wrong():
    ax = plots.decision_regions(by_side, X, np.array([0, 1, 1, 1]))
    assert texts(ax.get_legend().get_texts()) == ["class 0", "class 1", "wrong"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x[0]", "x[1]")
    np.testing.assert_array_equal(ax.collections[-1].get_offsets(), [[-0.5, 1.0]])
    (image,) = ax.images
    assert np.unique(image.get_array()).tolist() == [0, 1]
    ax.figure.draw_without_rendering()
    legend, plane = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert not legend.overlaps(plane)  # it hides no point
    assert legend.x1 <= ax.figure.bbox.x1


def test_regions_where_all_is_right():
    ax = plots.decision_regions(by_side, X, by_side(X))
    assert texts(ax.get_legend().get_texts()) == ["class 0", "class 1"]


def test_a_boundary_does_not_show_the_classes_in_between():
    """Contour lines of class numbers would run through class 1 from 0 to 2."""
    ax = plots.decision_regions(lambda points: 2 * by_side(points), X, 2 * by_side(X))
    assert set(np.unique(ax.images[0].get_array())) == {0, 2}
    assert ax.images[0].get_interpolation() in ("nearest", "none")


def test_regions_of_many_classes_and_of_one_point():
    ax = plots.decision_regions(lambda points: np.full(len(points), 9), X[:1], np.array([0]))
    assert len(ax.get_legend().get_texts()) == 11
    ax.figure.draw_without_rendering()


@pytest.mark.parametrize(("X", "y"), [(np.zeros((4, 3)), np.zeros(4, int)), (X, np.zeros(3, int)), (X[:0], [])])
def test_points_that_have_no_regions(X, y):
    with pytest.raises(ad.errors.ShapeError, match=r"decision_regions got X of shape"):
        plots.decision_regions(by_side, X, y)


def test_it_draws_on_given_axes_and_opens_no_window():
    from matplotlib.figure import Figure

    a, b, c = Figure().subplots(1, 3)
    assert plots.loss_curve({"train": [1.0, 2.0]}, a) is a
    assert plots.image_grid(np.zeros((2, 8, 8)), ["", ""], ax=b) is b
    assert plots.decision_regions(by_side, X, by_side(X), c) is c
    assert plots.new_axes().figure.canvas.manager is None


def test_new_axes_follow_the_style():
    from matplotlib import style
    from matplotlib.colors import to_rgb

    assert to_rgb(plots.new_axes().get_facecolor()) == (1, 1, 1)
    with style.context("dark_background"):
        ax = plots.decision_regions(by_side, X, 1 - by_side(X))
    assert to_rgb(ax.get_facecolor()) == to_rgb(ax.figure.get_facecolor()) == (0, 0, 0)
    assert to_rgb(ax.get_legend().get_texts()[0].get_color()) == (1, 1, 1)
    assert to_rgb(ax.collections[-1].get_edgecolor()[0]) == (1, 1, 1)  # the rings around what is wrong


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in (
        lambda: plots.loss_curve({"train": [1.0]}),
        lambda: plots.image_grid(np.zeros((1, 8, 8)), [""]),
        lambda: plots.decision_regions(by_side, X, by_side(X)),
        lambda: plots.decision_animation([by_side], X, by_side(X)),
        lambda: plots.weight_histograms([X]),
        lambda: plots.activation_histograms([X]),
        lambda: plots.confusion_matrix(np.eye(2)),
        lambda: plots.loss_landscape(lambda: 1.0, [ad.Tensor([1.0])]),
    ):
        with pytest.raises(ImportError, match=r"Plotting needs .* pip install 'autodiff-tape\[plot\]'"):
            draw()
