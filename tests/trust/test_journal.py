"""The journal under kills, crowds, full disks, read-only places and old files: nothing is lost."""

import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alinb import Attempt, InputError, Journal, JournalError
from alinb.journal import network_file_system
from alinb.journal.schema import connect
from alinb.journal.writer import WAITING, writer_of

#: How often a process is killed: 100 for the whole proof, a few in CI.
KILLS = int(os.environ.get("ALINB_KILLS", "6"))
#: How many attempts have to be acknowledged before these kills, all in all.
ACKNOWLEDGED = int(os.environ.get("ALINB_ACKNOWLEDGED", KILLS * 20))
OLD = Path(__file__).with_name("journal_schema_1.sqlite3")
URL = "https://api-sg.aliexpress.com/sync?method=x&app_key=1&sign=AB"


def attempt(**changed: Any) -> Attempt:
    known: dict[str, Any] = {
        "method": "POST", "url": URL, "status": 200, "at": 1.8e9, "name": "x",
        "reply_text": '{"code":"0","result":{"a":1}}',
    }  # fmt: skip
    return Attempt(**{**known, **changed})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite3"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal(path) as opened:
        yield opened


def intact(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as db:
        whole = db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        orphans = db.execute(
            "SELECT count(*) FROM attempts LEFT JOIN contents ON contents.attempt = attempts.id "
            "WHERE contents.attempt IS NULL"
        ).fetchone()
    return whole and orphans == (0,)


def python(code: str, *arguments: object, **how: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, *map(str, arguments)],
        capture_output=True, text=True, timeout=60, check=False, **how,
    )  # fmt: skip


# ---- one thread writes, callers share its commits


