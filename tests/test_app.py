import copy
import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from alinb.app import App, Platform, is_loopback, platforms
from alinb.errors import InputError, MissingSecret, UnknownPlatform
from alinb.redact import Secret

#: (name, path call, token call, business call, authorize URL); "" where there is no such call.
#: Hosts as documented: protocol sections 1.1, 1.4, 1.5 and 8.
AE, LZ_AUTH = "https://api-sg.aliexpress.com", "https://auth.lazada.com"
HOSTS = [
    ("aliexpress", f"{AE}/rest", f"{AE}/rest", f"{AE}/sync", f"{AE}/oauth/authorize"),
    *(
        (name, f"https://{host}/rest", f"{LZ_AUTH}/rest", "", f"{LZ_AUTH}/oauth/authorize")
        for name, host in [
            ("lazada", "api.lazada.sg"), ("lazada-sg", "api.lazada.sg"),
            ("lazada-th", "api.lazada.co.th"), ("lazada-my", "api.lazada.com.my"),
            ("lazada-vn", "api.lazada.vn"), ("lazada-ph", "api.lazada.com.ph"),
            ("lazada-id", "api.lazada.co.id"),
        ]
    ),
    *(
        (name, f"https://{host}/rest", f"https://{host}/rest", "", f"https://{host}/oauth/authorize")
        for name, host in [
            ("daraz", "api.daraz.pk"), ("daraz-pk", "api.daraz.pk"),
            ("daraz-bd", "api.daraz.com.bd"), ("daraz-lk", "api.daraz.lk"),
            ("daraz-np", "api.daraz.com.np"), ("daraz-mm", "api.shop.com.mm"),
            ("taobao-global", "api.taobao.tw"),
        ]
    ),
    (
        "miravia", "https://api.miravia.es/rest", "https://api.miravia.es/rest", "",
        "https://auth.miravia.com/apps/oauth/authorize",
    ),
    (
        "alibaba", "https://openapi-api.alibaba.com/rest", "https://openapi-api.alibaba.com/rest",
        "", "https://openapi-auth.alibaba.com/oauth/authorize",
    ),
    (
        "alibaba-sandbox", "https://openapi-api-sandbox.alibaba.com/rest",
        "https://openapi-api-sandbox.alibaba.com/rest", "",
        "https://openapi-auth.alibaba.com/oauth/authorize",
    ),
    *(
        (name, "", "", f"https://{host}/router/rest", f"https://{auth}/authorize")
        for name, host, auth in [
            ("top", "api.taobao.com", "oauth.aliexpress.com"),
            ("top-overseas", "api.taobao.com", "oauth.aliexpress.com"),
            ("top-china", "gw.api.taobao.com", "oauth.taobao.com"),
            ("top-eco", "eco.taobao.com", "oauth.taobao.com"),
            ("top-sandbox", "gw.api.tbsandbox.com", "oauth.taobao.com"),
        ]
    ),
    (
        "aop", "http://gw.api.alibaba.com/openapi", "http://gw.api.alibaba.com/openapi", "",
        "http://gw.api.alibaba.com/auth",
    ),
]  # fmt: skip
NAMES = [name for name, *_ in HOSTS]


# ---- Platform


def test_every_platform_is_listed_here() -> None:
    assert sorted(platforms()) == sorted(NAMES)


@pytest.mark.parametrize(("name", "path", "token", "business", "authorize"), HOSTS)
def test_hosts_and_routes(name: str, path: str, token: str, business: str, authorize: str) -> None:
    platform = Platform.named(name)
    assert platform.name == name
    assert platform.authorize_url == authorize
    if path:
        assert platform.route("/order/get") == f"{path}/order/get"
        assert platform.route("order/get") == f"{path}/order/get"
        assert platform.route("/auth/token/create") == f"{token}/auth/token/create"
        assert platform.route("/auth/token/refresh") == f"{token}/auth/token/refresh"
        assert platform.route("auth/token/create") == f"{token}/auth/token/create"
    else:
        with pytest.raises(InputError, match="has no path calls such as /order/get"):
            platform.route("/order/get")
    if business:
        assert platform.route("aliexpress.ds.product.get") == business
    else:
        with pytest.raises(InputError, match=r"has no dotted calls such as a\.b"):
            platform.route("a.b")


@pytest.mark.parametrize("name", NAMES)
def test_signing_rules(name: str) -> None:
    platform = Platform.named(name)
    rule = platform.sign_method, platform.sign_parameter, platform.timestamp
    if name.startswith("top"):
        assert rule == ("md5", "sign", "text GMT+8")
        assert platform.always_sent == {"v": "2.0", "format": "json"}
    elif name == "aop":
        assert rule == ("hmac-sha1", "_aop_signature", "none")
    else:
        assert rule == ("sha256", "sign", "milliseconds")
        assert platform.always_sent == {}
    assert bool(platform.retired) is name.startswith(("top", "aop"))
    assert platform.code_seconds == (180 if name == "aliexpress" else 1800)
    assert platform.authorize_parameters == (
        ("country",) if name.startswith(("lazada", "daraz")) else ()
    )
    assert platform.token_parameter == "access_token"
    assert platform.business_token_parameter == "session"
    assert platform.confidence in ("documented", "observed")
    assert platform.source


