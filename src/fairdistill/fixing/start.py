"""The beginning of a fix: everything is checked, the folder made, and a model trained if none was given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from fairdistill.fixing import folder
from fairdistill.fixing.options import FixOptions
from fairdistill.fixing.plan import affordable_epochs
from fairdistill.fixing.students import finished
from fairdistill.fixing.work import Deployed, Samples, Work, source_of
from fairdistill.predictions.trained_model import open_run
from fairdistill.system.clock import Clock
from fairdistill.system.runtime import choose_runtime
from fairdistill.training import TrainOptions, resolve, seconds_of


def start(deployed: str | None, options: FixOptions) -> Work:
    """Check everything, make the folder, and train a model if none was given.

    Args:
        deployed: a run folder, a weights file or an exported program; None to train a model first.
        options: see :class:`FixOptions`.
    """
    clock = Clock(options.seconds)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    runtime = choose_runtime(options.device, options.precision)
    source = None if deployed is None else source_of(deployed, options)
    run = None if source is None else open_run(source)
    base = _shared(options)
    resolved = resolve(base, run)
    samples = Samples.load(options, resolved, run)
    base = replace(base, data_options=dict(resolved.data_options), split_seed=resolved.split_seed)
    given = None
    if source is not None:
        given = Deployed.read(source, samples, runtime)
        base = replace(base, model=options.model or given.model.name)
    out = Path(options.out)
    digests = {**samples.digests, "model": None if given is None else given.model.digest}
    identity = folder.identity(deployed, options, resolved, digests=digests)
    epochs = folder.former_epochs(out, identity)
    if epochs is None:
        epochs = _epochs(base, options, train_teacher=given is None)
        folder.begin(out, identity, epochs=epochs)
    base = replace(base, epochs=epochs, cache_dir=str(out / ".teacher-cache"))
    notes = [f"{note[0].upper()}{note[1:]}" for note in samples.train.notes]
    if given is None:
        finished(replace(base, method="scratch", out=str(out / "teacher")), clock=clock)
        given = Deployed.read(source_of(str(out / "teacher"), options), samples, runtime)
    elif run is None and samples.cut:
        notes.append(
            "The validation set was split off from the training set. If the deployed model was trained on those "
            "images, it looks better on them than it really is, so the rule is stricter for the other "
            "candidates than intended"
        )
    return Work(
        options,
        base,
        epochs,
        out,
        samples,
        given,
        runtime,
        clock,
        (*notes, *given.model.notes, *_unknown_groups(samples)),
    )


def _shared(options: FixOptions) -> TrainOptions:
    """Return the options that every run shares, as far as they are known before the data is read."""
    return TrainOptions(
        data=options.data, data_root=options.data_root, data_options=dict(options.data_options), model=options.model,
        batch_size=options.batch_size, lr=options.lr, seed=options.seed, device=options.device,
        precision=options.precision, threads=options.threads,
    )  # fmt: skip


def _epochs(base: TrainOptions, options: FixOptions, *, train_teacher: bool) -> int:
    trial = replace(base, method="ss", epochs=1, out=str(Path(options.out) / "trial"))
    return affordable_epochs(
        seconds_of(trial), budget=options.seconds, most=options.epochs, students=options.students,
        teacher=train_teacher,
    )  # fmt: skip


def _unknown_groups(samples: Samples) -> list[str]:
    return [
        f"{part.num_unknown_groups:,} of {len(part):,} images in {part.name} have no group label; they count towards "
        "the accuracy but not towards the gap"
        for part in (samples.validation, samples.test)
        if part.num_unknown_groups
    ]
