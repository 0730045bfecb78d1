"""Checks of derivatives: of the rows of the table, of your own rules and of your own functions."""

from .checks import (
    check_complete,
    check_dtype,
    check_forward,
    check_gradients,
    check_jvp,
    check_not_mutated,
    check_numbers,
    check_rule,
    check_second_order,
    check_vjp,
)
from .derivatives import DerivativeTable, compare_derivatives
from .digits import DigitsTable, in_digits
from .table import GradientTable, gradient_table

__all__ = [
    "DerivativeTable",
    "DigitsTable",
    "GradientTable",
    "check_complete",
    "check_dtype",
    "check_forward",
    "check_gradients",
    "check_jvp",
    "check_not_mutated",
    "check_numbers",
    "check_rule",
    "check_second_order",
    "check_vjp",
    "compare_derivatives",
    "gradient_table",
    "in_digits",
]
