"""Reading what a data set contains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import torch

from fairdistill import data
from fairdistill.auditing import Sizing, sizing
from fairdistill.data import GroupedDataset, ImageFiles
from fairdistill.data.images.opening import opened
from fairdistill.inspecting.options import InspectOptions
from fairdistill.inspecting.pixels import pixels_of
from fairdistill.inspecting.result import ImageSizes, InspectResult, SkippedFile, SplitContents, Subgroup
from fairdistill.metrics import chance_deo
from fairdistill.metrics.noise import ChanceDEO
from fairdistill.tables.yes_no import left_out

_SAMPLED_FILES = 500


def contents(name: str, options: InspectOptions) -> InspectResult:
    """Load every split of a data set and describe it; see :func:`fairdistill.inspect`."""
    parts = _load(name, options)
    next(iter(parts.values())).require_one_label("a description is of one label")
    return _described(name, parts, options)


def contents_by_attribute(name: str, options: InspectOptions) -> dict[str, InspectResult]:
    """Return the same for each attribute of a data set with several, by name; the split is that of all of them."""
    parts = _load(name, options)
    attributes = next(iter(parts.values())).attributes
    assert attributes is not None, "--label names several columns"
    by_split = {split: part.of_attributes() for split, part in parts.items()}
    images = sum(map(len, parts.values()))
    found = {}
    for at, attribute in enumerate(attributes.names):
        described = _described(name, {split: each[at] for split, each in by_split.items()}, options)
        unanswered = images - sum(len(each[at]) for each in by_split.values())
        found[attribute] = replace(described, notes=(*described.notes, *left_out(attribute, unanswered)))
    return found


def _load(name: str, options: InspectOptions) -> dict[data.Split, GroupedDataset]:
    own = dict(options.data_options)
    if "skip_broken" in data.option_names(name):
        own["skip_broken"] = True
    return data.load_splits(name, root=options.data_root, **own)


def _described(name: str, parts: Mapping[data.Split, GroupedDataset], options: InspectOptions) -> InspectResult:
    first = next(iter(parts.values()))
    apart = Counter(source for part in parts.values() for source in set(part.source_ids))
    return InspectResult(
        data=name,
        class_names=first.class_names,
        group_names=first.group_names,
        splits=tuple(_contents(split, part) for split, part in parts.items()),
        sources_in_several_splits=sum(count > 1 for count in apart.values()),
        image_sizes=_sizes(first.images) if isinstance(first.images, ImageFiles) else None,
        pixels=pixels_of(parts.values()),
        accuracy=options.accuracy,
        chance=_chance(parts["test"], options.accuracy) if "test" in parts else None,
        sizing=_sizing(parts["test"], options.accuracy) if "test" in parts else None,
        skipped=tuple(SkippedFile(image=image, reason=reason) for image, reason in first.skipped),
        notes=first.notes,
    )


def _contents(split: str, part: GroupedDataset) -> SplitContents:
    unknown = torch.bincount(part.labels[part.groups < 0], minlength=part.num_classes)
    counts = part.cell_counts().tolist()
    return SplitContents(
        split=split,
        images=len(part),
        shared_pictures=len(part) - len(set(part.source_ids)),
        sources=len(set(part.source_ids)),
        subgroups=tuple(
            Subgroup(group=group, class_name=label, images=images)
            for label, of_class in zip(part.class_names, counts, strict=True)
            for group, images in zip(part.group_names, of_class, strict=True)
        ),
        unknown_groups=tuple(unknown.tolist()),
    )


def _sizes(files: ImageFiles) -> ImageSizes:
    step = max(1, len(files) // _SAMPLED_FILES)
    found: Counter[tuple[int, int]] = Counter()
    for name in files.names[::step].tolist():
        found[opened(files.source.read(name)).size] += 1
    most_common, count = found.most_common(1)[0]
    widths, heights = [width for width, _ in found], [height for _, height in found]
    return ImageSizes(
        sampled=sum(found.values()),
        smallest=(min(widths), min(heights)),
        largest=(max(widths), max(heights)),
        most_common=most_common,
        most_common_count=count,
    )


def _chance(test: GroupedDataset, accuracy: float) -> ChanceDEO | None:
    counts = test.cell_counts().numpy().T
    return None if (counts == 0).any() else chance_deo(counts, accuracy=accuracy)


def _sizing(test: GroupedDataset, accuracy: float) -> Sizing | None:
    counts = test.cell_counts().numpy().T
    if (counts == 0).any() or test.num_groups < 2:
        return None
    return sizing(counts, accuracy, 0.95, test.group_names)
