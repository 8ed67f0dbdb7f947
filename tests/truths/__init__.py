"""A case small enough to calibrate in a test: two offices, widths that are learned, offsets, bounds, rounding."""

from dataclasses import replace

import reeuncert as ree
from reeuncert.case.records import Case, Evidence, Offset

OFFICES = {"South": "customs-south", "North": "customs-north"}


def with_mirrors() -> Case:
    """The small case with both offices' records of both directions in every year, one of which errs by the year."""
    case = ree.read_case("small_metal")
    template = {row.id: row for row in case.evidence}
    rows = [row for row in case.evidence if row.source_id not in OFFICES.values() or row.id in ("N3", "N4")]
    for year in case.system.years:
        for exporter in OFFICES:
            for office, source in OFFICES.items():
                if (exporter, office) == ("North", "North") and year in (2017, 2019):
                    continue  # a bound and a range speak of these
                rows.append(_record(template["X2" if exporter == "South" else "N3"], office, source, exporter, year))
    offsets = {
        "bias of North": Offset("bias of North", 0.1, 0.2, "all", "normal"),
        "year of North": Offset("year of North", 0.0, 0.1, "year", "student_t"),
    }
    classes = {**case.classes, "customs": replace(case.classes["customs"], learn=True)}
    return replace(case, evidence=tuple(rows), offsets=offsets, classes=classes)


def _record(template: Evidence, office: str, source: str, exporter: str, year: int) -> Evidence:
    return replace(
        template,
        id=f"{office} {exporter} {year}",
        years=(year,),
        value=10.0,
        resolution=0.1,
        unit="kt",
        qualifier="exact",
        reporter=office,
        source_id=source,
        lineage=source,
        offsets=("bias of North", "year of North") if office == "North" else (),
    )
