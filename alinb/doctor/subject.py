"""The request under examination, read as its author meant it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ..attempts import Attempt
from ..calls import spell
from ..errors import InputError
from ..redact import Secret
from ..signing import Interface, interface
from ..stages import Context


@dataclass(frozen=True, slots=True)
class Subject:
    """One request: what it sends, and which rule it falls under.

    `params` are those of URL and body, and those of a JSON body too: the gateway reads none of
    them there, but its author signed them.
    """

    attempt: Attempt
    params: Mapping[str, str]
    interface: Interface

    @classmethod
    def of(cls, attempt: Attempt) -> Subject:
        params = {**_in_json(attempt), **attempt.params}
        return cls(attempt, params, interface(attempt.url, params))

    @property
    def method(self) -> str:
        return self.attempt.method

    @property
    def url(self) -> str:
        return self.attempt.url

    @property
    def readings(self) -> tuple[Mapping[str, str], ...]:
        """What its author may have signed: everything, or only what is outside a JSON body."""
        outside = self.attempt.params
        if self.sign and outside.get(self.sign_parameter) and len(outside) < len(self.params):
            return self.params, outside
        return (self.params,)

    @property
    def sign(self) -> str:
        """The signature that was sent, "" where there is none."""
        return self.params.get(self.sign_parameter, "")

    @property
    def sign_parameter(self) -> str:
        return "_aop_signature" if self.interface.kind == "aop" else "sign"

    def context(self, secret: Secret) -> Context:
        return Context(
            secret,
            path=self.interface.path,
            app_key=self.params.get("app_key", ""),
            verb=self.method,
            url=self.url,
            body=self.attempt.body,
        )


def _in_json(attempt: Attempt) -> dict[str, str]:
    if attempt.wire.body_kind != "json":
        return {}
    try:
        data = json.loads(attempt.body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(data, dict):
        return {}
    found = {}
    for name, value in data.items():
        try:
            found[str(name)] = spell(value, str(name))
        except InputError:
            continue
    return found
