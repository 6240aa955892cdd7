"""How a model was read, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from fairdistill.auditing.result import AuditResult
from fairdistill.text.lists import listed

_SHOWN = 12


def model_in_words(result: AuditResult) -> list[str]:
    """Return how the model was read, in sentences; nothing if the predictions came from elsewhere."""
    model = result.model
    if model is None:
        return []
    how = "resized to"
    if model.crop == "center":
        how = f"with the short side resized to {model.resized} pixels, the center cut out at"
    return [
        f"Model input: images {how} {model.size} x {model.size} pixels; mean {_channels(model.mean)}; standard "
        f"deviation {_channels(model.std)}.",
        f"Model outputs: {model.outputs}, in the order {listed(model.output_classes, _SHOWN)}.",
    ]


def _channels(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
