"""The examples in docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import alinb

MODULES = [
    found.name
    for found in pkgutil.walk_packages(alinb.__path__, "alinb.")
    if found.name != "alinb.__main__" and not found.name.startswith("alinb._share")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    found = [t for n in MODULES for t in finder.find(importlib.import_module(n)) if t.examples]
    assert len(found) >= 8
