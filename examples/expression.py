"""One expression: its tape, its gradient, and the same by hand."""

import math

import autodiff as ad

x = ad.Value(0.5, name="x")
y = ad.exp(-x * x) * ad.sin(3 * x)
y.backward()

print(ad.Tape(y))
by_hand = math.exp(-0.25) * (3 * math.cos(1.5) - math.sin(1.5))
print(f"dy/dx = {x.grad:.12f}, by hand {by_hand:.12f}")
assert math.isclose(x.grad, by_hand)
