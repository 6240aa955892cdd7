"""Before the first step: announcing a run and creating its folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path

import torch

from fairdistill.data import Pipeline
from fairdistill.errors import DataError, TrainingError, UsageError
from fairdistill.models.hugging_face import configurations, is_face
from fairdistill.models.trust import UntrustedError
from fairdistill.runs import RunFolder
from fairdistill.system.processes import World
from fairdistill.text.lists import joined
from fairdistill.training.identity import stale_code_of
from fairdistill.training.machine.cost import estimate
from fairdistill.training.machine.environment import describe_environment
from fairdistill.training.progress.console import RunConsole
from fairdistill.training.setup import Setup, teacher_states


def console_of(setup: Setup, quiet: bool) -> RunConsole:
    """Return the console of the run; only the first of several processes shows progress."""
    return RunConsole(
        quiet=quiet or not setup.world.first,
        title=f"{setup.method.name} on {Path(setup.options.data).name}, seed {setup.options.seed}",
    )


def announce(setup: Setup, pipeline: Pipeline, console: RunConsole) -> None:
    """Time a few steps, set the number of threads, and print what will be done, anything unusual, and its cost."""
    options, data = setup.options, setup.data
    cost = estimate(setup, pipeline)
    torch.set_num_threads(cost.threads)
    sizes = [f"{len(data.train):,} train"]
    if options.rules.validates_on_test:
        sizes.append(f"{len(data.test):,} test (also for validation)")
    else:
        sizes += [f"{len(data.validation):,} validation", f"{len(data.test):,} test"]
    console.say(
        f"{setup.steps} steps of {setup.sampler.batch_size} images, {options.protocol} protocol, {setup.runtime}; "
        f"{', '.join(sizes)}"
    )
    for remark in _remarks(setup):
        console.say(remark)
    console.say(f"{cost}; writing to {setup.out}")


def _remarks(setup: Setup) -> Iterator[str]:
    options, train = setup.options, setup.data.train
    for file in stale_code_of(options):
        yield (
            f"{file} has changed since this process imported it, and what was imported is used; start a new process, "
            "or reload the module with importlib.reload, to use the present file"
        )
    wished = options.learning.batch_size
    if wished > len(train) and not options.rules.drop_last:
        yield f"a batch has at most the {len(train):,} training images, although --batch-size is {wished:,}"
    if train.attributes is not None:
        names = train.attributes.names
        yield f"{len(names)} attributes ({', '.join(names)}): one output each, and what is shown is their mean"
        lacking = zip((train.answers() < 0).sum(0).tolist(), names, strict=True)
        missing = [f"{rows:,} for {name}" for rows, name in lacking if rows]
        if missing:
            yield f"training images without an answer, which are left out of that attribute's losses: {joined(missing)}"
    if train.recipe.crop == "center":
        yield f"images: {train.recipe.geometry}"
    if train.num_unknown_groups:
        yield (
            f"{train.num_unknown_groups:,} training images have no group label; they are used only by losses that do "
            "not need one"
        )
    if setup.student.new_head:
        yield f"the last layer in {options.init} has a different shape, so the student's last layer starts from scratch"
    yield from setup.student.notes
    if setup.teacher is not None:
        yield from setup.teacher.model.notes
    yield from train.notes
    if train.skipped:
        yield f"{len(train.skipped):,} broken images were skipped; see {setup.out / 'skipped.csv'}"
    if options.teacher_cache and setup.cache is None and setup.method.teacher_taps:
        in_every_step = "so the teacher's outputs are computed in every step instead of cached"
        if teacher_states(options, train) is None:
            why = options.augmenting.reason_not_cached or "training crops are random"
            yield f"{why}, {in_every_step}; --teacher-images plain would compute them once"
        else:
            yield f"the run is shorter than one pass over the images, {in_every_step}"


def create_run(setup: Setup) -> RunFolder:
    """Create the run folder, with what is known before the first step."""
    environment = describe_environment(
        setup.runtime, seed=setup.options.seed, processes=setup.world.size, code=setup.code
    )
    run = RunFolder.create(setup.out, config=asdict(setup.options), environment=asdict(environment))
    run.write_skipped(setup.data.train.skipped)
    if is_face(setup.student.network):
        train = setup.data.train
        of_outputs = train.of_outputs().class_names
        contents = configurations(
            setup.student.network, of_outputs, train.recipe, multi_label=train.attributes is not None
        )
        for name, content in contents.items():
            run.write_json(name, content)
    return run


@contextmanager
def removed_if_it_fails(run: RunFolder, world: World, *, was_there: bool) -> Iterator[None]:
    """Remove a run folder that was made for this training if that fails before there is a checkpoint.

    Args:
        run: the run folder.
        world: the processes that train together.
        was_there: whether it was made in place of an empty folder, which is left then.
    """
    try:
        yield
    except Exception as error:
        lost = type(error) is TrainingError  # another process: its message says to resume
        if world.first and not lost and not run.checkpoint_path.exists():
            shutil.rmtree(run.path, ignore_errors=True)
            if was_there:
                run.path.mkdir(exist_ok=True)
        raise


@contextmanager
def held(run: RunFolder, world: World) -> Iterator[None]:
    """Lock the run folder against other runs; the first of several processes does it for all.

    Raises:
        RunFolderError: if another process holds it.
        TrainingError: if the folder vanishes meanwhile.
    """
    with run.lock() if world.first else nullcontext():
        try:
            yield
        except OSError as error:
            if run.path.exists():
                raise
            raise TrainingError(
                f"{run.path} was moved or removed during the training; if you moved it, continue with: fairdistill "
                "train --resume NEW_PATH"
            ) from error


@contextmanager
def options_named(run: RunFolder) -> Iterator[None]:
    """Say where the options of a resumed run are, such as the path of data that moved: they cannot be given again."""
    config = run.path / "config.yaml"
    try:
        yield
    except (DataError, UsageError) as error:
        if config.exists() and not isinstance(error, UntrustedError):
            what = str(error).removesuffix(".")
            error.args = (
                f"{what}. A resumed run takes no other options; those of the run are in {config}: if its files have "
                "moved, enter the new paths there",
            )
        raise
