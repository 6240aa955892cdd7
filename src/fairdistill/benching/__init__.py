"""The paper's grid of methods, seeds and data sets: planned, run (resuming where it stopped), and put into a table."""

from __future__ import annotations

from fairdistill.benching.bench import bench
from fairdistill.benching.options import BenchOptions, ComputeOptions, EngineOptions, GridOptions
from fairdistill.benching.result import BenchResult, JobState
from fairdistill.benching.tables import (
    Measured,
    Published,
    TableOptions,
    TableResult,
    TableRow,
    bench_table,
    formatted,
)

__all__ = [
    "BenchOptions", "BenchResult", "ComputeOptions", "EngineOptions", "GridOptions", "JobState", "Measured",
    "Published", "TableOptions", "TableResult", "TableRow", "bench", "bench_table", "formatted",
]  # fmt: skip
