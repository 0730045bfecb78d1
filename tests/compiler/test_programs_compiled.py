"""Random programs of up to twelve rows of the whole table, by every pass, buffered and printed: the same results."""

import numpy as np
from alike import assert_close, assert_same
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from programs import captured, printed

import autodiff as ad
from autodiff.compiler.buffers import plan_buffers
from autodiff.compiler.emit import Printer
from autodiff.compiler.owned import own_outputs
from autodiff.compiler.passes import PASSES, simplify
from autodiff.compiler.program import Var
from autodiff.core.errors import CompileError
from tests.test_programs import STEPS, run

PROGRAMS = 200
random_programs = given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 11)), min_size=1, max_size=12),
    st.integers(0, 2**32 - 1),
)
patiently = settings(max_examples=PROGRAMS, deadline=None, suppress_health_check=list(HealthCheck), database=None)


def drawn(program, seed):
    """A random program as the compiler captures it, and other numbers to run it on."""
    rng = np.random.default_rng(seed)
    x, other = rng.normal(size=5), rng.normal(size=5)
    with np.errstate(all="ignore"):
        try:
            return captured(lambda x: run(program, x), x), (other, np.array(1.5))
        except (CompileError, np.linalg.LinAlgError):
            assume(False)  # looks at numbers, or a matrix has no factor


def computed(program, args):
    """Its results and gradients."""
    with np.errstate(all="ignore"):
        try:
            return [np.asarray(y) for y in program.run(*args)]
        except np.linalg.LinAlgError:
            assume(False)


@patiently
@random_programs
def test_every_pass_keeps_the_results(program, seed):
    """p.run(x) == pass(p).run(x) == printed(pass(p))(x), for each pass alone, for all, and for none."""
    program, args = drawn(program, seed)
    expected = computed(program, args)
    versions = [program, *[change(program) for change in dict.fromkeys(PASSES)], simplify(program)]
    for version in versions:
        assert_same(computed(version, args), expected)
    with np.errstate(all="ignore"):
        found = printed(versions[seed % len(versions)], *args)
    for y, e in zip(found or (), expected if found else ()):
        assert_close(y, e, ulps=16)  # operators on single complex numbers round otherwise than ufuncs do


def laid_out(v):
    """Memory for a variable, with its axes in its order."""
    array = np.full([v.shape[axis] for axis in v.order], 7, v.dtype)
    return array.transpose(np.argsort(v.order))


def assert_held(found, expected):
    """Fail unless values are the same, but for sums: how memory is laid out decides in which order they are taken."""
    for x, y in zip(found, expected, strict=True):
        if isinstance(y, np.ndarray) and y.dtype.kind in "fc":
            assert_close(x, y, ulps=1000)
        else:
            assert_same(x, y)


@settings(patiently, max_examples=80)
@random_programs
def test_a_buffer_holds_what_is_read_from_it(program, seed):
    """Nothing is overwritten while it, or a view of it, is still needed; inputs and constants are never written."""
    program, args = drawn(program, seed)
    program = own_outputs(simplify(program))
    true = dict(zip([*program.inputs, *program.cotangents], args, strict=True))
    found = dict(true)
    plan = plan_buffers(program)
    memory = {id(buffer): laid_out(buffer.like) for buffer in plan.buffers}
    for part in plan.parts:
        memory[id(part)] = memory[id(plan.place[part.within])][part.key]
    before = [a.copy() for a in args]
    with np.errstate(all="ignore"):
        for i in program.instructions:
            try:
                true[i.out] = i.compute(true)
            except np.linalg.LinAlgError:
                assume(False)
            assert_held([found[v] for v in i.reads], [true[v] for v in i.reads])
            found[i.out] = i.compute(found)
            if i.out in plan.place:
                room = memory[id(plan.place[i.out])]
                assert (room.shape, room.dtype) == (found[i.out].shape, found[i.out].dtype)
                room[...] = found[i.out]
                found[i.out] = room
    outputs = [y for y in program.outputs if isinstance(y, Var)]
    assert_held([found[y] for y in outputs], [true[y] for y in outputs])
    arrays = [found[y] for y in outputs if y.is_array]
    assert not any(np.shares_memory(y, room) for y in arrays for room in [*memory.values(), *args])
    assert_same(list(args), before)


@settings(patiently, max_examples=40)
@random_programs
def test_source_is_the_same_each_time(program, seed):
    program, _ = drawn(program, seed)
    program = own_outputs(simplify(program))
    printers = [Printer(program, "f") for _ in range(2)]
    sources = [printer.source() for printer in printers]
    assert sources[0] == sources[1]
    compile(sources[0], "f", "exec")


def compiled_and_not(compiled, program, x):
    """The result and the gradient of a random program, compiled and as it is."""
    found, expected = ad.Tensor(x), ad.Tensor(x)
    with np.errstate(all="ignore"):
        try:
            y = run(program, expected)
            y.backward()
            loss = compiled(found)
        except (CompileError, np.linalg.LinAlgError):
            assume(False)
        loss.backward()
    return (loss, found.grad), (y, expected.grad)


@settings(patiently, max_examples=40)
@random_programs
def test_compiled_is_eager(program, seed):
    rng = np.random.default_rng(seed)
    compiled = ad.compile(lambda x: run(program, x))
    for _ in range(3):
        (loss, gradient), (y, expected) = compiled_and_not(compiled, program, rng.normal(size=5))
        if any(np.iscomplexobj(n.data) for n in ad.Tape(y)):
            assert_close(loss, y, ulps=16)  # NumPy squares a complex scalar otherwise than an array of one
        else:
            assert_same(loss, y)
        assert_close(gradient, expected, ulps=16)  # what an op sends back twice is added up first
