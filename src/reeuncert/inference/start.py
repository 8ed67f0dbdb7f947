"""Starting points: a jittered centre of the prior, improved by a few optimisation steps.

The centre is the model's own initial point: zero where the priors are standard normals. A few dozen L-BFGS steps (about
a second for a thousand parameters) move it towards the bulk of the posterior, but stop well before the mode, where
gradients vanish and the scales cannot be adapted. Every chain has its own jitter.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from reeuncert.errors import SamplingError
from reeuncert.inference.compiled import CompiledModel

Array = NDArray[np.float64]

JITTER = 0.5
STEPS = 40


def good_start(compiled: CompiledModel, seed: int) -> Array:
    """A starting point (size,) of one chain with a finite log density, the same for the same seed."""
    shift = JITTER * np.random.default_rng(seed).standard_normal(compiled.size)
    for scale in (1.0, 0.1, 0.0):  # a jitter may leave the support; the centre should not
        begin = compiled.centre + scale * shift
        if np.isfinite(compiled.log_density(begin)[0]):
            break
    else:
        require_finite(compiled)

    def downhill(point: Array) -> tuple[float, Array]:
        value, gradient = compiled.log_density(point)
        return (-value, -gradient) if np.isfinite(value) else (1e300, np.zeros_like(point))

    found = minimize(downhill, begin, jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "maxcor": 20})
    return np.asarray(found.x if found.fun < 1e300 else begin, dtype=float)


def require_finite(compiled: CompiledModel) -> None:
    """Raise if the log density is not finite at the centre of the prior."""
    if not np.isfinite(compiled.log_density(compiled.centre)[0]):
        raise SamplingError(
            "the log density is not finite at the centre of the prior: some evidence is impossible there; "
            "`reeuncert check` lists rows that contradict each other, and model.point_logps() names the term"
        )


def with_good_starts(compiled: CompiledModel) -> CompiledModel:
    """The compiled model, with a good start for every chain."""
    return compiled.with_starts(lambda seed: good_start(compiled, _as_seed(seed)))


def _as_seed(seed: object) -> int:
    return int(np.random.default_rng(seed).integers(2**63)) if not isinstance(seed, int) else abs(seed)  # type: ignore[arg-type]  # nutpie hands on whatever numpy takes as a seed
