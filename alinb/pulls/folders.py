"""A folder for part files: on this machine, or anywhere fsspec reaches."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol
from uuid import uuid4

from ..errors import InputError, MissingExtra

#: A remote part file is written whole: with so many pages, or after so many s.
SEGMENT, SEGMENT_S = 32, 5.0


class Place(NamedTuple):
    """Where something was written: the file, and from which byte."""

    file: str
    offset: int


class Writer(Protocol):
    """Appends to a part file of its own; what `append` was given is safe after `close`."""

    def append(self, frame: bytes) -> Place: ...
    def close(self) -> None: ...


class Folder(Protocol):
    """What a store of pages needs of a folder."""

    name: str

    def make(self) -> None: ...
    def lock(self) -> Any: ...
    def names(self) -> list[str]: ...
    def open(self, name: str) -> BinaryIO: ...
    def write(self, name: str, content: bytes) -> None: ...
    def remove(self, name: str) -> None: ...
    def drop(self) -> None: ...
    def writer(self, stem: str) -> Writer: ...


def folder_of(place: str | Path) -> Folder:
    """The folder at a path or a URL. Raises `MissingExtra` for a URL without fsspec."""
    if "://" not in str(place):
        return LocalFolder(Path(place))
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise MissingExtra(
            f"{place} needs fsspec, which is not installed.",
            next_step='Install it: pip install "alinb[scale]".',
        ) from None
    try:
        system, root = url_to_fs(str(place))
    except (ImportError, ValueError) as error:
        raise InputError(
            f"{place} cannot be reached: {error}.", next_step="Choose another place."
        ) from None
    if "file" in getattr(system, "protocol", ()):
        return LocalFolder(Path(root))
    return RemoteFolder(system, root, str(place))


class LocalFolder:
    """A folder of this machine: a frame is safe from a kill as soon as it is appended."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, str(path)

    def make(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def lock(self) -> Any:
        """The open lock file, held by nobody else. Raises `InputError` where somebody has it."""
        file = open(self.path / "in-use.lock", "w")  # noqa: SIM115
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # where there is no such lock, two pulls may fetch the same pages
            pass
        except BlockingIOError:
            file.close()
            raise InputError(
                f"Another process is pulling into {self.path}.",
                next_step="Wait for it, or choose another path.",
            ) from None
        return file

    def names(self) -> list[str]:
        return sorted(path.name for path in self.path.iterdir())

    def open(self, name: str) -> BinaryIO:
        return open(self.path / name, "rb")

    def write(self, name: str, content: bytes) -> None:
        beside = self.path / f"{name}.{os.getpid()}.tmp"
        beside.write_bytes(content)
        os.replace(beside, self.path / name)

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)

    def drop(self) -> None:
        with suppress(OSError):
            self.path.rmdir()

    def writer(self, stem: str) -> Writer:
        return _Appending(self.path, stem)


class _Appending:
    def __init__(self, folder: Path, stem: str) -> None:
        numbers = [int(p.stem.rpartition("-")[2]) for p in folder.glob(f"{stem}-*.pages")]
        path = folder / f"{stem}-{max(numbers, default=0) + 1:05}.pages"
        self._file = open(path, "xb", buffering=0)  # noqa: SIM115
        self._name, self._offset = path.name, 0

    def append(self, frame: bytes) -> Place:
        if self._file.write(frame) != len(frame):
            raise OSError("the disk is full")
        place = Place(self._name, self._offset)
        self._offset += len(frame)
        return place

    def close(self) -> None:
        self._file.close()


class RemoteFolder:
    """A folder of an object store, where nothing can be appended: files of many frames."""

    def __init__(self, system: Any, root: str, name: str) -> None:
        self._system, self._root, self.name = system, root.rstrip("/"), name

    def make(self) -> None:
        self._system.makedirs(self._root, exist_ok=True)

    def lock(self) -> Any:
        """None: an object store has no locks; two pulls may fetch the same pages twice."""
        return None

    def names(self) -> list[str]:
        self._system.invalidate_cache()
        return sorted(str(path).rpartition("/")[2] for path in self._system.ls(self._root, False))

    def open(self, name: str) -> BinaryIO:
        found: BinaryIO = self._system.open(f"{self._root}/{name}", "rb")
        return found

    def write(self, name: str, content: bytes) -> None:
        self._system.pipe_file(f"{self._root}/{name}", content)

    def put(self, name: str, path: Path) -> None:
        """Carry a file of this machine there."""
        self._system.put_file(str(path), f"{self._root}/{name}")

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._system.rm_file(f"{self._root}/{name}")

    def drop(self) -> None:
        with suppress(OSError):
            self._system.rmdir(self._root)

    def writer(self, stem: str) -> Writer:
        return _Segments(self, stem)


class _Segments:
    def __init__(self, folder: RemoteFolder, stem: str) -> None:
        self._folder, self._stem = folder, f"{stem}-{uuid4().hex[:8]}"
        self._number = 0
        self._begin()

    def _begin(self) -> None:
        self._frames: list[bytes] = []
        self._length, self._since = 0, time.monotonic()
        self._number += 1
        self._name = f"{self._stem}-{self._number:05}.pages"

    def append(self, frame: bytes) -> Place:
        place = Place(self._name, self._length)
        self._frames.append(frame)
        self._length += len(frame)
        if len(self._frames) >= SEGMENT or time.monotonic() - self._since > SEGMENT_S:
            self.close()
        return place

    def close(self) -> None:
        if self._frames:
            self._folder.write(self._name, b"".join(self._frames))
            self._begin()
