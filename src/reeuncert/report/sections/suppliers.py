"""The stop of each supplier: whose costs each region most, as `reeuncert counterfactual` has found."""

from typing import Any

import pandas as pd

from reeuncert.counterfactuals.lost import ALL, BY
from reeuncert.counterfactuals.suppliers import DRAWS, leading, stops_of
from reeuncert.result.result import Result
from reeuncert.words.estimates import estimate

LITTLE = 0.01
"""A part of consumption that counts as nothing."""


def content(result: Result) -> dict[str, Any] | None:
    """The costliest suppliers of each region (and what it is split by), year by year; None where none were computed."""
    table = result.once(stops_of)
    if table is None:
        return None
    labels = [name for name in BY if name in table]
    worst = table.groupby([*labels, "year"])["share_eti90_ub"].max()
    groups: Any = leading(table).groupby(labels, sort=False)
    rows = [{"of": of, "years": _years(found, worst.loc[of])} for of, found in groups]
    split = [name for name in labels if name != "region"]
    return {
        "tables": [
            ([], [row for row in rows if set(row["of"][1:]) <= {ALL}]),
            (split, [row for row in rows if not set(row["of"][1:]) <= {ALL}]),
        ],
        "years": sorted(table["year"].unique().tolist()),
        "rules": list(dict.fromkeys(table["rule"])),
        "unit": result.unit,
        "draws": DRAWS,
    }


def _years(found: pd.DataFrame, worst: pd.Series) -> dict[Any, list[dict[str, Any]]]:
    """Year → its suppliers; none where no stop costs anything."""
    return {
        year: [] if worst[year] < LITTLE else [_told(row) for row in rows.to_dict("records")]
        for year, rows in found.groupby("year")
    }


def _told(row: dict[Any, Any]) -> dict[str, Any]:
    lost, share = (
        estimate(*(row[f"{part}{end}"] for end in ("median", "eti90_lb", "eti90_ub")), unit=unit)
        for part, unit in (("", ""), ("share_", "1"))
    )
    return row | {"lost": lost, "share": share}
