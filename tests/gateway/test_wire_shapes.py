"""Clients that are not installed here, by the requests they write.

Each shape is how one library puts the same call on the wire, made by hand and signed by hashlib:

ae_sdk (npm)            POST, everything in the query, an empty session signed; path calls at /rest
aliexpress-api (npm)    GET, everything in the query, an empty app_signature signed; dotted calls
official PHP SDK        system parameters in the query, `method` too, the others in multipart; paths
                        as `method` at /rest, dotted calls at /sync
official Java SDK       paths at /rest without `method`; dotted calls at /sync with `method` twice
                        in the query, signed once; business parameters in a form, empties dropped
official Python SDK     everything, sign too, in a form; paths as `method` at /sync
n8n node, .NET          POST /sync, everything in multipart; paths as `method`
"""

import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus, urlencode

import pytest

from alinb.gateway import Sandbox

KEY, SECRET = "500102", "helloworld"
CREATE, REFRESH, SECURE = (
    f"/auth/token/{each}" for each in ("create", "refresh", "security/create")
)
DETAIL, QUERY = "aliexpress.ds.product.get", "aliexpress.affiliate.product.query"
ODD = "câble USB 中文 & 100%+/= lamp"
SYSTEM = ("app_key", "timestamp", "sign_method", "partner_id", "format", "simplify", "v", "method",
          "session", "sign")  # fmt: skip

Params = Mapping[str, str]


class Wire(NamedTuple):
    verb: str
    target: str
    content_type: str = ""
    body: bytes = b""


def signed(params: Params, secret: str, path: str = "") -> dict[str, str]:
    text = path + "".join(name + params[name] for name in sorted(params))
    mac = hmac.new(secret.encode(), text.encode(), hashlib.sha256)
    return {**params, "sign": mac.hexdigest().upper()}


def common() -> dict[str, str]:
    return {"app_key": KEY, "timestamp": str(int(time.time())) + "000", "sign_method": "sha256"}


def multipart(params: Params, boundary: str = "----7d93ac") -> tuple[str, bytes]:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in params.items()
    ]
    text = "".join(parts) + f"--{boundary}--\r\n"
    return f"multipart/form-data; boundary={boundary}", text.encode()


def split(params: Params) -> tuple[dict[str, str], dict[str, str]]:
    """System parameters, and those of the call."""
    inside = {name: value for name, value in params.items() if name in SYSTEM}
    return inside, {name: value for name, value in params.items() if name not in SYSTEM}


def ae_sdk(name: str, params: Params, token: str, secret: str) -> Wire:
    if name.startswith("/"):
        sent = signed({**common(), **params}, secret, name)
        return Wire("POST", f"/rest{name}?{urlencode(sent, quote_via=quote)}")
    known = {"method": name, "session": token, "simplify": "true", **common()}
    return Wire("POST", f"/sync?{urlencode(signed({**known, **params}, secret), quote_via=quote)}")


def aliexpress_api(name: str, params: Params, token: str, secret: str) -> Wire:
    more = {"session": token} if token else {}
    sent = {**common(), "method": name, "app_signature": "", **more, **params}
    return Wire("GET", f"/sync?{urlencode(signed(sent, secret))}", "application/json")


def php(name: str, params: Params, token: str, secret: str) -> Wire:
    known = {**common(), "method": name, "partner_id": "iop-sdk-php-20220608", "simplify": "false",
             "format": "json", "empty": ""}  # fmt: skip
    known |= {"session": token} if token else {}
    path = name if name.startswith("/") else ""
    query, business = split(signed({**known, **params}, secret, path))
    route = "/rest" if path else "/sync"
    return Wire("POST", f"{route}?{urlencode(query, quote_via=quote_plus)}", *multipart(business))


def java(name: str, params: Params, token: str, secret: str) -> Wire:
    kept = {key: value for key, value in params.items() if value}
    form = "application/x-www-form-urlencoded;charset=UTF-8"
    if name.startswith("/"):
        known = {**common(), "partner_id": "iop-sdk-java-20220608"}
        query, business = split(signed({**known, **kept}, secret, name))
        return Wire("POST", f"/rest{name}?{urlencode(query)}", form, urlencode(business).encode())
    known = {**common(), "method": name, "partner_id": "iop-sdk-java-20220608", "format": "json",
             "simplify": "false", "v": "2.0"}  # fmt: skip
    known |= {"session": token} if token else {}
    query, business = split(signed({**known, **kept}, secret))
    target = f"/sync?method={name}&{urlencode(query)}"
    assert target.count("method=aliexpress") == 2
    return Wire("POST", target, form, urlencode(business).encode())


