"""Whatever stands in an expression, it is computed or refused: Python is never given any of it to run."""

import ast
import contextlib
import sys

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autodiff.cli.expression import compute, read_values
from autodiff.cli.script import Variable
from autodiff.core.errors import AutodiffError
from autodiff.ops import public

WATCHED = []
HARMFUL = (
    "exec",
    "open",
    "os.",
    "subprocess.",
    "shutil.",
    "socket.",
    "ctypes.",
    "builtins.input",
    "marshal.",
    "pickle.",
)


def watch(event, args):
    """Python tells of every run of code, opened file and started program."""
    # Python looks for the source of what it cannot read, and messages quote the source of the line they speak of.
    is_source = event == "open" and args[1] in ("r", "rb") and str(args[0]).endswith((".py", "<unknown>"))
    if WATCHED and event.startswith(HARMFUL) and not is_source:
        WATCHED.append((event, args))


sys.addaudithook(watch)


@pytest.fixture(scope="module", autouse=True)
def everything_is_loaded():
    """What is loaded on first use opens files, which is no harm."""
    for expression in ["х", "sinn(x)", *(f"{op}({x})" for op in public.names() for x in ("x", "1, x", "x, x"))]:
        with contextlib.suppress(AutodiffError):
            compute(expression, read_values(["x=[[1,0],[0,1]]"]))


def outcome(expression, at):
    """Compute an expression; nothing but an error of the package is let through."""
    result, refusal = None, ""
    WATCHED[:] = ["on"]
    try:
        result = compute(expression, read_values([at]))
    except AutodiffError as error:
        refusal = str(error)
    seen, WATCHED[:] = WATCHED[1:], []
    assert not seen
    assert len(refusal) < 2_000
    return result


INJECTIONS = [
    "__import__('os').system('touch owned')",
    "__import__('os')",
    "open('owned', 'w')",
    "eval('1')",
    "exec('1')",
    "compile('1', '', 'eval')",
    "getattr(x, '__class__')",
    "globals()",
    "print(x)",
    "input()",
    "breakpoint()",
    "().__class__.__bases__[0].__subclasses__()",
    "x.__class__.__init__.__globals__",
    "x.__class__",
    "sin.__globals__",
    "sin.__globals__['__builtins__']",
    "np.__builtins__",
    "np.os.system('x')",
    "np.sin.__class__('x')",
    "np.load('x')",
    "np.fromfile('x')",
    "ad.nn.Linear(1, 2)",
    "ad.__loader__",
    "ad.core",
    "np.linalg.__loader__(x)",
    "math.__loader__",
    "annotations(x)",
    "later()",
    "names()",
    "Any(x)",
    "FunctionType(x, x)",
    "_import_module('os')",
    "__getattr__('x')",
    "f'{__import__(\"os\")}'",
    "f\"{x!r:{open('owned')}}\"",
    "[x for x in ().__class__.__bases__]",
    "(lambda: x)()",
    "(y := open)('x')",
    "'{0.__class__}'.format(x)",
    "'%s' % x",
    "x if open('owned') else x",
    "sum(*open('owned'))",
    "sum(**globals())",
    "sum(x, **{'a': open('owned')})",
    "x[open('owned')]",
    "x[().__class__]",
    "x['__class__']",
    "x; import os",
    "import os; x",
    "x\nimport os",
    "class A: pass",
    "def f(): pass",
    "@open\ndef f(): pass",
    "x: open('owned') = 1",
    "del x",
    "global x",
    "assert open('owned')",
    "raise SystemExit",
    "with open('owned') as f: pass",
    "while 1: pass",
    "for x in x: pass",
    "try: x\nexcept: x",
    "match x:\n case _: x",
    "async def f(): await x",
    "await x",
    "yield x",
    "return x",
    "type X = open('owned')",
    "__builtins__",
    "__class__ = x; x",
    "x.__class__ = x; x",
    "x[0] = x; x",
    "_＿import__('os')",
    "__ｉｍｐｏｒｔ__('os')",
    "ｅｖａｌ('1')",
    "x.＿＿class＿＿",
    "x.__ｃlass__",
    "𝓮𝓿𝓪𝓵('1')",
    "оpen('owned')",  # its o is Cyrillic
    "#\\\nopen('owned')",
    "# -*- coding: utf-7 -*-\n+AG8-pen('owned')",
    "apply_along_axis(open, 0, x)",
    "apply_along_axis(sin, 0, x)",
    "apply_along_axis('open', 0, x)",
    "piecewise(x, [x], [open])",
    "einsum('__import__', x)",
    "astype(x, 'O')",
    "astype(x, dtype='object')",
    "sum(x, dtype='O', out=open)",
    "where(x, 'open', x)",
]


