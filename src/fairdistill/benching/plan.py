"""From a grid of methods and seeds to jobs: a job is one run, and its id a hash of what it will compute."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fairdistill import data, methods
from fairdistill.benching.jobs import Grid, Job
from fairdistill.benching.options import BenchOptions
from fairdistill.contract import former_names
from fairdistill.errors import UsageError
from fairdistill.methods import Method
from fairdistill.training import TrainOptions, identity_of, identity_of_data, resolve


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
        cuda_graph=options.cuda_graph,
        logger=options.logger,
        cache_dir=str(path / ".teacher-cache"),
    )
    epochs = options.epochs if options.steps is None else None
    rows = [_recipe(replace(base, method=row, epochs=epochs, steps=options.steps)) for row in options.rows]
    taught = max(options.teacher_epochs or 50, epochs or 0)
    teaching = None
    if any(row.method.teacher_taps for row in rows):
        teaching = _recipe(replace(base, method="scratch", epochs=taught))
    jobs: dict[str, Job] = {}
    for seed in options.run_seeds:
        own = resolve(replace(base, seed=seed))
        teacher = None
        if teaching is not None:
            teacher = _job(teaching, own, path, None)
            jobs.setdefault(teacher.id, teacher)
        for row in rows:
            job = _job(row, own, path, teacher if row.method.teacher_taps else None)
            jobs.setdefault(job.id, job)
    return Grid(path, tuple(jobs.values()))


@dataclass(frozen=True)
class _Recipe:
    """What all seeds of a method have in common.

    Attributes:
        options: of the first seed.
        method: the method.
        identity: what its runs compute, but for the seed and the data.
    """

    options: TrainOptions
    method: Method
    identity: Mapping[str, Any]


def _recipe(options: TrainOptions) -> _Recipe:
    resolved = resolve(options)
    method = methods.parse(resolved.method, data=resolved.data)
    own = {"method": method.name, "set": former_names(method.settings)}
    return _Recipe(options, method, identity_of(resolved) | own)


def _job(recipe: _Recipe, of_seed: TrainOptions, path: Path, teacher: Job | None) -> Job:
    """Return the job of a method and a seed.

    Args:
        recipe: the method.
        of_seed: resolved options of any run with this seed, which determine the data.
        path: the folder of the grid.
        teacher: the job of its teacher.
    """
    name, seed = recipe.method.name, of_seed.seed
    identity = {
        **recipe.identity,
        "seed": seed,
        "data_options": identity_of_data(of_seed),
        "teacher": None if teacher is None else teacher.id,
    }
    text = json.dumps(identity, sort_keys=True, default=str)
    id_ = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
    own = {
        "method": name,
        "seed": seed,
        "data_options": of_seed.data_options,  # all paths are absolute: a worker may have another current folder
        "out": str(path / f"{methods.folder_name(name)}-seed{seed}-{id_}"),
        "teacher": None if teacher is None else str(teacher.path),
    }
    code = recipe.identity.get("code", {})
    return Job(id_, name, seed, recipe.options, None if teacher is None else teacher.id, own, code)
