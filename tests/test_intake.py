"""Requests in the forms people have them, read into attempts, and attempts written out again."""

import base64
import json
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alinb import intake
from alinb.attempts import Attempt
from alinb.errors import IntakeError

HOST = "https://api-sg.aliexpress.com"
REST = f"{HOST}/rest/auth/token/create"
SYNC = f"{HOST}/sync"
SIGN = "35607762342831B6A417A0DED84B79C05FEFBF116969C48AD6DC00279A9F4D81"
CODE = "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26"
CALL = {"app_key": "12345678", "timestamp": "1517820392000", "sign_method": "sha256", "sign": SIGN}
QUERY = urlencode(CALL)
URL = f"{REST}?{QUERY}"
FORM = "application/x-www-form-urlencoded"
REFUSAL = {"code": "IncompleteSignature", "type": "ISV", "request_id": "2141f00d"}


# ---- curl: each form, its verb and its parameters beside those of CALL

CURL = {
    "get": (f"curl '{URL}'", "GET", {}),
    "prompt in front": (f"$ curl '{URL}'", "GET", {}),
    "double quotes": (f'curl "{URL}"', "GET", {}),
    "no quotes": (f"curl {REST}?sign={SIGN}", "GET", ...),
    "glued verb": (f"curl -XPOST '{URL}'", "POST", {}),
    "verb": (f"curl -X POST '{URL}'", "POST", {}),
    "lower-case verb": (f"curl --request post '{URL}'", "POST", {}),
    "verb among flags": (f"curl -sSLX POST '{URL}'", "POST", {}),
    "flags": (f"curl -k -s -S -L --compressed --http2 -i -v '{URL}'", "GET", {}),
    "flags written as one": (f"curl -ksSL '{URL}'", "GET", {}),
    "data": (f"curl '{URL}' -d code={CODE}", "POST", {"code": CODE}),
    "data twice": (f"curl -d code={CODE} -d 'x=a b' '{URL}'", "POST", {"code": CODE, "x": "a b"}),
    "glued data": (f"curl -dcode={CODE} '{URL}'", "POST", {"code": CODE}),
    "data with equals": (f"curl --data=code={CODE} '{URL}'", "POST", {"code": CODE}),
    "raw data": (f"curl '{URL}' --data-raw 'code={CODE}&x=@y'", "POST", {"code": CODE, "x": "@y"}),
    "binary data": (f"curl '{URL}' --data-binary code={CODE}", "POST", {"code": CODE}),
    "ascii data": (f"curl '{URL}' --data-ascii code={CODE}", "POST", {"code": CODE}),
    "empty data": (f"curl '{URL}' -d ''", "POST", {}),
    "data that ends in a dollar": (
        f"curl -d 'price=5$' -H 'X-A: b' '{URL}' -d 'x=$'",
        "POST",
        {"price": "5$", "x": "$"},
    ),
    "data with a backslash at a line end": (
        f"curl '{URL}' -d 'x=a\\\nb'",
        "POST",
        {"x": "a\\\nb"},
    ),
    "encoded data: name and content": (
        f"curl '{URL}' --data-urlencode 'x=a b&c=d/é'",
        "POST",
        {"x": "a b&c=d/é"},
    ),
    "encoded data: content": (
        f"curl '{URL}' --data-urlencode 'a b&c' -d x=",
        "POST",
        {"a b&c": "", "x": ""},
    ),
    "encoded data: equals and content": (
        f"curl '{URL}' -d x= --data-urlencode '==a=b&c'",
        "POST",
        {"x": "", "=a=b&c": ""},
    ),
    "data in the query": (
        f"curl -G '{REST}' -d '{QUERY}' --data-urlencode 'x=a b'",
        "GET",
        {"x": "a b"},
    ),
    "data in a query that is there": (
        f"curl -sG '{URL}' -d x=1 -d y=2",
        "GET",
        {"x": "1", "y": "2"},
    ),
    "get option": (f"curl --get '{URL}' --data x=1", "GET", {"x": "1"}),
    "headers": (
        f"curl '{URL}' -H 'Content-Type: {FORM}; charset=utf-8' -H 'Accept: */*' -d code={CODE}",
        "POST",
        {"code": CODE},
    ),
    "glued header": (f"curl '{URL}' -H'X-A: b' --header='X-C: d'", "GET", {}),
    "url option": (f"curl --url '{URL}' -H 'X-A: b'", "GET", {}),
    "options with values of no use": (
        f"curl -A agent/1.0 -e https://x.example -o out.json -m 10 -x http://127.0.0.1:8080 "
        f"-b 'a=b' -u me:pw --connect-timeout 3 '{URL}'",
        "GET",
        {},
    ),
    "an unknown option with a value": (f"curl --max-redirs 3 -D head.txt '{URL}'", "GET", {}),
    "continued lines": (
        f"curl '{URL}' \\\n  -H 'X-A: b' \\\n  -d code={CODE} \\\n  -d x=1",
        "POST",
        {"code": CODE, "x": "1"},
    ),
    "continued lines with CR LF and blanks": (
        f"curl '{URL}' \\ \r\n  -d code={CODE} \\\r\n  -d x=1\r\n",
        "POST",
        {"code": CODE, "x": "1"},
    ),
    "PowerShell": (
        f'curl.exe -X POST "{URL}" `\r\n  -H "X-A: b" `\r\n  -d "code={CODE}&x=1"',
        "POST",
        {"code": CODE, "x": "1"},
    ),
    "cmd": (
        f'curl -X POST "{URL}" ^\r\n  -H "X-A: b" ^\r\n  -d "code={CODE}^&x=1"',
        "POST",
        {"code": CODE, "x": "1"},
    ),
    "Chrome, bash": (
        f"curl '{URL}' \\\n"
        "  -H 'accept: */*' \\\n"
        "  -H 'accept-language: de-DE,de;q=0.9' \\\n"
        "  -H 'content-type: application/x-www-form-urlencoded; charset=UTF-8' \\\n"
        "  -b 'cna=x; xman_t=y' \\\n"
        "  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64)' \\\n"
        f"  --data-raw 'code={CODE}&x=%2Fa%20b' \\\n"
        "  --compressed ;",
        "POST",
        {"code": CODE, "x": "/a b"},
    ),
    "Chrome, bash, with an escaped body": (
        f"curl '{URL}' \\\n  --data-raw $'code={CODE}&x=it\\'s\\u0021\\n\\u00e9\\ud83d\\ude00\\\\'",
        "POST",
        {"code": CODE, "x": "it's!\né😀\\"},
    ),
    "bash escapes": (f"curl '{URL}' -d $'x=a\\tb\\x41\\U0001F600\\q'", "POST", {"x": "a\tbA😀q"}),
    "bash escapes of bytes": (
        f"curl '{URL}' -d $'x=\\xc3\\xa9\\\\x41' -d $'y=\\xe9'",
        "POST",
        {"x": "é\\x41", "y": "é"},
    ),
    "Chrome, cmd": (
        f'curl ^"{REST}?{QUERY.replace("&", "^&")}^" ^\n'
        '  -H ^"accept: */*^" ^\n'
        '  -H ^"sec-ch-ua: ^\\^"Chromium^\\^";v=^\\^"140^\\^"^" ^\n'
        f'  --data-raw ^"code={CODE}^&x=^%^2Fa^%^20b^&q=^\\^"y^\\^"^"',
        "POST",
        {"code": CODE, "x": "/a b", "q": '"y"'},
    ),
    "Chrome, cmd, one line": (f'curl ^"{REST}?{QUERY.replace("&", "^&")}^"', "GET", {}),
    "Postman": (
        f"curl --location '{REST}' \\\n--header 'Content-Type: {FORM}' \\\n"
        + " \\\n".join(f"--data-urlencode '{k}={v}'" for k, v in {**CALL, "x": "a b"}.items()),
        "POST",
        {"x": "a b"},
    ),
    "Postman, verb": (
        f"curl --location --request POST '{URL}' \\\n--data-raw 'code={CODE}'",
        "POST",
        {"code": CODE},
    ),
    "Postman, multipart": (
        f"curl --location '{URL}' \\\n--form 'code=\"{CODE}\"' \\\n"
        '--form \'note="say \\"hi\\" \\\\ bye"\' \\\n--form \'file=@"/home/me/a b.png"\'',
        "POST",
        {"code": CODE, "note": 'say "hi" \\ bye'},
    ),
    "multipart": (
        f"curl '{URL}' -F code={CODE} -F 'x=a+b%20c' -F file=@a.png -F 'big=<b.txt'",
        "POST",
        {"code": CODE, "x": "a+b%20c"},
    ),
    "multipart with types": (
        f"curl '{URL}' -F 'code={CODE};type=text/plain' -F 'file=@a.png;type=image/png'",
        "POST",
        {"code": CODE},
    ),
    "multipart text": (
        f"curl '{URL}' --form-string 'code=@{CODE};type=x'",
        "POST",
        {"code": f"@{CODE};type=x"},
    ),
    "multipart with a type of its own": (
        f"curl '{URL}' -H 'Content-Type: multipart/form-data; boundary=zz' -F code={CODE}",
        "POST",
        {"code": CODE},
    ),
    "no scheme": (f"curl 'localhost:8700/sync?{QUERY}'", "GET", {}),
}


