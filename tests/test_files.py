"""Files for their owner alone: modes, whole replacements, locks."""

import os
import stat
import threading
import time
from pathlib import Path

import pytest

from alinb import files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
def test_folders_and_files_are_the_owners_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        files.private_folder(tmp_path / "a" / "b")
        os.close(files.private_file(tmp_path / "a" / "b" / "f"))
    finally:
        os.umask(before)
    assert [mode(p) for p in (tmp_path / "a", tmp_path / "a" / "b")] == [0o700, 0o700]
    assert mode(tmp_path / "a" / "b" / "f") == 0o600


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine").chmod(0o755)
    files.private_folder(tmp_path / "mine" / "new")
    assert [mode(tmp_path / "mine"), mode(tmp_path / "mine" / "new")] == [0o755, 0o700]


def test_a_file_open_to_others_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("x")
    path.chmod(0o644)
    os.close(files.private_file(path))
    assert (mode(path), path.read_text()) == (0o600, "x")


def test_a_replacement_is_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "f"
    files.replace(path, b"one")
    files.replace(path, b"two")
    assert path.read_bytes() == b"two"
    assert mode(path) == 0o600
    with pytest.raises(TypeError):
        files.replace(path, "text")  # type: ignore[arg-type]
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


def test_readers_never_see_half_a_replacement(tmp_path: Path) -> None:
    path, done, seen = tmp_path / "f", threading.Event(), set()
    files.replace(path, b"a" * 100_000)

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for letter in (b"b", b"c", b"d", b"e"):
        files.replace(path, letter * 100_000)
    done.set()
    reader.join()
    assert {len(content) for content in seen} == {100_000}
    assert all(len(set(content)) == 1 for content in seen)


def test_a_lock_that_is_held_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    first, second = files.Lock(tmp_path / "l"), files.Lock(tmp_path / "l")
    assert first.take()
    with pytest.raises(TimeoutError, match="another process has held"):
        second.wait(0.05)
    threading.Timer(0.1, first.release).start()
    began = time.monotonic()
    with second:
        second.wait(10)
        assert 0.05 < time.monotonic() - began < 5
        assert not first.take()
    assert first.take()
    first.release()
