"""What the doctor's search costs, against rebuilding every combination."""

import hmac
import itertools
import random
import time
from collections.abc import Iterator, Sequence

from alinb import sign
from alinb.app import App
from alinb.doctor import mistaken
from alinb.doctor.examine import diagnose
from alinb.doctor.explore import explore
from alinb.doctor.mistakes import turns
from alinb.doctor.search import Search
from alinb.doctor.subject import Subject
from alinb.errors import InputError
from alinb.intake import read
from alinb.recipes import SYSTEM
from alinb.redact import Secret
from alinb.signing import Interface, interface, recipe_for
from alinb.stages import Context, Layout, Turn

from .figures import Figure, figure

SECRET = "8b1f6c0a2e9d4735b6c8d0e1f2a3b4c5"
PARAMS = {
    "app_key": "500102",
    "code": "3_500102_tQ4mVbX8sLr2YpKd7NcWfJ",
    "timestamp": "1777306720082",
    "sign_method": "sha256",
    "format": "json",
    "redirect_uri": "https://shop.example/cb?a=b c",
}
PATH = "/auth/token/create"
CONTEXT = Context(
    Secret(SECRET), path=PATH, app_key="500102", url=f"https://api-sg.aliexpress.com/rest{PATH}"
)


def kinds() -> list[Turn]:
    """The turns without instances of one parameter and without seldom ones: one of each id."""
    found = turns(SYSTEM, Interface("system", PATH), PARAMS, CONTEXT)
    plain = [turn for turn in found if not turn.rare and ":" not in turn.slot.replace("add:", "")]
    named = [t for t in found if t.slot.startswith("leave-out") and t.id != "unsigned_param"]
    first: dict[str, Turn] = {}
    for turn in (*plain, *named):
        first.setdefault(turn.id, turn)
    return list(first.values())


def combinations(wrong: Sequence[Turn], most: int) -> Iterator[tuple[Turn, ...]]:
    """Every choice of at most so many turns, one a slot."""
    for count in range(most + 1):
        for chosen in itertools.combinations(wrong, count):
            ids = {turn.id for turn in chosen}
            if len({(turn.stage, turn.slot) for turn in chosen}) == count and not ids >= _SENSELESS:
                yield chosen


#: Base64 in lower case can be read by nobody; the search leaves it out.
_SENSELESS = {"base64_output", "lowercase_hex"}


def rebuilt(chosen: Sequence[Turn]) -> str:
    """One combination from scratch, without states that others have in common."""
    taken = {(t.stage, t.slot): t for t in (*SYSTEM.turns, *chosen)}
    context = CONTEXT
    if alter := taken.get(("key", "secret")):
        context = alter.run(context)
    params = PARAMS
    for turn in chosen:
        if turn.stage in ("select", "format"):
            params = turn.run(context)(params)
    order = taken["order", "order"]
    names = order.run(tuple(params), params) if order.by_value else order.run(tuple(params))
    text = Layout(taken["join", "join"].run, names, ((), ())).text(params)
    for slot in ("prefix", "body", "secret"):
        if turn := taken.get(("wrap", slot)):
            before, after = turn.run(context)
            text = "".join(s.text for s in before) + text + "".join(s.text for s in after)
    if spelling := taken.get(("wrap", "spelling")):
        text = spelling.run(text)
    message = taken["digest", "charset"].run(text)
    key = taken["key", "source"].run(context)
    function = taken["digest", "function"]
    if arguments := taken.get(("digest", "arguments")):
        mac = arguments.run(function.run)(key)(message)
    elif function.id == "hmac_sha256":
        mac = hmac.digest(key, message, "sha256")
    else:
        mac = function.run(key)(message)
    text = taken["encode", "form"].run(mac)
    case = taken.get(("encode", "case"))
    return str(case.run(text) if case else text)


def speed(rounds: int) -> Figure:
    """Depth 3 over the kinds, nothing fitting, against rebuilding each combination."""
    wrong = kinds()
    absent = "0A" * 32
    ratios = []
    for _ in range(rounds):
        began = time.process_time()
        space = Search(SYSTEM, wrong, PARAMS, CONTEXT)
        assert not any(space.match(absent, total) for total in range(4))
        ours = time.process_time() - began
        began = time.process_time()
        assert all(rebuilt(chosen) != absent for chosen in combinations(wrong, 3))
        ratios.append(ours / (time.process_time() - began))
    return figure(f"search depth 3 of {len(wrong)} kinds / rebuilding each", ratios, 0.2, "x")


def cases(count: int) -> list[tuple[str, str]]:
    """Requests of one to four mistakes, as URLs, with their secret."""
    rng = random.Random(7)
    app = App("500102", SECRET)
    urls = []
    while len(urls) < count:
        name = rng.choice([PATH, "aliexpress.ds.product.get", "aliexpress.ds.text.search"])
        params = {f"p{i}": rng.choice(["1", "a b", "é", "true", "x&y"]) for i in range(4)}
        signed = sign(name, params, app=app, timestamp=1777306720082, verb="GET")
        found = interface(signed.endpoint, signed.params)
        base = recipe_for(found, "sha256")
        context = Context(app.secret, path=found.path, app_key=app.key, url=signed.endpoint)
        ids = sorted({t.id for t in turns(base, found, signed.params, context) if not t.rare})
        chosen = rng.sample(ids, rng.choice([1, 1, 2, 2, 3, 4]))
        try:
            urls.append((mistaken(signed, *chosen).url, SECRET))
        except InputError:
            continue  # one of them changes nothing on this call
    return urls


def typical(count: int) -> Figure:
    """A diagnosis from text to report, in ms of CPU."""
    took = []
    for url, secret in cases(count):
        began = time.process_time()
        diagnose(url, secret=secret)
        took.append((time.process_time() - began) * 1000)
    return figure("a diagnosis, the median of composed cases", took, 100, "ms")


def exhaustive(count: int) -> list[Figure]:
    """Depth 4 over every instance, nothing fitting; then clocks read twice too; s of CPU."""
    turned, drifted = [], []
    rng = random.Random(11)
    for url, secret in cases(count):
        subject = Subject.of(read(url))
        context = subject.context(Secret(secret))
        base = recipe_for(subject.interface, subject.params["sign_method"])
        absent = f"{rng.getrandbits(256):064X}"
        steps: list[tuple[str, float]] = []

        def told(done: int, of: int, what: str, steps: list[tuple[str, float]] = steps) -> None:
            steps.append((what, time.process_time()))

        explored = explore(base, subject.interface, subject.params, context, absent, progress=told)
        steps.append(("end", time.process_time()))
        assert explored.explanations == ()
        spent = [(what, after - at) for (what, at), (_, after) in itertools.pairwise(steps)]
        turned.append(sum(s for what, s in spent if not what.startswith("a clock")))
        drifted.append(sum(s for _, s in spent))
    return [
        figure("depth 4 over all instances, nothing fits", turned, 1.5, "s"),
        figure("the same and a clock read twice beside 3 more", drifted, 4.0, "s"),
    ]


def measure(quick: bool) -> list[Figure]:
    return [
        speed(3 if quick else 7),
        typical(30 if quick else 150),
        *exhaustive(5 if quick else 15),
    ]
