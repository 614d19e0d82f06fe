"""Made-up products: the facts that every view of a product, order and feed reads."""

from __future__ import annotations

from itertools import product as combined
from typing import NamedTuple

from .drawing import Draw, half_up, name_of
from .money import Currency

# First-level category ids are AliExpress's own; the deeper ones only look the part.
KINDS = """
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
_ADJECTIVES = (
    "Portable", "Lightweight", "Waterproof", "Minimalist", "Vintage", "Premium", "Retro",
    "Compact", "Professional", "Handmade", "Deluxe", "Modern", "Élégant", "Versatile",
)  # fmt: skip
_EXTRAS = ("with Gift Box", "for Home and Travel", "für Zuhause", "Édition Été", "Pack of 2", "New")
_BRANDS = ("Lumora", "Tekvia", "Norrsken", "Éclatine", "Brixley", "Sunmoor", "Halvex", "Müllner")
COLORS = ((193, "Black"), (29, "White"), (173, "Blue"), (10, "Red"), (175, "Green"), (496, "Plum"))
SIZES = ((361386, "M"), (100014065, "XL"))

#: Countries that nothing is sold or sent to.
CLOSED = frozenset({"KP", "SY", "CU", "IR"})
#: Countries that now and then one product is not sold to.
_BARRED = ("AU", "IL", "NZ", "ZA")


class Sku(NamedTuple):
    """One variant: list price in US cents; color and size are (property value id, name)."""

    id: int
    cents: int
    stock: int
    color: tuple[int, str]
    size: tuple[int, str] | None

    @property
    def attr(self) -> str:
        """The text that an order names the variant by."""
        number, color = self.color
        return f"14:{number}#{color}" + (f";5:{self.size[0]}" if self.size else "")

    @property
    def words(self) -> str:
        return f"Color:{self.color[1]}" + (f"; Size:{self.size[1]}" if self.size else "")


class Product:
    """One product: discount in percent, rating and commission per mille, weight in g.

    `spread` is its own number in the seed's series of ids, `index` its place in the market. Some
    products have no stock, some a video, some wholesale prices, some one country they are not
    sold to, so that a pull over many meets what a pull over a real market meets.
    """

    __slots__ = (
        "_images", "barred", "brand", "cheapest", "commission", "days", "discount", "id", "index",
        "listed", "path", "rating", "reviews", "sales", "score", "sections", "skus", "spread",
        "store", "store_id", "store_name", "title", "video", "wholesale",
    )  # fmt: skip

    def __init__(self, index: int, spread: int) -> None:
        draw = Draw(f"product {spread}")
        noun, path, *sections, cents, features = KINDS[index % len(KINDS)].split("|")
        self.id, self.path, self.index = 1_005_004_000_000_000 + spread, path.split(","), index
        self.spread, self.sections = spread, [*sections, noun]
        choices = (_ADJECTIVES, (noun,), features.split(","), _EXTRAS)
        self.title = " ".join(words[draw.below(len(words))] for words in choices)
        self.store = draw.below(len(_BRANDS))
        self.brand, self.store_id = _BRANDS[self.store], 1_100_000_000 + 7919 * self.store
        self.store_name = f"{self.brand} Official Store"
        self.discount = max(0, draw.below(80) - 10)
        self.sales = 3 + draw.below(9 * 10 ** (1 + draw.below(4)))
        self.reviews = 1 + self.sales * (5 + draw.below(40)) // 100
        self.rating = 790 + draw.below(206)
        self.score = f"{half_up(self.rating, 20) / 10}"
        self.commission, self.days = 30 + 20 * draw.below(4), 4 + draw.below(12)
        self.skus = self._variants(int(cents) * (80 + draw.below(60)) // 100, draw)
        self.cheapest = min(self.skus, key=lambda sku: sku.cents)
        self.video, self.wholesale = index % 3 == 1, index % 5 == 3
        self.barred = _BARRED[index // 40 % len(_BARRED)] if index % 40 == 17 else ""
        self._images: list[str] = []
        # A day between 2023-01-01 and mid-2025, in epoch s.
        self.listed = 1_672_531_200 + 86_400 * (spread % 900)

    def _variants(self, cents: int, draw: Draw) -> list[Sku]:
        sized = self.sections[0] == "Men's Clothing"
        colors = COLORS[: 1 + draw.below(3) if sized else 2 + draw.below(5)]
        # Eight ids a product keep the ids of two products apart.
        first = 12_000_010_000_000_000 + self.spread * 8
        stocked = self.index % 97 != 41
        made = []
        for n, (color, size) in enumerate(combined(colors, SIZES if sized else (None,))):
            price, stock = cents * (100 + draw.below(41)) // 100, draw.below(900)
            made.append(Sku(first + n, price, stock * stocked, color, size))
        return made

    @property
    def weight(self) -> int:
        return 100 + self.id % 900

    @property
    def images(self) -> list[str]:
        """The addresses of its pictures, one a color; made when first looked at."""
        if not self._images:
            names = [name_of(f"{self.spread} {number}") for number in range(len(COLORS))]
            self._images = [
                f"https://ae01.alicdn.com/kf/S{name}{name[0].upper()}.jpg" for name in names
            ]
        return self._images

    def image(self, number: int) -> str:
        return self.images[number]

    def prices(self, money: Currency, sku: Sku | None = None) -> tuple[int, int]:
        """List and sale price in the smallest unit, of the cheapest SKU unless told."""
        listed = money.minor((sku or self.cheapest).cents)
        return listed, half_up(listed * (100 - self.discount), 100)

    def sku(self, attr: str) -> Sku | None:
        """The variant with that `sku_attr`, or the one with that id."""
        return next((sku for sku in self.skus if attr in (sku.attr, str(sku.id))), None)

    def sold_to(self, country: str) -> bool:
        known = len(country) == 2 and country.isascii() and country.isalpha()
        return known and country.upper() not in CLOSED and country.upper() != self.barred
