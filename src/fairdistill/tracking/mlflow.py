"""MLflow: a run in the store that ``MLFLOW_TRACKING_URI`` names, by default ``mlflow.db`` in the current folder."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from fairdistill.system.optional import needed
from fairdistill.tracking.backend import PROJECT, Backend, Tracked

T = TypeVar("T")
_ID = "fairdistill.run"
_AT_ONCE = 100  # parameters in one call, at most


def _quietly(call: Callable[..., T]) -> Callable[..., T]:
    """Leave out the warnings of the libraries beneath, which are about their own code."""

    @wraps(call)
    def quiet(*arguments: Any) -> T:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call(*arguments)

    return quiet


@_quietly
def open_mlflow(run: Tracked) -> Backend:
    """Begin a run in the experiment that ``MLFLOW_EXPERIMENT_NAME`` names, or continue it."""
    mlflow = needed("mlflow", extra="mlflow")
    entities = needed("mlflow.entities", extra="mlflow")
    client = mlflow.MlflowClient()
    found = _run_in(client, _experiment(client), run, entities)

    @_quietly
    def write(values: Mapping[str, float], step: int) -> None:
        now = int(time.time() * 1000)
        client.log_batch(found, metrics=[entities.Metric(name, value, now, step) for name, value in values.items()])

    @_quietly
    def close(completed: bool) -> None:
        client.set_terminated(found, "FINISHED" if completed else "FAILED")

    return Backend(write, close, f"MLflow run {found} in {mlflow.get_tracking_uri()}")


def _experiment(client: Any) -> str:
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
    known = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if known is None else known.experiment_id)


def _run_in(client: Any, experiment: str, run: Tracked, entities: Any) -> str:
    """Return the id of the run, begun anew unless it was logged before."""
    before = client.search_runs([experiment], f"tags.`{_ID}` = '{run.id}'")
    if before:
        client.update_run(before[0].info.run_id, status="RUNNING")
        return str(before[0].info.run_id)
    made = client.create_run(experiment, run_name=run.path.name, tags={_ID: run.id}).info.run_id
    settings = [entities.Param(name, value[:500]) for name, value in run.settings.items() if value]
    for first in range(0, len(settings), _AT_ONCE):
        client.log_batch(made, params=settings[first : first + _AT_ONCE])
    return str(made)
