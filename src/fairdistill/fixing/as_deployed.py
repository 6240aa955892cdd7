"""What students see of the images: what the deployed model sees, unless the user says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairdistill.data import option_names
from fairdistill.models.beside import described_beside
from fairdistill.models.input_rule import InputRule
from fairdistill.predictions.model_source import ModelSource


def data_options_as_deployed(source: ModelSource, data: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of your own images, completed by the configuration beside a deployed model's weights.

    Students start from the model's weights, which were made for its size, mean, sd and resizing.

    Args:
        source: the deployed model, a file.
        data: the data set, a table or a folder.
        given: its options as the user gave them, which stay.
    """
    if "interpolation" not in option_names(data):
        return dict(given)
    said = described_beside(Path(source.path))
    rule = source.rule.completed_by(said.rule or InputRule())
    size = given.get("size") or source.size or said.size
    known: dict[str, Any] = {
        "size": size,
        "mean": source.mean or _channels(said.mean),
        "std": source.std or _channels(said.std),
        "interpolation": rule.interpolation,
        "antialias": rule.antialias,
    }
    if rule.part == "center" and size is not None and not {"crop", "stored_size"}.intersection(given):
        known |= {"crop": "center", "stored_size": rule.scaled(said.size, size).short}
    return {**{name: value for name, value in known.items() if value is not None}, **given}


def _channels(values: tuple[float, ...] | None) -> str | None:
    return None if values is None else ",".join(map(repr, values))
