"""Escapes undone layer by layer, each character traced to where it stands in the text."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alinb.disguise import LAYERS, encodings, escapes_of, spellings, unescaped

VALUE = "key-Zoë😀1"


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("plain text", []),
        ("a%2Fb", ["a/b"]),
        ("a%252Fb", ["a%2Fb", "a/b"]),
        ("%C3%AB", ["ë"]),
        ("\\u00eb \\uD83D\\uDE00", ["ë 😀"]),
        ("\\\\u0041", ["\\u0041", "A"]),
        ("%5Cu0041%", ["\\u0041%", "A%"]),
        ("\\/\\\"\\\\", ['/"\\']),
        ("%ff", ["\udcff"]),
        ("\\n", []),
    ],
)  # fmt: skip
def test_each_layer_is_undone_in_turn(text: str, layers: list[str]) -> None:
    assert [plain for plain, _ in unescaped(text, ["value"])] == layers


def test_a_line_end_is_undone_for_a_value_that_has_one() -> None:
    assert [plain for plain, _ in unescaped("a\\nb", ["a\nb"])] == ["a\nb"]


def test_layers_have_an_end() -> None:
    text = VALUE
    for _ in range(LAYERS + 3):
        text = quote(text, safe="")
    assert len(list(unescaped(text, [VALUE]))) == LAYERS


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet='abé😀%25\\u0041/"Cn', max_size=40))
def test_every_character_has_a_place_and_they_are_in_order(text: str) -> None:
    for plain, begins in unescaped(text, [VALUE]):
        assert len(begins) == len(plain) + 1
        assert begins == sorted(begins)
        assert begins[-1] == len(text)
        for char, start, end in zip(plain, begins[:-1], begins[1:], strict=True):
            if text[start : start + 1] not in ("%", "\\") and end > start:
                assert text[start:end] == char


def test_a_text_without_an_escape_of_the_value_is_told_at_a_glance() -> None:
    gate = escapes_of(["abc9"])
    for text in ("%20 %E4%B8%AD", "\\u4e2d \\/ \\n", "100 %", "\\u0026", "%2C"):
        assert not gate.search(text), text
    for text in ("%61", "%41", "%2561", "\\u0061", "\\\\u0039", "%25", "\\u005c"):
        assert gate.search(text), text


@settings(deadline=None, max_examples=200)
@given(st.text(min_size=4, max_size=20))
def test_the_usual_spellings_are_among_them(value: str) -> None:
    found = spellings(value)
    raw = value.encode("utf-8", "surrogatepass")
    assert {value, quote(raw, safe=""), raw.hex(), json.dumps(value)[1:-1]} <= found
    assert encodings(value) >= {value, raw.hex()}
