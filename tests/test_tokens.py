"""A pair of tokens: its times, what it shows of itself, and where it is kept."""

import json
import os
import stat
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alinb
from alinb.errors import TokenStoreError
from alinb.redact import Secret
from alinb.tokens import FileStore, MemoryStore, Token, default_path

NOW = 1_711_606_626.0
ACCESS = "50000600aAccessTokenCanary"
REFRESH = "50001600bRefreshTokenCanary"
LIVE = {
    "access_token": ACCESS,
    "refresh_token": REFRESH,
    "expires_in": 86400,
    "refresh_expires_in": 172800,
    "expire_time": 1711693026000,
    "refresh_token_valid_time": 1711779426000,
    "user_id": "200042362",
    "seller_id": "200042362",
    "havana_id": "133363551",
    "user_nick": "br1062097890fqhw",
    "account": "jane@shop.example",
    "account_id": None,
    "account_platform": "buyerApp",
    "sp": "ae",
    "locale": "zh_CN",
    "code": "0",
    "request_id": "2141f00d",
    "_trace_id_": "2101beef",
}


def token(**changes):
    return Token.read(LIVE | changes, NOW)


def bare(**figures):
    return Token.read({"access_token": ACCESS, "refresh_token": REFRESH, **figures}, NOW)


# ---- reading


def test_a_live_reply_is_read_with_its_own_figures():
    pair = token()
    assert pair.access_token.reveal() == ACCESS
    assert pair.refresh_token.reveal() == REFRESH
    assert pair.expires_at == 1711693026.0
    assert pair.refresh_expires_at == 1711779426.0
    assert pair.refreshable
    assert pair.about == {
        "user_id": "200042362",
        "seller_id": "200042362",
        "havana_id": "133363551",
        "user_nick": "br1062097890fqhw",
        "account": "jane@shop.example",
        "account_platform": "buyerApp",
        "sp": "ae",
        "locale": "zh_CN",
    }


def test_the_documentations_figures_as_text_are_read_alike():
    as_text = {k: str(v) if isinstance(v, int) else v for k, v in LIVE.items()}
    assert Token.read(as_text, NOW) == token()
    assert bare(expires_in=" 10 ", refresh_expires_in="60").expires_at == NOW + 10


def test_epoch_milliseconds_win_over_seconds_left():
    pair = bare(expires_in=1, expire_time=1711693026500, refresh_expires_in=2,
                refresh_token_valid_time="1711779426000")  # fmt: skip
    assert (pair.expires_at, pair.refresh_expires_at) == (1711693026.5, 1711779426.0)


def test_seconds_left_count_from_the_moment_of_the_reply():
    pair = bare(expires_in=2592000, refresh_expires_in=5183988)
    assert (pair.expires_at, pair.refresh_expires_at) == (NOW + 2592000, NOW + 5183988)


@pytest.mark.parametrize("zero", [0, "0", 0.0, " 0 "])
def test_zero_seconds_of_refresh_mean_not_refreshable(zero):
    pair = bare(expires_in=3600, refresh_expires_in=zero)
    assert not pair.refreshable
    assert pair.refresh_expires_at is None
    assert not pair.can_refresh(NOW)


def test_zero_seconds_of_refresh_win_over_an_end_in_milliseconds():
    pair = bare(refresh_expires_in=0, refresh_token_valid_time=1711779426000)
    assert not pair.can_refresh(NOW)


@pytest.mark.parametrize(
    "missing",
    [None, "", "soon", "nan", "NaN", float("nan"), float("inf"), "-inf", "1e999", 10**4000,
     pytest.param(10**5000, id="5001 digits"), [], {}, True, "9" * 5000],
    ids=lambda value: repr(value)[:12],
)  # fmt: skip
def test_a_figure_that_is_none_leaves_the_end_unknown(missing):
    pair = bare(expires_in=missing, expire_time=missing, refresh_expires_in=missing,
                refresh_token_valid_time=missing)  # fmt: skip
    assert (pair.expires_at, pair.refresh_expires_at) == (None, None)
    assert pair.can_refresh(NOW)
    assert not pair.expired(1e18)
    assert not pair.refresh_due(1e18)
    assert pair.as_dict()["expires_at"] == ""


