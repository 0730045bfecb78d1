"""The JavaScript that computes a tape anew, against the engine: every row that has a kernel, and random programs."""

import json
import sys

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.edges import contributions
from autodiff.core.rule import TABLE
from autodiff.core.summary import data_text, number_text
from autodiff.ops.families import draw_samples
from autodiff.testing.compare import is_continuous
from autodiff.viz.json_form import as_json
from autodiff.viz.page import _without_imports, static
from autodiff.viz.statistics import array_form
from autodiff.viz.view import view_of

FILES = ("numbers", "unpack", "model", "lighting", "kernels_elementwise", "kernels_arrays", "kernels")
SHOWN = (
    "unpackView",
    "createModel",
    "createMachine",
    "reasonAgainst",
    "relation",
    "restate",
    "Stats",
    "showNumber",
    "showStats",
)
NOWHERE = eval("sys._getframe()", {"sys": sys})
"""A frame with next to no variables: nobody looks for names among all the rows of the table."""
RUN = """(text) => JSON.stringify(JSON.parse(text).map(({view, leaves}) => {
  const model = createModel(unpackView(view));
  const reason = reasonAgainst(model);
  if (reason) return {reason};
  const machine = createMachine(model);
  const values = machine.values();
  for (const [id, data] of Object.entries(leaves)) values.get(id).data.set(data.map(Number));
  machine.forward(values);
  const {cotangents, edges} = machine.backward(values);
  const plain = (map, of) => Object.fromEntries([...map].map(([id, x]) => [id, [...of(x).data].map(String)]));
  return {
    values: plain(values, (x) => x),
    cotangents: plain(cotangents, (x) => x),
    raw: plain(edges, (x) => x.raw),
    fitted: plain(edges, (x) => x.fitted),
  };
}))"""


@pytest.fixture
def kit(browser):
    """A page with the modules that compute, and their functions as globals."""
    page = browser.new_page()
    code = "\n".join(_without_imports(static(f"debugger/{name}.js")) for name in FILES)
    page.goto("about:blank")
    page.add_script_tag(content=f"{code}\nObject.assign(globalThis, {{{', '.join(SHOWN)}}});", type="module")
    page.wait_for_function("() => globalThis.unpackView !== undefined")
    yield page
    page.close()


def seen(y):
    """The view of a result with its sweep."""
    return view_of([y], NOWHERE, "debug").sweep([y.data * 0 + 1])


def packed(view):
    """Its JSON, with room for everything."""
    return as_json(view, budget=10**9)


def run(kit, jobs):
    """What JavaScript makes of some tapes; as text, which is the quickest way into the page and back."""
    return json.loads(kit.evaluate(RUN, json.dumps(jobs)))


def entries(x):
    return np.asarray(x, float).ravel()


def job(first, second):
    """The tape of one run with the leaves of another, which has the same form."""
    leaves = {
        n.id: [str(x).replace("inf", "Infinity") for x in entries(n.data)]
        for n in second.nodes.values()
        if n.kind == "leaf"
    }
    return {"view": first, "leaves": leaves}


def assert_same(found, view, what):
    """Values, cotangents and contributions that JavaScript found, against those of a view."""
    assert "reason" not in found, f"{what}: {found.get('reason')}"
    pairs = [(found["values"][n.id], n.data, f"value of {n.op} {n.id}") for n in view.nodes.values()]
    pairs += [
        (found["cotangents"][n.id], n.cotangent, f"cotangent of {n.op} {n.id}")
        for n in view.nodes.values()
        if n.cotangent is not None
    ]
    for e in view.edges.values():
        if e.contribution is not None:
            op = view.nodes[e.target].op
            pairs.append((found["fitted"][e.id], e.contribution.fitted, f"contribution to {e.input} of {op}"))
            if np.shape(e.contribution.raw) != np.shape(e.contribution.fitted):
                pairs.append((found["raw"][e.id], e.contribution.raw, f"raw contribution to {e.input} of {op}"))
    for ours, expected, name in pairs:
        ours = np.array([float(x.replace("Infinity", "inf")) for x in ours])
        finite = np.abs(entries(expected)[np.isfinite(entries(expected))])
        scale = max([1e-300, *finite]) if view.tape[-1].data.dtype != np.float32 else 1.0
        np.testing.assert_allclose(ours, entries(expected), rtol=1e-9, atol=1e-12 * scale, err_msg=f"{what}, {name}")


