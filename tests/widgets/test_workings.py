"""What lies on the bench and what comes out: by the published vector and the doctor."""

import random

import pytest

import alinb
from alinb.errors import InputError, IntakeError
from alinb.redact import Secret
from alinb.stages import STAGES
from alinb.widgets.turning import key_of
from alinb.widgets.twin import Bench, bench

APP = alinb.App("12345678", "helloworld")
AT = 1517820392000
CODE = "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26"
#: The worked example of AliExpress openservice 1385.
PUBLISHED = "35607762342831B6A417A0DED84B79C05FEFBF116969C48AD6DC00279A9F4D81"


@pytest.fixture
def made():
    return bench(alinb.sign("/auth/token/create", {"code": CODE}, app=APP, timestamp=AT))


def test_the_published_example_lies_right_on_the_bench(made):
    now = made.workings()
    assert (now.expected, now.actual, now.ok) == (PUBLISHED, PUBLISHED, True)
    assert made.verdict().startswith("Right signature")
    assert set(now.options) == set(STAGES)
    assert made.mistakes == ()


@pytest.mark.parametrize(
    ("stage", "mistake"),
    [
        ("select", "timestamp_not_signed"),
        ("format", "timestamp_seconds_signed"),
        ("order", "unsorted"),
        ("join", "kv_separators"),
        ("wrap", "secret_wrapped"),
        ("key", "key_ampersand"),
        ("digest", "digest_md5"),
        ("encode", "lowercase_hex"),
    ],
)
def test_each_stage_turns_as_the_one_engine_does(made, stage, mistake):
    made.turn(stage, mistake)
    right = alinb.sign("/auth/token/create", {"code": CODE}, app=APP, timestamp=AT)
    twin = alinb.mistaken(right, mistake)
    now = made.workings()
    assert now.actual == twin.signature != now.expected == PUBLISHED
    assert now.made.string_to_sign == twin.string_to_sign
    assert made.mistakes == (mistake,)
    assert f"(at {stage})" in made.verdict()
    made.turn(stage)
    assert made.workings().ok


def test_wrong_turns_of_several_stages_add_up(made):
    made.turn("wrap", "path_prefix_missing")
    made.turn("encode", "lowercase_hex")
    found = alinb.diagnose(
        {"method": "GET", "url": f"https://api-sg.aliexpress.com/rest/auth/token/create"
         f"?app_key=12345678&timestamp={AT}&sign_method=sha256&code={CODE}"
         f"&sign={made.workings().actual}"},
        secret="helloworld",
    )  # fmt: skip
    assert set(found.mistakes) == set(made.mistakes) == {"path_prefix_missing", "lowercase_hex"}
    made.straighten()
    assert made.mistakes == ()


def test_every_turn_that_is_offered_changes_the_signature(made):
    offered = [(s, key_of(t)) for s, ts in made.workings().options.items() for t in ts]
    assert len(offered) > 40
    for stage, key in offered:
        made.turn(stage, key)
        assert not made.workings().ok, key
        made.turn(stage)


def test_a_turn_or_stage_that_is_none_is_refused(made):
    with pytest.raises(InputError, match="no stage"):
        made.turn("wash", "lowercase_hex")
    with pytest.raises(InputError, match="no wrong turn at order"):
        made.turn("order", "lowercase_hex")
    with pytest.raises(InputError, match=r"Possible here: .*secret_wrapped"):
        bench("/a/b", "no_such_mistake", app=APP)


def test_parameters_are_edited_added_and_removed(made):
    row = made.add("zeta", "1")
    assert made.workings().made.string_to_sign.endswith("zeta1")
    made.edit(row.number, "value", "2 é")
    made.edit(row.number, "name", "alpha")
    assert "/auth/token/createalpha2 éapp_key" in made.workings().made.string_to_sign
    made.remove(row.number)
    assert made.workings().expected == PUBLISHED
    made.add("", "nameless")
    assert made.workings().expected == PUBLISHED


def test_of_two_of_a_name_the_last_counts(made):
    made.add("app_key", "999")
    assert made.params["app_key"] == "999"


def test_a_turn_follows_the_parameter_it_is_made_on(made):
    made.turn("format", "timestamp_seconds_signed")
    row = next(row for row in made.rows if row.name == "timestamp")
    made.edit(row.number, "value", "1600000000000")
    assert "timestamp1600000000" in made.workings().made.string_to_sign
    assert "timestamp1600000000000" not in made.workings().made.string_to_sign
    made.remove(row.number)
    assert made.mistakes == (), "a turn that is impossible is not taken"


def test_another_name_makes_another_kind_of_call(made):
    made.rename("aliexpress.ds.product.get")
    assert made.params["method"] == "aliexpress.ds.product.get"
    assert made.workings().interface.kind == "business"
    made.rename("/auth/token/refresh")
    assert "method" not in made.params
    assert made.workings().interface.path == "/auth/token/refresh"
    with pytest.raises(InputError):
        made.rename("not a name")
    assert made.name == "/auth/token/refresh"


