"""What is known of each trial: what it tried, what came of it, and where its run folder is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from fairdistill.choosing import Values
from fairdistill.metrics.names import METRICS
from fairdistill.runs import RunFolder
from fairdistill.training import load_checkpoint
from fairdistill.tuning.early_stopping import History

if TYPE_CHECKING:
    from optuna import Study

State = Literal["finished", "stopped early", "failed", "in hand"]

_STATES: Mapping[str, State] = {
    "COMPLETE": "finished", "PRUNED": "stopped early", "FAIL": "failed", "RUNNING": "in hand",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One trial of a study.

    Attributes:
        number: from 0, in the order in which they were begun.
        settings: the searched values by name.
        state: ``in hand`` while it is trained, here or elsewhere.
        validation: what the kept weights do on the validation rows; None if it failed or is in hand.
        step: the step whose weights are kept.
        steps: the step at which it ended.
        seconds: what it took, unless it was resumed or failed.
        beaten_by: the trial for which it was stopped early.
        error: why it failed.
        host: the machine that trained it.
        folder: its run folder there.
    """

    number: int
    settings: Mapping[str, float]
    state: State
    validation: Values | None = None
    step: int | None = None
    steps: int | None = None
    seconds: float | None = None
    beaten_by: int | None = None
    error: str | None = None
    host: str | None = None
    folder: str | None = None

    @property
    def record(self) -> dict[str, Any]:
        """All of it, as ``tune.json`` holds it."""
        return asdict(self)


SURPLUS = "surplus"
"""Marks a trial that was begun while another machine began the last one, and was given up at once."""

HISTORY = "history"
"""Every evaluation of a finished trial, ``[step, accuracy, deo_a, deo_m]``."""

_KEPT = ("validation", "step", "steps", "seconds", "beaten_by", "error", "host", "folder")


def read_trials(study: Study) -> list[Trial]:
    """Return the trials of a study, in order."""
    return [
        Trial(
            number=each.number,
            settings=dict(each.params),
            state=_STATES[each.state.name],
            **{name: each.user_attrs[name] for name in _KEPT if name in each.user_attrs},
        )
        for each in study.get_trials(deepcopy=False)
        if SURPLUS not in each.user_attrs
    ]


def finished_histories(study: Study) -> dict[int, History]:
    """Return every evaluation of the finished trials, by their numbers."""
    from optuna.trial import TrialState

    return {
        each.number: {int(step): dict(zip(METRICS, values, strict=True)) for step, *values in each.user_attrs[HISTORY]}
        for each in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    }


def values_of_row(row: Mapping[str, Any]) -> Values:
    """Return the metrics of a row of a run's log."""
    return {metric: float(row["evaluation"][metric]) for metric in METRICS}


def history_of(run: RunFolder) -> dict[int, Values]:
    """Return the evaluations of a run up to its checkpoint, from which it would go on; it must not be in use."""
    if not run.checkpoint_path.exists():
        return {}
    run.truncate_log(load_checkpoint(run.checkpoint_path)["log_rows"])  # a killed run may leave half a row
    return {row["step"]: values_of_row(row) for row in run.read_log()}


def kept_step(run: RunFolder) -> tuple[int, int]:
    """Return the step whose weights a run keeps, and the last step it did."""
    state = load_checkpoint(run.checkpoint_path)
    return state["step"] if state["best"] is None else state["best_step"], state["step"]
