"""Errors that rows share: prints, what persists in a lineage, the record by which a ratio is divided; growth."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from case_files import FILES, write_case
from reeuncert.calibration.figures import draw_offsets, offset_of, statements
from reeuncert.case.records import Case, ErrorTails
from reeuncert.case.shared import shared_errors
from reeuncert.errors import EvidenceError
from reeuncert.likelihood.compile import EvidenceModel, compile_evidence
from reeuncert.likelihood.predictive import offset_logp, predicted_quantities
from reeuncert.likelihood.problems import evidence_problems, overlaps
from reeuncert.validation.reader import read_case
from reeuncert.validation.report import check_case
from reeuncert.words.error_laws import ERROR_LAWS
from reported import CLASSES, SYSTEM, case, network, row, select

FEED, IMPORTS = select(flow="feed"), select(flow="imports")


def common(evidence: EvidenceModel) -> np.ndarray:
    """Covariance of the shared errors of the rows."""
    off = evidence.offsets
    loads = np.zeros((evidence.n_rows, len(off.label)))
    for r in range(evidence.n_rows):
        for k in range(off.pointer[r], off.pointer[r + 1]):
            loads[r, off.index[k]] += off.weight[k] * off.scale[off.index[k]]
    return np.asarray(loads @ loads.T)


def compiled(*rows: object, **fields: object) -> EvidenceModel:
    return compile_evidence(case(*rows, **fields), network())  # type: ignore[arg-type]  # rows are rows


def test_rows_of_one_print_share_its_error_and_keep_what_making_them_adds() -> None:
    first = row("total", FEED, 2006, 100.0, "normal", print="p. 3", width=0.01)
    made = row("made", IMPORTS, 2006, 40.0, "normal", print="p. 3", width=0.03)
    model = compiled(first, made, row("other", FEED, 2007, 100.0, "normal", print="alone"))
    assert model.offsets.label == ("print p. 3",)
    np.testing.assert_allclose(common(model), 0.01 * np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0]]))
    np.testing.assert_allclose(model.row_sigma(model.widths.median), [0.01, 0.03, 0.1])  # a print of one row is a row
    # Of classes of different width the widest; without a width of its own a row keeps the floor of its class.
    model = compiled(replace(first, source_id="second"), replace(made, width=math.nan, source_id="survey"))
    assert model.offsets.scale * 1.14 == pytest.approx(0.114)
    assert model.row_sigma(model.widths.median) * 1.14 == pytest.approx([0.01, 0.02])
    assert not overlaps(case(first, replace(made, selector=select(product="salt+oxide")), row("x", FEED, 2006, 1.0)))


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"source_id": "normal"}, "an error of its own"),
        ({"source_id": "sums"}, "is additive"),
        ({"relation": "share", "of": select(product="salt"), "unit": "%"}, "on another scale"),
    ],
)
def test_a_print_that_cannot_be_shared_is_refused(fields: dict[str, object], what: str) -> None:
    first = row("a", FEED, 2006, 50.0, print="p. 3")
    second = replace(row("b", FEED, 2007, 50.0, print="p. 3", lineage="b"), **fields)  # type: ignore[arg-type]
    (problem,) = evidence_problems(case(first, second))
    assert problem.column == "print"
    assert what in problem.message


def test_a_persistent_error_is_one_a_lineage_class_and_era() -> None:
    lasting = CLASSES | {"bell": replace(CLASSES["bell"], persistent=0.2, eras=(2005,))}
    rows = [row(str(y), FEED, y, 100.0, "normal") for y in (2003, 2004, 2005)]
    rows += [row("span", FEED, (2004, 2005), 200.0, "normal"), row("else", FEED, 2004, 100.0, "normal", lineage="else")]
    rows += [row("own", FEED, 2004, 100.0)]
    model = compiled(*rows, classes=lasting)
    before, after = (1, 1, 0, 0.5, 0, 0), (0, 0, 1, 0.5, 0, 0)
    assert model.offsets.label == (
        *("normal (bell) persistent since 2005", "normal (bell) persistent until 2004"),
        "else (bell) persistent until 2004",
    )
    expected = 0.04 * (np.outer(before, before) + np.outer(after, after) + np.diag([0, 0, 0, 0, 1, 0]))
    np.testing.assert_allclose(common(model), expected)


def test_a_ratio_subtracts_the_errors_of_the_record_that_it_divides_by() -> None:
    record = row("record", IMPORTS, 2006, 40.0, "normal", offsets=("bias", "record"))
    ratio = {"relation": "ratio", "of": IMPORTS, "unit": "ratio"}
    mirror = row("mirror", FEED, 2006, 2.0, "second", **ratio, of_offsets=("bias", "record"))
    covariance = common(compiled(record, mirror))
    assert covariance[0, 1] == pytest.approx(-covariance[0, 0])
    assert covariance[1, 1] == pytest.approx(covariance[0, 0])
    (problem,) = evidence_problems(case(row("level", FEED, 2006, 2.0, of_offsets=("bias",))))
    assert problem.column == "of_offsets"


def test_growth_is_a_ratio_of_years_free_of_what_both_share() -> None:
    lasting = CLASSES | {"bell": replace(CLASSES["bell"], persistent=0.2)}
    growth = row(
        "growth", FEED, 2006, 0.907, "normal", relation="ratio", of=FEED, of_years=(2005,), unit="ratio",
        offsets=("bias", "record"), of_offsets=("bias", "record"),
    )  # fmt: skip
    model = compiled(growth, classes=lasting)
    x = np.where(SYSTEM.exists, 100.0 * 1.1 ** np.arange(10), np.nan)
    assert predicted_quantities(model, x, np.zeros(2))[0] == pytest.approx(math.log(1.1))
    assert model.offsets.label == ("record 2005", "record 2006")
    assert model.offsets.weight.tolist() == [1.0, -1.0] or model.offsets.weight.tolist() == [-1.0, 1.0]
    x[:, 6] *= 2
    assert predicted_quantities(model, x, np.array([0.3, 0.1]))[0] == pytest.approx(math.log(2.2) - 0.2)
    with pytest.raises(EvidenceError, match=r"of_year_from"):
        compiled(replace(growth, of_years=(1990,)))


def everything() -> Case:
    lasting = CLASSES | {"good": replace(CLASSES["good"], persistent=0.2, eras=(2003, 2006))}
    rows = [row(f"l{y}", FEED, y, 100.0, print="p. 3" if y % 2 else "", offsets=("record",)) for y in range(2000, 2009)]
    growth = {"relation": "ratio", "of": FEED, "of_years": (2006,), "unit": "ratio", "of_offsets": ("record", "bias")}
    rows += [row("g", FEED, (2007, 2008), 1.1, **growth), row("m", IMPORTS, 2006, 1.0, print="p. 4")]
    return case(*rows, classes=lasting)


def test_simulated_figures_have_the_same_shared_errors() -> None:
    """The simulator of truths has code of its own: labels and sums must agree with those of the likelihood."""
    whole = everything()
    said = statements(whole)
    drawn = draw_offsets(whole, said, np.random.default_rng(1))
    named = {f"{name} {when}".rstrip(): value for name, by in drawn.items() for when, value in by.items()}
    shared = shared_errors([s.row for s in said], whole)
    assert set(named) >= {f"{name} {when}".rstrip() for name, when in shared.values}
    for statement, weights in zip(said, shared.weights, strict=True):
        expected = sum(weight * drawn[name][when] for (name, when), weight in weights.items())
        assert offset_of(statement.row, whole, drawn) == pytest.approx(expected, abs=1e-12)


def test_shared_errors_are_read_from_the_tables(tmp_path: Path) -> None:
    classes = FILES["classes.csv"].splitlines()
    lasting = [f"{classes[0]},persistent,eras", f"{classes[1]},0.1,2001;2002", *(f"{line},," for line in classes[2:])]
    evidence = (
        "id,flow,year_from,relation,of_flow,of_year_from,value,unit,basis,offsets,of_offsets,print,source_id\n"
        "a,output,2001,level,,,14,kt,REO,bias,,p. 3,survey\n"
        "b,output,2002,ratio,output,2001,1.1,ratio,n/a,bias,bias,p. 3,survey\n"
    )
    found = read_case(write_case(tmp_path / "tiny", classes_csv="\n".join(lasting), evidence_csv=evidence))
    assert (found.classes["statistics"].persistent, found.classes["statistics"].eras) == (0.1, (2001, 2002))
    growth = found.evidence[1]
    assert (growth.of_years, growth.of_offsets, growth.print) == ((2001,), ("bias",), "p. 3")
    assert dict(check_case(found).information)["prints in more than one row"] == "p. 3 (2)"


def test_offsets_have_the_density_of_their_law_and_its_slope() -> None:
    evidence = compiled(row("total", FEED, 2006, 100.0))
    offsets = replace(
        evidence.offsets,
        label=("t", "customs", "normal"),
        mean=np.array([0.1, -0.2, 0.0]),
        scale=np.array([0.3, 0.2, 0.5]),
        family=np.array([ERROR_LAWS[name].code for name in ("student_t", "customs", "normal")]),
    )
    tails = ErrorTails(degrees_of_freedom=7.0, outlier_share=0.2, outlier_sd=1.5)
    evidence = replace(evidence, offsets=offsets, tails=tails)
    x = np.random.default_rng(1).normal(0.0, 0.8, (2, 5, 3))
    logp, slope = offset_logp(evidence, x)
    core = stats.t.pdf(x[..., :2], 7.0, loc=offsets.mean[:2], scale=offsets.scale[:2])
    expected = np.stack(
        [
            core[..., 0],
            0.8 * core[..., 1] + 0.2 * stats.norm.pdf(x[..., 1], -0.2, 1.5),
            stats.norm.pdf(x[..., 2], 0.0, 0.5),
        ],
        axis=-1,
    )
    np.testing.assert_allclose(logp, np.log(expected), rtol=1e-10)
    step = 1e-6
    below, above = (offset_logp(evidence, x + by)[0] for by in (-step, step))
    np.testing.assert_allclose(slope, (below - above) / (2 * step), rtol=1e-5, atol=1e-7)
