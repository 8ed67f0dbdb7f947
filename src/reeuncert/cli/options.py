"""Arguments and options that several commands take, and the names that they allow."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from reeuncert.words.offices import IMPORTERS


def _bundled(incomplete: str) -> list[str]:
    from reeuncert.reading.bundled import bundled_cases

    return [name for name in bundled_cases() if name.startswith(incomplete)]


CaseArgument = Annotated[
    str,
    typer.Argument(
        help="Name of a bundled case (`reeuncert cases` lists them), or the folder of a case.", autocompletion=_bundled
    ),
]
SamplerName = Literal["hmc", "nutpie", "pymc"]
if TYPE_CHECKING:
    ImporterName = str
else:
    ImporterName = Literal[*IMPORTERS]
CounterfactualName = Literal["no-trade", "supplier-stops"]
Options = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="NAME=VALUE", help="Value of an option of the case; may be given several times."),
]
Results = Annotated[Path, typer.Argument(help="posterior.nc of a run, or the folder that holds it.")]
Draws = Annotated[int, typer.Option(min=4, help="Draws kept of every chain.")]
Tune = Annotated[int, typer.Option(min=1, help="Tuning steps of every chain.")]
Thin = Annotated[int, typer.Option(min=1, help="Keep every n-th draw (hmc); each chain samples draws × thin.")]
Chains = Annotated[int, typer.Option(min=1, help="Number of chains.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every fit.")]
TableFile = Annotated[Path | None, typer.Option(help="CSV file for the table.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with status 1 if a check or a fit failed.")]
DEFAULT_CASE = "china_us_row"
