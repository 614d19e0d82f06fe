"""One live panel a cell: running a cell again frees what it made before."""

from __future__ import annotations

import sys
import threading
from hashlib import sha256
from typing import Any, NamedTuple, Protocol


class _Closable(Protocol):
    def close(self) -> None: ...


class _Run(NamedTuple):
    """The panels of one kind that one run of a cell made."""

    number: str
    panels: list[_Closable]


_runs: dict[tuple[str, str], _Run] = {}
_lock = threading.Lock()


def enter(panel: _Closable) -> None:
    """Note a new panel; those of its kind from an earlier run of the same cell are closed."""
    place = running_cell()
    if place is None:
        return
    cell, number = place
    # By name: every anywidget is of a class of its own, derived from the one that was written.
    kind = type(panel).__name__
    with _lock:
        before = _runs.get((kind, cell))
        if before is not None and before.number == number:
            before.panels.append(panel)
            return
        _runs[kind, cell] = _Run(number, [panel])
    for old in before.panels if before else ():
        old.close()


def running_cell() -> tuple[str, str] | None:
    """The running cell and this run of it; None outside of a kernel's cell."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return None
    request: dict[str, Any] = kernel.get_parent("shell") or {}
    header, content = request.get("header") or {}, request.get("content") or {}
    if header.get("msg_type") != "execute_request":
        return None
    # Front ends that send no cell id run the same code again.
    code = sha256(str(content.get("code")).encode("utf-8", "surrogatepass")).hexdigest()
    cell = (request.get("metadata") or {}).get("cellId") or code
    return str(cell), str(header.get("msg_id"))
