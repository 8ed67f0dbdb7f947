"""Headlines of a case in sentences, and the verdict on each: whether the evidence informs it, or the priors decide."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.figures import sentence_problem
from reeuncert.case.records import Headline
from reeuncert.errors import AbsentError, ReeUncertError
from reeuncert.indicators.printing import headline_place, no_such_flows, unit_of, value_title
from reeuncert.indicators.registry import DIMS, lookup
from reeuncert.indicators.summary import SAMPLE, computed, computed_prior, derived, summary
from reeuncert.result.diagnostics import Estimate, interval_ends
from reeuncert.result.learning import COLUMNS, Learning, learning
from reeuncert.result.powerscale import Normals, lineages, prior_classes, sensitivity
from reeuncert.result.quantiles import Array, filled, interval_columns, spread
from reeuncert.result.result import Result
from reeuncert.result.structures import LABELS, Structures, labelled
from reeuncert.result.verdicts import LIKELIHOOD, Verdict, judge, measures
from reeuncert.words.estimates import interval, numbers


def scaled(result: Result, draws: Mapping[str, Array], *, each: bool = True) -> pd.DataFrame:
    """Power-scaling of values (label → draws) to each class of priors, each lineage (if ``each``) and the evidence as a
    whole: `reeuncert.result.powerscale.sensitivity`, with ``kind``: ``prior class``, ``source`` or ``evidence``.
    """
    classes, sources = prior_classes(result), lineages(result)
    whole = {LIKELIHOOD: np.concatenate(list(sources.values()), axis=2)} if sources else {}
    kinds: dict[str, Mapping[str, Array | Normals]] = {
        "prior class": classes,
        "source": sources if each else {},
        "evidence": whole,
    }
    known = {label: of for label, of in draws.items() if np.isfinite(of).any()}
    tables = [sensitivity(known, parts).assign(kind=kind) for kind, parts in kinds.items() if parts and known]
    columns = ["quantity", "component", "psense", "noise", "sensitive", "moves", "kind"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


@dataclass(frozen=True, eq=False)
class Target:
    """One value of an indicator, e.g. the one that the sentence of a headline tells: dim → label, the year last; its
    unit (``"1"`` for a ratio), draws (chain, draw), NaN where a ratio is undefined, and those of the prior, if it was
    simulated.
    """

    indicator: str
    at: Mapping[str, str | int]
    unit: str
    draws: Array = field(repr=False)
    before: xr.DataArray | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        """Indicator, labels and year in a line, as the checks write it."""
        return value_title(self.columns)

    @property
    def columns(self) -> dict[str, str | int]:
        """The labels as the first columns of a tidy table."""
        names = {dim: self.at.get(dim, "") for dim in (*DIMS, "year")}
        return {"indicator": self.indicator, **names, "unit": self.unit}

    @property
    def mass(self) -> bool:
        return self.unit != "1"

    @cached_property
    def prior(self) -> Array:
        """The draws of the prior (draw,), computed when they are first asked for; none if it was not simulated."""
        return np.empty(0) if self.before is None else self.before.values.reshape(-1)

    @cached_property
    def filled(self) -> Array:
        """The draws (chain, draw), undefined ones set to the median."""
        return filled(self.draws)

    @cached_property
    def as_log(self) -> bool:
        """Whether linear methods take the logarithm: a positive mass is known by a factor."""
        return self.mass and bool((self.filled > 0).all())

    @property
    def linear(self) -> Array:
        """The draws on the scale of linear methods (chain, draw)."""
        return np.log(self.filled) if self.as_log else self.filled


def value_of(dt: xr.DataTree, name: str, at: Mapping[str, str | int]) -> Target:
    """One value of an indicator, which its labels and year name."""
    one, prior = computed(dt, name).sel(at).transpose(*SAMPLE), computed_prior(dt, name)
    return Target(name, at, str(one.attrs["units"]), one.values, None if prior is None else prior.sel(at))


def with_verdicts(
    result: Result, table: pd.DataFrame, targets: Iterable[Target], by_power: pd.DataFrame
) -> pd.DataFrame:
    """Rows of `summary` with the fields of `reeuncert.result.verdicts.Verdict`, from the draws and `scaled` of all."""
    of_label, structures = {target.label: target for target in targets}, result.structures
    found = []
    for row, labels in zip(table.to_dict("records"), labelled(table)[LABELS].itertuples(index=False), strict=True):
        key = of_label[value_title(row)]
        prior = key.prior
        k = None if structures is None else structures.place.get(tuple(labels))
        apart = None if structures is None or k is None else structures.averages().iloc[k]
        if structures is not None and k is not None and apart is not None and "least_cover" in row:
            ends = ("eti90_lb", "lower"), ("median", "median"), ("eti90_ub", "upper")
            lower, median, upper = (Estimate(float(apart[c]), float(apart[f"mcse_{e}"])) for c, e in ends)
            prior = _prior(structures, k, key)
        else:
            lower, median, upper = interval_ends(key.draws)
        learned = Learning(*(np.array([row[c]]) for c in COLUMNS))
        scale = lookup(row["indicator"], result.case).scale
        of = measures(learned, (lower, median, upper), prior, scale=scale, mass=key.mass)
        said = ""
        if apart is not None:
            of = replace(of, cover=Estimate(float(apart["least_cover"]), float(apart["mcse_cover"])))
            said = f"{interval(float(apart['lowest']), float(apart['highest']), unit_of(row))} over them"
        found.append(asdict(judge(of, _terms(by_power, key.label), said)))
    columns = [*Verdict.__dataclass_fields__]
    return table.assign(**pd.DataFrame(found, columns=columns, index=table.index))


def _prior(found: Structures, k: int, own: Target) -> Array:
    """Draws of the prior of the average over structures, or of that of the result alone if the others have none."""
    known = found.prior(k)
    return known if known.size else own.prior


def _terms(by_power: pd.DataFrame, label: str) -> pd.DataFrame:
    """Rows of `scaled` that tell the verdict on a value: without both kinds of terms nothing can be said of either."""
    own = by_power[(by_power["quantity"] == label) & (by_power["kind"] != "source")]
    return own if own["kind"].nunique() == 2 else own.iloc[:0]


def verdicts_on(
    result: Result, after: Mapping[str, Array], before: Mapping[str, Array], *, scale: str
) -> dict[str, Verdict]:
    """The verdicts on values that are neither indicators nor masses, under the structure of the result alone: label →
    draws (chain, draw), and those of the prior; ``scale`` is a name in `reeuncert.result.learning.SCALES`.
    """
    by_power, found = scaled(result, after, each=False), {}
    for label, draws in after.items():
        prior = before[label].reshape(-1, 1) if label in before else None
        learned = learning(spread(draws.reshape(-1, 1)), prior, scale=scale)
        known = np.empty(0) if prior is None else prior.ravel()
        of = measures(learned, interval_ends(draws), known, scale=scale, mass=False)
        found[label] = judge(of, _terms(by_power, label))
    return found


def headlines(dt: xr.DataTree, *, prob: float = 0.9) -> pd.DataFrame:
    """Headlines of a case as sentences, one per row, in the order of the case.

    Ratios are printed in per cent (except an index), masses in the unit of the case. Year 0 of a headline means the
    last year of the cumulative indicator. For an indicator by end use, the product of a headline names the end use.
    ``{first_year}`` and ``{last_year}`` in a sentence are those of the result, which may cover fewer years than the
    case.

    Parameters
    ----------
    dt
        Result to which `add_indicators` has added the indicators.
    prob
        Of the interval, as in `summary`.

    Returns
    -------
    DataFrame
        ``sentence``, the columns of `summary`, and the verdict: the fields of `reeuncert.result.verdicts.Verdict`. Of
        a result that holds rival structures (`reeuncert.result.structures`), numbers are averages over them, those of
        the prior too, with their Monte Carlo error, the range over the structures, and median and interval of each
        (``name: median``, …). Power-scaling is that of the result's own structure.

    Raises
    ------
    ReeUncertError
        If a headline names an indicator, label or year that does not exist, or the result has no case.
    """
    return all_headlines(Result(dt), prob)


def all_scaled(result: Result) -> pd.DataFrame:
    """`reeuncert.indicators.headlines.scaled` of the headlines of a result."""
    return scaled(result, {one.label: one.draws for one in result.once(headline_values)})


def all_headlines(result: Result, prob: float = 0.9) -> pd.DataFrame:
    """`headlines` of a result."""
    rows = [headline_row(result, headline, prob=prob) for headline in result.case.headlines]
    if not rows:
        return pd.DataFrame(columns=["sentence"])
    table = pd.concat(rows, ignore_index=True)
    return with_verdicts(result, table, result.once(headline_values), result.once(all_scaled))


def headline_values(result: Result) -> tuple[Target, ...]:
    """The headlines of the case, each once, as far as their indicators have been added."""
    dt, found = result.dt, dict[str, Target]()
    for headline in result.case.headlines if "derived" in dt.children else ():
        name, coords, year = place(dt, headline)
        if name in dt["derived"].data_vars:
            one = value_of(dt, name, {**coords, "year": year})
            found.setdefault(one.label, one)
    return tuple(found.values())


def place(dt: xr.DataTree, headline: Headline) -> tuple[str, dict[str, str], int]:
    """Location of a headline's value in a result: variable, labels, year."""
    return headline_place(headline, Result(dt).case, derived(dt)["year"].values.tolist())


