"""pull: every page of a method into a file, or onto the terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import InputError
from .common import AppKey, GatewayUrl, Json, Params, PlatformName, app_from, emit, pairs


def pull(
    name: Annotated[str, typer.Argument(help="aliexpress.ds.text.search, …")],
    param: Params = None,
    over: Annotated[
        list[str] | None,
        typer.Option(
            "--over",
            help="Fan out: name=a,b,c, or name=@FILE with one value a line; repeatable, then all "
            "combinations.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="F.parquet, F.csv or F.jsonl; else a table.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="So many records.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew, whatever an earlier run left.")
    ] = False,
    qps: Annotated[
        float | None, typer.Option("--qps", help="Calls a second, for the published number.")
    ] = None,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=256)] = 16,
    app_key: AppKey = None,
    platform: PlatformName = None,
    gateway: GatewayUrl = None,
    as_json: Json = False,
) -> None:
    """Pull every page of a method, inside its quota.

    Killed, banned or stopped, the same command goes on where it was. Exit status 1 where the pull
    ended early or an item was refused.
    """
    from ..calls import Call
    from ..client import Client
    from ..tokens import FileStore

    with Client(app_from(app_key, platform, gateway), store=FileStore()) as client:
        made = client.pull(
            Call.of(name, pairs(param)),
            over=_over(over) or None,
            concurrency=concurrency,
            qps=qps,
            progress=sys.stderr.isatty() and not as_json,
        )
        if out is None:
            _shown(made.frame(limit), as_json)
            refused = made.refused
        else:
            done = _filed(made, out, limit, fresh)
            emit(done.as_dict()) if as_json else print(done)
            refused = done.refused
    raise typer.Exit(1 if refused else 0)


def _filed(made: Any, out: Path, limit: int | None, fresh: bool) -> Any:
    try:
        return made.to_file(out, limit=limit, fresh=fresh)
    except KeyboardInterrupt:
        if made.pulled is not None:
            came = f"stopped with {made.pulled.records} records in {out}"
            print(f"alinb: {came}; the same command goes on.", file=sys.stderr)
        raise


def _over(options: list[str] | None) -> dict[str, list[str]]:
    """The lists to fan out over. Raises `InputError` for a file that cannot be read."""
    found: dict[str, list[str]] = {}
    for name, text in pairs(options).items():
        values = text.split(",")
        if text.startswith("@"):
            try:
                values = Path(text[1:]).read_text(encoding="utf-8").split("\n")
            except (OSError, UnicodeDecodeError) as error:
                why = getattr(error, "strerror", None) or str(error)
                raise InputError(
                    f"{text[1:]!r} cannot be read: {why.lower()}.",
                    next_step=f"Write --over {name}=a,b,c, or give a file with one value a line.",
                ) from None
        found[name] = [value.strip() for value in values if value.strip()]
    return found


def _shown(table: Any, as_json: bool) -> None:
    if as_json:
        about = {key: value for key, value in table.attrs.items() if key != "over"}
        print(
            f'{{"about": {_json(about)}, "records": '
            + table.to_json(orient="records", force_ascii=False, date_format="iso")
            + "}"
        )
    elif table.empty:
        print("The pull succeeded and found nothing.")
    else:
        print(table.to_string(max_colwidth=32, max_cols=10, max_rows=30))


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
