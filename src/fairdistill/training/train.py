"""Training a student into a run folder, and resuming a run that was stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairdistill.contract import Location, check_named
from fairdistill.data import with_data_keywords
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.methods import parts
from fairdistill.models import check_program, trust_code
from fairdistill.runs import RunFolder
from fairdistill.system.caller import caller_untouched
from fairdistill.system.processes import join
from fairdistill.tracking import check_logger, logged
from fairdistill.training.data.splits import Splits
from fairdistill.training.loop import Watch, train_student
from fairdistill.training.machine.pace import Threads, use_threads
from fairdistill.training.options import TrainOptions
from fairdistill.training.progress.active_run import ActiveRun, activate
from fairdistill.training.progress.changed_code import note_changed_code
from fairdistill.training.progress.evaluation import evaluate_on_test
from fairdistill.training.progress.opening import (
    announce,
    console_of,
    create_run,
    held,
    options_named,
    removed_if_it_fails,
)
from fairdistill.training.progress.state import restore, saved
from fairdistill.training.progress.stopping import interrupt_named
from fairdistill.training.setup import prepare, training_pipeline


def train(
    options: TrainOptions | None = None,
    *,
    quiet: bool = False,
    hold_test: bool = False,
    watch: Watch | None = None,
    until: int | None = None,
    splits: Splits | None = None,
    **keywords: Any,
) -> RunFolder:
    """Train one student (or teacher) and write its run folder.

    Started by ``torchrun``, all its processes train the one student together, each on its part of every batch; the
    first writes the run folder.

    Args:
        options: what to train, on what data, how, and where to write.
        quiet: show no progress.
        hold_test: stop after the last step and leave the test set unread; ``resume`` then evaluates on it.
        watch: called with each row of the log, once the checkpoint is saved; an exception it raises ends the run,
            which ``resume`` then continues. If there are several processes, each of them calls it.
        until: pause after this many steps of the run: save its state, write the weights that would be kept now to
            ``model.safetensors``, and return; ``resume`` goes on as if there had been no pause. Schedules cover all
            steps of the run as without a pause. None, or a number at or beyond the last step: do not pause.
        splits: what :func:`~fairdistill.training.load_data` returns for these options, to save loading it again.
        **keywords: options by name, for example ``method="mfd"``; they override ``options``. They may be options of the
            data set, too, such as ``label="gender"`` of a table.

    Returns:
        The run folder: finished, unless the run was paused or the test set held back.

    Raises:
        UsageError: for options that do not fit; nothing is written.
        DataError: for data that does not fit; nothing is written.
        Exception: whatever your own code raises; a run folder without a checkpoint is removed after any failure.
        RunFolderError: if the run folder exists.
        NonFiniteLossError: if a loss part is infinite or NaN; the last checkpoint stays.
        Interrupted: after Ctrl-C, SIGTERM or SIGHUP, unless ignored; the state is saved and ``resume`` continues.

    Example:
        >>> run = train(method="ss", steps=2, out="runs/short")  # doctest: +SKIP
    """
    options = with_data_keywords(TrainOptions, options, keywords)
    trust_code(options.model, options.teacher_model, options.teacher, *parts(options.method))
    _check_until(until)
    with caller_untouched():
        world = join(options.device)
        if options.out is not None and world.first:
            RunFolder.check_new(Path(options.out))
        check_logger(options.logger)
        setup = prepare(options, world, splits=splits)
        pipeline = training_pipeline(setup)
        with console_of(setup, quiet) as console:
            folder, was_there = RunFolder(setup.out), setup.out.exists()
            if world.first:
                RunFolder.check_new(setup.out)
                announce(setup, pipeline, console)
                folder = create_run(setup)
            undone = removed_if_it_fails(folder, world, was_there=was_there)
            with held(folder, world), interrupt_named(folder), undone:
                _go_on(activate(setup, folder, pipeline, console), hold_test=hold_test, watch=watch, until=until)
    return folder


def resume(
    path: Location,
    *,
    quiet: bool = False,
    hold_test: bool = False,
    watch: Watch | None = None,
    until: int | None = None,
    splits: Splits | None = None,
    code: str | Sequence[str | None] = (),
) -> RunFolder:
    """Continue a run that was paused, stopped or killed, as if there had been no interruption.

    The result is the same bit for bit on one CPU thread. If your own code has changed, the new code trains the
    remaining steps; a line says so, and ``environment.json`` records the step.

    Args:
        path: the run folder.
        quiet: show no progress.
        hold_test: as for :func:`train`; a run whose test set was held back is then evaluated on it.
        watch: as for :func:`train`.
        until: as for :func:`train`; counted from the start of the run.
        splits: as for :func:`train`; an error if they differ from what the run was started with.
        code: what of the run is your own code: its network, its teacher's (``package.module:factory``, or an exported
            program) and its method (``package.module:name``, or a sum with it). Code runs only if you name it, not
            because a run folder does.

    Raises:
        RunFolderError: if it is not a run folder, or in use, damaged or finished already.

    Example:
        >>> run = resume("runs/short")  # doctest: +SKIP
    """
    _check_until(until)
    named: list[Any] = list(code) if isinstance(code, list | tuple) else [code]
    for name in named:
        if name is not None:
            check_named("code", name)
    trust_code(*named, *(part for name in named if name for part in parts(name)))
    folder = RunFolder.open(path)
    world = join(folder.config.get("device", "auto"))
    with caller_untouched(), held(folder, world), options_named(folder):
        if folder.finished:
            raise RunFolderError(f"{path} is finished already; its result is in {folder.path / 'result.json'}")
        config = {**folder.config, "out": str(folder.path)}
        check_program(config.get("teacher"))
        if folder.checkpoint_path.exists():
            config["init"] = "scratch"  # the checkpoint holds the weights
        setup = prepare(TrainOptions.from_mapping(config), world, splits=splits)
        with console_of(setup, quiet) as console, interrupt_named(folder):
            use_threads(setup, Threads(folder.environment["threads"]))
            checkpoint = saved(folder, setup)
            run = activate(setup, folder, training_pipeline(setup), console)
            restore(run, checkpoint)
            note_changed_code(run)
            _go_on(run, hold_test=hold_test, watch=watch, until=until)
    return folder


def _check_until(until: int | None) -> None:
    if until is not None and until < 1:
        raise UsageError(f"expected until to be at least 1 step, but got {until}")


def _go_on(run: ActiveRun, *, hold_test: bool, watch: Watch | None, until: int | None) -> None:
    """Train to the last step or a pause, and write the weights that are kept; after the last, evaluate on the test set.

    The test set is left unread if it is held back.
    """
    name = run.setup.options.logger if run.setup.world.first else None
    with logged(name, run.folder, run.console.say) as log:
        if name is not None and run.progress.log_rows:
            log(run.folder.read_log()[-1])  # the run may have been killed before it was

        def told(row: Mapping[str, Any]) -> None:
            log(row)
            if watch is not None:
                watch(row)

        train_student(run, told, until=until)
        network, best = run.setup.student.network, run.progress.best
        network.load_state_dict(run.learner.evaluated.state_dict() if best is None else best)
        if run.setup.world.first:
            run.folder.write_model(network, run.setup.student.metadata)
        if run.progress.step == run.setup.steps and not hold_test:
            log({"step": run.progress.step, "evaluation": {"split": "test", **evaluate_on_test(run)}})
