"""A result: the draws of a case, and everything that is computed from them, each once, when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import pandas as pd
import xarray as xr
from threadpoolctl import threadpool_limits

from reeuncert.balance.network import Network
from reeuncert.case.records import Case
from reeuncert.case.serial import case_from_json
from reeuncert.errors import ArgumentError, ReeUncertError
from reeuncert.likelihood.compile import EvidenceModel, compile_evidence
from reeuncert.parts import Failed, attempt, collecting, failed_of
from reeuncert.priors.coverage import case_network
from reeuncert.result.io import wrong_with
from reeuncert.result.quantiles import Array
from reeuncert.result.structures import Structures, structures_of
from reeuncert.result.tables import flow_table, mass_flow
from reeuncert.words.cells import Short

_shared: ContextVar[Result | None] = ContextVar("_shared", default=None)


class Result(Short):
    """The draws of a case with what is computed from them.

    Parameters
    ----------
    dt
        From `reeuncert.sample` or `reeuncert.read_results`; it is not changed.

    Attributes
    ----------
    dt : DataTree
        The draws, as any function of this package takes them.
    failed : list of Failed
        Parts of the result that could not be made.
    files : tuple of Path
        Its files, where a run has written them.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> result = Result.of(toy_posterior(draws=20, years=2))
    >>> result.case.name, result.years, len(result.flows)
    ('toy', (2001, 2002), 248)
    """

    def __init__(self, dt: xr.DataTree):
        self.dt = dt
        self.failed: list[Failed] = failed_of(dt)
        self.files: tuple[Path, ...] = ()
        self._kept: dict[Callable[[Result], object], object] = {}
        self._totals: dict[str, xr.DataArray] = {}

    @classmethod
    def of(cls, value: xr.DataTree | Result) -> Result:
        """A result from its draws.

        Raises
        ------
        ArgumentError
            If a DataTree holds no flows of the case that it names.
        """
        if isinstance(value, Result):
            return value
        wrong = wrong_with(value)
        if wrong:
            raise ArgumentError(f"this DataTree is no result: {wrong}; give one of reeuncert.sample or read_results")
        return cls(value)

    @contextmanager
    def shared(self) -> Iterator[Self]:
        """Meanwhile `holding` gives this result for its draws: figures and questions take draws. Products of matrices
        use one core: to wait for another costs more than products of this size.
        """
        token = _shared.set(self)
        try:
            with threadpool_limits(1, user_api="blas"):
                yield self
        finally:
            _shared.reset(token)

    @staticmethod
    def holding(dt: xr.DataTree) -> Result:
        """The result of some draws that is `shared`, with all that it has computed; else a new one."""
        found = _shared.get()
        return found if found is not None and found.dt is dt else Result(dt)

    def once[T](self, function: Callable[[Result], T]) -> T:
        """The value of a function of this result, computed once and kept."""
        if function not in self._kept:
            self._kept[function] = function(self)
        return cast(T, self._kept[function])

    def keep[T](self, function: Callable[[Result], T], value: T) -> None:
        """Give `once` the value of a function that is known already."""
        self._kept[function] = value

    def part[T](self, name: str, make: Callable[[], T]) -> T | Failed:
        """Make a part that only informs, or add it to ``failed``."""
        with collecting(self.failed):
            return attempt(name, make)

    @cached_property
    def case(self) -> Case:
        """The case that was sampled.

        Raises
        ------
        ReeUncertError
            If the draws do not hold it.
        """
        if "case_json" not in self.dt.attrs:
            raise ReeUncertError(
                "this result holds no case ('case_json' among its attributes); use one that `sample` returned"
            )
        return case_from_json(str(self.dt.attrs["case_json"]))

    @cached_property
    def network(self) -> Network:
        """The balanced network that was sampled."""
        return case_network(self.case)

    @cached_property
    def evidence(self) -> EvidenceModel | None:
        """The evidence as it was sampled; None where the case has none."""
        return compile_evidence(self.case, self.network) if self.case.evidence else None

    @cached_property
    def structures(self) -> Structures | None:
        """Its headlines under the rival structures of its case; None if there are none."""
        return structures_of(self.dt)

    @property
    def lineages(self) -> dict[str, str]:
        """Id of a source → its lineage."""
        return {row.source_id: row.lineage for row in self.case.evidence}

    @property
    def unit(self) -> str:
        """Unit of mass."""
        return self.case.system.unit

    @property
    def years(self) -> tuple[int, ...]:
        return self.case.system.years

    @property
    def approximate(self) -> bool:
        """Whether this is a quick look that was never meant to converge, to be labelled so wherever it is shown."""
        return bool(self.dt.attrs.get("approximate") == "yes")

    @property
    def complete(self) -> bool:
        """Whether the run ended by itself, not by an interrupt."""
        return bool(self.dt.attrs.get("complete") != "no")

    @cached_property
    def flows(self) -> pd.DataFrame:
        """A row for every flow and year, see `reeuncert.result.tables.flow_table`."""
        return flow_table(self.dt)

    def total(self, group: str = "posterior") -> xr.DataArray:
        """Sum of every flow of a group over the years; NaN where it is absent in all of them."""
        if group not in self._totals:
            mass = mass_flow(self.dt, group)
            total = np.empty(mass.shape[:-1])
            for of_chain, values in zip(total, mass.values, strict=True):  # a sum that skips NaN copies what it sums
                of_chain[:] = np.where(np.isnan(values).all(axis=-1), np.nan, np.nansum(values, axis=-1))
            self._totals[group] = mass.isel(year=0, drop=True).copy(data=total)
        return self._totals[group]

    def masses(self, group: str = "posterior") -> Array:
        """Draws of the flows (sample, flow, year) of a group; NaN where a flow is absent."""
        values = mass_flow(self.dt, group).values
        return np.asarray(values.reshape(-1, *values.shape[2:]))

    def __repr__(self) -> str:
        sizes: Mapping[Any, int] = self.dt["posterior"].sizes if "posterior" in self.dt.children else {}
        named = f"'{self.case.name}'" if "case_json" in self.dt.attrs else "no case"
        return f"<Result of {named}: {sizes.get('chain', 0)} chains of {sizes.get('draw', 0)} draws>"
