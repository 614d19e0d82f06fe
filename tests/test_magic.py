"""The magic answers as the functions do, and shows no secret."""

import pytest

import alinb
from alinb import magic

SECRET = "canary-secret-helloworld"
APP = alinb.App("12345678", SECRET)


@pytest.fixture
def curl():
    signed = alinb.sign("/auth/token/create", {"code": "3_12345678_abcdefgh"}, app=APP, verb="GET")
    wrong = alinb.mistaken(signed, "path_prefix_missing")
    return f"curl '{wrong.url}'"


def test_a_cell_is_diagnosed_with_the_secret_of_a_variable(curl):
    found = magic.alinb("diagnose app", curl, namespace={"app": APP})
    assert found.mistakes == ("path_prefix_missing",)
    assert SECRET not in repr(found) + str(found) + found._repr_html_()


@pytest.mark.parametrize("held", [APP.secret, SECRET, alinb.Sandbox(app_key="1", secret=SECRET)])
def test_the_variable_may_hold_a_secret_a_text_or_whatever_has_an_app(curl, held):
    assert magic.alinb("x", curl, namespace={"x": held}).verdict == "explained"


def test_the_environment_is_the_default(curl, monkeypatch):
    monkeypatch.setenv("ALINB_APP_SECRET", SECRET)
    assert magic.alinb("", curl).mistakes == ("path_prefix_missing",)
    monkeypatch.delenv("ALINB_APP_SECRET")
    assert magic.alinb("", curl).verdict == "unexplained"


def test_verify_and_explain(curl):
    assert magic.alinb("verify app", curl, namespace={"app": APP}).ok is False
    assert magic.alinb("explain", "InvalidCode").code == "InvalidCode"


@pytest.mark.parametrize(
    ("line", "cell", "said"),
    [
        ("diagnose nothing", "curl https://a", "There is no variable 'nothing'"),
        ("verify", "https://h/rest/a?sign=A", "There is no app secret"),
        ("", "what is this", "IntakeError"),
        ("diagnos app", "curl https://a", "Did you mean diagnose?"),
        ("diagnose app loudly", "curl https://a", "There is a word too many."),
        ("diagnose app", "\n  \n", "There is nothing in it."),
        ("diagnose none", "curl https://a", "none holds a NoneType."),
        ("diagnose blank", "curl https://a", "blank holds an empty text."),
        ("diagnose app", '{"code": "IncompleteSignature", "message": "x"}', "alinb explain says"),
        ("diagnose app", "import requests\nrequests.get(url)", "print(vars(r.request))"),
        ("diagnose", None, "For a request begin a cell with %%alinb diagnose"),
    ],
)
def test_an_error_is_one_line_with_a_next_step_and_no_traceback(line, cell, said, monkeypatch):
    monkeypatch.delenv("ALINB_APP_SECRET", raising=False)
    answer = magic.alinb(line, cell, namespace={"app": APP, "none": None, "blank": ""})
    assert said in repr(answer)
    assert "\n" not in repr(answer)


@pytest.mark.parametrize(
    ("line", "cell"),
    [
        ("diagnose {}", "curl https://a"),
        ("diagnose '{}'", "curl https://a"),
        ("diagnose secret={}", "curl https://a"),
        ("diagnose app {}", "curl https://a"),
        ("diagnose app", "{}/auth/token/create is what I hash"),
        ("diagnose app", "string to sign: {}app_key1{}"),
        ("diagnose app", "curl example?app_secret={}"),
        ("diagnose app", "{}"),
    ],
)
def test_no_error_repeats_a_secret_that_was_pasted(line, cell):
    secret = "8b1f6c0a2e9d4735b6c8d0e1f2a3b4c5"
    app = alinb.App("1", secret)
    shown = magic.alinb(line.format(secret), cell.format(secret, secret), namespace={"app": app})
    assert secret[:8] not in repr(shown) + str(shown)


def test_the_secret_may_be_named_as_people_write_it(curl):
    assert magic.alinb("secret=app", curl, namespace={"app": APP}).verdict == "explained"


def test_without_a_secret_the_way_to_a_proof_is_told(curl, monkeypatch, capsys):
    monkeypatch.delenv("ALINB_APP_SECRET", raising=False)
    assert magic.alinb("diagnose", curl).verdict == "unexplained"
    assert (
        "Without the app secret nothing is proved. Set ALINB_APP_SECRET" in capsys.readouterr().out
    )


def test_the_status_names_what_is_set_and_hides_the_secret(monkeypatch):
    monkeypatch.setenv("ALINB_APP_SECRET", SECRET)
    monkeypatch.setenv("ALINB_APP_KEY", "12345678")
    shown = repr(magic.alinb(""))
    assert "ALINB_APP_KEY: 12345678" in shown
    assert "ALINB_APP_SECRET: set" in shown
    assert SECRET not in shown
    assert "journal: " in shown


def test_it_loads_into_a_real_shell(curl):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "alinb")
    shell.user_ns["app"] = APP
    found = shell.run_cell_magic("alinb", "diagnose app", curl)
    assert found.mistakes == ("path_prefix_missing",)
    assert alinb.__version__ in repr(shell.run_line_magic("alinb", ""))