# Every row, at each of its samples.


def rows():
    """Rows that have a kernel, and so must be right at each of their samples."""
    source = static("debugger/kernels_elementwise.js") + static("debugger/kernels_arrays.js")
    for rule in TABLE.values():
        if (rule.differentiable and rule.samples and f" {rule.name}:" in source) or rule.name in OTHERS:
            yield rule


OTHERS = {"matmul", "matvec", "vecmat", "vecdot", "contract", "broadcast_to", "sum_to", "linear", "cumsum"}
OTHERS |= {"getitem", "reshape", "transpose", "squeeze", "expand_dims", "flip", "concatenate", "stack", "roll", "tril"}
OTHERS |= {"setitem", "pad_zeros", "sliding_window_view", "diagonal", "swapaxes", "moveaxis"}
BROADCASTS = {"setitem", "tril"}
"""Rows that copy entries: where they repeat an argument as well, they have no kernel."""


def loss_of(rule, point, args):
    """A number made of a row's result at its sample's arguments, which are leaves."""
    given = [ad.Tensor(a, name=f"x{k}") if is_continuous(a) else a for k, a in enumerate(args)]
    y = rule.op(given, **point.params) if rule.variadic else rule.op(*given, **point.params)
    weights = np.linspace(-1, 2, y.size).reshape(y.shape)
    return ad.sum(y * weights)


def test_every_row_at_its_samples(kit, rng):
    """Values and gradients, at the sample and beside it, of every row that has a kernel."""
    jobs, views, names = [], [], []
    ad.ops.public.names()
    for rule in rows():
        n = 0
        for point in draw_samples(rule):
            arrays = [np.asarray(a) for a in point.args]
            if any(a.dtype.kind == "c" or not a.size for a in arrays) or point.params.get("dtype") is complex:
                continue
            if not any(is_continuous(a) for a in arrays) or (
                rule.name == "vecdot" and point.params.get("axis", -1) != -1
            ):
                continue
            with np.errstate(all="ignore"):
                y = loss_of(rule, point, arrays)
                made = y.args[0].args[0]
                if not made.size:
                    continue
                form = packed(seen(y))
                moved = [a + 0.01 * rng.normal(size=a.shape) if is_continuous(a) else a for a in arrays]
                views.append(seen(loss_of(rule, point, moved)))
            jobs.append(job(form, views[-1]))
            names.append(f"{rule.name} {[a.shape for a in arrays]} {point.params}")
            n += 1
        assert n, f"{rule.name} was not tried"
    for found, view, name in zip(run(kit, jobs), views, names, strict=True):
        if name.split()[0] in BROADCASTS and "reason" in found:
            continue
        assert_same(found, view, name)
    assert len({view.tape[-1] for view in views}) > 300


# Kinks, and what is infinite.

