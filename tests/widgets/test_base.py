"""The base of all panels, through a small panel of the test's own."""

import threading

import pytest
import traitlets
from ipywidgets import Text, VBox, widget_serialization
from ipywidgets.widgets.widget import _instances
from jupyter_client.manager import start_new_kernel

from alinb.errors import InputError
from alinb.redact import Secret
from alinb.render import join, tag
from alinb.widgets.base import Event, Panel
from alinb.widgets.elements import button, field, form, secret_field

EVIL = "<img src=x onerror=alert(1)>"
CANARY = "s3cr3t<&>'CANARY"


class Counter(Panel):
    title = "Counter"

    def __init__(self, word=""):
        self.count, self.word, self.secret, self.let_go = 0, word, None, 0
        super().__init__()

    def body(self):
        return join(
            tag("p", f"{self.count} so far ", self.word),
            button("Add", "add", arg="1"),
            form("set", field("Set to", "value"), secret_field("Key", "key"), button("Set")),
        )

    def text(self):
        return f"{self.count} so far {self.word}"

    def hidden(self):
        return (self.secret,)

    def closing(self):
        self.let_go += 1

    def act_add(self, event):
        self.count += int(event.arg)

    def act_keep(self, event):
        self.secret = Secret(event["key"])
        self.word = f"it is {self.secret.reveal()}"

    def act_refuse(self, event):
        raise InputError(f"No {event.value}.", next_step="Give another.")


@pytest.fixture
def panel():
    made = Counter()
    yield made
    made.close()


def message(panel, **content):
    """What the page sends, by the way it comes."""
    panel._handle_custom_msg(content, [])


def test_an_action_changes_the_picture_and_is_acknowledged(panel):
    sent = []
    panel.send = sent.append
    message(panel, act="add", arg="2", n=7)
    message(panel, act="add", arg="3", n=8)
    assert "<p>5 so far </p>" in panel.view
    assert str(panel) == "5 so far "
    assert [m for m in sent if "ack" in m] == [{"ack": 7}, {"ack": 8}]


@pytest.mark.parametrize(
    ("act", "seen"),
    [
        ("add", "✗ ValueError: invalid literal for int()"),
        ("nothing", "✗ LookupError: this panel has no action"),
        ("refuse", "✗ No luck. Give another."),
    ],
)
def test_an_error_in_an_action_is_seen_in_the_status(panel, act, seen):
    panel.act(act, Event(arg="x", value="luck"))
    assert panel.status.startswith(seen)
    assert panel.last_error is not None
    assert 'role="status" aria-live="polite" class="bad">' + seen[:12] in panel.view
    panel.say("All is well", "good")
    assert panel.status == "✓ All is well"


def test_an_error_while_drawing_is_seen_too(panel):
    panel.word = object()
    panel.body = lambda: panel.word.nothing
    panel.act("add", Event("1"))
    assert "This cannot be drawn. AttributeError" in panel.view
    del panel.body
    panel.word = ""
    panel.act("add", Event("1"))
    assert "2 so far" in panel.view


def test_half_a_surrogate_pair_can_be_shown():
    panel = Counter("\ud83d")
    panel.say("\udc00")
    panel.view.encode()
    panel.close()


def test_what_is_not_a_message_of_ours_is_left_alone(panel):
    before = panel.view
    for content in (None, "x", {}, {"act": 3}, {"kind": "anywidget-command"}):
        panel._handle_custom_msg(content, [])
    assert (panel.view, panel.last_error) == (before, None)


def test_methods_of_the_widget_are_no_actions(panel):
    message(panel, act="close")
    assert "no action 'close'" in panel.status
    assert panel.comm is not None


