"""The sandbox's pages: consent, callback, about. Plain HTML, nothing from a network."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode, urlsplit

from ..attempts import Attempt

_STYLE = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #1b1f24; --soft: #59636e;
  --line: #d0d7de; --accent: #0a58ca; --on-accent: #fff; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --card: #161b22; --ink: #e6edf3;
  --soft: #9aa4af; --line: #30363d; --accent: #79b8ff; --on-accent: #0d1117; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, "Segoe UI", sans-serif; background: var(--page); color: var(--ink);
  margin: 0; padding: 1rem; }
main { max-width: 40rem; margin: 1rem auto; background: var(--card); padding: 1rem 1.5rem 1.5rem;
  border: 1px solid var(--line); border-radius: .6rem; overflow-wrap: anywhere; }
h1 { font-size: 1.35rem; line-height: 1.25; margin: .5rem 0 1rem; }
h2 { font-size: 1.05rem; margin: 1.3rem 0 .3rem; }
p { margin: .5rem 0; }
ul { padding-left: 1.3rem; }
fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: 1rem 0;
  padding: .4rem 1rem; }
legend { padding: 0 .4rem; font-weight: 600; }
label { display: flex; gap: .6rem; padding: .35rem 0; cursor: pointer; align-items: baseline; }
label small { display: block; color: var(--soft); font-size: .88em; }
button { font: inherit; padding: .5rem 1.4rem; border: 1px solid var(--accent);
  border-radius: .4rem; background: transparent; color: inherit; cursor: pointer; }
button.primary { background: var(--accent); color: var(--on-accent); font-weight: 600; }
.choice { display: flex; flex-wrap: wrap; gap: .6rem; margin-top: 1rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
a { color: var(--accent); }
code, pre { font-family: ui-monospace, "Cascadia Mono", Menlo, monospace; font-size: .93em; }
pre { white-space: pre-wrap; border: 1px solid var(--line); border-radius: .4rem; padding: .6rem; }
.note { border-left: 4px solid var(--accent); padding-left: .8rem; color: var(--soft); }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left;
  vertical-align: top; }
@media (max-width: 30rem) { main { padding: .6rem .8rem 1rem; margin: 0 auto; }
  body { padding: .4rem; } .choice button { flex: 1; } }
"""

#: What the sandbox does not emulate, and what that means for who tests against it.
NOT_EMULATED: tuple[tuple[str, str], ...] = (
    ("Accounts and log-in", "Nobody logs in: the consent page believes whoever is at it. There is "
     "no password, captcha, two-factor or session, and one account of each type."),
    ("Real goods and money", "Products, orders, prices, freight and tracking are made up and the "
     "same at every start. Nothing is bought, paid, shipped or refunded."),
    ("Other apps", "There is one app. Review, approval and application for permissions do not "
     "take place; other developers' keys are unknown keys."),
    ("Risk control", "No address, device or behavior is judged; only the limits and faults that "
     "are switched on refuse a proper call."),
    ("Hosts and TLS", "One plain-http port of 127.0.0.1 stands for every region's host. "
     "Certificates, HTTP/2, redirects between hosts and name resolution are not tested."),
    ("Messages", "Nothing is pushed: no webhooks, no message service, no callbacks but the "
     "redirect of the consent page."),
    ("Formats", "Answers are JSON, whatever `format` asks for. There is no list of allowed "
     "addresses, and no limit to the length of a URL but the server's own."),
    ("What nobody has published", "Where the platform's behavior is unknown the sandbox has one "
     "that is stated; passing here does not prove it for the platform."),
)  # fmt: skip


def page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )


def consent(
    app_key: str,
    query: Mapping[str, str],
    form_token: str,
    *,
    country: str = "",
    force_auth: bool = False,
) -> str:
    """The page on which a person allows or denies an app; its form comes back by POST.

    `country` is the one that the link asks for, `force_auth` whether it wants a fresh log-in.
    """
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in {**query, "form_token": form_token}.items()
    )
    again = (
        "<p>The link has <code>force_auth=true</code>: the platform would ask you to log in again "
        "even where you are logged in.</p>"
        if force_auth or query.get("force_auth") == "true"
        else ""
    )
    country = country or query.get("country", "")
    where = f"<p>Country of the account: <code>{escape(country)}</code>.</p>" if country else ""
    return page(
        "alinb sandbox: allow access?",
        '<p class="note">This is a sandbox on your own machine. No AliExpress account is involved.'
        f"</p><p>App <code>{escape(app_key)}</code> asks for access to your account.</p>"
        "<h2>What it could do</h2><ul><li>act for this account through the API until its access "
        "token ends, and renew that with its refresh token</li><li>read what the app’s permissions "
        "cover, such as orders, and place orders where they cover that</li></ul>"
        f"<h2>Where you return</h2>{_returns(query)}{again}{where}"
        f'<form method="post" action="/oauth/authorize">{hidden}'
        "<fieldset><legend>Log in as</legend>"
        + _account("buyer", "Buyer", "what a dropshipping app expects", True)
        + _account("seller", "Seller", "what an app for a shop of your own expects", False)
        + '</fieldset><div class="choice">'
        '<button class="primary" name="decision" value="allow">Allow</button>'
        '<button name="decision" value="deny">Deny</button></div></form>'
        '<p><a href="/about">What this sandbox does not emulate</a></p>',
    )


def _account(value: str, name: str, says: str, chosen: bool) -> str:
    checked = " checked" if chosen else ""
    return (
        f'<label><input type="radio" name="account" value="{value}"{checked}>'
        f"<span>{name} <small>{says}</small></span></label>"
    )


def _returns(query: Mapping[str, str]) -> str:
    back, state = query.get("redirect_uri", ""), query.get("state")
    if not back:
        return "<p>To a page of this sandbox, from which you copy the address.</p>"
    said = "the link’s <code>state</code> and " if state is not None else ""
    host = escape(urlsplit(back).hostname or "")
    return (
        f"<p>To <strong>{host}</strong>, with {said}a code if you allow:</p>"
        f"<p><code>{escape(back)}</code></p>"
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
    return page(
        "alinb sandbox: this link cannot be used",
        f'<p role="alert">{escape(text)}</p><p>Make the link again, for example with '
        "<code>alinb token url</code>, and compare its parts with the app’s registration.</p>",
    )


def about() -> str:
    """What the sandbox does not emulate, for people."""
    listed = "".join(
        f"<h2>{escape(what)}</h2><p>{escape(means)}</p>" for what, means in NOT_EMULATED
    )
    return page(
        "alinb sandbox: what it does not emulate",
        '<p class="note">This is not the AliExpress gateway. It follows what is published and '
        "what was seen of it; the rest is listed here.</p>"
        f'{listed}<p><a href="/inspector">The inspector</a> shows what was asked of it.</p>',
    )


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
