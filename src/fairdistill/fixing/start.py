"""The beginning of a fix: everything is checked, the folder made, and a model trained if none was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fairdistill import models
from fairdistill.choosing import measures_of_predictions
from fairdistill.errors import UsageError
from fairdistill.fixing.options import FixOptions
from fairdistill.fixing.students.runs import Limit, train_until
from fairdistill.fixing.students.steps import steps_per_epoch, teacher_steps
from fairdistill.fixing.work import folder
from fairdistill.fixing.work.deployed import Deployed, deployed_source
from fairdistill.fixing.work.guessing import check_beats_guessing
from fairdistill.fixing.work.samples import Samples
from fairdistill.fixing.work.work import Work
from fairdistill.models import find_last_layer
from fairdistill.models.files.weights import WeightsFile
from fairdistill.models.layout import to_device
from fairdistill.models.own_source import code_digests
from fairdistill.predictions.trained.as_deployed import data_options_as_deployed
from fairdistill.predictions.trained.own_description import own_description
from fairdistill.predictions.trained.source import ModelSource, open_run
from fairdistill.runs import RunFolder
from fairdistill.system.clock import Clock
from fairdistill.system.runtime import Runtime, choose_runtime, use_threads
from fairdistill.text.numbers import counted
from fairdistill.text.sentences import capitalized
from fairdistill.tracking import check_logger
from fairdistill.training import TrainOptions, resolve, seconds_of

_PROBED = 10  # steps that the cost of one is estimated for
_IMAGES = 16  # on which the last layer of a network is checked
_INPUT = (
    "Check the order of its classes, and the size, mean and standard deviation of its input (--model-size, "
    "--model-mean, --model-std)"
)


def prepare_work(deployed: str | None, options: FixOptions, clock: Clock) -> Work:
    """Check everything, begin or resume the fix in its folder, and train a model if none was given.

    Args:
        deployed: a run folder, a weights file or an exported program; None to train a model first.
        options: see :class:`FixOptions`.
        clock: the budget.

    Raises:
        UsageError: if the model is no better than guessing, or predicts a single class; if a function as a rule fails;
            if the logger is not installed.
    """
    check_logger(options.logger)
    use_threads(options.threads)
    runtime = choose_runtime(options.device, options.precision)
    source = None if deployed is None else deployed_source(deployed, options)
    run = file = None
    if source is not None:
        run, file, options = _opened(source, options)
    base = _shared(options)
    resolved = resolve(base, run)
    samples = Samples.load(options, resolved, run)
    options.chooser.check(samples.validation.class_names, samples.validation.group_names)
    base = replace(base, data_options=dict(resolved.data_options), split_seed=resolved.split_seed)
    given = None
    if source is not None:
        given = Deployed.read(source, samples, runtime, file=file)
        check_beats_guessing(given.validation, source.path, _INPUT)
        own = measures_of_predictions(given.validation)
        options.chooser.standing(own, own)  # a function that fails does so before anything is written
        base = replace(base, model=options.model or given.model.name)
    elif options.head is not None:
        _check_head(options.head, str(resolved.model), samples, runtime)
    out = Path(options.out)
    of_model, network = (None, None) if given is None else (given.model.digest, given.model.name)
    digests = {**samples.digests, "model": of_model, **code_digests(options.model, network)}
    folder.begin(out, folder.identity(deployed, options, resolved, digests=digests))
    base = replace(base, cache_dir=str(out / folder.CACHE))
    notes = [capitalized(note) for note in samples.train.notes]
    if given is None:
        given = _trained(base, options, samples, runtime, clock)
    elif run is None and samples.cut:
        notes.append(
            "The validation set was split off from the training set. If the deployed model was trained on those "
            "images, it looks better on them than it really is, so the rule is stricter for the other "
            "candidates than intended"
        )
    notes += [*given.model.notes, *_unknown_groups(samples)]
    return Work(options, base, out, samples, given, runtime, clock, tuple(notes))


def _opened(source: ModelSource, options: FixOptions) -> tuple[RunFolder | None, WeightsFile | None, FixOptions]:
    """Return the deployed model's run, or what its file holds, and the options with the images as it needs them.

    Raises:
        UsageError: if it has outputs for several attributes.
    """
    run = open_run(source)
    if run is not None:
        _check_one_label(run.path, tuple(run.result.get("attributes", ())) if run.finished else ())
        return run, None, options
    own = own_description(source)
    said = own.described
    _check_one_label(source.path, said.class_names if said.multi_label and said.class_names else ())
    seen = data_options_as_deployed(source, said, options.data, options.data_options)
    return None, own.file, replace(options, data_options=seen)


def _check_one_label(path: str | Path, attributes: Sequence[str]) -> None:
    """Raise a UsageError if a model has outputs for several yes/no attributes, whatever ``--label`` names."""
    if attributes:
        raise UsageError(
            f"fix repairs a model of one label, but {path} has an output for each of several attributes: "
            f"{', '.join(attributes)}; give it a model of one of them, for example one trained with --label "
            f"{attributes[0]} (audit takes several, and any one of them)"
        )


def _shared(options: FixOptions) -> TrainOptions:
    """Return the options that every run shares, as far as they are known before the data is read."""
    return TrainOptions(
        data=options.data, data_root=options.data_root, data_options=dict(options.data_options), model=options.model,
        augment="standard" if options.augment == "auto" else options.augment, batch_size=options.batch_size,
        lr=options.lr, seed=options.seed, device=options.device, precision=options.precision, threads=options.threads,
        logger=options.logger,
    )  # fmt: skip


def _check_head(name: str, network: str, samples: Samples, runtime: Runtime) -> None:
    """Check that a network that is not trained yet has the last layer that the user named.

    Raises:
        LastLayerError: if it has not.
    """
    recipe = samples.validation.recipe
    built = models.build(network, samples.validation.num_classes, image_size=recipe.size).eval()
    to_device(built, runtime.device)
    find_last_layer(built, samples.some_images(recipe, _IMAGES, runtime), name=name)


def _trained(base: TrainOptions, options: FixOptions, samples: Samples, runtime: Runtime, clock: Clock) -> Deployed:
    """Train a model in a third of the budget, without a look at the groups.

    Raises:
        UsageError: if that time is too short for it to learn anything.
    """
    out = Path(options.out)
    wanted = replace(base, method="scratch", out=str(out / "teacher"), schedule="cosine")
    steps = folder.plan_of(out).get("teacher_steps")
    if steps is None:
        epoch = steps_per_epoch(len(samples.train), options.batch_size)
        step_seconds = seconds_of(replace(wanted, steps=_PROBED)) / _PROBED
        steps = teacher_steps(clock.left, step_seconds, epoch_steps=epoch, epochs=options.epochs)
        folder.update_plan(out, teacher_steps=steps)
    limit = Limit(
        left=lambda: clock.left - options.seconds / 2, step_seconds=options.seconds / 3 / steps, part=0.0,
        every=steps_per_epoch(len(samples.train), options.batch_size),
    )  # fmt: skip
    train_until(out, replace(wanted, steps=steps), samples, until=steps, limit=limit)
    steps = folder.reached(out, "teacher")
    folder.update_plan(out, teacher_steps=steps)  # whatever follows is about this model
    source = deployed_source(str(out / "teacher"), options)
    given = Deployed.read(source, samples, runtime)
    try:
        check_beats_guessing(
            given.validation, f"the model that was trained first, for {counted(steps, 'step')},",
            "Give it more time (--budget), or bring a trained model",
        )  # fmt: skip
    except UsageError:
        folder.forget_teacher(out)  # more time or other options must not meet it again
        raise
    return given


def _unknown_groups(samples: Samples) -> list[str]:
    return [
        f"{part.num_unknown_groups:,} of {len(part):,} images in {part.name} have no group label; they count towards "
        "the accuracy but not towards the gap"
        for part in (samples.validation, samples.test)
        if part.num_unknown_groups
    ]
