"""Test kit: a small balanced system, a synthetic posterior, and a mass balance assertion.

The posterior consists of random balanced flows without sampling, so that indicators, checks, plots and report can be
tested in a second. Three regions, four products; flows have the same roles as in the bundled case.
"""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from reeuncert.case.records import Case, Constant, Headline
from reeuncert.result.tables import mass_flow
from reeuncert.system.definition import OUTSIDE, Flow, Process, SystemDefinition

REGIONS = ("North", "South", "East")
PRODUCTS = ("concentrate", "compound", "powder", "alloy")
FIRST_YEAR = 2001

_CHAIN = (("cracking", 0, 1), ("separation", 1, 2), ("electrolysis", 2, 3))
_END_USES = {"compound": ("catalysts", "glass"), "powder": ("glass", "polishing"), "alloy": ("magnets",)}
_ORE = {("North", ""): 100.0, ("North", "u"): 30.0, ("South", ""): 40.0, ("East", ""): 25.0, ("East", "u"): 10.0}
_SCALE = {"opening_stock": 5.0, "loss": 0.15, "stock": 0.15, "sale": 0.5, "apparent_consumption": 0.6}
_RECORDED = (  # origin, destination, product, weight among the outflows of the market
    *(("South", "North", 0, 2.0), ("East", "North", 0, 0.5), ("South", "East", 0, 0.3)),
    *(("North", "South", 1, 0.3), ("North", "East", 1, 0.2), ("East", "North", 1, 0.1)),
    *(("North", "South", 2, 0.4), ("North", "East", 2, 0.4), ("South", "North", 2, 0.1), ("East", "South", 2, 0.2)),
    *(("North", "South", 3, 0.3), ("North", "East", 3, 0.3), ("East", "South", 3, 0.1)),
)
_UNRECORDED = (("North", "South", 1, 0.2), ("North", "South", 2, 0.5), ("North", "East", 2, 0.4))


def toy_case(years: int = 6) -> Case:
    """Three regions with their chains, trade, stocks, end uses, and one unrecorded trade chain; no priors, no evidence.

    North mines, refines and exports, and has an unregistered chain; South mines (not in the third year), sends most of
    its concentrate to North and buys refined products back; East has unregistered mining whose concentrate North's
    customs record, and a little recycling.

    Examples
    --------
    >>> case = toy_case()
    >>> case.regions, case.system.years
    (('North', 'South', 'East'), (2001, 2002, 2003, 2004, 2005, 2006))
    """
    span = tuple(range(FIRST_YEAR, FIRST_YEAR + years))
    flows = tuple(_toy_flows(span))
    names = dict.fromkeys(p for f in flows for p in (f.from_process, f.to_process) if p != OUTSIDE)
    places = {name: name.split("_") for name in names}  # stage, product of a market, region
    processes = (Process(n, next(r for r in REGIONS if r in words), words[0]) for n, words in places.items())
    system = SystemDefinition(tuple(processes), flows, span, "kt")
    quotas = [Constant("separation_quota", "North", "all", year, 80_000.0, "t") for year in span[1:]]
    quotas += [Constant("mining_quota", "North", "concentrate", year, 100.0, "kt") for year in span[1:]]
    quotas += [Constant("export_quota", "North", "all", year, 30.0, "kt") for year in span[1:-1]]
    year = span[-1]
    said = f"In {year}, {{median}} {{unit}} ({{lower}} to {{upper}}) of South's refined imports came from North."
    hidden = "{median} {unit} ({lower} to {upper}) left North for South without a record of export."
    headlines = (
        Headline("import_dependence", "South", "North", "refined", year, said),
        Headline("smuggled_mass", "South", "North", "", 0, hidden),
    )
    return Case(
        name="toy",
        title="A toy system of three regions",
        description="Synthetic; for tests.",
        system=system,
        prior_measure="coordinates",
        regions=REGIONS,
        products=PRODUCTS,
        priors=(),
        evidence=(),
        sources={},
        classes={},
        offsets={},
        factors={},
        covariates={},
        constants=tuple(quotas),
        headlines=headlines,
    )


