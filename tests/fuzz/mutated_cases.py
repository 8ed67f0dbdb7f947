"""Whole case folders with a few cells changed, through all that comes before sampling.

Of a case that is accepted, the network, the priors and the likelihood are compiled and the headlines are tried;
a PyMC model is built only where asked, since that takes seconds.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

from reeuncert.case.records import Case
from reeuncert.errors import ReeUncertError
from reeuncert.priors.coverage import case_network
from reeuncert.reading.bundled import find_case
from reeuncert.validation.report import check_case

CELLS = (
    *("", "0", "-1", "1e29", "1e-29", "1e400", "nan", "x", "outside", "2000-2022", "1999", "each", "total", "share"),
    *("input", "split", "level", "ratio", "difference", "zero", "range", "up_to", "%", "t", "gross", "refined", "all"),
    *("{median:d}", "{", "=1", "\u202e", '"', "Café", "A;B", "A+B", "yes", "stok", "trade", "additive"),
)


def folder_of(name: str, place: Path) -> Path:
    """A copy of a bundled case, with its data beside it as in the package."""
    case = find_case(name)
    shutil.copytree(case, place / "models" / name)
    shutil.copytree(case.parent.parent / "data", place / "data")
    return place / "models" / name


def mutate(folder: Path, rng: random.Random) -> dict[Path, bytes]:
    """Change one to three places in the files of a case; returns what the files held before."""
    data = folder.parent.parent / "data"
    own = (folder / "evidence.csv").exists()
    files = [*folder.glob("*.csv"), folder / "case.toml", *(() if own else data.rglob("*.csv"))]
    before: dict[Path, bytes] = {}
    for _ in range(rng.randint(1, 3)):
        path = rng.choice(files)
        before.setdefault(path, path.read_bytes())
        lines = path.read_text("utf-8").split("\n")
        at = rng.randrange(len(lines))
        cut = "=" if path.suffix == ".toml" else ","
        cells = lines[at].split(cut)
        kind = rng.choice(["cell", "cell", "cell", "other row", "row gone", "row twice", "letter"])
        j = rng.randrange(len(cells))
        if kind == "cell":
            cells[j] = rng.choice(CELLS)
        elif kind == "other row":
            other = rng.choice(lines).split(cut)
            cells[j] = other[min(j, len(other) - 1)]
        elif kind == "letter" and cells[j]:
            k = rng.randrange(len(cells[j]))
            cells[j] = cells[j][:k] + cells[j][k + 1 :]
        lines[at] = cut.join(cells)
        if kind == "row gone":
            del lines[at]
        elif kind == "row twice":
            lines.insert(at, lines[at])
        path.write_text("\n".join(lines), encoding="utf-8", newline="")
    return before


def survive(folder: Path) -> str:
    """What comes of a case: "refused" in words, or "compiled"; whatever else is raised is a defect."""
    report = check_case(folder)
    assert all(problem.message for problem in (*report.errors, *report.warnings))
    if not report.passed:
        return "refused"
    from reeuncert.validation.reader import read_case

    compile_parts(read_case(folder))
    return "compiled"


def compile_parts(case: Case) -> None:
    """Network, prior and likelihood of a case that passed."""
    from reeuncert.likelihood.compile import compile_evidence
    from reeuncert.priors.paths import coordinate_prior

    network = case_network(case)
    if case.prior_measure == "coordinates":
        coordinate_prior(case, network)
    if case.evidence:
        compile_evidence(case, network)


def run(name: str, place: Path, count: int, seed: int) -> Counter[str]:
    """Mutate a bundled case so many times; counts what came of it."""
    folder, rng = folder_of(name, place), random.Random(seed)
    found: Counter[str] = Counter()
    for number in range(count):
        before = mutate(folder, rng)
        try:
            found[survive(folder)] += 1
        except ReeUncertError as error:
            raise AssertionError(f"case {number} passed check and was refused later: {error}") from error
        finally:
            for path, content in before.items():
                path.write_bytes(content)
    return found
