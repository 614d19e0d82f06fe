"""Where a journal may lie, and what to say where it cannot be used."""

from __future__ import annotations

import os
import sqlite3
from functools import lru_cache
from pathlib import Path

from ..errors import JournalError

#: File systems that other machines write too: they do not share the memory that WAL needs.
_REMOTE = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "gpfs",
     "beegfs", "orangefs", "pvfs2", "davfs", "davfs2", "ncpfs", "coda", "9p", "fuse.sshfs",
     "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.glusterfs", "fuse.ceph-fuse",
     "fuse.mount-s3", "fuse.davfs2", "fuse.juicefs"}
)  # fmt: skip


def default_path() -> Path:
    """ALINB_JOURNAL, else `journal.sqlite3` in the user's data folder."""
    if chosen := os.environ.get("ALINB_JOURNAL"):
        return Path(chosen)
    from platformdirs import user_data_dir

    return Path(user_data_dir("alinb", appauthor=False)) / "journal.sqlite3"


def network_file_system(path: str | Path, mounts: str | None = None) -> str:
    """The kind of network file system a path lies on, such as `nfs4`; "" where it is a local one.

    `mounts` is the text of /proc/mounts, which is read where none is given. Systems without it are
    taken to be local, as is a 9p root: a sandboxed container is given one of its own.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return ""
    real = os.path.realpath(path)
    kind, longest = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = _unescaped(fields[1])
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(longest):  # of two at one place the later lies on top
            kind, longest = fields[2], point
    return kind if kind in _REMOTE and (kind, longest) != ("9p", "/") else ""


@lru_cache(maxsize=256)
def refuse_network(path: Path) -> None:
    """Raises `JournalError` where the path lies on a network file system."""
    if kind := network_file_system(path):
        raise JournalError(
            f"The journal {path} lies on a network file system ({kind}), where SQLite's "
            "write-ahead log needs memory that machines do not share and can lose attempts.",
            next_step="Set ALINB_JOURNAL to a path on a local disk.",
        )


def unusable(path: Path, error: BaseException) -> JournalError:
    """What to raise where SQLite or the system refused a journal."""
    why = getattr(error, "strerror", None) or str(error)
    code = getattr(error, "sqlite_errorcode", 0)
    next_step = "Nothing in it was changed; set ALINB_JOURNAL to another path."
    if code & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        next_step = (
            "What it holds is unharmed; free some space, or set ALINB_JOURNAL to another path."
        )
    elif code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        next_step = "Another program holds it; try again, or set ALINB_JOURNAL to another path."
    return JournalError(f"The journal {path} cannot be used: {why}.", next_step=next_step)


def read_only(path: Path) -> JournalError:
    """What to raise where something is to be written and only reading is allowed."""
    return JournalError(
        f"The journal {path} cannot be used: it or its folder is read-only.",
        next_step="It can be read; set ALINB_JOURNAL to a path that takes writing.",
    )


def _unescaped(field: str) -> str:
    for written, meant in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(written, meant)
    return field
