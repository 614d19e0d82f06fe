"""The consent link, and the authorization code in whatever a user could copy."""

import re
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alinb.app import App
from alinb.errors import CallbackError, InputError
from alinb.oauth import authorize, exchange_call, parse_callback, refresh_call
from alinb.redact import Secret

CODE = "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26"
STATE = "9f0c8a1b2d3e4f5061728394a5b6c7d8"
REDIRECT = "https://shop.example/ali/callback/"
APP = App("500102", "helloworld")


def query(authorization):
    return parse_qsl(urlsplit(authorization.url).query, strict_parsing=True)


# ---- the consent link


def test_the_link_asks_for_a_code_and_nothing_else():
    link = authorize(APP, REDIRECT, state=STATE)
    assert link.url == (
        "https://api-sg.aliexpress.com/oauth/authorize?response_type=code&client_id=500102"
        f"&redirect_uri=https%3A%2F%2Fshop.example%2Fali%2Fcallback%2F&state={STATE}"
    )
    assert link.state == STATE


def test_without_a_redirect_the_registered_one_is_left_to_the_platform():
    assert query(authorize(APP, state="ab")) == [
        ("response_type", "code"),
        ("client_id", "500102"),
        ("state", "ab"),
    ]


def test_a_state_has_128_bits_and_is_fresh():
    states = [authorize(APP, REDIRECT).state for _ in range(50)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", state) for state in states)
    assert len(set(states)) == 50


def test_the_source_of_chance_is_asked_for_16_bytes():
    asked = []

    def random(size):
        asked.append(size)
        return "ff" * size

    link = authorize(APP, REDIRECT, random=random)
    assert asked == [16]
    assert link.state == "ff" * 16
    assert dict(query(link))["state"] == "ff" * 16


def test_a_given_state_is_sent_encoded_and_comes_back():
    link = authorize(APP, REDIRECT, state="a b&c=ü")
    assert dict(query(link))["state"] == "a b&c=ü"
    callback = f"{REDIRECT}?{urlencode({'code': CODE, 'state': link.state})}"
    assert link.callback(callback).state_checked


def test_a_fresh_login_is_asked_for_only_where_wanted():
    assert ("force_auth", "true") in query(authorize(APP, REDIRECT, force_auth=True))
    assert "force_auth" not in dict(query(authorize(APP, REDIRECT)))


@pytest.mark.parametrize(
    ("platform", "host", "path"),
    [
        ("aliexpress", "api-sg.aliexpress.com", "/oauth/authorize"),
        ("lazada-th", "auth.lazada.com", "/oauth/authorize"),
        ("daraz-bd", "api.daraz.com.bd", "/oauth/authorize"),
        ("miravia", "auth.miravia.com", "/apps/oauth/authorize"),
        ("alibaba", "openapi-auth.alibaba.com", "/oauth/authorize"),
    ],
)
def test_each_platform_has_its_own_consent_page(platform, host, path):
    parts = urlsplit(authorize(App("1", "s3cret", platform), REDIRECT).url)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", host, path)


@pytest.mark.parametrize("platform", ["lazada", "lazada-my", "daraz", "daraz-np"])
def test_country_is_sent_where_the_platform_takes_it(platform):
    link = authorize(App("1", "s3cret", platform), REDIRECT, country="my")
    assert ("country", "my") in query(link)


@pytest.mark.parametrize("platform", ["aliexpress", "miravia", "alibaba", "taobao-global"])
def test_country_is_refused_elsewhere(platform):
    with pytest.raises(InputError, match="takes no country"):
        authorize(App("1", "s3cret", platform), REDIRECT, country="my")


@pytest.mark.parametrize("platform", ["aliexpress", "lazada", "daraz", "miravia", "alibaba"])
@pytest.mark.parametrize("force_auth", [True, False])
def test_neither_uuid_nor_the_secret_is_ever_sent(platform, force_auth):
    url = authorize(App("1", "helloworld", platform), REDIRECT, force_auth=force_auth).url
    assert "uuid" not in url
    assert "helloworld" not in url


@pytest.mark.parametrize("platform", ["top", "top-china", "aop"])
def test_a_retired_platform_takes_no_consents(platform):
    with pytest.raises(InputError, match="takes no new consents"):
        authorize(App("1", "s3cret", platform), REDIRECT)


@pytest.mark.parametrize(
    "redirect",
    ["shop.example/cb", "/cb", "localhost:8080/cb", "shop.example:443/cb", "//shop.example/cb",
     "https:///cb", "https:", " https://shop.example/cb", "https:// shop.example/cb"],
)  # fmt: skip
def test_a_redirect_that_is_no_full_url_is_refused(redirect):
    with pytest.raises(InputError, match="is not a full URL"):
        authorize(APP, redirect)


@pytest.mark.parametrize(
    "redirect", ["https://shop.example", "http://localhost:8080/cb?a=1", "my-app.x://cb"]
)
def test_a_full_url_is_sent_to_the_last_character(redirect):
    assert dict(query(authorize(APP, redirect)))["redirect_uri"] == redirect


def test_the_link_in_a_notebook_is_escaped_and_safe_to_open():
    html = authorize(APP, "https://shop.example/?a=\"><img/src=x>'", state="<b>")._repr_html_()
    assert "<img" not in html
    assert "<b>" not in html
    assert 'rel="noopener noreferrer"' in html


# ---- the callback: forms

URL = f"{REDIRECT}?code={CODE}&state={STATE}"


@pytest.mark.parametrize(
    "pasted",
    [
        URL,
        f"{REDIRECT}?state={STATE}&code={CODE}",
        f"{URL}#_=_",
        f"{REDIRECT}#code={CODE}&state={STATE}",
        f"{REDIRECT}?code={CODE}#state={STATE}",
        f"http://localhost:8080/?code={CODE}&state={STATE}",
        f"http://127.0.0.1/?x=&code={CODE}&state={STATE}&y",
        f"my-app://cb?code={CODE}&state={STATE}",
        f"shop.example/cb?code={CODE}&state={STATE}",
        f"/cb?code={CODE}&state={STATE}",
        f"?code={CODE}&state={STATE}",
        f"&code={CODE}&state={STATE}",
        f"#code={CODE}&state={STATE}",
        f"code={CODE}&state={STATE}",
        f"  {URL}\r\n",
        f"\n\n\t{URL}\n",
        f"'{URL}'",
        f'"{URL}"',
        f"`{URL}`",
        f"“{URL}”",
        f"‘{URL}’",
        f"„{URL}“",
        f"«{URL}»",
        f"<{URL}>",
        f" < '{URL}' > ",
        f"{REDIRECT}?code='{CODE}'&state={STATE}",
        f"{REDIRECT}?code=%22{CODE}%22&state={STATE}",
        f"{REDIRECT}?code={CODE}&code={CODE}&state={STATE}",
        f"{REDIRECT}?code={quote(CODE, safe='').replace('_', '%5F')}&state={STATE}",
        f"{REDIRECT}?code={CODE[:12]}\n{CODE[12:]}&state={STATE}",
    ],
)
def test_the_code_is_found_in_every_pasted_form(pasted):
    callback = parse_callback(pasted, state=STATE)
    assert callback.code.reveal() == CODE
    assert callback.state == STATE
    assert callback.state_checked


@pytest.mark.parametrize("pasted", [CODE, f" {CODE}\r\n", f"'{CODE}'", f"“{CODE}”", f"<{CODE}>"])
def test_a_bare_code_brings_no_state(pasted):
    callback = parse_callback(pasted, state=STATE)
    assert callback.code.reveal() == CODE
    assert (callback.state, callback.state_checked) == ("", False)


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("code=3_1_a%2Bb", "3_1_a+b"),
        ("code=3_1_a%2Fb%3D", "3_1_a/b="),
        ("code=3_1_%C3%A9", "3_1_é"),
        ("3_1_a+b", "3_1_a+b"),
        ("3_1_a%2Bb", "3_1_a%2Bb"),
        ("?code=3_1_a+", "3_1_a"),
    ],
)
def test_percent_and_plus_are_read_as_forms_write_them(pasted, code):
    assert parse_callback(pasted).code.reveal() == code


