"""Redaction by value, fuzzed: no canary survives in any disguise, and not one other byte changes.

ALINB_FUZZ=100000 runs the whole proof.
"""

import base64
import json
import os
import random
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest

from alinb.redact import Redactor
from tests.trust.canaries import survivors

CASES = int(os.environ.get("ALINB_FUZZ", "4000"))
SEED = int(os.environ.get("ALINB_SEED", "20261124"))

CANARIES = {
    "8b1f6c0a2e9d4735b6c8d0e1f2a3b4c5": "app_secret",
    "50000hKXcr0S0ACrUkpdKWxeutOScLyM9fnh5HIs5yX0mkJreJuypLtZHY3q6": "access_token",
    "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26": "code",
    "Zoë/Q+&='!*~ %x@y.z": "account",
    "jane.doe@shop.example": "account",
    'pa/ss"wo\\rd': "app_secret",
}
REDACTOR = Redactor(b"fuzz", [(kind, value) for value, kind in CANARIES.items()])

#: What stands around a canary: escapes, marks of percent, other letters, ends of base64.
INNOCENT = [
    "", " ", "a b", "note: ", "中文", "é", "😀", "\n", "<b>", "…", "x=1&y=", "{", "]", ",", ";",
    "100 ", "LED lamp 12 W ", "https://h.example/p?q=", "%20", "%E4%B8%AD ", "%2C", "\\/",
    "\\u4e2d",
    "\\u0026 ", "\\n", "%25 ", "%3D", "‹note›",
]  # fmt: skip


def percent(value: str, chance: float, rng: random.Random, safe: str = "") -> str:
    """Percent-encoded as in a URL, and each other character by chance, too."""
    made = []
    for char in value:
        escaped = quote(char, safe=safe)
        if escaped == char and rng.random() < chance:
            escaped = "".join(f"%{octet:02X}" for octet in char.encode())
        made.append(escaped.lower() if rng.random() < 0.3 else escaped)
    return "".join(made)


def json_escaped(value: str, chance: float, rng: random.Random) -> str:
    """As within a JSON string, and each character as \\uXXXX by chance."""
    made = []
    for char in value:
        plain = json.dumps(char, ensure_ascii=rng.random() < 0.5)[1:-1]
        if rng.random() < chance:
            units = char.encode("utf-16-be")
            plain = "".join(
                f"\\u{int.from_bytes(units[i : i + 2]):04{rng.choice('xX')}}"
                for i in range(0, len(units), 2)
            )
        elif char == "/" and rng.random() < 0.5:
            plain = "\\/"
        made.append(plain)
    return "".join(made)