def python(name: str, params: Params, token: str, secret: str) -> Wire:
    known = {**common(), "method": name, "partner_id": "iop-sdk-python-20220609",
             "simplify": "false", "format": "json", "unused": ""}  # fmt: skip
    known |= {"session": token} if token else {}
    sent = signed({**known, **params}, secret, name if name.startswith("/") else "")
    return Wire("POST", "/sync", "application/x-www-form-urlencoded", urlencode(sent).encode())


def n8n(name: str, params: Params, token: str, secret: str) -> Wire:
    known = {**common(), "method": name} | ({"session": token} if token else {})
    path = name if name.startswith("/") else ""
    return Wire("POST", "/sync", *multipart(signed({**known, **params}, secret, path)))


Shape = Callable[[str, Params, str, str], Wire]
SHAPES: list[Shape] = [ae_sdk, aliexpress_api, php, java, python, n8n]
#: All but the one that has no path calls.
WHOLE = [shape for shape in SHAPES if shape is not aliexpress_api]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(app_key=KEY, secret=SECRET, products=24).serve() as served:
        yield served


def ask(
    box: Sandbox, shape: Shape, name: str, token: str = "", secret: str = SECRET, **params: str
) -> Any:
    wire = shape(name, params, token, secret)
    connection = http.client.HTTPConnection(box.url.removeprefix("http://"), timeout=30)
    kind = {"content-type": wire.content_type} if wire.content_type else {}
    connection.request(wire.verb, wire.target, wire.body or None, kind)
    answer = connection.getresponse()
    read = json.loads(answer.read())
    connection.close()
    assert answer.status == 200
    return read


def shaped(shape: Shape) -> str:
    return shape.__name__


@pytest.mark.parametrize("shape", WHOLE, ids=shaped)
def test_create_refresh_and_a_system_call(box: Sandbox, shape: Shape) -> None:
    code = box.code()
    made = ask(box, shape, CREATE, code=code)
    assert (made["code"], made["expires_in"]) == ("0", 86_400)
    renewed = ask(box, shape, REFRESH, refresh_token=made["refresh_token"])
    assert renewed["code"] == "0"
    assert renewed["access_token"] != made["access_token"]
    secure = ask(box, shape, SECURE, code=box.code())
    assert secure["code"] == "0"
    assert "account" not in secure
    assert ask(box, shape, CREATE, code=code)["code"] == "InvalidCode"


@pytest.mark.parametrize("shape", SHAPES, ids=shaped)
def test_a_business_call_with_and_without_a_token(box: Sandbox, shape: Shape) -> None:
    grant = box.gateway.state.exchange(box.code())
    assert grant is not None
    product = str(box.gateway.market.ids[5])
    found = ask(box, shape, DETAIL, grant.access_token, product_id=product, ship_to_country="US")
    inside = found.get("aliexpress_ds_product_get_response", found)
    assert str(inside["result"]["ae_item_base_info_dto"]["product_id"]) == product
    searched = ask(box, shape, QUERY, keywords="lamp", tracking_id=ODD)
    inside = searched.get("aliexpress_affiliate_product_query_response", searched)
    assert inside["resp_result"]["resp_code"] == 200
    assert inside["resp_result"]["result"]["current_record_count"] > 0
    (latest,) = box.gateway.attempts()[:1]
    assert latest.params["tracking_id"] == ODD


@pytest.mark.parametrize(
    ("shape", "name"),
    [(shape, CREATE) for shape in WHOLE] + [(shape, QUERY) for shape in SHAPES],
)
def test_a_wrong_secret_is_refused_for_the_signature(box: Sandbox, shape: Shape, name: str) -> None:
    code = box.code()
    refused = ask(box, shape, name, secret="another", code=code)
    inside = refused.get("error_response", refused)
    assert inside["code"] == "IncompleteSignature"
    assert ("error_response" in refused) == (name == QUERY)
    if name == CREATE:
        assert ask(box, shape, CREATE, code=code)["code"] == "0", "the code is not spent by it"
