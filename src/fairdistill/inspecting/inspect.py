"""What there is to know of a data set before anything is trained on it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL import Image

from fairdistill import data
from fairdistill.data import GroupedDataset
from fairdistill.data.images.reading import ImageFiles
from fairdistill.errors import UsageError
from fairdistill.metrics.noise import chance_deo
from fairdistill.text.tables import aligned

_SAMPLE = 500
_SMALL = 100
_LISTED = 50


@dataclass(frozen=True, kw_only=True)
class InspectOptions:
    """Options of ``data inspect``."""

    data: str = "digits-s"
    """Data set: digits-s, cifar10s, utkface, celeba, a table (.csv, .tsv, .parquet) or a class folder."""
    data_root: str | None = field(default=None, metadata={"also": "--root"})
    """Folder with the data files; default: $FAIRDISTILL_DATA, for a table the table's folder."""
    accuracy: float = 0.8
    """Accuracy of the perfectly fair model whose DEO by chance is worked out."""

    def __post_init__(self) -> None:
        if not 0 < self.accuracy < 1:
            raise UsageError(f"expected accuracy to lie between 0 and 1, but got {self.accuracy}")


def inspect(options: InspectOptions, data_options: Mapping[str, Any]) -> str:
    """Load every split of a data set, leaving broken images out, and describe it in lines of text.

    Raises:
        UsageError: for options that do not fit.
        DataError: for data that cannot be used at all.
    """
    own = dict(data_options)
    if "skip_broken" in data.entry(options.data).options.__dataclass_fields__:
        own["skip_broken"] = True
    parts = data.load_splits(options.data, root=options.data_root, **own)
    first = next(iter(parts.values()))
    lines = [f"{options.data}: {first.num_classes} classes, {first.num_groups} groups"]
    if isinstance(first.images, ImageFiles):
        lines.append(_sizes(first.images))
    for split, part in parts.items():
        lines += ["", *_cells(split, part)]
    missing = [split for split in ("train", "test") if split not in parts]
    if missing:
        lines += ["", f"No {' and no '.join(missing)} rows, which training needs; see --split-map."]
    elif "val" not in parts:
        lines += ["", "No validation rows of its own: training draws 10% of each cell of train."]
    lines += _sentences(first)
    if "test" in parts:
        lines += ["", *_claims(parts["test"], options.accuracy)]
    return "\n".join(lines)


def _sizes(files: ImageFiles) -> str:
    step = max(1, len(files) // _SAMPLE)
    found: Counter[tuple[int, int]] = Counter()
    for name in files.names[::step].tolist():
        with Image.open(io.BytesIO(files.source.read(name))) as image:
            found[image.size] += 1
    (width, height), count = found.most_common(1)[0]
    total = sum(found.values())
    widths, heights = [w for w, _ in found], [h for _, h in found]
    if len(found) == 1:
        return f"Images of {width}x{height} pixels (looked at {total:,})."
    return (
        f"Images from {min(widths)}x{min(heights)} to {max(widths)}x{max(heights)} pixels, most often {width}x{height} "
        f"({count:,} of {total:,} looked at)."
    )


def _cells(split: str, part: GroupedDataset) -> list[str]:
    counts = part.cell_counts()
    unknown = torch.bincount(part.labels[part.groups < 0], minlength=part.num_classes)
    header = [split, *part.group_names, *(["unknown"] if unknown.any() else []), "all"]
    rows = [header]
    for label, name in enumerate(part.class_names):
        cells = [*counts[label].tolist(), *([int(unknown[label])] if unknown.any() else [])]
        rows.append([name, *(f"{cell:,}" for cell in cells), f"{sum(cells):,}"])
    smallest = int(counts.argmin())
    label, group = divmod(smallest, part.num_groups)
    return [
        *aligned(rows),
        f"{len(part):,} rows; smallest cell: {part.class_names[label]}, {part.group_names[group]} with "
        f"{int(counts.min()):,}.",
    ]


def _sentences(part: GroupedDataset) -> list[str]:
    lines = [f"{note[0].upper()}{note[1:]}." for note in part.notes]
    if part.skipped:
        lines.append(f"{len(part.skipped):,} images cannot be read:")
        lines += [f"  {name}: {reason}" for name, reason in part.skipped[:_LISTED]]
        if len(part.skipped) > _LISTED:
            lines.append(f"  and {len(part.skipped) - _LISTED:,} more")
    return ["", *lines] if lines else []


def _claims(test: GroupedDataset, accuracy: float) -> list[str]:
    counts = test.cell_counts()
    empty = [
        f"{test.class_names[label]}, {test.group_names[group]}" for label, group in (counts == 0).nonzero().tolist()
    ]
    if empty:
        return [f"Warning: no test row of {'; '.join(empty)}: DEO is undefined on this test set."]
    chance = chance_deo(counts.numpy(), accuracy=accuracy)
    lines = [
        f"By chance alone, a perfectly fair model of {accuracy:.0%} accuracy would show DEO_A "
        f"{_percent(chance.deo_a)} and DEO_M {_percent(chance.deo_m)} on this test set (mean, and where 95% of "
        "draws lie)."
    ]
    if len(set(test.source_ids)) < len(test):
        lines.append("Some rows share a picture; where groups share theirs, chance gives less than this.")
    small = [
        f"{test.class_names[label]}, {test.group_names[group]} ({int(counts[label, group])})"
        for label, group in (counts < _SMALL).nonzero().tolist()
    ]
    if small:
        shown = "; ".join(small[:8]) + (f"; and {len(small) - 8} more" if len(small) > 8 else "")
        lines.append(
            f"Warning: {len(small)} of {counts.numel()} test cells have fewer than {_SMALL} rows, too few to support a "
            f"claim about a gap smaller than that: {shown}."
        )
    return lines


def _percent(values: tuple[float, float, float]) -> str:
    mean, low, high = (100 * value for value in values)
    return f"{mean:.1f}% [{low:.1f}, {high:.1f}]"
