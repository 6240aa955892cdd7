"""Small sets of images in the forms that people have them in."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROWS = [(label, group, number) for number in range(6) for label in ("oak", "ash") for group in ("x", "y")]
LABELS, GROUPS = [label for label, _, _ in ROWS], [group for _, group, _ in ROWS]
OPTIONS: dict[str, Any] = {"size": 6}


def pixels(row: int) -> np.ndarray:
    return np.random.default_rng(row).integers(0, 256, (6, 6, 3), dtype=np.uint8)


def png(row: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels(row)).save(file, "PNG")
    return file.getvalue()


def write_images(folder: Path, names: list[str]) -> None:
    for row, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(row))


def features(**kinds: dict[str, Any]) -> dict[str, str]:
    """The schema metadata that Hugging Face ``datasets`` writes."""
    return {"huggingface": json.dumps({"info": {"features": kinds}})}
