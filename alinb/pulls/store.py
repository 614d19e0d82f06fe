"""The pages of a pull as they come in: in memory, or in part files that outlive a killed process.

A part file holds one frame a page: a line of JSON (what the page says of itself, the length and the
checksum of what follows), then the reply as it came, packed. A frame that a kill has torn is found
by its checksum and fetched again. Nothing is ever appended to a file of an earlier run.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Protocol

from ..errors import InputError
from .folders import Folder, Writer
from .frontier import Facts
from .held import Held, Kept
from .page import Page
from .plan import Plan

MANIFEST = "manifest.json"


class Store(Protocol):
    """Pages by item and number; the last one written counts."""

    held: Held

    def add(self, page: Page) -> None: ...
    def read(self, key: str, part: int) -> bytes: ...
    def forget(self, key: str) -> None: ...
    def close(self) -> None: ...


class MemoryStore:
    """Pages of this process, packed."""

    def __init__(self) -> None:
        self.held = Held()
        self._packed: dict[tuple[str, int], bytes] = {}

    def add(self, page: Page) -> None:
        packed = zlib.compress(page.content, 1)
        self._packed[page.key, page.part] = packed
        self.held.put(page.key, page.part, Kept(page.facts, "", 0, len(packed)))

    def read(self, key: str, part: int) -> bytes:
        return zlib.decompress(self._packed[key, part])

    def forget(self, key: str) -> None:
        for part in self.held.pop(key):
            del self._packed[key, part]

    def close(self) -> None: ...


class PartStore:
    """Pages in part files of a folder, with a manifest that says which pull they belong to.

    Raises `InputError` where the folder cannot be written, belongs to another pull, or is in use by
    another process. `fresh` starts anew. A shard of a cluster has a `stem` of its own, and leaves
    lock and manifest to whoever hands the work out.
    """

    def __init__(self, folder: Folder, plan: Plan, *, fresh: bool = False, stem: str = "") -> None:
        self.held = Held()
        self.folder, self.plan = folder, plan
        self._stem, self._lock = stem or "part", None
        self._writer: Writer | None = None
        try:
            folder.make()
            if not stem:
                self._lock = folder.lock()
                self._check(fresh)
            self.load()
        except OSError as error:
            raise self._unwritable(error) from None

    def load(self) -> None:
        """Look again at what is there."""
        self.held = Held()
        for name in self.folder.names():
            if name.endswith(".pages"):
                with self.folder.open(name) as file:
                    for key, part, kept in frames(file, name):
                        self.held.put(key, part, kept)

    def add(self, page: Page) -> None:
        """Write a page; in a folder of this machine it is safe from a kill when this returns."""
        packed = zlib.compress(page.content, 1)
        head = {
            "item": page.key, "part": page.part, **page.facts.as_dict(), "length": len(packed),
            "crc": zlib.crc32(packed),
        }  # fmt: skip
        line = json.dumps(head).encode() + b"\n"
        try:
            if self._writer is None:
                self._writer = self.folder.writer(self._stem)
            place = self._writer.append(line + packed)
        except OSError as error:
            raise self._unwritable(error) from None
        kept = Kept(page.facts, place.file, place.offset + len(line), len(packed))
        self.held.put(page.key, page.part, kept)

    def read(self, key: str, part: int) -> bytes:
        kept = self.held.get(key, part)
        with self.folder.open(kept.file) as file:
            file.seek(kept.offset)
            return zlib.decompress(file.read(kept.length))

    def forget(self, key: str) -> None:
        self.held.pop(key)

    def close(self) -> None:
        """Write what is still to be written."""
        writer, self._writer = self._writer, None
        try:
            if writer is not None:
                writer.close()
        except OSError as error:
            raise self._unwritable(error) from None

    def release(self) -> None:
        """Let the folder go."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def remove(self) -> None:
        """Delete the part files; the folder, too, where nothing else is in it."""
        for name in self.folder.names():
            if name == MANIFEST or name.endswith((".pages", ".lock", ".tmp")):
                self.folder.remove(name)
        self.folder.drop()

    def _check(self, fresh: bool) -> None:
        new, known = manifest(self.plan), {}
        if fresh:
            for name in self.folder.names():
                if name == MANIFEST or name.endswith(".pages"):
                    self.folder.remove(name)
        with suppress(FileNotFoundError), self.folder.open(MANIFEST) as file:
            known = _json(file.read())
            if known.get("fingerprint") != new["fingerprint"]:
                self.release()
                what = f"{known.get('name')} {known.get('params')}" if known else "something else"
                raise InputError(
                    f"{self.folder.name} holds the pages of another pull: {what}.",
                    next_step="Choose another path, or start anew with fresh=True (--fresh).",
                )
        self.folder.write(MANIFEST, json.dumps(known or new, indent=1).encode())

    def _unwritable(self, error: OSError) -> InputError:
        self.release()
        return InputError(
            f"{self.folder.name} cannot be written: {error.strerror or error}.",
            next_step="Choose another path; the pages written so far stay.",
        )


def manifest(plan: Plan) -> dict[str, Any]:
    """What says which pull part files belong to; no secret is in it."""
    return {
        "alinb_pull": 1, "name": plan.name, "params": plan.shown_params(), "size": plan.size,
        "items": len(plan.items), "paging": plan.paging.kind, "fingerprint": plan.fingerprint,
        "started": time.time(),
    }  # fmt: skip


def frames(file: Any, name: str) -> Iterator[tuple[str, int, Kept]]:
    """The whole frames of a part file, in order; a torn one ends it."""
    while line := file.readline():
        try:
            head: Mapping[str, Any] = json.loads(line)
            facts = Facts(*(head[field] for field in Facts._fields))
            length, crc = int(head["length"]), head["crc"]
            key, part = str(head["item"]), int(head["part"])
        except (ValueError, KeyError, TypeError):
            return
        offset = file.tell()
        packed = file.read(length)
        if len(packed) != length or zlib.crc32(packed) != crc:
            return
        yield key, part, Kept(facts, name, offset, length)


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
