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
from .table import GradientTable, gradient_table

__all__ = [
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
    "gradient_table",
]
