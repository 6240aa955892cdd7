"""A grid and its jobs as text for a terminal."""

from __future__ import annotations

from fairdistill.benching.result import BenchResult
from fairdistill.text.durations import format_seconds


def render(result: BenchResult) -> str:
    """Return the table of a grid, or its jobs if no run is finished or there was only a dry run."""
    return overview(result) if result.table is None else result.table.text()


def overview(result: BenchResult) -> str:
    """Return one line per job, and how long the remaining ones may take."""
    lines = [f"{job.name}  {job.state}  {job.detail}".rstrip() for job in result.jobs]
    jobs = "1 job" if len(result.jobs) == 1 else f"{len(result.jobs):,} jobs"
    lines.append(f"{jobs}: {_counts(result)}; {time_left(result)}")
    if result.not_counted is not None:
        lines.append(f"The training images cannot be counted here: {result.not_counted}")
    if result.training_images is not None:
        by_trial = ""
        if result.seconds_by_trial is not None:
            by_trial = (
                f"; judging by a few steps of the first job, about {format_seconds(result.seconds_by_trial)} with "
                f"{result.workers} at a time"
            )
        lines.append(f"{result.training_images:,} training images in total{by_trial}")
    return "\n".join(lines)


def time_left(result: BenchResult) -> str:
    """Return how long the remaining jobs may take."""
    if not result.left:
        return "nothing left to do"
    if result.seconds_left is None:
        return "the time needed is not known yet"
    return f"about {format_seconds(result.seconds_left)} left with {result.workers} at a time"


def remainder(result: BenchResult) -> str:
    """Return what is left to do, and how to continue."""
    left = ", ".join(f"{count} {state}" for state, count in result.counts.items() if state != "done")
    return f"{left}; run the same command again to continue"


def _counts(result: BenchResult) -> str:
    return ", ".join(f"{count} {state}" for state, count in result.counts.items())
