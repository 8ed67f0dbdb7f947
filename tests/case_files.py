"""A minimal case as files, valid as it stands, so that a test of bad input changes one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from reeuncert.case.records import Case
from reeuncert.errors import InputError
from reeuncert.validation.reader import read_case

FILES: Mapping[str, str] = {
    "case.toml": """\
name = "tiny"
title = "A mine and a market"
unit = "kt REO"
years = [2000, 2002]
regions = ["North", "South"]
products = ["ore", "oxide"]

[options.scope]
default = "narrow"
choices = ["narrow", "wide"]
help = "Whether imports are counted."

[[headline]]
indicator = "import_dependence"
region = "North"
year = 2001
sentence = "Imports were {median} ({lower} to {upper}) {unit}."
partner = "South"
product = "oxide"
""",
    "processes.csv": """\
process,region,stage,reference_outflow,note
mine,North,mining,output,
market,North,market,use,
""",
    "flows.csv": """\
flow,from_process,to_process,quantity,product,origin,destination,route,end_use,years,when,note
ore,outside,mine,ore,ore,North,North,registered,,,,
output,mine,market,mine_production,oxide,North,North,registered,,,,
tailings,mine,outside,loss,ore,North,North,registered,,,,
opening,outside,market,opening_stock,oxide,North,North,registered,,2000,,
stock,market,market,stock,oxide,North,North,registered,,,,
imports,outside,market,trade,oxide,South,North,registered,,2001-2002,,
use,market,outside,end_use,oxide,North,North,registered,magnets,,,
""",
    "priors.csv": """\
prior,group,kind,flow,quantity,years,mode,median,median_to,level_sd,year_sd,correlation,split_sd,slope_on,slope,slope_sd,shared,family,when,reason
mining,mining,input,ore,,,each,20,30,0.5,0.2,0.6,,,,,,,,a round number
losses,recoveries,share,,loss,,each,0.3,,0.4,0.1,0.5,,,,,,,,textbooks
opening stock,stocks,input,opening,,2000,each,3,,0.6,,,,,,,,,,two months
carried over,stocks,share,stock,,,each,0.2,,0.5,0.3,0.5,,tightness,0.5,0.2,,,,two months
bought,trade,input,imports,,2001-2002,each,5,,0.7,0.3,0.5,,,,,,,,small
""",
    "covariates.csv": """\
covariate,year,value,source_id,reason
tightness,2000,0,survey,none yet
tightness,2001,0.5,survey,half
tightness,2002,1,survey,full
""",
    "constants.csv": """\
constant,region,product,year,value,unit,source_id,locator,note
quota,North,oxide,2001,12,kt REO,survey,p. 3,
""",
    "sources.csv": """\
source_id,title,publisher,edition,reference,terms,lineage,class,note
survey,Mineral survey,Office,2003,p. 1,free,survey,statistics,
customs,Foreign trade,Office,2003,p. 2,free,customs,record,
""",
    "classes.csv": """\
class,family,width,floor,learn,reason
statistics,student_t,0.05,0.02,no,careful
record,customs,0.2,0.05,yes,less so
""",
    "factors.csv": """\
product,factor,low,high,source_id,note
oxide,0.9,0.8,0.95,survey,
""",
    "offsets.csv": """\
offset,mean,sd,per,family,reason
bias,0,0.1,year,normal,headings
""",
    "evidence.csv": """\
id,quantity,product,origin,destination,flow,end_use,year_from,year_to,span,relation,of_quantity,of_product,reporter,value,low,high,unit,basis,qualifier,resolution,alternative,alternative_weight,offsets,source_id,lineage,locator,reason,note,when
M0,mine_production,,North,,,,2000,,,,,,North,14,,,kt,REO,exact,1,,,,survey,,table 1,class,,
M1,mine_production,,North,,,,2001,,,,,,North,15000,,,t,REO,about,,16000,0.3,,survey,,table 1,class,,
T1,trade,oxide,South,North,,,2001,,,,,,North,4.5,,,kt,gross,exact,0.1,,,bias,customs,,code 2846,class,,
T2,trade,oxide,South,North,,,2002,,,,,,North,,3,6,kt,gross,range,,,,,customs,,code 2846,class,,
S0,stock,,,,,,2000,2002,mean,share,stock+end_use,,North,15,,,%,n/a,about,,,,,survey,,text,class,,
""",
}
"""Content of every file of the case; the evidence lies in the case folder itself."""


def write_case(folder: Path, **files: str | None) -> Path:
    """Write the minimal case; a file named as a keyword (``flows_csv``) gets that text, or is left out for None."""
    folder.mkdir(parents=True, exist_ok=True)
    texts: dict[str, str | None] = {**FILES, **{key.replace("_", "."): text for key, text in files.items()}}
    for name, text in texts.items():
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def changed(file: str, old: str, new: str) -> str:
    """Text of a file of the minimal case with one thing changed, which must be there once."""
    text = FILES[file]
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
    return text.replace(old, new)


def problems_after(folder: Path, file: str, old: str, new: str) -> list[str]:
    """What reading says, a line a problem, after one thing is changed in the minimal case."""
    write_case(folder)
    (folder / file).write_text(changed(file, old, new), encoding="utf-8")
    return problems_in(folder)


def problems_in(folder: Path) -> list[str]:
    """What reading a folder says that cannot be read."""
    with pytest.raises(InputError) as caught:
        read_case(folder)
    return [str(problem) for problem in caught.value.problems]


def every_digit(case: Case) -> str:
    """All that a case holds, as text that tells NaN, −0.0, 1 and 1.0 apart, and every digit of a float."""
    return repr([[getattr(record, f.name) for f in fields(record)] for record in (case, case.system)])
