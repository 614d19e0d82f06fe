"""ApiExplorer and its plain twin, against a sandbox in this process and one on a port."""

import html
import json
import re

import pytest

import alinb
from alinb.errors import InputError, NoReply
from alinb.redact import Secret
from alinb.widgets.answers import CHILDREN, NODES, table_html, tree
from alinb.widgets.base import Event
from alinb.widgets.exploring import client_of

EVIL = "<img src=x onerror=alert(1)>"
SECRET = "s3cretCANARY0123456789"
LAMP = {"keyWord": "lamp", "local": "en_US", "countryCode": "US", "currency": "USD"}


@pytest.fixture
def gateway():
    with alinb.sandbox(secret=SECRET) as made:
        made.serve()
        yield made


@pytest.fixture
def client(gateway):
    with alinb.Client(gateway) as made:
        yield made


@pytest.fixture
def panel(client):
    made = alinb.ApiExplorer(client)
    yield made
    made.close()


def send(panel, **fields):
    panel.act("send", Event(fields={f"p.{name}": value for name, value in fields.items()}))


def everything(panel):
    """Whatever of a panel may be saved or shown."""
    data, _ = panel._repr_mimebundle_()
    twin = panel.exploration
    return "\n".join(
        [str(panel.get_state()), str(data), repr(panel), panel.status, str(twin), repr(twin),
         twin._repr_html_(), json.dumps(twin.as_dict()), twin.code(), twin.curl()]
    )  # fmt: skip


def test_a_form_filled_in_comes_back_as_a_table(panel, client, gateway):
    client.exchange(gateway.code())
    send(panel, **LAMP, pageSize="5")
    assert panel.status == f"✓ ok (HTTP 200, attempt {panel.reply.attempt_id})"
    table = panel.frame()
    assert len(table) == 5
    assert f"{len(table)} rows, {len(table.columns)} columns</summary>" in panel.view
    for item in table["itemId"]:
        assert f"<td>{item}</td>" in panel.view
    assert client.journal.get(panel.reply.attempt_id).params["keyWord"] == "lamp"


def test_the_form_has_a_control_for_each_parameter_with_its_mark(panel):
    for parameter in alinb.method(panel.exploration.name).parameters:
        assert f'name="p.{parameter.name}"' in panel.view
        mark = "required, " if parameter.required else ""
        assert f"<strong>{parameter.name}</strong><small> {mark}" in panel.view
    assert panel.view.count('aria-required="true"') == 3
    assert re.search(r'value="1" data-act="edit" data-arg="pageIndex"', panel.view)


def test_the_request_is_seen_before_it_is_sent(panel, client, gateway):
    assert "<code>local</code> is required, and missing" in panel.view
    for name, value in LAMP.items():
        panel.act("edit", Event(name, value))
    assert "required, and missing" not in panel.view
    client.exchange(gateway.code())
    panel.draw()
    assert "‹access_token" in panel.view
    signed = panel.exploration.signed()
    assert signed.params["countryCode"] == "US"
    assert "countryCodeUS" in panel.view
    assert len(client.journal) == 1, "nothing but the exchange was sent"
    panel.act("verb", Event(value="GET"))
    assert "GET <code>http" in panel.view
    assert panel.exploration.attempt().body == ""


def test_what_the_preview_says_verifies(panel, client):
    panel.act("edit", Event("keyWord", "a lamp & é"))
    shown = panel.exploration.attempt()
    assert alinb.verify(shown, secret=client.app.secret).ok
    assert alinb.verify(panel.exploration.curl(), secret=client.app.secret).ok


def test_a_refusal_is_recorded_and_explained_in_place(panel, client):
    send(panel, **LAMP)
    assert panel.trouble is not None
    assert panel.status.startswith(
        "✗ refused EXCEPTION_TEXT_SEARCH_FOR_DS: access token is missing"
    )
    assert panel.trouble.explanation.code == "EXCEPTION_TEXT_SEARCH_FOR_DS"
    assert panel.trouble.explanation.meaning.split("`")[0] in html.unescape(panel.view)
    assert f"attempt {panel.reply.attempt_id} in the journal" in panel.view
    assert client.journal.get(panel.reply.attempt_id).verdict == "refused"
    panel.act("sandbox_token")
    assert panel.status == "✓ A token of the sandbox is held, and goes along."
    send(panel, **LAMP)
    assert panel.trouble is None
    assert "in the journal" not in panel.view


def test_a_missing_parameter_is_sent_all_the_same_and_refused(panel):
    panel.act("sandbox_token")
    send(panel, keyWord="lamp")
    assert "MissingParameter" in panel.status


