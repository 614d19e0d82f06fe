"""No secret leaves: canaries of every kind through whatever alinb shows, raises, logs or writes.

Each is looked for raw, percent-encoded in layers, in base64, hex and JSON escapes, in any case.
"""

import asyncio
import contextlib
import copy
import io
import json
import logging
import os
import pickle
import sqlite3
import traceback
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

import httpx
import pytest

import alinb
from alinb import AsyncClient, Attempt, Client, FileStore, Secret
from alinb.intake import to_curl, to_har, to_jsonl
from tests.trust.canaries import spellings, survivors

CREATE, REFRESH = "/auth/token/create", "/auth/token/refresh"
SEARCH, QUERY = "aliexpress.ds.text.search", "aliexpress.affiliate.product.query"
WHERE = {"local": "en_US", "countryCode": "US", "currency": "USD"}
SECRET = "CANARY-secret/0+1aB2cD3eF4gH5"
GIVEN = "3_500102_CANARYgivenCODE0123456789"


class Walk(NamedTuple):
    """A consent and an exchange that took place, and the values that nobody may see."""

    box: alinb.Sandbox
    client: Any
    callback: str
    token: alinb.Token
    canaries: list[str]

    def leaks(self, *shown: Any) -> list[str]:
        texts = [each if isinstance(each, bytes | str) else repr(each) for each in shown]
        return [found for text in texts for found in survivors(text, self.canaries)]


@pytest.fixture
def walk(clock: Any, tmp_path: Path) -> Iterator[Walk]:
    """After a consent, an exchange and a refresh; the tokens lie in a file of their own."""
    box = alinb.Sandbox(app_key="500102", secret=SECRET, clock=clock, products=20)
    with box.serve(), Client(box, clock=clock, store=FileStore(tmp_path / "kept")) as client:
        link = alinb.authorize(box.app, "https://shop.example/cb")
        callback = f"https://shop.example/cb?code={box.code()}&state={link.state}"
        parsed = link.callback(callback)
        first = client.exchange(parsed)
        token = client.refresh()
        pairs = [t for one in (first, token) for t in (one.access_token, one.refresh_token)]
        values = [SECRET, GIVEN, parsed.code.reveal(), *(t.reveal() for t in pairs if t)]
        yield Walk(box, client, callback, token, values)


def test_a_leak_would_be_seen(walk: Walk) -> None:
    for value in walk.canaries:
        for spelled in spellings(value):
            for text in (spelled, spelled.upper(), json.dumps(json.dumps(spelled))):
                assert walk.leaks(f"x{text}y")
    assert len(walk.canaries) == len(set(walk.canaries)) == 7


#: What stands between the pieces of one value.
BETWEEN = {
    "JSON strings": '", "', "JSON values": '", "b": "', "Python strings": "' + '", "a line": "\n",
    "an escaped line": "\\n", "a line of output": '\\n",\n "', "a frame": " │\n│ ",
    "tags": '</span>&amp;<span class="n">', "colors": "\x1b[0m\x1b[1;36m",
    "escaped colors": "\\u001b[0m\\u001b[1;36m", "percent": "%22%2C%22", "a soft break": "=\r\n",
}  # fmt: skip


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("size", [4, 13])
def test_a_leak_in_pieces_would_be_seen(between: str, size: int) -> None:
    text = 'x = ["{}"]'
    for value in (SECRET, GIVEN, "50000hKXcr0S0ACrUkpdKWxeutOScLyM9fnh5HIs5yX0mkJreJuypLtZHY3q6"):
        for spelled in spellings(value):
            pieces = [spelled[at : at + size] for at in range(0, len(spelled), size)]
            cut = BETWEEN[between].join(pieces)
            for shown in (cut, cut.upper() if "\\" not in cut else cut, json.dumps(cut)):
                assert survivors(text.format(shown), [value]), shown
            another = BETWEEN[between].join([*pieces[:1], "y", *pieces[2:]])
            assert survivors(text.format(another), [value]) == []


# ---- What a notebook shows


