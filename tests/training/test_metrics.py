import numpy as np
import pytest

import autodiff as ad
from autodiff.training import accuracy, confusion_matrix


def test_accuracy_of_lists_arrays_and_tensors():
    assert accuracy([1, 2, 3], [1, 2, 4]) == pytest.approx(2 / 3)
    assert accuracy(np.array(["a", "b"]), np.array(["a", "b"])) == 1
    logits = ad.Tensor([[1.0, 2.0], [4.0, 3.0]])
    assert accuracy(logits.argmax(axis=1), [1, 1]) == 0.5
    assert type(accuracy([1], [1])) is float


@pytest.mark.parametrize("metric", [accuracy, lambda p, y: confusion_matrix(p, y, 3)])
@pytest.mark.parametrize(
    ("predicted", "labels", "message"),
    [
        ([[1], [2]], [1, 2], r"predictions of shape \(2, 1\) and labels of shape \(2,\).*argmax\(axis=1\)"),
        (np.ones((3, 4)), [1, 2, 0], r"\(3, 4\) and labels of shape \(3,\).*Take the most likely classes"),
        ([1, 2], [1, 2, 0], r"shape \(2,\) and labels of shape \(3,\); they must be equal and not empty\.$"),
        ([], [], r"not empty\.$"),
    ],
)
def test_shapes_that_do_not_fit_are_not_broadcast(metric, predicted, labels, message):
    with pytest.raises(ValueError, match=message) as caught:
        metric(predicted, labels)
    assert isinstance(caught.value, ad.errors.ShapeError)


def test_confusion_matrix_has_true_classes_in_rows(rng):
    predicted, labels = rng.integers(0, 4, size=(2, 200))
    table = confusion_matrix(predicted, labels, 4)
    by_hand = [[np.sum((labels == i) & (predicted == j)) for j in range(4)] for i in range(4)]
    np.testing.assert_array_equal(table, by_hand)
    assert np.trace(table) / 200 == accuracy(predicted, labels)


@pytest.mark.parametrize("integer", [np.uint8, np.int8, np.int64])
def test_confusion_matrix_of_small_integers_does_not_overflow(integer):
    labels = np.arange(100).astype(integer)
    np.testing.assert_array_equal(confusion_matrix(labels, labels, 100), np.eye(100))


def test_classes_that_cannot_be_counted():
    with pytest.raises(ValueError, match="class 5 among the predictions; with classes=2 they run from 0 to 1"):
        confusion_matrix([0, 5], [0, 1], 2)
    with pytest.raises(ValueError, match="class -1 among the labels"):
        confusion_matrix([0, 1], [0, -1], 2)
    for classes in (0, 2.0, "two"):
        with pytest.raises(ad.errors.ArgumentError, match="it is a whole number of at least 1"):
            confusion_matrix([0, 1], [0, 1], classes)
    with pytest.raises(ad.errors.ArgumentError, match=r"classes=1000000; it counts at most 10,000"):
        confusion_matrix([0, 1], [0, 1], 10**6)
    with pytest.raises(TypeError, match=r"predictions of shape \(2,\) and dtype float64.*astype\(int\)"):
        confusion_matrix([0.0, 1.0], [0, 1], 2)


@pytest.mark.parametrize("metric", [accuracy, lambda *given: confusion_matrix(*given, 3)])
def test_rows_that_differ_in_length(metric):
    with pytest.raises(ad.errors.ShapeError, match="got rows that differ in length; they make no array"):
        metric([[0, 1], [2]], [0, 1])
