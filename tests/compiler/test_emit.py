"""Printed source: it parses, names are unique and those of the user's program, constants come back as they were."""

import ast
import builtins
import linecache
import traceback

import numpy as np
import pytest
from alike import assert_same, outline
from programs import captured, printed

import autodiff as ad
from autodiff.compiler.emit import Printer
from autodiff.compiler.follow import handles_errors
from autodiff.compiler.joined import JOIN
from autodiff.compiler.naming import Names, identifier
from autodiff.compiler.program import Function, Instruction, Program, var_like

A = np.random.default_rng(0).normal(size=(3, 4))
v = np.random.default_rng(1).normal(size=4)


def given(name="x", value=v):
    return var_like(value, name)


def program_of(call, *args, inputs=(), value=v, **options):
    """One instruction: ``call(*args)``."""
    out = given("out", value)
    return Program(list(inputs), [Instruction(Function("named", "call", call), args, options, out)], [out])


AWKWARD = [
    *("np", "lambda", "None", "0x", "", "a b", "é", "np.sum", "make", "class", "isfinite", "print", "__x", "ones", "x"),
    *("abs", "slice", "forward", "backward", "g", "rooms", "K", "\u212a", "x²", "²", "layers.0.weight"),
    *("日本", "-", "rng"),
]


def test_names_are_python_names_and_unique():
    names = Names()
    variables = [given(name) for name in AWKWARD * 2]
    names.assign(variables)
    found = [names.of[x] for x in variables]
    assert len(set(found)) == len(found)
    for name in found:
        ast.parse(f"{name} = 1\ndef f({name}): nonlocal_ = {name}")
    assert {ast.parse(name).body[0].value.id for name in found} == set(found)  # Python reads them as they are
    assert not set(found) & {"np", "isfinite", "forward", "backward", "make", "rooms"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("weight", "weight"), ("layers.0.weight", "weight"), ("lambda", "lambda_"), ("2nd", "_2nd"), ("", "value")],
)
def test_a_name_as_an_identifier(name, expected):
    assert identifier(name) == expected


@pytest.mark.usefixtures("never_eagerly")
def test_tensors_and_arguments_of_all_names_compute():
    tensors = [ad.Tensor(v + k, name=name) for k, name in enumerate(AWKWARD)]

    def f(np, lambda_, g, forward, make, π, isfinite, backward, rooms, abs, slice):
        everything = np * lambda_ * g + forward * make - π / isfinite + backward * rooms * abs * slice
        return ad.sum(everything) + sum(ad.sum(t * np) for t in tensors)

    def work(f):
        args = [ad.Tensor(v + k) for k in range(11)]
        for t in tensors:
            t.grad = None
        y = f(*args)
        y.backward()
        return y, [x.grad for x in args], [t.grad for t in tensors]

    compiled = ad.compile(f)
    for a, b in zip(ad.core.tree.flatten(work(compiled)), ad.core.tree.flatten(work(f)), strict=True):
        np.testing.assert_allclose(ad.core.node.data_of(a), ad.core.node.data_of(b), rtol=1e-14)
    functions = [n for n in ast.walk(ast.parse(compiled.source)) if isinstance(n, ast.FunctionDef)]
    forward = next(n for n in functions if n.name == "forward")
    assert len({a.arg for a in forward.args.args}) == 11 + len(tensors)


CONSTANTS = [
    *(np.nan, np.inf, -np.inf, -0.0, 0.0, 1e300, 5e-324, 0.1, -3, 2**80, True, False, None, "a'\"\n", b"x"),
    *(1 + 2j, complex(np.nan, np.inf), complex(-0.0, 0.0), Ellipsis, np.float32(0.1), np.int8(3), np.bool_(True)),
    *(np.array(2.5), np.array([]), np.ones((2, 3)), np.zeros(4, np.float32), np.full(3, -0.0), np.arange(2000)),
    *(np.array([np.nan, np.inf, -0.0]), np.asfortranarray(A), A[::2, ::-1], np.array([1 + 2j])),
    *(np.array([True, False]), slice(None), slice(1, None, -2), slice(np.int64(1), 3), (), (1,), (1, (2, [3, ()])), []),
    *(np.dtype("float32"), np.dtype(">f8"), np.dtype(bool), np.float16, float, int, bool, complex, np.add, np.newaxis),
    *([np.ones(2)], {"a": 1.0}),
    *(np.array(["a", "b"]), np.longdouble(0.1), np.complex64(1j), np.datetime64("2020-01-01"), np.ones((2, 0, 3))),
    range(3),
]


@pytest.mark.parametrize("constant", CONSTANTS, ids=lambda c: str(outline(c))[:40])
def test_a_constant_comes_back_as_it_was(constant):
    seen = []

    def call(*args, **options):
        seen.append((args, options))
        return v

    program = program_of(call, constant, [constant], option=constant)
    printed(program)
    (args, options) = seen[0]

    for found in (args[0], args[1][0], options["option"]):
        if isinstance(constant, np.dtype):
            assert np.dtype(found) == constant  # np.float32 is as good
            continue
        assert type(found) is type(constant)
        assert repr(found) == repr(constant)
        if isinstance(constant, np.ndarray):
            assert (found.dtype, found.shape) == (constant.dtype, constant.shape)
            assert found.tobytes() == constant.tobytes()


