"""The merged search reaches what brute force reaches, no more and no less."""

import random

import pytest

from alinb.doctor.search import Search
from alinb.recipes import SYSTEM
from tests.benchmarks.doctor import CONTEXT, PARAMS, combinations, kinds, rebuilt

KINDS = kinds()


def smallest(signature: str, depth: int) -> tuple[int, list[frozenset[str]]]:
    space = Search(SYSTEM, KINDS, PARAMS, CONTEXT)
    for total in range(depth + 1):
        if paths := space.match(signature, total):
            return total, [frozenset(turn.id for turn in path) for path in paths]
    return -1, []


@pytest.fixture(scope="module")
def reached() -> dict[str, list[frozenset[str]]]:
    """Every signature of up to three mistakes by brute force, with the smallest ways to it."""
    found: dict[str, list[frozenset[str]]] = {}
    for chosen in combinations(KINDS, 3):
        ids = frozenset(turn.id for turn in chosen)
        ways = found.setdefault(rebuilt(chosen), [])
        if not ways or len(ids) == len(ways[0]):
            ways.append(ids)
    return found


def test_brute_force_and_the_engine_make_the_same_signature():
    rng = random.Random(3)
    for chosen in rng.sample(list(combinations(KINDS, 3)), 300):
        assert SYSTEM.turned(*chosen).signer(CONTEXT).sign(PARAMS) == rebuilt(chosen)


def test_every_signature_of_brute_force_is_reached_at_its_least_number(reached):
    rng = random.Random(5)
    signatures = rng.sample(sorted(reached), 400)
    signatures += [s for s, ways in reached.items() if len(ways[0]) < 2]
    for signature in signatures:
        size, named = smallest(signature, 3)
        ways = reached[signature]
        assert size == len(ways[0]), (ways, named)
        assert set(ways) <= set(named), (ways, named)


def test_the_search_claims_nothing_that_brute_force_does_not_reach(reached):
    rng = random.Random(9)
    for signature in rng.sample(sorted(reached), 200):
        size, named = smallest(signature, 3)
        for ids in named:
            chosen = [turn for turn in KINDS if turn.id in ids]
            assert size == len(ids)
            assert rebuilt(chosen) == signature


def test_many_signatures_are_shared_and_so_merged(reached):
    assert len(reached) > 3000
    assert sum(len(ways) > 1 for ways in reached.values()) > 20


@pytest.mark.parametrize(("depth", "count"), [(2, 900), (3, 90), (4, 10)])
def test_a_random_signature_is_explained_by_nothing(depth, count):
    rng = random.Random(depth)
    space = Search(SYSTEM, KINDS, PARAMS, CONTEXT)
    for _ in range(count):
        bits = rng.choice((128, 160, 256, 512))
        signature = f"{rng.getrandbits(bits):0{bits // 4}{rng.choice('xX')}}"
        assert not any(space.match(signature, total) for total in range(depth + 1))
