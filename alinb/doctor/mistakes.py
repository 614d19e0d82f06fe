"""The wrong turns people take, as turns of the recipe engine.

What people are told about each of them stands in `knowledge/mistakes.toml`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from ..recipes import RECIPES, hmac_of, plain_digest
from ..signing import Interface
from ..stages import NAME, VALUE, Around, Context, Params, Recipe, Segment, Turn

#: `encodeURIComponent` leaves these as they are; `rawurlencode` and `quote` encode some of them.
_COMPONENT = "!'()*-._~"

_NAMED = {
    "method": "method_not_signed",
    "sign_method": "sign_method_not_signed",
    "timestamp": "timestamp_not_signed",
    "access_token": "token_not_signed",
    "session": "token_not_signed",
}


def turns(base: Recipe, found: Interface, params: Params) -> list[Turn]:
    """Every wrong turn that can change the string of this request, in walking order."""
    wrong = [
        *_selections(found, params),
        *_formats(params),
        *_ORDERS,
        *_JOINS,
        *_prefixes(found, params),
        *_SECRETS_AROUND,
        *_SPELLINGS,
        *_KEYS,
        *_DIGESTS,
        *_ENCODINGS,
    ]
    right = {(turn.stage, turn.slot): turn.id for turn in base.turns}
    ids = {_RIGHT_TWINS.get(turn_id, turn_id) for turn_id in right.values()}
    return sorted((turn for turn in wrong if turn.id not in ids), key=lambda turn: turn.place)


#: A wrong turn on one platform that is the right one of another recipe.
_RIGHT_TWINS = {
    "secret_both_sides": "secret_wrapped",
    "no_secret_around": "secret_wrap_missing",
    "md5": "digest_md5",
    "hmac_md5": "digest_hmac_md5",
    "hmac_sha1": "digest_hmac_sha1",
    "hmac_sha256": "digest_hmac_sha256",
    "no_prefix": "path_prefix_missing",
}


def _wrong(id_: str, stage: str, slot: str, run: Any, detail: str = "", **more: Any) -> Turn:
    return Turn(id_, stage, slot, run, mistake=True, detail=detail, **more)


def _selections(found: Interface, params: Params) -> Iterator[Turn]:
    for name, value in params.items():
        if name in ("sign", "_aop_signature"):
            continue
        id_ = _NAMED.get(name, "unsigned_param")
        yield _wrong(id_, "select", f"leave-out:{name}", partial(_leave_out, name), name)
        if value == "":
            yield _wrong("empty_values_dropped", "select", "empties", _drop_empties)
    if found.kind == "system":
        for spelled in (found.path, found.path.strip("/").replace("/", ".")):
            added = {"method": spelled}
            yield _wrong("method_signed_on_system", "select", "add:method",
                         partial(_add, added), spelled)  # fmt: skip
    yield _wrong("sign_included", "select", "add:sign", partial(_add, {"sign": ""}))


def _leave_out(name: str, context: Context) -> Callable[[Params], Params]:
    return lambda params: {key: value for key, value in params.items() if key != name}


def _drop_empties(context: Context) -> Callable[[Params], Params]:
    return lambda params: {key: value for key, value in params.items() if value != ""}


def _add(added: Params, context: Context) -> Callable[[Params], Params]:
    return lambda params: {**params, **added}


def _formats(params: Params) -> Iterator[Turn]:
    for id_, encode in (("values_urlencoded", _component), ("values_urlencoded_plus", quote_plus)):
        if any(encode(value) != value for value in params.values()):
            yield _wrong(id_, "format", "percent", partial(_each_value, encode))


def _each_value(encode: Callable[[str], str], context: Context) -> Callable[[Params], Params]:
    return lambda params: {name: encode(value) for name, value in params.items()}


def _component(text: str) -> str:
    return quote(text, safe=_COMPONENT, errors="surrogatepass")


def _by_concatenation(names: Iterable[str], params: Params) -> list[str]:
    return sorted(names, key=lambda name: name + params[name])


_ORDERS = (
    _wrong("unsorted", "order", "order", list),
    _wrong("sort_case_insensitive", "order", "order", partial(sorted, key=str.lower)),
    _wrong("sort_descending", "order", "order", partial(sorted, reverse=True)),
    _wrong("sort_by_concatenation", "order", "order", _by_concatenation, by_value=True),
)

_JOINS = (
    _wrong("kv_separators", "join", "join", (NAME, "=", VALUE, "&")),
    _wrong("kv_equals_only", "join", "join", (NAME, "=", VALUE)),
    _wrong("values_only", "join", "join", (VALUE,)),
)


def _prefixes(found: Interface, params: Params) -> Iterator[Turn]:
    def prefix(id_: str, text: Callable[[Context], str], detail: str = "") -> Turn:
        return _wrong(id_, "wrap", "prefix", partial(_text_in_front, text), detail)

    if not found.path:
        method = params.get("method", "")
        for text in ("/sync", method, "/" + method.replace(".", "/"), "/" + method):
            yield prefix("prefix_on_business", partial(_constant, text), text)
        return
    yield prefix("path_prefix_missing", partial(_constant, ""))
    yield prefix("prefix_no_leading_slash", lambda context: context.path.lstrip("/"))
    yield prefix("prefix_with_rest", lambda context: "/rest" + context.path)
    yield prefix("prefix_full_url", lambda context: context.url.partition("?")[0])
    yield prefix("prefix_trailing_slash", lambda context: context.path + "/")
    yield prefix("prefix_http_verb", lambda context: context.verb + context.path)
    if found.kind == "system_sync":
        yield prefix("prefix_with_rest", lambda context: urlsplit(context.url).path, "/sync")


def _constant(text: str, context: Context) -> str:
    return text


def _text_in_front(text: Callable[[Context], str], context: Context) -> Around:
    return (Segment("path", text(context)),), ()


def _secret_around(front: bool, back: bool, context: Context) -> Around:
    secret = (Segment("secret", context.secret.reveal()),)
    return secret if front else (), secret if back else ()


_SECRETS_AROUND = (
    _wrong("secret_wrapped", "wrap", "secret", partial(_secret_around, True, True)),
    _wrong("secret_front_only", "wrap", "secret", partial(_secret_around, True, False)),
    _wrong("secret_back_only", "wrap", "secret", partial(_secret_around, False, True)),
    _wrong("secret_wrap_missing", "wrap", "secret", partial(_secret_around, False, False)),
)

_SPELLINGS = (_wrong("string_urlencoded", "wrap", "spelling", _component),)


def _as_key(spell: Callable[[str], str], context: Context) -> bytes:
    return spell(context.secret.reveal()).encode("utf-8", "surrogatepass")


def _hex_decoded(context: Context) -> bytes:
    try:
        return bytes.fromhex(context.secret.reveal())
    except ValueError:
        return b""


_KEYS = (
    _wrong("secret_trailing_newline", "key", "source", partial(_as_key, lambda s: s + "\n")),
    _wrong("secret_trailing_crlf", "key", "source", partial(_as_key, lambda s: s + "\r\n")),
    _wrong("secret_trailing_space", "key", "source", partial(_as_key, lambda s: s + " ")),
    _wrong("secret_lowercased", "key", "source", partial(_as_key, str.lower)),
    _wrong("key_ampersand", "key", "source", partial(_as_key, lambda s: s + "&")),
    _wrong("key_hex_decoded", "key", "source", _hex_decoded),
    _wrong("app_key_as_key", "key", "source", lambda context: context.app_key.encode()),
)


def _swapped(key: bytes) -> Callable[[bytes], bytes]:
    return lambda message: hmac_of("sha256", message)(key)


_DIGESTS = (
    _wrong("digest_plain_sha256", "digest", "function", partial(plain_digest, "sha256")),
    _wrong("digest_md5", "digest", "function", partial(plain_digest, "md5")),
    _wrong("digest_sha1", "digest", "function", partial(plain_digest, "sha1")),
    _wrong("digest_hmac_md5", "digest", "function", partial(hmac_of, "md5")),
    _wrong("digest_hmac_sha1", "digest", "function", partial(hmac_of, "sha1")),
    _wrong("digest_hmac_sha256", "digest", "function", partial(hmac_of, "sha256")),
    _wrong("digest_hmac_sha512", "digest", "function", partial(hmac_of, "sha512")),
    _wrong("key_message_swapped", "digest", "function", _swapped),
)

#: A digest that takes no key makes every key turn pointless.
KEYLESS = frozenset({"md5", "digest_md5", "digest_sha1", "digest_plain_sha256"})


def _unpadded_hex(mac: bytes) -> str:
    return "".join(f"{byte:x}" for byte in mac).upper()


_ENCODINGS = (
    _wrong("lowercase_hex", "encode", "encode", bytes.hex),
    _wrong("base64_output", "encode", "encode", lambda mac: base64.b64encode(mac).decode()),
    _wrong("hex_unpadded", "encode", "encode", _unpadded_hex),
)


def all_ids() -> set[str]:
    """The ids of every mistake the engine can take."""
    made = turns(
        RECIPES["business"],
        Interface("system", "/a/b"),
        {"method": "m", "sign_method": "s", "timestamp": "1", "session": "é", "x": ""},
    )
    business = turns(RECIPES["top_md5"], Interface("business", ""), {"method": "a.b"})
    return {turn.id for turn in (*made, *business)}
