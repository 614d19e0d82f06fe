"""Requests of every sort, from right to absurd, the same ones for the same seed."""

import hashlib
import hmac
import json
import random
import string
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus, urlencode

from alinb.gateway import Sandbox
from alinb.gateway.faults import HEADER, KINDS
from alinb.gateway.market.provoked import RECIPES
from alinb.knowledge import load
from alinb.session import needs_token

#: Faults that ask for a status of 5xx, for no answer, or for much time or memory.
SPARED = {
    "html_502", "status_500", "status_503", "reset", "reset_after_headers", "wrong_length",
    "latency", "drip", "slow_start", "huge_body", "gzip_bomb",
}  # fmt: skip
HARMLESS = [name for name in KINDS if name not in SPARED]
METHODS: Mapping[str, Mapping[str, Any]] = load("methods")["methods"]
CODES = [entry["code"] for entry in load("errors")["error"]]

NAMES = sorted(
    {"page_no", "page_size", "pageIndex", "pageSize", "page_index", "sortBy", "sort", "keywords",
     "keyWord", "categoryId", "category_ids", "simplify", "timestamp", "code", "uuid", "session",
     "access_token", "refresh_token", "redirect_uri", "state", "client_id", "method", "app_key",
     "sign", "sign_method", "form_token", "response_type", "decision", "account", "country",
     "force_auth", "min_sale_price", "max_sale_price", "target_currency", "fields", "offset",
     "limit", "created_after", "created_before", "update_after", "number", "after", "format"}
    | {name for facts in METHODS.values() for name in facts.get("required", ())}
)  # fmt: skip
PAGES = [
    "/", "/oauth/authorize", "/apps/oauth/authorize", "/authorize", "/callback", "/sandbox/code",
    "/inspector/static/inspector.js", "/inspector/static/inspector.css",
    "/inspector/static/../core.py", "/inspector/static/%2e%2e%2fcore.py",
    "/inspector/clear", "/inspector/faults", "/inspector/requests/{}x",
    "/favicon.ico", "/robots.txt", "//sync", "/sync/",
    "/SYNC", "/rest/2.0/auth/token/create", "/rest//auth/token/create", "/openapi/param2/1/x/y",
]  # fmt: skip
KINDS_OF_BODY = [
    "application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x",
    "multipart/form-data", "multipart/mixed; boundary=x", "text/plain", "x/;;=", "",
    'multipart/form-data; boundary="x', "application/x-www-form-urlencoded; charset=utf-16",
    "multipart/form-data; boundary*=utf-9''x", "multipart/form-data; boundary=" + "y" * 300,
]  # fmt: skip


#: The doctor works for some of these.
SLOW_PAGES = [
    "/inspector", "/inspector/export.har", "/inspector/requests/{}",
    "/inspector/requests/{}/values", "/inspector/requests/{}/export.har",
    "/inspector/requests/{}/request.ipynb",
]  # fmt: skip


class Request(NamedTuple):
    method: str
    target: bytes
    headers: tuple[tuple[str, str], ...]
    body: bytes


def signature(secret: str, params: Mapping[str, str], path: str, by: str) -> str:
    """The signature by the documented rule, made by hashlib and not by alinb."""
    text = path + "".join(name + params[name] for name in sorted(params) if name != "sign")
    said = text.encode("utf-8", "surrogatepass")
    if by == "md5":
        return hashlib.md5(secret.encode() + said + secret.encode()).hexdigest().upper()
    function = "md5" if by == "hmac" else "sha256"
    return hmac.new(secret.encode(), said, function).hexdigest().upper()


