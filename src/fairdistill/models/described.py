"""What is known about a model apart from its weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from fairdistill.models.class_names import class_names_in
from fairdistill.text.parsing import from_json

Channels = tuple[float, float, float]

_LARGEST = 100_000  # pixels
_JSON = ("class_names", "classes", "id2label", "label2id", "class_to_idx")


@dataclass(frozen=True, kw_only=True)
class Described:
    """What is known about a model apart from its weights; None where it is not known.

    Attributes:
        files: where it was read, apart from the weights file itself.
        network: the network's name, as for ``--model``.
        size: height and width of its input.
        resized: the size that images are resized to before their center is cut out, if it is.
        mean, std: channel means and standard deviations of its input, for pixels in [0, 1].
        class_names: the names of its outputs.
        interpolation: how images were resized, if not bilinearly.
        reversed_channels: whether its input has the order blue, green, red.
    """

    files: tuple[str, ...] = ()
    network: str | None = None
    size: int | None = None
    resized: int | None = None
    mean: Channels | None = None
    std: Channels | None = None
    class_names: tuple[str, ...] | None = None
    interpolation: str | None = None
    reversed_channels: bool | None = None

    def completed_by(self, beside: Described) -> Described:
        """Return this with what it does not say taken from files beside it.

        The size that images are resized to belongs to the size of the input, so the two come from one place.
        """
        missing = {
            field.name: getattr(beside, field.name)
            for field in fields(self)
            if field.name != "files" and getattr(self, field.name) is None
        }
        if self.size is not None:
            missing.pop("resized", None)
        return replace(self, **missing, files=beside.files)


def described_in(metadata: Mapping[str, str]) -> Described:
    """Return what the metadata of a ``.safetensors`` file says, as a run folder's ``model.safetensors`` has them.

    Raises:
        ValueError, TypeError: if a value is not of its form.
    """
    size = metadata.get("image_size")
    if size is not None and not 1 <= int(size) <= _LARGEST:
        raise ValueError(f"image_size is {size[:40]}, not a number of pixels from 1 to {_LARGEST:,}")
    named = {key: from_json(metadata[key]) for key in _JSON if key in metadata}
    return Described(
        network=metadata.get("network"),
        size=None if size is None else int(size),
        mean=three(from_json(metadata["mean"])) if "mean" in metadata else None,
        std=three(from_json(metadata["std"])) if "std" in metadata else None,
        class_names=class_names_in(named),
    )


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
