"""What a data set contains, as text for a terminal."""

from __future__ import annotations

from fairdistill.auditing.sizing import sizing_in_words
from fairdistill.escaping import one_line
from fairdistill.inspecting.result import ImageSizes, InspectResult, Pixels, SplitContents, Subgroup
from fairdistill.metrics import Estimate
from fairdistill.metrics.noise import ChanceDEO
from fairdistill.text.lists import listed
from fairdistill.text.numbers import interval, percent
from fairdistill.text.sentences import capitalized
from fairdistill.text.tables import aligned

_SMALL = 100  # images, below which a subgroup supports no claim about a small gap
_LISTED_FILES = 50
_LISTED_SUBGROUPS = 8


def render(result: InspectResult) -> str:
    """Return what :func:`fairdistill.inspecting.inspect` found as text for a terminal."""
    lines = [f"{result.data}: {len(result.class_names):,} classes, {len(result.group_names):,} groups"]
    if result.image_sizes is not None:
        lines.append(_sizes(result.image_sizes))
    if result.pixels is not None:
        lines.append(_seen(result.pixels, result.image_sizes))
    for split in result.splits:
        lines += ["", *_table(result, split)]
    lines += [*_absent(result), *_apart(result), *_notes(result)]
    test = result.split("test")
    if test is not None:
        lines += ["", *_claims(result, test)]
    return "\n".join(map(one_line, lines))


def _sizes(sizes: ImageSizes) -> str:
    most_common = _pixels(sizes.most_common)
    if sizes.smallest == sizes.largest:
        return f"Images are {most_common} pixels ({sizes.sampled:,} checked)."
    return (
        f"Images range from {_pixels(sizes.smallest)} to {_pixels(sizes.largest)} pixels; the most common size is "
        f"{most_common} ({sizes.most_common_count:,} of {sizes.sampled:,} checked)."
    )


def _seen(pixels: Pixels, sizes: ImageSizes | None) -> str:
    stretched = sizes is not None and sizes.most_common[0] != sizes.most_common[1] and pixels.whole
    more = ", which changes its aspect ratio; --crop center keeps it" if stretched else ""
    return f"A network sees the {pixels.seen}{more}."


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _table(result: InspectResult, split: SplitContents) -> list[str]:
    some_unknown = any(split.unknown_groups)
    rows = [[split.split, *result.group_names, *(["unknown"] if some_unknown else []), "all"]]
    groups = len(result.group_names)
    for at, name in enumerate(result.class_names):
        of_class = [subgroup.images for subgroup in split.subgroups[at * groups : (at + 1) * groups]]
        counts = [*of_class, *([split.unknown_groups[at]] if some_unknown else [])]
        rows.append([name, *(f"{count:,}" for count in counts), f"{sum(counts):,}"])
    smallest = split.smallest
    of_sources = f" of {split.sources:,} pictures or people" if split.sources < split.images else ""
    return [
        *aligned(rows),
        f"{split.images:,} images{of_sources}; smallest subgroup: {_name(smallest)} with {smallest.images:,}.",
    ]


def _name(subgroup: Subgroup) -> str:
    return f"{subgroup.class_name}, {subgroup.group}"


def _absent(result: InspectResult) -> list[str]:
    """Return what follows from the splits that are absent."""
    missing = [name for name in ("train", "test") if result.split(name) is None]
    if missing:
        return ["", f"There are no {' and no '.join(missing)} images, which training needs; see --split-map."]
    if result.split("val") is None:
        return ["", "There is no validation set; training sets aside 10% of each training subgroup."]
    return []


def _apart(result: InspectResult) -> list[str]:
    count = result.sources_in_several_splits
    if not count:
        return []
    what = "1 picture or person is" if count == 1 else f"{count:,} pictures or people are"
    return [
        "",
        f"Warning: {what} in more than one split. The honest protocol leaves their images out of training, and out of "
        "validation if they are in the test set.",
    ]


def _notes(result: InspectResult) -> list[str]:
    lines = [f"{capitalized(note)}." for note in result.notes]
    if result.skipped:
        count = len(result.skipped)
        lines.append(f"{count:,} image{'s' if count > 1 else ''} cannot be read:")
        lines += [f"  {file.image}: {file.reason}" for file in result.skipped[:_LISTED_FILES]]
        if count > _LISTED_FILES:
            lines.append(f"  and {count - _LISTED_FILES:,} more")
    return ["", *lines] if lines else []


def _claims(result: InspectResult, test: SplitContents) -> list[str]:
    if result.chance is None:
        empty = listed([*map(_name, test.empty)], _LISTED_SUBGROUPS, separator="; ")
        return [f"Warning: there is no test image of {empty}, so DEO is undefined on this test set."]
    lines = [_chance(result.chance, result.accuracy)]
    if test.shared_pictures:
        lines.append(
            "Some images share a picture or a person, so the DEO by chance can differ from this: it is smaller where "
            "these appear in several groups, and larger where all their images are in one."
        )
    if result.sizing is not None:
        lines += sizing_in_words(result.sizing, samples="images")
    small = test.smaller_than(_SMALL)
    if small:
        shown = "; ".join(f"{_name(subgroup)} ({subgroup.images})" for subgroup in small[:_LISTED_SUBGROUPS])
        more = f"; and {len(small) - _LISTED_SUBGROUPS} more" if len(small) > _LISTED_SUBGROUPS else ""
        lines.append(
            f"Warning: {len(small)} of {len(test.subgroups)} test subgroups have fewer than {_SMALL} images, too few "
            f"to support claims about gaps smaller than these: {shown}{more}."
        )
    return lines


def _chance(chance: ChanceDEO, accuracy: float) -> str:
    return (
        f"By chance alone, a perfectly fair model with {accuracy:.0%} accuracy would show DEO_A "
        f"{_percent(chance.deo_a)} and DEO_M {_percent(chance.deo_m)} on this test set (mean and 95% range)."
    )


def _percent(found: Estimate) -> str:
    return f"{percent(found.value)}% {interval(found)}"
