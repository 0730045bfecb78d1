"""Sets from files: CSV, NPZ, IDX, what scikit-learn gives, and the sets that travel with the package."""

import gzip
import io
import struct
import zipfile
from importlib.resources import files

import numpy as np
import pytest

from autodiff import data
from autodiff.core.errors import ArgumentError, FileFormatError, KindError, MissingDataError, ShapeError


def table(folder, text, encoding="utf-8"):
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "options", "X", "y"),
    [
        ("1,2,0\n3,4,1\n", {}, [[1, 2], [3, 4]], [0, 1]),
        ("a,b,c\n1,2,0\n", {}, [[1, 2]], [0]),
        ("a,b,c\n1,2,0\n", {"target": "a"}, [[2, 0]], [1]),
        ("a,b,c\n1,2,0\n", {"target": 1}, [[1, 0]], [2]),
        ("a,b\n1,2\n", {"target": None}, [[1, 2]], [[]]),
        ("1,2\n", {"target": None}, [[1, 2]], [[]]),
        ("5\n6\n", {}, [[], []], [5, 6]),
        ("y\n6\n", {}, [[]], [6]),
        ("1,red\n2,blue\n", {}, [[1], [2]], ["red", "blue"]),
        ("1,2.0\n2,3\n", {}, [[1], [2]], [2.0, 3.0]),
        ("2001,2002,label\n1,2,0\n", {}, [[1, 2]], [0]),  # names that are numbers, but for the target's
        ("2001,2002\n1,2\n", {"target": "2002"}, [[1]], [2]),
        ("2001,2002\n1,2\n", {"header": True}, [[1]], [2]),
        ("2001,red\n1,blue\n", {"header": True}, [[1]], ["blue"]),
        ("1;2;0\n", {"delimiter": ";"}, [[1, 2]], [0]),
        ("1\t2\t0\n", {"delimiter": "\t"}, [[1, 2]], [0]),
        ("\ufeffa,b\r\n1, 2\r\n\r\n3,4", {}, [[1], [3]], [2, 4]),  # as spreadsheets write it
        ('"a, b",y\n"1","2"\n', {}, [[1]], [2]),
        ("größe,色\n1.5,赤\n", {"target": "色"}, [[1.5]], ["赤"]),
        ("1e3,-inf,1e300\n", {}, [[1000, -np.inf]], [1e300]),
    ],
)
def test_tables(tmp_path, text, options, X, y):
    found, targets = data.csv(table(tmp_path, text), **options)
    assert found.dtype == np.float64
    assert found.tolist() == X
    assert targets.tolist() == y
    assert targets.dtype == np.array(y).dtype


def test_a_missing_value_is_nan(tmp_path):
    X, y = data.csv(table(tmp_path, "a,b,y\n1,,0\n,2,1\nnan,3,1\n"))
    assert np.isnan(X).tolist() == [[False, True], [True, False], [True, False]]
    assert y.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "is empty; a table needs a line at least"),
        ("\n\n", {}, "is empty"),
        ("a,b,c\n", {}, "has a line of names, and no rows below it"),
        ("1,2,0\n3,4\n", {}, r"has 2 cells in line 2; the first line has 3"),
        ("a,b\n1,2,0\n", {}, r"has 3 cells in line 2; the first line has 2"),
        ('a,b\n"1\n",2\n3,4,5\n', {}, "has 3 cells in line 4"),  # a cell of two lines
        ("a,b\n1,2\nNA,4\n", {}, r"has 'NA' in line 3, column a, which is no number\. An empty cell is read as nan"),
        ("a;b\n1;2\nx;2", {"target": None}, r"has '1;2' in line 2, column a;b, .*Is it delimiter=';'\?"),
        ("a,b\n1,2\n", {"header": False}, "has 'a' in line 1, column 0, which is no number"),
        ("a,y\n1,2\n3,\n", {}, r"has no target in line 3, column y\. Leave out the rows without one"),
    ],
)
def test_a_table_that_cannot_be_read_says_where(tmp_path, text, options, message):
    with pytest.raises(FileFormatError, match=message):
        data.csv(table(tmp_path, text), **options)


def test_tables_refuse(tmp_path):
    path = table(tmp_path, "a,b,b\n1,2,3\n")
    with pytest.raises(ArgumentError, match=r"csv got target='c'; .* has no column of that name: .* a, b, b"):
        data.csv(path, target="c")
    with pytest.raises(ArgumentError, match=r"target='b'; .* has more than one column of that name"):
        data.csv(path, target="b")
    for k in (3, -4):
        with pytest.raises(ArgumentError, match=f"csv got target={k}; .* has 3 columns"):
            data.csv(path, target=k)
    with pytest.raises(MissingDataError, match=r"There is no file .*none\.csv.* Give the path of a CSV file"):
        data.csv(tmp_path / "none.csv")
    with pytest.raises(FileFormatError, match=r"is no text in UTF-8: .* Save it as UTF-8"):
        data.csv(table(tmp_path, "größe,y\n1,2\n", "latin-1"))
    with pytest.raises(FileFormatError, match="could not be read as CSV"):
        data.csv(tmp_path)


