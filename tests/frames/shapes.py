"""The sample replies in each of the shapes that the gateway has for them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alinb.gateway.methods import simplified

FOLDER = Path(__file__).parents[2] / "data" / "replies"
SAMPLES = sorted(FOLDER.glob("*.json"))
#: Methods whose replies differ from another's in the name of the root alone.
ALIKE = {
    "aliexpress.affiliate.hotproduct.query": "aliexpress.affiliate.product.query",
    "aliexpress.affiliate.hotproduct.download": "aliexpress.affiliate.product.query",
    "aliexpress.affiliate.featuredpromo.products.get": "aliexpress.affiliate.product.query",
    "aliexpress.affiliate.product.smartmatch": "aliexpress.affiliate.product.query",
    "aliexpress.affiliate.productdetail.get": "aliexpress.affiliate.product.query",
    "/auth/token/refresh": "_auth_token_create",
    "/auth/token/security/create": "_auth_token_create",
    "/auth/token/security/refresh": "_auth_token_create",
}


def sample(name: str) -> dict[str, Any]:
    """A sample by its method's name, or the name of its file."""
    name = ALIKE.get(name, name).strip("/_").replace("/", "_")
    held: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return held


def live(name: str) -> bytes:
    """The body as the live gateway sends it."""
    text = json.dumps(sample(name)["reply"], ensure_ascii=False)
    if name in ALIKE:
        old, new = (n.replace(".", "_") + "_response" for n in (ALIKE[name], name))
        text = text.replace(old, new)
    return text.encode()


def simple(name: str) -> bytes:
    """The same call with `simplify=true`: no root, no objects around lists."""
    reply = sample(name)["reply"]
    roots = [key for key in reply if key.endswith("_response")]
    return json.dumps(simplified(reply[roots[0]] if roots else reply)).encode()


def reference(name: str) -> bytes:
    """What the demos of the API reference show: flat lists, but a root, and the id beside it."""
    reply = sample(name)["reply"]
    (root,) = [key for key in reply if key.endswith("_response")] or [""]
    if not root:
        return simple(name)
    inside = simplified(reply[root])
    return json.dumps({root: inside, "request_id": inside.pop("request_id")}).encode()


def canonical(value: Any) -> str:
    """A plain value as text in which numbers are spelled alike."""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    try:
        return str(Decimal(str(value)).normalize())
    except ArithmeticError:
        return str(value)


def leaves(value: Any) -> set[str]:
    """Every plain value in JSON, as the text it is or the number it is."""
    if isinstance(value, dict):
        return set().union(*map(leaves, value.values()))
    if isinstance(value, list):
        return set().union(*map(leaves, value))
    return set() if value in (None, "") else {canonical(value)}


def lost(value: Any, found: set[str]) -> set[str]:
    """The plain values that are not among those found, whole or in all their parts."""

    def parts(leaf: str) -> set[str]:
        if leaf[:1] in ("{", "["):
            return leaves(json.loads(leaf))
        return set(leaf.split(";"))

    return {leaf for leaf in leaves(value) if leaf not in found and not parts(leaf) <= found}


def cells(tables: dict[str, pd.DataFrame]) -> set[str]:
    """Every value in any table."""
    found: set[str] = set()
    for table in tables.values():
        for column in table.columns:
            for value in table[column]:
                items = value if isinstance(value, list) else [value]
                found |= {canonical(item) for item in items if not pd.isna(item)}
    return found
