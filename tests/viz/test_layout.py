"""Layouts of random graphs: nothing overlaps, no link meets a box, clusters are proper."""

import random
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodiff.core.errors import ArgumentError
from autodiff.viz.layout import Box, Cluster, Link, layout
from tests.timing import cpu_seconds

CLOSE = 1e-6
SAMPLES = 20


def overlap(a, b):
    """Whether two rectangles share more than their sides."""
    return (
        min(a.x + a.width, b.x + b.width) - max(a.x, b.x) > CLOSE
        and min(a.y + a.height, b.y + b.height) - max(a.y, b.y) > CLOSE
    )


def holds(outer, inner):
    """Whether one rectangle lies in another."""
    return (
        inner.x >= outer.x - CLOSE
        and inner.y >= outer.y - CLOSE
        and inner.x + inner.width <= outer.x + outer.width + CLOSE
        and inner.y + inner.height <= outer.y + outer.height + CLOSE
    )


def points_on(curve):
    """Points along joined Bézier curves, by de Casteljau's construction: an array (points, 2)."""
    level = np.stack([np.asarray(curve[k : len(curve) - 3 + k : 3], float) for k in range(4)])
    t = np.linspace(0, 1, SAMPLES)[:, None, None]
    level = level[:, None]
    while len(level) > 1:
        level = (1 - t) * level[:-1] + t * level[1:]
    return level.reshape(-1, 2)


def met(points, rects):
    """Which rectangles, as an array (rects, 4), hold one of the points off their sides."""
    low, high = rects[:, None, :2] + CLOSE, rects[:, None, :2] + rects[:, None, 2:] - CLOSE
    return ((low < points) & (points < high)).all(axis=2).any(axis=1)


def check(boxes, links, clusters, direction):
    """Lay a graph out, and check everything that must hold of every layout."""
    drawn = layout(boxes, links, clusters, direction=direction)
    assert drawn == layout(boxes, links, clusters, direction=direction)
    parent = {cluster.id: cluster.parent for cluster in clusters}

    def around(cluster):
        while cluster is not None:
            yield cluster
            cluster = parent[cluster]

    assert set(drawn.boxes) == {box.id for box in boxes}
    for box in boxes:
        assert drawn.boxes[box.id].width == pytest.approx(box.width)
        assert drawn.boxes[box.id].height == pytest.approx(box.height)
    for rect in (*drawn.boxes.values(), *drawn.clusters.values()):
        assert rect.x >= 0
        assert rect.y >= 0
        assert rect.x + rect.width <= drawn.width + CLOSE
        assert rect.y + rect.height <= drawn.height + CLOSE
    for (a, first), (b, second) in combinations(drawn.boxes.items(), 2):
        assert not overlap(first, second), f"{a} and {b} overlap"

    assert set(drawn.clusters) == {c for box in boxes for c in around(box.cluster)}
    for cluster in clusters:
        if cluster.id in drawn.clusters:
            frame = drawn.clusters[cluster.id]
            assert frame.width >= cluster.label_width
            for box in boxes:
                if cluster.id in around(box.cluster):
                    assert holds(frame, drawn.boxes[box.id])
                    assert drawn.boxes[box.id].y >= frame.y + cluster.label_height
                else:
                    assert not overlap(frame, drawn.boxes[box.id]), f"{box.id} lies in {cluster.id}"
    for (a, first), (b, second) in combinations(drawn.clusters.items(), 2):
        if a in around(b):
            assert holds(first, second)
        elif b in around(a):
            assert holds(second, first)
        else:
            assert not overlap(first, second), f"{a} and {b} overlap"

    sized = {box.id: box for box in boxes}
    together = Counter((link.source, link.target) for link in links)
    rects = np.array(list(drawn.boxes.values()), float).reshape(-1, 4)
    assert set(drawn.links) == {link.id for link in links}
    for link in links:
        curve = drawn.links[link.id]
        source, target = drawn.boxes[link.source], drawn.boxes[link.target]
        ports = sized[link.target].ports
        assert len(curve) % 3 == 1
        if direction == "LR":
            assert curve[0].x == pytest.approx(source.x + source.width)
            assert curve[-1].x == pytest.approx(target.x)
            side, size, entry = target.y, target.height, curve[-1].y
        else:
            assert curve[0].y == pytest.approx(source.y + source.height)
            assert curve[-1].y == pytest.approx(target.y)
            side, size, entry = target.x, target.width, curve[-1].x
        assert side <= entry <= side + size
        if together[link.source, link.target] == 1:
            offset = ports[link.port] if ports and link.port is not None else size / 2
            assert entry == pytest.approx(side + offset)
        points = points_on(curve)
        assert (points >= 0).all()
        assert (points <= (drawn.width, drawn.height)).all()
        assert not met(points, rects).any(), f"{link.id} meets {list(drawn.boxes)[met(points, rects).argmax()]}"
    shapes = Counter((link.source, link.target, tuple(drawn.links[link.id])) for link in links)
    assert not links or max(shapes.values()) == 1, "parallel links are one curve"
    return drawn


