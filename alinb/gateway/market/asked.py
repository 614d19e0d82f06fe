"""One business call as its method sees it, and how its parameters are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ...knowledge import load
from ..refusals import Refusal
from .money import Currency, currency

if TYPE_CHECKING:
    from .world import Market

_NO_FILES: Mapping[str, bytes] = MappingProxyType({})


class Asked(NamedTuple):
    """A business call that passed the gateway's checks.

    `user` is the account behind the token, "" without one; `now` is in epoch s; `faults` are those
    of `faults.PAGING` that strike this call; `count` numbers the calls, so that a moving total
    moves; `files` are the file parts.
    """

    market: Market
    params: Mapping[str, str]
    user: str = ""
    now: float = 0.0
    faults: frozenset[str] = frozenset()
    count: int = 0  # type: ignore[assignment]  # the word hides a method of tuple
    files: Mapping[str, bytes] = _NO_FILES

    def text(self, name: str, otherwise: str = "") -> str:
        return self.params.get(name) or otherwise

    def number(self, name: str, otherwise: int) -> int:
        return number(self.params.get(name, ""), otherwise)

    def country(self, name: str, otherwise: str = "US") -> str:
        return self.text(name, otherwise).strip().upper()

    def money(self, name: str = "target_currency") -> Currency:
        return currency(self.text(name, "USD"))


def number(text: str, otherwise: int) -> int:
    """A whole number of a parameter; a negative, huge or unreadable one counts as absent."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else otherwise


def words(text: str) -> list[str]:
    """The parts of a list with commas between."""
    return [part.strip() for part in text.split(",") if part.strip()]


def texts(asked: Asked, name: str) -> list[str]:
    """A list of texts: JSON, or the texts with commas between."""
    text = asked.text(name).strip()
    if not text.startswith(("[", "{")):
        return words(text)
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        unmapped(name)
    if not isinstance(read, list) or not all(isinstance(each, str) for each in read):
        unmapped(name)
    return [each for each in read if each.isprintable()]


def unmapped(what: str) -> NoReturn:
    """Refuse a value that does not fit its parameter's type."""
    raise Refusal("UnsupportedParamMapping", text=f"{what} does not map to the parameter's type")


def document(asked: Asked, method: str, name: str) -> dict[str, Any]:
    """A JSON parameter, its required members checked; {} where it is absent.

    Raises `Refusal`: `UnsupportedParamMapping` where it is no JSON object or a member has the
    wrong type, `MissingParameter` where a required member is absent or null.
    """
    text = asked.params.get(name, "")
    if not text:
        return {}
    try:
        read = json.loads(text, parse_constant=unmapped)
        # A lone surrogate cannot be sent back.
        json.dumps(read, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        unmapped(name)
    if not isinstance(read, dict):
        unmapped(name)
    members: Mapping[str, list[str]] = load("methods")["methods"][method].get("members", {})
    for path, wanted in members.items():
        parent, *inside = path.split(".")
        if parent == name:
            _check(read, inside, wanted, path)
    return read


def _check(value: Any, inside: list[str], wanted: list[str], path: str) -> None:
    if isinstance(value, list) and value:
        for item in value:
            _check(item, inside, wanted, path)
        return
    if not isinstance(value, dict):
        unmapped(path)
    if inside:
        _check(value.get(inside[0]), inside[1:], wanted, path)
        return
    for member in wanted:
        if value.get(member) is None:
            raise Refusal("MissingParameter", member)


def member(read: Mapping[str, Any], name: str, otherwise: str = "") -> str:
    """A member of a JSON parameter as text; refuses a list, an object or a fraction."""
    value = read.get(name)
    if value is None:
        return otherwise
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int)):
        unmapped(name)
    return str(value)


def whole(read: Mapping[str, Any], name: str) -> int:
    """A member that is a whole number, as one or as its text."""
    found = number(member(read, name).strip(), -1)
    if found < 0:
        unmapped(name)
    return found


def inner(read: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object inside a JSON parameter, {} where it is absent."""
    value = read.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        unmapped(name)
    return value


@cache
def pacific() -> tzinfo:
    """The zone of order times."""
    try:
        return ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        # A slim system has no zone data; an hour off in summer is better than no answer.
        return timezone(timedelta(hours=-8))


def clamped(moment: float) -> float:
    """A moment that can be written as a date, epoch s."""
    return min(max(moment, 0.0), 4e9)


def pacific_text(moment: float) -> str:
    return datetime.fromtimestamp(clamped(moment), pacific()).strftime("%Y-%m-%d %H:%M:%S")


def pacific_moment(text: str) -> float | None:
    """The epoch s of a Pacific `yyyy-MM-dd HH:mm:ss` or a date alone, None for another text."""
    try:
        read = datetime.fromisoformat(text.strip())
        return read.replace(tzinfo=pacific()).timestamp()
    except (ValueError, OverflowError):
        return None
