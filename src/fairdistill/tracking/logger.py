"""A logger for one run: opened by its name, given every row of the log, closed at the end; it never stops the run."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from fairdistill.runs import RunFolder
from fairdistill.system.optional import needed
from fairdistill.tracking.backend import Backend, Tracked
from fairdistill.tracking.mlflow import open_mlflow
from fairdistill.tracking.scalars import scalars
from fairdistill.tracking.tensorboard import open_tensorboard
from fairdistill.tracking.wandb import open_wandb

LoggerName = Literal["tensorboard", "wandb", "mlflow"]

Logger = Callable[[Mapping[str, Any]], None]
"""Called with a row of the log: ``step``, and numbers by name; see :func:`~fairdistill.tracking.scalars.scalars`."""

_BACKENDS: Mapping[LoggerName, Callable[[Tracked], Backend]] = {
    "tensorboard": open_tensorboard,
    "wandb": open_wandb,
    "mlflow": open_mlflow,
}


def check_logger(name: LoggerName | None) -> None:
    """Raise a UsageError, with the line that installs it, if a logger's package is not installed."""
    if name is not None:
        needed(name, extra=name, by=f"--logger {name} needs")


@contextmanager
def logged(name: LoggerName | None, run: RunFolder, say: Callable[[str], None]) -> Iterator[Logger]:
    """Give the logger of a run.

    A run that resumes goes on in what it was logged to before. If the logger fails, one line says so, and the run goes
    on without it; ``log.jsonl`` has every row in any case.

    Args:
        name: of the logger; None: none, and its function does nothing.
        run: the folder of the run.
        say: called with a line for the user.
    """
    backend = None if name is None else _opened(name, run, say)
    if backend is None:
        yield lambda row: None
        return
    say(f"logging to {backend.where}")
    working = True

    def log(row: Mapping[str, Any]) -> None:
        nonlocal working
        if working:
            try:
                backend.write(scalars(row), row["step"])
            except Exception as error:  # each library and each network has its own
                working = False
                say(_failure(name, error))

    completed = False
    try:
        yield log
        completed = True
    finally:
        try:
            backend.close(completed)
        except Exception as error:
            say(_failure(name, error))


def _opened(name: LoggerName, run: RunFolder, say: Callable[[str], None]) -> Backend | None:
    try:
        return _BACKENDS[name](Tracked(run.path.absolute(), _identity(run), run.config))
    except Exception as error:
        say(_failure(name, error))
        return None


def _identity(run: RunFolder) -> str:
    """Return what identifies a run for its logger, the same each time that it resumes."""
    if run.logger_id is None:
        run.write_json("logger.json", {"id": uuid.uuid4().hex})
    assert run.logger_id is not None
    return run.logger_id


def _failure(name: str | None, error: Exception) -> str:
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return f"warning: --logger {name} failed, so the run continues without it ({reason[:300]})"
