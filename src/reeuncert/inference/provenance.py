"""Provenance of a result: versions, seed, settings, hashes of case and data, times."""

import dataclasses
import hashlib
import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from reeuncert.case.records import Case
from reeuncert.case.serial import case_to_json, model_json

PACKAGES = (
    *("reeuncert", "pymc", "pytensor", "nutpie", "numba", "numpy", "scipy", "xarray", "arviz", "pandas", "h5netcdf"),
)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result depends on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # run from a source tree without installation
            found[package] = "unknown"
    return found


def case_attributes(case: Case) -> dict[str, str]:
    """Attributes that tell what was fitted: the case as JSON, its SHA-256, and that of every file it was read from."""
    return {
        "case_name": case.name,
        "case_title": case.title,
        "case_options": json.dumps(dict(case.options), sort_keys=True),
        "case_sha256": _sha256(case_to_json(dataclasses.replace(case, path="", hashes={}))),  # wherever it was read
        "file_sha256": json.dumps(dict(case.hashes), sort_keys=True),
        "case_json": case_to_json(case),
    }


def model_sha256(case: Case) -> str:
    """SHA-256 of all that the draws of a case depend on, independent of paths and formatting."""
    return _sha256(model_json(case))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def run_attributes(seconds: Mapping[str, float]) -> dict[str, str]:
    """Attributes that tell how and when: versions, machine, wall times in seconds by phase."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": json.dumps(versions()),
        "machine": f"{platform.system()} {platform.machine()}",
        "numba_fastmath": "off",
        "seconds": json.dumps({k: round(v, 2) for k, v in seconds.items()}),
    }


def fresh_seed() -> int:
    """A seed from the operating system, to be recorded beside the draws."""
    return int(np.random.SeedSequence().generate_state(1)[0] >> 1)
