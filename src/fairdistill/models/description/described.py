"""What is known about a model apart from its weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from fairdistill.errors import UsageError
from fairdistill.models.description.class_names import class_names_in, class_names_in_texts
from fairdistill.models.description.input_rule import InputRule, parse_rule
from fairdistill.text.parsing import from_json

Channels = tuple[float, float, float]

_LARGEST = 100_000  # pixels


@dataclass(frozen=True, kw_only=True)
class Described:
    """What is known about a model apart from its weights; None where it is not known.

    Attributes:
        files: where it was read, apart from the weights file itself.
        network: the network's name, as for ``--model``.
        size: height and width of its input.
        rule: how images get that size.
        mean, std: channel means and standard deviations of its input, for pixels in [0, 1].
        class_names: the names of its outputs.
        multi_label: whether an image may have several of its classes.
        answers: with that, the two values of each, the one that means no first.
        differs: what was done to its images and is not done here, one clause each.
    """

    files: tuple[str, ...] = ()
    network: str | None = None
    size: int | None = None
    rule: InputRule | None = None
    mean: Channels | None = None
    std: Channels | None = None
    class_names: tuple[str, ...] | None = None
    multi_label: bool | None = None
    answers: tuple[tuple[str, str], ...] | None = None
    differs: tuple[str, ...] | None = None

    def completed_by(self, beside: Described) -> Described:
        """Return this with what it does not say taken from files beside it.

        The rule by which images get the size of the input belongs to that size, so the two come from one place.
        """
        missing = {
            field.name: getattr(beside, field.name)
            for field in fields(self)
            if field.name != "files" and getattr(self, field.name) is None
        }
        if self.size is not None:
            missing.pop("rule", None)
            missing.pop("differs", None)
        return replace(self, **missing, files=beside.files)


def described_in(metadata: Mapping[str, str]) -> Described:
    """Return what the metadata of a ``.safetensors`` file or a program say, as a run's ``model.safetensors`` has them.

    Raises:
        ValueError, TypeError: if a value is not of its form.
    """
    size = metadata.get("image_size")
    if size is not None and not 1 <= int(size) <= _LARGEST:
        raise ValueError(f"image_size is {size[:40]}, not a number of pixels from 1 to {_LARGEST:,}")
    ours = from_json(metadata["class_names"]) if "class_names" in metadata else None
    return Described(
        network=metadata.get("network"),
        size=None if size is None else int(size),
        mean=three(from_json(metadata["mean"])) if "mean" in metadata else None,
        std=three(from_json(metadata["std"])) if "std" in metadata else None,
        class_names=class_names_in_texts(metadata) if ours is None else class_names_in({"class_names": ours}),
        multi_label="attributes" in metadata or None,
        answers=_answers_in(metadata),
        rule=_rule_in(metadata, None if size is None else int(size)),
    )


def _answers_in(metadata: Mapping[str, str]) -> tuple[tuple[str, str], ...] | None:
    if "attributes" not in metadata:
        return None
    return tuple((str(no), str(yes)) for no, yes in from_json(metadata["attributes"])) or None


def _rule_in(metadata: Mapping[str, str], size: int | None) -> InputRule | None:
    if "input_rule" in metadata:
        try:
            return parse_rule(metadata["input_rule"], "input_rule")
        except UsageError as error:  # of a file, not of an option
            raise ValueError(str(error)) from error
    if "center_crop" not in metadata or size is None:
        return None
    zoom = float(metadata["center_crop"])
    if not 0 <= zoom <= _LARGEST / size:
        raise ValueError(f"center_crop is {zoom:g}, not a size relative to the input's")
    return InputRule(part="center", short=max(size, round(size * zoom))) if zoom else InputRule(part="whole")


def three(values: Any) -> Channels | None:
    """Return one number per channel, from three numbers or one; None for None."""
    if values is None:
        return None
    try:
        numbers = [float(value) for value in values] if isinstance(values, Iterable) else [float(values)]
    except OverflowError as error:
        raise ValueError(str(error)) from None
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"a channel is {numbers[0]}")
    red, green, blue = numbers * 3 if len(numbers) == 1 else numbers
    return red, green, blue
