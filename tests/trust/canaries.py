"""Find a secret in a text whatever it is disguised as; written without alinb."""

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote_plus, unquote_to_bytes

#: How often escapes are undone, one layer after the other.
LAYERS = 6
#: So many letters and digits in a row are not met by chance, whatever stands between them.
TELLING = 16


def survivors(text: str | bytes, canaries: Iterable[str]) -> list[str]:
    """The canaries' spellings that anyone finds in it who undoes escapes layer by layer.

    Raw, in URLs and JSON, in base64 and hex, in any letter case, and any of them in layers; and
    cut into pieces with anything but letters and digits between them, or with keys, tags, colors.
    """
    layers = [text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")]
    for _ in range(LAYERS):
        layers.append(unquote_to_bytes(layers[-1]))
        layers.append(re.sub(rb"(?:\\u[0-9a-fA-F]{4})+|\\[/\"\\]", _plain, layers[-1]))
    searched = {layer.decode("utf-8", "replace").lower() for layer in layers}
    pieces = {_joined(each) for layer in searched for each in (layer, _BETWEEN.sub("", layer))}
    needles = {needle.lower(): needle for value in canaries for needle in spellings(value)}
    return [
        needle
        for low, needle in needles.items()
        if any(low in layer for layer in searched)
        or (len(core := _joined(low)) >= TELLING and any(core in joined for joined in pieces))
    ]


def spellings(value: str) -> list[str]:
    """A value as it stands in a text without escapes; base64 at each of three offsets."""
    raw = value.encode()
    found = [value, raw.hex(), quote_plus(value)]
    for lead in range(3):
        first, last = -(-8 * lead // 6), 8 * (lead + len(raw)) // 6
        core = base64.b64encode(b"\0" * lead + raw + b"\0\0").decode()[first:last]
        found += [core, core.replace("+", "-").replace("/", "_")]
    return list(dict.fromkeys(found))


#: Letters and digits that are nobody's value: of escapes, tags, colors and the keys of JSON.
_BETWEEN = re.compile(r"""\\[abfnrtv0]|<[^<>]*>|&#?\w{1,8};|\x1b\[[\d;]*m|"[^"]*"\s*:""")
_OTHER = re.compile(r"[\W_]+")


def _joined(text: str) -> str:
    """The letters and digits of a text alone."""
    return _OTHER.sub("", text)


def _plain(found: re.Match[bytes]) -> bytes:
    """What one escape of JSON, or several of UTF-16 units in a row, mean."""
    if found[0][1:2] != b"u":
        return found[0][1:]
    units = bytes.fromhex(found[0].decode().replace("\\u", ""))
    return units.decode("utf-16-be", "replace").encode()
