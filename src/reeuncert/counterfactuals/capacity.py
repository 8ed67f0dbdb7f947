"""Capacities of mines and plants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from reeuncert.counterfactuals.network import throughput
from reeuncert.counterfactuals.rule import REGISTERED, Setting, output_share, plant_problems, problem
from reeuncert.errors import Problem
from reeuncert.indicators.flows import Array
from reeuncert.words.cells import listed

Capacity = str | pd.DataFrame | Iterable[Mapping[str, Any]]

HIGHEST, AS_DRAWN = "highest", "as_drawn"
_NEEDED, _ALLOWED = ("region", "stage", "capacity"), ("region", "stage", "capacity", "route")


def capacity_problems(where: str, setting: Setting, capacity: Capacity) -> list[Problem]:
    """All problems of capacities."""
    if isinstance(capacity, str):
        if capacity in (HIGHEST, AS_DRAWN):
            return []
        return [
            problem(
                where,
                "capacity",
                f"'{capacity}' is no capacity; say '{HIGHEST}' (highest throughput so far), '{AS_DRAWN}' (that of the "
                "year), or give a table with the columns region, stage, capacity",
            )
        ]
    table = as_table(capacity)
    missing = [c for c in _NEEDED if c not in table.columns]
    extra = [str(c) for c in table.columns if c not in _ALLOWED]
    if missing or extra:
        said = [f"lacks {listed(missing)}"] if missing else []
        said += [f"has {listed(extra)}, which is not known"] if extra else []
        return [
            problem(
                where,
                "capacity",
                f"the table {' and '.join(said)}; its columns: region, stage, capacity, route (optional)",
            )
        ]
    found = []
    seen: dict[tuple[str, str, str], int] = {}
    for n, (region, stage, route, value) in enumerate(_rows(table), start=1):
        row = f"{where}, capacity row {n}"
        found += plant_problems(row, setting, region, stage, route)
        if not isinstance(value, int | float | np.number) or not np.isfinite(value) or value < 0:
            found.append(problem(row, "capacity", f"{value!r} is no capacity; a capacity is a mass of zero or more"))
        if (region, stage, route) in seen:
            found.append(
                problem(row, "stage", f"row {seen[region, stage, route]} gives the same place already; delete one")
            )
        seen.setdefault((region, stage, route), n)
    return found


def capacities(setting: Setting, capacity: Capacity, mass: Array) -> Array:
    """Maximum throughput of each process, array (process, draw); ``inf`` for markets and uses.

    Mines and plants: the highest throughput of the draw up to the year, or that of the year. Unregistered ones always
    have that of the year: closed capacity is not assumed to reopen. A given capacity is an output; the recovery of the
    draw converts it to a throughput.

    Parameters
    ----------
    mass
        Flows of the year as drawn, array (flow of the network, draw).
    """
    network = setting.network
    through = throughput(setting.table, network)
    plants, registered = network.transforms(), setting.routes() == REGISTERED
    out = np.full(through.shape[:2], np.inf)
    out[plants] = through[plants, :, network.year]
    if capacity == AS_DRAWN if isinstance(capacity, str) else False:
        return out
    out[plants & registered] = through[plants & registered].max(axis=2)
    if not isinstance(capacity, str):
        share = output_share(network, mass)
        for region, stage, route, value in _rows(as_table(capacity)):
            chosen = np.flatnonzero(setting.plants(region, stage, route))
            # Plants of one place share its capacity in proportion to their throughput.
            part = through[chosen, :, network.year]
            part = part / part.sum(axis=0)
            out[chosen] = value * part / share[chosen]
    return out


def as_table(capacity: pd.DataFrame | Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A given capacity as a table."""
    return capacity if isinstance(capacity, pd.DataFrame) else pd.DataFrame(list(capacity), columns=None)


def _rows(table: pd.DataFrame) -> list[tuple[str, str, str, Any]]:
    routes = table["route"] if "route" in table.columns else [REGISTERED] * len(table)
    cells = zip(table["region"], table["stage"], routes, table["capacity"], strict=True)
    return [(str(region), str(stage), str(route), value) for region, stage, route, value in cells]
