"""Truths simulated by a plain loop, against the model's own prior: two ways of writing down one table."""

import numpy as np
import pytest
from scipy import stats

import reeuncert as ree
from balances.residual import residual
from reeuncert.balance.forward import flows_of_draws
from reeuncert.calibration.simulate import simulate_flows
from reeuncert.case.records import Case, Prior
from reeuncert.errors import ModelError
from reeuncert.priors.coverage import case_network
from reeuncert.priors.paths import coordinate_prior
from reeuncert.system.definition import Flow, Process, Selector, SystemDefinition

YEARS = (2000, 2001, 2002, 2003, 2004)
DRAWS = 4000


def prior(name: str, kind: str, flow: str, median: float, **fields) -> Prior:
    settings = {"mode": "each", "years": YEARS, "level_sd": 0.4, "year_sd": 0.3, "correlation": 0.6, **fields}
    return Prior(name=name, group="g", kind=kind, selector=Selector.of(flow=flow), median=median, **settings)


def everything() -> Case:
    """Totals of shares and of inputs, with and without splits of their own, one of which loses a flow on the way;
    shared levels, slopes, changing medians, a delivered mass, a cycle, a stock, flows that come and go.
    """
    flows = (
        Flow("ore", "outside", "mine", "ore", years=YEARS),
        Flow("mined", "mine", "p", "mine_production", years=YEARS),
        Flow("lost", "mine", "outside", "loss", years=YEARS),
        Flow("a", "p", "q", "trade", years=YEARS),
        Flow("b", "p", "outside", "trade", years=YEARS[:3]),
        Flow("c", "p", "outside", "use", years=YEARS),
        Flow("rest", "p", "outside", "use", years=YEARS),
        Flow("in1", "outside", "q", "ore", years=YEARS),
        Flow("in2", "outside", "q", "ore", years=YEARS),
        Flow("in3", "outside", "q", "ore", years=(2001, 2002, 2004)),
        Flow("back", "q", "p", "trade", years=YEARS),
        Flow("d", "q", "outside", "use", years=(2000, 2002, 2004)),
        Flow("stock", "q", "q", "stock", years=YEARS),
        Flow("gone", "q", "outside", "use", years=YEARS),
    )
    processes = (
        Process("mine", reference_outflow=("mined",)),
        Process("p", reference_outflow=("rest",)),
        Process("q", reference_outflow=("gone",)),
    )
    covariates = {"tight": dict(zip(YEARS, (0.0, 0.2, 1.0, 0.6, 0.1), strict=True))}
    tight = {"slope_on": "tight", "slope": 0.8, "slope_sd": 0.5}
    priors = (
        prior("mined", "input", "mined", 10.0, median_to=20.0),
        prior("lost", "share", "lost", 0.4),
        prior("ab", "share", "a+b", 0.3, mode="total", split_sd=0.5, shared="k", **tight),
        prior("c", "share", "c", 0.2, median_to=0.1, shared="k", level_sd=0.7, **tight),
        prior("inputs", "input", "in1+in2+in3", 4.0, mode="total", split_sd=0.3),
        prior("in1", "split", "in1", 0.5, level_sd=0.2),
        prior("back and stock", "share", "back+stock", 0.15, level_sd=0.5),
        prior("d", "share", "d", 0.2),
    )
    base = ree.read_case("small_metal")
    fields = {f: getattr(base, f) for f in base.__dataclass_fields__}
    system = SystemDefinition(processes, flows, YEARS, "kt")
    return Case(**{**fields, "name": "everything", "system": system, "priors": priors, "evidence": (),
                   "covariates": covariates})  # fmt: skip


def prior_of_the_model(case: Case, draws: int, seed: int) -> np.ndarray:
    """The prior as the model has it: one Gaussian over the coordinates, from its covariance, through the network."""
    network = case_network(case)
    found = coordinate_prior(case, network)
    rng = np.random.default_rng(seed)
    u = found.mean + found.factor.apply(rng.standard_normal((draws, network.n_coordinates)))
    return network.to_table(flows_of_draws(u, network))


