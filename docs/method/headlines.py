"""The table of headlines of `verdicts.md`: prior, posterior, rank, sensitivities by class, structures, verdict.

`python docs/method/headlines.py RESULTS > docs/method/headlines.csv`
"""

from __future__ import annotations

import sys

import pandas as pd

import reeuncert as ree
from reeuncert.indicators.printing import value_title
from reeuncert.indicators.registry import lookup
from reeuncert.result.structures import Structures, structures_of
from reeuncert.words.estimates import numbers


def headline_table(folder: str) -> pd.DataFrame:
    """One row a headline of a folder of results."""
    dt = ree.read_results(folder)
    table = ree.verdicts(dt)
    scaled = ree.power_scaling(dt, of="prior class")
    rows = []
    for row in table.to_dict("records"):
        own = scaled[[value_title(at) == value_title(row) for at in scaled.to_dict("records")]]
        classes = own[own["psense"] > 0.02].drop_duplicates("component")
        rows.append(
            {
                "headline": value_title(row),
                "title": f"{value_title(row)}, {'%' if lookup(str(row['indicator'])).percent else row['unit']}",
                "prior": _interval(row, "prior_"),
                "posterior": _interval(row, ""),
                "width ratio": f"{row['width_ratio']:.2f}",
                "rank": f"{row['prior_below_median']:.2f}",
                "classes of priors (*: sensitive)": ", ".join(
                    f"{c} {p:.2f}{'*' if s else ''}"
                    for c, p, s in zip(classes["component"], classes["psense"], classes["sensitive"], strict=True)
                ),
                "evidence": f"{row['to_evidence']:.2f}",
                "verdict": row["verdict"],
                "repeats": f"{row['repeats']:.2f}",
                "close to": row["close_to"],
            }
        )
    out = pd.DataFrame(rows).drop_duplicates("headline")
    held = structures_of(dt)
    out = out if held is None else out.merge(_structures(held), on="headline", how="left")
    return out.drop(columns="headline").rename(columns={"title": "headline"})


def _interval(row: dict[str, float], prefix: str) -> str:
    ends = (row[f"{prefix}{end}"] for end in ("median", "eti90_lb", "eti90_ub"))
    middle, low, high = numbers(*ends, percent=lookup(str(row["indicator"])).percent)
    return f"{middle} ({low} to {high})".replace("-", "−")


def _structures(held: Structures) -> pd.DataFrame:
    """Median and interval of each headline under each structure."""
    table = held.table()
    table["headline"] = [value_title(row) for row in table.to_dict("records")]
    table["told"] = [f"{row['structure']}: {_interval(row, '')}" for row in table.to_dict("records")]
    return table.groupby("headline")["told"].agg("; ".join).rename("structures").reset_index()


if __name__ == "__main__":
    print(headline_table(sys.argv[1]).to_csv(index=False))
