"""A signature as a walk through eight stages; a recipe is the turn taken at each of them.

    select   which parameters are signed          wrap     what stands around the string
    format   how a value becomes text             key      the bytes that key the MAC
    order    how names are sorted                 digest   the function
    join     how pairs become one string          encode   bytes to text

A `Turn` is one decision at one stage, a `Recipe` the turns of a whole walk, a `Signer` a recipe
made ready for one secret and one path. The client, the explanation, the sandbox and the doctor
all walk here; there is no other signing code in alinb.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, NoReturn, TypeAlias

from .quiet import Copied
from .redact import Secret
from .segments import Segment as Segment
from .segments import mask as mask

Params: TypeAlias = Mapping[str, str]

STAGES = ("select", "format", "order", "join", "wrap", "key", "digest", "encode")


@dataclass(frozen=True, slots=True)
class Context:
    """What a turn may look at besides the parameters: the rest of the request, and the secret."""

    secret: Secret
    path: str = ""
    app_key: str = ""
    verb: str = "POST"
    url: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One decision at one stage; `mistake` is true where it leads away from the right signature.

    `slot` says which other turns it excludes: a recipe holds one turn a slot. `rare` turns are
    searched only in small companies. What `run` takes and
    returns depends on the stage:

        select, format   context -> (parameters -> parameters); slot `without-sign`: the name of the
                         parameter that carries the signature
        order            names -> names, or (names, parameters) -> names where `by_value` is set
        join             the pieces of one pair: NAME, VALUE and separators; see `Layout`
        wrap             context -> (segments before, segments after); slot `spelling`: text -> text
        key              context -> bytes; slot `secret`: context -> context, before all else
        digest           (key, head) -> (bytes after head -> bytes); slot `charset`: text -> bytes;
                         slot `arguments`: function -> function
        encode           bytes -> text; slot `case`: text -> text
    """

    id: str
    stage: str
    slot: str
    run: Any = field(compare=False, repr=False)
    mistake: bool = False
    detail: str = ""
    by_value: bool = False
    rare: bool = False

    @property
    def place(self) -> tuple[int, int]:
        """Where the turn is taken in a walk; slots of one stage have an order of their own."""
        slots = SLOTS[self.stage]
        slot = self.slot.partition(":")[0]
        return STAGES.index(self.stage), slots.index(slot) if slot in slots else len(slots)


#: The slots of each stage in the order they are walked; a slot may be divided by `:parameter`.
SLOTS: Mapping[str, tuple[str, ...]] = {
    "select": ("without-sign", "leave-out", "empties", "add"),
    "format": ("timestamp", "sign-method", "token-name", "json", "boolean", "percent"),
    "order": ("order",),
    "join": ("join",),
    "wrap": ("prefix", "body", "secret", "spelling"),
    "key": ("secret", "source"),
    "digest": ("charset", "function", "arguments"),
    "encode": ("form", "case"),
}

NAME, VALUE = "‹name›", "‹value›"


class Layout:
    """The pieces of a string to sign for one set of names, ready to be filled with values.

    Sorting, joining and wrapping depend on the names alone, so a layout serves every call with the
    same names: copy `blank` and put `pick(parameters)` at `places`.
    """

    __slots__ = ("_around", "_pattern", "blank", "names", "pick", "places")

    def __init__(self, pattern: Sequence[str], names: Sequence[str], around: Around) -> None:
        before, after = around
        self.names = tuple(names)
        self.places = slice(len(before) + pattern.index(VALUE), -len(after) or None, len(pattern))
        self._pattern, self._around = pattern, around
        pieces = [name if piece == NAME else piece for name in names for piece in pattern]
        if pieces and pattern[-1] not in (NAME, VALUE):
            pieces.pop()
        self.blank = [*(s.text for s in before), *pieces, *(s.text for s in after)]
        if len(names) > 1:
            self.pick: Callable[[Params], tuple[str, ...]] = itemgetter(*names)
        else:
            self.pick = lambda params: tuple(params[name] for name in self.names)

    def text(self, params: Params) -> str:
        """The string to sign for these values."""
        pieces = self.blank.copy()
        pieces[self.places] = self.pick(params)
        return "".join(pieces)

    def segments(self, params: Params) -> list[Segment]:
        """The labelled pieces of that string."""
        before, after = self._around
        pairs = [
            Segment("name", name, name)
            if piece == NAME
            else Segment("value", params[name], name)
            if piece == VALUE
            else Segment("separator", piece)
            for name in self.names
            for piece in self._pattern
        ]
        if pairs and pairs[-1].kind == "separator":
            pairs.pop()
        return [segment for segment in (*before, *pairs, *after) if segment.text]


