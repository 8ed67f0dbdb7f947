"""Runs every script of the gallery and saves its figure in docs/images/gallery."""

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE.parent / "images" / "gallery"


def main(names: list[str]) -> None:
    """Draw the scripts named, or all."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for script in sorted(HERE.glob("plot_*.py")):
        if not names or script.stem in names:
            runpy.run_path(str(script))["figure"].savefig(TARGET / f"{script.stem}.png", dpi=90)
            print(script.stem)


if __name__ == "__main__":
    main(sys.argv[1:])
