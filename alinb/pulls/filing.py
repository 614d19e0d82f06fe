"""A pull into a file: part files beside it while it runs, one file when it is done."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AlinbError, InputError, RateLimited
from .folders import RemoteFolder, folder_of
from .outcome import Pulled
from .plan import Plan
from .rows import Rows
from .sinks import sink_of
from .store import PartStore

if TYPE_CHECKING:
    from .handle import Pull

#: What the folder of the part files is called: the file's name and this.
PARTS = ".parts"


def into_file(
    pull: Pull,
    path: str | Path,
    fill: Callable[[PartStore], None],
    limit: int | None,
    fresh: bool,
) -> Pulled:
    """Fill part files, write the file from what is there, and say what became of it.

    What ended the pull early is raised after that, with the command that goes on.
    """
    where = str(path) if "://" in str(path) else str(Path(path).expanduser())
    name = Path(where.rpartition("://")[2])
    write = sink_of(name)
    if "://" not in where and name.is_dir():
        raise InputError(f"{where} is a folder.", next_step="Name a file in it.")
    store = PartStore(folder_of(where + PARTS), pull.plan, fresh=fresh)
    try:
        problem = _filled(store, fill)
        rows = Rows(pull.plan, store, limit)
        complete = problem is None and pull.stats.state == "done"
        about = {**pull.about(), "complete": complete}
        _written(where, lambda place: write(rows, place, about))
        pages = len(store.held)
        if complete:
            store.remove()
    finally:
        store.release()
    pull.pulled = Pulled(
        where, complete, rows.count, pages, rows.duplicates, pull.refused, rows.drift, pull.stats
    )
    if problem is not None:
        raise _to_go_on(pull, problem, where) from None
    return pull.pulled


def _filled(store: PartStore, fill: Callable[[PartStore], None]) -> BaseException | None:
    try:
        fill(store)
    except (AlinbError, KeyboardInterrupt) as error:
        return error
    finally:
        store.close()
    return None


def _written(where: str, write: Callable[[Path], None]) -> None:
    """Write a file here, and carry it to where it belongs where that is elsewhere."""
    parent = folder_of(where.rpartition("/")[0]) if "://" in where else None
    if not isinstance(parent, RemoteFolder):
        write(Path(where.partition("://")[2] or where))
        return
    name = where.rpartition("/")[2]
    with tempfile.TemporaryDirectory(prefix="alinb-") as folder:
        write(Path(folder) / name)
        parent.put(name, Path(folder) / name)


def command(plan: Plan, path: str | Path) -> str:
    """The command that does, or goes on with, a pull into a file; it shows no secret.

    Raises `InputError` for a fan-out that is not every combination of some lists.
    """
    words = ["alinb", "pull", plan.name]
    params = plan.shown_params()
    if plan.size and plan.paging.size and plan.size != plan.paging.largest:
        params[plan.paging.size] = str(plan.size)
    for name, value in params.items():
        words += ["-p", f"{name}={value}"]
    items, combinations = [item.shown_params() for item in plan.items], 1
    for name in dict.fromkeys(name for item in items for name in item):
        values = list(dict.fromkeys(item.get(name, "") for item in items))
        words += ["--over", f"{name}={','.join(values)}"]
        combinations *= len({item.params.get(name) for item in plan.items})
    if combinations != len(items):
        raise InputError(
            "No command tells a fan-out over these items.",
            next_step="Run the same pull again from Python: it goes on where it was.",
        )
    return shlex.join([*words, "--out", str(path)])


def _to_go_on(pull: Pull, problem: BaseException, where: str) -> BaseException:
    """The same problem with how to go on."""
    if not isinstance(problem, AlinbError):
        return problem
    evidence: dict[str, Any] = problem.evidence
    with suppress(InputError):
        evidence["resume"] = command(pull.plan, where)
    how = (
        f"run the same again to go on: {evidence['resume']}"
        if "resume" in evidence
        else ("run the same pull again to go on.")
    )
    when = ""
    if isinstance(problem, RateLimited) and "released_at" in evidence:
        moment = datetime.fromtimestamp(evidence["released_at"]).astimezone()
        when = f"After {moment:%Y-%m-%d %H:%M:%S %Z} "
    problem.next_step = f"{problem.next_step} {when}{how}".strip()
    return problem
