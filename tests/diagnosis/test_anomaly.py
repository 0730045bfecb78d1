"""``ad.anomaly`` stops at the op that made a nan, and not at those that hand it on."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.errors import AnomalyError


def test_the_forward_op_that_made_it_is_named_with_its_line_and_arguments():
    x = ad.Tensor([1.0, 0.0, 2.0])
    with ad.anomaly(), pytest.raises(AnomalyError) as caught:
        ad.exp(ad.log(x) * 0.0)
    text = str(caught.value)
    assert text.startswith("log made 1 inf in 3 entries, recorded at test_anomaly.py:")
    assert "ad.exp(ad.log(x) * 0.0)" in text
    assert "x = x: float64 of shape (3,), from 0 to 2, mean 1, 0 nan, 0 inf" in text


def test_constants_are_watched_too():
    x = ad.Tensor([0.0], requires_grad=False)
    with ad.anomaly(), pytest.raises(AnomalyError, match=r"log made 1 inf"):
        ad.log(x)


def test_who_only_hands_a_nan_on_is_not_to_blame():
    x = ad.Tensor([np.nan, 1.0])
    with ad.anomaly():
        (x * 2 + 1).sum().backward()
    with ad.anomaly():
        ad.where(np.array([True, False]), -np.inf, x).sum()


def test_inf_minus_inf_makes_a_nan():
    x = ad.Tensor([np.inf])
    with ad.anomaly(), pytest.raises(AnomalyError, match=r"subtract made 1 nan in 1 entries"):
        x - x


def test_the_derivative_that_made_it_is_named_with_the_line_of_its_op():
    x = ad.Tensor([0.0, 4.0], name="weights")
    with ad.anomaly():
        y = ad.sqrt(x)
        (y * y).sum().backward()  # the cotangent of 0 is a hard zero
        bad = ad.sqrt(x).sum()
        with pytest.raises(AnomalyError) as caught:
            bad.backward()
    text = str(caught.value)
    assert text.startswith("The vjp of sqrt with respect to x made 1 inf in 2 entries, recorded at test_anomaly.py:")
    assert "bad = ad.sqrt(x).sum()" in text
    assert "x = weights: float64 of shape (2,), from 0 to 4" in text
    assert "cotangent of the result: float64 of shape (2,), from 1 to 1" in text


def test_values_and_options():
    with ad.anomaly(), pytest.raises(AnomalyError, match=r"multiply made 1 inf"):
        ad.Value(1e200) * ad.Tensor(1e200)
    with ad.anomaly(), pytest.raises(AnomalyError, match=r"options: \{'axis': 0"):
        ad.prod(ad.Tensor([1e200, 1e200]), axis=0)


def test_outside_nothing_is_watched():
    with pytest.raises(AnomalyError), ad.anomaly():
        ad.log(ad.Tensor([-1.0]))
    with np.errstate(all="ignore"):
        assert np.isnan(ad.log(ad.Tensor([-1.0])).item())


def test_no_grad_is_watched_too():
    with ad.anomaly(), ad.no_grad(), pytest.raises(AnomalyError):
        ad.log(ad.Tensor([-1.0]))


def test_it_is_a_floating_point_error():
    assert issubclass(AnomalyError, FloatingPointError)
