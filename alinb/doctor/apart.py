"""What a request would have to hold so that two explanations could be told apart."""

from __future__ import annotations

from collections.abc import Sequence

from ..stages import Context, Params, Recipe

#: Pairs of names that rules of sorting put in another order.
_NAMES = (("zA", "z_a"), ("z0", "z_a"), ("z-a", "za"), ("za", "zB"))
_PROBES = ("a b", "a/b+c", "é", "中文", '{"a": [1, true]}', "true", "", "Zz")


def told_apart_by(
    recipes: Sequence[Recipe], params: Params, context: Context
) -> tuple[str, str] | None:
    """A parameter, and a value of it, on which these recipes give different signatures.

    Where only the order of names can separate them, it is two parameters. None where neither a
    parameter of the request nor new ones do.
    """
    signers = [recipe.signer(context) for recipe in recipes]

    def separates(changed: Params) -> bool:
        return len({signer.sign(changed) for signer in signers}) > 1

    names = [n for n in params if n not in ("sign", "_aop_signature", "sign_method", "method")]
    for name in [*names, "z"]:
        for probe in _PROBES:
            if probe != params.get(name) and separates({**params, name: probe}):
                return name, probe
    for pair in _NAMES:
        if separates({**params, **dict.fromkeys(pair, "1")}):
            return " and ".join(pair), "1"
    return None
