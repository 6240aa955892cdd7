"""What a data set contains, as typed values."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.auditing import Sizing
from fairdistill.contract import Result, key
from fairdistill.metrics.noise import ChanceDEO


@dataclass(frozen=True, kw_only=True)
class Subgroup(Result):
    """One class of one group, and how many images of a split belong to it."""

    group: str
    class_name: str = key("class")
    images: int


@dataclass(frozen=True, kw_only=True)
class SplitContents(Result):
    """One split.

    Attributes:
        split: train, val or test.
        images: number of images.
        shared_pictures: images that share their picture or person with another image of the split, counted after the
            first.
        sources: independent pictures or people.
        subgroups: every class of every group, class by class.
        unknown_groups: per class, images whose group is not known.
    """

    split: str
    images: int
    shared_pictures: int
    sources: int
    subgroups: tuple[Subgroup, ...]
    unknown_groups: tuple[int, ...]

    @property
    def smallest(self) -> Subgroup:
        """The smallest subgroup; the first of several."""
        return min(self.subgroups, key=lambda subgroup: subgroup.images)

    @property
    def empty(self) -> tuple[Subgroup, ...]:
        """Subgroups without an image."""
        return self.smaller_than(1)

    def smaller_than(self, images: int) -> tuple[Subgroup, ...]:
        """Return the subgroups with fewer images."""
        return tuple(subgroup for subgroup in self.subgroups if subgroup.images < images)


@dataclass(frozen=True, kw_only=True)
class ImageSizes(Result):
    """Sizes of a sample of the image files, in pixels.

    Attributes:
        sampled: number of files that were opened.
        smallest: least width and least height.
        largest: greatest width and greatest height.
        most_common: the most common width and height.
        most_common_count: how many of the sampled files have it.
    """

    sampled: int
    smallest: tuple[int, int]
    largest: tuple[int, int]
    most_common: tuple[int, int]
    most_common_count: int


@dataclass(frozen=True, kw_only=True)
class Pixels(Result):
    """What the image files of a data set look like once they are decoded.

    Attributes:
        seen: what of an image a network sees, for example "whole image resized to 224x224".
        whole: whether that is the whole image.
        constant: number of images whose pixels all have the same color.
        constant_images: the first three of them.
        turned: number of images with an EXIF orientation other than upright.
        turned_images: the first three of them.
        exif_applied: whether orientation was applied.
        deep: number of images with more than 8 bits a channel.
        bits: bits that those with integers are read as; None without any.
    """

    seen: str
    whole: bool
    constant: int
    constant_images: tuple[str, ...]
    turned: int
    turned_images: tuple[str, ...]
    exif_applied: bool
    deep: int
    bits: int | None


@dataclass(frozen=True, kw_only=True)
class SkippedFile(Result):
    """An image file that cannot be read, and why."""

    image: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class InspectResult(Result):
    """What a data set contains.

    Attributes:
        data: the data set.
        class_names: one name per class.
        group_names: one name per group.
        splits: those the data set has, train, val and test in this order.
        sources_in_several_splits: pictures or people that more than one split has.
        image_sizes: of image files; None for images that are not files.
        pixels: what image files look like once they are decoded; None for images that are not files.
        accuracy: of the perfectly fair model of ``chance``.
        chance: the DEO that a perfectly fair model of that accuracy would show on the test set by chance alone; None
            if there is no test set, or a subgroup has no test image.
        sizing: what gaps an audit of such a model detects on the test set; None as for ``chance``.
        skipped: files that cannot be read.
        notes: remarks made while reading, for example on duplicates.
    """

    data: str
    class_names: tuple[str, ...]
    group_names: tuple[str, ...]
    splits: tuple[SplitContents, ...]
    sources_in_several_splits: int
    image_sizes: ImageSizes | None
    pixels: Pixels | None
    accuracy: float
    chance: ChanceDEO | None
    sizing: Sizing | None
    skipped: tuple[SkippedFile, ...]
    notes: tuple[str, ...]

    def split(self, name: str) -> SplitContents | None:
        """Return a split by name, None if the data set does not have it."""
        return next((split for split in self.splits if split.split == name), None)
