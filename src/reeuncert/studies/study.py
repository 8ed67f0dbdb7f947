"""A finished study: every indicator under every scenario, and which conclusions survive."""

import html
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.serial import case_from_json, without_folder
from reeuncert.edits.scenario import BASE
from reeuncert.errors import CaseError, OutputError, ReeUncertError
from reeuncert.files import expanded, explained, first_line
from reeuncert.indicators.printing import label_positions, value_title
from reeuncert.indicators.registry import DIMS, records_of
from reeuncert.studies.cache import Kept
from reeuncert.studies.summaries import LABELS
from reeuncert.words.cells import unknown

FORMAT = "reeuncert study 1"
CHANGES, HOLDS, NOT_ASKED = "changes", "holds", "no such flow"
"""Verdicts on a headline under a scenario."""

FINISHED, KEPT, FAILED = "fitted", "kept from before", "failed"
"""What became of a scenario."""

_TABLES = ("scenarios", "headlines", "checks")


@dataclass(frozen=True, eq=False)
class Study:
    """Results of a case under several scenarios.

    Parameters
    ----------
    data
        Quantiles of indicators: a variable an indicator, dims (scenario, quantile, [region], [partner], [product],
        [end_use], year); quantiles 0.05, 0.25, 0.5, 0.75, 0.95. The scenario ``base`` comes first.
    draws
        ``value`` (scenario, headline, sample): the draws of each headline of the case, NaN where there is no such flow.
    scenarios
        One row a scenario asked for: scenario, what, why, status (fitted, kept from before, failed), seconds, reason.
    headlines
        One row a headline and scenario: scenario, the labels of the headline, unit, median, eti90_lb, eti90_ub,
        mcse_median, ess_bulk, r_hat.
    checks
        One row a check and scenario: scenario, check, status, value, threshold, message.
    about
        Case, settings, versions; notes on results that could not be reused.
    """

    data: xr.Dataset
    draws: xr.Dataset
    scenarios: pd.DataFrame
    headlines: pd.DataFrame
    checks: pd.DataFrame
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> pd.DataFrame:
        """Scenarios without a result: scenario, what, reason, and the trace of the error."""
        return self.scenarios.loc[self.scenarios["status"] == FAILED].reset_index(drop=True)

    @property
    def passed(self) -> bool:
        """Whether every scenario was fitted and no check failed."""
        return not len(self.failed) and not (self.checks["status"] == "failed").any()

    @property
    def has_base(self) -> bool:
        """Whether the case as it is was fitted, so that scenarios can be compared with it."""
        return BASE in self.data["scenario"].values

    def table(self, indicator: str | None = None, **coords: str | int | Iterable[str] | Iterable[int]) -> pd.DataFrame:
        """Medians and intervals of all scenarios, one row a scenario and place.

        Parameters
        ----------
        indicator
            Its name; None: all of them.
        **coords
            Labels to choose, e.g. ``region="…", year=[2010, 2011], scenario="base"``.

        Returns
        -------
        DataFrame
            scenario, indicator, region, partner, product, end_use, year, unit, median, eti50_lb, eti50_ub, eti90_lb,
            eti90_ub; without rows that no scenario has.

        Raises
        ------
        ReeUncertError
            For an indicator, dim or label that the study does not have.
        """
        held = [str(name) for name in self.data.data_vars]
        if indicator is not None and indicator not in held:
            raise ReeUncertError(
                f"{unknown(indicator, held, 'indicator')}; name others with indicators=[…] when you make the study"
            )
        tables = [self._table(name, coords) for name in ([indicator] if indicator else held)]
        return pd.concat(tables, ignore_index=True)

    def conclusions(self) -> pd.DataFrame:
        """Whether each headline of the case survives each scenario.

        A headline *changes* when its median under the scenario lies outside the 90 % interval of the base, or the
        median of the base outside that of the scenario: then one of the two would mislead who reads the other.

        Returns
        -------
        DataFrame
            One row a headline and scenario: the labels, scenario, verdict, base_median, median, eti90_lb, eti90_ub,
            ``shift`` (difference of the medians in half-widths of the base's interval), ``shift_mcse`` (its Monte Carlo
            error), ``width_ratio`` (width of the interval over the base's).

        Raises
        ------
        ReeUncertError
            When the base itself has no result.
        """
        if not self.has_base:
            raise ReeUncertError("the base of the study has no result to compare with; see its `failed` table")
        is_base = self.headlines["scenario"] == BASE
        own = self.headlines.loc[~is_base].reset_index(drop=True)
        base = self.headlines.loc[is_base].iloc[own.index % is_base.sum()].reset_index(drop=True)
        ends = ["median", "eti90_lb", "eti90_ub"]
        known = np.isfinite(base[ends].to_numpy(dtype=float)).all(axis=1)
        known &= np.isfinite(own[ends].to_numpy(dtype=float)).all(axis=1)
        holds = own["median"].between(base["eti90_lb"], base["eti90_ub"])
        holds &= base["median"].between(own["eti90_lb"], own["eti90_ub"])
        width = (base["eti90_ub"] - base["eti90_lb"]).where(lambda w: known & (w > 0))
        found = own[[*LABELS, "scenario"]].assign(
            verdict=np.select([~known, holds], [NOT_ASKED, HOLDS], CHANGES), base_median=base["median"], **own[ends]
        )
        return found.assign(
            shift=(own["median"] - base["median"]) / (width / 2),
            shift_mcse=np.hypot(own["mcse_median"], base["mcse_median"]) / (width / 2),
            width_ratio=(own["eti90_ub"] - own["eti90_lb"]) / width,
        )

    def write(self, path: str | Path) -> Path:
        """Write the whole study as one netCDF-4 file; `read_study` reads it.

        Raises
        ------
        OutputError
            When it cannot be written.
        """
        file = expanded(path)
        about = dict(self.about)
        if "case_json" in about:
            about["case_json"] = without_folder(about["case_json"])
        tables = {name: getattr(self, name) for name in _TABLES}
        with explained(f"cannot write the study to '{path}'"):
            Kept({"indicators": self.data, "draws": self.draws}, tables, about).to_netcdf(file, FORMAT)
        return file

    def __repr__(self) -> str:
        return "\n".join([self._heading, "", self._verdicts().to_string(index=False, max_rows=20)])

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self._heading)}</p>{self._verdicts().to_html(index=False, border=0, max_rows=20)}"

    @property
    def _heading(self) -> str:
        count, failed = len(self.scenarios), len(self.failed)
        text = f"Study of '{self.about.get('case', '')}': {count - failed} of {count} scenarios fitted"
        if failed:
            reasons = (f"{row.scenario} ({row.reason})" for row in self.failed.itertuples())
            text += f"; failed: {'; '.join(reasons)}"
        wrong = self.checks.loc[self.checks["status"] == "failed", "scenario"].nunique()
        return text + (f". Checks failed in {wrong} of them: see `checks`" if wrong else "")

    def _verdicts(self) -> pd.DataFrame:
        """A row a scenario: how many headlines change, and which most."""
        if not self.has_base or self.headlines.empty:
            return self.scenarios[["scenario", "what", "status"]]
        found = self.conclusions()
        rows = []
        for name, part in found.groupby("scenario", sort=False):
            changed = int((part["verdict"] == CHANGES).sum())
            known = part.loc[part["shift"].notna()]
            place = ""
            if len(known):
                most = known.iloc[int(known["shift"].abs().to_numpy().argmax())]
                place = f"{value_title(most)} ({most['shift']:+.2f})"
            gone = int((part["verdict"] == NOT_ASKED).sum())
            told = f"{changed} of {len(part) - gone}" + (f" ({gone} have no such flow)" if gone else "")
            rows.append((name, told, place))
        columns = ["scenario", "headlines that change", "largest shift (half-widths of the base's interval)"]
        return pd.DataFrame(rows, columns=columns)

    def _table(self, name: str, coords: Mapping[str, object]) -> pd.DataFrame:
        variable = self.data[name]
        labels = {str(d): variable[d].values.tolist() for d in variable.dims if d != "quantile"}
        variable = variable.isel(label_positions(f"indicator '{name}'", labels, coords))
        wide = variable.to_series().unstack("quantile").dropna(how="all").reset_index()
        out = {"scenario": wide["scenario"], "indicator": name}
        out |= {dim: wide.get(dim, "") for dim in (*DIMS, "year")}
        out["unit"] = variable.attrs.get("units", "")
        out |= {column: wide[q] for column, q in _QUANTILE_COLUMNS.items()}
        table = pd.DataFrame(out)
        order = {str(n): k for k, n in enumerate(self.data["scenario"].values)}
        return table.sort_values("scenario", key=lambda c: c.map(order), kind="stable", ignore_index=True)


