"""Programs of the compiler's to test with: captured from functions, and run as they are printed."""

import numpy as np

from autodiff.compiler.capture import Nature, capture
from autodiff.compiler.emit import Printer, rooms_of
from autodiff.compiler.load import load
from autodiff.compiler.owned import own_outputs


def captured(f, *arrays, differentiate=True):
    """The program of a function of tensors, with its backward part."""
    natures = [Nature(True, True)] * len(arrays)
    names = [f"x{k}" for k in range(len(arrays))]
    found = capture(f, list(arrays), names, lambda f, inputs: f(*inputs), natures, differentiate)
    return found.backward[0] if differentiate else found.forward


def printed(program, *given):
    """What the source of ``program`` gives, forward and backward, on the same arguments as ``program.run``.

    None where it found a promise broken.
    """
    program = own_outputs(program)
    printer = Printer(program, "printed")
    functions = load(printer.source(), printer.given, "printed")["make"]()
    inputs, cotangents = given[: len(program.inputs)], given[len(program.inputs) :]
    out = functions[0](*inputs)
    if out is None or program.split is None:
        return out
    rooms = [np.empty_like(given[k]) for k in rooms_of(program).values()]
    pulled = functions[1](*cotangents, *inputs, *([rooms] if rooms else []))
    return None if pulled is None else (*out, *pulled)
