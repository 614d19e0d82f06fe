"""How values and names are spelled and ordered by those who spell and order them otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import quote

from ..stages import Params


class Spelling(NamedTuple):
    """A mistaken spelling of values: its id, the slot of its turn, and what it makes of a text."""

    id: str
    slot: str
    spell: Callable[[str], str]
    detail: str = ""

    def changes(self, params: Params) -> Mapping[str, str]:
        """The new spelling of each value that has one."""
        spelled = {name: self.spell(value) for name, value in params.items()}
        return {name: text for name, text in spelled.items() if text != params[name]}


def distinct(
    spellings: Sequence[Spelling], params: Params
) -> Iterator[tuple[Spelling, Mapping[str, str]]]:
    """The spellings that differ on these values, each with the values that it changes.

    Of several under one id that come to the same, the first stands for all.
    """
    seen: list[tuple[str, Mapping[str, str]]] = []
    for spelling in spellings:
        changed = spelling.changes(params)
        if changed and (spelling.id, changed) not in seen:
            seen.append((spelling.id, changed))
            yield spelling, changed


_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


@lru_cache(maxsize=1024)
def _utf8_encoded(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def _percent_encoder(safe: str, blank: str = "%20", tilde: str = "~") -> Callable[[str], str]:
    """`quote` with these characters left alone; quick, for a search spells many texts."""
    table = {code: quote(chr(code), safe=safe) for code in range(128)}
    table |= {ord(" "): blank, ord("~"): tilde}

    def encode(text: str) -> str:
        encoded = text.translate(table)
        if encoded.isascii():
            return encoded
        return _NOT_ASCII.sub(lambda run: _utf8_encoded(run[0]), encoded)

    return encode


#: `encodeURIComponent` leaves !'()* alone, `rawurlencode` does not, Python's `quote` leaves /.
component = _percent_encoder("!'()*")
raw = _percent_encoder("")
slash_kept = _percent_encoder("/")
form = _percent_encoder("", "+")
_form_of_java = _percent_encoder("*", "+", "%7E")
_form_of_php = _percent_encoder("", "+", "%7E")


def _twice(text: str) -> str:
    return component(component(text))


def _raw_twice(text: str) -> str:
    return raw(raw(text))


def _python_bool(text: str) -> str:
    return text.capitalize() if text in ("true", "false") else text


def _parsed(text: str) -> Any:
    """The object or list in a JSON text; None where it is neither."""
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _spaced(ascii_only: bool, text: str) -> str:
    value = _parsed(text)
    return text if value is None else json.dumps(value, ensure_ascii=ascii_only)


def _to_string(text: str) -> str:
    """What JavaScript makes of the value when it is joined to a text."""
    value = _parsed(text)
    return text if value is None else _js_text(value)


def _js_text(value: Any) -> str:
    match value:
        case dict():
            return "[object Object]"
        case list():
            return ",".join(_js_text(item) for item in value)
        case bool():
            return str(value).lower()
        case None:
            return ""
        case float() if value.is_integer() and abs(value) < 1e21:
            return str(int(value))
        case _:
            return str(value)


def _any_object(text: str) -> str:
    return text if _parsed(text) is None else "[object Object]"


SPELLINGS: Sequence[Spelling] = (
    Spelling("values_urlencoded", "percent", component),
    Spelling("values_urlencoded", "percent", raw, "rawurlencode"),
    Spelling("values_urlencoded", "percent", slash_kept, "quote"),
    Spelling("values_urlencoded_plus", "percent", form),
    Spelling("values_urlencoded_plus", "percent", _form_of_java, "URLSearchParams"),
    Spelling("values_urlencoded_plus", "percent", _form_of_php, "urlencode"),
    Spelling("values_double_encoded", "percent", _twice),
    Spelling("values_double_encoded", "percent", _raw_twice, "rawurlencode"),
    Spelling("python_bool", "boolean", _python_bool),
    Spelling("json_spaced", "json", partial(_spaced, True)),
    Spelling("json_spaced", "json", partial(_spaced, False), "not escaped"),
    Spelling("object_tostring", "json", _to_string),
    Spelling("object_tostring", "json", _any_object, "lists too"),
)


def by_concatenation(names: Sequence[str], params: Params) -> list[str]:
    return sorted(names, key=lambda name: name + params[name])


def by_value(names: Sequence[str], params: Params) -> list[str]:
    return sorted(names, key=lambda name: params[name])


#: The order of the marks that names hold, in the root collation.
_MARKS = {mark: chr(i) for i, mark in enumerate(" _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$")}


def collation(name: str) -> tuple[list[tuple[int, str]], str]:
    """Unicode's root collation of names: marks, digits, letters; then small letters first."""
    primary = [(0 if not c.isalnum() else 1 if c.isdigit() else 2, _MARKS.get(c, c.lower()))
               for c in name]  # fmt: skip
    return primary, name.swapcase()
