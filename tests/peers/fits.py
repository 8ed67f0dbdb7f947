"""Fits of published problems, and what is compared and measured of them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

import reeuncert as ree
from balances.residual import residual
from reeuncert.case.records import Case
from reeuncert.inference.compiled import compile_model
from reeuncert.result.diagnostics import Diagnostics, diagnose


@dataclass(frozen=True)
class Fit:
    """Draws of all flows of a case of one year, shape (chain, draw, flow), and how the sampler fared.

    ``seconds`` are CPU seconds of sampling with tuning, ``compile_seconds`` those of building and compiling the model.
    """

    case: Case
    flows: NDArray[np.float64]
    diverging: int
    steps: float
    seconds: float
    compile_seconds: float

    @cached_property
    def diagnostics(self) -> Diagnostics:
        return diagnose(self.flows, log=True)

    @property
    def least_ess(self) -> float:
        """Smallest of bulk and tail effective sample size over all flows."""
        return float(min(self.diagnostics.ess_bulk.min(), self.diagnostics.ess_tail.min()))

    @property
    def largest_r_hat(self) -> float:
        return float(self.diagnostics.r_hat.max())

    @property
    def worst_residual(self) -> float:
        """Largest relative balance residual over processes and draws."""
        return float(np.nanmax(np.abs(residual(self.case.system, self.flows[..., None]))))

    def of(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Draws of some flows, shape (draw, flow)."""
        index = [self.case.system.flow_index[name] for name in names]
        return self.flows[..., index].reshape(-1, len(index))


def fit(case: Case, *, draws: int = 1000, tune: int = 600, chains: int = 2, seed: int = 1, target: float = 0.95) -> Fit:
    """Sample the posterior of a case, and nothing else."""
    begin = time.process_time()
    model = ree.build_model(case)
    compiled = compile_model(model)
    compile_seconds, begin = time.process_time() - begin, time.process_time()
    dt = ree.sample(
        model,
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
        target_accept=target,
        prior_draws=0,
        likelihood_terms=False,
        quiet=True,
        compiled=compiled,
    )
    seconds = time.process_time() - begin
    stats = dt["sample_stats"]
    flows = dt["posterior"]["mass_flow"].isel(year=0).transpose("chain", "draw", "flow").values
    steps = float(stats["n_steps"].mean())
    return Fit(case, flows, int(stats["diverging"].sum()), steps, seconds, compile_seconds)
