"""From a grid of methods and seeds to jobs: a job is one run, and its id the hash of what it will compute."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fairdistill import data, methods
from fairdistill._version import __version__
from fairdistill.benching.options import BenchOptions
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.runs import read_json, write_json
from fairdistill.training import TrainOptions
from fairdistill.training.identity import computed
from fairdistill.training.resolving import resolve

# Options that say where things are: other ones on another machine.
_PLACES = ("data_root", "out", "teacher", "cache_dir")


@dataclass(frozen=True)
class Job:
    """One run of a grid.

    Attributes:
        id: hash of its resolved configuration; a student's holds its teacher's id.
        row: the method.
        seed: of the run.
        options: of the run; ``out`` and ``teacher`` are folders of the grid.
        teacher: the id of its teacher's job, None without one.
    """

    id: str
    row: str
    seed: int
    options: TrainOptions
    teacher: str | None

    @property
    def path(self) -> Path:
        """Its run folder."""
        return Path(str(self.options.out))

    @property
    def places(self) -> dict[str, str | None]:
        """The options that say where things are."""
        return {name: getattr(self.options, name) for name in _PLACES}

    def moved(self, folder: Path) -> Job:
        """Return the job with its run, its teacher's and the teacher's cache in another folder."""
        own, teacher = self.options, self.options.teacher
        options = replace(
            own,
            out=str(folder / self.path.name),
            teacher=None if teacher is None else str(folder / Path(teacher).name),
            cache_dir=str(folder / Path(str(own.cache_dir)).name),
        )
        return replace(self, options=options)


@dataclass(frozen=True)
class Grid:
    """Jobs, teachers before their students.

    Attributes:
        path: folder of the grid.
        jobs: each once; a teacher of another budget than the rows is one more row of the table.
    """

    path: Path
    jobs: tuple[Job, ...]


def plan(name: str, options: BenchOptions, data_options: Mapping[str, Any]) -> Grid:
    """Return the jobs of a grid.

    Args:
        name: the data set.
        options: of the grid.
        data_options: the data set's own options.

    Raises:
        UsageError: for rows, options or data sets that do not exist or fit.
    """
    if data.is_path(name):
        raise UsageError(f"unknown data set {name!r}; the benchmark is of {', '.join(data.DATASETS)}")
    path = Path(options.out or f"bench/{name}-{options.protocol}").absolute()
    base = TrainOptions(
        data=name,
        data_root=None if options.data_root is None else str(Path(options.data_root).absolute()),
        data_options=dict(data_options),
        model=options.model,
        protocol=options.protocol,
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
        "set": dict(method.settings),
        "teacher": None if teacher is None else teacher.id,
    }
    text = json.dumps(identity, sort_keys=True, default=str)
    id_ = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
    out = path / f"{method.name}-seed{resolved.seed}-{id_}"
    given = replace(
        options,
        method=method.name,
        data_options=resolved.data_options,  # every path is absolute: a worker has another current folder
        out=str(out),
        teacher=None if teacher is None else str(teacher.path),
    )
    return Job(id_, method.name, resolved.seed, given, None if teacher is None else teacher.id)


def open_grid(path: Path, name: str, protocol: str) -> None:
    """Make the folder of a grid, or check that it is one of the same data set, protocol and version.

    Raises:
        RunFolderError: if it is another's, or cannot be written.
    """
    file, now = path / "grid.json", {"data": name, "protocol": protocol, "fairdistill": __version__}
    if file.exists():
        then = read_grid(path)
        if then != now:
            differ = ", ".join(
                f"{key} {then.get(key)} instead of {value}" for key, value in now.items() if then.get(key) != value
            )
            raise RunFolderError(f"{path} holds another grid ({differ}); give another folder with --out")
        return
    if path.exists() and any(path.iterdir()):
        raise RunFolderError(f"{path} exists and is no grid of runs; give another folder with --out")
    try:
        path.mkdir(parents=True, exist_ok=True)
        write_json(file, now)
    except OSError as error:
        raise RunFolderError(f"cannot make {path}: {error.strerror}; give another folder with --out") from error


def read_grid(path: Path) -> dict[str, Any]:
    """Return what a folder says of its grid: data, protocol, version.

    Raises:
        RunFolderError: if it is no grid.
    """
    if not (path / "grid.json").is_file():
        raise RunFolderError(
            f"{path} holds no grid.json, so it is no grid of runs; make one with: fairdistill bench DATA"
        )
    return read_json(path / "grid.json")
