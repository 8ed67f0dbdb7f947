"""Value of information: sources of the uncertainty of each answer, and the measurement that would narrow it most."""

from typing import Any

import pandas as pd

from reeuncert.indicators.headlines import all_headlines
from reeuncert.indicators.printing import value_title
from reeuncert.questions.overview import Overview, overview
from reeuncert.result.result import Result
from reeuncert.result.structures import HOLDS
from reeuncert.words.estimates import estimate, interval

ERROR = 0.1  # relative error of the hypothetical measurements
SHOWN = 3
WORTH = 0.02  # measurements that narrow an answer by less are not shown
SKETCH = 0.25  # variance shares are marked approximate if they miss at least this part of the variance


def content(result: Result) -> dict[str, Any] | None:
    """One row per headline, flows that narrow several headlines, and the range over structures if stored."""
    if not result.case.headlines:
        return None
    found = result.once(overviews)
    sentences = result.once(all_headlines)["sentence"].tolist()
    sketches = [bool(len(one.shares) and abs(float(one.shares["share"].iloc[-1])) > SKETCH) for one in found]
    rows = [
        {"sentence": sentence, "origins": origins(one.shares), "sketch": sketch, "numbers": _numbers(one)}
        for sentence, one, sketch in zip(sentences, found, sketches, strict=True)
    ]
    return {
        "rows": rows,
        "has_shares": any(len(one.shares) for one in found),
        "common": _common(found),
        "error": ERROR,
        "structures": _structures(result),
    }


def overviews(result: Result) -> list[Overview]:
    """What drives each headline, and what to measure next."""
    return overview(result.dt, error=ERROR)


def origins(shares: pd.DataFrame) -> list[dict[str, Any]]:
    """The largest components of a variance, relative to the sum of all components."""
    if shares.empty:
        return []
    # The unexplained part is reported separately, so that these shares add up to 1.
    columns = (shares[name].tolist() for name in ("component", "kind", "share"))
    known = [row for row in zip(*columns, strict=True) if row[1] != "rest"]
    total = sum(max(share, 0.0) for *_, share in known)
    largest = [row for row in known if row[2] > 0.05 * total][:SHOWN]
    return [{"name": str(name), "kind": kind.split()[0], "share": share / total} for name, kind, share in largest]


def _numbers(one: Overview) -> list[dict[str, Any]]:
    columns = (one.measurements[name].tolist() for name in ("flow", "measured_year", "narrowing", "noise"))
    worth = [row for row in zip(*columns, strict=True) if row[2] > max(row[3], WORTH)]
    return [{"flow": flow, "year": year, "narrowing": gain} for flow, year, gain, _ in worth[:SHOWN]]


def _common(found: list[Overview]) -> list[dict[Any, Any]]:
    """Flows and years among the best of several answers, in order of the number of answers."""
    tables = [
        one.measurements[["flow", "measured_year", "known_to", "narrowing", "noise"]].assign(answer=n)
        for n, one in enumerate(found)
    ]
    if not tables:
        return []
    every = pd.concat(tables, ignore_index=True)
    every = every[every["narrowing"] > every["noise"].clip(lower=WORTH)]
    sums = every.groupby(["flow", "measured_year"], sort=False).agg(
        answers=("answer", "nunique"), total=("narrowing", "sum"), known=("known_to", "first")
    )
    sums = sums[sums["answers"] > 1].sort_values(["answers", "total"], ascending=False).head(6).reset_index()
    return sums.to_dict("records")


def _structures(result: Result) -> list[dict[str, Any]]:
    """Each headline over all structures: its medians with the digits that the interval over all carries."""
    out: list[dict[str, Any]] = []
    for row in [] if result.structures is None else result.structures.averages().to_dict("records"):
        unit, ends = str(row.get("unit", "")), (row["lowest"], row["highest"])
        medians = (estimate(row[f"{end}_median"], *ends, unit=unit) for end in ("lowest", "highest"))
        told = " to ".join(dict.fromkeys(median.partition(" (")[0] for median in medians))
        verdict = {"verdict": row["verdict"], "holds": row["verdict"] == HOLDS}
        out.append({"name": value_title(row), "medians": told, "range": interval(*ends, unit), **verdict})
    return out