def test_no_answer_is_said(gateway):
    client = alinb.Client(gateway)
    panel = alinb.ApiExplorer(client)
    gateway.close()
    send(panel, **LAMP)
    assert "got no answer" in panel.status
    assert isinstance(panel.last_error, NoReply)
    assert panel.reply is None
    assert "The try is explained below" in panel.status
    panel.close()
    client.close()


def test_methods_are_found_by_name_and_near_it(panel):
    panel.act("search", Event(value="image search"))
    assert panel.view.count('<option value="aliexpress.ds.image') == 2
    assert f"2 of {len(alinb.methods())} methods" in panel.view
    panel.act("search", Event(value="txet.serach"))
    assert "Nothing has that in its name" in panel.view
    assert 'data-arg="aliexpress.ds.text.search"' in panel.view
    panel.act("choose", Event(arg="aliexpress.ds.product.get"))
    assert panel.exploration.name == "aliexpress.ds.product.get"
    assert 'name="p.product_id"' in panel.view
    panel.act("take", Event(fields={"search": "freight.query"}))
    assert panel.exploration.name == "aliexpress.ds.freight.query"
    panel.act("take", Event(fields={"search": "qqqq"}))
    assert panel.status.startswith("✗ No method has 'qqqq' in its name.")


def test_a_method_that_the_catalogue_has_not_is_called_by_its_full_name(panel):
    panel.act("take", Event(fields={"search": "aliexpress.solution.nobody.knows"}))
    assert panel.exploration.method is None
    assert "The catalogue does not have this method" in panel.view
    panel.act("other", Event(value="a=1\nb = x y\nnot a pair"))
    assert panel.exploration.values == {"a": "1", "b": "x y"}
    panel.act("other", Event(value="a=2"))
    assert panel.exploration.values == {"a": "2"}
    panel.act("send", Event(fields={"other": "a=3"}))
    assert panel.exploration.values == {"a": "3"}
    assert panel.trouble is not None


def test_values_that_fit_stay_when_the_method_changes(panel):
    panel.act("edit", Event("countryCode", "FR"))
    panel.act("edit", Event("keyWord", "lamp"))
    panel.choose("aliexpress.ds.address.get")
    assert panel.exploration.values == {"countryCode": "FR"}


def test_a_boolean_is_chosen_and_a_json_value_written(panel):
    panel.choose("aliexpress.ds.product.get")
    panel.draw()
    assert '<option value="true">true</option>' in panel.view
    panel.choose("aliexpress.ds.freight.query")
    panel.draw()
    assert '<textarea name="p.queryDeliveryReq"' in panel.view
    assert "productId" in panel.view


def test_a_file_is_read_where_the_kernel_is(panel, tmp_path, client):
    picture = tmp_path / "lamp.png"
    panel.act("sandbox_token")
    panel.choose("aliexpress.ds.image.search")
    send(panel, image_file_bytes=str(picture), shpt_to="US")
    assert "lamp.png cannot be read" in panel.status
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    send(panel, image_file_bytes=str(picture), shpt_to="US")
    assert panel.reply is not None
    assert "file, unsigned" in panel.view
    assert f"Path('{picture}').read_bytes()" in panel.exploration.code()


def test_without_an_app_the_forms_can_be_read(monkeypatch):
    panel = alinb.ApiExplorer()
    assert panel.status.startswith("No app")
    assert 'name="p.keyWord"' in panel.view
    assert "disabled>Send</button>" in panel.view
    send(panel, keyWord="lamp")
    assert "There is no app to sign with" in panel.status
    assert client_of(None) is None
    assert "Exploration" in repr(panel.exploration)
    assert "keyWord" in str(panel)
    panel.close()


def test_an_app_that_is_half_there_is_said(monkeypatch):
    monkeypatch.setenv("ALINB_APP_KEY", "1")
    monkeypatch.setenv("ALINB_APP_SECRET", "x")
    monkeypatch.setenv("ALINB_PLATFORM", "amazon")
    with pytest.raises(InputError, match="amazon"):
        alinb.explore()


# ---- secrets


def test_a_code_that_is_typed_is_shown_nowhere_and_sent_once(panel, gateway):
    panel.choose("/auth/token/create")
    panel.draw()
    assert '<input type="password" name="p.code"' in panel.view
    code = gateway.code()
    panel.act("edit", Event("code", code))
    assert code not in everything(panel)
    send(panel, code=code)
    token = panel.reply.payload["access_token"]
    for canary in (code, token, panel.reply.payload["refresh_token"], SECRET):
        assert canary not in everything(panel)
    assert "‹access_token" in panel.view
    assert panel.exploration.values == {}
    assert "are not kept; alinb.OAuthWalkthrough" in panel.view


@pytest.mark.parametrize("name", ["access_token", "session", "refresh_token", "app_secret"])
def test_a_secret_among_other_parameters_is_hidden_by_its_name(panel, name):
    panel.act("other", Event(value=f"{name}=CANARY-4711-0815"))
    assert "CANARY" not in everything(panel)
    send(panel, **LAMP)
    assert "CANARY" not in everything(panel)
    assert name not in panel.exploration.values


