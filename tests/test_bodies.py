"""The body of an answer: JSON as `json.loads` reads it, or why it is none."""

import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alinb.bodies import as_text, parse_json, read

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
        assert read(content) == ({"é": [1.5, "ü"]}, "")
        assert as_text(content) == body.removeprefix("\ufeff")
    for content in ('{"a": NaN}', b'{"a": NaN}'):
        assert math.isnan(read(content)[0]["a"])


@given(st.dictionaries(st.text(), JSON), st.booleans())
def test_bytes_read_as_their_text_does(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    with suppress(UnicodeEncodeError):
        assert same(read(text.encode())[0], json.loads(text))
    assert same(read(text), (json.loads(text), ""))


@pytest.mark.parametrize("content", [b'{"a": "\xff"}', b'{"\xed\xa0\x80": 1}', b'{"a": 1}\xc3'])
def test_what_is_not_utf_8_is_shown_as_far_as_it_can_be(content):
    data, reason = read(content)
    assert (data, reason[:22]) == (None, "is not UTF-8 text (byt")
    assert as_text(content) == content.decode("utf-8", "replace")


def test_what_is_no_json_object():
    assert read(b"")[1] == read(b" \n")[1] == "is empty"
    assert read(b"[1]")[1].startswith("is JSON, but a list")
    assert read(b"[NaN]")[1].startswith("is JSON, but a list")
    assert read(b"\xff\xfe{")[1].startswith("is not UTF-8 text")
    assert read('{"a": ')[1].startswith("is JSON cut off")
    assert read("<html><title>502</title>")[1] == "is an HTML page titled “502”"