def toy_posterior(*, chains: int = 4, draws: int = 100, years: int = 6, seed: int = 0) -> xr.DataTree:
    """A result as `reeuncert.sample` returns it, of random balanced flows of `toy_case`.

    Parameters
    ----------
    chains, draws
        Size of the posterior; the prior has one chain of as many draws in all.
    years
        Number of years, at least 2.
    seed
        The same seed gives the same numbers.

    Returns
    -------
    DataTree
        Groups ``posterior`` and ``prior`` (mass_flow with dims chain, draw, flow, year; unit kt; NaN where a flow is
        absent; flow coordinates as in the contract of results), ``sample_stats``, ``derived`` and ``derived_prior``.

    Examples
    --------
    >>> dt = toy_posterior(draws=5, years=3)
    >>> sorted(dt.children)
    ['derived', 'derived_prior', 'posterior', 'prior', 'sample_stats']
    >>> assert_mass_balance(dt)
    """
    from reeuncert.case.serial import case_to_json
    from reeuncert.indicators.compute import add_indicators

    case = toy_case(years)
    rng = np.random.default_rng(seed)
    # All draws share a centre that differs from the prior's, as in an informed posterior.
    centre = rng.standard_normal((1, 2 * len(case.system.flows)))
    flows = toy_flows(case.system, 0.12, rng, chains * draws, 0.5 * centre).reshape(chains, draws, -1, years)
    before = toy_flows(case.system, 0.5, rng, chains * draws).reshape(1, chains * draws, -1, years)
    stats = {
        "diverging": np.zeros((chains, draws), dtype=bool),
        "n_steps": np.full((chains, draws), 31),
        "tree_depth": np.full((chains, draws), 5),
        "step_size": np.full((chains, draws), 0.2),
        "acceptance_rate": rng.beta(40, 10, (chains, draws)),
        "energy": rng.normal(200.0, 10.0, (chains, draws)),
        "lp": rng.normal(-200.0, 10.0, (chains, draws)),
    }
    sampled = {"chain": np.arange(chains), "draw": np.arange(draws)}
    groups = {"posterior": flow_dataset(case.system, flows), "prior": flow_dataset(case.system, before)}
    groups["sample_stats"] = xr.Dataset({k: (("chain", "draw"), v) for k, v in stats.items()}, coords=sampled)
    dt = xr.DataTree.from_dict(groups)
    dt.attrs = {"case_json": case_to_json(case), "case_name": case.name, "seed": seed, "sampler": "synthetic"}
    return add_indicators(dt)


def toy_terms(dt: xr.DataTree) -> xr.DataTree:
    """The result with invented density terms for power-scaling: two classes of priors and two sources.

    Each term is a normal log density of the logs of some flows: priors of mines and trade, and evidence of customs
    (trade) and a survey (ore).

    Examples
    --------
    >>> dt = toy_terms(toy_posterior(draws=5, years=2))
    >>> list(dt["log_prior"].data_vars), dict(dt["log_likelihood"].sizes)
    (['mining', 'trade'], {'chain': 4, 'draw': 5, 'customs_row': 14, 'survey_row': 5})
    """
    data = mass_flow(dt)
    mass = data.isel(year=-1).dropna("flow", how="all")
    quantity = mass["quantity"].values.astype(str)
    log = np.log(mass.transpose("chain", "draw", "flow").values)
    deviation = (log - log.mean(axis=(0, 1)) - 0.5 * log.std(axis=(0, 1))) / log.std(axis=(0, 1))
    density = -0.25 * deviation**2
    ore, trade = quantity == "ore", np.isin(quantity, ("trade", "unrecorded_trade", "declared"))
    dims = ("chain", "draw")
    classes = {"mining": (dims, density[..., ore].sum(axis=2)), "trade": (dims, density[..., trade].sum(axis=2))}
    recorded = quantity == "trade"
    sources = {
        "customs": ((*dims, "customs_row"), -0.4 * deviation[..., recorded] ** 2),
        "survey": ((*dims, "survey_row"), -0.6 * (deviation[..., ore] + 1.0) ** 2),
    }
    out = dt.copy(deep=False)
    coords = {dim: data[dim] for dim in dims}
    out["log_prior"] = xr.DataTree(xr.Dataset(classes, coords=coords))
    out["log_likelihood"] = xr.DataTree(xr.Dataset(sources, coords=coords))
    return out


def flow_dataset(system: SystemDefinition, mass_flow: np.ndarray) -> xr.Dataset:
    """Label an array (chain, draw, flow, year) of masses as the group ``posterior`` of a result."""
    chains, draws = mass_flow.shape[:2]
    names = [f.name for f in system.flows]
    coords = {"chain": np.arange(chains), "draw": np.arange(draws), "flow": names, "year": list(system.years)}
    attrs = {"long_name": "mass of a flow in a year", "units": system.unit}
    return xr.Dataset({"mass_flow": (("chain", "draw", "flow", "year"), mass_flow, attrs)}, coords=coords)


