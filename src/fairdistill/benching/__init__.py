"""The paper's grid of methods, seeds and data sets: planned, run in any number of goes, and tabled."""

from __future__ import annotations

from fairdistill.benching.local import run_local
from fairdistill.benching.options import BenchOptions
from fairdistill.benching.plan import Grid, Job, plan
from fairdistill.benching.tables import TableOptions, bench_table

__all__ = ["BenchOptions", "Grid", "Job", "TableOptions", "bench_table", "plan", "run_local"]