def shown_things(walk: Walk) -> dict[str, Any]:
    client, box = walk.client, walk.box
    signed = client.sign(CREATE, verb="GET", code=GIVEN)
    wrong = alinb.mistaken(signed, "path_prefix_missing", "secret_wrapped")
    refused = client.send(wrong)
    tokens = client.call(CREATE, code=box.code())
    walk.canaries.extend(tokens.data[n] for n in ("access_token", "refresh_token"))
    attempt = Attempt("GET", wrong.url, string_to_sign=wrong.string_to_sign)
    link = alinb.authorize(box.app, "https://shop.example/cb")
    return {
        "app": client.app, "client": client, "token": walk.token, "store": client.store,
        "signed": signed, "call": signed.call, "wrong": wrong, "walk": wrong.walk,
        "segments": wrong.segments, "refused": refused, "tokens": tokens, "attempt": attempt,
        "received": box.gateway.attempts(), "box": box, "gateway": box.gateway,
        "state": box.gateway.state, "exchanges": list(box.gateway.exchanges),
        "diagnosis": alinb.diagnose(wrong.url, secret=SECRET), "journal": client.journal,
        "verified": alinb.verify(wrong.url, secret=SECRET), "callback": link,
        "parsed": alinb.parse_callback(walk.callback), "kept": client.journal.get(1),
        "compared": alinb.compare(attempt, box.gateway.attempts()[-1]),
        "explained": alinb.explain(refused), "read": alinb.intake.read(to_curl(attempt)),
        "context": alinb.stages.Context(client.app.secret), "claim": client.waiting(),
        "bundle": alinb.support_bundle(attempt, *box.gateway.attempts(), secret=SECRET),
    }  # fmt: skip


def test_what_a_cell_echoes(walk: Walk) -> None:
    from IPython.core.formatters import DisplayFormatter
    from IPython.lib.pretty import pretty
    from rich.pretty import pretty_repr

    formatter = DisplayFormatter()
    things = shown_things(walk)
    for name, thing in things.items():
        data, _ = formatter.format(thing)
        shown = [repr(thing), str(thing), f"{thing}", pretty(thing), pretty_repr(thing), str(data)]
        assert walk.leaks(*shown) == [], name
    nested = {"all": [things, (things,)]}
    assert walk.leaks(repr(nested), pretty(nested), pretty_repr(nested)) == []


def test_copies_and_pickles(walk: Walk) -> None:
    for name, thing in shown_things(walk).items():
        for copied in (copy.copy, copy.deepcopy):
            with contextlib.suppress(TypeError):  # what holds a lock or a socket has none
                assert walk.leaks(copied(thing)) == [], name
        if name == "segments":
            continue  # plain text that was asked for
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            with contextlib.suppress(TypeError, AttributeError, pickle.PicklingError):
                assert walk.leaks(pickle.dumps(thing, protocol)) == [], name


def test_a_copy_is_whole_and_a_pickle_is_of_use(walk: Walk) -> None:
    things = shown_things(walk)
    for name in ("refused", "tokens", "attempt", "call", "walk"):
        for copied in (copy.copy(things[name]), copy.deepcopy(things[name])):
            assert copied == things[name]
            assert copied is not things[name]
    assert copy.deepcopy(things["tokens"]).data is not things["tokens"].data
    again = pickle.loads(pickle.dumps(things["refused"]))  # noqa: S301
    assert (again.verdict, again.code) == ("refused", "IncompleteSignature")
    assert again.params["code"].startswith("‹code ")
    with pytest.raises(alinb.SignatureRefused):
        again.raise_for_refusal()
    plain = alinb.Call.of(QUERY, {"keywords": "lamp"})
    assert pickle.loads(pickle.dumps(plain)) == plain  # noqa: S301
    with pytest.raises(TypeError, match="a call with a code is not pickled"):
        pickle.dumps(things["call"])


