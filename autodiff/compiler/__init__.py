"""The compiler: a recorded tape, forward and backward, as straight-line NumPy source.

``capture`` runs a function while ``record`` writes down every op, and ``around`` keeps it from reading numbers.
``build`` makes a program of NumPy calls of that, which ``follow`` finds in the forward functions of the rows.
``passes`` make it smaller, ``buffers`` plans its memory, ``emit`` prints it, ``load`` loads it.  ``special`` runs it
for one signature, and ``compiled`` holds :func:`~autodiff.compile` itself.  A long tape of single numbers is computed
level by level instead: see ``scalar``.  There is no table of operations here: everything comes from the rows.
"""
