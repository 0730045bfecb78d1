"""Programs to test with, written as the compiler prints them: one call a line, ``return`` at the end."""

import ast
import operator
import re

import numpy as np

from autodiff.compiler.emit import INFIX, Printer
from autodiff.compiler.joined import JOIN
from autodiff.compiler.literals import literal
from autodiff.compiler.program import Function, Instruction, Program, substitute, var_like

UFUNC_OF = {sign: name for name, sign in INFIX.items()}
SIGN_OF = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@"}


class Reader:
    """Makes instructions of lines."""

    def __init__(self, inputs):
        self.values = {var_like(value, name): value for name, value in inputs.items()}
        self.named = {v.name: v for v in self.values}
        self.instructions = []

    def line(self, name, call):
        """``name = call``."""
        function, args, options = self.call(call)
        found, given = substitute((args, options), self.values.__getitem__)
        value = function.call(*found, **given)
        out = var_like(value, name)
        self.values[out], self.named[name] = value, out
        self.instructions.append(Instruction(function, args, options, out))

    def call(self, node):
        """What a line calls, with which arguments."""
        if isinstance(node, ast.BinOp):
            name = UFUNC_OF[SIGN_OF[type(node.op)]]
            return Function("ufunc", name, getattr(np, name)), (self.value(node.left), self.value(node.right)), {}
        if isinstance(node, ast.Subscript):
            key = eval(f"np.s_[{ast.unparse(node.slice).strip('()')}]", {"np": np})
            return Function("item", "item", operator.getitem), (self.value(node.value), key), {}
        if isinstance(node, ast.Attribute):
            return Function("attribute", node.attr, operator.attrgetter(node.attr)), (self.value(node.value),), {}
        args = tuple(map(self.value, node.args))
        options = {k.arg: self.value(k.value) for k in node.keywords}
        return *self.function(ast.unparse(node.func), args), options

    def function(self, name, args):
        """The function of a call, and its arguments."""
        of, _, name = name.rpartition(".")
        if name == "join":
            return JOIN, args
        if of == "np":
            call = getattr(np, name)
            return Function("ufunc" if isinstance(call, np.ufunc) else "numpy", name, call), args
        if of.startswith("np."):
            ufunc = of.removeprefix("np.")
            return Function("reduce", ufunc, getattr(np, ufunc).reduce), args
        return Function("method", name, lambda x, *args, **options: getattr(x, name)(*args, **options)), (
            self.named[of],
            *args,
        )

    def value(self, node):
        """An argument: a variable, a list of them, or a constant."""
        if isinstance(node, ast.Name):
            return self.named[node.id]
        if isinstance(node, ast.List):
            return [self.value(x) for x in node.elts]
        return eval(ast.unparse(node), {"np": np, "slice": slice})


def read(text, **inputs):
    """The program that ``text`` writes down, for inputs like these."""
    reader = Reader(inputs)
    given = list(reader.values)
    *lines, last = ast.parse(text.replace("return", "returned =")).body
    for line in lines:
        reader.line(line.targets[0].id, line.value)
    results = last.value.elts if isinstance(last.value, ast.Tuple) else [last.value]
    return Program(given, reader.instructions, [reader.value(y) for y in results])


def written(program):
    """The lines of a program."""
    printer = Printer(program, "program")
    inlined, printer.inline = printer.inline, {}
    printer.names.assign(inlined)
    lines = [f"{printer.names.of[i.out]} = {printer.expression(i)}" for i in program.instructions]
    text = "\n".join([*lines, f"return {', '.join(map(printer.text, program.outputs))}"])
    for name, value in printer.constants.items():
        text = re.sub(rf"\b{name}\b", literal(value) or name, text)
    return text.replace("np.join", "join")
