"""curl commands as shells, browsers and Postman write them."""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple
from urllib.parse import quote_plus

from ..attempts import Attempt
from ..errors import IntakeError
from ..wire import header
from .parts import attempt


class Part(NamedTuple):
    """A part of a multipart form; the `content` of a file is its name."""

    name: str
    content: str
    is_file: bool = False


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
#: Short options without a value, written in front of another one: -sX, -kd.
_FLAGS = re.compile(r"-([0-46#aBfgGiIjJklLMnNOpqRsSvZ]+)(?=\w)")


def from_curl(text: str) -> Attempt:
    words = _shell_words(text)
    method = url = ""
    headers: list[tuple[str, str]] = []
    data: list[str] = []
    parts: list[Part] = []
    bare: list[str] = []
    in_url = False
    queue = iter(words[1:])
    for word in queue:
        if flags := _FLAGS.match(word):
            in_url = in_url or "G" in flags[1]
            word = f"-{word[flags.end() :]}"
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
        elif not option.startswith("-"):
            bare.append(word)
    # An option unknown here may have left its value behind.
    url = url or next((word for word in bare if "://" in word), bare[0] if bare else "")
    if not url:
        raise IntakeError("The curl command names no URL.", next_step="Copy the whole command.")
    if "://" not in url:
        url = f"http://{url}"
    body = "&".join(data)
    posts = bool(data or parts) and not in_url
    if in_url and body:
        url, body = f"{url}{'&' if '?' in url else '?'}{body}", ""
    if parts:
        body = multipart_body(parts, headers)
    if body and not header(headers, "content-type"):
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    return attempt(method or ("POST" if posts else "GET"), url, headers=tuple(headers), body=body)


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


#: Data that curl reads from a file; --data-raw and --form-string take the sign as it is.
_FILE_DATA = re.compile(r"(?:-d|--data|--data-ascii|--data-binary|--json) @|--data-urlencode \w*@")


def _add_data(
    option: str,
    value: str,
    data: list[str],
    parts: list[Part],
    headers: list[tuple[str, str]],
) -> None:
    if option == "--form-string":
        parts.append(Part(*value.partition("=")[::2]))
    elif option in ("-F", "--form"):
        name, _, content = value.partition("=")
        is_file = content.startswith(("@", "<"))
        parts.append(Part(name, _form_word(content[is_file:]), is_file))
    elif _FILE_DATA.match(f"{option} {value}"):
        raise IntakeError(
            f"The curl command takes its data from a file ({value[:40]}), which is not here.",
            next_step="Put the file's content in its place.",
        )
    elif option == "--data-urlencode":
        name, equals, content = value.partition("=")
        alone = quote_plus(value.removeprefix("="))
        data.append(f"{name}={quote_plus(content)}" if equals and name else alone)
    else:
        if option == "--json":
            headers += [("Content-Type", "application/json")]
        data.append(value)


def _form_word(text: str) -> str:
    """A value of curl's -F, which may stand in double quotes and be followed by `;type=…`."""
    quoted = re.match(r'"((?:[^"\\]|\\.)*)"\s*(?:;|$)', text, re.DOTALL)
    if quoted:
        return re.sub(r'\\(["\\])', r"\1", quoted[1])
    return text.partition(";")[0]


def multipart_body(parts: list[Part], headers: list[tuple[str, str]]) -> str:
    boundary = "alinb-boundary"
    headers[:] = [h for h in headers if h[0].lower() != "content-type"]
    headers.append(("Content-Type", f"multipart/form-data; boundary={boundary}"))
    drawn = []
    for name, content, is_file in parts:
        file_name = f'; filename="{content}"' if is_file else ""
        drawn.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file_name}\r\n\r\n'
            f"{'' if is_file else content}\r\n"
        )
    return "".join(drawn) + f"--{boundary}--\r\n"


#: $'…', a continued line of any shell, a quoted text, an escaped character: whichever comes first.
_PIECES = re.compile(
    r"\$'((?:[^'\\]|\\.)*)'|[\\^`][ \t]*\r?\n|'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.", re.DOTALL
)


def _unfolded(match: re.Match[str]) -> str:
    if match[1] is not None:
        return shlex.quote(_ansi_c(match[1]))
    if match[0].endswith("\n") and match[0][0] in "\\^`":
        return " "
    return re.sub(r"\\\r?\n", "", match[0]) if match[0][0] == '"' else match[0]


def _for_cmd(text: str) -> bool:
    """Whether cmd.exe's rules hold: ^ before the first quote, or at line ends."""
    first = re.search(r"\^?\"|'", text)
    if first and first[0] != '"':
        return first[0] == '^"'
    return bool(re.search(r"\^[ \t]*\r?\n", text)) and not re.search(r"\\\r?\n", text)


def _shell_words(text: str) -> list[str]:
    text = re.sub(r"^\$\s+", "", text)
    if _for_cmd(text):
        # A line end inside a value is written as a caret and two line ends.
        text = re.sub(r"\^\r?\n\r?\n", "\n", text)
        text = re.sub(r"\^(.)", r"\1", re.sub(r"\^[ \t]*\r?\n", " ", text))
    else:
        text = _PIECES.sub(_unfolded, text)
    try:
        return shlex.split(text)
    except ValueError as error:
        raise IntakeError(
            f"The curl command cannot be split into words: {str(error).lower()}.",
            next_step="Copy it again, with its quotes.",
        ) from None


_ANSI_C = re.compile(r"((?:\\x[0-9a-fA-F]{1,2})+)|\\(?:(u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8})|(.))")
_ESCAPES = dict(zip("nrt0abefv", "\n\r\t\0\a\b\x1b\f\v", strict=True))


def _ansi_c(text: str) -> str:
    """What bash makes of the inside of $'…'."""

    def one(match: re.Match[str]) -> str:
        if match[1]:
            raw = bytes(int(byte, 16) for byte in match[1].split("\\x")[1:])
            try:
                return raw.decode()
            except UnicodeDecodeError:  # older browsers write a character so, not a byte
                return raw.decode("latin-1")
        if match[2]:
            code = int(match[2][1:], 16)
            return chr(code) if code < 0x110000 else match[0]
        return _ESCAPES.get(match[3], match[3])

    plain = _ANSI_C.sub(one, text)
    # Browsers write a character beyond U+FFFF as two halves.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _quoted(text: str) -> str:
    return shlex.quote(text) if text else "''"