@pytest.mark.parametrize("form", CURL)
def test_curl(form):
    text, method, more = CURL[form]
    attempt = intake.read(text)
    assert attempt.method == method
    assert attempt.params == ({"sign": SIGN} if more is ... else CALL | more)
    assert attempt.sign == SIGN
    assert attempt.source == "pasted"
    assert attempt.verdict == "unsent"
    assert intake.read(text.encode()) == attempt
    assert intake.read(f"\ufeff\n  {text}\n\n") == attempt


def test_curl_keeps_headers_and_says_how_a_body_travels():
    attempt = intake.read(f"curl '{URL}' -H 'X-A:b:c' -H 'Empty;' -d code={CODE}")
    assert attempt.headers == (("X-A", "b:c"), ("Empty;", ""), ("Content-Type", FORM))
    assert attempt.body == f"code={CODE}"


def test_curl_json_is_json():
    attempt = intake.read(f"""curl '{URL}' --json '{{"code": "{CODE}"}}'""")
    assert (attempt.method, attempt.wire.body_kind) == ("POST", "json")
    assert dict(attempt.headers) == {"Content-Type": "application/json"}
    assert attempt.params == CALL


def test_curl_names_the_files_of_a_form():
    attempt = intake.read(f"curl '{URL}' -F 'image_file_bytes=@a.png' -F 'x=1'")
    assert attempt.wire.files == ("image_file_bytes",)
    assert attempt.wire.body_kind == "multipart"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("curl ", "none of the forms"),
        ("curl -X POST", "names no URL"),
        ("curl -d a=1 -H 'x: y'", "names no URL"),
        (f"curl '{URL}", "cannot be split into words: no closing quotation"),
        (f'curl "{URL}" -d "a', "cannot be split into words"),
        ("curl 'https://'", "is not a full URL"),
        ("curl https://[broken/", "is not a full URL"),
    ],
)
def test_a_broken_curl_says_what_is_wrong(text, message):
    with pytest.raises(IntakeError, match=message) as raised:
        intake.read(text)
    assert raised.value.next_step