def headline_row(result: Result, headline: Headline, *, prob: float = 0.9) -> pd.DataFrame:
    """One headline, as a row of `headlines` without verdict; of a result with rival structures, their average."""
    dt, record = result.dt, lookup(headline.indicator, result.case)
    problem = sentence_problem(headline.sentence)
    if problem:
        raise ReeUncertError(problem)
    name, coords, year = place(dt, headline)
    found = summary(dt, name, prob=prob, **coords, year=year)
    if found.empty:
        raise AbsentError(no_such_flows(name, coords, year))
    if result.structures is not None:
        found = _averaged(result, found, result.structures, prob)
    lower, upper = interval_columns(prob)
    ends = (float(found[c].iloc[0]) for c in ("median", lower, upper))
    median, low, high = numbers(*ends, percent=record.percent)
    unit = "%" if record.percent else (found["unit"].iloc[0] if record.unit == "mass" else "")
    years = derived(dt)["year"].values
    span = {"first_year": years[0], "last_year": years[-1]}
    sentence = headline.sentence.format(median=median, lower=low, upper=high, unit=unit, **span)
    found.insert(0, "sentence", " ".join(sentence.split()))
    return found


def _averaged(result: Result, own: pd.DataFrame, found: Structures, prob: float) -> pd.DataFrame:
    """The row of a headline under its own structure as that of the average over structures, with each beside it."""
    row: dict[Any, Any] = own.iloc[0].to_dict()
    labels = {c: row.get(c, "") for c in LABELS}
    k = found.place.get(tuple(labels.values()))
    if k is None:
        return own  # a headline that the structures were not asked for
    mixed, name = found.mixture(k)[:, None], str(labels["indicator"])
    after, columns = spread(mixed, prob=prob), ("median", *interval_columns(prob))
    prior = _prior(found, k, value_of(result.dt, name, {d: labels[d] for d in (*DIMS, "year") if labels[d]}))
    if prior.size:
        before = spread(prior[:, None], prob=prob)
        row |= {f"prior_{c}": v[0] for c, v in zip(columns, (before.median, before.lower, before.upper), strict=True)}
    learned = learning(spread(mixed), prior[:, None] if prior.size else None, scale=lookup(name, result.case).scale)
    row |= {"mean": after.mean[0]} | dict(zip(columns, (after.median[0], after.lower[0], after.upper[0]), strict=True))
    row |= {c: values[0] for c, values in learned.columns().items()}
    average = found.averages(prob).iloc[k].to_dict()
    runs = found.table(prob).iloc[k :: found.data.sizes["headline"]].to_dict("records")
    worst = {"ess_bulk": np.fmin.reduce, "ess_tail": np.fmin.reduce, "r_hat": np.fmax.reduce}
    row |= {c: of([run[c] for run in runs if run["averaged"]]) for c, of in worst.items()}
    over = ("mcse_median", "mcse_lower", "mcse_upper", "lowest", "highest", "least_cover", "stacked_")
    row |= {c: average[c] for c in average if str(c).startswith(over)}
    row |= {f"{run['structure']}: {c}": run[c] for run in runs for c in ("median", *interval_columns(prob))}
    return pd.DataFrame([row])
