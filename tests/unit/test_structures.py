"""Headlines under rival structures: verdicts, labels that are not named, and switches that do not exist."""

import numpy as np
import pandas as pd
import pytest

import reeuncert as ree
from reeuncert.errors import ReeUncertError
from reeuncert.result.structures import open_ranges
from reeuncert.studies.averaging import add_structures
from reeuncert.studies.rivals import HOLDS, NOT_IDENTIFIED, verdicts_over_structures
from reeuncert.testing import toy_posterior


def table(*intervals: tuple[float, float, float]) -> pd.DataFrame:
    rows = [(f"s{k}", *interval) for k, interval in enumerate(intervals)]
    frame = pd.DataFrame(rows, columns=["structure", "median", "eti90_lb", "eti90_ub"])
    return frame.assign(indicator="smuggled_mass", region="South", partner="North", product=np.nan, year=2006)


def test_medians_inside_all_intervals_hold():
    row = verdicts_over_structures(table((1.0, 0.5, 2.0), (1.8, 0.9, 3.0), (1.2, 0.7, 2.2))).iloc[0]
    assert row["verdict"] == HOLDS
    assert (row["lower"], row["lowest_median"], row["highest_median"], row["upper"]) == (0.5, 1.0, 1.8, 3.0)
    assert row["product"] == ""


def test_one_median_outside_one_interval_is_enough():
    verdicts = verdicts_over_structures(table((1.0, 0.5, 2.0), (1.8, 1.1, 3.0)))
    assert verdicts["verdict"].tolist() == [NOT_IDENTIFIED]


def test_a_case_without_rival_structures_says_so():
    case = ree.read_case("small_metal")
    with pytest.raises(
        ReeUncertError, match="case 'small_metal' names no rival structures; mark a switch with compare = "
    ):
        ree.compare_structures(case)
    with pytest.raises(ReeUncertError, match="case 'small_metal' has no switch 'colour'; it has: none"):
        ree.compare_structures(case, "colour")


def test_the_check_names_what_is_not_identified_and_its_range():
    dt = toy_posterior(draws=50, years=2)
    none = ree.check(dt, ["structures"])["headlines over structures"]
    assert (none.status, none.message) == ("information", "The case names no rival structures.")
    firm = table((1.0, 0.5, 2.0), (1.8, 0.9, 3.0)).assign(unit="kt", year=0)
    loose = table((1.0, 0.5, 2.0), (1.8, 1.1, 3.0)).assign(unit="kt", product="metal")
    held = ree.check(add_structures(dt, firm), ["structures"])["headlines over structures"]
    assert (held.status, held.value) == ("passed", 0)
    assert held.message == "Of 1 headlines, 1 hold under each of 2 rival structures."
    both = add_structures(dt, pd.concat([firm, loose]))
    said = ree.check(both, ["structures"])["headlines over structures"]
    assert (said.status, said.value, said.threshold) == ("warning", 1, "<= 0")
    assert said.message == (
        "Of 2 headlines, 1 hold under each of 2 rival structures; not identified by these data: smuggled_mass South "
        "North metal 2006 (0.5 to 3 over all). Report the range over the structures for these, not an interval from "
        "one."
    )
    assert open_ranges(both) == {("smuggled_mass", "South", "North", "metal", 2006): (0.5, 3.0)}
    assert open_ranges(dt) == {}


def test_a_structure_whose_run_has_not_converged_fails_a_check():
    dt = toy_posterior(draws=50, years=2)
    told = table((1.0, 0.5, 2.0), (1.8, 0.9, 3.0)).assign(ess_bulk=900.0, ess_tail=800.0, r_hat=1.002, divergences=0)
    good = ree.check(add_structures(dt, told), ["structures"])["convergence of structures"]
    assert (good.status, good.value) == ("passed", 0)
    assert "the smallest ESS is 800, the largest R-hat 1.0020; 0 draws diverged" in good.message
    for column, value in (("ess_tail", 399.0), ("ess_bulk", 10.0), ("r_hat", 1.02), ("divergences", 1)):
        bad = told.copy()
        bad.loc[1, column] = value
        found = ree.check(add_structures(dt, bad), ["structures"])["convergence of structures"]
        assert (found.status, found.value) == ("failed", 1)
        assert found.table is not None
        assert found.table["structure"].tolist() == ["s1"]
