"""A request's parameters by the place they travel in; nothing on a wire raises."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alinb import wire

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=4537f2c7"
SYNC = "https://api-sg.aliexpress.com/sync"


def multipart(*parts, boundary="4537f2c7", end="\r\n"):
    """A body as requests and browsers draw it; each part is (attributes, value)."""
    drawn = [
        f"--{boundary}{end}Content-Disposition: form-data; {attributes}{end}{end}{value}{end}"
        for attributes, value in parts
    ]
    return "".join(drawn) + f"--{boundary}--{end}"


# ---- query and form


def test_query_and_form_are_kept_apart_and_merged_in_order():
    found = wire.parse(
        f"{SYNC}?method=aliexpress.ds.product.get&app_key=1", FORM, b"product_id=1005&session=5000"
    )
    assert found.query == (("method", "aliexpress.ds.product.get"), ("app_key", "1"))
    assert found.form == (("product_id", "1005"), ("session", "5000"))
    assert list(found.params) == ["method", "app_key", "product_id", "session"]
    assert found.params["session"] == "5000"
    assert (found.files, found.body_kind, found.repeated) == ((), "form", ())


def test_a_request_without_a_body_has_only_its_query():
    assert wire.parse(f"{SYNC}?a=1") == wire.Wire(query=(("a", "1"),))
    assert wire.parse(SYNC) == wire.Wire()


@pytest.mark.parametrize(
    ("url", "body", "repeated", "params"),
    [
        # The Java SDK sends `method` twice in the query and signs it once.
        ("?method=x.y&a=1&method=x.y", "", ("method",), {"method": "x.y", "a": "1"}),
        ("?a=1", "a=2&b=3", ("a",), {"a": "2", "b": "3"}),
        ("?a=1&b=2", "b=2&a=1", ("a", "b"), {"a": "1", "b": "2"}),
        ("", "a=1&a=2&a=3", ("a",), {"a": "3"}),
        ("?a=&a", "", ("a",), {"a": ""}),
        ("?a=1&A=1", "", (), {"a": "1", "A": "1"}),
    ],
)
def test_what_is_sent_twice_is_named_and_counted_once(url, body, repeated, params):
    found = wire.parse(SYNC + url, FORM, body)
    assert found.repeated == repeated
    assert found.params == params
    assert list(found.params) == list(params)


VALUES = [
    ("a=", ""),
    ("a", ""),
    ("a=b=c", "b=c"),
    ("a=x+y", "x y"),
    ("a=x%20y", "x y"),
    ("a=x%2By", "x+y"),
    ("a=%2Fauth%2Ftoken%2Fcreate", "/auth/token/create"),
    ("a=/auth/token/create", "/auth/token/create"),
    ("a=%C3%A9%E2%82%AC", "é€"),
    ("a=é€", "é€"),
    ("a=日本", "日本"),
    ("a=%F0%9F%98%80", "😀"),
    ("a=%zz", "%zz"),
    ("a=100%", "100%"),
    ("a=%2", "%2"),
    ("a=%ff", "�"),
    ("a=%253D", "%3D"),
    ("a=%00", "\0"),
    ("a=%0D%0A", "\r\n"),
    ('a={"x":[1,2]}', '{"x":[1,2]}'),
    ("a=1;b=2", "1;b=2"),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_a_value_is_decoded_alike_in_query_and_form(text, value):
    assert wire.parse(f"{SYNC}?{text}").query == (("a", value),)
    assert wire.parse(SYNC, FORM, f"x=1&{text}").form == (("x", "1"), ("a", value))
    assert wire.parse(SYNC, FORM, f"x=1&{text}".encode()).form == (("x", "1"), ("a", value))


@pytest.mark.parametrize("text", ["a=1&&b=2", "&a=1&b=2&", "a=1&b=2\r\n"])
def test_empty_pairs_and_line_ends_around_a_form_are_no_parameters(text):
    assert wire.parse(SYNC, FORM, text).form == (("a", "1"), ("b", "2"))


def test_a_fragment_is_not_sent():
    assert wire.parse(f"{SYNC}?a=1#b=2").query == (("a", "1"),)


def test_a_url_that_cannot_be_split_still_has_its_query():
    assert wire.parse("https://[broken/sync?a=1&b=2").query == (("a", "1"), ("b", "2"))


# ---- the kind of a body


@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
    [
        (FORM, "a=1", "form"),
        (f"{FORM}; charset=utf-8", "a=1", "form"),
        ("APPLICATION/X-WWW-FORM-URLENCODED;charset=UTF-8", "a=1", "form"),
        ("", "a=1", "form"),
        ("text/plain; charset=utf-8", "a=1", "form"),
        (FORM, "just text", "other"),
        (FORM, "", "none"),
        (FORM, " \r\n", "none"),
        (MULTIPART, "", "none"),
        ("application/json", '{"a": 1}', "json"),
        ("application/json; charset=utf-8", "a=1", "json"),
        ("application/vnd.api+json", "{}", "json"),
        (FORM, ' {"a": "x=y"}', "json"),
        ("", "[1]", "json"),
        ("application/octet-stream", "a=1", "other"),
        ("application/xml", "<a b='1'/>", "other"),
        (MULTIPART, "a=1", "multipart"),
    ],
)
def test_the_kind_of_a_body_follows_its_type_and_its_start(content_type, body, kind):
    found = wire.parse(SYNC, content_type, body)
    assert found.body_kind == kind
    assert bool(found.form) is (kind == "form")
    assert wire.parse(SYNC, content_type, body.encode()) == found


# ---- multipart


def test_a_multipart_body_as_the_official_python_sdk_sends_it():
    body = multipart(
        ('name="app_key"', "test-key"),
        ('name="method"', "aliexpress.ds.image.search"),
        ('name="shpt_to"', "US"),
        ('name="sign"', "944FAA2F"),
        ('name="image_file_bytes"; filename="image_file_bytes"', "\x89PNG fake"),
    )
    found = wire.parse(f"{SYNC}?debug=true", MULTIPART, body)
    assert found.form == (
        ("app_key", "test-key"),
        ("method", "aliexpress.ds.image.search"),
        ("shpt_to", "US"),
        ("sign", "944FAA2F"),
    )
    assert found.files == ("image_file_bytes",)
    assert found.body_kind == "multipart"
    assert list(found.params) == ["debug", "app_key", "method", "shpt_to", "sign"]


def test_a_file_of_any_bytes_does_not_disturb_the_parameters():
    head = multipart(('name="a"', "1"))[: -len("--4537f2c7--\r\n")].encode()
    file = (
        b'--4537f2c7\r\nContent-Disposition: form-data; name="f"; filename="x.png"\r\n'
        b"Content-Type: image/png\r\n\r\n" + bytes(range(256)) + b"\r\n--4537f2c7--\r\n"
    )
    found = wire.parse(SYNC, MULTIPART, head + file)
    assert (found.form, found.files) == ((("a", "1"),), ("f",))


@pytest.mark.parametrize(
    "value",
    ["", " padded ", "é€日本😀", "a+b%20c", "x=1&y=2", "two\r\nlines", "two\nlines", "ends\r\n",
     "\r\n\r\nstarts", '{"a":"b"}', "-- 4537f2c7", "line\u2028and\x0b\x0c\x85end", "\\^`"],
)  # fmt: skip
def test_a_multipart_value_is_not_decoded_any_further(value):
    found = wire.parse(SYNC, MULTIPART, multipart(('name="a"', value), ('name="b"', "2")))
    assert found.form == (("a", value), ("b", "2"))


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ('name="a"', "a"),
        ("name=a", "a"),
        ('name="x y"', "x y"),
        ('name="a;b"', "a;b"),
        ('name="a\\"b"', 'a"b'),
        ('name="é"', "é"),
        ('name="a"\r\nContent-Type: text/plain; charset=utf-8', "a"),
        ('name="a"\r\nContent-Type: application/json', "a"),
    ],
)
def test_the_name_of_a_part_is_read_with_its_quotes(attributes, name):
    assert wire.parse(SYNC, MULTIPART, multipart((attributes, "v"))).form == ((name, "v"),)


@pytest.mark.parametrize(
    "attributes", ['name="f"; filename=""', 'name="f"; filename="a.png"\r\nContent-Type: image/png',
                   "name=f; filename*=UTF-8''%C3%A9.png"]
)  # fmt: skip
def test_a_part_with_a_file_name_is_a_file_and_no_parameter(attributes):
    found = wire.parse(SYNC, MULTIPART, multipart((attributes, "v")))
    assert (found.form, found.files) == ((), ("f",))


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/form-data; boundary="4537f2c7"',
        "Multipart/Form-Data;boundary=4537f2c7",
        "multipart/form-data; charset=utf-8; boundary=4537f2c7",
        "multipart/form-data; boundary=4537f2c7; charset=UTF-8",
    ],
)
def test_the_boundary_is_found_beside_other_parameters(content_type):
    assert wire.parse(SYNC, content_type, multipart(('name="a"', "1"))).form == (("a", "1"),)


def test_bare_line_feeds_between_the_parts_do_no_harm():
    body = multipart(('name="a"', "1"), ('name="f"; filename="x"', "2"), end="\n")
    found = wire.parse(SYNC, MULTIPART, body)
    assert (found.form, found.files) == ((("a", "1"),), ("f",))


def test_a_part_without_a_name_is_left_out():
    body = multipart(('filename="x"', "1"), ("x=1", "2"), ('name="a"', "3"))
    assert wire.parse(SYNC, MULTIPART, body) == wire.Wire(form=(("a", "3"),), body_kind="multipart")


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=other"]
)
def test_a_missing_or_wrong_boundary_gives_no_parameters(content_type):
    found = wire.parse(f"{SYNC}?a=1", content_type, multipart(('name="b"', "2")))
    assert (found.query, found.form, found.body_kind) == ((("a", "1"),), (), "multipart")


def test_a_body_cut_off_gives_what_had_arrived():
    body = multipart(('name="a"', "1"), ('name="b"', "22"))
    assert wire.parse(SYNC, MULTIPART, body[: body.index("22") + 1]).form == (
        ("a", "1"),
        ("b", "2"),
    )


# ---- anything at all

PIECES = st.sampled_from(
    [
        "--b", "--b--", "\r\n", "\n", "\r\n\r\n", 'Content-Disposition: form-data; name="a"',
        "Content-Disposition:", "; filename=", "name*=utf-8''%", '"', "'", "=?utf-8?q?", "?=", "a",
        "Content-Transfer-Encoding: base64", "Content-Type: multipart/mixed; boundary=c", "=", "&",
        "Content-Type: message/rfc822", "\0", "é", "%", "\udcff", "*0=", ";", " ", "(", "<",
    ]
)  # fmt: skip
TYPES = st.sampled_from(
    ["multipart/form-data; boundary=b", "multipart/form-data; boundary*0=b", "multipart/form-data",
     'multipart/form-data; boundary="', FORM, "application/json", ""]
) | st.text(st.characters(), max_size=20)  # fmt: skip
BODIES = st.binary(max_size=80) | st.text(st.characters(), max_size=80)
DRAWN = st.lists(PIECES, max_size=20).map("".join)


@settings(deadline=None, max_examples=1500)
@given(st.text(st.characters(), max_size=40), TYPES, BODIES | DRAWN)
def test_no_bytes_raise(url, content_type, body):
    found = wire.parse(url, content_type, body)
    assert found.body_kind in ("none", "form", "multipart", "json", "other")
    assert all(isinstance(text, str) for pair in found.query + found.form for text in pair)
    assert set(found.params) == {name for name, _ in found.query + found.form}
    assert set(found.repeated) <= set(found.params)


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6))
def test_what_a_client_encodes_comes_back(pairs):
    text = urlencode(pairs)
    assert wire.parse(f"{SYNC}?{text}").query == tuple(pairs)
    assert wire.parse(SYNC, FORM, text).form == tuple(pairs)


# ---- headers


@pytest.mark.parametrize("name", ["Content-Type", "content-type", "CONTENT-TYPE"])
def test_a_header_is_found_in_any_letter_case_the_first_one_wins(name):
    headers = (("Accept", "*/*"), (name, "first"), ("content-type", "second"))
    assert wire.header(headers, "content-type") == "first"
    assert wire.header(headers, "host") == ""
    assert wire.header((), "host") == ""


@settings(max_examples=500)
@given(st.text(alphabet="ab=&%+;?#é 2C\0zZ09fF[]", max_size=40))
def test_pairs_are_those_of_the_standard_library(text):
    assert wire._pairs(text) == tuple(parse_qsl(text, keep_blank_values=True, errors="replace"))
