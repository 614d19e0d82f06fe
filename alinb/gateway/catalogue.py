"""Made-up products that answer product calls in the live, unsimplified shapes.

Shapes follow the AliExpress DS and affiliate API references where live payloads confirm them; every
figure and name is invented. Money is whole US cents inside and text outside, never a float.
"""

import hashlib
import json
from functools import partial
from itertools import product
from typing import Any, NamedTuple

# Hand-set: one field a line, as the formatter wants it, would bury the logic under the replies.
# fmt: off
# First-level category ids are AliExpress's own; the deeper ones only look the part.
_KINDS = """
Bluetooth Earbuds|44,100000306,63705|Consumer Electronics|Portable Audio|2190|Détail HiFi,中文 Voice
Mechanical Keyboard|7,200001081,70803|Computer & Office|Peripherals|4890|Hot Swappable,中文 Keycaps
Dog Leash|15,100006664,200003720|Home & Garden|Pet Products|690|Reflective Nylon,Hands Free
LED Desk Lamp|39,390501,39050501|Lights & Lighting|Lamps|2390|Touch Dimming,Lumière Tamisée
Coffee Mug|15,200000920,200154001|Home & Garden|Kitchen & Bar|990|Café Crème Glaze,with Spoon
Phone Case|509,200084019,380230|Phones & Telecom|Phone Accessories|490|Magnetic Ring,Clear Matte
Rain Jacket|200000343,200000662,200118008|Men's Clothing|Jackets|3990|Hooded Softshell,Taped Seams
Linen Shirt|200000343,200000668,100003084|Men's Clothing|Shirts|1990|Long Sleeve,Décontracté
Travel Backpack|1524,152401,201336907|Luggage & Bags|Backpacks|3290|with USB Port,Anti-Theft 40L
Quartz Watch|1511,200214006,200214036|Watches|Quartz Watches|2690|Leather Strap,Façon Genève
Building Blocks|26,200003198,200003226|Toys & Hobbies|Building Toys|2490|1024 Pieces,Tram Zürich
Face Serum|66,3306,200001168|Beauty & Health|Skin Care|890|Hyaluronic Acid,Vitamin C Glow
""".strip().splitlines()
_ADJECTIVES = ("Portable", "Lightweight", "Waterproof", "Minimalist", "Vintage", "Premium", "Retro",
               "Compact", "Professional", "Handmade", "Deluxe", "Modern", "Élégant", "Versatile")
_EXTRAS = ("with Gift Box", "for Home and Travel", "für Zuhause", "Édition Été", "Pack of 2", "New")
_BRANDS = ("Lumora", "Tekvia", "Norrsken", "Éclatine", "Brixley", "Sunmoor", "Halvex", "Müllner")
_COLORS = ((193, "Black"), (29, "White"), (173, "Blue"), (10, "Red"), (175, "Green"), (496, "Plum"))
_SIZES = ((361386, "M"), (100014065, "XL"))
_ID_SPAN = 5 * 10**9
# Coprime to the span, so that successive products get scattered ids and never the same one twice.
_ID_STRIDE = 2_654_435_761
_json = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))


class _Currency(NamedTuple):
    """How one currency is converted and written; `rate` is ten-thousandths of a unit per dollar."""

    code: str
    rate: int
    decimals: int
    symbol: str
    position: str = "front"
    thousands: str = ","
    point: str = "."

    def minor(self, cents: int) -> int:
        return _half_up(cents * self.rate * 10**self.decimals, 1_000_000)

    def text(self, minor: int) -> str:
        whole, rest = divmod(minor, 10**self.decimals)
        return f"{whole}.{rest:0{self.decimals}d}" if self.decimals else str(whole)


_CURRENCIES = {money.code: money for money in (
    _Currency("USD", 10_000, 2, "$"), _Currency("EUR", 9_200, 2, "€", "end", " ", ","),
    _Currency("GBP", 7_900, 2, "£"), _Currency("BRL", 54_000, 2, "R$", "front", ".", ","),
    _Currency("KRW", 13_800_000, 0, "₩"), _Currency("JPY", 1_520_000, 0, "円", "end"),
    _Currency("CNY", 72_000, 2, "CN¥"), _Currency("PLN", 39_500, 2, "zł", "end", " ", ","),
)}
_SELLER = _CURRENCIES["CNY"]


