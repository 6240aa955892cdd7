"""What stored features depend on, as text: equal texts mean equal features."""

from __future__ import annotations

from fairdistill.data import Recipe
from fairdistill.models import TapPoint
from fairdistill.models.reading import OutputReading
from fairdistill.system.runtime import Runtime


def base_key(network: str, data: str, recipe: Recipe, runtime: Runtime) -> str:
    """Return what all features of a network on a data set depend on.

    Args:
        network: a hash of its weights, and of its code if that may change.
        data: a hash of the data set.
        recipe: how the network's images are prepared.
        runtime: device and precision.
    """
    return f"{network}/{data}/{recipe}/{runtime.device.type}/{runtime.dtype}"


def place_key(point: TapPoint | None, outputs: OutputReading) -> str:
    """Return where in a network a feature is read; None stands for its logits, read as ``outputs`` says.

    Example:
        >>> place_key(None, OutputReading())
        "logits of OutputReading(kind='logits', order=None, in_training=None)"
    """
    return f"logits of {outputs}" if point is None else str(point)
