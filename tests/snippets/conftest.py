"""Run generated programs: every language whose tool is on this machine, each compiled once."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

from alinb import snippet
from alinb.snippets import Snippet, languages

#: Where Debian's librust-*-dev packages put the sources of crates.
CRATES = Path("/usr/share/cargo/registry")

Command = Callable[[int], list[str]]
#: A request to sign: path, parameters in their order, secret.
Case = tuple[str, Mapping[str, str], str]


@dataclass(frozen=True)
class Batch:
    """A program and the requests whose signatures it is asked for."""

    program: Snippet
    cases: list[Case]


@dataclass
class Runner:
    """How one language's programs are built and started.

    `build` puts several programs into a folder and says how to start each of them; the programs of
    a compiled language become one executable, told by VARIANT which of them to be.
    """

    language: str
    tools: tuple[str, ...]
    build: Callable[[Path, list[Snippet]], Command]
    needs: Callable[[], str] = field(default=lambda: "")

    @cached_property
    def lacks(self) -> str:
        """Why programs cannot be run here; "" where they can."""
        absent = [tool for tool in self.tools if shutil.which(tool) is None]
        return f"no {' and no '.join(absent)} on this machine" if absent else self.needs()

    def start(self, command: Command, i: int, *args: str, text: str = "", **env: str) -> str:
        """Run one program to its end; what it prints."""
        done = subprocess.run(
            [*command(i), *args],
            input=text.encode(),
            capture_output=True,
            env={**environment(), "VARIANT": str(i), **env},
            timeout=120,
        )
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
        return done.stdout.decode("utf-8")

    def signatures(self, folder: Path, batches: list[Batch]) -> list[list[str]]:
        """What each program signs its requests with."""
        command = self.build(folder, [batch.program for batch in batches])
        form = languages()[self.language].check
        return [
            self.start(command, i, "--sign", text=written(batch.cases, form)).split()
            for i, batch in enumerate(batches)
        ]


def environment() -> dict[str, str]:
    """This process's environment without anything of alinb's."""
    return {k: v for k, v in os.environ.items() if not k.startswith("ALINB_")} | {
        "LC_ALL": "C.UTF-8",
        "DOTNET_CLI_TELEMETRY_OPTOUT": "1",
    }


def written(cases: Iterable[Case], form: str) -> str:
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


def run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment())
    assert done.returncode == 0, done.stdout + done.stderr


def _interpreted(*start: str) -> Callable[[Path, list[Snippet]], Command]:
    def build(folder: Path, programs: list[Snippet]) -> Command:
        files = [folder / f"v{i}" / program.file_name for i, program in enumerate(programs)]
        for file, program in zip(files, programs, strict=True):
            file.parent.mkdir()
            file.write_text(program.code, encoding="utf-8")
        return lambda i: [*start, str(files[i])]

    return build


def _typescript(folder: Path, programs: list[Snippet]) -> Command:
    """As it is where node strips types itself, else stripped by esbuild."""
    command = _interpreted("node")(folder, programs)
    if _node_version() >= (22, 18):
        return command
    files = [command(i)[1] for i in range(len(programs))]
    run("esbuild", *files, f"--outdir={folder}", f"--outbase={folder}", "--out-extension:.js=.mjs",
        "--format=esm", "--log-level=warning", "--target=es2022")  # fmt: skip
    return lambda i: ["node", files[i].removesuffix(".ts") + ".mjs"]


def _node_version() -> tuple[int, ...]:
    shown = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    return tuple(map(int, re.findall(r"\d+", shown)))


def _strips_types() -> str:
    if _node_version() >= (22, 18) or shutil.which("esbuild"):
        return ""
    return "node is older than 22.18 and there is no esbuild"


def _java(folder: Path, programs: list[Snippet]) -> Command:
    for i, program in enumerate(programs):
        code = re.sub(r"\bSignedCall\b", f"V{i}", program.code)
        (folder / f"V{i}.java").write_text(code, encoding="utf-8")
    run("javac", "-Xlint:all", "-Werror", "-d", str(folder / "out"),
        *(f"V{i}.java" for i in range(len(programs))), cwd=folder)  # fmt: skip
    java = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
    return lambda i: [*java, "-cp", str(folder / "out"), f"V{i}"]


def _go(folder: Path, programs: list[Snippet]) -> Command:
    imports, cases = [], []
    for i, program in enumerate(programs):
        code = program.code.replace("package main\n", f"package v{i}\n", 1)
        (folder / f"v{i}").mkdir()
        (folder / f"v{i}/v.go").write_text(code.replace("func main()", "func Main()"))
        imports.append(f'"snippets/v{i}"')
        cases.append(f'case "{i}": v{i}.Main()')
    choice = 'import "os"\n' + "".join(f"import {name}\n" for name in imports)
    choice += 'func main() { switch os.Getenv("VARIANT") {\n' + "\n".join(cases) + "\n} }\n"
    (folder / "main.go").write_text("package main\n" + choice)
    (folder / "go.mod").write_text("module snippets\n\ngo 1.18\n")
    run("go", "build", "-o", "program", ".", cwd=folder)
    return lambda i: [str(folder / "program")]


def _csharp(folder: Path, programs: list[Snippet]) -> Command:
    cases = []
    for i, program in enumerate(programs):
        code = re.sub(r"\bSignedCall\b", f"V{i}", program.code)
        (folder / f"V{i}.cs").write_text(code, encoding="utf-8")
        cases.append(f'case "{i}": return V{i}.Main(args);')
    (folder / "Choice.cs").write_text(
        "public static class Choice { public static int Main(string[] args) {"
        ' switch (System.Environment.GetEnvironmentVariable("VARIANT")) {'
        f" {' '.join(cases)} default: return 3; }} }} }}"
    )
    run("mcs", "-warnaserror", "-main:Choice", "-r:System.Net.Http", "-out:program.exe",
        "Choice.cs", *(f"V{i}.cs" for i in range(len(programs))), cwd=folder)  # fmt: skip
    return lambda i: ["mono", str(folder / "program.exe")]


def _rust(folder: Path, programs: list[Snippet]) -> Command:
    (folder / "src").mkdir()
    packages: set[str] = set()
    mods, cases = "", ""
    for i, program in enumerate(programs):
        code = program.code.replace("\nfn main()", "\npub fn main()")
        (folder / f"src/v{i}.rs").write_text(code, encoding="utf-8")
        packages |= set(re.findall(r'^// +([\w-]+ = "[\d.]+")$', program.code, re.MULTILINE))
        mods += f"mod v{i};\n"
        cases += f'        "{i}" => v{i}::main(),\n'
    (folder / "src/main.rs").write_text(
        mods + 'fn main() {\n    match std::env::var("VARIANT").unwrap().as_str() {\n'
        + cases + "        _ => std::process::exit(3),\n    }\n}\n"
    )  # fmt: skip
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "program"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\n'
        + "\n".join(sorted(packages)) + '\n\n[profile.dev]\ndebug = false\n'
    )  # fmt: skip
    run("cargo", "build", "--offline", "--quiet", "--config",
        'source.crates-io.replace-with="debian"', "--config",
        f'source.debian.directory="{CRATES}"', cwd=folder)  # fmt: skip
    return lambda i: [str(folder / "target/debug/program")]


def _has_crates() -> str:
    if not list(CRATES.glob("hmac-0.12*")):
        return "no librust-hmac-dev, librust-sha2-dev, librust-md-5-dev, librust-sha1-dev"
    return "" if shutil.which("cc") else "no cc to link with"


@pytest.fixture(scope="session")
def crypto_js(tmp_path_factory: pytest.TempPathFactory) -> str:
    return ""


RUNNERS = {
    runner.language: runner
    for runner in (
        Runner("csharp", ("mcs", "mono"), _csharp),
        Runner("go", ("go",), _go),
        Runner("java", ("javac", "java"), _java),
        Runner("javascript", ("node",), _interpreted("node")),
        Runner("php", ("php",), _interpreted("php")),
        Runner("python", (), _interpreted(sys.executable)),
        Runner("ruby", ("ruby",), _interpreted("ruby")),
        Runner("rust", ("cargo", "rustc", "curl"), _rust, _has_crates),
        Runner("shell", ("bash", "openssl", "curl"), _interpreted("bash")),
        Runner("typescript", ("node",), _typescript, _strips_types),
    )
}
