"""What orders earn: the affiliate order methods and the dropshippers' commission orders.

Money is whole cents, times are US Pacific text. An order is in one state: paid for ten days,
received until the fortieth, then settled; one in twelve is invalid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .asked import Asked, number, pacific_moment, pacific_text, words
from .paging import page, part
from .sales import AFFILIATE, DAY_S, Line, Sale, account, between, promoted, share
from .verdicts import affiliate, empty, listed, plain

PAID, RECEIVED = "Payment Completed", "Buyer Confirmed Receipt"
SETTLED, INVALID = "Completed Settlement", "Invalid"
STATES = (PAID, RECEIVED, SETTLED, INVALID)
_PUBLISHER = 1_900_000_001


class Earned(NamedTuple):
    """One line of an order as an earning; `key` grows with time and is no other's."""

    sale: Sale
    line: Line
    key: int


def order_list(asked: Asked) -> dict[str, Any]:
    """The orders of a time span and state by page; 402 where the span cannot be read."""
    span = _span(asked)
    if span is None:
        return affiliate(402, "start_time or end_time is invalid")
    found = _in_state(asked, _earned(between(asked.market, AFFILIATE, *span, asked.now)))
    shown = page(asked, found)
    if not shown.items and "empty_page" not in asked.faults:
        return empty()
    records = [_record(each, asked.now, custom="custom_parameters") for each in shown.items]
    return listed(
        "orders", "order", records, current_page_no=shown.number,
        current_record_count=len(records), total_page_no=shown.pages,
        total_record_count=shown.total,
    )  # fmt: skip


def order_listbyindex(asked: Asked) -> dict[str, Any]:
    """The same by cursor: the part after `start_query_index_id`, 405 after the last."""
    span = _span(asked)
    if span is None:
        return affiliate(402, "start_time or end_time is invalid")
    found = _in_state(asked, _earned(between(asked.market, AFFILIATE, *span, asked.now)))
    shown = _after(asked, found)
    if not shown and "empty_page" in asked.faults:
        # The cursor stays where it was, so that a caller who asks again misses nothing.
        start = asked.text("start_query_index_id")
        return listed("orders", "order", [], current_record_count=0, max_query_index_id=start)
    if not shown:
        return empty()
    records = [_record(each, asked.now, custom="custom_parameters") for each in shown]
    return listed(
        "orders", "order", records, current_record_count=len(records),
        min_query_index_id=str(shown[0].key), max_query_index_id=str(shown[-1].key),
    )  # fmt: skip


def order_get(asked: Asked) -> dict[str, Any]:
    """The orders with those ids, in that order, unknown ones left out."""
    ids = [number(text, -1) for text in dict.fromkeys(words(asked.text("order_ids"))[:50])]
    found = list(_earned(s for n in ids if (s := promoted(asked.market, n, asked.now))))
    if not found:
        return empty()
    records = [_record(each, asked.now, custom="customer_parameters") for each in found]
    return listed("orders", "order", records, current_record_count=len(records))


def commission_orders(asked: Asked) -> dict[str, Any]:
    """An account's own orders with what they earn, by cursor; an empty part ends them."""
    span = _span(asked)
    if span is None:
        return plain(402, "start_time or end_time is invalid")
    start, end = span
    always = between(asked.market, account(asked.user), start, end, asked.now)
    placed = [
        s for s in asked.market.book.of(asked.user) if start <= s.created <= min(end, asked.now)
    ]
    found = _in_state(asked, sorted(_earned([*always, *placed]), key=lambda each: each.key))
    shown = _after(asked, found)
    result: dict[str, Any] = {
        "current_page_no": max(1, asked.number("page_no", 1)), "current_record_count": len(shown),
        "orders": {},
    }  # fmt: skip
    if shown:
        records = [_commission(each, asked.now) for each in shown]
        result |= {
            "orders": {"traffic_order_effect_dto": records},
            "min_query_index_id": str(shown[0].key), "max_query_index_id": str(shown[-1].key),
        }  # fmt: skip
    return {"result": result, **plain(200, "Call succeeds")}