class _Draw:
    """A series of small numbers from one text, the same on every machine and Python version."""

    def __init__(self, text: str) -> None:
        self._pool = int.from_bytes(hashlib.blake2b(text.encode()).digest(), "big")

    def below(self, limit: int) -> int:
        self._pool, value = divmod(self._pool, limit)
        return value


class _Sku(NamedTuple):
    """One variant: list price in US cents; color and size are (property value id, name)."""

    id: int
    cents: int
    stock: int
    color: tuple[int, str]
    size: tuple[int, str] | None


class _Product:
    """The facts all three views read: discount in percent, rating and commission per mille."""

    def __init__(self, index: int, spread: int) -> None:
        draw = _Draw(f"product {spread}")
        noun, path, *self.sections, cents, features = _KINDS[index % len(_KINDS)].split("|")
        self.id, self.path = 1_005_004_000_000_000 + spread, path.split(",")
        choices = (_ADJECTIVES, (noun,), features.split(","), _EXTRAS)
        self.title = " ".join(words[draw.below(len(words))] for words in choices)
        store = draw.below(len(_BRANDS))
        self.brand, self.store_id = _BRANDS[store], 1_100_000_000 + 7919 * store
        self.store_name = f"{self.brand} Official Store"
        self.discount = max(0, draw.below(80) - 10)
        self.sales = 3 + draw.below(9 * 10 ** (1 + draw.below(4)))
        self.reviews = 1 + self.sales * (5 + draw.below(40)) // 100
        self.rating = 790 + draw.below(206)
        self.score = f"{_half_up(self.rating, 20) / 10}"
        self.commission, self.days = 30 + 20 * draw.below(4), 4 + draw.below(12)
        names = [hashlib.md5(f"{spread} {n}".encode()).hexdigest() for n in range(len(_COLORS))]
        self.images = [f"https://ae01.alicdn.com/kf/S{name}{name[0].upper()}.jpg" for name in names]
        self.skus = self._variants(int(cents) * (80 + draw.below(60)) // 100, spread, draw)
        self.cheapest = min(self.skus, key=lambda sku: sku.cents)

    def _variants(self, cents: int, spread: int, draw: _Draw) -> list[_Sku]:
        sized = self.sections[0] == "Men's Clothing"
        colors = _COLORS[:1 + draw.below(3) if sized else 2 + draw.below(5)]
        # Eight ids a product keep the ids of two products apart.
        first = 12_000_010_000_000_000 + spread * 8
        return [_Sku(first + n, cents * (100 + draw.below(41)) // 100, draw.below(900), *choice)
                for n, choice in enumerate(product(colors, _SIZES if sized else (None,)))]

    def prices(self, money: _Currency, sku: _Sku | None = None) -> tuple[int, int]:
        """Give list and sale price in the smallest unit, of the cheapest SKU unless told."""
        listed = money.minor((sku or self.cheapest).cents)
        return listed, _half_up(listed * (100 - self.discount), 100)


class Catalogue:
    """A fixed set of products, the same for the same size and seed.

    `ids` are the 16-digit product ids in catalogue order. Replies are built anew for each call.
    Titles are the same in every `language`.
    """

    def __init__(self, size: int = 240, seed: int = 1) -> None:
        start = _Draw(f"catalogue {seed}").below(_ID_SPAN)
        every = (_Product(n, (n * _ID_STRIDE + start) % _ID_SPAN) for n in range(size))
        self._products = {item.id: item for item in every}
        self.ids: tuple[int, ...] = tuple(self._products)

    def product(self, product_id: int, *, country: str, currency: str,
                language: str) -> dict[str, Any] | None:
        """Give the `result` of `aliexpress.ds.product.get`, or None for an unknown id.

        SKU prices are in `currency`, while the base info names the seller's, as live.
        """
        found = self._products.get(product_id)
        return _detail(found, _currency(currency), country) if found else None

    def search(self, keyword: str, *, page_index: int, page_size: int, sort: str, country: str,
               currency: str, language: str, category: str = "") -> dict[str, Any]:
        """Give the `data` of `aliexpress.ds.text.search`; an empty page has `products: {}`.

        `category` is any id on a product's path; an unknown `sort` keeps catalogue order.
        `target…` prices are in `currency`, the others in the seller's.
        """
        money = _currency(currency)
        found = [p for p in self._matching(keyword) if not category or category in p.path]
        page = _page(found, sort.lower().partition(","), money, page_index, page_size)
        records = [_search_record(p, money, country) for p in page]
        return {"pageIndex": page_index, "pageSize": page_size, "totalCount": len(found),
                "products": {"selection_search_product": records} if records else {}}

    def affiliate(self, keywords: str, *, page_no: int, page_size: int, sort: str, country: str,
                  currency: str, language: str, tracking_id: str, min_sale_price: int | None = None,
                  max_sale_price: int | None = None) -> dict[str, Any] | None:
        """Give the `resp_result.result` of `aliexpress.affiliate.product.query`, None if empty.

        Price bounds are inclusive, in the smallest unit of `currency`: cents, but whole yen or won.
        A page past the last is empty too; live answers `resp_code` 405 for that.
        """
        money = _currency(currency)
        low, high = min_sale_price or 0, 10**18 if max_sale_price is None else max_sale_price
        found = [p for p in self._matching(keywords) if low <= p.prices(money)[1] <= high]
        page = _page(found, sort.lower().rpartition("_"), money, page_no, page_size)
        records = [_affiliate_record(p, money, country, tracking_id) for p in page]
        return {"current_page_no": page_no, "current_record_count": len(records),
                "total_page_no": -(-len(found) // page_size), "total_record_count": len(found),
                "products": {"product": records}} if records else None

    def _matching(self, keywords: str) -> list[_Product]:
        words = keywords.casefold().replace(",", " ").split()
        return [p for p in self._products.values()
                if all(word in p.title.casefold() for word in words)]


def _currency(code: str) -> _Currency:
    known = code.strip().upper() or "USD"
    return _CURRENCIES.get(known) or _Currency(known, 10_000, 2, f"{known} ")


def _page(found: list[_Product], sort: tuple[str, str, str], money: _Currency, number: int,
          size: int) -> list[_Product]:
    field, _, way = sort
    if field in ("min_price", "sale_price"):
        found = sorted(found, key=lambda p: p.prices(money)[1], reverse=way == "desc")
    elif field in ("orders", "last_volume"):
        found = sorted(found, key=lambda p: p.sales, reverse=way == "desc")
    elif field == "comments":
        found = sorted(found, key=lambda p: p.reviews, reverse=way == "desc")
    return found[max(0, (number - 1) * size):max(0, number * size)]


def _half_up(number: int, divisor: int) -> int:
    return (2 * number + divisor) // (2 * divisor)


def _detail(p: _Product, money: _Currency, country: str) -> dict[str, Any]:
    pictures = [{"type": "image", "data": {"url": url}} for url in p.images]
    facts = (("Brand Name", 2, p.brand), ("Origin", 219, "Mainland China"))
    attributes = [{"attr_name": name, "attr_name_id": key, "attr_value": value, "attr_value_id": -1}
                  for name, key, value in facts]
    stars = [f"4.{3 + _Draw(f'store {p.store_id} {n}').below(7)}" for n in range(3)]
    return {
        "ae_item_base_info_dto": {
            "product_id": p.id, "subject": p.title, "category_id": int(p.path[-1]),
            "currency_code": _SELLER.code, "product_status_type": "onSelling",
            "sales_count": str(p.sales), "evaluation_count": str(p.reviews),
            "avg_evaluation_rating": p.score, "detail": f"<div><p>{p.title}</p></div>",
            "mobile_detail": _json({"version": "2.0.0", "moduleList": pictures})},
        "ae_item_sku_info_dtos": {
            "ae_item_sku_info_d_t_o": [_sku_record(p, sku, money) for sku in p.skus]},
        "ae_item_properties": {"ae_item_property": attributes},
        "ae_multimedia_info_dto": {"image_urls": ";".join(p.images)},
        "package_info_dto": {
            "package_length": 20, "package_width": 15, "package_height": 8, "package_type": False,
            "gross_weight": f"0.{100 + p.id % 900}", "product_unit": 100000015},
        "logistics_info_dto": {"delivery_time": p.days, "ship_to_country": country},
        "ae_store_info": {
            "store_id": p.store_id, "store_name": p.store_name, "store_country_code": "CN",
            "communication_rating": stars[0], "item_as_described_rating": stars[1],
            "shipping_speed_rating": stars[2]},
        # On the .us site a product's id is 2**51 higher in every live pair seen.
        "product_id_converter_result": {
            "main_product_id": p.id, "sub_product_id": _json({"US": p.id + 2**51})},
        "has_whole_sale": False}


def _sku_record(p: _Product, sku: _Sku, money: _Currency) -> dict[str, Any]:
    listed, sale = map(money.text, p.prices(money, sku))
    number, color = sku.color
    attr = f"14:{number}#{color}" + (f";5:{sku.size[0]}" if sku.size else "")
    chosen = [{"sku_property_id": 14, "sku_property_name": "Color", "property_value_id": number,
               "sku_property_value": color, "property_value_definition_name": color,
               "sku_image": p.images[_COLORS.index(sku.color)]}]
    if sku.size:
        chosen.append({"sku_property_id": 5, "sku_property_name": "Size",
                       "property_value_id": sku.size[0], "sku_property_value": sku.size[1]})
    return {
        "sku_id": str(sku.id), "id": attr, "sku_attr": attr, "currency_code": money.code,
        "sku_price": listed, "offer_sale_price": sale, "offer_bulk_sale_price": sale,
        "sku_available_stock": sku.stock, "price_include_tax": False,
        "ae_sku_property_dtos": {"ae_sku_property_d_t_o": chosen}}


def _search_record(p: _Product, money: _Currency, country: str) -> dict[str, Any]:
    (listed, sale), (seller_listed, seller_sale) = p.prices(money), p.prices(_SELLER)
    whole, _, decimal = money.text(sale).partition(".")
    whole = f"{int(whole):,}".replace(",", money.thousands)
    number = whole + (money.point + decimal if decimal else "")
    shown = f"{money.symbol}{number}" if money.position == "front" else f"{number}{money.symbol}"
    query = f"skuId={p.cheapest.id}&pdp_ext_f=%7B%22sku_id%22%3A%22{p.cheapest.id}%22%7D"
    magnitude = 10 ** (len(str(p.sales)) - 1)
    return {
        "itemId": str(p.id), "title": p.title, "type": "search", "cateId": ",".join(p.path),
        "itemMainPic": p.images[0], "itemUrl": f"//www.aliexpress.com/item/{p.id}.html?{query}",
        "originalPrice": _SELLER.text(seller_listed), "originalPriceCurrency": _SELLER.code,
        "salePrice": _SELLER.text(seller_sale), "salePriceCurrency": _SELLER.code,
        "targetOriginalPrice": money.text(listed), "targetOriginalPriceCurrency": money.code,
        "targetSalePrice": money.text(sale), "salePriceFormat": shown,
        "discount": f"{p.discount}%", "score": p.score, "evaluateRate": f"{p.rating / 10}",
        "orders": str(p.sales) if p.sales < 10 else f"{p.sales // magnitude * magnitude:,}+",
        "originMinPrice": _json({
            "thousandsChar": money.thousands, "shipToCountry": country, "cent": sale,
            "decimalPointChar": money.point, "currencySymbolPosition": money.position,
            "currencySymbol": money.symbol, "showDecimal": True, "decimalStr": decimal,
            "currencyCode": money.code, "version": "V1", "formatPrice": shown,
            "integerStr": whole})}


def _affiliate_record(p: _Product, money: _Currency, country: str, tracker: str) -> dict[str, Any]:
    link = hashlib.md5(f"{p.id} {tracker}".encode()).hexdigest()
    record: dict[str, Any] = {
        "product_id": p.id, "sku_id": p.cheapest.id, "product_title": p.title,
        "product_detail_url": f"https://www.aliexpress.com/item/{p.id}.html",
        "promotion_link": f"https://s.click.aliexpress.com/s/{link}", "product_video_url": "",
        "product_main_image_url": p.images[0], "product_small_image_urls": {"string": [*p.images]},
        "first_level_category_id": int(p.path[0]), "first_level_category_name": p.sections[0],
        "second_level_category_id": int(p.path[1]), "second_level_category_name": p.sections[1],
        "shop_id": p.store_id, "shop_url": f"https://www.aliexpress.com/store/{p.store_id}",
        "shop_name": p.store_name, "discount": f"{p.discount}%", "lastest_volume": p.sales,
        "evaluate_rate": f"{p.rating / 10}%", "commission_rate": f"{p.commission / 10}%",
        "hot_product_commission_rate": "0.0%", "tax_rate": "0.00",
        "ship_to_days": f"Ship to {country} in {p.days} days"}
    for prefix, unit in (("", _SELLER), ("target_", money)):
        listed, sale = map(unit.text, p.prices(unit))
        for name, price in (("original", listed), ("sale", sale), ("app_sale", sale)):
            record |= {f"{prefix}{name}_price": price, f"{prefix}{name}_price_currency": unit.code}
    return record
