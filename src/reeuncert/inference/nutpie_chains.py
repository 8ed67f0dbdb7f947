"""Chains of nutpie: NUTS with a diagonal metric that is adapted with gradients."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import xarray as xr

from reeuncert.errors import SamplingError
from reeuncert.inference.chains import Chain, Run, chain_seed
from reeuncert.inference.compiled import CompiledModel, repeatable_arithmetic
from reeuncert.inference.settings import Settings, renamed


class NutpieRun(Run):
    """One chain of nutpie."""

    def __init__(
        self,
        compiled: CompiledModel,
        settings: Settings,
        chains: Sequence[int],
        tell: Callable[[int, int, int], None],
    ) -> None:
        import nutpie

        (number,) = chains

        def tell_state(states: Sequence[Any]) -> None:
            tell(number, states[0].finished_draws, states[0].divergences)

        self._compiled, self._number = compiled, number
        with repeatable_arithmetic():
            self._run = nutpie.sample(
                compiled.compiled,
                draws=settings.draws,
                tune=settings.tune,
                chains=1,
                cores=1,
                seed=chain_seed(settings.seed, number),
                target_accept=settings.target_accept,
                maxdepth=settings.max_depth,
                save_warmup=False,
                progress_bar=False,
                progress_callback=tell_state,
                blocking=False,
            )

    def wait(self, timeout: float) -> dict[int, Chain]:
        try:
            tree = self._run.wait(timeout=timeout)  # its own `is_finished` raises TimeoutError until it is
        except RuntimeError as error:
            raise SamplingError(f"nutpie could not sample this model: {error}") from error
        return self._chain(tree, complete=True)

    def abort(self) -> dict[int, Chain]:
        with warnings.catch_warnings():
            # A chain cut off while it tunes has no draws, at which ArviZ wonders.
            warnings.filterwarnings("ignore", message="Found chain dimension to be longer than draw dimension")
            return self._chain(self._run.abort(), complete=False)

    def cancel(self) -> None:
        self._run.cancel()

    def _chain(self, tree: xr.DataTree, *, complete: bool) -> dict[int, Chain]:
        if "posterior" not in tree.children or "sample_stats" not in tree.children:
            if complete:
                raise SamplingError("nutpie returned no draws")
            return {self._number: Chain(xr.Dataset(), xr.Dataset(), complete=False)}
        posterior, stats = tree["posterior"].to_dataset(), tree["sample_stats"].to_dataset()
        return {self._number: Chain(self._compiled.unfolded(posterior), renamed(stats), complete)}
