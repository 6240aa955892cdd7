"""From options to everything a search needs, checked before anything is written."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fairdistill import methods
from fairdistill.choosing import Rule
from fairdistill.errors import UsageError
from fairdistill.text.durations import format_seconds
from fairdistill.training import Environment, TrainOptions, describe_environment, estimate, prepare
from fairdistill.training.setup import training_pipeline
from fairdistill.tuning import folder
from fairdistill.tuning.identity import identity
from fairdistill.tuning.options import TuneOptions
from fairdistill.tuning.space import OPTIONS, Search, Space, parse_space, search_of
from fairdistill.tuning.validation import ValidationSet


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A search, resolved and checked.

    Attributes:
        training: the options of every trial, except for the searched hyperparameters and the folder.
        options: the options of the search.
        search: the search space, the sampler, and the number of trials.
        out: the study's folder.
        study: the study's name.
        former: which study the folder holds; None if it is new.
        identity: what must be equal for the search to continue.
        steps: of a trial.
        validation: the validation set, on which every trial is evaluated.
        made_with: versions and hardware.
    """

    training: TrainOptions
    options: TuneOptions
    search: Search
    out: Path
    study: str
    former: folder.StudyRecord | None
    identity: Mapping[str, Any]
    steps: int
    validation: ValidationSet
    made_with: Environment

    @property
    def rule(self) -> Rule:
        """The rule that chooses a trial."""
        return self.options.parsed_rule

    @property
    def objectives(self) -> tuple[str, ...]:
        """The metrics of the Pareto front."""
        return self.options.parsed_objectives

    @property
    def early_stopping(self) -> bool:
        """Whether a trial may be stopped early."""
        # At the same step, trials with different batch sizes have seen different numbers of images.
        return self.options.early_stopping and "batch_size" not in self.search.space

    def trial(self, number: int, settings: Mapping[str, float]) -> TrainOptions:
        """Return the options of a trial's run."""
        return replace(with_settings(self.training, settings), out=str(folder.trial_path(self.out, number)))


def plan(training: TrainOptions, options: TuneOptions) -> Plan:
    """Resolve and check everything; load the data, and evaluate the teacher on the validation set.

    Raises:
        UsageError: for options that do not fit, or a budget that is too short for one trial.
        DataError: for data that cannot be used, or a validation set that lacks a subgroup.
        RunFolderError: if the folder holds something else.
    """
    _check_choice(training, options.parsed_rule)
    method = methods.parse(training.method, data=training.data, settings=training.set)
    search = search_of(parse_space(options.search, method), options)
    for name in search.space.keys() & training.set.keys():
        raise UsageError(f"{name} is given to both --search and --set; drop one of the two")
    name = f"{Path(training.data).stem}-{methods.folder_name(method.name)}-seed{training.seed}"
    out = Path(training.out or f"tune/{name}")
    former = folder.former(out)
    training = replace(
        training,
        method=method.name,
        out=str(out / "trial-0"),
        cache_dir=training.cache_dir or str(out / ".teacher-cache"),
    )
    _check_ends(training, search.space)
    lowest = {name: min(dimension.ends) for name, dimension in search.space.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about empty training subgroups: each trial's own run warns
        # Guessing groups trains a classifier and writes files; the first trial does it, and the others find it done.
        setup = prepare(replace(with_settings(training, lowest), pseudo_groups=False))
    setup.data.validation.require_one_label("tune chooses by the fairness of one label")
    options.parsed_rule.check(setup.data.validation.class_names, setup.data.validation.group_names)
    setup.data.validation.require_cells("DEO is undefined and no trial can be chosen")
    if options.seconds is not None and former is None:
        check_budget(options.seconds, needed=estimate(setup, training_pipeline(setup)).seconds)
    made_with = describe_environment(setup.runtime, seed=training.seed, code=setup.code)
    packages = {package: version(package) for package in ("optuna", "matplotlib")}
    resolved = replace(setup.options, pseudo_groups=training.pseudo_groups)
    return Plan(
        training=training,
        options=options,
        search=search,
        out=out,
        study=options.study or name,
        former=former,
        identity=identity(resolved, setup.digests, search=search, objectives=options.parsed_objectives),
        steps=setup.steps,
        validation=ValidationSet.of(setup),
        made_with=replace(made_with, packages={**made_with.packages, **packages}),
    )


def check_budget(seconds: float, *, needed: float) -> None:
    """Raise a UsageError if a budget is too short for one trial; it says what would be enough."""
    if needed > seconds:
        raise UsageError(
            f"--budget of {format_seconds(seconds)} is too short: one trial takes about {format_seconds(needed)}. Give "
            f"at least --budget {round(1.2 * needed + 1)}s, or reduce --epochs or --steps"
        )


def with_settings(training: TrainOptions, settings: Mapping[str, float]) -> TrainOptions:
    """Return the options with some of the method's settings, or of the options themselves, replaced by name."""
    own: dict[str, Any] = {name: value for name, value in settings.items() if name in OPTIONS}
    of_method = {name: value for name, value in settings.items() if name not in OPTIONS}
    return replace(training, set={**training.set, **of_method}, **own)


def _check_choice(training: TrainOptions, rule: Rule) -> None:
    """Raise a UsageError if there is no validation set to choose on, or a rule needs a teacher that is not there."""
    if training.rules.validates_on_test:
        raise UsageError(f"tune needs a validation set, but --protocol {training.protocol} has none; drop --protocol")
    if rule.relative and training.teacher is None:
        raise UsageError(
            f"the rule {str(rule)!r} compares with the teacher: name it with --teacher, or give a --rule without it, "
            'for example "deo_a subject to accuracy >= 0.9"'
        )


def _check_ends(training: TrainOptions, space: Space) -> None:
    """Raise the error of a setting or option that is out of its range."""
    for name, dimension in space.items():
        for value in dimension.ends:
            tried = with_settings(training, {name: value})
            methods.parse(tried.method, data=tried.data, settings=tried.set)
