"""The text, its tokenizer, and pieces of a sequence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff import data
from autodiff.core.errors import ArgumentError, KindError, ShapeError


def test_the_text_is_the_stored_one():
    text = data.alice()
    assert len(text) == 147_704
    assert len(set(text)) == 70
    assert text.count("Alice") == 395
    assert "CHAPTER I\n" in text[:40]
    assert "\r" not in text


@given(st.text(min_size=1))
def test_encoding_and_decoding_give_the_text_again(text):
    tokenizer = data.CharTokenizer(text)
    numbers = tokenizer.encode(text)
    assert numbers.dtype == np.int64
    assert tokenizer.decode(numbers) == tokenizer.decode(numbers.tolist()) == tokenizer.decode(iter(numbers)) == text
    assert sorted(set(numbers.tolist())) == list(range(len(tokenizer)))
    assert data.CharTokenizer(tokenizer.characters).characters == tokenizer.characters


def test_unicode_text():
    text = "naïve 東京 🐛\u0301\n"
    tokenizer = data.CharTokenizer(text)
    assert len(tokenizer) == len(set(text)) == 11
    assert tokenizer.decode(tokenizer.encode("🐛東")) == "🐛東"
    assert repr(tokenizer) == "CharTokenizer(11 characters)"


def test_nothing_is_encoded_as_nothing():
    tokenizer = data.CharTokenizer("ab")
    assert tokenizer.encode("").shape == (0,)
    assert tokenizer.encode("").dtype == np.int64
    assert tokenizer.decode([]) == ""


def test_the_tokenizer_refuses():
    tokenizer = data.CharTokenizer("abc")
    with pytest.raises(ArgumentError, match=r"met 'ß' at position 2, which was not in the text that it was made of"):
        tokenizer.encode("abßc")
    with pytest.raises(ArgumentError, match="an empty text; give it one with every character"):
        data.CharTokenizer("")
    with pytest.raises(KindError, match=r"got a list; it takes one text\. Join several: ''\.join\(texts\)"):
        data.CharTokenizer(["emma", "olivia"])
    for bad in (3, -1):
        with pytest.raises(ArgumentError, match=f"met the number {bad}; it has characters 0 to 2"):
            tokenizer.decode([0, bad])
    with pytest.raises(ShapeError, match=r"numbers of shape \(2, 2\); it decodes \(n,\), one text at a time"):
        tokenizer.decode([[0, 1], [1, 2]])
    with pytest.raises(KindError, match="numbers of dtype float64"):
        tokenizer.decode([0.7])


@given(st.integers(2, 40), st.integers(1, 20), st.integers(1, 5))
def test_windows_are_the_pieces_and_what_follows_them(n, length, step):
    if n <= length:
        return
    tokens = np.arange(n)
    X, Y = data.windows(tokens, length, step)
    starts = range(0, n - length, step)
    assert X.tolist() == [list(range(k, k + length)) for k in starts]
    assert np.array_equal(Y, X + 1)


def test_windows_take_no_memory_and_are_safe():
    tokens = np.arange(1000)
    X, _ = data.windows(tokens, 100)
    assert np.shares_memory(X, tokens)
    with pytest.raises(ValueError, match="read-only"):
        X[0, 0] = 1


@pytest.mark.parametrize(("tokens", "length", "step"), [([1, 2], 2, 1), ([], 1, 1), ([[1, 2]], 1, 1), ([1, 2], 0, 1)])
def test_windows_refuse(tokens, length, step):
    with pytest.raises(ShapeError, match=r"windows got tokens of shape .*; it takes \(n,\) with n above length"):
        data.windows(tokens, length, step)
