"""Fan charts of several series of one indicator, side by side."""

from collections.abc import Callable, Iterable
from typing import Any

from reeuncert.indicators.printing import series_title
from reeuncert.report.fans import fans
from reeuncert.report.figures import Figure, figure
from reeuncert.result.result import Result

ABREAST = 4
"""Panels that stand side by side, on one axis; on one axis for more regions the smaller ones would be flat lines."""


def fan(
    result: Result,
    name: str,
    at: Iterable[str],
    *,
    id: str,
    title: str = "",
    height: int = 320,
    caption: str = "",
    together: Iterable[Iterable[str]] = (),
) -> Figure:
    """Fan chart of one series: an indicator and the labels of its dims, in their order, which are the title by
    default. Its axis also holds the series that it is shown ``together`` with.
    """
    labels = list(at)
    known: dict[str, dict[str, Any]] = {one["name"]: one for one in result.once(fans)["indicators"]}
    about = known.get(name, {"dims": []})
    heading = title or series_title({"indicator": name, **dict(zip(about["dims"], labels, strict=False))})
    return figure(
        id,
        heading,
        lambda: {"kind": "fan", "indicator": name, "at": labels, "together": [list(one) for one in together]},
        alt=f"Fan chart of {heading} over the years: median, 50, 80 and 90 % equal-tailed intervals, prior behind.",
        caption=caption,
        height=height,
    )


def fans_of(
    result: Result,
    name: str,
    *,
    id: str,
    keep: Callable[[dict[str, str]], bool] = lambda at: True,
    short: bool = False,
    height: int = 260,
) -> list[Figure]:
    """Fans of every series of an indicator that the system has and `keep` wants (given dim → label). ``short``:
    headings name the labels alone, and up to `ABREAST` of them have one axis.
    """
    wanted = [(n, at) for n, at in enumerate(series_of(result, name)) if keep(at)]
    together = [list(at.values()) for _, at in wanted] if short and len(wanted) <= ABREAST else []
    return [
        fan(
            result,
            name,
            at.values(),
            id=f"{id}-{n}",
            title=", ".join(at.values()) if short and at else "",
            height=height,
            together=together,
        )
        for n, at in wanted
    ]


def series_of(result: Result, name: str) -> list[dict[str, str]]:
    """Labels of every series of an indicator that the system has; none if it has no such indicator."""
    found: dict[str, Any] | None = next((i for i in result.once(fans)["indicators"] if i["name"] == name), None)
    return [] if found is None else [dict(zip(found["dims"], one["at"], strict=True)) for one in found["series"]]
