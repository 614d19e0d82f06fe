"""The loopback listener over real sockets: one callback, with the right state."""

import http.client
import socket
import threading
import time
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

import alinb
from alinb.errors import CallbackError
from alinb.listener import PATIENCE_S, Listener

CODE = "3_500102_CANARYCANARYCANARY1234"


@pytest.fixture
def listener():
    with Listener(patience=120) as made:
        yield made


def get(listener, target, host=None):
    """Status and page of a GET on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=5)
    try:
        connection.request("GET", target, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def callback(**fields):
    return "/callback?" + urlencode(fields)


def accepts_connections(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_code_arrives_and_the_port_is_closed_within_a_second(listener):
    status, page, headers = get(listener, callback(code=CODE, state=listener.state))
    arrived = time.monotonic()
    assert status == 200
    assert "The code has arrived" in page
    assert CODE not in page
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    got = listener.wait(5)
    assert (got.code.reveal(), got.state_checked) == (CODE, True)
    while accepts_connections(listener.port):
        assert time.monotonic() - arrived < 1
        time.sleep(0.01)
    assert not listener.listening


def test_ten_thousand_forged_callbacks_are_all_refused_and_the_right_one_still_works(listener):
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=10)
    near = listener.state[:-1] + ("0" if listener.state[-1] != "0" else "1")
    accepted = 0
    for i in range(10_000):
        state = (f"{i:032x}", near, "", listener.state * 2, listener.state.upper() + "x")[i % 5]
        connection.request("GET", callback(code=f"forged{i}", state=state))
        answer = connection.getresponse()
        answer.read()
        accepted += answer.status == 200
    connection.close()
    assert accepted == 0
    assert listener.outcome is None
    get(listener, callback(code=CODE, state=listener.state))
    assert listener.wait(5).code.reveal() == CODE


def test_a_callback_is_taken_once(listener):
    answers = []
    start = threading.Barrier(8)

    def come():
        start.wait()
        answers.append(listener.take(callback(code=CODE, state=listener.state))[0])

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [410] * 7


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1.evil.example", "localhost:1", "[::1]"]
)
def test_a_foreign_host_is_refused(listener, host):
    status, _, _ = get(listener, callback(code=CODE, state=listener.state), host=host)
    assert status == 421
    assert listener.outcome is None


def test_two_hosts_or_none_are_refused(listener):
    for hosts in ("", f"Host: 127.0.0.1:{listener.port}\r\nHost: evil.example\r\n"):
        with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as raw:
            target = callback(code=CODE, state=listener.state)
            raw.sendall(f"GET {target} HTTP/1.1\r\n{hosts}\r\n".encode())
            assert b" 421 " in raw.recv(100)
    assert listener.outcome is None


def test_localhost_is_this_machine_too(listener):
    status, _, _ = get(
        listener, callback(code=CODE, state=listener.state), host=f"localhost:{listener.port}"
    )
    assert status == 200


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/", 404),
        ("/favicon.ico", 404),
        ("/callback/x?code=1&state={state}", 404),
        ("/callback", 403),
        ("/callback?code=1", 403),
        ("/callback?code=1&state={state}&state=other", 403),
        ("/callback?code=1&state=%ff{state}", 403),
        ("/callback?state={state}", 400),
        ("/callback?code=a&code=b&state={state}", 400),
        ("/callback?code=&state={state}", 400),
        ("/reached?guess", 404),
    ],
)
def test_what_is_no_callback_does_not_end_the_waiting(listener, target, status):
    assert get(listener, target.format(state=listener.state))[0] == status
    assert listener.outcome is None
    assert listener.listening


def test_other_verbs_are_not_served(listener):
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=5)
    connection.request("POST", callback(code=CODE, state=listener.state))
    assert connection.getresponse().status == 501
    connection.close()
    assert listener.outcome is None


def test_a_denied_access_ends_the_waiting_with_its_reason(listener):
    get(listener, callback(error="access_denied", state="forged"))
    assert listener.outcome is None
    get(listener, callback(error="access_denied", state=listener.state))
    with pytest.raises(CallbackError, match="access_denied"):
        listener.wait(5)


def test_it_gives_up_in_time_and_says_so():
    told = threading.Event()
    listener = Listener(patience=0.2, then=told.set)
    assert told.wait(5)
    assert not accepts_connections(listener.port)
    with pytest.raises(CallbackError, match="No callback came in time"):
        listener.wait()


def test_closing_it_ends_the_waiting(listener):
    listener.close()
    listener.close()
    assert not accepts_connections(listener.port)
    with pytest.raises(CallbackError, match="stopped"):
        listener.wait()


def test_a_browser_that_sends_nothing_holds_nobody_up(listener):
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5):
        begun = time.monotonic()
        assert get(listener, callback(code=CODE, state=listener.state))[0] == 200
        listener.wait(5)
        assert time.monotonic() - begun < 1


def test_the_probe_tells_that_a_browser_reaches_the_port():
    reached = threading.Event()
    with Listener(when_reached=reached.set) as listener:
        assert get(listener, "/reached?wrong")[0] == 404
        assert not reached.is_set()
        assert get(listener, listener.probe.partition(str(listener.port))[2])[0] == 204
        assert reached.wait(5)
        assert listener.outcome is None


def test_it_listens_on_loopback_alone_and_shows_no_state(listener, capfd):
    assert listener.redirect_uri == f"http://127.0.0.1:{listener.port}/callback"
    assert listener._server.socket.getsockname()[0] == "127.0.0.1"
    get(listener, callback(code=CODE, state="no"))
    assert listener.state not in repr(listener)
    assert capfd.readouterr() == ("", ""), "a log would tell the code"


def test_each_listener_has_a_port_of_the_systems_choice_on_loopback_alone(listener):
    with Listener() as other:
        ports = {listener.port, other.port}
        assert len(ports) == 2
        assert min(ports) >= 1024
        for each in (listener, other):
            assert each._server.socket.getsockname() == ("127.0.0.1", each.port)
            assert accepts_connections(each.port)
            # Every address of 127.0.0.0/8 is this machine's on Linux: a port open to all takes it.
            with socket.socket() as probe:
                probe.settimeout(2)
                assert probe.connect_ex(("127.0.0.2", each.port)) != 0


def test_a_listener_waits_for_300_seconds_unless_told_otherwise(monkeypatch):
    assert PATIENCE_S == 300
    now = time.monotonic()
    monkeypatch.setattr("alinb.listener.time", SimpleNamespace(monotonic=lambda: now))
    listener = Listener()
    now += 299.9
    assert get(listener, "/")[0] == 404
    assert listener.listening
    now += 0.2
    with pytest.raises(CallbackError, match="No callback came in time"):
        listener.wait(5)
    assert not accepts_connections(listener.port)


def test_a_consent_in_the_sandbox_comes_back_through_it(listener):
    with alinb.sandbox() as gateway:
        gateway.serve()
        link = alinb.authorize(gateway.app, listener.redirect_uri, state=listener.state)
        back = gateway.code()
        get(listener, callback(code=back, state=link.state))
        client = alinb.Client(gateway, journal=False)
        assert client.exchange(listener.wait(5)).refreshable
        client.close()
