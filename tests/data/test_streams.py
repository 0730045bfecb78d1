"""Batches of memory maps and generators, and what is done to a batch on its way."""

from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
from autodiff import data, nn, optim
from autodiff.core.errors import ArgumentError, KindError, LeavingTapeError, ShapeError


def squares(n):
    return lambda: ((k, k * k) for k in range(n))


def rows_of(portions):
    return [tuple(np.concatenate(part).tolist()) for part in zip(*portions, strict=True)]


@given(st.integers(1, 40), st.integers(1, 50), st.integers(1, 50), st.booleans(), st.booleans())
def test_an_epoch_of_a_generator_sees_every_example_once(n, batch_size, buffer, shuffle, drop_last):
    if drop_last and n < batch_size:
        return
    portions = data.batches(
        squares(n), batch_size=batch_size, buffer=buffer, shuffle=shuffle, drop_last=drop_last, rng=0
    )
    for _ in range(2):
        seen = list(portions)
        assert all(len(x) == batch_size for x, _ in seen[:-1])
        x, y = rows_of(seen)
        assert [k * k for k in x] == list(y)
        assert len(set(x)) == len(x) == (n - n % batch_size if drop_last else n)
        assert set(x) <= set(range(n))
        if not shuffle:
            assert list(x) == list(range(len(x)))


def test_without_shuffle_a_generator_gives_the_batches_of_its_array():
    X = np.arange(14.0).reshape(7, 2)
    stream = data.batches(lambda: iter(X), batch_size=3, shuffle=False)
    arrays = data.batches(X, batch_size=3, shuffle=False)
    for (a,), (b,) in zip(stream, arrays, strict=True):
        assert a.dtype == b.dtype
        assert np.array_equal(a, b)


def test_the_order_of_a_stream_is_given_by_the_seed_and_new_each_epoch():
    def order(portions):
        return rows_of(portions)[0]

    a, b, c = (data.batches(squares(100), batch_size=7, buffer=20, rng=seed) for seed in (0, 0, 1))
    first, second = order(a), order(a)
    assert first != second
    assert (order(b), order(b)) == (first, second)
    assert order(c) != first
    assert max(first[:7]) < 27  # nothing comes before it was read: 20 held, and 7 more


def test_a_stream_reads_no_further_than_its_buffer():
    read = []

    def numbers():
        for k in count():
            read.append(k)
            yield k

    portions = data.batches(numbers, batch_size=4, buffer=10, rng=0)
    next(iter(portions))
    assert len(read) <= 15


def test_examples_may_be_arrays_of_several_parts():
    portions = data.batches(lambda: ((np.full((2, 3), k), float(k), "ab"[k]) for k in range(2)), batch_size=2)
    ((x, y, name),) = portions
    assert (x.shape, y.shape, name.shape) == ((2, 2, 3), (2,), (2,))
    assert (x.dtype.kind, y.dtype.kind, name.dtype.kind) == ("i", "f", "U")


def test_a_generator_that_is_used_up_says_so():
    portions = data.batches(((k,) for k in range(4)), batch_size=2, shuffle=False)
    assert len(list(portions)) == 2
    with pytest.raises(ArgumentError, match=r"yielded no example in epoch 2\. Give a function that starts a new one"):
        list(portions)
    with pytest.raises(ArgumentError, match="fewer examples than batch_size in epoch 1"):
        list(data.batches(squares(3), batch_size=4, drop_last=True))


def test_an_iterable_with_neither_array_nor_length_begins_anew_each_epoch():
    class Lines:
        def __iter__(self):
            return iter([1, 2, 3])

    portions = data.batches(Lines(), batch_size=2, shuffle=False)
    assert [[b.tolist() for (b,) in portions] for _ in range(2)] == [[[1, 2], [3]]] * 2
    assert not hasattr(portions, "__len__")
    assert repr(portions) == "Stream(batches of up to 2 examples)"


