"""What the configuration files of timm and Hugging Face say about the weights beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairdistill.errors import UsageError
from fairdistill.models.description.class_names import class_names_in
from fairdistill.models.description.described import Described
from fairdistill.models.description.folder import CONFIG, FACE, PROCESSOR
from fairdistill.models.description.processor import geometry_of, normalization_of, side
from fairdistill.models.description.timm_config import of_timm
from fairdistill.system.regular import text_of
from fairdistill.text.parsing import from_json


def described_beside(path: Path) -> Described:
    """Return what ``config.json`` and ``preprocessor_config.json`` in the folder of a weights file say.

    timm writes ``pretrained_cfg`` (older versions ``default_cfg``, or its keys at the top): ``input_size``, ``mean``,
    ``std``, ``crop_pct``, ``crop_mode``, ``interpolation``; and ``architecture`` and ``label_names``. Hugging Face's
    transformers write ``model_type``, from which the network is built (``hf:FOLDER``), ``id2label``, ``image_size``,
    and in the second file ``image_mean``, ``image_std``, ``size``, ``crop_size``, ``resample`` and others. A
    ``config.json`` of anything else says nothing.

    Raises:
        UsageError: if one of the files is not JSON, or a value in it is not of its form.
    """
    found = [(name, _read(path.parent / name)) for name in (CONFIG, PROCESSOR)]
    config, processor = (content for _, content in found)
    try:
        timm = of_timm(config)
        face = _of_hugging_face(config, processor, path.parent)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError) as error:
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


def _of_hugging_face(config: Mapping[str, Any], processor: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    if not processor and not {"id2label", "architectures", "model_type"}.intersection(config):
        return {}
    mean, std = normalization_of(processor)
    geometry = geometry_of(processor)
    return {
        **geometry,
        "network": f"{FACE}{folder.absolute()}" if isinstance(config.get("model_type"), str) else None,
        "size": geometry.get("size") or side(config.get("image_size")),
        "multi_label": config.get("problem_type") == "multi_label_classification" or None,
        "mean": mean,
        "std": std,
    }


def _read(path: Path) -> Mapping[str, Any]:
    """Return the content of a JSON file, empty if there is none."""
    try:
        content = from_json(text_of(path))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not readable JSON: {error}; correct or remove it") from error
    return content if isinstance(content, Mapping) else {}
