"""demo: from the founding case to a DataFrame, in seconds, on a gateway of its own."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .common import Json, console, emit

#: What the founding case did: the path left out of the string, the secret put around it.
FOUNDING_MISTAKES = ("path_prefix_missing", "secret_wrapped")


@contextmanager
def _gateway_and_client() -> Iterator[tuple[Any, Any]]:
    from ..client import Client
    from ..gateway import Sandbox
    from ..journal import Journal

    with (
        tempfile.TemporaryDirectory(prefix="alinb-demo-") as folder,
        _within_reach(Sandbox().serve()) as box,
        Client(box, journal=Journal(Path(folder) / "journal.sqlite3")) as client,
    ):
        yield box, client


def _within_reach(box: Any) -> Any:
    """The gateway, taken off its port where not even this machine itself can be reached."""
    where = urlsplit(box.url)
    try:
        socket.create_connection((where.hostname, where.port), 5).close()
    except OSError:
        box.close()
    return box


def demo(as_json: Json = False) -> None:
    """Watch the founding case be refused, diagnosed, corrected, and end as a DataFrame."""
    with _gateway_and_client() as (box, client):
        if as_json:
            emit(_document(box, client))
        else:
            _show(box, client)


def _wrong_exchange(client: Any, code: str) -> Any:
    """The founding case: the exchange as its author signed and sent it."""
    from ..doctor import mistaken

    signed = client.sign("/auth/token/create", verb="GET", code=code, format="json")
    return client.send(mistaken(signed, *FOUNDING_MISTAKES))


def _search(client: Any) -> Any:
    return client.call(
        "aliexpress.ds.text.search",
        keyWord="lamp",
        local="en_US",
        countryCode="US",
        currency="USD",
        pageSize=5,
    )


_COLUMNS = ["itemId", "title", "targetSalePrice_amount", "targetSalePrice_currency", "orders"]


def _document(box: Any, client: Any) -> dict[str, Any]:
    from ..attempts import compare

    code = box.code()
    refused = _wrong_exchange(client, code)
    token = client.exchange(code)
    found = _search(client)
    wrong, right = (client.journal.get(number) for number in (1, 2))
    return {
        "refused": {"code": refused.decisive_code, "message": refused.decisive_message},
        "diagnosis": wrong.diagnosis,
        "accepted": {"name": right.api_name, "verdict": right.verdict},
        "token": token.as_dict(),
        "records": found.frame()[_COLUMNS].to_dict("records"),
        "comparison": compare(wrong, right).as_dict(),
    }


def _show(box: Any, client: Any) -> None:
    from ..attempts import compare

    out = console()

    def step(number: int, text: str) -> None:
        out.print(f"\n{number}. {text}", style="bold", markup=False)

    where = f"listens at {box.url}" if box.url else "runs in this program"
    out.print(f"A sandbox gateway {where}; nothing leaves this machine.")
    step(1, "The founding case: a fresh code, exchanged as its author signed it")
    code = box.code()
    refused = _wrong_exchange(client, code)
    out.print(f"   refused: {refused.decisive_code}: {refused.decisive_message}", markup=False)

    step(2, "Why: alinb diagnose")
    wrong = client.journal.get(refused.attempt_id)
    diagnosis = wrong.diagnosis
    out.print(f"   {diagnosis['summary']}", markup=False)
    for finding in diagnosis["findings"]:
        if finding["certainty"] == "proved":
            out.print(f"   ✗ {finding['id']}: {finding['cure']}", markup=False)
    for stage in diagnosis["stages"]:
        if stage["differs"] and stage["stage"] == "wrap":
            out.print(f"   signed: {stage['theirs']}", markup=False)
            out.print(f"   wanted: {stage['right']}", markup=False)

    step(3, "The same code, signed right")
    token = client.exchange(code)
    out.print(f"   accepted: {token!r}", markup=False)

    step(4, "A search, as a DataFrame")
    found = _search(client)
    table = found.frame()[_COLUMNS]
    out.print(table.to_string(index=False, max_colwidth=44), markup=False)
    out.print(f"   {len(table)} of {found.frame().attrs['total']} products", markup=False)

    step(5, "The refused and the accepted attempt, side by side")
    right = client.journal.get(refused.attempt_id + 1)
    out.print(compare(wrong, right).text(out.width if out.is_terminal else 120), markup=False)
    out.print("\nNext: alinb lab opens the notebooks with such a gateway at hand.")
