from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest

from alinb.calls import Call, spell
from alinb.errors import InputError
from alinb.redact import REQUEST_KINDS, Secret


class Currency(StrEnum):
    EUR = "EUR"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"), (" kept as is ", " kept as is "), ("", ""), (None, ""),
        ("câble USB 中文 & 100%+/=", "câble USB 中文 & 100%+/="), ("😀e\u0301", "😀e\u0301"),
        (True, "true"), (False, "false"), (0, "0"), (-7, "-7"),
        (1005003784285827, "1005003784285827"), (12000030321234567, "12000030321234567"),
        (Decimal("12.50"), "12.50"), (1.5, "1.5"), (0.1, "0.1"),
        (datetime(2026, 3, 22, 1, 2, 3, 999), "2026-03-22 01:02:03"),
        (datetime(2026, 3, 22, 23, 0, tzinfo=UTC), "2026-03-22 23:00:00"),
        (Currency.EUR, "EUR"), (Secret("tok", "access_token"), "tok"),
        ({}, "{}"), ([], "[]"), ((), "[]"), ([1, "2", None, True], '[1,"2",null,true]'),
        ({"b": {"é": [False, 1.5]}, "a": "x y"}, '{"b":{"é":[false,1.5]},"a":"x y"}'),
        (OrderedDict(z=1, a='"'), '{"z":1,"a":"\\""}'), (("EU", "US"), '["EU","US"]'),
    ],
)  # fmt: skip
def test_spelling(value: Any, text: str) -> None:
    assert spell(value) == text
    call = Call.of("a.b", {"x": value})
    assert call.params == ({"x": text} if text else {})
    assert call.files == {}


@pytest.mark.parametrize(
    "value", [{"a": {1, 2}}, [b"x"], {"a": Decimal(1)}, [datetime(2026, 1, 1)], [Secret("x")],
              MappingProxyType({"a": 1}), {(1, 2): 3}],
)  # fmt: skip
def test_a_value_without_a_json_form_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InputError, match="Parameter 'query' cannot be written as JSON: ") as raised:
        Call.of("a.b", {"query": value})
    assert raised.value.next_step == "Use text, numbers, booleans, lists and dictionaries."


def test_a_circular_value_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(InputError, match="Circular reference"):
        Call.of("a.b", {"x": value})


def test_bytes_become_a_file() -> None:
    call = Call.of("a.b", {"image": b"\xff\xd8", "x": 1}, {"other": ("b.png", b"png")})
    assert call.params == {"x": "1"}
    assert call.files == {"image": ("image", b"\xff\xd8"), "other": ("b.png", b"png")}


def test_bytes_alone_have_no_spelling() -> None:
    with pytest.raises(InputError, match="Parameter 'image' is bytes"):
        spell(b"x", "image")


def test_empties_are_dropped_and_order_is_kept() -> None:
    call = Call.of("a.b", {"z": 0, "e": "", "n": None, "f": False, "a": " ", "l": []})
    assert list(call.params.items()) == [("z", "0"), ("f", "false"), ("a", " "), ("l", "[]")]
    assert Call.of("a.b").params == {}
    assert Call.of("a.b", None, None) == Call("a.b", {}, {})


def test_what_was_given_is_not_changed() -> None:
    params, files = {"a": None, "b": b"x"}, {"c": ("c", b"y")}
    Call.of("a.b", params, files)
    assert params == {"a": None, "b": b"x"}
    assert files == {"c": ("c", b"y")}


@pytest.mark.parametrize("name", ["", " ", "\n", " a.b", "a.b ", "/auth/token/create\n", "\ta"])
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(InputError) as raised:
        Call.of(name)
    assert raised.value.message == f"{name!r} is not an API name."
    assert "/auth/token/create or aliexpress.ds.product.get" in raised.value.next_step


@pytest.mark.parametrize(
    ("name", "is_path"),
    [("/auth/token/create", True), ("auth/token/create", True), ("aliexpress.ds.get", False)],
)
def test_a_slash_makes_a_path_call(name: str, is_path: bool) -> None:
    assert Call.of(name).is_path is is_path


@pytest.mark.parametrize("name", [*REQUEST_KINDS, "Code", "SESSION"])
def test_the_repr_hides_what_a_name_tells_to_be_secret(name: str) -> None:
    call = Call.of("/auth/token/create", {name: "3_500102_Jx", "uuid": "shown"})
    kind = REQUEST_KINDS[name.lower()]
    assert repr(call) == (f"Call('/auth/token/create', {{'{name}': '‹{kind}›', 'uuid': 'shown'}})")
    assert "3_500102_Jx" not in f"{call} {[call]}"
    assert call.params[name] == "3_500102_Jx"


@pytest.mark.parametrize(
    "name", ["/a/b?x=1", "https://h/sync", "/a#b", "a b", "aliexpress..get", "/"]
)
def test_a_text_that_is_no_api_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="is not an API name"):
        Call.of(name)


@pytest.mark.parametrize("name", ["/auth/token/create", "/v2.0/categories", "a.b.c", "/x/{id}/y"])
def test_names_of_every_kind_are_taken(name: str) -> None:
    assert Call.of(name).name == name


@pytest.mark.parametrize("value", [object(), float("nan"), float("nan") * 1j, {"a": float("inf")}])
def test_a_value_without_a_text_form_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="'x'"):
        spell(value, "x")


def test_scalars_of_numpy_and_pandas_are_spelled_like_pythons_own() -> None:
    import numpy as np

    assert [spell(v) for v in (np.int64(7), np.float64(1.5), np.bool_(True), np.str_("a"))] == [
        "7",
        "1.5",
        "true",
        "a",
    ]
