"""Readers of user files under mutated input: whatever is in a file, only errors of this package come out.

``REEUNCERT_FUZZ=100`` multiplies the number of inputs by a hundred.
"""

from __future__ import annotations

import os
import re
from contextlib import nullcontext, suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from case_files import FILES
from fuzz.targets import TABLES, TARGETS, scratch, seeds, small_result, whole_case
from reeuncert.errors import OutputError
from reeuncert.indicators.stored import read_results
from reeuncert.inference.chains import Chain
from reeuncert.inference.checkpoint import FOLDER, MANIFEST, Checkpoint, find_checkpoint
from reeuncert.inference.messages import Messages
from reeuncert.result.io import provenance
from reeuncert.result.netcdf import tree_bytes
from reeuncert.result.tables import flow_table
from reeuncert.testing import toy_posterior

TIMES = int(os.environ.get("REEUNCERT_FUZZ", "1"))
CELLS = (
    *(
        "",
        " ",
        "0",
        "-0",
        "-1",
        "1e400",
        "1e-320",
        "5e-324",
        "NaN",
        "inf",
        "1_000",
        "1,5",
        "٣",
        "²",
        "0x10",
        "1e9999999999",
    ),
    *("=1+1", "@x", "\u202eabc", "\x00", "\x7f", "\ufeff", "a" * 6000, '"', "'", "\\", "../../x", "a+b", "+", "|", ";"),
    *(
        "2000-2022",
        "2022-2000",
        "9999",
        "0-9999",
        "2000;;2001",
        "x=y",
        "scope=",
        "scope=narrow|wide",
        "outside",
        "market",
    ),
    *(
        "mine",
        "each",
        "input",
        "share",
        "level",
        "ratio",
        "exact",
        "range",
        "at_least",
        "up_to",
        "zero",
        "%",
        "t",
        "Mt",
    ),
    *("True", "None", "{median}", "{", "<script>", "\r", "\n", "\t", "𝔸", "\ud7ff", "ﷺ"),
)


def examples(count: int):
    return settings(
        max_examples=count * TIMES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )


@st.composite
def mutated(draw: st.DrawFn, texts: list[bytes]) -> bytes:
    """A valid input in which a few stretches are cut, doubled, flipped or replaced."""
    data = bytearray(draw(st.sampled_from(texts)))
    for _ in range(draw(st.integers(1, 4))):
        a = draw(st.integers(0, len(data)))
        b = min(len(data), a + draw(st.integers(0, 30)))
        piece = draw(st.one_of(st.binary(max_size=8), st.sampled_from([c.encode() for c in CELLS])))
        data[a:b] = draw(st.sampled_from([piece, b"", bytes(data[a:b]) * 2, piece + bytes(data[a:b])]))
    return bytes(data)


@pytest.mark.parametrize("name", ["toml", "csv_table", "scenarios", "cells", "case_json", "option", "published"])
def test_mutated_bytes(name):
    target, begin = TARGETS[name], seeds(name)
    accepted = []

    @examples(60)
    @given(st.one_of(mutated(begin), st.binary(max_size=200)))
    def check(data: bytes) -> None:
        accepted.append(target(data))

    check()
    if name != "cells":  # no text suits every parser of cells
        assert target(begin[0]), "the input from which all began is refused"
    assert not all(accepted), "nothing was refused"


@examples(80)
@given(
    st.sampled_from(TABLES),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from(CELLS)), min_size=1, max_size=3),
    st.sampled_from(["cells", "row twice", "row gone", "column gone", "column twice"]),
)
def test_any_cell_of_any_table(file, changes, also):
    rows = [line.split(",") for line in FILES[file].rstrip("\n").split("\n")]
    for i, j, cell in changes:
        row = rows[i % len(rows)]
        row[j % len(row)] = cell
    i, j, _ = changes[0]
    if also == "row twice":
        rows.append(rows[i % len(rows)])
    elif also == "row gone":
        del rows[i % len(rows)]
    elif also.startswith("column"):
        for row in rows:
            at = j % len(row)
            row[at:at] = row[at : at + 1]
            if also == "column gone":
                del row[at : at + 2]
    whole_case(file, "\n".join(",".join(row) for row in rows).encode("utf-8", "surrogatepass"))


@examples(40)
@given(mutated([FILES["case.toml"].encode()]))
def test_a_case_whose_case_file_is_changed(data):
    whole_case("case.toml", data)


