"""What the configuration files of timm and Hugging Face say about the weights beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairdistill.errors import UsageError
from fairdistill.models.class_names import class_names_in
from fairdistill.models.described import Channels, Described, three
from fairdistill.models.folder import CONFIG, FACE, PROCESSOR
from fairdistill.system.regular import text_of
from fairdistill.text.parsing import from_json

_RESCALE = 1 / 255
_WARPED = 384  # pixels; from here on, ConvNext's processor resizes without a crop
_RESAMPLE = {
    "0": "nearest",
    "1": "lanczos",
    "2": "bilinear",
    "3": "bicubic",
    "4": "box",
    "5": "hamming",
}  # Pillow's numbers


def described_beside(path: Path) -> Described:
    """Return what ``config.json`` and ``preprocessor_config.json`` in the folder of a weights file say.

    timm writes ``pretrained_cfg`` (older versions ``default_cfg``, or its keys at the top): ``input_size``, ``mean``,
    ``std``, ``crop_pct``; and ``architecture`` and ``label_names``. Hugging Face's transformers write ``model_type``,
    from which the network is built (``hf:FOLDER``), ``id2label``, ``image_size``, and in the second file
    ``image_mean``, ``image_std``, ``size``, ``crop_size``, ``resample``. A ``config.json`` of anything else
    says nothing.

    Raises:
        UsageError: if one of the files is not JSON, or a value in it is not of its form.
    """
    found = [(name, _read(path.parent / name)) for name in (CONFIG, PROCESSOR)]
    config, processor = (content for _, content in found)
    try:
        timm = _of_timm(config)
        face = _of_hugging_face(config, processor, path.parent)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise UsageError(
            f"{path.parent / CONFIG}, or {PROCESSOR} beside it, has a value that cannot be read: {error}; correct or "
            "remove it"
        ) from error
    merged = {name: timm.get(name) or face.get(name) for name in {*timm, *face}}
    names = class_names_in(config)
    if names is not None:
        merged["class_names"] = names
    files = tuple(name for name, content in found if content)
    return Described(files=files, **merged) if any(value is not None for value in merged.values()) else Described()


def _of_timm(config: Mapping[str, Any]) -> dict[str, Any]:
    inside = config.get("pretrained_cfg") or config.get("default_cfg") or {}
    name = config.get("architecture") or inside.get("architecture")
    cfg = {**(config if name else {}), **inside}
    size = _side(cfg.get("input_size"))
    share = float(cfg.get("crop_pct") or 1)
    return {
        "network": f"timm:{name}" if isinstance(name, str) else None,
        "size": size,
        "resized": round(size / share) if size is not None and share < 1 else None,
        "mean": three(cfg.get("mean")),
        "std": three(cfg.get("std")),
        "interpolation": _other(cfg.get("interpolation")),
    }


def _of_hugging_face(config: Mapping[str, Any], processor: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    if not processor and not {"id2label", "architectures", "model_type"}.intersection(config):
        return {}
    resized = _side(processor.get("size"))
    cropped = _side(processor.get("crop_size")) if processor.get("do_center_crop") else None
    share = float(processor.get("crop_pct") or 1)
    if cropped is None and resized is not None and share < 1 and resized < _WARPED:  # as ConvNext's processor does
        cropped, resized = resized, int(resized / share)
    mean, std = _normalization(processor)
    size = cropped or resized or _side(config.get("image_size"))
    return {
        "network": f"{FACE}{folder.absolute()}" if isinstance(config.get("model_type"), str) else None,
        "size": size,
        "resized": resized if cropped and resized != cropped else None,
        "mean": mean,
        "std": std,
        "interpolation": _other(_RESAMPLE.get(str(processor.get("resample")), processor.get("resample"))),
        "reversed_channels": bool(processor.get("do_flip_channel_order")) or None,
    }


def _normalization(processor: Mapping[str, Any]) -> tuple[Channels | None, Channels | None]:
    """Return mean and sd for pixels in [0, 1], from those for pixels that the processor scales in its own way."""
    mean, std = three(processor.get("image_mean")), three(processor.get("image_std"))
    scale = 255 * float(processor.get("rescale_factor") or _RESCALE) if processor.get("do_rescale", True) else 255.0
    if processor and not processor.get("do_normalize", True):
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if mean is None or std is None:
        return mean, std
    offset = 1.0 if processor.get("rescale_offset") else 0.0  # as EfficientNet's processor: pixels in [-1, 1]
    if offset or abs(scale - 1) > 1e-6:
        mean, std = three([(value + offset) / scale for value in mean]), three([value / scale for value in std])
    return mean, std


def _other(interpolation: Any) -> str | None:
    """Return how images are resized if that is not bilinear."""
    return interpolation if isinstance(interpolation, str) and interpolation not in ("bilinear", "random", "") else None


def _side(size: Any) -> int | None:
    """Return the side of ``224``, ``[224, 224]``, ``{"height": 224, "width": 224}`` or ``{"shortest_edge": 224}``."""
    if isinstance(size, Mapping):
        size = size.get("shortest_edge") or size.get("height")
    if isinstance(size, Sequence) and not isinstance(size, str):
        size = size[-1]
    return None if size is None else int(size)


def _read(path: Path) -> Mapping[str, Any]:
    """Return the content of a JSON file, empty if there is none."""
    try:
        content = from_json(text_of(path))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not readable JSON: {error}; correct or remove it") from error
    return content if isinstance(content, Mapping) else {}
