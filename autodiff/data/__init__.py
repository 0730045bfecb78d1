"""Data to train on: generated points, real sets, files, batches, and a split for testing.  Plain NumPy arrays."""

from typing import Any

from ..core.spelling import missing
from .batches import Batches, Stream, batches
from .digits import digits
from .fashion import CLOTHES, fashion_mnist, idx
from .preparing import Standardizer, flipped, one_hot, shifted
from .shapes import blobs, circles, moons, spirals
from .splitting import train_test_split
from .tables import SPECIES, csv, from_sklearn, iris, npz
from .text import CharTokenizer, alice, windows

__all__ = [
    "Batches",
    "CLOTHES",
    "CharTokenizer",
    "SPECIES",
    "Standardizer",
    "Stream",
    "alice",
    "batches",
    "blobs",
    "circles",
    "csv",
    "digits",
    "fashion_mnist",
    "flipped",
    "from_sklearn",
    "idx",
    "iris",
    "moons",
    "npz",
    "one_hot",
    "shifted",
    "spirals",
    "train_test_split",
    "windows",
]

_FROM_SKLEARN = "data.from_sklearn of what scikit-learn returns (pip install scikit-learn)"

_SPELLINGS = {
    "DataLoader": "data.batches(X, y, batch_size=32)",
    "TensorDataset": "data.batches(X, y, batch_size=32)",
    "IterableDataset": "data.batches(generator, batch_size=32)",
    "random_split": "data.train_test_split(X, y)",
    "load_digits": "data.digits()",
    "load_iris": "data.iris()",
    "load_wine": _FROM_SKLEARN,
    "fetch_openml": _FROM_SKLEARN,
    "FashionMNIST": "data.fashion_mnist()",
    "mnist": "data.fashion_mnist(folder), of a folder with the four files of MNIST",
    "MNIST": "data.fashion_mnist(folder), of a folder with the four files of MNIST",
    "read_csv": "data.csv(path)",
    "StandardScaler": "data.Standardizer(X)",
    "OneHotEncoder": "data.one_hot(labels)",
    "make_moons": "data.moons(n, noise, rng)",
    "make_circles": "data.circles(n, noise, factor, rng)",
    "make_blobs": "data.blobs(n, noise, centers, rng)",
}


def __getattr__(name: str) -> Any:
    """Say what there is instead."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise missing("data", name, __all__, _SPELLINGS)