def test_the_token_that_goes_along_is_hidden(panel, client):
    panel.act("sandbox_token")
    send(panel, **LAMP)
    token = client.token
    for canary in (token.access_token.reveal(), token.refresh_token.reveal(), SECRET):
        assert canary not in everything(panel)


# ---- injected HTML


@pytest.mark.parametrize("name", ["keyWord", "local", "searchExtend", f"x{EVIL}"])
def test_html_in_a_parameter_stays_text(panel, name):
    if name in {p.name for p in panel.exploration.parameters}:
        panel.act("edit", Event(name, EVIL))
    else:
        panel.act("other", Event(value=f"{name}={EVIL}"))
    panel.act("search", Event(value=EVIL))
    send(panel, **LAMP)
    for page in (panel.view, panel._repr_html_(), panel.exploration._repr_html_()):
        assert "<img" not in page
    assert "&lt;img" in panel.view


def test_html_in_a_reply_stays_text():
    evil = {EVIL: [{"a": EVIL, "b": {EVIL: None}}]}
    assert "<img" not in tree(evil)
    reply = alinb.replies.read(200, json.dumps({"result": evil, "code": "0"}), "x.y")
    assert "<img" not in table_html(reply.frame())
    assert "&lt;img" in table_html(reply.frame())


# ---- trees and tables


def test_a_tree_has_every_name_and_value_of_a_small_reply():
    data = {"a": 1, "b": [True, None, "x"], "c": {"d": {"e": {"f": "deep"}}}, "g": [], "h": {}}
    drawn = tree(data)
    assert re.findall(r'class="key">(\w+): ', drawn) == [
        "Reply", "a", "b", "0", "1", "2", "c", "d", "e", "f", "g", "h",
    ]  # fmt: skip
    assert re.findall("<code>(.*?)</code>", drawn) == [
        "1", "true", "null", "&quot;x&quot;", "&quot;deep&quot;", "[]", "{}",
    ]  # fmt: skip


def test_a_tree_of_very_much_says_what_it_leaves_out():
    drawn = tree({"many": [{"x": n, "y": n} for n in range(10_000)]})
    assert drawn.count("<li>") < 2 * NODES
    assert f"… {10_000 - CHILDREN} more" in drawn
    deep = json.loads("[" * 900 + "]" * 900)
    assert tree(deep).count("<details") < 30


def test_a_table_says_what_it_leaves_out(panel, client):
    panel.act("sandbox_token")
    send(panel, **LAMP, pageSize="50")
    drawn = table_html(panel.frame())
    assert "… 30 rows and 33 columns more" in drawn
    assert ">nan<" not in drawn


# ---- the twin


def test_the_twin_does_the_same_without_a_widget(client, gateway):
    client.exchange(gateway.code())
    call = alinb.explore("aliexpress.ds.text.search", client, {"keyWord": "lamp"}, local="en_US")
    assert set(call.remarks()) == {"countryCode", "currency"}
    call.set("countryCode", "US")
    call.set("currency", "USD")
    assert call.outcome == "Not sent yet."
    assert call.send().ok
    assert next(iter(call.tables.values())).equals(call.reply.frame())
    assert call.as_dict()["reply"]["verdict"] == "ok"
    assert repr(call) == "<Exploration aliexpress.ds.text.search: ok>"
    with pytest.raises(InputError, match="is not an API name"):
        alinb.explore("no name!", client)


def test_the_code_runs_and_gives_the_same(client, gateway, monkeypatch, capsys):
    client.exchange(gateway.code())
    call = alinb.explore("aliexpress.ds.text.search", client, LAMP)
    first = call.send().frame()
    code = call.code()
    assert "session" not in code
    monkeypatch.setattr(alinb.App, "from_env", lambda: gateway)
    monkeypatch.setattr("builtins.input", lambda _: gateway.code())
    held = {}
    exec(code.replace("reply.frame()", "table = reply.frame()"), held)  # noqa: S102
    assert held["table"]["itemId"].tolist() == first["itemId"].tolist()
    held["client"].close()


@pytest.mark.parametrize("name", ["a-b", "class", "verb", "self"])
def test_a_name_that_python_does_not_take_is_passed_beside(client, name):
    call = alinb.explore("x.y.get", client, {name: "1"})
    assert f"**{{'{name}': '1'}}" in call.code()
    compile(call.code(), "code", "exec")


def test_a_secret_is_asked_for_in_the_code(client):
    call = alinb.explore("/auth/token/refresh", client, refresh_token=Secret("CANARY-1234"))
    assert 'refresh_token=getpass("refresh_token: ")' in call.code()
    compile(call.code(), "code", "exec")
