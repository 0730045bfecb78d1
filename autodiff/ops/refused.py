"""The functions of NumPy that have no op here, each with its reason."""

from __future__ import annotations

_REASONS = {
    "how many results there are depends on the values; pick entries by index instead, "
    "x[np.unique(x.data, return_index=True)[1]]": (
        "unique unique_all unique_counts unique_inverse unique_values union1d intersect1d setdiff1d setxor1d"
    ),
    "it counts, and a count is a constant between jumps; for a smooth count sum sigmoids": (
        "histogram histogram2d histogramdd histogram_bin_edges"
    ),
    "it is about the rounding of a number, which has no derivative": "nextafter spacing",
    "mantissa and exponent jump at every power of two; use ad.log2, or ad.ldexp for the way back": "frexp",
    "it writes into an argument; use t[key] = value, or ad.where": "copyto",
    "it is defined for whole numbers only": "packbits unpackbits",
    "fit with linalg.lstsq(ad.vander(x, n), y), which is differentiable": "polyfit",
    "matrices of the class np.matrix are not supported; use ad.block and 2-d tensors": "asmatrix bmat",
    "it turns a tensor into a plain array, which would leave the tape; x.detach() or x.numpy() says so openly": (
        "array asarray asanyarray asarray_chkfinite require frombuffer from_dlpack"
    ),
    "it makes an array of settings, not of numbers that could be differentiated": (
        "arange empty eye full identity ones zeros tri fromfunction fromiter frompyfunc fromstring "
        "bartlett blackman hamming hanning kaiser"
    ),
    "it makes or converts indices, which are whole numbers": (
        "diag_indices diag_indices_from mask_indices ravel_multi_index tril_indices tril_indices_from triu_indices "
        "triu_indices_from unravel_index nested_iters"
    ),
    "it reads or writes files": "fromfile fromregex genfromtxt load loadtxt save savetxt savez savez_compressed",
    "it makes text of an array or a number": (
        "array2string array_repr array_str base_repr binary_repr format_float_positional format_float_scientific "
        "info typename"
    ),
    "it is about dates": "busday_count busday_offset datetime_as_string datetime_data is_busday isnat",
    "it answers a question about types or memory, for tensors too where that makes sense": (
        "broadcast_shapes can_cast common_type isdtype isfortran isscalar issubdtype iterable "
        "may_share_memory min_scalar_type mintypecode promote_types result_type shares_memory"
    ),
    "it is a setting of NumPy itself": (
        "get_include get_printoptions getbufsize geterr geterrcall printoptions set_printoptions setbufsize seterr "
        "seterrcall show_config show_runtime test"
    ),
}

REFUSED = {name: reason for reason, names in _REASONS.items() for name in names.split()}
"""NumPy's name of a function, and why there is no op of it."""