def test_a_region_is_named_in_the_title_where_it_was_asked_for() -> None:
    assert Platform.named("lazada").title == "Lazada"
    assert Platform.named("lazada-th").title == "Lazada th"
    assert Platform.named("alibaba-sandbox").title == "Alibaba.com sandbox"


def test_named() -> None:
    assert Platform.named() is Platform.named("aliexpress")
    assert Platform.named(" Lazada-TH\n").api == "https://api.lazada.co.th"


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("aliexpres", "aliexpress"), ("AliExpres", "aliexpress"), ("lazada-tw", "lazada-th"),
        ("mirava", "miravia"), ("daraz-in", "daraz-pk"), ("alibaba.com", "alibaba"),
    ],
)  # fmt: skip
def test_an_unknown_platform_names_the_nearest(typed: str, near: str) -> None:
    with pytest.raises(UnknownPlatform) as raised:
        Platform.named(typed)
    assert raised.value.message == f"There is no platform {typed!r}."
    assert raised.value.next_step.startswith("Did you mean ")
    assert near in raised.value.next_step


def test_an_unknown_platform_like_no_other_lists_all() -> None:
    with pytest.raises(UnknownPlatform) as raised:
        Platform.named("zzz")
    assert raised.value.next_step == f"Known: {', '.join(platforms())}."


# ---- at


