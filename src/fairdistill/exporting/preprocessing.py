"""What a file says about its input and output: ``preprocess.json``, and the metadata of the file itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fairdistill._version import __version__
from fairdistill.models.onnx_file import PIXELS
from fairdistill.predictions.trained_model import DeployedModel


def metadata_of(model: DeployedModel, *, exif: bool, pixels: bool) -> dict[str, str]:
    """Return the metadata of an exported file, in the form of a run's ``model.safetensors``.

    Args:
        model: the model.
        exif: whether images are turned as their EXIF orientation says.
        pixels: whether the graph scales and normalizes.
    """
    reading = model.reading
    mean, std = ((0.0,) * 3, (1.0,) * 3) if pixels else (reading.mean, reading.std)
    zoom = reading.resized / reading.size if reading.crop == "center" else 0.0
    return {
        **({"network": model.name} if model.name is not None else {}),
        **({"input": PIXELS} if pixels else {}),
        "class_names": json.dumps(reading.output_classes),
        "image_size": str(reading.size),
        "mean": json.dumps(mean),
        "std": json.dumps(std),
        "center_crop": f"{zoom:.4f}",
        "exif": str(exif).lower(),
        "fairdistill": __version__,
    }


def preprocess_content(model: DeployedModel, *, exif: bool, pixels: bool, outputs: str) -> Mapping[str, Any]:
    """Return ``preprocess.json``: each step from an image file to the input, and the meaning of the output.

    Args:
        model: the model.
        exif: whether images are turned as their EXIF orientation says.
        pixels: whether the graph scales and normalizes.
        outputs: what the file's outputs are, logits or probabilities.
    """
    reading, size = model.reading, model.reading.size
    center = reading.crop == "center"
    return {
        "color": "RGB",
        "exif_orientation": "apply" if exif else "ignore",
        "resize": {
            "to": "short side" if center else "whole image, without keeping its aspect ratio",
            "pixels": reading.resized if center else [size, size],
            "interpolation": "bilinear",
            "antialias": True,
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
