"""`reeuncert leave-out`: cross-validation, coverage of left-out figures by predictive intervals."""

from pathlib import Path

import xarray as xr
from rich.table import Table

from reeuncert.cli.exits import status_of
from reeuncert.cli.terminal import console
from reeuncert.errors import ReeUncertError
from reeuncert.reading.tables import read_texts
from reeuncert.report.files import revise_results
from reeuncert.result.left_out import LeftOut, add_left_out, left_out_of
from reeuncert.result.result import Result
from reeuncert.studies.leave_out import Folds, leave_out
from reeuncert.words.cells import quoted


def run_leave_out(results: Path, folds: str, *, draws: int, tune: int, seed: int) -> int:
    """Cross-validate the case of a result, and write its files again with the predictions; returns the exit status."""
    asked = _folds(folds)

    def with_left_out(dt: xr.DataTree) -> xr.DataTree:
        case = Result(dt).case
        found = leave_out(case, asked, draws=draws, tune=tune, seed=seed)
        console().print(coverage_table(found))
        earlier = left_out_of(dt)
        scheme = set(found.rows["scheme"])
        kept = [] if earlier is None else [LeftOut(earlier.rows[~earlier.rows["scheme"].isin(scheme)])]
        return add_left_out(dt, *kept, found)

    result = revise_results(results, with_left_out)
    console().print(f"Stored in {results}, with its checks and report.", highlight=False, soft_wrap=True)
    return status_of(result)


def coverage_table(found: LeftOut) -> Table:
    """Coverage at each level, as a terminal table."""
    table = Table(title="Left-out figures inside central predictive intervals", title_justify="left", box=None)
    for heading in ("left out", "figures", "level", "coverage (90 % interval)", "by the prior alone"):
        table.add_column(heading, justify="left" if heading == "left out" else "right")
    for row in found.coverage().itertuples(index=False):
        table.add_row(
            str(row.scheme),
            f"{row.figures}",
            f"{row.level:.0%}",
            f"{row.coverage:.0%} ({row.lower:.0%} to {row.upper:.0%})",
            f"{row.prior_coverage:.0%}",
        )
    if refused := (found.rows["refused"] != "").sum():
        table.caption = f"{refused} figures do not count: the fits without them have not converged; raise --draws."
        table.caption_justify = "left"
    return table


def _folds(text: str) -> Folds:
    if text == "sources" or text.isdecimal():
        return text if text == "sources" else int(text)
    path = Path(text).expanduser()
    if path.suffix.lower() != ".csv":
        message = (
            f"--folds is {quoted(text)}; give 'sources', a number of folds, or a CSV file with the columns row, fold"
        )
        raise ReeUncertError(message)
    return {row["row"]: row["fold"] for row in read_texts(path, path.name, ("row", "fold"))}
