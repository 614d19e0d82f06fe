import base64
import copy
import json
import logging
import pickle
import re
import traceback
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alinb.redact import REPLY_KINDS, REQUEST_KINDS, Redactor, Secret, hide

VALUE = "helloworld"
CODE = "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26"
AWKWARD = 'Zoë/"Q"+&=\'!*~ %\\x@y.z'


def redactor(value: str = VALUE, kind: str = "app_secret", key: bytes = b"journal") -> Redactor:
    return Redactor(key, [(kind, value)])


# ---- Secret


@pytest.mark.parametrize(
    "show",
    [
        repr, str, ascii, "{}".format, "{!r}".format, "{:>40}".format, lambda s: f"{s}",
        lambda s: f"{s!s:<30}", lambda s: "%s" % s, lambda s: "%r" % s,  # noqa: UP031
        lambda s: str([s]), lambda s: str({"key": s}), lambda s: f"{(s,)!r}",
    ],
)  # fmt: skip
def test_a_secret_shows_its_kind_and_length_alone(show: Any) -> None:
    shown = show(Secret(VALUE))
    assert VALUE not in shown
    assert "app_secret" in shown
    assert "10" in shown


def test_the_repr_of_a_secret() -> None:
    assert repr(Secret("abc", "access_token")) == "‹access_token •••• 3›"
    assert f"{Secret('abc', 'code'):>15}" == "  ‹code •••• 3›"


def test_a_secret_is_hidden_in_logs(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").debug("%(key)s %(key)r", {"key": Secret(VALUE)})
        logging.getLogger("test").debug("s=%s r=%r", Secret(VALUE), [Secret(VALUE)])
    assert caplog.messages[1] == "s=‹app_secret •••• 10› r=[‹app_secret •••• 10›]"
    assert VALUE not in caplog.text


def test_a_secret_is_hidden_in_a_traceback_with_locals() -> None:
    secret, nested = Secret(VALUE), {"deep": [Secret(VALUE)]}
    try:
        raise ValueError(f"{secret} {nested}")
    except ValueError as error:
        found = traceback.TracebackException.from_exception(error, capture_locals=True)
    shown = "".join(found.format())
    assert "secret = ‹app_secret •••• 10›" in shown
    assert VALUE not in shown


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match=r"access_token is not pickled; call \.reveal\(\)"):
        pickle.dumps({"token": Secret(VALUE, "access_token")}, protocol)


def test_a_copy_of_a_secret_is_the_same_object() -> None:
    secret = Secret(VALUE)
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": [secret]})["a"][0] is secret


def test_secrets_are_equal_by_value() -> None:
    assert Secret(VALUE) == Secret(VALUE, "code")
    assert Secret(VALUE) != Secret("helloworlD")
    assert Secret(VALUE) != VALUE
    assert Secret("\ud800") == Secret("\ud800")
    assert len({Secret(VALUE), Secret(VALUE), Secret("other")}) == 2


def test_a_secret_gives_its_value_back_and_takes_another_secret() -> None:
    assert Secret(Secret(VALUE), "code").reveal() == VALUE
    assert Secret(Secret(VALUE), "code").kind == "code"
    assert Secret("x")
    assert not Secret("")


def test_a_secret_has_no_dict_and_no_json_form() -> None:
    assert not hasattr(Secret(VALUE), "__dict__")
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(Secret(VALUE))


# ---- Redactor: by value


def twice(text: str) -> str:
    return quote(text, safe="")


SPELLINGS = {
    "raw": lambda v: v,
    "percent": lambda v: quote(v, safe=""),
    "percent, slash kept": quote,
    "percent, plus for blank": quote_plus,
    "percent, lower-case digits": lambda v: re.sub(
        "%..", lambda found: found[0].lower(), quote(v, safe="")
    ),
    "encodeURIComponent": lambda v: quote(v, safe="!'()*"),
    "URLSearchParams": lambda v: quote_plus(v, safe="*").replace("~", "%7E"),
    "percent twice": lambda v: twice(quote(v, safe="")),
    "plus and percent twice": lambda v: twice(quote_plus(v)),
    "encodeURIComponent twice": lambda v: twice(quote(v, safe="!'()*")),
    "JSON": lambda v: json.dumps(v)[1:-1],
    "JSON, not ASCII": lambda v: json.dumps(v, ensure_ascii=False)[1:-1],
    "JSON, PHP": lambda v: json.dumps(v)[1:-1].replace("/", "\\/"),
    "JSON in JSON": lambda v: json.dumps(json.dumps(v)[1:-1])[1:-1],
    "hex": lambda v: v.encode().hex(),
    "HEX": lambda v: v.encode().hex().upper(),
}


