"""A process of a sampler that dies under its parent."""

from __future__ import annotations

import os
import signal
import threading
import time

import pymc as pm
import pytest

from faults.processes import children
from reeuncert.errors import SamplingError
from reeuncert.inference.sample import sample
from toy.model import toy_model

SHORT = {"chains": 2, "cores": 2, "seed": 1, "prior_draws": 0, "likelihood_terms": False, "quiet": True}
MESSAGE = (
    r"a process of the sampler 'pymc' ended before its chain did \(\w+\): it was killed, or memory ran out, or its "
    r"model failed\. No draws are kept; run again with fewer chains at a time, or use 'hmc', which needs no further "
    r"processes and stores finished chains"
)


@pytest.mark.parametrize("error", [ConnectionResetError(104, "reset by peer"), EOFError(), BrokenPipeError()])
def test_what_a_broken_connection_to_a_worker_means(monkeypatch, error):
    def fail(**_):
        raise error

    monkeypatch.setattr(pm, "sample", fail)
    with pytest.raises(SamplingError, match=MESSAGE):
        sample(toy_model(), sampler="pymc", draws=10, tune=10, **SHORT)


@pytest.mark.slow
def test_a_worker_of_pymc_that_is_killed():
    before, over = set(children()), threading.Event()

    def kill() -> None:
        while not over.is_set():
            new = set(children()) - before
            if new:
                time.sleep(2.0)
                os.kill(max(new), signal.SIGKILL)
                return
            time.sleep(0.1)

    hand = threading.Thread(target=kill)
    hand.start()
    try:
        with pytest.raises(SamplingError, match=MESSAGE):
            sample(toy_model(), sampler="pymc", draws=200_000, tune=500, **SHORT)
    finally:
        over.set()
        hand.join()
    dt = sample(toy_model(), sampler="pymc", draws=50, tune=50, **{**SHORT, "cores": 1})  # the next run works
    assert dt["posterior"].sizes["draw"] == 50
