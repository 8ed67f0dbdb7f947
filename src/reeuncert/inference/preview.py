"""Preview: approximate intervals in seconds, from a very short run."""

from pathlib import Path

import pymc as pm
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.inference.sample import sample
from reeuncert.model import build_model

TUNE, DRAWS, CHAINS = 120, 100, 2


def preview(case: Case, *, seed: int | None = None, progressbar: bool = False, quiet: bool = True) -> xr.DataTree:
    """Sample a case very briefly (2 chains of 120 tuning and 100 kept draws).

    Medians usually differ from those of a full run by a small fraction of a posterior standard deviation; the run has
    not converged, and everything made from it is marked "approximate" (``attrs["approximate"] == "yes"``).

    Parameters
    ----------
    case
        From `reeuncert.read_case`.
    seed
        The same seed gives the same draws.

    Returns
    -------
    DataTree
        As from `reeuncert.sample`, with a prior of 200 draws, and without terms of the likelihood.
    """
    return approximate(build_model(case), seed=seed, progressbar=progressbar, quiet=quiet)


def approximate(
    model: pm.Model,
    *,
    seed: int | None = None,
    progressbar: bool = False,
    quiet: bool = True,
    command: str = "",
    checkpoint: Path | None = None,
    resume: bool = False,
) -> xr.DataTree:
    """The same for a built model."""
    tree = sample(
        model,
        draws=DRAWS,
        tune=TUNE,
        chains=CHAINS,
        pilot=False,
        seed=seed,
        progressbar=progressbar,
        quiet=quiet,
        prior_draws=200,
        likelihood_terms=False,
        command=command,
        checkpoint=checkpoint,
        resume=resume,
    )
    tree.attrs["approximate"] = "yes"
    return tree
