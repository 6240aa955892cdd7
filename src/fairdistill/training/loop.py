"""The training loop: one loop for every method, read from top to bottom."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from fairdistill.system.randomness import derived_seed
from fairdistill.system.signals import signals_caught
from fairdistill.training.optimization.captured import PassInputs
from fairdistill.training.optimization.objective import StepLoss
from fairdistill.training.progress.active_run import ActiveRun
from fairdistill.training.progress.adapting import adapt
from fairdistill.training.progress.evaluation import evaluate_on_validation, share_statistics
from fairdistill.training.progress.learner import Learner
from fairdistill.training.progress.state import save
from fairdistill.training.progress.stopping import Interrupted
from fairdistill.training.setup import training_batch
from fairdistill.types import Batch, StepView

Watch = Callable[[Mapping[str, Any]], None]
"""Called after each evaluation with its row of the log, once the checkpoint is saved; an exception it raises ends the
run."""

_CHECK_EVERY_ON_GPU = 50  # looking at a loss makes the processor wait for the GPU


def train_student(run: ActiveRun, watch: Watch, *, until: int | None) -> None:
    """Train from the current step to the last, with an evaluation and a checkpoint after every epoch.

    Args:
        run: the run.
        watch: called with each row of the log.
        until: pause after this step: save the state and return; None: do not pause.

    Raises:
        NonFiniteLossError: if a loss part is infinite or NaN; the last checkpoint stays.
        Interrupted: after a signal; the state is saved.
    """
    setup, progress, world = run.setup, run.progress, run.setup.world
    on_cpu = setup.runtime.device.type == "cpu"
    last = setup.steps if until is None else min(until, setup.steps)
    run.console.start(step=progress.step, steps=last)
    with signals_caught() as caught:
        setup.student.network.train()
        for stage in setup.stages:
            while progress.step < min(stage.stop, last):
                started, step = time.perf_counter(), progress.step
                run.schedule.before_step(step)
                if not world.alone:  # each process draws its own dropout
                    torch.manual_seed(derived_seed(setup.options.seed, "dropout", step, world.rank))
                batch = training_batch(setup, run.pipeline, step)
                loss = train_step(
                    run.learner, batch, terms=stage.terms, progress=stage.progress(step), ramp=stage.ramp(step)
                )
                progress.meter.add(loss)
                progress.step += 1
                evaluating, stopping = stage.evaluates_after(step), False
                pausing = progress.step == last
                if on_cpu or evaluating or pausing or progress.step % _CHECK_EVERY_ON_GPU == 0:
                    progress.meter.check(progress.step)
                    stopping = world.any(bool(caught))
                progress.spend(time.perf_counter() - started)

                if evaluating or stopping or pausing:
                    share_statistics(run.learner, world)
                    row = evaluate_on_validation(run, stage) if evaluating else None
                    if row is not None:
                        adapt(run, setup.sampler.batch_size / row["samples_per_second"])
                    save(run)
                    if stopping:
                        what = f"stopped at step {progress.step} of {setup.steps}"
                        number = caught[0] if caught else signal.SIGTERM  # another process caught it
                        raise Interrupted(what, run.folder, signal_number=number)
                    if row is not None:
                        watch(row)
                run.console.step(progress.step)


def train_step(
    learner: Learner, batch: Batch, *, terms: tuple[str, ...], progress: float, ramp: float = 1.0
) -> StepLoss:
    """Do one optimizer step on a batch; return the loss before it.

    Several processes do it together, each with its part of the batch: all get the same weights. The parts of the loss
    are those of the whole batch; its total, which is only computed for the gradients, is this process's share.

    Args:
        learner: the objects used in the step.
        batch: the images, classes and groups.
        terms: names of the terms in the loss.
        progress: how much of the stage is done, from 0 to 1, for strengths that are annealed.
        ramp: the fraction of their strength of terms that start gently.
    """
    active = learner.objective.selected(terms)
    learner.optimizer.zero_grad(set_to_none=True)
    for term in active:
        term.begin_step()
    teacher = learner.teacher(batch) if learner.teacher is not None else {}
    given = PassInputs(batch.images, batch.labels, batch.groups, teacher, progress, ramp)
    forward_and_backward = partial(
        _forward_and_backward, learner, terms=terms, global_batch_size=batch.global_batch_size
    )
    if learner.captured is not None and all(term.capturable for term in active):
        loss = learner.captured(forward_and_backward, given, terms=terms)
    else:
        loss = forward_and_backward(given)
    if not learner.world.alone:
        parameters = [*learner.student.network.parameters(), *learner.objective.parameters()]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flags = [] if loss.teacher_nan is None else [loss.teacher_nan]
        learner.world.sum_([*gradients, *loss.parts.values(), *flags])
    learner.optimizer.step()
    if learner.average is not None:
        learner.average.update(learner.student.network)
    for term in active:
        term.end_step()
    return loss


def _forward_and_backward(
    learner: Learner, given: PassInputs, *, terms: tuple[str, ...], global_batch_size: int | None
) -> StepLoss:
    """Return the loss of a batch; its gradients are added to those of the parameters."""
    with learner.runtime.autocast():
        view = StepView(
            student=learner.student(given.images),
            teacher=given.teacher,
            labels=given.labels,
            groups=given.groups,
            num_classes=learner.num_classes,
            num_groups=learner.num_groups,
            progress=given.progress,
            ramp=given.ramp,
            world=learner.world,
            global_batch_size=global_batch_size,
        )
        loss: StepLoss = learner.objective(view, terms)
    loss.total.backward()
    return replace(loss, total=loss.total.detach())  # what was computed backwards is not kept until the next step
