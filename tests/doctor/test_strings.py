"""Two strings to sign laid against each other."""

import time

import pytest

from alinb.doctor.strings import align, invention
from alinb.recipes import BUSINESS, SYSTEM
from alinb.redact import Secret
from alinb.stages import Context, Segment

PARAMS = {"app_key": "500102", "code": "3_1_abc", "timestamp": "1777306720082"}
RIGHT = SYSTEM.signer(Context(Secret("s"), path="/auth/token/create")).walk(PARAMS)


def changes(theirs, right=RIGHT.segments):
    return [piece[:3] for piece in align(theirs, right) if piece.kind != "same"]


def test_equal_strings_have_no_change():
    assert changes(RIGHT.string_to_sign) == []


@pytest.mark.parametrize(
    ("theirs", "change"),
    [
        (RIGHT.string_to_sign[1:], [("missing", "", "/")]),
        (RIGHT.string_to_sign + "x", [("extra", "x", "")]),
        (RIGHT.string_to_sign.replace("/auth", "/rest/auth"), [("extra", "/rest", "")]),
        (RIGHT.string_to_sign.replace("500102", "999999"), [("changed", "999999", "500102")]),
        (RIGHT.string_to_sign.replace("code3_1_abc", ""), [("missing", "", "code3_1_abc")]),
    ],
)
def test_a_change_is_found_whole(theirs, change):
    found = changes(theirs)
    assert [kind for kind, *_ in found] == [kind for kind, *_ in change]
    letters = sorted("".join(a + b for _, a, b in found))
    assert letters == sorted("".join(a + b for _, a, b in change))


@pytest.mark.parametrize("theirs", ["", "x", "app_key=500102&code=3_1_abc", "é" * 50])
def test_the_pieces_make_up_both_strings(theirs):
    pieces = align(theirs, RIGHT.segments)
    assert "".join(p.theirs for p in pieces) == theirs
    assert "".join(p.right for p in pieces) == RIGHT.string_to_sign


def test_a_piece_says_which_part_it_is():
    labels = {p.right: p.label for p in align("", RIGHT.segments)}
    assert "path" in labels[RIGHT.string_to_sign]
    (missing,) = [p for p in align(RIGHT.string_to_sign[1:], RIGHT.segments) if p.kind != "same"]
    assert missing.label == "path"
    wrong = RIGHT.string_to_sign.replace("500102", "599102")
    (changed,) = [p for p in align(wrong, RIGHT.segments) if p.kind != "same"]
    assert changed.label == "value of app_key"


def test_separators_are_found_one_by_one():
    theirs = "&".join(f"{name}={PARAMS[name]}" for name in sorted(PARAMS))
    right = BUSINESS.signer(Context(Secret("s"))).walk(PARAMS).segments
    found = changes(theirs, right)
    assert "".join(extra for _, extra, _ in found).replace("changed", "") == "=&=&="
    assert {kind for kind, *_ in found} == {"extra"}


def test_a_hidden_value_is_one_sign():
    right = [Segment("value", "‹code 3f9a›", "code"), Segment("name", "x", "x")]
    assert changes("‹code 77aa›x", right) == [("changed", "‹code 77aa›", "‹code 3f9a›")]


def test_letters_in_common_by_chance_are_no_common_part():
    right = [Segment("path", "/auth/token/create"), Segment("name", "app_key")]
    assert changes("mysecretkeyapp_key", right) == [
        ("changed", "mysecretkey", "/auth/token/create")
    ]


def test_long_strings_are_aligned_in_no_time():
    value = "payload" * 9000
    right = [Segment("name", "a"), Segment("value", value, "a"), Segment("name", "z")]
    began = time.process_time()
    assert changes("a" + value.replace("load", "LOAD", 1) + "z", right) != []
    assert changes("q" * 60_000, right) != []
    assert time.process_time() - began < 2


def test_a_string_of_its_own_invention():
    assert invention("GET&%2F&app_key%3D1") == "aliyun_rpc_string"
    assert invention("whatever") == "ad_hoc_string"
