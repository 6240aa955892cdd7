"""What a file says about its input and output: ``preprocess.json``, and the metadata of the file itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fairdistill._version import __version__
from fairdistill.data.images.decoding import Decoding
from fairdistill.data.images.depth import Depth
from fairdistill.data.images.described import described
from fairdistill.models.programs.onnx_file import PIXELS
from fairdistill.predictions.trained.agreement import geometry
from fairdistill.predictions.trained.model import DeployedModel


def metadata_of(
    model: DeployedModel, *, how: Decoding, pixels: bool, answers: Sequence[Sequence[str]] | None = None
) -> dict[str, str]:
    """Return the metadata of an exported file, in the form of a run's ``model.safetensors``.

    Args:
        model: the model.
        how: how the content of an image file becomes an image.
        pixels: whether the graph scales and normalizes.
        answers: the two values of each of several yes/no attributes, if that is what its outputs are.
    """
    reading = model.reading
    mean, std = ((0.0,) * 3, (1.0,) * 3) if pixels else (reading.mean, reading.std)
    return {
        **({"network": model.name} if model.name is not None else {}),
        **({"input": PIXELS} if pixels else {}),
        "class_names": json.dumps(reading.output_classes),
        **({"attributes": json.dumps(answers)} if answers is not None else {}),
        "image_size": str(reading.size),
        "mean": json.dumps(mean),
        "std": json.dumps(std),
        **geometry(replace(model.recipe, bgr=model.recipe.bgr and not pixels)),
        **described(how),
        "fairdistill": __version__,
    }


def preprocess_content(model: DeployedModel, *, how: Decoding, pixels: bool, outputs: str) -> Mapping[str, Any]:
    """Return ``preprocess.json``: each step from an image file to the input, and the meaning of the output.

    Args:
        model: the model.
        how: how the content of an image file becomes an image.
        pixels: whether the graph scales and normalizes.
        outputs: what the file's outputs are, logits or probabilities.
    """
    reading, size = model.reading, model.reading.size
    recipe, center = model.recipe, reading.crop == "center"
    resizing = recipe.resizing
    whole = "whole image, without keeping its aspect ratio"
    return {
        "color": "BGR" if recipe.bgr and not pixels else "RGB",
        "exif_orientation": "apply" if how.exif else "ignore",
        "deep_images": _ranges(how.depth),
        "resize": {
            "to": "short side" if center and not resizing.square else whole,
            "pixels": ([reading.resized] * 2 if resizing.square else reading.resized) if center else [size, size],
            "interpolation": resizing.interpolation,
            "antialias": resizing.antialias and resizing.interpolation != "nearest",
        },
        "center_crop": [size, size] if center else None,
        "layout": "NHWC" if pixels else "NCHW",
        "type": "uint8" if pixels else "float32",
        "scale": None if pixels else 1 / 255,
        "mean": None if pixels else list(reading.mean),
        "std": None if pixels else list(reading.std),
        "in_graph": {"scale": 1 / 255, "mean": list(reading.mean), "std": list(reading.std)} if pixels else None,
        "outputs": outputs,
        "classes": list(reading.output_classes),
    }


def _ranges(depth: Depth) -> Mapping[str, int] | None:
    """Return which values of images with more than 8 bits a channel, integers and floats, become 255."""
    white = {kind: 2**bits - 1 for kind, bits in (("integer", depth.whole), ("float", depth.real)) if bits is not None}
    return {f"{kind}_white": value for kind, value in white.items()} or None
