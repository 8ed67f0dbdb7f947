"""The callbacks that nutpie calls: the same numbers as nutpie's own, found again in a second process."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys

import numpy as np
import nutpie
import pymc as pm
import pytensor.tensor as pt
import pytest
from pytensor.compile.ops import wrap_py

from reeuncert.inference.compiled import CompiledModel, compile_model
from reeuncert.inference.trajectories import evaluate, expand_draws


def some_model() -> pm.Model:
    with pm.Model(coords={"k": range(3)}) as model:
        matrix = pm.Data("matrix", np.arange(6.0).reshape(2, 3))
        scale = pm.Data("scale", np.array(2.0))
        x = pm.Normal("x", [0.0, 1.0, 2.0], scale, dims="k")
        s = pm.HalfNormal("s", 1.0)
        y = pm.Deterministic("y", matrix @ x)
        pm.Normal("seen", y, s, observed=np.array([0.5, 1.5]))
    return model


def expanded(compiled: CompiledModel, point: np.ndarray) -> np.ndarray:
    theirs = compiled.compiled
    out = np.full(theirs.n_expanded, np.nan)
    assert expand_draws(theirs.compiled_expand_func, compiled.user, point[None], out[None])
    return out


def density_of(theirs, point: np.ndarray) -> tuple[float, np.ndarray]:
    """What nutpie's own function gives."""
    value, gradient = np.zeros(1), np.zeros(point.size)
    pointers = [a.ctypes.data_as(ctypes.POINTER(ctypes.c_double)) for a in (point, gradient, value)]
    assert theirs.compiled_logp_func.ctypes(point.size, *pointers, theirs.user_data.ctypes.data) == 0
    return value[0], gradient


@pytest.fixture(scope="module")
def ours() -> CompiledModel:
    return compile_model(some_model())


def test_density_gradient_and_stored_values_are_those_of_nutpie(ours):
    theirs = nutpie.compile_pymc_model(some_model())
    point = np.array([0.3, -0.2, 1.1, 0.4])
    for one, other in ((ours, theirs), (ours.with_data(scale=0.7), theirs.with_data(scale=0.7))):
        value, gradient = one.log_density(point)
        value_theirs, gradient_theirs = density_of(other, point)
        np.testing.assert_allclose(value, value_theirs, rtol=1e-12)
        np.testing.assert_allclose(gradient, gradient_theirs, rtol=1e-12)
    np.testing.assert_allclose(expanded(ours, point), [*point, np.exp(0.4), 0 - 0.2 + 2.2, 0.9 - 0.8 + 5.5])
    assert ours.compiled.shapes == theirs.shapes
    assert list(ours.compiled.coords["unconstrained_parameter"]) == list(theirs.coords["unconstrained_parameter"])


def test_a_point_of_another_size_or_without_a_density_is_refused(ours):
    assert np.isnan(evaluate(ours.compiled.compiled_logp_func, ours.user, np.zeros(3), np.zeros(3)))
    assert ours.log_density(np.array([0.0, 0.0, 0.0, np.inf])) == (-np.inf, pytest.approx(np.zeros(4)))


def test_a_model_that_cannot_be_kept_on_disk_is_compiled_all_the_same():
    @wrap_py(itypes=[pt.dvector], otypes=[pt.dvector])
    def doubled(x):
        return 2 * x

    with pm.Model() as model:
        x = pm.Normal("x", shape=2)
        pm.Deterministic("twice", doubled(x))
    compiled = compile_model(model)
    np.testing.assert_allclose(expanded(compiled, np.array([1.0, 3.0])), [1, 3, 2, 6])


SCRIPT = """
import json
from numba.core import event
from test_callbacks import some_model
from reeuncert.inference.compiled import compile_model

compiled = []

class Listener(event.Listener):
    def on_start(self, event):
        pass
    def on_end(self, event):
        compiled.append(event.data["dispatcher"].py_func.__name__)

with event.install_listener("numba:compile", Listener()):
    model = compile_model(some_model())
print(json.dumps({"value": model.log_density([0.3, -0.2, 1.1, 0.4])[0], "compiled": compiled}))
"""


@pytest.mark.slow
def test_a_second_process_compiles_neither_callback(tmp_path):
    environment = {
        **os.environ,
        "PYTENSOR_FLAGS": f"base_compiledir={tmp_path}",
        "PYTHONPATH": os.path.dirname(__file__),
    }
    runs = []
    for _ in range(2):
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    first, second = runs
    assert {"logp_callback", "expand_callback"} <= set(first["compiled"])
    assert second == {"value": first["value"], "compiled": []}
