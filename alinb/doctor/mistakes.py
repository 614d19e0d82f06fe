"""The wrong turns people take, as turns of the recipe engine.

What people are told about each of them stands in `knowledge/mistakes.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import permutations
from urllib.parse import urlsplit

from ..signing import Interface
from ..stages import NAME, VALUE, Around, Context, Params, Recipe, Segment, Turn
from .keys import DIGESTS, ENCODINGS, secrets, wrong
from .keys import KEYLESS as KEYLESS
from .spellings import (
    SPELLINGS,
    by_concatenation,
    by_value,
    collation,
    component,
    distinct,
    form,
    raw,
    slash_kept,
)

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
    """Every wrong turn that alone, or beside another, can change this request's signature.

    They come in walking order; of several under one id the plainest, without a detail, first.
    """
    right = {_RIGHT_TWINS.get(turn.id, turn.id) for turn in base.turns}
    wrong = [
        *_selections(found, params),
        *_formats(found, params),
        *_ORDERS,
        *_JOINS,
        *_prefixes(found, params, context),
        *_surroundings(context),
        *_charsets(params),
        *secrets(context.secret.reveal()),
        *DIGESTS,
        *ENCODINGS,
    ]
    return sorted((turn for turn in wrong if turn.id not in right), key=lambda turn: turn.place)


def orders(names: Sequence[str]) -> Iterator[Turn]:
    """Every order of a few names, as a program has it that writes its string by hand."""
    for order in permutations(names):
        place = {name: number for number, name in enumerate(order)}
        run = partial(sorted, key=lambda name, place=place: place.get(name, len(place)))
        yield wrong("unsorted", "order", "order", run, ", ".join(order))


def _selections(found: Interface, params: Params) -> Iterator[Turn]:
    for name in params:
        if name not in ("sign", "_aop_signature"):
            id_ = _LEFT_OUT.get(name, "unsigned_param")
            yield wrong(id_, "select", f"leave-out:{name}", partial(_leave_out, name), name)
    if "" in params.values():
        yield wrong("empty_values_dropped", "select", "empties", _drop_empties)
    # What is added to an unsorted string stands at its end, in this order.
    for name, values in _OFTEN_ADDED.items():
        for value in values if name not in params else ():
            yield wrong("param_signed_not_sent", "select", f"add:{name}",
                        partial(_add, {name: value}), f"{name}={value}", rare=True)  # fmt: skip
    if found.kind == "system" and "method" not in params:
        for spelled in (found.path, found.path.strip("/").replace("/", ".")):
            added = partial(_add, {"method": spelled})
            yield wrong("method_signed_on_system", "select", "add:method", added, spelled)
    yield wrong("sign_included", "select", "add:sign", partial(_add, {"sign": ""}))


def _leave_out(name: str, context: Context) -> Callable[[Params], Params]:
    return lambda params: {key: value for key, value in params.items() if key != name}


def _drop_empties(context: Context) -> Callable[[Params], Params]:
    return lambda params: {key: value for key, value in params.items() if value != ""}


def _add(added: Params, context: Context) -> Callable[[Params], Params]:
    return lambda params: {**params, **added}


def _formats(found: Interface, params: Params) -> Iterator[Turn]:
    timestamp = params.get("timestamp", "")
    if re.fullmatch(r"\d{13}", timestamp):
        yield _set("timestamp_seconds_signed", "timestamp", "timestamp", timestamp[:-3])
        if timestamp[-3] >= "5":
            rounded = str(int(timestamp[:-3]) + 1)
            turn = _set("timestamp_seconds_signed", "timestamp", "timestamp", rounded)
            yield replace(turn, detail="rounded up", rare=True)
    if declared := params.get("sign_method"):
        for value in (*_SIGN_METHODS, *_RARE_SIGN_METHODS):
            if value != declared:
                turn = _set("sign_method_value_differs", "sign-method", "sign_method", value)
                yield replace(turn, detail=value, rare=value in _RARE_SIGN_METHODS)
    for ours, theirs in (("access_token", "session"), ("session", "access_token")):
        if ours in params and theirs not in params:
            renamed = partial(_rename, ours, theirs)
            yield wrong("token_name_differs", "format", "token-name", renamed, theirs)
    yield from _spelled_values(found, params)


def _set(id_: str, slot: str, name: str, value: str) -> Turn:
    return wrong(id_, "format", slot, partial(_with_value, name, value))


def _with_value(name: str, value: str, context: Context) -> Callable[[Params], Params]:
    return lambda params: {**params, name: value} if name in params else params


def _rename(ours: str, theirs: str, context: Context) -> Callable[[Params], Params]:
    return lambda params: {theirs if n == ours else n: value for n, value in params.items()}


def _spelled_values(found: Interface, params: Params) -> Iterator[Turn]:
    """Values spelled otherwise in the string than in the request: all of them, or only one."""
    values = _perhaps_signed(found, params)
    seen: set[tuple[str, str, str]] = set()
    for spelling, changed in distinct(SPELLINGS, values):
        id_, slot, _, detail = spelling
        spell = cache(spelling.spell)
        seldom = slot == "boolean" and not changed.keys() & params.keys()
        each = partial(_each_value, spell, None)
        yield wrong(id_, "format", slot, each, detail, rare=seldom)
        for name, text in changed.items() if slot == "percent" and len(changed) > 1 else ():
            if (id_, name, text) not in seen:
                seen.add((id_, name, text))
                one = partial(_each_value, spell, name)
                yield wrong(id_, "format", f"percent:{name}", one, f"only {name} {detail}".strip(),
                            rare=detail != "")  # fmt: skip


def _perhaps_signed(found: Interface, params: Params) -> Params:
    """The parameters that are sent, and those that only a mistake adds to the string."""
    added = {"method": found.path} if found.kind == "system" else {}
    return {"simplify": "true", **added, **params}


def _each_value(
    spell: Callable[[str], str], only: str | None, context: Context
) -> Callable[[Params], Params]:
    if only is None:
        return lambda params: {name: spell(value) for name, value in params.items()}
    return lambda params: {**params, only: spell(params[only])} if only in params else params


_ORDERS = (
    wrong("unsorted", "order", "order", list),
    wrong("sort_case_insensitive", "order", "order", partial(sorted, key=str.lower)),
    wrong("sort_case_insensitive", "order", "order", partial(sorted, key=str.upper), "upper"),
    wrong("sort_locale", "order", "order", partial(sorted, key=collation)),
    wrong("sort_descending", "order", "order", partial(sorted, reverse=True)),
    wrong("sort_by_concatenation", "order", "order", by_concatenation, by_value=True),
    wrong("ad_hoc_string", "order", "order", by_value, "by value", by_value=True, rare=True),
)

_JOINS = (
    wrong("kv_separators", "join", "join", (NAME, "=", VALUE, "&")),
    # The last separator of a layout is cut off: here that is the empty one.
    wrong(
        "kv_separators",
        "join",
        "join",
        (NAME, "=", VALUE, "&", ""),
        "one at the end too",
        rare=True,
    ),
    wrong("kv_equals_only", "join", "join", (NAME, "=", VALUE)),
    wrong("values_only", "join", "join", (VALUE,)),
)


def _prefixes(found: Interface, params: Params, context: Context) -> Iterator[Turn]:
    def prefix(id_: str, text: str, detail: str = "") -> Turn:
        return wrong(id_, "wrap", "prefix", partial(_text_in_front, text), detail)

    path, method, url = found.path, params.get("method", ""), context.url.partition("?")[0]
    if not path:
        spelled = ("/sync", urlsplit(context.url).path, method, "/" + method.replace(".", "/"),
                   "/" + method)  # fmt: skip
        for text in dict.fromkeys(text for text in spelled if text.strip("/")):
            yield prefix("prefix_on_business", text, text)
        yield replace(prefix("prefix_full_url", url, "on a business call"), rare=True)
        return
    yield prefix("path_prefix_missing", "")
    yield prefix("prefix_no_leading_slash", path.lstrip("/"))
    yield prefix("prefix_with_rest", "/rest" + path)
    yield prefix("prefix_full_url", url)
    yield prefix("prefix_trailing_slash", path + "/")
    yield prefix("prefix_http_verb", context.verb + path)
    if found.kind == "system_sync":
        yield prefix("prefix_with_rest", urlsplit(context.url).path, "the path of the URL")


def _text_in_front(text: str, context: Context) -> Around:
    return (Segment("path", text),), ()


#: A body that was signed did not hold its own signature yet.
_SIGN_IN_BODY = re.compile(r"(?:^|&)(?:sign|_aop_signature)=[^&]*")


def _secret_around(front: bool, back: bool, context: Context) -> Around:
    secret = (Segment("secret", context.secret.reveal()),)
    return secret if front else (), secret if back else ()


def _body_behind(body: str, context: Context) -> Around:
    return (), (Segment("body", body),)


def _surroundings(context: Context) -> Iterator[Turn]:
    for id_, front, back in (
        ("secret_wrapped", True, True),
        ("secret_front_only", True, False),
        ("secret_back_only", False, True),
        ("secret_wrap_missing", False, False),
    ):
        yield wrong(id_, "wrap", "secret", partial(_secret_around, front, back))
    if body := _SIGN_IN_BODY.sub("", context.body).removeprefix("&"):
        yield wrong("body_appended", "wrap", "body", partial(_body_behind, body))
    yield wrong("string_urlencoded", "wrap", "spelling", component)
    for spell, detail in ((raw, "rawurlencode"), (form, "plus for blanks"), (slash_kept, "quote")):
        yield wrong("string_urlencoded", "wrap", "spelling", spell, detail, rare=True)


def _low_byte(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")[::2]


def _charsets(params: Params) -> Iterator[Turn]:
    if any(not (name + value).isascii() for name, value in params.items()):
        yield wrong("encoding_low_byte", "digest", "charset", _low_byte)
        yield wrong("encoding_gbk", "digest", "charset", partial(str.encode, encoding="gbk"))
