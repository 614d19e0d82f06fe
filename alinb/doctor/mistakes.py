"""The wrong turns people take, as turns of the recipe engine.

What people are told about each of them stands in `knowledge/mistakes.toml`.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from ..recipes import hmac_of, plain_digest
from ..redact import Secret
from ..signing import Interface
from ..stages import NAME, VALUE, Around, Context, Params, Recipe, Segment, Turn

#: Parameters that some SDK signs and a program may leave out of the request.
_OFTEN_ADDED = {
    "format": ("json", "xml"),
    "v": ("2.0",),
    "simplify": ("true", "false"),
    "sign_method": ("sha256",),
    "session": ("",),
    "access_token": ("",),
    "grant_type": ("authorization_code",),
    "page_no": ("0", "1"),
}
_LEFT_OUT = {
    "method": "method_not_signed",
    "sign_method": "sign_method_not_signed",
    "timestamp": "timestamp_not_signed",
    "access_token": "token_not_signed",
    "session": "token_not_signed",
}
_SIGN_METHODS = ("sha256", "hmac-sha256", "HMAC-SHA256", "md5", "hmac")
_RARE_SIGN_METHODS = ("SHA256", "MD5", "HMAC", "hmac_md5", "hmac-md5", "hmac_sha256", "HmacSHA256")

#: A wrong turn on one platform may be the right one of another recipe.
_RIGHT_TWINS = {
    "secret_both_sides": "secret_wrapped",
    "no_secret_around": "secret_wrap_missing",
    "md5": "digest_md5",
    "hmac_md5": "digest_hmac_md5",
    "hmac_sha1": "digest_hmac_sha1",
    "hmac_sha256": "digest_hmac_sha256",
}


def turns(base: Recipe, found: Interface, params: Params, context: Context) -> list[Turn]:
    """Every wrong turn that can change the signature of this request, in walking order."""
    right = {_RIGHT_TWINS.get(turn.id, turn.id) for turn in base.turns}
    wrong = [
        *_selections(found, params),
        *_formats(params),
        *_ORDERS,
        *_JOINS,
        *_prefixes(found, params, context),
        *_surroundings(context),
        *_charsets(params),
        *_secrets(context.secret.reveal()),
        *_DIGESTS,
        *_ENCODINGS,
    ]
    return sorted((turn for turn in wrong if turn.id not in right), key=lambda turn: turn.place)


def _wrong(id_: str, stage: str, slot: str, run: Any, detail: str = "", **more: Any) -> Turn:
    return Turn(id_, stage, slot, run, mistake=True, detail=detail, **more)


def _selections(found: Interface, params: Params) -> Iterator[Turn]:
    for name in params:
        if name not in ("sign", "_aop_signature"):
            id_ = _LEFT_OUT.get(name, "unsigned_param")
            yield _wrong(id_, "select", f"leave-out:{name}", partial(_leave_out, name), name)
    if "" in params.values():
        yield _wrong("empty_values_dropped", "select", "empties", _drop_empties)
    yield _wrong("sign_included", "select", "add:sign", partial(_add, {"sign": ""}))
    if found.kind == "system" and "method" not in params:
        for spelled in (found.path, found.path.strip("/").replace("/", ".")):
            added = partial(_add, {"method": spelled})
            yield _wrong("method_signed_on_system", "select", "add:method", added, spelled)
    for name, values in _OFTEN_ADDED.items():
        for value in values if name not in params else ():
            yield _wrong("param_signed_not_sent", "select", f"add:{name}",
                         partial(_add, {name: value}), f"{name}={value}", rare=True)  # fmt: skip


def _leave_out(name: str, context: Context) -> Callable[[Params], Params]:
    return lambda params: {key: value for key, value in params.items() if key != name}


def _drop_empties(context: Context) -> Callable[[Params], Params]:
    return lambda params: {key: value for key, value in params.items() if value != ""}


def _add(added: Params, context: Context) -> Callable[[Params], Params]:
    return lambda params: {**params, **added}


def _formats(params: Params) -> Iterator[Turn]:
    timestamp = params.get("timestamp", "")
    if re.fullmatch(r"\d{13}", timestamp):
        yield _set("timestamp_seconds_signed", "timestamp", "timestamp", timestamp[:-3])
    if declared := params.get("sign_method"):
        for value in (*_SIGN_METHODS, *_RARE_SIGN_METHODS):
            if value != declared:
                turn = _set("sign_method_value_differs", "sign-method", "sign_method", value)
                yield replace(turn, detail=value, rare=value in _RARE_SIGN_METHODS)
    for ours, theirs in (("access_token", "session"), ("session", "access_token")):
        if ours in params and theirs not in params:
            renamed = partial(_rename, ours, theirs)
            yield _wrong("token_name_differs", "format", "token-name", renamed, theirs)
    yield from _spelled_values(params)


def _set(id_: str, slot: str, name: str, value: str) -> Turn:
    return _wrong(id_, "format", slot, partial(_with_value, name, value))


def _with_value(name: str, value: str, context: Context) -> Callable[[Params], Params]:
    return lambda params: {**params, name: value} if name in params else params


def _rename(ours: str, theirs: str, context: Context) -> Callable[[Params], Params]:
    return lambda params: {theirs if n == ours else n: value for n, value in params.items()}


def _spelled_values(params: Params) -> Iterator[Turn]:
    """Values spelled otherwise in the string than in the request: all of them, or only one."""
    for id_, slot, spell, detail in _VALUE_SPELLINGS:
        changed = [name for name, value in params.items() if spell(value) != value]
        if changed:
            yield _wrong(id_, "format", slot, partial(_each_value, spell, None), detail)
        for name in changed if slot == "percent" and len(changed) > 1 else ():
            one = partial(_each_value, spell, name)
            yield _wrong(id_, "format", f"percent:{name}", one, f"only {name} {detail}".strip())


def _each_value(
    spell: Callable[[str], str], only: str | None, context: Context
) -> Callable[[Params], Params]:
    return lambda params: {
        name: spell(value) if only in (None, name) else value for name, value in params.items()
    }


def _percent_encoder(safe: str) -> Callable[[str], str]:
    """`quote` with these characters left alone, quick where the text is ASCII."""
    table = {code: quote(chr(code), safe=safe) for code in range(128)}

    def encode(text: str) -> str:
        if text.isascii():
            return text.translate(table)
        return quote(text, safe=safe, errors="surrogatepass")

    return encode


def _plus(text: str) -> str:
    return quote_plus(text, errors="surrogatepass")


def _twice(text: str) -> str:
    return _component(_component(text))


#: `encodeURIComponent` leaves !'()* alone, `rawurlencode` does not, Python's `quote` leaves /.
_component = _percent_encoder("!'()*")
_raw = _percent_encoder("")
_quote = _percent_encoder("/")


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
        case _:
            return str(value)


_VALUE_SPELLINGS: Sequence[tuple[str, str, Callable[[str], str], str]] = (
    ("values_urlencoded", "percent", _component, ""),
    ("values_urlencoded", "percent", _raw, "rawurlencode"),
    ("values_urlencoded", "percent", _quote, "quote"),
    ("values_urlencoded_plus", "percent", _plus, ""),
    ("values_double_encoded", "percent", _twice, ""),
    ("python_bool", "boolean", _python_bool, ""),
    ("json_spaced", "json", partial(_spaced, True), ""),
    ("json_spaced", "json", partial(_spaced, False), "not escaped"),
    ("object_tostring", "json", _to_string, ""),
)


def _by_concatenation(names: Sequence[str], params: Params) -> list[str]:
    return sorted(names, key=lambda name: name + params[name])


def _by_value(names: Sequence[str], params: Params) -> list[str]:
    return sorted(names, key=lambda name: params[name])


def _collation(name: str) -> tuple[list[tuple[int, str]], str]:
    """Unicode's root collation of names: marks, digits, letters; then small letters first."""
    primary = [(0 if not c.isalnum() else 1 if c.isdigit() else 2, _MARKS.get(c, c.lower()))
               for c in name]  # fmt: skip
    return primary, name.swapcase()