@pytest.mark.parametrize("value", [VALUE, CODE, AWKWARD])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_becomes_the_same_mark(spelling: str, value: str) -> None:
    hides = redactor(value)
    mark = hides.mark("app_secret", value)
    assert hides.text(f"<{SPELLINGS[spelling](value)}>") == f"<{mark}>"


@pytest.mark.parametrize("case", [str.upper, str.lower, str.swapcase, str.title])
def test_letter_case_does_not_matter(case: Any) -> None:
    hides = redactor(CODE, "code")
    assert hides.text(f"({case(CODE)})") == f"({hides.mark('code', CODE)})"


def decided(value: str, lead: int) -> tuple[int, int]:
    """The characters of base64, six bits each, that a value after `lead` bytes decides alone."""
    return -(-8 * lead // 6), 8 * (lead + len(value.encode())) // 6


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("value", [VALUE, CODE, AWKWARD, "~~~???~~~???>>>"])
@pytest.mark.parametrize("lead", range(7))
@pytest.mark.parametrize("tail", range(3))
def test_base64_is_found_at_every_offset(encode: Any, value: str, lead: int, tail: int) -> None:
    hides = redactor(value)
    longer = encode(b"k" * lead + value.encode() + b"t" * tail).decode()
    first, last = decided(value, lead)
    mark = hides.mark("app_secret", value)
    assert hides.text(f"Basic {longer}") == f"Basic {longer[:first]}{mark}{longer[last:]}"


def test_a_mark_is_the_kind_and_four_digits() -> None:
    assert redactor().text(VALUE) == redactor().mark("app_secret", VALUE)
    kind, digits = redactor().text(VALUE).strip("‹›").split(" ")
    assert kind == "app_secret"
    assert len(digits) == 4
    assert int(digits, 16) >= 0


def test_the_same_value_has_the_same_mark_under_the_same_key_only() -> None:
    here, again, elsewhere = redactor(), redactor(), redactor(key=b"another journal")
    assert here.text(VALUE) == again.text(VALUE)
    assert here.text(VALUE) != elsewhere.text(VALUE)
    assert here.mark("code", "a") != here.mark("code", "b")


def test_the_longer_of_two_values_is_hidden_whole() -> None:
    for longer in ("xabcdx", "abcdx", "xabcd"):
        hides = Redactor(b"k", [("code", "abcd"), ("access_token", longer)])
        assert hides.text(f"{longer} abcd") == (
            f"{hides.mark('access_token', longer)} {hides.mark('code', 'abcd')}"
        )


def test_letters_whose_lower_case_is_longer_are_hidden() -> None:
    hides = redactor("İstanbul-key")
    mark = hides.mark("app_secret", "İstanbul-key")
    assert hides.text("İstanbul-key İstanbul-KEY i̇STANBUL-key") == f"{mark} {mark} {mark}"
    assert redactor("istanbul-key").text("İSTANBUL-KEY İstanbul-key").count("stanbul") == 0


def test_a_short_value_is_hidden_by_its_name_alone() -> None:
    hides = redactor("abc", "code")
    mark = hides.mark("code", "abc")
    assert hides.text("abc abcdef") == "abc abcdef"
    assert hides.text("?code=abc&abc") == f"?code={mark}&abc"
    assert hides.pairs([("code", "abc"), ("x", "abc")]) == (("code", mark), ("x", "abc"))
    assert redactor("abcd").text("abcd") != "abcd"


def test_nothing_and_marks_are_not_learned() -> None:
    hides = Redactor(b"k", [("code", "")])
    hides.learn("code", None)
    hides.learn("code", Secret(""))
    hides.learn("code", "‹code 1a2b›")
    text = f"‹code 1a2b› {quote('‹code 1a2b›')} and text"
    assert hides.text(text) == text


# ---- Redactor: by name


@pytest.mark.parametrize("name", REQUEST_KINDS)
def test_request_names_give_their_values_away(name: str) -> None:
    hides = Redactor(b"k")
    mark = hides.mark(REQUEST_KINDS[name], "zzz9")
    assert hides.text(f"{name}=zzz9") == f"{name}={mark}"
    assert (
        hides.text(f"https://h/p?a=1&{name}=zzz9&b=2#x") == f"https://h/p?a=1&{name}={mark}&b=2#x"
    )
    assert hides.text(f"curl -d '{name.upper()}=zzz9'") == f"curl -d '{name.upper()}={mark}'"
    assert hides.pairs([(name.title(), "zzz9")]) == ((name.title(), mark),)


@pytest.mark.parametrize("name", REPLY_KINDS)
def test_reply_fields_give_their_values_away(name: str) -> None:
    hides = Redactor(b"k")
    mark = hides.mark(REPLY_KINDS[name], "zzz9")
    assert hides.text(f'{{"{name}" : "zzz9","x":1}}') == f'{{"{name}" : "{mark}","x":1}}'
    assert hides.data({"a": [{name: "zzz9"}]}) == {"a": [{name: mark}]}


def test_json_within_json_is_read_too() -> None:
    hides = Redactor(b"k")
    inner = json.dumps({"access_token": "zzz9", "code": "0"})
    shown = json.loads(hides.text(json.dumps({"gopResponseBody": inner})))
    assert json.loads(shown["gopResponseBody"]) == {
        "access_token": hides.mark("access_token", "zzz9"),
        "code": "0",
    }


def test_a_quote_inside_a_json_value_does_not_end_it() -> None:
    shown = Redactor(b"k").text(json.dumps({"user_nick": 'Joe "the" \\', "x": "y"}))
    assert "the" not in shown
    assert json.loads(shown)["x"] == "y"


def test_a_form_value_ends_before_a_json_escape() -> None:
    hides = Redactor(b"k")
    text = json.dumps({"curl": 'curl -d "code=zzz9" x'})
    assert hides.text(text) == text.replace("zzz9", hides.mark("code", "zzz9"))
    assert "zz" not in hides.text(r'{"url":"https:\/\/h\/?code=zz9\/zz8&x=1"}')


def test_percent_spellings_of_an_unknown_form_value_have_the_mark_of_the_value() -> None:
    hides = Redactor(b"k")
    assert hides.text("code=a%2Fb+c") == f"code={hides.mark('code', 'a/b c')}"


def test_code_in_a_reply_is_an_error_code_and_kept() -> None:
    hides = Redactor(b"k")
    reply = {"code": "IncompleteSignature", "error_response": {"code": 15, "sub_code": "isv.x"}}
    hides.learn_reply(reply)
    assert hides.data(reply) == reply
    assert hides.text(json.dumps(reply)) == json.dumps(reply)


def test_innocent_names_are_kept() -> None:
    for text in ("zipcode=1234&sub_code=isv.x", "barcode=77", "?countryCode=FR", '"encode":"gzip"'):
        assert Redactor(b"k").text(text) == text


def test_empty_values_stay_empty() -> None:
    assert Redactor(b"k").pairs([("code", ""), ("session", "")]) == (("code", ""), ("session", ""))
    assert Redactor(b"k").text('code=&session=&{"access_token":""}') == (
        'code=&session=&{"access_token":""}'
    )


def test_known_values_are_hidden_in_names_headers_and_keys() -> None:
    hides = redactor()
    mark = hides.mark("app_secret", VALUE)
    assert hides.pairs([(VALUE, "1"), ("X-Trace", f"a {VALUE}")]) == (
        (mark, "1"),
        ("X-Trace", f"a {mark}"),
    )
    assert hides.data({VALUE: [1, None, (VALUE, 2.5, True)]}) == {
        mark: [1, None, [mark, 2.5, True]]
    }


def test_learning_from_a_request_and_its_reply() -> None:
    hides = Redactor(b"k")
    hides.learn_request([("Session", "tokentoken"), ("x", "plain"), ("CODE", "3_1_code")])
    hides.learn_reply({"result": [{"account": "joe@example.org", "code": "Later"}], "account": 7})
    shown = hides.text("tokentoken plain 3_1_code joe%40example.org Later")
    assert shown == (
        f"{hides.mark('access_token', 'tokentoken')} plain {hides.mark('code', '3_1_code')} "
        f"{hides.mark('account', 'joe@example.org')} Later"
    )


def test_a_known_value_keeps_its_kind_under_another_name() -> None:
    hides = redactor()
    assert hides.pairs([("code", VALUE)]) == (("code", hides.mark("app_secret", VALUE)),)
    for text in ("code={}", "see code={}), then", "code={}.", "'code={}'"):
        assert hides.text(text.format(VALUE)) == text.format(hides.mark("app_secret", VALUE))


@pytest.mark.parametrize(
    "text",
    ["session={}", "a&code={};", '{{"access_token":"{}"}}', '"{{\\"account\\":\\"{}\\"}}"'],
)
@pytest.mark.parametrize("unknown", ["xxtestyy", "testyy", "xxtest", "test-test.yy"])
def test_an_unknown_value_is_hidden_whole_though_a_known_one_is_part_of_it(
    text: str, unknown: str
) -> None:
    shown = redactor("test", "account").text(text.format(unknown))
    assert not {"xx", "yy", "test"} & {shown[i : i + n] for i in range(len(shown)) for n in (2, 4)}
    assert shown.count("‹") == shown.count("›") == 1


# ---- Redactor: what is hidden stays as it is


IDEMPOTENT = [
    f"code={CODE}&app_secret={VALUE}",
    f'{{"access_token":"tok","user_nick":"a \\"b\\" c","x":"{VALUE}"}}',
    '{"x":[{"refresh_token":"cut',
    f"(code={VALUE}), secret={VALUE}.",
    "app_secret=‹app_secret •••• 10›&code=‹code›&session=‹access_token 3f9a›",
    f"{VALUE}{VALUE} code={VALUE}x session=x{VALUE}y",
]


@pytest.mark.parametrize(
    "value", [VALUE, "secret", "code", "account", "app_", "beef", "access_token"]
)
@pytest.mark.parametrize("text", IDEMPOTENT)
def test_hiding_twice_is_hiding_once(text: str, value: str) -> None:
    hides = redactor(value)
    once = hides.text(f"{text} {value}")
    assert value not in once.replace(hides.mark("app_secret", value), "").split(" ")
    assert hides.text(once) == once
    assert hides.data([once]) == [once]
    assert hides.pairs([("x", once)]) == (("x", once),)


def test_marks_are_kept_where_a_name_tells_of_a_secret() -> None:
    mark = redactor().mark("access_token", "x")
    assert redactor().pairs([("code", mark)]) == (("code", mark),)
    assert redactor().data({"account": mark}) == {"account": mark}


def test_stand_ins_are_kept() -> None:
    text = "app_secret=‹app_secret •••• 10›&code=‹code›&session=‹access_token 3f9a›"
    assert redactor().text(text) == text


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet='codesecrt=&?‹› "\\{}:a1_/#\n', max_size=60))
def test_hiding_twice_is_hiding_once_for_any_text(text: str) -> None:
    hides = redactor("secret")
    assert hides.text(hides.text(text)) == hides.text(text)


