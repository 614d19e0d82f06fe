"""The plain twin of the explorer: a method, its values, the signed request, and what came back."""

from __future__ import annotations

import keyword
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import intake, render, replies
from ..app import App
from ..attempts import Attempt
from ..calls import Call, spell
from ..catalogue import Method, Parameter, method
from ..client import Client
from ..errors import InputError, MissingSecret, TokenStoreError
from ..intake.curl import Part, multipart_body
from ..knowledge import load
from ..redact import Redactor, Secret
from ..replies import Reply
from ..signing import Signed
from ..tokens import Token
from .answers import table_html, tables_of
from .typed import kind_of

FIRST = "aliexpress.ds.text.search"


class Exploration:
    """A call as it is tried out, as `explore` gives it: see `signed()`, `send()`, `tables`, `code`.

    `values` are the parameters as text (of a file its path), `reply` the last answer. Nothing that
    shows it holds a secret, a token or a code.
    """

    def __init__(self, client: Client | None, name: str = FIRST) -> None:
        self.client = client
        self.name, self.verb = "", "POST"
        self.values: dict[str, str] = {}
        self.reply: Reply | None = None
        #: The reply with every secret in it replaced.
        self.shown: Reply | None = None
        self.choose(name)

    # ---- what is asked

    def choose(self, name: str) -> None:
        """Another method; values of parameters that it has too stay.

        A name that the catalogue has not is called as it is. Raises `InputError` where it is none.
        """
        Call.of(name)
        self.name, self.reply, self.shown = name, None, None
        starts = {p.name: p.default for p in self.parameters if p.default}
        kept = {p.name: self.values[p.name] for p in self.parameters if p.name in self.values}
        self.values = starts | kept

    @property
    def method(self) -> Method | None:
        """What the catalogue says of it; None where it has no such name."""
        return method(self.name) if self.name in load("methods")["methods"] else None

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.method.parameters if self.method else ()

    def set(self, name: str, value: Any) -> None:
        """Set a parameter, or leave it out by an empty value. Raises `InputError` for bytes."""
        text = spell(value, name)
        if text:
            self.values[name] = text
        else:
            self.values.pop(name, None)

    def remarks(self) -> dict[str, str]:
        """What is wrong with the values, by parameter, as far as the catalogue can tell."""
        return self.method.remarks(self.values) if self.method else {}

    def call(self, *, contents: bool = True) -> Call:
        """The unsigned call; without `contents` files stay empty, which changes no signature."""
        params: dict[str, Any] = dict(self.values)
        for parameter in self.parameters:
            if parameter.type == "file" and parameter.name in params:
                path = Path(params[parameter.name]).expanduser()
                params[parameter.name] = _content(path) if contents else b""
        return Call.of(self.name, params)

    def signed(self) -> Signed:
        """The call signed now, with the token that is held where it takes one."""
        return self._client().signed(self.call(contents=False), {}, verb=self.verb)

    def attempt(self) -> Attempt:
        """The request as an attempt that is not sent, every secret in it replaced."""
        signed = self.signed()
        headers = [("Accept", "application/json")]
        body = signed.body
        if signed.call.files:
            parts = [Part(name, value) for name, value in signed.form.items()]
            names = {name: Path(self.values[name]).name for name in signed.call.files}
            parts += [Part(name, names[name], True) for name in names]
            body = multipart_body(parts, headers)
        elif signed.method != "GET":
            headers.append(("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"))
        made = Attempt(
            signed.method, signed.url, tuple(headers), body, signed.shown_string,
            name=self.name, platform=signed.app.platform.name, source="explorer",
        )  # fmt: skip
        return made.redacted(self._redactor())

    # ---- what came back

    def send(self) -> Reply:
        """Send it, signed anew; the attempt is kept. A refusal is a reply like any other.

        Raises `NoReply` where no whole answer comes, `InputError` for a file that cannot be read.
        """
        self.reply = self.shown = None
        try:
            self.reply = self._client().call(self.call(), verb=self.verb)
        finally:
            # A code works once, and a refresh token mostly: neither is sent twice by mistake.
            for name in [n for n in self.values if kind_of(n)]:
                del self.values[name]
        self.shown = self._hidden(self.reply)
        return self.reply

    def _hidden(self, reply: Reply) -> Reply:
        redactor = self._redactor()
        redactor.learn_request(reply.params.items())
        redactor.learn_reply(reply.data)
        params = dict(redactor.pairs(reply.params.items()))
        again = replies.read(reply.status, redactor.text(reply.text), reply.name, params)
        return replace(again, attempt_id=reply.attempt_id)

    @property
    def tables(self) -> dict[str, Any]:
        """The reply's records as DataFrames by name; {} where there are none."""
        return tables_of(self.shown) if self.shown is not None else {}

    # ---- the same elsewhere

    def code(self) -> str:
        """The same in plain Python; secrets are asked for."""
        given = [(name, self._spelled(name, value)) for name, value in self.values.items()]
        plain = [(n, v) for n, v in given if _is_argument(n)]
        other = [(n, v) for n, v in given if not _is_argument(n)]
        arguments = [repr(self.name), *(f"{n}={v}" for n, v in plain)]
        if other:
            arguments.append("**{" + ", ".join(f"{n!r}: {v}" for n, v in other) + "}")
        if self.verb != "POST":
            arguments.append(f"verb={self.verb!r}")
        call = f"reply = client.call({', '.join(arguments)})"
        if len(call) > 88:
            call = "reply = client.call(\n    " + ",\n    ".join(arguments) + ",\n)"
        lines = ["import alinb"]
        lines += ["from getpass import getpass"] if "getpass(" in call else []
        lines += ["from pathlib import Path"] if "Path(" in call else []
        lines += ["", "client = alinb.Client(alinb.App.from_env())"]
        if self.method and self.method.token:
            lines.append('client.exchange(input("callback: "))  # or a store that holds a token')
        return "\n".join([*lines, call, "reply.frame()"])

    def curl(self) -> str:
        """The signed request as a curl command; put what they stand for in the place of marks."""
        return intake.to_curl(self.attempt())

    def _spelled(self, name: str, value: str) -> str:
        if kind_of(name, value):
            return f'getpass("{name}: ")'
        is_file = self.method is not None and self.method[name].type == "file"
        return f"Path({value!r}).read_bytes()" if is_file else repr(value)

    # ---- what nobody is to see

    def secrets(self) -> list[Secret]:
        held = [Secret(v, kind) for n, v in self.values.items() if (kind := kind_of(n, v))]
        if self.client is not None:
            held.append(self.client.app.secret)
            token = self.token
            held += [s for s in (token.access_token, token.refresh_token) if s] if token else []
        return held

    @property
    def token(self) -> Token | None:
        """The token that goes along where the method takes one; None where none can be read."""
        try:
            return self.client.token if self.client else None
        except TokenStoreError:
            return None

    def _redactor(self) -> Redactor:
        redactor = Redactor(os.urandom(16))
        for secret in self.secrets():
            redactor.learn(secret.kind, secret)
        return redactor

    def _client(self) -> Client:
        if self.client is None:
            raise InputError(
                "There is no app to sign with.",
                next_step="Set ALINB_APP_KEY and ALINB_APP_SECRET, or give an app or a client.",
            )
        return self.client

    # ---- how it is shown

    @property
    def outcome(self) -> str:
        """One line: what became of the call."""
        reply = self.shown
        if reply is None:
            return "Not sent yet."
        kept = f", attempt {reply.attempt_id}" if reply.attempt_id else ""
        words = ": ".join(filter(None, (reply.decisive_code, reply.decisive_message)))
        said = "" if reply.ok else f" {words or reply.reason}"
        return f"{reply.verdict}{said} (HTTP {reply.status}{kept})"

    def as_dict(self) -> dict[str, Any]:
        """What is asked and what came back, as JSON."""
        attempt = self.attempt() if self.client else None
        return {
            "name": self.name,
            "verb": self.verb,
            "params": dict(self._redactor().pairs(self.values.items())),
            "remarks": self.remarks(),
            "request": None if attempt is None else {"url": attempt.url, "body": attempt.body},
            "reply": self.shown.as_dict() if self.shown else None,
            "tables": {name: list(table.shape) for name, table in self.tables.items()},
        }

    def __repr__(self) -> str:
        verdict = self.reply.verdict if self.reply else "not sent"
        return f"<Exploration {self.name}: {verdict}>"

    def _rows(self) -> list[tuple[str, str, str]]:
        shown, remarks = dict(self._redactor().pairs(self.values.items())), self.remarks()
        names = dict.fromkeys([*(p.name for p in self.parameters if p.required), *shown, *remarks])
        return [(name, shown.get(name, ""), remarks.get(name, "")) for name in names]

    def __str__(self) -> str:
        lines = [f"{self.verb} {self.name}: {self.outcome}"]
        lines.append(render.text_table(("parameter", "value", ""), self._rows()))
        for name, table in self.tables.items():
            shown = table.head(10).to_string(max_colwidth=32, max_cols=8)
            lines += ["", f"{name}: {len(table)} rows, {len(table.columns)} columns", shown]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = [render.paragraph(self.outcome),
                 render.table(("parameter", "value", ""), self._rows())]  # fmt: skip
        for name, table in self.tables.items():
            parts += [render.paragraph(name), table_html(table)]
        return render.html(f"{self.verb} {self.name}", *parts)


def explore(
    name: str = FIRST,
    client: Client | App | Any = None,
    params: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
    **more: Any,
) -> Exploration:
    """A call to be looked at before it is sent: the plain twin of `ApiExplorer`.

    `client` is a `Client`, an `App` or a sandbox; without it the environment's app. Parameters go
    in `params`, or by name where Python takes it. Raises `InputError` for a name that is none.

        call = alinb.explore("aliexpress.ds.text.search", client, keyWord="lamp", local="en_US")
        call.remarks()          # {'countryCode': 'required, and missing', …}
        call.send()
    """
    made = Exploration(client_of(client), name)
    for key, value in {**dict(params), **more}.items():
        made.set(key, value)
    return made


def client_of(given: Any) -> Client | None:
    """A client as given, or for an app or a sandbox; the environment's, None where it has none."""
    if isinstance(given, Client):
        return given
    try:
        return Client(given)
    except MissingSecret:
        return None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}.",
            next_step="Give the path of a file on the machine where Python runs.",
        ) from None


def _is_argument(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and name not in ("verb", "self")
