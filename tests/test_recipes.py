import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alinb.recipes import RECIPES, hmac_of, plain_digest
from alinb.redact import Secret
from alinb.stages import Context

SECRET, PATH = "helloworld", "/auth/token/create"
PARAMS = {
    "timestamp": "1517820392000", "app_key": "12345678", "Zeta": "1", "_x": "2", "sign_method": "x",
    "code": "3_500102_Jx é中😀&=+% ", "empty": "", "foobar": "4", "foo_bar": "3", "foo": "1",
    "sign": "IGNORED", "_aop_signature": "IGNORED",
}  # fmt: skip


def joined(leave_out: str) -> str:
    return "".join(n + PARAMS[n] for n in sorted(PARAMS) if n != leave_out)


def mac(algorithm: Any, text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), algorithm).hexdigest().upper()


FORMULAS: Mapping[str, tuple[str, str]] = {
    "system": (
        PATH + joined("sign"),
        mac(hashlib.sha256, PATH + joined("sign")),
    ),
    "business": (
        joined("sign"),
        mac(hashlib.sha256, joined("sign")),
    ),
    "top_md5": (
        SECRET + joined("sign") + SECRET,
        hashlib.md5((SECRET + joined("sign") + SECRET).encode()).hexdigest().upper(),
    ),
    "top_hmac_md5": (
        joined("sign"),
        mac(hashlib.md5, joined("sign")),
    ),
    "aop_hmac_sha1": (
        PATH + joined("_aop_signature"),
        mac(hashlib.sha1, PATH + joined("_aop_signature")),
    ),
}


def test_there_are_five_recipes() -> None:
    assert list(RECIPES) == list(FORMULAS)
    assert [recipe.name for recipe in RECIPES.values()] == list(FORMULAS)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_recipe_is_its_formula(name: str) -> None:
    text, signature = FORMULAS[name]
    signer = RECIPES[name].signer(Context(Secret(SECRET), path=PATH))
    walk = signer.walk(PARAMS)
    assert walk.string_to_sign == text
    assert walk.signature == signature
    assert signer.sign(PARAMS) == signature
    assert walk.digest == signature.lower()
    assert walk.recipe is RECIPES[name]


@pytest.mark.parametrize("name", FORMULAS)
def test_every_stage_has_its_turns_and_none_is_a_mistake(name: str) -> None:
    recipe = RECIPES[name]
    assert recipe.mistakes == ()
    assert len(recipe.turns) == 9
    assert [len(ids) for ids in recipe.turn_ids.values()] == [1, 0, 1, 1, 2, 1, 2, 1]
    assert [turn.place for turn in recipe.turns] == sorted(turn.place for turn in recipe.turns)


def test_the_order_is_by_character_code() -> None:
    walk = RECIPES["business"].signer(Context(Secret(SECRET))).walk(PARAMS)
    assert walk.order == (
        "Zeta", "_aop_signature", "_x", "app_key", "code", "empty", "foo", "foo_bar", "foobar",
        "sign_method", "timestamp",
    )  # fmt: skip


def test_a_secret_with_half_a_surrogate_pair_keys_its_bytes() -> None:
    signer = RECIPES["business"].signer(Context(Secret("key\udce9")))
    key = "key\udce9".encode("utf-8", "surrogatepass")
    assert signer.sign({"a": "1"}) == hmac.new(key, b"a1", "sha256").hexdigest().upper()


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_hmac_of_is_hmac(algorithm: str) -> None:
    block = hashlib.new(algorithm).block_size

    @settings(deadline=None, max_examples=300)
    @given(st.binary(max_size=2 * block), st.lists(st.binary(max_size=200), min_size=1, max_size=3))
    @example(b"", [b"", b"x"])
    @example(b"k" * (block - 1), [b"m"])
    @example(b"k" * block, [b"m"])
    @example(b"k" * (block + 1), [b"m"])
    @example(b"\0" * (2 * block), [b"m", b"m" * block, b""])
    def same(key: bytes, messages: list[bytes]) -> None:
        mac_of = hmac_of(algorithm, key)
        assert [mac_of(m) for m in messages] == [hmac.digest(key, m, algorithm) for m in messages]

    same()


def test_a_plain_digest_ignores_the_key() -> None:
    assert plain_digest("md5", b"key")(b"abc").hex() == "900150983cd24fb0d6963f7d28e17f72"
    assert plain_digest("md5", b"key")(b"abc") == plain_digest("md5", b"other")(b"abc")