@examples(40)
@given(st.data())
def test_a_netcdf_file_with_flipped_bytes(data):
    content = bytearray(small_result())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    TARGETS["netcdf"](bytes(content[: data.draw(st.sampled_from([len(content), len(content) // 2, 600, 0]))]))


CHANGES = (
    *("no mass_flow", "renamed dim", "text", "other flow", "other year", "no coords", "case gone", "case no text"),
    *("case cut", "case changed", "no posterior", "a dim more", "no draws"),
    *("whole numbers", "odd attribute", "no group but posterior"),
)
ACCEPTED = CHANGES[-3:]


@pytest.mark.parametrize("change", CHANGES)
def test_a_netcdf_file_of_another_structure(change, tmp_path):
    dt = toy_posterior(chains=1, draws=4, years=2)
    posterior = dt["posterior"].to_dataset()
    new = {
        "no mass_flow": lambda d: d.drop_vars("mass_flow"),
        "renamed dim": lambda d: d.rename(flow="strom"),
        "text": lambda d: d.assign(mass_flow=d["mass_flow"].astype(str)),
        "other flow": lambda d: d.assign_coords(flow=[f"x{i}" for i in range(d.sizes["flow"])]),
        "other year": lambda d: d.assign_coords(year=[1, 2]),
        "no coords": lambda d: d.drop_vars(["flow", "year"]),
        "whole numbers": lambda d: d.assign(mass_flow=d["mass_flow"].fillna(1).astype(int)),
        "a dim more": lambda d: d.assign(mass_flow=d["mass_flow"].expand_dims("more")),
        "no draws": lambda d: d.isel(draw=slice(0, 0)),
    }.get(change, lambda d: d)(posterior)
    groups = {name: dt[name].to_dataset() for name in ("prior", "sample_stats")}
    tree = type(dt).from_dict(
        {} if change == "no posterior" else {"posterior": new} | ({} if change == "no group but posterior" else groups)
    )
    text = dt.attrs["case_json"]
    changed = {
        "case no text": np.arange(3.0),
        "case cut": text[: len(text) // 2],
        "case changed": text.replace("South", "<b>\u202eSouth"),
    }
    tree.attrs = {**dt.attrs, "case_json": changed.get(change, text)}
    if change == "case gone":
        del tree.attrs["case_json"]
    if change == "odd attribute":
        tree.attrs |= {"versions": "no json", "seed": np.nan}
    path = tmp_path / "posterior.nc"
    path.write_bytes(tree_bytes(tree, {}))  # `write_netcdf` would refuse such a case itself
    if change in ACCEPTED:
        back = read_results(path)
        assert len(flow_table(back))
        assert provenance(back)["case_name"] == "toy"
    else:
        with pytest.raises(
            OutputError, match=f"^'{re.escape(str(path))}' (is no whole result of|is a netCDF file, but)"
        ):
            read_results(path)


def _chain() -> Chain:
    dt = toy_posterior(chains=1, draws=5, years=2)
    return Chain(dt["posterior"].to_dataset(), dt["sample_stats"].to_dataset())


DENSITY = (-1.5, 1.4)


def _checkpoint(folder, resume=True) -> Checkpoint:
    stored = find_checkpoint(folder) if resume else None
    return Checkpoint(folder, {"seed": 1, "draws": 5, "chains": 2, "versions": "{}"}, stored, Messages(quiet=True))


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The files of a checkpoint with one chain."""
    folder = tmp_path_factory.mktemp("checkpoint")
    checkpoint = _checkpoint(folder, resume=False)
    checkpoint.begin(DENSITY)
    checkpoint.store(1, _chain())
    assert list(_checkpoint(folder).begin(DENSITY)) == [1]
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.mark.parametrize("file", [MANIFEST, "chain-1.nc"])
def test_a_checkpoint_with_changed_bytes(stored, file):
    folder = scratch() / FOLDER

    @examples(80)
    @given(mutated([stored[file]]))
    def check(data: bytes) -> None:
        folder.mkdir(exist_ok=True)
        for name, content in stored.items():
            (folder / name).write_bytes(data if name == file else content)
        with suppress(OutputError) if file == MANIFEST else nullcontext():
            found = find_checkpoint(folder)
            chains = _checkpoint(folder).begin(DENSITY)
            assert found is not None or file == MANIFEST
            assert set(chains) <= {1}
            assert all(chain.posterior.sizes["draw"] == 5 for chain in chains.values())

    check()
