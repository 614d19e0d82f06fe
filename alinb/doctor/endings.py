"""The digests, keys and encodings that can end in a signature of given length and alphabet."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import NamedTuple, TypeAlias

from ..stages import Context, Turn
from .keys import KEYLESS
from .states import Choices, Path, mistakes

#: Makes a digest from a key and from what all messages begin with.
Make: TypeAlias = Callable[..., Callable[[bytes], bytes]]


class Ending(NamedTuple):
    """A digest with its turns, and the MACs wanted of it with the turns of their encoding."""

    turns: Path
    make: Make
    wanted: Sequence[tuple[bytes, Path]]

    @property
    def least(self) -> int:
        return mistakes(self.turns) + min(len(end) for _, end in self.wanted)


class Way:
    """A digest under one key, and the MACs wanted of it, each with the paths that end in it.

    `by_secret` is false where the secret in use has no part in it.
    """

    def __init__(self, make: Make, by_secret: bool) -> None:
        self.make = make
        self.by_secret = by_secret
        self.wanted: dict[bytes, list[Path]] = {}

    @cached_property
    def whole(self) -> Callable[[bytes], bytes]:
        """The digest of a whole message."""
        return self.make()


class Endings:
    """Every way to end in one signature, by the turns of key, digest and encode."""

    def __init__(self, choices: Choices, signature: str, limit: int, rare: bool) -> None:
        self._choices = choices
        self._limit = limit
        self._rare = rare
        self._all = list(self._found(signature))
        #: The fewest mistakes of any of them; more than the limit where there is none.
        self.least = min((ending.least for ending in self._all), default=limit + 1)

    def ways(self, context: Context, room: int) -> list[list[Way]]:
        """The ways under the secret of a context, by their number of mistakes up to `room`."""
        keys: dict[bytes, tuple[Path, bool]] = {}
        for turn in self._choices.taken("key", "source", room, self._rare):
            path: Path = (turn,) if turn.mistake else ()
            keys.setdefault(turn.run(context), (path, turn.id not in _NOT_THE_SECRET))
        ways: list[list[Way]] = [[] for _ in range(room + 1)]
        for turns, make, wanted in self._all:
            keyless = any(turn.id in KEYLESS for turn in turns)
            used = tuple(turn for turn in turns if turn.mistake)
            for key, (key_path, by_secret) in list(keys.items())[: 1 if keyless else None]:
                here: dict[int, Way] = {}
                for mac, end in wanted:
                    path = (*key_path, *used, *end)
                    if len(path) <= room:
                        way = here.get(len(path))
                        if way is None:
                            way = Way(partial(make, key), by_secret and not keyless)
                            here[len(path)] = way
                            ways[len(path)].append(way)
                        way.wanted.setdefault(mac, []).append(path)
        return ways

    def _of(self, stage: str, slot: str) -> list[Turn | None]:
        return self._choices.of(stage, slot, self._limit, self._rare)

    def _found(self, signature: str) -> Iterator[Ending]:
        for function in self._choices.taken("digest", "function", self._limit, self._rare):
            size = len(function.run(b"key")(b"message"))
            undone = list(self._undone(signature, size))
            for arguments in self._of("digest", "arguments"):
                turns = (function,) if arguments is None else (function, arguments)
                if mistakes(turns) > self._limit:
                    continue
                if arguments is not None and function.id in _NOT_SWAPPED:
                    continue
                make = function.run if arguments is None else arguments.run(function.run)
                if undone:
                    yield Ending(turns, make, undone)
                yield from self._unpadded(signature, size, turns, make)

    def _undone(self, signature: str, size: int) -> Iterator[tuple[bytes, Path]]:
        """The MACs that some encoding turns into this signature, with that encoding's turns."""
        for form in self._of("encode", "form"):
            for case in self._of("encode", "case"):
                if form is None or form.id == "hex_unpadded":
                    continue
                for mac in dict.fromkeys(_macs(signature, size)):
                    text = form.run(mac)
                    if case is not None and (not text.isalnum() or case.run(text) == text):
                        continue
                    if (text if case is None else case.run(text)) == signature:
                        turns = (form,) if case is None else (form, case)
                        yield mac, tuple(turn for turn in turns if turn.mistake)

    def _unpadded(self, signature: str, size: int, turns: Path, make: Make) -> Iterator[Ending]:
        """Hex without leading zeros cannot be undone, so there the encoded texts are compared."""
        if not (size <= len(signature) < 2 * size and _HEX.fullmatch(signature)):
            return
        for form in self._of("encode", "form"):
            if form is not None and form.id == "hex_unpadded":
                cases = [turn for turn in self._of("encode", "case") if turn]
                lower = tuple(cases) if signature != signature.upper() else ()
                wanted = signature.upper().encode()
                yield Ending(turns, _composed(make, form.run), [(wanted, (form, *lower))])


_HEX = re.compile(r"[0-9A-F]+|[0-9a-f]+")
_NOT_THE_SECRET = frozenset({"app_key_as_key", "key_hex_decoded"})
#: A digest without a key has no two arguments; HMAC-SHA256 with its own swapped is a function.
_NOT_SWAPPED = KEYLESS | {"key_message_swapped", "hmac_sha256", "digest_hmac_sha256"}


def _composed(make: Make, encode: Callable[[bytes], str]) -> Make:
    def composed(key: bytes, head: bytes = b"") -> Callable[[bytes], bytes]:
        mac_of = make(key, head)
        return lambda message: encode(mac_of(message)).encode()

    return composed


def _macs(signature: str, size: int) -> Iterator[bytes]:
    """The MACs of a size that this text may be an encoding of."""

    def whole_hex(text: str) -> Iterator[bytes]:
        if len(text) == 2 * size:
            try:
                yield bytes.fromhex(text)
            except ValueError:
                return

    yield from whole_hex(signature)
    try:
        padded = signature + "=" * (-len(signature) % 4)
        decoded = base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return
    if len(decoded) == size:
        yield decoded
    yield from whole_hex(decoded.decode("latin-1"))
