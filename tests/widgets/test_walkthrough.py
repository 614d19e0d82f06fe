"""OAuthWalkthrough without a browser, against a sandbox on a port and one in this process."""

import http.client
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

import alinb
from alinb.redact import Secret
from alinb.widgets.base import Event
from alinb.widgets.walkthrough import OAuthWalkthrough

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def gateway():
    with alinb.sandbox(secret="s3cretCANARY0123456789") as made:
        made.serve()
        yield made


@pytest.fixture
def walking():
    """Makes walkthroughs; in the end they and every client they used are closed."""
    made, clients = [], []

    def make(*given, **options):
        walk = OAuthWalkthrough(*given, **options)
        use, made_before = walk._use, walk.client
        clients.append(made_before)
        walk._use = lambda client: (clients.append(client), use(client))
        made.append(walk)
        return walk

    yield make
    for panel in made:
        panel.close()
    for client in filter(None, clients):
        client.close()


@pytest.fixture
def walk(gateway, walking):
    return walking(gateway)


def pasted(walk, code, **more):
    fields = {"code": code, "state": walk.link.state, **more}
    return "https://example.com/cb?" + urlencode(fields)


def send(walk, text):
    walk.act("exchange", Event(fields={"callback": text}))


def everything(walk):
    """Whatever of a panel may be saved or shown."""
    data, _ = walk._repr_mimebundle_()
    return str(walk.get_state()) + str(data) + repr(walk) + walk.status


def test_from_link_to_token(walk, gateway):
    assert walk.link.url in walk.view.replace("&amp;", "&")
    code = gateway.code()
    walk.act("check", Event(value=pasted(walk, code)))
    assert f"✓ A code of {len(code)} characters, and its state is this link" in walk.view
    send(walk, pasted(walk, code))
    assert walk.status == "✓ The token is here."
    token = walk.token
    assert token.refreshable
    assert "‹access_token •••• 61›" in walk.view
    assert walk.view.count("data-until=") == 2
    assert f'data-until="{token.expires_at:.0f}"' in walk.view
    for secret in (code, token.access_token.reveal(), token.refresh_token.reveal(),
                   gateway.app.secret.reveal()):  # fmt: skip
        assert secret not in everything(walk)
    where = {"keyWord": "lamp", "local": "en_US", "countryCode": "US", "currency": "USD"}
    assert walk.client.call("aliexpress.ds.text.search", **where).ok


@pytest.mark.parametrize("form", ["{url}", "{query}", "  '{url}' ", "{code}"])
def test_a_callback_is_taken_in_every_form(walk, gateway, form):
    code = gateway.code()
    url = pasted(walk, code)
    text = form.format(url=url, query=urlsplit(url).query, code=code)
    walk.act("check", Event(value=text))
    assert "✓ A" in walk.view
    assert code not in everything(walk)
    send(walk, text)
    assert walk.token is not None


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("https://example.com/cb?code=abc&state=other", "not the one this link was made with"),
        ("https://example.com/cb?code=abc", "is missing"),
        ("https://example.com/cb?error=access_denied", "access_denied"),
        ("two words", "neither a callback URL nor a code"),
        ("3_999999_ABCDEFGHIJ", "belongs to app 999999"),
        ("https://example.com/cb?error=" + EVIL, "&lt;img"),
    ],
)
def test_what_is_wrong_with_a_callback_is_seen_before_it_is_sent(walk, text, seen):
    walk.act("check", Event(value=text))
    assert 'class="bad" aria-live="polite" data-key="check">✗ ' in walk.view
    assert seen in walk.view
    assert "<img" not in walk.view
    walk.act("check", Event(value=""))
    assert seen not in walk.view
    assert walk.tries == []