# ---- a URL, a raw request, a query


@pytest.mark.parametrize(
    "url",
    [
        URL,
        URL.replace("https://", "HTTPS://"),
        f"{URL}#x",
        f"http://127.0.0.1:8700/sync?{QUERY}",
        f" \n{URL}\r\n",
    ],
)
def test_a_url_alone_is_a_get(url):
    attempt = intake.read(url)
    assert (attempt.method, attempt.url) == ("GET", url.strip())
    assert attempt.params == CALL


RAW = f"""\
POST /rest/auth/token/create?{QUERY} HTTP/1.1
Host: api-sg.aliexpress.com
Content-Type: {FORM}
X-Note: a: b

code={CODE}&x=a+b"""


@pytest.mark.parametrize(
    "text",
    [
        RAW,
        RAW.replace("\n", "\r\n"),
        RAW.replace("\n", "\r"),
        RAW + "\n\n",
        RAW.replace(" HTTP/1.1", ""),
        RAW.replace("HTTP/1.1", "HTTP/2"),
        RAW.replace("Host:", "HOST :"),
        RAW.replace("POST /", f"POST {HOST}/"),
        RAW.replace("POST /", f"POST {HOST}/").replace("Host: api-sg.aliexpress.com\n", ""),
    ],
    ids=["LF", "CR LF", "CR", "line ends", "no version", "HTTP/2", "HOST", "absolute", "no host"],
)
def test_a_raw_request_is_read(text):
    attempt = intake.read(text)
    assert (attempt.method, attempt.url) == ("POST", URL)
    assert attempt.params == CALL | {"code": CODE, "x": "a b"}
    assert dict(attempt.headers)["X-Note"] == "a: b"
    assert attempt.body == f"code={CODE}&x=a+b"


@pytest.mark.parametrize("host", ["localhost:8700", "127.0.0.1:8700", "[::1]:8700"])
def test_a_raw_request_to_this_machine_is_plain_http(host):
    assert intake.read(f"GET /sync?a=1 HTTP/1.1\nHost: {host}").url == f"http://{host}/sync?a=1"


def test_a_raw_multipart_request_keeps_its_line_ends():
    text = (
        f"POST /sync?{QUERY} HTTP/1.1\nHost: x.example\n"
        "Content-Type: multipart/form-data; boundary=b\n\n"
        '--b\nContent-Disposition: form-data; name="x"\n\ntwo\nlines\n'
        '--b\nContent-Disposition: form-data; name="f"; filename="a"\n\n?\n--b--\n'
    )
    for raw in (text, text.replace("\n", "\r\n")):
        attempt = intake.read(raw)
        assert attempt.wire.form == (("x", "two\r\nlines"),)
        assert attempt.wire.files == ("f",)


def test_a_raw_request_without_a_host_says_what_to_add():
    with pytest.raises(IntakeError, match=r"no Host header\. Add a line such as Host: api-sg"):
        intake.read(f"GET /sync?{QUERY} HTTP/1.1\nAccept: */*")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (f"?{QUERY}", f"{REST}?{QUERY}"),
        (QUERY, f"{REST}?{QUERY}"),
        (f"method=x.y&{QUERY}", f"{SYNC}?method=x.y&{QUERY}"),
        (f"?{QUERY}&method=x.y", f"{SYNC}?{QUERY}&method=x.y"),
        (f"/rest/order/get?{QUERY}", f"{HOST}/rest/order/get?{QUERY}"),
        (f"/sync?{QUERY}", f"{SYNC}?{QUERY}"),
        (f"api-sg.aliexpress.com/sync?{QUERY}", f"{SYNC}?{QUERY}"),
        (f"api.lazada.sg/rest/order/get?{QUERY}", f"https://api.lazada.sg/rest/order/get?{QUERY}"),
    ],
)
def test_a_signed_query_is_enough(text, url):
    attempt = intake.read(text)
    assert attempt.url == url
    assert attempt.sign == SIGN


# ---- HAR


def entry(url, **more):
    response = {"status": 200, "headers": [], "content": {"text": json.dumps(REFUSAL)}}
    return {
        "startedDateTime": "2024-03-28T06:17:06.250Z",
        "time": 181.4,
        "request": {"method": "GET", "url": url, "headers": [], **more.pop("request", {})},
        "response": response | more,
    }


def har(*entries):
    return {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}}


def test_of_several_entries_the_last_signed_one_is_meant():
    archive = har(
        entry(f"{SYNC}?sign=FIRST"),
        entry(f"{SYNC}?sign=SECOND"),
        entry("https://shop.example/logo.png"),
    )
    text = json.dumps(archive)
    assert intake.read(text).sign == "SECOND"
    assert [a.sign for a in intake.read_all(text)] == ["FIRST", "SECOND", ""]
    assert intake.read_all(json.loads(text)) == intake.read_all(text)


def test_of_entries_without_a_signature_the_last_one_is_meant():
    assert intake.read(json.dumps(har(entry(f"{SYNC}?a=1"), entry(f"{SYNC}?a=2")))).params == {
        "a": "2"
    }