def toy_flows(
    system: SystemDefinition, spread: float, rng: np.random.Generator, draws: int, centre: np.ndarray | float = 0.0
) -> np.ndarray:
    """Random balanced flows: lognormal inputs and logistic-normal shares, one dense solve a year, stocks carried on.

    Parameters
    ----------
    spread
        Standard deviation of the log of every input and weight: of the level over all years, and half of it by year.
    centre
        Shift of the logs in units of `spread` + 0.1, shape (1, 2 · flows): inputs first, then weights.

    Returns
    -------
    array (draws, flow, year)
        Masses in the unit of the system; NaN where a flow is absent. Independent of `reeuncert.balance` on purpose, so
        that it can test it.
    """
    n_flows, n_years = system.exists.shape
    shift = np.broadcast_to(centre, (1, 2 * n_flows)) * (spread + 0.1)
    log = shift[..., None] + spread * rng.standard_normal((draws, 2 * n_flows, 1))
    log = log + 0.5 * spread * rng.standard_normal((draws, 2 * n_flows, n_years))
    scale = np.array([_toy_scale(f) for f in system.flows])[:, None]
    inputs, weights = scale * np.exp(log[:, :n_flows]), scale * np.exp(log[:, n_flows:])

    index = system.process_index
    mass = np.full((draws, n_flows, n_years), np.nan)
    carried = np.zeros((draws, len(index)))
    for year in range(n_years):
        here = [(i, flow) for i, flow in enumerate(system.flows) if system.exists[i, year]]
        total, supply = np.zeros((draws, len(index))), carried.copy()
        for i, flow in here:
            if flow.from_process == OUTSIDE:
                mass[:, i, year] = inputs[:, i, year]
                supply[:, index[flow.to_process]] += inputs[:, i, year]
            else:
                total[:, index[flow.from_process]] += weights[:, i, year]
        matrix = np.tile(np.eye(len(index)), (draws, 1, 1))
        for i, flow in here:
            if flow.from_process != OUTSIDE:
                source = index[flow.from_process]
                mass[:, i, year] = weights[:, i, year] / total[:, source]
                if flow.to_process != OUTSIDE and not flow.is_stock:
                    matrix[:, index[flow.to_process], source] -= mass[:, i, year]
        throughput = np.linalg.solve(matrix, supply[..., None])[..., 0]
        carried = np.zeros((draws, len(index)))
        after = {f.from_process for f in system.flows if system.years[year] + 1 in f.years}
        for i, flow in here:
            if flow.from_process != OUTSIDE:
                mass[:, i, year] *= throughput[:, index[flow.from_process]]
                if flow.is_stock and year + 1 < n_years and flow.from_process in after:
                    carried[:, index[flow.from_process]] += mass[:, i, year]
    return mass


def assert_mass_balance(dt: xr.DataTree, *, group: str = "posterior", rtol: float = 1e-9) -> None:
    """Assert mass balance in every draw, process and year, from the flow table of a result.

    A stock (a flow from a process to itself) leaves in its year and enters in the next, if the process has outflows.

    Raises
    ------
    AssertionError
        With the process, the year and the size of the worst imbalance relative to the throughput.
    """
    data = mass_flow(dt, group)
    mass = data.values
    source, target = data["from_process"].values.astype(str), data["to_process"].values.astype(str)
    stock = source == target
    filled = np.nan_to_num(mass)
    present = np.isfinite(mass).any(axis=(0, 1))
    worst, where = 0.0, ""
    for process in sorted({*source, *target} - {OUTSIDE}):
        leaves, enters, keeps = source == process, (target == process) & ~stock, (source == process) & stock
        outflow, inflow = filled[:, :, leaves].sum(axis=2), filled[:, :, enters].sum(axis=2)
        inflow[..., 1:] += filled[:, :, keeps, :-1].sum(axis=2) * present[leaves, 1:].any(axis=0)
        imbalance = np.abs(inflow - outflow) / np.maximum(np.maximum(inflow, outflow), np.finfo(float).tiny)
        if (largest := float(imbalance.max(initial=0.0))) > worst:
            year = data["year"].values[int(np.unravel_index(imbalance.argmax(), imbalance.shape)[-1])]
            worst, where = largest, f"process '{process}' in {year}"
    if not worst <= rtol:
        raise AssertionError(f"{where} is out of balance by {worst:.3g} of its throughput (allowed: {rtol:.3g})")


