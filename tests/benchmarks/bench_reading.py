"""How long a case of many regions takes to read and check: `uv run python tests/benchmarks/bench_reading.py`.

Every region trades with every other in 23 years, and every trade is reported. Times are CPU seconds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from networks import write_trade_case
from reeuncert.validation.reader import read_case

REGIONS = (10, 30, 60)


def main() -> None:
    print("regions  flow-years     rows  CPU seconds")
    for n_regions in REGIONS:
        with tempfile.TemporaryDirectory() as folder:
            write_trade_case(Path(folder) / "large", n_regions)
            start = time.process_time()
            case = read_case(Path(folder) / "large")
            seconds = time.process_time() - start
        print(f"{n_regions:7}{int(case.system.exists.sum()):12,}{len(case.evidence):9,}{seconds:13.1f}")


if __name__ == "__main__":
    main()