def test_the_answer_of_an_entry_is_kept():
    attempt = intake.read(
        json.dumps(har(entry(URL, headers=[{"name": "X-Ca", "value": "1"}], status=503)))
    )
    assert (attempt.status, attempt.reply_headers) == (503, (("X-Ca", "1"),))
    assert (attempt.verdict, attempt.code) == ("refused", "IncompleteSignature")
    assert attempt.reply.request_id == "2141f00d"
    assert (attempt.at, attempt.elapsed_ms) == (1711606626.25, 181.4)


def test_an_answer_in_base64_is_decoded():
    packed = base64.b64encode(json.dumps(REFUSAL).encode()).decode()
    content = {"text": packed, "encoding": "base64"}
    assert intake.read(json.dumps(har(entry(URL, content=content)))).code == "IncompleteSignature"
    broken = {"text": "é", "encoding": "base64"}
    assert intake.read(json.dumps(har(entry(URL, content=broken)))).reply_text == "é"


@pytest.mark.parametrize(
    ("posted", "kind", "files"),
    [
        ({"mimeType": FORM, "text": f"code={CODE}&x=a+b"}, "form", ()),
        ({"mimeType": FORM, "text": "", "params": [{"name": "code", "value": CODE},
                                                   {"name": "x", "value": "a b"}]}, "form", ()),
        ({"params": [{"name": "code", "value": CODE}, {"name": "x", "value": "a b"}]}, "form", ()),
        ({"mimeType": "multipart/form-data; boundary=q",
          "params": [{"name": "code", "value": CODE}, {"name": "x", "value": "a b"},
                     {"name": "f", "fileName": "a.png", "contentType": "image/png"}]},
         "multipart", ("f",)),
    ],
)  # fmt: skip
def test_a_posted_body_is_read_from_its_text_or_its_parameters(posted, kind, files):
    request = {"method": "POST", "postData": posted}
    attempt = intake.read(json.dumps(har(entry(URL, request=request))))
    assert attempt.params == CALL | {"code": CODE, "x": "a b"}
    assert (attempt.method, attempt.wire.body_kind) == ("POST", kind)
    assert attempt.wire.files == files


@pytest.mark.parametrize(
    "response", [{}, None, {"status": 0}, {"status": "x", "content": None}, {"status": None}]
)
def test_an_entry_without_an_answer_is_unsent(response):
    attempt = intake.read({"log": {"entries": [{"request": {"url": URL}, "response": response}]}})
    assert (attempt.status, attempt.verdict, attempt.reply_text) == (None, "unsent", "")
    assert (attempt.at, attempt.elapsed_ms) == (None, None)


# ---- an attempt as JSON


def test_the_documented_form_is_read_whole():
    attempt = intake.read(
        {
            "method": "GET",
            "url": URL,
            "headers": {"Accept": "*/*"},
            "body": "",
            "sign": "OTHER",
            "string_to_sign": "/auth/token/createapp_key12345678",
            "response": {"status": 200, "headers": {"X-A": "b"}, "body": REFUSAL},
            "at": 1711606626.25,
            "elapsed_ms": 181,
            "stages": {"wrap": "x"},
            "platform": "lazada",
            "name": "/auth/token/create",
        }
    )
    assert attempt.sign == "OTHER"
    assert attempt.params == CALL | {"sign": "OTHER"}
    assert attempt.string_to_sign == "/auth/token/createapp_key12345678"
    assert attempt.headers == (("Accept", "*/*"),)
    assert attempt.reply_headers == (("X-A", "b"),)
    assert (attempt.status, attempt.code) == (200, "IncompleteSignature")
    assert (attempt.at, attempt.elapsed_ms) == (1711606626.25, 181.0)
    assert (attempt.stages, attempt.platform) == ({"wrap": "x"}, "lazada")


@pytest.mark.parametrize(
    ("body", "headers", "params"),
    [
        (f"code={CODE}", {}, {"code": CODE}),
        ({"code": CODE, "n": 5, "x": "a b&c"}, {}, {"code": CODE, "n": "5", "x": "a b&c"}),
        ({"o": {"a": [1]}, "t": True}, {"content-type": FORM}, {"o": '{"a": [1]}', "t": "true"}),
        ({"code": CODE}, {"Content-Type": "application/json"}, {}),
        (None, {}, {}),
        ("", {}, {}),
    ],
)
def test_a_body_may_be_text_or_an_object(body, headers, params):
    attempt = intake.read({"method": "POST", "url": URL, "body": body, "headers": headers})
    assert attempt.params == CALL | params
    if headers and not params:
        assert json.loads(attempt.body) == body


@pytest.mark.parametrize(
    "headers",
    [{"X-A": "b"}, [["X-A", "b"]], [("X-A", "b")], [{"name": "X-A", "value": "b"}]],
)
def test_headers_may_be_an_object_or_pairs(headers):
    assert intake.read({"url": URL, "headers": headers}).headers == (("X-A", "b"),)


@pytest.mark.parametrize("headers", [None, "X-A: b", 5, [1], [[1, 2, 3]]])
def test_headers_of_no_form_are_none(headers):
    assert intake.read({"url": URL, "headers": headers}).headers == ()


@pytest.mark.parametrize(
    "item",
    [
        {"request": {"method": "POST", "url": URL}, "response": {"status": 200, "body": "{}"}},
        {"http_method": "POST", "url": URL, "response": {"body": "{}"}},
        {"method": "post", "url": f" {URL} ", "response": {"status": "200", "body": {}}},
    ],
)
def test_near_forms_are_read_too(item):
    attempt = intake.read(item)
    assert (attempt.method, attempt.url, attempt.status) == ("POST", URL, 200)
    assert attempt.reply_text == "{}"


