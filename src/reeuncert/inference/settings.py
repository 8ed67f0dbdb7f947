"""Settings of all samplers."""

from dataclasses import dataclass

import xarray as xr

from reeuncert.errors import SamplingError
from reeuncert.machine import available_cores
from reeuncert.words.ranges import problem_with

KEPT = (
    *("diverging", "energy", "lp", "n_steps", "step_size", "step_size_bar", "tree_depth", "acceptance_rate"),
    "reached_max_treedepth",
)
"""Sampler statistics that are stored."""

RENAMED = {
    "logp": "lp",
    "depth": "tree_depth",
    "mean_tree_accept": "acceptance_rate",
    "maxdepth_reached": "reached_max_treedepth",
}
"""Names that some samplers have for them."""


@dataclass(frozen=True)
class Settings:
    """Settings of a run, as `reeuncert.sample` takes them; ``max_depth`` is that of the trees of NUTS."""

    draws: int = 800
    tune: int = 1000
    chains: int = 4
    cores: int | None = None
    seed: int = 0
    target_accept: float = 0.9
    max_depth: int = 10
    thin: int = 1
    pilot: bool = True

    @property
    def made(self) -> int:
        """Draws that a chain makes after tuning."""
        return self.draws * self.thin

    @property
    def workers(self) -> int:
        return min(self.chains, self.cores or available_cores())


def renamed(stats: xr.Dataset) -> xr.Dataset:
    """Stored statistics, with common names."""
    stats = stats.rename({old: new for old, new in RENAMED.items() if old in stats})
    kept = {name: stats[name] for name in KEPT if name in stats}
    return xr.Dataset({k: v.astype("int64") if v.dtype.kind == "u" else v for k, v in kept.items()})


def check_settings(**given: object) -> None:
    """Refuse settings outside `reeuncert.words.ranges.RANGES`, all at once."""
    wrong = [text for name, value in given.items() if value is not None and (text := problem_with(name, value))]
    if wrong:
        raise SamplingError("; ".join(wrong))