def test_streams_refuse():
    with pytest.raises(KindError, match=r"generator beside other data\. Let it yield \(x, y\), and give it alone"):
        data.batches(squares(3), np.ones(3), batch_size=1)
    with pytest.raises(ShapeError, match=r"examples of shapes \(1,\) and \(2,\), which make no array\. Pad them"):
        list(data.batches(lambda: (np.ones(k) for k in (1, 2)), batch_size=2, shuffle=False))
    with pytest.raises(ShapeError, match="examples of 2 and of other numbers of parts"):
        list(data.batches(lambda: iter([(1, 2), (1, 2, 3)]), batch_size=2, shuffle=False))
    with pytest.raises(KindError, match="a function that returned a int; it takes one that returns a generator"):
        list(data.batches(lambda: 3, batch_size=2))
    with pytest.raises(LeavingTapeError):
        list(data.batches(lambda: iter([ad.Tensor([1.0])]), batch_size=1))
    for bad in (0, -1, 1.5):
        with pytest.raises(ArgumentError, match=f"batches got buffer={bad}; it is a whole number of at least 1"):
            data.batches(squares(3), batch_size=1, buffer=bad)


@pytest.mark.parametrize("shuffle", [True, False])
def test_of_a_memory_map_only_the_rows_of_a_batch_are_read(tmp_path, shuffle):
    """A sparse file of 8 GB: nobody has the memory to read it whole."""
    X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float64, (1_000_000, 1000))
    X[-1] = 7
    del X
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    portions = data.batches(X, np.arange(len(X)), batch_size=8, shuffle=shuffle, rng=0)
    x, y = next(iter(portions))
    assert x.shape == (8, 1000)
    assert np.array_equal(x, X[y])
    assert len(portions) == 125_000
    ((last, k),) = data.batches(X[-3:], [0, 1, 2], batch_size=3, shuffle=shuffle, rng=0)
    assert last[k == 2, 0] == 7


def test_batches_without_shuffle_are_views_and_with_it_copies():
    X = np.zeros((6, 2))
    assert all(np.shares_memory(x, X) for (x,) in data.batches(X, batch_size=4, shuffle=False))
    assert not any(np.shares_memory(x, X) for (x,) in data.batches(X, batch_size=4, rng=0))


@pytest.mark.parametrize("source", [(np.arange(6.0), np.arange(6)), (lambda: ((float(k), k) for k in range(6)),)])
def test_a_transform_gets_each_batch_and_the_generator_of_random_numbers(source):
    def noisy(x, y, rng):
        return x + rng.normal(size=x.shape), y

    def epochs(seed):
        portions = data.batches(*source, batch_size=4, rng=seed, transform=noisy)
        return [(x.tolist(), y.tolist()) for _ in range(2) for x, y in portions]

    assert epochs(0) == epochs(0)
    assert epochs(0)[:2] != epochs(0)[2:]
    assert epochs(0) != epochs(1)
    ((only,),) = data.batches([1, 2], batch_size=2, shuffle=False, transform=lambda x, rng: x * 10)
    assert only.tolist() == [10, 20]
    with pytest.raises(KindError, match=r"None from its transform\. Does it end without a return"):
        list(data.batches([1, 2], batch_size=2, transform=lambda x, rng: None))


def test_a_stream_trains_and_resumes_to_the_bits_of_an_unbroken_run(tmp_path):
    X, y = data.moons(60, rng=0)

    def train(epochs, folder=None):
        model = nn.MLP([2, 8, 2], rng=0)
        portions = data.batches(
            lambda: zip(X, y, strict=True),
            batch_size=16,
            rng=1,
            buffer=20,
            transform=lambda x, t, rng: (x + 0.01 * rng.normal(size=x.shape), t),
        )
        ad.fit(
            model,
            portions,
            nn.functional.cross_entropy,
            optim.SGD(model.parameters(), lr=0.1),
            epochs=epochs,
            checkpoints=folder,
            progress=False,
        )
        return model[0].weight.data

    whole = train(4)
    train(2, tmp_path / "run")
    assert np.array_equal(train(4, tmp_path / "run"), whole)


def test_what_batches_are_can_be_seen():
    assert repr(data.batches(np.ones((5, 2)), np.ones(5), batch_size=2)) == (
        "Batches(3 of up to 2 rows, of arrays of shapes (5, 2), (5,))"
    )


def test_one_example_is_a_batch():
    for source in ((np.ones((1, 2)), [3]), (lambda: iter([(np.ones(2), 3)]),)):
        ((x, y),) = data.batches(*source, batch_size=10)
        assert (x.shape, y.tolist()) == ((1, 2), [3])
