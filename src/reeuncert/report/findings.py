"""Tables, verdicts and headlines for the files and the report of a result, each computed once on first use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import pandas as pd
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.case.serial import case_from_json
from reeuncert.checks import CheckTable, Material, check
from reeuncert.checks.result import not_run
from reeuncert.indicators.compute import add_indicators
from reeuncert.indicators.headlines import headlines
from reeuncert.indicators.registry import DIMS
from reeuncert.indicators.summary import indicator_table
from reeuncert.parts import Failed, attempt, collecting, failed_of
from reeuncert.result.learning import ON_PRIOR, PARTLY_PRIOR
from reeuncert.result.tables import flow_table

LARGEST_R_HAT, SMALLEST_ESS = 1.01, 400
MEANING = {"*": "has not converged", "p": ON_PRIOR, "(p)": PARTLY_PRIOR}
"""Mark of a value → what it says."""


class Findings:
    """A result with its tables, verdicts and headlines.

    Parameters
    ----------
    dt
        From `reeuncert.sample`; indicators are added if it has none. ``failed`` lists the parts of it that could not
        be made.
    """

    def __init__(self, dt: xr.DataTree):
        self.failed = failed_of(dt)
        found = dt if "derived" in dt.children else self.part("indicators", lambda: add_indicators(dt))
        self.dt = dt if isinstance(found, Failed) else found

    def part[T](self, name: str, make: Callable[[], T]) -> T | Failed:
        """Compute a part, or add it to ``failed``."""
        with collecting(self.failed):
            return attempt(name, make)

    @property
    def approximate(self) -> bool:
        """Whether this is a preview, which is labelled approximate everywhere."""
        return bool(self.dt.attrs.get("approximate") == "yes")

    @cached_property
    def case(self) -> Case:
        return case_from_json(self.dt.attrs["case_json"])

    @cached_property
    def flows(self) -> pd.DataFrame:
        """A row for every flow and year."""
        return flow_table(self.dt)

    @cached_property
    def indicators(self) -> pd.DataFrame:
        """A row for every indicator, label and year."""
        return indicator_table(self.dt)

    @cached_property
    def checks(self) -> CheckTable:
        return check(self.dt, material=Material(self.dt, **self.tables))

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """`flows` and `indicators` by name, if they can be computed."""
        made = {
            "flows": self.part("flows.csv", lambda: self.flows),
            "indicators": self.part("indicators.csv", lambda: self.indicators),
        }
        return {name: table for name, table in made.items() if not isinstance(table, Failed)}

    @property
    def told(self) -> CheckTable:
        """The checks, and a row ``not run`` for each other part that could not be made until now."""
        return CheckTable([*self.checks, *(not_run(f.part, f) for f in dict.fromkeys(self.failed))])

    @cached_property
    def headlines(self) -> pd.DataFrame:
        """Headline sentences of the case with their values."""
        return headlines(self.dt, case=self.case)

    def marks(self, row: pd.Series) -> tuple[str, ...]:
        """Warnings on a row of `headlines` or `indicators`, see `marks`."""
        return marks(row)

    def series(self) -> list[pd.DataFrame]:
        """Rows of all years of every headline indicator, in the order of the case.

        Returns
        -------
        list of DataFrame
            Rows of `indicators`; one table for each choice of region, partner, product.
        """
        found: dict[tuple[str, ...], pd.DataFrame] = {}
        for line in self.case.headlines:
            chosen = self.indicators[self.indicators["indicator"] == line.indicator]
            for dim in DIMS:
                label = line.product if dim == "end_use" and (chosen["end_use"] != "").any() else getattr(line, dim, "")
                if label and (chosen[dim] != "").any():
                    chosen = chosen[chosen[dim] == label]
            if len(chosen):
                key = (line.indicator, *(str(chosen[dim].iloc[0]) for dim in DIMS))
                found.setdefault(key, chosen.sort_values("year"))
        return list(found.values())


def marks(row: pd.Series) -> tuple[str, ...]:
    """Warnings on one value, by the marks of `MEANING`.

    Examples
    --------
    >>> marks(pd.Series({"r_hat": 1.05, "ess_bulk": 900, "ess_tail": 900, "verdict": ON_PRIOR}))
    ('*', 'p')
    """
    poor = row["r_hat"] > LARGEST_R_HAT or row["ess_bulk"] < SMALLEST_ESS or row["ess_tail"] < SMALLEST_ESS
    return (*(("*",) if poor else ()), *(mark for mark, words in MEANING.items() if words == row["verdict"]))
