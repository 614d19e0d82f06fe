"""The spellings a value can have in a text, and texts with their escapes undone."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

#: A shorter value would also hide innocent text, so it is hidden by its field's name alone.
SHORTEST = 4

#: Letters that are equal to ASCII ones for a pattern that ignores case, and not for `lower`.
ODD = re.compile("[ſKİı]")
#: The most layers of escapes that are undone, such as JSON in a URL in JSON.
LAYERS = 6

_ESCAPE = re.compile(
    r"""%([0-9a-f]{2})|\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})"""
    r"""|\\u([0-9a-f]{4})|\\([/"'\\bfnrt])""",
    re.IGNORECASE,
)
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def encodings(value: str) -> set[str]:
    """The value raw, in hex, and as base64 has it at each of three offsets in a longer text."""
    raw = value.encode("utf-8", "surrogatepass")
    found = {value, raw.hex()}
    for lead in range(3):
        # The characters that mix with its neighbors are cut off.
        encoded = base64.b64encode(b"\0" * lead + raw).decode().rstrip("=")
        inner = encoded[(0, 2, 3)[lead] : len(encoded) - (1 if (lead + len(raw)) % 3 else 0)]
        if len(inner) >= 2 * SHORTEST:
            found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return found


def spellings(value: str) -> set[str]:
    """Those, and the value as programs usually escape it in URLs, forms and JSON."""
    raw = value.encode("utf-8", "surrogatepass")
    once = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    # encodeURIComponent, and URLSearchParams like other form encoders, spare other characters.
    once |= {quote(raw, safe="!'()*"), quote_plus(raw, safe="*").replace("~", "%7E")}
    found = encodings(value) | once | {quote(text, safe="") for text in once}
    for code in encodings(value) - {value}:  # base64 has three marks that are escaped, too
        found |= {quote(code, safe=""), quote(quote(code, safe=""), safe="")}
        found.add(code.replace("/", "\\/"))
    for ascii_only in (True, False):
        escaped = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        found |= {escaped, json.dumps(escaped, ensure_ascii=ascii_only)[1:-1]}
        found.add(escaped.replace("/", "\\/"))
    return {spelling for spelling in found if len(spelling) >= SHORTEST}


def escapes_of(values: Iterable[str]) -> re.Pattern[str]:
    """What an escaped character of one of the values looks like: without one none is disguised."""
    units, octets = set[int](), set[int]()
    for value in values:
        letters = {char for code in encodings(value) for char in code if char.isalnum()}
        for char in {*value, *value.upper(), *value.lower(), *letters}:
            units |= {int.from_bytes(pair) for pair in _pairs(char)}
            octets |= set(char.encode("utf-8", "surrogatepass"))
    wide = "|".join(f"{unit:04x}" for unit in sorted(units))
    narrow = "|".join(f"{octet:02x}" for octet in sorted(octets))
    # 25 and 5c are escapes of escapes: what they stand before is seen in the next layer.
    marked = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
    marked |= {mark: re.escape(mark) for mark in "/\"'\\"}
    plain = "".join(sorted({marked[c] for value in values for c in value if c in marked}))
    marks = f"|[{plain}]" if plain else ""
    # One set of characters in front lets the search leap from one to the next.
    return re.compile(
        rf"[%\\](?:(?<=%)(?:25)*(?:{narrow}|25|5c)|(?<=\\)\\*(?:u(?:{wide}|0025|005c){marks}))",
        re.IGNORECASE,
    )


def needles(values: Iterable[str]) -> str:
    """A pattern of the values, in their encodings, for what `unescaped` gives."""
    found = {code for value in values for code in encodings(value) if len(code) >= SHORTEST}
    longest_first = sorted(found, key=len, reverse=True)
    known = "|".join(re.escape(code).replace("\\ ", "[ +]") for code in longest_first)
    # The escape of a digit ends in that digit, so that a value may seem to begin within one.
    return rf"(?:(?:%|\\u00)3(?=[0-9]))?(?:{known})"


def unescaped(text: str, values: Iterable[str]) -> Iterator[tuple[str, list[int]]]:
    """The text with one layer of escapes after the other undone, as far as the values need it.

    The list says where in the text each character begins; one more entry is the text's end.
    """
    # A value with `\\r` in it must not lose that to the escape of a line end no value has.
    controls = any(char in value for value in values for char in _CONTROL.values())
    octets, starts = _wide(text)
    for _ in range(LAYERS):
        undone, where = _undone(octets, starts, controls)
        if len(undone) == len(octets):
            return
        octets, starts = undone, where
        yield _characters(octets, starts)


def _wide(text: str) -> tuple[str, list[int]]:
    if text.isascii():
        return text, list(range(len(text) + 1))
    octets = text.encode("utf-8", "surrogatepass").decode("latin-1")
    starts, at = [], -1
    for octet in octets:
        at += not 0x80 <= ord(octet) < 0xC0
        starts.append(at)
    return octets, [*starts, len(text)]


def _characters(octets: str, starts: list[int]) -> tuple[str, list[int]]:
    """Octets that escapes gave read as UTF-8, each that is none of it a character of its own."""
    if octets.isascii():
        return octets, starts
    text = octets.encode("latin-1").decode("utf-8", "surrogateescape")
    where, at = [], 0
    for char in text:
        where.append(starts[at])
        at += 1 if char < "\x80" or "\ud800" <= char < "\ue000" else len(char.encode())
    return text, [*where, starts[-1]]


def _undone(octets: str, starts: list[int], controls: bool) -> tuple[str, list[int]]:
    parts, where, end = [], [], 0
    for found in _ESCAPE.finditer(octets):
        made = _meant(found)
        if made in _CONTROL.values() and found[0][0] == "\\" and not controls:
            continue
        parts += [octets[end : found.start()], made]
        where += starts[end : found.start()]
        where += [starts[found.start()]] * len(made)
        end = found.end()
    parts.append(octets[end:])
    where += starts[end:]
    return "".join(parts), where


def _meant(found: re.Match[str]) -> str:
    octet, high, low, unit, mark = found.groups()
    if octet:
        return chr(int(octet, 16))
    if mark:
        return _CONTROL.get(mark.lower(), mark)
    units = bytes.fromhex(high + low if high else unit)
    text = units.decode("utf-16-be", "surrogatepass")
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _pairs(value: str) -> Iterator[bytes]:
    wide = value.encode("utf-16-be", "surrogatepass")
    return (wide[at : at + 2] for at in range(0, len(wide), 2))
