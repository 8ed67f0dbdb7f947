"""Finished chains on disk, so that a killed run can continue.

A checkpoint is a folder: ``run.json`` identifies the run, ``chain-0.npz`` … hold its chains. Files are written
atomically. ``run.json`` lists everything that a chain depends on, so that chains of another case, seed, setting or
version are refused with the difference named. A model changed in code is detected by its log density and the length of
its gradient at the centre of the prior.
"""

import hashlib
import io
import json
import math
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from reeuncert.errors import OutputError
from reeuncert.files import cause, explained, first_line, write_whole
from reeuncert.inference.chains import Chain
from reeuncert.inference.messages import Messages

FOLDER = "reeuncert-checkpoint"
"""Name of a checkpoint inside the folder of the results."""
MANIFEST = "run.json"
FORMAT = "reeuncert checkpoint 2"
MOST_MANIFEST = 1_000_000
SAME = 1e-6
"""Relative tolerance of equal log densities."""

_UNREADABLE = (
    OSError, ValueError, TypeError, AttributeError, LookupError, EOFError, RecursionError, NotImplementedError,
    zipfile.BadZipFile,
)  # fmt: skip
"""What NumPy and zipfile raise for a damaged or foreign array file: its bytes lead into any of their branches."""

Identity = Mapping[str, str | int | float]


@dataclass(frozen=True)
class Stored:
    """Content of a checkpoint: all that its chains depend on, the log density and length of its gradient at the centre
    of the prior, when its first chain was stored, and the files of its chains by number.
    """

    identity: dict[str, str | int | float]
    density: tuple[float, float]
    created: str
    chains: dict[int, Path]

    @property
    def key(self) -> str:
        return _key(self.identity)

    def __str__(self) -> str:
        wanted = self.identity.get("chains", "?")
        return f"{len(self.chains)} of {wanted} chains, seed {self.identity.get('seed', '?')}, begun {self.created}"


def find_checkpoint(folder: Path) -> Stored | None:
    """Content of a checkpoint folder; None if it has no chain. Chains that cannot be identified are an error."""
    chains = {int(p.stem[6:]): p for p in sorted(folder.glob("chain-*.npz")) if p.stem[6:].isdecimal()}
    if not chains:
        return None
    with explained(f"cannot read the checkpoint in '{folder}'", "delete that folder to start over"):
        try:
            if (folder / MANIFEST).stat().st_size > MOST_MANIFEST:
                raise ValueError("it is too large")
            content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            return _manifest(content, chains)
        except (ValueError, FileNotFoundError, RecursionError) as error:
            raise OutputError(
                f"the checkpoint in '{folder}' cannot be read ({first_line(error)}); delete that folder to start over"
            ) from error


def _manifest(content: Any, chains: dict[int, Path]) -> Stored:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{MANIFEST} is not of the format '{FORMAT}'")
    identity, density, created = (content.get(k) for k in ("identity", "density", "created"))
    plain = isinstance(identity, dict) and all(isinstance(v, str | int | float) for v in identity.values())
    numbers = isinstance(density, list) and len(density) == 2 and all(isinstance(v, int | float) for v in density)
    if not plain or not numbers or not isinstance(created, str):
        raise ValueError(f"{MANIFEST} lacks a part")
    assert isinstance(identity, dict)
    assert isinstance(density, list)
    return Stored(identity, (float(density[0]), float(density[1])), created, chains)


