"""The catalogue: the methods that alinb knows, found by name, with their parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from functools import cache
from typing import Any

from . import render
from .errors import InputError
from .knowledge import load
from .session import needs_token

#: How alike a name must be to be offered in the place of one that is not there.
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a method.

    `type` is text, number, boolean, texts, object or objects (the last three travel as JSON text),
    or file. `members` is a JSON text with the members that are required, "" where none are known.
    `default` is what a form may start with: 1 for a page number. `largest` is the most that a page
    size may be, where that is known.
    """

    name: str
    required: bool
    type: str = "text"
    members: str = ""
    default: str = ""
    largest: int | None = None

    @property
    def is_json(self) -> bool:
        return self.type in ("object", "objects", "texts") or bool(self.members)

    def remark(self, text: str) -> str:
        """What is wrong with a value for it, "" where nothing is seen."""
        if not text:
            return "required, and missing" if self.required else ""
        if self.type == "number" and not _is_number(text):
            return "not a number"
        if self.type == "boolean" and text not in ("true", "false"):
            return "neither true nor false"
        if self.type in ("object", "objects") or self.members:
            return _json_remark(text, self.members)
        return ""


@dataclass(frozen=True, slots=True, repr=False)
class Method:
    """A method of the catalogue: its parameters, the required ones first, and its permission group.

    `token` says whether a user's token goes along, `platforms` where it is, when that is not
    AliExpress, `source` where all this is known from.
    """

    name: str
    group: str
    token: bool
    parameters: tuple[Parameter, ...]
    platforms: tuple[str, ...]
    source: str

    def __getitem__(self, name: str) -> Parameter:
        return next((p for p in self.parameters if p.name == name), Parameter(name, False))

    def remarks(self, values: Mapping[str, str]) -> dict[str, str]:
        """What is wrong with these values, by parameter; empty where nothing is seen."""
        found = {p.name: p.remark(values.get(p.name, "")) for p in self.parameters}
        return {name: remark for name, remark in found.items() if remark}

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [
            (p.name, "required" if p.required else "", p.type, p.members or p.default)
            for p in self.parameters
        ]

    def __repr__(self) -> str:
        needed = ", ".join(p.name for p in self.parameters if p.required)
        return f"<Method {self.name}({needed}{', …' if needed else '…'})>"

    def __str__(self) -> str:
        token = "a token goes along" if self.token else "no token"
        head = f"{self.name}: {self.group}, {token}. {self.source}."
        return f"{head}\n{render.text_table(_HEAD, self._rows)}" if self._rows else head

    def _repr_html_(self) -> str:
        token = "a user's token goes along" if self.token else "no token goes along"
        return render.html(self.name, render.paragraph(f"{self.group}; {token}. {self.source}."),
                           render.table(_HEAD, self._rows))  # fmt: skip


_HEAD = ("parameter", "", "type", "starts with")


class Methods(tuple[Method, ...]):
    """Methods that were found, best first."""

    __slots__ = ()

    @property
    def names(self) -> list[str]:
        return [found.name for found in self]

    @property
    def _rows(self) -> list[tuple[str, str, str]]:
        return [(m.name, m.group, " ".join(p.name for p in m.parameters if p.required))
                for m in self]  # fmt: skip

    def __repr__(self) -> str:
        return f"<Methods {len(self)}: {', '.join(self.names[:3])}{' …' * (len(self) > 3)}>"

    def __str__(self) -> str:
        return render.text_table(("method", "group", "required"), self._rows)

    def _repr_html_(self) -> str:
        count = f"{len(self)} method{'s' * (len(self) != 1)}"
        return render.html(count, render.table(("method", "group", "required"), self._rows))


