"""The pinned versions of what a plain install asks for: python -m tests.plain_dependencies."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def asked_for(root: Path = ROOT) -> list[str]:
    """The names in `dependencies` of pyproject.toml."""
    with (root / "pyproject.toml").open("rb") as file:
        lines = tomllib.load(file)["project"]["dependencies"]
    return [re.split(r"[^\w.-]", line)[0] for line in lines]


def pinned(root: Path = ROOT) -> dict[str, str]:
    """Versions by name in the constraints, without those of other systems or Pythons."""
    lines = (root / "tests/constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [re.match(r"([\w.-]+)==(\S+)", line) for line in lines]
    return {one[1]: one[2] for one in found if one}


if __name__ == "__main__":
    versions = pinned()
    print("\n".join(f"{name}=={versions[name]}" for name in asked_for()))