def test_an_unreadable_absolute_end_falls_back_to_the_seconds_left():
    assert bare(expire_time="soon", expires_in=60).expires_at == NOW + 60
    assert bare(expire_time=0, expires_in=60).expires_at == NOW + 60


@pytest.mark.parametrize("figure", [1e300, -5, 1e15, "99999999999999999999"])
def test_a_huge_or_negative_figure_breaks_no_view(figure):
    pair = bare(expires_in=figure, expire_time=figure, refresh_expires_in=figure)
    assert pair.expires_at == float(figure) / 1000
    assert json.dumps(pair.as_dict())
    assert repr(pair).startswith("<Token ")
    assert pair.expired(NOW) is (float(figure) / 1000 <= NOW)


@pytest.mark.parametrize("data", [{}, {"access_token": ""}, {"access_token": None}, {"code": "0"}])
def test_a_reply_without_an_access_token_is_no_token(data):
    with pytest.raises(TokenStoreError, match="no access_token in that reply"):
        Token.read(data, NOW)


def test_without_a_refresh_token_nothing_can_be_refreshed():
    pair = Token.read({"access_token": ACCESS, "refresh_expires_in": 172800}, NOW)
    assert pair.refresh_token is None
    assert not pair.can_refresh(NOW)
    assert pair.as_dict()["refresh_token"] == ""


def test_a_refresh_keeps_the_end_of_the_refresh_token_where_none_is_stated():
    first = token()
    later = NOW + 80_000
    data = {"access_token": "5000new", "refresh_token": "5001new", "expires_in": 86400}
    second = Token.read(data, later, first)
    assert second.refresh_token.reveal() == "5001new"
    assert second.expires_at == later + 86400
    assert second.refresh_expires_at == first.refresh_expires_at == 1711779426.0
    assert not second.can_refresh(1711779426.0)


def test_a_refresh_that_states_an_end_is_believed():
    data = {"access_token": "5000new", "refresh_token": "5001new", "refresh_expires_in": 90}
    assert Token.read(data, NOW, token()).refresh_expires_at == NOW + 90


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(["expires_in", "expire_time", "refresh_expires_in", "refresh_token",
                         "refresh_token_valid_time", "account", "user_info"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
        | st.lists(st.integers(), max_size=2),
    ),
    st.floats(0, 1e11),
)  # fmt: skip
def test_no_reply_of_a_token_endpoint_breaks_a_token(figures, now):
    pair = Token.read({"access_token": ACCESS, **figures}, now)
    for moment in (0, now, 1e12):
        assert pair.expired(moment) in (True, False)
        assert pair.refresh_due(moment) or not pair.expired(moment)
        assert pair.can_refresh(moment) in (True, False)
    assert ACCESS not in repr(pair) + repr(pair.as_dict())
    assert pair.as_dict(reveal=True)["access_token"] == ACCESS


# ---- times


def test_a_token_is_expired_from_its_very_end_on():
    pair = bare(expires_in=3600)
    assert not pair.expired(NOW + 3599.999)
    assert pair.expired(NOW + 3600)


def test_a_refresh_is_due_half_an_hour_before_the_end():
    pair = bare(expires_in=3600)
    assert not pair.refresh_due(NOW + 1799.999)
    assert pair.refresh_due(NOW + 1800)
    assert pair.refresh_due(NOW + 9999)


def test_a_refresh_can_work_until_the_refresh_token_ends():
    pair = bare(expires_in=3600, refresh_expires_in=7200)
    assert pair.can_refresh(NOW + 7199.999)
    assert not pair.can_refresh(NOW + 7200)


# ---- views


def test_the_masked_view_hides_tokens_and_personal_data():
    shown = token().as_dict()
    assert shown == {
        "access_token": f"‹access_token •••• {len(ACCESS)}›",
        "refresh_token": f"‹refresh_token •••• {len(REFRESH)}›",
        "expires_at": "2024-03-29T06:17:06+00:00",
        "refresh_expires_at": "2024-03-30T06:17:06+00:00",
        "refreshable": True,
        "user_id": "200042362",
        "seller_id": "200042362",
        "havana_id": "133363551",
        "account_platform": "buyerApp",
        "sp": "ae",
        "locale": "zh_CN",
    }


def test_the_revealed_view_has_everything():
    shown = token().as_dict(reveal=True)
    assert (shown["access_token"], shown["refresh_token"]) == (ACCESS, REFRESH)
    assert (shown["account"], shown["user_nick"]) == ("jane@shop.example", "br1062097890fqhw")


