"""A drawn table of images: a disc or a square (the class) on a light or dark ground (the group)."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

OPTIONS = {"label": "shape", "group": "ground", "size": 16, "flip": True}


def draw_table(folder: Path, *, train: int = 48, test: int = 16) -> Path:
    """Write ``images.csv`` and its images; every cell has the same number of rows in each split."""
    draw = np.random.default_rng(0)
    rows = []
    for split, count in (("train", train), ("test", test)):
        for number in range(count):
            shape, ground = ("disc", "square")[number % 2], ("dark", "light")[number // 2 % 2]
            name = f"{split}/{number:03d}.png"
            base = 40 if ground == "dark" else 200
            image = Image.fromarray(draw.integers(base, base + 40, (20, 20, 3), dtype=np.uint8))
            corner = draw.integers(2, 6, 2).tolist()
            box = [*corner, corner[0] + 10, corner[1] + 10]
            pen = ImageDraw.Draw(image)
            (pen.ellipse if shape == "disc" else pen.rectangle)(box, fill=(220, 30, 60))
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            image.save(folder / name)
            rows.append({"image": name, "shape": shape, "ground": ground, "split": split})
    with (folder / "images.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / "images.csv"