def test_hide_leaves_no_fingerprint() -> None:
    shown = hide(
        f"POST ?code=zzz9 with {VALUE} and tok4", Secret(VALUE), Secret("tok4", "code"), None
    )
    assert shown == "POST ?code=‹code› with ‹app_secret› and ‹code›"
    assert hide("plain text", "hidden") == "plain text"
    assert hide("a hidden thing", "hidden") == "a ‹secret› thing"


# ---- Redactor: everything, everywhere

words = st.text(alphabet="abhelowrd019 =&?%+/\\\"'_-.:{}é😀\n", max_size=8)


def spelled(canary: str) -> st.SearchStrategy[str]:
    """The canary in some spelling, with other text around it."""
    plain = st.builds(
        lambda spell, before, after: before + spell(canary) + after,
        st.sampled_from(list(SPELLINGS.values())), words, words,
    )  # fmt: skip
    in_base64 = st.builds(
        lambda before, after, encode: encode(before + canary.encode() + after).decode(),
        st.binary(max_size=5), st.binary(max_size=5),
        st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]),
    )  # fmt: skip
    return plain | in_base64


def bodies(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    leaves = texts | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False)
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=12,
    )


def survivors(shown: str, canary: str) -> list[str]:
    raw = canary.encode()
    needles = [spell(canary) for spell in SPELLINGS.values()]
    for lead in range(3):
        first, last = decided(canary, lead)
        core = base64.b64encode(b"\0" * lead + raw + b"\0\0").decode()[first:last]
        needles += [core, core.replace("+", "-").replace("/", "_")]
    return [needle for needle in needles if needle.lower() in shown.lower()]


