"""The rows by name: each is made when it is measured, for making contestants takes time and memory."""

from collections.abc import Callable

from . import calculus_integrate, calculus_ode
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
    "integral": calculus_integrate.number,
    "integral_vector": calculus_integrate.vector,
    "integral_grad": calculus_integrate.gradient,
    "ode": calculus_ode.ode,
    "ode_lorenz": calculus_ode.ode_lorenz,
    "ode_network": calculus_ode.ode_network,
    "ode_gradient": calculus_ode.ode_gradient,
    "ode_network_gradient": calculus_ode.ode_network_gradient,
}
CHAINS = (1_000, 10_000, 100_000, 1_000_000)
