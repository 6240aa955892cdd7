"""What a study and the run folders record about each trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fairdistill.metrics import METRICS, Scores
from fairdistill.runs import RunFolder
from fairdistill.training import load_checkpoint
from fairdistill.tuning.early_stopping import History
from fairdistill.tuning.result import State, Trial
from fairdistill.tuning.values import Values, values_of

if TYPE_CHECKING:
    from optuna import Study

_STATES: Mapping[str, State] = {
    "COMPLETE": "finished", "PRUNED": "stopped early", "FAIL": "failed", "RUNNING": "in hand",
}  # fmt: skip

SURPLUS = "surplus"
"""Marks a trial that was started while another machine started the last one, and was dropped at once."""

HISTORY = "history"
"""Every evaluation of a finished trial, ``[step, accuracy, deo_a, deo_m, balanced_accuracy]``; the last is missing in
studies of older versions."""

_KEPT = ("validation", "measures", "step", "steps", "seconds", "beaten_by", "error", "host", "folder")


def read_trials(study: Study) -> tuple[Trial, ...]:
    """Return the trials of a study, in order."""
    return tuple(
        Trial.from_dict(
            {"number": each.number, "settings": dict(each.params), "state": _STATES[each.state.name]}
            | {name: each.user_attrs[name] for name in _KEPT if name in each.user_attrs}
        )
        for each in study.get_trials(deepcopy=False)
        if SURPLUS not in each.user_attrs
    )


def finished_scores(trials: tuple[Trial, ...]) -> dict[int, Scores]:
    """Return what the finished trials score on the validation set, by number."""
    return {each.number: each.validation for each in trials if each.state == "finished" and each.validation is not None}


def finished_values(trials: tuple[Trial, ...]) -> dict[int, Values]:
    """Return all metrics of the finished trials on the validation set, by number."""
    return {
        each.number: values_of(each.validation, each.measures)
        for each in trials
        if each.state == "finished" and each.validation is not None
    }


def finished_histories(study: Study) -> dict[int, History]:
    """Return every evaluation of the finished trials, by number."""
    from optuna.trial import TrialState

    return {
        each.number: {int(step): Scores(*values) for step, *values in each.user_attrs[HISTORY]}
        for each in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    }


def written_history(history: History) -> list[list[float]]:
    """Return a history as a study keeps it; see ``HISTORY``."""
    names = (*METRICS, "balanced_accuracy")
    return [[step, *(scores[metric] for metric in names)] for step, scores in history.items()]


def scores_of_row(row: Mapping[str, Any]) -> Scores:
    """Return the scores in a row of a run's log."""
    return Scores.from_dict(row["evaluation"])


def history_of(run: RunFolder) -> dict[int, Scores]:
    """Return the evaluations of a run up to its checkpoint, where it would resume; it must not be in use."""
    if not run.checkpoint_path.exists():
        return {}
    run.truncate_log(load_checkpoint(run.checkpoint_path)["log_rows"])  # a killed run may leave half a row
    return {row["step"]: scores_of_row(row) for row in run.read_log()}


def kept_step(run: RunFolder) -> tuple[int, int]:
    """Return the step whose weights a run keeps, and its last step."""
    state = load_checkpoint(run.checkpoint_path)
    return state["step"] if state["best"] is None else state["best_step"], state["step"]