def test_a_commit_is_on_the_disk_when_it_returns(journal: Journal, path: Path) -> None:
    journal.record(attempt())
    with closing(connect(path)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    held = writer_of(path)._db
    assert held is not None
    assert held.execute("PRAGMA synchronous").fetchone() == (2,), "FULL: each commit is synced"


@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")
def test_every_acknowledgement_has_its_sync_and_groups_share_one(tmp_path: Path) -> None:
    code = (
        "import sys; from alinb import Attempt, Journal;"
        "j = Journal(sys.argv[1]); a = Attempt('GET', 'https://h/sync?method=x');"
        "[j.record(a) if sys.argv[2] == 'each' else j.record_later(a) for _ in range(40)];"
        "j.flush()"
    )
    syncs = {}
    for how in ("each", "later"):
        trace = tmp_path / f"{how}.trace"
        done = subprocess.run(
            ["strace", "-f", "-e", "trace=fsync,fdatasync", "-o", str(trace), sys.executable,
             "-c", code, str(tmp_path / how), how],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        syncs[how] = trace.read_text().count("sync(")
    assert syncs["each"] >= 40
    assert syncs["later"] < syncs["each"] / 2


def test_callers_at_the_same_moment_share_commits(journal: Journal, path: Path) -> None:
    """While another process holds the lock ten callers gather; one commit takes them all."""
    journal.record(attempt())
    commits: list[int] = []
    writer, insert = writer_of(path), writer_of(path)._insert
    writer._insert = lambda entries: (commits.append(len(entries)), insert(entries))[1]  # type: ignore[method-assign]
    numbers: list[int | None] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        threads = [
            threading.Thread(target=lambda: numbers.append(journal.record(attempt()).id))
            for _ in range(10)
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 10
        while len(writer._queue) + sum(commits) < 10 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert numbers == [], "nobody is told before the commit"
        other.execute("ROLLBACK")
    for thread in threads:
        thread.join()
    assert sorted(n for n in numbers if n) == list(range(2, 12))
    assert len(commits) <= 3
    assert sum(commits) == 10


def test_what_is_recorded_later_is_read_at_once_and_in_order(journal: Journal) -> None:
    for n in range(500):
        journal.record_later(attempt(body=f"n={n}"))
    assert len(journal) == 500
    assert [a.body for a in journal.attempts()] == [f"n={n}" for n in range(500)]


def test_more_than_may_wait_are_all_stored(journal: Journal) -> None:
    for _ in range(WAITING + 500):
        journal.record_later(attempt(reply_text=""))
    journal.flush()
    assert len(journal) == WAITING + 500


def test_the_end_of_the_program_stores_what_waits(path: Path) -> None:
    code = (
        "import sys; from alinb import Attempt, Journal; j = Journal(sys.argv[1]);"
        "[j.record_later(Attempt('GET', 'https://h/sync?method=x')) for _ in range(300)]"
    )
    for ending in ("", ";raise SystemExit(3)", ";1/0"):
        done = python(code + ending, path)
        assert "Traceback" not in done.stderr or ending == ";1/0"
    assert len(Journal(path)) == 900
    assert not path.with_name(path.name + "-wal").exists(), "the log is folded in at the end"


def test_an_attempt_recorded_while_the_interpreter_ends_is_stored(path: Path) -> None:
    code = (
        "import atexit, sys; from alinb import Attempt, Journal; import alinb.journal\n"
        "j = Journal(sys.argv[1]); a = Attempt('GET', 'https://h/sync?method=x')\n"
        "j.record(a)\n"
        "atexit.register(lambda: print(j.record(a).id))\n"
        "atexit._run_exitfuncs() if len(sys.argv) > 2 else None\n"
    )
    done = python(code, path)
    assert (done.stdout, done.stderr) == ("2\n", "")
    assert len(Journal(path)) == 2


def test_a_forked_child_writes_by_itself_and_doubles_nothing(path: Path) -> None:
    code = (
        "import os, sys; from alinb import Attempt, Journal; j = Journal(sys.argv[1])\n"
        "a = Attempt('GET', 'https://h/sync?method=x'); j.record(a)\n"
        "for _ in range(200): j.record_later(a)\n"
        "children = []\n"
        "for _ in range(4):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        for _ in range(25): j.record(a)\n"
        "        sys.exit()\n"
        "    children.append(child)\n"
        "print([os.waitpid(c, 0)[1] for c in children])\n"
    )
    done = python(code, path)
    assert (done.stdout, done.stderr) == ("[0, 0, 0, 0]\n", "")
    assert len(Journal(path)) == 1 + 200 + 100
    assert intact(path)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads Linux's /proc")
def test_no_connection_goes_along_into_a_child_whatever_other_threads_do(path: Path) -> None:
    """SQLite would take the parent's locks for the child's own, and what it wrote would be lost."""
    code = (
        "import os, sys, threading; from alinb import Attempt, Journal; j = Journal(sys.argv[1])\n"
        "a = Attempt('GET', 'https://h/sync?method=x'); j.record(a)\n"
        "over = threading.Event(); uses = [lambda: j.record(a), lambda: j.record_later(a),\n"
        "    lambda: list(j.attempts()), lambda: j.rows(limit=5), lambda: j.facts()]\n"
        "done = [0] * len(uses)\n"
        "def go(n):\n"
        "    while not over.is_set(): uses[n](); done[n] += 1\n"
        "threads = [threading.Thread(target=go, args=(n,)) for n in range(len(uses))]\n"
        "[t.start() for t in threads]\n"
        "def links():\n"
        "    for fd in os.listdir('/proc/self/fd'):\n"
        "        try: yield os.readlink(f'/proc/self/fd/{fd}')\n"
        "        except OSError: pass\n"
        "left = 0\n"
        "for _ in range(30):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        found = [l for l in links() if sys.argv[1] in l]\n"
        "        j.record(a); os._exit(len(found))\n"
        "    left += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
        "over.set(); [t.join() for t in threads]; j.flush()\n"
        "print(left, min(done) > 0, len(j) == 1 + done[0] + done[1] + 30)\n"
    )
    done = python(code, path)
    assert (done.stdout, done.stderr) == ("0 True True\n", "")
    assert intact(path)


def test_who_forks_while_looking_through_the_attempts_loses_none(path: Path) -> None:
    code = (
        "import os, sys; from alinb import Attempt, Journal; j = Journal(sys.argv[1])\n"
        "for n in range(600): j.record_later(Attempt('GET', f'https://h/sync?method=x&n={n}'))\n"
        "seen = []\n"
        "for attempt in j.attempts():\n"
        "    seen.append(int(attempt.params['n']))\n"
        "    if len(seen) % 100 == 0:\n"
        "        child = os.fork()\n"
        "        if not child: j.record(attempt); os._exit(0)\n"
        "        assert os.waitpid(child, 0)[1] == 0\n"
        "print(seen == list(range(600)), len(j))\n"
    )
    done = python(code, path)
    assert (done.stdout, done.stderr) == ("True 606\n", "")
    assert intact(path)


def test_the_writer_lets_go_after_a_while_and_comes_back(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alinb.journal.writer.IDLE_S", 0.05)
    for expected in (1, 2):
        assert journal.record(attempt()).id == expected
        deadline = time.monotonic() + 10
        while writer_of(path)._thread is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert writer_of(path)._thread is None
        assert not path.with_name(path.name + "-wal").exists()


def test_a_journal_taken_away_is_made_anew_and_gets_what_is_acknowledged(
    journal: Journal, path: Path
) -> None:
    journal.record(attempt())
    for name in list(path.parent.iterdir()):
        name.unlink()
    assert journal.record(attempt()).id == 1
    assert len(Journal(path)) == 1
    assert intact(path)


def test_one_attempt_that_cannot_be_kept_takes_no_other_along(journal: Journal) -> None:
    journal.record_later(attempt())
    journal.record_later(attempt(status=2**80))
    journal.record_later(attempt())
    with pytest.raises(JournalError, match=r"^1 attempt could not be kept: .*too large") as caught:
        journal.flush()
    assert caught.value.evidence["lost"] == 1
    assert len(journal) == 2
    with pytest.raises(JournalError, match="too large"):
        journal.record(attempt(status=2**80))
    assert journal.record(attempt()).id is not None


def test_a_loss_is_told_to_the_next_call_and_at_the_end(path: Path) -> None:
    code = (
        "import sys; from alinb import Attempt, Journal, JournalError\n"
        "j = Journal(sys.argv[1]); bad = Attempt('GET', 'https://h/sync?method=x', status=2**80)\n"
        "j.record_later(bad)\n"
        "len(j)\n"
        "try: j.record_later(bad)\n"
        "except JournalError as error: print(error)\n"
    )
    done = python(code, path)
    assert done.stdout.startswith("1 attempt could not be kept: ")
    assert done.stderr.startswith("alinb: 1 attempt could not be kept: The journal ")
    assert done.stderr.count("\n") == 1


# ---- crowds and kills

CROWD = """
import sys, time
from alinb import Attempt, Journal
body = '{"a":"%s"}' % ("b" * 2000)
attempt = Attempt("GET", "https://h/sync?method=x", status=200, reply_text=body)
journal = Journal(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
worst = 0
for _ in range(int(sys.argv[2])):
    began = time.monotonic()
    journal.record(attempt)
    worst = max(worst, time.monotonic() - began)
print(worst)
"""


def test_eight_processes_of_400_attempts_meet_no_lock_and_wait_less_than_a_second(
    path: Path,
) -> None:
    crowd = [
        subprocess.Popen([sys.executable, "-c", CROWD, str(path), "400"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(8)
    ]  # fmt: skip
    for process in crowd:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    ended = [process.communicate("go\n", timeout=120) for process in crowd]
    assert [errors for _, errors in ended] == [""] * 8
    assert max(float(out) for out, _ in ended) < 1
    assert len(Journal(path)) == 3200
    assert intact(path)


FOREVER = """
import sys, threading
from alinb import Attempt, Journal
body = '{"a":"%s"}' % ("b" * 2000)
attempt = Attempt("GET", "https://h/sync?method=x", status=200, reply_text=body)
journal = Journal(sys.argv[1])
def run():
    while True:
        sys.stdout.write(f"{journal.record(attempt).id}\\n")
        sys.stdout.flush()
        journal.record_later(attempt)
for _ in range(4):
    threading.Thread(target=run, daemon=True).start()
threading.Event().wait()
"""


def test_kills_lose_nothing_that_was_acknowledged(path: Path) -> None:
    told: set[int] = set()
    for n in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", FOREVER, str(path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            told |= {int(process.stdout.readline()) for _ in range(-(-ACKNOWLEDGED // KILLS))}
            time.sleep(0.013 * (n % 9))
            process.send_signal(signal.SIGKILL)
            # A last line without its end was not told whole.
            whole = process.stdout.read().rpartition("\n")[0].split()
            told |= {int(number) for number in whole}
        assert intact(path)
    held = {row["id"] for row in Journal(path).rows()}
    assert len(told) >= ACKNOWLEDGED
    assert told <= held
    for number in itertools.islice(sorted(told, reverse=True), 20):
        assert Journal(path).get(number).reply_text.startswith('{"a":"bb')


# ---- full disks and read-only places

FILL = """
import sys
from alinb import Attempt, Journal, JournalError
import os
journal, stored = Journal(sys.argv[1]), 0
if len(sys.argv) > 2:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    while stored < 5000:
        journal.record(Attempt("GET", "https://h/sync?method=x", body=os.urandom(3000).hex()))
        stored += 1
except JournalError as error:
    print(stored, error, sep="\\n")
"""


def filled(done: subprocess.CompletedProcess[str], path: Path) -> int:
    assert done.stderr == ""
    stored, said = done.stdout.splitlines()
    assert said.startswith(f"The journal {path} cannot be used: ")
    assert said.endswith("free some space, or set ALINB_JOURNAL to another path.")
    assert intact(path)
    held = Journal(path)
    assert len(held) == len(list(held.attempts())) == int(stored)
    return int(stored)


def test_a_file_that_may_not_grow_gives_one_line_and_keeps_what_it_holds(path: Path) -> None:
    assert filled(python(FILL, path, 600_000), path) > 10
    held = len(Journal(path))
    with Journal(path) as journal:
        assert journal.record(attempt()).id == held + 1


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own in memory; only root can have one."""
    point = tmp_path / "small"
    point.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(point)], capture_output=True
    )
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    yield point
    subprocess.run(["umount", "-l", str(point)], check=True)


def test_a_full_disk_gives_one_line_and_keeps_what_it_holds(mounted: Path) -> None:
    path = mounted / "journal.sqlite3"
    stored = filled(python(FILL, path), path)
    assert stored > 20
    journal = Journal(path)
    (mounted / "more").write_bytes(b"")  # names still fit
    assert len(journal.rows(limit=5)) == 5
    subprocess.run(["mount", "-o", "remount,size=4m", str(mounted)], check=True)
    assert journal.record(attempt()).id == stored + 1
    journal.close()


def test_a_read_only_disk_can_be_read_and_says_no_to_the_rest(mounted: Path) -> None:
    path = mounted / "journal.sqlite3"
    with Journal(path) as journal:
        journal.record(attempt(body="kept=1"))
    shutil.copy(OLD, mounted / "old.sqlite3")
    subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)
    before = path.read_bytes()
    journal = Journal(path)
    assert [a.body for a in journal.attempts()] == ["kept=1"]
    assert len(journal.rows()) == 1
    assert [a.body for a in Journal(mounted / "old.sqlite3").attempts([1, 2])] == [
        "page_no=0", "page_no=1"
    ]  # fmt: skip
    for use in (journal.open, lambda: journal.record(attempt()), lambda: journal.prune(keep=0)):
        with pytest.raises(JournalError, match=r"read-only") as caught:
            use()
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert path.read_bytes() == before
    with pytest.raises(JournalError, match="Read-only file system"):
        Journal(mounted / "new" / "j.sqlite3").open()


AS_NOBODY = """
import os, sys
sys.path[:0] = sys.argv[2:]
from alinb import Attempt, Journal, JournalError
from alinb.doctor import diagnose
os.setuid(65534) if os.getuid() == 0 else None
journal = Journal(sys.argv[1])
print(len(journal), journal.get(1).body)
for use in (journal.open, lambda: journal.record(Attempt("GET", "https://h/sync?method=x"))):
    try: use()
    except JournalError as error: print(error)
"""


def test_a_read_only_folder_can_be_read_and_says_no_to_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "journal.sqlite3"
    with Journal(path) as journal:
        journal.record(attempt(body="kept=1"))
    for above in (folder, *folder.parents):
        if not above.stat().st_mode & 0o001:
            above.chmod(0o755)
        if above == Path(above.anchor) or above.name.startswith("pytest-of"):
            break
    path.chmod(0o444)
    folder.chmod(0o555)
    done = python(AS_NOBODY, path, *filter(None, sys.path))
    folder.chmod(0o755)
    lines = done.stdout.splitlines()
    assert lines[:1] == ["1 kept=1"], done.stderr
    assert "it or its folder is read-only. It can be read" in lines[1]
    assert lines[2:] == [lines[1]]
    assert [entry.name for entry in folder.iterdir()] == ["journal.sqlite3"]


# ---- network file systems

MOUNTS = """overlay / overlay rw 0 0
9p_root / 9p rw 0 0
/dev/vda1 /home ext4 rw 0 0
filer:/export /home/with\\040blank nfs4 rw 0 0
//box/share /mnt/share cifs rw 0 0
me@host: /mnt/ssh fuse.sshfs rw 0 0
C: /mnt/c 9p rw 0 0
tmpfs /mnt/share/local tmpfs rw 0 0
filer:/x /data nfs rw 0 0
/dev/vdb /data ext4 rw 0 0
short line
"""


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/home/me/journal.sqlite3", ""), ("/home/with blank/j", "nfs4"), ("/mnt/share/j", "cifs"),
        ("/mnt/share/local/j", ""), ("/mnt/sharex/j", ""), ("/mnt/ssh/deep/j", "fuse.sshfs"),
        ("/mnt/c/Users/j", "9p"), ("/root/j", ""), ("/data/j", ""), ("/mnt/share", "cifs"),
    ],
)  # fmt: skip
def test_a_network_file_system_is_told_from_a_local_one(place: str, kind: str) -> None:
    assert network_file_system(place, MOUNTS) == kind


def test_this_machines_own_table_is_read(tmp_path: Path) -> None:
    assert network_file_system(tmp_path) == ""


def test_a_journal_on_a_network_file_system_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alinb.journal.place.network_file_system", lambda _: "nfs4")
    path = tmp_path / "new" / "journal.sqlite3"
    for use in (Journal(path).open, lambda: Journal(path).record(attempt()), Journal(path).rows):
        with pytest.raises(JournalError, match=r"network file system \(nfs4\), where SQLite's"):
            use()
    assert list(tmp_path.iterdir()) == []


# ---- journals of schema 1


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(OLD, tmp_path / "old.sqlite3"))


def test_a_journal_of_schema_1_keeps_its_key_its_rows_and_its_contents(old: Path) -> None:
    with closing(sqlite3.connect(OLD.as_uri() + "?immutable=1", uri=True)) as db:
        columns = "id, at, name, verdict, code, message, request_id, elapsed_ms, mistakes, problem"
        before = db.execute(f"SELECT {columns} FROM attempts ORDER BY id").fetchall()
        key = db.execute("SELECT value FROM meta WHERE name = 'key'").fetchone()[0]
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    journal = Journal(old)
    assert journal.key == key
    rows = journal.rows()[::-1]
    assert [tuple(row[c] for c in columns.split(", ")) for row in rows] == before
    assert len(before) == 5
    whole = list(journal.attempts())
    assert [a.verdict for a in whole] == ["ok", "ok", "ok", "refused", "no_reply"]
    assert json.loads(whole[0].reply_text)["aliexpress_affiliate_product_query_response"]
    assert whole[3].diagnosis == {"mistakes": ["a", "b"], "summary": "Proved: é.", "findings": []}
    assert whole[3].params["code"].startswith("‹code ")
    assert whole[4].body == "b=\ud83d"
    assert journal.record(attempt()).id == 6
    assert journal.get(6).reply_text == attempt().reply_text
    journal.close()
    assert intact(old)
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_eight_processes_bring_up_the_same_old_journal(old: Path) -> None:
    code = (
        "import sys; from alinb import Journal; print(len(list(Journal(sys.argv[1]).attempts())))"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(old)], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
        for _ in range(8)
    ]  # fmt: skip
    assert [process.communicate(timeout=60) for process in started] == [("5\n", "")] * 8


def test_an_old_journal_that_cannot_grow_stays_as_it_is(old: Path) -> None:
    code = (
        "import resource, sys; from alinb import Journal, JournalError;"
        "import alinb.journal; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "try: Journal(sys.argv[1]).rows()\n"
        "except JournalError as error: print(error)\n"
    )
    before = old.read_bytes()
    assert "cannot be used" in python(code, old).stdout
    assert old.read_bytes() == before
    assert len(Journal(old)) == 5


# ---- retention


def many(journal: Journal, count: int, **changed: Any) -> None:
    for n in range(count):
        journal.record_later(attempt(at=1.8e9 + n * 86_400, **changed))
    journal.flush()


DAY = 86_400.0


@pytest.mark.parametrize(
    ("how", "left"),
    [
        ({"keep": 3}, [8, 9, 10]), ({"keep": 0}, []), ({"keep": 99}, list(range(1, 11))),
        ({"older_than": 4 * DAY}, [6, 7, 8, 9, 10]), ({"older_than": 0.0}, [10]),
        ({"older_than": 99 * DAY}, list(range(1, 11))),
        ({"older_than": 4 * DAY, "keep": 8}, list(range(3, 11))),
        ({"older_than": 4 * DAY, "keep": 2}, [6, 7, 8, 9, 10]),
    ],
)  # fmt: skip
def test_prune_deletes_what_age_and_number_both_let_go(
    journal: Journal, path: Path, how: dict[str, Any], left: list[int]
) -> None:
    many(journal, 10)
    now = 1.8e9 + 9 * DAY
    assert journal.prune(**how, now=now) == 10 - len(left)
    assert sorted(row["id"] for row in journal.rows()) == left
    assert [a.id for a in journal.attempts()] == left
    with closing(sqlite3.connect(path)) as db:
        for table in ("contents", "bodies"):
            assert [n for (n,) in db.execute(f"SELECT attempt FROM {table}")] == left
    assert intact(path)


def test_an_attempt_without_a_moment_is_not_old(journal: Journal) -> None:
    journal.record(attempt(at=None))
    journal.record(attempt(at=1.0))
    assert journal.prune(older_than=1.0) == 1
    assert [row["id"] for row in journal.rows()] == [1]


def test_prune_without_a_word_deletes_nothing(journal: Journal) -> None:
    journal.record(attempt())
    with pytest.raises(InputError, match="Nothing says which"):
        journal.prune()
    assert len(journal) == 1


def test_numbers_are_never_given_again(journal: Journal, path: Path) -> None:
    many(journal, 5)
    assert journal.prune(keep=0) == 5
    assert journal.record(attempt()).id == 6
    journal.prune(keep=0)
    journal.close()
    assert Journal(path).record(attempt()).id == 7


@pytest.mark.parametrize("begun", ["fresh", "old"])
def test_prune_shortens_the_file(tmp_path: Path, begun: str) -> None:
    path = tmp_path / "journal.sqlite3"
    if begun == "old":
        shutil.copy(OLD, path)
    with Journal(path) as journal:
        for _ in range(300):
            journal.record_later(attempt(body=os.urandom(3000).hex()))
        journal.flush()
        full = journal.facts()["bytes"]
        assert full > 900_000
        assert journal.prune(keep=10) >= 290
        assert journal.facts()["bytes"] < 150_000
        assert len(journal) == 10


def test_others_record_while_prune_works(journal: Journal, path: Path) -> None:
    many(journal, 6_000, reply_text="")
    waits: list[float] = []
    pruning = threading.Thread(target=lambda: Journal(path).prune(keep=0))
    pruning.start()
    while pruning.is_alive():
        began = time.monotonic()
        journal.record(attempt())
        waits.append(time.monotonic() - began)
    assert max(waits) < 1
    assert 0 < len(journal) <= len(waits)


def test_facts_say_what_a_journal_holds(journal: Journal, path: Path) -> None:
    assert journal.facts()["attempts"] == 0
    many(journal, 3)
    journal.record(attempt(status=None, reply_text="", problem="x", at=None))
    facts = journal.facts()
    assert facts["verdicts"] == {"ok": 3, "no_reply": 1}
    assert (facts["attempts"], facts["schema"], facts["path"]) == (4, 2, str(path))
    assert (facts["oldest"], facts["newest"]) == (1.8e9, 1.8e9 + 2 * DAY)
    assert facts["bytes"] == sum(entry.stat().st_size for entry in path.parent.iterdir())


def test_filters_by_code_and_moment(journal: Journal) -> None:
    for n, code in enumerate(("InvalidCode", "X", "InvalidCode")):
        said = json.dumps({"type": "ISV", "code": code, "message": "m", "request_id": "r"})
        journal.record(attempt(reply_text=said, at=1.8e9 + n))

    def numbers(**how: Any) -> list[int]:
        assert journal.count(**how) == len(journal.rows(**how))
        assert list(journal.frame(**how).index) == [row["id"] for row in journal.rows(**how)]
        return [row["id"] for row in journal.rows(**how)]

    assert numbers(code="InvalidCode") == [3, 1]
    assert numbers(since=1.8e9 + 1) == [3, 2]
    assert numbers(code="InvalidCode", since=1.8e9 + 1, verdict="refused", name="x") == [3]
    assert numbers(code="none") == []
