"""Small tables of predictions, the same on every machine: no two agree by chance on what an audit says."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

CLASSES = ("cat", "dog", "emu")
Row = dict[str, Any]


def rows(seed: int, n: int = 240, *, groups: tuple[str, ...] = ("x", "y")) -> list[Row]:
    """Return rows of three classes; the first group is predicted better than the others."""
    draw = random.Random(seed)
    made = []
    for number in range(n):
        label, group = number % 3, draw.randrange(len(groups))
        weights = [draw.randrange(1, 40) for _ in CLASSES]
        weights[label] += 30 - 14 * group
        total = sum(weights)
        row: Row = {"id": f"{number:04d}", "label": CLASSES[label], "group": groups[group]}
        row["pred"] = CLASSES[max(range(3), key=lambda c: weights[c])]
        shares = [round(weight / total, 6) for weight in weights[:2]]
        row |= {f"p_{name}": share for name, share in zip(CLASSES, [*shares, 1 - sum(shares)], strict=True)}
        row |= {"sex": draw.choice("fm"), "person": f"{groups[group]}{draw.randrange(12)}"}
        made.append(row)
    return made


def write(path: Path, columns: Iterable[str], made: Iterable[Row], **how: Any) -> None:
    with path.open("w", newline="", encoding=how.pop("encoding", "utf-8")) as file:
        writer = csv.DictWriter(file, list(columns), extrasaction="ignore", lineterminator="\n", **how)
        writer.writeheader()
        writer.writerows(made)


def write_tables(folder: Path) -> None:
    """Write them into a folder."""
    plain, probabilities = ("id", "label", "group", "pred"), ("id", "label", "group", *(f"p_{c}" for c in CLASSES))
    base = rows(0)
    write(folder / "pred.csv", plain, base)
    write(folder / "other.csv", plain, [{**row, "pred": new["pred"]} for row, new in zip(base, rows(1), strict=True)])
    write(folder / "probabilities.csv", probabilities, base)
    write(folder / "validation.csv", probabilities, rows(2, 180))
    write(folder / "sources.csv", (*plain, "person"), rows(3))
    write(folder / "three.csv", (*plain, "sex"), rows(4, 300, groups=("x", "y", "z")))
    changed: dict[str, Callable[[Row], Row | None]] = {
        "unknown": lambda row: {**row, "group": "" if row["id"].endswith(("3", "7")) else row["group"]},
        "empty": lambda row: None if (row["label"], row["group"]) == ("emu", "y") else row,
    }
    for name, change in changed.items():
        write(folder / f"{name}.csv", plain, [new for row in base if (new := change(row)) is not None])
    risks = [{**row, "label": str(int(row["label"] == "cat")), "risk": row["p_cat"]} for row in base]
    write(folder / "score.csv", ("id", "label", "group", "risk"), risks)
    accents = [{**row, "group": {"x": "Zoë", "y": "José"}[row["group"]]} for row in base]
    write(folder / "latin.csv", plain, accents, encoding="latin-1")
