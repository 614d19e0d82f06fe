"""The right turn at every stage, and the recipes of the gateways that are or were."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from .stages import NAME, VALUE, Around, Context, Recipe, Segment, Turn


def hmac_of(algorithm: str, key: bytes, head: bytes = b"") -> Callable[[bytes], bytes]:
    """HMAC (RFC 2104) of a message; with `head`, of what follows it.

    The padded key is hashed once, and the head with it, which halves the cost of a signature.
    """
    block = hashlib.new(algorithm).block_size
    padded = (key if len(key) <= block else hashlib.new(algorithm, key).digest()).ljust(
        block, b"\0"
    )
    inner = hashlib.new(algorithm, bytes(byte ^ 0x36 for byte in padded) + head)
    outer = hashlib.new(algorithm, bytes(byte ^ 0x5C for byte in padded))

    def mac(message: bytes) -> bytes:
        first = inner.copy()
        first.update(message)
        second = outer.copy()
        second.update(first.digest())
        return second.digest()

    return mac


def plain_digest(algorithm: str, key: bytes, head: bytes = b"") -> Callable[[bytes], bytes]:
    """A digest without a key, of a message or of what follows `head`: MD5 of the old gateways."""
    begun = hashlib.new(algorithm, head)

    def digest(message: bytes) -> bytes:
        state = begun.copy()
        state.update(message)
        return state.digest()

    return digest


def _in_front(context: Context) -> Around:
    return (Segment("path", context.path),), ()


def _nothing(context: Context) -> Around:
    return (), ()


def _both_sides(context: Context) -> Around:
    secret = Segment("secret", context.secret.reveal())
    return (secret,), (secret,)


def _secret_bytes(context: Context) -> bytes:
    return context.secret.reveal().encode("utf-8", "surrogatepass")


def _upper_hex(mac: bytes) -> str:
    return mac.hex().upper()


ALL_BUT_SIGN = Turn("all_but_sign", "select", "without-sign", "sign")
ALL_BUT_AOP = Turn("all_but_sign", "select", "without-sign", "_aop_signature")
ASCII_ORDER = Turn("ascii_order", "order", "order", sorted)
NAME_VALUE = Turn("name_value", "join", "join", (NAME, VALUE))
PATH_IN_FRONT = Turn("path_in_front", "wrap", "prefix", _in_front)
NO_PREFIX = Turn("no_prefix", "wrap", "prefix", _nothing)
NO_SECRET_AROUND = Turn("no_secret_around", "wrap", "secret", _nothing)
SECRET_BOTH_SIDES = Turn("secret_both_sides", "wrap", "secret", _both_sides)
APP_SECRET = Turn("app_secret", "key", "source", _secret_bytes)
UTF8 = Turn("utf8", "digest", "charset", str.encode)
HMAC_SHA256 = Turn("hmac_sha256", "digest", "function", partial(hmac_of, "sha256"))
HMAC_MD5 = Turn("hmac_md5", "digest", "function", partial(hmac_of, "md5"))
HMAC_SHA1 = Turn("hmac_sha1", "digest", "function", partial(hmac_of, "sha1"))
MD5 = Turn("md5", "digest", "function", partial(plain_digest, "md5"))
UPPER_HEX = Turn("upper_hex", "encode", "form", _upper_hex)

#: Business call on /sync (AliExpress openservice documents 1385, 1387).
BUSINESS = Recipe("business", ()).turned(
    ALL_BUT_SIGN, ASCII_ORDER, NAME_VALUE, NO_PREFIX, NO_SECRET_AROUND, APP_SECRET, UTF8,
    HMAC_SHA256, UPPER_HEX,
)  # fmt: skip
#: Path call at /rest (document 1385); also a path sent to /sync as `method`, where `method` is
#: signed like any other parameter (official Python and PHP SDKs).
SYSTEM = replace(BUSINESS.turned(PATH_IN_FRONT), name="system")
#: TOP with sign_method md5 (open.alitrip.com 101617).
TOP_MD5 = replace(BUSINESS.turned(SECRET_BOTH_SIDES, MD5), name="top_md5")
#: TOP with sign_method hmac (the same page).
TOP_HMAC_MD5 = replace(BUSINESS.turned(HMAC_MD5), name="top_hmac_md5")
#: The param2 gateway, now gone: HMAC-SHA1, the path without a leading slash in front.
AOP_HMAC_SHA1 = replace(SYSTEM.turned(ALL_BUT_AOP, HMAC_SHA1), name="aop_hmac_sha1")

RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe for recipe in (SYSTEM, BUSINESS, TOP_MD5, TOP_HMAC_MD5, AOP_HMAC_SHA1)
}
