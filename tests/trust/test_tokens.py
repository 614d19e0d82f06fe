"""The token store under crowds, kills and other eyes: one refresh, no lost token, no wide mode."""

import asyncio
import itertools
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

import alinb
from alinb import AsyncClient, Client, FileStore, MemoryStore, Secret, Token, TokenStoreError
from alinb.files import Lock
from alinb.tokens.claims import claim_of
from tests.trust.canaries import survivors

SECRET = "8b1f6c0a2e9d4735b6c8d0e1f2a3b4c5"
REFRESH, SEARCH = "/auth/token/refresh", "aliexpress.ds.text.search"
#: How many of the lines after a reply's arrival a process is killed at; 0 for all of them.
LINES = 500
POINTS = int(os.environ.get("ALINB_KILL_POINTS", "20"))


@pytest.fixture
def box() -> Iterator[alinb.Sandbox]:
    with alinb.Sandbox(app_key="500102", secret=SECRET, products=5).serve() as served:
        yield served


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "kept" / "tokens.json")


def expired(box: alinb.Sandbox, store: Any) -> Token:
    """A pair in the store whose access token has ended and whose refresh token lives."""
    with Client(box, journal=False) as client:
        ended = replace(client.exchange(box.code()), expires_at=1.0)
        store.save(client.app.platform.place, client.app.key, ended)
    return ended


def held(box: alinb.Sandbox, store: Any) -> Token:
    found = store.load(box.app.platform.place, box.app.key)
    assert isinstance(found, Token)
    return found


def requests(box: alinb.Sandbox) -> Counter[str]:
    return Counter(attempt.api_name for attempt in box.gateway.attempts())


def newest(box: alinb.Sandbox) -> str:
    """The access token that the gateway gave out last."""
    return list(box.gateway.state._by_access)[-1]


# ---- one refresh, whoever finds the token expired

CROWD = """
import os, sys
from alinb import App, Client, FileStore, Platform
import alinb.client, alinb.doctor
url, secret, path, count = sys.argv[1:]
app = App("500102", secret, Platform.named("aliexpress").at(url))
waiting, start = os.pipe()
children = []
for _ in range(int(count)):
    child = os.fork()
    if not child:
        os.close(start)
        os.read(waiting, 1)
        with Client(app, store=FileStore(path), journal=False) as client:
            got = client.valid_token().access_token.reveal()
            used = client.call("aliexpress.ds.text.search", keyWord="lamp", local="en_US",
                               countryCode="US", currency="USD", session=got)
            os.write(1, f"{got} {used.verdict}\\n".encode())
        os._exit(0)
    children.append(child)
os.close(start)
sys.exit(max(os.waitpid(child, 0)[1] for child in children))
"""


