"""What the formulas of array rows say, written in NumPy beside them: at complex points the engine must agree."""

import numpy as np
import pytest
import scipy.linalg

import autodiff as ad
from autodiff.core.edges import contributions
from autodiff.core.node import data_of
from autodiff.core.rule import TABLE
from autodiff.viz.formula import formula_of
from autodiff.viz.mathml import to_text

ad.ops.public.names()
ad.linalg.cholesky, ad.fft.fft  # noqa: B018
RNG = np.random.default_rng(3)
conj, inv, exp = np.conj, np.linalg.inv, np.exp


def c(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


def H(m):
    return conj(np.swapaxes(m, -1, -2))


def total(terms):
    return np.array([sum(term) for term in terms])


def pinv_bar(g, Y, X):
    n, m = X.shape
    return -H(Y) @ g @ H(Y) + (np.eye(n) - X @ Y) @ H(g) @ Y @ H(Y) + H(Y) @ Y @ H(g) @ (np.eye(m) - Y @ X)


def roots_bar(g, y, p):
    n, slope = len(p) - 1, np.polyval(np.polyder(p), y)
    return total([[-conj(y[j] ** (n - i) / slope[j]) * g[j] for j in range(n)] for i in range(n + 1)])


def cumprod_bar(g, y, x):
    others = [[np.prod([x[j] for j in range(k + 1) if j != i]) for k in range(4)] for i in range(4)]
    return total([[g[k] * conj(others[i][k]) for k in range(i, 4)] for i in range(4)])


def svdvals_bar(g, y, x):
    u, _, vh = np.linalg.svd(x)
    return u @ np.diag(g) @ vh


def eigvals_bar(g, y, x):
    _, v = np.linalg.eig(x)
    return H(inv(v)) @ np.diag(g) @ H(v)


def expm_bar(g, y, x):
    return scipy.linalg.expm(np.block([[H(x), g], [np.zeros_like(x), H(x)]]))[: len(x), len(x) :]


def signed_power_bar(g, y, x):
    s = x / abs(x)
    return abs(x) ** 1.5 * (g + 1.5 * s * np.real(conj(s) * g))


def wave(j, k):
    return exp(2j * np.pi * j * k / 6)


STATED = {
    "multiply": (
        [c(3), c(3)],
        {},
        ("ā = b* ȳ", lambda g, y, a, b: conj(b) * g),
        ("b̄ = a* ȳ", lambda g, y, a, b: conj(a) * g),
    ),
    "divide": (
        [c(3), c(3)],
        {},
        ("ā = ȳ/b*", lambda g, y, a, b: g / conj(b)),
        ("b̄ = -y* ȳ/b*", lambda g, y, a, b: -conj(y) * g / conj(b)),
    ),
    "power": (
        [c(3), c(3)],
        {},
        ("x̄ = p* (xᵖ⁻¹)* ȳ", lambda g, y, x, p: conj(p) * conj(x ** (p - 1)) * g),
        ("p̄ = y* (ln x)* ȳ", lambda g, y, x, p: conj(y) * conj(np.log(x)) * g),
    ),
    "sign": (
        [c(3)],
        {},
        ("x̄ = (ȳ - y Re(y* ȳ))/|x|, 0 for real x", lambda g, y, x: (g - y * np.real(conj(y) * g)) / abs(x)),
    ),
    "imag": ([c(3)], {}, ("x̄ = i ȳ, 0 for real x", lambda g, y, x: 1j * g)),
    "absolute": ([c(3)], {}, ("x̄ = sign(x) ȳ", lambda g, y, x: np.sign(x) * g)),
    "matvec": (
        [c(2, 3), c(3)],
        {},
        ("Āₘₙ = ȳₘ bₙ*", lambda g, y, a, b: np.outer(g, conj(b))),
        ("b̄ = Aᴴ ȳ", lambda g, y, a, b: H(a) @ g),
    ),
    "vecmat": (
        [c(3), c(3, 2)],
        {},
        ("āₙ = Σₘ ȳₘ* Bₙₘ", lambda g, y, a, b: b @ conj(g)),
        ("B̄ₙₘ = aₙ ȳₘ", lambda g, y, a, b: np.outer(a, g)),
    ),
    "vecdot": (
        [c(3), c(3)],
        {},
        ("āᵢ = ȳ* bᵢ", lambda g, y, a, b: conj(g) * b),
        ("b̄ᵢ = aᵢ ȳ", lambda g, y, a, b: a * g),
    ),
    "prod": ([c(4)], {}, ("x̄ᵢ = ȳ Π_(j≠i) xⱼ*", lambda g, y, x: g * conj(y / x))),
    "logsumexp": ([c(4)], {}, ("x̄ᵢ = (e^(xᵢ - y))* ȳ", lambda g, y, x: conj(exp(x - y)) * g)),
    "softmax": ([c(4)], {}, ("x̄ᵢ = yᵢ*(ȳᵢ - Σⱼ ȳⱼ yⱼ*)", lambda g, y, x: conj(y) * (g - np.sum(g * conj(y))))),
    "log_softmax": ([c(4)], {}, ("x̄ᵢ = ȳᵢ - (e^(yᵢ))* Σⱼ ȳⱼ", lambda g, y, x: g - conj(exp(y)) * np.sum(g))),
    "linear": (
        [c(5, 3), c(2, 3), c(2)],
        {},
        ("x̄ = ȳ W*", lambda g, y, x, w, b: g @ conj(w)),
        ("W̄ = ȳᵀ x*", lambda g, y, x, w, b: g.T @ conj(x)),
        ("b̄ = Σ ȳ", lambda g, y, x, w, b: g.sum(0)),
    ),
    "mean_squared_error": (
        [c(4), c(4)],
        {},
        ("āᵢ = (2/n)(aᵢ - bᵢ) ȳ", lambda g, y, a, b: 0.5 * (a - b) * g),
        ("b̄ᵢ = (2/n)(bᵢ - aᵢ) ȳ", lambda g, y, a, b: 0.5 * (b - a) * g),
    ),
    "convolve": (
        [c(4), c(3)],
        {},
        (
            "āⱼ = Σₖ ȳₖ vₖ₋ⱼ*",
            lambda g, y, a, v: total([[g[k] * conj(v[k - j]) for k in range(j, j + 3)] for j in range(4)]),
        ),
        (
            "v̄ᵢ = Σₖ ȳₖ aₖ₋ᵢ*",
            lambda g, y, a, v: total([[g[k] * conj(a[k - i]) for k in range(i, i + 4)] for i in range(3)]),
        ),
    ),
    "correlate": (
        [c(4), c(3)],
        {"mode": "valid"},
        (
            "āⱼ = Σₖ ȳₖ vⱼ₋ₖ",
            lambda g, y, a, v: total([[g[k] * v[j - k] for k in range(2) if 0 <= j - k < 3] for j in range(4)]),
        ),
        ("v̄ᵢ = Σₖ ȳₖ* aₖ₊ᵢ", lambda g, y, a, v: total([[conj(g[k]) * a[k + i] for k in range(2)] for i in range(3)])),
    ),
    "inv": ([c(3, 3)], {}, ("X̄ = -Yᴴ Ȳ Yᴴ", lambda g, y, x: -H(y) @ g @ H(y))),
    "solve": (
        [c(3, 3), c(3, 2)],
        {},
        ("Ā = -A⁻ᴴ Ȳ Yᴴ", lambda g, y, a, b: -inv(H(a)) @ g @ H(y)),
        ("B̄ = A⁻ᴴ Ȳ", lambda g, y, a, b: inv(H(a)) @ g),
    ),
    "det": ([c(3, 3)], {}, ("X̄ = ȳ adj(X)ᴴ", lambda g, y, x: g * H(y * inv(x)))),
    "slogdet_parts": (
        [c(3, 3)],
        {},
        (
            "X̄ = (Re ȳ₂ + i Im(s* ȳ₁)) X⁻ᴴ",
            lambda g, y, x: (np.real(g[1]) + 1j * np.imag(conj(y[0]) * g[0])) * H(inv(x)),
        ),
    ),
    "pinv": ([c(4, 3)], {}, ("X̄ = -Yᴴ Ȳ Yᴴ + (1 - X Y) Ȳᴴ Y Yᴴ + Yᴴ Y Ȳᴴ(1 - Y X)", pinv_bar)),
    "expm": ([c(3, 3)], {}, ("X̄ = the top right of exp(Xᴴ, Ȳ; 0, Xᴴ)", expm_bar)),
    "roots": ([c(4)], {}, ("p̄ᵢ = -Σⱼ (yⱼⁿ⁻ⁱ/p'(yⱼ))* ȳⱼ", roots_bar)),
    "cumprod": ([c(4)], {}, ("x̄ᵢ = Σ_(k≥i) ȳₖ Π_(i≠j≤k) xⱼ*", cumprod_bar)),
    "signed_power": (
        [c(3)],
        {"q": 2.5},
        ("x̄ = |x|^(q - 1)(ȳ + (q - 1) s Re(s* ȳ)), s = x/|x|", signed_power_bar),
    ),
    "var": ([c(4)], {}, ("x̄ᵢ = (2(xᵢ - μ))/(n - d) ȳ", lambda g, y, x: 2 * (x - x.mean()) / 4 * g)),
    "std": ([c(4)], {}, ("x̄ᵢ = (xᵢ - μ)/((n - d) y) ȳ", lambda g, y, x: (x - x.mean()) / (4 * y) * g)),
    "geometrically_spaced": (
        [c(2), c(2)],
        {"num": 4},
        (
            "ā = Σₖ (1 - tₖ) (yₖ/a)* ȳₖ",
            lambda g, y, a, b: sum((1 - k / 3) * conj(y[k] / a) * g[k] for k in range(4)),
        ),
        ("b̄ = Σₖ tₖ (yₖ/b)* ȳₖ", lambda g, y, a, b: sum(k / 3 * conj(y[k] / b) * g[k] for k in range(4))),
    ),
    "rfft": (
        [RNG.normal(size=6)],
        {},
        (
            "āⱼ = s Re Σₖ ȳₖ e^(2π i j k/n)",
            lambda g, y, a: total([[np.real(g[k] * wave(j, k)) for k in range(4)] for j in range(6)]),
        ),
    ),
    "irfft": (
        [c(4)],
        {},
        (
            "āₖ = mₖ s Σⱼ ȳⱼ e^(-2π i j k/n), mₖ = 1 at the ends, 2 between",
            lambda g, y, a: total([[m / 6 * g[j] * wave(-j, k) for j in range(6)] for k, m in enumerate((1, 2, 2, 1))]),
        ),
    ),
    "svdvals": ([c(3, 3)], {}, ("X̄ = U diag(ȳ) Vᴴ", svdvals_bar)),
    "eigvals": ([c(3, 3)], {}, ("X̄ = V⁻ᴴ diag(ȳ) Vᴴ", eigvals_bar)),
    "vector_norm": (
        [RNG.normal(size=4)],
        {"ord": 3},
        ("x̄ᵢ = sign(xᵢ)(|xᵢ|/y)ᵖ⁻¹ ȳ", lambda g, y, x: np.sign(x) * (abs(x) / y) ** 2 * g),
    ),
}


@pytest.mark.parametrize("name", STATED)
def test_the_formula_of_a_pull_is_what_the_engine_pulls(name):
    args, params, *pulls = STATED[name]
    rule = TABLE[name]
    y = rule.op(*(ad.Tensor(a) for a in args), **params)
    data = data_of(y)
    g = RNG.normal(size=data.shape) + (1j * RNG.normal(size=data.shape) if np.iscomplexobj(data) else 0)
    stated = formula_of(rule, real=False).pulled
    assert [to_text(stated[wrt]) for wrt in rule.inputs] == [text for text, _ in pulls]
    for got, (_, pull) in zip(contributions(y, g), pulls, strict=True):
        np.testing.assert_allclose(got.raw, pull(g, data, *args), rtol=1e-9)
