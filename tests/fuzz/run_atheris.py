"""Fuzz one reader with coverage guidance: ``python tests/fuzz/run_atheris.py TARGET SECONDS [SEED]``.

Needs ``pip install atheris`` in an environment that can import the package. Prints the number of inputs executed at the
end; a defect stops the run with its traceback, and its input is kept as ``crash-…`` in the current folder. Targets are
those of ``tests/fuzz/targets.py``.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path


def main(target: str, seconds: str, seed: str = "1") -> None:
    """Run libFuzzer on one target."""
    import atheris

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    importlib.import_module("reeuncert.model")  # not instrumented: numba compiles from bytecode
    readers = ["tables", "cells", "reference", "cli.terminal", "result.io", "inference.checkpoint"]
    of_ours = [f"reeuncert.{name}" for name in readers]
    for name in [m for m in sys.modules if m.startswith(("reeuncert.case", *of_ours))]:
        del sys.modules[name]
    with atheris.instrument_imports(include=[*of_ours, "reeuncert.case", "tomllib", "csv", "json", "fuzz"]):
        from fuzz.targets import TARGETS, WORDS, seeds

    corpus = Path(tempfile.mkdtemp(prefix=f"corpus-{target}-"))
    for number, content in enumerate(seeds(target)):
        (corpus / f"seed-{number}").write_bytes(content)
    words = corpus.with_suffix(".dict")
    words.write_text("".join(f'"{w}"\n' for w in WORDS if w.isascii() and '"' not in w and "\\" not in w))
    run = TARGETS[target]
    arguments = [sys.argv[0], str(corpus), f"-dict={words}", f"-max_total_time={seconds}", f"-seed={seed}"]
    longest = max(20_000, *(2 * len(content) for content in seeds(target)), 0)
    arguments += [f"-max_len={longest}", "-timeout=60", "-rss_limit_mb=4000", "-print_final_stats=1"]
    atheris.Setup(arguments, lambda data: run(data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