def test_a_refused_code_is_recorded_explained_and_followed_by_a_new_one(walk, gateway):
    wrong = f"3_{gateway.app.key}_CANARYCANARYCANARY12345"
    link = walk.link
    send(walk, pasted(walk, wrong))
    assert walk.status.startswith("✗ /auth/token/create was refused: InvalidCode")
    (tried,) = walk.tries
    kept = walk.client.journal.get(tried.attempt_id)
    assert (kept.verdict, kept.code) == ("refused", "InvalidCode")
    assert f"attempt {tried.attempt_id} in the journal" in walk.view
    assert tried.explanation.meaning.split("`")[0] in walk.view
    assert "Get a new code" in walk.view
    assert wrong not in everything(walk) + str(kept.as_dict())
    walk.act("new_code")
    assert walk.link.state != link.state
    assert parse_qs(urlsplit(walk.link.url).query)["state"] == [walk.link.state]
    send(walk, pasted(walk, gateway.code()))
    assert walk.token is not None
    assert f"attempt {tried.attempt_id} in the journal" in walk.view, "the try stays in sight"


def test_a_code_is_sent_once_and_never_again(walk, gateway):
    wrong = f"3_{gateway.app.key}_CANARYCANARYCANARY12345"
    for _ in range(3):
        send(walk, pasted(walk, wrong))
    assert "was sent before, and a code works once" in walk.status
    assert len(walk.client.journal) == len(walk.tries) == 1
    walk.act("check", Event(value=pasted(walk, wrong)))
    assert "✗ This code was sent before" in walk.view


def test_a_wrong_secret_is_diagnosed_in_place(gateway, walking):
    other = alinb.App(gateway.app.key, "another secret", gateway.app.platform)
    walk = walking(other)
    send(walk, pasted(walk, gateway.code()))
    assert "IncompleteSignature" in walk.status
    assert walk.tries[0].explanation.code == "IncompleteSignature"
    assert "another secret" not in everything(walk)


def test_no_answer_is_a_try_too(gateway, walking):
    walk = walking(gateway)
    gateway.close()
    send(walk, pasted(walk, gateway.code()))
    assert "got no answer" in walk.status
    assert walk.client.journal.get(walk.tries[0].attempt_id).verdict == "no_reply"
    assert "not recorded" not in walk.view


def test_refresh_and_forget(walk, gateway):
    send(walk, gateway.code())
    before = walk.token
    walk.act("refresh")
    assert walk.status.startswith("✓ The pair is new")
    assert walk.token.access_token != before.access_token
    assert walk.token.refresh_expires_at == before.refresh_expires_at
    walk.act("forget")
    assert walk.token is None
    assert "Open the consent page" in walk.view


def test_a_refused_refresh_is_a_try(walk, gateway):
    send(walk, gateway.code())
    walk.client.save_token(
        alinb.Token(Secret("x" * 9, "access_token"), Secret("r3freshCANARY", "refresh_token"))
    )
    walk.act("refresh")
    assert "IllegalRefreshToken" in walk.status
    assert walk.tries[0].what == "refresh"
    assert "r3freshCANARY" not in everything(walk)


def test_without_an_app_it_asks_and_keeps_no_secret(gateway, walking):
    walk = walking()
    assert 'type="password" name="secret"' in walk.view
    assert str(walk) == "1. The app: key and secret are not given yet."
    walk.act("exchange", Event(fields={"callback": "abc"}))
    assert "There is no app yet" in walk.status
    typed = {"key": gateway.app.key, "secret": "", "platform": "aliexpress", "gateway": gateway.url}
    walk.act("app", Event(fields=typed))
    assert "The app secret is empty" in walk.status
    walk.act("app", Event(fields={**typed, "gateway": "http://example.com", "secret": "x"}))
    assert "over plain http" in walk.status
    walk.act("app", Event(fields={**typed, "secret": gateway.app.secret.reveal()}))
    assert walk.client.app == gateway.app
    assert gateway.app.secret.reveal() not in everything(walk)
    walk.act("sandbox_code")
    assert walk.token is not None
    walk.act("other_app")
    assert walk.client is None


