"""A drawn table of images with three yes/no attributes: one shown by brightness, one by a stripe, one by a corner."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

NAMES = ("bright", "striped", "spot")
OPTIONS: dict[str, Any] = {"label": "bright,striped,spot", "group": "side", "size": 16, "yes_value": {"spot": "marked"}}


def draw_attributes(folder: Path, *, train: int = 48, test: int = 24) -> str:
    """Write ``images.csv`` and its images; every answer of every attribute occurs in both groups of each split."""
    draw = np.random.default_rng(0)
    rows = []
    for split, count in (("train", train), ("test", test)):
        for number in range(count):
            bright, striped, spot, side = (number // each % 2 for each in (1, 2, 4, 3))
            pixels = draw.integers(40, 80, (16, 16, 3)) + 100 * bright
            pixels[::4] -= 40 * striped
            pixels[:5, :5, 0] = 255 if spot else pixels[:5, :5, 0]
            name = f"{split}/{number:03d}.png"
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
            answers = {"bright": ("no", "yes")[bright], "striped": striped, "spot": ("plain", "marked")[spot]}
            rows.append({"image": name, **answers, "side": ("left", "right")[side], "split": split})
    with (folder / "images.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(folder / "images.csv")