Around: TypeAlias = tuple[tuple[Segment, ...], tuple[Segment, ...]]


@dataclass(frozen=True, slots=True)
class Walk(Copied):
    """Every stage of one signature, for showing and for comparing.

    `digest` is the MAC in lower-case hex before it is encoded. The key is never kept.
    """

    recipe: Recipe
    selected: Params = field(repr=False)
    formatted: Params = field(repr=False)
    order: tuple[str, ...]
    segments: tuple[Segment, ...] = field(repr=False)
    string_to_sign: str = field(repr=False)
    digest: str
    signature: str

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Walk is not pickled: it holds what was signed; pickle the Recipe")

    @property
    def stages(self) -> dict[str, str]:
        """What each stage gave, as text; the app secret is masked, codes and tokens are not."""
        shown = self.recipe.turn_ids
        joined = [s for s in self.segments if s.kind in ("name", "value", "separator")]
        return {
            "select": " ".join(self.selected),
            "format": " ".join(f"{name}={value}" for name, value in self.formatted.items()),
            "order": " ".join(self.order),
            "join": "".join(s.text for s in joined),
            "wrap": mask(self.segments),
            "key": " ".join(shown["key"]),
            "digest": " ".join(shown["digest"]) + " " + self.digest,
            "encode": self.signature,
        }


class Signer:
    """A recipe made ready for one context; `sign` gives the signature of parameters.

    It holds hash states derived from the secret, which are as good as the secret: it has no
    telling repr and cannot be pickled.
    """

    __slots__ = ("_spell", "_steps", "recipe", "sign")

    def __init__(self, recipe: Recipe, context: Context) -> None:
        self.recipe = recipe
        self._spell = recipe.slot("wrap", "spelling") or str
        steps = self._steps = _steps(recipe, context)
        #: The signature of parameters, in the recipe's encoding. A closure: a method costs more
        #: to call than a twentieth of the whole signature.
        self.sign: Callable[[Params], str] = lambda params: steps(params)[0]

    def walk(self, params: Params) -> Walk:
        """The same signature with what every stage gave."""
        signature, mac, text, layout, formatted, selected = self._steps(params)
        return Walk(
            recipe=self.recipe,
            selected=dict(selected),
            formatted=dict(formatted),
            order=layout.names,
            segments=tuple(
                segment._replace(text=self._spell(segment.text))
                for segment in layout.segments(formatted)
            ),
            string_to_sign=text,
            digest=mac.hex(),
            signature=signature,
        )

    def __repr__(self) -> str:
        return f"<Signer {self.recipe.name}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Signer holds the secret and is not pickled; pickle the Recipe instead")