KINKS = {
    "relu": lambda x: ad.relu(x),
    "absolute": lambda x: ad.absolute(x) + ad.sign(x),
    "maximum": lambda x: ad.maximum(x, 0) + ad.maximum(x, x) + ad.minimum(x, 0),
    "clip": lambda x: ad.clip(x, 0.0, 1.0),
    "leaky": lambda x: ad.leaky_relu(x) + ad.elu(x, alpha=0.5) + ad.leaky_relu(x, negative_slope=2.0),
    "power": lambda x: x**2 + x**0 + x**0.5 + x**x,
    "sqrt": lambda x: ad.where(x > 0, ad.sqrt(x), 0.0) + ad.where(x > 0, ad.log(x), 1.0),
    "max": lambda x: ad.max(x) + ad.min(x) + ad.prod(x),
    "std": lambda x: ad.std(x * 0) + ad.var(x, ddof=1),
    "tails": lambda x: ad.softplus(1000 * x) + ad.log_sigmoid(1000 * x) + ad.sigmoid(1000 * x) + ad.silu(1000 * x),
    "softmax": lambda x: ad.softmax(1000 * x) * x + ad.log_softmax(1000 * x) + ad.logsumexp(1000 * x),
    "rounding": lambda x: ad.floor(x) + ad.rint(x + 0.5) + ad.round(x, 1) + ad.remainder(x, 0.7) + ad.fmod(x, 0.7),
    "angles": lambda x: ad.hypot(x, 0.0) + ad.arctan2(x, 0.0) + ad.sinc(x),
    "entropy": lambda x: ad.xlogy(x, x),
    "nan": lambda x: ad.log(x) * ad.maximum(x, ad.log(x)) + ad.fmax(x, ad.log(x)),
    "gelu": lambda x: ad.gelu(5 * x) + ad.gelu(x, approximate="tanh") + ad.erf(3 * x) + ad.erfc(2 * x) + ad.ndtr(4 * x),
}


def test_kinks_are_where_the_conventions_put_them(kit):
    """Zeros, ties, bounds, tails and logarithms of nothing, in one array."""
    jobs, views = [], []
    for f in KINKS.values():
        with np.errstate(all="ignore"):
            x = ad.Tensor(np.array([0.0, 1.0, 1.0, -2.0, 0.25, -0.5]), name="x")
            view = seen(ad.sum(f(x)))
        jobs.append(job(packed(view), view))
        views.append(view)
    for name, found, view in zip(KINKS, run(kit, jobs), views, strict=True):
        assert_same(found, view, name)


# Random programs.

UNARY = [ad.tanh, ad.sin, ad.cos, ad.sigmoid, ad.softplus, ad.relu, ad.arctan, ad.square, ad.negative, ad.absolute]
UNARY += [
    ad.erf,
    ad.gelu,
    ad.silu,
    ad.elu,
    lambda x: ad.log(1 + x * x),
    lambda x: ad.exp(-x * x),
    lambda x: ad.sqrt(x * x + 1),
]
BINARY = [
    ad.add,
    ad.subtract,
    ad.multiply,
    ad.maximum,
    ad.minimum,
    ad.hypot,
    ad.logaddexp,
    lambda a, b: a / (1 + b * b),
]
BINARY += [lambda a, b: ad.power(1 + a * a, ad.tanh(b)), ad.arctan2]
REDUCING = [ad.sum, ad.mean, ad.max, ad.min, ad.prod, ad.var, ad.std, ad.logsumexp]
MIXING = [ad.softmax, ad.log_softmax, ad.cumsum]


def random_program(rng, leaves):
    """A number made of some leaves by up to eleven ops; the same rng makes the same program."""
    made = list(leaves)

    def pick():
        return made[rng.integers(len(made))]

    for _ in range(rng.integers(3, 12)):
        x = pick()
        kind = rng.integers(7)
        if kind == 0:
            y = UNARY[rng.integers(len(UNARY))](x)
        elif kind == 1:
            other = pick()
            try:
                np.broadcast_shapes(x.shape, other.shape)
            except ValueError:
                other = ad.mean(other)
            y = BINARY[rng.integers(len(BINARY))](x, other)
        elif kind == 2 and x.ndim:
            axis = int(rng.integers(-x.ndim, x.ndim)) if rng.random() < 0.7 else None
            y = REDUCING[rng.integers(len(REDUCING))](ad.tanh(x), axis, keepdims=bool(rng.integers(2)))
        elif kind == 3 and x.ndim:
            y = MIXING[rng.integers(len(MIXING))](x, axis=int(rng.integers(x.ndim)))
        elif kind == 4 and x.ndim == 2:
            w = np.asarray(rng.normal(size=(x.shape[1], rng.integers(1, 4))))
            y = x @ w if rng.random() < 0.5 else ad.transpose(x) @ x
        elif kind == 5 and x.ndim:
            y = [x[::-1], x[..., :1], x[rng.integers(0, len(x), 3)], x.reshape(-1), x[None]][rng.integers(5)]
        else:
            y = [ad.concatenate, ad.stack][rng.integers(2)]([x, ad.sin(x)], axis=0) if x.ndim in (1, 2) else x * 2.0
        made.append(ad.tanh(y) if rng.random() < 0.6 or y.size > 200 else y)
    return sum((ad.mean(y * y + y) for y in made[1:]), ad.mean(made[0]))


