"""The command line as a program: what it prints, its exit status, and what bad input gets."""

import hashlib
import hmac
import importlib.util
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

import alinb

KEY, SECRET = "12345678", "helloworld"
CREATE, QUERY = "/auth/token/create", "aliexpress.affiliate.product.query"
SEARCH = "aliexpress.ds.text.search"
VECTOR = "35607762342831B6A417A0DED84B79C05FEFBF116969C48AD6DC00279A9F4D81"
CODE = "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26"
SIGNED = f"app_key12345678code{CODE}sign_methodsha256timestamp1517820392000"
FOUNDING = ["path_prefix_missing", "secret_wrapped"]

HAS_MODULE = importlib.util.find_spec("alinb.__main__") is not None
COMMAND = (
    [sys.executable, "-m", "alinb"]
    if HAS_MODULE
    else [str(Path(sys.executable).with_name("alinb"))]
)


class Ran:
    """What one run of the command left behind."""

    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def document(self) -> Any:
        assert self.err == ""
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"<status {self.status}>\n{self.out}\n{self.err}"


def run(*words: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Ran:
    known = {"ALINB_APP_KEY": KEY, "ALINB_APP_SECRET": SECRET, "COLUMNS": "200", "NO_COLOR": "1"}
    whole = {k: v for k, v in {**os.environ, **known, **(env or {})}.items() if v}
    done = subprocess.run(
        [*COMMAND, *words],
        input=stdin, env=whole, capture_output=True, text=True, encoding="utf-8", timeout=60,
        check=False,
    )  # fmt: skip
    return Ran(done)


def together(*calls: str, **how: Any) -> list[Ran]:
    """Several runs at the same time, each given as one line for a shell."""
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(lambda line: run(*shlex.split(line), **how), calls))


@pytest.fixture(scope="session")
def box() -> Iterator[alinb.Sandbox]:
    with alinb.Sandbox(app_key=KEY, secret=SECRET, products=24).serve() as served:
        yield served


