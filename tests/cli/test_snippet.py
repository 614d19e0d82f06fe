"""alinb snippet: the code alone on standard output, the changed lines, the exit statuses."""

import json
import subprocess
import sys

import pytest

import alinb
from alinb.snippets import languages

SECRET = "helloworld"
CODE = "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command in this process; its exit status, output and error output."""
    from alinb.cli import main

    def run(*arguments: str, secret: str = "", **env: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["alinb", "snippet", *arguments])
        for name, value in {"ALINB_APP_SECRET": secret, **env}.items():
            monkeypatch.setenv(name, value)
        status = 0
        try:
            main()
        except SystemExit as done:
            status = int(done.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def request_file(tmp_path):
    """A file with a curl command whose signature was made with these mistakes."""

    def written(*mistakes: str, name: str = "/auth/token/create", platform: str = "aliexpress"):
        app = alinb.App("500102", SECRET, platform)
        signed = alinb.sign(name, {"code": CODE}, app=app, verb="GET", timestamp=1_700_000_000_000)
        file = tmp_path / "request.txt"
        file.write_text(f"curl '{alinb.mistaken(signed, *mistakes).url}'")
        return str(file)

    return written


@pytest.mark.parametrize("language", languages())
def test_it_prints_the_code_alone(run, language):
    assert run(language) == (0, alinb.snippet(language).code, "")


def test_a_name_and_a_platform_are_taken(run):
    code = alinb.snippet("go", "/order/get", platform="lazada-th").code
    assert run("golang", "/order/get", "--platform", "lazada-th")[:2] == (0, code)
    assert run("go", "/order/get", ALINB_PLATFORM="lazada-th")[:2] == (0, code)


def test_json_holds_the_same(run):
    status, out, _ = run("ts", "aliexpress.ds.product.get", "--json")
    assert status == 0
    assert json.loads(out) == alinb.snippet("ts", "aliexpress.ds.product.get").as_dict()


def test_the_languages_are_listed(run):
    status, out, _ = run("--list")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == list(languages())
    _, out, _ = run("--list", "--json")
    assert [one["language"] for one in json.loads(out)] == list(languages())
    assert "ts" in json.loads(out)[-1]["aliases"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "There is no language."),
        (("cobol",), "no template for 'cobol'. Known: csharp, go, java"),
        (("python", "create"), "'create' is not an API name."),
        (("python", "a.b", "--platform", "miravia"), "no dotted calls"),
        (("python", "--platform", "nowhere"), "no platform 'nowhere'"),
        (("python", "--fix", "no-such-file"), "cannot be read"),
    ],
)
def test_bad_input_is_one_line_and_status_2(run, arguments, said):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_fix_shows_the_changed_lines(run, request_file):
    file = request_file("path_prefix_missing", "secret_wrapped")
    status, out, _ = run("php", "--fix", file, secret=SECRET)
    assert status == 0
    assert "@@ wrap: path_prefix_missing, " in out
    assert "-    $text = $secret . $text . $secret;\n" in out
    assert "+    $text = $path . $text;\n" in out
    assert SECRET not in out
    assert CODE not in out


def test_fix_takes_the_name_and_the_platform_from_the_request(run, request_file):
    file = request_file("kv_separators", name="/order/get", platform="lazada-th")
    status, out, _ = run("go", "--fix", file, "--json", secret=SECRET)
    assert status == 0
    found = json.loads(out)
    assert (found["language"], found["name"], found["platform"], found["mistakes"]) == (
        "go", "/order/get", "lazada-th", ["kv_separators"],
    )  # fmt: skip
    assert found["verdict"] == "explained"
    assert "@@ join: kv_separators" in found["fix"]
    _, out, _ = run("go", "/orders/get", "--fix", file, "--json", secret=SECRET)
    assert json.loads(out)["name"] == "/orders/get"


def test_fix_of_a_right_request(run, request_file):
    status, out, _ = run("python", "--fix", request_file(), secret=SECRET)
    assert (status, out) == (0, "No line changes: the signature is right.\n")


def test_fix_with_another_secret_is_unexplained_and_status_1(run, request_file):
    status, out, _ = run("python", "--fix", request_file(), secret="another")
    assert status == 1
    assert out.startswith("No line of this code shows it:")


def test_fix_without_a_secret_tells_what_is_seen(run, tmp_path):
    file = tmp_path / "url"
    file.write_text("https://api-sg.aliexpress.com/rest/auth/token/create?app_key=1&sign=A1")
    status, out, _ = run("python", "--fix", str(file))
    assert status == 0
    assert "sign_method_missing: " in out


def test_the_printed_program_runs_when_it_is_put_into_a_file(tmp_path):
    file = tmp_path / "signed_call.py"
    alinb_command = [sys.executable, "-m", "alinb", "snippet", "python"]
    with file.open("w") as out:
        subprocess.run(alinb_command, stdout=out, check=True, timeout=60)
    case = {
        "path": "/auth/token/create",
        "params": {
            "app_key": "12345678",
            "code": CODE,
            "sign_method": "sha256",
            "timestamp": "1517820392000",
        },
        "secret": SECRET,
    }
    done = subprocess.run(
        [sys.executable, str(file), "--sign"],
        input=json.dumps(case),
        capture_output=True,
        text=True,
        timeout=60,
    )
    # The signature that AliExpress prints in document 1385.
    assert done.stdout == "35607762342831B6A417A0DED84B79C05FEFBF116969C48AD6DC00279A9F4D81\n"
