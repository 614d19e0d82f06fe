"""Sign a call, and check a signature that somebody else made: pure, no I/O."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote_plus, urlsplit

from . import render
from .app import App
from .calls import Call, spell
from .errors import InputError
from .quiet import quiet
from .recipes import (
    AOP_HMAC_SHA1,
    BUSINESS,
    RECIPES,
    SYSTEM,
    TOP_HMAC_MD5,
    TOP_MD5,
)
from .redact import Secret
from .segments import hider, shown
from .stages import Context, Recipe, Segment, Signer, Walk, mask

#: Parameters that describe the call rather than the business; they travel in the query.
_IN_QUERY = ("method", "app_key", "timestamp", "sign_method", "format", "v", "simplify", "debug")

#: How business calls are signed, by the sign_method they declare (AliExpress openservice 1385;
#: TOP, open.alitrip.com 101617). Path calls are HMAC-SHA256 whatever they declare.
_BY_SIGN_METHOD: Mapping[str, Recipe] = {
    "sha256": BUSINESS,
    "hmac-sha256": BUSINESS,
    "md5": TOP_MD5,
    "hmac": TOP_HMAC_MD5,
}


#: What needs no encoding; most values are such, and the full rule costs as much as the signature.
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch


class Interface(NamedTuple):
    """Which rule a request falls under, and the API path that stands in front of its string.

    `kind` is system (a path at /rest), system_sync (a path sent as `method`), business (a dotted
    method at /sync), top (/router/rest) or aop (param2).
    """

    kind: str
    path: str


class Sent(Protocol):
    """What a signature covers of a request; `Attempt` and the sandbox's requests are such."""

    @property
    def method(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def params(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True, repr=False)
class Signed:
    """A call with its signature, ready to send.

    `query` and `form` are what goes into the URL and the body; `method` is the HTTP verb. For the
    retired MD5 recipe `string_to_sign` holds the secret: `shown_string` masks it.
    """

    call: Call
    app: App
    method: str
    endpoint: str
    query: Mapping[str, str]
    form: Mapping[str, str] = field(repr=False)
    signature: str
    signer: Signer = field(repr=False)
    _walked: list[Walk] = field(default_factory=list, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"<Signed {self.method} {self.call.name} {self.signature[:8]}…>"

    def _repr_html_(self) -> str:
        rows = [(piece.kind, piece.parameter, piece.text) for piece in shown(self.segments)]
        return render.html(
            f"{self.method} {self.call.name}",
            render.table(("piece of the string", "of parameter", "text"), rows),
            render.paragraph(f"signature {self.signature}"),
        )

    @property
    def walk(self) -> Walk:
        """What each stage gave; walked when it is first asked for, as most calls are only sent."""
        if not self._walked:
            sign_name = self.app.platform.sign_parameter
            unsigned = {k: v for k, v in self.params.items() if k != sign_name}
            self._walked.append(self.signer.walk(unsigned))
        return self._walked[0]

    @property
    def string_to_sign(self) -> str:
        return self.walk.string_to_sign

    @property
    def shown_string(self) -> str:
        return mask(self.walk.segments)

    @property
    def segments(self) -> tuple[Segment, ...]:
        return self.walk.segments

    @property
    def params(self) -> Mapping[str, str]:
        """Everything that is sent, the signature included, without file parts."""
        return {**self.query, **self.form}

    @property
    def url(self) -> str:
        return f"{self.endpoint}?{_encoded(self.query)}" if self.query else self.endpoint

    @property
    def body(self) -> str:
        """The form body as text; "" for a GET or a multipart request."""
        return "" if self.call.files else _encoded(self.form)

    def as_dict(self, *, reveal: bool = False) -> dict[str, Any]:
        """The signed call as JSON, its codes and tokens masked unless `reveal` is set."""
        pieces = shown(self.segments, reveal=reveal)
        text = str if reveal else hider(self.segments).text
        return {
            "string_to_sign": "".join(piece.text for piece in pieces),
            "segments": [piece._asdict() for piece in pieces],
            "signature": self.signature,
            "method": self.method,
            "url": text(self.url),
            "body": text(self.body),
        }


@dataclass(frozen=True, slots=True, repr=False)
class Verification:
    """Whether a request's signature is the right one, and the walk that gives the right one.

    `ok` asks for the exact text the platform emits in its own examples: upper-case hex.
    """

    ok: bool
    received: str
    interface: Interface
    walk: Walk = field(repr=False)

    @property
    def expected(self) -> str:
        return self.walk.signature

    @property
    def string_to_sign(self) -> str:
        return self.walk.string_to_sign

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        return f"<Verification {'right' if self.ok else 'wrong'}: {self.received[:8]}…>"

    def as_dict(self, *, reveal: bool = False) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "expected": self.expected,
            "received": self.received,
            "string_to_sign": "".join(s.text for s in shown(self.walk.segments, reveal=reveal)),
            "interface": self.interface.kind,
            "recipe": self.walk.recipe.name,
        }


@quiet
def sign(
    name: str | Call,
    params: Mapping[str, Any] | None = None,
    *,
    app: App,
    timestamp: int | str | datetime | None = None,
    verb: str = "POST",
    recipe: Recipe | None = None,
    clock: Callable[[], float] = time.time,
    signers: dict[Any, tuple[App, Signer]] | None = None,
) -> Signed:
    """Sign a call by its platform's rule, or by another recipe to see what that would give.

    `app_key`, `timestamp` (epoch ms), `sign_method` and, on a dotted call, `method` are added where
    `params` does not hold them. `signers` keeps what is made ready for an endpoint from call to
    call: it is as good as the secret. Raises `InputError` for a name the platform has no call of.
    Source: AliExpress openservice documents 1385 and 1388.

    >>> app = App("12345678", "helloworld")
    >>> sign("/auth/token/create", {"code": "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26"},
    ...      app=app, timestamp=1517820392000).signature[:8]
    '35607762'
    """
    call = name if isinstance(name, Call) else Call.of(name)
    if params:
        more = Call.of(call.name, params)
        call = Call(call.name, {**call.params, **more.params}, {**call.files, **more.files})
    if verb not in ("GET", "POST") or (verb == "GET" and call.files):
        raise InputError(
            f"{verb!r} does not carry this call.",
            next_step="Use POST, or GET for a call without files.",
        )
    platform = app.platform
    common = _common(call, app, timestamp, clock)
    sent = {**common, **call.params}
    sent.pop(platform.sign_parameter, None)
    on_sync = call.is_path and "method" in sent and platform.business != ""
    endpoint = platform.api + platform.business if on_sync else platform.route(call.name)
    found = interface(endpoint, sent)
    place = (endpoint, found, sent.get("sign_method", ""), sent.get("app_key", ""), verb)
    known, signer = (signers or {}).get(place, (None, None))
    if recipe or signer is None or known is not app:
        context = Context(app.secret, path=found.path, app_key=app.key, verb=verb, url=endpoint)
        signer = (recipe or recipe_for(found, sent.get("sign_method", ""))).signer(context)
        if signers is not None and not recipe:
            signers[place] = app, signer
    signature = sent[platform.sign_parameter] = signer.sign(sent)
    in_query = set(sent) if verb == "GET" else {*_IN_QUERY, platform.sign_parameter}
    return Signed(
        call=call,
        app=app,
        method=verb,
        endpoint=endpoint,
        query={key: value for key, value in sent.items() if key in in_query},
        form={key: value for key, value in sent.items() if key not in in_query},
        signature=signature,
        signer=signer,
    )


@quiet
def check(sent: Sent, secret: Secret | str, *, sign_parameter: str = "") -> Verification:
    """Compute the right signature of a request as it was sent, and compare in constant time."""
    found = interface(sent.url, sent.params)
    signer = signer_for(found, sent.params, Secret(secret), method=sent.method, url=sent.url)
    name = sign_parameter or ("_aop_signature" if found.kind == "aop" else "sign")
    received = sent.params.get(name, "")
    walk = signer.walk(sent.params)
    same = hmac.compare_digest(walk.signature.encode(), received.encode("utf-8", "surrogatepass"))
    return Verification(same, received, found, walk)


def signer_for(
    found: Interface, params: Mapping[str, str], secret: Secret, *, method: str = "", url: str = ""
) -> Signer:
    """The right signer for a request of this interface that declares this sign_method."""
    context = Context(
        secret, path=found.path, app_key=params.get("app_key", ""), verb=method, url=url
    )
    return recipe_for(found, params.get("sign_method", "")).signer(context)


def interface(url: str, params: Mapping[str, str]) -> Interface:
    """Which rule a request falls under, by its URL path and its `method` parameter.

    All official SDKs share it: a name with a `/` has its path in front, a dotted one has not.
    """
    return interface_at(urlsplit(url).path, params.get("method", ""))


def interface_at(path: str, method: str) -> Interface:
    """The same, by the URL's path and the value of `method`."""
    if "/openapi/param2/" in path:
        return Interface("aop", path.partition("/openapi/")[2])
    if path.rstrip("/").endswith("/router/rest"):
        return Interface("top", "")
    _, rest, api_path = path.partition("/rest/")
    if rest and api_path.strip("/"):
        return Interface("system", "/" + api_path.removeprefix("2.0/"))
    if "/" in method:
        return Interface("system_sync", method)
    if method:
        return Interface("business", "")
    if path.rstrip("/").endswith(("/sync", "/rest")) or not path.strip("/"):
        return Interface("business", "")
    return Interface("system", path)


def recipe_for(found: Interface, sign_method: str) -> Recipe:
    """The platform's own recipe; an undeclared or unknown sign_method counts as sha256."""
    if found.kind == "aop":
        return AOP_HMAC_SHA1
    if found.path:
        return SYSTEM
    return _BY_SIGN_METHOD.get(sign_method, BUSINESS)


def recipe_named(name: str) -> Recipe:
    """One of `system`, `business`, `top_md5`, `top_hmac_md5`, `aop_hmac_sha1`."""
    if name not in RECIPES:
        raise InputError(f"There is no recipe {name!r}.", next_step=f"Known: {', '.join(RECIPES)}.")
    return RECIPES[name]


def _encoded(params: Mapping[str, str]) -> str:
    return "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in params.items()])


def _quoted(text: str) -> str:
    """Percent-encoded, with a + for a blank: the bytes that were signed."""
    if _PLAIN(text):
        return text
    return quote_plus(text, errors="surrogatepass")


def _common(
    call: Call, app: App, timestamp: int | str | datetime | None, clock: Callable[[], float]
) -> dict[str, str]:
    platform = app.platform
    if platform.timestamp == "none":
        return {}
    common = {} if call.is_path else {"method": call.name}
    common |= {
        "app_key": app.key,
        "timestamp": _timestamp(platform.timestamp, timestamp, clock),
        "sign_method": platform.sign_method,
    }
    return common | dict(platform.always_sent)


def _timestamp(
    form: str, timestamp: int | str | datetime | None, clock: Callable[[], float]
) -> str:
    if isinstance(timestamp, str):
        return timestamp
    if isinstance(timestamp, datetime):
        moment = timestamp.timestamp()
    else:
        moment = clock() if timestamp is None else timestamp / 1000
    if form == "text GMT+8":
        return spell(datetime.fromtimestamp(moment, UTC) + timedelta(hours=8))
    return str(timestamp if isinstance(timestamp, int) else round(moment * 1000))
