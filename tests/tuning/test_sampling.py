from __future__ import annotations

import optuna
import pytest

from fairdistill.tuning.extras import quiet_optuna
from fairdistill.tuning.sampling import build_sampler
from fairdistill.tuning.space import Listed, Range, Search

RANGE = {"a": Range(0.1, 10, log=True), "n": Range(1, 9, whole=True)}
GRID = {"a": Listed((0.1, 1.0, 10.0)), "n": Listed((1, 2))}


def proposed(name, space, seed, *, trials=12, stop_at=None):
    """Return what is proposed to each trial; the study may be left within one, and taken up by a new process."""
    with quiet_optuna():
        storage = optuna.storages.InMemoryStorage()
        found = []
        while len(found) < trials:
            study = optuna.create_study(
                storage=storage, study_name="s", load_if_exists=True, directions=["maximize", "minimize"],
                sampler=build_sampler(Search(space, name, trials), seed),
            )  # fmt: skip
            left = study.get_trials(states=(optuna.trial.TrialState.RUNNING,))
            for _ in range(len(found), trials):
                trial = optuna.Trial(study, left.pop()._trial_id) if left else study.ask()
                values = {key: each.suggest(trial, key) for key, each in space.items()}
                if trial.number == stop_at:
                    stop_at = None
                    break
                found.append(values)
                study.tell(trial, [-((values["a"] - 1) ** 2), values["n"]])
        return found


@pytest.mark.parametrize(("name", "space"), [("tpe", RANGE), ("random", RANGE), ("grid", GRID), ("tpe", GRID)])
def test_a_study_that_was_stopped_proposes_what_it_would_have(name, space):
    trials = 6 if name == "grid" else 12
    whole = proposed(name, space, 3, trials=trials)
    for stop_at in (0, 5, 9):
        assert proposed(name, space, 3, trials=trials, stop_at=stop_at) == whole
    assert proposed(name, space, 4, trials=trials) != whole
    if name == "grid" or space is RANGE:
        assert len({tuple(each.values()) for each in whole}) == trials


def test_a_grid_proposes_every_point_once():
    found = proposed("grid", GRID, 0, trials=6)
    assert {(each["a"], each["n"]) for each in found} == {(a, n) for a in (0.1, 1.0, 10.0) for n in (1, 2)}


def test_trials_that_are_begun_at_the_same_time_try_different_things():
    with quiet_optuna():
        study = optuna.create_study(
            directions=["maximize", "minimize"], sampler=build_sampler(Search(RANGE, "tpe", 4), 0)
        )
        at_once = [study.ask() for _ in range(4)]
        other = [optuna.Trial(study, each._trial_id) for each in at_once]
        assert len({RANGE["a"].suggest(trial, "a") for trial in other}) == 4