def test_without_a_state_to_compare_it_is_kept_but_unchecked():
    callback = parse_callback(URL)
    assert (callback.state, callback.state_checked) == (STATE, False)


# ---- the callback: state


@pytest.mark.parametrize(
    "returned",
    [STATE[:-1] + "9", STATE.upper(), STATE + "x", STATE[:-1], "é" * 32, "%ff", "9f0c", f"{STATE}+"]
)  # fmt: skip
def test_another_state_is_refused(returned):
    with pytest.raises(CallbackError, match="not the one this link was made with") as raised:
        parse_callback(f"{REDIRECT}?code={CODE}&state={returned}", state=STATE)
    assert raised.value.evidence["fields"] == ["code", "state"]


def test_a_state_is_refused_where_the_link_was_made_without_one():
    link = authorize(APP, REDIRECT, state="")
    assert "state" not in dict(query(link))
    assert link.callback(f"?code={CODE}").state_checked
    with pytest.raises(CallbackError, match="not the one"):
        link.callback(URL)


@pytest.mark.parametrize("pasted", [f"?code={CODE}", f"?code={CODE}&state="])
def test_a_missing_state_is_refused_as_missing(pasted):
    with pytest.raises(CallbackError, match=r"is missing\."):
        parse_callback(pasted, state=STATE)


