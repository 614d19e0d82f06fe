"""The sandbox's document is true: its tables, options, routes and examples."""

import re
import subprocess
import sys

from alinb.gateway import Sandbox
from tests import rebuild_documents

TEXT = rebuild_documents.DOCUMENT.read_text(encoding="utf-8")


def test_its_tables_are_what_the_code_says() -> None:
    assert rebuild_documents.rebuilt(TEXT) == TEXT, "run python -m tests.rebuild_documents"


def test_a_table_that_is_out_of_date_is_noticed() -> None:
    stale = TEXT.replace("answers so much later", "answers sooner", 1)
    assert stale != TEXT
    assert rebuild_documents.rebuilt(stale) == TEXT


def test_its_options_are_options() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "alinb", "sandbox", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for option in set(re.findall(r"`(--[a-z]+)", TEXT)):
        assert re.search(rf"{option}\b", done.stdout), option


def test_its_examples_run_one_after_the_other() -> None:
    examples = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(examples) == 2
    subprocess.run([sys.executable, "-c", "\n".join(examples)], check=True, timeout=60)


def test_its_texts_of_faults_are_faults() -> None:
    from alinb.gateway.faults import read

    told = TEXT.partition("## Faults")[2].partition("<!--")[0]
    faults = [text for text in re.findall(r"`([^`]+)`", told) if re.search(r"[@x=]\d", text)]
    assert [str(fault) for text in faults for fault in read(text)] == faults
    assert len(faults) == 3


def test_it_names_every_refusal_and_the_first_checks_in_their_order() -> None:
    order = [TEXT.index(f"\n{number}. ") for number in range(1, 10)]
    assert order == sorted(order)
    box = Sandbox(products=1)
    for code in ("InvalidAppKey", "IncompleteSignature", "IllegalTimestamp", "InvalidCode"):
        assert f"| gateway | {code} |" in TEXT
    assert f"{box.gateway.exchanges.limit} requests" in TEXT
