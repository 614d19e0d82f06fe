"""Tokens in the keyring: strong backends are used, weak ones refused by name."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

import alinb
from alinb import Client, KeyringStore, MissingExtra, Secret, Token, TokenRefused, TokenStoreError
from alinb.tokens import default_store
from alinb.tokens.claims import _digest

keyring = pytest.importorskip("keyring")
from keyring.backend import KeyringBackend  # noqa: E402
from keyring.backends import fail, null  # noqa: E402
from keyring.errors import KeyringLocked, PasswordDeleteError  # noqa: E402

ACCESS, REFRESH = "50000AccessCanary", "50001RefreshCanary"


class Strong(KeyringBackend):  # type: ignore[misc]
    """A keyring in memory that is as good as any."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise PasswordDeleteError("absent")
        del self.kept[service, username]


class PlaintextKeyring(Strong):
    priority = 5


class Weak(Strong):
    priority = 0.6


class Unfit(Strong):
    @property
    def priority(self) -> float:
        raise RuntimeError("no D-Bus here")


class Chain(Strong):
    priority = 10

    def __init__(self, *backends: Any) -> None:
        super().__init__()
        self.backends = backends


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def strong() -> Strong:
    return Strong()


def token(**changes: Any) -> Token:
    known: dict[str, Any] = {
        "access_token": Secret(ACCESS, "access_token"), "expires_at": 1.5, "about": {"sp": "ae"},
        "refresh_token": Secret(REFRESH, "refresh_token"),
    }  # fmt: skip
    return Token(**{**known, **changes})


@pytest.mark.parametrize(
    ("backend", "why"),
    [
        (fail.Keyring(), "keyring.backends.fail.Keyring keeps nothing"),
        (null.Keyring(), "keyring.backends.null.Keyring forgets what it is given"),
        (PlaintextKeyring(), "PlaintextKeyring keeps plain text"),
        (Weak(), "Weak is weak (priority 0.6)"),
        (Unfit(), "Unfit cannot work here (RuntimeError)"),
        (Chain(Weak(), fail.Keyring()), "Weak is weak (priority 0.6); keyring.backends.fail."),
    ],
)
def test_a_weak_backend_is_refused_by_name(backend: Any, why: str) -> None:
    with pytest.raises(TokenStoreError) as caught:
        KeyringStore(backend)
    assert why in str(caught.value)
    assert str(caught.value).startswith("There is no safe keyring here: ")
    assert "0600" in caught.value.next_step
    keyring.set_keyring(backend)
    with pytest.raises(TokenStoreError, match="no safe keyring"):
        default_store(keyring=True)


def test_the_plain_text_file_of_keyrings_alt_is_refused(tmp_path: Path) -> None:
    file = pytest.importorskip("keyrings.alt.file")
    backend = file.PlaintextKeyring()
    backend.file_path = str(tmp_path / "plain.cfg")
    with pytest.raises(TokenStoreError, match="PlaintextKeyring keeps plain text"):
        KeyringStore(backend)
    assert not (tmp_path / "plain.cfg").exists()


def test_of_a_chain_the_first_safe_one_is_used_and_no_other(strong: Strong) -> None:
    weak = Weak()
    store = KeyringStore(Chain(weak, strong))
    store.save("aliexpress", "1", token())
    assert store.load("aliexpress", "1") == token()
    assert weak.kept == {}
    assert store.backend.endswith("Strong")


def test_a_pair_is_kept_loaded_and_forgotten(strong: Strong) -> None:
    store = KeyringStore(strong)
    assert store.load("aliexpress", "1") is None
    assert store.forget("aliexpress", "1") is False
    store.save("aliexpress", "1", token())
    store.save("lazada", "1", token(expires_at=None))
    assert KeyringStore(strong).load("aliexpress", "1") == token()
    assert store.forget("aliexpress", "1") is True
    assert store.load("aliexpress", "1") is None
    assert store.load("lazada", "1") == token(expires_at=None)
    assert list(strong.kept) == [("alinb", "lazada:1")]


