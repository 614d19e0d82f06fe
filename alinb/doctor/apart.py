"""What a request would have to hold so that two explanations could be told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..stages import Context, Params, Recipe

#: Pairs of names that rules of sorting put in another order.
_NAMES = (("zA", "z_a"), ("z0", "z_a"), ("z-a", "za"), ("za", "zB"))
_PROBES = (
    "a b", "a/b+c", "a b/c~(*)", "é", "中文", '{"a":[1,true],"b":"c d"}', "true", "", "Zz",
)  # fmt: skip


def told_apart_by(
    recipes: Sequence[Recipe], params: Params, context: Context
) -> tuple[str, str] | None:
    """A parameter, and a value of it, on which these recipes give different signatures.

    The first on which all of them do, or else as many as can be. Where only the order of names can
    separate them, it is two parameters. None where neither a parameter of the request nor new ones
    do.
    """
    signers = [recipe.signer(context) for recipe in recipes]
    best, most = None, 1
    for what, changed in _requests(params):
        different = len({signer.sign(changed) for signer in signers})
        if different > most:
            best, most = what, different
        if different == len(recipes):
            break
    return best


def _requests(params: Params) -> Iterator[tuple[tuple[str, str], Params]]:
    """The request with one parameter changed or added, then with two added."""
    names = [n for n in params if n not in ("sign", "_aop_signature", "sign_method", "method")]
    for name in [*names, "z", "z[0]"]:
        for probe in _PROBES:
            if probe != params.get(name):
                yield (name, probe), {**params, name: probe}
    for pair in _NAMES:
        yield (" and ".join(pair), "1"), {**params, **dict.fromkeys(pair, "1")}