def test_arrays_of_npz_files(tmp_path):
    path = tmp_path / "points.npz"
    for save in (np.savez, np.savez_compressed):
        save(path, X=np.eye(2, dtype=np.float32), y=np.array([0, 1]), names=np.array(["a", "b"]))
        X, y = data.npz(path)
        assert (X.dtype, X.tolist(), y.tolist()) == (np.float32, [[1, 0], [0, 1]], [0, 1])
        (names,) = data.npz(path, "names")
        assert names.tolist() == ["a", "b"]
    with pytest.raises(ArgumentError, match=r"npz was asked for 'labels'; .* has X, y, names"):
        data.npz(path, "X", "labels")
    with pytest.raises(MissingDataError, match="There is no file"):
        data.npz(tmp_path / "none.npz")


class Bomb:
    def __reduce__(self):
        return exec, ("raise SystemError('executed')",)


def test_npz_files_that_are_none(tmp_path):
    path = tmp_path / "bad.npz"
    arrays = np.random.default_rng(0).random((50, 50)), np.zeros(50)
    np.savez_compressed(path, X=arrays[0], y=arrays[1])
    whole = path.read_bytes()
    for k in (0, 1, 3, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:k])
        with pytest.raises(FileFormatError, match=r"bad.npz"):
            data.npz(path)
    refused = 0
    for k in range(0, len(whole), 97):
        path.write_bytes(whole[:k] + bytes([whole[k] ^ 255]) + whole[k + 1 :])
        try:
            found = data.npz(path)
        except (FileFormatError, ArgumentError):  # the latter of a broken name
            refused += 1
        else:  # such as the date in the archive
            assert all(np.array_equal(a, b) for a, b in zip(found, arrays, strict=True))
    assert refused > 100
    path.write_text("X,y\n1,2\n")
    with pytest.raises(FileFormatError, match=r"is no NPZ file\. Write one with np\.savez\(path, X=X, y=y\)"):
        data.npz(path)
    np.savez(path, X=np.array([Bomb()], object), y=np.zeros(1))
    with pytest.raises(FileFormatError, match="holds Python objects, which are not loaded"):
        data.npz(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X", b"text")
    with pytest.raises(FileFormatError, match="holds 'X', which is no array"):
        data.npz(path, "X")
    np.save(tmp_path / "X.npy", np.zeros(3))
    with pytest.raises(FileFormatError, match=r"is no NPZ file\. Read a single array with np\.load"):
        data.npz(tmp_path / "X.npy")
    with pytest.raises(FileFormatError, match="could not be read"):
        data.npz(tmp_path)


def test_an_npz_file_that_promises_more_than_there_is_memory_for(tmp_path):
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)})
    with zipfile.ZipFile(tmp_path / "big.npz", "w") as archive:
        archive.writestr("X.npy", head.getvalue())
    with pytest.raises(FileFormatError, match="could not be read as NPZ"):
        data.npz(tmp_path / "big.npz", "X")


def as_idx(array, code):
    dtype = array.dtype.newbyteorder(">")
    return (
        bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(dtype).tobytes()
    )


@pytest.mark.parametrize("packed", [False, True], ids=["raw", "gz"])
@pytest.mark.parametrize(
    ("code", "dtype"),
    [(8, np.uint8), (9, np.int8), (0x0B, np.int16), (0x0C, np.int32), (0x0D, np.float32), (0x0E, np.float64)],
)
def test_idx_files(tmp_path, code, dtype, packed):
    path = tmp_path / "array"
    for shape in ((2, 3, 4), (5,), (0, 3), ()):
        array = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
        content = as_idx(array, code)
        path.write_bytes(gzip.compress(content) if packed else content)
        found = data.idx(path)
        assert found.dtype == dtype
        assert found.dtype.isnative
        assert np.array_equal(found, array)
        assert found.flags.writeable


def test_idx_files_that_are_none(tmp_path):
    path = tmp_path / "images"
    content = as_idx(np.zeros((20, 5, 5), np.uint8), 8)
    for k in (0, 3):
        path.write_bytes(content[:k])
        with pytest.raises(FileFormatError, match="is no IDX file: it should begin with two zeros"):
            data.idx(path)
    path.write_bytes(content[:9])
    with pytest.raises(FileFormatError, match=r"ends within the shape of its array\. Fetch it again"):
        data.idx(path)
    for cut in (content[:-1], content + b"\0"):
        path.write_bytes(cut)
        with pytest.raises(
            FileFormatError, match=r"(499|501) bytes of numbers; an array of shape \(20, 5, 5\) has 500"
        ):
            data.idx(path)
    path.write_bytes(bytes([0, 0, 8, 3]) + b"\xff" * 12)  # of 8e28 bytes, it says
    with pytest.raises(FileFormatError, match="holds 0 bytes of numbers"):
        data.idx(path)
    path.write_bytes(bytes([0, 0, 7, 1, 0, 0, 0, 0]))
    with pytest.raises(FileFormatError, match="is no IDX file"):
        data.idx(path)
    packed = gzip.compress(np.random.default_rng(0).bytes(500))
    for bad in (packed[:-9], packed[:5], packed[:60] + bytes(20) + packed[80:], b"\x1f\x8b" + bytes(30)):
        path.write_bytes(bad)
        with pytest.raises(FileFormatError, match="could not be read"):
            data.idx(path)
    with pytest.raises(MissingDataError, match="Give the path of an IDX file"):
        data.idx(tmp_path / "none")


