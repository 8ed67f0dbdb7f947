"""`results.xlsx`: answers, series, flows, evidence, checks and sources with labels and units, a sheet each."""

import io
import math
import re
import zipfile
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd

from reeuncert.checks import check_table
from reeuncert.indicators.headlines import all_headlines
from reeuncert.indicators.printing import unit_of
from reeuncert.indicators.registry import CUMULATED, DIMS, base_name, lookup
from reeuncert.indicators.summary import all_indicators
from reeuncert.report.sections import evidence
from reeuncert.report.words import citation, labels_of, own_structure, structure_of_figures
from reeuncert.result.result import Result

if TYPE_CHECKING:
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

_POSTERIOR = {"median": "median", "eti90_lb": "5 %", "eti90_ub": "95 %"}
NUMBERS = _POSTERIOR | {f"prior_{name}": f"prior {told}" for name, told in _POSTERIOR.items()}
DIGITS = 5
WIDEST = 60
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def workbook(result: Result) -> bytes:
    """The workbook of a result."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheets = {name: table for name, table in _tables(result).items() if len(table)}
    about = [
        ("Title", result.case.title),
        ("Cite as", citation(result)),
        ("Unit of masses", result.unit),
        ("Intervals", "from 5 % to 95 %: equal-tailed, 90 % of the draws; prior: before the evidence was used"),
        *(
            [("Structure", f"All sheets but Answers: {structure}")]
            if (structure := structure_of_figures(result))
            else []
        ),
        *((name, f"{len(table)} rows") for name, table in sheets.items()),
        ("Every indicator", "indicators.csv"),
    ]
    sheets = {"About": pd.DataFrame(about, columns=["What", "Content"]), **sheets}
    for name, table in sheets.items():
        _write_head(book.create_sheet(name), table)
    frame, out = io.BytesIO(), io.BytesIO()
    book.save(frame)
    # openpyxl takes as long for the rows as the whole page takes.
    with zipfile.ZipFile(frame) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as whole:
        content = {name: made.read(name) for name in made.namelist()}
        for number, table in enumerate(sheets.values(), start=1):
            place = f"xl/worksheets/sheet{number}.xml"
            content[place] = content[place].replace(b"</sheetData>", _rows(table).encode() + b"</sheetData>")
        for name, data in content.items():
            whole.writestr(name, data)
    return out.getvalue()


def _tables(result: Result) -> dict[str, pd.DataFrame]:
    told = result.once(labels_of).told
    checks = check_table(result).to_frame()
    checks["message"] = checks["message"].map(told)
    sources = [
        {"source": s.title, "publisher": s.publisher, "edition": s.edition, "reference": s.reference, "terms": s.terms}
        for s in result.case.sources.values()
    ]
    return {
        "Answers": _answers(result),
        "Series": _series(result),
        "Flows": _flows(result),
        "Evidence": _evidence(result),
        "Checks": checks.rename(columns={"message": "what it says", "threshold": "wanted"}),
        "Sources": pd.DataFrame(sources),
    }


def _answers(result: Result) -> pd.DataFrame:
    table = result.once(all_headlines)
    if not len(table):
        return table
    out = _numbers(table)
    out.insert(0, "answer", table["sentence"].to_numpy())
    return out.assign(verdict=table["verdict"].to_numpy(), reason=table["why"].to_numpy())


def _series(result: Result) -> pd.DataFrame:
    """All rows of the indicators that the headlines name, in every year."""
    if not result.case.headlines:
        return pd.DataFrame()
    table = result.once(all_indicators)
    wanted = {h.indicator for h in result.case.headlines}
    out, own = _numbers(table[[base_name(str(name)) in wanted for name in table["indicator"]]]), own_structure(result)
    return out.assign(structure=f"{own} alone") if own else out


def _flows(result: Result) -> pd.DataFrame:
    table, labels = result.flows, result.once(labels_of)
    out = pd.DataFrame({"flow": [labels.flows[str(name)] for name in table["flow"]]})
    for column in ("from_process", "to_process"):
        out[column.split("_")[0]] = [labels.processes.get(str(name), str(name)) for name in table[column]]
    for column in ("product", "route", "end_use", "year", "unit"):
        out[column.replace("_", " ")] = table[column].to_numpy()
    return out.assign(**{told: table[name].to_numpy() for name, told in NUMBERS.items()})


def _evidence(result: Result) -> pd.DataFrame:
    found = result.once(evidence.content)
    columns = {"id": "id", "what": "what", "years": "years", "said": "reported", "predicted": "predicted, 90 %"}
    columns |= {"position": "share of predictions below", "source": "source", "locator": "where", "note": "note"}
    return pd.DataFrame(found["rows"] if found else [], columns=list(columns)).rename(columns=columns)


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    """What, where, when, unit and numbers of rows of indicators; shares in per cent."""
    rows = table.to_dict("records")
    records = [lookup(str(row["indicator"])) for row in rows]
    out = pd.DataFrame({"indicator": [record.title for record in records]})
    for dim in DIMS:
        out[dim.replace("_", " ")] = table[dim].to_numpy()
    cumulated = [str(row["indicator"]).endswith(CUMULATED) for row in rows]
    years = [f"{'up to ' if c else ''}{row['year']}" for c, row in zip(cumulated, rows, strict=True)]
    out["year"] = [year if c else int(year) for c, year in zip(cumulated, years, strict=True)]
    out["unit"] = [unit_of(row).replace("1", "%") or "ratio" for row in rows]
    scale = np.array([100.0 if record.percent else 1.0 for record in records])
    return out.assign(**{told: scale * table[name].to_numpy(dtype=float) for name, told in NUMBERS.items()})


def _write_head(sheet: "WriteOnlyWorksheet", table: pd.DataFrame) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    bold = Font(bold=True)
    sheet.freeze_panes = "B2"
    for k, (name, values) in enumerate(table.items(), start=1):
        longest = max((len(str(v)) for v in values.head(200)), default=0)
        sheet.column_dimensions[get_column_letter(k)].width = min(WIDEST, max(len(str(name)), longest, 8) + 2)
    head = [WriteOnlyCell(sheet, str(name)[:1].upper() + str(name)[1:]) for name in table.columns]
    for cell in head:
        cell.font = bold
    sheet.append(head)


def _rows(table: pd.DataFrame) -> str:
    """The rows of a sheet as XML. An inline text is never run as a formula."""
    return "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in table.itertuples(index=False))


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"<c><v>{value:.{DIGITS}g}</v></c>" if math.isfinite(value) else "<c/>"
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"<c><v>{value}</v></c>"
    if value is None or value is pd.NA:
        return "<c/>"
    text = escape(_NOT_XML.sub("", str(value)))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