def method(name: str) -> Method:
    """A method of the catalogue. Raises `InputError` with the nearest names where it is not there.

    >>> method("aliexpress.ds.product.get")["product_id"].type
    'number'
    """
    known = load("methods")["methods"]
    if name not in known:
        near = nearest(name)
        raise InputError(
            f"The catalogue has no {name!r}.",
            next_step=f"Near it: {', '.join(near)}." if near else "alinb.methods() lists all.",
            near=near,
        )
    return _read(name)


def methods(text: str = "") -> Methods:
    """The methods whose names hold all words of a text; without one, all that are known.

    >>> methods("ds product").names[:2]
    ['aliexpress.ds.product.get', 'aliexpress.ds.product.specialinfo.get']
    """
    words = text.lower().split()
    names = [n for n in load("methods")["methods"] if all(word in n.lower() for word in words)]
    return Methods(_read(name) for name in sorted(names))


def nearest(text: str, most: int = 5) -> list[str]:
    """The names most like a text that is none, whole or in their last parts; best first.

    >>> nearest("txet serach")[0]
    'aliexpress.ds.text.search'
    """
    wanted = ".".join(text.lower().replace("/", ".").strip(".").split())
    if not wanted:
        return []
    scored = [(_likeness(wanted, name), name) for name in load("methods")["methods"]]
    return [name for score, name in sorted(scored, key=lambda s: (-s[0], s[1]))
            if score >= _ALIKE][:most]  # fmt: skip


def _likeness(wanted: str, name: str) -> float:
    parts = name.lower().strip("/").replace("/", ".").split(".")
    tails = (".".join(parts[start:]) for start in range(len(parts)))
    return max(SequenceMatcher(None, wanted, tail).ratio() for tail in tails)


@cache
def _read(name: str) -> Method:
    known = load("methods")["methods"][name]
    paging = load("paging")["methods"].get(name, {})
    described: Mapping[str, str] = known.get("types", {})
    members: Mapping[str, list[str]] = known.get("members", {})

    def parameter(key: str, required: bool) -> Parameter:
        is_file = key in known.get("files", ())
        return Parameter(
            key,
            required,
            type="file" if is_file else described.get(key, "object" if key in members else "text"),
            members=json.dumps(_skeleton(key, members, described)) if key in members else "",
            default="1" if key == paging.get("page") else "",
            largest=paging.get("largest") if key == paging.get("size") else None,
        )

    return Method(
        name,
        known.get("group", ""),
        needs_token(name),
        (
            *(parameter(key, True) for key in known["required"]),
            *(parameter(key, False) for key in known.get("optional", ())),
        ),
        tuple(known.get("platforms", ())),
        known["source"],
    )


def _skeleton(
    path: str, members: Mapping[str, list[str]], described: Mapping[str, str]
) -> dict[str, Any]:
    """The required members of a JSON parameter, with empty values."""
    empty: Mapping[str, Any] = {"number": 0, "boolean": False, "texts": [], "objects": [{}]}
    made: dict[str, Any] = {}
    for member in members[path]:
        inner = f"{path}.{member}"
        kind = described.get(inner, "text")
        if inner in members:
            held = _skeleton(inner, members, described)
            made[member] = [held] if kind == "objects" else held
        else:
            made[member] = empty.get(kind, "")
    return made


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _json_remark(text: str, members: str) -> str:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return "not JSON"
    absent = _absent(json.loads(members), given) if members else []
    return f"lacks {', '.join(absent)}" if absent else ""


def _absent(wanted: Any, given: Any, path: str = "") -> list[str]:
    """The required members that are missing, as paths."""
    if isinstance(wanted, list) and wanted:
        items = given if isinstance(given, list) else [given]
        return [p for item in items for p in _absent(wanted[0], item, path)]
    if not isinstance(wanted, dict):
        return []
    found: list[str] = []
    for name, inner in wanted.items():
        if not isinstance(given, dict) or given.get(name) in (None, ""):
            found.append(f"{path}{name}")
        else:
            found += _absent(inner, given[name], f"{path}{name}.")
    return list(dict.fromkeys(found))
