"""The rows by name: each is made when it is measured, for making contestants takes time and memory."""

from collections.abc import Callable

from .cnn import cnn
from .curvature import hessian, hvp
from .harness import Row
from .mlp import deep, digits, toy
from .rnn import rnn
from .scalar import scalar
from .transformer import transformer

ROWS: dict[str, Callable[[], Row]] = {
    "toy": toy,
    "digits": digits,
    "deep": deep,
    "cnn": cnn,
    "rnn": rnn,
    "transformer": transformer,
    "hvp": hvp,
    "hessian": hessian,
    "scalar": scalar,
}
CHAINS = (1_000, 10_000, 100_000, 1_000_000)
