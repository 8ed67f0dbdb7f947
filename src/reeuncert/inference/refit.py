"""Refits of a case with other numbers, compiled once."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.traversal import ancestors

from reeuncert.case.records import Case
from reeuncert.case.serial import case_to_json
from reeuncert.errors import SamplingError
from reeuncert.inference.compiled import CompiledModel
from reeuncert.inference.density import with_numbers
from reeuncert.inference.hmc import HamiltonianRun
from reeuncert.inference.messages import Messages
from reeuncert.inference.sample import sample
from reeuncert.inference.settings import Settings
from reeuncert.inference.shape import Shape, around_mode, pilot
from reeuncert.inference.whitening import compile_for_sampling, is_whitened
from reeuncert.likelihood.model import REPORTED_DATA, WEIGHT_DATA
from reeuncert.model import ModelRecord, build_model, record_of
from reeuncert.priors.coverage import delivered_inputs

_DEFAULTS = {"draws": 300, "tune": 150, "prior_draws": 0, "likelihood_terms": False, "quiet": True}


class Refitter:
    """A case whose model is compiled once and sampled many times.

    Every number that a model is made of is an input of its compiled code: prior medians and spreads, widths of sources,
    offsets, reported figures. A refit with other numbers, or without some rows of evidence, compiles nothing.

    Parameters
    ----------
    case
        From `reeuncert.read_case`.

    Examples
    --------
    Leave one source out (see ``tests/unit/test_refit.py``)::

        refitter = Refitter(case)
        weight = [0.0 if row.source_id == "usgs" else 1.0 for row in refitter.rows]
        dt = refitter.fit(weight=weight, draws=500, seed=1)
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        model = build_model(case)
        self._compiled: CompiledModel = compile_for_sampling(model)
        self._structure = _structure(model)
        self._latest = (case, model)
        self._learned: list[tuple[str, Shape]] = []

    @property
    def record(self) -> ModelRecord:
        """Input of the compiled model."""
        return record_of(self._latest[1])

    @property
    def rows(self) -> tuple[Any, ...]:
        """The rows of evidence, in the order of ``reported`` and ``weight`` of `fit`."""
        return self.record.evidence.rows

    def accepts(self, case: Case) -> bool:
        """Whether a case can be fitted without compiling: same flows, years, coordinates and rows of evidence."""
        return _structure(self._model(case)) == self._structure

    def fit(
        self,
        case: Case | None = None,
        *,
        reported: ArrayLike | None = None,
        weight: ArrayLike | None = None,
        like: Case | None = None,
        cores: int | None = None,
        **sampling: Any,
    ) -> xr.DataTree:
        """Sample the posterior with other numbers.

        The pilot run is made once and used for all fits.

        Parameters
        ----------
        case
            A case of the same structure (`accepts`) with other numbers; by default the one that was compiled.
        reported
            Other reported figures, on the scale of each row (log, logit or plain), shape (evidence,).
        weight
            How often each row counts, shape (evidence,): 1, or 0 to leave it out.
        like
            A case of the same structure whose pilot run serves this fit, by default the one that was compiled.
            Fits of the same case, seed and pilot have the same draws, whatever else was fitted before.
        cores, **sampling
            As for `reeuncert.sample`; by default 300 draws after 150 of tuning, and neither draws from the prior nor
            terms of the likelihood.

        Returns
        -------
        DataTree
            As from `reeuncert.sample`. Terms of the likelihood carry the weights: a row that is left out has none.

        Raises
        ------
        SamplingError
            When the case has another structure, or the figures or weights do not fit its rows.
        """
        chosen = self.case if case is None else case
        model = self._fitting_model(chosen)
        swapped = {REPORTED_DATA: reported, WEIGHT_DATA: weight}
        given = {name: self._row_values(name, value) for name, value in swapped.items() if value is not None}
        if np.any(given.get(WEIGHT_DATA, np.ones(1)) < 0):
            raise SamplingError("a weight of a row of evidence is below 0; give 1, or 0 to leave the row out")
        learned = self._shape(self.case if like is None else like, cores)
        before = {name: model[name].get_value() for name in given}
        pm.set_data(given, model=model)
        try:
            compiled = dataclasses.replace(self._with_numbers(model), learned=learned)
            return sample(model, cores=cores, compiled=compiled, **_DEFAULTS | sampling)
        finally:
            pm.set_data(before, model=model)

    def _shape(self, case: Case, cores: int | None) -> Shape | None:
        """Result of the pilot run of a case; the last two are cached."""
        if not is_whitened(self._compiled):
            return None
        key = case_to_json(case)  # cases contain NaN for missing values, so a copy never compares equal
        for known, learned in self._learned:
            if known == key:
                return learned
        compiled = around_mode(self._with_numbers(self._fitting_model(case)))
        learned = pilot(HamiltonianRun, compiled, Settings(cores=cores), Messages(quiet=True))
        self._learned = [*self._learned[-1:], (key, learned)]
        return learned

    def _with_numbers(self, model: pm.Model) -> CompiledModel:
        """The compiled code with the numbers of a model of the same structure."""
        if self._compiled.four is not None:
            return with_numbers(self._compiled, model)
        held = self._compiled.data_names
        return self._compiled.with_data(**{str(v.name): v.get_value() for v in _inputs(model) if v.name in held})

    def _fitting_model(self, case: Case) -> pm.Model:
        """The model of a case that the compiled code can take the numbers of."""
        model = self._model(case)
        if _structure(model) != self._structure:
            raise SamplingError(
                f"case '{case.name}' has another structure than '{self.case.name}', which was compiled: "
                "its flows, years, coordinates or rows of evidence differ; make a Refitter of its own for it"
            )
        return model

    def _model(self, case: Case) -> pm.Model:
        if self._latest[0] != case:
            self._latest = (case, build_model(case))
        return self._latest[1]

    def _row_values(self, name: str, values: ArrayLike) -> NDArray[np.float64]:
        array = np.asarray(values, dtype=float)
        if array.shape != (len(self.rows),):
            raise SamplingError(
                f"{name} has shape {array.shape}; the case has {len(self.rows)} rows of evidence on its flows"
            )
        if np.isnan(array).any():
            raise SamplingError(f"{name} holds NaN for row '{self.rows[int(np.isnan(array).argmax())].id}'")
        return array


def _inputs(model: pm.Model) -> list[SharedVariable]:
    graphs: Iterable[Any] = [model.logp(), *model.replace_rvs_by_values(model.deterministics)]
    found = {v for v in ancestors(graphs) if isinstance(v, SharedVariable) and v.name}
    return sorted(found, key=lambda variable: str(variable.name))


def _structure(model: pm.Model) -> tuple[Any, ...]:
    """All that the compiled code assumes of a model; equal where it serves both."""
    record = record_of(model)
    case, evidence = record.case, record.evidence
    # Densities of masses and shares are written into the graph, number by number.
    measure = (case.prior_measure,) if record.prior is not None else (case.prior_measure, case.priors, case.covariates)
    rows = (evidence.width_index, evidence.widths.learned, evidence.offsets.family)
    return (
        case.system,
        delivered_inputs(case),
        measure,
        [(name, tuple(labels or ())) for name, labels in model.coords.items()],
        [(v.name, v.get_value(borrow=True).shape) for v in _inputs(model)],
        b"" if record.prior is None else record.prior.factor.layout.tobytes(),
        [np.ascontiguousarray(array).tobytes() for array in rows],
    )
