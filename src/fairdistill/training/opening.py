"""What happens before a run's first step: it says what it will do, and makes its folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path

import torch

from fairdistill.data.images.augmentation import Pipeline
from fairdistill.runs import RunFolder
from fairdistill.system.processes import World
from fairdistill.training.console import RunConsole
from fairdistill.training.environment import describe_environment
from fairdistill.training.estimate import estimate
from fairdistill.training.prepare import Setup


def console_of(setup: Setup, quiet: bool) -> RunConsole:
    """Return what shows the run's progress, on the first process alone."""
    return RunConsole(
        quiet=quiet or not setup.world.first,
        title=f"{setup.method.name} on {Path(setup.options.data).name}, seed {setup.options.seed}",
    )


def announce(setup: Setup, pipeline: Pipeline, console: RunConsole) -> None:
    """Say what will be done and what it will take."""
    options = setup.options
    console.say(
        f"{setup.steps} steps of {setup.sampler.batch_size} images, {options.protocol} protocol, {setup.runtime}; "
        f"{len(setup.train):,} train, {len(setup.validation):,} "
        f"{'test (also for validation)' if options.protocol == 'paper' else 'validation'}"
        f"{'' if options.protocol == 'paper' else f', {len(setup.test):,} test'}"
    )
    unknown = setup.train.num_unknown_groups
    if unknown:
        console.say(
            f"{unknown:,} training rows have no known group: they train the class loss and what reads no groups"
        )
    if setup.new_head:
        console.say(f"{options.init} has a last layer of another shape, so the student's own is new")
    for note in setup.train.notes:
        console.say(note)
    if setup.train.skipped:
        console.say(f"{len(setup.train.skipped):,} broken images were left out: {setup.out / 'skipped.csv'}")
    if options.teacher_cache and setup.cache is None and setup.method.teacher_taps:
        short = "the run is shorter than one pass over the images"
        why = short if setup.train.recipe.num_states else "training crops are new in every step"
        console.say(f"{why}, so the teacher runs in every step")
    console.say(f"{estimate(setup, pipeline)}; writing to {setup.out}")


def new_folder(setup: Setup) -> RunFolder:
    """Make the run folder, with what is known before the first step."""
    run = RunFolder.create(
        setup.out,
        config=asdict(setup.options),
        environment=describe_environment(setup.runtime, seed=setup.options.seed, processes=setup.world.size),
    )
    run.write_skipped(setup.train.skipped)
    return run


def held(run: RunFolder, world: World) -> AbstractContextManager[None]:
    """Keep the run folder from other runs; the first process does it for all."""
    return run.lock() if world.first else nullcontext()


@contextmanager
def caller_untouched() -> Iterator[None]:
    """Leave the caller's random numbers and threads as they were."""
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            torch.set_num_threads(threads)
