"""Which rows train, validate and test."""

from __future__ import annotations

from collections.abc import Mapping

from fairdistill import data
from fairdistill.data import GroupedDataset
from fairdistill.data.files import without_duplicates
from fairdistill.data.splits import cut_validation
from fairdistill.errors import TeacherError, UsageError
from fairdistill.runs import RunFolder
from fairdistill.training.options import TrainOptions


def load_data(
    options: TrainOptions, teacher_run: RunFolder | None
) -> tuple[GroupedDataset, GroupedDataset, GroupedDataset]:
    """Return the training, validation and test rows of a run; in the ``paper`` protocol the last two are the same."""
    parts = data.load_splits(options.data, root=options.data_root, **options.data_options)
    return parted(parts, options, teacher_run)


def parted(
    parts: Mapping[data.Split, GroupedDataset], options: TrainOptions, teacher_run: RunFolder | None
) -> tuple[GroupedDataset, GroupedDataset, GroupedDataset]:
    """Return the training, validation and test rows that a run makes of a data set's own splits."""
    for needed in ("train", "test"):
        if needed not in parts:
            raise UsageError(
                f"{options.data} has no {needed} rows, only {', '.join(parts)}; give some, or say what they are, such "
                f"as --split-map val={needed}"
            )
    train, test = parts["train"], parts["test"]
    if options.protocol == "paper":
        return train, test, test
    if "val" in parts:
        validation = without_duplicates(parts["val"], test)
        return without_duplicates(train, validation, test), validation, test
    _check_split(options, teacher_run)
    assert options.split_seed is not None
    train, validation = cut_validation(without_duplicates(train, test), split_seed=options.split_seed)
    return train, validation, test


def _check_split(options: TrainOptions, teacher_run: RunFolder | None) -> None:
    """Check that the teacher has not seen the rows that will validate the student."""
    if teacher_run is None or teacher_run.config["data"] != options.data:
        return
    if teacher_run.config["protocol"] == "paper":
        raise TeacherError(
            f"the teacher {options.teacher} was trained on every training row (paper protocol), those that would "
            "validate the student too; train one in the honest protocol, or add --protocol paper"
        )
    if teacher_run.config["split_seed"] != options.split_seed:
        raise TeacherError(
            f"the teacher {options.teacher} was trained with split_seed {teacher_run.config['split_seed']}, not "
            f"{options.split_seed}: it has seen rows that would validate the student; leave --split-seed out"
        )
