"""What the machine offers."""

import platform
import subprocess
import sys

import pytest


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked")
def test_freed_memory_serves_the_next_array():
    pages = (
        "import resource, numpy as np\n"
        "for _ in range(5): np.ones(8_000_000)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)\n"
    )
    keep = "from reeuncert.machine import keep_freed_memory\nkeep_freed_memory()\n"
    by_default, kept = (
        int(subprocess.run([sys.executable, "-c", first + pages], capture_output=True, check=True, text=True).stdout)
        for first in (keep.replace("\nkeep", "\n# "), keep)
    )
    assert kept < 0.5 * by_default
