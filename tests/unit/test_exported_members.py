"""The public face: every name that is promised is there, and the two lists of it agree."""

import ast
from pathlib import Path

import pytest

import reeuncert as ree


@pytest.mark.parametrize("name", ree.__all__)
def test_every_public_name_is_there(name: str):
    assert getattr(ree, name) is not None


def test_names_for_the_type_checker_and_names_to_load_are_the_same():
    tree = ast.parse(Path(str(ree.__file__)).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {
        alias.asname: node.module
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == ree._HOME


def test_an_unknown_name_is_told_the_known_ones():
    first = ", ".join(sorted(ree._HOME)[:3])
    with pytest.raises(AttributeError, match=f"^module 'reeuncert' has no attribute 'sampel'; it has: {first}, "):
        ree.sampel  # noqa: B018  # asking for it is the test


def test_names_are_few_and_modules_need_no_import_of_their_own():
    assert len(ree.__all__) <= 40
    assert [getattr(ree, name).__name__ for name in ree.MODULES] == [f"reeuncert.{name}" for name in ree.MODULES]
