"""The journal: what it keeps, what it hides, and what it withstands."""

import itertools
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest

import alinb
from alinb import Attempt, Journal, JournalError, Secret
from alinb.journal import APPLICATION_ID, SCHEMA_VERSION, default_path

QUERY = "aliexpress.affiliate.product.query"
URL = f"https://api-sg.aliexpress.com/sync?method={QUERY}&app_key=1&sign=AB"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "journal.sqlite3"


@pytest.fixture
def journal(path: Path) -> Journal:
    return Journal(path)


def attempt(**changed: Any) -> Attempt:
    known: dict[str, Any] = {
        "method": "POST", "url": URL, "headers": (("Accept", "application/json"), ("X", "é")),
        "body": "page_no=1", "string_to_sign": "app_key1", "stages": {"wrap": "app_key1"},
        "status": 200, "reply_headers": (("Server", "x"),),
        "reply_text": '{"aliexpress_affiliate_product_query_response":{"resp_result":'
        '{"resp_code":200,"result":{}},"request_id":"r1"}}',
        "platform": "aliexpress", "source": "client", "at": 1_800_000_000.25, "elapsed_ms": 12.5,
    }  # fmt: skip
    return Attempt(**{**known, **changed})


def refused(code: str = "InvalidCode", **changed: Any) -> Attempt:
    reply = {"type": "ISV", "code": code, "message": f"said {code}", "request_id": "r2"}
    known = {
        "url": "https://api-sg.aliexpress.com/rest/auth/token/create?app_key=1&sign=AB",
        "reply_text": json.dumps(reply),
        "diagnosis": {"mistakes": ["a", "b"], "summary": "Proved: é.", "findings": []},
    }
    return attempt(**{**known, **changed})


