"""The training loop: one loop for every method, read from top to bottom."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from fairdistill.data import GroupedDataset
from fairdistill.data.images.augmentation import Pipeline
from fairdistill.errors import NonFiniteLossError, RunFolderError
from fairdistill.models import Tapped
from fairdistill.predictions.evaluation import Evaluation, evaluate, logits_of
from fairdistill.runs import RunFolder
from fairdistill.system.processes import ALONE, World, join
from fairdistill.system.randomness import derived_seed
from fairdistill.system.runtime import Runtime
from fairdistill.training.console import RunConsole, percent
from fairdistill.training.objective import LossMeter, Objective, StepLoss
from fairdistill.training.opening import announce, caller_untouched, console_of, held, new_folder
from fairdistill.training.optimizer import build_optimizer
from fairdistill.training.options import TrainOptions
from fairdistill.training.prepare import Setup, prepare
from fairdistill.training.result import summary, write_result
from fairdistill.training.schedule import Schedule
from fairdistill.training.stages import Stage
from fairdistill.training.state import load_checkpoint, save_checkpoint
from fairdistill.training.stopping import Interrupted, interrupt_named, signals_caught
from fairdistill.training.teacher_cache import CachedTeacher, LiveTeacher
from fairdistill.types import Batch, StepView, Taps

_CHECK_EVERY_ON_GPU = 50  # looking at a loss makes a GPU wait

Watch = Callable[[Mapping[str, Any]], None]
"""Called after each evaluation with its row of the log, the state being saved; what it raises ends the run there."""


def train(
    options: TrainOptions, *, quiet: bool = False, hold_test: bool = False, watch: Watch | None = None
) -> RunFolder:
    """Train one student (or teacher) and write its run folder.

    Args:
        options: what to train, on what, how and where to.
        quiet: show no progress.
        hold_test: stop after the last step, with the state saved and the test set unread; ``resume`` then reads it.
        watch: sees each row of the log as it is written, and may raise to end the run; ``resume`` goes on from there.
            Of several processes each calls it.

    Returns:
        The run folder: finished, unless the test set was held back.

    Raises:
        UsageError: for options that do not fit; nothing is written.
        DataError: for data that does not fit; nothing is written.
        RunFolderError: if the run folder exists.
        NonFiniteLossError: if a loss part is infinite or NaN; the last checkpoint stays.
        Interrupted: after Ctrl-C; the state is saved and ``resume`` continues.

    Started by ``torchrun``, all its processes train the one student together, each on its part of every batch; the
    first writes the run folder.

    Example:
        >>> run = train(TrainOptions(method="ss", steps=2, out="runs/short"))  # doctest: +SKIP
    """
    with caller_untouched():
        world = join(options.device)
        if options.out is not None and world.first:
            RunFolder.check_new(Path(options.out))
        setup = prepare(options, world)
        pipeline = Pipeline(setup.train, device=setup.runtime.device, seed=setup.options.seed)
        with console_of(setup, quiet) as console:
            run = RunFolder(setup.out)
            if world.first:
                RunFolder.check_new(setup.out)
                announce(setup, pipeline, console)
                run = new_folder(setup)
            with held(run, world), interrupt_named(run):
                _Training(setup, pipeline, run, console).finish(hold_test=hold_test, watch=watch)
    return run


def resume(path: str | Path, *, quiet: bool = False, hold_test: bool = False, watch: Watch | None = None) -> RunFolder:
    """Continue a run that was stopped or killed; as if it had not been, on one CPU thread to the same bits.

    Args:
        path: the run folder.
        quiet: show no progress.
        hold_test: as for :func:`train`; a run whose test set was held back is only judged on it.
        watch: as for :func:`train`.

    Raises:
        RunFolderError: if it is no run folder, in use, damaged or finished already.
    """
    run = RunFolder.open(path)
    world = join(run.config.get("device", "auto"))
    with caller_untouched(), held(run, world):
        if run.finished:
            raise RunFolderError(f"{path} is finished already; its result is in {run.path / 'result.json'}")
        config = {**run.config, "out": str(run.path)}
        if run.checkpoint_path.exists():
            config["init"] = "scratch"  # the checkpoint holds the weights
        setup = prepare(TrainOptions.from_mapping(config), world)
        pipeline = Pipeline(setup.train, device=setup.runtime.device, seed=setup.options.seed)
        with console_of(setup, quiet) as console, interrupt_named(run):
            training = _Training(setup, pipeline, run, console)
            training.restore()
            training.finish(hold_test=hold_test, watch=watch)
    return run


def train_step(
    student: Tapped,
    objective: Objective,
    optimizer: Optimizer,
    batch: Batch,
    teacher: Callable[[Batch], Taps] | None,
    *,
    terms: tuple[str, ...],
    progress: float,
    num_classes: int,
    num_groups: int,
    runtime: Runtime,
    world: World = ALONE,
) -> StepLoss:
    """Do one optimizer step on a batch with the named terms; return the loss it was taken at.

    Several processes do it together, each with its rows of the batch: all get the same loss and the same weights.
    """
    playing = objective.selected(terms)
    optimizer.zero_grad(set_to_none=True)
    for term in playing:
        term.begin_step()
    with runtime.autocast():
        view = StepView(
            student=student(batch.images),
            teacher=teacher(batch) if teacher is not None else {},
            labels=batch.labels,
            groups=batch.groups,
            num_classes=num_classes,
            num_groups=num_groups,
            progress=progress,
            world=world,
            whole=batch.whole,
        )
        loss: StepLoss = objective(view, terms)
    loss.total.backward()
    if not world.alone:
        parameters = [*student.network.parameters(), *objective.parameters()]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        world.sum_([*gradients, *loss.parts.values()])
    optimizer.step()
    for term in playing:
        term.end_step()
    return loss


class _Training:
    """The moving parts of one run."""

    def __init__(self, setup: Setup, pipeline: Pipeline, run: RunFolder, console: RunConsole) -> None:
        self.setup, self.pipeline, self.run, self.console = setup, pipeline, run, console
        options, device = setup.options, setup.runtime.device
        self.objective = setup.objective
        self.student = Tapped(setup.network, setup.points)
        if options.compile:
            self.student.compile()
        parameters = [*setup.network.parameters(), *self.objective.shared_parameters()]
        self.optimizer = build_optimizer(options, parameters)
        self.schedule = Schedule(options.schedule, self.optimizer, setup.stages[-1])
        self.validation = Pipeline(setup.validation, device=device, seed=options.seed)
        self.teacher = self._teacher()
        self.meter = LossMeter()
        self.step = 0
        self.seconds = 0.0
        self.row_seconds = 0.0
        self.best_loss, self.best_step = float("inf"), 0
        self.best: dict[str, torch.Tensor] | None = None
        self.log_rows = 0
        self.collapsed = False
        torch.manual_seed(derived_seed(options.seed, "dropout"))

    def finish(self, *, hold_test: bool, watch: Watch | None) -> None:
        """Train from the current step to the last, then judge the student on the test set unless it is held back."""
        setup, device, world = self.setup, self.setup.runtime.device, self.setup.world
        self.console.start(step=self.step, steps=setup.steps)
        with signals_caught() as caught:
            setup.network.train()
            for stage in setup.stages:
                while self.step < stage.stop:
                    started = time.perf_counter()
                    self.schedule.before_step(self.step)
                    if not world.alone:  # each process drops activations of its own
                        torch.manual_seed(derived_seed(setup.options.seed, "dropout", self.step, world.rank))
                    loss = train_step(
                        self.student,
                        self.objective,
                        self.optimizer,
                        self.pipeline.train_batch(setup.sampler.batch(self.step), step=self.step, world=world),
                        self.teacher,
                        terms=stage.terms,
                        progress=stage.progress(self.step),
                        num_classes=setup.train.num_classes,
                        num_groups=setup.train.num_groups,
                        runtime=setup.runtime,
                        world=world,
                    )
                    self.meter.add(loss)
                    self.step += 1
                    evaluate_now = stage.evaluates_after(self.step - 1)
                    stopping = False
                    if device.type == "cpu" or evaluate_now or self.step % _CHECK_EVERY_ON_GPU == 0:
                        self.meter.check(self.step)
                        stopping = world.any(bool(caught))
                    took = time.perf_counter() - started
                    self.seconds += took
                    self.row_seconds += took
                    if evaluate_now or stopping:
                        share_statistics(setup.network, world)
                    row = self._evaluate(stage) if evaluate_now else None
                    if row is not None or stopping:
                        self.save()
                    if stopping:
                        what = f"stopped at step {self.step} of {setup.steps}"
                        raise Interrupted(what, self.run, signal_number=caught[0] if caught else signal.SIGTERM)
                    if row is not None and watch is not None:
                        watch(row)
                    self.console.step(self.step)
        self._keep_weights()
        if not hold_test:
            self._judge_on_test()

    def _evaluate(self, stage: Stage) -> dict[str, Any]:
        """Judge the student on the validation set; log it; let the schedules know. Return the log's row."""
        setup = self.setup
        judged = self._judge(self.validation, setup.validation)
        paper = setup.options.protocol == "paper"
        loss = judged.loss if paper else judged.cell_loss
        if not math.isfinite(judged.loss):
            raise NonFiniteLossError(f"the evaluation's loss is not finite at step {self.step}; try a smaller --lr")
        lr = self.schedule.lr
        if stage is setup.stages[-1]:
            self.schedule.after_evaluation(loss)
            if not paper and loss < self.best_loss:
                self.best_loss, self.best_step = loss, self.step
                self.best = {name: value.detach().clone() for name, value in setup.network.state_dict().items()}
            view = StepView(
                student={"logits": judged.logits},
                teacher={},
                labels=self.validation.labels,
                groups=self.validation.groups,
                num_classes=setup.train.num_classes,
                num_groups=setup.train.num_groups,
                progress=1.0,
            )
            for term in self.objective.selected(stage.terms):
                term.validate(view)
        steps = self.meter.steps
        row = {
            "epoch": self.log_rows + 1,
            "step": self.step,
            "stage": stage.name,
            "loss": self.meter.means(),
            "lr": lr,
            "evaluation": {"split": "test" if paper else "validation", **summary(judged)},
            "seconds": self.row_seconds,
            "samples_per_second": steps * setup.sampler.batch_size / self.row_seconds,
        }
        self.row_seconds = 0.0
        self.log_rows += 1
        if setup.world.first:
            self.run.append_log(row)
        self.console.evaluated(row)
        if judged.collapsed and not self.collapsed and setup.method.class_loss in stage.terms:
            self.console.say(f"warning: at step {self.step} every image is predicted as one class")
        self.collapsed = judged.collapsed
        return row

    def _judge(self, pipeline: Pipeline, dataset: GroupedDataset) -> Evaluation:
        network, world = self.setup.network, self.setup.world
        network.eval()
        logits = logits_of(network, pipeline, self.setup.runtime.autocast, world=world)
        network.train()
        return evaluate(logits, dataset)

    def _teacher(self) -> CachedTeacher | LiveTeacher | None:
        setup = self.setup
        if setup.teacher is None or not setup.method.teacher_taps:
            return None
        own = None
        if setup.teacher_recipe != setup.train.recipe:
            device, seed = setup.runtime.device, setup.options.seed
            own = Pipeline(setup.train, device=device, seed=seed, recipe=setup.teacher_recipe)
        if setup.cache is None:
            return LiveTeacher(setup.teacher, setup.runtime, setup.method.teacher_taps, pipeline=own)
        memory = int(setup.options.cache_memory * 2**30)
        return setup.cache.load(
            setup.teacher, own or self.pipeline, setup.runtime, memory=memory, progress=self.console.say
        )

    def save(self) -> None:
        """Write the checkpoint."""
        device = self.setup.runtime.device
        if not self.setup.world.first:
            return
        save_checkpoint(
            self.run.checkpoint_path,
            {
                "step": self.step,
                "digests": dict(self.setup.digests),
                "student": self.setup.network.state_dict(),
                "objective": self.objective.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "best": self.best,
                "best_loss": self.best_loss,
                "best_step": self.best_step,
                "meter": {"sums": self.meter.sums, "steps": self.meter.steps},
                "log_rows": self.log_rows,
                "seconds": self.seconds,
                "row_seconds": self.row_seconds,
                "rng": torch.get_rng_state(),
                "rng_device": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
            },
        )

    def restore(self) -> None:
        """Take up the checkpoint, if there is one; the log goes back to where it was."""
        world, state = self.setup.world, None
        if world.first and self.run.checkpoint_path.exists():
            state = load_checkpoint(self.run.checkpoint_path)
        state = world.from_first(state)
        if state is None:
            if world.first:
                self.run.truncate_log(0)
            return
        try:
            self._take_up(state)
        except (KeyError, RuntimeError, ValueError, TypeError) as error:
            raise RunFolderError(
                f"{self.run.checkpoint_path} does not fit this run ({error}); start anew with another --out"
            ) from error
        if world.first:
            self.run.truncate_log(self.log_rows)
        self.console.say(f"resuming at step {self.step} of {self.setup.steps}")

    def _take_up(self, state: dict[str, Any]) -> None:
        changed = [name for name, digest in self.setup.digests.items() if state["digests"][name] != digest]
        if changed:
            raise RunFolderError(
                f"{self.run.path} cannot be continued: its {' and '.join(changed)} changed since it was stopped; "
                "start anew with another --out"
            )
        self.setup.network.load_state_dict(state["student"])
        self.objective.load_state_dict(state["objective"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.best, self.best_loss, self.best_step = state["best"], state["best_loss"], state["best_step"]
        device = self.setup.runtime.device
        self.meter.sums = {name: value.to(device) for name, value in state["meter"]["sums"].items()}
        self.meter.steps = state["meter"]["steps"]
        self.step, self.log_rows = state["step"], state["log_rows"]
        self.seconds, self.row_seconds = state["seconds"], state["row_seconds"]
        torch.set_rng_state(state["rng"].cpu())
        if state["rng_device"] is not None:
            torch.cuda.set_rng_state(state["rng_device"].cpu(), self.setup.runtime.device)

    def _keep_weights(self) -> None:
        """Take the weights that are kept, the last or those of the best evaluation, and write them."""
        if self.best is not None:
            self.setup.network.load_state_dict(self.best)
        if self.setup.world.first:
            self.run.write_model(self.setup.network, self.setup.metadata)

    def _judge_on_test(self) -> None:
        """Read the test set, once, and write the result."""
        setup = self.setup
        test = Pipeline(setup.test, device=setup.runtime.device, seed=setup.options.seed)
        judged, of_teacher = self._judge(test, setup.test), None
        honest = setup.options.protocol == "honest"
        on_validation = self._judge(self.validation, setup.validation) if honest else None
        if setup.teacher is not None:
            teacher, recipe = setup.teacher, setup.teacher_recipe
            seen = test
            if recipe != setup.test.recipe:
                seen = Pipeline(setup.test, device=setup.runtime.device, seed=setup.options.seed, recipe=recipe)
            logits = logits_of(
                lambda images: teacher(images)["logits"], seen, setup.runtime.autocast, world=setup.world
            )
            of_teacher = evaluate(logits, setup.test)
        if setup.world.first:
            write_result(
                self.run,
                setup,
                student=judged,
                validation=on_validation,
                teacher=of_teacher,
                steps=self.step,
                checkpoint_step=self.best_step if self.best is not None else self.step,
                seconds=self.seconds,
            )
        setup.world.wait()
        if judged.collapsed:
            self.console.say("warning: every test image is predicted as one class; this model learned nothing")
        found = f"accuracy {percent(judged.accuracy)}  DEO_A {percent(judged.deo_a)}  DEO_M {percent(judged.deo_m)}"
        self.console.say(f"test: {found}; finished: {self.run.path}")


def share_statistics(network: nn.Module, world: World) -> None:
    """Give the buffers that every process follows by itself, such as a batch norm's statistics, the processes' mean."""
    if world.alone:
        return
    followed = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
    world.sum_(followed)
    for buffer in followed:
        buffer.div_(world.size)