@pytest.mark.parametrize("expression", INJECTIONS)
def test_injections(expression, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for at in ("x=2", "x=[1,2]"):
        assert outcome(expression, at) is None
    assert outcome("x", f"x={expression}") is None
    assert outcome("x", f"x=1,y={expression}") is None
    with pytest.raises(AutodiffError):
        Variable(expression).find({"x": [1.0, 2.0]}, "script.py")
    assert not [*tmp_path.iterdir()]


WORDS = st.sampled_from(
    [*"xyzef0123456789.+-*/@%^~<>=!:;,()[]{}'\"\\ \n\t#_", "**", ":=", "->", "//", "...", "1e9", "0x", "1j", "lambda",
     "if", "else", "for", "in", "not", "and", "import", "await", "yield", "True", "None", "f'", "__class__", ".a",
     "sin", "sum(", "np.", "pi", "axis=", "é", "х", "²", "×", "漢", "\u200d", "\0", "\r", "\ud800", "\x0c",
     "\ufeff", "🙂"]
)  # fmt: skip
SOUP = st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=30).map("".join))


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(SOUP)
@example("")
def test_any_text(text):
    outcome(text, "x=2,y=[1,2]")
    outcome("x", text)
    outcome("x", f"x={text}")


@settings(max_examples=200, deadline=None)
@given(SOUP)
def test_any_text_for_a_variable(text):
    with contextlib.suppress(AutodiffError):
        Variable(text).find({"x": 1.0, "y": [1.0, {"a": 2.0}]}, "script.py")


def syntax(inner):
    """Python of every kind, around smaller pieces of it."""
    several = st.lists(inner, max_size=3)
    ops = st.sampled_from(public.names())
    return st.one_of(
        st.tuples(inner, st.sampled_from([*"+-*/@%^&|<>", "**", "//", "<<", "==", " and ", " in ", ":="]), inner).map(
            "({0[0]}{0[1]}{0[2]})".format
        ),
        st.tuples(st.sampled_from(["-", "+", "~", "not ", "*", "await ", "yield ", "lambda: "]), inner).map(
            "({0[0]}{0[1]})".format
        ),
        st.tuples(ops, several).map(lambda p: f"{p[0]}({', '.join(p[1])})"),
        st.tuples(ops, several).map(lambda p: f"{p[0]}([{', '.join(p[1])}])"),
        st.tuples(ops, inner, st.sampled_from(["axis", "keepdims", "dtype", "out", "where", "shape"]), inner).map(
            "{0[0]}({0[1]}, {0[2]}={0[3]})".format
        ),
        st.tuples(inner, several).map(lambda p: f"{p[0]}({', '.join(p[1])})"),
        st.tuples(inner, inner).map("{0[0]}[{0[1]}]".format),
        st.tuples(inner, inner, inner).map("{0[0]}[{0[1]}:{0[2]}]".format),
        several.map(lambda p: f"[{', '.join(p)}]"),
        several.map(lambda p: f"({''.join(f'{x},' for x in p)})"),
        several.map(lambda p: f"{{{', '.join(p)}}}"),
        st.tuples(inner, st.sampled_from(["T", "data", "__class__", "sum()", "shape"])).map("({0[0]}).{0[1]}".format),
        st.tuples(inner, inner, inner).map("({0[0]} if {0[1]} else {0[2]})".format),
        st.tuples(inner, inner).map("[{0[0]} for x in {0[1]}]".format),
        inner.map(lambda a: f"f'{{{a}}}'" if "'" not in a else a),
        st.tuples(inner, inner).map("a = {0[0]}; {0[1]}".format),
    )


ATOMS = st.sampled_from(
    ["x", "y", "m", "0", "1", "2", "-1", "0.5", "1j", "pi", "inf", "nan", "'float32'", "None", "True", "...", "a"]
)


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.recursive(ATOMS, syntax, max_leaves=8))
def test_any_syntax(expression):
    outcome(expression, "x=2,y=[1,2],m=[[1,2],[3,4]]")
    outcome("x", f"x={expression}")


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from(public.names()),
    st.lists(
        st.recursive(ATOMS, lambda inner: st.lists(inner, max_size=2).map(lambda p: f"[{', '.join(p)}]"), max_leaves=3),
        max_size=4,
    ),
)
def test_any_op_with_any_arguments(op, arguments):
    outcome(f"{op}({', '.join(arguments)})", "x=2,y=[1,2],m=[[1,2],[3,4]],a=-1")


def test_python_is_handed_nothing_but_to_be_read(monkeypatch):
    """The one use of Python's compiler is to read the text into a tree."""
    flags = []

    def compile(source, filename, mode, flags_=0, *rest, **options):
        flags.append(options.get("flags", flags_))
        return original(source, filename, mode, flags_, *rest, **options)

    original = __builtins__["compile"] if isinstance(__builtins__, dict) else __builtins__.compile
    monkeypatch.setattr("builtins.compile", compile)
    monkeypatch.setattr("builtins.eval", lambda *_: pytest.fail("eval was called"))
    monkeypatch.setattr("builtins.exec", lambda *_: pytest.fail("exec was called"))
    compute("x*y + sin(x)", read_values(["x=2,y=3"]))
    assert flags
    assert all(flag & ast.PyCF_ONLY_AST for flag in flags)
