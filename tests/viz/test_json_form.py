"""The view as JSON: its schema, its sizes, and that all of the view can be had from it."""

import json
import math
import sys
from fractions import Fraction
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import autodiff as ad
import autodiff.viz
from autodiff import nn
from autodiff.core.rule import TABLE
from autodiff.ops.families import draw_samples
from autodiff.testing.compare import is_continuous
from autodiff.viz.json_form import BUDGET, as_json
from autodiff.viz.page import as_data
from autodiff.viz.view import view_of
from tests.timing import cpu_seconds

SCHEMA = json.loads((Path(autodiff.viz.__file__).parent / "view.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def seen(y, **options):
    view = view_of([y], sys._getframe(1), "debug").sweep([np.ones_like(y.data) if np.ndim(y.data) else y.data * 0 + 1])
    form = as_json(view, **options)
    json.dumps(form, allow_nan=False)
    return view, form


def check(form):
    errors = sorted(VALIDATOR.iter_errors(form), key=lambda e: list(e.path))
    assert not errors, "\n".join(f"{list(e.path)}: {e.message}" for e in errors[:5])


def numbers(form, x):
    """The entries that stand behind a value of a complete form."""
    if isinstance(x, dict):
        return [float(v) for v in form["arrays"][x["array"]]["data"]] if "array" in x else [float(x["number"])]
    return [float(x)]


def totals(form):
    """The cotangent of each node: the total of the last step that adds to it."""
    found = {}
    for step in form["steps"]:
        edge = form["edges"][int(step["edge"][1:])] if "edge" in step else None
        total = step.get("total", "=")
        if total is not None:
            found[edge["source"] if edge else step["target"]] = edge["contribution"] if total == "=" else total
    return found


def mlp():
    model, x = nn.MLP([2, 4, 4, 1], activation=nn.Tanh, rng=0), np.ones((3, 2))
    with ad.trace():
        return ad.mean((model(x) - 1) ** 2)


def scalar():
    a, b = ad.Value(2.0, name="a"), ad.Value(-3.0, name="b")
    with ad.trace():
        return a * b + ad.sin(a)


def odd():
    x = ad.Tensor(np.array([1.0, 0.0, -1.0]), name="x")
    with ad.trace(), np.errstate(all="ignore"):
        return ad.sum(ad.log(x) * ad.where(x > 0, x, 1 / x))


def fractions():
    x = ad.Value(Fraction(1, 3), name="x")
    return x * x / 7 + Fraction(1, 2)


def in_the_plane():
    z = ad.Tensor(np.array([1 + 2j, 3.0]), name="z")
    return ad.sum(ad.real(z * ad.conj(z)))


def conv_net():
    x = np.random.default_rng(0).normal(size=(1, 2, 6, 6))
    w = ad.Tensor(np.random.default_rng(1).normal(size=(3, 2, 3, 3)), name="w")
    return ad.mean(ad.max_pool2d(ad.relu(ad.conv2d(x, w, padding=1)), 2))


def nasty():
    x = ad.Tensor(np.ones((2, 3)), name='</script><b>"\\ \u2028 🙂' * 300)
    return ad.sum(x[[0, 1], [1, 1]]) + ad.sum(ad.Tensor(np.zeros((0, 3)), name="") * 2)


PROGRAMS = [mlp, scalar, odd, fractions, in_the_plane, conv_net, nasty]


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_schema_holds(program):
    """Also after the trip through text."""
    _, form = seen(program())
    check(form)
    check(json.loads(as_data(form)))


def test_the_schema_is_one_and_bites():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    _, form = seen(scalar())
    for path in (("version",), ("nodes", 0, "id"), ("edges", 0, "source"), ("steps", 0, "total"), ("steps", 1, "edge")):
        broken = json.loads(json.dumps(form))
        place = broken
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = None
        assert list(VALIDATOR.iter_errors(broken)), path


def test_the_schema_holds_for_every_row():
    """One sample of each row of the table."""
    ad.ops.public.names()
    for rule in TABLE.values():
        if not (rule.differentiable and rule.samples and rule.forward.__module__.startswith("autodiff.ops")):
            continue
        point = next(p for p in draw_samples(rule) if any(is_continuous(a) and np.size(a) for a in p.args))
        with np.errstate(all="ignore"):
            args = [ad.Tensor(a) if is_continuous(a) else a for a in point.args]
            y = rule.op(args, **point.params) if rule.variadic else rule.op(*args, **point.params)
            check(seen(y)[1])


@pytest.mark.parametrize("program", [mlp, scalar, odd])
def test_all_numbers_are_there(program):
    """Of a small tape, to the last bit: values, cotangents, contributions, local derivatives."""
    view, form = seen(program())
    assert form["complete"]
    last = totals(form)
    for node in form["nodes"]:
        n = view.nodes[node["id"]]
        np.testing.assert_array_equal(numbers(form, node["value"]), np.asarray(n.data, float).ravel())
        assert (node["id"] in last) == (n.cotangent is not None)
        if n.cotangent is not None:
            np.testing.assert_array_equal(numbers(form, last[node["id"]]), np.asarray(n.cotangent, float).ravel())
    for k, edge in enumerate(form["edges"]):
        e = view.edges[f"e{k}"]
        assert (edge["source"], edge["target"], edge.get("argument", 0)) == (e.source, e.target, e.argument)
        assert tuple(edge.get("parallel", (0, 1))) == e.parallel
        if e.contribution is not None:
            np.testing.assert_array_equal(numbers(form, edge["contribution"]), np.ravel(e.contribution.fitted))
            if "raw" in edge:
                np.testing.assert_array_equal(numbers(form, edge["raw"]), np.ravel(e.contribution.raw))
    back = [s for s in view.steps if s.kind != "forward"]
    assert [(s.get("kind", "pull"), s.get("edge")) for s in form["steps"]] == [(s.kind, s.edge) for s in back]
    assert [n["id"] for n in form["nodes"] if "kind" not in n] == [s.target for s in view.steps if s.kind == "forward"]


def test_nothing_is_said_twice():
    """An array that is a value here and a constant there stands once; nor is a total that is the contribution."""
    x = ad.Tensor(np.arange(3.0), name="x")
    y = ad.sum(x + x.data)
    y.backward()
    _, form = seen(y)
    texts = [json.dumps(a, sort_keys=True) for a in form["arrays"]]
    assert len(set(texts)) == len(texts)
    (node,) = (n for n in form["nodes"] if n["id"] == "n0")
    assert node["grad"] == "="
    assert form["steps"] == [{"kind": "seed", "target": "n2", "total": 1.0}, {"edge": "e2"}, {"edge": "e0"}]


def test_a_grad_of_another_sweep_is_its_own():
    """What ``.grad`` holds after two calls of backward is not the cotangent."""
    a = ad.Value(3.0, name="a")
    b = a * a
    b.backward()
    b.backward()
    _, form = seen(b)
    assert form["nodes"][0]["grad"] == 12.0


def test_the_same_program_has_the_same_form():
    """Nothing depends on addresses, on the hour or on the machine."""
    assert as_data(seen(mlp())[1]) == as_data(seen(mlp())[1])
    text = as_data(seen(scalar())[1])
    assert str(Path(__file__).parent) not in text
    assert "test_json_form.py" in text


def test_names_are_shortened():
    _, form = seen(nasty())
    assert max(len(n.get("name", "")) for n in form["nodes"]) <= 200


def test_large_arrays_are_summarised():
    """Every so many rows and columns of an array over the limit; never all of it."""
    x = ad.Tensor(np.random.default_rng(0).normal(size=(1000, 300)), name="x")
    _, form = seen(ad.sum(ad.tanh(x)))
    assert not form["complete"]
    assert len(as_data(form)) < 100_000
    array = form["arrays"][form["nodes"][0]["value"]["array"]]
    assert array["data"] == [float(f"{v:.7g}") for v in x.data[:: array["step"][0], :: array["step"][1]].ravel()]
    assert array["mean"] == pytest.approx(x.data.mean(), rel=1e-8)


def test_a_net_of_300_nodes_stays_within_its_budget():
    """An attention net; the rest of the page takes about 260,000 characters."""
    rng = np.random.default_rng(0)
    h = ad.Tensor(rng.normal(size=(48, 32)))
    w = [ad.Tensor(rng.normal(size=(32, 32)) / 6) for _ in range(6)]
    for _ in range(16):
        q, k, v = (h @ a for a in w[:3])
        h = h + ad.softmax(q @ k.T / 6.0) @ v
        h = (h - ad.mean(h, -1, keepdims=True)) / ad.sqrt(ad.var(h, -1, keepdims=True) + 1e-5)
        h = h + ad.gelu(h @ w[3]) @ w[4]
    view, form = seen(ad.mean(h * h))
    assert len(view.tape) > 300
    check(form)
    assert len(as_data(form)) < 680_000
    assert sum(len(as_data(a)) for a in form["arrays"]) < 1.15 * BUDGET


def test_a_tape_of_20_000_nodes_is_packed_quickly():
    """Single numbers and small arrays: about 6 MB, in less than four seconds."""
    x = ad.Value(0.5, name="x")
    y = x
    for _ in range(6_667):
        y = ad.sin(y * x + 0.1)
    h = ad.Tensor(np.ones((4, 4)) / 3)
    for _ in range(10_000):
        h = ad.tanh(h * 1.1)
    for result in (y, ad.sum(h)):
        view = view_of([result], sys._getframe(), "debug").sweep([result.data * 0 + 1])
        assert len(view.tape) > 20_000
        assert len(as_data(as_json(view))) < 7e6
        assert cpu_seconds(lambda view=view: as_data(as_json(view))) < 4


def test_formulas_leave_room_for_names():
    """LaTeX with @a@, and MathML with slots, of what is computed and of what is sent back."""
    a, b = ad.Tensor(np.ones((2, 3))), ad.Tensor(np.ones((3, 4)))
    rule = seen(ad.sum(a @ b))[1]["rules"]["matmul"]
    assert rule["forward"]["latex"] == "@y@ = @a@ @b@"
    assert rule["pulled"]["a"]["latex"] == r"@a_bar@ = @y_bar@ @b@^{\mathsf{T}}"
    assert 'data-slot="b_bar"' in rule["pulled"]["b"]["mathml"]


def test_a_view_without_a_sweep():
    """Only forward: no contributions, no totals."""
    y = scalar()
    form = as_json(view_of([y], sys._getframe(), "draw"))
    check(form)
    assert all("contribution" not in edge for edge in form["edges"])
    assert form["steps"] == []


def test_special_numbers():
    """Not-a-number and the infinities are texts; whole numbers, fractions and complex numbers say what they are."""
    x = ad.Value(Fraction(1, 3), name="x")
    y = x * 2
    form = seen(y)[1]
    assert form["nodes"][0]["value"] == {"text": "1/3", "number": 1 / 3}
    assert {"text": "2", "number": 2.0} in [n["value"] for n in form["nodes"]]
    z = ad.Tensor(np.array([math.inf, -math.inf, math.nan, 0.0]), name="z")
    with np.errstate(all="ignore"):
        (array, *_) = seen(ad.sum(z * 1))[1]["arrays"]
    assert array["data"] == ["inf", "-inf", "nan", 0.0]
    assert (array["inf"], array["nan"], array["zeros"], array["min"]) == (2, 1, 1, 0.0)
