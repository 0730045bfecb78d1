"""Names of nodes whose variables are gone: what the program called them where they were made, or used first."""

import numpy as np

import autodiff as ad
from autodiff import nn
from autodiff.core.traced_names import traced_names


def names_of(result):
    tape = list(ad.Tape(result))
    names = traced_names(tape)
    return [names.get(id(node)) for node in tape]


def test_results_are_called_by_what_they_were_assigned_to():
    def program():
        x, w = ad.Value(2.0), ad.Value(3.0)
        with ad.trace():
            product = x * w
            out: ad.Value = ad.sin(product) + 1
        return out

    assert names_of(program()) == ["x", "w", "product", None, "out"]


def test_parameters_are_called_by_the_outermost_module():
    def program():
        model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh())
        with ad.trace():
            return ad.sum(model(np.ones((1, 2))))

    assert names_of(program())[:2] == ["model.0.weight", "model.0.bias"]


def test_a_variable_that_takes_many_in_turn_is_the_name_of_none():
    def program():
        with ad.trace():
            return sum(p * p for p in [ad.Value(1.0), ad.Value(2.0), ad.Value(3.0)])

    assert set(names_of(program())) == {None}


def test_a_step_towards_a_result_does_not_bear_its_name():
    def program():
        x = ad.Value(0.5)
        with ad.trace():
            smooth = nn.functional.mse_loss(ad.reshape(x, (1,)), np.ones(1)) + ad.logaddexp(x, 0)
        assert smooth.requires_grad
        return smooth

    names = names_of(program())
    assert names[-1] == "smooth"
    assert names.count("smooth") == 1


def test_the_tape_prefers_the_callers_own_variables():
    def program():
        x = ad.Value(2.0)
        with ad.trace():
            inner = x * x
            return inner + 1

    outer = program()
    tape = ad.Tape(outer)
    assert [tape.name_of(node) for node in tape] == ["x", "inner", "outer"]


def test_names_that_were_given_stay():
    def program():
        x = ad.Value(0.5, name="temperature")
        with ad.trace():
            return x * 2

    result = program()
    tape = ad.Tape(result)
    assert tape.name_of(tape[0]) == "temperature"


def test_a_program_without_a_file_has_no_names_of_results():
    space = {"ad": ad}
    exec("with ad.trace():\n    hidden = ad.Value(1.0) * 2\n    found = [hidden + 1]", space)
    assert names_of(space["found"].pop()) == [None, None, None]
