"""Plain data as escaped HTML and as text: one model, two views."""

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alinb import render

IMG = "<img src=x onerror=alert(1)>"
EVIL = [IMG, "</td></table><script>alert(1)</script>", "\"'><b onclick=x>", "&lt;img&gt;", "a & b"]


class Page(HTMLParser):
    """The tags of a piece of HTML with their attributes, and its text outside of styles."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.text, self.cells = [], [], "", []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if self.cells and {"td", "th"} & set(self.open):
            self.cells[-1] += data

    def named(self, *names):
        return [attrs for tag, attrs in self.tags if tag in names]


# ---- HTML


@pytest.mark.parametrize("text", EVIL)
def test_whatever_is_shown_stays_text(text):
    pages = {
        "title": render.html(text),
        "paragraph": render.paragraph(text),
        "listing": render.listing([text, text]),
        "head": render.table([text], []),
        "cell": render.table(["a"], [[text]], differs=[0]),
        "prose": render.table(["a"], [[text]], prose=True),
        "label": render.link("https://x.example", text),
    }
    for place, html in pages.items():
        page = Page(html)
        assert text in page.text, place
        assert not page.named("img", "script", "b"), place
        assert page.open == [], place


def test_a_block_is_one_div_with_its_heading_and_parts():
    page = Page(render.html("A title", render.paragraph("one"), render.paragraph("two")))
    assert page.text == "A titleonetwo"
    assert [tag for tag, _ in page.tags] == ["style", "div", "strong", "p", "p"]
    assert page.named("div") == [{"class": "alinb"}]


def test_a_block_without_a_title_has_no_empty_heading():
    assert not Page(render.html("", render.paragraph("one"))).named("strong")


def test_the_style_works_in_dark_and_light_and_loads_nothing():
    style = render.html("").partition("</style>")[0]
    assert "color:inherit" in style
    assert "var(--jp-" in style
    assert "url(" not in style
    assert "@import" not in style


def test_what_is_no_text_is_shown_as_text():
    assert Page(render.paragraph(17)).text == "17"
    assert Page(render.table([1, None], [[2.5, True]])).cells == ["1", "None", "2.5", "True"]


def test_a_table_has_a_head_of_columns_and_a_row_each():
    page = Page(render.table(("what", "left"), [("a", "1"), ("b", "2"), ("c", "3")], differs=[1]))
    assert page.cells == ["what", "left", "a", "1", "b", "2", "c", "3"]
    assert page.named("th") == [{"scope": "col"}, {"scope": "col"}]
    assert [row.get("class") for row in page.named("tr")] == [None, None, "differs", None]
    assert len(page.named("code")) == 6


def test_rows_may_come_from_a_generator():
    html = render.table(["n"], ([n] for n in range(3)), differs=(n for n in [0, 2]))
    assert [row.get("class") for row in Page(html).named("tr")] == [
        None,
        "differs",
        None,
        "differs",
    ]


def test_prose_is_not_set_as_code():
    assert not Page(render.table(["a"], [["b"]], prose=True)).named("code")


def test_only_a_long_cell_may_be_broken_anywhere():
    page = Page(render.table(["a", "b"], [["short", "x" * 200]]))
    assert [cell.get("class") for cell in page.named("td")] == [None, "long"]


def test_an_empty_table_keeps_its_head():
    assert Page(render.table(["a", "b"], [])).cells == ["a", "b"]


def test_a_listing_has_an_item_each():
    page = Page(render.listing(n for n in (1, 2, 3)))
    assert len(page.named("li")) == 3
    assert page.text == "123"


def test_a_link_opens_beside_the_notebook_and_shows_what_to_copy():
    url = "https://api-sg.aliexpress.com/oauth/authorize?response_type=code&client_id=1"
    page = Page(render.link(url, "Open the consent page"))
    (anchor,) = page.named("a")
    assert anchor["href"] == url
    assert anchor["target"] == "_blank"
    assert set(anchor["rel"].split()) == {"noopener", "noreferrer"}
    assert page.text == f"Open the consent page{url}"


@pytest.mark.parametrize(
    "url", ['https://x.example/"><img src=x>', "https://x.example/'onclick='x"]
)
def test_a_url_cannot_leave_its_attribute(url):
    page = Page(render.link(url, "x"))
    assert page.named("a")[0]["href"] == url
    assert set(page.named("a")[0]) == {"href", "target", "rel"}
    assert not page.named("img")


# ---- text


def test_a_text_table_lines_up_its_columns():
    text = render.text_table(("", "what", "left"), [("=", "a", "1"), ("≠", "longer", "22")])
    assert text.splitlines() == [
        "   what    left",
        "─  ──────  ────",
        "=  a       1",
        "≠  longer  22",
    ]


def test_a_text_table_without_rows_is_its_head():
    assert render.text_table(("a", "bb"), []).splitlines() == ["a  bb", "─  ──"]


def test_a_long_cell_is_cut_in_the_middle_and_a_line_end_is_shown():
    text = render.text_table(("a",), [("0123456789abcdefghij",), ("x\ny",)], widest=11)
    assert text.splitlines()[2:] == ["01234…fghij", "x⏎y"]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.lists(st.text(max_size=80), min_size=3, max_size=3), max_size=4),
    st.integers(3, 60),
)
def test_no_cell_of_a_text_table_is_wider_than_asked(rows, widest):
    lines = render.text_table(("a", "b", "c"), rows, widest).split("\n")
    assert len(lines) == 2 + len(rows)
    assert max(map(len, lines)) <= 3 * widest + 4


# ---- two texts cut alike


@pytest.mark.parametrize(
    ("left", "right", "shown"),
    [
        ("abc", "abd", ("abc", "abd")),
        ("x" * 30, "x" * 30, ("xxxx…xxxx", "xxxx…xxxx")),
        ("a" + "x" * 30, "b" + "x" * 30, ("axxxxxxxx…", "bxxxxxxxx…")),
        ("x" * 30 + "a", "x" * 30 + "b", ("…xxxxxxxxa", "…xxxxxxxxb")),
        ("x" * 20 + "a" + "y" * 20, "x" * 20 + "b" + "y" * 20, ("…xxayyyyy…", "…xxbyyyyy…")),
        ("x" * 30, "x" * 31, ("…xxxxxxxx", "…xxxxxxxxx")),
        ("short", "s" + "x" * 30, ("short", "sxxxxxxxx…")),
        ("", "x" * 30, ("", "xxxxxxxxx…")),
        ("a\n" + "x" * 30, "b\n" + "x" * 30, ("a⏎xxxxxxx…", "b⏎xxxxxxx…")),
    ],
)
def test_two_texts_are_cut_around_their_first_difference(left, right, shown):
    assert render.cut_pair(left, right, 10) == shown


LETTERS = st.text("ab\n", max_size=120)


@settings(deadline=None, max_examples=500)
@given(LETTERS, LETTERS, LETTERS, st.integers(8, 60))
def test_the_first_difference_is_always_in_sight(same, one, other, widest):
    left, right = same + "1" + one, same + "2" + other
    shown = render.cut_pair(left, right, widest)
    assert all(len(text) <= widest for text in shown)
    assert "1" in shown[0]
    assert "2" in shown[1]
    assert "\n" not in shown[0] + shown[1]


@settings(deadline=None, max_examples=300)
@given(LETTERS, LETTERS.filter(bool), st.integers(8, 60))
def test_a_text_that_goes_on_is_seen_to_go_on(same, rest, widest):
    left, right = render.cut_pair(same, same + rest, widest)
    assert left != right


@settings(deadline=None, max_examples=300)
@given(LETTERS, LETTERS, st.integers(8, 60))
def test_where_both_have_room_nothing_is_cut(left, right, widest):
    if max(len(left), len(right)) <= widest:
        expected = (left.replace("\n", "⏎"), right.replace("\n", "⏎"))
        assert render.cut_pair(left, right, widest) == expected
    else:
        assert max(map(len, render.cut_pair(left, right, widest))) <= widest
