"""A scalar expression in which one variable is used twice."""

import autodiff as ad

with ad.trace():
    x = ad.Value(-2.0, name="x")
    y = ad.Value(5.0, name="y")
    z = ad.Value(-4.0, name="z")
    q = x + y
    f = q * z + ad.tanh(x)

page = ad.debug(f, title="An expression")
