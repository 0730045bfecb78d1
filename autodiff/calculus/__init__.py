"""Calculus for real problems: derivatives, integrals, equations, chance and optimisation, all differentiable."""
