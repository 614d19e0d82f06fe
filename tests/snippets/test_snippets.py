"""What a snippet is and holds, and that every template is whole; nothing is run but Python."""

import re

import pytest

import alinb
from alinb import InputError, snippet
from alinb.app import platforms
from alinb.redact import Secret
from alinb.snippets import language_named, languages
from alinb.snippets.plan import plan, possible, wrong_turns
from alinb.snippets.writing import cannot_write, program
from alinb.stages import STAGES, Context

#: The mistakes that every template must be able to make.
COMMON = {
    "/auth/token/create": (
        "path_prefix_missing", "secret_wrapped", "secret_front_only", "lowercase_hex",
        "digest_plain_sha256", "digest_md5", "digest_hmac_md5", "kv_separators",
        "values_urlencoded", "prefix_with_rest", "prefix_no_leading_slash",
        "sign_method_not_signed", "timestamp_not_signed", "unsorted", "sort_case_insensitive",
        "base64_output",
    ),
    "aliexpress.ds.product.get": ("prefix_on_business", "method_not_signed"),
}  # fmt: skip
CALLS = [
    ("/auth/token/create", "aliexpress"), ("/auth/token/security/refresh", "aliexpress"),
    ("aliexpress.ds.product.get", "aliexpress"), ("/order/get", "lazada-th"),
    ("/auth/token/create", "lazada-th"), ("taobao.item.seller.get", "top"),
    ("/param2/1/system/currentTime/1000000", "aop"),
]  # fmt: skip

every_language = pytest.mark.parametrize("language", languages())


def test_the_eleven_languages_are_there():
    assert list(languages()) == [
        "csharp", "go", "java", "javascript", "php", "postman", "python", "ruby", "rust", "shell",
        "typescript",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("alias", "name"),
    [("ts", "typescript"), ("js", "javascript"), ("Node", "javascript"), (" py ", "python"),
     ("C#", "csharp"), ("cs", "csharp"), ("bash", "shell"), ("curl", "shell"), ("rb", "ruby"),
     ("golang", "go"), ("rs", "rust"), ("bruno", "postman"), ("PHP", "php")],
)  # fmt: skip
def test_an_alias_is_taken(alias, name):
    assert snippet(alias).language == name


def test_no_alias_means_two_languages():
    names = [alias for one in languages().values() for alias in (one.name, *one.aliases)]
    assert len(names) == len(set(names))


def test_an_unknown_language_names_the_known():
    with pytest.raises(InputError, match=r"no template for 'cobol'.*Known: csharp, go, .*shell"):
        snippet("cobol")
    with pytest.raises(InputError, match="Did you mean typescript"):
        snippet("typscript")


@pytest.mark.parametrize(
    "name",
    ["", " ", "/", "auth/token/create", "/auth/token/create/", "/auth//token", "product", "a b.c",
     "/a'b", '/a"b', "/a$b", "/é", "a.b\n", "/a\\b", "a..b", "/a/b?c=1", "/a`id`"],
)  # fmt: skip
def test_a_malformed_name_is_refused(name):
    with pytest.raises(InputError, match="is not an API name"):
        snippet("python", name)


def test_a_call_that_the_platform_does_not_have_is_refused():
    with pytest.raises(InputError, match="no dotted calls"):
        snippet("python", "aliexpress.ds.product.get", platform="lazada")
    with pytest.raises(InputError, match="no path calls"):
        snippet("python", "/auth/token/create", platform="top")
    with pytest.raises(InputError, match="no platform"):
        snippet("python", platform="amazon")


def test_a_mistake_that_the_call_cannot_have_is_refused():
    with pytest.raises(InputError, match=r"'method_not_signed' is no mistake .* Possible: "):
        snippet("python", mistakes=["method_not_signed"])
    with pytest.raises(InputError, match="template has no lines for sort_locale"):
        snippet("python", mistakes=["sort_locale"])


def test_its_parts():
    made = snippet("py", "aliexpress.ds.product.get", mistakes="lowercase_hex")
    assert (made.language, made.name, made.platform) == (
        "python", "aliexpress.ds.product.get", "aliexpress",
    )  # fmt: skip
    assert made.mistakes == ("lowercase_hex",)
    assert made.file_name == "signed_call.py"
    assert made.run == "python3 signed_call.py NAME=VALUE ..."
    assert str(made) == made.code
    assert made.code.endswith("\n")
    assert made.as_dict() == {
        "language": "python",
        "name": "aliexpress.ds.product.get",
        "platform": "aliexpress",
        "mistakes": ["lowercase_hex"],
        "file_name": "signed_call.py",
        "run": "python3 signed_call.py NAME=VALUE ...",
        "code": made.code,
    }
    shown = "<Snippet python aliexpress.ds.product.get with lowercase_hex, "
    assert repr(made).startswith(shown)
    assert len(repr(made)) < 100


def test_its_html_is_escaped():
    shown = snippet("go")._repr_html_()
    assert "&lt;" in shown
    assert re.search(r"<pre>[^<]*</pre>", shown)


