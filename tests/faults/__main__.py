"""Faults on the command line."""

from __future__ import annotations

import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"  # before PyTorch loads: with another number of threads, results differ in rounding

from tests.faults.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
