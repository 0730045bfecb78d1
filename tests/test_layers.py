"""Which module may import which: the layers of the design, kept by reading every import."""

import ast
from pathlib import Path

import pytest

import autodiff

PACKAGE = Path(autodiff.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

LAYERS = {
    "core": 0,
    "ops": 1,
    "node_methods": 2,
    "numpy_protocol": 2,
    "value": 2,
    "tensor": 2,
    "transforms": 3,
    "compiler": 4,
    "nn": 4,
    "optim": 4,
    "data": 4,
    "diagnosis": 4,
    "io": 4,
    "calculus": 4,
    "viz": 4,
    "testing": 4,
    "training": 5,
    "interop": 5,
    "__init__": 6,
    "cli": 7,
    "__main__": 8,
}
OPTIONAL = {"IPython", "graphviz", "matplotlib", "numba", "mpmath", "safetensors", "scipy", "sympy", "torch", "tqdm"}
SELDOM = {"difflib", "html", "unicodedata"}  # of the standard library, but slow to import and needed only at times


def part_of(parts):
    """The part of the package that a module path such as ("autodiff", "core", "tape") belongs to."""
    return parts[1] if len(parts) > 1 else "__init__"


def imports_of(path):
    """Each import in a file: the dotted parts of what is imported, and whether it stands inside a function."""
    tree = ast.parse(path.read_text())
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    here = ("autodiff", *path.relative_to(PACKAGE).with_suffix("").parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield tuple(alias.name.split(".")), id(node) in inside
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level] if node.level else ()
            module = tuple(node.module.split(".")) if node.module else ()
            for alias in node.names if not module else [None]:
                yield (*base, *module, *([alias.name] if alias else [])), id(node) in inside


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_downwards(path):
    """A module imports from its own part or from lower layers; siblings of a layer do not import one another."""
    own = part_of(("autodiff", *path.relative_to(PACKAGE).with_suffix("").parts))
    for imported, _ in imports_of(path):
        if imported[0] != "autodiff":
            continue
        other = part_of(imported)
        if other == own:
            continue
        allowed = LAYERS[other] < LAYERS[own] or (LAYERS[own] == 2 and LAYERS[other] == 2)
        assert allowed, f"{own} (layer {LAYERS[own]}) imports {'.'.join(imported)} (layer {LAYERS[other]})"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_inside_functions_are_optional_or_seldom_needed(path):
    """No import hides in a function to dodge a cycle: there are only optional packages, and what is seldom needed."""
    for imported, inside in imports_of(path):
        if inside and path.name != "__main__.py":
            assert imported[0] in OPTIONAL | SELDOM, f"{'.'.join(imported)} is imported inside a function"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_are_short(path):
    """No file is over 500 lines."""
    assert len(path.read_text().splitlines()) <= 500
