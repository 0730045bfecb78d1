"""What the source of a program says about data that leaves the tape: lines to look at where nothing was traced."""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Iterable, Iterator, Sequence
from types import CodeType, FrameType

from ..core.source import Line

DETACH = (r"\.detach\(", r"\bstop_gradient\(", r"\b(Tensor|Value)\(")
ARRAY = (r"\.numpy\(", r"\.data\b", r"\.tolist\(", r"\b(as)?array\(")
NUMBER = (r"\.item\(", r"\b(float|int)\(", r"\.data\b")
NO_GRAD = (r"\bno_grad\(",)
CAST = (r"\bastype\(", r"\bint\(")
CHOICE = (r"\bargm(ax|in)\(", r"[=!]=", r"\b(round|rint|astype|one_hot)\(")
"""What takes data off the tape, as it stands in the source: into a tensor, an array, a number; the likeliest first."""

ASSIGNED = re.compile(r"^([A-Za-z_][\w.]*)\s*(?::[^=]+)?=(?!=)\s*(.*)$")

MADE = re.compile(r"^[\s\w,.]+=(?!=)")
"""What stands before the value where variables are assigned."""


def find_line(filename: str, first: int, last: int, patterns: Sequence[str]) -> Line | None:
    """The last line of a range of the source that fits the first pattern that any fits; comments do not count."""
    lines = [Line(filename, number) for number in range(last, first - 1, -1)]
    texts = [(line, line.text.partition("#")[0]) for line in lines]
    for pattern in patterns:
        found = next((line for line, text in texts if re.search(pattern, text)), None)
        if found is not None:
            return found
    return None


class Reading:
    """The source of the function that asks, up to the line where it asks."""

    def __init__(self, frame: FrameType) -> None:
        self.code: CodeType = frame.f_code
        body = [line for _, _, line in self.code.co_lines() if line is not None and line > self.code.co_firstlineno]
        self.first, self.last = min(body, default=1), frame.f_lineno - 1

    def find(self, patterns: Sequence[str]) -> Line | None:
        """The last line that fits the first pattern that any fits."""
        return find_line(self.code.co_filename, self.first, self.last, patterns)

    def only(self, patterns: Sequence[str]) -> Line | None:
        """The line that fits the first pattern that any fits, if there is only one."""
        for pattern in patterns:
            found = self.find([pattern])
            if found is not None:
                before = find_line(self.code.co_filename, self.first, found.number - 1, [pattern])
                return found if before is None else None
        return None

    def exit_of(self, name: str) -> Line | None:
        """The first line where the data of a variable is used off the tape, other than to print or to change it."""
        entry = rf"(?<![\w.]){re.escape(name)}(\[[^\]]*\])?"
        leaves = re.compile(rf"{entry}\.(data\b|numpy\(|item\(|tolist\(|detach\()|\b(float|int)\({entry}\)")
        changes = re.compile(rf"^{entry}\.\w+(\[.*\])?\s*[-+*/]?=(?!=)|\bprint\(|^assert\b|\bwhy\(")
        for number in range(self.first, self.last + 1):
            line = Line(self.code.co_filename, number)
            if leaves.search(line.text.partition("#")[0]) and not changes.search(line.text):
                return line
        return None

    def assignment_of(self, name: str) -> Line | None:
        """The last line that assigns a variable."""
        return self.find([rf"^{re.escape(name)}\s*=(?!=)"])

    def never_reads(self, name: str) -> bool:
        """Whether no line reads a variable: it is made, and asked about."""
        lines = linecache.getlines(self.code.co_filename)
        if name in self.code.co_varnames + self.code.co_cellvars:  # only the function can read it
            last = max(line or 0 for _, _, line in self.code.co_lines())
            lines = lines[self.code.co_firstlineno : last]
        read = re.compile(rf"\b{re.escape(name)}\b")
        texts = [line.partition("#")[0] for line in lines if read.search(line) and "why(" not in line]
        return name.isidentifier() and bool(texts) and not any(read.search(MADE.sub("", text)) for text in texts)

    def overwritten(self, name: str) -> tuple[str, Line, Line] | None:
        """A variable that was made of another one and assigned again before it was used, and the two lines."""
        for body in self._bodies():
            for i, statement in enumerate(body):
                variable = assigned(statement)
                if variable is None or name not in used(statement):
                    continue
                for later in body[i + 1 :]:
                    if later.lineno > self.last or variable in used(later):
                        break
                    if assigned(later) == variable:
                        lines = [Line(self.code.co_filename, s.lineno) for s in (statement, later)]
                        return variable, lines[0], lines[1]
        return None

    def left_on_the_way(self, names: Iterable[str], loss_name: str) -> tuple[str, Line] | None:
        """Where what was made of some variables left the tape before the loss was made of it, and the cause of that."""
        made, left = set(names), dict[str, tuple[str, Line]]()
        for statement, inside in self._statements():
            target = _receiver(statement)
            if target is None:
                continue
            reads = used(statement)
            gone = next((left[variable] for variable in reads if variable in left), None)
            how = _exit_in(statement, made - set(left)) or (NO_GRAD_CAUSE if inside and reads & made else None)
            if how is not None:
                left[target] = how, Line(self.code.co_filename, statement.lineno)
            elif gone is not None:
                left[target] = gone
            elif not isinstance(statement, ast.Expr):
                left.pop(target, None)
            if how is None and reads & (made - set(left)):
                made.add(target)
        return left.get(loss_name)

    def _statements(self) -> list[tuple[ast.stmt, bool]]:
        """The statements of the function up to the line that asks, in order; and whether they are inside no_grad()."""
        quiet = set[int]()
        found: dict[int, ast.stmt] = {}
        for body in self._bodies():
            for statement in body:
                found[id(statement)] = statement
                if isinstance(statement, ast.With) and "no_grad" in ast.unparse(statement.items[0]):
                    quiet.update(id(inner) for inner in ast.walk(statement))
        simple = [s for s in found.values() if not hasattr(s, "body") and self.first <= s.lineno <= self.last]
        return [(s, id(s) in quiet) for s in sorted(simple, key=lambda s: (s.lineno, s.col_offset))]

    def _bodies(self) -> Iterator[list[ast.stmt]]:
        """The lists of statements of the function, or of the module."""
        try:
            module = ast.parse("".join(linecache.getlines(self.code.co_filename)))
        except (SyntaxError, ValueError):
            return
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        inside = [n for n in ast.walk(module) if isinstance(n, functions) and n.name == self.code.co_name]
        scope = next((n for n in inside if n.body and n.body[0].lineno >= self.first > n.lineno - 1), module)
        for node in _within(scope):
            for field in ("body", "orelse", "finalbody"):
                body = getattr(node, field, None)
                if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                    yield body


