"""Pulls: every page of a method, polite and resumable, to a frame or a file.

pull = client.pull("aliexpress.ds.text.search", keyWord="lamp", local="en_US",
                   countryCode="US", currency="USD")
pull.frame(limit=500)
pull.to_parquet("lamps.parquet")
"""

from __future__ import annotations

from .handle import Pull, pull
from .monitor import Stats
from .outcome import Pulled
from .page import Page
from .plan import date_windows

__all__ = ["Page", "Pull", "Pulled", "Stats", "date_windows", "pull"]
