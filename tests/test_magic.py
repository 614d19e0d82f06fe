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
    ],
)
def test_an_error_is_one_line_and_no_traceback(line, cell, said, monkeypatch):
    monkeypatch.delenv("ALINB_APP_SECRET", raising=False)
    answer = magic.alinb(line, cell)
    assert said in repr(answer)
    assert "\n" not in repr(answer)


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
