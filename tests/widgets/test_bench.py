"""SignatureBench without a browser: what its controls do, and what its picture says."""

import random
import time

import pytest

import alinb
from alinb.widgets.base import Event
from alinb.widgets.bench import SignatureBench

APP = alinb.App("12345678", "helloworld")
EVIL = '"><img src=x onerror=alert(1)>'


@pytest.fixture
def panel():
    made = SignatureBench("/auth/token/create", app=APP, chance=random.Random(5))
    yield made
    made.close()


def row_of(panel, name):
    return next(row for row in panel.bench.rows if row.name == name)


def test_a_stage_turned_wrong_is_named_and_explained(panel):
    assert panel.status.startswith("✓ Right signature")
    panel.act("turn", Event("wrap", "secret_wrapped"))
    assert panel.status == "✗ Wrong signature. The secret stands around the string (at wrap)."
    assert "At wrap: The secret stands around the string" in panel.view
    assert "Change this." in panel.view
    assert "≠ expected" in panel.view
    assert panel.mistakes == ("secret_wrapped",)
    panel.act("turn", Event("wrap", ""))
    assert panel.status.startswith("✓")
    assert "= expected" in panel.view


def test_the_eight_switches_are_there_and_turn(panel):
    assert panel.view.count('role="switch"') == panel.view.count("data-when") - 8 == 8
    for stage in alinb.stages.STAGES:
        panel.act("switch", Event(stage, ""))
        assert panel.status.startswith("✗ Wrong signature."), stage
        assert f"(at {stage})" in panel.status
        panel.act("switch", Event(stage, "on"))
        assert panel.status.startswith("✓")


def test_a_switch_without_a_wrong_turn_says_so(panel):
    for row in list(panel.bench.rows):
        panel.act("remove", Event(str(row.number)))
    panel.act("switch", Event("order", ""))
    assert "Nothing can go wrong at order" in panel.status


def test_editing_a_value_changes_string_and_signature(panel):
    before = panel.bench.workings().actual
    panel.act("edit", Event(f"{row_of(panel, 'app_key').number}.value", "777"))
    assert ">777</code>" in panel.view
    assert panel.bench.workings().actual != before
    panel.act("add")
    panel.act("edit", Event(f"{panel.bench.rows[-1].number}.name", "fresh"))
    assert "Value of fresh" in panel.view


def test_how_a_parameter_is_signed_stands_beside_it(panel):
    panel.act("turn", Event("select", "timestamp_not_signed"))
    assert "not signed" in panel.view
    panel.act("straighten")
    panel.act("turn", Event("format", "timestamp_seconds_signed"))
    stamp = row_of(panel, "timestamp").value
    assert f"signed as {stamp[:-3]}<" in panel.view


def test_a_pasted_curl_command_is_laid_out(panel):
    wrong = alinb.mistaken(
        alinb.sign("/auth/token/refresh", {"refresh_token": "CANARY"}, app=APP, verb="GET"),
        "path_prefix_missing",
    )
    panel.act("load", Event(fields={"request": f"curl '{wrong.url}'"}))
    assert panel.heading() == "Signature bench: GET /auth/token/refresh"
    assert "The API path is missing in front (at wrap)" in panel.status
    assert f"{wrong.signature}</code></td><td>= actual" in panel.view
    assert "CANARY" not in panel.view
    panel.act("load", Event(fields={"request": "what is this"}))
    assert panel.status.startswith("✗ It is none of the forms")
    assert "/auth/token/refresh" in panel.heading()


def test_a_request_without_a_secret_asks_for_one():
    url = "https://api-sg.aliexpress.com/rest/a/b?app_key=1&timestamp=1&sign=AB"
    panel = SignatureBench(url)
    assert "give it below" in panel.view
    panel.act("secret", Event(fields={"secret": "s3cretCANARY"}))
    assert "expected" in panel.view
    assert "s3cretCANARY" not in str(panel.get_state())
    panel.act("secret", Event(fields={"secret": ""}))
    assert "No secret was typed" in panel.status
    panel.close()


def test_a_dealt_mistake_is_hidden_until_found_and_counted_once(panel):
    panel.act("deal")
    right = panel.bench.dealt
    id_ = right.partition("~")[0]
    stage = next(t.stage for ts in panel.bench.workings().options.values() for t in ts
                 if t.id == id_)  # fmt: skip
    assert "A program signs wrong" in panel.status
    assert "the program&#x27;s" in panel.view
    other = next(s for s in alinb.stages.STAGES if s != stage)
    panel.act("switch", Event(other, ""))
    assert "A program signs wrong" in panel.status
    assert "Change this." not in panel.view, "the bench does not give it away"
    panel.act("switch", Event(other, "on"))
    panel.turn(stage, right)
    panel.turn(stage, right)
    assert panel.status.startswith("✓ Found: ")
    assert panel.score == {"found": 1, "given up": 0, "tries": 2}


def test_giving_up_shows_the_mistake_and_counts_as_that(panel):
    panel.act("give_up")
    panel.act("deal")
    panel.act("give_up")
    panel.act("give_up")
    assert panel.status.startswith("✓ It was this: ")
    assert panel.score == {"found": 0, "given up": 1, "tries": 0}
    assert "Change this." in panel.view


def test_the_score_is_told_but_never_part_of_the_state(panel):
    said = []
    panel.send = said.append
    panel.act("deal")
    panel.act("give_up")
    assert {"whisper": "score", "text": "found 0, given up 1, tries 0"} in said
    assert "given up 1" not in str(panel.get_state())


def test_injected_html_in_names_values_and_requests_stays_text(panel):
    panel.act("add")
    number = panel.bench.rows[-1].number
    panel.act("edit", Event(f"{number}.name", EVIL))
    panel.act("edit", Event(f"{number}.value", EVIL))
    panel.act("load", Event(fields={"request": EVIL}))
    panel.act("rename", Event(fields={"name": EVIL}))
    panel.act("turn", Event(EVIL, EVIL))
    for page in (panel.view, panel._repr_html_()):
        assert "<img" not in page
        assert "&lt;img" in page


def test_a_value_typed_before_its_name_is_in_no_state(panel):
    panel.act("add")
    number = panel.bench.rows[-1].number
    panel.act("edit", Event(f"{number}.value", "TOKENCANARY"))
    assert "TOKENCANARY" not in str(panel.get_state())
    panel.act("edit", Event(f"{number}.name", "access_token"))
    assert "TOKENCANARY" not in str(panel.get_state())
    assert "hidden, 11 characters" in panel.view


def test_the_text_twin_is_that_of_the_plain_bench(panel):
    panel.turn("wrap", "secret_wrapped")
    assert str(panel) == str(panel.bench)
    assert repr(panel) == "<SignatureBench: Signature bench: POST /auth/token/create>"
    data, _ = panel._repr_mimebundle_()
    assert (
        "secret" not in data["text/plain"].replace("‹app_secret›", "").partition("string")[2][:99]
    )


def test_a_key_press_with_forty_parameters_costs_the_kernel_little():
    many = {f"param_{i:02}": f"value {i} é+%" for i in range(36)}
    panel = SignatureBench(alinb.sign("aliexpress.ds.product.get", many, app=APP))
    assert len(panel.bench.rows) == 40
    number = panel.bench.rows[20].number
    took = []
    for i in range(15):
        begun = time.perf_counter()
        panel.act("edit", Event(f"{number}.value", "x" * i))
        took.append(time.perf_counter() - begun)
    panel.close()
    assert min(took) < 0.06, "most of the 100 ms belong to the browser"
