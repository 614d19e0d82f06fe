"""The sandbox's market: products, feeds, freight, orders and what is answered about them."""

from __future__ import annotations

from .asked import Asked
from .world import Market

__all__ = ["Asked", "Market"]
