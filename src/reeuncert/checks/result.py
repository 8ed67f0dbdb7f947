"""Result of a check, and the table of all results."""

import html
import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

import pandas as pd

from reeuncert.parts import Failed
from reeuncert.words.estimates import printed

PASSED, FAILED, WARNING, INFORMATION, NOT_RUN = "passed", "failed", "warning", "information", "not run"
STATUSES = (PASSED, FAILED, WARNING, INFORMATION, NOT_RUN)
RELATIONS = {"<=": operator.le, ">=": operator.ge, ">": operator.gt}


@dataclass(frozen=True, eq=False)
class CheckResult:
    """The verdict of one check.

    Parameters
    ----------
    name
        Short and stable, e.g. ``"r_hat of flows"``.
    status
        ``"passed"``, ``"failed"``, ``"warning"`` (the result is usable with a caveat), ``"information"`` (no
        judgement), or ``"not run"`` (the check itself failed).
    value
        The tested number (NaN: none).
    threshold
        Relation and limit, e.g. ``"<= 1.01"``, from which the status follows; empty for information.
    message
        Finding, and the remedy if it failed.
    table
        The worst cases, or the figures behind the finding; None if there are none.

    Raises
    ------
    ValueError
        If the status is not known, or does not follow from value and threshold.

    Examples
    --------
    >>> CheckResult("divergences", "passed", 0, "<= 0", "No draw diverged.").passed
    True
    """

    name: str
    status: str
    value: float
    threshold: str
    message: str
    table: pd.DataFrame | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status '{self.status}' is not known; use one of: {', '.join(STATUSES)}")
        if (self.status in (PASSED, FAILED, WARNING)) != bool(self.threshold):
            raise ValueError(
                f"check '{self.name}': a threshold goes with passed, failed and warning, and no other status"
            )
        if self.threshold and holds(self.value, self.threshold) != (self.status == PASSED):
            told = f"{self.value:.9g} {self.threshold}"
            raise ValueError(f"check '{self.name}': the status '{self.status}' does not follow from {told}")

    @property
    def passed(self) -> bool:
        """Whether it ran and did not fail (warnings and information count as passed)."""
        return self.status not in (FAILED, NOT_RUN)


def holds(value: float, threshold: str) -> bool:
    """Whether a value keeps to a threshold such as ``"<= 1.01"``; NaN does not."""
    relation, limit = threshold.split()
    return RELATIONS[relation](value, float(limit))


def judged(
    name: str,
    value: float,
    relation: str,
    limit: float,
    message: str,
    remedy: str = "",
    table: pd.DataFrame | None = None,
    *,
    otherwise: str = FAILED,
) -> CheckResult:
    """A result that passes if its value keeps to its limit, else fails; the remedy is added only then. The relation of
    value and limit is ``"<="``, ``">="`` or ``">"``.
    """
    value, threshold = float(value), f"{relation} {limit:.9g}"
    good = holds(value, threshold)
    text = message if good else f"{message} {remedy}".rstrip()
    kept = table if table is not None and len(table) else None
    return CheckResult(name, PASSED if good else otherwise, value, threshold, text, kept)


warned = partial(judged, otherwise=WARNING)
"""A result that passes or warns, as `judged`."""


def information(name: str, message: str, value: float = float("nan"), table: pd.DataFrame | None = None) -> CheckResult:
    """A result without judgement."""
    return CheckResult(name, INFORMATION, float(value), "", message, table)


def not_run(name: str, failed: Failed) -> CheckResult:
    """A check or other part of a result that failed to run."""
    return CheckResult(name, NOT_RUN, float("nan"), "", f"This could not be made: {failed}.")


class CheckTable:
    """The verdicts on one result, printable as text and in a notebook.

    Parameters
    ----------
    results
        In the order of the table.

    Examples
    --------
    >>> table = CheckTable([CheckResult("divergences", "failed", 3, "<= 0", "3 draws diverged.")])
    >>> table.passed, len(table.failed)
    (False, 1)
    >>> print(table)
    1 of 1 checks failed
    failed       divergences              3  (<= 0)  3 draws diverged.
    """

    def __init__(self, results: Iterable[CheckResult]):
        self.results = tuple(results)

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        return tuple(r for r in self.results if r.status == FAILED)

    @property
    def not_run(self) -> tuple[CheckResult, ...]:
        return tuple(r for r in self.results if r.status == NOT_RUN)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        return tuple(r for r in self.results if r.status == WARNING)

    @property
    def passed(self) -> bool:
        """Whether every check ran, and none failed."""
        return not self.failed and not self.not_run

    @property
    def verdict(self) -> str:
        """Summary in one line."""
        judgements = [r for r in self.results if r.status not in (INFORMATION, NOT_RUN)]
        if self.not_run:
            rest = CheckTable(r for r in self.results if r.status != NOT_RUN)
            return f"{len(self.not_run)} could not be made; of the others, {rest.verdict}"
        if not judgements:
            return "nothing was judged"
        if self.failed:
            return f"{len(self.failed)} of {len(judgements)} checks failed"
        if self.warnings:
            return f"no check failed; {len(self.warnings)} of {len(judgements)} with a warning"
        return f"all {len(judgements)} checks passed"

    def to_frame(self) -> pd.DataFrame:
        """Columns check, status, value, threshold, message."""
        rows = [(r.name, r.status, r.value, r.threshold, r.message) for r in self.results]
        return pd.DataFrame(rows, columns=["check", "status", "value", "threshold", "message"])

    def __getitem__(self, name: str) -> CheckResult:
        for result in self.results:
            if result.name == name:
                return result
        raise KeyError(f"there is no check '{name}'; there are: {', '.join(r.name for r in self.results)}")

    def __iter__(self) -> Iterator[CheckResult]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __repr__(self) -> str:
        wide = max([20, *(len(r.name) for r in self.results)])
        lines = [self.verdict]
        for r in self.results:
            number = short_number(r.value)
            bound = f"({r.threshold})" if r.threshold else ""
            lines.append(f"{r.status:<12} {r.name:<{wide}} {number:>5}  {bound}  {r.message}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(r.status)}</td><td>{html.escape(r.name)}</td><td>{short_number(r.value)}</td>"
            f"<td>{html.escape(r.threshold)}</td><td style='text-align:left'>{html.escape(r.message)}</td></tr>"
            for r in self.results
        )
        head = "".join(f"<th>{c}</th>" for c in ("status", "check", "value", "threshold", "message"))
        return f"<p>{html.escape(self.verdict)}</p><table><tr>{head}</tr>{rows}</table>"


def short_number(value: float) -> str:
    """A number formatted for a table; empty for NaN."""
    return "" if value != value else printed(value, ".4g")
