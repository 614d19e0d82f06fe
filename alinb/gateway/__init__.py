"""The sandbox: the gateway's side of the protocol, in this process or on a port.

What it does not emulate: other apps, permission groups and review, real products and accounts,
quotas by day, and every method that `alinb.gateway.methods.ANSWERS` does not name.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..app import App, Platform
from ..errors import InputError, PortInUse
from ..redact import Secret
from .core import Gateway
from .market import Market
from .state import LIVES, State

if TYPE_CHECKING:
    import uvicorn

__all__ = ["Sandbox", "sandbox"]

#: How long a sandbox may take to start listening, in s.
START_S = 15.0


class Sandbox:
    """A gateway of your own, with one app, its consent page and a catalogue of products.

    In process it is used by handing it to a client; `serve()` puts it on a port of 127.0.0.1 for
    programs in any language. `status` test or online sets the tokens' lives. `fault` refuses every
    signed call with that code, `latency_ms` delays each answer, `qps` limits calls a second.
    `callback` is the registered redirect URI; without one any is taken.

        with alinb.sandbox() as gateway:
            client = alinb.Client(gateway)
            client.exchange(gateway.code())
    """

    def __init__(
        self,
        *,
        app_key: str = "",
        secret: str | Secret = "",
        platform: str | Platform = "aliexpress",
        status: str = "test",
        callback: str = "",
        fault: str = "",
        latency_ms: float = 0.0,
        qps: float = 0.0,
        products: int = 240,
        clock: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        if status not in LIVES:
            raise InputError(f"{status!r} is no app status.", next_step="Use test or online.")
        profile = Platform.named(platform) if isinstance(platform, str) else platform
        key = app_key or str(500_000 + int.from_bytes(random(4)) % 400_000)
        self._app = App(key, secret or random(16).hex(), profile.at("http://127.0.0.1"))
        state = State(
            key, status=status, code_seconds=profile.code_seconds, clock=clock, random=random
        )
        self.gateway = Gateway(self._app, state, Market(products), clock, fault=fault, qps=qps)
        self._latency_s = latency_ms / 1000
        self._callback = callback
        self._asgi: Any = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""

    @property
    def app(self) -> App:
        """The app to sign with, its platform's hosts replaced by this sandbox."""
        if not self.url:
            return self._app
        return App(self._app.key, self._app.secret, self._app.platform.at(self.url))

    @property
    def asgi(self) -> Any:
        """The ASGI app to talk to in process; None once it is served on a port."""
        return None if self.url else self._build()

    def code(self) -> str:
        """A fresh authorization code, as the consent page would give one."""
        return self.gateway.state.new_code()

    def serve(self, port: int = 0) -> Self:
        """Listen on 127.0.0.1, on a free port where `port` is 0; `url` says where.

        Raises `PortInUse` where another program has the port.
        """
        import uvicorn

        if self.url:
            return self
        # uvicorn binds its own socket: one handed over lacks TCP_NODELAY and answers 40 ms late.
        config = uvicorn.Config(
            self._build(), host="127.0.0.1", port=port, log_config=None, access_log=False,
            lifespan="off", server_header=False, log_level="critical",
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=_run, args=(server,), name="alinb-sandbox", daemon=True)
        thread.start()
        deadline = time.monotonic() + START_S
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)
        if not server.started:
            server.should_exit = True
            raise PortInUse(
                f"The sandbox cannot listen on port {port}.",
                next_step="Choose another with --port, or 0 for a free one.",
            )
        self._server, self._thread = server, thread
        bound = server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{bound}"
        return self

    def close(self) -> None:
        """Stop listening; the sandbox can still be used in process."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(5)
            if self._thread.is_alive():
                self._server.force_exit = True
                self._thread.join(5)
        self._server = self._thread = None
        self.url = ""

    def _build(self) -> Any:
        if self._asgi is None:
            from .asgi import build

            self._asgi = build(self.gateway, latency_s=self._latency_s, callback=self._callback)
        return self._asgi

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Sandbox app {self._app.key} {'at ' + self.url if self.url else 'in process'}>"


def sandbox(**options: Any) -> Sandbox:
    """A sandbox gateway; the options are those of `Sandbox`."""
    return Sandbox(**options)


def _run(server: uvicorn.Server) -> None:
    # uvicorn ends its thread with SystemExit where the port is taken; `serve` sees that.
    try:
        server.run()
    except SystemExit:
        return
