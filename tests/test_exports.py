"""The face: every public name is there, sorted, documented and real."""

import ast
import inspect
from pathlib import Path

import pytest

import alinb


def test_all_is_sorted_and_complete():
    homes = [name for names in alinb._HOMES.values() for name in names]
    assert sorted(homes) == sorted(alinb.__all__)
    assert len(set(homes)) == len(homes)
    assert alinb.__all__ == sorted(alinb.__all__, key=lambda n: (not n.isupper(), n))


def test_the_type_checker_sees_the_same_names():
    tree = ast.parse(Path(alinb.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.name for node in block.body for alias in node.names}
    assert seen == set(alinb.__all__)


@pytest.mark.parametrize("name", alinb.__all__)
def test_a_public_name_is_there_and_documented(name):
    value = getattr(alinb, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value), name
        assert value.__module__.startswith("alinb.")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        alinb.nothing  # noqa: B018


def test_dir_lists_the_face():
    assert set(alinb.__all__) <= set(dir(alinb))
