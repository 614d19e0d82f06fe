"""The wrong turns of key, digest and encode: what is done once the string is made."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ..recipes import hmac_of, plain_digest
from ..redact import Secret
from ..stages import Context, Turn


def wrong(id_: str, stage: str, slot: str, run: Any, detail: str = "", **more: Any) -> Turn:
    """A turn that leads away from the right signature."""
    return Turn(id_, stage, slot, run, mistake=True, detail=detail, **more)


def _in_use(spell: Callable[[str], str], context: Context) -> Context:
    return replace(context, secret=Secret(spell(context.secret.reveal())))


def secrets(secret: str) -> Iterator[Turn]:
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
        yield wrong(id_, "key", "secret", partial(_in_use, spell), detail, rare=rare)
    if secret.lower() != secret:
        yield wrong("secret_lowercased", "key", "secret", partial(_in_use, str.lower))
    yield wrong("key_ampersand", "key", "source", _ampersand)
    yield wrong("app_key_as_key", "key", "source", _app_key)
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", secret):
        decoded = bytes.fromhex(secret)
        yield wrong("key_hex_decoded", "key", "source", lambda context: decoded)


def _surrounded(front: str, back: str, secret: str) -> str:
    return front + secret + back


def _ampersand(context: Context) -> bytes:
    return context.secret.reveal().encode("utf-8", "surrogatepass") + b"&"


def _app_key(context: Context) -> bytes:
    return context.app_key.encode("utf-8", "surrogatepass")


def _swapped(function: partial[Any]) -> Any:
    """An HMAC with its two arguments in each other's place."""
    (algorithm,) = function.args
    return lambda key, head=b"": lambda message: hmac.digest(head + message, key, algorithm)


#: A digest that takes no key makes every turn of the key pointless.
KEYLESS = frozenset({"md5", "digest_md5", "digest_sha1", "digest_plain_sha256"})

DIGESTS = (
    wrong("digest_plain_sha256", "digest", "function", partial(plain_digest, "sha256")),
    wrong("digest_md5", "digest", "function", partial(plain_digest, "md5")),
    wrong("digest_sha1", "digest", "function", partial(plain_digest, "sha1")),
    wrong("digest_hmac_md5", "digest", "function", partial(hmac_of, "md5")),
    wrong("digest_hmac_sha1", "digest", "function", partial(hmac_of, "sha1")),
    wrong("digest_hmac_sha256", "digest", "function", partial(hmac_of, "sha256")),
    wrong("digest_hmac_sha512", "digest", "function", partial(hmac_of, "sha512")),
    wrong("key_message_swapped", "digest", "function", _swapped(partial(hmac_of, "sha256"))),
    wrong("key_message_swapped", "digest", "arguments", _swapped),
)


def _unpadded_hex(mac: bytes) -> str:
    return "".join(f"{byte:x}" for byte in mac).upper()


def _upper_hex(mac: bytes) -> str:
    return mac.hex().upper()


def _base64(mac: bytes) -> str:
    return base64.b64encode(mac).decode()


def _url_safe(mac: bytes) -> str:
    return base64.urlsafe_b64encode(mac).decode()


ENCODINGS = (
    wrong("lowercase_hex", "encode", "case", str.lower),
    wrong("base64_output", "encode", "form", _base64),
    wrong("base64_output", "encode", "form", _url_safe, "URL-safe"),
    wrong("base64_output", "encode", "form", lambda mac: _base64(mac).rstrip("="), "unpadded"),
    wrong("base64_output", "encode", "form", lambda mac: _url_safe(mac).rstrip("="),
          "URL-safe, unpadded"),
    wrong("base64_output", "encode", "form", lambda mac: _base64(mac.hex().encode()), "of hex"),
    wrong("base64_output", "encode", "form", lambda mac: _base64(_upper_hex(mac).encode()),
          "of upper-case hex"),
    wrong("hex_unpadded", "encode", "form", _unpadded_hex),
)  # fmt: skip
