"""The steps of the layout, one by one, against slower ways to the same."""

import random
from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.optimize import linprog

from autodiff.viz.layout.alignment import Straight, longest_rising
from autodiff.viz.layout.clusters import NOWHERE, Tree
from autodiff.viz.layout.layers import as_late_as_can_be, assign_layers, closing_pairs, knots
from autodiff.viz.layout.model import Cluster
from autodiff.viz.layout.net import Bundle, Net, cut_into_pieces, short_enough
from autodiff.viz.layout.ordering import Order, crossings, gain, order_layers
from autodiff.viz.layout.simplex import Step, make_short


def random_pairs(chance, count, links, near=None):
    """Links from lower numbers to higher ones; if near, over so many numbers on average."""
    pairs = {}
    while len(pairs) < links:
        target = chance.randrange(1, count)
        source = max(0, target - 1 - int(chance.expovariate(1 / near))) if near else chance.randrange(target)
        pairs[source, target] = None
    return list(pairs)


def reachable(count, pairs):
    """Whether one node leads to another, by squaring the matrix of links."""
    reach = np.zeros((count, count), bool)
    for source, target in pairs:
        reach[source, target] = True
    for _ in range(count.bit_length()):
        reach |= (reach.astype(int) @ reach.astype(int)) > 0
    return reach


@pytest.mark.parametrize("seed", range(20))
def test_without_the_closing_pairs_there_is_no_cycle(seed):
    chance = random.Random(seed)
    pairs = [tuple(chance.choices(range(12), k=2)) for _ in range(25)]
    closing = closing_pairs(12, pairs)
    assert not reachable(12, [pair for pair in pairs if pair not in closing]).diagonal().any()
    forwards = [(a, b) for a, b in pairs if a < b]
    assert closing_pairs(12, forwards) == set()


@pytest.mark.parametrize("seed", range(20))
def test_nodes_share_a_knot_if_each_leads_to_the_other(seed):
    chance = random.Random(seed)
    pairs = [tuple(chance.choices(range(14), k=2)) for _ in range(18)]
    reach, knot = reachable(14, pairs), knots(14, pairs)
    for a, b in combinations(range(14), 2):
        assert (knot[a] == knot[b]) == (reach[a, b] and reach[b, a])


