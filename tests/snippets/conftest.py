"""Run generated programs: every language whose tool is on this machine, each compiled once."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from alinb.snippets import Snippet, languages

#: Where Debian's librust-*-dev packages put the sources of crates.
CRATES = Path("/usr/share/cargo/registry")

#: A request to sign: path, parameters in their order, secret.
Case = tuple[str, Mapping[str, str], str]
#: How to start one of several programs, by its number.
Command = Callable[[int], list[str]]


class Lacking(Exception):
    """Why the programs of a language cannot be run on this machine."""


@dataclass(frozen=True)
class Runner:
    """How the programs of one language are built and started.

    `build` puts programs into a folder and says how to start each. Those of a compiled language
    become one executable, which VARIANT tells which of them to be. It raises `Lacking` where more
    than the tools is missing.
    """

    language: str
    tools: tuple[str, ...]
    build: Callable[[Path, list[Snippet]], Command]


class Programs:
    """Programs of one language, built and ready to be started; raises `Lacking`."""

    def __init__(self, runner: Runner, folder: Path, snippets: list[Snippet]) -> None:
        if absent := [tool for tool in runner.tools if shutil.which(tool) is None]:
            raise Lacking(f"no {' and no '.join(absent)} on this machine")
        folder.mkdir()
        self._form = languages()[runner.language].check
        self._command = runner.build(folder, snippets)
        self._number = {_key(snippet): i for i, snippet in enumerate(snippets)}

    def run(
        self, snippet: Snippet, *args: str, text: str = "", **env: str
    ) -> subprocess.CompletedProcess[str]:
        """One program to its end, in an environment with nothing of alinb's but `env`."""
        number = self._number[_key(snippet)]
        return subprocess.run(
            [*self._command(number), *args],
            input=text,
            capture_output=True,
            encoding="utf-8",
            env={**_environment(), "VARIANT": str(number), **env},
            timeout=120,
        )

    def signatures(self, snippet: Snippet, cases: Iterable[Case]) -> list[str]:
        """What the program's self-check prints for these requests."""
        done = self.run(snippet, "--sign", text=_written(cases, self._form))
        assert done.returncode == 0, done.stderr
        return done.stdout.split()


def _key(snippet: Snippet) -> tuple[object, ...]:
    return snippet.name, snippet.platform, snippet.mistakes


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALINB_")}
    return {**kept, "LC_ALL": "C.UTF-8"}


def _written(cases: Iterable[Case], form: str) -> str:
    """Requests in the form that a program's self-check reads."""
    if form != "lines":
        return "".join(
            json.dumps({"path": path, "params": params, "secret": secret}, ensure_ascii=i % 2 == 0)
            + "\n"
            for i, (path, params, secret) in enumerate(cases)
        )
    escapes = str.maketrans({"\\": "\\\\", "\t": "\\t", "\r": "\\r", "\n": "\\n"})
    return "".join(
        "".join(
            f"{name}\t{value.translate(escapes)}\n"
            for name, value in [("path", path), ("secret", secret), *params.items()]
        )
        + "\n"
        for path, params, secret in cases
    )


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=_environment())
    assert done.returncode == 0, done.stdout + done.stderr


def _interpreted(*start: str) -> Callable[[Path, list[Snippet]], Command]:
    def build(folder: Path, snippets: list[Snippet]) -> Command:
        files = [folder / f"v{i}" / snippet.file_name for i, snippet in enumerate(snippets)]
        for file, snippet in zip(files, snippets, strict=True):
            file.parent.mkdir()
            file.write_text(snippet.code, encoding="utf-8")
        return lambda i: [*start, str(files[i])]

    return build


def _typescript(folder: Path, snippets: list[Snippet]) -> Command:
    """As it is where node strips types itself, else stripped by esbuild."""
    command = _interpreted("node")(folder, snippets)
    if _node_version() >= (22, 18):
        return command
    if shutil.which("esbuild") is None:
        raise Lacking("node is older than 22.18, and there is no esbuild")
    files = [command(i)[1] for i in range(len(snippets))]
    _run("esbuild", *files, f"--outdir={folder}", f"--outbase={folder}", "--format=esm",
         "--out-extension:.js=.mjs", "--target=es2022", "--log-level=warning")  # fmt: skip
    return lambda i: ["node", files[i].removesuffix(".ts") + ".mjs"]


def _node_version() -> tuple[int, ...]:
    shown = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    return tuple(map(int, re.findall(r"\d+", shown)))


def _postman(folder: Path, snippets: list[Snippet]) -> Command:
    """In a stand-in for Postman, with Postman's own crypto-js from npm beside it."""
    npm = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund",
           "--fetch-retries=0", "--fetch-timeout=8000", "crypto-js@4"]  # fmt: skip
    try:
        done = subprocess.run(npm, capture_output=True, timeout=60, env=_environment())
    except subprocess.TimeoutExpired:
        raise Lacking("crypto-js did not come from npm in time") from None
    if done.returncode != 0:
        raise Lacking("crypto-js cannot be had from npm")
    shutil.copy(Path(__file__).with_name("postman.cjs"), folder)
    return _interpreted("node", str(folder / "postman.cjs"))(folder, snippets)


