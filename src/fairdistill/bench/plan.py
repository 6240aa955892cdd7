"""From a grid of methods and seeds to jobs: a job is one run, and its id the hash of what it will compute."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fairdistill import data, methods, paper
from fairdistill._version import __version__
from fairdistill.config import check_seed, check_types
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.runs import read_json, write_json
from fairdistill.runtime import Precision
from fairdistill.training import TrainOptions
from fairdistill.training.identity import computed
from fairdistill.training.options import Protocol
from fairdistill.training.setup import resolve


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """A grid of runs, and how they are run."""

    methods: str = "all"
    """Rows, comma-separated, such as scratch,ss,mfd; all: the paper's twelve."""
    seeds: str = "0-3"
    """Run seeds, such as 0,1,2 or 0-7."""
    protocol: Protocol = "paper"
    """paper: the paper's own rules, for checking its tables; honest: the same steps for every row, chosen on validation
    data."""
    epochs: int | None = None
    """Budget of every row in passes over the training set; default 50."""
    steps: int | None = None
    """Budget of every row in optimizer steps, instead of --epochs; honest protocol alone."""
    teacher_epochs: int | None = None
    """Budget of the teachers, which a smaller budget of the rows does not shrink; default 50, or --epochs if that is
    more."""
    model: str | None = None
    """Network of teachers and students, as for train; default: the data set's."""
    data_root: str | None = field(default=None, metadata={"also": "--root"})
    """Folder with the data files; default: $FAIRDISTILL_DATA."""
    out: str | None = None
    """Folder of the grid; default: bench/DATA-PROTOCOL."""
    workers: int = 1
    """Runs at a time; they share the processor's threads, or the GPU."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:N."""
    precision: Precision = "auto"
    """auto: bfloat16 autocast where the processor has it in hardware, else float32."""
    compile: bool = False
    """Compile the students with torch.compile."""
    dry_run: bool = False
    """Say what would be run, and how long it may take, and stop."""

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("epochs", "steps", "teacher_epochs", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"expected {name} to be at least 1, but got {value}")
        if self.epochs is not None and self.steps is not None:
            raise UsageError(f"epochs={self.epochs} and steps={self.steps} exclude each other; give one")
        if self.steps is not None and self.protocol == "paper":
            raise UsageError(
                "--steps gives every row the same number of steps, which is what --protocol honest is; the paper's "
                "rules count in epochs of each method's own sampler: give --epochs"
            )
        _ = self.rows, self.run_seeds

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows by their canonical names, each once, in the paper's order."""
        if self.methods.strip() == "all":
            return paper.ROWS
        named = [methods.canonical(name) for name in self.methods.split(",")]
        return tuple(dict.fromkeys([*(row for row in paper.ROWS if row in named), *named]))

    @property
    def run_seeds(self) -> tuple[int, ...]:
        """The seeds, each once, as given."""
        found: list[int] = []
        for part in self.seeds.split(","):
            first, dash, last = part.strip().partition("-")
            if not first.isdecimal() or (dash and not last.isdecimal()):
                raise UsageError(f"expected seeds such as 0,1,2 or 0-7, but got {self.seeds!r}")
            found += range(int(first), int(last) + 1) if dash else [int(first)]
        if not found:
            raise UsageError(f"expected seeds such as 0,1,2 or 0-7, but got {self.seeds!r}, which is none")
        for seed in found:
            check_seed("seeds", seed)
        return tuple(dict.fromkeys(found))


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
        data_root=options.data_root,
        data_options=dict(data_options),
        model=options.model,
        protocol=options.protocol,
        device=options.device,
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
    given = replace(options, method=method.name, out=str(out), teacher=None if teacher is None else str(teacher.path))
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
