"""The records of a case: priors, evidence and the tables that describe them, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reeuncert.system.definition import Record, Selector, SystemDefinition
from reeuncert.words.cells import Short


@dataclass(frozen=True)
class Prior(Record):
    """What one row of the priors table says.

    Parameters
    ----------
    kind
        ``input`` (mass that enters from outside; log scale), ``share`` (share of the throughput of the process that the
        flow leaves; log-ratio to the reference outflow), ``split`` (share within a group that another row gives as a
        total), or ``flow`` (density of a flow itself; under ``prior_measure = "mass"`` only).
    mode
        ``each`` (every selected flow on its own) or ``total`` (their sum, split among them).
    median, median_to
        Median in the first year of the row; ``median_to`` in its last, if different (straight on the log or logit
        scale). ``median_until``: year in which it is reached and after which it stays; 0: the last year of the row.
    level_sd, year_sd, correlation
        Spread of the level that all years share, of the yearly deviation, and AR(1) correlation of the latter.
    split_sd
        Log-ratio spread of the split inside a ``total``.
    slope_on, slope, slope_sd
        Name of a covariate, and mean and sd of the slope on it.
    shared
        Rows with the same non-empty name share one level and one slope (their yearly deviations stay their own).
    family, a, b, c
        Under ``mass`` and ``shares``: a family of `reeuncert.words.prior_families`, and its numbers.
    group
        Class of the prior, by which power-scaling is asked (e.g. recoveries, unregistered mining).
    """

    name: str
    group: str
    kind: str
    selector: Selector
    years: tuple[int, ...]
    mode: str = ""
    median: float = float("nan")
    median_to: float = float("nan")
    median_until: int = 0
    level_sd: float = 0.0
    year_sd: float = 0.0
    correlation: float = 0.0
    split_sd: float = 0.0
    slope_on: str = ""
    slope: float = 0.0
    slope_sd: float = 0.0
    shared: str = ""
    family: str = ""
    a: float = float("nan")
    b: float = float("nan")
    c: float = float("nan")
    reason: str = ""
    line: int = 0


@dataclass(frozen=True)
class ErrorClass(Record):
    """How wrong a class of sources may be.

    ``width`` is the half-width of the central 68 % on the log (or logit) scale; for ``family = "additive"`` it is a
    standard deviation in the unit of the row. ``family``: a word of `reeuncert.words.error_laws.ERROR_LAWS`; tails:
    `ErrorTails`. ``learn``: the width of each of its sources is learned (log-sd 0.4) where the data allow.
    ``persistent``: log-sd of an error that all rows of one lineage and class share, in addition; ``eras``: years in
    which it takes a new value.
    """

    name: str
    family: str
    width: float
    floor: float
    learn: bool
    reason: str = ""
    persistent: float = 0.0
    eras: tuple[int, ...] = ()


@dataclass(frozen=True)
class ErrorTails(Record):
    """Tails of the laws of errors: how often, and how far, a reported figure may be wrong beyond its width.

    Parameters
    ----------
    degrees_of_freedom
        Of Student's t, in the laws with this core.
    outlier_share, outlier_sd
        Share of customs records with a wrong heading or a missing consignment, and the log-sd of their errors.
    """

    degrees_of_freedom: float = 4.0
    outlier_share: float = 0.1
    outlier_sd: float = 2.0


@dataclass(frozen=True)
class Source(Record):
    """Who said it: one document or vintage."""

    source_id: str
    title: str
    publisher: str
    edition: str
    reference: str
    terms: str
    lineage: str
    error_class: str
    note: str = ""


@dataclass(frozen=True)
class Offset(Record):
    """A log-offset shared by the rows that name it: bias, conversion factor, reporting error of one record.

    ``per``: ``all`` (one value) or ``year`` (one value a year). ``family``: a word of
    `reeuncert.words.error_laws.OFFSET_LAWS`.
    """

    name: str
    mean: float
    sd: float
    per: str
    family: str
    reason: str = ""
    label: str = ""
    line: int = 0


@dataclass(frozen=True)
class Factor(Record):
    """Tonnes of content (REO) per gross tonne of a product; a row in gross weight is Σ x / factor."""

    product: str
    factor: float
    low: float = float("nan")
    high: float = float("nan")
    source_id: str = ""
    note: str = ""


@dataclass(frozen=True)
class Content(Record):
    """Share of an element in the mass of some flows, e.g. of neodymium in the ore of a region.

    ``share`` is its median, ``sd`` its log-sd (0: known exactly), ``per`` whether it has one value (``all``) or one a
    ``year``. Empty ``years``: all years.
    """

    name: str
    element: str
    selector: Selector
    share: float
    sd: float
    per: str = "all"
    years: tuple[int, ...] = ()
    source_id: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Evidence(Record):
    """One reported number: a statement about flows.

    ``relation``: ``level`` (sum of the selected flows, mean over years if several are given and ``span = "mean"``),
    ``share`` (sum / sum of ``of``, between 0 and 1), ``ratio`` (sum / sum of ``of``), ``difference`` (sum − sum of
    ``of``, additive errors only). ``qualifier``: exact, about, at_least, up_to, range, estimate, revised, derived,
    zero. ``width`` overrides the width of the source's class (NaN: the class). ``resolution``: last printed digit, in
    the unit of the row (NaN: none). ``alternative``, ``alternative_weight``: a second reading of the same sentence.
    ``of_years``: years of the flows of ``of``, where they differ from ``years`` (growth is a ratio of years).
    ``offsets`` are added, ``of_offsets`` subtracted: those of the record by which a ratio is divided. ``print``: the
    printed number from which the row was made; rows of one print share its error. ``element``: the row gives the mass
    of this element in its flows; each flow counts with its content.
    """

    id: str
    selector: Selector
    years: tuple[int, ...]
    relation: str
    of: Selector | None
    value: float
    low: float
    high: float
    unit: str
    basis: str
    qualifier: str
    source_id: str
    lineage: str
    reporter: str = ""
    span: str = "sum"
    resolution: float = float("nan")
    width: float = float("nan")
    alternative: float = float("nan")
    alternative_weight: float = 0.0
    offsets: tuple[str, ...] = ()
    of_offsets: tuple[str, ...] = ()
    of_years: tuple[int, ...] = ()
    print: str = ""
    element: str = ""
    locator: str = ""
    reason: str = ""
    note: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Constant(Record):
    """A number that indicators need and that is no flow, e.g. a quota."""

    name: str
    region: str
    product: str
    year: int
    value: float
    unit: str
    source_id: str = ""
    note: str = ""


@dataclass(frozen=True)
class Headline(Record):
    """One indicator value that the case puts first, with the sentence that says it.

    ``year`` 0 means cumulated over all years. In the sentence, ``{median}``, ``{lower}``, ``{upper}``, ``{unit}``,
    ``{first_year}`` and ``{last_year}`` are filled in.
    """

    indicator: str
    region: str = ""
    partner: str = ""
    product: str = ""
    year: int = 0
    sentence: str = ""


@dataclass(frozen=True)
class Expression(Record):
    """An indicator that the case defines: the mass of the selected flows, or its ratio to that of others.

    A value ``{region}``, ``{partner}``, ``{product}`` or ``{end_use}`` in a selector stands for each label in turn.
    ``unit``: ``mass`` (without a denominator), ``%`` or ``1`` (a ratio that is no share).
    """

    name: str
    title: str
    unit: str
    numerator: Selector
    denominator: Selector | None = None
    cumulated: bool = False


@dataclass(frozen=True, repr=False)
class Case(Record, Short):
    """Everything that is known of one case before a model is built: validated together, printable, comparable.

    Parameters
    ----------
    options
        The value chosen for each switch of the case (rows with a ``when`` that does not hold are left out already).
    option_choices
        The values that each switch may take.
    compare
        Switches whose choices are rival structures: results are reported over all of them (``compare = true`` in
        case.toml).
    errors
        Tails of the laws of errors (``[errors]`` in case.toml).
    indicators
        Indicators of its own, beside those of `reeuncert.indicators`.
    covariates
        Covariate name → year → value.
    hashes
        File name → SHA-256 of every file that was read.
    glossary
        Term → what it means, shown where a reader points at it.
    """

    name: str
    title: str
    description: str
    system: SystemDefinition
    prior_measure: str
    regions: tuple[str, ...]
    products: tuple[str, ...]
    priors: tuple[Prior, ...]
    evidence: tuple[Evidence, ...]
    sources: Mapping[str, Source]
    classes: Mapping[str, ErrorClass]
    offsets: Mapping[str, Offset]
    factors: Mapping[str, Factor]
    covariates: Mapping[str, Mapping[int, float]]
    constants: tuple[Constant, ...]
    headlines: tuple[Headline, ...]
    errors: ErrorTails = ErrorTails()
    contents: Mapping[str, Content] = field(default_factory=dict)
    indicators: tuple[Expression, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    option_choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    compare: tuple[str, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    glossary: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        evidence = f"{len(self.evidence)} rows of evidence from {len({row.source_id for row in self.evidence})} sources"
        counts = f"{evidence}, {len(self.priors)} priors, {len(self.headlines)} headlines"
        lines = [f"Case '{self.name}': {self.title}", f"  {self.system!r}", f"  {counts}"]
        if self.options:
            chosen = (f"{name} = {choice}" for name, choice in sorted(self.options.items()))
            lines.append(f"  options: {', '.join(chosen)}")
        return "\n".join(lines)
