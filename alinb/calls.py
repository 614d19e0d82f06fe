"""A call: an API name and its parameters, not yet signed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from numbers import Number
from typing import Any
from uuid import UUID

from .errors import InputError
from .quiet import Copied
from .redact import REQUEST_KINDS, Secret

#: A dotted name, or a path; `{…}` stands for a part of the path that is filled in.
_NAME = re.compile(r"/?[\w{}-]+(?:[./][\w{}-]+)*/?")


@dataclass(frozen=True, slots=True, repr=False)
class Call(Copied):
    """An unsigned request.

    A name with a `/` is a path call, signed with the path in front; a dotted name is a business
    call. `files` are (file name, content) by parameter name and are never signed (AliExpress
    openservice document 1385). Build one with `Call.of`, which spells values the way the gateway
    wants them signed.
    """

    name: str
    params: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        name: str,
        params: Mapping[str, Any] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Call:
        """A call with its values as text: `true`/`false`, compact JSON, no None, no empty text.

        Empty values are left out because the SDKs disagree on signing them. `bytes` values become
        file parts. Raises `InputError` for a value without a text form, or a name that is none.
        """
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{name!r} is not an API name.",
                next_step="Give one like /auth/token/create or aliexpress.ds.product.get.",
            )
        texts: dict[str, str] = {}
        parts = dict(files or {})
        for key, value in (params or {}).items():
            if isinstance(value, bytes):
                parts[key] = (key, value)
            elif (text := spell(value, key)) != "":
                texts[key] = text
        return cls(name, texts, parts)

    def __repr__(self) -> str:
        shown = {
            name: f"‹{REQUEST_KINDS[name.lower()]}›" if name.lower() in REQUEST_KINDS else value
            for name, value in self.params.items()
        }
        return f"Call({self.name!r}, {shown})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        for name in self.params:
            if kind := REQUEST_KINDS.get(name.lower()):
                raise TypeError(f"a call with a {kind} is not pickled; add it where it is sent")
        return object.__reduce_ex__(self, protocol)

    @property
    def is_path(self) -> bool:
        return "/" in self.name


def spell(value: Any, name: str = "value") -> str:
    """A value as the text that is both signed and sent.

    Complex values are compact JSON in one form value (AliExpress SDK demos).

    >>> spell(True), spell({"a": [1, "é"]}), spell(None)
    ('true', '{"a":[1,"é"]}', '')
    """
    match value:
        case None:
            return ""
        case Secret():
            return value.reveal()
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S")
        case Mapping() | list() | tuple():
            # What the gateway reads and what was signed are this very text.
            try:
                return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            except (TypeError, ValueError) as error:
                raise InputError(
                    f"Parameter {name!r} cannot be written as JSON: {error}.",
                    next_step="Use text, numbers, booleans, lists and dictionaries.",
                ) from None
        case bytes():
            raise InputError(
                f"Parameter {name!r} is bytes.", next_step="Pass it as a file, or decode it."
            )
        case Number() | date() | UUID() if value == value:  # NaN is not equal to itself
            return str(value)
        case _ if hasattr(value, "item"):  # a scalar of NumPy or pandas
            return spell(value.item(), name)
        case _:
            raise InputError(
                f"Parameter {name!r} is a {type(value).__name__}, which has no text form.",
                next_step="Use text, numbers, booleans, dates, lists and dictionaries.",
            )