class TestKeeping:
    def test_an_attempt_comes_back_whole(self, journal: Journal) -> None:
        for given in (attempt(), refused(), attempt(status=None, reply_text="", problem="broke")):
            kept = journal.record(given)
            assert kept.id is not None
            read = journal.get(kept.id)
            for name in Attempt.__dataclass_fields__:
                assert getattr(read, name) == getattr(kept, name), name

    def test_what_record_gives_back_is_the_attempt_with_its_number(self, journal: Journal) -> None:
        numbers = [journal.record(attempt(body=f"code=VALUE{n}")).id for n in range(3)]
        assert numbers == [1, 2, 3]
        assert len(journal) == 3
        given = attempt(body="code=STILL-IN-MEMORY")
        assert journal.record(given).body == "code=STILL-IN-MEMORY"
        assert given.id is None

    def test_rows_are_newest_first_with_the_facts_of_a_list(self, journal: Journal) -> None:
        journal.record(attempt())
        journal.record(refused())
        newest, oldest = journal.rows()
        assert newest == {
            "id": 2, "at": 1_800_000_000.25, "name": "/auth/token/create", "verdict": "refused",
            "code": "InvalidCode", "message": "said InvalidCode", "request_id": "r2",
            "method": "POST", "endpoint": "https://api-sg.aliexpress.com/rest/auth/token/create",
            "status": 200, "elapsed_ms": 12.5, "mistakes": "a b", "platform": "aliexpress",
            "source": "client", "problem": "",
        }  # fmt: skip
        assert (oldest["id"], oldest["verdict"], oldest["code"]) == (1, "ok", "200")
        assert (oldest["name"], oldest["request_id"]) == (QUERY, "r1")

    def test_rows_can_be_filtered_and_limited(self, journal: Journal) -> None:
        for given in (attempt(), refused(), attempt(), attempt(status=None, problem="x")):
            journal.record(given)

        def numbers(**how: Any) -> list[int]:
            return [row["id"] for row in journal.rows(**how)]

        assert numbers() == [4, 3, 2, 1]
        assert numbers(limit=2) == [4, 3]
        assert numbers(limit=0) == []
        assert numbers(verdict="ok") == [3, 1]
        assert numbers(verdict="no_reply") == [4]
        assert numbers(name="/auth/token/create") == [2]
        assert numbers(name=QUERY, verdict="ok", limit=1) == [3]
        assert numbers(verdict="' OR 1=1 --") == []

    def test_attempts_are_oldest_first_or_those_numbered(self, journal: Journal) -> None:
        for n in range(4):
            journal.record(attempt(body=f"n={n}"))
        assert [a.body for a in journal.attempts()] == ["n=0", "n=1", "n=2", "n=3"]
        assert [a.body for a in journal.attempts([3, 1])] == ["n=2", "n=0"]
        assert list(Journal(journal.path.parent / "new").attempts()) == []

    def test_an_unknown_number_is_an_error(self, journal: Journal) -> None:
        with pytest.raises(JournalError, match=r"holds no attempt 7\. alinb attempts ls"):
            journal.get(7)
        with pytest.raises(JournalError, match="holds no attempt 0"):
            list(journal.attempts([0]))

    def test_the_frame_has_the_rows_times_in_utc(self, journal: Journal) -> None:
        journal.record(attempt())
        journal.record(refused(status=None, reply_text="", at=None, problem="broke"))
        frame = journal.frame()
        assert list(frame.index) == [2, 1]
        assert frame.index.name == "id"
        assert frame.loc[1, "at"] == pd.Timestamp("2027-01-15 08:00:00.25", tz="UTC")
        assert pd.isna(frame.loc[2, "at"])
        assert str(frame["status"].dtype) == "Int64"
        assert list(frame["verdict"]) == ["no_reply", "ok"]
        assert list(journal.frame(verdict="ok").index) == [1]
        assert journal.frame(name="none").empty
        assert "verdict" in journal.frame(name="none").columns

    def test_any_text_is_kept(self, journal: Journal) -> None:
        whole = "\x00\x1f 中文 😀 \u2028 \ud800 <script> ' \" ‹x›" + "é" * 100_000
        kept = journal.record(attempt(reply_text=f'{{"a": "{whole}', body="b=\ud83d"))
        assert kept.id is not None
        assert journal.get(kept.id).reply_text == f'{{"a": "{whole}'
        assert journal.get(kept.id).body == "b=\ud83d"
        said = json.dumps({"code": "X", "message": "half \ud83d a pair", "request_id": "\ud83d"})
        journal.record(attempt(reply_text=said, url=f"{URL}&b=\udcff", problem="\udcff"))
        assert journal.get(2).reply_text == said
        assert journal.rows()[0]["message"] == "half ? a pair"

    def test_its_repr_names_the_file(self, journal: Journal, path: Path) -> None:
        assert repr(journal) == f"Journal({str(path)!r})"

    def test_the_default_path_is_the_one_of_the_environment(self, tmp_path: Path) -> None:
        assert Journal().path == default_path() == tmp_path / "journal.sqlite3"

    def test_without_one_it_is_in_the_users_data_folder(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("ALINB_JOURNAL")
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        assert Journal().path == tmp_path / "alinb" / "journal.sqlite3"

    def test_a_tilde_is_the_home(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        Journal("~/j.sqlite3").record(attempt())
        assert (tmp_path / "j.sqlite3").exists()

    def test_looking_makes_no_attempt(self, journal: Journal) -> None:
        assert len(journal) == 0
        assert journal.rows() == []
        assert journal.frame().empty


#: Values no reader of the disk may find: what is secret, and what says whose account it is.
CANARIES = {
    "app_secret": "CANARYsecret/+9=Ω",
    "access_token": "50000CANARYaccess4f7",
    "refresh_token": "50001CANARYrefresh8a",
    "code": "3_500102_CANARYcode77",
    "session": "50000CANARYsession55",
    "authorization": "Bearer CANARYheader31",
    "cookie": "sid=CANARYcookie62",
    "account": "canary.account@example.com",
    "nick": "CANARYnick90",
    "known": "CANARY-known-to-the-store",
}


def canary_attempt() -> Attempt:
    c = CANARIES
    sent = {
        "code": c["code"], "access_token": c["access_token"], "app_secret": c["app_secret"],
        "refresh_token": c["refresh_token"], "session": c["session"], "note": c["known"],
    }  # fmt: skip
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in sent.items())
    wrapped = c["app_secret"] + "".join(f"{k}{v}" for k, v in sorted(sent.items()))
    reply = {
        "access_token": c["access_token"], "refresh_token": c["refresh_token"],
        "account": c["account"], "user_nick": c["nick"], "code": "0",
        "message": f"for {c['code']} and {c['known']} {c['app_secret']}", "request_id": c["code"],
    }  # fmt: skip
    return Attempt(
        method="POST",
        url=f"https://api-sg.aliexpress.com/rest/auth/token/create?{query}#{c['code']}",
        headers=(("Authorization", c["authorization"]), ("Cookie", c["cookie"])),
        body=query,
        string_to_sign=wrapped + c["app_secret"],
        stages={"wrap": wrapped, "format": query, "join": c["known"]},
        status=200,
        reply_headers=(("Set-Cookie", c["cookie"]),),
        reply_text=json.dumps(reply, ensure_ascii=True),
        problem=f"failed with {c['code']} at {c['known']}",
        diagnosis={
            "summary": f"the secret {c['app_secret']} stands around it",
            "findings": [{"evidence": wrapped, "cure": quote(c["app_secret"])}],
            "mistakes": ["secret_wrapped"],
        },
    )


def spellings(value: str) -> set[bytes]:
    raw = value.encode()
    shown = {raw, quote(value, safe="").encode(), quote(value).encode(), raw.hex().encode()}
    shown |= {json.dumps(value)[1:-1].encode(), b64encode(raw)}
    return shown


class TestHiding:
    def files(self, path: Path) -> Iterator[bytes]:
        """Every byte on the disk, and every packed content unpacked."""
        names = sorted(entry.name for entry in path.parent.iterdir())
        assert "journal.sqlite3-wal" in names
        yield from (entry.read_bytes() for entry in path.parent.iterdir())
        with sqlite3.connect(path) as db:
            for table in ("contents", "bodies"):
                rows = db.execute(f"SELECT packed FROM {table}").fetchall()
                yield from (zlib.decompress(packed) for (packed,) in rows)
            yield repr(db.execute("SELECT * FROM attempts").fetchall()).encode()
        db.close()

    def test_no_canary_reaches_the_disk(self, journal: Journal, path: Path) -> None:
        # A reader keeps the -wal file from being folded in and removed.
        journal.record(attempt())
        with sqlite3.connect(path) as reader:
            reader.execute("SELECT * FROM attempts").fetchall()
            known = Secret(CANARIES["app_secret"]), Secret(CANARIES["known"], "access_token"), None
            journal.record(canary_attempt(), *known)
            held = list(self.files(path))
        reader.close()
        assert len(held) >= 7
        for kind, value in CANARIES.items():
            for spelled in spellings(value):
                assert not any(spelled.lower() in content.lower() for content in held), (
                    kind,
                    spelled,
                )

    def test_what_is_hidden_keeps_its_kind_and_the_rest_stays(self, journal: Journal) -> None:
        journal.record(canary_attempt(), Secret(CANARIES["app_secret"]))
        kept = journal.get(1)
        marks = {name: kept.params[name] for name in ("code", "session", "refresh_token")}
        for name, kind in (("code", "code"), ("session", "access_token"),
                           ("refresh_token", "refresh_token")):  # fmt: skip
            assert marks[name].startswith(f"‹{kind} "), marks[name]
            assert len(marks[name]) == len(f"‹{kind} 1234›")
        assert kept.string_to_sign.startswith("‹app_secret ")
        assert kept.string_to_sign.count("‹app_secret ") == 3
        assert "access_token‹access_token " in kept.string_to_sign
        assert kept.api_name == "/auth/token/create"
        assert kept.reply is not None
        assert kept.reply.payload["code"] == "0"
        assert kept.diagnosis is not None
        assert kept.diagnosis["mistakes"] == ["secret_wrapped"]

    def test_equal_values_have_equal_marks_here_and_other_ones_elsewhere(self, path: Path) -> None:
        def marks(journal: Journal) -> list[str]:
            for value in ("AAAA-1", "BBBB-2", "AAAA-1"):
                journal.record(attempt(body=f"code={value}"))
            return [a.params["code"] for a in journal.attempts()]

        one, two, three = marks(Journal(path))
        assert one == three != two
        assert marks(Journal(path))[3:] == [one, two, one], "opened anew, the key is the same"
        others = [marks(Journal(path.parent / f"other{n}"))[0] for n in range(8)]
        assert one not in others
        assert len(set(others)) > 1

    def test_the_key_is_random_and_long(self, path: Path) -> None:
        keys = {Journal(path.parent / f"j{n}").key for n in range(10)}
        assert len(keys) == 10
        assert {len(key) for key in keys} == {32}

    def test_comparing_two_kept_attempts_tells_the_same_code_from_another(
        self, journal: Journal
    ) -> None:
        for code in ("3_1_AAAA", "3_1_AAAA", "3_1_BBBB"):
            journal.record(attempt(body=f"code={code}&x=1"))
        one, same, other = (journal.get(number) for number in (1, 2, 3))
        assert alinb.compare(one, same).differences == []
        (difference,) = alinb.compare(one, other).differences
        assert difference[:2] == ("parameters", "code")


class TestPermissions:
    @pytest.mark.parametrize("umask", [0, 0o022, 0o077])
    def test_files_are_the_owners_alone(self, path: Path, umask: int) -> None:
        before = os.umask(umask)
        try:
            journal = Journal(path)
            journal.record(attempt())
            with sqlite3.connect(path) as reader:
                reader.execute("SELECT * FROM attempts").fetchall()
                journal.record(attempt())
                found = {e.name: stat.S_IMODE(e.stat().st_mode) for e in path.parent.iterdir()}
            reader.close()
        finally:
            os.umask(before)
        assert found == {
            "journal.sqlite3": 0o600, "journal.sqlite3-wal": 0o600, "journal.sqlite3-shm": 0o600,
        }  # fmt: skip
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    def test_a_folder_that_is_there_keeps_its_mode(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        Journal(tmp_path / "j").record(attempt())
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def other_database(path: Path, *statements: str) -> bytes:
    with sqlite3.connect(path) as db:
        for statement in statements:
            db.execute(statement)
    db.close()
    return path.read_bytes()


class TestNoJournal:
    """Whatever else lies at the path is named, and stays as it is to the byte."""

    USES = (
        lambda j: j.record(attempt()), lambda j: j.rows(), lambda j: len(j), lambda j: j.get(1),
        lambda j: j.key, lambda j: list(j.attempts()), lambda j: j.frame(), lambda j: j.open(),
    )  # fmt: skip

    def refuses(self, path: Path, why: str) -> None:
        before = path.read_bytes() if path.is_file() else b""
        for use in self.USES:
            with pytest.raises(JournalError) as caught:
                use(Journal(path))
            assert why in str(caught.value)
            assert str(path) in str(caught.value)
            assert "ALINB_JOURNAL" in caught.value.next_step
        if before:
            assert path.read_bytes() == before
            assert [entry.name for entry in path.parent.iterdir()] == [path.name]

    @pytest.mark.parametrize("size", [2, 20, 200, 100_000])
    def test_a_file_that_is_no_database(self, tmp_path: Path, size: int) -> None:
        path = tmp_path / "notes.txt"
        path.write_bytes((b"Dear diary, " * 10_000)[:size])
        self.refuses(path, "file is not a database")

    def test_another_programs_database(self, tmp_path: Path) -> None:
        path = tmp_path / "bookmarks.sqlite"
        other_database(path, "CREATE TABLE bookmarks (url)", "INSERT INTO bookmarks VALUES ('x')")
        self.refuses(path, "it is another program's database")

    def test_another_programs_marked_and_empty_database(self, tmp_path: Path) -> None:
        path = tmp_path / "geo.gpkg"
        other_database(path, "PRAGMA application_id = 1196444487", "PRAGMA user_version = 10300")
        self.refuses(path, "it is another program's database")

    @pytest.mark.parametrize("version", [3, 99])
    def test_a_journal_of_a_newer_alinb(self, tmp_path: Path, version: int) -> None:
        path = tmp_path / "j.sqlite3"
        other_database(
            path,
            "CREATE TABLE attempts (id, something_new)",
            f"PRAGMA application_id = {APPLICATION_ID}",
            f"PRAGMA user_version = {version}",
        )
        self.refuses(path, f"was written by a newer alinb (schema {version})")

    def test_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        self.refuses(tmp_path / "folder", "unable to open database file")
        assert list((tmp_path / "folder").iterdir()) == []

    def test_a_path_through_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        self.refuses(tmp_path / "file" / "j.sqlite3", "cannot be used")
        assert (tmp_path / "file").read_text() == "x"

    def test_a_journal_cut_in_half(self, journal: Journal, path: Path) -> None:
        for _ in range(50):
            journal.record(attempt(body="x" * 3000))
        journal.close()
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(JournalError, match="cannot be used"):
            list(Journal(path).attempts())

    def test_an_empty_file_becomes_a_journal(self, tmp_path: Path) -> None:
        path = tmp_path / "j.sqlite3"
        path.touch()
        assert Journal(path).record(attempt()).id == 1

    def test_the_file_is_marked_as_ours(self, journal: Journal, path: Path) -> None:
        journal.record(attempt())
        with sqlite3.connect(path) as db:
            assert db.execute("PRAGMA application_id").fetchone() == (0x616C6E62,)
            assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,) == (2,)
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()


class TestBrokenContents:
    def broken(self, journal: Journal, packed: bytes) -> None:
        for n in range(3):
            journal.record(attempt(body=f"n={n}"))
        with sqlite3.connect(journal.path) as db:
            db.execute("UPDATE contents SET packed = ? WHERE attempt = 2", (packed,))
        db.close()

    @pytest.mark.parametrize(
        "packed",
        [
            b"", b"not zlib", zlib.compress(b"{"), zlib.compress(b"[1]"), zlib.compress(b"{}"),
            zlib.compress(b'{"headers": 1}'), zlib.compress(b"\xff\xfe\xfd"),
            zlib.compress(b'{"headers": [], "reply_headers": [], "nonsense": 1}'),
        ],
    )  # fmt: skip
    def test_the_broken_attempt_is_named_and_the_others_are_read(
        self, journal: Journal, packed: bytes
    ) -> None:
        self.broken(journal, packed)
        with pytest.raises(JournalError, match=r"Attempt 2 cannot be read .* others? attempts are"):
            journal.get(2)
        assert [journal.get(number).body for number in (1, 3)] == ["n=0", "n=2"]
        assert [row["id"] for row in journal.rows()] == [3, 2, 1]
        assert len(journal) == 3
        assert journal.record(attempt()).id == 4


def test_threads_share_one_journal(journal: Journal) -> None:
    failed: list[Exception] = []

    def record() -> None:
        try:
            for _ in range(20):
                number = journal.record(attempt()).id
                assert number is not None
                journal.get(number)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(journal) == 160
    assert sorted(row["id"] for row in journal.rows()) == list(range(1, 161))


WORKER = """
import sys
from pathlib import Path
from alinb import Attempt, Journal
attempt = Attempt("GET", "https://api-sg.aliexpress.com/sync?method=x&sign=1&code=SAME-CODE")
print("ready", flush=True)
for line in sys.stdin:
    path, count = line.split()
    journal = Journal(path)
    for _ in range(int(count)):
        print(journal.record(attempt).id, flush=True)
    print("done", flush=True)
"""


class Workers:
    """Processes that record attempts at a word from here, all at the same moment."""

    def __init__(self, count: int) -> None:
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-c", WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(count)
        ]
        for process in self.processes:
            assert self.line(process) == "ready"

    @staticmethod
    def line(process: Any) -> str:
        text: str = process.stdout.readline().strip()
        return text or process.stderr.read()

    def tell(self, path: Path, count: int) -> None:
        for process in self.processes:
            process.stdin.write(f"{path} {count}\n")
        for process in self.processes:
            process.stdin.flush()

    def numbers(self, process: Any) -> list[int]:
        """What a process acknowledged, up to the end of its work."""
        lines = iter(lambda: self.line(process), "done")
        return [int(line) for line in lines]

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    started = Workers(8)
    yield started
    started.close()