def in_base64(value: str, rng: random.Random) -> tuple[str, str, str]:
    """What encloses the value's own characters in base64 of a longer text, and those."""
    lead, tail = rng.randrange(4), rng.randrange(3)
    encode = rng.choice([base64.b64encode, base64.urlsafe_b64encode])
    raw = value.encode()
    whole = encode(b"k" * lead + raw + b"t" * tail).decode()
    first, last = -(-8 * lead // 6), 8 * (lead + len(raw)) // 6
    return whole[:first], whole[first:last], whole[last:]


def cased(value: str, rng: random.Random) -> str:
    return rng.choice([str.upper, str.lower, str.swapcase, str.title])(value)


DISGUISES: dict[str, Callable[[str, random.Random], str]] = {
    "raw": lambda v, r: v,
    "case": lambda v, r: cased(v, r),
    "percent": lambda v, r: percent(v, 0.0, r),
    "form": lambda v, r: quote_plus(v),
    "percent twice": lambda v, r: quote(percent(v, 0.0, r), safe=""),
    "percent thrice": lambda v, r: quote(quote(quote(v, safe=""), safe=""), safe=""),
    "percent, any character": lambda v, r: percent(v, 0.4, r),
    "percent, every character": lambda v, r: percent(v, 1.0, r),
    "percent twice, any character": lambda v, r: quote(percent(v, 0.4, r), safe=""),
    "JSON": lambda v, r: json_escaped(v, 0.0, r),
    "JSON, any character": lambda v, r: json_escaped(v, 0.3, r),
    "JSON, every character": lambda v, r: json_escaped(v, 1.0, r),
    "JSON in JSON": lambda v, r: json.dumps(json_escaped(v, 0.3, r))[1:-1],
    "percent in JSON": lambda v, r: json_escaped(percent(v, 0.3, r), 0.3, r),
    "JSON in percent": lambda v, r: percent(json_escaped(v, 0.3, r), 0.2, r),
    "case and percent": lambda v, r: percent(cased(v, r), 0.3, r),
    "hex": lambda v, r: v.encode().hex(),
    "HEX": lambda v, r: v.encode().hex().upper(),
    "hex in percent": lambda v, r: percent(v.encode().hex(), 0.3, r),
}


#: A value that holds a backslash is found as encoders write it, and not in layers where single
#: characters have escapes of their own: what a backslash there belongs to cannot be told.
FOR_BACKSLASHES = [
    "raw", "case", "percent", "form", "percent twice", "percent thrice", "percent, any character",
    "percent, every character", "percent twice, any character", "JSON", "JSON, every character",
    "hex", "HEX", "hex in percent", "case and percent",
]  # fmt: skip


def disguises(value: str) -> list[str]:
    return FOR_BACKSLASHES if "\\" in value else list(DISGUISES)


class Piece:
    """A text with canaries in it: as it is given, and as it is to come back."""

    def __init__(self, rng: random.Random) -> None:
        self.given, self.expected = "", ""
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            self._innocent(rng)
            if rng.random() < 0.75:
                self._canary(rng)
                self._innocent(rng)

    def _innocent(self, rng: random.Random) -> None:
        # A word at each end: letters at hand would make another canary or another base64.
        text = f"|{rng.choice(INNOCENT)}|"
        self.given += text
        self.expected += text

    def _canary(self, rng: random.Random) -> None:
        value, kind = rng.choice(list(CANARIES.items()))
        mark = REDACTOR.mark(kind, value)
        if rng.random() < 0.15:
            before, inner, after = in_base64(value, rng)
            if rng.random() < 0.3:
                inner = percent(inner, 0.2, rng)
            self.given += before + inner + after
            self.expected += before + mark + after
            return
        self.given += DISGUISES[rng.choice(disguises(value))](value, rng)
        self.expected += mark


def nested(rng: random.Random, depth: int = 0) -> tuple[Any, Any]:
    """A body with canaries in values and names, and what is to become of it."""
    kind = rng.random()
    if depth > 3 or kind < 0.45:
        if rng.random() < 0.2:
            leaf: Any = rng.choice([None, True, 7, 2.5, 10**17, ""])
            return leaf, leaf
        piece = Piece(rng)
        return piece.given, piece.expected
    if kind < 0.7:
        items = [nested(rng, depth + 1) for _ in range(rng.randrange(4))]
        return [given for given, _ in items], [expected for _, expected in items]
    given_map, expected_map = {}, {}
    for n in range(rng.randrange(1, 4)):
        name = (f"field{n}", f"field{n}")
        if rng.random() < 0.15:
            piece = Piece(rng)
            name = (f"{n}{piece.given}", f"{n}{piece.expected}")
        given_map[name[0]], expected_map[name[1]] = nested(rng, depth + 1)
    return given_map, expected_map


def as_text(body: Any, ascii_only: bool) -> str:
    """JSON whose marks stand there as they are."""
    text = json.dumps(body, ensure_ascii=ascii_only)
    if ascii_only:
        text = re.sub(r"\\u2039([a-z_]+ [0-9a-f]{4})\\u203a", r"‹\1›", text)
    return text


def a_body(rng: random.Random) -> None:
    given, expected = nested(rng)
    assert REDACTOR.data(given) == expected


def a_body_as_text(rng: random.Random) -> None:
    given, expected = nested(rng)
    ascii_only = rng.random() < 0.5
    shown = REDACTOR.text(json.dumps(given, ensure_ascii=ascii_only))
    assert shown == as_text(expected, ascii_only)
    assert survivors(shown, CANARIES) == []


def headers(rng: random.Random) -> None:
    pieces = [(f"X-Note-{n}", Piece(rng)) for n in range(rng.randrange(1, 5))]
    shown = REDACTOR.pairs((name, piece.given) for name, piece in pieces)
    assert shown == tuple((name, piece.expected) for name, piece in pieces)


def a_url(rng: random.Random) -> None:
    """Every piece percent-encoded once more, as a URL has it."""
    pieces = [(f"p{n}", Piece(rng)) for n in range(rng.randrange(1, 4))]
    base = "https://api-sg.aliexpress.com/sync?"
    shown = REDACTOR.text(base + urlencode([(name, piece.given) for name, piece in pieces]))
    expected = base + urlencode([(name, piece.expected) for name, piece in pieces])
    expected = re.sub(r"%E2%80%B9([a-z_]+)\+([0-9a-f]{4})%E2%80%BA", r"‹\1 \2›", expected)
    assert shown == expected
    assert survivors(shown, CANARIES) == []


def free_text(rng: random.Random) -> None:
    piece = Piece(rng)
    shown = REDACTOR.text(piece.given)
    assert shown == piece.expected
    assert survivors(shown, CANARIES) == []
    assert REDACTOR.text(shown) == shown


KINDS = [a_body, a_body_as_text, headers, a_url, free_text]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_canary_survives_and_no_other_byte_changes(kind: Callable[[Any], None]) -> None:
    for n in range(CASES // len(KINDS)):
        rng = random.Random(f"{SEED} {kind.__name__} {n}")
        try:
            kind(rng)
        except AssertionError as error:
            raise AssertionError(f"case {n} of seed {SEED}: {error}") from None


@pytest.mark.parametrize(
    ("value", "disguise"), [(value, name) for value in CANARIES for name in disguises(value)]
)
def test_the_survivors_of_every_disguise_would_be_seen(value: str, disguise: str) -> None:
    rng = random.Random(1)
    text = DISGUISES[disguise](value, rng)
    assert survivors(f"x {text} y", CANARIES), text
    shown = REDACTOR.text(f"x {text} y")
    assert shown == f"x {REDACTOR.mark(CANARIES[value], value)} y"
