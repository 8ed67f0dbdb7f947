"""Files of results and studies with bytes flipped or cut off: read as they were, or refused in our own words."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

import reeuncert as ree
import studies
from reeuncert.errors import OutputError
from reeuncert.indicators.stored import read_results, stage_results
from reeuncert.result.folder import output_folder
from reeuncert.result.io import PROVENANCE
from reeuncert.studies.cache import Kept
from reeuncert.testing import toy_posterior

FEW = 8
MANY = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result and a study, with one kept scenario."""
    place = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        (place / "marks").mkdir()
        patch.setenv(studies.MARKS, str(place / "marks"))
        ore = {"name": "ore", "changes": [{"kind": "prior_median", "prior": "ore of South", "factor": 3}]}
        found = ree.sensitivity(
            ree.read_case("small_metal"), scenarios=[ore], fit=studies.toy_fit, draws=20, jobs=1, progress=False,
            cache=place / "kept",
        )  # fmt: skip
    table = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    with output_folder(place / "run") as staging:
        whole = toy_posterior(chains=1, draws=8, years=2)
        dt = xr.DataTree.from_dict({"posterior": whole["posterior"].to_dataset()})
        dt.attrs = whole.attrs
        tables = dict.fromkeys(("flows.csv", "indicators.csv", "checks.csv"), table)
        stage_results(staging, dt, tables, {"report.html": "report"})
        staging.commit()
    found.write(place / "study.nc")
    next(iter((place / "kept").glob("*.nc"))).rename(place / "scenario.nc")
    return place


READERS: dict[str, Callable[[Path], object]] = {
    "run/posterior.nc": lambda file: (read_results(file), read_results(file.parent)),
    **dict.fromkeys(("run/flows.csv", "run/indicators.csv", "run/checks.csv"), lambda file: read_results(file.parent)),
    f"run/{PROVENANCE}": lambda file: read_results(file.parent),
    "study.nc": ree.read_study,
    "scenario.nc": Kept.read,
}


def damaged(whole: bytes, seed: int) -> bytes:
    """One of: a byte changed, a bit flipped, the end cut off, a stretch overwritten."""
    rng = random.Random(seed)
    place = rng.randrange(len(whole))
    content = bytearray(whole)
    kind = seed % 4
    if kind == 0:
        content[place] ^= rng.randrange(1, 256)
    elif kind == 1:
        content[place] ^= 1 << rng.randrange(8)
    elif kind == 2:
        return bytes(content[:place])
    else:
        # The beginning of a file says what the rest is: damage there is the worst.
        start = rng.randrange(min(len(whole), 4096))
        content[start : start + 8] = rng.randbytes(len(content[start : start + 8]))
    return bytes(content)


def survives(folder: Path, name: str, count: int) -> tuple[int, int]:
    """How many damaged files were refused, and how many read; anything else is raised."""
    file, reader = folder / name, READERS[name]
    whole = file.read_bytes()
    refused = 0
    try:
        for seed in range(count):
            file.write_bytes(damaged(whole, seed))
            try:
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", message=r"(?s).*changed after the run had written them")
                    reader(file)
            except OutputError:
                refused += 1
    finally:
        file.write_bytes(whole)
    reader(file)
    return refused, count - refused


@pytest.mark.parametrize("name", READERS)
def test_damage_is_refused_in_words(folder: Path, name: str):
    refused, read = survives(folder, name, FEW)
    assert refused + read == FEW
    if name in (f"run/{PROVENANCE}", "run/posterior.nc"):
        assert refused


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_damage_of_200_kinds_is_refused_in_words(folder: Path, name: str, record_property):
    refused, read = survives(folder, name, MANY)
    record_property("refused", refused)
    record_property("read", read)
    assert refused + read == MANY