def test_random_programs(kit):
    """Forward and back of 200 random programs at other leaves than they were recorded with."""
    jobs, views = [], []
    for seed in range(200):
        runs = []
        for trial in range(2):
            rng = np.random.default_rng([seed, trial])
            shapes = [(3, 2), (2,), ()] if seed % 2 else [(4,), (2, 3), (3,)]
            leaves = [ad.Tensor(rng.normal(size=s), name=f"x{k}") for k, s in enumerate(shapes)]
            runs.append(seen(random_program(np.random.default_rng(seed), leaves)))
        jobs.append(job(packed(runs[0]), runs[1]))
        views.append(runs[1])
    for seed, found, view in zip(range(200), run(kit, jobs), views, strict=True):
        assert_same(found, view, f"program {seed}")


def test_numbers_of_python(kit):
    """Tapes of single numbers: floats and whole numbers."""
    a, b = ad.Value(2.0, name="a"), ad.Value(-3.0, name="b")
    y = ad.sin(a * b + 2) ** 2 / (1 + a * a) + ad.maximum(a, b) * 3
    view = seen(y)
    (found,) = run(kit, [job(packed(view), view)])
    for n in view.nodes.values():
        assert float(found["values"][n.id][0]) == pytest.approx(n.data, rel=1e-12)


def test_a_row_without_a_kernel_is_named(kit):
    """Refused politely: rows that are not there, complex numbers, and what is too large."""
    x = ad.Tensor(np.eye(2) + 0.5, name="x")
    reasons = [
        ad.sum(ad.linalg.inv(x)),
        ad.sum(ad.real(x * 1j)),
        ad.sum(ad.Tensor(np.ones(2000)) * 2.0),
    ]
    jobs = [{"view": packed(seen(y)), "leaves": {}} for y in reasons]
    assert [r["reason"] for r in run(kit, jobs)] == [
        "This page has no JavaScript form of inv, which made %1 inv.",
        "It works with real numbers only, and %1 multiply is none.",
        "This computation is too large: the page does not hold all of its numbers.",
    ]


# Numbers as text.


def test_numbers_are_printed_as_in_the_rest_of_the_package(kit, rng):
    """Halves to even, trailing zeros, small and large: as ``number_text`` prints them."""
    numbers = (rng.normal(size=500) * 10.0 ** rng.integers(-12, 12, size=500)).tolist()
    numbers += [100.25, 1000.5, 1001.5, 2.5e-5, 9999.5, 0.0001, 99995.0, 999999.5, 1e6, 123456.0, 0.5, 1.03125, 5e-324]
    numbers += [1.7e308, 0.99995, -0.0, 1e-5, 12345678.0, 999.95, 999.96, 1000.0, -1000.0, 0.03125, 8.0, 1e5, 10.0]
    for digits in (4, 3):
        shown = kit.evaluate("([xs, digits]) => xs.map((x) => showNumber(x, digits))", [numbers, digits])
        assert shown == [number_text(x, digits) for x in numbers]
    assert kit.evaluate("[NaN, Infinity, -Infinity].map((x) => showNumber(x))") == ["nan", "inf", "-inf"]


ARRAYS = [
    np.arange(10.0),
    np.array([1.0, np.nan, 3.0, 2.0]),
    np.array([1.5, 2.5]),
    np.array([[3.0]]),
    np.full((4, 2), 0.25),
    np.array([np.inf, -np.inf, 1.0, 2.0]),
    np.full(5, np.nan),
    np.array([True, False, True, True, True]),
    np.arange(12).reshape(3, 4),
    np.zeros((0, 3)),
    np.array([1 + 1j, 2.0, 3.0, 4j]),
    np.random.default_rng(0).normal(size=(50, 50)),
]


