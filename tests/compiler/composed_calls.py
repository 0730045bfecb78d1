"""A call or more of every public function that is made of rows, with arguments to draw, whole numbers and masks too."""

import numpy as np

import autodiff as ad


def real(*shape, low=None, high=2.0):
    return lambda rng: rng.normal(size=shape) if low is None else rng.uniform(low, high, size=shape)


def whole(n, *shape):
    return lambda rng: rng.integers(0, n, size=shape)


def whole_from(low, high):
    return lambda rng: rng.integers(low, high)


def truth(*shape):
    return lambda rng: rng.random(shape) < 0.5


def complex_(*shape):
    return lambda rng: rng.normal(size=shape) + 1j * rng.normal(size=shape)


def ascending(n):
    return lambda rng: np.sort(rng.uniform(-2, 2, size=n))


def symmetric(n):
    return lambda rng: (lambda a: a + a.T + 9 * np.diag(np.arange(n)))(rng.normal(size=(n, n)))


def dominant(*shape):
    return lambda rng: rng.normal(size=shape) + 5 * np.eye(shape[-1])


def with_nan(*shape):
    return lambda rng: np.where(rng.random(shape) < 0.3, np.nan, rng.normal(size=shape))


M, V = real(3, 4), real(4)
POSITIVE = real(3, 4, low=0.5)

