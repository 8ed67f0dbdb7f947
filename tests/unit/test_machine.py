"""What the machine offers."""

import platform
import subprocess
import sys

import pytest

PAGES = """
import resource, sys
import numpy as np
from reeuncert.machine import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
fetched = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
before = fetched()
for _ in range(10):
    np.ones(8_000_000)
print(fetched() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked")
def test_freed_memory_serves_the_next_array():
    by_default, kept = (
        int(subprocess.run([sys.executable, "-c", PAGES, how], capture_output=True, check=True, text=True).stdout)
        for how in ("given back", "kept")
    )
    assert kept < 0.5 * by_default
