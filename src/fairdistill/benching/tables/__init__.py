"""The table of a grid: measured values next to the published ones."""

from __future__ import annotations

from fairdistill.benching.tables.options import TableOptions
from fairdistill.benching.tables.result import Measured, Published, TableResult, TableRow
from fairdistill.benching.tables.table import bench_table
from fairdistill.benching.tables.text import formatted

__all__ = ["Measured", "Published", "TableOptions", "TableResult", "TableRow", "bench_table", "formatted"]
