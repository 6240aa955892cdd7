"""Train as much of the paper's Table 2 as one GPU can in a given time: CIFAR-10S, twelve rows, 50 epochs.

    python -m benchmarks.gpu --data-root DIR --out FOLDER --minutes 10 [--workers 16] [--seeds 0-1] [--together]

Needs this repository, the official CIFAR-10 files in DIR and a GPU. It first times one teacher and one mfd run alone
(unless --together), then trains the other runs, several at a time. A small network leaves most of a GPU idle, so start
NVIDIA's multi-process service first (`nvidia-cuda-mps-control -d`); without it the processes take turns. The benchmark
stops when the time is up and resumes when it is called again with the same FOLDER. `FOLDER/rows.json` holds one entry
per finished run and an estimate for the whole table.
To try it without a GPU, use tiny settings: --data digits-s --epochs 1 --seeds 0.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.timing import hardware
from fairdistill.benching import BenchOptions, bench_table
from fairdistill.benching.folder import open_grid
from fairdistill.benching.jobs import Grid, Job
from fairdistill.benching.local import run_local
from fairdistill.benching.plan import plan
from fairdistill.benching.states import standing
from fairdistill.runs import RunFolder, read_json, write_json
from fairdistill.text.durations import format_seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="cifar10s")
    parser.add_argument("--data-root", default=os.environ.get("FAIRDISTILL_DATA"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True, help="stop after this time, with everything saved")
    parser.add_argument("--workers", type=int, default=8, help="runs that share the GPU")
    parser.add_argument("--methods", default="all")
    parser.add_argument("--seeds", default="0-3")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--together", action="store_true", help="do not time a teacher and an mfd run alone first")
    parser.add_argument("--compile", action="store_true", help="compile the students; worth it for long runs alone")
    parser.add_argument("--cuda-graph", action="store_true", help="record the students' steps as CUDA graphs")
    given = parser.parse_args()
    deadline = time.monotonic() + 60 * given.minutes
    options = BenchOptions(
        methods=given.methods, seeds=given.seeds, protocol="paper", epochs=given.epochs, teacher_epochs=given.epochs,
        data_root=given.data_root, out=str(given.out), workers=given.workers, compile=given.compile,
        cuda_graph=given.cuda_graph,
    )  # fmt: skip
    grid = plan(given.data, options)
    open_grid(grid.path, given.data, "paper")
    alone = _timed_alone(grid)
    if not given.together:
        run_local(alone, workers=1, report=_say, seconds=deadline - time.monotonic())
    before, start = _done(grid), time.monotonic()
    if (given.together or all(standing(job).state == "done" for job in alone.jobs)) and start < deadline:
        run_local(grid, workers=given.workers, report=_say, seconds=deadline - start)
    done, took = _done(grid), time.monotonic() - start
    new = [job for job in done if job not in before]
    content = _rows(grid, alone, new, took, given.workers, together=given.together)
    write_json(given.out / "rows.json", content)
    if done:
        print(bench_table(given.out))
    print(f"{len(done)} of {len(grid.jobs)} runs are done; {content['projection']}; written: {given.out / 'rows.json'}")
    return 0


def _timed_alone(grid: Grid) -> Grid:
    """Return the first mfd run and its teacher: what is timed with nothing beside it."""
    by_id = {job.id: job for job in grid.jobs}
    mfd = next((job for job in grid.jobs if job.row == "mfd"), grid.jobs[0])
    return replace(grid, jobs=(*([by_id[mfd.teacher]] if mfd.teacher else []), mfd))


def _done(grid: Grid) -> list[Job]:
    return [job for job in grid.jobs if standing(job).state == "done"]


def _say(job: Job, state: str) -> None:
    print(f"{job.path.name}: {state}  {standing(job).detail}".rstrip(), file=sys.stderr, flush=True)


def _rows(grid: Grid, alone: Grid, new: list[Job], took: float, workers: int, *, together: bool) -> dict[str, Any]:
    path = grid.path / "rows.json"
    then: dict[str, Any] = dict(read_json(path)) if path.exists() else {}
    rates = [*then.get("runs_an_hour", []), *([len(new) * 3600 / took] if len(new) >= workers else [])]
    rows = []
    for job in _done(grid):
        run = RunFolder.open(job.path)
        result = run.result
        kept = ("accuracy", "deo_a", "deo_m", "seconds", "samples_per_second", "peak_memory_bytes", "collapsed")
        rows.append({"row": job.row, "seed": job.seed, "id": job.id, **{name: result[name] for name in kept}})
    whole = "no projection yet"
    if rates:
        hours = len(grid.jobs) / (sum(rates) / len(rates))
        whole = f"at {workers} runs at a time the whole table takes about {format_seconds(3600 * hours)}"
    timed = alone.jobs[-1]
    return {
        "hardware": hardware(),
        "seconds_of_one_mfd_run_alone": None if together else standing(timed).seconds or None,
        "workers": workers,
        "runs_an_hour": rates,
        "projection": whole,
        "rows": rows,
    }


if __name__ == "__main__":
    sys.exit(main())
