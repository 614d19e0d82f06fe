import copy
import importlib
import pickle
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import alinb
from alinb import errors
from alinb.app import App, Platform
from alinb.calls import Call
from alinb.errors import AlinbError, InputError, RateLimited, Refused
from alinb.redact import Secret, hide
from alinb.signing import recipe_named, sign

APP = App("12345678", "helloworld")


def drawn() -> Iterator[tuple[str, str, str]]:
    """(class, parent, description) of every line of the tree in the module's docstring."""
    above: dict[int, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.fullmatch(r"((?:[│ ]  )*(?:[├└]─ )?)([A-Z]\w+) {2,}(\S.*)", line)
        if found:
            depth = len(found[1]) // 3
            above[depth] = found[2]
            yield found[2], above[depth - 1] if depth else "Exception", found[3]


def real(parent: type[Exception]) -> Iterator[tuple[str, str]]:
    for child in parent.__subclasses__():
        yield child.__name__, parent.__name__
        yield from real(child)


CLASSES = [getattr(errors, name) for name, _, _ in drawn()]


def test_the_drawing_is_the_hierarchy_in_order() -> None:
    for module in pkgutil.walk_packages(alinb.__path__, "alinb."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    shown = [(name, parent) for name, parent, _ in drawn()]
    assert shown == [("AlinbError", "Exception"), *real(AlinbError)]
    assert len(shown) == 20
    assert ("MissingSecret", "InputError") in shown
    assert ("RateLimited", "Refused") in shown


def test_every_drawn_error_is_public() -> None:
    assert {name for name, _, _ in drawn()} <= set(alinb.__all__)
    assert all(getattr(alinb, c.__name__) is c for c in CLASSES)


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_has_a_docstring_of_its_own(error: type[AlinbError]) -> None:
    doc = error.__dict__["__doc__"]
    assert doc
    assert "\n" not in doc.strip()
    assert doc.rstrip().endswith(".")


@pytest.mark.parametrize("error", CLASSES)
def test_the_message_ends_with_the_next_step(error: type[AlinbError]) -> None:
    raised = error("It broke.", next_step="Mend it.", code="X", names=("a", "b"))
    assert str(raised) == "It broke. Mend it."
    assert (raised.message, raised.next_step) == ("It broke.", "Mend it.")
    assert raised.evidence == {"code": "X", "names": ("a", "b")}
    assert str(error("It broke.")) == "It broke."


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: App("", "x"),
        lambda: App("1", " x"),
        lambda: App.from_env({}),
        lambda: Platform.named("aliexpres"),
        lambda: Platform.named("?"),
        lambda: Platform.named().at("http://example.org"),
        lambda: Platform.named().at("example"),
        lambda: Platform.named("lazada").route("a.b"),
        lambda: Platform.named("top").route("/a/b"),
        lambda: Call.of(""),
        lambda: Call.of("a.b", {"x": {1, 2}, "y": [object()]}),
        lambda: sign("a.b", app=APP, verb="PUT"),
        lambda: recipe_named("md5"),
    ],
)
def test_what_the_core_raises_ends_with_a_next_step(wrong: Callable[[], Any]) -> None:
    with pytest.raises(InputError) as raised:
        wrong()
    assert len(raised.value.next_step) > 10
    assert str(raised.value).endswith(raised.value.next_step)
    assert re.search(r"[.?…]$", str(raised.value))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("error", CLASSES)
def test_errors_are_pickled_and_copied_whole(error: type[AlinbError]) -> None:
    raised = error("It broke.", next_step="Mend it.", code="ApiCallLimit", ban_seconds=2)
    for again in (pickle.loads(pickle.dumps(raised)), copy.copy(raised), copy.deepcopy(raised)):  # noqa: S301
        assert type(again) is error
        assert str(again) == "It broke. Mend it."
        assert vars(again) == vars(raised)


def test_an_error_of_hidden_text_holds_no_secret() -> None:
    secret = Secret("helloworld")
    text = hide("POST ?code=3_500102_JxZ05 helloworld aGVsbG93b3JsZA==", secret)
    raised = Refused(text, next_step=hide("Not helloworld.", secret), code="X")
    pickled = pickle.dumps(raised)
    for shown in (str(raised), repr(raised), str(raised.args), pickled.decode("latin-1")):
        assert not re.search("helloworld|aGVsbG93b3J|JxZ05", shown)
    assert str(raised).startswith("POST ?code=‹code› ‹app_secret› ‹app_secret›")


def test_an_error_that_holds_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(InputError("It broke.", secret=Secret("helloworld")))


def test_a_refusal_tells_its_code_and_reply() -> None:
    assert (Refused("no").code, Refused("no").reply) == ("", None)
    assert Refused("no", code=15, reply={"a": 1}).code == "15"
    assert Refused("no", reply={"a": 1}).reply == {"a": 1}


def test_ban_seconds() -> None:
    assert RateLimited("slow").ban_seconds is None
    assert RateLimited("slow", ban_seconds="12").ban_seconds == 12
    assert RateLimited("slow", ban_seconds=0).ban_seconds == 0