@dataclass(frozen=True, slots=True)
class Recipe:
    """One turn at each slot of the eight stages.

    >>> from alinb.recipes import SYSTEM
    >>> signer = SYSTEM.signer(Context(Secret("helloworld"), path="/test/api"))
    >>> signer.sign({"foo": "1", "bar": "2"})[:8]
    '98915E70'
    """

    name: str
    turns: tuple[Turn, ...] = field(repr=False)

    def turned(self, *turns: Turn) -> Recipe:
        """The recipe with these turns taken instead of those in the same slots."""
        taken = {(turn.stage, turn.slot): turn for turn in self.turns}
        taken.update({(turn.stage, turn.slot): turn for turn in turns})
        return replace(self, turns=tuple(sorted(taken.values(), key=lambda turn: turn.place)))

    def signer(self, context: Context) -> Signer:
        return Signer(self, context)

    @property
    def mistakes(self) -> tuple[Turn, ...]:
        return tuple(turn for turn in self.turns if turn.mistake)

    @property
    def turn_ids(self) -> dict[str, tuple[str, ...]]:
        """The names of the turns by stage."""
        return {s: tuple(t.id for t in self.turns if t.stage == s) for s in STAGES}

    def secret_in_use(self, context: Context) -> Context:
        """The context with the secret as this recipe has it: altered where a turn alters it."""
        alter = self.slot("key", "secret")
        return alter(context) if alter else context

    def runs(self, stage: str) -> tuple[Any, ...]:
        return tuple(turn.run for turn in self.turns if turn.stage == stage)

    def slot(self, stage: str, slot: str) -> Any | None:
        """What the turn in a slot does, or None where the recipe takes none there."""
        return next((t.run for t in self.turns if (t.stage, t.slot) == (stage, slot)), None)

    def only(self, stage: str, slot: str = "") -> Turn:
        return next(t for t in self.turns if t.stage == stage and slot in ("", t.slot))


_Steps: TypeAlias = tuple[str, bytes, str, Layout, Params, Params]


def _steps(recipe: Recipe, context: Context) -> Callable[[Params], _Steps]:
    """The walk itself; what does not depend on the parameters is done once, before it."""
    context = recipe.secret_in_use(context)
    carrier = recipe.only("select", "without-sign").run
    select = _chain(
        [t.run(context) for t in recipe.turns if t.stage == "select" and t.slot != "without-sign"]
    )
    spell_values = _chain([run(context) for run in recipe.runs("format")])
    spell_text = recipe.slot("wrap", "spelling")
    charset = recipe.only("digest", "charset").run
    function = recipe.only("digest", "function").run
    if arguments := recipe.slot("digest", "arguments"):
        function = arguments(function)
    mac_of = function(recipe.only("key", "source").run(context))
    encode = recipe.only("encode", "form").run
    if case := recipe.slot("encode", "case"):
        encode = partial(_cased, encode, case)
    order = recipe.only("order")
    by_value = order.by_value
    lay = partial(Layout, recipe.only("join").run, around=_around(recipe, context))
    layout_of = lru_cache(maxsize=256)(lambda names: lay(order.run(names)))

    def walk(params: Params) -> _Steps:
        selected = params
        if carrier in params:
            selected = {name: value for name, value in params.items() if name != carrier}
        if select:
            selected = select(selected)
        formatted = spell_values(selected) if spell_values else selected
        names = tuple(formatted)
        layout = lay(order.run(names, formatted)) if by_value else layout_of(names)
        text = layout.text(formatted)
        if spell_text:
            text = spell_text(text)
        try:
            message = charset(text)
        except UnicodeEncodeError:
            # Half a surrogate pair, which a JSON escape can carry, has no bytes of its own.
            message = text.encode("utf-8", "surrogatepass")
        mac = mac_of(message)
        return encode(mac), mac, text, layout, formatted, selected

    return walk


def _chain(functions: Sequence[Callable[[Params], Params]]) -> Callable[[Params], Params] | None:
    if len(functions) < 2:
        return functions[0] if functions else None

    def chained(params: Params) -> Params:
        for function in functions:
            params = function(params)
        return params

    return chained


def _around(recipe: Recipe, context: Context) -> Around:
    before: tuple[Segment, ...] = ()
    after: tuple[Segment, ...] = ()
    for turn in recipe.turns:
        if turn.stage == "wrap" and turn.slot != "spelling":
            front, back = turn.run(context)
            before, after = (*front, *before), (*after, *back)
    return before, after


def _cased(form: Callable[[bytes], str], case: Callable[[str], str], mac: bytes) -> str:
    return case(form(mac))
