"""Machine code: a program whose chains of small calls are single loops, compiled by Numba (an extra).

``places`` says which entry of which array a view shows.  ``entries`` writes what a NumPy function does to one entry,
with ``functions`` for those that take more than an instruction, and ``items`` finds what of a program can be loops.
``regions`` orders it in calls of NumPy and regions of loops, ``memory`` plans its buffers, ``loops`` prints a region,
``convolution`` the loops over windows, and ``printing`` all of it.  ``disk`` keeps what was printed, and Numba keeps
beside it what it made of that.  ``version`` loads it, and ``tape`` does the same for tapes of single numbers.
"""
