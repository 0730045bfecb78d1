import pickle
import re
import sys

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.figures import label_text
from autodiff.viz import plots

pytest.importorskip("matplotlib")

NAMES = ["_hidden", "$", r"$\href{a}{x}$", "a^b$ $", "two\nlines", "a" * 10_000, ""]


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


@pytest.mark.parametrize("low", [1e-9, 1e-3, 0.02, 0.3, 0.99])
def test_ticks_are_plain_numbers_with_room_between_them(low):
    ax = plots.loss_curve({"train": [1.0, low]})
    ax.figure.draw_without_rendering()
    shown = [label for label in ax.get_yticklabels() if ax.bbox.y0 <= label.get_window_extent().y1 <= ax.bbox.y1]
    assert len(shown) >= 3
    assert all(re.fullmatch(r"[\d.]+(e-\d+)?", text) for text in texts(shown))
    boxes = [label.get_window_extent() for label in shown]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_curve_stands_in_the_legend(name):
    ax = plots.loss_curve({name: [1.0, 0.5], "test": [1.0, 0.7]})
    assert texts(ax.get_legend().get_texts()) == [label_text(name), "test"]
    ax.figure.draw_without_rendering()


def test_the_legend_keeps_what_was_drawn_before():
    ax = plots.loss_curve({"train": [1.0, 0.5]})
    plots.loss_curve({"test": [1.0, 0.7]}, ax)
    assert texts(ax.get_legend().get_texts()) == ["train", "test"]


def test_a_figure_can_be_pickled():
    figure = pickle.loads(pickle.dumps(plots.loss_curve({"train": [1.0, 0.5]}).figure))
    assert figure._repr_png_()[0].startswith(b"\x89PNG")
    assert figure.axes[0].lines[0].get_ydata().tolist() == [1.0, 0.5]


@pytest.mark.parametrize("losses", [{}, {"train": []}])
def test_no_losses(losses):
    with pytest.raises(ad.errors.ArgumentError, match="loss_curve got no losses"):
        plots.loss_curve(losses)


@pytest.mark.parametrize(
    ("losses", "error", "message"),
    [
        ([], ad.errors.KindError, "loss_curve got a list; it takes a list of numbers for each curve, by name"),
        ([0.9, 0.5], ad.errors.KindError, "got a list"),
        (None, ad.errors.KindError, "got None"),
        ({"a": 3}, ad.errors.ShapeError, r"losses 'a' of shape \(\)"),
        ({"a": [[1, 2], [3, 4]]}, ad.errors.ShapeError, r"losses 'a' of shape \(2, 2\)"),
        ({"a": [[1, 2], [3]]}, ad.errors.ShapeError, "losses 'a' whose rows differ in length"),
        ({"a": ["x"]}, ad.errors.KindError, "losses 'a' of dtype <U1; it takes real numbers"),
        ({"a": [1j]}, ad.errors.KindError, "losses 'a' of dtype complex128"),
        ({"a": [ad.Value(1.0)]}, ad.errors.LeavingTapeError, "to read the number use x.item"),
    ],
)
def test_what_are_no_losses(losses, error, message):
    with pytest.raises(error, match=message):
        plots.loss_curve(losses)


@pytest.mark.parametrize(
    ("images", "titles", "options", "message"),
    [
        ([[["a"]]], ["a"], {}, "image_grid got images of dtype <U1"),
        (np.zeros((2, 8, 8)), "ab", {}, "image_grid got titles='ab'; it takes a list of texts"),
        (np.zeros((2, 8, 8)), 2, {}, "image_grid got titles=2; it takes a list of texts"),
        (np.zeros((1, 8, 8)), ["a"], {"columns": 0}, "got columns=0; it is a whole number of at least 1"),
        (np.zeros((1, 8, 8)), ["a"], {"columns": 1.5}, "got columns=1.5; it is a whole number of at least 1"),
    ],
)
def test_odd_images(images, titles, options, message):
    with pytest.raises(ad.AutodiffError, match=message):
        plots.image_grid(images, titles, **options)


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


def test_titles_that_are_numbers_or_come_one_by_one():
    for titles in ([3, 4], (n for n in (3, 4))):
        ax = plots.image_grid(np.zeros((2, 8, 8)), titles)
        assert texts(cell.title for cell in ax.child_axes) == ["3", "4"]


@pytest.mark.parametrize("title", [r"$\href{a}{x}$", "a^b$ $", "_", "two\nlines"])
def test_titles_are_drawn_to_the_letter(title):
    ax = plots.image_grid(np.zeros((1, 8, 8)), [title])
    ax.figure.draw_without_rendering()
    drawn = ax.child_axes[0].title
    assert drawn._preprocess_math(drawn.get_text()) == (title, False)


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
    with pytest.raises(ad.errors.ShapeError, match="decision_regions got X of shape"):
        plots.decision_regions(by_side, X, y)


@pytest.mark.parametrize(
    ("predict", "X", "y", "message"),
    [
        (3, X, by_side(X), "decision_grid got an int as predict; it takes a function from points to classes"),
        (by_side, [["a", "b"]], [0], "decision_regions got X of dtype <U1"),
        (by_side, [[1.0, np.nan]], [0], "decision_regions got X with nan or inf in it"),
        (by_side, X, by_side(X) - 1, "decision_regions got -1 among y; they are whole numbers from 0 on"),
        (by_side, X, by_side(X) + 0.5, "got 0.5 among y"),
        (by_side, X, list("abcd"), "got y of dtype <U1"),
        (lambda points: points[:, 0], X, by_side(X), r"among predictions; .* A class is the place of the largest"),
        (lambda points: None, X, by_side(X), "decision_grid got predictions of dtype object"),
    ],
)
def test_what_has_no_classes(predict, X, y, message):
    with pytest.raises(ad.AutodiffError, match=message):
        plots.decision_regions(predict, X, y)


@pytest.mark.parametrize("points", [0, -1, 1.5, "a"])
def test_grids_of_an_odd_size(points):
    with pytest.raises(ad.errors.ArgumentError, match="it is a whole number of at least 1"):
        plots.decision_grid(by_side, X, points)


def test_grids_that_no_memory_holds():
    with pytest.raises(ad.errors.ArgumentError, match=r"points=1000000 along each side; it takes at most 5,000"):
        plots.decision_grid(by_side, X, 10**6)


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