@pytest.mark.parametrize("state", ["ü€", "a b", "a+b", "x&y=z", "\ud800", "日本"])
def test_a_state_of_any_letters_is_compared_as_text(state):
    sent = urlencode({"state": state}, errors="surrogatepass") if state != "\ud800" else None
    pasted = f"?code={CODE}&" + (sent or "state=\ud800")
    assert parse_callback(pasted, state=state).state_checked
    with pytest.raises(CallbackError):
        parse_callback(pasted, state=state + "x")


def test_a_thousand_forged_states_are_refused():
    link = authorize(APP, REDIRECT)
    forged = {authorize(APP, REDIRECT).state for _ in range(1000)}
    assert len(forged) == 1000
    for state in forged:
        with pytest.raises(CallbackError, match="not the one"):
            link.callback(f"{REDIRECT}?code={CODE}&state={state}")
    assert link.callback(f"{REDIRECT}?code={CODE}&state={link.state}").state_checked


def test_a_state_is_taken_once():
    """The same callback may be read again, a forged one by who learnt the state may not."""
    link = authorize(APP, REDIRECT)
    right = f"{REDIRECT}?code={CODE}&state={link.state}"
    forged = f"{REDIRECT}?code=3_500102_another&state={link.state}"
    assert link.callback(right) == link.callback(right)
    for _ in range(2):
        with pytest.raises(CallbackError, match="came back before, with another code") as raised:
            link.callback(forged)
    assert "another" not in f"{raised.value.evidence}{link!r}".replace("another code", "")
    assert link.callback(right).state_checked
    assert authorize(APP, REDIRECT, state=link.state).callback(forged).state_checked


# ---- the callback: what is wrong with it


@pytest.mark.parametrize("pasted", ["", "  \r\n", "''", '" "', "<>", "“”"])
def test_nothing_pasted_says_so(pasted):
    with pytest.raises(CallbackError, match=r"Nothing was pasted\. Copy the address bar"):
        parse_callback(pasted)


def test_a_denial_is_told_in_the_platforms_words():
    denied = "?error=access_denied&error_description=User+said+no&state=" + STATE
    with pytest.raises(CallbackError) as raised:
        parse_callback(f"{REDIRECT}{denied}", state=STATE)
    assert raised.value.message == "The consent page answered 'access_denied' (User said no)."
    assert raised.value.evidence["fields"] == ["error", "error_description", "state"]


def test_a_denial_without_description_is_told_too():
    with pytest.raises(CallbackError, match=r"answered 'access_denied'\. Open the consent link"):
        parse_callback("error=access_denied")


@pytest.mark.parametrize(
    ("pasted", "seen"),
    [
        (f"{REDIRECT}?state={STATE}&lang=en", "lang, state"),
        (f"{REDIRECT}?code=&state={STATE}", "code, state"),
        (f"{REDIRECT}?code=%20&state={STATE}", "code, state"),
        (REDIRECT, "no parameter at all"),
        (f"{REDIRECT}?", "no parameter at all"),
        ("https://[broken?code=x", "no parameter at all"),
    ],
)
def test_a_callback_without_code_names_what_is_there(pasted, seen):
    with pytest.raises(CallbackError) as raised:
        parse_callback(pasted)
    assert raised.value.message == f"The pasted callback holds no `code` (it has: {seen})."


def test_two_codes_are_refused():
    with pytest.raises(CallbackError, match="holds 2 different codes"):
        parse_callback(f"?code={CODE}&code=3_500102_another")


@pytest.mark.parametrize("pasted", ["I clicked on allow", "code is 3_1_abc", "3_1_abc 3_1_abc"])
def test_a_sentence_is_no_code(pasted):
    with pytest.raises(CallbackError, match="neither a callback URL nor a code"):
        parse_callback(pasted)


@pytest.mark.parametrize(
    "pasted",
    [
        f"?code={CODE}&state=wrong",
        f"?code={CODE}",
        f"?code={CODE}&code=x_{CODE}&state={STATE}",
        f"?error=denied&code={CODE}",
        f"{REDIRECT}?{CODE}",
        f"{REDIRECT}#{CODE}",
        f"{REDIRECT}{CODE}",
        f"{CODE}=",
        f"={CODE}",
        f"my code is {CODE}",
        f"{CODE}\n{CODE}",
        f"Code={CODE}",
        f"auth_code={CODE}&{CODE}=code",
    ],
)
def test_no_error_shows_the_code(pasted):
    with pytest.raises(CallbackError) as raised:
        parse_callback(pasted, state=STATE)
    assert CODE not in str(raised.value)
    assert CODE not in repr(raised.value)
    assert CODE not in repr(raised.value.evidence)


