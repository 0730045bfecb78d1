"""What each pass does, written out: a program before it and after it, which give the same."""

from textwrap import dedent

import numpy as np
import pytest
from alike import assert_close
from written import read, written

from autodiff.compiler.passes import (
    PASSES,
    batch_rows,
    drop_broadcasts,
    drop_columns,
    drop_dead,
    drop_no_ops,
    fold_constants,
    join_parts,
    join_slices,
    multiply_at_once,
    narrow_constants,
    promise_less,
    rows_first,
    scale_the_smaller,
    share_equal_lines,
    spell_plainly,
    turn_products,
)

M = np.arange(6.0).reshape(2, 3) / 7 + 1
X = np.random.default_rng(0).normal(size=(8, 2, 3))
WIDE = np.ones((128, 512))

EXAMPLES = {
    drop_dead: (
        {"x": M},
        """
        y = np.exp(x)
        unused = np.sin(y)
        z = np.tanh(y)
        return z
        """,
        """
        y = np.exp(x)
        z = np.tanh(y)
        return z
        """,
    ),
    fold_constants: (
        {"x": M},
        """
        k = np.exp(0.0)
        two = k + 1.0
        y = x * two
        return y
        """,
        """
        y = x * np.float64(2.0)
        return y
        """,
    ),
    drop_no_ops: (
        {"x": M},
        """
        a = x * 1.0
        b = a + 0.0
        c = b.T
        d = c.T
        e = d.reshape((2, 3))
        y = np.exp(e)
        return y
        """,
        """
        c = x.T
        y = np.exp(x)
        return y
        """,
    ),
    share_equal_lines: (
        {"x": M},
        """
        a = np.exp(x)
        b = np.exp(x)
        y = a * b
        return y
        """,
        """
        a = np.exp(x)
        y = a * a
        return y
        """,
    ),
    spell_plainly: (
        {"x": M},
        """
        t = np.transpose(x)
        p = x @ t
        s = np.sum(p, axis=0)
        return s
        """,
        """
        t = x.T
        p = x.dot(t)
        s = np.add.reduce(p, axis=0)
        return s
        """,
    ),
    drop_broadcasts: (
        {"g": np.array(2.0), "x": M},
        """
        wide = np.broadcast_to(g, (2, 3))
        y = wide * x
        return y
        """,
        """
        wide = np.broadcast_to(g, (2, 3))
        y = g * x
        return y
        """,
    ),
    scale_the_smaller: (
        {"g": np.array(0.3), "x": M},
        """
        twice = 2 * x
        y = g * twice
        product = g * x
        z = product * 4
        e = np.exp(x)
        turned = np.negative(e)
        d = x + turned
        times = x * 100.0
        less = np.negative(times)
        return y, z, d, less
        """,
        """
        twice = 2 * x
        scaled1 = g * 2
        y = scaled1 * x
        product = g * x
        scaled2 = g * 4
        z = scaled2 * x
        e = np.exp(x)
        turned = np.negative(e)
        d = x - e
        times = x * 100.0
        less = (-100.0) * x
        return y, z, d, less
        """,
    ),
    turn_products: (
        {"x": M, "g": M + 1},
        """
        a = x.T
        p = a.dot(g)
        y = p.T
        return y
        """,
        """
        a = x.T
        p = a.dot(g)
        T1 = g.T
        T2 = a.T
        y = T1.dot(T2)
        return y
        """,
    ),
    drop_columns: (
        {"W": M, "v": np.arange(3.0)},
        """
        column = np.expand_dims(v, -1)
        p = W.dot(column)
        y = p.squeeze(-1)
        return y
        """,
        """
        column = np.expand_dims(v, -1)
        p = W.dot(column)
        y = W.dot(v)
        return y
        """,
    ),
    join_parts: (
        {"x": M},
        """
        a = np.exp(x)
        b = np.sin(x)
        y = np.stack([a, b])
        return y
        """,
        """
        a = np.exp(x)
        b = np.sin(x)
        y = join([a, b], keys=(0, 1), shape=(2, 2, 3))
        return y
        """,
    ),
    join_slices: (
        {"g": M, "h": M + 1, "x": X[:4, 0]},
        """
        a = join([g], keys=(slice(0, 2),), shape=(4, 3))
        b = join([h], keys=(slice(2, 4),), shape=(4, 3))
        y = a + b
        c = join([h], keys=(slice(1, 3),), shape=(4, 3))
        z = c + x
        return y, z
        """,
        """
        y = join([g, h], keys=(slice(0, 2, None), slice(2, 4, None)), shape=(4, 3))
        z = join([x, h], keys=(slice(None, None, None), slice(1, 3, None)), shape=(4, 3))
        return y, z
        """,
    ),
    narrow_constants: (
        {"x": WIDE},
        """
        y = x + np.full((128, 512), 0.5)
        return y
        """,
        """
        y = x + np.full((1, 512), 0.5, np.float64)
        return y
        """,
    ),
}


def rows(line, n=8):
    """A line for each row."""
    return "\n".join(line.replace("#", str(k)) for k in range(n))


EXAMPLES[rows_first] = (
    {"x": np.moveaxis(X, 0, 1)},
    f"{rows('r# = x[:, #]')}\nreturn {', '.join(f'r{k}' for k in range(8))}",
    f"x2 = np.moveaxis(x, 1, 0)\n{rows('r# = x2[#]')}\nreturn {', '.join(f'r{k}' for k in range(8))}",
)
EXAMPLES[batch_rows] = (
    {"x": X, "W": M.T},
    f"{rows('x# = x[#]')}\n{rows('y# = x#.dot(W)')}\nreturn {', '.join(f'y{k}' for k in range(8))}",
    "\n".join(
        [
            rows("x# = x[#]"),
            "flat_x = x.reshape((16, 3))",
            "flat_y0_rows = flat_x.dot(W)",
            "y0_rows = flat_y0_rows.reshape((8, 2, 2))",
            rows("y# = y0_rows[#]"),
            f"return {', '.join(f'y{k}' for k in range(8))}",
        ]
    ),
)
EXAMPLES[multiply_at_once] = (
    {"x": X, "g": X[::-1].copy()},
    "\n".join(
        [
            rows("x# = x[#]"),
            rows("g# = g[#]"),
            rows("t# = g#.T"),
            rows("p# = t#.dot(x#)"),
            "s1 = p0 + p1",
            "\n".join(f"s{k} = s{k - 1} + p{k}" for k in range(2, 8)),
            "return s7",
        ]
    ),
    "\n".join(
        [
            rows("x# = x[#]"),
            rows("g# = g[#]"),
            rows("t# = g#.T"),
            "flat_x = x.reshape((16, 3))",
            "flat_g = g.reshape((16, 3))",
            "T = flat_g.T",
            "s7 = T.dot(flat_x)",
            "return s7",
        ]
    ),
)


def test_every_pass_has_an_example():
    assert {*EXAMPLES, promise_less} == set(PASSES)  # promise_less does not change what is computed: see test_passes


@pytest.mark.parametrize("change", EXAMPLES, ids=lambda change: change.__name__)
def test_before_and_after(change):
    inputs, before, after = EXAMPLES[change]
    program = read(dedent(before), **inputs)
    new = change(program)
    assert written(new) == dedent(after).strip()
    for found, expected in zip(new.run(*inputs.values()), program.run(*inputs.values()), strict=True):
        assert_close(found, expected, ulps=2)