def test_repr_says_until_when_and_nothing_secret():
    assert repr(token()) == (
        f"<Token ‹access_token •••• {len(ACCESS)}› until 2024-03-29T06:17:06+00:00>"
    )
    assert repr(bare()).endswith("until unknown>")
    shown = f"{token()!r} {token()!s} {[token()]}"
    for hidden in (ACCESS, REFRESH, "jane@", "br1062097890fqhw"):
        assert hidden not in shown


# ---- stores


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else FileStore(tmp_path / "tokens.json")


def test_a_saved_token_is_loaded_whole(store):
    store.save("aliexpress", "500102", token())
    assert store.load("aliexpress", "500102") == token()


def test_an_unknown_app_has_no_token(store):
    assert store.load("aliexpress", "500102") is None
    store.save("aliexpress", "500102", token())
    assert store.load("lazada", "500102") is None
    assert store.load("aliexpress", "500103") is None


def test_two_apps_and_two_platforms_do_not_disturb_each_other(store):
    pairs = {
        ("aliexpress", "1"): token(),
        ("aliexpress", "2"): bare(expires_in=60),
        ("lazada", "1"): Token(Secret("5000x", "access_token")),
    }
    for (platform, key), pair in pairs.items():
        store.save(platform, key, pair)
    for (platform, key), pair in pairs.items():
        assert store.load(platform, key) == pair


def test_a_newer_token_takes_the_place_of_the_older(store):
    store.save("aliexpress", "1", token())
    newer = bare(expires_in=60)
    store.save("aliexpress", "1", newer)
    assert store.load("aliexpress", "1") == newer


def test_forgetting_says_whether_there_was_something(store):
    store.save("aliexpress", "1", token())
    store.save("aliexpress", "2", token())
    assert store.forget("aliexpress", "1") is True
    assert store.forget("aliexpress", "1") is False
    assert store.load("aliexpress", "1") is None
    assert store.load("aliexpress", "2") == token()


# ---- the file


