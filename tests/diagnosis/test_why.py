"""What ``why`` answers with, what it leaves alone, and what it refuses."""

import copy
import gc
import pickle
import weakref
from fractions import Fraction

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn, optim
from autodiff.diagnosis.why import why


@pytest.fixture
def dead():
    x, w = np.ones((4, 3)), ad.Tensor(-np.ones((3, 2)), name="w")
    return w, ad.relu(x @ w).sum()


def test_the_answer_has_a_cause_an_op_and_a_share(dead):
    answer = why(*dead)
    assert (answer.cause, answer.healthy, answer.share) == ("dead relu", False, 1.0)
    assert answer.node.rule.name == "relu"
    assert answer.line is None
    assert not answer.gradient.any()
    assert str(answer) == repr(answer) == answer.text
    assert str(answer).startswith("The gradient of w is zero in all 6 entries. It is lost at relu (%2 of the tape)")
    assert str(answer).endswith("Compute inside `with ad.trace():` and ask again, to see the line.")


def test_inside_trace_it_has_a_line_and_a_module():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.ReLU())
    model.parameters()[1].data = np.full(3, -9.0)
    with ad.trace():
        loss = model(np.ones((4, 2))).mean()
    answer = why(model.parameters()[0], loss)
    assert answer.line == loss.origin.place.line
    assert "relu in model.1, test_why.py:" in str(answer)
    assert "`loss = model(np.ones((4, 2))).mean()`" in str(answer)
    assert "ad.trace()" not in str(answer)


def test_the_path_leads_from_the_loss_back():
    x = ad.Value(1.0)
    y = ad.sin(x * 2) * 3
    answer = why(x, y)
    assert [op for op, _ in answer.path] == ["multiply", "sin", "multiply"]
    assert answer.path[-1][1] == pytest.approx(abs(6 * np.cos(2.0)))


def test_no_gradient_changes_and_nothing_is_kept():
    gc.disable()
    try:
        w = ad.Tensor([1.0, 2.0])
        h = w * 3
        loss = (h * h).sum()
        loss.backward()
        before = w.grad.copy(), h.grad.copy()
        kept = [weakref.ref(x) for x in (h, loss)]
        answer = why(w, loss)
        np.testing.assert_array_equal(w.grad, before[0])
        np.testing.assert_array_equal(h.grad, before[1])
        del h, loss, answer
        assert [ref() for ref in kept] == [None, None]
    finally:
        gc.enable()


def test_an_answer_for_a_notebook_is_escaped_and_coloured(dead):
    dead[0].name = "<script>"
    page = why(*dead)._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<strong>dead relu</strong>" in page
    assert "#D55E00" in page
    x = ad.Value(2.0)
    assert "#009E73" in why(x, x * 3)._repr_html_()


def test_an_answer_in_a_variable_names_no_node():
    x = ad.Tensor([-1.0])
    answer = why(x, ad.relu(x * 1).sum())
    assert answer.node is not None
    assert "answer" not in str(ad.Tape(answer.node))


def test_models_and_lists_are_refused_with_what_to_ask_instead():
    model = nn.Linear(2, 2)
    with pytest.raises(ad.AutodiffError, match=r"ad.why got a Linear; .*ad.health\(model, loss\)"):
        why(model)
    with pytest.raises(ad.AutodiffError, match="got a list"):
        why([model.weight])


def test_swapped_arguments_are_noticed():
    w = ad.Tensor([1.0])
    loss = (w * 2).sum()
    with pytest.raises(ad.AutodiffError, match=r"Did you swap them\? It is ad.why\(parameter, loss\)"):
        why(loss, w)


def test_symbols_have_no_size():
    import sympy

    s = ad.Value(sympy.Symbol("s"))
    with pytest.raises(ad.AutodiffError, match=r"'s' has no size: it is a symbol. .*ad.derive"):
        why(s, s * s)


