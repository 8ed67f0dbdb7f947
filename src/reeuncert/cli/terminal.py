"""Output of commands in a terminal, the list of cases, ``--option name=value``; loads neither sampler nor pandas."""

from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from reeuncert.case.records import Case
from reeuncert.errors import CaseError, Problem
from reeuncert.words.cells import quoted


def console() -> Console:
    """Console on standard output; colours and window width only if it is a terminal. Text is shown as it is: names of
    users hold no markup.
    """
    return Console(markup=False, emoji=False, highlight=False)


def tell(text: str) -> None:
    """Print a line with names of files: not broken, and without colours."""
    console().print(text, soft_wrap=True)


def plain_table(*headings: str, figures: Iterable[str] = (), title: str = "") -> Table:
    """A table without lines; columns of figures, which come last, are set to the right."""
    table = Table(title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for heading in figures:
        table.add_column(heading, overflow="fold", justify="right")
    return table


def show_cases(cases: Iterable[Case]) -> None:
    """Print the name, title, size and switches of cases."""
    page = console()
    for case in cases:
        first, last = case.system.years[0], case.system.years[-1]
        size = f"{len(case.system.flows)} flows, {first}–{last}, {len(case.evidence)} reported figures"
        page.print(case.name, style="bold")
        page.print(Padding(f"{case.title}\n{size}", (0, 0, 0, 2)))
        for name, chosen in case.options.items():
            others = [choice for choice in case.option_choices[name] if choice != chosen]
            page.print(Padding(f"--option {name}={'|'.join([chosen, *others])}", (0, 0, 0, 2)), style="dim")


def parse_options(given: Iterable[str], typed: str = "--option") -> dict[str, str]:
    """Split the ``name=value`` pairs of an option that may be given several times.

    >>> parse_options(["gap_structure=flat"])
    {'gap_structure': 'flat'}
    """
    chosen: dict[str, str] = {}
    problems = []
    for pair in given:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not name or not value:
            problems.append(Problem(typed, 0, "", f"{quoted(pair)} is not a choice; write {typed} name=value"))
        elif name in chosen:
            problems.append(Problem(typed, 0, "", f"{quoted(name)} is given twice; keep one of them"))
        chosen[name] = value
    if problems:
        raise CaseError(problems)
    return chosen