@every_language
@pytest.mark.parametrize(("name", "platform"), CALLS)
def test_every_call_is_written_whole(language, name, platform):
    made = snippet(language, name, platform=platform)
    assert made.code.isascii()
    assert made.code == snippet(language, name, platform=platform).code
    assert not re.search(r"@[a-z_]+@|TODO|FIXME|XXX|/(root|home|tmp|work|usr)\b", made.code)
    assert "ALINB_APP_SECRET" in made.code
    assert "ALINB_GATEWAY" in made.code
    assert "\t\n" not in made.code
    assert not re.search(r"[ \t]\n|\n\n\n\n", made.code)
    assert max(map(len, made.code.splitlines())) <= 102
    profile = platforms()[platform]
    assert made.code.count(profile.token_api if "/auth/" in name else profile.api) == 1
    assert ("RETIRED" in made.code) == bool(profile.retired)
    for stage in STAGES:
        assert re.search(rf"(#|//) {stage}: ", made.code), stage
    assert "WRONG" not in made.code


@every_language
def test_sign_method_and_time_follow_the_platform(language):
    assert "md5" in snippet(language, "taobao.item.get", platform="top").code
    assert "2.0" in snippet(language, "taobao.item.get", platform="top").code
    assert "sign_method" not in snippet(language, "/param2/1/a/b/1", platform="aop").code
    assert "_aop_signature" in snippet(language, "/param2/1/a/b/1", platform="aop").code


@every_language
@pytest.mark.parametrize(("name", "id_"), [(n, i) for n, ids in COMMON.items() for i in ids])
def test_the_common_mistakes_can_be_made_in_every_language(language, name, id_):
    right, wrong = snippet(language, name), snippet(language, name, mistakes=[id_])
    assert right.code != wrong.code
    assert f"WRONG ({id_})" in wrong.code
    assert "WRONG ON PURPOSE" in wrong.code
    assert id_ in [turn.id for turn in wrong.recipe.mistakes]


@every_language
def test_a_template_writes_what_the_others_write(language):
    """Two spellings that few languages have in their libraries are left to those that have."""

    def writes(name: str) -> set[str]:
        ids = {turn.id for turn in possible(made)}
        template = language_named(name)
        return {id_ for id_ in ids if not cannot_write(template, wrong_turns(made, [id_]))}

    made = plan("/auth/token/create", "aliexpress")
    assert writes("python") - writes(language) <= {
        "values_urlencoded_plus",
        "sort_by_concatenation",
    }
    assert len(writes(language)) >= 30


@pytest.mark.parametrize("call", CALLS)
def test_the_python_program_makes_each_mistake_alone(call):
    made = plan(*call)
    params = {
        **made.fixed, "app_key": "12345678", "code": "3_5 é/ü+*'()!~&=%", "Zeta": '{"a":1}',
        "session": "t/1", "alpha_": "2", "alpha1": "1", "empty": "", "foo": "x", "Foo": "y",
        "access_token": "b c",
    }  # fmt: skip
    tried = 0
    for id_ in dict.fromkeys(["", *(turn.id for turn in possible(made))]):
        turns = wrong_turns(made, [id_] if id_ else [])
        if cannot_write(language_named("python"), turns):
            continue
        wrong = snippet("python", call[0], platform=call[1], mistakes=[id_] if id_ else [])
        names = {"__name__": "generated"}
        exec(compile(wrong.code, wrong.file_name, "exec"), names)  # noqa: S102
        context = Context(
            Secret("Hello wörld"), made.path, "12345678", url=made.gateway + made.route
        )
        expected = made.recipe.turned(*turns).signer(context).sign(params)
        assert names["sign"](made.path, params, "Hello wörld") == expected, id_
        tried += 1
    assert tried > 25


def test_a_mistaken_program_signs_as_a_mistaken_call():
    app = alinb.App("12345678", "helloworld")
    signed = alinb.sign("/auth/token/create", {"code": "3_x y/é", "format": "json"}, app=app)
    ids = ("path_prefix_missing", "secret_wrapped", "values_urlencoded", "lowercase_hex")
    wrong = alinb.mistaken(signed, *ids)
    names = {"__name__": "generated"}
    exec(snippet("python", mistakes=ids).code, names)  # noqa: S102
    assert names["sign"]("/auth/token/create", signed.params, "helloworld") == wrong.signature


def test_a_platform_at_another_gateway_is_taken():
    here = alinb.Platform.named("aliexpress").at("http://127.0.0.1:8700")
    assert 'GATEWAY = "http://127.0.0.1:8700"' in snippet("python", platform=here).code


def test_nothing_unfit_for_code_is_written():
    """A detail comes from a diagnosed request, and so from a stranger."""
    made, template = plan("/auth/token/create", "aliexpress"), language_named("python")
    params = {'x"); import os #': "1", "fine_name": "2"}
    from alinb.doctor.mistakes import turns
    from alinb.signing import Interface

    found = turns(
        made.recipe, Interface("system", made.path), params, Context(Secret("s"), made.path)
    )
    unsigned = [turn for turn in found if turn.id == "unsigned_param"]
    assert [turn.detail for turn in cannot_write(template, unsigned)] == ['x"); import os #']
    with pytest.raises(InputError, match="no lines for unsigned_param"):
        program(template, made, made.recipe.turned(unsigned[0]))
    lines = program(template, made, made.recipe.turned(unsigned[1]))
    assert '    signed.pop("fine_name", None)' in [line.text for line in lines]
