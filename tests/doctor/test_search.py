"""The merged search reaches what brute force reaches, no more and no less."""

import base64
import hashlib
import hmac
import json
import os
import random
import time
from urllib.parse import urlencode

import pytest

from alinb.doctor import diagnose, states
from alinb.doctor.mistakes import turns
from alinb.doctor.search import Search
from alinb.recipes import SYSTEM
from alinb.signing import Interface
from tests.benchmarks.doctor import CONTEXT, PARAMS, PATH, combinations, kinds, rebuilt

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
    signatures = rng.sample(sorted(reached), 150)
    signatures += [s for s, ways in reached.items() if len(ways[0]) < 3]
    for signature in signatures:
        size, named = smallest(signature, 3)
        ways = reached[signature]
        assert size == len(ways[0]), (ways, named)
        assert set(ways) <= set(named), (ways, named)


@pytest.mark.parametrize("size", [16, 20, 32, 64])
def test_the_search_makes_the_very_digests_of_brute_force(size):
    forward = [turn for turn in KINDS if turn.stage != "encode"]
    wanted = {
        text for chosen in combinations(forward, 3) if len(text := rebuilt(chosen)) == 2 * size
    }
    space = Search(SYSTEM, forward, PARAMS, CONTEXT)
    made = {
        way.whole(batch.head + body).hex().upper()
        for total in range(4)
        for batch in space.batches("0A" * size, total)
        for way in batch.ways
        for body in batch.bodies
    }
    assert made == wanted
    assert len(made) > 50


def test_the_search_claims_nothing_that_brute_force_does_not_reach(reached):
    rng = random.Random(9)
    for signature in rng.sample(sorted(reached), 100):
        size, named = smallest(signature, 3)
        for ids in named:
            chosen = [turn for turn in KINDS if turn.id in ids]
            assert size == len(ids)
            assert rebuilt(chosen) == signature


def test_many_signatures_are_shared_and_so_merged(reached):
    assert len(reached) > 3000
    assert sum(len(ways) > 1 for ways in reached.values()) > 20


#: `ALINB_RANDOM=1000` makes it a thousand, most of them at depth 3.
RANDOM = int(os.environ.get("ALINB_RANDOM", "300"))


@pytest.mark.parametrize(("depth", "count"), [(3, RANDOM - RANDOM // 20), (4, RANDOM // 20)])
def test_a_random_signature_is_explained_by_nothing(depth, count):
    rng = random.Random(depth)
    space = Search(SYSTEM, KINDS, PARAMS, CONTEXT)
    for _ in range(count):
        bits = rng.choice((128, 160, 256, 512))
        signature = f"{rng.getrandbits(bits):0{bits // 4}{rng.choice('xX')}}"
        assert not any(space.match(signature, total) for total in range(depth + 1))


@pytest.mark.parametrize("encoded", ["base64", "URL-safe", "nonsense", "hex"])
def test_nor_is_one_in_another_alphabet(encoded):
    rng = random.Random(encoded)
    for _ in range(10):
        mac = rng.randbytes(rng.choice((16, 20, 32, 64)))
        signature = {
            "base64": base64.b64encode(mac).decode(),
            "URL-safe": base64.urlsafe_b64encode(mac).decode().rstrip("="),
            "nonsense": mac.decode("latin-1"),
            "hex": mac.hex()[: rng.randint(0, 60)],
        }[encoded]
        wrong = turns(SYSTEM, Interface("system", CONTEXT.path), PARAMS, CONTEXT)
        space = Search(SYSTEM, wrong, PARAMS, CONTEXT)
        assert not any(space.match(signature, total) for total in range(3))


def test_rare_turns_are_left_out_of_large_companies_unless_asked_for():
    wrong = turns(SYSTEM, Interface("system", CONTEXT.path), PARAMS, CONTEXT)
    known = {(turn.id, turn.detail): turn for turn in wrong}
    chosen = (
        known["param_signed_not_sent", "v=2.0"], known["kv_separators", ""],
        known["secret_wrapped", ""],
    )  # fmt: skip
    assert [turn.rare for turn in chosen] == [True, False, False]
    signature = SYSTEM.turned(*chosen).signer(CONTEXT).sign(PARAMS)
    space = Search(SYSTEM, wrong, PARAMS, CONTEXT)
    assert space.match(signature, 3) == []
    (path,) = space.match(signature, 3, rare=True)
    assert set(path) == set(chosen)


def test_a_search_counts_what_it_tries():
    space = Search(SYSTEM, KINDS, PARAMS, CONTEXT)
    space.match("0A" * 32, 0)
    assert space.tried == 1
    space.match("0A" * 32, 1)
    assert 20 < space.tried < 60


def test_a_search_that_grows_too_large_ends_early_and_says_so(monkeypatch):
    wrong = f"https://api-sg.aliexpress.com/rest{PATH}?{urlencode({**PARAMS, 'sign': '0A' * 32})}"
    monkeypatch.setattr(states, "LARGEST", 500_000)
    found = diagnose(wrong, secret="s")
    assert (found.verdict, found.complete) == ("unexplained", False)
    assert "stopped" in found.summary
    assert "wrong_secret" not in {finding.id for finding in found.findings}
    assert found.searched > 1000


def test_the_authors_own_string_is_explained_all_the_same(monkeypatch):
    monkeypatch.setattr(states, "LARGEST", 50_000)
    string = "&".join(f"{name}={PARAMS[name]}" for name in sorted(PARAMS))
    sign = hashlib.sha1(string.encode()).hexdigest()
    url = f"https://api-sg.aliexpress.com/rest{PATH}?{urlencode({**PARAMS, 'sign': sign})}"
    found = diagnose({"url": url, "string_to_sign": string}, secret="s")
    assert (found.verdict, found.complete) == ("explained", True)
    assert set(found.mistakes) > {"digest_sha1", "lowercase_hex"}


def test_a_long_request_is_searched_within_bounds():
    params = {**PARAMS, "payload": json.dumps({"text": "<é> & " * 20_000})}
    text = PATH + "".join(name + params[name] for name in sorted(params))
    sign = hmac.new(b"s", text.encode(), "sha256").hexdigest()
    body = urlencode({**params, "sign": sign})
    request = {"method": "POST", "url": f"https://api-sg.aliexpress.com/rest{PATH}", "body": body}
    began = time.process_time()
    assert diagnose(request, secret="s").mistakes == ("lowercase_hex",)
    assert diagnose(request, secret="other").verdict == "unexplained"
    assert time.process_time() - began < 20
