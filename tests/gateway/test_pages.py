"""The pages as HTML: what they say, that everything is escaped, that nothing else is needed."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from alinb.gateway import pages

QUERY = {
    "response_type": "code", "client_id": "500102", "redirect_uri": "https://shop.example/cb?a=1",
    "state": "s1",
}  # fmt: skip
EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"


class Seen(HTMLParser):
    """The text, the tags and the fields of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags = "", [""]
        self.fields: list[dict[str, Any]] = []
        self._styled = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self._styled = tag == "style"
        if tag in ("input", "button", "a"):
            self.fields.append({"tag": tag, **dict(attrs)})

    def handle_endtag(self, tag: str) -> None:
        self._styled = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._styled else data


class TestConsent:
    def test_it_says_who_asks_for_what_and_where_one_returns(self) -> None:
        seen = Seen(pages.consent("500102", QUERY, "t"))
        assert "App 500102 asks for access to your account." in seen.text
        assert "What it could do" in seen.text
        assert "To shop.example, with the link’s state and a code if you allow:" in seen.text
        assert "https://shop.example/cb?a=1" in seen.text
        assert "log in again" not in seen.text

    def test_without_a_redirect_it_returns_to_the_sandbox(self) -> None:
        seen = Seen(pages.consent("500102", {"client_id": "500102"}, "t"))
        assert "To a page of this sandbox, from which you copy the address." in seen.text

    def test_every_control_is_native_and_named(self) -> None:
        seen = Seen(pages.consent("500102", QUERY, "t"))
        fields = [f for f in seen.fields if f.get("type") != "hidden"]
        assert [(f["tag"], f.get("value")) for f in fields] == [
            ("input", "buyer"), ("input", "seller"), ("button", "allow"), ("button", "deny"),
            ("a", None),
        ]  # fmt: skip
        assert "checked" in fields[0]
        assert seen.tags.count("label") == 2
        assert seen.tags.count("legend") == 1

    @pytest.mark.parametrize("how", [{"force_auth": True}, {}])
    def test_a_forced_log_in_and_a_country_are_said(self, how: Any) -> None:
        query = QUERY if how else {**QUERY, "force_auth": "true"}
        seen = Seen(pages.consent("500102", query, "t", country="ES", **how))
        assert "log in again" in seen.text
        assert "Country of the account: ES." in seen.text

    def test_the_question_comes_back_with_the_form(self) -> None:
        seen = Seen(pages.consent("500102", QUERY, "token-1"))
        hidden = {f["name"]: f["value"] for f in seen.fields if f.get("type") == "hidden"}
        assert hidden == {**QUERY, "form_token": "token-1"}


class TestAbout:
    def test_it_lists_what_is_not_emulated(self) -> None:
        seen = Seen(pages.about())
        assert len(pages.NOT_EMULATED) >= 6
        for what, means in pages.NOT_EMULATED:
            assert what in seen.text
            assert means in seen.text
        assert seen.tags.count("h1") == 1


@pytest.mark.parametrize(
    "html",
    [
        pages.consent(EVIL, dict.fromkeys((*QUERY, "country", EVIL), EVIL), EVIL, country=EVIL),
        pages.callback(EVIL, {"code": EVIL}),
        pages.callback(EVIL, {"error": EVIL}),
        pages.problem(EVIL),
        pages.about(),
    ],
)
class TestEveryPage:
    def test_what_a_link_holds_stays_text(self, html: str) -> None:
        assert not {"script", "img"} & set(Seen(html).tags)

    def test_it_needs_no_network_and_no_script(self, html: str) -> None:
        style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
        assert style is not None
        assert not re.search(r"url\(|@import|http", style[1])
        assert "prefers-color-scheme: dark" in style[1]
        assert 'name="viewport" content="width=device-width, initial-scale=1"' in html
        assert html.startswith('<!doctype html><html lang="en">')
