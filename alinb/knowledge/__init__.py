"""Facts about the platforms, their errors, methods and common mistakes, each with its source."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load(name: str) -> dict[str, Any]:
    """The facts of one file: `platforms`, `errors`, `methods`, `records`, `paging`, `mistakes`."""
    return tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