def _within(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a syntax tree in one scope: not those of functions and classes inside."""
    stack = [scope]
    while stack:
        node = stack.pop()
        yield node
        inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
        stack.extend(child for child in ast.iter_child_nodes(node) if not isinstance(child, inner))


NO_GRAD_CAUSE = "no_grad"
LEAVING = {
    **dict.fromkeys(("item", "numpy", "tolist", "float", "int", "array", "asarray", "data"), "left the tape"),
    **dict.fromkeys(("detach", "stop_gradient"), "detached"),
    **dict.fromkeys(("argmax", "argmin"), "no derivative"),
}
"""What takes a value off the tape, by its name in the source, and the cause that it is for the answer."""


def _exit_in(statement: ast.stmt, made: set[str]) -> str | None:
    """Whether a statement takes something that was made of these variables off the tape: the cause that this is."""
    for root in _values(statement):
        for node in ast.walk(root):
            cause, of = None, [node]
            if isinstance(node, ast.Compare):
                cause = "no derivative"
            elif isinstance(node, ast.Attribute) and node.attr == "data":
                cause = LEAVING["data"]
            elif isinstance(node, ast.Call):
                name = ast.unparse(node.func).rpartition(".")[2] if isinstance(node.func, ast.Attribute) else ""
                name = node.func.id if isinstance(node.func, ast.Name) else name
                cause, of = LEAVING.get(name), [node.func, *node.args]
                if name == "astype" and re.search(r"\b(u?int|bool)", " ".join(map(ast.unparse, node.args))):
                    cause = "integer cast"
            if cause is not None and any(_reads(part) & made for part in of):
                return cause
    return None


def _receiver(statement: ast.stmt) -> str | None:
    """The variable that a statement assigns, adds to or appends to."""
    if isinstance(statement, ast.AugAssign | ast.AnnAssign):
        return ast.unparse(statement.target)
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in ("append", "extend"):
        return ast.unparse(call.func.value)
    return assigned(statement)


def _values(statement: ast.stmt) -> list[ast.AST]:
    value = getattr(statement, "value", None)
    return [value] if isinstance(value, ast.AST) else [statement]


def _reads(root: ast.AST) -> set[str]:
    return {ast.unparse(n) for n in ast.walk(root) if isinstance(n, ast.Name | ast.Attribute | ast.Subscript)}


def loop_around(line: Line) -> tuple[int, int] | None:
    """The first and last line of the innermost loop that a line stands in."""
    try:
        module = ast.parse("".join(linecache.getlines(line.filename)))
    except (SyntaxError, ValueError):
        return None
    loops = [n for n in ast.walk(module) if isinstance(n, ast.For | ast.While) and n.end_lineno is not None]
    around = [(n.lineno, n.end_lineno or 0) for n in loops if n.lineno < line.number <= (n.end_lineno or 0)]
    return max(around, default=None)


def assigned(statement: ast.stmt) -> str | None:
    """The single variable that a statement assigns."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return ast.unparse(statement.targets[0])
    return None


def used(statement: ast.stmt) -> set[str]:
    """The variables, attributes and entries that a statement reads."""
    return _reads(statement.value if isinstance(statement, ast.Assign) else statement)