def test_fifty_processes_that_find_an_expired_token_make_one_refresh(
    box: alinb.Sandbox, store: FileStore
) -> None:
    ended = expired(box, store)
    done = subprocess.run(
        [sys.executable, "-c", CROWD, box.url, SECRET, str(store.path), "50"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert requests(box)[REFRESH] == 1
    assert Counter(done.stdout.splitlines()) == {f"{newest(box)} ok": 50}
    assert held(box, store).access_token.reveal() == newest(box)
    assert requests(box)[SEARCH] == 50
    with Client(box, journal=False) as client:
        before = client.call(SEARCH, session=ended.access_token)
    assert (before.verdict, before.code) == ("refused", "IllegalAccessToken")


@pytest.mark.parametrize("kind", ["file", "memory"])
@pytest.mark.parametrize("shared", [True, False])
def test_fifty_threads_make_one_refresh(
    box: alinb.Sandbox, store: Any, kind: str, shared: bool
) -> None:
    if kind == "memory":
        store = MemoryStore()
    expired(box, store)
    together, got = threading.Barrier(50), []
    one = Client(box, store=store, journal=False)

    clients = [one if shared else Client(box, store=store, journal=False) for _ in range(50)]

    def renew(client: Client) -> None:
        together.wait()
        got.append(client.valid_token().access_token.reveal())

    threads = [threading.Thread(target=renew, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in {*clients, one}:
        client.close()
    assert got == [newest(box)] * 50
    assert requests(box)[REFRESH] == 1


@pytest.mark.parametrize("kind", ["file", "memory"])
@pytest.mark.parametrize("shared", [True, False])
def test_fifty_tasks_make_one_refresh(
    box: alinb.Sandbox, store: Any, kind: str, shared: bool
) -> None:
    if kind == "memory":
        store = MemoryStore()
    expired(box, store)

    async def crowd() -> list[Token]:
        one = AsyncClient(box, store=store)
        clients = [one if shared else AsyncClient(box, store=store) for _ in range(50)]
        found = await asyncio.gather(*(client.valid_token() for client in clients))
        for client in {*clients, one}:
            await client.close()
        return found

    assert [t.access_token.reveal() for t in asyncio.run(crowd())] == [newest(box)] * 50
    assert requests(box)[REFRESH] == 1


def test_a_token_refused_in_the_middle_is_refreshed_once_for_all_who_used_it(
    box: alinb.Sandbox, store: FileStore
) -> None:
    used = expired(box, store)

    async def crowd() -> list[Token]:
        async with AsyncClient(box, store=store, journal=False) as client:
            return await asyncio.gather(*(client.refresh_once(used) for _ in range(20)))

    found = asyncio.run(crowd())
    assert {t.access_token.reveal() for t in found} == {newest(box)}
    with Client(box, store=store, journal=False) as client:
        assert client.refresh_once(used) == found[0], "another had renewed it already"
    assert requests(box)[REFRESH] == 1


def test_a_waiter_that_is_cancelled_takes_no_right_along(
    box: alinb.Sandbox, store: FileStore
) -> None:
    expired(box, store)

    async def crowd() -> Token:
        async with AsyncClient(box, store=store, journal=False) as client:
            with claim_of(store, client.app.platform.place, client.app.key):  # type: ignore[union-attr]
                waiting = [asyncio.create_task(client.valid_token()) for _ in range(10)]
                await asyncio.sleep(0.05)
                for task in waiting:
                    task.cancel()
                await asyncio.gather(*waiting, return_exceptions=True)
                assert all(task.cancelled() for task in waiting)
            return await asyncio.wait_for(client.valid_token(), 5)

    assert asyncio.run(crowd()).access_token.reveal() == newest(box)


def test_a_token_with_time_left_is_given_without_a_request(
    box: alinb.Sandbox, store: FileStore
) -> None:
    with Client(box, store=store, journal=False) as client:
        made = client.exchange(box.code())
        assert client.valid_token() == made
        assert made.expires_at is not None
        left = made.expires_at - client.clock()
        assert client.valid_token(margin_s=left - 60) == made
        assert requests(box)[REFRESH] == 0
        assert client.valid_token(margin_s=left + 60) != made
        assert requests(box)[REFRESH] == 1


def test_a_token_that_cannot_be_refreshed_is_given_as_long_as_it_lives(
    box: alinb.Sandbox, store: FileStore
) -> None:
    with Client(box, store=store, journal=False) as client:
        with pytest.raises(alinb.InputError, match="No token is held for app 500102"):
            client.valid_token()
        last = replace(client.exchange(box.code()), refreshable=False)
        soon = replace(last, expires_at=client.clock() + 5)
        client.save_token(soon)
        assert client.valid_token() == soon
        client.save_token(replace(last, expires_at=1.0))
        with pytest.raises(alinb.InputError, match="no token here that can be refreshed"):
            client.valid_token()
        assert requests(box)[REFRESH] == 0


def test_one_who_waits_too_long_is_told(
    box: alinb.Sandbox, store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alinb.tokens.claims.CLAIM_S", 0.1)
    expired(box, store)
    with (
        claim_of(store, box.app.platform.place, box.app.key),  # type: ignore[union-attr]
        Client(box, store=store, journal=False) as client,
        pytest.raises(TokenStoreError, match="has been renewing this token"),
    ):
        client.valid_token()
    assert requests(box)[REFRESH] == 0


def test_a_store_of_somebody_elses_is_guarded_within_the_process(box: alinb.Sandbox) -> None:
    class Plain:
        def __init__(self) -> None:
            self.kept: dict[Any, Token] = {}

        def load(self, platform: str, app_key: str) -> Token | None:
            return self.kept.get((platform, app_key))

        def save(self, platform: str, app_key: str, token: Token) -> None:
            self.kept[platform, app_key] = token

        def forget(self, platform: str, app_key: str) -> bool:
            return self.kept.pop((platform, app_key), None) is not None

    store = Plain()
    expired(box, store)

    async def crowd() -> list[Token]:
        async with AsyncClient(box, store=store, journal=False) as client:
            return await asyncio.gather(*(client.valid_token() for _ in range(20)))

    assert {t.access_token.reveal() for t in asyncio.run(crowd())} == {newest(box)}
    assert requests(box)[REFRESH] == 1


# ---- many who write

WRITER = """
import sys
from alinb import FileStore, Secret, Token
store = FileStore(sys.argv[1])
for n in range(int(sys.argv[3])):
    token = Token(Secret(f"5000{sys.argv[2]}x{n}", "access_token"))
    store.save("aliexpress", f"{sys.argv[2]}-{n}", token)
"""


def test_ten_processes_that_save_at_once_keep_every_token(tmp_path: Path) -> None:
    path = tmp_path / "new" / "tokens.json"
    crowd = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(n), "10"])
        for n in range(10)
    ]  # fmt: skip
    assert [process.wait(60) for process in crowd] == [0] * 10
    store = FileStore(path)
    for process in range(10):
        for n in range(10):
            found = store.load("aliexpress", f"{process}-{n}")
            assert found is not None
            assert found.access_token.reveal() == f"5000{process}x{n}"


def test_a_lock_has_one_holder_and_is_free_when_it_dies(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "l"), Lock(tmp_path / "l")
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    second.release()
    code = (
        "import sys, os, signal; from pathlib import Path; from alinb.files import Lock\n"
        "print(Lock(Path(sys.argv[1])).take()); sys.stdout.flush()\n"
        "lock = Lock(Path(sys.argv[1] + '2')); lock.take(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "l")], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (-9, "True\n")
    assert Lock(tmp_path / "l2").take()


def test_a_child_forked_while_it_is_held_does_not_keep_a_lock(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from pathlib import Path; from alinb.files import Lock\n"
        "lock = Lock(Path(sys.argv[1])); lock.take(); child = os.fork()\n"
        "if not child: time.sleep(60); os._exit(0)\n"
        "lock.release(); print(Lock(Path(sys.argv[1])).take()); os.kill(child, 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "l")], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


# ---- kills

KILLED = """
import inspect, os, signal, sys
from pathlib import Path
from alinb import App, Client, FileStore, Journal, Platform
import alinb.client, alinb.doctor
from alinb.tokens.file import _FileDrawer

url, secret, path, step = sys.argv[1:]
step = int(step)
app = App("500102", secret, Platform.named("aliexpress").at(url))
root = Path(alinb.__file__).parent
traced = {str(root / name) for name in ("files.py", "session.py", "renewal.py", "client.py")}
traced |= {str(p) for p in (root / "tokens").iterdir()}
lines, first = inspect.getsourcelines(_FileDrawer.put)
kept_from = first + next(n for n, line in enumerate(lines) if "os.fsync" in line)

def refresh():
    journal = Journal(Path(path).with_name("journal.sqlite3"))
    with Client(app, store=FileStore(path), journal=journal) as client:
        return client.refresh()

def killed_at(point, before):
    seen, kept = 0, False
    def trace(frame, event, argument):
        nonlocal seen, kept
        if frame.f_code.co_filename not in traced:
            return None
        if event == "line":
            if frame.f_code is _FileDrawer.put.__code__ and frame.f_lineno == kept_from:
                kept = True
            if kept is not before:
                seen += 1
                if seen == point:
                    os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)
    refresh()
    sys.settrace(None)

def run(point, before):
    child = os.fork()
    if not child:
        killed_at(point, before)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

if step < 0:  # before the reply is there: the request may be out, and nothing may be broken
    print([run(point, True) for point in range(1, 400, -step)].count(-9))
    sys.exit()
point, kills = 1, 0
while True:
    status = run(point, False)
    if status == 0:
        break
    assert status == -9, (point, status)
    kills += 1
    point += step
refresh()
print(kills, point)
"""


def killed(box: alinb.Sandbox, store: FileStore, step: int) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, box.url, SECRET, str(store.path), str(step)],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [int(number) for number in done.stdout.split()]


def test_a_kill_at_any_line_after_the_replys_arrival_loses_no_refresh_token(
    box: alinb.Sandbox, store: FileStore
) -> None:
    """Every refresh needs the pair of the one before: the sandbox takes an older one no more."""
    expired(box, store)
    kills, last = killed(box, store, LINES // POINTS if POINTS else 1)
    assert last > LINES / 2, "most of the lines were there to be killed at"
    assert kills >= (POINTS or LINES) / 2
    # Each killed one, the one that came to its end, and the last; a sandbox shows the newest.
    assert requests(box)[REFRESH] >= min(kills + 2, 150)
    assert all(a.verdict == "ok" for a in box.gateway.attempts() if a.api_name == REFRESH)
    assert held(box, store).access_token.reveal() == newest(box)
    assert sorted(p.suffix for p in store.path.parent.iterdir() if "tokens" in p.name) == [
        ".json", ".lock", ".lock",
    ]  # fmt: skip
    for content in store.path.parent.glob("journal*"):
        assert b"5000" not in content.read_bytes()


def test_a_kill_before_the_reply_leaves_a_whole_file_and_a_free_lock(
    box: alinb.Sandbox, store: FileStore
) -> None:
    before = expired(box, store)
    assert killed(box, store, -40)[0] >= 2
    found = held(box, store)
    assert found.access_token in (before.access_token, Secret(newest(box), "access_token"))
    claim = claim_of(store, box.app.platform.place, box.app.key)
    assert claim is not None
    claim.close()


WINDOW = """
import inspect, os, signal, sys
from pathlib import Path
from alinb import App, Client, FileStore, Platform, TokenRefused
import alinb.client, alinb.doctor, alinb.tokens.claims
from alinb.tokens.file import _FileDrawer

url, secret, path, step = sys.argv[1:]
app = App("500102", secret, Platform.named("aliexpress").at(url))
root = Path(alinb.__file__).parent
traced = {str(root / name) for name in ("session.py", "renewal.py", "client.py", "exchange.py")}
traced |= {str(p) for p in (root / "tokens").iterdir()}
lines, first = inspect.getsourcelines(_FileDrawer.put)
kept_from = first + next(n for n, line in enumerate(lines) if "os.fsync" in line)

def refresh():
    with Client(app, store=FileStore(path), journal=False) as client:
        return client.refresh()

def killed_at(point):
    seen = -1
    def trace(frame, event, argument):
        nonlocal seen
        if frame.f_code.co_filename not in traced:
            return None
        if event == "line":
            if frame.f_code is _FileDrawer.prepare.__code__ and seen < 0:
                seen = 0
            if frame.f_code is _FileDrawer.put.__code__ and frame.f_lineno == kept_from:
                os._exit(0)
            if seen >= 0:
                seen += 1
                if seen == point:
                    os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)
    refresh()

point = 1
while True:
    child = os.fork()
    if not child:
        killed_at(point)
        os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        refresh()
        print("fine")
    except TokenRefused as error:
        print(error)
        assert error.evidence["spent_before"] <= __import__("time").time()
        with Client(app, store=FileStore(path), journal=False) as client:
            client.exchange(alinb.client.fetch_code(url))
    if status == 0:
        break
    assert status == -9, (point, status)
    point += int(step)
"""


def test_a_kill_between_the_request_and_the_first_write_is_told_by_the_next_refusal(
    box: alinb.Sandbox, store: FileStore
) -> None:
    """The one window nobody can close: the pair is lost, and the next run says what happened."""
    expired(box, store)
    done = subprocess.run(
        [sys.executable, "-c", WINDOW, box.url, SECRET, str(store.path), "4" if POINTS else "1"],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    lost = [line for line in said if line != "fine"]
    begun, end = said.index(lost[0]), len(said) - 1
    assert begun > 5, "before it is sent nothing is lost"
    assert lost == said[begun:end], "from the moment the gateway has it until the first write"
    assert said[end] == "fine", "and from the first write on nothing is lost again"
    for line in lost:
        assert re.search(
            r"refused: IllegalRefreshToken.* The same refresh token may have been spent at "
            r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC: that request was begun, and the program ended "
            r"or the line broke before its answer was kept\. What it gave is lost: open the "
            r"consent page again and exchange a new code; alinb token url begins the way\.$",
            line,
        ), line
    assert not list(store.path.parent.glob(".*.unanswered"))


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_answer_that_never_came_is_told_by_the_next_refusal(
    box: alinb.Sandbox, store: FileStore, kind: str
) -> None:
    """Within one process, too; and nothing is told of what never left this machine."""

    def refresh(app: Any, **how: Any) -> Token:
        async def by_async() -> Token:
            async with AsyncClient(app, store=store, journal=False, **how) as client:
                return await client.refresh()

        if kind == "async":
            return asyncio.run(by_async())
        with Client(app, store=store, journal=False, **how) as client:
            return client.refresh()

    held_before = expired(box, store)
    with pytest.raises(alinb.NoReply, match="no answer"):
        refresh(box.app, transport=nobody(kind))
    assert not list(store.path.parent.glob(".*.unanswered"))
    box.faults.switch_on("reset_after_headers")
    with pytest.raises(alinb.NoReply, match="The refresh token may be spent: refresh again"):
        refresh(box)
    box.faults.switch_off()
    (note,) = store.path.parent.glob(".*.unanswered")
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert held_before.refresh_token is not None
    assert survivors(note.read_bytes(), [held_before.refresh_token.reveal()]) == []
    with pytest.raises(alinb.TokenRefused, match="refresh token may have been spent at 20") as told:
        refresh(box)
    assert told.value.next_step.startswith("What it gave is lost: open the consent page again")
    with Client(box, store=store, journal=False) as client:
        client.exchange(box.code())
    assert not list(store.path.parent.glob(".*.unanswered"))
    assert refresh(box).access_token.reveal() == newest(box)


def nobody(kind: str) -> Any:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody listens")

    return httpx.MockTransport(refuse)


def test_where_an_old_refresh_token_stays_good_a_lost_answer_costs_nothing(
    store: FileStore,
) -> None:
    with alinb.Sandbox(
        app_key="500102", secret=SECRET, products=1, assume={"old_refresh": "accepted"}
    ).serve() as box:
        expired(box, store)
        box.faults.switch_on("reset_after_headers")
        with Client(box, store=store, journal=False) as client:
            with pytest.raises(alinb.NoReply):
                client.refresh()
            box.faults.switch_off()
            assert client.refresh().access_token.reveal() == newest(box)


def test_a_pair_saved_by_hand_wins_over_an_older_reply(box: alinb.Sandbox, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "tokens.json")
    drawer = store._drawer("aliexpress", "1")
    drawer.prepare("")
    reply = b'{"access_token":"5000older","refresh_token":"5001older","code":"0"}'
    drawer.put(BytesIO(reply))
    os.close(drawer._descriptor)  # type: ignore[arg-type]
    assert FileStore(store.path).load("aliexpress", "2") is None
    store.save("aliexpress", "1", Token(Secret("5000newer", "access_token")))
    found = store.load("aliexpress", "1")
    assert found is not None
    assert found.access_token.reveal() == "5000newer"
    assert not drawer.path.exists()


@pytest.mark.parametrize(
    "reply", [b"", b"<html>", b"[1]", b"{", b'{"code":"IllegalRefreshToken","type":"ISV"}', b"\xff"]
)
def test_a_reply_without_tokens_changes_nothing(tmp_path: Path, reply: bytes) -> None:
    store = FileStore(tmp_path / "tokens.json")
    store.save("aliexpress", "1", Token(Secret("5000held", "access_token")))
    claim = store.claim("aliexpress", "1")
    assert claim is not None
    with claim:
        claim._drawer.prepare("")
        claim.receive(BytesIO(reply))
    found = store.load("aliexpress", "1")
    assert found is not None
    assert found.access_token.reveal() == "5000held"


def test_a_journal_that_is_full_after_the_exchange_loses_no_token(
    box: alinb.Sandbox, store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = alinb.Journal(tmp_path / "journal.sqlite3")

    def full(*_: object) -> None:
        raise alinb.JournalError("database or disk is full")

    with Client(box, store=store, journal=journal) as client:
        client.open_journal()
        monkeypatch.setattr(alinb.Journal, "record", full)
        with pytest.raises(alinb.JournalError) as caught:
            client.exchange(box.code())
    assert caught.value.evidence["reply"].ok
    assert held(box, store).access_token.reveal() == newest(box)


# ---- other eyes


@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")
@pytest.mark.parametrize("umask", ["000", "022", "077", "777"])
def test_no_file_or_folder_is_ever_open_to_others(
    box: alinb.Sandbox, tmp_path: Path, umask: str
) -> None:
    code = (
        "import os, sys; from alinb import App, Client, FileStore, Platform\n"
        "app = App('500102', sys.argv[2], Platform.named('aliexpress').at(sys.argv[1]))\n"
        "os.umask(int(sys.argv[4], 8))\n"
        "with Client(app, store=FileStore(sys.argv[3]), journal=False) as client:\n"
        "    client.exchange(sys.argv[5]); client.refresh()\n"
    )
    path, trace = tmp_path / "a" / "b" / "tokens.json", tmp_path / "trace"
    done = subprocess.run(
        ["strace", "-f", "-s", "500", "-o", str(trace),
         "-e", "trace=open,openat,creat,mkdir,mkdirat,chmod,fchmod,fchmodat,rename,renameat,umask",
         sys.executable, "-B", "-c", code, box.url, SECRET, str(path), umask, box.code()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = set()
    for line in trace.read_text().splitlines():
        if f'"{tmp_path}/a' in line and "ENOENT" not in line:
            if re.search(r"O_CREAT", line):
                assert re.search(r", 0600\) += \d+$", line), line
                made.add("file")
            if "mkdir" in line:
                assert re.search(r", 0700\) += 0$", line), line
                made.add("folder")
            if "chmod" in line:
                assert re.search(r", 0[67]00\) += 0$", line), line
        if "fchmod(" in line:
            assert re.search(r", 0600\) += 0$", line), line
    assert made == {"file", "folder"}
    for place in (tmp_path / "a", tmp_path / "a" / "b"):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    for entry in path.parent.iterdir():
        assert stat.S_IMODE(entry.stat().st_mode) == 0o600, entry


def test_a_link_in_the_place_of_the_new_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".tokens.json.new").symlink_to(victim)
    store = FileStore(tmp_path / "tokens.json")
    store.save("aliexpress", "1", Token(Secret("5000x", "access_token")))
    assert victim.read_text() == "mine"
    assert store.load("aliexpress", "1") is not None


# ---- what a traceback with values shows


def verbose(error: BaseException) -> str:
    """What IPython prints under %xmode Verbose, with rich's locals of every frame besides."""
    from io import StringIO

    from IPython.core.ultratb import VerboseTB
    from rich.console import Console
    from rich.traceback import Traceback

    told = (type(error), error, error.__traceback__)
    console = Console(file=StringIO(), width=400)
    console.print(Traceback.from_exception(*told, show_locals=True, locals_max_string=10_000))
    return str(VerboseTB(theme_name="nocolor").text(*told)) + console.file.getvalue()  # type: ignore[attr-defined]


def tokens_of(box: alinb.Sandbox) -> list[str]:
    return [*box.gateway.state._by_access, *box.gateway.state._by_refresh]


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    "where", ["journal", "receive", "save", "settle", "broken file", "cut file"]
)
def test_a_traceback_with_values_shows_no_token(
    box: alinb.Sandbox, store: FileStore, monkeypatch: pytest.MonkeyPatch, kind: str, where: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    expired(box, store)
    if where == "journal":
        monkeypatch.setattr("alinb.journal.writer.Writer._insert", full)
    if where == "receive":
        calls = itertools.count(1)
        monkeypatch.setattr("os.fsync", lambda _: full() if next(calls) == 3 else None)
    if where == "save":
        monkeypatch.setattr("alinb.files.replace", full)
    if where == "settle":
        monkeypatch.setattr("alinb.files.Lock.wait", full)
    if where == "broken file":
        store.path.write_bytes(store.path.read_bytes() + b"\xff")
    if where == "cut file":
        store.path.write_bytes(store.path.read_bytes()[:-3])

    async def in_a_loop() -> None:
        async with AsyncClient(box, store=store) as client:
            await client.refresh()

    def refresh() -> None:
        if kind == "async":
            asyncio.run(in_a_loop())
        else:
            with Client(box, store=store) as client:
                client.refresh()

    with pytest.raises((TokenStoreError, alinb.JournalError, OSError)) as caught:
        refresh()
    shown = verbose(caught.value)
    assert "refresh" in shown
    for value in tokens_of(box):
        lines = [line.strip()[:200] for line in shown.splitlines() if value[10:40] in line]
        assert lines == []
