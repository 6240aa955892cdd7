"""The values that each trial tries, which depend only on its number and the finished trials; needs Optuna."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GridSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from fairdistill.system.randomness import derived_seed
from fairdistill.tuning.space import Listed, Search

# Optuna's default is ten; many searches over one hyperparameter have no more trials than that.
_RANDOM_FIRST = 5


def build_sampler(search: Search, seed: int) -> BaseSampler:
    """Return a sampler whose proposals depend on the seed, the trial's number and the finished trials.

    The seed shuffles the order of a grid's points.
    """
    if search.sampler == "grid":
        points = {key: list(each.values) for key, each in search.space.items() if isinstance(each, Listed)}
        return Seeded(lambda _number: GridSampler(points, seed=_seed(seed)))
    if search.sampler == "random":
        return Seeded(lambda number: RandomSampler(seed=_seed(seed, number)))
    return Seeded(lambda number: TPESampler(seed=_seed(seed, number), n_startup_trials=_RANDOM_FIRST))


class Seeded(BaseSampler):
    """A sampler that is created anew for each trial, so that a resumed study proposes what it would have anyway.

    The trial's number is part of the seed, so that processes that ask at the same time get different proposals.

    Args:
        make: returns the sampler for the trial with a number.
    """

    def __init__(self, make: Callable[[int], BaseSampler]) -> None:
        self._make = make
        self._own: BaseSampler = make(0)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Create the sampler of this trial."""
        self._own = self._make(trial.number)
        self._own.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return what the trial's sampler samples jointly."""
        return self._own.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample those jointly."""
        return self._own.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Sample one hyperparameter."""
        return self._own.sample_independent(study, trial, param_name, param_distribution)

    # after_trial is not forwarded: a grid's would stop Optuna's own loop, which is not used here.


def _seed(seed: int, *position: int) -> int:
    return derived_seed(seed, "tuning", *position) % 2**32  # what NumPy's legacy generator takes
