"""Finished chains on disk, so that a killed run can continue.

A checkpoint is a folder: ``run.json`` identifies the run and the files of its chains, ``chain-0.nc`` …. Files are
written atomically. ``run.json`` lists everything that a chain depends on, so that chains of another case, seed, setting
or version are refused with the difference named. A model changed in code is detected by its log density and the length
of its gradient at the centre of the prior.
"""

import hashlib
import io
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import BaseModel, ConfigDict, ValidationError

from reeuncert.errors import OutputError
from reeuncert.files import cause, explained, write_whole
from reeuncert.inference.chains import Chain
from reeuncert.inference.messages import Messages
from reeuncert.inference.provenance import fresh_seed
from reeuncert.result.netcdf import tree_bytes

FOLDER = "reeuncert-checkpoint"
"""Name of a checkpoint inside the folder of the results."""
MANIFEST = "run.json"
SAME = 1e-6
"""Relative tolerance of equal log densities."""

Identity = Mapping[str, str | bool | int | float]


class Stored(BaseModel):
    """Content of ``run.json``: all that the chains depend on, the log density and length of its gradient at the centre
    of the prior, when the first chain was stored, and the SHA-256 of the file of each chain.
    """

    model_config = ConfigDict(ser_json_inf_nan="constants")

    format: Literal["reeuncert checkpoint 3"] = "reeuncert checkpoint 3"
    created: str
    identity: dict[str, str | bool | int | float]
    density: tuple[float, float]
    chains: dict[int, str] = {}

    def __str__(self) -> str:
        wanted = self.identity.get("chains", "?")
        return f"{len(self.chains)} of {wanted} chains, seed {self.identity.get('seed', '?')}, begun {self.created}"


def _file(folder: Path, number: int) -> Path:
    return folder / f"chain-{number}.nc"


def find_checkpoint(folder: Path) -> Stored | None:
    """Content of a checkpoint folder; None if it has no chain. Chains that cannot be identified are an error."""
    if not any(folder.glob("chain-*")):
        return None
    again = "delete that folder to start over"
    with explained(f"cannot read the checkpoint in '{folder}'", again):
        content = (folder / MANIFEST).read_bytes()
    try:
        found = Stored.model_validate_json(content)
    except ValidationError as error:
        wrong = error.errors()[0]
        why = f"{MANIFEST}: {' '.join(map(str, wrong['loc']))}: {wrong['msg']}"
        raise OutputError(f"the checkpoint in '{folder}' cannot be read ({why}); {again}") from error
    found.chains = {number: digest for number, digest in found.chains.items() if _file(folder, number).is_file()}
    return found if found.chains else None


def seed_of(asked: int | None, resumed: Stored | None) -> int:
    """The seed of a run: that which is asked for, that of the chains that are resumed, or a fresh one."""
    held = None if resumed is None else resumed.identity.get("seed")
    if asked is None and isinstance(held, int):
        return held
    return fresh_seed() if asked is None else int(asked)


def discard_checkpoint(folder: Path) -> None:
    """Remove a checkpoint; the manifest first, so that an interrupted removal leaves no valid checkpoint."""
    (folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Checkpoint:
    """Stores the chains of one run, and returns those of an earlier run with the same identity.

    The identity is all that the draws depend on, as plain values. ``earlier``: what `find_checkpoint` has found, where
    the run resumes. The folder is created with the first chain; a checkpoint of another run is kept until then.
    """

    folder: Path
    identity: Identity
    earlier: Stored | None
    messages: Messages
    _own: Stored | None = field(default=None, repr=False)
    _density: tuple[float, float] = field(default=(math.nan, math.nan), repr=False)
    _given_up: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse, before compilation, chains of another run, with what differs."""
        different = [] if self.earlier is None else _differences(self.earlier.identity, dict(self.identity))
        if different:
            raise OutputError(
                f"the checkpoint in '{self.folder}' is of another run: {'; '.join(different)}. "
                "Resume with the settings of that run, or run without --resume to start over"
            )

    def begin(self, density: tuple[float, float]) -> dict[int, Chain]:
        """Chains to continue with, by number.

        ``density`` is the log density of the model and the length of its gradient (0 if unknown) at the centre of the
        prior: with other values the stored chains are of a changed model, which is an error.
        """
        self._density, self._own = density, self.earlier
        if self._own is None:
            return {}
        if not np.allclose(density, self._own.density, rtol=SAME, atol=0.0):
            raise OutputError(
                f"the checkpoint in '{self.folder}' is of another model: its log density at the centre of the prior is "
                f"{self._own.density[0]:.8g} there and {density[0]:.8g} here. The code has changed since; "
                "run without --resume to start over"
            )
        read = {number: self._read(number, digest) for number, digest in sorted(self._own.chains.items())}
        return {number: chain for number, chain in read.items() if chain is not None}

    def _read(self, number: int, digest: str) -> Chain | None:
        try:
            content = _file(self.folder, number).read_bytes()
        except OSError as error:
            why = cause(error)
        else:
            if hashlib.sha256(content).hexdigest() == digest:
                with xr.open_datatree(io.BytesIO(content), engine="h5netcdf") as tree:
                    posterior, stats = (tree[name].to_dataset().load() for name in ("posterior", "sample_stats"))
                    return Chain(posterior, stats)
            why = "it was damaged, or is of another run"
        self.messages.say(f"Stored chain {number} cannot be read ({why}); it is sampled again.")
        return None

    def store(self, number: int, chain: Chain) -> None:
        """Store a chain. A failure is reported once and does not stop the run."""
        if self._given_up:
            return
        groups = {"posterior": chain.posterior.drop_attrs(), "sample_stats": chain.sample_stats.drop_attrs()}
        try:
            content = tree_bytes(xr.DataTree.from_dict(groups), {})
            if self._own is None:
                discard_checkpoint(self.folder)
                self.folder.mkdir(parents=True, exist_ok=True)
                created = datetime.now(UTC).isoformat(timespec="seconds")
                self._own = Stored(created=created, identity=dict(self.identity), density=self._density)
            self._own.chains[number] = hashlib.sha256(content).hexdigest()
            write_whole(self.folder / MANIFEST, self._own.model_dump_json(indent=2).encode())
            write_whole(_file(self.folder, number), content)
        except (OSError, OutputError) as error:
            self._given_up = True
            why = cause(error) if isinstance(error, OSError) else error
            self.messages.say(
                f"A finished chain could not be stored in '{self.folder}' ({why}); "
                "the run goes on, but if it is killed this chain is lost."
            )


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Differences between two runs, as text."""
    said = {"model_sha256": "the system, the priors, the evidence or the covariates of the case have changed"}
    return [
        said.get(name, f"{name} is {there.get(name)} there and {here.get(name)} here")
        for name in sorted({*there, *here})
        if there.get(name) != here.get(name)
    ]
