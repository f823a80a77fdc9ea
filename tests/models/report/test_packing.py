"""Packed columns come back as they went in; here they are unpacked in Python, in the browser by `catalog/page/unpack.js`."""

import base64
import gzip
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.report.packing import MISSING, Packer, as_word, embedded, varints

numbers = st.lists(st.one_of(st.floats(-2e9, 2e9), st.just(float("nan"))), max_size=40)
words = st.lists(st.one_of(st.none(), st.text(max_size=12)), max_size=40)


def unpacked(packer, header, length):
    content = gzip.decompress(base64.b64decode(packer.text()))
    start, size = header["at"]
    return np.frombuffer(content[start : start + size], np.uint8).reshape(4, length).T.copy().view("<i4").ravel() if length else np.empty(0)


@given(numbers, st.sampled_from([1.0, 0.5, 2.0]))
def test_numbers_come_back_to_the_quantum_and_null_stays_null(values, quantum):
    packer = Packer()
    packer.numbers(np.array([1.0, 2.0]))
    header = packer.numbers(np.array(values), quantum)
    back = unpacked(packer, header, len(values))
    for value, whole in zip(values, back, strict=True):
        if np.isnan(value) or abs(value / quantum) >= 2**31 - 1:
            assert whole == MISSING
        else:
            assert abs(whole * quantum - value) <= quantum / 2


@given(words)
def test_words_come_back_whatever_they_hold(values):
    packer = Packer()
    header = packer.words(values)
    content = gzip.decompress(base64.b64decode(packer.text()))
    start, size = header["list"]
    listed = [None, *json.loads(content[start : start + size])]
    assert [listed[code] for code in unpacked(packer, header, len(values))] == values


@given(st.lists(st.integers(-(2**31), 2**31), max_size=60))
def test_varints_come_back(values):
    decoded, value, scale = [], 0, 1
    for octet in varints(np.array(values, np.int64)):
        value, scale = value + (octet & 127) * scale, scale * 128
        if octet < 128:
            decoded.append(-(value + 1) // 2 if value % 2 else value // 2)
            value, scale = 0, 1
    assert decoded == values


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=5))
def test_embedded_json_says_the_same_and_cannot_end_its_element(content):
    text = embedded({**content, "note": "</script><!--"})
    assert "<" not in text
    assert json.loads(text) == {**content, "note": "</script><!--"}


def test_equal_columns_give_equal_text():
    texts = set()
    for _ in range(2):
        packer = Packer()
        packer.words(["b", None, "a"])
        packer.numbers(np.arange(5.0))
        texts.add(packer.text())
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("value", "word"), [(None, None), ("", None), ([], None), (["a", "b"], "a, b"), (True, "yes"), (32643, "32643"), ("<b>", "<b>")]
)
def test_any_value_is_a_word(value, word):
    assert as_word(value) == word
