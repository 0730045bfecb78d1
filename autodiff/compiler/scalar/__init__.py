"""Scalar tapes: ten thousand ops on single numbers as a hundred calls on arrays.

``units`` takes a recorded tape of Python floats apart: ops of one rule that are equally far from the inputs become one
:class:`~autodiff.compiler.scalar.units.Group`, numbered in the order in which their results are used.  ``bodies`` and
``vjps`` find what a rule, and each of its VJPs, does to a whole array, bit for bit as number by number.
``views`` finds slices and strides where a group's arguments lie in order, so that little has to be gathered.
``forward`` and ``backward`` print the calls with ``printing``, and ``version`` loads and checks them.
"""
