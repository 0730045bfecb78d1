"""Plots that look into a model: histograms, gradients, landscapes, films, confusion."""

import pickle

import numpy as np
import pytest

import autodiff as ad
from autodiff import data, nn, optim
from autodiff.core.figures import label_text
from autodiff.viz import plots

pytest.importorskip("matplotlib")

X, y = data.moons(40, rng=0)


def texts(artists):
    return [artist.get_text() for artist in artists]


def loss_of(model):
    return nn.functional.cross_entropy(model(X), y)


def inside_the_figure(ax):
    """Nothing is cut off."""
    ax.figure.draw_without_rendering()
    figure, box = ax.figure.bbox, ax.get_tightbbox()
    return box.x0 >= figure.x0 - 1 and box.y0 >= figure.y0 - 1 and box.x1 <= figure.x1 + 1 and box.y1 <= figure.y1 + 1


@pytest.fixture
def model():
    model = nn.MLP([2, 8, 2], rng=0)
    loss_of(model).backward()
    return model


def test_weight_histograms_have_a_row_for_each_parameter(model):
    ax = plots.weight_histograms(model)
    assert inside_the_figure(ax)
    assert texts(ax.get_yticklabels()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert ax.yaxis_inverted()  # the first on top
    stds = [float(text) for text in texts(ax.texts)[1:]]
    np.testing.assert_allclose(stds, [p.data.std() for p in model.parameters()], rtol=5e-3)


@pytest.mark.parametrize(
    "given",
    [
        {"a": np.ones(3), "b": ad.Tensor([1.0])},
        [("a", np.ones(3)), ("b", ad.Value(2.0))],
        {"a": {"x": np.ones(3)}, "b": np.array([np.nan, np.inf])},
        {"a": np.zeros(0), "b": np.array([1 + 2j])},
    ],
)
def test_histograms_of_anything_with_names(given):
    ax = plots.weight_histograms(given)
    assert inside_the_figure(ax)
    assert [text[0] for text in texts(ax.get_yticklabels())] == ["a", "b"]


def test_activation_histograms_say_how_much_is_zero():
    ax = plots.activation_histograms(
        {"relu": ad.relu(ad.Tensor([-1.0, -2.0, 3.0, -4.0])), "odd": np.array([np.nan, 1.0])}
    )
    assert {"zero", "75%", "nan, inf"} <= set(texts(ax.texts))
    assert inside_the_figure(ax)


def test_gradient_flow_shows_means_and_largest(model):
    model[2].bias.grad = None
    model[0].bias.grad = np.zeros(8)
    ax = plots.gradient_flow(model)
    assert inside_the_figure(ax)
    assert ax.get_xscale() == "log"
    g = np.abs(model[0].weight.grad)
    bar = ax.patches[0]
    np.testing.assert_allclose(bar.get_x() + bar.get_width(), g.mean())
    np.testing.assert_allclose(ax.collections[-1].get_offsets()[0], [g.max(), 0])
    assert texts(ax.texts) == ["0", "none"]


@pytest.mark.parametrize("name", ["_hidden", r"$\href{a}{x}$", "a^b$ $", "two\nlines", "a" * 10_000])
def test_any_name_can_be_drawn(name):
    w = ad.Tensor([1.0, 2.0])
    (w * w).sum().backward()
    for plot in (plots.weight_histograms, plots.activation_histograms, plots.gradient_flow):
        ax = plot({name: w})
        assert inside_the_figure(ax)
        assert texts(ax.get_yticklabels()) == [label_text(name)]


def test_gradient_flow_of_one_gradient_that_is_zero():
    w = ad.Tensor([1.0])
    w.grad = np.zeros(1)
    assert texts(plots.gradient_flow([w]).texts) == ["0"]


def test_gradient_flow_without_gradients():
    with pytest.raises(ad.errors.ArgumentError, match=r"gradient_flow got parameters without gradients; call backward"):
        plots.gradient_flow(nn.Linear(2, 2))


def test_arrays_that_hold_no_numbers():
    with pytest.raises(ad.errors.KindError, match="weight_histograms got 'a', an array of <U1; it takes arrays of num"):
        plots.weight_histograms({"a": np.array(["a"])})


def test_a_list_is_called_by_variables():
    w, b = ad.Tensor([1.0, 2.0]), ad.Tensor([0.0])
    assert texts(plots.weight_histograms([w, b]).get_yticklabels()) == ["w", "b"]


@pytest.mark.parametrize("plot", [plots.weight_histograms, plots.gradient_flow, plots.activation_histograms])
def test_nothing_to_show(plot):
    with pytest.raises(ad.errors.ArgumentError, match="got a dict in which there are no arrays or parameters"):
        plot({})


class TestLandscape:
    def test_it_is_the_loss_along_the_directions(self):
        w = ad.Tensor([1.0, -2.0])
        ax = plots.loss_landscape(lambda: (w * w).sum(), [w], ([[1.0, 0.0]], [[0.0, 1.0]]), span=3, steps=7)
        assert texts(ax.texts) == ["5.0"]
        assert (ax.get_xlim(), ax.get_ylim()) == ((-3, 3), (-3, 3))
        assert inside_the_figure(ax)

    def test_a_filter_is_moved_by_its_own_length_and_biases_are_not(self):
        layer = nn.Linear(3, 4, rng=0)
        layer.weight.data[1] *= 100
        start, seen = layer.weight.numpy().copy(), []

        def loss():
            seen.append(layer.weight.numpy() - start)
            assert np.array_equal(layer.bias.numpy(), bias)
            return 0.0

        bias = layer.bias.numpy().copy()
        plots.loss_landscape(loss, layer, steps=3, rng=1)
        lengths = [np.linalg.norm(d, axis=1) for d in seen]
        along_first = lengths[1 + 3]  # row 1 is at rest in the second direction
        np.testing.assert_allclose(along_first, np.linalg.norm(start, axis=1))
        assert not seen[1 + 4].any()  # the middle

    @pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError])
    def test_the_parameters_come_back_whatever_happens(self, model, stop):
        optimizer = optim.Adam(model.parameters())
        optimizer.step()
        loss = loss_of(model)
        before = [(p, p.data, p.data.copy(), p.grad) for p in model.parameters()]
        calls = iter(range(10))

        def interrupted():
            if next(calls) == 5:
                raise stop
            return loss_of(model)

        with pytest.raises(stop):
            plots.loss_landscape(interrupted, model, steps=5)
        plots.loss_landscape(lambda: loss_of(model), model, steps=3)
        for p, array, copy, grad in before:
            assert p.data is array
            assert p.grad is grad
            np.testing.assert_array_equal(array, copy)
        loss.backward()  # the tape did not become stale

    def test_numbers_single_precision_and_losses_that_are_infinite(self):
        v, w = ad.Value(1.0), ad.Tensor(np.ones(2, np.float32))
        kinds = set()

        def loss():
            kinds.add((type(v.data), w.dtype))
            return v + ad.log(w).sum()

        ax = plots.loss_landscape(loss, [v, w], span=3, steps=5)
        assert kinds == {(float, np.dtype(np.float32))}
        assert inside_the_figure(ax)

    def test_a_flat_one(self):
        plots.loss_landscape(lambda: 1.0, [ad.Tensor([1.0])], steps=3).figure.draw_without_rendering()

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ((lambda: ad.Tensor([1.0, 2.0]), [ad.Tensor([1.0])]), ad.errors.ShapeError, r"a loss of shape \(2,\)"),
            ((1.0, [ad.Tensor([1.0])]), ad.errors.KindError, "a loss that is no function"),
            ((lambda: 1.0, []), ad.errors.ArgumentError, "no arrays or parameters"),
            ((lambda: 1.0, [np.ones(2)]), ad.errors.KindError, "got a ndarray; it moves real parameters"),
            ((lambda: 1.0, [ad.Tensor([1j])]), ad.errors.KindError, "it moves real parameters"),
            (
                (lambda: 1.0, [ad.Tensor([1.0])], ([[1.0]], [[1.0, 2.0]])),
                ad.errors.ShapeError,
                "got directions of shapes",
            ),
            ((lambda: 1.0, [ad.Tensor([1.0])], 3), ad.errors.KindError, "got an int as directions; it takes a pair"),
            ((lambda: 1.0, [ad.Tensor([1.0])], ([["a"]], [["b"]])), ad.errors.KindError, "directions of dtype <U1"),
            ((lambda: "a", [ad.Tensor([1.0])]), ad.errors.KindError, "a loss that is 'a'; it takes a real number"),
            ((lambda: None, [ad.Tensor([1.0])]), ad.errors.KindError, "a loss that is None"),
        ],
    )
    def test_what_cannot_be_drawn(self, arguments, error, message):
        with pytest.raises(error, match=message):
            plots.loss_landscape(*arguments)

    @pytest.mark.parametrize(
        "options", [{"steps": 2}, {"steps": 1001}, {"steps": 2.5}, {"span": 0}, {"span": np.nan}, {"span": "a"}]
    )
    def test_settings_out_of_range(self, options):
        with pytest.raises(ad.errors.ArgumentError, match="at least 3 steps and a span above 0"):
            plots.loss_landscape(lambda: 1.0, [ad.Tensor([1.0])], **options)

    @pytest.mark.parametrize(("rng", "error"), [("a", ad.errors.KindError), (-1, ad.errors.ArgumentError)])
    def test_what_is_no_source_of_randomness(self, rng, error):
        with pytest.raises(error, match=r"got rng=.*; it takes a Generator, a whole number of at least 0, or None"):
            plots.loss_landscape(lambda: 1.0, [ad.Tensor([1.0])], rng=rng)

    def test_its_figure_can_be_pickled(self):
        ax = plots.loss_landscape(lambda: 1.0, [ad.Tensor([1.0])], steps=3)
        assert pickle.loads(pickle.dumps(ax.figure))._repr_png_()[0].startswith(b"\x89PNG")


