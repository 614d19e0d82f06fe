"""Every row of the table of refusals: what it says provokes the code does so."""

from typing import Any

import pytest

from alinb import replies
from alinb.gateway import Sandbox
from alinb.gateway.provoked import PLATFORM, TOP, table
from alinb.knowledge import load

CREATE, REFRESH = "/auth/token/create", "/auth/token/refresh"
SECURE = "/auth/token/security/create"
QUERY, DETAIL = "aliexpress.affiliate.product.query", "aliexpress.ds.product.get"
FREIGHT = "aliexpress.ds.freight.query"
NUMBERS = [entry["code"] for entry in load("errors")["error"] if entry["family"] == "top"]


class Caller:
    """Calls a sandbox of its own in one of the ways that the table names."""

    def __init__(self, clock: Any, ask: Any, at: str = "", by: str = "sha256") -> None:
        self.clock, self._ask, self._at, self._by = clock, ask, at, by

    def box(self, **options: Any) -> Sandbox:
        return Sandbox(clock=self.clock, products=12, **options)

    def ask(self, box: Sandbox, name: str, params: Any = None, **changed: Any) -> str:
        at = {} if name.startswith("/") else {"at": self._at, "by": self._by}
        answer = self._ask(box, name, params, changed=changed or None, **at)
        reply = replies.read(200, str_json(answer), name)
        return reply.code if self._at else reply.decisive_code

    def token(self, box: Sandbox) -> str:
        grant = box.gateway.state.exchange(box.code())
        assert grant is not None
        return grant.access_token

    def fault(self, text: str) -> list[str]:
        return [self.ask(self.box(fault=text), name) for name in (CREATE, QUERY)]


def str_json(answer: Any) -> str:
    import json

    return json.dumps(answer)


def doing(caller: Caller, code: str) -> list[str]:
    """The codes that come of each thing the table says to do."""
    box, ask = caller.box(), caller.ask
    late = str(round((caller.clock() - 7300) * 1000))
    if code == "InvalidAppKey":
        return [ask(box, CREATE, app_key="1"), ask(box, QUERY, app_key="1")]
    if code == "IncompleteSignature":
        return [ask(box, CREATE, sign="A" * 64), ask(box, CREATE, {"method": CREATE}, method=None)]
    if code == "IllegalTimestamp":
        seconds = str(round(caller.clock()))
        return [ask(box, QUERY, {"timestamp": late}), ask(box, CREATE, {"timestamp": seconds})]
    if code == "MissingParameter":
        return [ask(box, CREATE), ask(box, DETAIL)]
    if code == "InvalidApiPath":
        return [ask(box, "/no/such/path"), ask(box, "aliexpress.no.such")]
    if code == "InvalidCode":
        used, old = box.code(), box.code()
        assert ask(box, CREATE, {"code": used}) == "0"
        found = [
            ask(box, CREATE, {"code": used}),
            ask(box, CREATE, {"code": box.code(app_key="9")}),
        ]
        found.append(ask(box, CREATE, {"code": box.code(), "uuid": "x"}))
        caller.clock.forward(181)
        return [*found, ask(box, CREATE, {"code": old})]
    if code == "isv.402":
        return [ask(box, SECURE, {"code": "x"})]
    if code == "IllegalAccessToken":
        return [ask(box, DETAIL, {"session": "x"}), ask(box, QUERY, {"session": caller.token(box)})]
    if code == "IllegalRefreshToken":
        grant = box.gateway.state.exchange(box.code())
        assert grant is not None
        used = {"refresh_token": grant.refresh_token}
        assert ask(box, REFRESH, used) == "0"
        return [ask(box, REFRESH, used), ask(box, REFRESH, {"refresh_token": "x"})]
    if code == "InsufficientPermission":
        return [ask(caller.box(category="affiliate"), DETAIL), ask(
            caller.box(category="dropshipping"), QUERY)]  # fmt: skip
    if code == "UnsupportedParamMapping":
        sent = {"session": caller.token(box), "queryDeliveryReq": "not JSON"}
        return [ask(box, FREIGHT, sent)]
    limited = caller.box(qps=1) if code == "ApiCallLimit" else caller.box(quota=2)
    return [[ask(limited, QUERY) for _ in range(3)][-1]]


@pytest.mark.parametrize("code", PLATFORM)
def test_a_gateways_code(clock: Any, ask: Any, code: str) -> None:
    caller, way = Caller(clock, ask), PLATFORM[code]
    found = caller.fault(way.fault) if way.fault else doing(caller, code)
    assert set(found) == {code}


def doing_at_top(caller: Caller, number: str) -> str:
    box, ask = caller.box(), caller.ask
    late = str(round((caller.clock() - 7300) * 1000))
    token = caller.token(box)
    limited, other = caller.box(qps=1), caller.box(category="affiliate")
    ways = {
        "7": lambda: [ask(limited, QUERY) for _ in range(3)][-1],
        "11": lambda: ask(other, DETAIL),
        "21": lambda: ask(box, QUERY, {"method": None}),
        "22": lambda: ask(box, "aliexpress.no.such"),
        "24": lambda: ask(box, QUERY, sign=None),
        "25": lambda: ask(box, QUERY, sign="0" * 32),
        "26": lambda: ask(box, DETAIL),
        "27": lambda: ask(box, DETAIL, {"session": "x"}),
        "28": lambda: ask(box, QUERY, app_key=None),
        "29": lambda: ask(box, QUERY, app_key="1"),
        "30": lambda: ask(box, QUERY, timestamp=None),
        "31": lambda: ask(box, QUERY, {"timestamp": late}),
        "40": lambda: ask(box, DETAIL, {"session": token}),
    }
    return ways[number]()


@pytest.mark.parametrize("number", NUMBERS)
def test_a_top_number(clock: Any, ask: Any, number: str) -> None:
    caller = Caller(clock, ask, "/router/rest", "md5")
    if number in TOP:
        assert doing_at_top(caller, number) == number
    assert caller.ask(caller.box(fault=number), QUERY) == number, "by fault, too"


def test_the_table_holds_every_code_of_the_book_that_a_gateway_gives() -> None:
    listed = {code for _, code, _ in table()}
    book = load("errors")["error"]
    given = {e["code"] for e in book if e["family"] in ("platform", "top", "business")}
    assert given - listed == set()
    assert len(table()) > 80
    assert len({(where, code) for where, code, _ in table()}) == len(table())


@pytest.mark.parametrize(
    "code", [e["code"] for e in load("errors")["error"] if e["family"] != "notice"]
)
def test_every_code_of_the_book_can_be_had_by_a_fault(clock: Any, ask: Any, code: str) -> None:
    """Where a code belongs to one family of methods it is refused in that family's own place."""
    box = Sandbox(clock=clock, products=3, fault=code)
    answers = [ask(box, name) for name in (CREATE, QUERY, "aliexpress.ds.product.get")]
    assert all(code in str(answer) for answer in answers)
