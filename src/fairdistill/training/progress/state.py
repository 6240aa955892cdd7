"""Checkpoints: the state of a run that is saved and restored, so that it resumes exactly where it was.

A checkpoint appears whole or not at all, and holds nothing but tensors and plain values.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch
from torch import Tensor

from fairdistill.contract import present_names
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.models.files.archive import check_archive
from fairdistill.runs import RunFolder
from fairdistill.system.atomic import replaced
from fairdistill.system.regular import check_readable
from fairdistill.text.lists import joined
from fairdistill.training.machine.pace import Threads, use_threads
from fairdistill.training.progress.active_run import ActiveRun
from fairdistill.training.setup import Setup

_MARK = b"fairdistill digest: "  # after the archive that torch.save wrote, which torch.load finds nevertheless
_DIGEST_BYTES = 16
_CHUNK = 1 << 22
_INPUTS = {
    "data": "training data",
    "test": "test data",
    "split": "choice of validation images",
    "teacher": "teacher",
}


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The state of a run after a step.

    Attributes:
        step: optimizer steps done.
        digests: hashes of the run's inputs, which must not have changed.
        student: the student's weights.
        objective: the state of the loss terms, including anything they have learned.
        optimizer: the optimizer's state.
        average: the state of the moving average of the weights, if there is one.
        threads: the number of CPU threads, and since when; None if the run does not choose it.
        schedule: the learning-rate schedule's state.
        best: the weights of the best evaluation; None if the last are kept.
        best_standing: how it stands.
        best_step: its step.
        meter: sums of the loss parts since the last row of the log, and their number of steps.
        log_rows: rows of the log written.
        seconds: time spent in training steps.
        row_seconds: the part of it since the last row of the log.
        rng: the state of PyTorch's CPU generator.
        rng_device: the state of the GPU's generator.
    """

    step: int
    digests: dict[str, str | None]
    student: dict[str, Tensor]
    objective: dict[str, Any]
    optimizer: dict[str, Any]
    schedule: dict[str, Any]
    best: dict[str, Tensor] | None
    best_standing: tuple[float, ...]
    best_step: int
    meter: dict[str, Any]
    log_rows: int
    seconds: float
    row_seconds: float
    rng: Tensor
    rng_device: Tensor | None
    average: dict[str, Any] | None = None
    threads: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        for name in ("step", "best_step", "log_rows"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ValueError(f"its {name} is {repr(value)[:40]}")
        for name in ("seconds", "row_seconds"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
                raise ValueError(f"its {name} are {repr(value)[:40]}")
        if not all(isinstance(value, int | float) for value in self.best_standing):
            raise ValueError(f"its best_standing is {repr(self.best_standing)[:40]}")

    @classmethod
    def of(cls, run: ActiveRun) -> Checkpoint:
        """Return the state of a run as it is now."""
        progress, device = run.progress, run.setup.runtime.device
        return cls(
            step=progress.step,
            digests=dict(run.setup.digests),
            student=run.setup.student.network.state_dict(),
            objective=run.setup.objective.state_dict(),
            optimizer=run.learner.optimizer.state_dict(),
            average=None if run.learner.average is None else run.learner.average.state_dict(),
            schedule=run.schedule.state_dict(),
            best=progress.best,
            best_standing=progress.best_standing,
            best_step=progress.best_step,
            meter={"sums": progress.meter.sums, "steps": progress.meter.steps},
            log_rows=progress.log_rows,
            seconds=progress.seconds,
            row_seconds=progress.row_seconds,
            rng=torch.get_rng_state(),
            rng_device=torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
            threads=None if progress.threads is None else asdict(progress.threads),
        )

    def apply(self, run: ActiveRun) -> None:
        """Put a run, freshly activated, into this state."""
        if self.step > run.setup.steps:
            raise ValueError(f"its step is {self.step:,}, but the run has {run.setup.steps:,} steps")
        progress, device = run.progress, run.setup.runtime.device
        run.setup.student.network.load_state_dict(self.student)
        run.setup.objective.load_state_dict(self.objective)
        run.learner.optimizer.load_state_dict(self.optimizer)
        if run.learner.average is not None and self.average is not None:
            run.learner.average.load_state_dict(self.average)
        run.schedule.load_state_dict(self.schedule)
        progress.best, progress.best_standing, progress.best_step = self.best, self.best_standing, self.best_step
        progress.meter.sums = {name: value.to(device) for name, value in self.meter["sums"].items()}
        progress.meter.steps = self.meter["steps"]
        progress.step, progress.log_rows = self.step, self.log_rows
        progress.seconds, progress.row_seconds = self.seconds, self.row_seconds
        if self.threads is not None:
            progress.threads = use_threads(run.setup, Threads(**self.threads))
        torch.set_rng_state(self.rng.cpu())
        if self.rng_device is not None:
            torch.cuda.set_rng_state(self.rng_device.cpu(), device)


def save(run: ActiveRun) -> None:
    """Write the checkpoint of a run; the first of several processes does it for all."""
    if run.setup.world.first:
        save_checkpoint(run.folder.checkpoint_path, vars(Checkpoint.of(run)))


def saved(folder: RunFolder, setup: Setup) -> Checkpoint | None:
    """Return the checkpoint of a run, None if there is none; every process gets that of the first.

    Raises:
        RunFolderError: if it is damaged, or the run's inputs have changed, for example its data.
    """
    world, path, state = setup.world, folder.checkpoint_path, None
    if world.first and path.exists():
        state = load_checkpoint(path, digest=folder.format_version >= 2)
    state = world.from_first(state)
    if state is None:
        return None
    with _fitting(path):
        checkpoint = Checkpoint(**state)
        changed = [name for name, digest in setup.digests.items() if checkpoint.digests[name] != digest]
    if changed:
        raise RunFolderError(
            f"{folder.path} cannot be resumed: its {joined([_INPUTS[name] for name in changed])} changed since it was "
            "stopped; restore the former files, or start again with another --out"
        )
    return checkpoint


def restore(run: ActiveRun, checkpoint: Checkpoint | None) -> None:
    """Put a run into the state of its checkpoint, if there is one, and cut its log to the same step."""
    if checkpoint is not None:
        with _fitting(run.folder.checkpoint_path):
            checkpoint.apply(run)
    if run.setup.world.first:
        run.folder.truncate_log(run.progress.log_rows)
    if checkpoint is not None:
        run.console.say(f"resuming at step {run.progress.step} of {run.setup.steps}")


@contextmanager
def _fitting(path: Path) -> Iterator[None]:
    """Name the checkpoint if its content is not that of the run."""
    try:
        yield
    except (LookupError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise RunFolderError(f"{path} does not fit this run ({error}); start again with another --out") from error


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` to ``path``, replacing the former one only when it is safely on disk."""
    path.parent.mkdir(exist_ok=True)
    with replaced(path, needed=_size(state), alone=True) as file:
        signed = _Signed(file)
        torch.save(state, cast("BinaryIO", signed))
        file.write(_MARK + signed.digest.digest())


def load_checkpoint(path: Path, *, digest: bool = False) -> dict[str, Any]:
    """Return the state in ``path``, on the CPU; nothing in it is executed.

    Args:
        path: the file.
        digest: whether it must end with a digest; versions of the run folder before 2 had none.

    Raises:
        RunFolderError: if the file is damaged.
    """
    try:
        check_readable(path)
        check_archive(path)
    except (UsageError, OSError) as error:
        raise RunFolderError(f"cannot read the checkpoint {path}: {error}; start again with another --out") from error
    if _damaged(path, digest):
        raise RunFolderError(
            f"the checkpoint {path} is damaged: its content differs from its digest; put a copy in its place, or start "
            "again with another --out"
        )
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load documents no set of exceptions for damaged files
        raise RunFolderError(f"cannot read the checkpoint {path}: {error}; start again with another --out") from error
    now = {**state, **_under_present_names(state)}
    now.pop("best_loss", None)
    return now


def _under_present_names(state: dict[str, Any]) -> dict[str, Any]:
    """Return what earlier versions kept under other names, under today's."""
    found: dict[str, Any] = {}
    if "objective" in state:
        terms = {key.removeprefix("terms."): value for key, value in state["objective"].items()}
        found["objective"] = {f"terms.{key}": value for key, value in present_names(terms).items()}
    if "meter" in state:
        found["meter"] = {**state["meter"], "sums": present_names(state["meter"]["sums"])}
    if "best_loss" in state:
        found["best_standing"] = (state["best_loss"],)
    return found


class _Signed:
    """A file that hashes what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()


def _damaged(path: Path, required: bool) -> bool:
    """Return whether a checkpoint differs from the digest at its end, or has none although one is required."""
    tail = len(_MARK) + _DIGEST_BYTES
    left = path.stat().st_size - tail
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    with path.open("rb") as file:
        while left > 0 and (chunk := file.read(min(left, _CHUNK))):
            digest.update(chunk)
            left -= len(chunk)
        end = file.read()
    if not required and not end.startswith(_MARK):
        return False
    return end != _MARK + digest.digest()


def _size(state: Any) -> int:
    """Return about how many bytes a state takes in a file."""
    if isinstance(state, Tensor):
        return state.nbytes
    items = state.values() if isinstance(state, dict) else state if isinstance(state, list | tuple) else ()
    return sum(map(_size, items))
