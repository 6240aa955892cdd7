"""Evaluating the student: on the validation set during training, on the test set once at the end."""

from __future__ import annotations

import math
from typing import Any

from torch import nn

from fairdistill.data import GroupedDataset, Pipeline
from fairdistill.errors import NonFiniteLossError
from fairdistill.predictions.trained.attribute_evaluation import evaluate_outputs
from fairdistill.predictions.trained.evaluation import logits_of
from fairdistill.system.processes import World
from fairdistill.training.optimization.stages import Stage
from fairdistill.training.progress.active_run import ActiveRun
from fairdistill.training.progress.console import scores_of
from fairdistill.training.progress.learner import Learner
from fairdistill.training.result import Judged, Outcome, summary, write_result
from fairdistill.training.settings.keeping import standing
from fairdistill.training.setup import Setup
from fairdistill.types import StepView


def evaluate_on_validation(run: ActiveRun, stage: Stage) -> dict[str, Any]:
    """Evaluate the student on the validation set, tell the schedules, log it; return the row of the log.

    Raises:
        NonFiniteLossError: if the student's loss there is infinite or NaN.
    """
    setup, progress, rules = run.setup, run.progress, run.setup.options.rules
    network = run.learner.evaluated
    found = evaluate_student(setup, network, run.validation, setup.data.validation)
    if not math.isfinite(found.loss):
        raise NonFiniteLossError(
            f"the validation loss is not finite at step {progress.step}; try a smaller learning rate (--lr)"
        )
    lr = run.schedule.lr
    if stage is setup.stages[-1]:
        loss = getattr(found, rules.follows)
        run.schedule.after_evaluation(loss)
        _keep_if_best(run, network, found, loss)
        _tell_terms(run, stage, found)
    steps = progress.meter.steps
    row = {
        "epoch": progress.log_rows + 1,
        "step": progress.step,
        "stage": stage.name,
        "loss": progress.meter.means(),
        "lr": lr,
        "evaluation": {"split": rules.split, **summary(found)},
        "seconds": progress.row_seconds,
        "samples_per_second": steps * setup.sampler.batch_size / progress.row_seconds,
    }
    progress.row_seconds = 0.0
    progress.log_rows += 1
    if setup.world.first:
        run.folder.append_log(row)
    run.console.evaluated(row)
    collapsed = found.collapsed and _has_classes(setup.data.validation)
    if collapsed and not progress.collapsed and setup.method.class_loss in stage.terms:
        run.console.say(f"warning: at step {progress.step} the student predicts a single class for every image")
    progress.collapsed = collapsed
    _tell_of_constant_terms(run, stage)
    return row


def _tell_of_constant_terms(run: ActiveRun, stage: Stage) -> None:
    """Say once which terms of the stage change nothing, as one of the user's own may by mistake."""
    constant = run.learner.objective.constant
    for name in sorted(constant.intersection(stage.terms)):
        run.console.say(
            f"warning: by step {run.progress.step} the term {name!r} had no gradient, so it changes nothing; it must "
            "be computed from the student's features without detach(), argmax or a comparison"
        )
        constant.remove(name)


def _has_classes(dataset: GroupedDataset) -> bool:
    """Return whether images of several classes are there: with one alone, always predicting it is right."""
    return dataset.attributes is not None or len(dataset.labels.unique()) > 1


def _keep_if_best(run: ActiveRun, network: nn.Module, found: Judged, loss: float) -> None:
    """Remember the weights that were evaluated if none were better so far, unless the last are kept in any case."""
    progress, keep = run.progress, run.setup.options.keep
    assert keep is not None, "it is resolved"
    if keep == "last":
        return
    now = standing(keep, found, run.setup.data.validation, loss=loss)
    if progress.best is None or now < progress.best_standing:
        progress.best_standing, progress.best_step = now, progress.step
        progress.best = {name: value.detach().clone() for name, value in network.state_dict().items()}


def evaluate_on_test(run: ActiveRun) -> dict[str, Any]:
    """Read the test set, once, for the student's weights as they are now; write the result, and return its scores."""
    setup, progress, network = run.setup, run.progress, run.setup.student.network
    device, seed = setup.runtime.device, setup.options.seed
    pipeline = Pipeline(setup.data.test, device=device, seed=seed)
    student = evaluate_student(setup, network, pipeline, setup.data.test)
    validation = None
    if not setup.options.rules.validates_on_test:
        validation = evaluate_student(setup, network, run.validation, setup.data.validation)
    teacher = evaluate_teacher(setup, setup.data.test, pipeline)
    kept = progress.best_step if progress.best is not None else progress.step
    if setup.world.first:
        outcome = Outcome(
            student=student,
            validation=validation,
            teacher=teacher,
            steps=progress.step,
            checkpoint_step=kept,
            seconds=progress.seconds,
        )
        write_result(run.folder, setup, outcome)
    setup.world.wait()
    if student.collapsed and _has_classes(setup.data.test):
        run.console.say("warning: the student predicts a single class for every test image; it learned nothing")
    found = summary(student)
    weights = "" if kept == progress.step else f" with the weights of step {kept:,}"
    run.console.say(f"test{weights}: {scores_of(found)}; finished: {run.folder.path}")
    return found


def evaluate_student(setup: Setup, network: nn.Module, pipeline: Pipeline, dataset: GroupedDataset) -> Judged:
    """Evaluate a network of the student's kind in eval mode; it is left in the mode it was in."""
    training = network.training
    network.eval()
    logits = logits_of(network, pipeline, setup.runtime.autocast, world=setup.world)
    network.train(training)
    return evaluate_outputs(logits, dataset)


def evaluate_teacher(setup: Setup, dataset: GroupedDataset, pipeline: Pipeline | None = None) -> Judged | None:
    """Evaluate the teacher, if there is one, on images prepared in its own way.

    Args:
        setup: of the run.
        dataset: the images.
        pipeline: the student's of these images, which serves the teacher too if they are prepared alike.
    """
    if setup.teacher is None:
        return None
    teacher, recipe = setup.teacher.network, setup.teacher.model.recipe
    if pipeline is None or recipe != dataset.recipe:
        pipeline = Pipeline(dataset, device=setup.runtime.device, seed=setup.options.seed, recipe=recipe)
    logits = logits_of(lambda images: teacher(images)["logits"], pipeline, setup.runtime.autocast, world=setup.world)
    return evaluate_outputs(logits, dataset, setup.teacher.model.outputs.kind)


def share_statistics(learner: Learner, world: World) -> None:
    """Average over the processes the buffers that each updates separately, for example batch-norm statistics."""
    if world.alone:
        return
    networks = dict.fromkeys([learner.student.network, learner.evaluated])  # in the same order in every process
    buffers = [buffer for network in networks for buffer in network.buffers() if buffer.is_floating_point()]
    world.sum_(buffers)
    for buffer in buffers:
        buffer.div_(world.size)


def _tell_terms(run: ActiveRun, stage: Stage, found: Judged) -> None:
    """Show the terms the student's validation logits, for schedules of their own."""
    train = run.setup.data.train
    view = StepView(
        student={"logits": found.logits},
        teacher={},
        labels=run.validation.labels,
        groups=run.validation.groups,
        num_classes=train.num_classes,
        num_groups=train.num_groups,
        progress=1.0,
    )
    for term in run.setup.objective.selected(stage.terms):
        term.validate(view)
