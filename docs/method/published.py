"""The published values beside the posterior, as the table of `published.md`: `python published.py RESULTS FILE.csv`."""

from __future__ import annotations

import sys

import pandas as pd

import reeuncert as ree
from reeuncert.indicators.registry import lookup
from reeuncert.reference import reference_table
from reeuncert.words.estimates import number, numbers


def published_table(folder: str) -> pd.DataFrame:
    """One row a published value: what was said, the value, our interval, and why they differ if they do."""
    rows = []
    for row in reference_table(ree.read_results(folder)).to_dict("records"):
        percent = lookup(str(row["indicator"])).percent
        unit = "%" if percent else str(row["unit"]).replace("1", "")
        middle, low, high = numbers(row["median"], row["eti90_lb"], row["eti90_ub"], percent=percent)
        outside = not row["eti90_lb"] <= row["value"] <= row["eti90_ub"]
        rows.append(
            {
                "id": row["id"],
                "statement": row["statement"],
                "years": "-".join(dict.fromkeys((str(row["year_from"]), str(row["year_to"])))),
                "published": f"{row['hedge']} {number(row['value'], percent=percent)} {unit}".strip(),
                "here": f"{middle} ({low} to {high}) {unit}".strip(),
                "outside": "outside" if outside else "",
                "why": row["why_outside"] if outside else "",
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    published_table(sys.argv[1]).to_csv(sys.argv[2], index=False)
