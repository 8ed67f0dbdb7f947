"""Headlines under the rival structures of a case, and their averages: record, and group of a result.

Structures are rival assumptions of which the figures cannot say which is true. The headline interval is that of the
mixture of their posteriors, with equal weights: no structure is preferred before the data, and stacking weights say
which predicts figures better, not which is true. What disagreement there is widens the average.

A headline is *not identified* where the 90 % interval of one structure holds less than half of the posterior of
another: who trusts that interval errs more often than not if the other structure is true. A median of one outside the
interval of another is such a case, and so is an interval that is two and a half times as wide. The average then hardly
says more than which structures were thought of, and the range over them is told beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.errors import ReeUncertError
from reeuncert.result.diagnostics import Estimate
from reeuncert.result.quantiles import Array, interval_columns, quantiles

GROUP = "structures"
"""Group of a result that holds its headlines under the structures of its case."""
NOT_IDENTIFIED = "not identified by these data"
HOLDS = "holds under every structure"
LEAST_COVER = 0.5
"""Of the posterior under one structure inside the interval of another."""
LABELS = ["indicator", "region", "partner", "product", "end_use", "year"]
CONVERGENCE = ("ess_bulk", "ess_tail", "r_hat")
_OF_THE_RUN = ("r_hat", "ess", "divergences")
_MIXED = 20_000
"""Draws of a mixture."""


@dataclass(frozen=True, eq=False)
class StructureRun:
    """Headlines of one structure."""

    headlines: pd.DataFrame  # a row a headline: `LABELS`, unit, ess_bulk, ess_tail, r_hat
    draws: Array  # their values (headline, sample); NaN where a ratio is undefined
    run: Mapping[str, float] = field(default_factory=dict)  # largest R-hat and smallest ESS of all flows, divergences
    averaged: bool = True  # whether it may be true, and counts in the averages; else it is only shown beside them
    why: str = ""  # why it is one of the structures, or does not count
    prior: Array | None = None  # values before the data (headline, draw), if they were simulated


@dataclass(frozen=True, eq=False)
class Structures:
    """Headlines under every structure of a case.

    In the data, of ``value`` (structure, headline, sample) the first ``samples`` (structure) are draws, and so are of
    ``prior`` the first ``prior_samples``, where every structure that counts has some; ``ess_bulk``,
    ``ess_tail``, ``r_hat`` (structure, headline); ``run_r_hat``, ``run_ess``, ``run_divergences``, ``averaged``,
    ``why``, ``weight`` (structure; of stacking, NaN if not known). The labels stand along ``headline``.

    >>> labels = pd.DataFrame({"indicator": ["imports"], "region": "A", "year": 2001, "unit": "kt"})
    >>> rng = np.random.default_rng(1)
    >>> near, far = (StructureRun(labels, rng.normal(m, 1.0, (1, 800))) for m in (5.0, 9.0))
    >>> Structures.of({"one": near, "two": near}).averages()["verdict"].tolist()
    ['holds under every structure']
    >>> Structures.of({"one": near, "two": far}).averages()[["median", "verdict"]].round(0).values.tolist()
    [[7.0, 'not identified by these data']]
    """

    data: xr.Dataset
    _made: dict[object, pd.DataFrame] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, runs: Mapping[str, StructureRun], weights: Mapping[str, float] | None = None) -> Structures:
        """From the runs of two or more structures with the same headlines, and stacking weights if there are any."""
        if len(runs) < 2:
            raise ReeUncertError(f"{len(runs)} structures are given; averaging needs two or more")
        tables = [labelled(run.headlines) for run in runs.values()]
        if any(not table[LABELS].equals(tables[0][LABELS]) for table in tables):
            raise ReeUncertError("the structures do not have the same headlines, in the same order")
        draws = _side_by_side("value", "sample", [run.draws for run in runs.values()])
        if all(run.prior is not None for run in runs.values() if run.averaged):
            none = np.empty((len(tables[0]), 0))
            draws |= _side_by_side(
                "prior", "prior_sample", [none if r.prior is None else r.prior for r in runs.values()]
            )
        by_headline = {
            name: (("structure", "headline"), np.array([_column(table, name) for table in tables]))
            for name in CONVERGENCE
        }
        of_the_run = {
            f"run_{name}": ("structure", [float(run.run.get(name, np.nan)) for run in runs.values()])
            for name in _OF_THE_RUN
        }
        texts = {c: ("headline", tables[0][c].astype(str).to_numpy(dtype=object)) for c in (*LABELS[:-1], "unit")}
        data = xr.Dataset(
            {
                **draws,
                **by_headline,
                **of_the_run,
                "averaged": ("structure", [int(run.averaged) for run in runs.values()]),
                "why": ("structure", np.array([run.why for run in runs.values()], dtype=object)),
            },
            coords={"structure": list(runs), **texts, "year": ("headline", tables[0]["year"].astype(int))},
        )
        return cls(data).weighted(weights or {})

    def weighted(self, weights: Mapping[str, float]) -> Structures:
        """The same with stacking weights, e.g. `reeuncert.studies.scores.StructureScores.weights`; none if empty."""
        if weights:
            check_weights(weights, self.averaged)
        found = [float(weights.get(name, np.nan)) for name in self.names]
        return Structures(self.data.assign(weight=("structure", found)))

    @property
    def names(self) -> list[str]:
        """All structures, in their order."""
        return [str(name) for name in self.data["structure"].values]

    @property
    def averaged(self) -> list[str]:
        """Those that count in the averages."""
        return [name for name, counts in zip(self.names, self.data["averaged"].values, strict=True) if counts]

    @cached_property
    def labels(self) -> pd.DataFrame:
        """`LABELS` and unit of every headline."""
        return pd.DataFrame({name: self.data[name].values for name in (*LABELS, "unit")})

    @cached_property
    def place(self) -> dict[tuple[object, ...], int]:
        """Values of `LABELS` → the headline that has them, the first of several."""
        rows = list(zip(*(self.data[name].values.tolist() for name in LABELS), strict=True))
        return {labels: len(rows) - 1 - k for k, labels in enumerate(reversed(rows))}

    def table(self, prob: float = 0.9) -> pd.DataFrame:
        """A row a structure and headline: structure, labels, unit, median, interval, averaged, convergence."""
        if prob in self._made:
            return self._made[prob].copy()
        rows = []
        lower, upper = interval_columns(prob)
        for name in self.names:
            ends = quantiles(self._values[name].T, (0.5, 0.5 - prob / 2, 0.5 + prob / 2))
            own = self.data.sel(structure=name)
            columns = {"median": ends[0], lower: ends[1], upper: ends[2], "averaged": bool(own["averaged"])}
            columns |= {c: own[c].values for c in CONVERGENCE}
            rows.append(pd.DataFrame({"structure": name, **self.labels, **columns}))
        self._made[prob] = pd.concat(rows, ignore_index=True)
        return self._made[prob].copy()

    def averages(self, prob: float = 0.9) -> pd.DataFrame:
        """Averages over the structures, and how far these agree, a row a headline.

        Labels, unit, ``median`` and interval of the mixture with equal weights; ``mcse_median``, ``mcse_lower``,
        ``mcse_upper``, its Monte Carlo errors; ``stacked_median`` and interval with stacking weights, where there are
        any; over the structures' own, ``lowest`` (end of an interval), ``lowest_median``, ``highest_median``,
        ``highest``; ``least_cover`` (least share of a posterior inside the interval of another structure), its error
        ``mcse_cover``, and ``verdict``.
        """
        if ("averages", prob) not in self._made:
            rows = [self._average(k, prob) for k in range(self.data.sizes["headline"])]
            self._made["averages", prob] = pd.DataFrame(rows)
        return self._made["averages", prob].copy()

    def mixture(self, headline: int, weights: Sequence[float] | None = None) -> Array:
        """Draws of the average of a headline, in order."""
        return mixture([self._values[name][headline] for name in self.averaged], weights)

    def prior(self, headline: int) -> Array:
        """Draws of the prior of the average, as many of each structure; none if some structure has none."""
        if "prior" not in self.data:
            return np.empty(0)
        held = self._parts("prior", "prior_samples")
        each = min(held[name].shape[1] for name in self.averaged)
        return np.concatenate([held[name][headline, :each] for name in self.averaged])

    @cached_property
    def _values(self) -> dict[str, Array]:
        """Draws (headline, draw) of each structure."""
        return self._parts("value", "samples")

    def _parts(self, name: str, counts: str) -> dict[str, Array]:
        held = zip(self.names, self.data[name].values, self.data[counts].values.tolist(), strict=True)
        return {of: np.asarray(values[:, :count], dtype=float) for of, values, count in held}

    def _average(self, headline: int, prob: float) -> dict[str, object]:
        draws = [self._values[name][headline] for name in self.averaged]
        there = self.data.sel(structure=self.averaged).isel(headline=headline)
        ess = np.fmin(there["ess_bulk"].values, there["ess_tail"].values)
        lower, upper = interval_columns(prob)
        row = dict(self.labels.iloc[headline])
        row |= dict(zip(("median", lower, upper), _ends(mixture(draws), prob), strict=True))
        errors = _errors(draws, ess, [float(str(row[c])) for c in ("median", lower, upper)])
        row |= dict(zip(("mcse_median", "mcse_lower", "mcse_upper"), errors, strict=True))
        weights = there["weight"].values
        if np.isfinite(weights).all():
            ends = _ends(mixture(draws, weights.tolist()), prob)
            row |= dict(zip(("stacked_median", f"stacked_{lower}", f"stacked_{upper}"), ends, strict=True))
        median, low, high = np.array([_ends(d, prob) for d in draws]).T
        least = min(cover(draws, low, high, ess, prob), default=Estimate(np.nan))
        row |= {"lowest": low.min(), "lowest_median": median.min()}
        row |= {"highest_median": median.max(), "highest": high.max()}
        row |= {"least_cover": least.value, "mcse_cover": least.error}
        return row | {"verdict": NOT_IDENTIFIED if least.value < LEAST_COVER else HOLDS}

    def __repr__(self) -> str:
        return f"Headlines under {len(self.names)} structures, and their averages\n{self.averages().to_string()}"


def mixture(draws: Sequence[Array], weights: Sequence[float] | None = None) -> Array:
    """Draws of a mixture, in order: of each part as many, evenly spaced, as its weight says; undefined ones last.

    >>> mixed = mixture([np.arange(100.0), np.arange(50.0) + 1000], [3, 1])
    >>> float((mixed < 500).mean()), float(np.median(mixed[mixed < 500]).round())
    (0.75, 50.0)
    """
    share = np.ones(len(draws)) if weights is None else np.asarray(weights, dtype=float)
    parts = []
    for one, count in zip(draws, np.round(_MIXED * share / share.sum()).astype(int), strict=True):
        at = ((np.arange(count) + 0.5) / max(count, 1) * one.size).astype(int)
        parts.append(np.sort(one)[at])
    return np.sort(np.concatenate(parts))


def cover(draws: Sequence[Array], lower: Array, upper: Array, ess: Array, prob: float) -> list[Estimate]:
    """Share of each structure's draws inside the interval of each other one, with the error of the share and of the
    interval's ends; ``ess`` are effective sample sizes.
    """
    found, tail = [], 0.5 - prob / 2
    for a, (low, high) in enumerate(zip(lower, upper, strict=True)):
        slack = 1e-6 * max(abs(low), abs(high))  # values are kept in single precision
        step = np.sqrt(tail * (1.0 - tail) / np.nan_to_num(ess[a], nan=np.inf)) * np.array([-1.0, 1.0])
        own = draws[a][np.isfinite(draws[a])]
        for b, other in enumerate(draws):
            known = other[np.isfinite(other)]
            if a == b or not known.size:
                continue
            share = float(np.mean((known >= low - slack) & (known <= high + slack)))
            ends = [np.quantile(own, np.clip(p + step, 0.0, 1.0)) for p in (tail, 1.0 - tail)] if own.size else []
            moved = [np.diff(np.searchsorted(np.sort(known), end))[0] / (2.0 * known.size) for end in ends]
            found.append(Estimate(share, float(np.sqrt(share * (1.0 - share) / ess[b] + np.square(moved).sum()))))
    return found


def _side_by_side(name: str, dim: str, parts: Sequence[Array]) -> dict[str, tuple[Sequence[str] | str, Any]]:
    """Draws (headline, draw) of every structure as one variable, and how many each has."""
    counts = [part.shape[1] for part in parts]
    out = np.full((len(parts), len(parts[0]), max(counts)), np.nan, dtype=np.float32)
    for place, part in zip(out, parts, strict=True):
        place[:, : part.shape[1]] = part
    return {name: (("structure", "headline", dim), out), f"{dim}s": ("structure", counts)}


def _ends(draws: Array, prob: float) -> list[float]:
    """Median and interval of draws."""
    return [float(end) for end in quantiles(draws[:, None], (0.5, 0.5 - prob / 2, 0.5 + prob / 2))[:, 0]]


def _errors(draws: Sequence[Array], ess: Array, ends: Sequence[float]) -> list[float]:
    """Monte Carlo errors of quantiles of an equal mixture: that of the share of draws below each, as a distance."""
    mixed = mixture(draws)
    mixed, found = mixed[np.isfinite(mixed)], []
    for end in ends:
        below = np.array([np.mean(one[np.isfinite(one)] <= end) if np.isfinite(one).any() else np.nan for one in draws])
        error = float(np.sqrt((below * (1.0 - below) / ess).sum())) / len(draws)
        if not (mixed.size and np.isfinite(error)):
            found.append(np.nan)
            continue
        at = np.clip(np.mean(mixed <= end) + np.array([-error, error]), 0.0, 1.0)
        found.append(float(np.diff(np.quantile(mixed, at))[0]) / 2)
    return found


def _column(table: pd.DataFrame, name: str) -> Array:
    return table[name].to_numpy(dtype=float) if name in table else np.full(len(table), np.nan)


def check_weights(weights: Mapping[str, float], structures: Sequence[str]) -> None:
    """Refuse weights that are not those of the structures."""
    problems = [f"'{name}' is no structure of these results" for name in weights if name not in structures]
    problems += [f"structure '{name}' has no weight" for name in structures if name not in weights]
    problems += [
        f"the weight of '{name}' is {w:g}; it must be 0 or more" for name, w in weights.items() if not 0 <= w < np.inf
    ]
    if not problems and not sum(weights.values()) > 0:
        problems = ["all weights are 0; give at least one above it"]
    if problems:
        raise ReeUncertError(f"{'; '.join(problems)}; the structures are: {', '.join(structures)}")


def add_structures(dt: xr.DataTree, found: Structures) -> xr.DataTree:
    """A copy of a result with the group ``structures``: its headlines are then averages over them."""
    out = dt.copy(deep=False)
    out[GROUP] = xr.DataTree(found.data)
    return out


def structures_of(dt: xr.DataTree) -> Structures | None:
    """The structures stored by `add_structures`; None if there are none."""
    return Structures(dt[GROUP].to_dataset().transpose("structure", "headline", ...)) if GROUP in dt.children else None


def without_structures(dt: xr.DataTree) -> xr.DataTree:
    """The result under its own structure alone."""
    return dt.drop_nodes(GROUP, errors="ignore")


def labelled(table: pd.DataFrame) -> pd.DataFrame:
    """Rows numbered from 0 with every label, empty text for those that a headline does not name (region, product)."""
    names = table.reset_index(drop=True).reindex(columns=[*table, *(c for c in (*LABELS, "unit") if c not in table)])
    texts = names[[*LABELS, "unit"]].astype(object)
    return names.assign(**texts.where(texts.notna(), ""))
