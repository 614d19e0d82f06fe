"""Wait on this machine for the one callback of a consent link, where a browser can reach it.

Never required: a callback can always be pasted. It listens on 127.0.0.1 alone, on a port of the
system's choice, answers no other Host, takes one callback with the right `state`, and is gone.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

from .errors import CallbackError
from .oauth import Callback, parse_callback
from .quiet import quiet

#: How long a person may take to log in and allow the access, in s.
PATIENCE_S = 300.0
_PATH = "/callback"
#: How often the server looks whether it is over, in s.
_TURN_S = 0.05
#: How long one browser may take for one request, in s.
_REQUEST_S = 5.0


class Listener:
    """A port of 127.0.0.1 that takes one callback; see `redirect_uri` and `state`.

    `wait()` gives the `Callback`, or raises `CallbackError` where the access was denied or nothing
    came in `patience` seconds. `then` is called once it is over, from the listener's thread.
    The app's console must have `redirect_uri` registered, or take any.

        with alinb.Listener() as listener:
            print(alinb.authorize(app, listener.redirect_uri, state=listener.state).url)
            token = client.exchange(listener.wait())
    """

    def __init__(
        self,
        *,
        patience: float = PATIENCE_S,
        then: Callable[[], None] | None = None,
        when_reached: Callable[[], None] | None = None,
    ) -> None:
        self.state = secrets.token_hex(16)
        self._nonce = secrets.token_hex(16)
        self._then, self._when_reached = then, when_reached
        self._result: Callback | CallbackError | None = None
        self._taking = threading.Lock()
        self._over, self._gone = threading.Event(), threading.Event()
        self._deadline = time.monotonic() + patience
        self._server = _Server(self)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._serve, name="alinb-listener", daemon=True)
        self._thread.start()

    @property
    def redirect_uri(self) -> str:
        return f"http://127.0.0.1:{self.port}{_PATH}"

    @property
    def probe(self) -> str:
        """A URL that a browser on this machine can fetch; `when_reached` is called when it does."""
        return f"http://127.0.0.1:{self.port}/reached?{self._nonce}"

    @property
    def listening(self) -> bool:
        return not self._gone.is_set()

    @property
    def outcome(self) -> Callback | CallbackError | None:
        """The callback, or why there is none; None while it is waited for."""
        return self._result

    @quiet
    def wait(self, seconds: float | None = None) -> Callback:
        """The callback; raises `CallbackError` where none came in time or access was denied."""
        self._gone.wait(seconds)
        if isinstance(self._result, Callback):
            return self._result
        raise self._result or _nothing_came()

    def close(self) -> None:
        """Stop listening; a callback that has not come yet never will."""
        with self._taking:
            self._result = self._result or CallbackError(
                "Listening was stopped.", next_step="Paste the callback instead."
            )
        self._over.set()
        # Not for its thread: that may wait for whoever closes this.
        self._gone.wait(5)

    def take(self, target: str) -> tuple[int, str]:
        """The answer (status, text) to a request for a path and query.

        Only one with the right `state` can end the waiting, and only once.
        """
        parts = urlsplit(target)
        if parts.path == "/reached" and _same(parts.query, self._nonce):
            if self._when_reached:
                self._when_reached()
            return 204, ""
        if parts.path != _PATH:
            return 404, "There is nothing here."
        states = parse_qs(parts.query, keep_blank_values=True).get("state", [])
        if len(states) != 1 or not _same(states[0], self.state):
            return 403, "This is not the callback that is waited for."
        with self._taking:
            if self._result is not None:
                return 410, "This callback was used already."
            try:
                self._result = parse_callback(target, state=self.state)
            except CallbackError as error:
                if "error" not in error.evidence.get("fields", ()):
                    return 400, str(error)
                self._result = error
                return 200, "The access was not allowed. You can close this page."
        return 200, "The code has arrived. You can close this page and go back to the notebook."

    def answered(self) -> None:
        """A request was answered: what it brought may end the waiting."""
        if self._result is not None:
            self._over.set()

    def _serve(self) -> None:
        while not self._over.is_set() and time.monotonic() < self._deadline:
            self._server.handle_request()
        self._server.server_close()
        with self._taking:
            self._result = self._result or _nothing_came()
        self._gone.set()
        if self._then:
            self._then()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Listener {'at' if self.listening else 'was at'} {self.redirect_uri}>"


def _nothing_came() -> CallbackError:
    return CallbackError(
        "No callback came in time.", next_step="Open the consent link again, or paste the callback."
    )


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), right.encode())


class _Server(ThreadingHTTPServer):
    timeout = _TURN_S
    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hosts = {f"{name}:{self.server_address[1]}" for name in ("127.0.0.1", "localhost")}

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes away in the middle is nobody's business; a traceback tells a code."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _REQUEST_S
    protocol_version = "HTTP/1.1"
    # One packet an answer, sent at once.
    wbufsize = -1
    disable_nagle_algorithm = True
    server_version = sys_version = ""

    def do_GET(self) -> None:
        listener = self.server.listener
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or hosts[0] not in self.server.hosts:
            # A name of somebody else's that leads here (DNS rebinding).
            self._answer(421, "This host is not served here.")
            return
        if not listener.listening:
            self.close_connection = True
            return
        self._answer(*listener.take(self.path))
        listener.answered()

    def _answer(self, status: int, text: str) -> None:
        page = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>alinb</title>'
            '<meta name="color-scheme" content="light dark"></head>'
            f"<body><p>{escape(text)}</p></body></html>"
        ).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(page) if status != 204 else 0))
        self.end_headers()
        if status != 204:
            self.wfile.write(page)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the request line holds the code."""
