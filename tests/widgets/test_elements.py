"""The controls: labelled, escaped, and without anything that a page would run."""

import pytest

from alinb import render
from alinb.widgets import elements

EVIL = '"><img src=x onerror=alert(1)>'


@pytest.mark.parametrize(
    "drawn",
    [
        elements.button(EVIL, EVIL, EVIL, title=EVIL),
        elements.form(EVIL, EVIL, arg=EVIL),
        elements.field(EVIL, EVIL, EVIL, placeholder=EVIL),
        elements.secret_field(EVIL, EVIL),
        elements.choice(EVIL, [(EVIL, EVIL)], EVIL, act=EVIL),
        elements.switch(EVIL, True, EVIL, EVIL),
        elements.copy_button(EVIL, EVIL),
        elements.code_block(EVIL, EVIL),
    ],
)
def test_nothing_given_becomes_markup(drawn):
    assert "<img" not in drawn
    assert "&lt;img" in drawn


def test_every_control_has_its_label_around_it():
    assert elements.field("App key", "key").startswith('<label class="wide">App key<input')
    assert elements.choice("Platform", [("a", "A")]).startswith("<label>Platform<select>")
    assert 'aria-label="Stage"' in elements.choice("Stage", [], unseen_label=True)
    assert elements.switch("Order", False, "turn").endswith("Order</label>")


def test_a_secret_field_has_no_value_and_is_emptied():
    drawn = elements.secret_field("App secret", "secret")
    assert 'type="password"' in drawn
    assert 'value=""' in drawn
    assert "data-secret" in drawn
    assert 'type="text"' in elements.secret_field("Callback", "callback", shown=True)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "over"),
        (0, "over"),
        (59, "59 s"),
        (3600, "1 h 0 min 0 s"),
        (2 * 86_400, "2 d 0 h 0 min 0 s"),
    ],
)
def test_time_left_is_spelled(seconds, said):
    assert elements.spell_seconds(seconds) == said
    assert f">{said}</time>" in elements.until(1000 + seconds, 1000)


@pytest.mark.parametrize(
    "attributes", [{"onclick": "x"}, {"style": "x"}, {"href": "javascript:alert(1)"}]
)
def test_an_attribute_that_runs_something_is_refused(attributes):
    with pytest.raises(ValueError, match=r"no attribute to draw|not a web address"):
        render.tag("a", "x", **attributes)