def test_frames_and_their_attrs(walk: Walk) -> None:
    tokens = walk.client.call(CREATE, code=walk.box.code())
    walk.canaries.extend(tokens.data[n] for n in ("access_token", "refresh_token"))
    found = walk.client.call(SEARCH, keyWord="lamp", **WHERE)
    assert found.ok
    for reply in (tokens, found):
        for table in (reply.frame(), *reply.tables().values()):
            packed = pickle.dumps(table)
            shown = (table.to_csv(), table._repr_html_(), table.attrs, packed)
            assert walk.leaks(*shown) == []
    kept = walk.client.journal.frame()
    assert len(kept) == 4
    assert walk.leaks(kept.to_csv(), kept.attrs, pickle.dumps(kept)) == []


# ---- What goes to support, and what a person watches


def disguised(value: str) -> list[str]:
    """A value in every form that is searched for, in the places that a request has for it."""
    forms = spellings(value)
    forms += [quote_plus(quote_plus(each)) for each in forms]
    forms += [each.upper() for each in forms] + [each.swapcase() for each in forms]
    forms += ["".join(f"\\u{ord(letter):04x}" for letter in value)]
    return [*forms, *(json.dumps(json.dumps({"deep": each})) for each in forms)]


@pytest.mark.parametrize("number", range(4))
def test_a_support_bundle_of_what_holds_a_value_in_any_form(walk: Walk, number: int) -> None:
    refresh = walk.canaries[-1]
    value = (SECRET, GIVEN, walk.canaries[2], refresh)[number]
    note = " ".join(disguised(value))
    held = Attempt(
        "POST", f"https://api-sg.aliexpress.com/rest{CREATE}?app_key=500102&note={quote(note)}",
        headers=(("X-Note", note), ("Cookie", note)),
        body=f"code={quote_plus(GIVEN)}&refresh_token={quote_plus(refresh)}"
        f"&code={quote_plus(walk.canaries[2])}&x={quote_plus(note)}",
        string_to_sign=f"{SECRET}code{GIVEN}x{note}{SECRET}", stages={"join": note},
        status=200, reply_text=json.dumps({"code": "IllegalRefreshToken", "message": note}),
        reply_headers=(("Set-Cookie", note), ("X-Request", note)), problem=note,
        diagnosis={"summary": note, "verdict": "unexplained", "findings": [{"evidence": note}]},
    )  # fmt: skip
    received = [each for each in walk.box.gateway.attempts() if each.params.get("code")]
    assert received
    for each in (held, *received):
        bundle = alinb.support_bundle(each, held, *received, secret=SECRET)
        shown = (str(bundle), repr(bundle), bundle._repr_html_(), json.dumps(bundle.as_dict()),
                 pickle.dumps(bundle), copy.deepcopy(bundle))  # fmt: skip
        assert CREATE in str(bundle)
        for text in map(str, shown):
            found = survivors(text, [value])
            assert found == [], text[max(0, text.lower().find(found[0].lower()) - 200) :][:400]
    assert len(note) > 3_000


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("bar", ["rich", "tqdm", "tqdm in a notebook", "function"])
def test_what_a_pull_shows_while_it_runs(
    walk: Walk, bar: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a token that goes along, pages that are refused, and lines that break."""
    from alinb.pulls import progress

    screen, said = Terminal(), []
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "400")
    if bar.startswith("tqdm"):
        tqdm = pytest.importorskip("tqdm.notebook" if "notebook" in bar else "tqdm")
        monkeypatch.setattr("tqdm.auto.tqdm", tqdm.tqdm)
        monkeypatch.setattr(progress, "_in_notebook", lambda: True)
        monkeypatch.setattr("IPython.display.display", lambda *shown, **_: said.extend(shown))
    walk.box.faults.switch_on("status_503=0@0.3x2")
    walk.box.faults.switch_on("reset@0.3x2")
    pull = walk.client.pull(
        SEARCH, over={"keyWord": ["lamp", *"abcdefg"]}, **WHERE, pageSize=1, qps=1000,
        session=walk.token.access_token,
        progress=(lambda stats: said.append((stats, f"{stats}"))) if bar == "function" else True,
    )  # fmt: skip
    frame = pull.frame()
    assert pull.stats.calls > 8
    shown = [screen.getvalue(), repr(said), repr(pull), repr(pull.stats), repr(pull.history),
             repr(frame.attrs), str(getattr(pull, "_repr_html_", str)())]  # fmt: skip
    if "notebook" in bar:
        from ipywidgets import Widget

        shown.append(json.dumps(Widget.get_manager_state(), default=str))
        assert "records" in shown[-1]
        Widget.close_all()
    elif bar != "function":
        assert "records" in screen.getvalue()
        assert SEARCH in screen.getvalue()
    else:
        assert said[-1][1].startswith("done: ")
    assert walk.leaks(*shown) == []


# ---- What an error shows


class Failure(NamedTuple):
    name: str
    act: Callable[[Walk], Any]
    error: type[BaseException]


def talking(*answers: Any) -> httpx.MockTransport:
    left = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        one = next(left)
        if isinstance(one, BaseException):
            raise one
        return httpx.Response(200, **one)

    return httpx.MockTransport(answer)


class Broken(httpx.SyncByteStream):
    """Half of a token reply, then the end of the line or of the user's patience."""

    def __init__(self, walk: Walk, error: BaseException) -> None:
        self.walk, self.error = walk, error

    def __iter__(self) -> Iterator[bytes]:
        yield json.dumps(self.walk.token.as_stored()).encode()
        raise self.error


def breaking(walk: Walk, error: BaseException) -> Client:
    transport = talking({"stream": Broken(walk, error)})
    return Client(walk.client.app, transport=transport, token=walk.token)


def broken(walk: Walk, error: BaseException, verb: str = "GET") -> Any:
    with breaking(walk, error) as client:
        return client.call(CREATE, verb=verb, code=Secret(GIVEN, "code"))


def wrong_platform(walk: Walk) -> Any:
    """A call that its platform has none of, with a token that is held."""
    app = alinb.App("500102", SECRET, "lazada-th")
    with Client(app, transport=talking(), token=walk.token, journal=False) as client:
        return client.call("a.dotted.name")


def full_store(walk: Walk) -> Any:
    """The reply with the tokens is there, and nothing can be kept."""

    class Full(alinb.MemoryStore):
        def save(self, *_: Any) -> None:
            raise OSError("No space left on device")

    box = walk.box
    with Client(box, store=Full(), clock=walk.client.clock) as client:
        return client.exchange(Secret(box.code(), "code"))


def from_environment(walk: Walk) -> Any:
    return alinb.App.from_env(
        {"ALINB_APP_KEY": "1", "ALINB_APP_SECRET": SECRET, "ALINB_PLATFORM": "nowhere"}
    )


def denied(walk: Walk) -> Any:
    with alinb.Listener(patience=30) as listener:
        listener.take(f"/callback?error=access_denied&code={GIVEN}&state={listener.state}")
        listener.answered()
        return listener.wait(10)


FAILURES = [
    Failure("a refused exchange", lambda w: w.client.exchange(alinb.parse_callback(w.callback)),
            alinb.CodeRefused),
    Failure("a refused call's frame",
            lambda w: w.client.call(SEARCH, session=Secret("x" * 40)).frame(), alinb.Refused),
    Failure("a line that breaks", lambda w: broken(w, httpx.ReadError("gone")), alinb.NoReply),
    Failure("a posted form", lambda w: broken(w, httpx.ReadError("gone"), "POST"), alinb.NoReply),
    Failure("Ctrl-C in an answer", lambda w: broken(w, KeyboardInterrupt()), KeyboardInterrupt),
    Failure("a bug of a library", lambda w: broken(w, ZeroDivisionError()), ZeroDivisionError),
    Failure("a call of no platform's", wrong_platform, alinb.InputError),
    Failure("a store that is full", full_store, OSError),
    Failure("an app of the environment", from_environment, alinb.UnknownPlatform),
    Failure("a secret with a blank",
            lambda w: alinb.App("1", f"{w.client.app.secret.reveal()} "), alinb.InputError),
    Failure("a callback without a code",
            lambda w: alinb.parse_callback(w.callback.replace("code=", "cod=")),
            alinb.CallbackError),
    Failure("a callback of another link",
            lambda w: alinb.parse_callback(w.callback, state="other"), alinb.CallbackError),
    Failure("a denied consent", denied, alinb.CallbackError),
    Failure("a request that is none",
            lambda w: alinb.diagnose({"note": w.callback, "url": 7}, secret=w.client.app.secret),
            alinb.IntakeError),
    Failure("a request without a signature",
            lambda w: alinb.verify(w.callback, secret=w.client.app.secret), alinb.InputError),
    Failure("a mistake that is none",
            lambda w: alinb.mistaken(w.client.sign(CREATE, code=Secret(GIVEN)), "typo"),
            alinb.InputError),
]  # fmt: skip


def caught(walk: Walk, failure: Failure) -> BaseException:
    try:
        failure.act(walk)
    except failure.error as error:
        return error
    raise AssertionError(f"{failure.name} did not fail")


def without_this_file(error: BaseException) -> BaseException:
    """The error as a user's cell gets it: this file's frames hold what they were given."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return error.with_traceback(trace)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
class TestErrors:
    def test_in_tracebacks_of_every_kind(self, walk: Walk, failure: Failure) -> None:
        from IPython.core.ultratb import VerboseTB
        from rich.console import Console
        from rich.traceback import Traceback

        error = without_this_file(caught(walk, failure))
        kind, trace = type(error), error.__traceback__
        assert trace is not None
        out = io.StringIO()
        rich = Traceback.from_exception(
            kind, error, trace, show_locals=True, locals_max_length=10_000,
            locals_max_string=100_000, locals_hide_dunder=False, locals_hide_sunder=False,
        )  # fmt: skip
        Console(file=out, width=300).print(rich)
        drawn = VerboseTB(include_vars=True).text(kind, error, trace)
        python = traceback.TracebackException(kind, error, trace, capture_locals=True)
        shown = ["".join(python.format()), out.getvalue(), str(drawn)]
        for context in (error.__context__, error.__cause__):
            if context is not None:
                inner = traceback.TracebackException.from_exception(context, capture_locals=True)
                shown += inner.format()
        assert failure.error.__name__ in shown[0]
        assert walk.leaks(*shown) == []

    def test_in_messages_notes_evidence_and_pickles(self, walk: Walk, failure: Failure) -> None:
        import tblib.pickling_support

        error = caught(walk, failure)
        error.add_note(f"seen by {walk.client!r} with {walk.token}")
        shown: dict[str, Any] = {
            "str": str(error), "repr": repr(error), "args": error.args, "vars": vars(error),
            "traceback": "".join(traceback.format_exception(error)),
        }  # fmt: skip
        with contextlib.suppress(TypeError):
            shown["pickle"] = pickle.dumps(error)
        with contextlib.suppress(TypeError):
            # As Dask has errors pickled: with what they were raised for.
            tblib.pickling_support.install(error)
            shown["pickle of all"] = pickle.dumps(error)
        for place, text in shown.items():
            assert walk.leaks(text) == [], place


@pytest.mark.parametrize("mode", ["Plain", "Context", "Verbose", "Minimal"])
def test_errors_in_ipython_and_its_history(walk: Walk, mode: str, tmp_path: Path) -> None:
    """In cells as a user writes them: what is typed is the user's and holds no canary."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    shell.history_manager.enabled = False
    client, listed = walk.client, []
    shell.push({"client": client, "parsed": alinb.parse_callback(walk.callback),
                "stopped": breaking(walk, KeyboardInterrupt()), "token": walk.token})  # fmt: skip
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        for cell in (
            f"%xmode {mode}", "%load_ext alinb", "%alinb", "client", "token", "parsed",
            "client.exchange(parsed)", "client.sign('/auth/token/create', code=parsed.code)",
            "client.call('/auth/token/create', code=parsed.code).raise_for_refusal()",
            "client.call('a b', code=parsed.code)", "client.journal.frame()", "_, __, ___, Out",
            "%whos", "stopped.call('/auth/token/create', code=parsed.code)",
            "client.refresh().as_dict()",
        ):  # fmt: skip
            shell.run_cell(cell, store_history=True)
            listed.append(cell)
        token = client.token
    walk.canaries.extend([token.access_token.reveal(), token.refresh_token.reveal()])
    text = out.getvalue()
    assert "CodeRefused" in text
    assert "KeyboardInterrupt" in text
    assert walk.leaks(text) == []
    history = [source for _, _, source in shell.history_manager.get_range()]
    assert history == listed, "alinb writes no cell of its own"
    shell.history_manager.end_session()


# ---- What is logged


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """All that any logger says at DEBUG, as a handler of the root gets it."""
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s"))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines.getvalue
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.mark.parametrize("kind", ["sync", "async", "fast"])
@pytest.mark.parametrize("place", ["in process", "served"])
def test_logs_at_debug(
    log: Callable[[], str], clock: Any, kind: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`fast` is the async client on the fast transport, where that is installed."""
    monkeypatch.setenv("ALINB_TRANSPORT", "" if kind == "fast" else "httpx")
    box = alinb.Sandbox(app_key="500102", secret=SECRET, clock=clock, products=20)
    if place == "served":
        box.serve()
    seen: list[alinb.Token] = []
    code = box.code()

    def use(client: Client) -> None:
        seen.extend([client.exchange(code), client.refresh()])
        client.call(SEARCH, verb="GET", keyWord="lamp", **WHERE)
        client.call(CREATE, verb="GET", code=GIVEN)

    async def use_async() -> None:
        async with AsyncClient(box, clock=clock) as client:
            seen.extend([await client.exchange(code), await client.refresh()])
            await client.call(SEARCH, verb="GET", keyWord="lamp", **WHERE)
            await client.call(CREATE, verb="GET", code=GIVEN)

    if kind == "sync":
        with Client(box, clock=clock) as client:
            use(client)
    else:
        asyncio.run(use_async(), debug=True)
    box.close()
    assert "httpx HTTP Request: GET" in log()
    if place == "served" and kind != "fast":
        assert "httpcore.http11 receive_response_headers.complete" in log()
    values = [SECRET, GIVEN, code]
    values += [one.reveal() for t in seen for one in (t.access_token, t.refresh_token) if one]
    assert survivors(log(), values) == []


def test_what_httpcore_logs_of_an_answers_headers(log: Callable[[], str], answering: Any) -> None:
    head = f"Set-Cookie: s={GIVEN}\r\nX-Token: {GIVEN}\r\nLocation: http://x.example/?code={GIVEN}"
    url = answering(f"HTTP/1.1 302 Found\r\n{head}\r\nContent-Length: 0\r\n\r\n".encode())
    app = alinb.App("500102", SECRET, alinb.Platform.named().at(url))
    with Client(app, journal=False) as client:
        client.call(CREATE, code=GIVEN)
    assert "receive_response_headers.complete" in log()
    assert "b'Content-Length', b'0'" in log()
    assert survivors(log(), [SECRET, GIVEN]) == []


# ---- What is written


def test_the_journals_bytes(walk: Walk, tmp_path: Path) -> None:
    """Of the file and its log, as they are and with every packed body unpacked."""
    shown_things(walk)
    path = Path(os.environ["ALINB_JOURNAL"])
    files = sorted(path.parent.glob(path.name + "*"))
    assert [each.suffix for each in files][:1] == [".sqlite3"]
    assert walk.leaks(*(each.read_bytes() for each in files)) == []
    rows = []
    with contextlib.closing(sqlite3.connect(path)) as database:
        for (table,) in database.execute("select name from sqlite_master where type='table'"):
            for row in database.execute(f'select * from "{table}"'):
                rows += [unpacked(cell) for cell in row if isinstance(cell, bytes | str)]
    assert len(rows) > 20
    assert any(SEARCH[:3] in repr(row) for row in rows)
    assert walk.leaks(*rows) == []


def unpacked(cell: bytes | str) -> bytes | str:
    if isinstance(cell, bytes):
        for bits in (15, -15, 31):
            with contextlib.suppress(zlib.error):
                return zlib.decompressobj(bits).decompress(cell)
    return cell


def test_tokens_lie_in_clear_only_where_the_user_chose_a_file(walk: Walk, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for name in ("access_token", "refresh_token"):
        assert getattr(walk.token, name).reveal() in kept.read_text()
    shown_things(walk)
    others = [each for each in tmp_path.rglob("*") if each.is_file() and each != kept]
    assert others
    for each in others:
        assert walk.leaks(each.read_bytes(), each.name) == [], each.name


@pytest.mark.parametrize("form", ["har", "curl", "jsonl"])
@pytest.mark.parametrize("source", ["journal", "sandbox"])
def test_exports(walk: Walk, form: str, source: str) -> None:
    from alinb.redact import Redactor

    shown_things(walk)
    attempts = list(walk.client.journal.attempts())
    if source == "sandbox":
        redactor = Redactor(b"export", [("app_secret", SECRET)])
        attempts = [each.redacted(redactor) for each in walk.box.gateway.attempts()]
    assert len(attempts) > 2
    text = {
        "har": lambda: json.dumps(to_har(attempts, "0")),
        "curl": lambda: "\n".join(map(to_curl, attempts)),
        "jsonl": lambda: to_jsonl(attempts),
    }[form]()
    assert CREATE in text
    assert walk.leaks(text) == []


def test_the_inspector(walk: Walk) -> None:
    shown_things(walk)
    with httpx.Client(base_url=walk.box.url, trust_env=False) as web:
        pages = [
            web.get(path) for path in ("/inspector", "/inspector/export.har", "/inspector/faults")
        ]
        for each in walk.box.gateway.exchanges:
            one = f"/inspector/requests/{each.number}"
            while (page := web.get(one)).status_code == 202:
                pass
            pages += [page, web.get(f"{one}/export.har"), web.get(f"{one}/request.ipynb")]
    assert {page.status_code for page in pages} == {200}
    assert len(pages) > 12
    assert (
        walk.leaks(*(page.content for page in pages), *(str(page.headers) for page in pages)) == []
    )


# ---- Widgets


def test_widget_state() -> None:
    from ipywidgets import Widget

    from alinb.widgets.base import Event
    from alinb.widgets.bench import SignatureBench
    from alinb.widgets.walkthrough import OAuthWalkthrough

    box = alinb.Sandbox(app_key="500102", secret=SECRET, products=1)
    code, signed = box.code(), alinb.sign(CREATE, {"code": GIVEN}, app=box.app, verb="GET")
    bench, pasted = (SignatureBench(w, app=box.app) for w in (signed.call, f"curl '{signed.url}'"))
    walking = OAuthWalkthrough(box)
    panels, client = [bench, pasted, walking], walking.client
    assert client is not None
    bench.act("turn", Event("wrap", "secret_wrapped"))
    pasted.act("turn", Event("wrap", "secret_wrapped"))
    link = walking.link
    assert link is not None
    came = f"https://x.example/?code={code}&state={link.state}"
    walking.act("check", Event(value=came))
    walking.act("exchange", Event(fields={"callback": came}))
    token = walking.token
    assert token is not None
    assert token.refresh_token is not None
    values = [SECRET, GIVEN, code, token.access_token.reveal(), token.refresh_token.reveal()]
    saved = Widget.get_manager_state()
    assert len(saved["state"]) >= 3
    assert survivors(json.dumps(saved, default=str), values) == []
    for panel in panels:
        data, _ = panel._repr_mimebundle_()
        assert survivors(f"{panel!r}{panel.get_state()}{data}{panel.status}", values) == []
        panel.close()
    client.close()


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], str]]:
    """A port that answers every connection with the same bytes."""
    import socket
    import threading

    opened: list[tuple[socket.socket, threading.Thread]] = []

    def started(content: bytes) -> str:
        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(content)

        thread = threading.Thread(target=serve)
        thread.start()
        opened.append((listener, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield started
    for listener, thread in opened:
        listener.shutdown(2)
        listener.close()
        thread.join()
