"""The inspector: a page that lists requests as they come, and says what is wrong with each."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from .. import intake
from ..errors import InputError
from ..knowledge import load
from ..redact import Secret
from .exchanges import Exchange, Exchanges
from .faults import KINDS, Faults
from .inspection import Diagnoses, Inspection, Row
from .notebook import notebook
from .orders import Problem, as_json, order, safely

#: Rows go out together at most so often, and something at least so often, in s.
PACE_S, HEARTBEAT_S = 0.1, 15.0
#: How long a page waits for a diagnosis before it is told to ask again, in s.
PATIENCE_S = 10.0

_STATIC = {"inspector.css": "text/css", "inspector.js": "text/javascript"}


def routes(
    exchanges: Exchanges,
    *,
    secret: Secret | None = None,
    faults: Faults | None = None,
    page_token: str = "",
    title: str = "alinb sandbox",
    diagnoses: Diagnoses | None = None,
) -> list[BaseRoute]:
    """The routes of the inspector under /inspector, to be mounted behind a `Guard`.

    Without `secret` only the requests themselves are judged; without `faults` there is no panel to
    switch them. `page_token` has to come with whatever changes something; one is made up for "".
    """
    page = _Inspector(
        exchanges, diagnoses or Diagnoses(secret), faults,
        page_token or secrets.token_urlsafe(16), title,
    )  # fmt: skip
    one = "/inspector/requests/{number:int}"
    return [
        Route("/inspector", safely(page.page, linked=True), methods=["GET"]),
        Route("/inspector/events", safely(page.events), methods=["GET"]),
        Route("/inspector/static/{name}", safely(page.static), methods=["GET"]),
        Route("/inspector/export.har", safely(page.har), methods=["GET"]),
        Route("/inspector/clear", safely(page.clear), methods=["POST"]),
        Route("/inspector/faults", safely(page.faults), methods=["GET"]),
        Route("/inspector/faults", safely(page.switch), methods=["POST"]),
        Route(one, safely(page.detail), methods=["GET"]),
        Route(f"{one}/values", safely(page.values), methods=["POST"]),
        Route(f"{one}/export.har", safely(page.har), methods=["GET"]),
        Route(f"{one}/request.ipynb", safely(page.notebook), methods=["GET"]),
    ]


class _Inspector:
    """The endpoints of one inspector."""

    def __init__(
        self,
        exchanges: Exchanges,
        diagnoses: Diagnoses,
        faults: Faults | None,
        page_token: str,
        title: str,
    ) -> None:
        self._exchanges = exchanges
        self._inspection = Inspection(diagnoses)
        self._faults = faults
        self._token = page_token
        self._title = title
        self._run = secrets.token_hex(4)

    async def page(self, request: Request) -> Response:
        rows = self._inspection.rows(self._exchanges)
        filled = {
            "title": escape(self._title),
            "token": escape(self._token),
            "event": f"{self._run}-{max((row.number for row in rows), default=0)}",
            "rows": "".join(map(_drawn, rows)),
            "count": str(len(rows)),
            "none": "hidden" if rows else "",
            "faults": "" if self._faults is not None else "hidden",
        }
        html = re.sub(r"\{\{(\w+)\}\}", lambda found: filled[found[1]], _file("inspector.html"))
        return Response(html.encode("utf-8", "replace"), media_type="text/html")

    async def static(self, request: Request) -> Response:
        kind = _STATIC.get(request.path_params["name"])
        if kind is None:
            raise Problem(404, "There is no such file.")
        return Response(_file(request.path_params["name"]), media_type=kind)

    async def events(self, request: Request) -> Response:
        """Rows as they come, from the one after Last-Event-ID (or `after`) on."""
        seen = request.headers.get("last-event-id") or request.query_params.get("after", "")
        return StreamingResponse(
            self._stream(seen), headers={"x-accel-buffering": "no"}, media_type="text/event-stream"
        )

    async def _stream(self, seen: str) -> AsyncIterator[str]:
        run, _, last = seen.partition("-")
        if run and run != self._run:
            # Numbers begin again with each start of the program.
            yield _event("", {"reload": True})
            return
        after = int(last) if last.isdecimal() and last.isascii() else 0
        sent = {each.number for each in self._exchanges if each.number <= after}
        yield "retry: 1000\n\n"
        yield self._news(sent)
        async with aclosing(self._exchanges.changes(HEARTBEAT_S)) as changes:
            async for changed in changes:
                if changed:
                    await asyncio.sleep(PACE_S)
                yield self._news(sent) if changed else ": still here\n\n"

    def _news(self, sent: set[int]) -> str:
        """An event of what is not among `sent`, which is brought up to date."""
        held = list(self._exchanges)
        new = {each.number for each in held} - sent
        numbers = [each.number for each in held]
        sent.clear()
        sent.update(numbers)
        rows = self._inspection.rows(held)
        state = {
            "rows": [row._asdict() for row in rows if row.number in new],
            "oldest": min(numbers, default=None),
            "faults": None if self._faults is None else [str(f) for f in self._faults.active],
        }
        return _event(f"{self._run}-{max(numbers, default=0)}", state)

    async def detail(self, request: Request) -> Response:
        return await self._in_time(self._inspection.detail, self._asked_for(request))

    async def values(self, request: Request) -> Response:
        await order(request, self._token)
        exchange = self._asked_for(request)
        return await self._in_time(lambda e: self._inspection.detail(e, revealed=True), exchange)

    async def _in_time(
        self, work: Callable[[Exchange], dict[str, Any]], exchange: Exchange
    ) -> Response:
        working = asyncio.create_task(asyncio.to_thread(work, exchange))
        done, _ = await asyncio.wait({working}, timeout=PATIENCE_S)
        if not done:
            # The thread goes on, and what it finds is kept for the next who asks.
            return as_json({"pending": True}, 202)
        return as_json(working.result())

    async def har(self, request: Request) -> Response:
        some = "number" in request.path_params
        chosen = [self._asked_for(request)] if some else list(self._exchanges)[::-1]

        def made() -> str:
            har = intake.to_har(map(self._inspection.redacted, chosen), version("alinb"))
            return json.dumps(har, ensure_ascii=False, indent=1)

        name = f"request-{chosen[0].number}.har" if some else "requests.har"
        return _download(await asyncio.to_thread(made), name)

    async def notebook(self, request: Request) -> Response:
        exchange = self._asked_for(request)

        def made() -> str:
            shown = self._inspection.redacted(exchange)
            made = notebook(shown, self._inspection.summary(exchange))
            return json.dumps(made, ensure_ascii=False, indent=1)

        return _download(await asyncio.to_thread(made), f"request-{exchange.number}.ipynb")

    async def clear(self, request: Request) -> Response:
        await order(request, self._token)
        self._exchanges.clear()
        return as_json({"cleared": True})

    async def faults(self, request: Request) -> Response:
        faults = self._switches()
        return as_json(
            {
                "kinds": [{"name": name, **kind._asdict()} for name, kind in KINDS.items()],
                "codes": sorted({entry["code"] for entry in load("errors")["error"]}),
                "active": [
                    {"name": f.name, "value": f.value, "times": f.times, "text": str(f)}
                    for f in faults.active
                ],
            }
        )

    async def switch(self, request: Request) -> Response:
        """Switch on what `on` says, as `faults.read` reads it, or off the one that `off` names."""
        faults = self._switches()
        sent = await order(request, self._token)
        wanted, unwanted = sent.get("on"), sent.get("off")
        if isinstance(wanted, str) and unwanted is None:
            try:
                faults.switch_on(wanted)
            except InputError as error:
                raise Problem(400, str(error)) from None
        elif isinstance(unwanted, str) and wanted is None:
            faults.switch_off(unwanted)
        else:
            raise Problem(400, "Say on or off, and which fault.")
        return await self.faults(request)

    def _switches(self) -> Faults:
        if self._faults is None:
            raise Problem(404, "There are no faults to switch here.")
        return self._faults

    def _asked_for(self, request: Request) -> Exchange:
        exchange = self._exchanges.get(request.path_params["number"])
        if exchange is None:
            raise Problem(404, "That request is no longer in the list.")
        return exchange


def _event(id_: str, data: Any) -> str:
    # JSON holds no raw line end, so one data line is enough.
    head = f"id: {id_}\n" if id_ else ""
    return f"{head}data: {json.dumps(data)}\n\n"


def _download(text: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text.encode("utf-8", "replace"), media_type="application/json", headers=headers)


@cache
def _file(name: str) -> str:
    return files("alinb.gateway").joinpath("static", name).read_text(encoding="utf-8")


def _drawn(row: Row) -> str:
    """A row as HTML, the same that the page's script draws."""
    moment = datetime.fromtimestamp(row.at, UTC).isoformat(timespec="milliseconds")
    call, verdict = escape(row.call), escape(row.verdict)
    cells = (
        ("time", f'<time datetime="{moment}">{moment[11:23]}</time>'),
        ("verb", escape(row.verb)),
        ("call", f'<button type="button" class="pick" tabindex="-1">{call}</button>'),
        ("verdict", verdict),
        ("code", escape(row.code)),
        ("ms", "" if row.ms is None else f"{row.ms:.0f}"),
        ("faults", escape(", ".join(row.faults))),
    )
    inner = "".join(f'<td role="cell" class="{name}">{text}</td>' for name, text in cells)
    return f'<tr role="row" data-number="{row.number}" data-verdict="{verdict}">{inner}</tr>'
