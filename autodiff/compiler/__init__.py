"""The compiler: a recorded tape, forward and backward, as straight-line NumPy source.

``capture`` runs a function while ``record`` writes down every op, and ``around`` keeps it from reading numbers.
``aliases`` sees to arrays that share memory, ``guards`` says what must not be replaced for a program to hold.
``build`` makes a program of NumPy calls of that, which ``follow`` finds in the forward functions of the rows.
``passes`` make it smaller, ``buffers`` plans its memory, which ``packing`` lays out, ``emit`` prints it, ``load`` loads
it.  What is ``joined`` of rows is computed in its place, and ``views`` of buffers are made once.  ``special`` runs a
program for one signature, and ``compiled`` holds :func:`~autodiff.compile` itself.  A long tape of
single numbers is computed level by level instead: see ``scalar``.  ``machine`` makes loops of small calls, for Numba.
There is no table of operations here: everything comes from the rows.
"""