class TestFilm:
    def test_it_is_saved_with_a_picture_for_each_snapshot(self, tmp_path):
        image = pytest.importorskip("PIL.Image")
        grids = [plots.decision_grid(lambda points, k=k: (points[:, 0] > k / 3).astype(int), X) for k in range(3)]
        film = plots.decision_animation(grids, X, y, titles=["a", "b", "c"])
        film.save(tmp_path / "x.gif", writer="pillow", dpi=40)
        with image.open(tmp_path / "x.gif") as gif:
            assert gif.n_frames == 3

    def test_functions_and_grids_give_the_same(self, tmp_path):
        from matplotlib.figure import Figure

        def predict(points):
            return (points[:, 1] > 0).astype(int)

        ax = Figure().add_subplot()
        film = plots.decision_animation([predict, plots.decision_grid(predict, X)], X, y, ax)
        shown = []
        for i in range(2):
            film._func(i)
            shown.append((ax.images[0].get_array().copy(), ax.get_title()))
        film.save(tmp_path / "x.gif", writer="pillow", dpi=20)
        np.testing.assert_array_equal(shown[0][0], shown[1][0])
        assert [title for _, title in shown] == ["1 of 2", "2 of 2"]

    def test_grids_of_several_sizes_cover_the_same_plane(self):
        from matplotlib.figure import Figure

        ax = Figure().add_subplot()
        film = plots.decision_animation([np.zeros((3, 3)), np.ones((5, 4))], X, y, ax)
        (image,) = ax.images
        plane = image.get_extent()
        film._func(1)
        assert image.get_array().shape == (5, 4)
        assert image.get_extent() == plane
        assert "<img" in film._repr_html_()

    def test_titles_are_drawn_to_the_letter(self):
        from matplotlib.figure import Figure

        ax = Figure().add_subplot()
        film = plots.decision_animation([np.zeros((3, 3))] * 2, X, y, ax, titles=["a^b$ $", r"$\href{a}{x}$"])
        for i, text in enumerate(["a^b$ $", r"$\href{a}{x}$"]):
            film._func(i)
            assert ax.title._preprocess_math(ax.get_title()) == (text, False)
        assert "<img" in film._repr_html_()

    def test_a_notebook_shows_it(self):
        film = plots.decision_animation([np.zeros((3, 3)), np.ones((3, 3))], X, y)
        assert "<img" in film._repr_html_()

    @pytest.mark.parametrize(
        ("snapshots", "options", "message"),
        [
            ([], {}, "got no snapshots"),
            ([np.zeros(3)], {}, r"snapshot 0 of shape \(3,\)"),
            ([np.zeros((3, 3))], {"titles": []}, "1 snapshots and 0 titles"),
            (3, {}, "got an int as snapshots; it takes a list"),
            ([np.full((3, 3), -1)], {}, "got -1 among the classes of snapshot 0"),
            ([[["a"]]], {}, "snapshot 0 of dtype <U1"),
            ([np.zeros((3, 3))], {"titles": "a"}, "got titles='a'; it takes a list of texts"),
            ([np.zeros((3, 3))], {"interval": -1}, "got interval=-1; it is a number of milliseconds above 0"),
            ([lambda points: points], {}, r"predict got 40000 points and returned an array of shape \(40000, 2\)"),
        ],
    )
    def test_what_makes_no_film(self, snapshots, options, message):
        with pytest.raises(ad.AutodiffError, match=message):
            plots.decision_animation(snapshots, X, y, **options)


