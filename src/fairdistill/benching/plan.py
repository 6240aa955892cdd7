"""From a grid of methods and seeds to jobs: a job is one run, and its id a hash of what it will compute."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from fairdistill import data, methods
from fairdistill.benching.jobs import Grid, Job
from fairdistill.benching.options import BenchOptions
from fairdistill.contract import former_names
from fairdistill.errors import UsageError
from fairdistill.training import TrainOptions, computed, resolve


def plan(name: str, options: BenchOptions) -> Grid:
    """Return the jobs of a grid.

    Args:
        name: the data set.
        options: of the grid.

    Raises:
        UsageError: for methods, options or data sets that do not exist or do not fit.
    """
    if data.is_path(name):
        raise UsageError(f"unknown data set {name!r}; bench runs on {', '.join(data.DATASETS)}")
    named = "" if options.recipe == "default" else f"-{options.recipe}"
    path = Path(options.out or f"bench/{name}-{options.protocol}{named}").absolute()
    base = TrainOptions(
        data=name,
        data_root=None if options.data_root is None else str(Path(options.data_root).absolute()),
        data_options=dict(options.data_options),
        model=options.model,
        protocol=options.protocol,
        recipe=options.recipe,
        device=options.run_device,
        precision=options.precision,
        compile=options.compile,
        cache_dir=str(path / ".teacher-cache"),
    )
    jobs: dict[str, Job] = {}
    epochs = options.epochs if options.steps is None else None
    for seed in options.run_seeds:
        teacher = None
        if any(methods.parse(row, data=name).teacher_taps for row in options.rows):
            taught = replace(base, method="scratch", seed=seed, epochs=max(options.teacher_epochs or 50, epochs or 0))
            teacher = _job(taught, path, None)
            jobs.setdefault(teacher.id, teacher)
        for row in options.rows:
            wanted = replace(base, method=row, seed=seed, epochs=epochs, steps=options.steps)
            needs = teacher if methods.parse(row, data=name).teacher_taps else None
            job = _job(wanted, path, needs)
            jobs.setdefault(job.id, job)
    return Grid(path, tuple(jobs.values()))


def _job(options: TrainOptions, path: Path, teacher: Job | None) -> Job:
    resolved = resolve(options)
    method = methods.parse(resolved.method, data=resolved.data)
    identity = computed(resolved) | {
        "method": method.name,
        "set": former_names(method.settings),
        "teacher": None if teacher is None else teacher.id,
    }
    text = json.dumps(identity, sort_keys=True, default=str)
    id_ = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
    out = path / f"{method.name}-seed{resolved.seed}-{id_}"
    given = replace(
        options,
        method=method.name,
        data_options=resolved.data_options,  # all paths are absolute: a worker may have another current folder
        out=str(out),
        teacher=None if teacher is None else str(teacher.path),
    )
    return Job(id_, method.name, resolved.seed, given, None if teacher is None else teacher.id)
