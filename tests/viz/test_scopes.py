"""The scopes of a tape, and what the program calls its results."""

import numpy as np

import autodiff as ad
from autodiff import nn
from autodiff.core.traced_names import assigned_names
from autodiff.viz.scopes import WIDE, all_scopes, scope_tree, title_of_all


def tree_of(y):
    return scope_tree(ad.Tape(y), [y])


def every_position(root):
    return sorted(i for scope in [root, *all_scopes(root)] for i in scope.members if isinstance(i, int))


def test_every_node_stands_in_exactly_one_scope():
    model = nn.Sequential(*[nn.Linear(3, 3, rng=i) for i in range(4)], nn.Tanh())
    with ad.trace():
        y = model(np.ones((2, 3))).sum()
    root = tree_of(y)
    assert every_position(root) == list(range(len(ad.Tape(y))))
    assert root.size == len(ad.Tape(y))
    assert [scope.id for scope in all_scopes(root)] == [f"s{k}" for k in range(len(list(all_scopes(root))))]


def test_no_level_is_wider_than_an_eye_can_take_in():
    y = ad.Value(1.0)
    for _ in range(5_000):
        y = y + 1.0
    root = tree_of(y)
    assert every_position(root) == list(range(5_001))
    assert all(len(scope.members) <= WIDE for scope in [root, *all_scopes(root)])
    (first, *_) = all_scopes(root)
    assert first.title.startswith("%0 … %")


def test_alike_layers_are_one_repeated_block():
    model = nn.Sequential(*[nn.Linear(3, 3, rng=i) for i in range(4)])
    with ad.trace():
        y = model(np.ones((2, 3))).sum()
    (block,) = [scope for scope in all_scopes(tree_of(y)) if scope.kind == "repeat"]
    assert block.title == "model.0 … 3 × 4"
    assert [inner.title for inner in block.members] == ["model.0", "model.1", "model.2", "model.3"]
    assert block.size == 12


def test_titles_of_blocks():
    assert title_of_all(["a.1", "a.2", "a.7"]) == "a.1 … 7 × 3"
    assert title_of_all(["net.0.a1", "net.1.a2", "net.2.a3"]) == "net.0.a1 × 3"
    assert title_of_all(["cell"]) == "cell × 1"


def test_calls_of_one_module_are_told_apart_and_its_parameters_stand_in_the_first():
    layer = nn.Linear(3, 3, rng=0)
    with ad.trace():
        y = layer(layer(np.ones((2, 3))))
    root = tree_of(y)
    assert [scope.title for scope in all_scopes(root)] == ["layer", "layer (call 2)"]
    assert [scope.members for scope in all_scopes(root)] == [[0, 1, 2], [3]]


def test_a_result_is_called_what_it_is_assigned_to():
    x = ad.Tensor([1.0, 2.0])
    with ad.trace():
        h = ad.tanh(x * 2.0)
        total = sum(entry for entry in [h, h, h])
    tape = ad.Tape(total)
    names = assigned_names(tape)
    assert [names.get(id(node)) for node in tape] == [None, None, "h", None, None, "total"]


def test_steps_inside_an_expression_have_no_name_of_their_own():
    outs = [ad.Value(float(i)) for i in range(3)]
    with ad.trace():
        loss = sum((1 - o) ** 2 for o in outs)
    named = [node for node in ad.Tape(loss) if id(node) in assigned_names(ad.Tape(loss))]
    assert named == [loss]
