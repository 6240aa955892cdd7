"""What ``preprocessor_config.json`` of Hugging Face's transformers says about how a model's images are prepared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fairdistill.models.description.described import Channels, three
from fairdistill.models.description.input_rule import InputRule, parse_rule

_RESCALE = 1 / 255
_WARPED = 384  # pixels; from here on, ConvNext's processor resizes without a crop
KERNELS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
"""Pillow's ways to resize, each at its number."""

_NOT_DONE = {
    "do_pad": "images were padded", "do_thumbnail": "images were shrunk as thumbnails",
    "do_align_long_axis": "images were turned by their long axis",
}  # fmt: skip


def geometry_of(processor: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``size``, ``rule`` and ``differs`` of a :class:`.described.Described`.

    Raises:
        TypeError, ValueError: if a value is not of its form.
    """
    if not processor:
        return {}
    kind = _kind(processor)
    given = processor.get("size")
    resized = side(given)
    crop = side(processor.get("crop_size")) if processor.get("do_center_crop") else None
    resized, crop = _by_share(processor, kind, resized, crop)
    keeps = "shortest_edge" in given if isinstance(given, Mapping) else crop is not None
    differs = [text for key, text in _NOT_DONE.items() if processor.get(key)]
    if not processor.get("do_resize", True):
        differs.append("images were not resized")
        resized = crop or resized
    elif crop is None and keeps and not processor.get("crop_pct"):
        differs.append("images kept their aspect ratio and were not made square")
    elif kind.startswith("Perceiver"):
        differs.append("the center was cut out first and then resized")
    if crop is not None and resized is not None and resized < crop:
        differs.append(f"images of {resized} pixels were padded to {crop}")
        resized = crop
    size = crop or resized
    if size is None:
        part = InputRule()
    elif crop is None or (resized == crop and not keeps):
        part = InputRule(part="whole")
    else:
        part = InputRule(part="center" if keeps else "square", short=resized, floor=True)
    rule = part.completed_by(_interpolation(processor)).completed_by(_order(processor))
    return {"size": size, "rule": None if rule == InputRule() else rule, "differs": tuple(differs) or None}


def _by_share(
    processor: Mapping[str, Any], kind: str, resized: int | None, crop: int | None
) -> tuple[int | None, int | None]:
    """Return the sizes of resizing and crop, for the processors that compute the first from a share."""
    share = float(processor.get("crop_pct") or 1)
    if resized is None:
        return resized, crop
    if kind.startswith("Levit"):
        return int(256 / 224 * resized), crop
    if crop is None and share < 1 and resized < _WARPED:  # ConvNext
        return int(resized / share), resized
    if crop is not None and share < 1:  # PoolFormer
        return int(resized / share), crop
    return resized, crop


def _interpolation(processor: Mapping[str, Any]) -> InputRule:
    given = processor.get("resample")
    if given is None:
        return InputRule()
    numbered = {str(number): name for number, name in enumerate(KERNELS)}
    found = parse_rule(numbered.get(str(given), str(given)), "resample")
    return InputRule(interpolation=found.interpolation)


def _order(processor: Mapping[str, Any]) -> InputRule:
    return InputRule(bgr=True) if processor.get("do_flip_channel_order") else InputRule()


def _kind(processor: Mapping[str, Any]) -> str:
    return str(processor.get("image_processor_type") or processor.get("feature_extractor_type") or "")


def normalization_of(processor: Mapping[str, Any]) -> tuple[Channels | None, Channels | None]:
    """Return mean and sd for pixels in [0, 1], from those for pixels that the processor scales in its own way.

    Raises:
        TypeError, ValueError: if a value is not of its form.
    """
    kind = _kind(processor)
    mean, std = three(processor.get("image_mean")), three(processor.get("image_std"))
    scale = 255 * float(processor.get("rescale_factor") or _RESCALE) if processor.get("do_rescale", True) else 255.0
    again = std if kind.startswith("EfficientNet") and processor.get("include_top", True) else None
    if processor and (kind.startswith("MobileViT") or not processor.get("do_normalize", True)):
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if mean is None or std is None:
        return mean, std
    if again is not None:  # it divides by the sd a second time
        std = three([one * two for one, two in zip(std, again, strict=True)])
        assert std is not None
    offset = 1.0 if processor.get("rescale_offset") else 0.0  # as EfficientNet's processor: pixels in [-1, 1]
    if offset or abs(scale - 1) > 1e-6:
        mean, std = three([(value + offset) / scale for value in mean]), three([value / scale for value in std])
    return mean, std


def side(size: Any) -> int | None:
    """Return the side of ``224``, ``[224, 224]``, ``{"height": 224, "width": 224}`` or ``{"shortest_edge": 224}``."""
    if isinstance(size, Mapping):
        size = size.get("shortest_edge") or size.get("height")
    if isinstance(size, Sequence) and not isinstance(size, str):
        size = size[-1]
    return None if size is None else int(size)