def _span(asked: Asked) -> tuple[float, float] | None:
    start = pacific_moment(asked.text("start_time"))
    end = pacific_moment(asked.text("end_time"))
    return (start, end) if start is not None and end is not None and start <= end else None


def _earned(sales: Iterable[Sale]) -> Iterator[Earned]:
    for sale in sales:
        for n, line in enumerate(sale.lines):
            yield Earned(
                sale, line, int(sale.created) * 100_000 + sale.id // 100_000 % 1000 * 100 + n
            )


def _in_state(asked: Asked, earned: Iterable[Earned]) -> list[Earned]:
    wanted = asked.text("status").strip().casefold()
    return [each for each in earned if state(each.sale, asked.now).casefold() == wanted]


def _after(asked: Asked, found: Sequence[Earned]) -> Sequence[Earned]:
    start = asked.number("start_query_index_id", -1)
    size = min(max(1, asked.number("page_size", 20)), 50)
    place = next((n for n, each in enumerate(found) if each.key > start), len(found))
    return part(asked, found, place, size)


def state(sale: Sale, now: float) -> str:
    """The state of an order as an earning at a moment."""
    if sale.canceled or sale.paid is None:
        return INVALID
    age = (now - sale.created) / DAY_S
    return PAID if age < 10 else RECEIVED if age < 40 else SETTLED


def _figures(each: Earned, now: float) -> Mapping[str, Any]:
    """What both families say of an earning, under the names they share."""
    sale, p = each.sale, each.line.product
    paid = sale.costs(each.line)[1]
    status = state(sale, now)
    earned, done = share(paid, p.commission), status in (RECEIVED, SETTLED)
    return {
        "order_id": sale.id, "order_number": sale.id, "parent_order_number": sale.id,
        "sub_order_id": sale.id + 1 + each.key % 100, "category_id": int(p.path[-1]),
        "created_time": pacific_text(sale.created), "paid_time": pacific_text(sale.created + 60),
        "finished_time": pacific_text(sale.created + 10 * DAY_S) if done else "",
        "paid_amount": paid, "finished_amount": paid if done else 0,
        "commission_rate": f"{p.commission / 10}%", "incentive_commission_rate": "0.0%",
        "estimated_paid_commission": earned, "estimated_incentive_paid_commission": 0,
        "estimated_finished_commission": earned if done else 0,
        "estimated_incentive_finished_commission": 0, "effect_detail_status": status,
        "is_new_buyer": "Y" if sale.id % 7 == 0 else "N",
        "is_hot_product": "Y" if p.sales >= 1000 else "N", "is_affiliate_product": "Y",
        "ship_to_country": sale.country,
    }  # fmt: skip


def _record(each: Earned, now: float, *, custom: str) -> dict[str, Any]:
    # The reference calls it custom_parameters in the lists and customer_parameters in order.get.
    sale, p = each.sale, each.line.product
    status = state(sale, now)
    return {
        **_figures(each, now), "order_status": status, "order_type": "global",
        "order_platform": "mobile" if sale.id % 2 else "pc", "tracking_id": "default",
        "settled_currency": sale.money.code, "new_buyer_bonus_commission": 0, custom: "{}",
        "completed_settlement_time": (
            pacific_text(sale.created + 40 * DAY_S) if status == SETTLED else ""),
        "product_id": p.id, "product_title": p.title, "product_count": each.line.quantity,
        "product_detail_url": f"https://www.aliexpress.com/item/{p.id}.html",
        "product_main_image_url": p.image(0),
    }  # fmt: skip


def _commission(each: Earned, now: float) -> dict[str, Any]:
    p = each.line.product
    return {
        **_figures(each, now), "publisher_id": _PUBLISHER, "effect_status": state(each.sale, now),
        "publisher_settled_currency": each.sale.money.code, "item_id": p.id,
        "item_title": p.title, "item_count": each.line.quantity, "item_main_image_url": p.image(0),
        "item_detail_url": f"https://www.aliexpress.com/item/{p.id}.html",
    }  # fmt: skip