def test_a_secret_is_in_no_state_no_repr_and_no_picture(panel):
    message(panel, act="keep", fields={"key": CANARY})
    panel.say(f"so {CANARY} it is")
    data, _ = panel._repr_mimebundle_()
    shown = [*map(str, panel.get_state().values()), repr(panel), str(panel), str(data)]
    escaped = CANARY.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for text in (CANARY, escaped, escaped.replace("'", "&#x27;"), CANARY.lower()):
        assert not [where for where in shown if text in where]
    assert "‹app_secret" in panel.view
    assert "‹app_secret" in panel.status


def test_hiding_never_takes_markup_with_it():
    panel = Counter("\nAuthorization: Bearer CANARY\ncode=CANARY")
    assert "CANARY" not in panel.view
    assert "‹authorization" in panel.view
    assert panel.view.endswith("</span></section>")
    assert "data-act=" in panel.view
    panel.word = "another"
    panel.draw()
    assert "another</p>" in panel.view
    panel.close()


def test_what_was_typed_is_in_no_repr_of_the_event():
    assert CANARY not in repr(Event("set", CANARY, {"key": CANARY}))


def test_injected_html_stays_text():
    panel = Counter(EVIL)
    panel.say(EVIL, "bad")
    panel.act(EVIL)
    for page in (panel.view, panel._repr_html_()):
        assert "<img" not in page
        assert "&lt;img src=x" in page
    panel.close()


def test_the_bundle_falls_back_to_a_still_picture(panel):
    panel.act("add", Event("4"))
    data, _ = panel._repr_mimebundle_()
    assert data["text/plain"] == "4 so far "
    assert "4 so far" in data["text/html"]
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.model_id
    assert repr(panel) == "<Counter: Counter>"


def test_a_panel_is_two_models_and_close_frees_both():
    before = len(_instances)
    panel = Counter()
    assert len(_instances) == before + 2
    panel.close()
    panel.close()
    assert (len(_instances), panel.let_go) == (before, 1)
    panel.say("still here")
    assert "0 so far" in panel._repr_html_()


def test_close_frees_the_widgets_that_a_panel_holds():
    class Holder(Counter):
        parts = traitlets.List().tag(sync=True, **widget_serialization)

    before = len(_instances)
    panel = Holder()
    panel.parts = [Text(), VBox([Text()])]
    assert len(_instances) > before + 8
    panel.close()
    assert len(_instances) == before


def test_only_the_picture_is_state(panel):
    own = {k for k in panel.keys if not k.startswith("_")} - {"layout", "tabbable", "tooltip"}
    assert own == {"view"}


def test_actions_from_many_threads_are_all_counted(panel):
    threads = [
        threading.Thread(target=lambda: [panel.act("add", Event("1")) for _ in range(50)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert panel.count == 400
    assert "<p>400 so far </p>" in panel.view


def test_a_worker_may_draw_while_an_action_waits_for_it(panel):
    def wait_for_worker(event):
        worker = threading.Thread(target=panel.say, args=("from a worker",))
        worker.start()
        worker.join(5)
        assert not worker.is_alive()

    panel.act_wait = wait_for_worker
    panel.act("wait")
    assert panel.status == "from a worker"


KERNEL_CELL = """
from tests.widgets.test_base import Counter
from ipywidgets.widgets.widget import _instances
one, two = Counter(), Counter()
print(len(_instances), one.comm is not None, two.comm is not None)
"""


def test_running_a_cell_twenty_times_makes_no_more_models_than_once():
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        said = []
        for code in [*[KERNEL_CELL] * 20, KERNEL_CELL + "# another cell", KERNEL_CELL]:
            client.execute_interactive(
                code, timeout=60, output_hook=lambda m: said.append(m["content"].get("text"))
            )
        lines = "".join(filter(None, said)).splitlines()
        assert lines == ["4 True True"] * 20 + ["8 True True"] * 2
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_the_still_picture_outweighs_the_styles_of_outputs(panel):
    style = panel._repr_html_().partition("</style>")[0]
    rules = [rule for rule in style.split("}") if ".alinb-panel" in rule]
    assert rules
    assert [rule for rule in rules if ".alinb-panel.alinb-still" not in rule] == []
