"""The scopes of a tape, and what the program calls its results."""

import numpy as np

import autodiff as ad
from autodiff import nn
from autodiff.core.traced_names import assigned_names
from autodiff.viz import scopes
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


class Hidden(nn.Module):
    """Its own ``__call__`` hides it from the tape."""

    def __init__(self):
        self.encode = nn.Linear(2, 8, rng=0)
        self.body = nn.Sequential(nn.Linear(8, 8, rng=1), nn.Tanh())
        self.head = nn.Linear(8, 2, rng=2)

    def __call__(self, x):
        h = self.body(ad.tanh(self.encode(x)))
        return self.head(self.body(h) + h)


def test_layers_of_a_model_that_is_hidden_are_named_by_their_parameters():
    net = Hidden()
    with ad.trace():
        loss = net(np.ones((3, 2))).sum()
    tape = ad.Tape(loss)
    root = scope_tree(tape, [loss])
    titles = [scope.title for scope in all_scopes(root)]
    assert titles == [
        *("net", "net.encode", "net.body", "net.body.0", "net.body.1"),
        *("net.body (call 2)", "net.body.0", "net.body.1", "net.head"),
    ]
    between = [tape[i] for i in next(iter(all_scopes(root))).members if isinstance(i, int)]
    assert [node.rule.name for node in between] == ["tanh", "add"]


def test_a_layer_without_a_name_stays_what_it_is():
    with ad.trace():
        y = nn.Linear(3, 3, rng=0)(np.ones((2, 3)))
    assert [scope.title for scope in all_scopes(tree_of(y))] == ["Linear"]


def test_ten_thousand_modules_take_time_in_proportion(monkeypatch):
    """Counted, not timed: runs of ops without modules were compared anew from each of them."""
    calls = []
    find = scopes._repetition
    monkeypatch.setattr(scopes, "_repetition", lambda keys, start: calls.append(start) or find(keys, start))
    layer = nn.Linear(2, 2, rng=0)
    y = layer(np.ones((3, 2)))
    for _ in range(2_000):
        y = ad.tanh(y)
    with ad.trace():
        for _ in range(4):
            y = layer(y)
    tree_of(y)
    assert len(calls) < 100
