"""The body of an answer: JSON as `json.loads` reads it, or why it is none."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alinb.bodies import parse_json, read

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def same(left: Any, right: Any) -> bool:
    """Equal with the same types: 1 is not 1.0, and no number was rounded."""
    return repr(left) == repr(right)


@given(JSON)
def test_the_same_as_the_standard_library(value):
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert same(parse_json(text), json.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        "[12345678901234567890123, -12345678901234567890123, 18446744073709551616]",
        "[12000047000000019, 9007199254740993]", '{"a": 1, "a": 2}', "[1e400, -1e400]",
        "[NaN, Infinity]", r'"\ud800"', r'"\ud83d\ude00"', "[0.1, 1E5, -0.0, 1e-7]", " [1] ",
        "[" * 300 + "]" * 300,
    ],
)  # fmt: skip
def test_what_other_readers_round_or_refuse(text):
    assert same(parse_json(text), json.loads(text))


@pytest.mark.parametrize("text", ["", "{", "[1,]", "{'a': 1}", "tru", '"\x01"', "[01]", "1 2"])
def test_the_same_errors(text):
    with pytest.raises(json.JSONDecodeError) as expected:
        json.loads(text)
    with pytest.raises(json.JSONDecodeError) as found:
        parse_json(text)
    assert str(found.value) == str(expected.value)


def test_bytes_and_text():
    body = '\ufeff{"é": [1.5, "ü"]}'
    for content in (body, body.encode()):
        text, data, reason = read(content)
        assert (data, reason) == ({"é": [1.5, "ü"]}, "")
        assert text == body.removeprefix("\ufeff")
    assert math.isnan(read('{"a": NaN}')[1]["a"])


def test_what_is_no_json_object():
    assert read(b"")[2] == "is empty"
    assert read(b"[1]")[2].startswith("is JSON, but a list")
    assert read(b"\xff\xfe{")[2].startswith("is not UTF-8 text")
    assert read('{"a": ')[2].startswith("is JSON cut off")
    assert read("<html><title>502</title>")[2] == "is an HTML page titled “502”"
