"""Weights & Biases: a run of the project that ``WANDB_PROJECT`` names; ``WANDB_MODE=offline`` sends nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping

from fairdistill.system.optional import needed
from fairdistill.tracking.backend import PROJECT, Backend, Tracked


def open_wandb(run: Tracked) -> Backend:
    """Begin a run of wandb, or continue it; its files are in ``wandb/`` of the run folder."""
    wandb = needed("wandb", extra="wandb")
    run.path.joinpath("wandb").mkdir(exist_ok=True)  # else it would take the current folder
    opened = wandb.init(
        project=os.environ.get("WANDB_PROJECT", PROJECT),
        name=run.path.name,
        id=run.id,
        resume="allow",
        dir=str(run.path),
        config=run.settings,
        reinit="create_new",
        settings=wandb.Settings(silent=True, console="off"),
    )

    def write(values: Mapping[str, float], step: int) -> None:
        opened.log(dict(values), step=step)

    where = str(run.path / "wandb") if opened.offline else str(opened.url)
    return Backend(write, lambda completed: opened.finish(exit_code=0 if completed else 1), where)