@st.composite
def graphs(draw, cycles=False):
    """Boxes of all sizes, some with entries, in clusters in clusters, with links, some of them parallel."""
    chance = random.Random(draw(st.integers(0, 10**9)))
    count = draw(st.integers(0, 30))
    clusters = [
        Cluster(
            f"c{i}",
            chance.choice([None, *(f"c{k}" for k in range(i))]),
            chance.choice([0, 20, 150]),
            chance.choice([0, 14]),
        )
        for i in range(draw(st.integers(0, 6)))
    ]
    ids = [None, *(cluster.id for cluster in clusters)]
    boxes = []
    near = draw(st.booleans())
    for i in range(count):
        width, height = chance.choice([8, 30, 60, 300]), chance.choice([6, 20, 40, 200])
        entries = chance.choice([0, 0, 1, 2, 3])
        ports = tuple(min(width, height) * (k + 1) / (entries + 1) for k in range(entries))
        home = ids[i * len(ids) // count] if near else chance.choice(ids)
        boxes.append(Box(f"b{i}", width, height, home, ports))
    links = []
    for k in range(chance.randrange(2 * count) if count > 1 else 0):
        source, target = chance.choices(range(count), k=2) if cycles else sorted(chance.sample(range(count), 2))
        ports = boxes[target].ports
        for copy in range(chance.choice([1, 1, 1, 1, 2, 3])):
            port = chance.randrange(len(ports)) if ports and chance.random() < 0.8 else None
            links.append(Link(f"l{k}.{copy}", f"b{source}", f"b{target}", port))
    return boxes, links, clusters


@settings(max_examples=200, deadline=None)
@given(graphs(), st.sampled_from(["LR", "TB"]))
def test_graphs_without_cycles(graph, direction):
    drawn = check(*graph, direction)
    for link in graph[1]:
        source, target = drawn.boxes[link.source], drawn.boxes[link.target]
        if direction == "LR":
            assert source.x + source.width < target.x
        else:
            assert source.y + source.height < target.y


@settings(max_examples=60, deadline=None)
@given(graphs(cycles=True), st.sampled_from(["LR", "TB"]))
def test_graphs_with_cycles_and_loops(graph, direction):
    check(*graph, direction)


def chain(count):
    """Boxes in a row, each linked to the next."""
    boxes = [Box(str(i), 40, 20) for i in range(count)]
    return boxes, [Link(f"{i}", str(i), str(i + 1)) for i in range(count - 1)]


def between(*pairs):
    """Links with ids of their own."""
    return [Link(f"{i}: {a} to {b}", a, b) for i, (a, b) in enumerate(pairs)]


def middle(rect):
    """The middle of a rectangle."""
    return rect.x + rect.width / 2, rect.y + rect.height / 2


def test_nothing_and_one_box():
    assert layout([], []).boxes == {}
    drawn = layout([Box("a", 40, 20)], [], [Cluster("empty")], margin=5)
    assert drawn.boxes["a"] == (5, 5, 40, 20)
    assert (drawn.width, drawn.height) == (50, 30)
    assert drawn.clusters == {}


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_a_chain_is_straight(direction):
    boxes, links = chain(5)
    drawn = layout(boxes, links, direction=direction)
    across = 1 if direction == "LR" else 0
    assert len({middle(rect)[across] for rect in drawn.boxes.values()}) == 1
    assert {point[across] for curve in drawn.links.values() for point in curve} == {middle(drawn.boxes["0"])[across]}


def test_a_diamond_is_symmetric():
    boxes = [Box(name, 40, 20) for name in "abcd"]
    drawn = layout(boxes, between("ab", "ac", "bd", "cd"))
    (_, a), (bx, b), (cx, c), (_, d) = (middle(drawn.boxes[name]) for name in "abcd")
    assert bx == cx
    assert a == d == (b + c) / 2


def test_a_link_past_two_boxes_is_straight():
    boxes = [Box(name, 40, 20) for name in "abcd"]
    drawn = layout(boxes, between("ab", "bc", "cd", "ad"))
    long = drawn.links["3: a to d"]
    inner = [p.y for p in long if drawn.boxes["b"].x <= p.x <= drawn.boxes["c"].x + 40]
    assert len(set(inner)) == 1


def test_a_weight_stands_beside_its_op_and_the_main_road_is_straight():
    names = ["x", "w", "matmul", "b", "add", "tanh"]
    boxes = [Box(name, 60, 30, ports=(10, 20) if name in ("matmul", "add") else ()) for name in names]
    links = [
        Link("1", "x", "matmul", 0),
        Link("2", "w", "matmul", 1),
        Link("3", "matmul", "add", 0),
        Link("4", "b", "add", 1),
        Link("5", "add", "tanh"),
    ]
    drawn = layout(boxes, links)
    assert drawn.boxes["b"].x == drawn.boxes["matmul"].x
    for main in ("1", "3", "5"):
        assert len({point.y for point in drawn.links[main]}) == 1


def test_a_link_enters_a_cluster_from_outside_it():
    boxes = [Box("x", 40, 20), Box("w", 40, 20, "linear"), Box("matmul", 40, 20, "linear"), Box("tanh", 40, 20)]
    drawn = layout(boxes, between(("x", "matmul"), ("w", "matmul"), ("matmul", "tanh")), [Cluster("linear")])
    frame = drawn.clusters["linear"]
    assert drawn.boxes["x"].x + 40 < frame.x
    assert frame.x + frame.width < drawn.boxes["tanh"].x


def test_entries_keep_links_apart():
    boxes = [Box("x", 40, 20), Box("mul", 40, 30, ports=(10, 20))]
    drawn = layout(boxes, [Link("left", "x", "mul", 0), Link("right", "x", "mul", 1)])
    top = drawn.boxes["mul"].y
    assert (drawn.links["left"][-1].y, drawn.links["right"][-1].y) == (top + 10, top + 20)


def test_a_fan():
    boxes = [Box("x", 40, 20), *(Box(str(i), 40, 20) for i in range(300))]
    drawn = check(boxes, between(*(("x", str(i)) for i in range(300))), [], "LR")
    assert abs(middle(drawn.boxes["x"])[1] - drawn.height / 2) < 40


def test_too_many_bends_go_round_the_outside():
    """Skips in a long chain: a thousand links of hundreds of layers each."""
    boxes, links = chain(400)
    links += [Link(f"skip {i}", str(i), str(399 - i)) for i in range(150)]
    drawn = layout(boxes, links)
    rects = np.array(list(drawn.boxes.values()), float)
    for link in links:
        assert not met(points_on(drawn.links[link.id]), rects).any()


def test_deep_clusters_and_a_long_chain():
    clusters = [Cluster(f"c{i}", f"c{i - 1}" if i else None) for i in range(60)]
    drawn = layout([Box("a", 40, 20, "c59"), Box("b", 40, 20)], between("ab"), clusters, padding=2)
    assert drawn.clusters["c0"].width == pytest.approx(40 + 60 * 4)
    boxes, links = chain(5000)
    drawn = layout(boxes, [*links, Link("round", "4999", "0"), Link("long", "0", "4999")])
    assert len(drawn.boxes) == 5000


@pytest.mark.parametrize("near", [True, False])
def test_two_thousand_boxes_in_two_seconds(near):
    chance = random.Random(1)
    boxes = [Box(str(i), chance.choice([40, 60]), 24) for i in range(2000)]
    links = []
    for i in range(3000):
        target = chance.randrange(1, 2000)
        source = max(0, target - 1 - int(chance.expovariate(1 / 40))) if near else chance.randrange(target)
        links.append(Link(str(i), str(source), str(target)))
    layout(boxes[:50], [])
    assert cpu_seconds(lambda: layout(boxes, links)) < 2


@pytest.mark.parametrize(
    ("boxes", "links", "clusters", "options", "text"),
    [
        ([], [], [], {"direction": "up"}, "There is no direction 'up'; the directions are 'LR' and 'TB'."),
        (
            [],
            [],
            [],
            {"gap": 0},
            "The layout was asked for gap=0, layer_gap=44.0, margin=12.0, padding=10.0; gaps must",
        ),
        ([Box("a", 1, 1)] * 2, [], [], {}, "Two boxes have the id 'a'; give each its own."),
        ([Box("a", 0, 1)], [], [], {}, "The box 'a' is 0 wide and 1 high; both must be positive and finite."),
        ([Box("a", 1, float("nan"))], [], [], {}, "The box 'a' is 1 wide and nan high"),
        ([Box("a", 1, 1, "m")], [], [], {}, "The box 'a' stands in 'm', which is not among the clusters."),
        ([Box("a", 1, 1)], [Link("l", "a", "b")], [], {}, "The link 'l' ends at 'b', which is not among the boxes."),
        ([Box("a", 1, 1)], [Link("l", "a", "a")] * 2, [], {}, "Two links have the id 'l'; give each its own."),
        (
            [Box("a", 1, 1, ports=(0.5,))],
            [Link("l", "a", "a", 1)],
            [],
            {},
            "The link 'l' enters 'a' at port 1; that box has 1, counted from 0.",
        ),
        ([], [], [Cluster("c")] * 2, {}, "Two clusters have the id 'c'; give each its own."),
        ([], [], [Cluster("c", "d")], {}, "The parent of the cluster 'c' is 'd', which is not among the clusters."),
        ([], [], [Cluster("c", "d"), Cluster("d", "c")], {}, "The cluster 'c' lies inside itself; parents must form a"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(boxes, links, clusters, options, text):
    with pytest.raises(ArgumentError) as error:
        layout(boxes, links, clusters, **options)
    assert text in str(error.value)
