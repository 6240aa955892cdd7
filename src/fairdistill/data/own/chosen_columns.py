"""Which columns of a table of images are read, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fairdistill.data.own.labels import LabelColumns
from fairdistill.data.own.metadata import FILE_NAME
from fairdistill.data.own.options import TableOptions
from fairdistill.errors import UsageError
from fairdistill.tables.bins import check_bins
from fairdistill.tables.reading import check_column, check_used_once, several
from fairdistill.tables.sources import source_column


@dataclass(frozen=True, kw_only=True)
class ChosenColumns:
    """Which columns of a table are read, and as what: named by the options, or recognized by their names.

    Attributes:
        image: paths of images, or the images themselves.
        labels: classes.
        groups: groups.
        split: the split of each row; None without one.
        source: the person or picture behind each row; None without one.
    """

    image: str
    labels: LabelColumns
    groups: list[str]
    split: str | None
    source: str | None

    @classmethod
    def of(cls, path: Path, names: list[str], options: TableOptions) -> ChosenColumns:
        """Choose among the columns of a table.

        Raises:
            DataError: if the table lacks a column.
            UsageError: if one is used twice, or an option needs one that is not chosen.
        """
        image = options.image
        if image == "image" and "image" not in names and FILE_NAME in names:
            image = FILE_NAME  # as Hugging Face's metadata tables name it
        chosen = cls(
            image=image,
            labels=LabelColumns.named(
                options.label, names, order=options.classes, yes_values=options.yes_value, bins=options.bin
            ),
            groups=several(options.group, names),
            split=options.split or next((name for name in names if name.strip().casefold() == "split"), None),
            source=options.source or source_column(names),
        )
        for option, column in [
            ("image", image), *(("label", name) for name in chosen.labels.names),
            *(("group", name) for name in chosen.groups), ("source", chosen.source), ("split", chosen.split),
        ]:  # fmt: skip
            if column is not None:
                check_column(path, names, option, column)
        if chosen.split is None and options.split_map:
            raise UsageError(
                f"--split-map needs a split column, but {path} has no column 'split'; it has {', '.join(names)}. "
                "Choose one with --split"
            )
        chosen._check_different(options)
        check_bins(options.bin, [*chosen.labels.names, *chosen.groups], "label and group columns")
        return chosen

    def _check_different(self, options: TableOptions) -> None:
        for option, column in (
            ("group", None),
            ("split", options.split),
            ("source", options.source),
            ("image", self.image),
        ):
            groups = self.groups if option != "source" else ()  # a group may be one person
            others = "--label and --group" if option == "group" else f"--{option} and --label or --group"
            check_used_once([*self.labels.names, *groups, column], others)