class TestConfusion:
    def test_counts_and_percentages_of_rows(self):
        ax = plots.confusion_matrix([[9, 1], [0, 0]], ["cat", "dog"])
        assert texts(ax.texts) == ["9", "90%", "1", "10%"]
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")
        assert texts(ax.get_xticklabels()) == texts(ax.get_yticklabels()) == ["cat", "dog"]

    def test_rounding_does_not_hide_a_mistake(self):
        assert texts(plots.confusion_matrix([[999, 1], [0, 5]]).texts) == ["999", ">99%", "1", "<1%", "5", "100%"]

    def test_ten_classes_of_many_digits_do_not_overlap(self):
        ax = plots.confusion_matrix(np.full((10, 10), 9999), [f"number {k}" for k in range(10)])
        assert inside_the_figure(ax)
        boxes = [text.get_window_extent() for text in ax.texts]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])

    @pytest.mark.parametrize("label", ["_hidden", r"$\href{a}{x}$", "a^b$ $", "a" * 10_000])
    def test_any_label_can_be_drawn(self, label):
        ax = plots.confusion_matrix(np.eye(3), [label, "cat", "dog"])
        assert inside_the_figure(ax)
        assert texts(ax.get_yticklabels())[0] == label_text(label)
        assert ax.get_window_extent().height > 0.4 * ax.figure.bbox.height

    @pytest.mark.parametrize(
        ("counts", "labels"), [(np.zeros((2, 3)), None), (np.zeros((2, 2)), ["a"]), (np.zeros((0, 0)), None), (3, None)]
    )
    def test_what_is_no_table(self, counts, labels):
        with pytest.raises(ad.errors.ShapeError, match="confusion_matrix got counts of shape"):
            plots.confusion_matrix(counts, labels)

    @pytest.mark.parametrize(
        ("counts", "labels", "message"),
        [
            ([["a"]], None, "counts of dtype <U1"),
            ([[1, 2], [3]], None, "counts whose rows differ in length"),
            (np.eye(2), 3, "labels=3; it takes a list of texts"),
            (np.eye(2), "ab", "labels='ab'; it takes a list of texts"),
        ],
    )
    def test_what_are_no_counts_or_labels(self, counts, labels, message):
        with pytest.raises(ad.AutodiffError, match=message):
            plots.confusion_matrix(counts, labels)

    @pytest.mark.parametrize("count", [0.5, -1.0, np.nan, np.inf])
    def test_what_is_no_count(self, count):
        with pytest.raises(ad.errors.ArgumentError, match="whole numbers from 0 on"):
            plots.confusion_matrix([[1.0, count], [0.0, 1.0]])


def test_they_draw_on_given_axes_also_dark_ones(model):
    from matplotlib import style
    from matplotlib.colors import to_rgb
    from matplotlib.figure import Figure

    with style.context("dark_background"):
        a, b, c, d, e = Figure(figsize=(20, 4), layout="constrained").subplots(1, 5)
        assert plots.weight_histograms(model, a) is a
        assert plots.activation_histograms([X], b) is b
        assert plots.gradient_flow(model, c) is c
        assert plots.confusion_matrix(np.eye(3), ax=d) is d
        assert plots.loss_landscape(lambda: loss_of(model), model, steps=3, ax=e) is e
    a.figure.draw_without_rendering()
    assert {to_rgb(text.get_color()) for ax in (a, b, d) for text in ax.texts} == {(1, 1, 1)}