def test_keys_with_variables():
    start, index = var_like(1, "start"), given("index", np.array([0, 2]))
    x = given("x", A)
    item = Function("item", "item", lambda a, key: a[key])
    for key in [
        (index, slice(start, None)),
        slice(None, start),
        (Ellipsis, None, index),
        (slice(None, None, -1), start),
        (),
        None,
        Ellipsis,
        (index,),
        (np.array([True, False, True]),),
    ]:
        out = given("out", A)
        program = Program([x, start, index], [Instruction(item, (x, key), {}, out)], [out])
        expected = program.run(A, 1, np.array([0, 2]))
        assert_same(list(printed(program, A, 1, np.array([0, 2]))), [np.array(expected[0])])


def test_operators_keep_their_order():
    """Negative numbers, powers and nested operands stand in brackets where Python would read them otherwise."""

    def f(x):
        return -(x**2) + (-x) ** 2 - (x - (x - 1)) * -3.0 + 2.0 ** (-x) / (x / (x * 2)) - (-1.5) ** 2 * x[0]

    program = captured(f, v)
    args = v * 1.1, np.ones(4)
    assert_same(list(printed(program, *args)), program.run(*args))


def test_source_needs_no_builtin_and_no_library_but_numpy():
    with np.errstate(invalid="ignore"):
        program = captured(lambda x: ad.sum(ad.tanh(x @ x.T) ** 2) / ad.sum(ad.where(x > 0, ad.log(x), 0)), A)
    tree = ast.parse(Printer(program, "f").source())
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert {n.module if isinstance(n, ast.ImportFrom) else n.names[0].name for n in imports} <= {"numpy", "math"}
    assigned = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    assert read & set(dir(builtins)) - assigned <= {"abs"}


def test_a_traceback_shows_the_generated_line():
    compiled = ad.compile(lambda x: ad.sum(ad.linalg.inv(x)))
    compiled(np.eye(2))
    runner = next(iter(compiled._special.values())).fast.take(0)
    with pytest.raises(np.linalg.LinAlgError) as e:
        runner[0](np.ones((2, 2)))
    frames = traceback.extract_tb(e.value.__traceback__)
    shown = [frame for frame in frames if frame.filename.startswith("<compiled")]
    assert "inv(x)" in shown[0].line
    assert linecache.getline(shown[0].filename, 1).startswith('"""')


def test_variables_have_names_of_the_program_and_lines_their_place():
    w = ad.Tensor(v.copy(), name="w")

    def f(x):
        hidden = ad.tanh(x * w)
        return ad.sum(hidden)

    compiled = ad.compile(f)
    compiled(A).backward()
    assert "def forward(x, w):" in compiled.source
    assert "out=hidden" in compiled.source
    assert "test_emit.py" in compiled.source
    assert "hidden = ad.tanh(x * w)" in compiled.source
    assert "g_w" in compiled.source


def test_what_slices_are_added_to_is_copied_in_one_call():
    base = np.arange(8.0)
    x = given()
    out = var_like(base, "out")
    program = Program(
        [x], [Instruction(JOIN, ([base, x],), {"keys": (slice(None), slice(0, 4)), "shape": (8,)}, out)], [out]
    )
    printer = Printer(program, "bands")
    source = printer.source()
    assert "out = constant.copy()\n        out[0:4] += x" in source
    scope = dict(printer.given)
    exec(source, scope)
    (forward,) = scope["make"]()
    np.testing.assert_array_equal(forward(v)[0], base + np.pad(v, (0, 4)))
    np.testing.assert_array_equal(base, np.arange(8.0))


def test_a_check_of_thousands_of_variables_can_be_read_by_python():
    square = Function("ufunc", "square", np.square)
    x, outs = given(), [given(f"y{k}") for k in range(5000)]
    program = Program([x], [Instruction(square, (x,), {}, y) for y in outs], outs[:1], finite=outs)
    source = Printer(program, "squares").source()
    ast.parse(source)
    scope = {}
    exec(source, scope)
    (forward,) = scope["make"]()
    np.testing.assert_array_equal(forward(v)[0], v * v)
    assert forward(np.array([1.0, np.inf, 0.0, 1.0])) is None


def test_a_comprehension_is_no_handling_of_errors():
    """From Python 3.12 on it has an entry in the table of exceptions, and functions with one were not followed."""

    def loops(x):
        return [i for i in x if i]

    def tries(x):
        try:
            return x[0]
        except IndexError:
            return None

    def enters(x):
        with np.errstate(all="ignore"):
            return 1 / x

    assert [handles_errors(f.__code__) for f in (loops, tries, enters)] == [False, True, True]