def test_no_file_holds_a_token(strong: Strong, tmp_path: Path) -> None:
    store = KeyringStore(strong)
    with alinb.sandbox() as box, Client(box, store=store, journal=False) as client:
        made = client.exchange(box.code())
        new = client.refresh()
    assert new != made
    values = [
        s.reveal().encode()
        for pair in (made, new)
        for s in (pair.access_token, pair.refresh_token)
        if s is not None
    ]
    assert len(values) == 4
    for entry in tmp_path.rglob("*"):
        if entry.is_file():
            assert not any(value in entry.read_bytes() for value in values)
    assert values[0].decode() not in repr(store) + repr(vars(store).keys())


def test_what_one_who_died_had_received_is_found(strong: Strong) -> None:
    store = KeyringStore(strong)
    store.save("aliexpress", "1", token())
    claim = store.claim("aliexpress", "1")
    assert claim is not None
    claim._drawer.prepare("")
    claim.receive(BytesIO(b'{"access_token":"5000new","refresh_token":"5001new","code":"0"}'))
    assert store.load("aliexpress", "1") == token(), "its receiver lives"
    claim._release()  # as the system does when its process dies
    found = store.load("aliexpress", "1")
    assert found is not None
    assert found.refresh_token == Secret("5001new", "refresh_token")
    assert list(strong.kept) == [("alinb", "aliexpress:1")]


def test_what_was_spent_without_an_answer_is_told_with_the_refusal(strong: Strong) -> None:
    spent = Secret("5001old", "refresh_token")
    store = KeyringStore(strong)
    first = store.claim("aliexpress", "1")
    assert first is not None
    first._drawer.prepare(_digest(spent))
    first._release()  # as the system does when its process dies
    with (
        pytest.raises(
            TokenRefused, match=r"refresh token may have been spent at 20\d\d-"
        ) as caught,
        store.claim("aliexpress", "1") as claim,  # type: ignore[union-attr]
        claim.spending(spent),
    ):
        raise TokenRefused("It was refused.", next_step="Ask.")
    assert "open the consent page again" in caught.value.next_step
    assert "5001old" not in repr(strong.kept)
    with store.claim("aliexpress", "1") as claim, claim.spending(spent):  # type: ignore[union-attr]
        claim.receive(BytesIO(b'{"access_token":"5000new","refresh_token":"5001new","code":"0"}'))
    assert list(strong.kept) == [("alinb", "aliexpress:1")]


def test_a_locked_keyring_is_one_clear_line(strong: Strong, monkeypatch: Any) -> None:
    def locked(*_: str) -> None:
        raise KeyringLocked(f"{ACCESS} is in a message")

    store = KeyringStore(strong)
    for name in ("get_password", "set_password"):
        monkeypatch.setattr(strong, name, locked)
    for use in (lambda: store.load("a", "1"), store.open, lambda: store.save("a", "1", token())):
        with pytest.raises(TokenStoreError, match=r"does not answer \(KeyringLocked\)") as caught:
            use()
        assert ACCESS not in str(caught.value)


def test_an_entry_that_is_not_ours_is_an_error_and_stays(strong: Strong) -> None:
    strong.kept["alinb", "aliexpress:1"] = "somebody's"
    with pytest.raises(TokenStoreError, match="is not one of alinb's"):
        KeyringStore(strong).load("aliexpress", "1")
    assert strong.kept == {("alinb", "aliexpress:1"): "somebody's"}


def test_without_the_package_it_says_which_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(MissingExtra, match=r"alinb\[keyring\]"):
        KeyringStore()


def test_the_environment_chooses_the_store(
    strong: Strong, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.set_keyring(strong)
    monkeypatch.setenv("ALINB_TOKENS", "keyring")
    assert isinstance(default_store(), KeyringStore)
    monkeypatch.setenv("ALINB_TOKENS", str(tmp_path / "t.json"))
    assert isinstance(default_store(), alinb.FileStore)
    assert isinstance(default_store(keyring=True), KeyringStore)


def test_importing_the_stores_does_not_import_keyring() -> None:
    code = "import sys, alinb; alinb.KeyringStore; print('keyring' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n"
