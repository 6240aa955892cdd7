"""The progress of a grid on standard error: a line per event and, on a terminal, a live table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fairdistill.benching.jobs import Grid, Job
from fairdistill.benching.result import BenchResult
from fairdistill.benching.schedule import Report
from fairdistill.benching.states import standing
from fairdistill.benching.text import time_left
from fairdistill.text.telling import tell


@contextmanager
def followed(grid: Grid, now: Callable[[], BenchResult]) -> Iterator[Report]:
    """Give the function that is called with every event of a job.

    Args:
        grid: the jobs.
        now: returns the grid as it stands.
    """

    def report(job: Job, state: str) -> None:
        done = sum(standing(each).state == "done" for each in grid.jobs)
        line = f"[{done}/{len(grid.jobs)}] {job.path.name}: {state}  {standing(job).detail}"
        tell(line.rstrip())

    if not sys.stderr.isatty():
        yield report
        return
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    def table() -> Table:
        result = now()
        shown = Table("Run", "State", "", box=None, caption=time_left(result))
        for job in result.jobs:
            if job.state in ("running", "stopped"):
                shown.add_row(job.name, job.state, job.detail)
        return shown

    with Live(get_renderable=table, console=Console(stderr=True), refresh_per_second=1, transient=True):
        yield report