@pytest.mark.parametrize("seed", range(20))
def test_steps_are_as_short_as_a_linear_program_makes_them(seed):
    chance = random.Random(seed)
    count = chance.randrange(3, 40)
    pairs = random_pairs(chance, count, min(count * (count - 1) // 2, chance.randrange(1, 2 * count)))
    steps = [Step(a, b, chance.choice([1, 1, 2]), chance.choice([0, 1, 1, 3])) for a, b in pairs]
    layer = make_short(as_late_as_can_be(count, steps), steps)
    assert min(layer) == 0
    assert all(layer[s.target] - layer[s.source] >= s.length for s in steps)
    cost, rows = np.zeros(count), np.zeros((len(steps), count))
    for row, s in zip(rows, steps, strict=True):
        cost[s.target] += s.weight
        cost[s.source] -= s.weight
        row[s.source], row[s.target] = 1, -1
    best = linprog(cost, A_ub=rows, b_ub=[-s.length for s in steps], bounds=(0, None))
    assert cost @ layer == pytest.approx(best.fun)


def test_a_cluster_that_a_link_leaves_and_comes_back_to():
    """What lies on the way has its place beside the cluster; what comes before it still comes before all of it."""
    tree = Tree([Cluster("c")])
    pairs = [(0, 1), (1, 2), (2, 3), (4, 3)]  # 1, 3 and 4 are in the cluster, 2 is not
    homes = [NOWHERE, 0, NOWHERE, 0, 0]
    layer = assign_layers(homes, pairs, tree)
    assert layer[1] < layer[2] < layer[3]
    assert layer[0] < min(layer[1], layer[4])


def test_the_longest_rising_part():
    for seed in range(30):
        values = random.Random(seed).sample(range(9), 7)
        chosen = longest_rising(values)
        longest = max(k for k in range(8) for part in combinations(values, k) if sorted(part) == list(part))
        assert [values[i] for i in chosen] == sorted(values[i] for i in chosen)
        assert chosen == sorted(chosen)
        assert len(chosen) == longest


def test_whether_a_piece_crosses_a_straight_one():
    straight = Straight([1, 4, 6], [0, 3, 7])
    for start in range(9):
        for end in range(9):
            expected = any((start - a) * (end - b) < 0 for a, b in zip(straight.starts, straight.ends, strict=True))
            assert straight.cross(start, end) == expected


def net_of(count, pairs):
    """A net of boxes without clusters, its layers in order of number."""
    layer = assign_layers([NOWHERE] * count, pairs, Tree([]))
    net = Net(count, [10.0] * count, [10.0] * count, layer, [NOWHERE] * count)
    bundles = [Bundle(a, b, [i], [0.0], [0.0]) for i, (a, b) in enumerate(pairs)]
    cut_into_pieces(net, bundles, Tree([]), 5.0)
    return net


def count_crossings(net, rows):
    """Crossings of links, by looking at each two."""
    total = 0
    for row, below in pairwise(rows):
        place = {v: i for i, v in enumerate(below)}
        pieces = [(i, place[w]) for i, v in enumerate(row) for w in net.targets[v]]
        total += sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(pieces, 2))
    return total


def plain_barycentre(net, rounds=24):
    """The fewest crossings that sweeps by the mean of neighbours reach, and nothing else."""
    rows = [row[:] for row in net.rows]
    fewest = count_crossings(net, rows)
    for _ in range(rounds):
        for near, order in ((net.sources, range(1, len(rows))), (net.targets, range(len(rows) - 2, -1, -1))):
            for i in order:
                place = {v: p for p, v in enumerate(rows[i - 1 if near is net.sources else i + 1])}
                mean = {v: np.mean([place[u] for u in near[v]]) if near[v] else p for p, v in enumerate(rows[i])}
                rows[i].sort(key=mean.get)
        fewest = min(fewest, count_crossings(net, rows))
    return fewest


@pytest.mark.parametrize(("count", "links", "near"), [(20, 30, None), (60, 85, 8), (100, 130, 12), (150, 160, None)])
def test_fewer_crossings_than_plain_barycentre_sweeps(count, links, near):
    for seed in range(3):
        net = net_of(count, random_pairs(random.Random(seed), count, links, near))
        reference = plain_barycentre(net)
        order_layers(net, Tree([]))
        assert sorted(v for row in net.rows for v in row) == list(range(len(net.layer)))
        assert count_crossings(net, net.rows) <= reference


def test_a_tree_has_no_crossings():
    net = net_of(63, [((v - 1) // 2, v) for v in range(1, 63)])
    order_layers(net, Tree([]))
    assert count_crossings(net, net.rows) == 0


def test_crossings_are_counted_right():
    for seed in range(10):
        chance = random.Random(seed)
        net = net_of(30, random_pairs(chance, 30, 50))
        order = Order(net, Tree([]), chance.sample(range(len(net.layer)), len(net.layer)))
        assert crossings(order) == count_crossings(net, order.rows)


def test_what_is_gained_by_changing_places():
    for seed in range(30):
        chance = random.Random(seed)
        left, right = (sorted(chance.choices(range(5), k=chance.randrange(5))) for _ in range(2))
        now = sum(a > b for a in left for b in right)
        then = sum(b > a for a in left for b in right)
        assert gain(left, right) == then - now


def test_the_longest_links_go_round_where_there_are_too_many_bends():
    bundles = [Bundle(a, b, [i], [0.0], [0.0]) for i, (a, b) in enumerate([(0, 1), (0, 9), (0, 4), (3, 3), (4, 2)])]
    layer = list(range(10))
    assert [b.links for b in short_enough(bundles, layer, 11)] == [[0], [1], [2]]
    assert [b.links for b in short_enough(bundles, layer, 10)] == [[0], [2]]


def test_bends_stay_in_the_clusters_that_a_link_leaves_and_enters():
    tree = Tree([Cluster("a"), Cluster("b"), Cluster("inner", "b")])
    tree.span([0, 0, 1, 2, 2], [0, 2, 5, 6, 8])
    assert tree.homes_between(0, 2, range(1, 8)) == [0, 0, NOWHERE, NOWHERE, 1, 2, 2]