@pytest.mark.parametrize(
    ("gateway", "base"),
    [
        ("http://127.0.0.1:8700", "http://127.0.0.1:8700"),
        (" http://127.8.9.1:8700/ \n", "http://127.8.9.1:8700"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8700", "http://[::1]:8700"),
        ("https://api-sg.aliexpress.com", "https://api-sg.aliexpress.com"),
        ("https://example.org:8443/proxy//", "https://example.org:8443/proxy"),
    ],
)
def test_at_replaces_every_host_and_no_rule(gateway: str, base: str) -> None:
    lazada = Platform.named("lazada-th")
    moved = lazada.at(gateway)
    assert moved.route("/order/get") == f"{base}/rest/order/get"
    assert moved.route("/auth/token/create") == f"{base}/rest/auth/token/create"
    assert moved.authorize_url == f"{base}/oauth/authorize"
    assert lazada == replace(
        moved, api=lazada.api, token_api=lazada.token_api, authorize_url=lazada.authorize_url
    )


def test_at_keeps_the_paths_of_a_platform() -> None:
    base = "http://127.0.0.1:8700"
    assert Platform.named("miravia").at(base).authorize_url == f"{base}/apps/oauth/authorize"
    assert Platform.named("top").at(base).authorize_url == f"{base}/authorize"
    assert Platform.named("top").at(base).route("a.b") == f"{base}/router/rest"
    assert Platform.named().at(base).route("a.b") == f"{base}/sync"


@pytest.mark.parametrize(
    "gateway",
    [
        "http://api-sg.aliexpress.com", "http://10.0.0.1:8700", "http://192.168.1.2", "http://0.0.0.0",
        "http://127.0.0.1.example.org", "http://127.example.org", "http://localhost.example.org",
        "HTTP://example.org", "http://[2001:db8::1]:80",
    ],
)  # fmt: skip
def test_at_refuses_plain_http_to_another_machine(gateway: str) -> None:
    with pytest.raises(InputError, match="over plain http"):
        Platform.named().at(gateway)


@pytest.mark.parametrize(
    "gateway", ["http://127.0.0.1@example.org", "https://me:pa55word@example.org", "https://@a.org"]
)
def test_at_refuses_a_name_and_a_password_and_does_not_repeat_them(gateway: str) -> None:
    with pytest.raises(InputError, match="no user name and no password") as caught:
        Platform.named().at(gateway)
    assert "pa55word" not in str(caught.value)


@pytest.mark.parametrize(
    "gateway",
    ["http://127.0.0.1@example.org", "https://me:hunter2@example.org", "https://me:hunter2@",
     "https://me:hunt er2@example.org"],
)  # fmt: skip
def test_at_refuses_a_name_and_a_password_and_repeats_none(gateway: str) -> None:
    with pytest.raises(InputError) as refused:
        Platform.named().at(gateway)
    assert "hunt" not in str(refused.value)


@pytest.mark.parametrize(
    "gateway",
    [
        "", "   ", "junk", "//host", "127.0.0.1:8700", "ftp://127.0.0.1", "https://", "http:///rest",
        "http://[::1", "http://127.0.0.1:99999", "http://127.0.0.1:port", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_at_refuses_what_is_no_base_url(gateway: str) -> None:
    with pytest.raises(InputError, match="is not a gateway's base URL"):
        Platform.named().at(gateway)


def test_loopback() -> None:
    for host in ("localhost", "127.0.0.1", "127.255.255.254", "::1"):
        assert is_loopback(host)
    for host in ("", "127.", "128.0.0.1", "127.evil.example", "::2", "localhost2", "10.0.0.1"):
        assert not is_loopback(host)


# ---- App


def test_an_app_hides_its_secret() -> None:
    app = App("12345678", "helloworld")
    assert repr(app) == ("App(key='12345678', secret=‹app_secret •••• 10›, platform='aliexpress')")
    assert "helloworld" not in f"{app} {app!r} {[app]}"
    assert app.secret.reveal() == "helloworld"
    assert copy.deepcopy(app).secret is app.secret
    with pytest.raises(TypeError, match="app_secret is not pickled"):
        pickle.dumps(app)


def test_an_app_takes_names_profiles_and_secrets() -> None:
    profile = Platform.named("lazada-vn")
    app = App("1", Secret("s"), profile)
    assert app.platform is profile
    assert app == App("1", "s", "lazada-vn")
    assert app != App("1", "t", "lazada-vn")
    assert hash(app) == hash(App("1", "s", "lazada-vn"))
    assert replace(app, platform="daraz-bd").platform.api == "https://api.daraz.com.bd"
    with pytest.raises(FrozenInstanceError):
        app.key = "2"  # type: ignore[misc]
    with pytest.raises(UnknownPlatform):
        App("1", "s", "lazda")


@pytest.mark.parametrize("blank", [" {}", "{} ", "{}\n", "{}\r\n", "\t{}", "{}\u00a0"])
def test_white_space_around_key_or_secret_is_refused(blank: str) -> None:
    length = len(blank.format("12345678"))
    with pytest.raises(InputError, match=rf"The app key has a blank .* \({length} characters\)"):
        App(blank.format("12345678"), "helloworld")
    with pytest.raises(InputError, match="The app secret has a blank") as raised:
        App("12345678", blank.format("helloworld"))
    assert "helloworld" not in str(raised.value)


def test_an_empty_key_or_secret_is_refused() -> None:
    with pytest.raises(MissingSecret, match="The app key is empty"):
        App("", "helloworld")
    with pytest.raises(MissingSecret, match="The app secret is empty"):
        App("12345678", "")
    with pytest.raises(InputError, match="blank"):
        App("12345678", "  ")
    assert App("1 2", "a b").secret.reveal() == "a b"


# ---- from_env


def test_from_env() -> None:
    app = App.from_env(
        {
            "ALINB_APP_KEY": " 12345678\n",
            "ALINB_APP_SECRET": "helloworld\r\n",
            "ALINB_PLATFORM": " Lazada-ph ",
            "ALINB_GATEWAY": " http://127.0.0.1:8700/ ",
        }
    )
    assert (app.key, app.secret.reveal()) == ("12345678", "helloworld")
    assert app.platform.name == "lazada-ph"
    assert app.platform.route("/auth/token/create") == (
        "http://127.0.0.1:8700/rest/auth/token/create"
    )


@pytest.mark.parametrize("more", [{}, {"ALINB_PLATFORM": "", "ALINB_GATEWAY": " "}])
def test_from_env_without_a_platform_is_aliexpress(more: dict[str, str]) -> None:
    app = App.from_env({"ALINB_APP_KEY": "1", "ALINB_APP_SECRET": "s", **more})
    assert app == App("1", "s", "aliexpress")


@pytest.mark.parametrize("missing", ["ALINB_APP_KEY", "ALINB_APP_SECRET"])
@pytest.mark.parametrize("blank", [None, "", " \n"])
def test_from_env_names_the_missing_variable(missing: str, blank: str | None) -> None:
    environ = {"ALINB_APP_KEY": "12345678", "ALINB_APP_SECRET": "helloworld"}
    del environ[missing]
    if blank is not None:
        environ[missing] = blank
    with pytest.raises(MissingSecret) as raised:
        App.from_env(environ)
    assert str(raised.value) == (
        f"{missing} is not set. Set it in the environment: export {missing}=…"
    )


def test_from_env_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALINB_APP_KEY", "12345678")
    monkeypatch.setenv("ALINB_APP_SECRET", "helloworld")
    monkeypatch.setenv("ALINB_PLATFORM", "daraz-lk")
    monkeypatch.delenv("ALINB_GATEWAY", raising=False)
    assert App.from_env() == App("12345678", "helloworld", "daraz-lk")
