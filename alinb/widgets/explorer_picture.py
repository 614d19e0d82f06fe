"""How the explorer looks: escaped HTML from the exploration's present state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..attempts import Attempt
from ..catalogue import Method, Parameter, methods, nearest
from ..errors import AlinbError
from ..intake import to_curl
from ..render import Markup, join, tag
from ..replies import Reply
from .answers import scrolled, tables_html, tables_of, tree
from .elements import button, choice, code_block, copy_button, field, form, part, secret_field
from .exploring import Exploration
from .typed import kind_of

if TYPE_CHECKING:
    from .explorer import ApiExplorer

_TYPES = {
    "number": "number", "boolean": "true or false", "texts": "JSON list of texts",
    "object": "JSON object", "objects": "JSON list", "file": "path of a file", "text": "text",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """The explorer as HTML."""

    panel: ApiExplorer

    @property
    def call(self) -> Exploration:
        return self.panel.exploration

    @property
    def found(self) -> list[str]:
        """The names that hold what is looked for."""
        return methods(self.panel.search).names

    def body(self) -> Markup:
        attempt, trouble = self._attempt()
        return join(
            self._methods(),
            self._form(),
            self._request(attempt, trouble),
            self._trouble(),
            self.panel.answer() or None,
            code_block(self.call.code()),
            self._curl(attempt),
        )

    # ---- 1. the method

    def _methods(self) -> Markup:
        found, name = self.found, self.call.name
        options = [(n, n) for n in (found if name in found else [name, *found])]
        count = f"{len(found)} of {len(methods())} methods" if self.panel.search else "Method"
        near = [] if found else nearest(self.panel.search)
        return join(
            part("1. The method"),
            tag(
                "div",
                form(
                    "take",
                    field("Search the names", "search", self.panel.search, type="search",
                          data_act="search", data_fresh=str(self.panel.fresh)),
                    button("Take the first"),
                ),
                choice(count, options, name, act="choose", data_key="methods"),
                class_="row",
            ),
            tag("div", "Nothing has that in its name. Near it:" if near else
                "Nothing is like it; a full name can be called as it is, with Enter.",
                [button(n, "choose", n) for n in near], class_="row note", data_key="near")
            if not found else None,
            tag("p", self._about(self.call.method)),
        )  # fmt: skip

    def _about(self, known: Method | None) -> str:
        if known is None:
            return "The catalogue does not have this method: give its parameters as lines below."
        token = "a user's token goes along" if known.token else "no token goes along"
        where = f", on {', '.join(known.platforms)}" if known.platforms else ""
        return f"Permission group {known.group}{where}; {token}. Source: {known.source}."

    # ---- 2. its parameters

    def _form(self) -> Markup:
        needed = [p for p in self.call.parameters if p.required]
        others = [p for p in self.call.parameters if not p.required]
        return join(
            part("2. Its parameters"),
            form(
                "send",
                tag("div", [self._field(p) for p in needed], class_="fields") if needed
                else tag("p", "None is required."),
                tag(
                    "details",
                    tag("summary", f"Optional: {len(others)}"),
                    tag("div", [self._field(p) for p in others], class_="fields"),
                    open=len(others) <= 10,
                    data_key=f"optional-{self.call.name}",
                ) if others else None,
                self._other(),
                tag("div", self._verb(), self._send(), self._token(), class_="row"),
                class_="call",
                data_key=f"form-{self.call.name}-{self.panel.fresh}",
            ),
        )  # fmt: skip

    def _field(self, parameter: Parameter) -> Markup:
        name = parameter.name
        kind = f" {'required, ' * parameter.required}{_TYPES[parameter.type]}"
        label = tag("span", tag("strong", name), tag("small", kind))
        value = self.call.values.get(name, "")
        value = "" if kind_of(name, value) else value
        more: dict[str, Any] = {
            "data_act": "edit",
            "data_arg": name,
            "data_key": f"field-{name}",
            "aria_required": "true" if parameter.required else None,
        }
        if kind_of(name):
            return secret_field(label, f"p.{name}", **more)
        if parameter.type == "boolean":
            options = [("", "left out"), ("true", "true"), ("false", "false")]
            return choice(label, options, value, name=f"p.{name}", act="edit", arg=name)
        if parameter.is_json:
            more["placeholder"] = parameter.members or None
            area = tag("textarea", value, name=f"p.{name}", rows="3", **more)
            return tag("label", label, area, class_="wide")
        if parameter.largest:
            more["placeholder"] = f"at most {parameter.largest}"
        if parameter.type == "number":
            more["inputmode"] = "decimal"
        return field(label, f"p.{name}", value, **more)

    def _other(self) -> Markup:
        known = {p.name for p in self.call.parameters}
        lines = "\n".join(
            f"{n}={v}" for n, v in self.call.values.items()
            if n not in known and not kind_of(n, v)
        )  # fmt: skip
        area = tag("textarea", lines, name="other", rows="3", data_act="other", data_secret=True,
                   placeholder="name=value")  # fmt: skip
        return tag(
            "details",
            tag("summary", "Other parameters"),
            tag("label", "One a line, as name=value", area, class_="wide"),
            open=self.call.method is None,
            data_key="other",
        )

    def _verb(self) -> Markup:
        verbs = [("POST", "POST"), ("GET", "GET")]
        return choice("Verb", verbs, self.call.verb, act="verb")

    def _send(self) -> Markup:
        return button("Send", primary=True, disabled=self.call.client is None)

    def _token(self) -> Markup | None:
        known = self.call.method
        if self.call.client is None or (known is not None and not known.token):
            return None
        if self.call.token is not None:
            return tag("span", "A token is held, and goes along.")
        take = button("Take a token from the sandbox", "sandbox_token")
        return join(
            tag("span", "No token is held; most methods need one."),
            take if self.panel.in_sandbox else None,
        )

    # ---- 3. the request

    def _attempt(self) -> tuple[Attempt | None, str]:
        """The signed request, and why there is none."""
        if self.call.client is None:
            return None, ""
        try:
            return self.call.attempt(), ""
        except AlinbError as error:
            return None, str(error)

    def _request(self, attempt: Attempt | None, trouble: str) -> Markup:
        remarks = [tag("li", tag("code", name), f" is {text}") if not text.startswith("lacks")
                   else tag("li", tag("code", name), f" {text}")
                   for name, text in self.call.remarks().items()]  # fmt: skip
        return join(
            part("3. The signed request"),
            tag("div", "Seen before it is sent:", tag("ul", remarks), class_="note",
                data_key="remarks") if remarks else None,
            tag("p", f"✗ {trouble}", class_="bad") if trouble else None,
            self._signed(attempt) if attempt is not None else None,
        )  # fmt: skip

    def _signed(self, attempt: Attempt) -> Markup:
        wire = attempt.wire
        rows = [("query", *pair) for pair in wire.query] + [("form", *pair) for pair in wire.form]
        rows += [("file, unsigned", name, self.call.values.get(name, "")) for name in wire.files]
        head = tag(
            "tr", [tag("th", text, scope="col") for text in ("goes in the", "name", "value")]
        )
        body = [tag("tr", tag("td", place), tag("th", name, scope="row"),
                    tag("td", tag("code", value))) for place, name, value in rows]  # fmt: skip
        return tag(
            "details",
            tag("summary", f"{attempt.method} ", tag("code", attempt.url.partition("?")[0]),
                f", {len(rows)} parameters"),
            scrolled("Parameters as they are sent",
                     tag("table", tag("thead", head), tag("tbody", body), class_="sent")),
            tag("p", "String to sign: ", tag("code", attempt.string_to_sign)),
            tag("p", "Signed anew when it is sent; alinb.SignatureBench lays it open."),
            data_key="request",
            open=True,
        )  # fmt: skip

    def _curl(self, attempt: Attempt | None) -> Markup | None:
        if attempt is None:
            return None
        if attempt.wire.files:
            return tag("p", "As curl: a file's content cannot stand in a command.")
        return code_block(to_curl(attempt), "The same as curl; marks stand for what is hidden")

    # ---- 4. the reply

    def _trouble(self) -> Markup | None:
        trouble = self.panel.trouble
        if trouble is None:
            return None
        return tag("div", trouble.html(), class_="note bad", data_key="trouble")

    def answer(self, reply: Reply) -> Markup:
        """What came back: the verdict, tables, the JSON."""
        return tag("div", list(self._answer(reply)), data_key="answer")

    def _answer(self, reply: Reply) -> Iterator[Markup]:
        mark, mood = ("✓", "good") if reply.ok else ("✗", "bad")
        yield part("4. The reply")
        yield tag("p", f"{mark} {self.call.outcome}", class_=mood, tabindex="-1", data_key="reply")
        if "access_token" in reply.text:
            yield tag("p", "The tokens in it are not kept; alinb.OAuthWalkthrough keeps them.")
        yield tables_html(tables_of(reply))
        yield tag(
            "details",
            tag("summary", "Raw JSON" if reply.data is not None else "The text that came"),
            scrolled("Raw reply", tree(reply.data) if reply.data is not None
                     else tag("pre", reply.text[:20_000])),
            copy_button("Copy the reply", reply.text),
            data_key="raw",
            open=not reply.ok,
        )  # fmt: skip