CALLS = {
    "adaptive_avg_pool1d": (lambda x: ad.adaptive_avg_pool1d(x, 3), real(2, 3, 7)),
    "adaptive_avg_pool2d": (lambda x: ad.adaptive_avg_pool2d(x, (2, 3)), real(2, 3, 5, 4)),
    "all": (lambda x, m: x * ad.all(m, axis=0), M, truth(2, 4)),
    "amax": (lambda x: ad.amax(x, 1), M),
    "amax where": (lambda x, m: ad.amax(x, 1, where=m, initial=-0.5), M, truth(3, 4)),
    "amin": (lambda x: ad.amin(x, 1), M),
    "amin where": (lambda x, m: ad.amin(x, 1, where=m, initial=0.5), M, truth(4)),
    "angle": (ad.angle, complex_(3, 2)),
    "angle real": (ad.angle, M),
    "any": (lambda x, m: x * ad.any(m, axis=0), M, truth(2, 4)),
    "append": (lambda x, y: ad.append(x, y, 0), M, real(1, 4)),
    "apply_along_axis": (lambda x: ad.apply_along_axis(lambda row: row.cumsum() * row[0], 1, x), M),
    "apply_over_axes": (lambda x: ad.apply_over_axes(ad.sum, x, [0, 1]), M),
    "array_split": (lambda x: ad.array_split(x, [1, 3], 1), M),
    "ascontiguousarray": (lambda x: ad.ascontiguousarray(x.T) * 2, M),
    "asfortranarray": (lambda x: ad.asfortranarray(x) * 2, M),
    "astype": (lambda x: ad.astype(x, "float32") * ad.astype(x, int), M),
    "atleast_1d": (lambda x: ad.atleast_1d(x) * 2, real()),
    "atleast_2d": (lambda x: ad.atleast_2d(x) * 2, V),
    "atleast_3d": (lambda x: ad.atleast_3d(x) * 2, V),
    "attention_weights": (lambda q, k, m: ad.attention_weights(q, k, m, is_causal=True), M, real(5, 4), truth(3, 5)),
    "average": (lambda x, w: ad.average(x, 1, w, returned=True), M, real(4, low=0.1)),
    "avg_pool1d": (lambda x: ad.avg_pool1d(x, 2), real(2, 3, 6)),
    "avg_pool2d": (lambda x: ad.avg_pool2d(x, 2), real(2, 3, 4, 6)),
    "bincount": (lambda k: ad.bincount(k, minlength=5), whole(5, 9)),
    "bincount weights": (lambda k, w: ad.bincount(k, w, minlength=5), whole(5, 9), real(9)),
    "block": (lambda x, y: ad.block([[x, y], [y, x]]), M, M),
    "broadcast_arrays": (lambda x, y: ad.broadcast_arrays(x, y), M, V),
    "choose": (lambda k, x, y: ad.choose(k, [x, y, x * y]), whole(3, 4), V, V),
    "choose wrap": (lambda k, x, y: ad.choose(k, [x, y], mode="wrap"), whole(9, 4), V, V),
    "clip": (lambda x: ad.clip(x, -0.5, 0.5), M),
    "clip by": (lambda x, low, high: ad.clip(x, low, high), M, real(4, low=-1, high=0), real(low=0)),
    "column_stack": (lambda x, y: ad.column_stack([x, y]), V, real(4, 2)),
    "compress": (lambda x: ad.compress([True, False, True, True], x, 1), M),
    "conv1d": (lambda x, w: ad.conv1d(x, w, padding=1), real(2, 3, 5), real(2, 3, 3)),
    "conv2d": (lambda x, w: ad.conv2d(x, w), real(2, 1, 5, 5), real(2, 1, 3, 3)),
    "conv_transpose1d": (lambda x, w: ad.conv_transpose1d(x, w, stride=2), real(2, 3, 5), real(3, 2, 3)),
    "conv_transpose2d": (lambda x, w: ad.conv_transpose2d(x, w), real(2, 1, 3, 3), real(1, 2, 2, 2)),
    "corrcoef": (ad.corrcoef, M),
    "corrcoef two": (ad.corrcoef, V, V),
    "cov": (lambda x, y: ad.cov(x, y), V, V),
    "cov weights": (lambda x, n, w: ad.cov(x, fweights=n, aweights=w), M, whole(4, 4), real(4, low=0.5)),
    "cross": (ad.cross, real(2, 3), real(3)),
    "cross_entropy": (ad.cross_entropy, M, whole(4, 3)),
    "cumulative_prod": (lambda x: ad.cumulative_prod(x, axis=1), M),
    "cumulative_sum": (lambda x: ad.cumulative_sum(x, axis=1, include_initial=True), M),
    "delete": (lambda x: ad.delete(x, [0, 2], 1), M),
    "diag": (ad.diag, V),
    "diagflat": (ad.diagflat, V),
    "diff": (lambda x, y: ad.diff(x, 2, prepend=y), M, real(3, 1)),
    "digitize": (lambda x, b, y: y * ad.digitize(x, b), V, ascending(5), V),
    "divmod": (ad.divmod, M, POSITIVE),
    "dot": (ad.dot, M, real(4, 2)),
    "dropout": (lambda x: ad.dropout(x, 0.5, training=False) * 2, M),
    "dsplit": (lambda x: ad.dsplit(x, 2), real(2, 3, 4)),
    "dstack": (lambda x, y: ad.dstack([x, y]), M, M),
    "ediff1d": (lambda x, y: ad.ediff1d(x, y, to_begin=y), V, real(2)),
    "eig": (lambda x: ad.linalg.eig(x).eigenvalues, symmetric(3)),
    "eigh": (lambda x: ad.linalg.eigh(x).eigenvalues, symmetric(3)),
    "einsum": (lambda x, y: ad.einsum("ij,kj->ik", x, y), M, real(2, 4)),
    "einsum dtype": (lambda x: ad.einsum("ij->i", x, dtype=complex), M),
    "einsum_path": (lambda x, y: x * len(ad.einsum_path("ij,kj->ik", x, y)[0]), M, M),
    "empty_like": (lambda x: x + ad.empty_like(x), M),
    "extract": (lambda x: ad.extract([True, False, True, True], x), V),
    "fill_diagonal": (lambda x, v: ad.fill_diagonal(x, v), M, real()),
    "fliplr": (ad.fliplr, M),
    "flipud": (ad.flipud, M),
    "float_power": (lambda x, y: ad.float_power(x, y), POSITIVE, M),
    "full_like": (lambda x, v: x * ad.full_like(x, v), M, V),
    "geomspace": (lambda a, b: ad.geomspace(a, b, 5), real(2, low=0.5), real(2, low=3, high=9)),
    "gradient": (lambda x: ad.gradient(x, 0.5), M),
    "gradient at": (lambda x, at: ad.gradient(x, at, axis=1), M, ascending(4)),
    "hsplit": (lambda x: ad.hsplit(x, 2), M),
    "hstack": (lambda x, y: ad.hstack([x, y]), M, M),
    "i0e": (ad.i0e, M),
    "i1": (ad.i1, M),
    "i1e": (ad.i1e, M),
    "argwhere": (lambda x: x * len(ad.argwhere(np.eye(3))), V),
    "indices": (lambda x: x * ad.indices((3, 4)), M),
    "inner": (ad.inner, M, real(2, 4)),
    "insert": (lambda x, v: ad.insert(x, [1, 2], v, 1), M, real(3, 1)),
    "interp": (ad.interp, real(6), ascending(5), real(5)),
    "interp ends": (lambda x, xp, fp, a: ad.interp(x, xp, fp, left=a, right=-a), real(6), ascending(4), V, real()),
    "interp period": (lambda x, xp, fp, p: ad.interp(x, xp, fp, period=p), real(6), V, V, real(low=3, high=5)),
    "ix_": (lambda x, i, j: x[ad.ix_(i, j)], M, whole(3, 2), whole(4, 3)),
    "kron": (ad.kron, real(2, 2), real(3)),
    "lexsort": (lambda x, a, b: x[ad.lexsort([a, b])], real(9), whole(3, 9), whole(3, 9)),
    "linspace": (lambda a, b: ad.linspace(a, b, 5, retstep=True), V, V),
    "logspace": (lambda a, b: ad.logspace(a, b, 4, base=3.0), real(), real()),
    "lstsq": (lambda a, b: ad.linalg.lstsq(a, b), real(5, 2), real(5)),
    "matrix_norm": (lambda x: ad.linalg.matrix_norm(x, ord="nuc"), M),
    "matrix_power": (lambda x: ad.linalg.matrix_power(x, -3), dominant(3, 3)),
    "matrix_transpose": (lambda x: ad.matrix_transpose(x) * 2, M),
    "max": (lambda x: ad.max(x, 0), M),
    "max where": (lambda x, m, low: ad.max(x, 0, where=m, initial=low), M, truth(3, 4), whole(2)),
    "max_pool1d": (lambda x: ad.max_pool1d(x, 2), real(2, 3, 6)),
    "max_pool2d": (lambda x: ad.max_pool2d(x, 2), real(2, 3, 4, 6)),
    "mean": (lambda x: ad.mean(x, 0), M),
    "mean where": (lambda x, m: ad.mean(x, 0, where=m), M, truth(3, 4)),
    "median": (lambda x: ad.median(x, 1), M),
    "meshgrid": (lambda x, y: ad.meshgrid(x, y), V, real(3)),
    "min": (lambda x: ad.min(x, 0), M),
    "min where": (lambda x, m: ad.min(x, 0, where=m, initial=0.3), M, truth(3, 4)),
    "modf": (lambda x: ad.modf(5 * x), M),
    "multi_dot": (lambda a, b, c: ad.linalg.multi_dot([a, b, c]), M, real(4, 2), real(2)),
    "multigammaln": (lambda a: ad.multigammaln(a, 3), real(3, low=1.5, high=4)),
    "nancumprod": (lambda x: ad.nancumprod(x, 1), with_nan(3, 4)),
    "nancumsum": (lambda x: ad.nancumsum(x, 1), with_nan(3, 4)),
    "nanmax": (lambda x: ad.nanmax(x, 1), with_nan(3, 8)),
    "nanmean": (lambda x: ad.nanmean(x, 1), with_nan(3, 8)),
    "nanmedian": (lambda x: ad.nanmedian(x, 1), with_nan(3, 8)),
    "nanmin": (lambda x: ad.nanmin(x, 1), with_nan(3, 8)),
    "nanpercentile": (lambda x: ad.nanpercentile(x, [30.0, 70.0], 1), with_nan(3, 8)),
    "nanprod": (lambda x: ad.nanprod(x, 1), with_nan(3, 8)),
    "nanquantile": (lambda x, q: ad.nanquantile(x, q, 1), with_nan(3, 8), real(2, low=0, high=1)),
    "nanstd": (lambda x: ad.nanstd(x, 1), with_nan(3, 8)),
    "nansum": (lambda x: ad.nansum(x, 1), with_nan(3, 8)),
    "nanvar": (lambda x: ad.nanvar(x, 1, ddof=1), with_nan(3, 8)),
    "nonzero": (lambda x: x[ad.nonzero(np.eye(3, 4))], M),
    "ones_like": (lambda x: x * ad.ones_like(x), M),
    "outer": (ad.outer, V, V),
    "pad": (lambda x, v: ad.pad(x, (1, 2), constant_values=v), V, real(2)),
    "pad ramp": (lambda x, v: ad.pad(x, 2, "linear_ramp", end_values=v), M, real()),
    "pad reflect": (lambda x: ad.pad(x, ((1, 2), (2, 3)), "reflect", reflect_type="odd"), M),
    "pad wrap": (lambda x: ad.pad(x, 5, "wrap"), V),
    "pad maximum": (lambda x: ad.pad(x, 1, "maximum", stat_length=2), M),
    "pad median": (lambda x: ad.pad(x, 1, "median"), M),
    "pad whole": (lambda k, v: ad.pad(k, 1, constant_values=v), whole(5, 4), whole(5)),
    "percentile": (lambda x, q: ad.percentile(x, q, 1), M, real(2, low=0, high=100)),
    "piecewise": (lambda x: ad.piecewise(x, [np.eye(3, 4) > 0], [lambda part: part**2, 3.0]), M),
    "place": (lambda x: ad.place(x, np.eye(3, 4) > 0, [3.0, 4.0]), M),
    "poly": (ad.poly, V),
    "polyadd": (ad.polyadd, V, real(2)),
    "polyder": (lambda p: ad.polyder(p, 2), V),
    "polydiv": (ad.polydiv, real(5), real(3, low=1)),
    "polyint": (lambda p, k: ad.polyint(p, 2, k), V, real(2)),
    "polymul": (ad.polymul, V, real(3)),
    "polysub": (ad.polysub, V, real(2)),
    "polyval": (ad.polyval, V, M),
    "prod": (lambda x: ad.prod(x, 1), M),
    "prod where": (lambda x, m: ad.prod(x, 1, where=m), M, truth(3, 4)),
    "ptp": (lambda x: ad.ptp(x, 1), M),
    "put": (lambda x, k, v: ad.put(x, k, v), M, whole(12, 3), real(2)),
    "put_along_axis": (lambda x, k, v: ad.put_along_axis(x, k, v, 1), M, whole(4, 3, 2), real(3, 2)),
    "putmask": (lambda x, m, v: ad.putmask(x, m, v), M, truth(3, 4), real(5)),
    "qr": (ad.linalg.qr, real(4, 3)),
    "quantile": (lambda x, q: ad.quantile(x, q, 1), M, real(2, low=0, high=1)),
    "quantile midpoint": (lambda x, q: ad.quantile(x, q, method="midpoint"), M, real(low=0, high=1)),
    "quantile weights": (lambda x, k: ad.quantile(x, 0.4, 1, method="inverted_cdf", weights=1 + k), M, whole(3, 4)),
    "ravel": (lambda x: ad.ravel(x, "F") * 2, M),
    "real_if_close": (lambda x: ad.real_if_close(x) * 2, M),
    "repeat": (lambda x: ad.repeat(x, [1, 0, 2, 1], 1), M),
    "resize": (lambda x: ad.resize(x, (5, 4)), M),
    "rollaxis": (lambda x: ad.rollaxis(x, 2) * 2, real(2, 3, 4)),
    "row_stack": (lambda x, y: ad.row_stack([x, y]), M, V),
    "scaled_dot_product_attention": (ad.scaled_dot_product_attention, M, real(5, 4), real(5, 2), real(3, 5)),
    "searchsorted": (lambda a, v, y: y * ad.searchsorted(a, v), ascending(6), V, V),
    "searchsorted sorter": (lambda a, v, y: y * ad.searchsorted(a, v, sorter=ad.argsort(a)), real(6), V, V),
    "select": (lambda x, m, n: ad.select([m, n], [x, x**2], 0.5), M, truth(3, 4), truth(4)),
    "slogdet": (lambda x: ad.linalg.slogdet(x), real(3, 3)),
    "sort_complex": (lambda x: ad.sort_complex(x), complex_(5)),
    "split": (lambda x: ad.split(x, 2, 1), M),
    "std": (lambda x: ad.std(x, 1), M),
    "std where": (lambda x, m: ad.std(x, 1, where=m, correction=0.5), M, truth(3, 4)),
    "sum": (lambda x: ad.sum(x, 1), M),
    "sum where": (lambda x, m: ad.sum(x, 1, where=m, initial=2.0), M, truth(3, 4)),
    "svd": (lambda x: ad.linalg.svd(x, full_matrices=False).S, M),
    "svd full": (lambda x: ad.linalg.svd(x).U[:, 0] ** 2, real(4, 2)),
    "take": (lambda x, k: ad.take(x, k, 1), M, whole(4, 2, 3)),
    "take wrap": (lambda x, k: ad.take(x, 5 * k, 1, mode="wrap"), M, whole(4, 3)),
    "take_along_axis": (lambda x, k: ad.take_along_axis(x, k, 1), M, whole(4, 3, 2)),
    "tensordot": (lambda x, y: ad.tensordot(x, y, ([1], [0])), M, real(4, 2)),
    "tensorinv": (lambda x: ad.linalg.tensorinv(x.reshape(2, 2, 4), 2), dominant(4, 4)),
    "tensorsolve": (lambda a, b: ad.linalg.tensorsolve(a.reshape(2, 2, 4), b), dominant(4, 4), real(2, 2)),
    "tile": (lambda x: ad.tile(x, (2, 3)), M),
    "trapezoid": (lambda y, x: ad.trapezoid(y, x), M, ascending(4)),
    "trim_zeros": (lambda x: x * len(ad.trim_zeros(np.array([0, 1, 0]))), V),
    "unstack": (lambda x: ad.unstack(x, axis=1), M),
    "vander": (lambda x: ad.vander(x, 3), V),
    "var": (lambda x: ad.var(x, 1, ddof=1), M),
    "var where": (lambda x, m, c: ad.var(x, 1, where=m, mean=c), M, truth(3, 4), real(3, 1)),
    "vdot": (ad.vdot, complex_(3), complex_(3)),
    "vsplit": (lambda x: ad.vsplit(x, 3), M),
    "vstack": (lambda x, y: ad.vstack([x, y]), M, V),
    "zeros_like": (lambda x: x + ad.zeros_like(x), M),
    "zeta": (lambda x, q: q * ad.zeta(ad.stop_gradient(x)), real(3, low=2, high=4), real(3)),
    "zeta hurwitz": (lambda q: ad.zeta(2.5, q), real(3, low=1, high=4)),
    # Rows and operators that take what may be another one at each call.
    "getitem": (lambda x, k: x[k], M, whole(3, 5)),
    "getitem two": (lambda x, j, k: x[j, k] * x[:, k[0]].sum(), M, whole(3, 5), whole(4, 5)),
    "setitem": (lambda x, k, v: ad.setitem(x, v, (slice(None), k)), M, whole(4, 2), real(3, 2)),
    "assignment": (lambda x, k, v: assigned(x, k, v), M, whole(3, 2), V),
    "assignment by mask": (lambda x, m, v: assigned(x, m, v), M, truth(3, 4), real()),
    "assignment by rows": (lambda x, m, v: assigned(x, m, v), M, truth(3), real(1)),
    "scatter_add": (lambda v, k: ad.scatter_add(v, (4, 4), k), M, whole(4, 3)),
    "one_hot": (lambda x, k: x * ad.one_hot(k, x), M, whole(4, 3)),
    "argmax": (lambda x: x[np.arange(3), x.argmax(1)], M),
    "argsort": (lambda x: x[:, ad.argsort(x[0])], M),
    "top three": (lambda x: ad.take_along_axis(x, ad.argsort(-x, axis=1)[:, :3], 1), M),
    "partition": (lambda x: ad.partition(x, 2, 1)[:, 2], M),
    "isin": (lambda x, k: x * ad.isin(k, [1, 3]), M, whole(4, 3, 4)),
    "where": (lambda x, m: ad.where(m, x, x**2), M, truth(3, 4)),
    "unwrap": (lambda x, p: ad.unwrap(4 * x, period=p), M, whole_from(3, 6)),
    "norm": (lambda x: ad.linalg.norm(x, 3, axis=1), M),
    "eigvals": (lambda x: ad.linalg.eigvals(x), symmetric(3)),
}


def assigned(x, key, value):
    y = x * 1.0
    y[key] = value
    return y * x