def discard_checkpoint(folder: Path) -> None:
    """Remove a checkpoint; the manifest first, so that an interrupted removal leaves no valid checkpoint."""
    (folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Checkpoint:
    """Stores the chains of one run, and returns those of an earlier run with the same identity.

    The identity is all that the draws depend on, as plain values. The folder is created with the first chain; a
    checkpoint of another run is kept until then.
    """

    folder: Path
    identity: Identity
    resume: bool
    messages: Messages
    _density: tuple[float, float] = field(default=(math.nan, math.nan), repr=False)
    _mine: bool = field(default=False, repr=False)
    _given_up: bool = field(default=False, repr=False)

    def refuse_other(self) -> None:
        """Raise, before compilation, if the stored chains are of another run, with what differs."""
        found = find_checkpoint(self.folder) if self.resume else None
        if found is None:
            return
        different = _differences(found.identity, dict(self.identity))
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
        self.refuse_other()
        self._density = density
        found = find_checkpoint(self.folder) if self.resume else None
        if found is None:
            return {}
        if not np.allclose(self._density, found.density, rtol=SAME, atol=0.0):
            raise OutputError(
                f"the checkpoint in '{self.folder}' is of another model: its log density at the centre of the prior is "
                f"{found.density[0]:.8g} there and {density[0]:.8g} here. The code has changed since; "
                "run without --resume to start over"
            )
        self._mine = True
        chains = {}
        for number, path in found.chains.items():
            try:
                chains[number] = _read_chain(path, found.key, int(self.identity["draws"]))
            except _UNREADABLE as error:
                self.messages.say(f"Stored chain {number} cannot be read ({first_line(error)}); it is sampled again.")
        return {number: chain for number, chain in chains.items() if number < int(self.identity["chains"])}

    def store(self, number: int, chain: Chain) -> None:
        """Store a chain. A failure is reported once and does not stop the run."""
        if self._given_up:
            return
        try:
            if not self._mine:
                discard_checkpoint(self.folder)
                self.folder.mkdir(parents=True, exist_ok=True)
                created = datetime.now(UTC).isoformat(timespec="seconds")
                content = {"format": FORMAT, "created": created, "identity": dict(self.identity)}
                text = json.dumps(content | {"density": list(self._density)}, indent=2)
                write_whole(self.folder / MANIFEST, text.encode())
                self._mine = True
            write_whole(self.folder / f"chain-{number}.npz", _chain_bytes(chain, number, _key(self.identity)))
        except OSError as error:
            self._given_up = True
            self.messages.say(
                f"A finished chain could not be stored in '{self.folder}' ({cause(error)}); "
                "the run goes on, but if it is killed this chain is lost."
            )


def _key(identity: Identity) -> str:
    return hashlib.sha256(json.dumps(dict(identity), sort_keys=True).encode()).hexdigest()


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Differences between two runs, as text."""
    found = []
    for name in sorted({*there, *here}):
        one, other = there.get(name), here.get(name)
        if one == other:
            continue
        if name == "model_sha256":
            found.append("the system, the priors, the evidence or the covariates of the case have changed")
        else:
            found.append(f"{name} is {one} there and {other} here")
    return found


def _chain_bytes(chain: Chain, number: int, key: str) -> memoryview:
    """A chain as an uncompressed ``.npz`` of plain arrays; zip stores a checksum of each."""
    arrays: dict[str, np.ndarray] = {}
    layout: dict[str, Any] = {"key": key, "chain": number}
    for group, data in (("posterior", chain.posterior), ("sample_stats", chain.sample_stats)):
        layout[group] = {}
        for name, variable in {**data.coords, **data.data_vars}.items():
            values = variable.values
            arrays[f"{group}/{name}"] = values.astype(str) if values.dtype.kind == "O" else values
            layout[group][str(name)] = [list(map(str, variable.dims)), name in data.coords, values.dtype.kind == "O"]
    content = io.BytesIO()
    arrays["layout"] = np.array(json.dumps(layout))
    try:
        np.savez(content, **arrays)  # type: ignore[arg-type]  # its one other argument is not among these names
    except ValueError as error:
        # Out of memory, file and archive cannot be closed either, and these errors hide the first.
        hidden: BaseException | None = error
        while hidden is not None and not isinstance(hidden, MemoryError):
            hidden = hidden.__context__
        if hidden is not None:
            raise hidden from None
        raise
    return content.getbuffer()


def _read_chain(path: Path, key: str, draws: int) -> Chain:
    with zipfile.ZipFile(path) as container:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in container.infolist()):
            raise ValueError("it is compressed, which ours are not")  # prevents decompression bombs
    with np.load(path, allow_pickle=False) as file:
        layout = json.loads(str(file["layout"]))
        if not isinstance(layout, dict) or layout.get("key") != key:
            raise ValueError("it is of another run")
        groups = []
        for group in ("posterior", "sample_stats"):
            variables: dict[str, xr.Variable] = {}
            coordinates: dict[str, xr.Variable] = {}
            for name, (dims, is_coordinate, is_object) in layout[group].items():
                values = file[f"{group}/{name}"]
                variable = xr.Variable(dims, values.astype(object) if is_object else values)
                (coordinates if is_coordinate else variables)[name] = variable
            groups.append(xr.Dataset(variables, coords=coordinates))
    chain = Chain(groups[0], groups[1])
    if chain.draws != draws or chain.posterior.sizes.get("chain") != 1:
        raise ValueError(f"it holds {chain.draws} draws, not {draws}")
    return chain
