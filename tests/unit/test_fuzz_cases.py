"""Mutated case folders: refused in words before sampling, or usable to the last headline.

``-m slow`` takes 2,000 of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.mutated_cases import run


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("small_metal", 40),
        ("china_us_row", 3),
        pytest.param("small_metal", 1500, marks=pytest.mark.slow),
        pytest.param("china_us_row", 500, marks=pytest.mark.slow),
    ],
)
def test_mutated_folders_are_refused_in_words_or_compiled(name: str, count: int, tmp_path: Path) -> None:
    found = run(name, tmp_path, count, seed=count)
    assert found.total() == count
    assert found["refused"]
