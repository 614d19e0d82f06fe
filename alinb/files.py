"""Files for their owner alone: folders, files, whole replacements, and locks between processes."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

#: How long one waits between two looks at a lock that another holds, in s.
LOOK_S = 0.005


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, with mode 0700 whatever the umask is.

    A folder that is there keeps its mode. Raises `OSError`.
    """
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        with suppress(FileExistsError):  # another process was quicker
            os.mkdir(folder, 0o700)
            if folder.stat().st_mode & 0o700 != 0o700:  # the umask hid it from its owner
                folder.chmod(0o700)


def private_file(path: Path, flags: int = 0) -> int:
    """A descriptor of a file, made with mode 0600 where it is missing. Raises `OSError`."""
    flags |= os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags, 0o600)
    if sys.platform != "win32" and os.fstat(descriptor).st_mode & 0o777 != 0o600:
        os.fchmod(descriptor, 0o600)
    return descriptor


def replace(path: Path, content: bytes) -> None:
    """Put new content in the place of a file's, whole or not at all, on the disk when it returns.

    One caller at a time: hold a `Lock`. Raises `OSError`; the old content is untouched then.
    """
    fresh = path.with_name(f".{path.name}.new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    try:
        with os.fdopen(private_file(fresh, os.O_EXCL), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Lock:
    """One holder at a time among all threads and processes of this machine.

    The system frees it when its holder dies. The file stays: taking it away would let two hold it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Whether it was free and is now held. Raises `OSError` where it cannot be made."""
        descriptor = private_file(self.path)
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError | PermissionError):
                return False
            raise
        self._descriptor = descriptor
        return True

    def wait(self, seconds: float) -> None:
        """Wait for it. Raises `TimeoutError` after so many s."""
        deadline = time.monotonic() + seconds
        while not self.take():
            if time.monotonic() > deadline:
                raise TimeoutError(f"another process has held {self.path} for {seconds:.0f} s")
            time.sleep(LOOK_S)

    def release(self) -> None:
        if self._descriptor is not None:
            _unlock(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.release()


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _unlock(descriptor: int) -> None:
    """Closing alone would leave it to a child that was forked meanwhile, as long as it lives."""
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
