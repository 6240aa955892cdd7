"""How images are read for a deployed model: as it sees them, unless the user says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairdistill.data import option_names
from fairdistill.models.description.described import Described
from fairdistill.models.description.input_rule import InputRule
from fairdistill.predictions.trained.source import ModelSource


def data_options_as_deployed(
    source: ModelSource, said: Described, data: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the options of your own images, completed by what a deployed model's files say.

    The images are then decoded once, to the size that the model takes; and students, which start from its weights, see
    what these were made for.

    Args:
        source: the deployed model.
        said: what its own files say.
        data: the data set, a table or a folder.
        given: its options as the user gave them, which stay.
    """
    if "interpolation" not in option_names(data):
        return dict(given)
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
        short = rule.scaled(said.size, size).short
        if short is None or short >= size:  # else the rule itself is refused when the model is read
            known |= {"crop": "center", "stored_size": short}
    return {**{name: value for name, value in known.items() if value is not None}, **given}


def _channels(values: tuple[float, ...] | None) -> str | None:
    return None if values is None else ",".join(map(repr, values))