def test_no_repr_shows_the_code():
    callback = parse_callback(URL, state=STATE)
    for text in (repr(callback), str(callback), f"{callback.code}", repr(callback.code)):
        assert CODE not in text
    assert repr(callback.code) == f"‹code •••• {len(CODE)}›"


PIECES = st.sampled_from(
    [
        "code=", "state=", "error=", "&", "?", "#", "=", "://", "http", "[", "]", "%", "%2", "%ff",
        "+", "'", "“", " ", "\n", "\0", ";", "@", ":", "3_1_a", STATE, "\ud800", "é", "error",
    ]
)  # fmt: skip
ANYTHING = st.text(st.characters(), max_size=60) | st.lists(PIECES, max_size=12).map("".join)


@settings(deadline=None, max_examples=1000)
@given(ANYTHING, st.none() | st.just(STATE) | st.text(st.characters(), max_size=5))
def test_whatever_is_pasted_is_a_callback_or_a_callback_error(pasted, state):
    callback, told = None, "A callback."
    try:
        callback = parse_callback(pasted, state=state)
    except CallbackError as error:
        told = str(error)
    assert re.search(r"[A-Z].*\.$", told, re.DOTALL)
    if callback is not None:
        assert callback.code.reveal().strip()
        assert isinstance(callback.app_key, str)
        if callback.state_checked:
            assert callback.state == state


@settings(deadline=None, max_examples=300)
@given(
    st.from_regex(r"[\w.~+/-]{1,40}", fullmatch=True, alphabet=st.characters(max_codepoint=0x3000)),
    st.text(min_size=1, max_size=20),
)
def test_whatever_a_consent_page_sends_back_arrives_unchanged(code, state):
    sent = urlencode({"code": code, "state": state})
    callback = parse_callback(f"https://shop.example/cb?{sent}", state=state)
    assert callback.code.reveal() == code
    assert callback.state == parse_qs(sent)["state"][0] == state


# ---- codes and calls


@pytest.mark.parametrize(
    ("code", "app_key"),
    [
        (CODE, "500102"),
        ("3_508156_0B6q8x", "508156"),
        ("0_100132_2DL4DV3jcU1UOT7WGI1A4rY91", "100132"),
        ("0_2DL4DV3jcU1UOT7WGI1A4rY91", ""),
        ("JxZ05Ux3cnnSSUm6dCxYg6Q26", ""),
        ("3_5001x2_abc", ""),
        ("3_500102_", ""),
        ("x3_500102_abc", ""),
    ],
)
def test_the_app_key_is_read_out_of_a_code_that_names_one(code, app_key):
    assert parse_callback(code).app_key == app_key


@pytest.mark.parametrize("given_code", [CODE, Secret(CODE, "code")])
def test_the_exchange_takes_the_code_alone(given_code):
    call = exchange_call(given_code)
    assert (call.name, dict(call.params), dict(call.files)) == (
        "/auth/token/create",
        {"code": CODE},
        {},
    )
    assert CODE not in repr(call)


@pytest.mark.parametrize("given_token", ["50001600", Secret("50001600", "refresh_token")])
def test_the_refresh_takes_the_refresh_token_alone(given_token):
    call = refresh_call(given_token)
    assert (call.name, dict(call.params)) == (
        "/auth/token/refresh",
        {"refresh_token": "50001600"},
    )
    assert "50001600" not in repr(call)


@pytest.mark.parametrize(
    "pasted",
    [
        "GET /cb?code=3_1_abcdef&state=s1 HTTP/1.1",
        '{"code": "3_1_abcdef", "state": "s1"}',
        "https://shop.example/#/cb?code=3_1_abcdef&state=s1",
        "https://shop.example/cb?code=3_1_abcdef&amp;state=s1",
    ],
)
def test_logs_json_and_hash_routes_are_read(pasted):
    found = parse_callback(pasted, state="s1")
    assert found.code.reveal() == "3_1_abcdef"
    assert found.state_checked


@pytest.mark.parametrize("pasted", ["code: 3_1_abcdef", "code:3_1_abcdef", "code=3_1_abcdef"])
def test_a_code_with_its_name_in_front(pasted):
    assert parse_callback(pasted).code.reveal() == "3_1_abcdef"