@pytest.mark.parametrize("array", ARRAYS, ids=range(len(ARRAYS)))
def test_arrays_are_printed_as_in_the_rest_of_the_package(kit, array):
    """By their range and mean, as ``data_text`` prints them."""
    with np.errstate(all="ignore"):
        form = packed(seen(ad.sum(ad.Tensor(np.ones(array.shape)) * array)))
        shown = kit.evaluate('(view) => unpackView(view).nodes.find((n) => n.id === "c0").value.text', form)
    assert shown == data_text(array)


def test_statistics_are_those_of_python(kit, rng):
    """What is written anew says what Python would say of the same array."""
    for array in (rng.normal(size=(4, 5)), np.array([1.0, np.nan, np.inf, 0.0]), np.full(3, 2.0)):
        ours = kit.evaluate(
            """([shape, data]) => {
              const stats = new Stats({shape});
              restate(stats, {shape, data: data.map(Number)});
              return {...stats};
            }""",
            [list(array.shape), [str(x).replace("inf", "Infinity") for x in array.ravel()]],
        )
        expected = array_form(array, 1000)
        for what in ("min", "max", "mean", "std"):
            assert ours[what] == pytest.approx(expected[what], rel=1e-12)
        assert ours["histogram"] == expected["histogram"]
        assert [ours[n] for n in ("nan", "inf", "zeros")] == [expected.get(n, 0) for n in ("nan", "inf", "zeros")]


# Which entries light up.

LIGHTING = [
    lambda x, w: x @ w,
    lambda x, w: ad.linear(x, ad.transpose(w), ad.Tensor(np.ones(2), name="b")),
    lambda x, w: x + x[:, :1] * x[0],
    lambda x, w: ad.concatenate([x[::-1], ad.tril(x)], axis=1),
    lambda x, w: x[[0, 2, 2], [1, 1, 0]],
    lambda x, w: ad.softmax(ad.transpose(x), axis=0),
    lambda x, w: ad.cumsum(x) + ad.reshape(ad.cumsum(x, axis=1), (-1,)),
    lambda x, w: ad.stack([ad.sum(x, 0), ad.mean(x, axis=0)], axis=1),
    lambda x, w: ad.einsum("ii->i", x[:, :3]) + ad.einsum("ij,jk->k", x, w)[:1],
    lambda x, w: ad.conv2d(x[None, None], ad.Tensor(np.ones((2, 1, 2, 2)), name="k"), stride=(1, 2), padding=1),
    lambda x, w: ad.avg_pool2d(x[None], 2, padding=1),
]
RELATED = """(view) => {
  const model = createModel(unpackView(view));
  return model.view.edges.map((edge) => {
    const related = relation(model, edge);
    const size = (id) => model.nodes.get(id).shape.reduce((n, m) => n * m, 1);
    const found = [];
    for (let j = 0; j < size(edge.target); j++) {
      for (let i = 0; i < size(edge.source); i++) if (related(j, i)) found.push(j + "," + i);
    }
    return found;
  });
}"""


@pytest.mark.parametrize("program", LIGHTING, ids=range(len(LIGHTING)))
def test_what_lights_up_is_what_the_engine_says(kit, rng, program):
    """For every edge: entries whose unit cotangents send something to each other, and no others."""
    x, w = ad.Tensor(rng.normal(size=(3, 4)), name="x"), ad.Tensor(rng.normal(size=(4, 2)), name="w")
    view = seen(ad.sum(program(x, w)))
    for edge, lit in zip(view.edges.values(), kit.evaluate(RELATED, packed(view)), strict=True):
        node = view.nodes[edge.target].node
        if not edge.tracked:
            continue
        expected = []
        for j in range(node.data.size):
            g = np.zeros(node.shape)
            g.flat[j] = 1
            part = contributions(node, g)[edge.argument].fitted
            expected += [f"{j},{i}" for i in np.flatnonzero(part)]
        assert sorted(lit) == sorted(expected), (node.rule.name, edge.argument)