@pytest.mark.parametrize("at", ["soon", None, float("nan"), float("inf"), -1, 1e300, 10**400,
                                1711606626000, [], "9" * 5000])  # fmt: skip
def test_a_moment_that_is_none_is_left_out(at):
    attempt = intake.read({"url": URL, "at": at})
    assert attempt.at is None
    assert intake.to_har([attempt])["log"]["entries"][0]["request"]["url"] == URL


def test_a_list_and_json_lines_hold_several():
    items = [{"url": f"{SYNC}?sign=A"}, {"url": f"{SYNC}?sign=B\u2028B"}, {"url": f"{SYNC}?x=1"}]
    lines = "\n".join(json.dumps(item, ensure_ascii=False) for item in items)
    spaced = "\r\n\r\n".join(json.dumps(item) for item in items)
    for text in (json.dumps(items), json.dumps(items, indent=2), lines, spaced):
        assert [a.url for a in intake.read_all(text)] == [item["url"] for item in items]
        assert intake.read(text).sign == "B\u2028B"


def test_an_attempt_is_handed_through():
    attempt = Attempt("GET", URL)
    assert intake.read(attempt) is attempt
    assert intake.read_all(attempt) == [attempt]


# ---- what is none of them


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "nothing in it"),
        (b" \n\t", "nothing in it"),
        ("\ufeff", "nothing in it"),
        ("x" * 20_000_001, "larger than 20 MB"),
        ("hello", "it begins with 'hello'"),
        ("why is my signature wrong?\nhelp", "it begins with 'why is my signature wrong\\?'"),
        ("a=1&b=2", "none of the forms"),
        ("GET", "none of the forms"),
        (b"\xff\xfe\x00", "none of the forms"),
        ("{", "looks like JSON and is not"),
        ('{"url": "https://x', "looks like JSON and is not"),
        ('{"url": "https://x.example/"}\n{"url"', "looks like JSON and is not"),
        ("[" * 100_000, "looks like JSON and is not"),
        ("{}", 'has no "url"'),
        ('{"code": "InvalidCode", "message": "m", "request_id": "1"}', "It is a reply"),
        ('{"error_response": {"code": 15}}', "It is a reply"),
        ("import requests\nr = requests.get(url, params=params)", "print\\(vars\\(r.request"),
        ("<PreparedRequest [POST]>", "alinb runs no program"),
        ("string to sign: /aapp_key1", "does not say what was sent"),
        ("/auth/token/createapp_key1code2timestamp3\nABCDEF", "does not say what was sent"),
        ("b0b1b2b3b4b5b6b7 is my secret", "it begins with '… is my secret'"),
        ({"url": 5}, 'has no "url"'),
        ({"url": ""}, "is not a full URL"),
        ({"url": "/sync?a=1"}, "is not a full URL"),
        ({"url": "https://[x"}, "is not a full URL"),
        ("[]", "holds no request"),
        ("[1]", "holds no request"),
        ('[{"url": "https://x.example/"}, 1]', "holds no request"),
        ({"log": {}}, "has no entries"),
        ({"log": {"entries": []}}, "has no entries"),
        ({"log": {"entries": [1]}}, "has no request"),
        ({"log": {"entries": [{"request": {}}]}}, "has no request"),
        ({"log": {"entries": [{"request": {"url": "/x"}}]}}, "is not a full URL"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_anything_else_is_an_intake_error_with_a_next_step(source, message):
    with pytest.raises(IntakeError, match=message) as raised:
        intake.read(source)
    assert str(raised.value).endswith(raised.value.next_step)
    assert len(str(raised.value)) < 400


def test_a_long_first_line_is_not_repeated_whole():
    with pytest.raises(IntakeError) as raised:
        intake.read("x" * 10_000)
    assert "x" * 40 in str(raised.value)
    assert "x" * 41 not in str(raised.value)


# ---- writing out and reading back

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.lists(
    st.sampled_from(
        ["'", '"', "\\", "\n", "\r\n", "$", "$'", "^", "`", "&", "=", "+", "%", " ", "é", "😀", "!",
         "\u2028", "\x85", "@", "<", "{", "[", "\\\n", "^\n", "`\n", "#", "curl", "\0", ";"]
    ),
    max_size=8,
).map("".join)  # fmt: skip
PAIRS = st.lists(st.tuples(TEXTS.map(lambda text: f"p{text}"), TEXTS), max_size=5)


@st.composite
def attempts(draw):
    """A signed request with its values in the query, a form, parts or JSON, and an answer."""
    query = urlencode([*draw(PAIRS), ("sign", draw(TEXTS))])
    kind = draw(st.sampled_from(["none", "form", "json", "multipart"]))
    pairs = draw(PAIRS)
    headers, body = (), ""
    if kind == "form":
        headers, body = (("Content-Type", FORM),), urlencode(pairs)
    elif kind == "json":
        headers, body = (("Content-Type", "application/json"),), draw(TEXTS)
    elif kind == "multipart":
        headers = (("Content-Type", "multipart/form-data; boundary=b"),)
        body = "".join(
            f'--b\r\nContent-Disposition: form-data; name="p{i}"\r\n\r\n{value}\r\n'
            for i, (_, value) in enumerate(pairs)
        ) + "--b--\r\n"  # fmt: skip
    answered = draw(st.booleans())
    return Attempt(
        "POST" if body else draw(st.sampled_from(["GET", "POST"])),
        f"{SYNC}?{query}",
        headers=headers,
        body=body,
        status=200 if answered else None,
        reply_text=json.dumps(REFUSAL | {"message": draw(TEXTS)}) if answered else "",
        at=draw(st.none() | st.integers(0, 2_000_000_000).map(float)),
        elapsed_ms=draw(st.none() | st.integers(0, 90_000).map(float)),
        source="pasted",
    )


def _request(attempt):
    return (attempt.method, attempt.url, attempt.body, attempt.headers)


@settings(deadline=None, max_examples=500)
@given(attempts())
def test_a_curl_command_brings_the_request_back(attempt):
    text = intake.to_curl(attempt)
    back = intake.read(text)
    assert _request(back) == _request(attempt)
    assert back.params == attempt.params
    assert back.sign == attempt.sign


@settings(deadline=None, max_examples=200)
@given(st.lists(attempts(), min_size=1, max_size=3))
def test_a_har_file_brings_everything_back(several):
    archive = intake.to_har(several, "1.0")
    assert archive["log"]["creator"] == {"name": "alinb", "version": "1.0"}
    for source in (archive, json.dumps(archive), json.dumps(archive, ensure_ascii=False, indent=1)):
        back = intake.read_all(source)
        assert len(back) == len(several)
        for ours, theirs in zip(back, several, strict=True):
            assert _request(ours) == _request(theirs)
            assert ours.params == theirs.params
            assert (ours.status, ours.reply_text) == (theirs.status, theirs.reply_text)
            # HAR has no way to say that a figure is not known.
            assert (ours.at, ours.elapsed_ms) == (theirs.at or 0, theirs.elapsed_ms or 0)


@settings(deadline=None, max_examples=200)
@given(st.lists(attempts(), min_size=1, max_size=3))
def test_json_lines_bring_everything_back(several):
    text = intake.to_jsonl(several)
    assert text.count("\n") == len(several)
    back = intake.read_all(text)
    assert len(back) == len(several)
    for ours, theirs in zip(back, several, strict=True):
        assert _request(ours) == _request(theirs)
        assert (ours.params, ours.sign) == (theirs.params, theirs.sign)
        assert (ours.status, ours.reply_text) == (theirs.status, theirs.reply_text)
        assert (ours.at, ours.elapsed_ms) == (theirs.at, theirs.elapsed_ms)


def test_curl_leaves_out_what_curl_makes_itself():
    attempt = Attempt(
        "POST",
        URL,
        headers=(("Host", "x"), ("Content-Length", "3"), ("Connection", "close"), ("X-A", "it's")),
        body="a=1",
    )
    assert intake.to_curl(attempt) == f"curl -X POST '{URL}' -H 'X-A: it'\"'\"'s' --data-raw a=1"


def test_a_har_file_has_every_part_the_format_asks_for():
    (drawn,) = intake.to_har([intake.read(RAW)])["log"]["entries"]
    assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= set(drawn)
    assert {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize",
            "bodySize", "postData"} <= set(drawn["request"])  # fmt: skip
    assert {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL",
            "headersSize", "bodySize"} <= set(drawn["response"])  # fmt: skip
    assert drawn["request"]["queryString"][0] == {"name": "app_key", "value": "12345678"}
    assert drawn["request"]["postData"] == {"mimeType": FORM, "text": f"code={CODE}&x=a+b"}
    assert drawn["request"]["bodySize"] == len(f"code={CODE}&x=a+b")
    assert drawn["startedDateTime"].endswith("+00:00")


# ---- anything at all

SAMPLES = [
    *(text for text, _, _ in CURL.values()),
    URL,
    RAW,
    QUERY,
    json.dumps(
        har(entry(URL), entry(SYNC, request={"postData": {"mimeType": FORM, "text": "a=1"}}))
    ),
    json.dumps({"url": URL, "headers": {"A": "b"}, "body": {"a": 1}, "response": {"status": 200}}),
    '{"url": "https://x.example/"}\n{"url": "https://y.example/"}',
]


@st.composite
def mangled(draw):
    """A good text with pieces cut out, doubled, swapped for noise."""
    text = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        middle = draw(
            st.sampled_from(["", text[start:end] * 2]) | st.text(st.characters(), max_size=4)
        )
        text = text[:start] + middle + text[end:]
    return text


@settings(deadline=None, max_examples=1000)
@given(st.text(st.characters(), max_size=80) | st.binary(max_size=80))
def test_arbitrary_text_is_read_or_is_an_intake_error(source):
    _read_or_refuse(source)


@settings(deadline=None, max_examples=2000)
@given(mangled())
def test_mangled_text_is_read_or_is_an_intake_error(source):
    _read_or_refuse(source)


LOOSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(URL),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["url", "method", "headers", "body", "sign", "string_to_sign", "response", "status",
             "request", "at", "elapsed_ms", "stages", "diagnosis", "name", "value", "problem",
             "log", "entries", "postData", "params", "text", "content", "encoding", "mimeType",
             "startedDateTime", "time", "platform", "fileName"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=15,
)  # fmt: skip


@settings(deadline=None, max_examples=1000)
@given(LOOSE)
def test_json_of_any_form_is_read_or_is_an_intake_error(data):
    for source in (
        {"url": URL, "response": data, "headers": data, "body": data, "at": data, "stages": data},
        {"log": {"entries": [{"request": {"url": URL, "postData": data}, "response": data}]}},
        {"url": URL, **data} if isinstance(data, dict) else json.dumps(data),
    ):
        _read_or_refuse(source)


def _read_or_refuse(source):
    """Every view of what was read works too."""
    read = []
    try:
        read = intake.read_all(source)
    except IntakeError:
        return
    assert read
    for attempt in read:
        assert isinstance(attempt.body, str)
        assert isinstance(attempt.params, dict)
        assert attempt.verdict in ("ok", "empty", "refused", "unreadable", "no_reply", "unsent")
        assert repr(attempt).startswith("<Attempt ")
        assert intake.to_curl(attempt).startswith("curl -X ")
    assert len(intake.to_har(read)["log"]["entries"]) == len(read)
    assert intake.to_jsonl(read).count("\n") == len(read)


SIGNED = "https://api-sg.aliexpress.com/sync?method=a.b&sign=ABC"


@pytest.mark.parametrize(
    "pasted",
    [
        f"'{SIGNED}'",
        f"<{SIGNED}>",
        f"```\n{SIGNED}\n```",
        f"```bash\ncurl '{SIGNED}'\n```",
        f"# the failing one\n# of today\ncurl '{SIGNED}'",
        f"$ curl '{SIGNED}'",
        f"PS C:\\Users\\me> curl.exe '{SIGNED}'",
        f"me@host:~/shop$ curl '{SIGNED}'",
        f"sudo curl '{SIGNED}'",
        f"$ time curl '{SIGNED}'",
        SIGNED.replace("&", "&amp;"),
        f"await fetch('{SIGNED}')",
        f'fetch("{SIGNED}", {{"headers": {{"accept": "*/*"}}, "body": null, "method": "GET"}});',
        f'Invoke-WebRequest -UseBasicParsing -Uri "{SIGNED}"',
        f"Request URL: {SIGNED}\nRequest Method: GET\nStatus Code: 200 OK",
        '127.0.0.1 - - [24/Nov/2026] "GET /sync?method=a.b&sign=ABC HTTP/1.1" 200 88',
        str({"method": "GET", "url": SIGNED, "headers": None}),
        f"\ufeff{SIGNED}\n".encode("utf-16-le"),
    ],
)
def test_what_stands_around_a_paste_does_not_matter(pasted):
    found = intake.read(pasted)
    assert found.params == {"method": "a.b", "sign": "ABC"}
    assert found.method == "GET"


def test_a_raw_blank_in_a_url_is_kept_in_the_value():
    assert intake.read(f"{SIGNED}&timestamp=2024-01-01 10:00:00").params["timestamp"] == (
        "2024-01-01 10:00:00"
    )


@pytest.mark.parametrize(
    "options",
    [
        '{"headers": {"content-type": "application/x-www-form-urlencoded"}, '
        '"body": "code=3_1_x%26y&sign=AB", "method": "POST"}',
        "{\n  method: 'POST',\n  headers: {'content-type': 'application/x-www-form-urlencoded'},"
        "\n  body: 'code=3_1_x%26y&sign=AB',\n}",
    ],
)
def test_fetch_as_browsers_copy_it_and_as_people_write_it(options):
    found = intake.read(f'fetch("https://api-sg.aliexpress.com/rest/auth/token/create", {options})')
    assert found.method == "POST"
    assert found.params == {"code": "3_1_x&y", "sign": "AB"}


def test_fetch_with_code_in_its_options_says_what_to_do():
    with pytest.raises(IntakeError, match="code, not values"):
        intake.read("fetch('https://h/sync?sign=A', {body: new URLSearchParams(p)})")


def test_invoke_webrequest_with_a_body_and_headers():
    found = intake.read(
        'Invoke-WebRequest -Uri "https://api-sg.aliexpress.com/sync" `\n'
        '  -Method "POST" `\n  -Headers @{\n"accept"="*/*"\n  "x-a"="1"\n} `\n'
        '  -ContentType "application/x-www-form-urlencoded" `\n'
        '  -Body "method=a.b&title=a`"b&sign=AB"'
    )
    assert found.params == {"method": "a.b", "title": 'a"b', "sign": "AB"}
    assert ("x-a", "1") in found.headers


def test_several_curl_commands_are_several_attempts():
    both = f"curl '{SIGNED}' \\\n  -H 'a: b' ;\ncurl '{SIGNED}2' --data-raw 'x=1'"
    first, second = intake.read_all(both)
    assert (first.sign, second.sign) == ("ABC", "ABC2")
    assert (first.body, second.body) == ("", "x=1")


@pytest.mark.parametrize("data", ["-d @body.txt", "--data-urlencode code@f", "--data-binary @b"])
def test_data_in_a_file_is_said_to_be_missing(data):
    with pytest.raises(IntakeError, match="from a file"):
        intake.read(f"curl https://h/sync {data}")


def test_an_answer_pasted_behind_a_raw_request_is_its_answer():
    found = intake.read(
        "POST /rest/auth/token/create HTTP/1.1\r\nHost: h\r\n\r\ncode=3_1_x&sign=A\r\n"
        'HTTP/1.1 200 OK\r\nServer: s\r\n\r\n{"type":"ISV","code":"InvalidCode"}'
    )
    assert found.params == {"code": "3_1_x", "sign": "A"}
    assert found.code == "InvalidCode"


@pytest.mark.parametrize(
    "response",
    [
        {"status": 200, "body": {"code": "InvalidCode", "type": "ISV"}},
        {"code": "InvalidCode", "type": "ISV"},
        '{"code": "InvalidCode", "type": "ISV"}',
    ],
)
def test_a_response_may_be_the_reply_itself(response):
    assert intake.read({"url": SIGNED, "response": response}).code == "InvalidCode"


def test_parameters_of_an_attempt_may_be_given_apart():
    url = "https://api-sg.aliexpress.com/sync"
    params = {"method": "a.b", "sign": "ABC", "ids": [1, 2]}
    got = intake.read({"method": "GET", "url": url, "params": params})
    posted = intake.read(
        {"method": "POST", "url": url, "params": [["method", "a.b"], ["sign", "ABC"]]}
    )
    assert got.params == {"method": "a.b", "sign": "ABC", "ids": "[1, 2]"}
    assert posted.params == {"method": "a.b", "sign": "ABC"}
    assert posted.wire.form == (("method", "a.b"), ("sign", "ABC"))


def test_a_query_of_the_param2_gateway_alone_is_refused():
    with pytest.raises(IntakeError, match="does not name its path"):
        intake.read("a=1&_aop_signature=33E5")


# ---- what Python prints of a request, and what people write beside one


PRINTED = {
    "vars() of a request": (
        f"{{'method': 'POST', 'url': '{REST}', 'headers': {{'Content-Type': '{FORM}'}},"
        f" '_cookies': <RequestsCookieJar[<Cookie a=b for x.example/>]>, 'body': '{QUERY}',"
        " 'hooks': {'response': []}, '_body_position': None}"
    ),
    "bytes": f"{{'method': 'POST', 'url': '{REST}', 'body': b'{QUERY}', 'x': <object o>}}",
    "http.client's debug lines": (
        "send: b'POST /rest/auth/token/create HTTP/1.1\\r\\nHost: api-sg.aliexpress.com\\r\\n"
        f"Content-Type: {FORM}\\r\\n\\r\\n'\nsend: b'{QUERY}'\nreply: 'HTTP/1.1 200 OK\\r\\n'"
    ),
    "parameters as Python prints them": repr(CALL),
    "parameters as JSON": json.dumps(CALL),
    "curl with a word processor's quotes": f"curl “{URL}”",
}


@pytest.mark.parametrize("text", PRINTED.values(), ids=PRINTED)
def test_what_python_prints_of_a_request_is_read(text):
    attempt = intake.read(text)
    assert attempt.params == intake.read(URL).params
    assert attempt.url.startswith(REST)


def test_curly_quotes_are_kept_where_straight_ones_hold_the_words():
    assert intake.read(f"curl '{URL}' -d 'keyWord=“lamp”'").params["keyWord"] == "“lamp”"


@pytest.mark.parametrize("words", ["string to sign: ", "stringToSign = '", "Base string: "])
@pytest.mark.parametrize("request_text", [URL, f"curl '{URL}' \\\n  -H 'X-A: b'"])
def test_the_string_that_was_hashed_may_stand_beside_a_request(words, request_text):
    end = "'" if words.endswith("'") else ""
    found = intake.read(f"{request_text}\n{words}/aapp_key1 b{end}\nsignature: ABC\n")
    assert (found.string_to_sign, found.sign) == ("/aapp_key1 b", intake.read(URL).sign)
    assert found.params == intake.read(URL).params


def test_a_signature_beside_it_counts_where_the_request_has_none():
    bare = URL.partition("&sign=")[0]
    found = intake.read(f"{bare}\nstring to sign: s\nsign: ABC")
    assert (found.string_to_sign, found.sign) == ("s", "ABC")
    with pytest.raises(IntakeError):
        intake.read(f"{bare}\nsign: ABC")


@pytest.mark.parametrize(
    "text",
    [
        r"send: b'POST /x\q HTTP/1.1\r\n'", r"send: b'\x1'", "{ {'a': 1} }", "{'a': {[]: 1}}",
        "{" * 5000, "{'a': " * 3000, "{'a': 1e999999, 'b': -'c'}", "{'a': '\\N{no such}'}",
    ],
)  # fmt: skip
def test_what_python_prints_but_cannot_read_is_an_intake_error(text):
    with pytest.raises(IntakeError):
        intake.read_all(text)


@pytest.mark.parametrize(
    "text",
    [
        "{'app_key': '1', 'sign': 'A', 'e': {'q': b'z'}}", "{'app_key': '1', 'sign': 'A', 'e': 1j}",
        "{'app_key': '1', 'sign': 'A', 'e': {1, 2}}",
        "{'url': 'https://a.b/c', 'body': {'a': {1}}}",
        "{'app_key': '1', 'sign': 'A', 'e': {(1, 2): 3}}",
    ],
)  # fmt: skip
def test_what_python_prints_and_no_request_holds_is_an_intake_error(text):
    with pytest.raises(IntakeError):
        intake.read_all(text)


def test_a_string_to_sign_stands_below_what_python_prints():
    printed = (
        "{'method': b'GET', 'url': 'https://api-sg.aliexpress.com/rest/auth/token/create?sign=AB'}"
    )
    found = intake.read(f"{printed}\nstring to sign: /auth/token/createapp_key1\nsign: CD")
    assert (found.method, found.string_to_sign) == ("GET", "/auth/token/createapp_key1")
    assert intake.read(f"string to sign: abc\n{printed}").string_to_sign == "abc"


def test_a_line_of_the_request_that_looks_like_a_signature_stays():
    raw = (
        "POST /sync HTTP/1.1\nHost: api-sg.aliexpress.com\nSign: HDR\n"
        "Content-Type: application/x-www-form-urlencoded\n\napp_key=1&sign=AB"
    )
    found = intake.read(f"{raw}\n\nstring to sign: app_key1")
    assert (found.body, found.string_to_sign) == ("app_key=1&sign=AB", "app_key1")
    assert ("Sign", "HDR") in found.headers
    curl = "curl https://api-sg.aliexpress.com/sync -d 'memo=hi\nsignature: Bob\nbye'"
    assert "signature: Bob" in intake.read(f"{curl}\nstring to sign: abc").body
