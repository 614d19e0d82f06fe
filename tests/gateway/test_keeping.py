"""Every exchange of a sandbox in a journal, and a journal that fails stops no answer."""

from pathlib import Path
from typing import Any

import pytest

from alinb import Client, Journal, JournalError
from alinb.gateway import Sandbox
from alinb.gateway.keeping import Keeper

QUERY = "aliexpress.affiliate.product.query"


def test_more_than_the_list_remembers_is_in_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "all.sqlite3")
    box = Sandbox(products=12)
    box.gateway.exchanges.keep = keeper = Keeper(journal, box.app.secret)
    box.gateway.exchanges.limit = 5
    with box, Client(box, journal=False) as client:
        for _ in range(30):
            client.call(QUERY)
    keeper.close()
    assert (len(box.gateway.exchanges), len(journal)) == (5, 30)
    assert keeper.problem == ""


def test_a_journal_that_cannot_be_used_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Dear diary, " * 100)
    with pytest.raises(JournalError, match="file is not a database"):
        Keeper(Journal(tmp_path / "notes.txt"))


def test_a_journal_that_fails_later_stops_no_answer(tmp_path: Path, ask: Any) -> None:
    path = tmp_path / "all.sqlite3"
    keeper = Keeper(Journal(path))
    path.write_text("Dear diary, " * 1000)
    with Sandbox(products=12, keep=keeper) as box, Client(box, journal=False) as client:
        assert client.call(QUERY).ok
    keeper.close()
    assert "1 attempt could not be kept" in keeper.problem