def clothes(folder, n=6, labels=None, suffix=".gz"):
    rng = np.random.default_rng(n)
    for part in ("train", "t10k"):
        images = rng.integers(0, 256, (n, 28, 28)).astype(np.uint8)
        numbers = rng.integers(0, 10, n if labels is None else labels).astype(np.uint8)
        for name, array in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", numbers)):
            content = as_idx(array, 8)
            (folder / f"{name}{suffix}").write_bytes(gzip.compress(content) if suffix else content)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_fashion_mnist_from_any_folder(tmp_path, suffix):
    clothes(tmp_path, suffix=suffix)
    X, y = data.fashion_mnist(tmp_path)
    assert (X.shape, X.dtype) == ((6, 28, 28), np.float32)
    assert X.min() >= 0
    assert X.max() <= 1
    assert (y.shape, y.dtype) == ((6,), np.int64)
    grey, _ = data.fashion_mnist(str(tmp_path), scale=False)
    assert grey.dtype == np.uint8
    assert np.array_equal(X, grey.astype(np.float32) / np.float32(255))
    assert not np.array_equal(grey, data.fashion_mnist(tmp_path, train=False, scale=False)[0])


def test_fashion_mnist_says_how_to_get_it(tmp_path):
    with pytest.raises(MissingDataError) as caught:
        data.fashion_mnist(tmp_path)
    assert "apt install dataset-fashion-mnist" in str(caught.value)
    assert "github.com/zalandoresearch/fashion-mnist" in str(caught.value)
    assert "\n" not in str(caught.value)
    clothes(tmp_path, labels=5)
    with pytest.raises(FileFormatError, match=r"shapes \(6, 28, 28\) and \(5,\); expected were \(n, height, width\)"):
        data.fashion_mnist(tmp_path)


def test_fashion_mnist_where_debian_puts_it():
    """The 10,000 images to test on, where the package is installed; else the line that says how to get it."""
    if data.fashion.FASHION.exists():
        X, y = data.fashion_mnist(train=False)
        assert X.shape == (10_000, 28, 28)
        assert np.bincount(y).tolist() == [1000] * len(data.CLOTHES)
    else:
        with pytest.raises(MissingDataError, match="apt install dataset-fashion-mnist"):
            data.fashion_mnist(train=False)


def test_irises_are_those_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.datasets")
    X, y = data.iris()
    theirs = sklearn.load_iris()
    assert np.array_equal(X, theirs.data)
    assert np.array_equal(y, theirs.target)
    assert tuple(theirs.target_names) == data.SPECIES
    assert np.bincount(y).tolist() == [50, 50, 50]


def test_sets_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.datasets")
    X, y = data.from_sklearn(sklearn.load_wine())
    for again in (sklearn.load_wine(return_X_y=True), (X, y)):
        assert all(np.array_equal(a, b) for a, b in zip(data.from_sklearn(again), (X, y), strict=True))
    assert (X.shape, X.dtype, y.shape, y.dtype.kind) == ((178, 13), np.float64, (178,), "i")
    X, y = data.from_sklearn(sklearn.make_regression(20, 3, random_state=0))
    assert (X.shape, y.dtype) == ((20, 3), np.float64)
    assert data.from_sklearn((np.ones((2, 2), np.float32), ["a", "b"]))[0].dtype == np.float32


def test_from_sklearn_refuses():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(KindError, match=r"got sparse inputs\. If they fit into memory give \(X\.toarray\(\), y\)"):
        data.from_sklearn((sparse.eye(3, format="csr"), np.zeros(3)))
    with pytest.raises(KindError, match=r"from_sklearn got a str; it takes what sklearn\.datasets\.load_wine\(\)"):
        data.from_sklearn("wine")
    with pytest.raises(KindError, match=r"inputs that are not all numbers: .* Number the classes first"):
        data.from_sklearn(([["a"], ["b"]], [0, 1]))
    with pytest.raises(ShapeError, match=r"from_sklearn got arrays of shapes \(2, 1\), \(3,\)"):
        data.from_sklearn(([[1], [2]], [0, 1, 2]))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("digits", ["Alpaydin", "10.24432/C50P49", "CC BY 4.0"]),
        ("iris", ["Fisher", "10.24432/C56C76", "CC BY 4.0"]),
        ("alice", ["Lewis Carroll", "public domain", "Canterbury corpus"]),
    ],
)
def test_each_embedded_set_is_small_and_has_its_source_and_licence(name, said):
    folder = files("autodiff.data")
    text = folder.joinpath(f"{name}.LICENSE.txt").read_text()
    assert all(part in text for part in said)
    stored = folder.joinpath({"digits": "digits.npz", "iris": "iris.csv", "alice": "alice.txt.gz"}[name])
    assert len(stored.read_bytes()) < 100_000
