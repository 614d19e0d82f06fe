"""The changed lines: they are the difference between two programs, and nothing is left out."""

import re

import pytest

import alinb
from alinb import InputError
from alinb.knowledge import load
from alinb.snippets import fix, language_named, languages
from alinb.snippets.plan import plan, wrong_turns
from alinb.snippets.writing import program

APP = alinb.App("500102", "helloworld")
CODE = "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26"


def diagnosed(name, params, *mistakes, app=APP, **more):
    signed = alinb.sign(name, params, app=app, verb="GET", timestamp=1_700_000_000_000)
    wrong = alinb.mistaken(signed, *mistakes)
    return alinb.diagnose(wrong.url, secret=app.secret, **more)


def test_the_founding_case_in_typescript():
    found = diagnosed(
        "/auth/token/create",
        {"code": CODE, "app_secret": "helloworld"},
        "path_prefix_missing",
        "secret_wrapped",
    )
    assert fix("ts", found) == (
        "@@ wrap: path_prefix_missing, the API path is missing in front; "
        "secret_wrapped, the secret stands around the string @@\n"
        "   signed.sort(([a], [b]) => (a < b ? -1 : 1));\n"
        "   // join: name and value, nothing between\n"
        "   let text = signed.map(([name, value]) => name + value).join('');\n"
        "-  // wrap: WRONG (path_prefix_missing): the API path is missing in front\n"
        "-  // wrap: WRONG (secret_wrapped): the secret stands around the string\n"
        "-  text = secret + text + secret;\n"
        "+  // wrap: the API path in front\n"
        "+  text = path + text;\n"
        "   // key: the app secret\n"
        "   const key = Buffer.from(secret, 'utf8');\n"
        "   // digest: HMAC-SHA256 of the UTF-8 bytes\n"
        "\n"
        "Not to be seen in these lines:\n"
        f"  secret_sent_as_param: {load('mistakes')['mistakes']['secret_sent_as_param']['cure']}"
    )


@pytest.mark.parametrize("language", languages())
def test_the_diff_leads_from_the_wrong_program_to_the_right_one(language):
    ids = ["values_urlencoded", "kv_separators", "prefix_with_rest", "digest_plain_sha256",
           "base64_output"]  # fmt: skip
    shown = fix(language, ids)
    assert _patched(_body(language, ids), shown) == _body(language, [])
    labels = " ".join(re.findall(r"^@@ (.*) @@$", shown, re.MULTILINE))
    for id_ in ids:
        assert id_ in labels
    for stage in ("format", "join", "wrap", "digest", "encode"):
        assert f"{stage}: " in labels


def _body(language, ids):
    """A program's lines without the comment it begins with."""
    made = plan("/auth/token/create", "aliexpress")
    recipe = made.recipe.turned(*wrong_turns(made, ids))
    lines = program(language_named(language), made, recipe)
    return [line.text for line in lines if line.part != "header"]


def _patched(lines, diff):
    """The lines after every block of the diff is applied; each must fit in one place."""
    for block in re.split(r"^@@.*@@\n", diff, flags=re.MULTILINE)[1:]:
        drawn = block.rstrip("\n").splitlines()
        old = [line[1:] for line in drawn if not line.startswith("+")]
        new = [line[1:] for line in drawn if not line.startswith("-")]
        places = [i for i in range(len(lines)) if lines[i : i + len(old)] == old]
        assert len(places) == 1, block
        lines = [*lines[: places[0]], *new, *lines[places[0] + len(old) :]]
    return lines


def test_three_lines_of_context_stand_around_a_change():
    (block,) = re.split(r"^@@.*@@\n", fix("python", ["lowercase_hex"]), flags=re.MULTILINE)[1:]
    lines = block.splitlines()
    first = next(i for i, line in enumerate(lines) if line[0] in "+-")
    assert first == 3
    assert all(line.startswith(" ") for line in lines[:3])


def test_what_has_no_lines_is_listed_with_its_cure():
    cures = {id_: facts["cure"] for id_, facts in load("mistakes")["mistakes"].items()}
    shown = fix("python", ["lowercase_hex", "sort_locale", "timestamp_seconds"])
    assert "Not to be seen in these lines:\n" in shown
    assert f"  sort_locale: {cures['sort_locale']}" in shown
    assert f"  timestamp_seconds: {cures['timestamp_seconds']}" in shown
    alone = fix("python", ["uuid_sent"])
    assert alone == f"No line of this code shows it:\n  uuid_sent: {cures['uuid_sent']}"


def test_a_right_signature_changes_no_line():
    found = diagnosed("/auth/token/create", {"code": CODE})
    assert found.verdict == "correct"
    assert fix("go", found) == "No line changes: the signature is right."


def test_an_unexplained_signature_tells_what_to_do():
    found = alinb.diagnose(
        "https://api-sg.aliexpress.com/rest/auth/token/create?app_key=500102&sign_method=sha256"
        f"&timestamp=1700000000000&code={CODE}&sign={'A1' * 32}",
        secret="helloworld",
    )
    assert found.verdict == "unexplained"
    shown = fix("go", found)
    assert shown.startswith("No line of this code shows it:\n  ")
    assert found.cure in shown


def test_without_a_secret_the_findings_are_listed():
    found = alinb.diagnose("https://api-sg.aliexpress.com/rest/auth/token/create?app_key=1&sign=A")
    assert "sign_method_missing: " in fix("php", found)


def test_another_declared_hash_is_changed_too():
    found = diagnosed(
        "aliexpress.ds.product.get",
        {"product_id": "1", "sign_method": "md5"},
        "secret_wrap_missing",
    )
    shown = fix("python", found, "aliexpress.ds.product.get")
    assert '-    system["sign_method"] = "md5"' in shown
    assert '+    system["sign_method"] = "sha256"' in shown
    assert "+    mac = hmac.new(key, message, hashlib.sha256).digest()" in shown
    assert "@@ wrap: secret_wrap_missing, " in shown


def test_a_detail_of_the_request_is_in_the_lines():
    found = diagnosed("/auth/token/create", {"code": CODE}, "unsigned_param")
    (turn,) = found.theirs.recipe.mistakes
    assert f"-    unset($signed['{turn.detail}']);" in fix("php", found)


def test_it_never_shows_the_secret_nor_the_code():
    found = diagnosed(
        "/auth/token/create", {"code": CODE, "secret": "helloworld"}, "secret_front_only"
    )
    for language in languages():
        shown = fix(language, found)
        assert "helloworld" not in shown
        assert CODE not in shown


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="no template"):
        fix("cobol", ["lowercase_hex"])
    with pytest.raises(InputError, match="is no mistake"):
        fix("python", ["no_such_mistake"])
    with pytest.raises(InputError, match="is not an API name"):
        fix("python", ["lowercase_hex"], "create")
