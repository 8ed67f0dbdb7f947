"""The version under which the compiled kernels of the evidence are kept: that of the text of all of them."""

from pathlib import Path

from reeuncert.compiling import kernel, source_version
from reeuncert.lanes.functions import LANE_FILES

KERNEL_FILES = ("tails.py", "packing.py", "kernels.py", "op.py", "predictive.py")
KERNEL_VERSION = source_version(*LANE_FILES, *(str(Path(__file__).parent / name) for name in KERNEL_FILES))
compiled_entry = kernel(KERNEL_VERSION)
