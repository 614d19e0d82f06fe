"""What a program is to do: which call, under which recipe, with which parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..app import App, Platform
from ..doctor.mistakes import turns
from ..errors import InputError
from ..redact import Secret
from ..signing import Interface, interface, recipe_for, sign
from ..stages import Context, Recipe, Turn

_NAME = re.compile(r"(/[\w.-]+)+|[\w-]+(\.[\w-]+)+", re.ASCII)
#: Path calls whose one business parameter is the program's first argument.
_GRANTS = {"create": "code", "refresh": "refresh_token"}


@dataclass(frozen=True, slots=True)
class Plan:
    """A call as a program makes it.

    `path` is what the recipe may put in front, `route` what follows the gateway in the URL, `fixed`
    the system parameters in their order: app_key and timestamp have no value here, the program
    fills them in. `grant` is the parameter that the first argument is, or "".
    """

    name: str
    platform: Platform
    recipe: Recipe
    path: str
    gateway: str
    route: str
    fixed: Mapping[str, str]
    grant: str

    @property
    def marks(self) -> dict[str, str]:
        """What stands for the `@…@` of a template."""
        platform, is_path = self.platform, self.path != ""
        return {
            "name": self.name,
            "title": platform.title,
            "gateway": self.gateway,
            "route": self.route,
            "path": self.path,
            "sign_parameter": platform.sign_parameter,
            "token_parameter": platform.token_parameter
            if is_path
            else platform.business_token_parameter,
            "argument": self.grant,
            "arguments": self.grant.upper() or "NAME=VALUE ...",
            "retired": platform.retired,
        }


def plan(name: str, platform: str | Platform) -> Plan:
    """How the platform's own rule makes a call of this name.

    Raises `InputError` where it is no API name, or the platform has no call of its kind.
    """
    profile = Platform.named(platform) if isinstance(platform, str) else platform
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} is not an API name.",
            next_step="Give one like /auth/token/create or aliexpress.ds.product.get.",
        )
    endpoint = profile.route(name)
    gateway = profile.token_api if name.startswith("/auth/token/") else profile.api
    signed = sign(name, app=App("key", "secret", profile), timestamp=1_700_000_000_000)
    found = interface(endpoint, signed.params)
    fixed = {key: value for key, value in signed.params.items() if key != profile.sign_parameter}
    _, _, step = name.removeprefix("/auth/token/").rpartition("/")
    return Plan(
        name=name,
        platform=profile,
        recipe=recipe_for(found, fixed.get("sign_method", "")),
        path=found.path,
        gateway=gateway,
        route=endpoint.removeprefix(gateway),
        fixed=fixed,
        grant=_GRANTS.get(step, "") if name.startswith("/auth/token/") else "",
    )


def wrong_turns(made: Plan, mistakes: Iterable[str]) -> list[Turn]:
    """The turns of these mistakes. Raises `InputError` for one that this call cannot make."""
    known: dict[str, Turn] = {}
    for turn in possible(made):
        known.setdefault(turn.id, turn)
    for id_ in (wanted := list(dict.fromkeys(mistakes))):
        if id_ not in known:
            raise InputError(
                f"{id_!r} is no mistake that the signature of {made.name} can have.",
                next_step=f"Possible: {', '.join(sorted(known))}.",
            )
    return [known[id_] for id_ in wanted]


def possible(made: Plan) -> list[Turn]:
    """Every wrong turn of a call with one parameter of each kind, those without a detail first."""
    kind = "system" if made.path else "business"
    token = made.marks["token_parameter"]
    params = {**made.fixed, made.grant or token: '{"é":"a B/"}', "product_id": ""}
    context = Context(Secret("Secret"), made.path, "key", url=made.gateway + made.route)
    return turns(made.recipe, Interface(kind, made.path), params, context)
