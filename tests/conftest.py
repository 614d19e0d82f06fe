"""What several test files share: a home of their own, a clock that obeys, signing by hand."""

import hashlib
import hmac
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import settings

from alinb.gateway import Sandbox
from alinb.gateway.core import Incoming

# In CI the same examples every time; on a desk new ones every time.
settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

#: 2027-01-15T08:00:00Z, where the clock of a test stands at first.
NOW = 1_800_000_000.0


#: Minutes each: whole notebooks again in other front ends and by papermill, and every panel under
#: axe in two themes and two widths; and what times a browser, which a shared machine cannot.
LONG = (
    "browser/test_accessibility.py",
    "browser/test_elsewhere.py",
    "browser/test_notebooks.py",
    "notebooks/test_targets.py",
)
TIMED = ("test_a_key_press_is_answered", "test_five_hundred_rows")


def pytest_configure(config: pytest.Config) -> None:
    """Kernels that tests start, those of nbval too, reach this machine alone."""
    guard = str(Path(__file__).with_name("guard"))
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if guard not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [guard, *paths]))
    os.environ["ALINB_GUARDED"] = "1"
    if os.environ.get("VIRTUAL_ENV", sys.prefix) != sys.prefix:
        del os.environ["VIRTUAL_ENV"]  # of another environment: IPython would warn of it
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Begun in the background: programs that tests end by Ctrl-C would not hear it.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In CI what takes minutes is left out unless ALINB_LONG asks for it."""
    if not os.environ.get("CI") or os.environ.get("ALINB_LONG"):
        return
    for item in items:
        if "/".join(item.path.parts[-2:]) in LONG or item.name.startswith(TIMED):
            item.add_marker(pytest.mark.skip(reason="takes minutes; ALINB_LONG=1 runs it"))


class Clock:
    """A clock that stands still until it is told to go on; epoch s."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a test does reaches the user's journal, tokens, app or gateway."""
    for name in ("APP_KEY", "APP_SECRET", "PLATFORM", "GATEWAY"):
        monkeypatch.delenv(f"ALINB_{name}", raising=False)
    monkeypatch.setenv("ALINB_JOURNAL", str(tmp_path / "journal.sqlite3"))
    monkeypatch.setenv("ALINB_TOKENS", str(tmp_path / "tokens.json"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hand_sign() -> Callable[..., str]:
    """The signature by the documented rule, in five lines of hashlib and not by alinb."""

    def signature(secret: str, params: dict[str, str], path: str = "", by: str = "sha256") -> str:
        text = path + "".join(f"{name}{params[name]}" for name in sorted(params) if name != "sign")
        if by == "md5":
            return hashlib.md5(f"{secret}{text}{secret}".encode()).hexdigest().upper()
        function = {"sha256": "sha256", "hmac": "md5"}[by]
        return hmac.new(secret.encode(), text.encode(), function).hexdigest().upper()

    return signature


@pytest.fixture
def signed(hand_sign: Callable[..., str]) -> Callable[..., dict[str, str]]:
    """The parameters of a call to a sandbox, signed by hand; a value of None leaves one out."""

    def params_of(
        box: Sandbox, name: str, params: Mapping[str, Any] | None = None, *, by: str = "sha256"
    ) -> dict[str, str]:
        common = {
            "app_key": box.app.key,
            "timestamp": str(round(box.gateway.clock() * 1000)),
            "sign_method": by,
            "method": None if name.startswith("/") else name,
        }
        sent = {k: v for k, v in {**common, **(params or {})}.items() if v is not None}
        path = name if name.startswith("/") else ""
        return {"sign": hand_sign(box.app.secret.reveal(), sent, path, by), **sent}

    return params_of


@pytest.fixture
def ask(signed: Callable[..., dict[str, str]]) -> Callable[..., dict[str, Any]]:
    """A sandbox's answer to a call signed by hand, without HTTP.

    `changed` replaces parameters after the signing; None takes one out. `at` is the route.
    """

    def answer(
        box: Sandbox,
        name: str,
        params: Mapping[str, Any] | None = None,
        *,
        at: str = "",
        by: str = "sha256",
        changed: Mapping[str, str | None] | None = None,
    ) -> dict[str, Any]:
        sent = {**signed(box, name, params, by=by), **(changed or {})}
        query = urlencode({k: v for k, v in sent.items() if v is not None})
        route = at or (f"/rest{name}" if name.startswith("/") else "/sync")
        came = Incoming("GET", f"http://127.0.0.1{route}?{query}", at=box.gateway.clock())
        answered = box.gateway.answer(came, box.faults.draw())
        assert answered.status == 200, "the gateway says no with HTTP 200 too"
        return answered.body

    return answer
