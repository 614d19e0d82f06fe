"""The generated programs are run: against vectors, the engine, and a sandbox."""

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import alinb
from alinb import snippet
from alinb.redact import Secret
from alinb.share import folder
from alinb.snippets import Snippet, language_named, languages
from alinb.snippets.plan import plan, possible, wrong_turns
from alinb.snippets.writing import cannot_write
from alinb.stages import Context

VECTORS = json.loads((folder("data") / "vectors/published.json").read_text())["vectors"]
EXCHANGE = ("/auth/token/create", "aliexpress")
SEARCH = ("aliexpress.ds.text.search", "aliexpress")
LAZADA = ("/order/get", "lazada")
TOP = ("taobao.item.seller.get", "top")
AOP = ("/param2/1/system/currentTime/1000000", "aop")
#: TOP's other digest, which its platform does not use by default.
HMAC_MD5 = ("digest_hmac_md5", "secret_wrap_missing")
SECRET = "Hello$W'o\"r\\l`D %41&é"

Case = tuple[str, dict[str, str], str]


@dataclass(frozen=True)
class Batch:
    """A program and the requests whose signatures it is asked for, with the right answers."""

    snippet: Snippet
    cases: list[Case]
    expected: list[str]

    @classmethod
    def of(cls, made: Snippet, cases: list[Case], expected: list[str] | None = None) -> "Batch":
        return cls(made, cases, expected or [_by_the_engine(made, case) for case in cases])


def _by_the_engine(made: Snippet, case: Case) -> str:
    path, params, secret = case
    found = plan(made.name, made.platform)
    context = Context(
        Secret(secret), path, params.get("app_key", ""), url=found.gateway + found.route
    )
    assert made.recipe is not None
    return made.recipe.signer(context).sign(params)


def published(recipe: str) -> tuple[list[Case], list[str]]:
    chosen = [vector for vector in VECTORS if vector["recipe"] == recipe]
    cases = [(vector["path"], vector["params"], vector["secret"]) for vector in chosen]
    return cases, [vector["stages"]["encode"] for vector in chosen]


def vectors(language: str) -> list[Batch]:
    """Every published vector, given to the program whose recipe it is of."""

    def made(call: tuple[str, str], mistakes: tuple[str, ...] = ()) -> Snippet:
        return snippet(language, call[0], platform=call[1], mistakes=mistakes)

    return [
        Batch.of(made(EXCHANGE), *published("system")),
        Batch.of(made(LAZADA), *published("system")),
        Batch.of(made(SEARCH), *published("business")),
        Batch.of(made(TOP), *published("top_md5")),
        Batch.of(made(TOP, HMAC_MD5), *published("top_hmac_md5")),
        Batch.of(made(AOP), *published("aop_hmac_sha1")),
    ]


_PIECES = [
    "plain", "12345", "é", "日本語", "🛒", "ß", "\u0301", " ", "+", "%", "%2F", "&", "=", "?", "#",
    "/", "\\", "'", '"', "`", "$HOME", "$(id)", "{{x}}", "@name@", "\t", "\n", "\r", "\\n", "!",
    "(", ")", "*", "~", "-", ".", "_", ";", ":", ",", "<b>", "[]", "null", "\u2028", "\xa0", "–",
]  # fmt: skip
_NAMES = [
    "product_id", "keyWord", "Foo", "foo", "foo_bar", "foobar", "FOO", "_x", "a1", "a_1", "a10",
    "Z", "product-id", "p.q", "42", "zz", "session", "access_token", "local", "countryCode",
]  # fmt: skip


@cache
def generated(path: str, count: int, numbers: bool = True) -> list[Case]:
    """Requests with values of every kind, the same in each run."""
    chance = random.Random(f"{path} {count}")
    cases: list[Case] = []
    for _ in range(count):
        params = {
            "app_key": str(chance.randrange(10**6)),
            "timestamp": str(chance.randrange(10**12, 2 * 10**12)),
            "sign_method": "sha256",
        }
        for name in chance.sample(_NAMES, chance.randrange(len(_NAMES))):
            if numbers or not name.isdigit():
                params[name] = _value(chance)
        if not path:
            params["method"] = "aliexpress.ds.text.search"
        if chance.random() < 0.3:
            params["sign"] = "not to be signed"
        shuffled = chance.sample(sorted(params), len(params))
        secret = "".join(chance.choices(SECRET, k=chance.choice([1, 16, 32, 63, 64, 65, 130])))
        cases.append((path, {name: params[name] for name in shuffled}, secret))
    return cases