def worst_difference(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Largest difference of means and of log standard deviations over columns, in Monte Carlo errors."""
    mean = (x.mean(axis=0) - y.mean(axis=0)) / np.sqrt(x.var(axis=0) / len(x) + y.var(axis=0) / len(y))

    def error_of_log_sd(draws: np.ndarray) -> np.ndarray:
        return (stats.kurtosis(draws, axis=0, fisher=False) - 1) / (4 * len(draws))

    spread = np.log(x.std(axis=0) / y.std(axis=0)) / np.sqrt(error_of_log_sd(x) + error_of_log_sd(y))
    return float(np.abs(mean).max()), float(np.abs(spread).max())


@pytest.mark.parametrize("case", [everything(), ree.read_case("small_metal")], ids=lambda case: case.name)
def test_flows_have_the_moments_of_the_prior_of_the_model(case: Case):
    there = case.system.exists
    x = np.log(simulate_flows(case, DRAWS, np.random.default_rng(1))[:, there])
    y = np.log(prior_of_the_model(case, DRAWS, 2)[:, there])
    # Sums and differences of neighbours show correlations: over years, and within one year.
    pairs = np.concatenate([x[:, 1:] + x[:, :-1], x[:, 1:] - x[:, :-1]], axis=1)
    others = np.concatenate([y[:, 1:] + y[:, :-1], y[:, 1:] - y[:, :-1]], axis=1)
    for one, other in ((x, y), (pairs, others)):
        mean, spread = worst_difference(one, other)
        assert mean < 4.5
        assert spread < 4.5


def test_totals_over_the_years_are_as_uncertain_as_in_the_model():
    case = everything()
    x = np.log(np.nansum(simulate_flows(case, DRAWS, np.random.default_rng(3)), axis=2))
    y = np.log(np.nansum(prior_of_the_model(case, DRAWS, 4), axis=2))
    mean, spread = worst_difference(x, y)
    assert mean < 4.5
    assert spread < 4.5


def test_a_difference_of_the_size_of_a_mistake_is_seen():
    case = everything()
    x = np.log(simulate_flows(case, DRAWS, np.random.default_rng(1))[:, case.system.exists])
    wrong = [row if row.name != "ab" else Prior(**{**vars(row), "slope": 0.6}) for row in case.priors]
    other = Case(**{**vars(case), "priors": tuple(wrong)})
    y = np.log(prior_of_the_model(other, DRAWS, 2)[:, case.system.exists])
    assert worst_difference(x, y)[0] > 6


def test_simulated_flows_balance():
    case = everything()
    mass = simulate_flows(case, 50, np.random.default_rng(5))
    assert np.array_equal(np.isfinite(mass).all(axis=0), case.system.exists)
    assert np.nanmax(np.abs(residual(case.system, mass))) < 1e-12


def test_one_flow_left_of_a_total_goes_on_along_its_path():
    """With a level and no yearly deviation, the share of the total is the same before and after one flow ends."""
    case = everything()
    rows = [
        Prior(**{**vars(row), "year_sd": 0.0, "slope_on": "", "slope": 0.0, "slope_sd": 0.0, "shared": ""})
        if row.name == "ab"
        else row
        for row in case.priors
    ]
    case = Case(**{**vars(case), "priors": tuple(rows)})
    index = case.system.flow_index
    for mass in (simulate_flows(case, 200, np.random.default_rng(6)), prior_of_the_model(case, 200, 7)):
        total = np.nansum(mass[:, [index["a"], index["b"]]], axis=1)
        ratio = np.log(total / mass[:, index["rest"]])
        assert np.corrcoef(ratio[:, 2], ratio[:, 3])[0, 1] > 0.99


def test_densities_cannot_be_simulated_forward():
    case = Case(**{**vars(everything()), "prior_measure": "mass"})
    with pytest.raises(ModelError, match=r"the priors of case 'everything' cannot be simulated forward: prior_measure "
                       r"is 'mass', and only under 'coordinates' does every row state what can be drawn; calibrate a "
                       r"case written that way"):  # fmt: skip
        simulate_flows(case, 1, np.random.default_rng(1))


def test_a_flow_of_which_no_row_speaks_is_named():
    case = everything()
    case = Case(**{**vars(case), "priors": tuple(row for row in case.priors if row.name != "d")})
    with pytest.raises(ModelError, match=r"no row of the priors table states d in 2000 \(share\)"):
        simulate_flows(case, 1, np.random.default_rng(1))
