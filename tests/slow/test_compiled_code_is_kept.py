"""What was compiled once is never compiled again: not in a second process, and not for another network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import json, sys
from numba.core import event
import numpy as np, pytensor, pytensor.tensor as pt
from networks import path_factor, trade_system
from reeuncert.balance.network import Network
from reeuncert.balance.op import balanced_flows_with_jacobian, path_affine

compiled = []

class Listener(event.Listener):
    def on_start(self, event):
        pass
    def on_end(self, event):
        compiled.append(event.data["dispatcher"].py_func.__name__)

network = Network.from_system(trade_system(n_regions=int(sys.argv[1]), n_years=int(sys.argv[2])))
z = pt.dvector("z")
with event.install_listener("numba:compile", Listener()):
    log_flow, log_jacobian = balanced_flows_with_jacobian(path_affine(z, 0.5, path_factor(network)), network)
    loss = (log_flow**2).sum() + log_jacobian
    value, _ = pytensor.function([z], [loss, pytensor.grad(loss, z)])(np.zeros(network.n_coordinates))
print(json.dumps({"value": float(value), "compiled": compiled}))
"""


def run(folder: Path, *arguments: int) -> dict:
    tests = Path(__file__).parents[1]
    environment = {**os.environ, "PYTENSOR_FLAGS": f"base_compiledir={folder}", "PYTHONPATH": str(tests)}
    command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_a_second_process_and_another_network_compile_nothing(tmp_path):
    first = run(tmp_path, 2, 2)
    assert "forward" in first["compiled"]
    again = run(tmp_path, 2, 2)
    assert again == {"value": first["value"], "compiled": []}
    other = run(tmp_path, 3, 4)
    assert other["compiled"] == []
    assert other["value"] != first["value"]