#: The order of the marks that names hold, in the root collation.
_MARKS = {mark: chr(i) for i, mark in enumerate("_-,;:!?./'\"()[]{}@*\\&#%`^+<=>|~$")}

_ORDERS = (
    _wrong("unsorted", "order", "order", list),
    _wrong("sort_case_insensitive", "order", "order", partial(sorted, key=str.lower)),
    _wrong("sort_case_insensitive", "order", "order", partial(sorted, key=str.upper), "upper"),
    _wrong("sort_locale", "order", "order", partial(sorted, key=_collation)),
    _wrong("sort_descending", "order", "order", partial(sorted, reverse=True)),
    _wrong("sort_by_concatenation", "order", "order", _by_concatenation, by_value=True),
    _wrong("ad_hoc_string", "order", "order", _by_value, "by value", by_value=True, rare=True),
)

_JOINS = (
    _wrong("kv_separators", "join", "join", (NAME, "=", VALUE, "&")),
    _wrong("kv_equals_only", "join", "join", (NAME, "=", VALUE)),
    _wrong("values_only", "join", "join", (VALUE,)),
)


def _prefixes(found: Interface, params: Params, context: Context) -> Iterator[Turn]:
    def prefix(id_: str, text: str, detail: str = "") -> Turn:
        return _wrong(id_, "wrap", "prefix", partial(_text_in_front, text), detail)

    path, method = found.path, params.get("method", "")
    if not path:
        url_path = urlsplit(context.url).path or "/sync"
        spelled = (url_path, method, "/" + method.replace(".", "/"), "/" + method)
        for text in dict.fromkeys(text for text in spelled if text.strip("/")):
            yield prefix("prefix_on_business", text, text)
        return
    yield prefix("path_prefix_missing", "")
    yield prefix("prefix_no_leading_slash", path.lstrip("/"))
    yield prefix("prefix_with_rest", "/rest" + path)
    yield prefix("prefix_full_url", context.url.partition("?")[0])
    yield prefix("prefix_trailing_slash", path + "/")
    yield prefix("prefix_http_verb", context.verb + path)
    if found.kind == "system_sync":
        yield prefix("prefix_with_rest", urlsplit(context.url).path, "the path of the URL")


