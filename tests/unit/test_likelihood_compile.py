"""From evidence rows to arrays: flows, coefficients, forms, widths and offsets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reeuncert.errors import EvidenceError, ModelError
from reeuncert.likelihood.compile import EvidenceModel, compile_evidence
from reeuncert.likelihood.predictive import predicted_quantities
from reeuncert.likelihood.problems import evidence_problems, overlaps, rows_without_flows
from reeuncert.words.error_laws import DENSITY, INTERVAL
from reported import SYSTEM, YEARS, case, network, row, select

ORE, FEED, TAILINGS, IMPORTS, USE = range(5)


def masses() -> np.ndarray:
    """A mass for every flow and year (flow, year); NaN where a flow does not exist."""
    table = np.array([100.0, 80.0, 20.0, 40.0, 60.0])[:, None] * (1.0 + 0.01 * np.arange(10))
    return np.where(SYSTEM.exists, table, np.nan)


def compiled(*rows: object, **fields: object) -> EvidenceModel:
    """Compile the small case with these rows."""
    return compile_evidence(case(*rows, **fields), network())  # type: ignore[arg-type]  # rows are rows


def quantity(evidence_row: object) -> float:
    """The quantity of a single row on its own scale, for the masses above."""
    return float(predicted_quantities(compiled(evidence_row), masses())[0])


def test_a_level_is_the_log_of_a_sum_over_flows_and_years() -> None:
    x = masses()
    both = select(product="salt+oxide", quantity="production+trade")
    assert quantity(row("a", both, 2006, 1.0)) == pytest.approx(math.log(x[FEED, 6] + x[IMPORTS, 6]))
    total = x[FEED, 4] + x[FEED, 5] + x[IMPORTS, 5]
    assert quantity(row("a", both, (2004, 2005), 1.0)) == pytest.approx(math.log(total))
    assert quantity(row("a", both, (2004, 2005), 1.0, span="mean")) == pytest.approx(math.log(total / 2))


def test_gross_weight_divides_each_flow_by_the_content_of_its_product() -> None:
    x = masses()
    gross = row("a", select(product="salt+oxide", quantity="production+trade"), 2006, 1.0, basis="gross")
    assert quantity(gross) == pytest.approx(math.log(x[FEED, 6] / 0.5 + x[IMPORTS, 6] / 0.8))


def test_shares_ratios_and_differences() -> None:
    x = masses()
    part, whole = select(flow="tailings"), select(quantity="loss+production")
    share = x[TAILINGS, 2] / (x[TAILINGS, 2] + x[FEED, 2])
    logit = math.log(share / (1 - share))
    assert quantity(row("a", part, 2002, 20.0, relation="share", of=whole, unit="%")) == pytest.approx(logit)
    ratio = row("a", part, 2002, 0.3, relation="ratio", of=select(flow="feed"), unit="ratio")
    assert quantity(ratio) == pytest.approx(math.log(x[TAILINGS, 2] / x[FEED, 2]))
    difference = row("a", select(flow="ore"), 2002, 0.0, "sums", relation="difference", of=select(flow="feed"))
    assert quantity(difference) == pytest.approx(x[ORE, 2] - x[FEED, 2])
    plain = row("a", part, 2002, 20.0, "sums", relation="share", of=whole, unit="%")
    assert quantity(plain) == pytest.approx(share)


def test_values_are_converted_to_the_unit_of_the_case() -> None:
    evidence = compiled(
        row("t", select(flow="feed"), 2000, 120_000.0, unit="t"),
        row("Mt", select(flow="feed"), 2001, 0.12, unit="Mt"),
        row("share", select(flow="feed"), 2002, 80.0, relation="share", of=select(product="salt"), unit="%"),
        row("sum", select(flow="feed"), 2003, 90_000.0, "sums", unit="t"),
    )
    assert evidence.value[:2] == pytest.approx(math.log(120.0))
    assert evidence.value[2] == pytest.approx(math.log(0.8 / 0.2))
    assert evidence.value[3] == pytest.approx(90.0)
    assert evidence.to_unit(evidence.value) == pytest.approx([120_000.0, 0.12, 80.0, 90_000.0])
    # The width of an additive class, 3, is in the unit of the row.
    assert evidence.row_sigma(evidence.widths.median)[3] == pytest.approx(3e-3)


def test_a_printed_figure_is_an_interval_where_its_last_digit_is_coarse() -> None:
    fine, coarse = (row(str(r), select(flow="feed"), 2000, 100.0, resolution=r) for r in (1.0, 20.0))
    assert compiled(fine).form.tolist() == [DENSITY]
    model = compiled(coarse)
    assert model.form.tolist() == [INTERVAL]
    assert [model.value[0] + model.lower[0], model.value[0] + model.upper[0]] == pytest.approx(np.log([90, 110]))
    # sigma is 0.114 / 1.14 = 0.1: half a digit of 5 in 100 is the limit
    assert compiled(row("a", select(flow="feed"), 2000, 100.0, resolution=9.9)).form.tolist() == [DENSITY]
    assert compiled(row("a", select(flow="feed"), 2000, 100.0, resolution=10.1)).form.tolist() == [INTERVAL]


@pytest.mark.parametrize(
    ("fields", "low", "high"),
    [
        ({"qualifier": "at_least", "value": 50.0}, 50.0, math.inf),
        ({"qualifier": "up_to", "value": 50.0}, 0.0, 50.0),
        ({"qualifier": "range", "low": 20.0, "high": 30.0}, 20.0, 30.0),
        ({"qualifier": "range", "low": 0.0, "high": 5.0}, 0.0, 5.0),
        ({"qualifier": "zero", "value": 0.0, "resolution": 0.2}, 0.0, 0.1),
    ],
)
def test_bounds_are_intervals(fields: dict[str, float], low: float, high: float) -> None:
    model = compiled(row("a", select(flow="feed"), 2000, **fields))  # type: ignore[arg-type]  # names of fields
    assert model.form.tolist() == [INTERVAL]
    ends = np.exp([model.value[0] + model.lower[0], model.value[0] + model.upper[0]])
    assert ends == pytest.approx([low, high])
    assert math.isfinite(model.value[0])


def test_a_second_reading_is_a_shift_with_a_weight() -> None:
    model = compiled(row("a", select(flow="feed"), 2000, 100.0, alternative=150.0, alternative_weight=0.25))
    assert model.shift[0] == pytest.approx(math.log(1.5))
    assert model.weight[0] == 0.25


def test_about_widens_and_an_own_width_overrides() -> None:
    feed = select(flow="feed")
    model = compiled(
        row("exact", feed, 2000, 100.0),
        row("about", feed, 2001, 100.0, qualifier="about"),
        row("own", feed, 2002, 100.0, width=0.3),
        row("customs", feed, 2003, 100.0, "customs"),
        row("normal", feed, 2004, 100.0, "normal"),
    )
    sigma = model.row_sigma(model.widths.median)
    assert sigma == pytest.approx([0.1, 0.15, 0.3 / 1.14, 0.2, 0.1])
    assert model.widths.label == ("survey (good)", "customs (office)", "normal (bell)")
    drawn = model.row_sigma(np.array([[0.228, 1.0, 1.0], [0.114, 1.0, 1.0]]))
    assert drawn.shape == (2, 5)
    assert drawn[:, 2] == pytest.approx(0.3 / 1.14)
    assert drawn[0, :2] == pytest.approx([0.2, 0.3])


def test_a_width_is_learned_from_eight_rows_that_another_lineage_reports_too() -> None:
    feed = select(flow="feed")
    mine = [row(f"a{y}", feed, y, 100.0) for y in YEARS]
    for count, learned in ((7, False), (8, True)):
        others = [row(f"b{y}", feed, y, 100.0, "second") for y in YEARS[:count]]
        model = compiled(*mine, *others)
        assert model.widths.label == ("survey (good)", "second (good)")
        assert model.widths.learned.tolist() == [learned, learned]
        assert model.learned_source == (("survey (good)", "second (good)") if learned else ())


def test_another_row_of_the_same_lineage_does_not_count_for_that() -> None:
    rows = [row(f"a{y}", select(flow="feed"), y, 100.0) for y in YEARS]
    parts = [row(f"b{y}", select(product="salt"), y, 100.0) for y in YEARS]
    assert compiled(*rows, *parts).widths.learned.tolist() == [False]


def test_a_class_that_does_not_learn_stays_fixed() -> None:
    rows = [row(f"{s}{y}", select(flow="feed"), y, 100.0, s) for s in ("customs", "normal") for y in YEARS]
    assert compiled(*rows).widths.learned.tolist() == [False, False]


def test_offsets_have_a_value_for_all_years_or_one_for_each() -> None:
    feed = select(flow="feed")
    model = compiled(
        row("a", feed, 2003, 100.0, offsets=("record",)),
        row("b", feed, 2001, 100.0, offsets=("bias", "record")),
        row("c", feed, (2001, 2002), 100.0, "second", offsets=("record",)),
    )
    assert model.offsets.label == ("bias", "record 2001", "record 2002", "record 2003")
    assert model.offsets.mean.tolist() == [0.1, 0.0, 0.0, 0.0]
    assert model.offsets.scale == pytest.approx([0.2, 0.15 / 1.14, 0.15 / 1.14, 0.15 / 1.14])
    values = np.array([0.5, 0.1, 0.2, 0.3])
    plain = predicted_quantities(model, masses(), np.zeros(4))
    added = predicted_quantities(model, masses(), values) - plain
    assert added == pytest.approx([0.3, 0.6, 0.15])


def test_an_offset_multiplies_an_additive_quantity() -> None:
    model = compiled(row("a", select(flow="feed"), 2000, 80.0, "sums", offsets=("bias",)))
    assert predicted_quantities(model, masses(), np.array([math.log(1.5)])) == pytest.approx([120.0])


def test_a_zero_for_flows_that_do_not_exist_is_accepted_and_listed() -> None:
    zero = row("none", select(flow="imports"), 2001, 0.0, qualifier="zero", resolution=0.1)
    some = row("some", select(flow="feed"), 2001, 80.0)
    small = case(zero, some)
    assert evidence_problems(small) == []
    assert [r.id for r in rows_without_flows(small)] == ["none"]
    assert compile_evidence(small, network()).ids == ("some",)


def test_no_evidence_is_no_problem() -> None:
    assert compiled().n_rows == 0


def test_every_problem_is_in_one_error() -> None:
    with pytest.raises(EvidenceError) as caught:
        compiled(
            row("a", select(flow="imports"), 2001, 5.0, line=2),
            row("b", select(quantity="nothing"), 2001, 5.0, line=3),
        )
    assert len(caught.value.problems) == 2


def test_a_network_of_another_system_is_refused() -> None:
    class Empty:
        edge_index = np.zeros((0, 0), dtype=int)

    with pytest.raises(ModelError) as caught:
        compile_evidence(case(row("a", select(flow="feed"), 2000, 1.0)), Empty())  # type: ignore[arg-type]  # on purpose
    assert str(caught.value) == "the network lacks flows of the system: make it from the system of this case"


def test_part_and_total_of_one_lineage_are_listed_unless_they_share_an_offset() -> None:
    total = select(product="salt+oxide", quantity="production+trade")
    part = row("part", select(flow="feed"), 2006, 80.0)
    listed = overlaps(case(row("total", total, (2005, 2006), 200.0), part))
    assert [(o.lineage, o.first, o.second, o.years, o.flows) for o in listed] == [
        ("survey", "total", "part", (2006,), ("feed",))
    ]
    assert str(listed[0]) == (
        "'total' and 'part' (lineage survey) both report feed in 2006 and share no offset; if they are parts and "
        "total of one record, give them one"
    )
    shared = [row(n, s, 2006, 80.0, offsets=("record",)) for n, s in (("total", total), ("part", select(flow="feed")))]
    assert overlaps(case(*shared)) == []
    assert overlaps(case(part, row("other", total, 2006, 200.0, "second"))) == []
    share = row("share", select(flow="feed"), 2006, 0.8, relation="share", of=select(product="salt"), unit="share")
    assert overlaps(case(part, share)) == []
