"""The body of an answer, unpacked as it comes and never larger than is allowed."""

from __future__ import annotations

import zlib
from io import BytesIO

from .redact import hide

#: The most that one answer may hold, unpacked, in bytes; the largest pages known take 2 MB.
LARGEST = 64 * 1024 * 1024
#: How much of an answer that is not usable is kept for its attempt, in bytes.
KEPT = 64 * 1024
#: How often the time for one part of an answer makes the time for all of it.
WHOLE = 6
#: What an answer may be packed by, as Accept-Encoding has it.
PACKINGS = "gzip, deflate"
#: What is unpacked at once, in bytes.
_STEP = 256 * 1024


class Unusable(Exception):
    """The answer cannot be taken; the message says why, in words without a secret."""


class Body:
    """What came of a body; `encoding` is the answer's Content-Encoding.

    `add` raises `Unusable` where it grows over `largest` or cannot be unpacked. gzip and deflate
    are unpacked in small steps, so that a bomb costs no more than that.
    """

    def __init__(self, encoding: str = "", largest: int = LARGEST) -> None:
        self.content = BytesIO()
        self._largest = largest
        self._encoding = encoding.strip().lower()
        self._unpacker = self._new() if self._encoding not in ("", "identity") else None
        self._fresh = True

    def _new(self) -> zlib._Decompress:
        if self._encoding not in ("gzip", "x-gzip", "deflate"):
            raise Unusable(
                f"the answer is packed as {self._encoding[:40]!r}, which was not asked for"
            )
        return zlib.decompressobj(zlib.MAX_WBITS | 32)

    def add(self, part: bytes) -> None:
        """Take the next part as it came over the line."""
        if self._unpacker is None:
            self._keep(part)
            return
        if self._fresh and part:
            self._fresh = False
            if self._encoding == "deflate" and part[0] & 0x0F != 8:
                self._unpacker = zlib.decompressobj(-zlib.MAX_WBITS)  # some send it without a head
        while part and not self._unpacker.eof:
            try:
                self._keep(self._unpacker.decompress(part, _STEP))
            except zlib.error:
                raise Unusable(f"the answer is no {self._encoding}, as it says it is") from None
            part = self._unpacker.unconsumed_tail

    @property
    def begun(self) -> bytes:
        """How it begins: enough to see what it was."""
        return bytes(self.content.getbuffer()[:KEPT])

    def end(self) -> BytesIO:
        """The whole; raises `Unusable` where a packed one was cut."""
        if self._unpacker is not None and not self._fresh and not self._unpacker.eof:
            raise Unusable(f"the {self._encoding} answer is cut")
        return self.content

    def _keep(self, part: bytes) -> None:
        if self.content.tell() + len(part) > self._largest:
            raise Unusable(f"the answer is larger than {self._largest >> 20} MiB")
        self.content.write(part)


def what_broke(error: Exception) -> str:
    """What went wrong on the line, in words that hold no secret."""
    if isinstance(error, Unusable):
        return str(error)
    kind = {
        "TimeoutError": "no whole answer in time",
        "ConnectError": "could not connect",
        "ConnectTimeout": "could not connect in time",
        "ReadTimeout": "no answer in time",
        "RemoteProtocolError": "the connection was closed in the middle",
        "ReadError": "the connection broke",
    }.get(type(error).__name__, type(error).__name__)
    return hide(f"{kind} ({error})" if str(error) else kind)
