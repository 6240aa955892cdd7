"""A small grid, and what its runs found."""

from __future__ import annotations

from pathlib import Path

from fairdistill.benching.folder import open_grid
from fairdistill.benching.jobs import Grid, Job
from fairdistill.benching.options import BenchOptions
from fairdistill.benching.plan import plan
from fairdistill.models.files.weights import read_weights, weights_digest
from fairdistill.runs.folder import RunFolder

GRID = {"protocol": "honest", "seeds": "0", "epochs": 8, "teacher_epochs": 8, "precision": "float32"}


def small_grid(out: Path, methods: str, **options) -> Grid:
    grid = plan("digits-s", BenchOptions(methods=methods, out=str(out), **{**GRID, **options}))
    open_grid(grid.path, "digits-s", "honest")
    return grid


def outcome(job: Job) -> tuple[dict, str]:
    """Return what a run found, without what depends on time, and a digest of its weights."""
    run = RunFolder.open(job.path)
    found = {key: value for key, value in run.result.items() if not key.startswith(("seconds", "samples_", "peak_"))}
    return found, weights_digest(read_weights(run.path / "model.safetensors")[0])


def assert_same(job: Job, reference: Grid) -> Job:
    """Check that a job found what the same job of the reference did, and return that."""
    (same,) = (other for other in reference.jobs if other.id == job.id)
    assert outcome(job) == outcome(same)
    return same