@pytest.mark.parametrize("canary", [VALUE, CODE, AWKWARD])
def test_survivors_would_be_seen(canary: str) -> None:
    assert len(survivors(" ".join(s(canary) for s in SPELLINGS.values()), canary)) >= len(SPELLINGS)
    assert survivors(base64.b64encode(b"x" + canary.encode()).decode(), canary)


@pytest.mark.parametrize("canary", [VALUE, CODE, AWKWARD])
def test_no_spelling_of_a_canary_survives_anywhere(canary: str) -> None:
    hides = redactor(canary)

    @settings(deadline=None, max_examples=300)
    @given(bodies(words | spelled(canary)))
    def no_survivor(body: Any) -> None:
        shown = hides.data(body)
        assert survivors(repr(shown), canary) == []
        assert survivors(json.dumps(shown, ensure_ascii=False), canary) == []
        if isinstance(body, dict):
            pairs = [(name, str(value)) for name, value in body.items() if isinstance(value, str)]
            assert survivors(str(hides.pairs(pairs)), canary) == []

    no_survivor()


@pytest.mark.parametrize("canary", [VALUE, CODE])
def test_no_spelling_of_a_canary_survives_in_a_body_as_text(canary: str) -> None:
    hides = redactor(canary)

    @settings(deadline=None, max_examples=300)
    @given(bodies(words | spelled(canary)), st.booleans())
    def no_survivor(body: Any, ascii_only: bool) -> None:
        assert survivors(hides.text(json.dumps(body, ensure_ascii=ascii_only)), canary) == []

    no_survivor()


