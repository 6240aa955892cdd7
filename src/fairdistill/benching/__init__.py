"""The paper's grid of methods, seeds and data sets: planned, run resumably, and put into a table."""

from __future__ import annotations

from fairdistill.benching.bench import bench
from fairdistill.benching.folder import open_grid
from fairdistill.benching.jobs import Grid, Job
from fairdistill.benching.local import run_local
from fairdistill.benching.options import BenchOptions
from fairdistill.benching.plan import plan
from fairdistill.benching.result import BenchResult, JobState
from fairdistill.benching.states import standing
from fairdistill.benching.tables import TableOptions, TableResult, TableRow, bench_table, formatted

__all__ = [
    "BenchOptions", "BenchResult", "Grid", "Job", "JobState", "TableOptions", "TableResult", "TableRow", "bench",
    "bench_table", "formatted", "open_grid", "plan", "run_local", "standing",
]  # fmt: skip