def _value(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.12:
        return ""
    text = "".join(chance.choices(_PIECES, k=chance.randrange(1, 6)))
    if kind < 0.3:
        data = {"text": text, "list": [1, True, None], "deep": {"é": "ü"}}
        return json.dumps(data, ensure_ascii=chance.random() < 0.5)
    return text


def fuzzed(language: str) -> list[Batch]:
    """200 requests and more, on path calls and on business calls."""
    return [
        Batch.of(snippet(language, EXCHANGE[0]), generated("/auth/token/create", 140)),
        Batch.of(snippet(language, SEARCH[0]), generated("", 70)),
    ]


def mistaken(language: str) -> list[Batch]:
    """Every mistake that the template can write, as many in one program as exclude each other not.

    Two programs fewer would not do: the mistakes of one slot exclude each other.
    """
    batches = []
    for call, most in ((EXCHANGE, 99), (SEARCH, 2), (TOP, 1)):
        made = plan(*call)
        for mistakes in _together(language, call)[:most]:
            program = snippet(language, call[0], platform=call[1], mistakes=mistakes)
            cases = [
                (path, {"empty": "", **params, "session": "t/é"}, SECRET + secret)
                for path, params, secret in generated(made.path, 5, numbers=False)
            ]
            batches.append(Batch.of(program, cases))
    return batches


def writable(language: str, call: tuple[str, str]) -> list[str]:
    """The mistakes that a call can have and the language's template can write."""
    made, template = plan(*call), language_named(language)
    ids = dict.fromkeys(turn.id for turn in possible(made))
    return [id_ for id_ in ids if not cannot_write(template, wrong_turns(made, [id_]))]


def _together(language: str, call: tuple[str, str]) -> list[tuple[str, ...]]:
    """Sets of mistakes that hold every one: the n-th set takes the n-th of each slot."""
    slots = defaultdict(list)
    made = plan(*call)
    for id_ in writable(language, call):
        (turn,) = wrong_turns(made, [id_])
        slots[turn.stage, turn.slot].append(id_)
    # Digests without a key come last, when the keys are through.
    slots["digest", "function"].sort(key=lambda id_: "hmac" not in id_ and "swapped" not in id_)
    longest = max(map(len, slots.values()))
    return [tuple(ids[n] for ids in slots.values() if n < len(ids)) for n in range(longest)]


@dataclass(frozen=True)
class Ran:
    """One language's programs, and what they answered."""

    programs: Any
    answers: dict[str, list[tuple[Batch, list[str]]]]

    def check(self, kind: str) -> int:
        """Every answer of a kind is the expected one; how many there were."""
        for batch, answers in self.answers[kind]:
            about = f"{batch.snippet!r}"
            assert len(answers) == len(batch.cases), about
            for case, answer, expected in zip(batch.cases, answers, batch.expected, strict=True):
                assert answer == expected, (about, case)
        return sum(len(answers) for _, answers in self.answers[kind])


class Running:
    """Every language's programs, built and run two languages at a time, slowest first."""

    def __init__(self, toolbox: Any, base: Path, pool: ThreadPoolExecutor) -> None:
        self._toolbox = toolbox
        self._base = base
        slow = ("rust", "java", "shell", "go")
        order = sorted(toolbox.runners, key=lambda name: (name not in slow, name))
        self._futures = {name: pool.submit(self._everything, name) for name in order}

    def _everything(self, language: str) -> Ran:
        kinds = {"vectors": vectors, "fuzzed": fuzzed, "mistaken": mistaken}
        batches = {kind: of(language) for kind, of in kinds.items()}
        distinct = {batch.snippet.code: batch.snippet for of in batches.values() for batch in of}
        programs = self._toolbox.Programs(
            self._toolbox.runners[language], self._base / language, list(distinct.values())
        )
        return Ran(
            programs,
            {
                kind: [(batch, programs.signatures(batch.snippet, batch.cases)) for batch in of]
                for kind, of in batches.items()
            },
        )

    def __call__(self, language: str) -> Ran:
        """What a language answered; skips where it cannot be run on this machine."""
        if why := self.lacks(language):
            pytest.skip(f"{language}: {why}")
        return self._futures[language].result()

    def lacks(self, language: str) -> str:
        """Why a language cannot be run here; "" where it can."""
        error = self._futures[language].exception()
        return str(error) if isinstance(error, self._toolbox.Lacking) else ""


@pytest.fixture(scope="module")
def ran(toolbox: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with ThreadPoolExecutor(2) as pool:
        yield Running(toolbox, tmp_path_factory.mktemp("programs"), pool)


every_language = pytest.mark.parametrize("language", languages())


@every_language
def test_published_vectors(ran, language):
    # The walk-through is a vector of its own; the Lazada program signs what the other path does.
    assert ran(language).check("vectors") == len(VECTORS) + len(published("system")[0])


@every_language
def test_generated_requests(ran, language):
    assert ran(language).check("fuzzed") >= 200


@every_language
def test_every_mistake_is_made_exactly(ran, language):
    assert ran(language).check("mistaken") >= 30


@pytest.fixture(scope="module")
def box() -> Iterator[alinb.Sandbox]:
    with alinb.Sandbox(app_key="500102", secret=SECRET).serve() as box:
        yield box


def _settings(box: alinb.Sandbox, **more: str) -> dict[str, str]:
    return {
        "ALINB_APP_KEY": " 500102\n",
        "ALINB_APP_SECRET": SECRET,
        "ALINB_GATEWAY": box.url + "/",
        **more,
    }


def _names(pairs):
    return {name for name, _ in pairs}


@every_language
def test_exchange_and_call_against_the_sandbox(ran, box, language):
    programs = ran(language).programs
    exchange = snippet(language, EXCHANGE[0])
    done = programs.run(exchange, box.code(), **_settings(box))
    assert done.returncode == 0, done.stderr
    token = json.loads(done.stdout)
    assert token["code"] == "0", token
    wire = box.gateway.attempts()[0].wire
    assert box.gateway.attempts()[0].method == "POST"
    assert _names(wire.query) == {"app_key", "timestamp", "sign_method", "sign"}
    assert _names(wire.form) == {"code"}

    word = 'lamp é🛒 &+=%41 "q" ~*\'()\\n'
    done = programs.run(
        snippet(language, SEARCH[0]),
        f"keyWord={word}", "local=en_US", "countryCode=US", "currency=USD", "sortBy=",
        **_settings(box, ALINB_ACCESS_TOKEN=token["access_token"]),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    reply = json.loads(done.stdout)["aliexpress_ds_text_search_response"]
    assert reply["code"] == "00", reply
    wire = box.gateway.attempts()[0].wire
    assert _names(wire.query) == {"method", "app_key", "timestamp", "sign_method", "sign"}
    assert _names(wire.form) == {"session", "keyWord", "local", "countryCode", "currency"}
    assert dict(wire.form)["keyWord"] == word
    assert SECRET not in done.stdout + done.stderr


@every_language
def test_a_mistaken_program_is_refused(ran, box, language):
    wrong, _ = ran(language).answers["mistaken"][0]
    done = ran(language).programs.run(wrong.snippet, box.code(), **_settings(box))
    assert json.loads(done.stdout)["code"] == "IncompleteSignature"


@every_language
def test_without_an_app_a_program_says_what_to_set(ran, language):
    done = ran(language).programs.run(snippet(language, EXCHANGE[0]), "a code")
    assert done.returncode != 0
    assert "Set ALINB_APP_KEY and ALINB_APP_SECRET." in done.stdout + done.stderr


def test_what_ran(ran, toolbox, capsys):
    assert set(languages()) == set(toolbox.runners)
    lacking = {language: why for language in languages() if (why := ran.lacks(language))}
    done = [language for language in languages() if language not in lacking]
    assert all(ran(language).check("vectors") for language in done)
    assert "python" in done
    with capsys.disabled():
        print(f"\ngenerated programs were run in: {', '.join(done)}")
        for language, why in lacking.items():
            print(f"not run: {language}, {why}")
