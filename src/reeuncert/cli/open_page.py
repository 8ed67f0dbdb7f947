"""`reeuncert open`: the page of a run in the browser."""

import webbrowser
from pathlib import Path

from reeuncert.errors import OutputError

PAGE = "report.html"


def open_report(place: Path | None) -> None:
    """Open a page, that of a folder, or the newest of ``results/*/``; print where it is."""
    page = _newest() if place is None else place / PAGE if place.is_dir() else place
    if not page.is_file():
        raise OutputError(f"there is no page '{page}'; give the folder of a run, or write it with `reeuncert report`")
    print(page)
    if not webbrowser.open(page.resolve().as_uri()):
        raise OutputError("no browser could be started here; open the file above in one")


def _newest() -> Path:
    found = sorted(Path("results").glob(f"*/{PAGE}"), key=lambda page: page.stat().st_mtime)
    if not found:
        raise OutputError(f"there is no 'results/*/{PAGE}' here; give the folder of a run")
    return found[-1]
