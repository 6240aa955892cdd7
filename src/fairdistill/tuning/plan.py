"""From options to everything a search needs, checked before anything is written."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from fairdistill import methods
from fairdistill.choosing import Rule, Values
from fairdistill.data.images.augmentation import Pipeline
from fairdistill.errors import UsageError
from fairdistill.predictions.evaluation import evaluate, logits_of
from fairdistill.training import Setup, TrainOptions, describe_environment, estimate, format_seconds, prepare
from fairdistill.tuning import folder
from fairdistill.tuning.early_stopping import Noise
from fairdistill.tuning.identity import identity
from fairdistill.tuning.options import TuneOptions
from fairdistill.tuning.space import OPTIONS, Listed, Space, gridded, parse_space

_TRIALS = 10


@dataclass(frozen=True)
class Plan:
    """A search, resolved and checked.

    Attributes:
        options: of every trial, but for what is searched and its folder.
        tune: the options of the search.
        space: what is searched; of a grid its points.
        sampler: what proposes.
        rule: what chooses.
        objectives: what the front is over.
        trials: how many trials the study shall have.
        out: the study's folder.
        study: the study's name.
        storage: where it is kept; None: in its folder.
        former: what its folder says of it; None if it is new.
        identity: what must be equal for the search to go on.
        steps: of a trial.
        early_stopping: whether a trial may be given up.
        noise: of the metrics on the validation rows.
        rows: number of validation rows.
        teacher: what the teacher does on them, if there is one.
        environment: versions and hardware.
    """

    options: TrainOptions
    tune: TuneOptions
    space: Space
    sampler: Literal["tpe", "random", "grid"]
    rule: Rule
    objectives: tuple[str, ...]
    trials: int
    out: Path
    study: str
    storage: str | None
    former: Mapping[str, Any] | None
    identity: Mapping[str, Any]
    steps: int
    early_stopping: bool
    noise: Noise
    rows: int
    teacher: Values | None
    environment: Mapping[str, Any]

    def trial(self, number: int, settings: Mapping[str, float]) -> TrainOptions:
        """Return the options of a trial's run."""
        return replace(with_settings(self.options, settings), out=str(folder.trial_path(self.out, number)))


def plan(options: TrainOptions, tune: TuneOptions) -> Plan:
    """Resolve and check everything; load the data, and judge the teacher on the validation rows.

    Raises:
        UsageError: for options that do not fit, or a budget that is too short for one trial.
        DataError: for data that cannot be used, or validation rows that lack a cell.
        RunFolderError: if the folder holds something else.
    """
    if options.rules.validates_on_test:
        raise UsageError(
            "tune chooses on validation data, which --protocol paper has none of but the test set; leave it out"
        )
    rule = tune.parsed_rule
    if rule.needs_teacher and options.teacher is None:
        raise UsageError(
            f"the rule {str(rule)!r} compares with the teacher: name it with --teacher, or give a --rule without it, "
            'such as "deo_a subject to accuracy >= 0.9"'
        )
    method = methods.parse(options.method, data=options.data, settings=options.set)
    space: Space = parse_space(tune.search, method)
    for name in space.keys() & options.set.keys():
        raise UsageError(f"{name} is both searched and set; leave --set {name} out, or --search another")
    sampler, space, trials = _sampling(tune, space)
    name = f"{Path(options.data).stem}-{method.name}-seed{options.seed}"
    out = Path(options.out or f"tune/{name}")
    former = folder.former(out)
    options = replace(
        options,
        method=method.name,
        out=str(out / "trial-0"),
        cache_dir=options.cache_dir or str(out / ".teacher-cache"),
    )
    _check_ends(options, space)
    lowest = {name: min(dimension.ends) for name, dimension in space.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of empty training cells: each trial's own run says it
        # Guessing groups trains a classifier and writes; each trial does it, and finds it done.
        setup = prepare(replace(with_settings(options, lowest), pseudo_groups=False))
    setup.data.validation.require_cells("DEO is undefined there and nothing can be chosen on it")
    if tune.seconds is not None and former is None:
        pipeline = Pipeline(setup.data.train, device=setup.runtime.device, seed=options.seed)
        check_budget(tune.seconds, needed=estimate(setup, pipeline).seconds)
    resolved = replace(setup.options, pseudo_groups=options.pseudo_groups)
    environment = describe_environment(setup.runtime, seed=options.seed)
    environment["packages"] |= {package: version(package) for package in ("optuna", "matplotlib")}
    return Plan(
        options=options,
        tune=tune,
        space=space,
        sampler=sampler,
        rule=rule,
        objectives=tune.parsed_objectives,
        trials=trials,
        out=out,
        study=tune.study or name,
        storage=tune.storage,
        former=former,
        identity=identity(resolved, setup.digests, space=space, sampler=sampler, objectives=tune.parsed_objectives),
        steps=setup.steps,
        # Trials of other batches have other steps, and have seen other numbers of images at the same one.
        early_stopping=tune.early_stopping and "batch_size" not in space,
        noise=Noise.of(setup.data.validation.cell_counts(), len(setup.data.validation)),
        rows=len(setup.data.validation),
        teacher=_teacher_values(setup),
        environment=environment,
    )


def check_budget(seconds: float, *, needed: float) -> None:
    """Raise a UsageError if a budget is too short for one trial; it says what would be enough."""
    if needed > seconds:
        raise UsageError(
            f"--budget of {format_seconds(seconds)} is too short: one trial takes about {format_seconds(needed)}; give "
            f"at least --budget {round(1.2 * needed + 1)}s, or fewer --epochs or --steps"
        )


def with_settings(options: TrainOptions, settings: Mapping[str, float]) -> TrainOptions:
    """Return the options with some of the method's settings, or of the options themselves, replaced by name."""
    own: dict[str, Any] = {name: value for name, value in settings.items() if name in OPTIONS}
    of_method = {name: value for name, value in settings.items() if name not in OPTIONS}
    return replace(options, set={**options.set, **of_method}, **own)


def _sampling(tune: TuneOptions, space: Space) -> tuple[Literal["tpe", "random", "grid"], Space, int]:
    """Return what proposes, the space with a grid's points, and how many trials there shall be."""
    listed = all(isinstance(dimension, Listed) for dimension in space.values())
    sampler = ("grid" if listed else "tpe") if tune.sampler == "auto" else tune.sampler
    if sampler != "grid":
        return sampler, space, tune.trials or _TRIALS
    points = gridded(space, tune.trials or _TRIALS)
    number = math.prod(len(dimension.values) for dimension in points.values())
    wanted = tune.trials or (number if listed else _TRIALS)
    return sampler, points, min(wanted, number)


def _check_ends(options: TrainOptions, space: Space) -> None:
    """Raise the error of a setting or option that is out of its range."""
    for name, dimension in space.items():
        for value in dimension.ends:
            tried = with_settings(options, {name: value})
            methods.parse(tried.method, data=tried.data, settings=tried.set)


def _teacher_values(setup: Setup) -> Values | None:
    """Return what the teacher does on the validation rows, its images prepared as its own."""
    if setup.teacher is None:
        return None
    teacher = setup.teacher.network
    device = setup.runtime.device
    rows = Pipeline(setup.data.validation, device=device, seed=setup.options.seed, recipe=setup.teacher.recipe)
    judged = evaluate(
        logits_of(lambda images: teacher(images)["logits"], rows, setup.runtime.autocast), setup.data.validation
    )
    return {"accuracy": judged.accuracy, "deo_a": judged.deo_a, "deo_m": judged.deo_m}
