"""An attempt as the rows that keep it, and back."""

from __future__ import annotations

import json
import zlib
from typing import Any, NamedTuple

from ..attempts import Attempt
from ..errors import JournalError
from ..redact import Redactor


class Row(NamedTuple):
    """What is stored of one attempt: the facts of a list, the rest, and the reply's body."""

    facts: tuple[Any, ...]
    contents: bytes
    body: bytes | None

    @property
    def size(self) -> int:
        return len(self.contents) + len(self.body or b"")


def pack(attempt: Attempt, redactor: Redactor) -> Row:
    """The rows of an attempt, without any secret in them; `facts` is `COLUMNS` without `id`."""
    hidden = attempt.redacted(redactor)
    reply = hidden.reply
    facts = (
        hidden.at, hidden.api_name, reply.verdict if reply else hidden.verdict,
        reply.decisive_code if reply else "", reply.decisive_message if reply else "",
        reply.request_id if reply else "", hidden.method, hidden.url.partition("?")[0],
        hidden.status, hidden.elapsed_ms,
        " ".join((hidden.diagnosis or {}).get("mistakes", [])), hidden.platform,
        hidden.source, hidden.problem,
    )  # fmt: skip
    text = json.dumps(_contents(hidden), ensure_ascii=False)
    return Row(
        tuple(map(_storable, facts)),
        _squeezed(text),
        _squeezed(hidden.reply_text) if hidden.reply_text else None,
    )


def unpack(number: int, packed: bytes, body: bytes | None) -> Attempt:
    """The attempt of its rows; one of an older journal has its body among the contents."""
    try:
        held = json.loads(zlib.decompress(packed))
        for pairs in ("headers", "reply_headers"):
            held[pairs] = tuple((name, value) for name, value in held[pairs])
        if body is not None:
            held["reply_text"] = zlib.decompress(body).decode("utf-8", "surrogatepass")
        return Attempt(**held, id=number)
    except (zlib.error, ValueError, TypeError, KeyError) as error:
        raise JournalError(
            f"Attempt {number} cannot be read from the journal: {error}.",
            next_step="The other attempts are unharmed; alinb attempts ls shows them.",
        ) from None


def _contents(attempt: Attempt) -> dict[str, Any]:
    return {
        "method": attempt.method, "url": attempt.url, "headers": attempt.headers,
        "body": attempt.body, "string_to_sign": attempt.string_to_sign,
        "stages": dict(attempt.stages), "status": attempt.status,
        "reply_headers": attempt.reply_headers,
        "problem": attempt.problem, "name": attempt.name, "platform": attempt.platform,
        "source": attempt.source, "at": attempt.at, "elapsed_ms": attempt.elapsed_ms,
        "diagnosis": attempt.diagnosis, "stated_sign": attempt.stated_sign,
    }  # fmt: skip


def _squeezed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


def _storable(value: Any) -> Any:
    # SQLite takes no half of a surrogate pair; the packed contents keep it.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
