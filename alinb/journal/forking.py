"""No connection goes along into a forked child.

SQLite keeps by process which locks it holds. A child that was forked while a connection was open
takes its parent's locks for its own: it writes while others do, and a log that is still written to
is taken away under it. So a fork waits until no connection is open, and none is opened meanwhile.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

#: How long a fork waits for those who read or write at this moment, in s.
PATIENCE_S = 30.0


class Gate:
    """Counts the users of connections by thread, and keeps new ones out while a fork is near."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._users: Counter[int] = Counter()
        self._forks = 0

    @contextmanager
    def used(self) -> Iterator[None]:
        """Around the use of a connection."""
        me = threading.get_ident()
        with self._changed:
            # Who has one already is waited for, and must not wait in turn.
            self._changed.wait_for(lambda: not self._forks or self._users[me])
            self._users[me] += 1
        try:
            yield
        finally:
            with self._changed:
                self._users[me] -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Return when no other thread uses one, and let nobody begin until `open`."""
        me = threading.get_ident()
        with self._changed:
            self._forks += 1
            self._changed.wait_for(
                lambda: not any(n for thread, n in self._users.items() if thread != me), PATIENCE_S
            )

    def open(self) -> None:
        with self._changed:
            self._forks -= 1
            self._changed.notify_all()


_gate = Gate()


def used() -> AbstractContextManager[None]:
    """Around the use of a connection: a fork waits for its end."""
    return _gate.used()


def watch(let_go: Callable[[], None], in_child: Callable[[], None]) -> None:
    """See to forks from now on.

    `let_go` closes what is open and not in use, before each; `in_child` forgets it, after.
    """

    def before() -> None:
        _gate.close()
        with suppress(Exception):  # nothing may keep a program from forking
            let_go()

    def after_in_child() -> None:
        global _gate
        _gate = Gate()  # another thread of the parent's may have held the lock of the old one
        in_child()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=before, after_in_parent=lambda: _gate.open(), after_in_child=after_in_child
        )
