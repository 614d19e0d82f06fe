"""What people type into fields that are not meant for secrets."""

import json

import pytest

import alinb
from alinb.gateway import Sandbox
from alinb.widgets.base import Event
from alinb.widgets.typed import kind_of

TOKEN = "50000" + "CaNaRy4711" * 5 + "xyz"


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("session", "", "access_token"),
        ("CODE", "x", "code"),
        ("keyWord", f" {TOKEN}\n", "access_token"),
        ("keyWord", "lamp " * 20, ""),
        ("product_ids", "1005006261997375," * 5, ""),
        ("order_id", "8" * 60, ""),
        ("image_url", "https://ae01.alicdn.com/kf/S0a1b2c3d4e5f60718293a4b5c6d7e8f9g.jpg", ""),
        ("digest", "5dff49364551f05f61cac5d11f42ff18", ""),
    ],
)
def test_a_secret_is_known_by_its_name_or_its_look(name, value, kind):
    assert kind_of(name, value) == kind


@pytest.mark.parametrize("field", ["keyWord", "note"])
def test_a_token_in_any_field_of_the_explorer_is_hidden(field):
    panel = alinb.ApiExplorer(Sandbox(app_key="500102", secret="a-secret-of-a-sandbox"))
    twin = panel.exploration

    def shown():
        data, _ = panel._repr_mimebundle_()
        return "\n".join([
            str(panel.get_state()), str(data), repr(panel), panel.status, str(twin),
            json.dumps(twin.as_dict()), twin.code(), twin.curl(),
        ])  # fmt: skip

    if field == "note":
        panel.act("other", Event(value=f"note={TOKEN}"))
    else:
        panel.act("edit", Event(field, TOKEN))
    assert twin.signed().params[field] == TOKEN
    assert "‹access_token" in panel.view
    assert "CaNaRy" not in shown()
    panel.act("send", Event(fields={f"p.{field}": TOKEN, "p.local": "en_US"}))
    assert panel.reply is not None
    assert "CaNaRy" not in shown()
    panel.close()
