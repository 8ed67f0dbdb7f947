"""A case cut to fewer years: what is said of them stays, and years that are no span are told."""

import pytest

import reeuncert as ree
from reeuncert.case.figures import median_in_year
from reeuncert.errors import ArgumentError
from reeuncert.validation.reader import problems_of

CASE = ree.read_case("small_metal")


@pytest.mark.parametrize(
    ("years", "said"),
    [([2017, 2019], "2017, 2019"), ([], "none"), ([2019, 2018], "2019, 2018"), ([2020, 2021], "2020, 2021")],
)
def test_years_that_are_no_span(years: list[int], said: str):
    with pytest.raises(ArgumentError) as caught:
        ree.restrict(CASE, years)
    assert str(caught.value) == (
        f"the years {said} are no span of case 'small_metal'; give consecutive years between 2016 and 2020, "
        "e.g. range(2018, 2021)"
    )


def test_priors_keep_their_medians_in_the_years_that_remain():
    cut = ree.restrict(CASE, [2018, 2019])
    assert not problems_of(cut)
    before = {row.name: row for row in CASE.priors}
    for row in cut.priors:
        for year in row.years:
            old = before[row.name]
            wanted = median_in_year(old, year if year in old.years else old.years[0])
            assert median_in_year(row, year) == pytest.approx(wanted)
    assert all(set(row.years) <= {2018, 2019} for row in cut.evidence)