def test_without_a_loss_the_last_result_is_taken():
    w = ad.Tensor([1.0, 2.0])
    first = (w * 2).sum()
    second = (w * w).sum()
    assert "as second gives it" in str(why(w))
    first.backward()
    assert "as first gives it" in str(why(w)), "the one that backward was called on"
    assert second.grad is None


def test_without_a_loss_or_anything_alive_the_stored_gradient_is_judged():
    def trained(factor):
        w = ad.Tensor([1.0, 2.0])
        with np.errstate(all="ignore"):
            (w * w * factor).sum().backward()
        return w

    assert why(trained(1.0)).cause == "nothing is odd"
    assert why(trained(0.0)).cause == "zero"
    assert why(trained(1e-9)).cause == "tiny"
    assert why(trained(1e9)).cause == "exploding"
    answer = why(trained(np.nan))
    assert answer.cause == "nan"
    assert "Pass the loss to see where it comes from" in str(answer)


def test_after_the_step_the_stored_gradient_is_judged():
    model = nn.Linear(3, 1, rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    loss = (model(np.ones((2, 3))) ** 2).mean()
    loss.backward()
    optimizer.step()
    for answer in (why(model.weight, loss), why(model.weight)):
        assert answer.healthy
        np.testing.assert_array_equal(answer.gradient, model.weight.grad)


def test_the_gradient_of_other_nodes_than_leaves():
    x = ad.Tensor([1.0, -2.0])
    h = x * 2
    assert why(h, ad.relu(h).sum()).gradient.tolist() == [1.0, 0.0]
    loss = (h * h).sum()
    assert why(loss, loss).gradient == 1.0


def test_a_loss_that_is_no_single_number_counts_as_its_sum():
    x = ad.Tensor([1.0, 2.0])
    assert why(x, x * 3).gradient.tolist() == [3.0, 3.0]


def test_numbers_of_other_kinds_keep_theirs():
    x = ad.Value(Fraction(1, 3))
    assert why(x, x * x).gradient == Fraction(2, 3)


def test_an_empty_parameter():
    w = ad.Tensor(np.zeros((0, 3)))
    answer = why(w, w.sum())
    assert answer.healthy
    assert "is empty" in str(answer)


def test_names_are_those_of_the_caller():
    def inner(v):
        return why(v, (v * 0).sum())

    given = ad.Tensor([1.0])
    assert "The gradient of v is zero" in str(inner(given))


def test_a_part_of_a_parameter_is_another_node():
    w = ad.Tensor(np.ones((2, 2)))
    loss = (w * w).sum()
    answer = why(w[0], loss)
    assert answer.cause == "newer than the loss"
    assert "Ask for that: ad.why(w, loss)" in str(answer)


def test_a_rule_of_ones_own_that_gives_zeros():
    @ad.custom_rule
    def double(x):
        return np.asarray(x) * 2

    @double.def_vjp
    def double_vjp(g):
        return g * 0

    x = ad.Tensor([1.0, 2.0])
    answer = why(x, double(x).sum())
    assert answer.cause == "custom rule"
    assert "double is a rule of your own" in str(answer)


def test_traced_nodes_are_copied_and_pickled_without_the_history_of_the_program():
    w = ad.Tensor([1.0, 2.0])
    with ad.trace():
        loss = (w * w).sum()
    assert len(loss.origin.history.steps) == 2
    again = pickle.loads(pickle.dumps(loss))
    assert len(again.origin.history.steps) == 0
    assert copy.deepcopy(loss).origin.place == again.origin.place == loss.origin.place


def test_the_history_keeps_no_data_alive():
    gc.disable()
    try:
        w = ad.Tensor(np.ones(3))
        with ad.trace():
            h = w * 2
            loss = (w * 3).sum()
        gone = weakref.ref(h)
        del h
        assert gone() is None
        assert len(loss.origin.history.steps) == 3
    finally:
        gc.enable()