class Requests:
    """An endless row of requests to a sandbox.

    `page_token` is what the sandbox's own pages have, so that some of their orders are obeyed.
    Without `odd` every target and header can go through a socket.
    """

    def __init__(self, box: Sandbox, seed: int, *, page_token: str = "", odd: bool = True) -> None:
        self.random = random.Random(seed)
        self._box, self._page_token, self._odd = box, page_token, odd
        self._key, self._secret = box.app.key, box.app.secret.reveal()
        grant = box.gateway.state.exchange(box.code())
        assert grant is not None
        self._grant = grant
        now = box.gateway.clock()
        self._recipes = [
            (recipe.method, dict(recipe.params(box.gateway.market, "", now)))
            for recipe in RECIPES
            if recipe.code not in ("isv.invalid-authorization", "REPEATED_ORDER_ERROR")
        ]

    def one(self) -> Request:
        kind = self.random.random()
        if kind < 0.55:
            made = self.signed()
        elif kind < 0.75:
            made = self._unsigned()
        else:
            made = self._page()
        return self._disturbed(made) if self.random.random() < 0.3 else made

    # ---- gateway calls

    def signed(self, *, noise: bool = True) -> Request:
        """A call signed right, of any route and way of signing, that may ask for nonsense."""
        pick = self.random
        name, params = self._asking(noise)
        by = pick.choice(["sha256", "sha256", "hmac-sha256", "md5", "hmac"])
        route = pick.choice(["/sync", "/sync", "/router/rest"])
        path = ""
        common = {
            "app_key": self._key, "sign_method": by,
            "timestamp": str(round(self._box.gateway.clock() * 1000)),
        }  # fmt: skip
        if name.startswith("/"):
            path, common["sign_method"] = name, pick.choice(["sha256", "hmac-sha256"])
            route = pick.choice([f"/rest{name}", f"/rest{name}", "/sync"])
        if not route.startswith("/rest"):
            common["method"] = name
        if pick.random() < 0.3:
            common |= {"format": "json", "v": "2.0", "partner_id": "x", "simplify": "true"}
        sent = {**params, **common}
        kept = {k: v for k, v in sent.items() if v} if pick.random() < 0.5 else sent
        path = "" if route == "/router/rest" else path
        sent["sign"] = signature(self._secret, kept, path, common["sign_method"])
        return self._put(route, sent)

    def _asking(self, noise: bool) -> tuple[str, dict[str, str]]:
        """A method and its parameters, from right to absurd."""
        pick = self.random
        if pick.random() < 0.5:
            name, params = pick.choice(self._recipes)
            params = {k: self._bent(v) if noise else v for k, v in params.items()}
        else:
            name = pick.choice([*METHODS, "/no/such", "no.such"])
            required = METHODS.get(name, {}).get("required", ())
            params = {each: self._value(noise) for each in required}
        if name.startswith("/auth/token/"):
            state = self._box.gateway.state
            params["code"] = state.new_code() if pick.random() < 0.5 else "x"
            if pick.random() < 0.2:
                params["refresh_token"] = self._grant.refresh_token
        elif needs_token(name) and pick.random() < 0.9:
            where = "access_token" if name.startswith("/") else "session"
            params[where] = self._grant.access_token
        if noise:
            for each in pick.sample(NAMES, pick.choice([0, 0, 1, 2, 4])):
                params.setdefault(each, self._value(True))
        return name, params

    def _put(self, route: str, params: Mapping[str, str]) -> Request:
        """Parameters on the wire: in query, form or parts, or some here and some there."""
        pick = self.random
        way = pick.choice(["query", "form", "parts", "both", "twice"])
        names = list(params)
        pick.shuffle(names)
        in_query = set(names) if way == "query" else set()
        if way in ("both", "twice"):
            in_query = {n for n in names if pick.random() < 0.5}
        query = [(n, params[n]) for n in names if n in in_query]
        rest = [(n, params[n]) for n in names if n not in in_query]
        if way == "twice":
            query += query[:1]
        target = route.encode() + (b"?" + self._encoded(query) if query else b"")
        if way == "query" and pick.random() < 0.7:
            return Request("GET", target, (), b"")
        if way == "parts":
            return Request("POST", target, _type("multipart/form-data; boundary=x"), _parts(rest))
        return Request("POST", target, _type(KINDS_OF_BODY[0]), self._encoded(rest))

    def _encoded(self, pairs: list[tuple[str, str]]) -> bytes:
        quoting: Callable[..., str] = self.random.choice([quote_plus, quote])
        return urlencode(pairs, quote_via=quoting, errors="surrogatepass").encode()

    def _unsigned(self) -> Request:
        pick = self.random
        route = pick.choice(["/sync", "/rest", "/rest/", "/router/rest", f"/rest/{self._text()}"])
        params = {name: self._value(True) for name in pick.sample(NAMES, pick.randrange(7))}
        made = self._put(quote(route, safe="/%", errors="surrogatepass"), params)
        if made.method == "POST" and pick.random() < 0.5:
            return made._replace(headers=_type(pick.choice(KINDS_OF_BODY)), body=self._junk())
        return made

    # ---- pages

    def _page(self) -> Request:
        pick = self.random
        path = pick.choice(SLOW_PAGES if pick.random() < 0.04 else PAGES)
        path = path.format(pick.choice([1, 2, 3, 700, "9" * 30]))
        verb = pick.choice(["GET", "GET", "POST"])
        if "/authorize" in path:
            return self._consent(path, verb)
        if verb == "POST" and path.startswith("/inspector"):
            token = self._page_token if pick.random() < 0.8 else self._text()
            headers = [("x-alinb-page", _latin(token)), ("content-type", "application/json")]
            order = {pick.choice(["on", "off", "x"]): pick.choice([self._fault(), self._text(), 1])}
            return Request(verb, path.encode(), tuple(headers), json.dumps(order).encode())
        asked = {name: self._value(True) for name in pick.sample(NAMES, pick.randrange(4))}
        query = self._encoded(list(asked.items()))
        return Request(verb, path.encode() + b"?" * bool(query) + query, (), b"")

    def _consent(self, path: str, verb: str) -> Request:
        pick = self.random
        asked = {"response_type": "code", "client_id": self._key, "form_token": self._page_token}
        asked |= {n: self._value(True) for n in pick.sample(NAMES, pick.choice([0, 0, 1, 3]))}
        if pick.random() < 0.6:
            backs = ["https://shop.example/cb?a=1#f", "javascript:alert(1)", "http://[", "x"]
            asked["redirect_uri"] = pick.choice(backs)
        asked["decision"] = pick.choice(["allow", "deny", "maybe"])
        return self._put(path, asked)._replace(method=verb)

    # ---- disturbances

    def _disturbed(self, made: Request) -> Request:
        """The request with one thing about it changed."""
        pick = self.random
        kind = pick.randrange(7)
        if kind == 0:
            return made._replace(method=pick.choice(["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]))
        if kind == 1:
            more = (HEADER, self._fault() if pick.random() < 0.8 else _latin(self._text()))
            return made._replace(headers=(*made.headers, more))
        if kind == 2:
            more = (pick.choice(["x-y", "origin", "cookie", "sec-fetch-site", "content-type"]),
                    _latin(self._text()))  # fmt: skip
            return made._replace(headers=(*made.headers, more))
        if kind == 3:
            body = self._junk() if pick.random() < 0.98 else pick.randbytes(9 * 2**20)
            return made._replace(method="POST", body=body)
        if kind == 4 and made.body:
            return made._replace(body=changed(pick, made.body))
        if kind == 5 and self._odd:
            return made._replace(target=b"/" + changed(pick, made.target)[1:])
        return made._replace(target=made.target + pick.choice([b"&", b"&=", b"&x", b"%", b"&%zz"]))

    def _fault(self) -> str:
        pick = self.random
        name = pick.choice([*HARMLESS, *HARMLESS, *CODES])
        return _latin(name + pick.choice(["", "=1", "@0.5", "=2@1"]) + "x1")

    def _junk(self) -> bytes:
        pick = self.random
        pairs = [(self._text(), self._value(True)) for _ in range(pick.randrange(4))]
        return pick.choice(
            [
                pick.randbytes(pick.randrange(60)),
                urlencode(pairs, errors="surrogatepass").encode(),
                json.dumps(dict(pairs)).encode()[: pick.choice([5, 10_000])],
                b"[" * pick.choice([3, 100_000]),
                _parts(pairs)[pick.choice([0, 3]) :],
                b"a=1&" * pick.choice([3, 20_000]),
                b"--x\r\n" * pick.choice([1, 2000]),
            ]
        )

    def _bent(self, value: str) -> str:
        """A right value, now and then with something in it changed."""
        if self.random.random() < 0.5:
            return value
        try:
            read = json.loads(value)
        except ValueError:
            return self._value(True)
        return json.dumps(self._leaf_changed(read))

    def _leaf_changed(self, value: Any) -> Any:
        pick = self.random
        if isinstance(value, dict) and value and pick.random() < 0.9:
            name = pick.choice(list(value))
            return {**value, name: self._leaf_changed(value[name])}
        if isinstance(value, list) and value and pick.random() < 0.9:
            return [self._leaf_changed(value[0]), *value[1:]]
        return pick.choice([None, True, -1, 1e400, 10**40, "", "x", [], {}, [[]], {"a": 1},
                            "٣", "\ud83d", float("nan"), self._text()])  # fmt: skip

    def _value(self, noise: bool) -> str:
        pick, market = self.random, self._box.gateway.market
        plain = ["1", "20", "US", "USD", "EN", "lamp", "2026-01-01 00:00:00", "true", "",
                 str(pick.choice(market.ids)), "DS_Sports", "Payment Completed"]  # fmt: skip
        return pick.choice(plain) if not noise or pick.random() < 0.4 else self._text()

    def _text(self) -> str:
        pick = self.random
        kinds: list[Callable[[], str]] = [
            lambda: "".join(chr(pick.randrange(1, 0x250)) for _ in range(pick.randrange(12))),
            lambda: str(pick.randrange(-(10**20), 10**20)),
            lambda: pick.choice(["None", "NaN", "[object Object]", "{}", "[1", "\0", "💥", "٣",
                                 "\ud83d", "-0", "1e9", "0x10", "_", "1_000", " 1 ", "∞"]),
            lambda: "9" * pick.randrange(1, 5000),
            lambda: pick.choice(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "24:00",
                                 "0001-01-01 00:00:00", "9999-12-31 23:59:59"]),
            lambda: "%" + "".join(pick.choice("0123456789abcdefg%") for _ in range(4)),
            lambda: pick.randbytes(pick.randrange(8)).decode("latin-1"),
            lambda: f"http://[{pick.randrange(9)}" + pick.choice(["", "]", "::1]:x", "]:99999999"]),
            lambda: json.dumps([{self._key: [None, 1e308, {}]}]),
            lambda: "".join(pick.choices(string.printable, k=pick.choice([3, 30]))),
        ]  # fmt: skip
        return pick.choice(kinds)()


def changed(pick: random.Random, text: bytes) -> bytes:
    """The same bytes with one of them replaced, left out, or put in."""
    at = pick.randrange(len(text))
    kind, byte = pick.randrange(4), bytes([pick.randrange(256)])
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + byte + text[at:]
    if kind == 2 and text[at : at + 1].isalpha():
        return text[:at] + text[at : at + 1].swapcase() + text[at + 1 :]
    return text[:at] + (byte if byte != text[at : at + 1] else b"~") + text[at + 1 :]


def _type(kind: str) -> tuple[tuple[str, str], ...]:
    return (("content-type", kind),)


def _parts(pairs: list[tuple[str, str]]) -> bytes:
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
        % (n.encode("utf-8", "replace"), v.encode("utf-8", "surrogatepass"))
        for n, v in pairs
    ]
    file = (
        b'--x\r\nContent-Disposition: form-data; name="image_file_bytes"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x00\r\n"
    )
    return b"".join([*parts, file, b"--x--\r\n"])


def _latin(text: str) -> str:
    """What a header can hold of a text."""
    return "".join(c for c in text if " " <= c <= "\xff" and c not in "\x7f").strip()