@settings(deadline=None, max_examples=300)
@given(bodies(words))
def test_what_is_no_secret_comes_back_byte_for_byte(body: Any) -> None:
    hides = Redactor(b"k", [("app_secret", VALUE), ("code", CODE), ("account", AWKWARD)])
    text = json.dumps(body)
    assert hides.text(text) == text
    assert hides.data(body) == body
    assert hides.data(repr(body)) == repr(body)
    assert hides.pairs([("name", text), ("x", "")]) == (("name", text), ("x", ""))


def test_the_neighbors_of_a_secret_come_back_byte_for_byte() -> None:
    hides = redactor()

    @settings(deadline=None, max_examples=300)
    @given(words, words)
    def same(before: str, after: str) -> None:
        mark = hides.mark("app_secret", VALUE)
        assert hides.text(before + VALUE + after) == before + mark + after

    same()


def test_header_lines_in_free_text_are_hidden() -> None:
    text = "GET /a\r\nAuthorization: Bearer abcdef\r\nCookie: a=b; c=d\r\nHost: h"
    shown = Redactor(b"k").text(text)
    assert "abcdef" not in shown
    assert "a=b" not in shown
    assert shown.endswith("\r\nHost: h")


def test_fields_of_parsed_data_are_hidden_whatever_their_type() -> None:
    data = {"app_secret": "x", "account": 12345, "access_token": ["y"], "code": "0", "ok": True}
    shown = Redactor(b"k").data(data)
    assert "12345" not in str(shown)
    assert shown["code"] == "0"
    assert shown["ok"] is True
    assert all(
        str(shown[name]).count("‹") == 1 for name in ("app_secret", "account", "access_token")
    )