def _java(folder: Path, snippets: list[Snippet]) -> Command:
    for i, snippet in enumerate(snippets):
        code = re.sub(r"\bSignedCall\b", f"V{i}", snippet.code)
        (folder / f"V{i}.java").write_text(code, encoding="utf-8")
    _run("javac", "-Xlint:all", "-Werror", "-d", "out",
         *(f"V{i}.java" for i in range(len(snippets))), cwd=folder)  # fmt: skip
    java = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
    return lambda i: [*java, "-cp", str(folder / "out"), f"V{i}"]


def _go(folder: Path, snippets: list[Snippet]) -> Command:
    choice = 'package main\n\nimport "os"\n'
    cases = ""
    for i, snippet in enumerate(snippets):
        code = snippet.code.replace("package main\n", f"package v{i}\n", 1)
        (folder / f"v{i}").mkdir()
        (folder / f"v{i}/v.go").write_text(code.replace("func main()", "func Main()"))
        choice += f'import "snippets/v{i}"\n'
        cases += f'case "{i}": v{i}.Main()\n'
    choice += f'func main() {{\nswitch os.Getenv("VARIANT") {{\n{cases}}}\n}}\n'
    (folder / "main.go").write_text(choice)
    (folder / "go.mod").write_text("module snippets\n\ngo 1.18\n")
    _run("go", "build", "-o", "program", ".", cwd=folder)
    return lambda i: [str(folder / "program")]


def _csharp(folder: Path, snippets: list[Snippet]) -> Command:
    if not [*Path("/usr/lib/mono").glob("*/System.Net.Http.dll")]:
        raise Lacking("no libmono-system-net-http4.0-cil")
    cases = ""
    for i, snippet in enumerate(snippets):
        code = re.sub(r"\bSignedCall\b", f"V{i}", snippet.code)
        (folder / f"V{i}.cs").write_text(code, encoding="utf-8")
        cases += f'case "{i}": return V{i}.Main(args); '
    (folder / "Choice.cs").write_text(
        "public static class Choice { public static int Main(string[] args) {"
        ' switch (System.Environment.GetEnvironmentVariable("VARIANT")) {'
        f" {cases} default: return 3; }} }} }}"
    )
    _run("mcs", "-warnaserror", "-main:Choice", "-r:System.Net.Http", "-out:program.exe",
         "Choice.cs", *(f"V{i}.cs" for i in range(len(snippets))), cwd=folder)  # fmt: skip
    return lambda i: ["mono", str(folder / "program.exe")]


def _rust(folder: Path, snippets: list[Snippet]) -> Command:
    crates = {"hmac": "hmac", "sha2": "sha2", "md": "md-5", "sha1": "sha1"}
    absent = [name for stem, name in crates.items() if not [*CRATES.glob(f"{stem}-0.1*")]]
    if absent:
        raise Lacking(f"no {', no '.join(f'librust-{name}-dev' for name in absent)}")
    (folder / "src").mkdir()
    packages: set[str] = set()
    modules = cases = ""
    for i, snippet in enumerate(snippets):
        code = snippet.code.replace("\nfn main()", "\npub fn main()")
        (folder / f"src/v{i}.rs").write_text(code, encoding="utf-8")
        packages |= set(re.findall(r'^// +([\w-]+ = "[\d.]+")$', snippet.code, re.MULTILINE))
        modules += f"mod v{i};\n"
        cases += f'"{i}" => v{i}::main(),\n'
    (folder / "src/main.rs").write_text(
        f'{modules}fn main() {{\nmatch std::env::var("VARIANT").unwrap().as_str() {{\n'
        f"{cases}_ => std::process::exit(3),\n}}\n}}\n"
    )
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "program"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\n'
        + "".join(f"{package}\n" for package in sorted(packages))
        + "\n[profile.dev]\ndebug = false\n"
    )
    _run("cargo", "build", "--offline", "--quiet", "--config",
         'source.crates-io.replace-with="debian"', "--config",
         f'source.debian.directory="{CRATES}"', cwd=folder)  # fmt: skip
    return lambda i: [str(folder / "target/debug/program")]


RUNNERS = {
    runner.language: runner
    for runner in (
        Runner("csharp", ("mcs", "mono"), _csharp),
        Runner("go", ("go",), _go),
        Runner("java", ("javac", "java"), _java),
        Runner("javascript", ("node",), _interpreted("node")),
        Runner("php", ("php",), _interpreted("php")),
        Runner("postman", ("node", "npm"), _postman),
        Runner("python", (), _interpreted(sys.executable, "-I", "-S")),
        Runner("ruby", ("ruby",), _interpreted("ruby", "--disable=gems")),
        Runner("rust", ("cargo", "rustc", "cc", "curl"), _rust),
        Runner("shell", ("bash", "openssl", "curl"), _interpreted("bash")),
        Runner("typescript", ("node",), _typescript),
    )
}


@pytest.fixture(scope="session")
def toolbox() -> SimpleNamespace:
    """`runners` by language, `Programs` and `Lacking`, for test files that cannot import them."""
    return SimpleNamespace(runners=RUNNERS, Programs=Programs, Lacking=Lacking)
