"""TensorBoard: event files in the run folder."""

from __future__ import annotations

from collections.abc import Mapping

from fairdistill.tracking.backend import Backend, Tracked


def open_tensorboard(run: Tracked) -> Backend:
    """Write event files into ``tensorboard/`` of the run folder."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(run.path / "tensorboard"))
    writer.add_text("options", "\n".join(f"    {name}: {value}" for name, value in run.settings.items()))

    def write(values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            writer.add_scalar(name, value, step)
        writer.flush()

    return Backend(write, lambda completed: writer.close(), f"{run.path / 'tensorboard'}")