def _text_in_front(text: str, context: Context) -> Around:
    return (Segment("path", text),), ()


def _secret_around(front: bool, back: bool, context: Context) -> Around:
    secret = (Segment("secret", context.secret.reveal()),)
    return secret if front else (), secret if back else ()


def _body_behind(context: Context) -> Around:
    return (), (Segment("body", context.body),)


def _surroundings(context: Context) -> Iterator[Turn]:
    for id_, front, back in (
        ("secret_wrapped", True, True),
        ("secret_front_only", True, False),
        ("secret_back_only", False, True),
        ("secret_wrap_missing", False, False),
    ):
        yield _wrong(id_, "wrap", "secret", partial(_secret_around, front, back))
    if context.body:
        yield _wrong("body_appended", "wrap", "body", _body_behind)
    yield _wrong("string_urlencoded", "wrap", "spelling", _component)
    for spell, detail in ((_raw, "rawurlencode"), (_plus, "plus for blanks"), (_quote, "quote")):
        yield _wrong("string_urlencoded", "wrap", "spelling", spell, detail, rare=True)


def _low_byte(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")[::2]


def _charsets(params: Params) -> Iterator[Turn]:
    if any(not (name + value).isascii() for name, value in params.items()):
        yield _wrong("encoding_low_byte", "digest", "charset", _low_byte)
        yield _wrong("encoding_gbk", "digest", "charset", partial(str.encode, encoding="gbk"))


def _in_use(spell: Callable[[str], str], context: Context) -> Context:
    return replace(context, secret=Secret(spell(context.secret.reveal())))


def _secrets(secret: str) -> Iterator[Turn]:
    """The secret in use is not the secret: stray characters, another case; or another key."""
    strays: Sequence[tuple[str, str, str, bool]] = (
        ("secret_trailing_newline", "", "\n", False),
        ("secret_trailing_crlf", "", "\r\n", False),
        ("secret_trailing_space", "", " ", False),
        ("secret_stray_characters", "", "\t", True),
        ("secret_stray_characters", " ", "", True),
        ("secret_stray_characters", " ", " ", True),
        ("secret_stray_characters", "\n", "", True),
        ("secret_stray_characters", "\ufeff", "", True),
        ("secret_stray_characters", "", "\u200b", True),
        ("secret_stray_characters", "", "\xa0", True),
        ("secret_stray_characters", '"', '"', True),
        ("secret_stray_characters", "'", "'", True),
    )
    for id_, front, back, rare in strays:
        detail = f"{front!r} before, {back!r} behind" if rare else ""
        spell = partial(_surrounded, front, back)
        yield _wrong(id_, "key", "secret", partial(_in_use, spell), detail, rare=rare)
    if secret.lower() != secret:
        yield _wrong("secret_lowercased", "key", "secret", partial(_in_use, str.lower))
    yield _wrong("key_ampersand", "key", "source", _ampersand)
    yield _wrong("app_key_as_key", "key", "source", lambda context: context.app_key.encode())
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", secret):
        decoded = bytes.fromhex(secret)
        yield _wrong("key_hex_decoded", "key", "source", lambda context: decoded)


def _surrounded(front: str, back: str, secret: str) -> str:
    return front + secret + back


def _ampersand(context: Context) -> bytes:
    return context.secret.reveal().encode("utf-8", "surrogatepass") + b"&"


def _swapped(function: Callable[[bytes], Callable[[bytes], bytes]]) -> Any:
    return lambda key, head=b"": lambda message: function(head + message)(key)


def _swapped_sha256(key: bytes, head: bytes = b"") -> Callable[[bytes], bytes]:
    return lambda message: hmac.digest(head + message, key, "sha256")


#: A digest that takes no key makes every turn of the key pointless.
KEYLESS = frozenset({"md5", "digest_md5", "digest_sha1", "digest_plain_sha256"})

_DIGESTS = (
    _wrong("digest_plain_sha256", "digest", "function", partial(plain_digest, "sha256")),
    _wrong("digest_md5", "digest", "function", partial(plain_digest, "md5")),
    _wrong("digest_sha1", "digest", "function", partial(plain_digest, "sha1")),
    _wrong("digest_hmac_md5", "digest", "function", partial(hmac_of, "md5")),
    _wrong("digest_hmac_sha1", "digest", "function", partial(hmac_of, "sha1")),
    _wrong("digest_hmac_sha256", "digest", "function", partial(hmac_of, "sha256")),
    _wrong("digest_hmac_sha512", "digest", "function", partial(hmac_of, "sha512")),
    _wrong("key_message_swapped", "digest", "function", _swapped_sha256),
    _wrong("key_message_swapped", "digest", "arguments", _swapped),
)


def _unpadded_hex(mac: bytes) -> str:
    return "".join(f"{byte:x}" for byte in mac).upper()


def _base64(mac: bytes) -> str:
    return base64.b64encode(mac).decode()


_ENCODINGS = (
    _wrong("lowercase_hex", "encode", "case", str.lower),
    _wrong("base64_output", "encode", "form", _base64),
    _wrong("base64_output", "encode", "form",
           lambda mac: base64.urlsafe_b64encode(mac).decode(), "URL-safe"),
    _wrong("base64_output", "encode", "form", lambda mac: _base64(mac).rstrip("="), "unpadded"),
    _wrong("base64_output", "encode", "form", lambda mac: _base64(mac.hex().encode()), "of hex"),
    _wrong("base64_output", "encode", "form",
           lambda mac: _base64(mac.hex().upper().encode()), "of upper-case hex"),
    _wrong("hex_unpadded", "encode", "form", _unpadded_hex),
)  # fmt: skip
