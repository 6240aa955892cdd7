"""One trial after another: resumed if a killed process left it, otherwise started; needs Optuna."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from optuna import Trial
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from fairdistill.errors import NonFiniteLossError, RunFolderError
from fairdistill.metrics import METRICS, Scores
from fairdistill.runs import RunFolder
from fairdistill.system.clock import Clock
from fairdistill.text.numbers import percentage
from fairdistill.text.telling import tell
from fairdistill.training import Interrupted, Stopped, TrainOptions, resume, train
from fairdistill.tuning import folder
from fairdistill.tuning.early_stopping import History, beaten_by
from fairdistill.tuning.plan import Plan, check_budget
from fairdistill.tuning.trials import (
    HISTORY,
    SURPLUS,
    finished_histories,
    history_of,
    kept_step,
    scores_of_row,
    written_history,
)
from fairdistill.tuning.values import kept


class _Beaten(Exception):  # noqa: N818  # not an error
    """A trial is stopped early, since a finished one beats it."""

    def __init__(self, by: int) -> None:
        super().__init__(by)
        self.by = by


def search(plan: Plan, study: Study, *, quiet: bool) -> None:
    """Train trials until there are enough, the time is up, or other processes train the rest.

    Raises:
        UsageError: if the budget is too short for one more trial and none was started.
        Stopped: after Ctrl-C; the same search continues.
    """
    longest = max((each.user_attrs.get("seconds", 0.0) for each in study.get_trials(deepcopy=False)), default=0.0)
    budget = math.inf if plan.options.seconds is None else plan.options.seconds
    clock = Clock(budget)
    clock.took(longest)
    begun = 0

    def has_time() -> bool:
        if not begun:
            check_budget(budget, needed=longest)
        return not begun or clock.has_room()

    while True:
        with _taken(plan, study, has_time) as trial:
            if trial is None:
                return
            begun += 1
            started = time.monotonic()
            _work(plan, study, trial, quiet=quiet)
            clock.took(time.monotonic() - started)


@contextmanager
def _taken(plan: Plan, study: Study, has_time: Callable[[], bool]) -> Iterator[Trial | None]:
    """Give the next trial, locked until the end: one that a killed process left, else a new one, if one is due."""
    with folder.locked(plan.out):
        claim, trial = None, None
        for each in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            claim = folder.claim(plan.out, each.number) if _is_ours(each, plan) else None
            if claim is not None:
                trial = Trial(study, each._trial_id)  # what Study.ask returns, for an existing trial
                break
        if trial is None and len(study.get_trials(deepcopy=False)) < plan.search.trials and has_time():
            trial = study.ask()
            if trial.number >= plan.search.trials:
                trial.set_user_attr(SURPLUS, True)
                study.tell(trial, state=TrialState.FAIL)
                trial = None
            else:
                claim = folder.claim(plan.out, trial.number)
        if trial is not None:
            trial.set_user_attr("host", socket.gethostname())
            trial.set_user_attr("folder", str(folder.trial_path(plan.out, trial.number).absolute()))
            for name, dimension in plan.search.space.items():  # a resumed trial gets the same values
                dimension.suggest(trial, name)
    try:
        yield trial
    finally:
        if claim is not None:
            claim.release()


def _is_ours(trial: FrozenTrial, plan: Plan) -> bool:
    """Return whether an unfinished trial was started in this folder, by another process or one that was killed."""
    path = folder.trial_path(plan.out, trial.number)
    host = trial.user_attrs.get("host")
    if host is None:  # killed as it was started; in a shared storage it may be another machine's
        return plan.options.storage is None
    return host == socket.gethostname() and (
        trial.user_attrs.get("folder") == str(path.absolute()) or (path / "config.yaml").exists()
    )


def _work(plan: Plan, study: Study, trial: Trial, *, quiet: bool) -> None:
    """Train a trial, or resume it, and tell the study how it ended."""
    number = trial.number
    settings = ", ".join(f"{name} {value:.4g}" for name, value in trial.params.items())
    _say(f"trial {number} of {plan.search.trials}: {settings}", quiet)
    started = time.monotonic()
    watch = _Watch(plan, study)
    try:
        run = _trained(plan.trial(number, trial.params), watch, quiet=quiet)
    except Interrupted as stop:
        raise Stopped(f"during trial {number}", stop) from None
    except _Beaten as beaten:
        trial.set_user_attr("beaten_by", beaten.by)
        _record(trial, RunFolder.open(folder.trial_path(plan.out, number)), watch.history)
        study.tell(trial, state=TrialState.PRUNED)
        _say(f"trial {number} was stopped early: trial {beaten.by} is clearly better", quiet)
    except (NonFiniteLossError, torch.OutOfMemoryError) as error:
        trial.set_user_attr("error", " ".join(str(error).split()))
        study.tell(trial, state=TrialState.FAIL)
        _say(f"trial {number} failed: {error}", quiet)
    else:
        scores = _record(trial, run, watch.history)
        trial.set_user_attr("measures", kept(plan.validation.measured(run), plan.rule.metrics))
        trial.set_user_attr("seconds", round(time.monotonic() - started, 3))
        study.tell(trial, [scores[metric] for metric in plan.objectives])
        shown = "  ".join(f"{name} {percentage(scores[metric], 2)}" for metric, name in METRICS.items())
        _say(f"trial {number} on the validation set: {shown}", quiet)


def _record(trial: Trial, run: RunFolder, history: History) -> Scores:
    """Keep what a trial scores in the study; return the scores of its checkpoint."""
    step, steps = kept_step(run)
    trial.set_user_attr("step", step)
    trial.set_user_attr("steps", steps)
    trial.set_user_attr("validation", asdict(history[step]))
    # In the study rather than the run folder, so that any machine can stop a trial early for this one.
    trial.set_user_attr(HISTORY, written_history(history))
    return history[step]


def _trained(options: TrainOptions, watch: _Watch, *, quiet: bool) -> RunFolder:
    path = Path(str(options.out))
    if not (path / "config.yaml").exists():
        return train(options, quiet=quiet, hold_test=True, watch=watch)
    run = RunFolder.open(path)
    _check_same(run, options)
    watch.history.update(history_of(run))
    if (path / "model.safetensors").exists():  # killed before the study was told
        return run
    watch.check()
    return resume(path, quiet=quiet, hold_test=True, watch=watch)


def _check_same(run: RunFolder, options: TrainOptions) -> None:
    """Check that an existing run folder is this trial's, and not one of a study whose storage was removed."""
    then = run.config
    learning = options.learning
    now: dict[str, Any] = {"lr": learning.lr, "weight_decay": learning.weight_decay, "batch_size": learning.batch_size}
    own = {name: then["set"].get(name) for name in options.set}
    if {name: then[name] for name in now} != now or own != dict(options.set):
        raise RunFolderError(f"{run.path} is not a trial of this study; choose another folder with --out")


class _Watch:
    """Sees every evaluation of a trial, and stops it early when a finished one beats it."""

    def __init__(self, plan: Plan, study: Study) -> None:
        self._plan, self._study = plan, study
        self.history: dict[int, Scores] = {}

    def __call__(self, row: Mapping[str, Any]) -> None:
        self.history[row["step"]] = scores_of_row(row)
        self.check()

    def check(self) -> None:
        plan = self._plan
        if not plan.early_stopping:
            return
        finished = finished_histories(self._study)
        noise = plan.validation.noise
        by = beaten_by(self.history, finished, steps=plan.steps, objectives=plan.objectives, noise=noise)
        if by is not None:
            raise _Beaten(by)


def _say(text: str, quiet: bool) -> None:
    if not quiet:
        tell(f"fairdistill: {text}")
