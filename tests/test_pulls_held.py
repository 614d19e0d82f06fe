"""What is known of pages, packed into columns and taken out again."""

import random
import sys

import pytest

from alinb.pulls.frontier import Facts
from alinb.pulls.held import Held, Kept

ODD = [
    Facts(50, 1000, "", 1.5), Facts(0), Facts(3, 0, "", 2e9), Facts(7, None, "cursor", 1.0),
    Facts(7, 40, "cursor", 1.0), Facts(1, -5), Facts(1, -1), Facts(1, 2**63), Facts(1, 10**30, "n"),
]  # fmt: skip


@pytest.mark.parametrize("facts", ODD)
def test_what_is_put_comes_back(facts: Facts) -> None:
    held = Held()
    held.put("other", 3, Kept(Facts(9, 9, "", 9.0), "a", 9, 9))
    held.put("item", 3, Kept(facts, "b", 2**40, 77))
    assert held.get("item", 3) == Kept(facts, "b", 2**40, 77)
    assert held.facts()["item"] == {3: facts}
    assert type(held.get("item", 3).facts.total) is type(facts.total)


def test_it_does_what_a_dict_of_dicts_does() -> None:
    chance = random.Random(3)
    held, plain = Held(), dict[str, dict[int, Kept]]()
    for number in range(5000):
        key = f"item {chance.randrange(9)}"
        if chance.random() < 0.002:
            assert held.pop(key) == tuple(sorted(plain.pop(key, {})))
        part = chance.randrange(200)
        kept = Kept(chance.choice(ODD), f"file {number // 100}", number * 1000, number)
        held.put(key, part, kept)
        plain.setdefault(key, {})[part] = kept
    assert len(held) == sum(map(len, plain.values())) > 1000
    for key, parts in plain.items():
        assert held.parts(key) == tuple(sorted(parts))
        assert {part: held.get(key, part) for part in held.parts(key)} == parts
    assert held.facts() == {k: {p: kept.facts for p, kept in v.items()} for k, v in plain.items()}


@pytest.mark.parametrize("part", [0, 2, 9])
def test_a_page_that_is_not_there(part: int) -> None:
    held = Held()
    held.put("item", 1, Kept(Facts(1), "", 0, 1))
    held.put("item", 5, Kept(Facts(1), "", 0, 1))
    with pytest.raises(KeyError):
        held.get("item", part)
    with pytest.raises(KeyError):
        held.get("nothing", 1)
    assert held.parts("nothing") == held.pop("nothing") == ()


def test_a_page_costs_some_seventy_bytes() -> None:
    held = Held()
    for part in range(20_000):
        held.put("item", part, Kept(Facts(50, 1_000_000, "", 1.5), "part", part * 9000, 9000))
    columns = [held._counts, held._sizes, held._moments, *held._items["item"]]
    assert not held._whole
    assert sum(map(sys.getsizeof, columns)) / 20_000 < 75
