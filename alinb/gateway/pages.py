"""The sandbox's pages: consent, callback and inspector. Plain HTML, nothing from a network."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode, urlsplit

from ..attempts import Attempt

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --accent: #0a58ca; }
@media (prefers-color-scheme: dark) { :root { --accent: #6ea8fe; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: 1rem 0; }
button { font: inherit; padding: .5rem 1.2rem; border: 1px solid var(--accent);
  border-radius: .4rem; background: transparent; color: inherit; cursor: pointer; }
button.primary { background: #0a58ca; color: #fff; }
button:focus-visible, a:focus-visible, input:focus-visible { outline: 3px solid var(--accent);
  outline-offset: 2px; }
code, pre { font-family: ui-monospace, monospace; overflow-wrap: anywhere;
  white-space: pre-wrap; }
td code { overflow-wrap: normal; }
main { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left;
  vertical-align: top; }
.note { border-left: 4px solid var(--accent); padding-left: .8rem; }
"""


def page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )


def consent(app_key: str, query: Mapping[str, str], form_token: str) -> str:
    """The page on which a person allows or denies an app; its form comes back by POST."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in {**query, "form_token": form_token}.items()
    )
    back = query.get("redirect_uri", "")
    returns = f"<p>Afterward you return to <code>{escape(back)}</code>.</p>" if back else ""
    return page(
        "alinb sandbox: allow access?",
        '<p class="note">This is a sandbox on your own machine. No AliExpress account is involved.'
        f"</p><p>App <code>{escape(app_key)}</code> asks for access to your account.</p>{returns}"
        f'<form method="post" action="/oauth/authorize">{hidden}'
        "<fieldset><legend>Log in as</legend>"
        '<label><input type="radio" name="account" value="buyer" checked> Buyer '
        "(what a dropshipping app expects)</label><br>"
        '<label><input type="radio" name="account" value="seller"> Seller</label></fieldset>'
        '<p><button class="primary" name="decision" value="allow">Allow</button> '
        '<button name="decision" value="deny">Deny</button></p></form>',
    )


def callback(url: str, query: Mapping[str, str]) -> str:
    """Where the sandbox sends a browser that has no callback of its own: the URL to copy."""
    if "code" not in query:
        return page(
            "alinb sandbox: access was not allowed",
            f"<p>The answer was <code>{escape(query.get('error', 'empty'))}</code>.</p>",
        )
    return page(
        "alinb sandbox: copy this address",
        "<p>Paste it into your notebook or into <code>alinb token exchange</code>, within three "
        f'minutes, once.</p><pre tabindex="0">{escape(url)}</pre>',
    )


def problem(text: str) -> str:
    return page("alinb sandbox: this link cannot be used", f"<p>{escape(text)}</p>")


def inspector(rows: list[tuple[Attempt, str]]) -> str:
    """The latest requests with what the doctor says of the refused ones; values are redacted."""
    drawn = "".join(
        "<tr>"
        + "".join(
            f"<td><code>{escape(cell)}</code></td>"
            for cell in (
                attempt.method,
                attempt.api_name,
                attempt.verdict,
                attempt.code,
                diagnosis,
            )
        )
        + "</tr>"
        for attempt, diagnosis in rows
    )
    heads = "".join(
        f'<th scope="col">{head}</th>' for head in ("verb", "call", "verdict", "code", "diagnosis")
    )
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{drawn}</tbody></table>"
    return page(
        "alinb sandbox: inspector",
        table if rows else "<p>No request yet. Reload this page after one.</p>",
    )


def with_query(url: str, more: Mapping[str, str]) -> str:
    """A URL with parameters added to those it has, in front of any fragment."""
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(more))))
    return parts._replace(query=query).geturl()
