"""What each trial is given to try, by its number alone and by the trials that are done; needs Optuna."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GridSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from fairdistill.system.randomness import derived_seed
from fairdistill.tuning.space import Listed, Space

# Optuna's default is ten, more than many a search of one hyper-parameter has trials at all.
_RANDOM_FIRST = 5


def build_sampler(name: Literal["tpe", "random", "grid"], space: Space, seed: int) -> BaseSampler:
    """Return a sampler whose proposals depend on the seed, the trial's number and the trials that are done.

    A grid's space holds lists alone; its points come in an order that the seed shuffles.
    """
    if name == "grid":
        points = {key: list(each.values) for key, each in space.items() if isinstance(each, Listed)}
        return Seeded(lambda _number: GridSampler(points, seed=_seed(seed)))
    if name == "random":
        return Seeded(lambda number: RandomSampler(seed=_seed(seed, number)))
    return Seeded(lambda number: TPESampler(seed=_seed(seed, number), n_startup_trials=_RANDOM_FIRST))


class Seeded(BaseSampler):
    """A sampler that is made anew for each trial, so that a study that was stopped proposes what it would have.

    The number of the trial is part of the seed, so that processes that ask at the same time get different proposals.

    Args:
        make: returns the sampler of the trial of a number.
    """

    def __init__(self, make: Callable[[int], BaseSampler]) -> None:
        self._make = make
        self._own: BaseSampler = make(0)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Take up the sampler of this trial."""
        self._own = self._make(trial.number)
        self._own.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return what the trial's sampler samples together."""
        return self._own.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample together what may be."""
        return self._own.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Sample one hyper-parameter."""
        return self._own.sample_independent(study, trial, param_name, param_distribution)

    # after_trial is not passed on: a grid's would end Optuna's own loop, which is not used here.


def _seed(seed: int, *position: int) -> int:
    return derived_seed(seed, "tuning", *position) % 2**32  # what NumPy's legacy generator takes
