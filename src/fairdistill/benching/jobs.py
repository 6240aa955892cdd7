"""A grid and its jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from fairdistill.system.locks import held
from fairdistill.training import TrainOptions

# Options that hold paths: they differ from machine to machine.
_PLACES = ("data_root", "out", "teacher", "cache_dir")


@dataclass(frozen=True)
class Job:
    """One run of a grid.

    Attributes:
        id: hash of its resolved configuration; that of a student includes its teacher's id.
        row: the method.
        seed: seed of the run.
        recipe: options that it shares with other jobs.
        teacher: id of the job that trains its teacher, None without one.
        own: options of its own, by name; ``out`` and ``teacher`` are folders of the grid.
        code: a hash of each file of the user's own code when the grid was planned.
    """

    id: str
    row: str
    seed: int
    recipe: TrainOptions
    teacher: str | None
    own: Mapping[str, Any] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def options(self) -> TrainOptions:
        """The options of the run, put together when they are needed: a grid may have thousands of jobs."""
        return replace(self.recipe, **self.own)

    @cached_property
    def path(self) -> Path:
        """Its run folder."""
        return Path(str(self.own.get("out", self.recipe.out)))

    def given(self, **options: Any) -> Job:
        """Return the job with other options."""
        return replace(self, own={**self.own, **options})

    @property
    def places(self) -> dict[str, str | None]:
        """The options that hold paths, as the configuration of the run has them, and its logger."""
        given = {name: getattr(self.options, name) for name in _PLACES}
        absolute = {
            name: path if path is None or name == "out" else str(Path(path).absolute()) for name, path in given.items()
        }
        return {**absolute, "logger": self.options.logger}

    @cached_property
    def lock_path(self) -> Path:
        """The file that the process which runs it has locked."""
        return self.path.with_name(f".{self.path.name}.lock")

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Give whether this process may run it: no other one holds it, from before its run folder exists."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with held(self.lock_path, seconds=0) as ours:
            yield ours

    def moved(self, folder: Path) -> Job:
        """Return the job with its run folder, its teacher's and the teacher's cache in another folder."""
        teacher = self.options.teacher
        return self.given(
            out=str(folder / self.path.name),
            teacher=None if teacher is None else str(folder / Path(teacher).name),
            cache_dir=str(folder / Path(str(self.options.cache_dir)).name),
        )


@dataclass(frozen=True)
class Grid:
    """Jobs, teachers before their students.

    Attributes:
        path: folder of the grid.
        jobs: each once; a teacher trained with a different budget than the rows is a row of its own in the table.
    """

    path: Path
    jobs: tuple[Job, ...]