_QUANTILE_COLUMNS = {"median": 0.5, "eti50_lb": 0.25, "eti50_ub": 0.75, "eti90_lb": 0.05, "eti90_ub": 0.95}


def read_study(path: str | Path) -> Study:
    """Read a study back.

    Raises
    ------
    OutputError
        When there is no such file, or it is damaged or no study.
    """
    file = expanded(path)
    if not os.path.isfile(file):  # which says no to a name that is too long, where pathlib raises
        raise OutputError(f"there is no study at '{path}'")
    what = "study that this version can read"
    kept = Kept.read(file, FORMAT, what)
    try:
        if "case_json" in kept.about:
            records_of(case_from_json(kept.about["case_json"]))  # for the titles of its own indicators
        tables = {name: kept.tables[name] for name in _TABLES}
        return Study(kept.data["indicators"], kept.data["draws"], **tables, about=kept.about)
    except (LookupError, CaseError) as error:
        raise OutputError(f"'{path}' is no {what}: {first_line(error)}") from error


def stack(results: Mapping[str, Kept], scenarios: pd.DataFrame, about: Mapping[str, Any]) -> Study:
    """Join the results of scenarios along a new dim ``scenario``, in their order."""
    index = xr.DataArray(np.array(list(results)), dims="scenario", name="scenario")
    indicators = [kept.data["indicators"] for kept in results.values()]
    # Scenarios may differ in what exists (no unrecorded trade: no such partner): what is not there is NaN.
    data, draws = (
        xr.concat(parts, index, join="outer", data_vars="all", coords="minimal")
        for parts in (indicators, [kept.data["draws"] for kept in results.values()])
    )
    for part in indicators:
        for name, variable in part.data_vars.items():
            data[name].attrs = dict(variable.attrs)
    tables = []
    for table in ("headlines", "checks"):
        rows = pd.concat([kept.tables[table].assign(scenario=n) for n, kept in results.items()], ignore_index=True)
        tables.append(rows[["scenario", *(c for c in rows if c != "scenario")]])
    return Study(data, draws, scenarios, tables[0], tables[1], about)