def test_eight_processes_record_at_once_and_nothing_is_lost(workers: Workers, path: Path) -> None:
    workers.tell(path, 50)
    numbers = [number for process in workers.processes for number in workers.numbers(process)]
    assert sorted(numbers) == list(range(1, 401))
    assert len(Journal(path)) == 400
    assert len({a.params["code"] for a in Journal(path).attempts()}) == 1


def test_eight_processes_make_the_journal_at_once(workers: Workers, tmp_path: Path) -> None:
    """Forty times over, since the moment in which they can collide is short."""
    for n in range(40):
        path = tmp_path / f"j{n}" / "journal.sqlite3"
        workers.tell(path, 1)
        numbers = [number for process in workers.processes for number in workers.numbers(process)]
        assert sorted(numbers) == list(range(1, 9))
        journal = Journal(path)
        assert len({a.params["code"] for a in journal.attempts()}) == 1, "one key for all of them"


def test_threads_make_the_journal_at_once(tmp_path: Path) -> None:
    for n in range(20):
        path, together = tmp_path / f"j{n}" / "journal.sqlite3", threading.Barrier(8)
        failed: list[Exception] = []

        def make(
            path: Path = path, together: Any = together, failed: list[Exception] = failed
        ) -> None:
            journal = Journal(path)
            together.wait()
            try:
                journal.record(attempt())
            except Exception as error:
                failed.append(error)

        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert len(Journal(path)) == 8


def test_a_process_killed_in_the_middle_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    """A few kills; a hundred of them lost nothing where this was measured."""
    path, acknowledged = tmp_path / "journal.sqlite3", 0
    for wait in (0.0, 0.02, 0.05):
        workers = Workers(2)
        workers.tell(path, 100_000)
        told = [int(workers.line(process)) for process in workers.processes]
        time.sleep(wait)
        for process in workers.processes:
            process.send_signal(signal.SIGKILL)
        for process in workers.processes:
            rest, _ = process.communicate()
            # A last line without its end was not acknowledged whole.
            whole = rest.rpartition("\n")[0].split()
            told += [int(number) for number in whole]
        journal = Journal(path)
        held = {row["id"] for row in journal.rows()}
        assert len(told) >= 2
        assert set(told) <= held
        for number in itertools.islice(sorted(told, reverse=True), 20):
            assert journal.get(number).params["method"] == "x"
        acknowledged += len(told)
        assert len(journal) >= acknowledged
        assert journal.record(attempt()).id == max(held) + 1
        acknowledged += 1