def test_a_pasted_request_is_turned_as_its_sender_turned(made):
    wrong = alinb.mistaken(
        alinb.sign("/auth/token/create", {"code": CODE}, app=APP, timestamp=AT, verb="GET"),
        "path_prefix_missing",
    )
    laid = bench(f"curl '{wrong.url}'", app=APP)
    assert laid.mistakes == ("path_prefix_missing",)
    assert laid.received == wrong.signature == laid.workings().actual
    assert laid.workings().expected == PUBLISHED


def test_without_a_secret_the_string_is_there_and_no_signature():
    laid = bench("https://api-sg.aliexpress.com/rest/a/b?app_key=1&timestamp=1&sign=AB")
    assert not laid.has_secret
    assert laid.verdict().startswith("The app secret is needed")
    assert laid.as_dict()["string_to_sign"] == "/a/bapp_key1timestamp1"
    assert (laid.as_dict()["expected"], laid.as_dict()["actual"]) == ("", "")
    laid.use(Secret("helloworld"))
    assert len(laid.as_dict()["expected"]) == 64


def test_the_environment_signs_where_no_app_is_given(monkeypatch):
    assert bench("/a/b").app == APP, "practice"
    monkeypatch.setenv("ALINB_APP_KEY", "77")
    monkeypatch.setenv("ALINB_APP_SECRET", "own secret")
    laid = bench("/a/b")
    assert (laid.app.key, laid.secret) == ("77", Secret("own secret"))


def test_what_cannot_be_read_leaves_the_bench_as_it_was(made):
    with pytest.raises(IntakeError):
        made.load("how do I sign?")
    assert made.workings().expected == PUBLISHED


def test_a_dealt_mistake_can_be_found_by_its_signature(made):
    for seed in range(30):
        made.deal(random.Random(seed))
        puzzle = made.puzzle()
        assert made.workings().ok
        assert puzzle is not None
        assert puzzle.signature != PUBLISHED
        made.show_dealt()
        assert made.workings().actual == puzzle.signature
        assert made.mistakes == (made.dealt.partition("~")[0],)


def test_deals_differ():
    laid = bench("/auth/token/create", app=APP)
    dealt = set()
    for seed in range(40):
        laid.deal(random.Random(seed))
        dealt.add(laid.dealt.partition("~")[0])
    assert len(dealt) > 15


@pytest.mark.parametrize("mistake", ["", "secret_wrapped", "body_appended", "string_urlencoded"])
def test_no_view_shows_the_secret_the_code_or_a_token(made, mistake):
    made.use(Secret("s3cr&t<CANARY"))
    made.add("access_token", "TOKENCANARY")
    if mistake:
        made.turn("wrap", mistake)
    shown = [str(made), repr(made), made._repr_html_(), str(made.as_dict()), made.code(),
             str(made.shown_segments(made.workings().made)), repr(made.rows)]  # fmt: skip
    for text in shown:
        assert [s for s in ("s3cr&t<CANARY", "s3cr&amp;t", CODE, "TOKENCANARY") if s in text] == []
    assert "‹access_token›" in made.shown_string(made.workings().made)


def test_a_row_once_hidden_stays_hidden(made):
    row = made.add("access_token", "TOKENCANARY")
    made.edit(row.number, "name", "access_tok")
    assert row.hidden
    assert "TOKENCANARY" not in str(made) + made._repr_html_() + made.code()


def test_the_twin_says_the_same_in_text_html_and_json(made):
    made.turn("encode", "lowercase_hex")
    facts = made.as_dict()
    assert facts["actual"] == PUBLISHED.lower()
    for shown in (str(made), made._repr_html_()):
        assert facts["string_to_sign"] in shown.replace("&#x27;", "'")
        assert facts["expected"] in shown
        assert facts["actual"] in shown
        assert "in lower case" in shown or "lower" in shown
    assert "alinb.mistaken(signed, 'lowercase_hex')" in made.code()


def test_the_code_that_is_shown_runs(made):
    made.turn("wrap", "secret_wrapped")
    code = made.code().replace("alinb.App.from_env()", "alinb.App('12345678', 'helloworld')")
    code = code.replace("‹your code›", CODE)
    space = {}
    *lines, last = code.splitlines()
    exec("\n".join(lines), space)  # noqa: S102
    assert space["signed"].signature == PUBLISHED
    assert eval(last, space).signature == made.workings().actual  # noqa: S307


def test_bench_is_a_bench():
    assert isinstance(bench(app=APP), Bench)
    assert repr(bench("/a/b", "secret_wrapped", app=APP)) == "<Bench /a/b: secret_wrapped>"
