"""Fuzz one reader with coverage guidance: ``python tests/fuzz/run_atheris.py TARGET SECONDS [SEED]``.

Needs ``pip install atheris`` in an environment that can import the package. Prints the number of inputs executed at the
end; a defect stops the run with its traceback, and the input that caused it is kept as ``crash-…`` in the current folder.
Targets are those of ``tests/fuzz/targets.py``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path


def main(target: str, seconds: str, seed: str = "1") -> None:
    """Run libFuzzer on one target."""
    import atheris

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    with atheris.instrument_imports(include=["reeuncert", "tomllib", "csv", "json", "fuzz"]):
        from fuzz.targets import TARGETS, WORDS, seeds

    corpus = Path(tempfile.mkdtemp(prefix=f"corpus-{target}-"))
    for number, content in enumerate(seeds(target)):
        (corpus / f"seed-{number}").write_bytes(content)
    words = corpus.with_suffix(".dict")
    words.write_text("".join(f'"{w}"\n' for w in WORDS if w.isascii() and '"' not in w and "\\" not in w))
    run = TARGETS[target]
    arguments = [sys.argv[0], str(corpus), f"-dict={words}", f"-max_total_time={seconds}", f"-seed={seed}"]
    atheris.Setup([*arguments, "-max_len=20000", "-timeout=30", "-rss_limit_mb=4000", "-print_final_stats=1"], lambda d: run(d) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
