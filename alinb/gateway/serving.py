"""An ASGI app on a port of 127.0.0.1, in a thread of its own."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from ..errors import PortInUse

if TYPE_CHECKING:
    import uvicorn

#: How long a server may take to start listening, in s.
START_S = 15.0


class Serving:
    """A server that listens; `url` says where, until `close()`.

    `what` names it in messages. Options are those of uvicorn. Raises `PortInUse` where another
    program has the port; 0 takes a free one.
    """

    def __init__(self, asgi: Any, port: int = 0, *, what: str = "sandbox", **options: Any) -> None:
        import uvicorn

        # uvicorn binds its own socket: one handed over lacks TCP_NODELAY and answers 40 ms late.
        config = uvicorn.Config(
            asgi, host="127.0.0.1", port=port, log_config=None, access_log=False,
            lifespan="off", server_header=False, log_level="critical", **options,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=_run, args=(self._server,), name=f"alinb-{what}", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + START_S
        while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)
        if not self._server.started:
            self._server.should_exit = True
            raise PortInUse(
                f"The {what} cannot listen on port {port}.",
                next_step="Choose another with --port, or 0 for a free one.",
            )
        bound = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{bound}"

    def close(self) -> None:
        """Stop listening: answers under way have 5 s to end."""
        self._server.should_exit = True
        self._thread.join(5)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(5)


def _run(server: uvicorn.Server) -> None:
    # uvicorn ends its thread with SystemExit where the port is taken; `Serving` sees that.
    try:
        server.run()
    except SystemExit:
        return
