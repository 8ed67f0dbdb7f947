"""Plans of an outlook of small_metal, as files."""

from pathlib import Path

TABLES = {
    "projects.csv": """project,region,stage,capacity,unit,basis,content,announced_start,announced_on,status,source_id
New mine,South,mining,4000,t,REO,1,2023.5,2020.5,construction,invented-survey
New refinery,South,separation,10,kt,salt,0.5,2024,2020,study,invented-survey
""",
    "delays.csv": """project,stage,milestone,status,announced_on,announced_start,outcome,outcome_date,source_id
Old mine,mining,first ore,study,2010,2012,opened,2014.5,invented-survey
""",
    "ramp.csv": """plant,stage,years_since_start,utilisation,source_id
Old mine,mining,1,0.4,invented-survey
""",
    "growth.csv": """subject,scenario,region,name,rate,sd,walk,first_year,last_year,source_id
demand,base,,batteries,0.08,0.03,0.02,2020,2030,invented-survey
demand,high,,batteries,0.12,0.03,0.02,2020,2030,invented-survey
capacity,base,South,mining,0.01,0.01,0,2020,2030,invented-survey
""",
    "events.csv": "date,actor,content,source_id\n2021.5,South,licences for exports,invented-survey\n",
    "scenarios.toml": """[[scenario]]
name = "learned delays"
[[scenario]]
name = "on time"
delays = "none"
fails = ["New refinery"]
limits = [{select = {quantity = "trade", origin = "South"}, factor = 0.5, from = 2022}]
""",
}


def write_plans(folder: Path, **changed: str) -> Path:
    """Write all tables, some of them changed."""
    for name, text in TABLES.items():
        (folder / name).write_text(changed.get(name.replace(".", "_"), text), encoding="utf-8")
    return folder