def _names(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_a_second_store_reads_what_the_first_wrote(tmp_path):
    path = tmp_path / "new" / "tokens.json"
    FileStore(path).save("aliexpress", "500102", token())
    assert FileStore(str(path)).load("aliexpress", "500102") == token()
    assert _names(path.parent) == ["tokens.json"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_file_is_for_its_owner_alone_whatever_the_umask(tmp_path, umask):
    path = tmp_path / "new" / "tokens.json"
    before = os.umask(umask)
    try:
        FileStore(path).save("aliexpress", "1", token())
        FileStore(path).save("aliexpress", "2", token())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_opened_to_others_is_closed_by_the_next_save(tmp_path):
    path = tmp_path / "tokens.json"
    FileStore(path).save("aliexpress", "1", token())
    path.chmod(0o644)
    FileStore(path).save("aliexpress", "1", token())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_loading_and_forgetting_nothing_create_no_file(tmp_path):
    store = FileStore(tmp_path / "new" / "tokens.json")
    assert store.load("aliexpress", "1") is None
    assert store.forget("aliexpress", "1") is False
    assert _names(tmp_path) == []


TOO_FULL = """
import resource, sys
from alinb.tokens import FileStore, Token
from alinb.errors import TokenStoreError
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
try:
    FileStore(sys.argv[1]).save("aliexpress", "2", Token.read({"access_token": "5000z"}, 0))
except TokenStoreError as error:
    print(error)
"""


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "tokens.json"
    FileStore(path).save("aliexpress", "1", token())
    before = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", TOO_FULL, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert f"The token file {path} cannot be written: File too large." in done.stdout
    assert "the old file is untouched" in done.stdout
    assert path.read_bytes() == before
    assert _names(tmp_path) == ["tokens.json"]


@pytest.mark.parametrize("act", ["load", "save", "forget"])
def test_a_folder_in_the_place_of_the_file_is_an_error_and_stays(tmp_path, act):
    path = tmp_path / "tokens.json"
    path.mkdir()
    store = FileStore(path)
    more = [token()] if act == "save" else []
    with pytest.raises(TokenStoreError, match="cannot be used"):
        getattr(store, act)("aliexpress", "1", *more)
    assert path.is_dir()
    assert _names(tmp_path) == ["tokens.json"]


def test_a_file_in_the_place_of_the_folder_is_an_error_and_stays(tmp_path):
    (tmp_path / "folder").write_text("mine")
    with pytest.raises(TokenStoreError):
        FileStore(tmp_path / "folder" / "tokens.json").save("aliexpress", "1", token())
    assert (tmp_path / "folder").read_text() == "mine"


KEPT = {
    "access_token": "5000",
    "refresh_token": "",
    "expires_at": None,
    "refresh_expires_at": 1.5,
    "refreshable": True,
    "about": {},
}


def _file(**changes):
    return json.dumps({"alinb": 1, "tokens": {"aliexpress:1": KEPT | changes}}).encode()


def test_a_file_of_this_form_is_read(tmp_path):
    path = tmp_path / "tokens.json"
    path.write_bytes(_file())
    pair = FileStore(path).load("aliexpress", "1")
    assert (pair.access_token.reveal(), pair.refresh_token) == ("5000", None)
    assert (pair.expires_at, pair.refresh_expires_at) == (None, 1.5)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"17",
        b'"tokens"',
        b"{}",
        b'{"tokens": {}}',
        b'{"tokens": {}, "theme": "dark"}',
        b'{"alinb": 1}',
        b'{"alinb": 1, "tokens": []}',
        b'{"alinb": 1, "tokens": {"aliexpress:1": "5000"}}',
        b'{"alinb": 1, "tokens": {"aliexpress:1": {"access_token": "5000"}}}',
        b'{"alinb": 1, "tokens": {"aliexpress:1": {',
        b'{"alinb": 1, "tokens": ' + b"[" * 100_000,
        _file(access_token=None),
        _file(refresh_token=5),
        _file(expires_at="soon"),
        _file(refresh_expires_at=[]),
        _file(refreshable="yes"),
        _file(about=None),
    ],
    ids=lambda content: content[:60].decode("utf-8", "replace") + str(len(content)),
)
@pytest.mark.parametrize("act", ["load", "save", "forget"])
def test_a_file_that_is_not_ours_is_refused_and_stays_byte_for_byte(tmp_path, content, act):
    path = tmp_path / "tokens.json"
    path.write_bytes(content)
    store = FileStore(path)
    more = [token()] if act == "save" else []
    with pytest.raises(TokenStoreError, match=r"cannot be used: .*Move it away"):
        getattr(store, act)("aliexpress", "1", *more)
    assert path.read_bytes() == content
    assert _names(tmp_path) == ["tokens.json"]


@pytest.mark.parametrize("nick", ["日本 ü", "\ud800", "\x00", 'a"b\\'])
def test_any_name_a_platform_sends_can_be_kept(tmp_path, nick):
    store = FileStore(tmp_path / "tokens.json")
    store.save("aliexpress", "1", token(user_nick=nick))
    assert store.load("aliexpress", "1").about["user_nick"] == nick


def test_the_place_of_the_file_can_be_chosen(tmp_path, monkeypatch):
    monkeypatch.setenv("ALINB_TOKENS", str(tmp_path / "mine.json"))
    assert FileStore().path == default_path() == tmp_path / "mine.json"
    monkeypatch.delenv("ALINB_TOKENS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_path().name == "tokens.json"
    assert "alinb" in default_path().parts
    monkeypatch.setenv("HOME", str(tmp_path))
    assert FileStore("~/t.json").path == tmp_path / "t.json"


def test_a_store_shows_no_token(tmp_path):
    store = FileStore(tmp_path / "tokens.json")
    store.save("aliexpress", "1", token())
    memory = MemoryStore()
    memory.save("aliexpress", "1", token())
    assert ACCESS not in repr(store) + repr(memory) + repr(vars(store)) + repr(vars(memory))


def test_a_sandbox_keeps_its_token_beside_the_platforms():
    platform = alinb.Platform.named("aliexpress")
    places = {platform.place, platform.at("http://127.0.0.1:1").place}
    assert places == {"aliexpress", "aliexpress@http://127.0.0.1:1"}


def test_a_place_that_takes_no_file_is_found_before_a_code_is_spent(tmp_path):
    (tmp_path / "file").write_text("x")
    store = FileStore(tmp_path / "file" / "tokens.json")
    with pytest.raises(TokenStoreError, match="cannot be"):
        store.open()
