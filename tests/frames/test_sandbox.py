"""Frames of what the sandbox answers: no field the facts do not know, no value lost."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import alinb
from alinb.frames import Table
from tests.frames.shapes import cells, lost

DAY = {"start_time": "2026-11-01 00:00:00", "end_time": "2026-11-24 00:00:00",
       "status": "Payment Completed"}  # fmt: skip
WHERE = {"ship_to_country": "US", "target_currency": "USD", "target_language": "EN"}
CALLS: dict[str, dict[str, Any]] = {
    "aliexpress.ds.product.get": {"product_id": "P", "ship_to_country": "US"},
    "aliexpress.ds.product.wholesale.get": {"product_id": "P", "ship_to_country": "US"},
    "aliexpress.ds.text.search": {"local": "en_US", "countryCode": "US", "currency": "EUR"},
    "aliexpress.ds.category.get": {},
    "aliexpress.ds.feedname.get": {},
    "aliexpress.ds.member.benefit.get": {},
    "aliexpress.affiliate.product.query": {},
    "aliexpress.affiliate.hotproduct.query": {},
    "aliexpress.affiliate.productdetail.get": {"product_ids": "P"},
    "aliexpress.affiliate.featuredpromo.get": {},
    "aliexpress.affiliate.order.list": DAY,
    "aliexpress.affiliate.order.listbyindex": DAY,
    "aliexpress.ds.commissionorder.listbyindex": DAY,
    "aliexpress.affiliate.product.sku.detail.get": {"product_id": "P", **WHERE},
}


@pytest.fixture(scope="module")
def box() -> alinb.Sandbox:
    return alinb.Sandbox(secret="helloworld", products=24)


@pytest.fixture(scope="module")
def client(box: alinb.Sandbox) -> Iterator[alinb.Client]:
    with alinb.Client(box) as client:
        client.exchange(box.code())
        yield client


@pytest.mark.parametrize("simplify", [False, True])
@pytest.mark.parametrize("name", CALLS)
def test_every_field_is_known_and_none_is_lost(name, simplify, client, box):
    number = str(box.gateway.market.ids[4])
    params = {k: number if v == "P" else v for k, v in CALLS[name].items()}
    reply = client.call(name, **params, **({"simplify": True} if simplify else {}))
    tables = reply.tables()
    assert len(next(iter(tables.values()))) > 0
    assert lost(reply.data, cells(tables)) == set()
    known = Table(name).tables()
    for table, frame in tables.items():
        if table != "replies":
            assert list(frame.columns) == list(known[table].columns), table


def test_a_refusal_has_no_tables(client):
    reply = client.call("aliexpress.ds.order.tracking.get", ae_order_id="1", language="en_US")
    with pytest.raises(alinb.Refused):
        reply.tables()


SHARED = Path(os.environ.get("ALINB_SHARED", Path(__file__).parents[3] / "shared")) / "replies"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the live payloads are not here")
@pytest.mark.parametrize("name", ["freight_query_success", "text_search"])
def test_live_payloads(name):
    text = (SHARED / f"real_{name}_response.json").read_text(encoding="utf-8")
    tables = alinb.tables(text)
    assert lost(json.loads(text), cells(tables)) == set()
    frame = alinb.frame(text)
    known = Table(frame.attrs["method"]).frame()
    assert list(frame.columns) == list(known.columns)