def _toy_scale(flow: Flow) -> float:
    """Mass of an input, or weight among the outflows of a process."""
    if flow.quantity == "ore":
        return _ORE.get((flow.origin, "u" if flow.route == "unregistered" else ""), 1.0)
    if flow.quantity in ("trade", "unrecorded_trade"):
        table = _RECORDED if flow.quantity == "trade" else _UNRECORDED
        weight = {(a, b, PRODUCTS[p]): w for a, b, p, w in table}
        return weight.get((flow.origin, flow.destination, flow.product), 2.0)
    return _SCALE.get(flow.quantity, 1.0)


def _toy_flows(years: tuple[int, ...]) -> Iterator[Flow]:
    for region in REGIONS:
        yield from _toy_chain(region, "registered", years)
    yield from _toy_chain("North", "unregistered", years, depth=2)
    yield from _toy_chain("East", "unregistered", years, depth=0)
    for origin, destination, p, _ in _RECORDED:
        source, target = _market(p, origin), _market(p, destination)
        exists = _mined(origin, years) if p == 0 else years
        name = f"trade_{PRODUCTS[p]}_{origin}_{destination}"
        yield Flow(name, source, target, "trade", PRODUCTS[p], origin, destination, "registered", "", exists)
    source, target, feed = _market(0, "East", "_u"), _market(0, "North"), "trade_concentrate_East_North_u"
    yield Flow(feed, source, target, "trade", PRODUCTS[0], "East", "North", "unregistered", "", years)
    for origin, destination, p, _ in _UNRECORDED:
        border, product = f"border_{PRODUCTS[p]}_{origin}_{destination}", PRODUCTS[p]
        ends = (product, origin, destination, "unregistered", "", years)
        name = f"{product}_{origin}_{destination}"
        yield Flow(f"unrecorded_{name}", _market(p, origin, "_u"), border, "unrecorded_trade", *ends)
        yield Flow(f"declared_{name}", border, _market(p, destination), "declared", *ends)
        yield Flow(f"undeclared_{name}", border, _market(p, destination), "undeclared", *ends)


def _market(product: int, region: str, suffix: str = "") -> str:
    return f"market_{PRODUCTS[product]}_{region}{suffix}"


def _mined(region: str, years: tuple[int, ...]) -> tuple[int, ...]:
    """South's mine is closed in the third year."""
    return tuple(y for i, y in enumerate(years) if region != "South" or i != 2)


def _toy_chain(region: str, route: str, years: tuple[int, ...], depth: int = 3) -> Iterator[Flow]:
    end = "_u" if route == "unregistered" else ""

    def flow(
        name: str, source: str, target: str, quantity: str, product: str, use: str = "", when: tuple[int, ...] = years
    ) -> Flow:
        return Flow(f"{name}_{region}{end}", source, target, quantity, product, region, region, route, use, when)

    mining, mined = f"mining_{region}{end}", _mined(region, years)
    yield flow("ore", OUTSIDE, mining, "ore", PRODUCTS[0], when=mined)
    yield flow("mine_production", mining, _market(0, region, end), "mine_production", PRODUCTS[0], when=mined)
    yield flow("loss_mining", mining, OUTSIDE, "loss", PRODUCTS[0], when=mined)
    for stage, before, after in _CHAIN[:depth]:
        process = f"{stage}_{region}{end}"
        yield flow(f"feed_{stage}", _market(before, region, end), process, "feed", PRODUCTS[before])
        yield flow(f"production_{stage}", process, _market(after, region, end), "production", PRODUCTS[after])
        yield flow(f"loss_{stage}", process, OUTSIDE, "loss", PRODUCTS[after])
    for p, product in enumerate(PRODUCTS[: depth + 1]):
        market = _market(p, region, end)
        yield flow(f"stock_{product}", market, market, "stock", product)
        yield flow(f"opening_stock_{product}", OUTSIDE, market, "opening_stock", product, when=years[:1])
        if end:
            yield flow(f"sale_{product}", market, _market(p, region), "sale", product)
        elif p > 0:
            use = f"use_{product}_{region}"
            yield flow(f"apparent_consumption_{product}", market, use, "apparent_consumption", product)
            for end_use in _END_USES[product]:
                yield flow(f"end_use_{product}_{end_use}", use, OUTSIDE, "end_use", product, end_use)
    if region == "East" and not end:
        yield flow("recycling_powder", OUTSIDE, _market(2, region), "recycling", PRODUCTS[2])