@pytest.fixture
def at(box: alinb.Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """The commands of this test go to the sandbox."""
    monkeypatch.setenv("ALINB_GATEWAY", box.url)
    return box.url


def founding_url(
    timestamp: int = 1517820392000, base: str = "https://api-sg.aliexpress.com"
) -> str:
    """The founding case's request: no path in front, the secret on both sides, all in the URL."""
    sent = {"app_key": KEY, "code": CODE, "format": "json", "sign_method": "sha256",
            "timestamp": str(timestamp)}  # fmt: skip
    text = SECRET + "".join(f"{name}{sent[name]}" for name in sorted(sent)) + SECRET
    sent["sign"] = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest().upper()
    return f"{base}/rest{CREATE}?{urlencode(sent)}"


def right_url() -> str:
    sent = {"app_key": KEY, "code": CODE, "sign_method": "sha256", "timestamp": "1517820392000"}
    return f"https://api-sg.aliexpress.com/rest{CREATE}?{urlencode(sent | {'sign': VECTOR})}"


REFUSAL = {
    "error_response": {
        "code": 15,
        "msg": "Remote service error",
        "sub_code": "isv.account-migration-check-fail",
        "sub_msg": "The account migration does not conform to platform standards",
    }
}


def founding_forms() -> dict[str, str]:
    """The founding request in each form that people have it in."""
    url = founding_url()
    har = {
        "log": {
            "entries": [
                {
                    "request": {"method": "GET", "url": url, "headers": []},
                    "response": {"status": 200, "content": {"text": json.dumps(REFUSAL)}},
                }
            ]
        }
    }
    attempt = {"method": "GET", "url": url, "response": {"status": 200, "body": REFUSAL}}
    return {
        "curl": f"curl -X GET {shlex.quote(url)} -H 'Accept: application/json'\n",
        "url": url,
        "har": json.dumps(har),
        "json": json.dumps(attempt),
        "raw": f"GET {url.partition('.com')[2]} HTTP/1.1\nHost: api-sg.aliexpress.com\n\n",
    }


class TestSign:
    def test_the_documented_vector(self) -> None:
        line = f"sign {CREATE} -p code={CODE} --timestamp 1517820392000 --reveal"
        people, machine = together(line, f"{line} --json")
        signed = machine.document
        assert signed["signature"] == VECTOR
        assert signed["string_to_sign"] == CREATE + SIGNED
        assert "".join(segment["text"] for segment in signed["segments"]) == CREATE + SIGNED
        assert signed["segments"][0] == {"kind": "path", "text": CREATE, "parameter": ""}
        assert signed["method"] == "POST"
        assert signed["url"].startswith(
            f"https://api-sg.aliexpress.com/rest{CREATE}?app_key={KEY}&"
        )
        assert parse_qs(urlsplit(signed["url"]).query)["sign"] == [VECTOR]
        assert signed["body"] == f"code={CODE}"

        assert (people.status, people.err) == (0, "")
        assert f"String to sign\n{CREATE}{SIGNED}\n" in people.out
        assert f"\nSignature\n{VECTOR}\n" in people.out
        assert SECRET not in people.out + machine.out

    def test_codes_and_tokens_are_masked_unless_they_are_asked_for(self) -> None:
        line = f"sign {CREATE} -p code={CODE} -p session=50000abcdefghij --timestamp 1517820392000"
        people, machine, plain = together(line, f"{line} --json", f"sign {QUERY} -p keywords=lamp")
        for ran in (people, machine):
            assert ran.status == 0
            assert CODE not in ran.out
            assert "50000abcdefghij" not in ran.out
        signed = machine.document
        shape = rf"{CREATE}app_key{KEY}code‹code \w+›session‹access_token \w+›sign_method.*"
        assert re.fullmatch(shape, signed["string_to_sign"])
        assert re.fullmatch(r"code=‹code \w+›&session=‹access_token \w+›", signed["body"])
        assert "".join(s["text"] for s in signed["segments"]) == signed["string_to_sign"]
        assert people.out.endswith("What is masked was signed whole: --reveal shows it.\n")
        assert "--reveal" not in plain.out

    def test_verb_platform_and_key_can_be_chosen(self) -> None:
        lazada, top, odd = together(
            "sign /order/get -p order_id=1 --verb get --platform lazada-th --app-key 77 --json",
            f"sign {QUERY} --platform top --json",
            f"sign {QUERY} -p 'keywords=a=b&c é' --json",
        )
        signed = lazada.document
        assert (signed["method"], signed["body"]) == ("GET", "")
        assert signed["url"].startswith("https://api.lazada.co.th/rest/order/get?app_key=77&")
        assert "order_id=1" in signed["url"]
        assert len(top.document["signature"]) == 32
        assert top.document["string_to_sign"].startswith("‹app_secret›app_key")
        assert SECRET not in top.out
        assert "keywordsa=b&c émethod" in odd.document["string_to_sign"]


class TestVerify:
    def test_a_right_signature_is_0(self) -> None:
        people, machine, masked = together(
            "verify -", "verify - --json --reveal", "verify - --json", stdin=right_url()
        )
        assert CODE not in people.out + masked.out
        assert "code‹code " in people.out
        assert masked.document == {
            **machine.document, "string_to_sign": masked.document["string_to_sign"],
        }  # fmt: skip
        assert (people.status, people.err, machine.status) == (0, "", 0)
        assert people.out.startswith("The signature is right.\n")
        assert machine.document == {
            "ok": True, "expected": VECTOR, "received": VECTOR,
            "string_to_sign": CREATE + SIGNED, "interface": "system", "recipe": "system",
        }  # fmt: skip

    def test_a_wrong_signature_is_1(self, tmp_path: Path) -> None:
        file = tmp_path / "request.txt"
        file.write_text(founding_url())
        people, machine = together(f"verify {file}", f"verify {file} --json")
        assert (people.status, people.err, machine.status) == (1, "", 1)
        assert people.out.startswith("The signature is wrong.\n")
        assert machine.document["ok"] is False
        assert machine.document["received"] != machine.document["expected"]
        assert SECRET not in people.out + machine.out


class TestDiagnose:
    def test_the_founding_case_in_every_form(self, tmp_path: Path) -> None:
        """Some from a file and some from standard input; the attempt as JSON stands below."""
        forms = founding_forms()
        for form in ("curl", "har"):
            (tmp_path / form).write_text(forms[form])
        ran = together(*(f"diagnose {tmp_path / form} --json" for form in ("curl", "har")))
        ran += [run("diagnose", "-", "--json", stdin=forms[form]) for form in ("url", "raw")]
        for done in ran:
            assert done.status == 0
            found = done.document
            assert (found["verdict"], found["mistakes"]) == ("explained", FOUNDING)
            proved = {f["id"]: f["cure"] for f in found["findings"] if f["certainty"] == "proved"}
            assert proved.keys() >= set(FOUNDING)
            assert proved["path_prefix_missing"].startswith("Put the path")
            assert found["searched"] > 1
            assert found["elapsed_ms"] > 0
            assert SECRET not in done.out

    def test_for_people_from_standard_input(self) -> None:
        ran = run("diagnose", "-", stdin=founding_forms()["json"])
        assert (ran.status, ran.err) == (0, "")
        assert ran.out.startswith(
            "Proved: the API path is missing in front and the secret stands around the string.\n"
        )
        for word in (*FOUNDING, "isv.account-migration-check-fail"):
            assert word in ran.out
        assert SECRET not in ran.out

    def test_a_right_request_is_0_and_one_of_another_secret_1(self) -> None:
        right = run("diagnose", "-", "--json", stdin=right_url())
        assert right.status == 0
        assert (right.document["verdict"], right.document["mistakes"]) == ("correct", [])
        other = run("diagnose", "-", "--depth", "1", "--json", stdin=right_url(),
                    env={"ALINB_APP_SECRET": "another"})  # fmt: skip
        assert (other.status, other.document["verdict"]) == (1, "unexplained")

    def test_without_a_secret_the_request_itself_is_judged(self) -> None:
        ran = run("diagnose", "-", "--json", stdin=f"{founding_url()}&app_secret=x",
                  env={"ALINB_APP_SECRET": ""})  # fmt: skip
        assert ran.status == 0
        assert "secret_sent_as_param" in [finding["id"] for finding in ran.document["findings"]]


class TestExplain:
    def test_a_code_a_message_a_file_and_what_is_unknown(self, tmp_path: Path) -> None:
        file = tmp_path / "reply.json"
        file.write_text(json.dumps(REFUSAL))
        people, by_file, by_message, unknown = together(
            "explain InvalidCode",
            f"explain {file} --json",
            "explain 'Invalid authorization code' --json",
            "explain isv.never-heard-of --json",
        )
        assert (people.status, people.err) == (0, "")
        assert people.out.startswith("InvalidCode: ")
        for heading in ("How sure:", "Causes:", "Do, in this order:", "Sources:"):
            assert heading in people.out
        found = by_file.document
        assert found["code"] == "isv.account-migration-check-fail"
        assert found["wrapped_in"] == "15"
        assert found["unknown"]
        assert len(found["cures"]) >= 4
        assert found["sources"]
        assert found.keys() >= {"meaning", "causes", "retry", "confidence"}
        assert by_message.document["code"] == "InvalidCode"
        assert (unknown.status, unknown.document["confidence"]) == (0, "unknown")

    def test_what_is_no_code_is_refused_with_the_nearest_ones(self) -> None:
        typo, nonsense, reply = together(
            "explain IncompleteSignatur", "explain 'the cat sat on it' --json",
            """explain '{"code": "NeverHeardOf", "message": "x"}' --json""",
        )  # fmt: skip
        assert (typo.status, typo.out) == (2, "")
        assert "'IncompleteSignatur'. Did you mean IncompleteSignature" in typo.err
        assert (nonsense.status, nonsense.out) == (2, "")
        assert "Give the whole reply" in nonsense.err
        assert (reply.status, reply.document["confidence"]) == (0, "unknown")

    def test_an_archive_on_standard_input(self) -> None:
        ran = run("explain", "-", "--json", stdin=founding_forms()["har"])
        assert ran.document["code"] == "isv.account-migration-check-fail"


class TestSandbox:
    @staticmethod
    def start(*words: str, env: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        whole = {k: v for k, v in {**os.environ, **(env or {})}.items() if v}
        return subprocess.Popen(
            [*COMMAND, "sandbox", "--port", "0", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", env=whole,
        )  # fmt: skip

    def test_the_first_line_is_json_and_sigterm_stops_it(self) -> None:
        given = {"ALINB_APP_SECRET": SECRET}
        process = self.start("--json", "--app-key", "77", "--status", "online", env=given)
        try:
            facts = json.loads(process.stdout.readline())  # type: ignore[union-attr]
            assert facts.keys() == {"url", "app_key", "authorize_url", "inspector_url"}
            assert facts["app_key"] == "77"
            assert facts["inspector_url"] == facts["url"] + "/inspector"
            asked = parse_qs(urlsplit(facts["authorize_url"]).query)
            assert asked["client_id"] == ["77"]
            assert asked["redirect_uri"] == [facts["url"] + "/callback"]
            for page in ("authorize_url", "inspector_url"):
                assert httpx.get(facts[page], trust_env=False).status_code == 200
            app = alinb.App("77", SECRET)
            with alinb.Client(app, gateway=facts["url"], journal=False) as client:
                code = httpx.post(facts["url"] + "/sandbox/code", trust_env=False).json()["code"]
                token = client.exchange(code)
                assert token.expires_at is not None
                assert token.expires_at - time.time() > 29 * 86_400, "online: thirty days"
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            rest, said = process.communicate(timeout=15)
            assert process.returncode == 0
            assert time.monotonic() - began < 5
            assert (rest, said) == ("", "")
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.1", httpx.URL(facts["url"]).port or 0)) != 0
        finally:
            process.kill()
            process.communicate()

    def test_a_person_sees_the_made_up_secret_once_and_a_given_one_never(self) -> None:
        def shown(secret: str) -> tuple[str, str]:
            process = self.start(env={"ALINB_APP_SECRET": secret})
            try:
                lines = [process.stdout.readline() for _ in range(4)]  # type: ignore[union-attr]
                process.send_signal(signal.SIGINT)
                rest, said = process.communicate(timeout=15)
                assert process.returncode == 0
                return "".join(lines) + rest, said
            finally:
                process.kill()
                process.communicate()

        with ThreadPoolExecutor(2) as pool:
            (out, said), (given_out, given_said) = pool.map(shown, ["", "given-secret"])
        assert re.search(r"^url +http://127\.0\.0\.1:\d+$", out, re.MULTILINE)
        assert re.fullmatch(r"app_secret +[0-9a-f]{32} +\(made up, shown this once\)\n", said)
        assert said.split()[1] not in out
        assert "given-secret" not in given_out + given_said
        assert given_said == ""


class TestCode:
    def test_it_is_printed_alone_and_works(self, box: alinb.Sandbox, at: str) -> None:
        ran = run("code")
        assert (ran.status, ran.err) == (0, "")
        assert re.fullmatch(r"3_12345678_\w{22}\n", ran.out)
        assert box.gateway.state.exchange(ran.out.strip()) is not None

    def test_as_json_by_option(self, box: alinb.Sandbox) -> None:
        found = run("code", "--gateway", box.url, "--json").document
        assert found.keys() == {"code"}
        assert found["code"].startswith("3_12345678_")


class TestCall:
    def test_a_success_is_0(self, at: str) -> None:
        people, nothing = together(
            f"call {QUERY} -p keywords=lamp -p page_size=2", f"call {QUERY} -p keywords=zzzz"
        )
        assert (people.status, people.err) == (0, "")
        assert "product_id" in people.out
        assert "LED Desk Lamp" in people.out
        assert len(people.out.splitlines()) == 3
        assert (nothing.status, nothing.err) == (0, "")
        assert nothing.out == "The call succeeded and found nothing.\n"
        machine = run("call", QUERY, "-p", "page_size=2", "--verb", "get", "--json")
        reply = machine.document
        assert (reply["ok"], reply["verdict"], reply["status"]) == (True, "ok", 200)
        assert reply["attempt_id"] == 3
        root = reply["data"]["aliexpress_affiliate_product_query_response"]
        assert len(root["resp_result"]["result"]["products"]["product"]) == 2

    def test_a_refusal_is_1_with_one_line(self, at: str) -> None:
        line = "call aliexpress.ds.product.get -p product_id=1"
        people, machine = together(line, f"{line} --json")
        assert (people.status, people.out, machine.status) == (1, "", 1)
        assert people.err.splitlines() == [
            "alinb: aliexpress.ds.product.get was refused: MissingParameter: the input parameter "
            "“access_token” that is mandatory for processing this request is not supplied. "
            "alinb explain MissingParameter says what that means."
        ]
        assert (machine.document["ok"], machine.document["code"]) == (False, "MissingParameter")

    def test_a_wrong_secret_is_1(self, at: str) -> None:
        ran = run("call", QUERY, env={"ALINB_APP_SECRET": "another-secret"})
        assert ran.status == 1
        assert "IncompleteSignature" in ran.err
        assert "another-secret" not in ran.err
        assert len(ran.err.splitlines()) == 1

    def test_parameters_may_be_called_name_or_verb(self, at: str, box: alinb.Sandbox) -> None:
        assert run("call", QUERY, "-p", "name=n", "-p", "verb=v").status == 0
        sent = box.gateway.attempts()[0].params
        assert (sent["name"], sent["verb"]) == ("n", "v")


class TestToken:
    def test_url(self) -> None:
        people, machine = together(
            "token url --force-auth", "token url --redirect-uri https://shop.example/cb --json"
        )
        link = machine.document
        asked = {k: v[0] for k, v in parse_qs(urlsplit(link["url"]).query).items()}
        assert link["url"].startswith("https://api-sg.aliexpress.com/oauth/authorize?")
        assert asked == {
            "response_type": "code", "client_id": KEY, "state": link["state"],
            "redirect_uri": "https://shop.example/cb",
        }  # fmt: skip
        assert "force_auth=true" in people.out
        assert re.search(r"alinb token exchange --state [0-9a-f]{32}\n", people.out)
        assert "'" not in people.out, "nothing is to be pasted into a shell's history"

    def test_what_signs_nothing_asks_for_no_secret(
        self, at: str, box: alinb.Sandbox, tmp_path: Path
    ) -> None:
        run("token", "exchange", box.code())
        without = {"ALINB_APP_SECRET": ""}
        link, shown, gone, refused = together(
            "token url", "token show --json", "token forget --json --platform lazada",
            "token refresh", env=without,
        )  # fmt: skip
        assert (link.status, link.err) == (0, "")
        assert shown.document["access_token"] == "‹access_token •••• 61›"
        assert gone.document == {"forgotten": False}
        assert (refused.status, refused.out) == (2, "")
        assert "There is no app secret." in refused.err
        assert run("token", "forget", "--json", env=without).document == {"forgotten": True}

    def test_a_keyring_that_keeps_nothing_is_refused_by_name(self, at: str) -> None:
        pytest.importorskip("keyring")
        env = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
        by_option, by_name, call = together(
            "token show --keyring", "token show", f"call {QUERY}",
            env={**env, "ALINB_TOKENS": "keyring"},
        )  # fmt: skip
        for ran in (by_option, by_name, call):
            assert (ran.status, ran.out) == (2, "")
            assert ran.err == (
                "alinb: There is no safe keyring here: keyring.backends.fail.Keyring keeps "
                "nothing. Set one up, or keep tokens in a file of mode 0600: leave out "
                "--keyring.\n"
            )

    def test_exchange_show_refresh_and_forget(
        self, at: str, box: alinb.Sandbox, tmp_path: Path
    ) -> None:
        back = f"https://shop.example/cb?code={box.code()}&state=s1"
        made = run("token", "exchange", back, "--state", "s1", "--json").document
        assert made["access_token"] == "‹access_token •••• 61›"
        assert made["refresh_token"] == "‹refresh_token •••• 61›"
        assert made["refreshable"] is True
        assert made["account_platform"] == "buyerApp"
        assert not {"account", "user_nick"} & made.keys()

        masked, machine, revealed = together(
            "token show", "token show --json", "token show --reveal --json"
        )
        assert machine.document == made
        whole = revealed.document
        assert re.fullmatch(r"50000\w{56}", whole["access_token"])
        assert re.fullmatch(r"50001\w{56}", whole["refresh_token"])
        assert whole["account"].endswith("@example.com")
        assert (masked.status, masked.err) == (0, "")
        assert whole["access_token"] not in masked.out
        assert "access_token         ‹access_token •••• 61›\n" in masked.out

        new = run("token", "refresh", "--reveal", "--json").document
        assert new["access_token"] != whole["access_token"]
        assert new["refresh_expires_at"] == whole["refresh_expires_at"]
        kept = (tmp_path / "tokens.json").stat()
        assert kept.st_mode & 0o777 == 0o600
        assert run("token", "forget").out == "The token is deleted.\n"
        assert run("token", "forget", "--json").document == {"forgotten": False}
        journal = (tmp_path / "journal.sqlite3").read_bytes()
        for value in (new["access_token"], new["refresh_token"], whole["access_token"], SECRET):
            assert value.encode() not in journal

    def test_a_code_on_standard_input(self, at: str, box: alinb.Sandbox, tmp_path: Path) -> None:
        for words in ((), ("-",)):
            ran = run("token", "exchange", *words, stdin=f"  '{box.code()}'\n")
        assert ran.status == 0, ran
        assert "account_platform     buyerApp\n" in ran.out
        place = tmp_path / "tokens.json"
        assert ran.err.startswith(f"Kept in clear text in {place}, for you alone to read; ")

    @pytest.mark.parametrize("words", [(), ("-",)])
    def test_a_person_is_asked_for_the_callback_and_it_is_not_echoed(
        self, at: str, box: alinb.Sandbox, words: tuple[str, ...]
    ) -> None:
        """On a terminal of its own, as a child that has none else reads none."""
        import pty

        try:
            ours, theirs = pty.openpty()
        except OSError:
            pytest.skip("this machine gives no terminals")
        own = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
        own += "os.execv(sys.executable, [sys.executable, '-m', 'alinb', *sys.argv[1:]])"
        process = subprocess.Popen(
            [sys.executable, "-c", own, "token", "exchange", "--state", "s1", *words],
            stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True, text=True,
            env={**os.environ, "ALINB_APP_KEY": KEY, "ALINB_APP_SECRET": SECRET},
        )  # fmt: skip
        os.close(theirs)
        code, shown = box.code(), b""
        while b": " not in shown:
            shown += os.read(ours, 1024)
        os.write(ours, f"https://shop.example/cb?code={code}&state=s1\n".encode())
        out, _ = process.communicate(timeout=60)
        with suppress(OSError):  # the other end is closed
            shown += os.read(ours, 1024)
        os.close(ours)
        assert process.returncode == 0
        assert "account_platform     buyerApp\n" in out
        assert b"The address you landed on, or the code: " in shown
        assert code not in out + shown.decode()

    def test_a_refused_exchange_is_1(self, at: str) -> None:
        ran = run("token", "exchange", CODE)
        assert (ran.status, ran.out) == (1, "")
        assert ran.err == (
            f"alinb: {CREATE} was refused: InvalidCode: Invalid authorization code. "
            "alinb explain InvalidCode says what that means.\n"
        )


class TestAttempts:
    @pytest.fixture
    def journal(self, box: alinb.Sandbox) -> alinb.Journal:
        """The founding case, the right exchange, and a search."""
        with alinb.Client(box) as client:
            code = box.code()
            signed = client.sign(CREATE, verb="GET", code=code, format="json")
            client.send(alinb.mistaken(signed, *FOUNDING))
            client.exchange(code)
            client.call(SEARCH, keyWord="lamp", local="en_US", countryCode="US", currency="USD")
            assert client.journal is not None
            return client.journal

    def test_ls_show_and_diff(self, journal: alinb.Journal) -> None:
        listed, some, shown, person, compared, table = together(
            "attempts ls --json", "attempts ls --verdict refused --limit 5",
            "attempts show 1 --json", "attempts show 1", "attempts diff 1 2 --json",
            "attempts diff 1 2",
        )  # fmt: skip
        rows = listed.document
        assert rows == journal.rows()
        assert [row["id"] for row in rows] == [3, 2, 1]
        assert rows[2]["mistakes"] == "path_prefix_missing secret_wrapped"
        head, _, line, _, foot = some.out.splitlines()
        assert head.split() == ["id", "at", "verdict", "name", "code", "mistakes", "elapsed_ms"]
        assert re.match(
            rf"1 +20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ +refused +{CREATE} +IncompleteSignature ", line
        )
        assert re.fullmatch(r"1 of 1 that match of 3 attempts, 0\.\d MB in .*\.sqlite3\.", foot)

        first = shown.document
        assert first["diagnosis"]["mistakes"] == FOUNDING
        assert (first["id"], first["verdict"], first["method"]) == (1, "refused", "GET")
        assert first["stages"]["wrap"].startswith("‹app_secret›app_key")
        assert person.out.startswith(f"<Attempt 1 GET {CREATE} refused IncompleteSignature")
        assert "Proved: the API path is missing in front" in person.out

        cells = {(row["part"], row["what"]): row for row in compared.document["rows"]}
        assert cells["outcome", "code"]["left"] == "IncompleteSignature"
        assert cells["outcome", "code"]["differs"] is True
        assert cells["parameters", "code"]["differs"] is False, "the same code, told by its mark"
        assert "≠  outcome     verdict" in table.out
        assert max(map(len, table.out.splitlines())) <= 160
        assert not any(SECRET in ran.out for ran in (listed, some, shown, person, compared, table))

    def test_ls_of_nothing(self) -> None:
        people, machine = together("attempts ls", "attempts ls --json")
        assert people.out == "The journal is empty.\n"
        assert machine.document == []

    def test_ls_filters_and_says_so_where_nothing_matches(self, journal: alinb.Journal) -> None:
        coded, recent, none = together(
            "attempts ls --code IncompleteSignature --json", "attempts ls --since 1h --json",
            "attempts ls --verdict no_reply --name x --since 2d",
        )  # fmt: skip
        assert [row["id"] for row in coded.document] == [1]
        assert [row["id"] for row in recent.document] == [3, 2, 1]
        first, _, foot = none.out.splitlines()
        assert first == "No attempt has verdict no_reply and name x and since 2d."
        assert foot.startswith("0 of 0 that match of 3 attempts, ")

    def test_status_and_prune(self, journal: alinb.Journal) -> None:
        people, machine = together("attempts status", "attempts status --json")
        assert machine.document["verdicts"] == {"ok": 2, "refused": 1}
        assert machine.document["path"] == str(journal.path)
        assert re.search(r"^size +0\.\d MB$", people.out, re.MULTILINE)
        assert re.search(r"^  refused +1$", people.out, re.MULTILINE)
        assert run("attempts", "prune", "--older-than", "1d").out.startswith(
            "0 attempts deleted; 3"
        )
        pruned = run("attempts", "prune", "--keep", "2", "--json").document
        assert (pruned["deleted"], pruned["attempts"]) == (1, 2)
        assert re.fullmatch(
            r"2 attempts deleted; 0 stay, 0\.\d MB\.\n",
            run("attempts", "prune", "--older-than", "0s", "--keep", "0").out,
        )
        assert len(journal) == 0

    def test_export_as_one_json_document(self, journal: alinb.Journal, tmp_path: Path) -> None:
        file = tmp_path / "kept.har"
        lines, har, curl, written = together(
            "attempts export --json", "attempts export --format har --json",
            "attempts export 2 --format curl --json",
            f"attempts export 1 --format har --json --out {file}",
        )  # fmt: skip
        assert [attempt["id"] for attempt in lines.document] == [1, 2, 3]
        assert len(har.document["log"]["entries"]) == 3
        assert [text.split()[0] for text in curl.document] == ["curl"]
        assert written.document == {"attempts": 1, "format": "har", "out": str(file)}
        assert len(json.loads(file.read_text())["log"]["entries"]) == 1

    def test_an_import_diagnoses_with_the_secret_and_not_without(self, tmp_path: Path) -> None:
        url = founding_url()
        told = run("attempts", "import", "-", "--json", stdin=url).document
        assert told == {"ids": [1], "mistakes": {"1": FOUNDING}}
        people = run("attempts", "import", "-", stdin=url)
        assert people.out.splitlines()[1].startswith("2: Proved: the API path is missing")
        journal = alinb.Journal(tmp_path / "journal.sqlite3")
        assert journal.rows()[0]["mistakes"] == " ".join(FOUNDING)
        assert SECRET not in json.dumps([a.as_dict() for a in journal.attempts()])
        without = {"ALINB_APP_SECRET": ""}
        told = run("attempts", "import", "-", "--json", stdin=url, env=without).document
        assert told == {"ids": [3], "mistakes": {}}

    def test_export_and_import(self, journal: alinb.Journal, tmp_path: Path) -> None:
        file = tmp_path / "kept.jsonl"
        lines, har, curl, written = together(
            "attempts export", "attempts export --format har", "attempts export 2 --format curl",
            f"attempts export 1 3 --out {file}",
        )  # fmt: skip
        assert [json.loads(line)["id"] for line in lines.out.splitlines()] == [1, 2, 3]
        archive = har.document
        assert archive["log"]["creator"]["name"] == "alinb"
        assert [e["request"]["method"] for e in archive["log"]["entries"]] == [
            "GET", "POST", "POST",
        ]  # fmt: skip
        assert shlex.split(curl.out)[:3] == ["curl", "-X", "POST"]
        assert len(curl.out.splitlines()) == 1
        assert "code=‹code " in curl.out
        assert written.out == f"2 attempts written to {file}.\n"
        elsewhere = {"ALINB_JOURNAL": str(tmp_path / "other.sqlite3")}
        assert run("attempts", "import", str(file), "--json", env=elsewhere).document == {
            "ids": [1, 2],
            "mistakes": {"1": FOUNDING},
        }
        read = alinb.Journal(tmp_path / "other.sqlite3")
        assert [row["verdict"] for row in read.rows()] == ["ok", "refused"]
        assert read.get(1).reply_text == journal.get(1).reply_text
        assert read.get(1).diagnosis == journal.get(1).diagnosis

    def test_an_import_hides_the_secret_that_stands_in_it(self, tmp_path: Path) -> None:
        text = f"{SECRET}app_key{KEY}code{CODE}{SECRET}"
        given = {"method": "GET", "url": founding_url(), "string_to_sign": text}
        ran = run("attempts", "import", "-", stdin=json.dumps(given))
        assert ran.out.splitlines()[0] == "Kept as 1; alinb attempts show says more."
        kept = alinb.Journal(tmp_path / "journal.sqlite3").get(1)
        assert SECRET not in json.dumps(kept.as_dict())
        assert kept.string_to_sign.count("‹app_secret ") == 2
        assert CODE not in kept.string_to_sign


class TestDemo:
    def test_it_names_both_mistakes_and_shows_no_secret_in_ten_seconds(
        self, tmp_path: Path
    ) -> None:
        home, temporary = tmp_path / "home", tmp_path / "tmp"
        home.mkdir()
        temporary.mkdir()
        traces = {"HOME": str(home), "TMPDIR": str(temporary)}
        began = time.monotonic()
        people, machine = together("demo", "demo --json", env=traces)
        assert time.monotonic() - began < 10
        assert (people.status, people.err) == (0, "")
        for said in (*FOUNDING, "IncompleteSignature", "accepted: <Token", "LED Desk Lamp"):
            assert said in people.out
        found = machine.document
        assert found["refused"]["code"] == "IncompleteSignature"
        assert found["diagnosis"]["mistakes"] == FOUNDING
        assert found["accepted"] == {"name": CREATE, "verdict": "ok"}
        assert found["token"]["access_token"] == "‹access_token •••• 61›"
        assert len(found["records"]) == 5
        assert found["records"][0].keys() >= {"itemId", "targetSalePrice_amount"}
        assert any(row["differs"] for row in found["comparison"]["rows"])
        for out in (people.out, machine.out):
            # The made-up secret, a code and a token by their shapes.
            assert not re.search(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f…])", out)
            assert not re.search(r"3_\d+_\w{22}", out)
            assert not re.search(r"5000[01]\w{50}", out)
        assert [*home.iterdir(), *temporary.iterdir()] == [], "it leaves nothing behind"
        assert not (tmp_path / "journal.sqlite3").exists()


class TestTop:
    def test_version_and_help(self) -> None:
        version, shown = together("--version", "-h")
        assert (version.status, version.out) == (0, f"{alinb.__version__}\n")
        for command in ("demo", "lab", "sandbox", "code", "proxy", "sign", "verify", "diagnose",
                        "explain", "call", "token", "attempts"):  # fmt: skip
            assert re.search(rf"\b{command}\b", shown.out)

    def test_the_installed_script_is_the_same_program(self) -> None:
        script = Path(sys.executable).with_name("alinb")
        done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout == f"{alinb.__version__}\n"

    def test_a_look_at_the_journal_loads_nothing_heavy(self, tmp_path: Path) -> None:
        """A list of a million attempts is to be there in half a second, the start included."""
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "alinb", "attempts", "ls"],
            capture_output=True, text=True, check=True,
            env={**os.environ, "ALINB_JOURNAL": str(tmp_path / "none.sqlite3")},
        )  # fmt: skip
        loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        assert "alinb.journal" in loaded
        heavy = {"pandas", "numpy", "httpx", "anyio", "msgspec", "rich", "starlette", "pydantic"}
        if version("typer") >= "0.29":
            heavy.remove("pydantic")  # pyproject asks for another, and says why
        assert loaded & heavy == set()

    def test_a_reader_that_has_seen_enough_is_no_error(self) -> None:
        command = f"{shlex.join(COMMAND)} explain InvalidCode | head -1"
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True,
                              text=True, check=False)  # fmt: skip
        assert done.stdout.startswith("InvalidCode: ")
        assert done.stderr == ""

    def test_an_ascii_terminal_gets_escapes_and_no_traceback(self) -> None:
        ran = run("explain", "ApiCallLimit", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
        assert (ran.status, ran.err) == (0, "")


class Answers(BaseHTTPRequestHandler):
    """A wrong address: a page, JSON that is cut, half a surrogate pair."""

    BODIES = {  # noqa: RUF012
        "html": b"<!doctype html><html><head><title>404 Not Found</title></head></html>",
        "cut": b'{"aliexpress_affiliate_product_query_resp',
        "half": b'{"code":"Half\\ud83d","message":"a pair \\ud83d"}',
    }

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = self.BODIES[self.path.split("/")[1]]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture(scope="session")
def wrong() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


#: (what, the words, environment, a part of the line); {…} is filled in by the fixture below.
BAD = [
    ("a callback without a code", "token exchange https://shop.example/cb?foo=1", {},
     "holds no `code` (it has: foo)"),
    ("no callback", "token exchange", {}, "Nothing was pasted."),
    ("a callback that is no URL", "sandbox --callback foo", {}, "'foo' is no redirect URI."),
    ("a callback with a bad host", "sandbox --callback http://[x", {}, "is no redirect URI."),
    ("a redirect URI that is no URL", "token url --redirect-uri foo", {},
     "'foo' is not a full URL."),
    ("a redirect URI with a blank", "token url --redirect-uri 'https://a.x/ b'", {},
     "is not a full URL."),
    ("a name that is none", "call {query} --gateway https://xn--a.example", {},
     "'xn--a.example' is no name or address of a host."),
    ("a name with a part too long", "call {query} --gateway https://{long}.example", {},
     "is not a gateway's base URL."),
    ("an address that is none", "call {query} --gateway https://1.2.3.999", {},
     "'1.2.3.999' is no name or address of a host."),
    ("a password in a gateway's URL", "call {query} --gateway https://a:{code}@b.example", {},
     "holds no user name and no password."),
    ("a proxy to a name that is none", "proxy --upstream https://xn--a.example --port 0", {},
     "'xn--a.example' is no name or address of a host."),
    ("a proxy with a password", "proxy --upstream https://a:{code}@b.example --port 0", {},
     "That is no upstream."),
    ("a code of a name that is none", "code --gateway https://xn--a.example", {},
     "No alinb sandbox answers at"),
    ("a callback of another state",
     "token exchange https://x.example/?code=AbCd12&state=a --state b", {},
     "The `state` in the callback is not the one"),
    ("an unknown platform", "sign /a/b --platform lazda", {}, "There is no platform 'lazda'"),
    ("no secret", "sign /a/b", {"ALINB_APP_SECRET": ""}, "There is no app secret."),
    ("a page", "call {query} --gateway {wrong}/html", {}, "is an HTML page titled “404 Not Found”"),
    ("cut JSON", "call {query} --gateway {wrong}/cut", {}, "is JSON cut off after 41 characters"),
    ("a journal that is none", "attempts ls", {"ALINB_JOURNAL": "{notes}"},
     "cannot be used: file is not a database"),
    ("a journal that is none, on a call", "call {query} --gateway {wrong}/cut",
     {"ALINB_JOURNAL": "{notes}"}, "cannot be used: file is not a database"),
    ("a token file that is none", "token show", {"ALINB_TOKENS": "{notes}"},
     "it is not a token file of alinb"),
    ("no token to show", "token show", {}, "No token is kept for app 12345678."),
    ("a port in use", "sandbox --port {port} --json", {}, "The sandbox cannot listen on port"),
    ("a fault that is none", "sandbox --fault rest", {}, "'rest' is no fault. Did you mean reset?"),
    ("a share above 1", "sandbox --fault reset@3", {}, "'reset@3' has a share of 3."),
    ("a latency below 0", "sandbox --latency -5", {}, "A latency of -5.0 ms makes no sense."),
    ("a rate that is none", "sandbox --qps fast", {}, "'fast' is no rate."),
    ("a rate of a method there is not", "sandbox --qps aliexpress.ds.product.gett=3", {},
     "Did you mean aliexpress.ds.product.get"),
    ("a rate below 0", "sandbox --qps -3", {}, "-3.0 calls a second is no rate."),
    ("a quota below 0", "sandbox --quota -1", {}, "A quota of -1 makes no sense."),
    ("half a call a day", "sandbox --quota 1.5", {}, "Invalid value for '--quota'"),
    ("a burst of 0", "sandbox --burst 0", {}, "A burst of 0 makes no sense. Use 1 or more."),
    ("a ban below 0", "sandbox --ban -1", {}, "A ban of -1.0 s makes no sense."),
    ("an assumption without a choice", "sandbox --assume md5", {},
     "The assumption 'md5' is not name=value. Write --assume empties=signed."),
    ("an assumption about nothing", "sandbox --assume x=1", {}, "nothing to assume about 'x'"),
    ("a choice there is not", "sandbox --assume md5=maybe", {}, "md5 cannot be 'maybe'."),
    ("a category that is none", "sandbox --category ds", {}, "'ds' is no app category."),
    ("a status that is none", "sandbox --status live", {}, "'live' is no app status."),
    ("a journal nobody can write", "sandbox --journal /proc/no/such", {},
     "The journal /proc/no/such cannot be used"),
    ("a list there is not", "sandbox --list errors", {}, "There is no list of 'errors'."),
    ("no such file", "diagnose /no/such/file", {}, "cannot be read: no such file or directory."),
    ("a file that is no request", "diagnose {notes}", {}, "none of the forms alinb reads"),
    ("an unsigned request", "verify {unsigned}", {}, "The request has no `sign` to verify."),
    ("a parameter without =", "call {query} -p keywords", {}, "'keywords' is not name=value."),
    ("a gateway that is not there", "call {query} --gateway http://127.0.0.1:{free}", {},
     "got no answer from 127.0.0.1: could not connect"),
    ("a gateway that is not there, on an exchange",
     "token exchange {code} --gateway http://127.0.0.1:{free}", {},
     "Check the gateway's address and the network, then send it again."),
    ("plain http to another machine", "call {query} --gateway http://10.0.0.1", {},
     "over plain http."),
    ("a verb that is none", "call {query} --verb PUT", {}, "'PUT'"),
    ("an attempt that is not there", "attempts show 99", {}, "holds no attempt 99."),
    ("a prune of nothing named", "attempts prune", {}, "Give --older-than 30d or --keep 1000."),
    ("an age that is none", "attempts prune --older-than old", {}, "'old' is no time span."),
    ("a span that is none", "attempts ls --since 3x", {}, "'3x' is no time span."),
    ("a format that is none", "attempts export --format xml", {}, "'xml' is no format."),
]  # fmt: skip


@pytest.fixture(scope="session")
def bad_runs(
    tmp_path_factory: pytest.TempPathFactory, wrong: str
) -> Iterator[tuple[dict[str, "Future[Ran]"], dict[str, str]]]:
    """Every run of the table, a few at a time."""
    folder = tmp_path_factory.mktemp("bad")
    held = socket.create_server(("127.0.0.1", 0))
    with socket.create_server(("127.0.0.1", 0)) as gone:
        free = gone.getsockname()[1]
    (folder / "notes.txt").write_text("Dear diary, " * 100)
    (folder / "unsigned").write_text("https://api-sg.aliexpress.com/rest/a/b?app_key=1")
    (folder / "url").write_text(right_url())
    known = {
        "wrong": wrong, "notes": str(folder / "notes.txt"),
        "folder": str(folder), "query": QUERY, "code": CODE,
        "port": str(held.getsockname()[1]), "free": str(free), "url": str(folder / "url"),
        "unsigned": str(folder / "unsigned"), "long": "a" * 64,
    }  # fmt: skip

    def start(number: int, words: str, changed: Mapping[str, str]) -> Ran:
        own = folder / str(number)
        env = {
            "ALINB_JOURNAL": str(own / "journal.sqlite3"), "ALINB_TOKENS": str(own / "tokens.json"),
            "ALINB_GATEWAY": "", "ALINB_PLATFORM": "",
        }  # fmt: skip
        env |= {name: value.format(**known) for name, value in changed.items()}
        return run(*(word.format(**known) for word in shlex.split(words)), env=env)

    with ThreadPoolExecutor(3) as pool:
        yield (
            {
                what: pool.submit(start, number, words, changed)
                for number, (what, words, changed, _) in enumerate(BAD)
            },
            known,
        )
    held.close()


@pytest.mark.parametrize(("what", "line"), [(row[0], row[3]) for row in BAD])
def test_bad_input_is_2_with_one_clear_line(bad_runs: Any, what: str, line: str) -> None:
    ran = bad_runs[0][what].result()
    assert ran.status == 2, ran
    (said,) = ran.err.splitlines()
    assert said.startswith("alinb: ")
    assert line in said
    assert said.endswith((".", "?", "…"))
    assert "Traceback" not in ran.out + ran.err
    assert SECRET not in ran.out + ran.err
    assert CODE not in ran.out + ran.err
    assert ran.out == ""


def test_bad_input_leaves_files_as_they_were(bad_runs: Any) -> None:
    runs, known = bad_runs
    for future in runs.values():
        future.result()
    assert Path(known["notes"]).read_text() == "Dear diary, " * 100


def test_what_cannot_be_read_is_kept_and_whole_in_json(wrong: str, tmp_path: Path) -> None:
    ran = run("call", QUERY, "--gateway", f"{wrong}/html", "--json")
    assert ran.status == 2
    document = json.loads(ran.out)
    assert (document["verdict"], document["attempt_id"]) == ("unreadable", 1)
    assert document["data"] == Answers.BODIES["html"].decode()
    kept = alinb.Journal(tmp_path / "journal.sqlite3").get(1)
    assert kept.reply_text == Answers.BODIES["html"].decode()


def test_half_a_surrogate_pair_is_printed_as_an_escape(wrong: str) -> None:
    ran = run("call", QUERY, "--gateway", f"{wrong}/half", "--json")
    assert ran.status == 1
    assert ran.document["message"] == "a pair \ud83d"
    shown = run("attempts", "show", "1")
    assert shown.status == 0
    assert "\\ud83d" in shown.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sign",), "Missing argument 'name'. Try alinb sign --help."),
        (("attempts", "show", "x"), "Try alinb attempts show --help."),
        (("nope",), "No such command 'nope'. Try alinb --help."),
        (("sign", "/a", "-z"), "No such option: -z. Try alinb sign --help."),
    ],
)
def test_a_wrong_command_line_is_one_line_and_2(words, said):
    ran = run(*words)
    assert ran.status == 2
    assert ran.err.count("\n") == 1
    assert ran.err.strip().endswith(said)
