"""A model of one mine and one market over three years, with the variable names of every model of this package."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from reeuncert.case.records import Case, ErrorClass, Evidence, Headline, Source
from reeuncert.system.definition import Flow, Process, Selector, SystemDefinition

YEARS = (2000, 2001, 2002)


@dataclass(frozen=True)
class ClassesOfPrior:
    """Class of the prior of each coordinate."""

    group: tuple[str, ...]


@dataclass(frozen=True)
class NoRows:
    """No evidence that the package compiled: the toy has a likelihood of its own."""

    n_rows: int = 0


@dataclass(frozen=True)
class Record:
    """What a model remembers of where it came from."""

    case: Case
    prior: ClassesOfPrior
    evidence: NoRows = NoRows()


def toy_system() -> SystemDefinition:
    """Ore to concentrate with a loss (none in 2001), a market with a stock, and what is used."""
    processes = (
        Process("mine", "North", "mining", ("concentrate",)),
        Process("market", "North", "market", ("use",)),
    )
    flows = (
        Flow("ore", "outside", "mine", "ore", "concentrate", "North", "North", "registered", "", YEARS),
        Flow(
            "concentrate", "mine", "market", "mine_production", "concentrate", "North", "North", "registered", "", YEARS
        ),
        Flow("tailings", "mine", "outside", "loss", "concentrate", "North", "North", "registered", "", (2000, 2002)),
        Flow("stock", "market", "market", "stock", "concentrate", "North", "North", "registered", "", YEARS),
        Flow("use", "market", "outside", "end_use", "concentrate", "North", "North", "registered", "magnets", YEARS),
    )
    return SystemDefinition(processes, flows, YEARS, "kt REO")


def toy_case(reported: tuple[float, float, float] = (20.0, 24.0, 30.0)) -> Case:
    """One source that reports mine production every year, one that reports use once."""
    usgs = [
        Evidence(f"mine-{year}", Selector.of(quantity="mine_production"), (year,), "level", None, value, np.nan, np.nan,
                 "kt", "REO", "exact", "yearbook", "yearbook")
        for year, value in zip(YEARS, reported, strict=True)
    ]  # fmt: skip
    use = Evidence("use-2001", Selector.of(quantity="end_use"), (2001,), "level", None, 18.0, np.nan, np.nan,
                   "kt", "REO", "exact", "survey", "survey")  # fmt: skip
    return Case(
        name="toy",
        title="One mine, one market",
        description="",
        system=toy_system(),
        prior_measure="coordinates",
        regions=("North",),
        products=("concentrate",),
        priors=(),
        evidence=(*usgs, use),
        sources={
            s: Source(s, s.title(), "Office", "2003", "", "public", s, "official") for s in ("yearbook", "survey")
        },
        classes={"official": ErrorClass("official", "normal", 0.1, 0.02, False)},
        offsets={},
        factors={},
        covariates={},
        constants=(),
        headlines=(Headline("apparent_consumption", "North", year=2001, sentence="{median} {unit} in 2001"),),
        hashes={"flows.csv": "0" * 64},
    )


def _log_density(value: pt.TensorVariable, level: pt.TensorVariable, width: pt.TensorVariable) -> pt.TensorVariable:
    return pm.logp(pm.Normal.dist(level, width), value)


def _draw(level, width, rng=None, size=None):
    return rng.normal(level, width, size=size)


def toy_model(case: Case | None = None) -> pm.Model:
    """Eight coordinates; balances in every draw."""
    case = case or toy_case()
    flows = case.system.flows
    coordinates = [*(f"ore {y}" for y in YEARS), "tailings 2000", "tailings 2002", *(f"stock {y}" for y in YEARS)]
    names = [e.id for e in case.evidence]
    coords = {"coordinate": coordinates, "flow": [f.name for f in flows], "year": list(YEARS), "evidence": names}
    with pm.Model(coords=coords) as model:
        z = pm.Normal("z", 0.0, 1.0, dims="coordinate")
        ore = pm.math.exp(np.log(25.0) + 0.8 * z[:3])
        lost = pm.math.sigmoid(-2.0 + 0.4 * z[3:5])
        kept = pm.math.sigmoid(-1.5 + 0.6 * z[5:8])
        yields = pt.stack([1 - lost[0], pt.ones_like(lost[0]), 1 - lost[1]])
        concentrate = ore * yields
        stock, use, before = [], [], 0.0
        for t in range(3):
            available = concentrate[t] + before
            before = available * kept[t]
            stock.append(before)
            use.append(available * (1 - kept[t]))
        tailings = pt.stack([ore[0] * lost[0], pt.as_tensor(np.nan), ore[2] * lost[1]])
        mass = pm.Deterministic(
            "mass_flow", pt.stack([ore, concentrate, tailings, pt.stack(stock), pt.stack(use)]), dims=("flow", "year")
        )
        value = pm.Data("reported_value", np.log([e.value for e in case.evidence]), dims="evidence")
        log_offset_z = pm.Normal("offset_z", 0.0, 1.0)
        pm.Deterministic("log_offset", 0.05 * log_offset_z)
        level = pt.log(pt.concatenate([mass[1], mass[4, 1:2]])) + 0.05 * log_offset_z
        pm.CustomDist(
            "reported", level, pt.full(len(names), 0.1), logp=_log_density, random=_draw, observed=value,
            dims="evidence", class_name="Reported", signature="(),()->()",
        )  # fmt: skip
    model.reeuncert = Record(case, ClassesOfPrior(("inputs",) * 3 + ("recoveries",) * 2 + ("stocks",) * 3))
    return model
