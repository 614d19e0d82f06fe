"""curl commands as shells, browsers and Postman write them."""

from __future__ import annotations

import re
import shlex
from urllib.parse import quote_plus

from ..attempts import Attempt
from ..errors import IntakeError
from ..wire import header
from .parts import attempt


def to_curl(attempt: Attempt) -> str:
    """The attempt as a curl command for a POSIX shell."""
    parts = ["curl", "-X", attempt.method, _quoted(attempt.url)]
    for name, value in attempt.headers:
        if name.lower() not in ("host", "content-length", "accept-encoding", "connection"):
            parts += ["-H", _quoted(f"{name}: {value}")]
    if attempt.body:
        parts += ["--data-raw", _quoted(attempt.body)]
    return " ".join(parts)


#: curl options that take a value alinb has no use for.
_CURL_IGNORED = frozenset(
    [
        "-A",
        "--user-agent",
        "-e",
        "--referer",
        "-o",
        "--output",
        "-m",
        "--max-time",
        "--connect-timeout",
        "-x",
        "--proxy",
        "-b",
        "--cookie",
        "-c",
        "--cookie-jar",
        "-u",
        "--user",
        "--cacert",
        "--cert",
        "--key",
        "--retry",
        "-w",
        "--write-out",
        "--resolve",
        "-T",
        "-K",
    ]
)
_CURL_DATA = frozenset(
    [
        "-d",
        "--data",
        "--data-ascii",
        "--data-raw",
        "--data-binary",
        "--data-urlencode",
        "--json",
        "-F",
        "--form",
        "--form-string",
    ]
)


def from_curl(text: str) -> Attempt:
    words = _shell_words(text)
    method = url = ""
    headers: list[tuple[str, str]] = []
    data: list[str] = []
    parts: list[tuple[str, str]] = []
    in_url = False
    queue = iter(words[1:])
    for word in queue:
        option, value = _split_option(word)
        if option in ("-X", "--request"):
            method = value or next(queue, "")
        elif option in ("-H", "--header"):
            name, _, content = (value or next(queue, "")).partition(":")
            headers.append((name.strip(), content.strip()))
        elif option in _CURL_DATA:
            _add_data(option, value or next(queue, ""), data, parts, headers)
        elif option in ("-G", "--get"):
            in_url = True
        elif option == "--url":
            url = value or next(queue, "")
        elif option in _CURL_IGNORED:
            if not value:
                next(queue, "")
        elif not option.startswith("-") and not url:
            url = word
    if not url:
        raise IntakeError("The curl command names no URL.", next_step="Copy the whole command.")
    if "://" not in url:
        url = f"http://{url}"
    body = "&".join(data)
    if in_url and body:
        url, body = f"{url}{'&' if '?' in url else '?'}{body}", ""
    if parts:
        body = _multipart_body(parts, headers)
    if body and not header(headers, "content-type"):
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    return attempt(method or ("POST" if body else "GET"), url, headers=tuple(headers), body=body)


def _split_option(word: str) -> tuple[str, str]:
    """An option and the value glued to it: `-XPOST`, `--data=…`."""
    if word.startswith("--") and "=" in word:
        option, _, value = word.partition("=")
        return (
            (option, value)
            if option in _CURL_DATA | _CURL_IGNORED | {"--request", "--header", "--url"}
            else (word, "")
        )
    if re.match(r"-[XHdF].", word):
        return word[:2], word[2:]
    return word, ""


def _add_data(
    option: str,
    value: str,
    data: list[str],
    parts: list[tuple[str, str]],
    headers: list[tuple[str, str]],
) -> None:
    if option in ("-F", "--form", "--form-string"):
        name, _, content = value.partition("=")
        parts.append((name, content))
    elif option == "--data-urlencode":
        name, equals, content = value.partition("=")
        data.append(
            f"{name}={quote_plus(content)}" if equals and name else quote_plus(value.lstrip("="))
        )
    else:
        if option == "--json":
            headers += [("Content-Type", "application/json")]
        data.append(value)


def _multipart_body(parts: list[tuple[str, str]], headers: list[tuple[str, str]]) -> str:
    boundary = "alinb-boundary"
    headers[:] = [h for h in headers if h[0].lower() != "content-type"]
    headers.append(("Content-Type", f"multipart/form-data; boundary={boundary}"))
    drawn = []
    for name, content in parts:
        is_file = content.startswith(("@", "<"))
        file_name = f'; filename="{content[1:].partition(";")[0]}"' if is_file else ""
        drawn.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file_name}\r\n\r\n'
            f"{'' if is_file else content}\r\n"
        )
    return "".join(drawn) + f"--{boundary}--\r\n"


def _shell_words(text: str) -> list[str]:
    text = re.sub(r"^\$\s+", "", text)
    windows = re.search(r"\^\s*\r?\n", text) and not re.search(r"\\\r?\n", text)
    text = re.sub(r"[\\^`][ \t]*\r?\n", " ", text)
    if windows:
        text = re.sub(r"\^(.)", r"\1", text)
    text = re.sub(r"\$'((?:[^'\\]|\\.)*)'", lambda m: shlex.quote(_ansi_c(m[1])), text)
    try:
        return shlex.split(text)
    except ValueError as error:
        raise IntakeError(
            f"The curl command cannot be split into words: {str(error).lower()}.",
            next_step="Copy it again, with its quotes.",
        ) from None


_ESCAPES = dict(zip("nrt0abefv", "\n\r\t\0\a\b\x1b\f\v", strict=True))


def _ansi_c(text: str) -> str:
    """What bash makes of the inside of $'…'."""

    def one(match: re.Match[str]) -> str:
        if match[1]:
            code = int(match[1][1:], 16)
            return chr(code) if code < 0x110000 else match[0]
        return _ESCAPES.get(match[2], match[2])

    return re.sub(r"\\(?:(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8})|(.))", one, text)


def _quoted(text: str) -> str:
    return shlex.quote(text) if text else "''"