def test_the_environment_comes_first(monkeypatch, gateway, walking):
    monkeypatch.setenv("ALINB_APP_KEY", gateway.app.key)
    monkeypatch.setenv("ALINB_APP_SECRET", gateway.app.secret.reveal())
    monkeypatch.setenv("ALINB_GATEWAY", gateway.url)
    walk = walking()
    assert "from the environment" in walk.view
    assert walk.client.app == gateway.app
    monkeypatch.setenv("ALINB_PLATFORM", "amazon")
    asking = walking()
    assert "There is no platform &#x27;amazon&#x27;" in asking.view
    assert "App secret" in asking.view


def test_a_redirect_uri_is_named_in_a_new_link(walk):
    walk.act("redirect", Event(fields={"redirect_uri": " https://me.example/cb "}))
    assert parse_qs(urlsplit(walk.link.url).query)["redirect_uri"] == ["https://me.example/cb"]
    walk.act("redirect", Event(fields={"redirect_uri": "me.example"}))
    assert "is not a full URL" in walk.status


def test_a_store_that_cannot_be_read_is_said_not_raised(gateway, walking, tmp_path):
    broken = tmp_path / "tokens.json"
    broken.write_text("not ours")
    walk = walking(gateway, store=alinb.FileStore(broken))
    assert walk.token is None
    assert "tokens.json" in walk.status


# ---- the listener


def come(url):
    """What a browser on this machine does with a URL."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    connection.request("GET", f"{parts.path}?{parts.query}")
    status = connection.getresponse().status
    connection.close()
    return status


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("host", "offered"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("[::1]", True),
        ("hub.example.com", False),
        ("", 0),
    ],
)
def test_listening_is_offered_only_to_a_page_from_this_machine(walk, host, offered):
    walk.act("hello", Event(value=host))
    assert ("come here by itself" in walk.view) is bool(offered)


def test_the_code_comes_by_itself_where_the_page_reaches_the_listener(walk, gateway):
    asked = []
    walk.send = asked.append
    walk.act("listen")
    (probe,) = (m["probe"] for m in asked if "probe" in m)
    assert "redirect_uri" not in walk.link.url, "not before the page is known to reach it"
    assert come(probe) == 204
    until(lambda: walk.status.startswith("✓ Listening"))
    query = parse_qs(urlsplit(walk.link.url).query)
    code = gateway.code()
    forged = f"{query['redirect_uri'][0]}?code={code}&state=forged"
    assert come(forged) == 403
    assert come(f"{query['redirect_uri'][0]}?code={code}&state={query['state'][0]}") == 200
    until(lambda: walk.token is not None and walk.status == "✓ The token is here.")
    assert code not in everything(walk)


def test_a_page_that_does_not_reach_it_gets_no_link_to_it(walk):
    walk.act("listen")
    walk.act("unreached")
    assert "does not reach" in walk.status
    assert "redirect_uri" not in walk.link.url


def test_a_denied_access_and_an_end_of_patience_are_said(walk, gateway):
    walk.act("listen")
    walk.act("reached")
    query = parse_qs(urlsplit(walk.link.url).query)
    come(f"{query['redirect_uri'][0]}?error=access_denied&state={query['state'][0]}")
    until(lambda: "access_denied" in walk.status)
    assert "Stop listening" not in walk.view


def test_stopping_and_closing_close_the_port_without_waiting(walk):
    for end in (lambda: walk.act("stop_listening"), walk.close):
        walk.act("listen")
        listener = walk.listener
        begun = time.monotonic()
        end()
        assert time.monotonic() - begun < 1
        assert not listener.listening


def test_the_text_twin_tells_the_same(walk, gateway):
    assert walk.link.url in str(walk)
    send(walk, f"3_{gateway.app.key}_CANARYCANARYCANARY12345")
    assert "✗ exchange at " in str(walk)
    send(walk, gateway.code())
    assert "‹access_token •••• 61›" in str(walk)
    assert "23 h" in str(walk)
    assert repr(walk) == "<OAuthWalkthrough: From app key to token>"
